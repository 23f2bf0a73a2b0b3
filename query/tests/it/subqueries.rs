//! WITH and subqueries in FROM: the same question as the one without them, and nothing that is known of a column goes on under
//! its name once the name means something else.

use glovebox_policy::Reason::{
    AggregateRefused, BoundsMissing, ClauseRefused, ColumnIsIdentifier, ColumnUnknown, GroupKeyNotPublic, SqlSyntax,
    TableUnknown,
};

use crate::support::Expect::{About, No, Yes};
use crate::support::{accepted, check_all, request};

#[test]
fn a_question_through_subqueries_is_the_question() {
    let flat = request("SELECT ward, COUNT(DISTINCT person), AVG(age) FROM t.visits WHERE age > 30 GROUP BY ward");
    for sql in [
        "WITH a AS (SELECT person, age, ward FROM t.visits WHERE age > 30)
            SELECT ward, COUNT(DISTINCT person) AS n, AVG(age) AS m FROM a GROUP BY ward",
        "WITH a (who, old, place) AS (SELECT person, age, ward FROM t.visits WHERE age > 30)
            SELECT place, COUNT(DISTINCT who), AVG(old) FROM a GROUP BY place",
        "WITH a AS (SELECT * FROM t.visits), b AS (SELECT ward AS w, age AS x, person AS p FROM a), c AS (SELECT * FROM b)
            SELECT w, COUNT(DISTINCT p), AVG(x) FROM c AS d WHERE d.x > 30 GROUP BY w",
        "WITH unused AS (SELECT COUNT(*) FROM t.other), A AS (SELECT * FROM t.visits)
            SELECT ward, COUNT(DISTINCT person), AVG(age) FROM a WHERE age > 30 GROUP BY ward ORDER BY 2 LIMIT 1",
        "WITH a AS (SELECT ward, COUNT(DISTINCT person) AS n, AVG(age) AS m FROM t.visits WHERE age > 30 GROUP BY ward)
            SELECT * FROM a WHERE n > 3",
        "SELECT s.* FROM (SELECT ward, COUNT(DISTINCT person), AVG(age) FROM
            (SELECT * FROM t.visits WHERE age > 30) AS v GROUP BY ward) AS s",
    ] {
        assert_eq!(request(sql), flat, "{sql}");
    }
}

#[test]
fn options_belong_to_the_select_of_the_statement() {
    let with = "WITH a AS (SELECT age FROM t.visits) SELECT WITH DIFFERENTIAL_PRIVACY";
    let analysis = accepted(&format!("EXPLAIN PRIVACY {with} OPTIONS (epsilon = 0.25, delta = 1e-8) SUM(age) FROM a"));
    assert!(analysis.is_preview());
    assert_eq!((analysis.ask().epsilon.nano(), analysis.ask().delta), (250_000_000, 1e-8));
    check_all([
        (format!("{with} SUM(age) FROM a"), Yes),
        (format!("{with} OPTIONS () SUM(age, contribution_bounds_per_row => (0, 3)) FROM a"), Yes),
        (format!("{with} OPTIONS (epsilon = 1 SUM(age) FROM a"), About(SqlSyntax, "")),
        (
            "WITH a AS (SELECT WITH DIFFERENTIAL_PRIVACY age FROM t.visits) SELECT SUM(age) FROM a".to_owned(),
            About(SqlSyntax, ""),
        ),
    ]);
}

/// A select item that holds bounds has its own name below, too.
#[test]
fn columns_are_named_without_what_was_lifted_out() {
    let sql = "WITH a AS (SELECT ward, SUM(free, contribution_bounds_per_row => (0, 3)) FROM t.visits GROUP BY ward) SELECT * FROM a";
    let names: Vec<String> = accepted(sql).columns().iter().map(|column| column.name.clone()).collect();
    assert_eq!(names, ["ward", "sum(free)"]);
}

