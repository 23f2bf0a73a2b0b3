//! The allocator and the areas: blocks apart and aligned, growth in place, the end of memory, one borrow.
#![expect(unsafe_code, reason = "allocators are called by unsafe functions")]

use core::alloc::{GlobalAlloc as _, Layout};

use glovebox_guest_sdk::memory::{Area, Arena};

fn layout(size: usize, align: usize) -> Layout {
    Layout::from_size_align(size, align).unwrap()
}

#[test]
fn blocks_are_aligned_and_do_not_overlap() {
    static ARENA: Arena<1024> = Arena::new();
    let mut end = 0;
    for (size, align) in [(1, 1), (8, 8), (3, 1), (32, 64), (5, 2), (16, 16)] {
        // SAFETY: the layout has a size.
        let block = unsafe { ARENA.alloc(layout(size, align)) }.addr();
        assert_eq!(block % align, 0);
        assert!(block >= end, "block at {block}, the one before ends at {end}");
        end = block + size;
    }
}

#[test]
fn the_end_of_the_arena_is_null_and_not_beyond() {
    static ARENA: Arena<64> = Arena::new();
    // SAFETY: the layouts have sizes.
    unsafe {
        assert!(ARENA.alloc(layout(65, 1)).is_null());
        assert!(!ARENA.alloc(layout(64, 1)).is_null());
        assert!(ARENA.alloc(layout(1, 1)).is_null());
        assert!(ARENA.alloc(layout(1 << 40, 1 << 20)).is_null());
    }
}

#[test]
fn only_the_last_block_grows_in_place_and_is_taken_back() {
    static ARENA: Arena<256> = Arena::new();
    // SAFETY: blocks are used with the layouts with which they were made, and only until they are given back.
    unsafe {
        let first = ARENA.alloc(layout(8, 8));
        first.write_bytes(7, 8);
        assert_eq!(ARENA.realloc(first, layout(8, 8), 16), first);
        let second = ARENA.alloc(layout(8, 8));
        let moved = ARENA.realloc(first, layout(16, 8), 32);
        assert!(moved > second);
        assert_eq!(core::slice::from_raw_parts(moved, 8), [7; 8]);
        assert_eq!(ARENA.realloc(second, layout(8, 8), 4), second);
        assert!(ARENA.realloc(moved, layout(32, 8), 1024).is_null());
        ARENA.dealloc(moved, layout(32, 8));
        assert_eq!(ARENA.alloc(layout(8, 8)), moved);
    }
}

#[test]
fn an_area_is_aligned_zero_and_borrowed_once() {
    static AREA: Area<24> = Area::new();
    let bytes = AREA.take().unwrap();
    assert_eq!(bytes, [0; 24]);
    assert_eq!(bytes.as_ptr().addr() % 8, 0);
    assert_eq!(bytes.as_ptr(), AREA.start());
    assert!(AREA.take().is_none());
}
