//! A naive sum over the generated rows, in plain Rust: exact cells equal it wherever no group has to be dropped.

use std::collections::BTreeMap;

use proptest::prelude::*;

use crate::data::{MAX_ROWS, Place, Row, cut, fold, rows};

/// What a naive sum clamps.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Naive {
    /// Each row's value.
    pub(crate) row: Option<(i64, i64)>,
    /// A unit's sum in a group.
    pub(crate) unit: Option<(i64, i64)>,
    /// Most groups of a unit; the first by name are kept, where there are more.
    pub(crate) max_groups: usize,
}

/// The public keys of column `k`; one more group holds what is not listed.
const KEYS: [&str; 3] = ["a", "b", "c"];

/// Sums per group of `k`, or of whatever `group` says in terms of it.
pub(crate) fn naive(
    rows: &[Row],
    bounds: &Naive,
    value: impl Fn(&Row) -> Option<i64>,
    group: impl Fn(&Row) -> Option<&str>,
) -> Vec<i128> {
    let mut units: BTreeMap<i64, BTreeMap<usize, i128>> = BTreeMap::new();
    for row in rows {
        let place = group(row).and_then(|key| KEYS.iter().position(|known| *known == key)).unwrap_or(KEYS.len());
        let value = value(row).map_or(0, |v| i128::from(bounds.row.map_or(v, |(low, high)| v.clamp(low, high))));
        *units.entry(row.person).or_default().entry(place).or_default() += value;
    }
    let mut cells = vec![0_i128; KEYS.len() + 1];
    for groups in units.into_values() {
        for (place, sum) in groups.into_iter().take(bounds.max_groups) {
            cells[place] += bounds.unit.map_or(sum, |(low, high)| sum.clamp(i128::from(low), i128::from(high)));
        }
    }
    cells
}

type Value = fn(&Row) -> Option<i64>;

/// One family of one question: what a row counts, its bounds and the unit's.
struct Family {
    value: Value,
    row: Option<(i64, i64)>,
    unit: Option<(i64, i64)>,
}

const fn family(value: Value, row: Option<(i64, i64)>, unit: Option<(i64, i64)>) -> Family {
    Family { value, row, unit }
}

/// Steps of a float on a grid, half away from zero; NaN is ingested as NULL.
fn steps(value: Option<f64>, grid: f64, lower: i64, upper: i64) -> Option<i64> {
    let value = value.filter(|v| !v.is_nan())?;
    let near = value / grid;
    let rounded = if near.abs() < 4e15 {
        let floor = near.abs().floor();
        let up = if near.abs() - floor >= 0.5 { floor + 1.0 } else { floor };
        up.copysign(near)
    } else {
        near
    };
    // `as` saturates, and the bounds are far from the ends.
    Some((rounded as i64).clamp(lower, upper))
}

fn positive(row: &Row) -> bool {
    row.x.is_some_and(|x| x > 0)
}

