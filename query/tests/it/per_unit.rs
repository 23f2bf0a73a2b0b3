//! Aggregates by unit below aggregates over units.

use glovebox_policy::Reason::{
    AggregateRefused, BoundsMissing, ClauseRefused, ColumnIsIdentifier, ExpressionRefused, GroupKeyNotPublic,
    TooManyGroups,
};
use glovebox_policy::RoleOfUse::{Aggregate, Filter, Group};
use glovebox_privacy::Scalar;

use crate::support::Expect::{About, No, Yes};
use crate::support::{accepted, check_all, preview, request};

fn over(above: &str, below: &str) -> String {
    format!("SELECT {above} FROM (SELECT person, {below}) AS u")
}

fn linf(sql: &str) -> Vec<u64> {
    accepted(sql).noise().families().iter().map(|family| family.linf).collect()
}

#[test]
fn a_unit_is_one_row_with_the_bounds_of_its_sums() {
    let by_person = "SUM(age) AS s, COUNT(*) AS n, AVG(cost) AS m FROM t.visits GROUP BY person";
    assert_eq!(linf(&over("COUNT(*)", by_person)), [1]);
    assert_eq!(linf(&over("COUNT(DISTINCT person)", by_person)), [1]);
    // At most 4 rows of at most 120.
    assert_eq!(linf(&over("SUM(s)", by_person)), [480]);
    assert_eq!(linf(&over("SUM(n)", by_person)), [4]);
    assert_eq!(linf(&over("SUM(s + n)", by_person)), [484]);
    assert_eq!(linf(&over("SUM(s, contribution_bounds_per_row => (0, 100))", by_person)), [100]);
    assert_eq!(
        linf(&over("SUM(LEAST(GREATEST(s, 0), 100), contribution_bounds_per_row => (0, 100))", by_person)),
        [100]
    );
    // A mean is within what the rows are.
    let analysis = accepted(&over("AVG(m)", by_person));
    assert_eq!(analysis.noise().families().len(), 2);
    assert_eq!(analysis.max_groups(), 1);
}

#[test]
fn rows_for_unit_and_key_are_bounded_by_what_a_group_fixes() {
    let by_ward = "ward, SUM(age) AS s FROM t.visits GROUP BY person, ward";
    assert_eq!(linf(&over("COUNT(*)", by_ward)), [4]);
    assert_eq!(linf(&format!("{} GROUP BY ward", over("COUNT(*)", by_ward))), [1]);
    let by_two = "ward, smoker, SUM(age) AS s FROM t.visits GROUP BY person, ward, smoker";
    assert_eq!(linf(&format!("{} GROUP BY ward, smoker", over("COUNT(*)", by_two))), [1]);
    // Three groups by `smoker` in each ward, in all of which a unit with four rows may be.
    assert_eq!(linf(&format!("{} GROUP BY ward", over("COUNT(*)", by_two))), [3]);
    // What is above may only use the key as a value.
    assert_eq!(linf(&over("COUNT(CASE WHEN ward = 'east' THEN 1 END)", by_ward)), [4]);
}

#[test]
fn names_and_spellings_do_not_matter() {
    let first =
        request("SELECT AVG(s) FROM (SELECT person, SUM(age) AS s FROM t.visits WHERE smoker GROUP BY person) AS u");
    for sql in [
        "WITH v AS (SELECT * FROM t.visits WHERE smoker), u AS (SELECT SUM(age) AS total, person AS who FROM v GROUP BY person)
            SELECT AVG(total) AS mean FROM u",
        "SELECT AVG(s) FROM (SELECT SUM(x) AS s FROM (SELECT age AS x, smoker AS y, person AS p FROM t.visits) AS r
            WHERE y GROUP BY p) AS u",
    ] {
        assert_eq!(request(sql), first, "{sql}");
    }
    for other in [
        "SELECT AVG(s) FROM (SELECT person, SUM(age) AS s FROM t.visits GROUP BY person) AS u",
        "SELECT AVG(s) FROM (SELECT person, SUM(free, contribution_bounds_per_row => (0, 120)) AS s FROM t.visits WHERE smoker
            GROUP BY person) AS u",
        "SELECT AVG(s) FROM (SELECT person, SUM(age, contribution_bounds_per_row => (0, 119)) AS s FROM t.visits WHERE smoker
            GROUP BY person) AS u",
        "SELECT AVG(s) FROM (SELECT person, ward, SUM(age) AS s FROM t.visits WHERE smoker GROUP BY person, ward) AS u",
        "SELECT AVG(age) FROM t.visits WHERE smoker",
    ] {
        assert_ne!(request(other), first, "{other}");
    }
}

