//! No accepted question fails on any row: random expressions over rows of hard values, by both roads.

use proptest::prelude::*;
use proptest::sample::select;

use crate::data::{Place, cut, fold, folded, hard_rows, plain};

type Sql = BoxedStrategy<String>;

fn one_of(choices: &'static [&'static str]) -> Sql {
    select(choices).prop_map(str::to_owned).boxed()
}

/// Numbers, whole and not; the analysis coerces and says where that is impossible.
fn number(depth: u32) -> Sql {
    let leaf =
        one_of(&["x", "big", "c", "w", "g", "0", "1", "-1", "0.0", "2.5", "9223372036854775807", "NULL", "1e308"]);
    if depth == 0 {
        return leaf;
    }
    let n = || number(depth - 1);
    let two = |calls| (one_of(calls), n(), n());
    prop_oneof![
        2 => leaf,
        4 => two(&["+", "-", "*", "/", "%"]).prop_map(|(op, a, b)| format!("({a} {op} {b})")),
        2 => two(&["COALESCE", "NULLIF", "GREATEST", "LEAST"]).prop_map(|(f, a, b)| format!("{f}({a}, {b})")),
        2 => (one_of(&["SQRT", "LN", "EXP", "TAN", "ASIN", "COT", "SIGN", "CBRT", "ROUND", "TRUNC", "LOG", "SINH"]), n())
            .prop_map(|(f, a)| format!("{f}({a})")),
        1 => two(&["POWER", "LOG", "ATAN2", "MOD", "NANVL", "NVL"]).prop_map(|(f, a, b)| format!("{f}({a}, {b})")),
        1 => (one_of(&["GCD", "LCM", "ROUND", "TRUNC"]), one_of(&["x", "big", "g", "9223372036854775807"]), one_of(&["big", "-2", "0"]))
            .prop_map(|(f, a, b)| format!("{f}({a}, {b})")),
        2 => (one_of(&["CHAR_LENGTH", "OCTET_LENGTH", "ASCII", "BIT_LENGTH"]), text(depth - 1)).prop_map(|(f, a)| format!("{f}({a})")),
        1 => (text(depth - 1), text(depth - 1)).prop_map(|(a, b)| format!("STRPOS({a}, {b})")),
        2 => (one_of(&["ABS", "FLOOR", "CEIL", "-"]), n()).prop_map(|(f, a)| format!("{f}({a})")),
        2 => (one_of(&["BIGINT", "DOUBLE", "INT"]), prop_oneof![n(), text(depth - 1), truth(depth - 1), time(depth - 1)])
            .prop_map(|(t, a)| format!("CAST({a} AS {t})")),
        1 => (one_of(&["YEAR", "QUARTER", "MONTH", "WEEK", "DAY", "DOY", "DOW", "ISODOW", "HOUR", "SECOND"]), time(depth - 1))
            .prop_map(|(part, a)| format!("EXTRACT({part} FROM {a})")),
        1 => (truth(depth - 1), n(), n()).prop_map(|(c, a, b)| format!("CASE WHEN {c} THEN {a} ELSE {b} END")),
    ]
    .boxed()
}

