//! Removing one unit moves exact cells by no more than is declared, and the check would notice if it did.

use std::collections::BTreeSet;

use glovebox_exactness::neighbour::{Moved, Violation, check};
use proptest::prelude::*;

use crate::corpus::CORPUS;
use crate::data::{Cells, Place, Row, cut, folded, hard_rows, linf, rows, without};
use crate::reference::{Naive, naive};

/// Every question of the corpus on the rows and on the rows without each of some persons. The largest movement of each
/// question, as a part of what is declared.
fn compare(rows: &[Row], leavers: impl IntoIterator<Item = i64>) {
    let place = Place::new();
    let all = place.add_with_others(rows);
    let before: Vec<_> = CORPUS
        .iter()
        .map(|sql| {
            let analysis = place.analyse(sql, &all);
            let cells = folded(&analysis, sql, cut(2, 8192));
            (sql, analysis, cells)
        })
        .collect();
    for person in leavers {
        let fewer = place.add_with_others(&without(rows, person));
        for (sql, analysis, cells) in &before {
            let other = place.analyse(sql, &fewer);
            assert_eq!(linf(analysis), linf(&other), "what is declared depends on rows: {sql}");
            let rest = folded(&other, sql, cut(2, 8192));
            let moved = check(cells, &rest, &linf(analysis), analysis.max_groups());
            assert!(moved.is_ok(), "{moved:?} without person {person}: {sql}\n{rows:?}");
        }
    }
}

fn persons(rows: &[Row]) -> BTreeSet<i64> {
    rows.iter().map(|row| row.person).collect()
}

#[test]
fn on_hard_rows_no_unit_moves_cells_further_than_declared() {
    let rows = hard_rows();
    let all = persons(&rows);
    // Units of one row, of the declared most, and beyond it.
    compare(&rows, all.iter().copied().step_by(9).chain(all.last().copied()));
}

