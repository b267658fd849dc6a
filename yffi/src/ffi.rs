//! Borrowed arguments, the ABI version and what the tests need.

use crate::doc::YffiDoc;
use crate::error::{Failure, Result, YffiCode, YffiError};
use crate::panic::{guard, install_hook, OnPanic};

/// Changes with every incompatible change of an export; the Go side refuses any other.
pub const YFFI_ABI_VERSION: u32 = 1;

/// Prepares the library, before any other call, and returns the version of its ABI.
#[no_mangle]
pub extern "C" fn yffi_init() -> u32 {
    install_hook();
    YFFI_ABI_VERSION
}

/// Panics on purpose, so that a test of the finished archive can see the boundary hold. With a document it panics
/// as if it were writing to that, which poisons it: no update is known that does.
///
/// # Safety
/// `doc` is null or valid; `err` is null or points to a zeroed `YffiError`.
#[no_mangle]
pub unsafe extern "C" fn yffi_test_panic(doc: *const YffiDoc, err: *mut YffiError) -> i32 {
    let doc = doc.as_ref();
    guard(doc, OnPanic::Poison, err, || panic!("a panic on purpose"))
}

/// How many texts of a document have an index, so that a test can see that it tests them.
///
/// # Safety
/// `doc` is valid, and nobody writes to it.
#[no_mangle]
pub unsafe extern "C" fn yffi_test_indexes(doc: *const YffiDoc) -> usize {
    (*doc).indexes().count()
}

/// Bytes lent by the caller for the time of the call.
///
/// # Safety
/// `ptr` points to `len` readable bytes, or `len` is 0.
pub unsafe fn bytes<'a>(ptr: *const u8, len: usize) -> &'a [u8] {
    if len == 0 {
        return &[];
    }
    std::slice::from_raw_parts(ptr, len)
}

/// A string lent by the caller for the time of the call. Go strings may hold any bytes, so they are checked.
///
/// # Safety
/// As for [`bytes`].
pub unsafe fn string<'a>(ptr: *const u8, len: usize) -> Result<&'a str> {
    std::str::from_utf8(bytes(ptr, len))
        .map_err(|_| Failure::new(YffiCode::UnsupportedValue, "the string is not UTF-8"))
}
