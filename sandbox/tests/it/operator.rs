//! Exact cells by hand, and the same cells however rows, units and work are cut up.

use std::path::Path;

use futures::stream::{self, StreamExt as _};
use glovebox_sandbox::{MapSpec, SandboxFault, ValueSpec};

use crate::stand_in::Script;
use crate::support::{
    self, Cut, ECHO, Item, PLAIN, Unit, expected, items, module, run, run_streams, streams, unit, worker, workers,
};

/// Keys 0 to 9 (the last is the default's), at most 2 per unit, values within -5..=20.
fn spec() -> MapSpec {
    support::spec(10, 2, 8, -5, 20)
}

/// With a worker of this workspace, and with the stand-in.
fn with_both(test: impl Fn(&Path)) {
    test(worker());
    test(&Script::stand_in("plain").path());
}

/// Units of 1 to 7 rows with keys and values all over the place: sums beyond the ranges, more keys than may be kept, and
/// now and then what no guest may emit.
pub(crate) fn many(count: u64) -> Vec<Unit> {
    let mut state = 7_u64;
    let mut next = |below: u64| {
        // SplitMix64.
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed >> 33) % below
    };
    let unit_of = |number| {
        let rows = (0..=next(7)).map(|_| {
            let odd = [f64::NAN, f64::INFINITY, 1e300, -1e300, 0.5, -0.5];
            let value = match next(12) {
                0 => odd[next(6) as usize],
                _ => next(40) as f64 - 15.0,
            };
            (if next(30) == 0 { 10 } else { next(10) as i64 }, value)
        });
        Unit { rows: rows.collect(), ..unit(number, &[]) }
    };
    (0..count).map(unit_of).collect()
}

#[test]
fn cells_by_hand() {
    let units = [
        unit(1, &[(0, 3.0), (0, 4.0), (1, -9.0)]),
        unit(2, &[(0, 100.0)]),
        unit(3, &[(1, f64::NAN), (0, 1.0)]),
        unit(4, &[(10, 1.0)]),
        unit(5, &[(3, 1.0); 9]),
        unit(6, &[(2, 0.5), (2, -0.5), (3, 1.5)]),
    ];
    // Units 3, 4 and 5 are the default row: a NaN, a key that is none, more rows than 8. Unit 6: 1 - 1 = 0, and 2.
    let values = vec![7 + 20, -5, 0, 2, 0, 0, 0, 0, 0, 3 * 20];
    let counts = vec![2, 1, 1, 1, 0, 0, 0, 0, 0, 3];
    with_both(|executable| {
        let cells = run(executable, &module(ECHO), &spec(), &units, PLAIN).unwrap();
        assert_eq!(cells, [values.clone(), counts.clone()]);
        let mut uncounted = spec();
        uncounted.count_units = false;
        let cells = run(executable, &module(ECHO), &uncounted, &units, PLAIN).unwrap();
        assert_eq!(cells, std::slice::from_ref(&values));
    });
}

#[test]
fn no_cut_changes_a_cell() {
    let units = many(60);
    let expected = expected(&spec(), &units, &[]);
    assert!(expected[1].iter().all(|count| *count > 0));
    with_both(|executable| {
        for (workers, batch_units) in [(1, 1), (1, 7), (1, 256), (2, 1), (2, 7), (2, 256)] {
            for (streams, batch_rows) in [(1, 1), (1, 1_000), (2, 3), (3, 16)] {
                let cut = Cut { streams, batch_rows, workers, batch_units };
                assert_eq!(run(executable, &module(ECHO), &spec(), &units, cut).as_ref(), Ok(&expected), "{cut:?}");
            }
        }
    });
}

#[test]
fn the_order_of_streams_changes_nothing() {
    let units = many(30);
    let cut = Cut { streams: 3, ..PLAIN };
    let script = Script::stand_in("plain");
    let mut turned = items(&units, cut);
    turned.reverse();
    let cells = run_streams(&module(ECHO), &spec(), streams(turned), &workers(&script.path(), cut));
    assert_eq!(cells, Ok(expected(&spec(), &units, &[])));
}

#[test]
fn nobody_makes_empty_cells() {
    with_both(|executable| {
        let none = run(executable, &module(ECHO), &spec(), &[], PLAIN);
        assert_eq!(none, Ok(vec![vec![0; 10]; 2]));
        let mut empty = items(&[unit(1, &[(0, 1.0)])], PLAIN);
        empty[0][0] = (empty[0][0].0.slice(0, 0), Vec::new());
        assert_eq!(run_streams(&module(ECHO), &spec(), streams(empty), &workers(executable, PLAIN)), none);
    });
}

