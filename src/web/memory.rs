//! How much memory the browser refused.
//!
//! Rust ends a program whose allocation failed, which a worker sees as a trap without a reason. The
//! allocator is the standard one, and notes the size of what it could not give; the instance is
//! dead then, but a number can still be read from it.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

use wasm_bindgen::prelude::wasm_bindgen;

/// Size of the last allocation that failed; 0 if none did.
static REFUSED_BYTES: AtomicUsize = AtomicUsize::new(0);

#[global_allocator]
static ALLOCATOR: Watched = Watched;

struct Watched;

// SAFETY: every call goes to the system's allocator, and its answer is returned as it is.
unsafe impl GlobalAlloc for Watched {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promises are those that `System` needs.
        noted(unsafe { System.alloc(layout) }, layout.size())
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above.
        noted(unsafe { System.alloc_zeroed(layout) }, layout.size())
    }

    unsafe fn realloc(&self, place: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: as above.
        noted(unsafe { System.realloc(place, layout, size) }, size)
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(place, layout) }
    }
}

fn noted(place: *mut u8, size: usize) -> *mut u8 {
    if place.is_null() {
        REFUSED_BYTES.store(size, Ordering::Relaxed);
    }
    place
}

/// Size of the last allocation that the browser refused; 0 if it never did.
#[wasm_bindgen]
pub fn refused_bytes() -> f64 {
    REFUSED_BYTES.load(Ordering::Relaxed) as f64
}
