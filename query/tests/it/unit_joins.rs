//! Joins of two datasets, unit by unit: which are accepted, what is told of them, and what they ask leave for.

use glovebox_policy::Reason::{
    AggregateRefused, BoundsMissing, ClauseRefused, ColumnIsIdentifier, ColumnUnknown, GroupKeyNotPublic, JoinRefused,
    TypeRefused,
};
use glovebox_policy::RoleOfUse::{Aggregate, Filter, Group, Join};
use glovebox_privacy::Scalar;

use crate::support::Expect::{About, No, Yes};
use crate::support::{accepted, check_all, preview, request};

#[test]
fn what_is_joined_and_what_is_not() {
    check_all([
        ("SELECT COUNT(*) FROM t.visits a JOIN t.other b ON a.person = b.person", Yes),
        ("SELECT COUNT(*) FROM t.visits a JOIN t.other b USING (person)", Yes),
        ("SELECT SUM(b.age - a.age) FROM t.visits a LEFT JOIN t.other b ON b.person = a.person", Yes),
        ("SELECT COUNT(*) FROM t.visits a JOIN t.visits b ON a.person = b.person AND a.day < b.day", Yes),
        (
            "SELECT COUNT(*) FROM t.visits a JOIN ref.wards w ON a.ward = w.ward JOIN t.other b ON b.person = a.person",
            Yes,
        ),
        (
            "SELECT COUNT(*) FROM t.visits a JOIN t.other b ON b.person = a.person JOIN ref.wards w ON b.ward = w.ward",
            Yes,
        ),
        (
            "SELECT COUNT(*) FROM (SELECT person AS p, age AS o FROM t.visits WHERE smoker) a JOIN t.other b ON a.p = b.person",
            Yes,
        ),
        ("SELECT COUNT(DISTINCT b.person) FROM t.visits a JOIN t.other b ON a.person = b.person", Yes),
        (
            "SELECT AVG(n) FROM (SELECT b.person, COUNT(*) AS n FROM t.visits a JOIN t.other b USING (person) GROUP BY b.person) u",
            Yes,
        ),
        // What is not the unit's own, or not all of it.
        (
            "SELECT COUNT(*) FROM t.visits a JOIN t.other b ON a.age = b.age",
            About(JoinRefused, "two datasets with units but not ON the whole unit: visits.person = other.person"),
        ),
        (
            "SELECT COUNT(*) FROM t.visits a JOIN t.other b ON a.person = b.person + 0",
            About(JoinRefused, "two datasets with units"),
        ),
        (
            "SELECT COUNT(*) FROM t.visits a JOIN t.other b ON a.person = b.age",
            About(JoinRefused, "two datasets with units"),
        ),
        (
            "SELECT COUNT(*) FROM t.visits a JOIN t.other b ON a.person = b.person OR a.age = 3",
            About(JoinRefused, "two datasets with units"),
        ),
        (
            "SELECT COUNT(*) FROM t.visits a JOIN t.other b ON NOT a.person <> b.person",
            About(JoinRefused, "two datasets with units"),
        ),
        (
            "SELECT COUNT(*) FROM t.visits a JOIN t.other b ON a.person IS NOT DISTINCT FROM b.person",
            About(JoinRefused, "two datasets with units"),
        ),
        (
            "SELECT COUNT(*) FROM t.visits a JOIN t.other b ON CAST(a.person AS BOOLEAN) = CAST(b.person AS BOOLEAN)",
            About(JoinRefused, "two datasets with units"),
        ),
        (
            "SELECT COUNT(*) FROM t.visits a JOIN t.other b ON a.person = a.person AND b.person = b.person",
            About(JoinRefused, "two datasets with units"),
        ),
        (
            "SELECT COUNT(*) FROM t.visits a JOIN t.other b ON a.person = 1 AND b.person = 1",
            About(JoinRefused, "two datasets with units"),
        ),
        (
            "SELECT COUNT(*) FROM (SELECT age AS person, person AS age FROM t.visits) a JOIN t.other b USING (person)",
            About(JoinRefused, "two datasets with units"),
        ),
        (
            "SELECT COUNT(*) FROM (SELECT person + 1 AS person FROM t.visits) a JOIN t.other b USING (person)",
            About(JoinRefused, "two datasets with units"),
        ),
        // What are not the same persons, or do not pay from one budget, or would be too many.
        (
            "SELECT COUNT(*) FROM t.visits a JOIN t.plates b USING (person)",
            About(JoinRefused, "t.visits with t.plates: their units are of different id-spaces"),
        ),
        (
            "SELECT COUNT(*) FROM t.visits a JOIN t.apart b USING (person)",
            About(JoinRefused, "t.visits with t.apart: they are of different budget domains"),
        ),
        (
            "SELECT COUNT(*) FROM t.visits a JOIN t.notes b ON a.person = b.person",
            About(JoinRefused, "t.visits with t.notes: their units are named by columns of different kinds"),
        ),
        (
            "SELECT COUNT(*) FROM t.visits a JOIN t.long b USING (person)",
            About(JoinRefused, "t.visits with t.long: a unit could have 80000 rows"),
        ),
        (
            "SELECT COUNT(*) FROM t.visits a JOIN t.other b USING (person) JOIN t.visits c USING (person)",
            About(JoinRefused, "three datasets with units"),
        ),
        // Other forms.
        (
            "SELECT COUNT(*) FROM t.visits a RIGHT JOIN t.other b ON a.person = b.person",
            About(JoinRefused, "RIGHT JOIN"),
        ),
        ("SELECT COUNT(*) FROM t.visits a FULL JOIN t.other b ON a.person = b.person", About(JoinRefused, "FULL JOIN")),
        ("SELECT COUNT(*) FROM t.visits a CROSS JOIN t.other b", About(JoinRefused, "CROSS JOIN")),
        (
            "SELECT COUNT(*) FROM t.visits a, t.other b WHERE a.person = b.person",
            About(ClauseRefused, "FROM with several datasets"),
        ),
        (
            "SELECT COUNT(*) FROM t.visits a LEFT SEMI JOIN t.other b ON a.person = b.person",
            About(JoinRefused, "a join that is neither"),
        ),
        (
            "SELECT COUNT(*) FROM t.visits a LEFT ANTI JOIN t.other b ON a.person = b.person",
            About(JoinRefused, "a join that is neither"),
        ),
        (
            "SELECT COUNT(*) FROM t.visits a LEFT JOIN t.other b ON a.person = b.person AND b.age > 3",
            About(JoinRefused, "LEFT JOIN ON more than the equality of the unit"),
        ),
        (
            "SELECT COUNT(*) FROM t.visits a JOIN (SELECT * FROM t.other) b ON a.person = b.person",
            About(JoinRefused, "a subquery after JOIN"),
        ),
        (
            "SELECT COUNT(*) FROM (SELECT person, COUNT(*) AS n FROM t.visits GROUP BY person) a JOIN t.other b ON a.person = b.person",
            About(JoinRefused, "a join above an aggregate"),
        ),
        // What is known of a column is known of that column.
        ("SELECT SUM(b.free) FROM t.visits a JOIN t.other b USING (person)", About(BoundsMissing, "")),
        (
            "SELECT COUNT(*) FROM t.visits a JOIN t.other b USING (person) WHERE b.phone = 'x'",
            About(ColumnIsIdentifier, ""),
        ),
        (
            "SELECT COUNT(*) FROM t.visits a JOIN t.other b ON a.person = b.person AND a.phone = b.phone",
            About(ColumnIsIdentifier, ""),
        ),
        (
            "SELECT b.age, COUNT(*) FROM t.visits a JOIN t.other b USING (person) GROUP BY b.age",
            About(GroupKeyNotPublic, ""),
        ),
        ("SELECT COUNT(DISTINCT b.ward) FROM t.visits a JOIN t.other b USING (person)", About(AggregateRefused, "")),
        (
            "SELECT COUNT(DISTINCT b.person) FROM t.visits a LEFT JOIN t.other b USING (person)",
            About(AggregateRefused, ""),
        ),
        ("SELECT COUNT(*) FROM t.visits a JOIN t.other b ON a.person = b.person AND a.age", No(TypeRefused)),
        ("SELECT SUM(\"t.other[unit].age\") FROM t.visits a JOIN t.other b USING (person)", About(ColumnUnknown, "t")),
    ]);
}

