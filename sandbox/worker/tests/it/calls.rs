//! One call: what counts as rows and what as the default.

use glovebox_wire::results::begin_results;
use glovebox_wire::{Area, Call};

use crate::support::{
    Unit, batch_message, call, echo, guest, one_row, run, run_traced, serve_bytes, start_message, traced,
};

#[test]
fn the_frame_arrives_and_the_rows_come_back() {
    let frames: [&[u8]; 3] = [b"Abc", b"", &[9; 4096]];
    let wanted = [one_row(3, 65.0), one_row(0, 0.0), one_row(4096, 9.0)];
    assert_eq!(run(&echo(), call(), &frames), wanted);
    assert_eq!(run(&echo(), call(), &[]), []);
}

#[test]
fn any_number_of_rows_up_to_the_declared_one_is_taken_and_the_rest_is_padding() {
    let module = guest(
        "",
        "(call $row (i32.const 0) (i32.const 5) (f64.const 0.5))
         (call $row (i32.const 1) (i32.const 6) (f64.const nan))
         (call $row (i32.const 2) (i32.const 7) (f64.const 7))
         (i32.load (i32.const 1024))",
    );
    let count = |rows: i32| rows.to_le_bytes();
    let frames = [count(0), count(1), count(2), count(3), count(-1), count(i32::MIN), count(i32::MAX)];
    let frames: Vec<&[u8]> = frames.iter().map(<[u8; 4]>::as_slice).collect();
    let (bodies, ended) = serve_bytes(&[start_message(&module, call()), batch_message(&call(), &frames)].concat());
    ended.unwrap();
    // What the guest wrote beyond the rows it counted never crosses: slots are padded with zeros.
    let row = |key: u32, value: f64| [&key.to_le_bytes()[..], &[0; 4], &value.to_le_bytes()].concat();
    let head = |outcome: u8, rows: u8| vec![outcome, 0, 0, 0, rows, 0, 0, 0];
    let defaulted = [head(1, 0), vec![0; 32]].concat();
    let slots = [
        [head(0, 0), vec![0; 32]].concat(),
        [head(0, 1), row(5, 0.5), vec![0; 16]].concat(),
        [head(0, 2), row(5, 0.5), row(6, f64::NAN)].concat(),
        [&defaulted[..]; 4].concat(),
    ];
    let mut wanted = Vec::new();
    begin_results(&mut wanted, call().slot(), 7).unwrap().copy_from_slice(&slots.concat());
    assert_eq!(bodies[1], wanted[4..]);
}

/// Ways to fail, all with the same bytes as outcome.
#[test]
fn whatever_goes_wrong_in_a_guest_is_the_default_and_the_next_unit_is_untouched() {
    let bad = [
        ("unreachable", "unreachable"),
        ("out of bounds", "(i32.load (i32.const 65533))"),
        ("far out of bounds", "(i32.load offset=4294967295 (i32.const -1))"),
        ("division by zero", "(i32.div_s (i32.const 1) (i32.const 0))"),
        ("overflow", "(i32.div_s (i32.const 0x80000000) (i32.const -1))"),
        ("conversion", "(i32.trunc_f64_s (f64.const nan))"),
        ("deep recursion", "(call $map (local.get $len))"),
        ("deep mutual recursion", "(call $ping (i64.const 1))"),
        ("endless loop", "(loop $l (br $l)) (i32.const 1)"),
        ("endless growth", "(loop $l (br_if $l (memory.grow (i32.const 1)))) (i32.const 1)"),
        ("null function", "(call_indirect (type $none) (i32.const 1)) (i32.const 1)"),
        ("wrong function", "(call_indirect (type $none) (i32.const 0)) (i32.const 1)"),
        ("no such function", "(call_indirect (type $none) (i32.const 2)) (i32.const 1)"),
        ("bulk out of bounds", "(memory.fill (i32.const 65535) (i32.const 0) (i32.const 2)) (i32.const 1)"),
        ("dropped segment", "(data.drop $d) (memory.init $d (i32.const 0) (i32.const 0) (i32.const 1)) (i32.const 1)"),
        ("default by choice", "(i32.const -7)"),
        ("too many rows", "(i32.const 3)"),
    ];
    let fields = r#"(type $none (func)) (table 2 2 funcref) (elem (i32.const 0) $row) (data $d "x")
        (func $ping (param $i i64) (result i32) (call $pong (i64.add (local.get $i) (i64.const 1))))
        (func $pong (param $i i64) (result i32) (i32.add (call $ping (local.get $i)) (i32.wrap_i64 (local.get $i))))"#;
    for (name, bad) in bad {
        let body = format!(
            "(if (result i32) (i32.load8_u (i32.const 1024))
               (then (call $row (i32.const 0) (i32.const 1) (f64.const 1)) {bad})
               (else (call $row (i32.const 0) (local.get $len) (f64.const 4)) (i32.const 1)))"
        );
        let outcome = run(&guest(fields, &body), call(), &[&[0; 9], &[1; 9], &[0; 9], &[1; 9], &[1; 9], &[0; 9]]);
        let (good, default) = (one_row(9, 4.0), Unit::Default);
        assert_eq!(outcome, [&good, &default, &good, &default, &default, &good].map(Clone::clone), "{name}");
    }
}

