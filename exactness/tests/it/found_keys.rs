//! Keys that are found in rows: both roads find the same, and one unit changes no more of them than is declared.

use std::collections::{BTreeMap, BTreeSet};

use glovebox_exactness::neighbour::{Found, Moved, Violation, check_found};
use glovebox_privacy::{Key, KeyPart};
use glovebox_query::SelectionKey;
use proptest::prelude::*;

use crate::data::{Place, Row, Totals, cut, fold_keys, hard_rows, linf, plain_keys, rows, without};

/// Questions whose keys are found. `{t}` stands for the dataset.
pub(crate) const CORPUS: &[&str] = &[
    "SELECT note, COUNT(*) FROM {t} GROUP BY note",
    "SELECT note FROM {t} GROUP BY note",
    "SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS (max_groups_contributed = 1) note, k, SUM(x), AVG(c) FROM {t} GROUP BY note, k",
    "SELECT big, COUNT(DISTINCT person) FROM {t} WHERE x > 3 AND NOT flag GROUP BY big HAVING COUNT(*) > 2 ORDER BY big LIMIT 3",
    "SELECT at, SUM(x) FILTER (WHERE flag) FROM {t} GROUP BY at",
    "SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS (max_groups_contributed = 3, mechanism = 'laplace')
        big, note, at, g, SUM(x, contribution_bounds_per_group => (-15, 40)) FROM {t} GROUP BY big, note, at, g",
    "SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS (max_groups_contributed = 1) at, EXTRACT(HOUR FROM at) AS h, VAR_POP(x) FROM {t} GROUP BY at, h",
    "SELECT n, EXTRACT(MONTH FROM day) AS m, STDDEV(c) FROM (SELECT note AS n, day, c FROM {t} WHERE g <> 2) AS s GROUP BY n, m",
];

const BATCHES: [usize; 3] = [1, 7, 8192];

fn agree(rows: &[Row], cuts: &[(usize, usize)]) {
    let place = Place::new();
    let name = place.add(rows);
    for sql in CORPUS {
        let analysis = place.analyse(sql, &name);
        let first = fold_keys(&analysis, cut(1, 8192)).unwrap();
        assert!(first.0.is_sorted_by(|a, b| a < b), "keys are in the order of their values: {sql}");
        for (partitions, batch_rows) in cuts {
            let how = cut(*partitions, *batch_rows);
            assert_eq!(fold_keys(&analysis, how).unwrap(), first, "fold {how:?}: {sql}\n{rows:?}");
            assert_eq!(plain_keys(&analysis, how).unwrap(), first, "plain nodes {how:?}: {sql}\n{rows:?}");
        }
    }
}

#[test]
fn both_roads_find_the_same_keys_on_hard_rows() {
    let cuts: Vec<(usize, usize)> = (1..=3).zip(BATCHES).collect();
    agree(&hard_rows(), &cuts);
    agree(&[], &[(2, 8192)]);
}

/// Every question on the rows and on the rows without each of some persons.
fn compare(rows: &[Row], leavers: impl IntoIterator<Item = i64>) {
    let place = Place::new();
    let all = place.add(rows);
    for person in leavers {
        let fewer = place.add(&without(rows, person));
        for sql in CORPUS {
            let (a, b) = (place.analyse(sql, &all), place.analyse(sql, &fewer));
            let units = a.noise().threshold().unwrap().family;
            assert_eq!(a.noise().threshold(), b.noise().threshold(), "the threshold depends on rows: {sql}");
            let (with, rest) = (fold_keys(&a, cut(2, 7)).unwrap(), fold_keys(&b, cut(2, 7)).unwrap());
            let moved = check_found(found(&with), found(&rest), &linf(&a), a.max_groups(), units);
            assert!(moved.is_ok(), "{moved:?} without person {person}: {sql}\n{rows:?}");
        }
    }
}

fn found(totals: &Totals) -> Found<'_, Key> {
    Found { keys: &totals.0, cells: &totals.1 }
}

fn persons(rows: &[Row]) -> BTreeSet<i64> {
    rows.iter().map(|row| row.person).collect()
}

#[test]
fn on_hard_rows_no_unit_changes_more_than_declared() {
    let rows = hard_rows();
    let all = persons(&rows);
    compare(&rows, all.iter().copied().step_by(9).chain(all.last().copied()));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn on_generated_rows(rows in rows(7, 6), pick in any::<prop::sample::Index>(), batch in 0_usize..3) {
        agree(&rows, &[(2, BATCHES[batch])]);
        let all: Vec<i64> = persons(&rows).into_iter().collect();
        compare(&rows, (!all.is_empty()).then(|| all[pick.index(all.len())]));
    }
}

fn note(person: i64, note: &str) -> Row {
    Row { person, x: Some(50), note: Some(note.to_owned()), ..Row::default() }
}

/// A person of four keys, two of them nobody else's, with one of them twice.
fn greedy() -> Vec<Row> {
    let mut rows = vec![note(1, "a"), note(2, "a"), note(2, "b"), note(3, "b")];
    rows.extend([note(9, "a"), note(9, "own"), note(9, "own"), note(9, "other")]);
    rows
}