/// Sizes multiply: a unit has as many rows after the join as there are pairs of its rows.
#[test]
fn a_unit_may_have_as_many_rows_as_pairs() {
    let said = |sql: &str, item: &str| {
        let rows = preview(sql).rows;
        let found = rows.into_iter().find(|row| row.first() == Some(&Scalar::Text(item.to_owned())));
        found.map(|row| format!("{:?}", row.last().unwrap())).unwrap_or_default()
    };
    let join = "SELECT COUNT(*) FROM t.visits a JOIN t.other b USING (person)";
    assert!(said(join, "joined").contains("t.other, unit by unit: at most 4 rows of a unit there, 16 after the join"));
    assert!(said(&join.replace(" JOIN", " LEFT JOIN"), "joined").contains("a unit without any is kept"));
    let linf = |sql: &str| accepted(sql).noise().families().iter().map(|family| family.linf).collect::<Vec<_>>();
    assert_eq!(linf(join), [16]);
    assert_eq!(linf("SELECT SUM(b.age) FROM t.visits a JOIN t.other b USING (person)"), [16 * 120]);
    assert_eq!(linf("SELECT SUM(a.age) FROM t.visits a LEFT JOIN t.other b USING (person)"), [16 * 120]);
    let level = "SELECT SUM(n) FROM (SELECT a.person, COUNT(*) AS n FROM t.visits a JOIN t.other b USING (person) GROUP BY a.person) u";
    assert_eq!(linf(level), [16]);
    let work = |sql: &str| accepted(sql).work().steps;
    assert!(work(join) > 4 * work("SELECT COUNT(*) FROM t.visits"), "time is reserved for the pairs");
}