fn truth(depth: u32) -> Sql {
    let leaf = one_of(&["flag", "TRUE", "NULL"]);
    if depth == 0 {
        return leaf;
    }
    let (n, t, c, d) = (|| number(depth - 1), || text(depth - 1), || truth(depth - 1), || time(depth - 1));
    let compare = || one_of(&["=", "<>", "<", "<=", ">", ">=", "IS DISTINCT FROM", "IS NOT DISTINCT FROM"]);
    prop_oneof![
        1 => leaf,
        4 => (compare(), n(), n()).prop_map(|(op, a, b)| format!("({a} {op} {b})")),
        2 => (compare(), t(), t()).prop_map(|(op, a, b)| format!("({a} {op} {b})")),
        1 => (compare(), d(), d()).prop_map(|(op, a, b)| format!("({a} {op} {b})")),
        1 => (compare(), n(), t()).prop_map(|(op, a, b)| format!("({a} {op} {b})")),
        2 => (one_of(&["AND", "OR"]), c(), c()).prop_map(|(op, a, b)| format!("({a} {op} {b})")),
        1 => c().prop_map(|a| format!("(NOT {a})")),
        1 => (c(), one_of(&["IS TRUE", "IS NOT TRUE", "IS FALSE", "IS UNKNOWN", "IS NOT UNKNOWN"]))
            .prop_map(|(a, is)| format!("({a} {is})")),
        1 => (prop_oneof![n(), t(), d()], one_of(&["IS NULL", "IS NOT NULL"])).prop_map(|(a, is)| format!("({a} {is})")),
        1 => (n(), n(), n()).prop_map(|(a, b, c)| format!("({a} NOT BETWEEN {b} AND {c})")),
        1 => (n(), n(), n()).prop_map(|(a, b, c)| format!("({a} IN ({b}, {c}))")),
        1 => (t(), t()).prop_map(|(a, b)| format!("({a} NOT IN ({b}, 'a', NULL))")),
        1 => t().prop_map(|a| format!("CAST({a} AS BOOLEAN)")),
        1 => (t(), one_of(&["LIKE '%1_'", "NOT ILIKE 'J%'", "~ '^[0-9]+$'", "!~* '(a|b)*c'", "LIKE ''"])).prop_map(|(a, p)| format!("({a} {p})")),
        1 => (one_of(&["STARTS_WITH", "ENDS_WITH", "CONTAINS"]), t(), t()).prop_map(|(f, a, b)| format!("{f}({a}, {b})")),
        1 => one_of(&["at > TIMESTAMP '2020-01-01 10:00:00'", "at = '1969-12-31'", "ISNAN(w)", "ISZERO(c)"]),
    ]
    .boxed()
}

fn text(depth: u32) -> Sql {
    let leaf = one_of(&["k", "note", "'12'", "'junk'", "'2020-01-01'", "''"]);
    if depth == 0 {
        return leaf;
    }
    let any = prop_oneof![number(depth - 1), truth(depth - 1), time(depth - 1)];
    prop_oneof![
        2 => leaf,
        2 => any.prop_map(|a| format!("CAST({a} AS VARCHAR)")),
        1 => (one_of(&["COALESCE", "NULLIF", "GREATEST", "LEAST"]), text(depth - 1), text(depth - 1))
            .prop_map(|(f, a, b)| format!("{f}({a}, {b})")),
        1 => (truth(depth - 1), text(depth - 1)).prop_map(|(c, a)| format!("CASE WHEN {c} THEN {a} END")),
        1 => (one_of(&["LOWER", "UPPER", "INITCAP", "REVERSE", "TRIM", "LTRIM"]), text(depth - 1)).prop_map(|(f, a)| format!("{f}({a})")),
        1 => (one_of(&["LEFT", "RIGHT", "SUBSTR", "LPAD", "RPAD"]), text(depth - 1), one_of(&["big", "x", "2", "-1"]))
            .prop_map(|(f, a, n)| format!("{f}({a}, {n})")),
        1 => (text(depth - 1), text(depth - 1), text(depth - 1)).prop_map(|(a, b, c)| format!("REPLACE({a}, {b}, {c})")),
        1 => (text(depth - 1), text(depth - 1)).prop_map(|(a, b)| format!("SPLIT_PART({a}, {b}, x)")),
        1 => (one_of(&["CONCAT", "CONCAT_WS"]), text(depth - 1), prop_oneof![number(depth - 1), truth(depth - 1)])
            .prop_map(|(f, a, b)| format!("{f}({a}, {b})")),
        1 => (text(depth - 1), text(depth - 1)).prop_map(|(a, b)| format!("({a} || {b})")),
    ]
    .boxed()
}