#[test]
fn one_unit_alone_and_nobody() {
    let rows: Vec<Row> = hard_rows().into_iter().map(|row| Row { person: 1, ..row }).collect();
    compare(&rows[..6], [1]);
    compare(&[], [1]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn on_generated_rows_no_unit_moves_cells_further_than_declared(rows in rows(7, MOST), pick in any::<prop::sample::Index>()) {
        let all: Vec<i64> = persons(&rows).into_iter().collect();
        compare(&rows, (!all.is_empty()).then(|| all[pick.index(all.len())]));
    }
}

/// Some persons have more rows than ingest keeps.
const MOST: usize = 6;

/// A person at every limit at once: the declared most rows, each at the upper bound, in two groups.
fn greedy() -> Vec<Row> {
    let row = |person, x, k: &str| Row { person, x: Some(x), k: Some(k.to_owned()), ..Row::default() };
    let mut rows = vec![row(1, 5, "a"), row(2, 7, "b")];
    rows.extend([row(9, 50, "a"), row(9, 51, "a"), row(9, i64::MAX, "b"), row(9, 50, "b")]);
    // January, and for some March.
    for (i, row) in rows.iter_mut().enumerate() {
        row.day = Some(if i % 2 == 0 { 18_262 } else { 18_330 });
    }
    rows
}

/// Cells with and without a person, and what is declared.
fn cells_with_and_without(sql: &str, rows: &[Row], person: i64) -> (Cells, Cells, Vec<u64>, u32) {
    let place = Place::new();
    let (all, fewer) = (place.add(rows), place.add(&without(rows, person)));
    let (a, b) = (place.analyse(sql, &all), place.analyse(sql, &fewer));
    let (with, rest) = (folded(&a, sql, cut(1, 8192)), folded(&b, sql, cut(1, 8192)));
    (with, rest, linf(&a), a.max_groups())
}

/// Tightness: for each of these a unit reaches the declaration exactly, so the smallest too small clamp is noticed.
#[test]
fn a_declaration_that_is_one_too_small_is_noticed() {
    for (sql, groups) in [
        ("SELECT SUM(x) FROM {t}", 1),
        ("SELECT COUNT(*) FROM {t}", 1),
        ("SELECT COUNT(DISTINCT person) FROM {t}", 1),
        ("SELECT AVG(x) FROM {t}", 1),
        ("SELECT VAR_POP(x) FROM {t}", 1),
        ("SELECT SUM(x) FILTER (WHERE x > 0) FROM {t}", 1),
        ("SELECT COUNT(DISTINCT person) FILTER (WHERE x > 0) FROM {t}", 1),
        ("SELECT SUM(x, contribution_bounds_per_group => (-15, 40)) FROM {t}", 1),
        ("SELECT SUM(x, contribution_bounds_per_row => (0, 3)) FROM {t}", 1),
        ("SELECT COUNT(*, contribution_bounds_per_group => (0, 2)) FROM {t}", 1),
        ("SELECT k, SUM(x, contribution_bounds_per_group => (0, 60)) FROM {t} GROUP BY k", 2),
        ("SELECT k, COUNT(DISTINCT person) FROM {t} GROUP BY k", 2),
        ("SELECT AVG(s) FROM (SELECT person, SUM(x) AS s FROM {t} GROUP BY person) AS u", 1),
        (
            "SELECT SUM(s, contribution_bounds_per_row => (0, 99)) FROM (SELECT person, SUM(x) AS s FROM {t} GROUP BY person) AS u",
            1,
        ),
        ("SELECT COUNT(*) FROM (SELECT person, COUNT(*) AS n FROM {t} GROUP BY person) AS u WHERE n > 3", 1),
        (
            "SELECT k, SUM(n) FROM (SELECT person, k, COUNT(*, contribution_bounds_per_group => (0, 2)) AS n FROM {t}
                GROUP BY person, k) AS u GROUP BY k",
            2,
        ),
        ("SELECT EXTRACT(MONTH FROM day) AS m, COUNT(DISTINCT person) FROM {t} GROUP BY m", 2),
    ] {
        let (with, rest, linf, max_groups) = cells_with_and_without(sql, &greedy(), 9);
        let moved = Moved { groups, largest: linf.iter().map(|l| u128::from(*l)).collect() };
        assert_eq!(check(&with, &rest, &linf, max_groups), Ok(moved), "{sql}");
        for family in 0..linf.len() {
            let mut smaller = linf.clone();
            smaller[family] -= 1;
            assert!(matches!(check(&with, &rest, &smaller, max_groups), Err(Violation::Cell { .. })), "{sql}");
        }
        if groups == 2 {
            assert_eq!(check(&with, &rest, &linf, 1), Err(Violation::Groups { moved: 2, allowed: 1 }), "{sql}");
        }
    }
}

/// The clamps, one by one taken away from a naive sum over the same rows: the rule notices every one.
#[test]
fn a_sum_without_one_of_its_clamps_is_noticed() {
    let rows = greedy();
    let fewer = without(&rows, 9);
    let right = Naive { row: Some((-10, 50)), unit: Some((-15, 40)), max_groups: 1 };
    let verdict = |naive_of: Naive| {
        let cells = |rows: &[Row]| vec![naive(rows, &naive_of, |row| row.x, |row| row.k.as_deref())];
        check(&cells(&rows), &cells(&fewer), &[40], 1)
    };
    assert_eq!(verdict(right), Ok(Moved { groups: 1, largest: vec![40] }));
    assert!(matches!(verdict(Naive { unit: None, ..right }), Err(Violation::Cell { .. })));
    assert!(matches!(verdict(Naive { unit: None, row: None, ..right }), Err(Violation::Cell { .. })));
    assert!(matches!(verdict(Naive { unit: Some((-15, 41)), ..right }), Err(Violation::Cell { moved: 41, .. })));
    assert!(matches!(verdict(Naive { max_groups: 2, ..right }), Err(Violation::Groups { moved: 2, allowed: 1 })));
}