/// Questions, each with its families in the order of their labels. `GROUP BY k` is added.
fn questions() -> Vec<(&'static str, &'static str, Vec<Family>)> {
    let most = MAX_ROWS as i64;
    let count = |value: Value| family(value, None, Some((0, most)));
    vec![
        ("COUNT(*)", "", vec![count(|_| Some(1))]),
        ("COUNT(x)", "", vec![count(|r| r.x.map(|_| 1))]),
        ("COUNT(c)", "", vec![count(|r| r.c.filter(|c| !c.is_nan()).map(|_| 1))]),
        ("COUNT(DISTINCT person)", "", vec![family(|_| Some(1), None, Some((0, 1)))]),
        ("SUM(x)", "", vec![family(|r| r.x, Some((-10, 50)), None)]),
        ("SUM(x * 2)", "", vec![family(|r| r.x.map(|x| x.wrapping_mul(2)), Some((-20, 100)), None)]),
        ("SUM(x, contribution_bounds_per_row => (0, 3))", "", vec![family(|r| r.x, Some((0, 3)), None)]),
        (
            "SUM(x, contribution_bounds_per_group => (20, 60))",
            "",
            vec![family(|r| r.x, Some((-10, 50)), Some((20, 60)))],
        ),
        ("SUM(c)", "", vec![family(|r| steps(r.c, 0.25, -20, 80), None, None)]),
        ("AVG(x)", "", vec![count(|r| r.x.map(|_| 1)), family(|r| r.x.map(|x| x.clamp(-10, 50) - 20), None, None)]),
        (
            "AVG(c)",
            "",
            vec![
                count(|r| r.c.filter(|c| !c.is_nan()).map(|_| 1)),
                family(|r| steps(r.c, 0.25, -20, 80).map(|s| s - 30), None, None),
            ],
        ),
        (
            "STDDEV(x)",
            "",
            vec![
                count(|r| r.x.map(|_| 1)),
                family(|r| r.x.map(|x| (x.clamp(-10, 50) - 20).pow(2) - 450), None, None),
                family(|r| r.x.map(|x| x.clamp(-10, 50) - 20), None, None),
            ],
        ),
        (
            "VAR_POP(c)",
            "",
            vec![
                count(|r| r.c.filter(|c| !c.is_nan()).map(|_| 1)),
                family(|r| steps(r.c, 0.25, -20, 80).map(|s| (s - 30).pow(2) - 1250), None, None),
                family(|r| steps(r.c, 0.25, -20, 80).map(|s| s - 30), None, None),
            ],
        ),
        (
            "SUM(big / 3, contribution_bounds_per_row => (-500, 500))",
            "",
            vec![family(|r| r.big.map(|v| v / 3), Some((-500, 500)), None)],
        ),
        ("COUNT(*) FILTER (WHERE x > 0)", "", vec![count(|r| positive(r).then_some(1))]),
        (
            "COUNT(DISTINCT person) FILTER (WHERE x > 0)",
            "",
            vec![family(|r| positive(r).then_some(1), None, Some((0, 1)))],
        ),
        ("SUM(x) FILTER (WHERE big IS NOT NULL)", "", vec![family(|r| r.big.and(r.x), Some((-10, 50)), None)]),
        // A list with CASE in it is not the constant that it would be on no rows.
        (
            "COUNT(*) FILTER (WHERE g IN (CASE WHEN x > 0 THEN 2 END))",
            "",
            vec![count(|r| (positive(r) && r.g == Some(2)).then_some(1))],
        ),
        (
            "COUNT(*) FILTER (WHERE g NOT IN (1, CASE WHEN x > 0 THEN 2 ELSE 3 END))",
            "",
            vec![count(|r| r.g.is_some_and(|g| g != 1 && g != if positive(r) { 2 } else { 3 }).then_some(1))],
        ),
        ("SUM(COALESCE(x, 7))", "", vec![family(|r| Some(r.x.unwrap_or(7)), Some((-10, 50)), None)]),
    ]
}

#[test]
fn the_questions_cover_a_filter_too() {
    let place = Place::new();
    let rows = crate::data::hard_rows().into_iter().filter(|r| r.person % 5 == 0).collect::<Vec<_>>();
    let rows: Vec<Row> = rows.into_iter().enumerate().map(|(i, r)| Row { person: i as i64, ..r }).collect();
    let name = place.add(&rows);
    let sql = "SELECT k, COUNT(*), SUM(x) FROM {t} WHERE x > 0 GROUP BY k";
    let cells = fold(&place.analyse(sql, &name), cut(1, 7)).unwrap();
    let kept: Vec<Row> = rows.into_iter().filter(positive).collect();
    let free = Naive { row: Some((-10, 50)), unit: None, max_groups: usize::MAX };
    assert_eq!(cells[0], naive(&kept, &free, |_| Some(1), |r| r.k.as_deref()));
    assert_eq!(cells[1], naive(&kept, &free, |r| r.x, |r| r.k.as_deref()));
}

/// A unit's sum of `x` where it has any, over all units, and the same for each unit and key.
fn per_unit(rows: &[Row]) -> (Vec<Vec<i128>>, Vec<Vec<i128>>) {
    let mut units: BTreeMap<i64, Option<i64>> = BTreeMap::new();
    let mut keys: BTreeMap<(i64, usize), i64> = BTreeMap::new();
    for row in rows {
        let sum = units.entry(row.person).or_default();
        if let Some(x) = row.x {
            *sum = Some(sum.unwrap_or(0) + x.clamp(-10, 50));
        }
        let place = row.k.as_deref().and_then(|key| KEYS.iter().position(|known| *known == key)).unwrap_or(KEYS.len());
        *keys.entry((row.person, place)).or_default() += 1;
    }
    let sums: Vec<i128> = units.into_values().flatten().map(i128::from).collect();
    let (least, most) = (-10 * MAX_ROWS as i128, 50 * MAX_ROWS as i128);
    let centred = sums.iter().map(|sum| sum - (least + most) / 2).sum();
    let mut counts = vec![vec![0; KEYS.len() + 1]; 2];
    for ((_, place), rows) in keys {
        counts[0][place] += 1;
        counts[1][place] += i128::from(rows.min(2));
    }
    (vec![vec![sums.len() as i128], vec![centred]], counts)
}

