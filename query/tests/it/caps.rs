//! Caps at their limit and one beyond, and statements that end other parsers.

use glovebox_policy::Reason::{
    BoundsMissing, ClauseRefused, ExpressionRefused, OverflowPossible, SqlTooLong, SqlTooManyOperators,
    SqlTooManyTokens, TooManyGroups,
};
use glovebox_query::guard::{SQL_MAX_BYTES, SQL_MAX_DEPTH, SQL_MAX_OPERATORS, SQL_MAX_TOKENS};

use crate::support::Expect::{About, No, Yes};
use crate::support::{accepted, analyse, check};

fn where_(condition: &str) -> String {
    format!("SELECT COUNT(*) FROM t.visits WHERE {condition}")
}

/// `SELECT`, the star of `COUNT(*)`, and nothing else counts as an operator here.
const BASE_OPERATORS: usize = 2;

#[test]
fn bytes() {
    let fill = |bytes: usize| {
        let base = where_("note = ''");
        base.replace("''", &format!("'{}'", "a".repeat(bytes - base.len())))
    };
    check(&fill(SQL_MAX_BYTES), Yes);
    check(&fill(SQL_MAX_BYTES + 1), No(SqlTooLong));
    check(&fill(5_000_000), No(SqlTooLong));
    check(&format!("SELECT COUNT(*) FROM t.visits {}", " ".repeat(SQL_MAX_BYTES)), No(SqlTooLong));
    check(&"(".repeat(SQL_MAX_BYTES), No(SqlTooManyTokens));
}

#[test]
fn tokens() {
    // `COALESCE(1, 1, …)` has no operators: only tokens grow.
    let tokens = |count: usize| {
        let base = "SELECT COUNT ( * ) FROM t . visits WHERE note = COALESCE ( 'a' )".split(' ').count();
        format!("SELECT COUNT(*) FROM t.visits WHERE note = COALESCE('a'{})", ", 'a'".repeat((count - base) / 2))
    };
    // Within the caps of text, and still too large once COALESCE says its arguments twice.
    check(&tokens(100), Yes);
    check(&tokens(SQL_MAX_TOKENS), Yes);
    check(&tokens(SQL_MAX_TOKENS + 2), No(SqlTooManyTokens));
}

#[test]
fn operators() {
    let plus = |count: usize| where_(&format!("age{} > 0", " + 1".repeat(count - BASE_OPERATORS - 1)));
    check(&plus(SQL_MAX_OPERATORS), Yes);
    check(&plus(SQL_MAX_OPERATORS + 1), No(SqlTooManyOperators));
    check(&plus(2_000), No(SqlTooManyTokens));
    let or = |count: usize| where_(&format!("smoker{}", " OR smoker".repeat(count - BASE_OPERATORS)));
    check(&or(SQL_MAX_OPERATORS), Yes);
    check(&or(SQL_MAX_OPERATORS + 1), No(SqlTooManyOperators));
    check(&where_(&format!("smoker{}", " OR smoker".repeat(6_000))), No(SqlTooLong));
    check(&where_(&format!("a{}", " OR a".repeat(400))), No(SqlTooManyOperators));
    check(&where_(&format!("{} smoker", "NOT ".repeat(120))), Yes);
    check(&where_(&format!("{} smoker", "NOT ".repeat(500))), No(SqlTooManyOperators));
    check(&where_(&format!("{}age > 0", "- ".repeat(500))), No(SqlTooManyOperators));
}

#[test]
fn nesting() {
    let nest = |depth: usize| where_(&format!("{}smoker{}", "(".repeat(depth), ")".repeat(depth)));
    check(&nest(SQL_MAX_DEPTH), Yes);
    check(&nest(SQL_MAX_DEPTH + 1), No(SqlTooManyOperators));
    check(&nest(4_000), No(SqlTooManyTokens));
    check(&nest(490), No(SqlTooManyOperators));
    let case =
        |depth: usize| where_(&format!("{}smoker{}", "CASE WHEN ".repeat(depth), " THEN TRUE END".repeat(depth)));
    check(&case(SQL_MAX_DEPTH), Yes);
    check(&case(SQL_MAX_DEPTH + 1), No(SqlTooManyOperators));
    // END closes a CASE and nothing else.
    check(&where_(&format!("{}smoker{}", "end(".repeat(300), ")".repeat(300))), No(SqlTooManyOperators));
    check(&where_(&format!("{}age[1]", "age[".repeat(100))), No(SqlTooManyOperators));
}

#[test]
fn in_lists() {
    let list = |count: usize| where_(&format!("age IN ({})", vec!["1"; count].join(",")));
    check(&list(100), Yes);
    check(&list(101), No(SqlTooManyOperators));
    check(&list(10_000), No(SqlTooLong));
    check(&list(495), No(SqlTooManyTokens));
}