/// The ways in which squares go wrong: no clamp below them, the sum's sensitivity above them, no middle taken off.
#[test]
fn squares_without_their_clamp_or_their_sensitivity_are_noticed() {
    let row = |person, x| Row { person, x: Some(x), ..Row::default() };
    let rows: Vec<Row> = [row(1, 5), row(9, 50), row(9, 51), row(9, 70), row(9, -10)].to_vec();
    let fewer = without(&rows, 9);
    let verdict = |square: fn(i64) -> i64, linf: u64| {
        let free = Naive { row: None, unit: None, max_groups: 1 };
        let cells = |rows: &[Row]| vec![naive(rows, &free, |row| row.x.map(square), |_| None)];
        check(&cells(&rows), &cells(&fewer), &[linf], 1)
    };
    let right = |x: i64| (x.clamp(-10, 50) - 20).pow(2) - 450;
    let place = Place::new();
    let analysis = place.analyse("SELECT VAR(x) FROM {t}", &place.add(&rows));
    let [_, squares, sums] = linf(&analysis)[..] else {
        panic!("three families make a variance");
    };
    assert_eq!(verdict(right, squares), Ok(Moved { groups: 1, largest: vec![1800] }));
    assert!(matches!(verdict(right, sums), Err(Violation::Cell { .. })));
    assert!(matches!(verdict(|x| (x - 20).pow(2) - 450, squares), Err(Violation::Cell { .. })));
    assert!(matches!(verdict(|x| (x.clamp(-10, 50) - 20).pow(2), squares), Err(Violation::Cell { .. })));
}

/// A name that means something else keeps nothing of what was known of it (opendp #2949): neither bounds nor the unit.
#[test]
fn bounds_or_a_unit_kept_through_a_redefinition_are_noticed() {
    let row = |person, big| Row { person, x: Some(1), big: Some(big), ..Row::default() };
    let rows = [row(1, 5), row(9, 700), row(9, 800), row(9, 900), row(9, -3)].to_vec();
    let fewer = without(&rows, 9);
    let place = Place::new();
    let name = place.add(&rows);
    let sum = |rows: &[Row]| {
        let free = Naive { row: None, unit: None, max_groups: 1 };
        vec![naive(rows, &free, |row| row.big, |_| None)]
    };
    // Planted: the bounds of `x` for what is called so and is `big`.
    let kept = linf(&place.analyse("SELECT SUM(x) FROM {t}", &name));
    assert!(matches!(check(&sum(&rows), &sum(&fewer), &kept, 1), Err(Violation::Cell { .. })));
    let refusal = place.try_analyse("WITH s AS (SELECT big AS x FROM {t}) SELECT SUM(x) FROM s", &name).unwrap_err();
    assert_eq!(refusal.reason(), glovebox_policy::Reason::BoundsMissing);
    let sql = "WITH s AS (SELECT big AS x FROM {t}) SELECT SUM(x, contribution_bounds_per_row => (-9, 850)) FROM s";
    let (with, rest, linf, max_groups) = cells_with_and_without(sql, &rows, 9);
    assert_eq!(check(&with, &rest, &linf, max_groups), Ok(Moved { groups: 1, largest: vec![700 + 800 + 850 - 3] }));
    // Planted: a unit of each row's own, under the name of the unit.
    let split =
        |rows: &[Row]| rows.iter().map(|row| Row { person: row.big.unwrap(), ..row.clone() }).collect::<Vec<_>>();
    let units = Naive { row: None, unit: Some((0, 1)), max_groups: 1 };
    let count = |rows: &[Row]| vec![naive(rows, &units, |_| Some(1), |_| None)];
    assert_eq!(check(&count(&rows), &count(&fewer), &[1], 1), Ok(Moved { groups: 1, largest: vec![1] }));
    let moved = check(&count(&split(&rows)), &count(&split(&fewer)), &[1], 1);
    assert!(matches!(moved, Err(Violation::Cell { moved: 4, .. })));
}

