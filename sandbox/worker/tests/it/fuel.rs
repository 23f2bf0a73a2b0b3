//! Fuel: the same for the same call, charged for every byte that moves.

use glovebox_wire::Call;
use proptest::prelude::*;

use crate::support::{Process, Unit, call, guest, one_row, run, run_traced, traced};

/// Loops as often as its frame's length says.
fn looping() -> Vec<u8> {
    guest(
        "",
        "(local $i i32)
         (block $end (loop $l
            (br_if $end (i32.ge_u (local.get $i) (local.get $len)))
            (local.set $i (i32.add (local.get $i) (i32.const 1)))
            (br $l)))
         (call $row (i32.const 0) (local.get $i) (f64.const 0))
         (i32.const 1)",
    )
}

#[test]
fn fuel_used_depends_on_the_frame_alone() {
    let frames: [&[u8]; 6] = [&[0; 100], b"", &[7; 4000], &[9; 100], &[0; 100], b""];
    let used = |module: &[u8]| -> Vec<u64> {
        run_traced(module, traced(), &frames).iter().map(|(_, trace)| trace.fuel_used).collect()
    };
    let first = used(&looping());
    // Of another engine.
    assert_eq!(first, used(&looping()));
    assert!(first[0] == first[3] && first[0] == first[4] && first[1] == first[5] && first[0] < first[2]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn a_call_ends_for_want_of_fuel_at_the_same_point_in_every_worker(len in 0_usize..4000) {
        let frame = vec![1; len];
        let module = looping();
        let outcome = |fuel| run(&module, Call { fuel, ..call() }, &[&frame]).remove(0);
        let used = run_traced(&module, traced(), &[&frame])[0].1.fuel_used;
        prop_assert_eq!(outcome(used), one_row(u32::try_from(len).unwrap(), 0.0));
        // The least fuel that is enough.
        let (mut too_little, mut enough) = (0, used);
        while enough - too_little > 1 {
            let middle = too_little + (enough - too_little) / 2;
            if outcome(middle) == Unit::Default { too_little = middle } else { enough = middle }
        }
        for _ in 0..3 {
            let mut process = Process::ready(&module, Call { fuel: enough, ..call() });
            prop_assert_eq!(process.run(&call(), &[&frame]), [one_row(u32::try_from(len).unwrap(), 0.0)]);
        }
        if too_little > 0 {
            let mut process = Process::ready(&module, Call { fuel: too_little, ..call() });
            prop_assert_eq!(process.run(&call(), &[&frame]), [Unit::Default]);
        }
    }
}

#[test]
fn bulk_operators_are_charged_for_every_byte_and_element() {
    let cases = [
        ("(memory.fill (i32.const 0) (i32.const 1) (local.get $n))", 60_000, 1),
        ("(memory.copy (i32.const 0) (i32.const 1) (local.get $n))", 60_000, 1),
        ("(memory.init $d (i32.const 0) (i32.const 0) (local.get $n))", 9_000, 1),
        ("(table.fill $t (i32.const 0) (ref.null func) (local.get $n))", 4_000, 1),
        ("(table.copy $t $t (i32.const 0) (i32.const 1) (local.get $n))", 4_000, 1),
        ("(table.init $t $e (i32.const 0) (i32.const 0) (local.get $n))", 400, 64),
    ];
    let fields = format!(
        r#"(table $t 4096 4096 funcref) (elem $e func {}) (data $d "{}")"#,
        "$row ".repeat(500),
        "x".repeat(10_000)
    );
    for (operator, n, weight) in cases {
        let module =
            |n: u32| guest(&fields, &format!("(local $n i32) (local.set $n (i32.const {n})) {operator} (i32.const 0)"));
        let used = |n| run_traced(&module(n), traced(), &[b""])[0].1.fuel_used;
        assert_eq!(used(n) - used(0), u64::from(n) * weight, "{operator}");
        // A call whose fuel is less than the bytes does not get to move them.
        let poor = Call { fuel: u64::from(n) * weight, ..call() };
        assert_eq!(run(&module(n), poor, &[b""]), [Unit::Default], "{operator}");
        assert_eq!(run(&module(0), poor, &[b""]), [Unit::Rows(vec![])], "{operator}");
    }
}

#[test]
fn no_operator_that_takes_time_is_free_and_loops_always_end() {
    // Bodies that do as much as they can per counted operator.
    let loops = [
        "(loop $l (br $l))",
        "(loop $l (loop $m (br $l)))",
        "(loop $l (block (block (br $l))))",
        "(loop $l (br_table $l $l (i32.const 0)))",
        "(loop $l (if (i32.const 1) (then (br $l)) (else (nop))))",
        "(loop $l (memory.fill (i32.const 0) (i32.const 0) (i32.const 0)) (br $l))",
        "(loop $l (drop (memory.grow (i32.const 1))) (br $l))",
        "(loop $l (drop (memory.size)) (br $l))",
        "(loop $l (call $nothing) (br $l))",
    ];
    for body in loops {
        let module = guest("(func $nothing)", &format!("{body} (i32.const 0)"));
        assert_eq!(run(&module, Call { fuel: 5_000_000, ..call() }, &[b""]), [Unit::Default], "{body}");
    }
}
