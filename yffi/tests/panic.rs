//! The panic boundary. A process of its own: the library's panic hook would hide why other tests fail.

use std::ptr::{null, null_mut};
use yffi::*;

#[test]
fn a_panic_becomes_a_code_with_its_place() {
    assert_eq!(YFFI_ABI_VERSION, yffi_init());
    let mut err = YffiError {
        message: YffiBuf::empty(),
    };
    let code = unsafe { yffi_test_panic(null(), &mut err) };
    let bytes =
        unsafe { std::slice::from_raw_parts(err.message.address as *const u8, err.message.len) };
    let text = String::from_utf8_lossy(bytes).into_owned();
    unsafe { yffi_buf_free(err.message) };

    // Who does not want the message need not take it.
    let quiet = unsafe { yffi_test_panic(null(), null_mut()) };

    let _ = std::panic::take_hook();
    assert_eq!(YffiCode::Panic as i32, code);
    assert_eq!(YffiCode::Panic as i32, quiet);
    assert!(text.starts_with("a panic on purpose (at "), "{text}");
    assert!(text.contains("src/ffi.rs:"), "{text}");
}
