//! No accepted question fails on any row: random expressions over rows of hard values, by both roads.

use proptest::prelude::*;
use proptest::sample::select;

use crate::data::{Place, cut, fold, hard_rows, plain};

/// An expression that may be of any type: the analysis says whether it is one.
fn expression() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        6 => select(&["x", "big", "c", "w", "k", "g", "flag", "note", "day", "at"][..]).prop_map(str::to_owned),
        3 => select(&["0", "1", "-1", "0.0", "2.5", "9223372036854775807", "NULL", "TRUE", "'12'", "'junk'", "1e308"][..])
            .prop_map(str::to_owned),
    ];
    leaf.prop_recursive(4, 24, 3, |inner| {
        let two = (inner.clone(), inner.clone());
        prop_oneof![
            4 => (two.clone(), select(&["+", "-", "*", "/", "%"][..])).prop_map(|((a, b), op)| format!("({a} {op} {b})")),
            3 => (two.clone(), select(&["=", "<>", "<", ">=", "AND", "OR", "IS DISTINCT FROM"][..]))
                .prop_map(|((a, b), op)| format!("({a} {op} {b})")),
            2 => (inner.clone(), select(&["BIGINT", "DOUBLE", "VARCHAR", "BOOLEAN", "DATE", "INT"][..]))
                .prop_map(|(a, t)| format!("CAST({a} AS {t})")),
            2 => (inner.clone(), select(&["ABS", "FLOOR", "CEIL", "-", "NOT "][..])).prop_map(|(a, f)| format!("{f}({a})")),
            2 => (two.clone(), select(&["COALESCE", "NULLIF", "GREATEST", "LEAST"][..]))
                .prop_map(|((a, b), f)| format!("{f}({a}, {b})")),
            1 => (inner.clone(), two.clone()).prop_map(|(a, (b, c))| format!("CASE WHEN {a} THEN {b} ELSE {c} END")),
            1 => (inner.clone(), two.clone()).prop_map(|(a, (b, c))| format!("({a} BETWEEN {b} AND {c})")),
            1 => (inner.clone(), two).prop_map(|(a, (b, c))| format!("({a} NOT IN ({b}, {c}))")),
            1 => (inner, select(&["IS NULL", "IS NOT TRUE", "IS UNKNOWN"][..])).prop_map(|(a, is)| format!("({a} {is})")),
        ]
    })
}

#[test]
fn accepted_expressions_never_fail_and_both_roads_agree() {
    let place = Place::new();
    let name = place.add(&hard_rows());
    let mut accepted = 0;
    let mut config = ProptestConfig::with_cases(250);
    config.failure_persistence = None;
    let mut runner = proptest::test_runner::TestRunner::new_with_rng(
        config,
        proptest::test_runner::TestRng::deterministic_rng(proptest::test_runner::RngAlgorithm::ChaCha),
    );
    let accepted = std::cell::RefCell::new(&mut accepted);
    runner
        .run(&(expression(), expression()), |(value, condition)| {
            for sql in [
                format!("SELECT COUNT({value}) FROM {{t}}"),
                format!("SELECT SUM({value}, contribution_bounds_per_row => (-7, 1e6)) FROM {{t}} WHERE {condition}"),
                format!("SELECT k, COUNT(*) FROM {{t}} WHERE {condition} GROUP BY k"),
            ] {
                let Ok(analysis) = place.try_analyse(&sql, &name) else {
                    continue;
                };
                **accepted.borrow_mut() += 1;
                let cells = fold(&analysis, cut(1, 7));
                prop_assert!(cells.is_ok(), "the fold fails: {}", sql);
                prop_assert_eq!(plain(&analysis, cut(1, 8192)), cells, "plain nodes differ: {}", sql);
            }
            Ok(())
        })
        .unwrap();
    let accepted = **accepted.borrow();
    assert!(accepted > 100, "only {accepted} questions were accepted");
}
