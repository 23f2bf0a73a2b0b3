//! The fixed memory of a module: its input and output areas, and the allocator.
//!
//! Memory of a job cannot grow, and a module answers one call in its life, so an allocator that never takes memory back is
//! enough, and so is an area that can be borrowed once. Both are sound for any number of threads as well, since the same
//! code is compiled for tests on the machine one works on.
#![expect(unsafe_code, reason = "an allocator and the memory that the host writes into are beyond safe Rust")]

use core::alloc::{GlobalAlloc, Layout};
use core::cell::UnsafeCell;
use core::ptr::null_mut;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// `N` bytes at an address that is a multiple of 8, which the host writes into before the call or reads after it.
#[repr(C, align(8))]
pub struct Area<const N: usize> {
    bytes: UnsafeCell<[u8; N]>,
    taken: AtomicBool,
}

// SAFETY: the bytes are reached only through the one borrow that `take` hands out.
unsafe impl<const N: usize> Sync for Area<N> {}

impl<const N: usize> Area<N> {
    /// An area of zeros.
    #[expect(clippy::new_without_default, reason = "areas are statics, and Default is not const")]
    #[must_use]
    pub const fn new() -> Self {
        Self { bytes: UnsafeCell::new([0; N]), taken: AtomicBool::new(false) }
    }

    /// Where the bytes are.
    #[must_use]
    pub const fn start(&self) -> *const u8 {
        self.bytes.get().cast_const().cast()
    }

    /// The bytes, to the first who asks; `None` ever after.
    #[expect(clippy::mut_from_ref, reason = "the flag makes it the only borrow")]
    pub fn take(&'static self) -> Option<&'static mut [u8]> {
        if self.taken.swap(true, Ordering::Acquire) {
            return None;
        }
        // SAFETY: the flag was false and is now true for good, so this is the only borrow there will ever be; the host
        // touches the memory only while the module does not run.
        Some(unsafe { &mut *self.bytes.get() })
    }
}

/// A global allocator over `N` bytes of its own.
///
/// It hands out memory from front to back and takes back only what lies last, so that a growing `Vec` grows in place.
#[repr(C, align(16))]
pub struct Arena<const N: usize> {
    bytes: UnsafeCell<[u8; N]>,
    used: AtomicUsize,
}

// SAFETY: the bytes are reached only through pointers that `alloc` returned, and the atomic `used` keeps those apart.
unsafe impl<const N: usize> Sync for Arena<N> {}

impl<const N: usize> Arena<N> {
    /// An arena of which nothing is used.
    #[expect(clippy::new_without_default, reason = "arenas are statics, and Default is not const")]
    #[must_use]
    pub const fn new() -> Self {
        Self { bytes: UnsafeCell::new([0; N]), used: AtomicUsize::new(0) }
    }

    fn start(&self) -> *mut u8 {
        self.bytes.get().cast()
    }

    /// How far from the arena's start an address is. Wraps instead of panicking, which an allocator must not do.
    fn offset(&self, address: usize) -> usize {
        address.wrapping_sub(self.start().addr())
    }

    /// Moves the end of the block `[block, block + size)`, if it is the last one, to `block + new`. Says whether it did.
    fn resize_last(&self, block: *mut u8, size: usize, new: usize) -> bool {
        let first = self.offset(block.addr());
        let (Some(end), Some(new_end)) = (first.checked_add(size), first.checked_add(new)) else {
            return false;
        };
        new_end <= N && self.used.compare_exchange(end, new_end, Ordering::AcqRel, Ordering::Relaxed).is_ok()
    }
}

// SAFETY: a block lies inside the arena, begins at a multiple of its alignment, and is disjoint from every block in use:
// `used` only moves by compare-and-exchange, over memory that no block in use covers. Nothing here panics or allocates.
unsafe impl<const N: usize> GlobalAlloc for Arena<N> {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let start = self.start();
        let place = |used: usize| {
            let first = self.offset(start.addr().checked_add(used)?.checked_next_multiple_of(layout.align())?);
            let end = first.checked_add(layout.size()).filter(|end| *end <= N)?;
            Some((first, end))
        };
        let moved = self.used.fetch_update(Ordering::AcqRel, Ordering::Acquire, |used| Some(place(used)?.1));
        match moved.ok().and_then(place) {
            // SAFETY: first <= end <= N.
            Some((first, _)) => unsafe { start.add(first) },
            None => null_mut(),
        }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        self.resize_last(block, layout.size(), 0);
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        if self.resize_last(block, layout.size(), new_size) || new_size <= layout.size() {
            return block;
        }
        // SAFETY: the caller vouches that `new_size`, rounded up to the alignment, does not exceed isize::MAX.
        let new = unsafe { self.alloc(Layout::from_size_align_unchecked(new_size, layout.align())) };
        if !new.is_null() {
            // SAFETY: both blocks are at least `layout.size()` long, and two blocks in use do not overlap.
            unsafe { new.copy_from_nonoverlapping(block, layout.size()) };
        }
        new
    }
}