#[test]
fn expressions_that_multiply() {
    // y is a sum of `terms` x, each of which is a sum of `terms` of the next one down.
    let towers = |terms: usize, levels: usize| {
        let sum = |name: &str| vec![name; terms].join("+");
        let mut from = "t.visits".to_owned();
        for _ in 0..levels {
            from = format!("(SELECT {} AS age FROM {from})", sum("age"));
        }
        format!("SELECT SUM({}) FROM {from}", sum("age"))
    };
    check(&towers(2, 3), Yes);
    check(&towers(2, 4), Yes);
    check(&towers(20, 4), No(SqlTooManyOperators));
    check(&towers(24, 4), No(SqlTooManyOperators));
    // Rewriting says the argument twice or three times at every level.
    let nested = |call: &str, levels: usize| {
        let (open, close) = call.split_once('x').unwrap();
        format!("SELECT SUM({}age{}) FROM t.visits", open.repeat(levels), close.repeat(levels))
    };
    check(&nested("ABS(x)", 3), Yes);
    check(&nested("COALESCE(x, 1)", 5), Yes);
    for call in ["COALESCE(x, 1)", "COALESCE(1, x)"] {
        let outcome = analyse(&nested(call, 30));
        assert!(outcome.is_err() || call.starts_with("COALESCE(1"), "{call}");
    }
    check(&nested("ABS(x)", 30), Yes);
    check(&nested("COALESCE(x, 1)", 30), No(SqlTooManyOperators));
    // Many large expressions, each within its own cap.
    let many = (0..40).map(|i| format!("SUM(y, contribution_bounds_per_row => (0, {}))  AS s{i}", i + 1));
    let ladder = vec!["age"; 60].join("+");
    let from = format!("(SELECT x+x+x+x AS y FROM (SELECT {ladder} AS x FROM t.visits))");
    let sql = format!("SELECT {} FROM {from}", many.collect::<Vec<_>>().join(", "));
    check(&sql, No(SqlTooManyOperators));
}

#[test]
fn groups_and_sums() {
    check("SELECT COUNT(*) FROM t.visits GROUP BY ward, grade, smoker", Yes);
    assert_eq!(accepted("SELECT COUNT(*) FROM t.visits GROUP BY ward, grade, smoker").noise().groups(), 4 * 4 * 3);
    check("SELECT COUNT(*) FROM t.wide GROUP BY a, b", Yes);
    check("SELECT COUNT(*) FROM t.wide GROUP BY a, b, c", No(TooManyGroups));
    check("SELECT SUM(free * free) FROM t.visits", About(BoundsMissing, "free * free"));
    check("SELECT SUM(age * 1000000000000000) FROM t.visits", No(OverflowPossible));
    check("SELECT COUNT(*) FROM t.visits GROUP BY ()", No(ClauseRefused));
}

#[test]
fn the_service_goes_on_after_every_one_of_them() {
    for hostile in
        ["(".repeat(4_000), "SELECT ".repeat(900), "NOT ".repeat(4_000), "'".repeat(16_001), "/*".repeat(8_000)]
    {
        assert!(analyse(&hostile).is_err());
    }
    check("SELECT COUNT(*) FROM t.visits", Yes);
}

/// A question can make a text long for the rows of one unit alone: every row is given the time of the longest, so that nothing is seen in it.
#[test]
fn texts_that_are_made_and_looked_through_take_the_time_of_the_longest() {
    let rows = 1_000 * 4;
    let steps = |value: &str| accepted(&format!("SELECT COUNT({value}) FROM t.visits")).work().steps / rows;
    let plain = steps("note");
    for (value, bytes) in [
        ("UPPER(note)", 1_024),
        ("LPAD(CASE WHEN age = 7 THEN note END, 1024, 'z')", 1_024),
        ("TRANSLATE(note, 'abc', 'xyz')", 10 * 1_024),
        ("BTRIM(note, 'abc')", 10 * 1_024),
        ("CASE WHEN note LIKE '%a%b' THEN 1 END", 200 * 1_024),
        ("CASE WHEN REGEXP_LIKE(note, '[ab]*a[ab]{9}c') THEN 1 END", 200 * 1_024),
    ] {
        assert!(steps(value) >= plain + bytes, "{value}: {}", steps(value));
    }
    let nested =
        |times: usize| format!("SELECT COUNT({}note{}) FROM t.visits", "UPPER(".repeat(times), ")".repeat(times));
    check(&nested(16), Yes);
    check(&nested(17), No(SqlTooManyOperators));
    check("SELECT COUNT(*) FROM t.visits WHERE REGEXP_LIKE(note, '[ab]*a[ab]{1800}c')", About(ExpressionRefused, ""));
}
