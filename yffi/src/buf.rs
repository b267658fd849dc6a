//! Bytes that change owner: Rust makes them, Go copies them and gives them back to [`yffi_buf_free`].

use crate::alloc;

/// Owned bytes handed to the caller, who must pass them to `yffi_buf_free` exactly once.
/// Address 0 means "no bytes" and needs no freeing.
#[repr(C)]
pub struct YffiBuf {
    /// Where the bytes are. A number and not a pointer, because cgo looks through every struct with pointers that it
    /// passes, on every call.
    pub address: usize,
    pub len: usize,
    pub cap: usize,
}

impl YffiBuf {
    pub const fn empty() -> Self {
        YffiBuf {
            address: 0,
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
            address: bytes.as_mut_ptr() as usize,
            len: bytes.len(),
            cap: bytes.capacity(),
        }
    }
}

/// Frees bytes that another function handed out. Address 0 is ignored.
///
/// # Safety
/// `buf` came from this library and was not freed before.
#[no_mangle]
pub unsafe extern "C" fn yffi_buf_free(buf: YffiBuf) {
    if buf.address == 0 {
        return;
    }
    alloc::adjust(buf.cap as i64);
    drop(Vec::from_raw_parts(
        buf.address as *mut u8,
        buf.len,
        buf.cap,
    ));
}