fn time(depth: u32) -> Sql {
    let leaf = one_of(&["day", "at", "DATE '2020-01-01'"]);
    if depth == 0 {
        return leaf;
    }
    let any = prop_oneof![text(depth - 1), time(depth - 1), Just("big".to_owned()), Just("w".to_owned())];
    prop_oneof![
        2 => leaf,
        2 => any.prop_map(|a| format!("CAST({a} AS DATE)")),
        1 => (time(depth - 1), time(depth - 1)).prop_map(|(a, b)| format!("COALESCE({a}, {b})")),
        1 => (one_of(&["year", "week", "month", "day", "hour"]), time(depth - 1))
            .prop_map(|(part, a)| format!("DATE_TRUNC('{part}', {a})")),
    ]
    .boxed()
}

#[test]
fn accepted_expressions_never_fail_and_both_roads_agree() {
    let place = Place::new();
    let name = place.add(&hard_rows());
    let mut accepted = 0;
    let mut config = ProptestConfig::with_cases(150);
    config.failure_persistence = None;
    let mut runner = proptest::test_runner::TestRunner::new_with_rng(
        config,
        proptest::test_runner::TestRng::deterministic_rng(proptest::test_runner::RngAlgorithm::ChaCha),
    );
    let accepted = std::cell::RefCell::new(&mut accepted);
    runner
        .run(&(number(3), truth(3)), |(value, condition)| {
            for sql in [
                format!("SELECT COUNT({value}) FROM {{t}}"),
                format!("SELECT SUM({value}, contribution_bounds_per_row => (-7, 1e6)) FROM {{t}} WHERE {condition}"),
                format!("SELECT k, COUNT(*) FROM {{t}} WHERE {condition} GROUP BY k"),
                format!(
                    "SELECT COUNT(p.weight), SUM(p.weight) FROM {{t}} AS t LEFT JOIN p.codes AS p ON p.code = {value}
                    WHERE {condition}"
                ),
                format!(
                    "SELECT EXTRACT(MONTH FROM at) AS m, DATE_TRUNC('week', day) AS w,
                    STDDEV({value}, contribution_bounds_per_row => (-7, 1e3)) FILTER (WHERE {condition}),
                    COUNT(DISTINCT person) FILTER (WHERE {condition}), VAR_POP(x) FROM {{t}} GROUP BY m, w"
                ),
                format!(
                    "SELECT COUNT(*), SUM(s / n, contribution_bounds_per_row => (-7, 9)) FROM (SELECT person,
                    SUM({value}, contribution_bounds_per_row => (-7, 1e6)) AS s, COUNT({value}) AS n FROM {{t}}
                    GROUP BY person HAVING COUNT(CASE WHEN {condition} THEN 1 END) > 0) AS u WHERE s % n IS NOT NULL"
                ),
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
    assert!(accepted > 200, "only {accepted} questions were accepted");
}
/// Rows are read on threads with ordinary stacks.
#[test]
fn the_longest_accepted_expressions_are_evaluated() {
    let place = Place::new();
    let name = place.add(&hard_rows());
    for sql in [
        format!("SELECT SUM(x{}, contribution_bounds_per_row => (0, 9)) FROM {{t}}", " + 1".repeat(120)),
        format!("SELECT COUNT(*) FROM {{t}} WHERE x{} >= 0", " / 3".repeat(120)),
        format!("SELECT COUNT(*) FROM {{t}} WHERE {} flag", "NOT ".repeat(120)),
        format!("SELECT COUNT(*) FROM {{t}} WHERE flag{}", " OR flag".repeat(120)),
        format!("SELECT COUNT(COALESCE(note{})) FROM {{t}}", ", k".repeat(480)),
        format!("SELECT COUNT(GREATEST(note{})) FROM {{t}}", ", k".repeat(480)),
        format!("SELECT COUNT({}x{}) FROM {{t}}", "FLOOR(".repeat(28), ")".repeat(28)),
        format!("SELECT COUNT({}x{}) FROM {{t}}", "CASE WHEN flag THEN ".repeat(28), " END".repeat(28)),
    ] {
        let analysis = place.analyse(&sql, &name);
        folded(&analysis, &sql, cut(2, 8192));
    }
}
