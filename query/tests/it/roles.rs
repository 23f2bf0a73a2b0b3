//! Which columns a question uses in which roles, and what some row could fail.

use glovebox_policy::Reason;

use crate::support::Expect::{About, No, Yes};
use crate::support::{accepted, analyse_with, check};

#[test]
fn conditions_inside_aggregates_are_filters() {
    use glovebox_policy::RoleOfUse::{Aggregate, Filter};
    let roles = |sql: &str, column: &str| {
        let analysis = accepted(sql);
        let of = analysis.uses().iter().filter(|used| used.column.as_str() == column);
        of.map(|used| used.role).collect::<Vec<_>>()
    };
    assert_eq!(roles("SELECT SUM(age * 2 + 1) FROM t.visits", "age"), [Aggregate]);
    for hidden in [
        "COUNT(CASE WHEN person = 7 THEN 1 END)",
        "COUNT(NULLIF(person, 7))",
        "COUNT(1 / (person - 7))",
        "SUM(age * CASE WHEN person IN (7) THEN 1 ELSE 0 END)",
        "COUNT(TRY_CAST(person = 7 AS BIGINT))",
        "SUM(CAST(CAST(person - 7 AS BOOLEAN) AS BIGINT), contribution_bounds_per_row => (0, 1))",
        "COUNT(*) FILTER (WHERE person = 7)",
        "COUNT(DISTINCT person) FILTER (WHERE person = 7)",
    ] {
        assert_eq!(roles(&format!("SELECT {hidden} FROM t.visits"), "person"), [Aggregate, Filter], "{hidden}");
    }
    // Every question is about units, a count of rows too.
    assert_eq!(roles("SELECT COUNT(*) FROM t.visits", "person"), [Aggregate]);
}

#[test]
fn a_part_of_a_date_that_is_grouped_by_uses_its_column_so() {
    use glovebox_policy::RoleOfUse::Group;
    let analysis = accepted("SELECT COUNT(*) FROM t.visits GROUP BY EXTRACT(MONTH FROM day), DATE_PART('hour', at)");
    let grouped: Vec<&str> =
        analysis.uses().iter().filter(|used| used.role == Group).map(|used| used.column.as_str()).collect();
    assert_eq!(grouped, ["at", "day"]);
}

#[test]
fn casts_that_some_row_could_fail_are_refused() {
    for cast in ["CAST(CAST(free AS DATE) AS VARCHAR)", "CAST(day AS VARCHAR)", "CAST(at AS VARCHAR)"] {
        match analyse_with(&format!("SELECT COUNT({cast}) FROM t.visits"), &[]) {
            Ok(_) => panic!("accepted: {cast}"),
            Err(refusal) => assert_eq!(refusal.reason(), Reason::TypeRefused, "{cast}: {refusal}"),
        }
    }
}

/// Arrow's cast of an instant to a day fails on far years; ours counts days and has no calendar.
#[test]
fn the_day_of_an_instant_is_total() {
    check("SELECT COUNT(CAST(at AS DATE)) FROM t.visits", Yes);
}

#[test]
fn a_bound_on_the_group_bounds_the_row() {
    check("SELECT SUM(loose, contribution_bounds_per_group => (-1.5, 2.5)) FROM t.visits", Yes);
    check("SELECT SUM(free, contribution_bounds_per_group => (0, 3)) FROM t.visits", Yes);
}

#[test]
fn a_filter_of_an_aggregate_is_held_to_what_a_condition_is() {
    let ask = |condition: &str| format!("SELECT SUM(age) FILTER (WHERE {condition}) FROM t.visits");
    check(&ask("smoker AND CAST(at AS DATE) > day"), Yes);
    check(&ask("phone = '1'"), About(Reason::ColumnIsIdentifier, "phone"));
    // A whole number is a truth value here as in CASE; a day is none.
    check(&ask("age"), Yes);
    check(&ask("day"), No(Reason::TypeRefused));
    check(&ask("age > (SELECT 1)"), About(Reason::ClauseRefused, "a subquery"));
}