#[test]
fn what_a_level_per_unit_does_not_do() {
    let by = |below: &str| over("COUNT(*)", below);
    let by_person = "SUM(age) AS s FROM t.visits GROUP BY person";
    check_all([
        (by("SUM(free) AS s FROM t.visits GROUP BY person"), About(BoundsMissing, "free")),
        (by("STDDEV(age) AS s FROM t.visits GROUP BY person"), About(AggregateRefused, "stddev")),
        (by("MAX(age) AS s FROM t.visits GROUP BY person"), About(AggregateRefused, "max")),
        (by("COUNT(phone) AS s FROM t.visits GROUP BY person"), About(ColumnIsIdentifier, "phone")),
        (by("age, COUNT(*) AS s FROM t.visits GROUP BY person, age"), About(GroupKeyNotPublic, "age")),
        ("SELECT COUNT(*) FROM (SELECT ward, COUNT(*) AS n FROM t.visits GROUP BY ward) AS u".to_owned(), About(ClauseRefused, "an aggregate of an aggregate, unless")),
        // A redefined unit is none.
        ("SELECT COUNT(*) FROM (SELECT COUNT(*) AS n FROM (SELECT age AS person FROM t.visits) AS r GROUP BY person) AS u".to_owned(), About(ClauseRefused, "an aggregate of an aggregate")),
        ("SELECT COUNT(*) FROM (SELECT person, AVG(s) AS t FROM (SELECT person, SUM(age) AS s FROM t.visits GROUP BY person) AS a
            GROUP BY person) AS b".to_owned(), About(ClauseRefused, "an aggregate of an aggregate")),
        // The unit has no value any more; it still counts units.
        (over("COUNT(person)", by_person), About(ExpressionRefused, "person")),
        (format!("{} WHERE person = 7", over("COUNT(*)", by_person)), About(ExpressionRefused, "person = 7")),
        (format!("{} GROUP BY person", over("COUNT(*)", by_person)), About(ExpressionRefused, "person")),
        (format!("{} GROUP BY s", over("COUNT(*)", by_person)), About(GroupKeyNotPublic, "per_unit_0")),
        (over("AVG(s)", "wide.a, 1 AS s FROM t.wide GROUP BY person, a, b, c"), No(TooManyGroups)),
        // Without an aggregate over units, the level is what would leave.
        (over("s", by_person), About(GroupKeyNotPublic, "person")),
        (format!("{} WHERE s / 0 IS NULL OR s > 3", over("AVG(s)", by_person)), Yes),
        (over("COUNT(*)", "SUM(age) AS s FROM t.visits GROUP BY person HAVING COUNT(*) > 2"), Yes),
    ]);
}

#[test]
fn what_is_done_with_a_sum_is_done_with_its_columns() {
    let roles = |sql: &str, column: &str| {
        let analysis = accepted(sql);
        let of = analysis.uses().iter().filter(|used| used.column.as_str() == column);
        of.map(|used| used.role).collect::<Vec<_>>()
    };
    let below = "ward, SUM(age + grade) AS s, COUNT(*) FILTER (WHERE smoker) AS n FROM t.visits WHERE cost > 3 GROUP BY person, ward";
    let sql = format!("{} WHERE s > 10 GROUP BY ward", over("SUM(n)", below));
    assert_eq!(roles(&sql, "age"), [Aggregate, Filter]);
    assert_eq!(roles(&sql, "grade"), [Aggregate, Filter]);
    assert_eq!(roles(&sql, "smoker"), [Aggregate, Filter]);
    assert_eq!(roles(&sql, "cost"), [Filter]);
    assert_eq!(roles(&sql, "ward"), [Group]);
    assert_eq!(roles(&over("AVG(s)", "SUM(age) AS s FROM t.visits GROUP BY person"), "age"), [Aggregate]);
    let case = over("COUNT(CASE WHEN s = 7 THEN 1 END)", "SUM(age) AS s FROM t.visits GROUP BY person");
    assert_eq!(roles(&case, "age"), [Aggregate, Filter]);
}

#[test]
fn a_preview_says_what_was_added_up_per_unit() {
    let sql = over(
        "AVG(s)",
        "ward, SUM(age, contribution_bounds_per_row => (0, 50)) AS s FROM t.visits GROUP BY person, ward",
    );
    let table = preview(&format!("EXPLAIN PRIVACY {sql}"));
    let row = |item: &str, value: &str| vec![Scalar::Text(item.to_owned()), Scalar::Text(value.to_owned())];
    assert!(table.rows.contains(&row("per_unit_key_0", "ward")), "{:?}", table.rows);
    let summed = "sum(age) rows 0..50 by 1e0 less 0 within 0..200";
    assert!(table.rows.contains(&row("per_unit_0", summed)), "{:?}", table.rows);
    // What is told is what is added up, whatever it is called below, with its condition.
    let renamed = "SELECT SUM(n) FROM (SELECT person, COUNT(*) FILTER (WHERE age > 3) AS n
        FROM (SELECT person, grade AS age FROM t.visits WHERE smoker) AS b GROUP BY person) AS u";
    let text = format!("{:?}", preview(&format!("EXPLAIN PRIVACY {renamed}")).rows);
    assert!(text.contains("grade > 3") && !text.contains("age > 3") && text.contains("per_unit rows"), "{text}");
}