#[test]
fn memory_and_table_do_not_grow() {
    let module = guest(
        "(table $t 1 1 funcref)",
        "(call $row (i32.const 0) (memory.grow (i32.const 1)) (f64.convert_i32_s (memory.size)))
         (call $row (i32.const 1) (table.grow $t (ref.null func) (i32.const 1)) (f64.convert_i32_s (table.size $t)))
         (i32.const 2)",
    );
    let wanted = Unit::Rows(vec![(u32::MAX, vec![1.0]), (u32::MAX, vec![1.0])]);
    assert_eq!(run(&module, call(), &[b""]), [wanted]);
}

#[test]
fn sixteen_pages_and_the_largest_table_can_be_used_to_the_end() {
    let text = r#"(module (memory (export "memory") 16 16) (table $t 4096 4096 funcref)
        (func (export "gbx_map") (param i32) (result i32)
            (i32.store8 (i32.const 1048575) (i32.const 1))
            (table.set $t (i32.const 4095) (ref.null func))
            (i32.store (i32.const 524288) (i32.load8_u (i32.const 524279)))
            (i32.const 1)))"#;
    let half = 1 << 19;
    let call = Call {
        memory_bytes: 1 << 20,
        input: Area { at: 8, cap: half - 16 },
        output: Area { at: half, cap: half },
        ..call()
    };
    let frame = vec![0xab; half as usize - 16];
    assert_eq!(run(&wat::parse_str(text).unwrap(), call, &[&frame]), [one_row(0xab, 0.0)]);
}

#[test]
fn a_local_run_shows_fuel_trap_and_log() {
    let module = guest(
        r#"(data (i32.const 20000) "hello\n")"#,
        "(memory.copy (i32.const 16384) (i32.const 20000) (i32.const 6))
         (if (i32.eq (local.get $len) (i32.const 1)) (then unreachable))
         (if (i32.eq (local.get $len) (i32.const 2)) (then (loop $l (br $l))))
         (if (i32.eq (local.get $len) (i32.const 3)) (then (return (i32.const -1))))
         (if (i32.eq (local.get $len) (i32.const 4)) (then (return (i32.const 9))))
         (call $row (i32.const 0) (i32.const 1) (f64.const 2))
         (i32.const 1)",
    );
    let units = run_traced(&module, traced(), &[b"", b"1", b"22", b"333", b"4444"]);
    assert_eq!(units[0].0, one_row(1, 2.0));
    assert!(units[1..].iter().all(|(unit, _)| *unit == Unit::Default));
    assert!(units.iter().all(|(_, trace)| trace.log == b"hello\n"));
    let texts = ["", "unreachable", "all fuel consumed", "`-1`", "over the declared `2`"];
    for ((_, trace), text) in units.iter().zip(texts) {
        assert!(trace.trap.contains(text), "{trace:?}");
        assert_eq!(trace.trap.is_empty(), text.is_empty(), "{trace:?}");
    }
    assert_eq!(units[2].1.fuel_used, traced().fuel);
    assert!(units[0].1.fuel_used > 38 && units[0].1.fuel_used < 200, "{:?}", units[0].1);
    // Without a log area there is no log.
    let units = run_traced(&module, Call { log: None, ..traced() }, &[b""]);
    assert!(units[0].1.log.is_empty());
}