/// A join goes wrong when a row meets several rows, or when a unit is bounded before it: the rule notices both.
#[test]
fn a_join_that_fans_out_or_comes_after_bounding_is_noticed() {
    let rows = greedy();
    let fewer = without(&rows, 9);
    let sql = "SELECT COUNT(*) FROM {t} AS t JOIN p.kinds AS p ON t.k = p.kind";
    let (with, rest, linf, max_groups) = cells_with_and_without(sql, &rows, 9);
    assert_eq!(linf, [4], "no more rows than the unit had");
    assert_eq!(check(&with, &rest, &linf, max_groups), Ok(Moved { groups: 1, largest: vec![4] }));
    // Planted: each row meets two, and nothing is bounded afterwards.
    let twice = |rows: &[Row]| rows.iter().chain(rows).cloned().collect::<Vec<_>>();
    let free = Naive { row: None, unit: None, max_groups: 1 };
    let count = |rows: &[Row]| vec![naive(rows, &free, |_| Some(1), |_| None)];
    assert!(check(&count(&rows), &count(&fewer), &linf, 1).is_ok());
    let moved = check(&count(&twice(&rows)), &count(&twice(&fewer)), &linf, 1);
    assert!(matches!(moved, Err(Violation::Cell { moved: 8, .. })));
    // Planted: a unit's rows are clamped to the bounds of `x`, and what they met is added up unclamped.
    let sql = "SELECT SUM(t.x * p.score, contribution_bounds_per_group => (0, 100)) FROM {t} AS t JOIN p.kinds AS p ON t.k = p.kind";
    let (with, rest, linf, max_groups) = cells_with_and_without(sql, &rows, 9);
    assert_eq!(check(&with, &rest, &linf, max_groups), Ok(Moved { groups: 1, largest: vec![100] }));
    let clamped = Naive { row: Some((-10, 50)), unit: Some((0, 100)), max_groups: 1 };
    let early = |rows: &[Row]| {
        let sums = naive(rows, &clamped, |row| row.x, |_| None);
        vec![sums.into_iter().map(|sum| sum * i128::from(crate::public::SCORE_OF_A)).collect::<Vec<_>>()]
    };
    assert!(matches!(check(&early(&rows), &early(&fewer), &linf, 1), Err(Violation::Cell { .. })));
    // What would fan out, or make rows of nobody, is refused.
    let place = Place::new();
    let name = place.add(&rows);
    for sql in [
        "SELECT COUNT(*) FROM {t} AS t JOIN p.kinds AS p ON t.k = p.class",
        "SELECT COUNT(*) FROM {t} AS t JOIN p.slots AS s ON t.g = s.g",
        "SELECT COUNT(*) FROM {t} AS t JOIN p.slots AS s ON t.g = s.g AND s.flag <> t.flag",
        "SELECT COUNT(*) FROM p.kinds AS p LEFT JOIN {t} AS t ON t.k = p.kind",
        "SELECT COUNT(*) FROM {t} AS t RIGHT JOIN p.kinds AS p ON t.k = p.kind",
        "SELECT COUNT(*) FROM {t} AS t FULL JOIN p.kinds AS p ON t.k = p.kind",
        "SELECT COUNT(*) FROM {t} AS t JOIN {t} AS u ON t.g = u.g",
        "SELECT COUNT(*) FROM {t} AS t JOIN {t} AS u ON t.person = u.person OR t.g = u.g",
        "SELECT COUNT(*) FROM {t} AS t JOIN {t} AS u ON t.person <= u.person AND t.person >= u.person",
    ] {
        let refusal = place.try_analyse(sql, &name).unwrap_err();
        assert_eq!(refusal.reason(), glovebox_policy::Reason::JoinRefused, "{sql}");
    }
}

