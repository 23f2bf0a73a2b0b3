//! One unit more or less: what it moves, exactly, with guests that want to move more.

use glovebox_sandbox::MapSpec;

use crate::operator::many;
use crate::stand_in::{Script, TRIGGER};
use crate::support::{self, Cut, ECHO, PLAIN, Unit, differences, expected, module, run, unit, worker};

/// The most that one unit moves a family of cells, against what the job promises: keys, each of them, Δ₁ and Δ₂ (squared).
fn assert_bounded(spec: &MapSpec, with: &[Vec<i128>], without: &[Vec<i128>], what: &str) {
    let keys = i128::from(spec.max_keys);
    let (mut l1, mut l2_squared, mut norm1, mut norm2_squared) = (0, 0, 0, 0);
    for (changed, linf) in differences(with, without).iter().zip(spec.linf()) {
        let linf = i128::from(linf);
        assert!(changed.len() <= spec.max_keys as usize, "{what}: {changed:?}");
        assert!(changed.values().all(|by| by.abs() <= linf), "{what}: {changed:?}");
        l1 += changed.values().map(|by| by.abs()).sum::<i128>();
        l2_squared += changed.values().map(|by| by * by).sum::<i128>();
        norm1 += linf;
        norm2_squared += linf * linf;
    }
    assert!(l1 <= keys * norm1 && l2_squared <= keys * norm2_squared, "{what}");
    // All families together move under the same keys.
    let mut moved: Vec<_> = differences(with, without).into_iter().flatten().map(|(key, _)| key).collect();
    moved.sort_unstable();
    moved.dedup();
    assert!(moved.len() <= spec.max_keys as usize, "{what}");
}

/// A unit that wants to be under every key, with the largest values there are.
fn greedy(number: u64, keys: i64) -> Unit {
    let values = [f64::MAX, f64::MIN, 1e18, -1e18, 3.0];
    let rows = (0..keys).map(|key| (key, values[(key as usize + number as usize) % values.len()]));
    unit(number, &rows.collect::<Vec<_>>())
}

fn adversaries() -> Vec<Unit> {
    let mut units = many(24);
    units.extend((24..32).map(|number| greedy(number, 8)));
    units.extend([
        unit(40, &[(0, f64::NAN)]),
        unit(41, &[(i64::MAX, 1.0)]),
        unit(42, &[(1, 1.0); 9]),
        unit(43, &[(7, -1e9)]),
    ]);
    units
}

#[test]
fn one_unit_moves_no_more_than_it_may() {
    let units = adversaries();
    let cut = Cut { streams: 2, batch_rows: 11, workers: 2, batch_units: 7 };
    for (max_keys, low, high) in [(1, -5, 20), (2, -20, 5), (3, 2, 9), (8, -1 << 53, 1 << 53)] {
        let spec = support::spec(10, max_keys, 8, low, high);
        let all = run(worker(), &module(ECHO), &spec, &units, cut).unwrap();
        assert_eq!(all, expected(&spec, &units, &[]));
        for left_out in (0..units.len()).step_by(3).chain(24..units.len()) {
            let mut others = units.clone();
            let gone = others.remove(left_out);
            let without = run(worker(), &module(ECHO), &spec, &others, PLAIN).unwrap();
            assert_bounded(&spec, &all, &without, &format!("{gone:?}"));
        }
    }
}

#[test]
fn the_bound_is_reached() {
    // A unit that uses all that it may: 3 keys, each by the whole range.
    let spec = support::spec(10, 3, 8, -7, 4);
    let units = [unit(1, &[(0, 1.0)]), unit(2, &[(3, -99.0), (4, -99.0), (5, -99.0), (6, -99.0)])];
    let all = run(worker(), &module(ECHO), &spec, &units, PLAIN).unwrap();
    let without = run(worker(), &module(ECHO), &spec, &units[..1], PLAIN).unwrap();
    let changed = differences(&all, &without);
    assert_eq!(changed[0].values().copied().collect::<Vec<_>>(), [-7; 3]);
    assert_eq!(changed[1].values().copied().collect::<Vec<_>>(), [1; 3]);
}

#[test]
fn a_unit_that_kills_workers_moves_no_more_than_another() {
    let spec = support::spec(5_000, 2, 8, -5, 20);
    let mut units = many(20);
    units[9].rows = vec![(TRIGGER, 20.0), (0, 1.0), (1, 1.0)];
    let mut others = units.clone();
    others.remove(9);
    for mode in ["die", "garbage"] {
        for cut in [PLAIN, Cut { batch_units: 3, workers: 2, ..PLAIN }] {
            let script = Script::stand_in(mode);
            let all = run(&script.path(), &module(ECHO), &spec, &units, cut).unwrap();
            let without = run(&script.path(), &module(ECHO), &spec, &others, cut).unwrap();
            assert_bounded(&spec, &all, &without, mode);
            // Exactly the default row.
            let changed = differences(&all, &without);
            assert_eq!(changed[0].iter().collect::<Vec<_>>(), [(&4_999, &20)]);
            assert_eq!(changed[1].iter().collect::<Vec<_>>(), [(&4_999, &1)]);
        }
    }
}
