//! A fresh instance is fresh: canaries in everything that a module can hold.

use glovebox_wire::{Area, Call};

use crate::support::{Unit, call, one_row, run};

/// Reports in its row's key which canary is not as the module says, then spoils all of them. How it ends is the frame's
/// first byte: 0 well, 1 trap, 2 fuel, 3 deep recursion; a dropped segment that stayed dropped would trap.
fn canary(pages: u32) -> Vec<u8> {
    let bytes = pages << 16;
    wat::parse_str(format!(
        r#"(module
        (memory (export "memory") {pages} {pages})
        (global $g (mut i32) (i32.const 7)) (global $h (mut f64) (f64.const 0.5))
        (global $v (mut v128) (v128.const i64x2 1 2))
        (type $int (func (result i32)))
        (table $t 4096 4096 funcref)
        (elem $active (i32.const 0) func $one) (elem $passive func $one $two)
        (elem declare func $two)
        (data $d "abcdefgh") (data (i32.const 32768) "active")
        (func $one (result i32) (i32.const 1)) (func $two (result i32) (i32.const 2))
        (func $deep (result i32) (i32.add (call $deep) (i32.const 1)))
        (func $bad (param $bit i32) (param $is i32) (result i32) (select (local.get $bit) (i32.const 0) (local.get $is)))
        (func (export "gbx_map") (param $len i32) (result i32)
            (local $found i32) (local $at i32) (local $how i32)
            (local.set $how (i32.load8_u (i32.const 1024)))
            ;; globals
            (local.set $found (call $bad (i32.const 1) (i32.ne (global.get $g) (i32.const 7))))
            (local.set $found (i32.or (local.get $found) (call $bad (i32.const 2) (f64.ne (global.get $h) (f64.const 0.5)))))
            (local.set $found (i32.or (local.get $found) (call $bad (i32.const 4)
                (i64.ne (i64x2.extract_lane 1 (global.get $v)) (i64.const 2)))))
            ;; the active segment
            (local.set $found (i32.or (local.get $found) (call $bad (i32.const 8)
                (i32.ne (i32.load (i32.const 32768)) (i32.const 0x69746361)))))
            ;; every other byte of memory but the frame is zero
            (local.set $at (i32.const 0))
            (loop $l
                (if (i32.and
                        (i32.and (i32.ne (i32.and (local.get $at) (i32.const -4096)) (i32.const 0))
                                 (i32.ne (local.get $at) (i32.const 32768)))
                        (i64.ne (i64.load (local.get $at)) (i64.const 0)))
                    (then (local.set $found (i32.or (local.get $found) (i32.const 16)))))
                (local.set $at (i32.add (local.get $at) (i32.const 8)))
                (br_if $l (i32.lt_u (local.get $at) (i32.const {bytes}))))
            (if (i64.ne (i64.load (i32.const 0)) (i64.const 0)) (then (local.set $found (i32.or (local.get $found) (i32.const 32)))))
            ;; residue of a longer frame
            (if (i64.ne (i64.load (i32.const 2048)) (i64.const 0)) (then (local.set $found (i32.or (local.get $found) (i32.const 64)))))
            ;; the table, its first and its last element
            (local.set $found (i32.or (local.get $found) (call $bad (i32.const 128)
                (i32.ne (call_indirect (type $int) (i32.const 0)) (i32.const 1)))))
            (local.set $found (i32.or (local.get $found) (call $bad (i32.const 256)
                (i32.eqz (ref.is_null (table.get $t (i32.const 4095)))))))
            ;; passive segments: gone for good if dropping them outlived an instance
            (memory.init $d (i32.const 40000) (i32.const 0) (i32.const 8))
            (table.init $passive (i32.const 10) (i32.const 0) (i32.const 2))
            ;; now spoil everything
            (global.set $g (i32.const 666)) (global.set $h (f64.const nan)) (global.set $v (v128.const i64x2 9 9))
            (memory.fill (i32.const 0) (i32.const 0xaa) (i32.const {bytes}))
            (table.fill $t (i32.const 0) (ref.func $two) (i32.const 4096))
            (data.drop $d) (elem.drop $passive)
            (if (i32.eq (local.get $how) (i32.const 1)) (then unreachable))
            (if (i32.eq (local.get $how) (i32.const 2)) (then (loop $l (br $l))))
            (if (i32.eq (local.get $how) (i32.const 3)) (then (drop (call $deep))))
            (i32.store (i32.const 8192) (local.get $found))
            (f64.store (i32.const 8200) (f64.const 1))
            (i32.const 1)))"#
    ))
    .unwrap()
}

#[test]
fn nothing_of_an_instance_outlives_it_however_it_ended() {
    for pages in [1, 16] {
        let call = Call { fuel: 10_000_000, memory_bytes: pages << 16, input: Area { at: 1024, cap: 3072 }, ..call() };
        let long = [0xbb; 3072];
        let mut endings: Vec<&[u8]> = Vec::new();
        for first in 0..4_usize {
            for second in 0..4_usize {
                // Every order of endings, a long frame, and a clean look after each.
                endings.extend([&[&[0][..], &[1], &[2], &[3]][first], &[&[0][..], &[1], &[2], &[3]][second]]);
                endings.extend([&long[..], &[0]]);
            }
        }
        let units = run(&canary(pages), call, &endings);
        for (at, (unit, ending)) in units.iter().zip(&endings).enumerate() {
            let wanted = match ending[0] {
                0 => one_row(0, 1.0),
                // The long frame is this unit's own residue.
                0xbb => one_row(64, 1.0),
                _ => Unit::Default,
            };
            assert_eq!(*unit, wanted, "unit {at} of {pages} pages");
        }
    }
}

#[test]
fn the_same_frame_gives_the_same_result_wherever_it_stands() {
    // A counter in memory and in a global: it must always be at its first value.
    let module = crate::support::guest(
        "(global $n (mut i32) (i32.const 0))",
        "(global.set $n (i32.add (global.get $n) (i32.const 1)))
         (i32.store (i32.const 30000) (i32.add (i32.load (i32.const 30000)) (i32.const 1)))
         (call $row (i32.const 0) (global.get $n) (f64.convert_i32_u (i32.load (i32.const 30000))))
         (i32.const 1)",
    );
    let frames = vec![&b"x"[..]; 500];
    assert!(run(&module, call(), &frames).iter().all(|unit| *unit == one_row(1, 1.0)));
}