/// Tightness: one unit reaches what is declared, new keys too, so that anything smaller is noticed.
#[test]
fn a_declaration_that_is_one_too_small_is_noticed() {
    let place = Place::new();
    let (all, fewer) = (place.add(&greedy()), place.add(&without(&greedy(), 9)));
    let sql = "SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS (max_groups_contributed = 3) note, COUNT(*, contribution_bounds_per_group => (0, 2)) FROM {t} GROUP BY note";
    let (a, b) = (place.analyse(sql, &all), place.analyse(sql, &fewer));
    let (with, rest) = (fold_keys(&a, cut(1, 7)).unwrap(), fold_keys(&b, cut(1, 7)).unwrap());
    assert_eq!((with.0.len(), rest.0.len()), (4, 2));
    let units = a.noise().threshold().unwrap().family;
    let (limits, groups) = (linf(&a), a.max_groups());
    let verdict = |limits: &[u64], groups| check_found(found(&with), found(&rest), limits, groups, units);
    let largest = limits.iter().map(|limit| u128::from(*limit)).collect();
    assert_eq!(verdict(&limits, groups), Ok(Moved { groups: 3, largest }));
    assert_eq!(verdict(&limits, 2), Err(Violation::Groups { moved: 3, allowed: 2 }));
    for family in 0..limits.len() {
        let mut smaller = limits.clone();
        smaller[family] -= 1;
        assert!(matches!(verdict(&smaller, groups), Err(Violation::Cell { .. })));
    }
}

/// How keys and counts may be made wrongly.
#[derive(Clone, Copy)]
struct Naive {
    max_groups: usize,
    count_rows: bool,
    /// How many of all rows are looked at; which keys are kept then depends on others.
    budget: usize,
}

/// Notes and how many units have them, one family.
fn naive(rows: &[Row], how: Naive) -> Totals {
    let mut totals: BTreeMap<Key, i128> = BTreeMap::new();
    let mut left = how.budget;
    for person in persons(rows) {
        let mut own: BTreeMap<Key, i128> = BTreeMap::new();
        for row in rows.iter().filter(|row| row.person == person) {
            left = left.saturating_sub(1);
            if left > 0 {
                *own.entry(vec![row.note.clone().map_or(KeyPart::Null, KeyPart::Text)]).or_default() += 1;
            }
        }
        for (key, rows) in own.into_iter().take(how.max_groups) {
            *totals.entry(key).or_default() += if how.count_rows { rows } else { 1 };
        }
    }
    (totals.keys().cloned().collect(), vec![totals.values().copied().collect()])
}

/// The planted faults: selection skipped, rows counted for units, keys kept by what others have. Each is noticed.
#[test]
fn keys_that_are_not_bounded_by_unit_are_noticed() {
    let rows = greedy();
    let fewer = without(&rows, 9);
    let verdict = |how: Naive| check_found(found(&naive(&rows, how)), found(&naive(&fewer, how)), &[1], 2, 0);
    let honest = Naive { max_groups: 2, count_rows: false, budget: usize::MAX };
    assert_eq!(verdict(honest), Ok(Moved { groups: 2, largest: vec![1] }));
    let skipped = Naive { max_groups: usize::MAX, ..honest };
    assert_eq!(verdict(skipped), Err(Violation::Groups { moved: 3, allowed: 2 }));
    let by_rows = Naive { max_groups: 3, count_rows: true, ..honest };
    assert!(matches!(verdict(by_rows), Err(Violation::Cell { moved: 2, .. })));
    // Rows are looked at until there have been some: the first person takes a place that the last one would have had.
    let first = without(&rows, 1);
    let greedy_budget = Naive { budget: 6, ..honest };
    let moved = check_found(found(&naive(&rows, greedy_budget)), found(&naive(&first, greedy_budget)), &[1], 2, 0);
    assert!(matches!(moved, Err(Violation::Key { units: None, .. })), "{moved:?}");
}

#[test]
fn one_secret_key_keeps_the_same_keys_in_any_order_of_rows_and_another_may_keep_others() {
    let notes = ["p", "q", "r", "s"];
    let rows: Vec<Row> = (0..120).map(|i| note(i / 4, notes[i as usize % 4])).collect();
    let turned: Vec<Row> = rows.chunks(4).rev().flat_map(|own| own.iter().rev().cloned()).collect();
    let place = Place::new();
    let sql =
        "SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS (max_groups_contributed = 1) note, COUNT(*) FROM {t} GROUP BY note";
    let cells = |rows: &[Row], key: [u8; 16]| {
        use glovebox_vault::Expose as _;
        let analysis = place.analyse(sql, &place.add(rows));
        crate::data::block(analysis.exact_totals(&SelectionKey::new(key), cut(2, 7))).unwrap().expose()
    };
    let first = cells(&rows, [1; 16]);
    assert_eq!(first, cells(&turned, [1; 16]));
    assert!(first.1.iter().all(|family| family.iter().sum::<i128>() == 30), "each person is counted once");
    assert!((2..10).any(|k| cells(&rows, [k; 16]) != first));
}

/// A text of 128 bytes is a key, one of 129 is none, and NULL is a key of its own.
#[test]
fn long_texts_and_nothing_share_the_key_without_a_value() {
    let rows = vec![
        note(1, &"x".repeat(128)),
        note(2, &"x".repeat(129)),
        note(3, &"x".repeat(100_000)),
        Row { person: 4, ..Row::default() },
        note(5, ""),
    ];
    let place = Place::new();
    let analysis = place.analyse("SELECT note FROM {t} GROUP BY note", &place.add(&rows));
    let (keys, cells) = fold_keys(&analysis, cut(1, 8192)).unwrap();
    let text = |text: &str| vec![KeyPart::Text(text.to_owned())];
    assert_eq!(keys, [vec![KeyPart::Null], text(""), text(&"x".repeat(128))]);
    assert_eq!(cells, [vec![3, 1, 1]]);
    assert_eq!(plain_keys(&analysis, cut(1, 8192)).unwrap(), (keys, cells));
}