#[test]
fn a_guest_that_never_ends_or_traps_is_the_default_row() {
    let bodies =
        ["(loop $l (br $l)) i32.const 0", "unreachable", "i32.const -1", "i32.const 9", "(i32.load (i32.const -1))"];
    let units = many(5);
    for body in bodies {
        let head = ECHO.split_once("(func (export \"gbx_map\")").unwrap().0;
        let guest = module(&format!("{head} (func (export \"gbx_map\") (param i32) (result i32) {body}))"));
        let cells = run(worker(), &guest, &spec(), &units, PLAIN).unwrap();
        let failed: Vec<_> = units.iter().map(|unit| unit.id).collect();
        assert_eq!(cells, expected(&spec(), &units, &failed), "{body}");
    }
}

#[test]
fn rows_that_are_not_whole_units_in_order_end_the_job() {
    let script = Script::stand_in("plain");
    let faults =
        |all: Vec<Vec<Item>>| run_streams(&module(ECHO), &spec(), streams(all), &workers(&script.path(), PLAIN)).err();
    let two = [unit(1, &[(0, 1.0), (1, 1.0)]), unit(2, &[(0, 1.0)])];
    let good = || items(&two, PLAIN).remove(0).remove(0);
    let with_runs = |runs: Vec<(std::ops::Range<usize>, bool)>| faults(vec![vec![(good().0, runs)]]);
    assert_eq!(with_runs(vec![(0..2, false), (2..3, false)]), None);
    let units = Some(SandboxFault::Units);
    assert_eq!(with_runs(vec![(0..2, true), (2..3, false)]), units, "goes on with nobody");
    assert_eq!(with_runs(vec![(0..2, false), (2..3, true)]), units, "goes on in the middle");
    assert_eq!(with_runs(vec![(0..1, false), (1..3, false)]), units, "a unit split, another one mixed");
    assert_eq!(with_runs(vec![(0..1, false), (1..2, false), (2..3, false)]), units, "a unit split");
    assert_eq!(with_runs(vec![(0..3, false)]), units, "two units in one run");
    assert_eq!(with_runs(vec![(0..2, false)]), units, "a row left out");
    assert_eq!(with_runs(vec![(1..2, false), (2..3, false)]), units, "the first row left out");
    assert_eq!(with_runs(vec![(0..2, false), (2..4, false)]), units, "beyond the end");
    assert_eq!(with_runs(vec![]), units, "all left out");
    // The same unit again: in the same stream later, in another stream, in between, or as one that does not go on.
    let again = |units: &[Unit]| items(units, PLAIN).remove(0).remove(0);
    assert_eq!(faults(vec![vec![again(&two[1..]), again(&two[..1])]]), units, "out of order");
    assert_eq!(faults(vec![vec![again(&two[..1]), again(&two[..1])]]), units, "the unit begins twice");
    assert_eq!(faults(vec![vec![again(&two)], vec![again(&two[1..])]]), units, "in two streams");
    let wide = [unit(0, &[(0, 1.0)]), unit(9, &[(0, 1.0)])];
    assert_eq!(faults(vec![vec![again(&wide)], vec![again(&two)]]), units, "streams interleave");
    let mut other = again(&two[1..]);
    other.1[0].1 = true;
    assert_eq!(faults(vec![vec![again(&two[..1]), other]]), units, "another unit goes on");
}

#[test]
fn what_a_reader_says_is_not_repeated() {
    let script = Script::stand_in("plain");
    let good = items(&many(3), PLAIN).remove(0);
    let failing = good.into_iter().map(Ok).chain([Err("row 17 of Alice".to_owned())]);
    let fault =
        run_streams(&module(ECHO), &spec(), vec![stream::iter(failing).boxed()], &workers(&script.path(), PLAIN));
    assert_eq!(fault, Err(SandboxFault::Rows));
    assert_eq!(SandboxFault::Rows.to_string(), "the rows cannot be read");
}

#[test]
fn faults_hold_no_numbers() {
    use SandboxFault as F;
    let all = [
        F::Spec,
        F::Spawn,
        F::Refused,
        F::NotReady,
        F::Crashes,
        F::Watchdog,
        F::Rows,
        F::Columns,
        F::Units,
        F::Stopped,
    ];
    for fault in all {
        assert!(!fault.to_string().contains(|c: char| c.is_ascii_digit()), "{fault}");
    }
}

#[test]
fn a_job_that_does_not_fit_its_module_is_not_run() {
    let script = Script::stand_in("plain");
    let bad: [fn(&mut MapSpec); 4] = [
        |spec| spec.max_rows = 129,
        |spec| spec.max_keys = 0,
        |spec| spec.default.key = 10,
        |spec| spec.values.push(ValueSpec { low: 0, high: 1, step: 0.0 }),
    ];
    for change in bad {
        let mut spec = spec();
        change(&mut spec);
        assert_eq!(run(&script.path(), &module(ECHO), &spec, &many(1), PLAIN), Err(SandboxFault::Spec));
    }
    assert!(script.pids().is_empty());
}