#[test]
fn what_with_does_not_do() {
    let chain = |length: usize| {
        let links = (1..length).map(|i| format!(", a{i} AS (SELECT age FROM a{})", i - 1)).collect::<String>();
        format!("WITH a0 AS (SELECT age FROM t.visits){links} SELECT SUM(age) FROM a{}", length - 1)
    };
    check_all([
        (chain(7), Yes),
        (chain(8), About(ClauseRefused, "nested subqueries")),
        (
            "WITH a AS (SELECT age FROM b), b AS (SELECT age FROM t.visits) SELECT SUM(age) FROM a".to_owned(),
            About(TableUnknown, "b"),
        ),
        ("WITH a AS (SELECT age FROM a) SELECT SUM(age) FROM a".to_owned(), About(TableUnknown, "a")),
        (
            "WITH a AS (SELECT age FROM t.visits), A AS (SELECT 1) SELECT SUM(age) FROM a".to_owned(),
            About(SqlSyntax, "two WITH"),
        ),
        (
            "WITH \"t.visits\" AS (SELECT free AS age FROM t.other) SELECT SUM(age) FROM t.visits".to_owned(),
            About(SqlSyntax, "t.visits"),
        ),
        (
            "WITH a AS (SELECT age FROM t.visits LIMIT 3) SELECT SUM(age) FROM a".to_owned(),
            About(ClauseRefused, "LIMIT below"),
        ),
        (
            "WITH a AS (SELECT DISTINCT age FROM t.visits) SELECT SUM(age) FROM a".to_owned(),
            About(ClauseRefused, "an aggregate of"),
        ),
        ("WITH a AS (SELECT age FROM t.visits) SELECT SUM(free) FROM a".to_owned(), About(ColumnUnknown, "free")),
        (
            "WITH a AS (SELECT age FROM t.visits) DELETE FROM t.visits".to_owned(),
            No(glovebox_policy::Reason::StatementRefused),
        ),
        (
            "WITH a AS (SELECT age FROM t.visits) SELECT SUM(age) FROM a WHERE age > (SELECT AVG(age) FROM a)"
                .to_owned(),
            About(ClauseRefused, "a subquery in an expression"),
        ),
        (
            "WITH a AS (SELECT age FROM t.visits WHERE age > (SELECT AVG(age) FROM t.other)) SELECT SUM(age) FROM a"
                .to_owned(),
            About(ClauseRefused, "a subquery in an expression"),
        ),
    ]);
}

#[test]
fn a_redefined_column_is_not_the_column() {
    let cases = [
        // Bounds.
        ("SELECT free AS age FROM t.visits", "SUM(age)", About(BoundsMissing, "free")),
        ("SELECT age + free AS age FROM t.visits", "SUM(age)", About(BoundsMissing, "age + free")),
        ("SELECT cost AS age, age AS cost FROM t.visits", "SUM(age), AVG(cost)", Yes),
        // The unit.
        (
            "SELECT age AS person FROM t.visits",
            "COUNT(DISTINCT person)",
            About(AggregateRefused, "count(DISTINCT person)"),
        ),
        (
            "SELECT person + 0 AS person FROM t.visits",
            "COUNT(DISTINCT person)",
            About(AggregateRefused, "count(DISTINCT person)"),
        ),
        (
            "SELECT 1 AS person FROM t.visits",
            "COUNT(DISTINCT person)",
            About(AggregateRefused, "count(DISTINCT person)"),
        ),
        ("SELECT person AS age, age AS person FROM t.visits", "COUNT(DISTINCT age)", Yes),
        // Identifiers.
        ("SELECT phone AS age FROM t.visits", "COUNT(age)", About(ColumnIsIdentifier, "phone")),
        ("SELECT age FROM t.visits WHERE phone IS NULL", "COUNT(age)", About(ColumnIsIdentifier, "phone")),
    ];
    let sql = |(below, above, expect): (&str, &str, _)| (format!("WITH s AS ({below}) SELECT {above} FROM s"), expect);
    check_all(cases.map(sql));
    // Keys.
    let sql = |(below, key, expect): (&str, &str, _)| {
        (format!("WITH s AS ({below}) SELECT COUNT(*) FROM s GROUP BY {key}"), expect)
    };
    check_all(
        [
            ("SELECT age AS ward FROM t.visits", "ward", About(GroupKeyNotPublic, "age")),
            ("SELECT note AS ward, ward AS note FROM t.visits", "ward", About(GroupKeyNotPublic, "note")),
            ("SELECT note AS ward, ward AS note FROM t.visits", "note", Yes),
            (
                "SELECT CASE WHEN smoker THEN ward ELSE note END AS ward FROM t.visits",
                "ward",
                About(GroupKeyNotPublic, "CASE"),
            ),
            (
                "SELECT at AS day FROM t.visits",
                "EXTRACT(YEAR FROM day)",
                About(GroupKeyNotPublic, "EXTRACT(YEAR FROM at)"),
            ),
        ]
        .map(sql),
    );
}

/// Bounds of what is computed below are those of the computation.
#[test]
fn bounds_go_on_through_expressions() {
    let sql = "WITH s AS (SELECT age * 2 AS age FROM t.visits) SELECT SUM(age) FROM s";
    let linf: Vec<u64> = accepted(sql).noise().families().iter().map(|family| family.linf).collect();
    assert_eq!(linf, [4 * 240]);
}
