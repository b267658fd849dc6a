//! Bytes that change owner: Rust makes them, Go copies them and gives them back to [`yffi_buf_free`].

use crate::alloc;

/// Owned bytes handed to the caller, who must pass them to `yffi_buf_free` exactly once.
/// A null `ptr` means "no bytes" and needs no freeing.
#[repr(C)]
pub struct YffiBuf {
    pub ptr: *mut u8,
    pub len: usize,
    pub cap: usize,
}

impl YffiBuf {
    pub const fn empty() -> Self {
        YffiBuf {
            ptr: std::ptr::null_mut(),
            len: 0,
            cap: 0,
        }
    }
}

impl From<Vec<u8>> for YffiBuf {
    fn from(bytes: Vec<u8>) -> Self {
        if bytes.capacity() == 0 {
            return YffiBuf::empty();
        }
        let mut bytes = std::mem::ManuallyDrop::new(bytes);
        // The bytes now belong to the caller, not to the document that this call is charged to.
        alloc::adjust(-(bytes.capacity() as i64));
        YffiBuf {
            ptr: bytes.as_mut_ptr(),
            len: bytes.len(),
            cap: bytes.capacity(),
        }
    }
}

/// Frees bytes that another function handed out. A null `ptr` is ignored.
///
/// # Safety
/// `buf` came from this library and was not freed before.
#[no_mangle]
pub unsafe extern "C" fn yffi_buf_free(buf: YffiBuf) {
    if buf.ptr.is_null() {
        return;
    }
    alloc::adjust(buf.cap as i64);
    drop(Vec::from_raw_parts(buf.ptr, buf.len, buf.cap));
}