/// A join of two datasets goes wrong when rows of other units are met, when a unit is bounded before it, or when what a unit has
/// afterwards is taken for what it had: the rule notices all of them.
#[test]
fn a_join_by_unit_that_mixes_units_or_is_bounded_too_early_is_noticed() {
    let (rows, place) = (greedy(), Place::new());
    let fewer = without(&rows, 9);
    let beside = [Row { person: 1, x: Some(1), ..Row::default() }, Row { person: 9, x: Some(50), ..Row::default() }];
    let beside: Vec<Row> =
        beside.iter().chain(&[beside[1].clone(), beside[1].clone(), beside[1].clone()]).cloned().collect();
    let name = place.add(&rows);
    place.add(&beside);
    let name_without = place.add(&fewer);
    place.add(&without(&beside, 9));
    let cells = |sql: &str, name: &str| {
        let analysis = place.analyse(sql, name);
        (folded(&analysis, sql, cut(1, 8192)), linf(&analysis), analysis.max_groups())
    };
    let pairs = "FROM {t} AS t JOIN {o} AS o ON t.person = o.person";
    // Person 9 has four rows in each, and so sixteen pairs: as many as are declared, and each at the bound.
    for (sql, moved) in [
        (format!("SELECT COUNT(*) {pairs}"), vec![16]),
        (format!("SELECT SUM(o.x) {pairs}"), vec![16 * 50]),
        (format!("SELECT COUNT(DISTINCT o.person) {pairs}"), vec![1]),
        (format!("SELECT COUNT(*, contribution_bounds_per_group => (0, 3)) {pairs}"), vec![3]),
        (format!("SELECT COUNT(*) {}", pairs.replace("JOIN", "LEFT JOIN")), vec![16]),
    ] {
        let ((with, linf, max_groups), (rest, ..)) = (cells(&sql, &name), cells(&sql, &name_without));
        assert_eq!(check(&with, &rest, &linf, max_groups), Ok(Moved { groups: 1, largest: moved.clone() }), "{sql}");
        assert_eq!(linf.iter().map(|l| u128::from(*l)).collect::<Vec<_>>(), moved, "{sql}");
    }
    let ((with, ..), (rest, ..)) =
        (cells(&format!("SELECT COUNT(*) {pairs}"), &name), cells(&format!("SELECT COUNT(*) {pairs}"), &name_without));
    // Planted: no more rows after the join than before it.
    assert!(matches!(check(&with, &rest, &[4], 1), Err(Violation::Cell { moved: 16, allowed: 4, .. })));
    // Planted: each side is bounded by itself, and pairs are made of what was kept.
    let linf_of_sum = cells(&format!("SELECT SUM(t.x, contribution_bounds_per_group => (0, 100)) {pairs}"), &name).1;
    let early = |rows: &[Row], beside: &[Row]| {
        let clamped = Naive { row: Some((-10, 50)), unit: Some((0, 100)), max_groups: 1 };
        let there = |person: i64| beside.iter().filter(|row| row.person == person).count() as i128;
        let persons: std::collections::BTreeSet<i64> = rows.iter().map(|row| row.person).collect();
        let of = |person: i64| rows.iter().filter(|row| row.person == person).cloned().collect::<Vec<_>>();
        let sum =
            |person: i64| naive(&of(person), &clamped, |row| row.x, |_| None).iter().sum::<i128>() * there(person);
        vec![vec![persons.into_iter().map(sum).sum::<i128>()]]
    };
    let moved = check(&early(&rows, &beside), &early(&fewer, &without(&beside, 9)), &linf_of_sum, 1);
    assert!(matches!(moved, Err(Violation::Cell { moved: 400, allowed: 100, .. })), "{moved:?}");
    // Planted: rows meet all rows there, whoever's they are.
    let mixed = |rows: &[Row], beside: &[Row]| vec![vec![(rows.len() * beside.len()) as i128]];
    let moved = check(&mixed(&rows, &beside), &mixed(&fewer, &without(&beside, 9)), &[16], 1);
    assert!(matches!(moved, Err(Violation::Cell { moved: 28, .. })), "{moved:?}");
}