/// Months by their lengths alone: the months of 2019 and 2020, and everything that is no date of theirs.
fn month(day: Option<i32>) -> Option<(i32, i64)> {
    let mut first = 17_897;
    for year in [2019, 2020] {
        for (month, length) in
            (1..).zip([31, if year == 2020 { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
        {
            if day.is_some_and(|day| (first..first + length).contains(&day)) {
                return Some((year, month));
            }
            first += length;
        }
    }
    None
}

#[test]
fn groups_by_parts_of_dates_hold_the_rows_of_their_dates() {
    let place = Place::new();
    let rows: Vec<Row> = (0..400)
        .map(|i| Row { person: i, day: (i % 9 != 0).then_some(18_200 + i as i32 / 2), ..Row::default() })
        .collect();
    let name = place.add(&rows);
    let cells = |key: &str| {
        let sql = format!("SELECT {key} AS d, COUNT(*) FROM {{t}} GROUP BY d");
        fold(&place.analyse(&sql, &name), cut(2, 7)).unwrap().remove(0)
    };
    let count = |is: &dyn Fn(Option<(i32, i64)>) -> bool| rows.iter().filter(|r| is(month(r.day))).count() as i128;
    let by_month = cells("EXTRACT(MONTH FROM day)");
    assert_eq!(by_month.len(), 13);
    for (cell, number) in by_month.iter().zip(1..=12) {
        assert_eq!(*cell, count(&|m| m.is_some_and(|(_, month)| month == number)), "month {number}");
    }
    assert_eq!(by_month[12], count(&|m| m.is_none()));
    // Declared are the days from November 2019 to February 2020; what is outside of them is in the last group.
    let declared = [(2019, 11), (2019, 12), (2020, 1), (2020, 2)];
    let by_beginning = cells("DATE_TRUNC('month', day)");
    let mut expected: Vec<i128> = declared.iter().map(|of| count(&|m| m == Some(*of))).collect();
    expected.push(count(&|m| m.is_none_or(|of| !declared.contains(&of))));
    assert_eq!(by_beginning, expected);
    let years = cells("EXTRACT(YEAR FROM day)");
    assert_eq!(
        years,
        [2019, 2020]
            .map(|y| count(&|m| m.is_some_and(|of| of.0 == y)))
            .into_iter()
            .chain([by_month[12]])
            .collect::<Vec<_>>()
    );
    assert_eq!(cells("day").len(), 89);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn cells_equal_the_naive_sum(rows in rows(8, MAX_ROWS)) {
        let place = Place::new();
        let name = place.add(&rows);
        let (sums, counts) = per_unit(&rows);
        let sql = "SELECT AVG(s) FROM (SELECT person, SUM(x) AS s FROM {t} GROUP BY person) AS u";
        prop_assert_eq!(fold(&place.analyse(sql, &name), cut(1, 7)).unwrap(), sums, "{:?}", rows);
        let sql = format!("SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS (max_groups_contributed = {MAX_ROWS})
            k, COUNT(*), SUM(n, contribution_bounds_per_row => (0, 2)) FROM (SELECT person, k, COUNT(*) AS n FROM {{t}}
            GROUP BY k, person) AS u GROUP BY k");
        prop_assert_eq!(fold(&place.analyse(&sql, &name), cut(1, 7)).unwrap(), counts, "{:?}", rows);
        for (aggregate, filter, families) in questions() {
            let sql = format!(
                "SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS (max_groups_contributed = {MAX_ROWS})
                    k, {aggregate} FROM {{t}} {filter} GROUP BY k"
            );
            let cells = fold(&place.analyse(&sql, &name), cut(1, 7)).unwrap();
            let expected: Vec<Vec<i128>> = families
                .iter()
                .map(|f| {
                    let bounds = Naive { row: f.row, unit: f.unit, max_groups: usize::MAX };
                    naive(&rows, &bounds, f.value, |row| row.k.as_deref())
                })
                .collect();
            prop_assert_eq!(cells, expected, "{}\n{:?}", sql, rows);
        }
    }
}
