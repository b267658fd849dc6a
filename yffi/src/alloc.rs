//! The counting allocator: what each call allocates and frees is charged to its document.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// Counts net bytes per thread, so that counting costs an addition and no shared cache line.
struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

thread_local! {
    static NET: Cell<i64> = const { Cell::new(0) };
}

/// Net bytes that the current thread has allocated since it started. Only differences mean something.
pub fn net() -> i64 {
    NET.with(Cell::get)
}

/// Corrects the current thread's count by `bytes`: memory that changes owner is not charged to the
/// call that happens to allocate or free it.
pub fn adjust(bytes: i64) {
    NET.with(|net| net.set(net.get() + bytes));
}

// SAFETY: every method forwards to `System` unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        adjust(layout.size() as i64);
        System.alloc(layout)
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        adjust(layout.size() as i64);
        System.alloc_zeroed(layout)
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        adjust(-(layout.size() as i64));
        System.dealloc(ptr, layout)
    }

    unsafe fn realloc(&self, ptr: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        adjust(new_size as i64 - layout.size() as i64);
        System.realloc(ptr, layout, new_size)
    }
}