/// A public column by the unit's name is not the unit.
#[test]
fn a_public_column_that_is_called_like_the_unit_is_not_the_unit() {
    let place = Place::new();
    let name = place.add(&greedy());
    let level = "WITH s AS (SELECT p.code AS person, t.x FROM {t} AS t JOIN p.codes AS p ON p.code = t.g)";
    for sql in [
        format!("{level} SELECT COUNT(DISTINCT person) FROM s"),
        format!("{level} SELECT SUM(n) FROM (SELECT person, COUNT(*) AS n FROM s GROUP BY person) AS u"),
    ] {
        let refusal = place.try_analyse(&sql, &name).unwrap_err().reason();
        use glovebox_policy::Reason::{AggregateRefused, ClauseRefused};
        assert!([AggregateRefused, ClauseRefused].contains(&refusal), "{sql}: {refusal}");
    }
    // Planted: units that share a public value are taken for one, and one person for several.
    let rows: Vec<Row> = (0..4).map(|g| Row { person: 9, g: Some(g), ..Row::default() }).collect();
    let taken = |rows: &[Row]| rows.iter().map(|row| Row { person: row.g.unwrap(), ..row.clone() }).collect::<Vec<_>>();
    let units = Naive { row: None, unit: Some((0, 1)), max_groups: 1 };
    let count = |rows: &[Row]| vec![naive(rows, &units, |_| Some(1), |_| None)];
    assert!(check(&count(&rows), &count(&[]), &[1], 1).is_ok());
    assert!(matches!(check(&count(&taken(&rows)), &count(&[]), &[1], 1), Err(Violation::Cell { moved: 4, .. })));
}

/// A level per unit goes wrong when its rows are taken for one a unit, or when it mixes units before they are bounded.
#[test]
fn a_level_that_fans_out_or_mixes_units_is_noticed() {
    let level = "(SELECT person, k, SUM(x) AS s FROM {t} GROUP BY person, k) AS u";
    let sql = format!("SELECT SUM(s, contribution_bounds_per_row => (0, 60)) FROM {level}");
    let (with, rest, linf, max_groups) = cells_with_and_without(&sql, &greedy(), 9);
    // Four groups of `k`, but no more rows than the unit had.
    assert_eq!(linf, [4 * 60]);
    assert_eq!(check(&with, &rest, &linf, max_groups), Ok(Moved { groups: 1, largest: vec![2 * 60] }));
    assert!(matches!(check(&with, &rest, &[60], max_groups), Err(Violation::Cell { moved: 120, .. })));
    // A group that fixes the key holds one row of a unit.
    let sql = format!("SELECT k, SUM(s, contribution_bounds_per_row => (0, 60)) FROM {level} GROUP BY k");
    let (with, rest, linf, max_groups) = cells_with_and_without(&sql, &greedy(), 9);
    assert_eq!(linf, [60]);
    assert_eq!(check(&with, &rest, &linf, max_groups), Ok(Moved { groups: 2, largest: vec![60] }));
    // Planted: the lower level groups by `k` alone, so that what is clamped is a sum over units.
    let mixed = |rows: &[Row]| {
        let all: Vec<Row> = rows.iter().map(|row| Row { person: 0, ..row.clone() }).collect();
        let clamped = Naive { row: Some((-10, 50)), unit: None, max_groups: 4 };
        let sums = naive(&all, &clamped, |row| row.x, |row| row.k.as_deref());
        vec![vec![sums.iter().map(|sum| i128::from(*sum > 6)).sum::<i128>() * 60]]
    };
    let rows = greedy();
    // A level that does not mix passes the very check that the planted one fails.
    let honest = |rows: &[Row]| {
        let clamped = Naive { row: Some((-10, 50)), unit: None, max_groups: 4 };
        let one = |person: i64| rows.iter().filter(|row| row.person == person).cloned().collect::<Vec<_>>();
        let persons: std::collections::BTreeSet<i64> = rows.iter().map(|row| row.person).collect();
        let over = |person: i64| {
            let sums = naive(&one(person), &clamped, |row| row.x, |row| row.k.as_deref());
            i128::from(sums.iter().any(|sum| *sum > 6)) * 60
        };
        vec![vec![persons.into_iter().map(over).sum::<i128>()]]
    };
    let fewer = without(&rows, 9);
    assert!(check(&honest(&rows), &honest(&fewer), &[60], 1).is_ok());
    let (all, rest) = (mixed(&rows), mixed(&fewer));
    assert_ne!(all, rest, "the planted level is not blind");
    let place = Place::new();
    let refused = place
        .try_analyse(&sql.replace("GROUP BY person, k)", "GROUP BY k)").replace("person, ", ""), &place.add(&rows));
    assert_eq!(refused.unwrap_err().reason(), glovebox_policy::Reason::ClauseRefused);
}