#[test]
fn spellings_of_one_join_are_one_request_and_other_joins_are_others() {
    let same = [
        "SELECT b.ward, SUM(a.age) FROM t.visits a JOIN t.other b ON a.person = b.person WHERE b.age > 3 GROUP BY b.ward",
        "SELECT y.ward, SUM(x.age) FROM t.visits x JOIN t.other y ON y.person = x.person AND 3 < y.age GROUP BY y.ward",
        "SELECT y.ward, SUM(x.age) FROM t.visits x JOIN t.other y USING (person) WHERE y.age > 3 GROUP BY y.ward",
        "SELECT b.ward, SUM(o) FROM (SELECT age AS o, person AS p FROM t.visits) a JOIN t.other b ON a.p = b.person WHERE b.age > 3 GROUP BY b.ward",
    ];
    assert_eq!(request(same[0]), request(same[2]));
    assert_eq!(request(same[0]), request(same[3]));
    let other = [
        same[0].replace(" JOIN", " LEFT JOIN"),
        same[0].replace("t.other", "t.visits"),
        same[0].replace("SUM(a.age)", "SUM(b.age)"),
        same[0].replace("b.ward", "a.ward"),
        same[0].replace("b.age > 3", "a.age > 3"),
        same[0].replace("t.visits", "t.fewer"),
    ];
    let mut digests: Vec<_> = other.iter().map(|sql| request(sql)).chain([request(same[0])]).collect();
    digests.sort_unstable();
    digests.dedup();
    assert_eq!(digests.len(), other.len() + 1);
}

/// The unit of the second dataset is the unit, by whatever side it is named.
#[test]
fn the_unit_has_one_name_where_only_pairs_are_kept() {
    let join = "FROM t.visits a JOIN t.other b ON a.person = b.person";
    assert_eq!(
        request(&format!("SELECT COUNT(DISTINCT a.person) {join}")),
        request(&format!("SELECT COUNT(DISTINCT b.person) {join}"))
    );
    assert_eq!(
        request(&format!("SELECT COUNT(*) {join} WHERE a.person > 2")),
        request(&format!("SELECT COUNT(*) {join} WHERE b.person > 2"))
    );
}

#[test]
fn columns_of_both_datasets_need_leave() {
    let roles = |sql: &str, of: Option<&str>, column: &str| {
        let analysis = accepted(sql);
        let uses = analysis.uses().iter();
        let found = uses.filter(|used| {
            used.dataset.as_ref().map(ToString::to_string).as_deref() == of && used.column.as_str() == column
        });
        found.map(|used| used.role).collect::<Vec<_>>()
    };
    let join = "FROM t.visits a JOIN t.other b ON a.person = b.person";
    let there = Some("t.other");
    assert_eq!(roles(&format!("SELECT COUNT(*) {join}"), None, "person"), [Aggregate, Join]);
    assert_eq!(roles(&format!("SELECT COUNT(*) {join}"), there, "person"), [Join]);
    assert_eq!(roles(&format!("SELECT SUM(b.age) {join} WHERE b.smoker GROUP BY b.ward"), there, "age"), [Aggregate]);
    assert_eq!(roles(&format!("SELECT SUM(b.age) {join} WHERE b.smoker GROUP BY b.ward"), None, "age"), []);
    assert_eq!(roles(&format!("SELECT SUM(b.age) {join} WHERE b.smoker GROUP BY b.ward"), there, "smoker"), [Filter]);
    assert_eq!(roles(&format!("SELECT SUM(b.age) {join} WHERE b.smoker GROUP BY b.ward"), there, "ward"), [Group]);
    assert_eq!(
        roles(&format!("SELECT COUNT(CASE WHEN b.age > a.age THEN 1 END) {join}"), there, "age"),
        [Aggregate, Filter]
    );
    assert_eq!(roles(&format!("SELECT COUNT(*) {join} AND a.day < b.day"), there, "day"), [Filter]);
    let public = format!("SELECT SUM(w.beds) {join} JOIN ref.wards w ON w.ward = b.ward");
    assert_eq!(roles(&public, there, "ward"), [Aggregate, Filter, Join]);
    assert_eq!(roles(&public, None, "ward"), []);
    let level = format!("SELECT SUM(s) FROM (SELECT a.person, SUM(b.age) AS s {join} GROUP BY a.person) u WHERE s > 3");
    assert_eq!(roles(&level, there, "age"), [Aggregate, Filter]);
}
