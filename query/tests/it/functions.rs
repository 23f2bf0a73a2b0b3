//! What an analyst may call, in which roles it uses its columns, and what hostile calls come to.

use std::time::{Duration, Instant};

use glovebox_policy::Reason::{
    BoundsMissing, ExpressionRefused, FunctionRefused, OverflowPossible, SqlTooManyOperators, TypeRefused,
};
use glovebox_policy::RoleOfUse::{Aggregate, Filter, Group};

use crate::support::Expect::{About, No, Yes};
use crate::support::{accepted, analyse, check, check_all, request};

/// The page is the table, printed.
#[test]
fn the_page_of_functions_is_the_table() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/functions.md");
    let page = glovebox_query::functions::page();
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(path, &page).unwrap();
    }
    let found = std::fs::read_to_string(path).unwrap_or_default();
    assert!(found == page, "docs/functions.md is not what the table says; BLESS=1 writes it anew");
}

/// Numbers that need no written bounds, from declared ones alone.
const BOUNDED: [&str; 46] = [
    "cost * (1 - weight / 10)",
    "ROUND(cost)",
    "ROUND(cost, 1)",
    "ROUND(age, -1)",
    "TRUNC(cost / 3, 2)",
    "ABS(weight)",
    "SIGN(weight)",
    "SIGNUM(age - 40)",
    "CEILING(cost)",
    "SQRT(cost)",
    "SQRT(weight)",
    "CBRT(weight)",
    "EXP(weight)",
    "LN(1 + cost)",
    "LOG(10, 1 + cost)",
    "LOG(1 + cost)",
    "LOG2(1 + cost)",
    "LOG10(1 + cost)",
    "POWER(cost, 2)",
    "POW(weight, 3)",
    "POWER(1 + cost, 0.5)",
    "SIN(RADIANS(weight)) + COS(cost) + PI()",
    "DEGREES(ATAN2(weight, cost))",
    "TANH(weight)",
    "GCD(age, 12)",
    "FACTORIAL(grade) / 1000000000",
    "MOD(age, 10)",
    "age % 10",
    "age / grade",
    "cost / (1 + age)",
    "NVL(age, 0)",
    "IFNULL(age, 18)",
    "NVL2(note, 1, 0)",
    "NANVL(cost, 0)",
    "NULLIF(age, 99)",
    "LEAST(GREATEST(free, 0), 10)",
    "LEAST(GREATEST(loose, -1.5), 1.5)",
    "CASE WHEN smoker THEN cost WHEN age > 60 THEN 2 * cost ELSE 0 END",
    "COALESCE(CAST(smoker AS INT), 0)",
    "CAST(cost AS INT)",
    "CHAR_LENGTH(ward)",
    "LENGTH(LEFT(note, 20))",
    "OCTET_LENGTH(TRIM(note)) + ASCII(note)",
    "POSITION('a' IN note) + STRPOS(note, 'b')",
    "EXTRACT(HOUR FROM at) * 60 + EXTRACT(MINUTE FROM at)",
    "EXTRACT(YEAR FROM day) - 2000",
];

#[test]
fn sums_need_no_written_bounds() {
    check_all(BOUNDED.map(|value| (format!("SELECT SUM({value}), AVG({value}) FROM t.visits"), Yes)));
    // Written bounds stand beside a cast to a narrow type as beside a wide one.
    for narrow in ["CAST(note AS INT)", "CAST(SPLIT_PART(note, '-', 1) AS SMALLINT)", "CAST(note AS REAL)", "free"] {
        check(&format!("SELECT SUM({narrow}, contribution_bounds_per_row => (0, 9)) FROM t.visits"), Yes);
        check(&format!("SELECT AVG({narrow}, contribution_bounds_per_row => (0, 9)) FROM t.visits"), Yes);
    }
    for (value, missing) in [
        ("free + 1", "free + 1"),
        ("LN(cost)", ""),
        ("TAN(cost)", "tan(cost)"),
        ("cost / weight", "cost / weight"),
        ("POWER(weight, 0.5)", "power(weight, 0.5)"),
        ("GREATEST(free, 0)", "greatest(free, 0)"),
        ("CAST(note AS DOUBLE)", ""),
        ("EXTRACT(YEAR FROM at)", ""),
    ] {
        if !missing.is_empty() {
            check(&format!("SELECT SUM({value}) FROM t.visits"), About(BoundsMissing, missing));
        }
    }
}

/// Conditions as they are written.
const CONDITIONS: [&str; 40] = [
    "note LIKE 'a%'",
    "note NOT LIKE '%x_' AND note ILIKE 'A%'",
    "note LIKE '10\\%'",
    "note ~ '^a+$' AND note !~ 'b' AND note ~* 'c' AND note !~* 'd'",
    "REGEXP_LIKE(note, '^[A-Z]{2}[0-9]+$') OR REGEXP_LIKE(note, 'x y', 'ix')",
    "LOWER(note) = 'a' OR UPPER(ward) = 'EAST'",
    "INITCAP(note) = 'Abc' OR REVERSE(note) = 'cba'",
    "TRIM(note) = '' OR LTRIM(note) = '' OR RTRIM(note, 'x') = 'y' OR BTRIM(note, 'xy') = ''",
    "TRIM(BOTH 'x' FROM note) = 'y' OR TRIM(LEADING ' ' FROM note) = 'z'",
    "LEFT(note, 2) = 'ab' OR RIGHT(note, -1) = 'b'",
    "SUBSTR(note, 2, 3) = 'abc' OR SUBSTRING(note, 2) = 'x' OR SUBSTRING(note FROM 2 FOR 1) = 'y'",
    "SPLIT_PART(note, '-', 2) = 'b' OR SPLIT_PART(note, '-', free) = 'c'",
    "REPLACE(note, 'a', 'bb') = 'bb' OR TRANSLATE(note, 'ab', 'c') = 'c'",
    "CONCAT(ward, '-', grade) = 'east-1' OR ward || '-' || grade = 'east-1'",
    "CONCAT_WS('-', ward, note, age, cost, smoker) = 'a'",
    "LPAD(CAST(code AS VARCHAR), 5, '0') = '00007' OR RPAD(note, 3) = 'a  '",
    "STARTS_WITH(note, 'a') OR ENDS_WITH(note, ward) OR CONTAINS(note, 'b')",
    "CHAR_LENGTH(note) BETWEEN 2 AND 5 OR CHARACTER_LENGTH(note) = 7 OR BIT_LENGTH(note) = 8",
    "(note IS DISTINCT FROM 'a') AND smoker IS NOT FALSE AND smoker IS TRUE",
    "age BETWEEN 18 AND 65 AND ward IN ('east', 'west')",
    "TRY_CAST(note AS INT) > 3 OR CAST(note AS DATE) = day",
    "at >= TIMESTAMP '2020-01-01 00:00:00' AND at < '2020-02-01'",
    "at BETWEEN TIMESTAMP '2020-01-01' AND TIMESTAMP '2020-01-31 23:59:59.5'",
    "at > DATE '2020-01-01'",
    "day >= DATE '2020-01-01' AND EXTRACT(DOW FROM day) IN (0, 6)",
    "DATE_TRUNC('month', day) = DATE '2020-01-01' AND DATE_PART('year', at) = 2020",
    "ISNAN(loose) OR ISZERO(loose)",
    "ROUND(cost / NULLIF(age, 0), 2) > 1.5",
    "SQRT(loose) > 2 OR LN(loose) < 0 OR POWER(loose, free) = 1",
    "CASE WHEN note LIKE 'a%' THEN 'a' ELSE LOWER(note) END = 'a'",
    "NVL2(note, ward, 'none') = 'none'",
    "CAST(age AS VARCHAR) LIKE '1%'",
    "MOD(free, 2) = 1 AND MOD(loose, 2) > 0.5 AND MOD(free, 2.5) > 1",
    "GCD(free, code) = 1 OR LCM(free, 2) = 2 OR FACTORIAL(free) = 6",
    "(age + 1) / 10 * 10 = 20",
    "NOT (smoker AND note = '') OR NOT smoker",
    "COALESCE(NULLIF(TRIM(note), ''), 'none') <> 'none'",
    "GREATEST(LENGTH(note), age) > 5 AND LEAST(cost, weight) < 0",
    "SIGN(loose) = -1 OR ABS(free) > 5",
    "ACOS(weight) + ASIN(weight) + ATANH(weight) + ACOSH(weight) + COT(weight) > 1 OR LOG(2, cost) > 3",
];

#[test]
fn conditions_as_they_are_written() {
    check_all(CONDITIONS.map(|condition| (format!("SELECT COUNT(*) FROM t.visits WHERE {condition}"), Yes)));
    check_all(CONDITIONS.map(|condition| {
        (format!("SELECT ward, COUNT(*) FILTER (WHERE {condition}) FROM t.visits GROUP BY ward"), Yes)
    }));
    check_all(
        CONDITIONS
            .map(|condition| (format!("SELECT SUM(CASE WHEN {condition} THEN cost ELSE 0 END) FROM t.visits"), Yes)),
    );
    // Over the release the same functions.
    check(
        "SELECT LOWER(ward) || '!' AS w, ROUND(AVG(cost), 1), SQRT(COUNT(*)) FROM t.visits GROUP BY ward HAVING ward LIKE 'e%'",
        Yes,
    );
}

#[test]
fn what_is_refused_names_what_to_write() {
    let of = |condition: &str| format!("SELECT COUNT(*) FROM t.visits WHERE {condition}");
    check_all([
        (of("random() < 0.5"), About(FunctionRefused, "random")),
        (of("now() > at"), About(FunctionRefused, "now → TIMESTAMP '2026-")),
        (of("at < current_timestamp"), About(FunctionRefused, "current_timestamp → TIMESTAMP")),
        (of("day < current_date"), About(FunctionRefused, "current_date → DATE '2026-")),
        (of("to_date(note) = day"), About(FunctionRefused, "to_date → CAST(x AS DATE)")),
        (of("to_char(at, 'YYYY') = '2020'"), About(FunctionRefused, "to_char → EXTRACT")),
        (of("REGEXP_REPLACE(note, 'a', 'b') = 'b'"), About(FunctionRefused, "regexp_replace → REPLACE")),
        (of("REGEXP_COUNT(note, 'a') = 1"), About(FunctionRefused, "regexp_count → REGEXP_LIKE")),
        (of("LEVENSHTEIN(note, ward) < 3"), About(FunctionRefused, "levenshtein → ")),
        (of("MD5(note) = 'x'"), About(FunctionRefused, "md5 → t = 'text'")),
        (of("CHR(age) = 'x'"), About(FunctionRefused, "chr → 'c'")),
        (of("array_length(make_array(age)) = 1"), About(FunctionRefused, "")),
        (of("nosuch(age) = 1"), About(FunctionRefused, "nosuch")),
        // Types are held to.
        (of("SQRT(note) > 1"), About(TypeRefused, "sqrt(note)")),
        (of("LOWER(age) = '1'"), About(TypeRefused, "lower(age)")),
        (of("LEFT(note, cost) = '1'"), About(TypeRefused, "left(note, cost)")),
        (of("LEFT(note) = '1'"), About(TypeRefused, "left(note)")),
        (of("LEFT(note, 1, 2) = '1'"), About(TypeRefused, "left(note, 1, 2)")),
        (of("CONCAT(note, day) = '1'"), About(TypeRefused, "concat(note, day)")),
        (of("at > TIMESTAMP 'soon'"), About(TypeRefused, "'soon'")),
        (of("at > TIMESTAMP '2020-01-01T00:00:00.0000001'"), About(TypeRefused, "'2020-")),
        (of("NVL2(note, 1, 'a') = 1"), About(TypeRefused, "")),
        (of("SIMILAR = 1 OR note SIMILAR TO 'a'"), About(glovebox_policy::Reason::ColumnUnknown, "similar")),
    ]);
    for (reason, english, chinese) in
        [(FunctionRefused, "docs/functions.md", "docs/functions.md"), (ExpressionRefused, "LIKE", "LIKE")]
    {
        assert!(reason.english().contains(english) && reason.chinese().contains(chinese), "{reason}");
    }
}

#[test]
fn patterns_are_literals_of_moderate_size() {
    let of = |condition: &str| format!("SELECT COUNT(*) FROM t.visits WHERE {condition}");
    let not_literal = About(ExpressionRefused, "a pattern that is not a literal");
    check_all([
        (of("note LIKE ward"), not_literal),
        (of("note LIKE NULL"), not_literal),
        (of("REGEXP_LIKE(note, ward)"), not_literal),
        (of("REGEXP_LIKE(note, CONCAT('a', 'b'))"), not_literal),
        (of("note ~ ward"), not_literal),
        (of("TRIM(note, ward) = ''"), About(ExpressionRefused, "characters that are not a short literal")),
        (of("TRANSLATE(note, ward, 'x') = ''"), About(ExpressionRefused, "characters that are not a short literal")),
        (of("REGEXP_LIKE(note, '(')"), About(ExpressionRefused, "(")),
        (of("REGEXP_LIKE(note, '(a{1000}){1000}')"), About(ExpressionRefused, "(a{1000})")),
        (of("REGEXP_LIKE(note, '(?=a)b')"), About(ExpressionRefused, "(?=a)b")),
        (of("REGEXP_LIKE(note, '(a)\\1')"), About(ExpressionRefused, "(a)")),
        (of("REGEXP_LIKE(note, 'a', 'g')"), About(ExpressionRefused, "flags 'g'")),
        (of("note LIKE 'a!%' ESCAPE '!'"), About(ExpressionRefused, "note LIKE 'a!%'")),
    ]);
    check(&of(&format!("note LIKE '{}'", "a%".repeat(600))), About(ExpressionRefused, "a%a%"));
    check(&of(&format!("REGEXP_LIKE(note, '{}')", "(".repeat(400))), About(ExpressionRefused, "((("));
}

/// Different questions have different digests: what a call is made of is all in its canonical text.
#[test]
fn calls_have_digests_of_their_own() {
    let conditions = [
        "note LIKE 'a'",
        "note ILIKE 'a'",
        "note LIKE 'b'",
        "REGEXP_LIKE(note, 'a')",
        "REGEXP_LIKE(note, 'a', 'i')",
        "STARTS_WITH(note, 'a')",
        "ENDS_WITH(note, 'a')",
        "CONTAINS(note, 'a')",
        "LEFT(note, 1) = 'a'",
        "RIGHT(note, 1) = 'a'",
        "CONCAT(note, 'b') = 'a'",
        "note || 'b' = 'a'",
        "LTRIM(note) = 'a'",
        "RTRIM(note) = 'a'",
        "BTRIM(note) = 'a'",
    ];
    let digests = conditions.map(|c| request(&format!("SELECT COUNT(*) FROM t.visits WHERE {c}")));
    for (place, digest) in digests.iter().enumerate() {
        assert!(!digests[..place].contains(digest), "{}", conditions[place]);
    }
    // Names for one function are one question.
    let of = |c: &str| request(&format!("SELECT COUNT(*) FROM t.visits WHERE {c}"));
    assert_eq!(of("LENGTH(note) = 1"), of("CHAR_LENGTH(note) = 1"));
    assert_eq!(of("note ~ 'a'"), of("REGEXP_LIKE(note, 'a')"));
    assert_eq!(of("POW(cost, 2) = 1"), of("POWER(cost, 2) = 1"));
}

fn roles(sql: &str, column: &str) -> Vec<glovebox_policy::RoleOfUse> {
    let analysis = accepted(sql);
    analysis.uses().iter().filter(|used| used.column.as_str() == column).map(|used| used.role).collect()
}

#[test]
fn functions_use_their_columns_in_roles() {
    // What keeps a value a value.
    for value in
        ["ROUND(cost, 1)", "TRUNC(cost)", "FLOOR(cost) + CEIL(cost)", "DEGREES(cost)", "CAST(ROUND(cost) AS INT)"]
    {
        assert_eq!(roles(&format!("SELECT SUM({value}) FROM t.visits"), "cost"), [Aggregate], "{value}");
    }
    // What can ask something of a value is a condition on it, in an aggregate too.
    for hidden in [
        "COUNT(SQRT(person - 7))",
        "COUNT(LN(person))",
        "SUM(SIGN(person - 7))",
        "SUM(ABS(SIGN(person - 7)))",
        "SUM(POWER(0, person - 7), contribution_bounds_per_row => (0, 1))",
        "SUM(GREATEST(LEAST(person, 7), 6))",
        "SUM(CAST(ISZERO(person - 7) AS INT))",
        "SUM(CAST(STARTS_WITH(CAST(person AS VARCHAR), '7') AS INT))",
        "SUM(CAST(CAST(person AS VARCHAR) LIKE '7' AS INT))",
        "SUM(CAST(REGEXP_LIKE(CAST(person AS VARCHAR), '^7$') AS INT))",
        "COUNT(NULLIF(CONCAT(person, ''), '7'))",
        "SUM(CHAR_LENGTH(REPLACE(CAST(person AS VARCHAR), '7', '')))",
        "SUM(STRPOS(CAST(person AS VARCHAR), '7'))",
        "SUM(NVL2(NULLIF(person, 7), 1, 0))",
        "SUM(GCD(person, 7))",
        "SUM(MOD(person, 7))",
        "SUM(CAST(GREATEST(person = 7, FALSE) AS INT))",
        "COUNT(ROUND(1 / (person - 7.0)))",
        "SUM(LEAST(GREATEST(ROUND(person / 7), 0), 1))",
    ] {
        assert_eq!(roles(&format!("SELECT {hidden} FROM t.visits"), "person"), [Aggregate, Filter], "{hidden}");
    }
    // A condition on rows, and the key of a group.
    let sql = "SELECT ward, COUNT(*) FROM t.visits WHERE REPLACE(note, LOWER(town), '') LIKE 'a%' GROUP BY ward";
    assert_eq!((roles(sql, "note"), roles(sql, "town"), roles(sql, "ward")), (vec![Filter], vec![Filter], vec![Group]));
    // An argument beside the one that gives the value is used as well.
    let sql = "SELECT SUM(LEAST(GREATEST(LENGTH(LEFT(note, age)), 0), 9)) FROM t.visits";
    assert_eq!((roles(sql, "note"), roles(sql, "age")), (vec![Aggregate, Filter], vec![Aggregate, Filter]));
    check("SELECT COUNT(LOWER(phone)) FROM t.visits", About(glovebox_policy::Reason::ColumnIsIdentifier, "phone"));
}

/// Statements that would blow up, fail on rows or run long elsewhere: each is refused or total, and soon.
#[test]
fn bombs_are_refused_or_total_within_bounded_time() {
    let of = |condition: &str| format!("SELECT COUNT(*) FROM t.visits WHERE {condition}");
    let nested = |open: &str, close: &str, levels: usize| {
        of(&format!("{}note{} = ''", open.repeat(levels), close.repeat(levels)))
    };
    let cases = [
        // Growth.
        (of("repeat(note, 1000000) = 'x'"), About(FunctionRefused, "repeat")),
        (of("LPAD(note, 9223372036854775807, 'x') = ''"), Yes),
        (of("RPAD(note, free, note) = ''"), Yes),
        (nested("REPLACE(", ", 'a', 'aaaaaaaaaaaaaaaa')", 16), Yes),
        (nested("REPLACE(", ", 'a', 'aaaaaaaaaaaaaaaa')", 30), No(SqlTooManyOperators)),
        (nested("CONCAT(note, ", ")", 16), Yes),
        (nested("UPPER(", ")", 17), No(SqlTooManyOperators)),
        (format!("SELECT COUNT(*) FROM (SELECT {n} AS note FROM (SELECT {n} AS note FROM (SELECT {n} AS note FROM t.visits)))
            WHERE note = ''", n = ["note"; 30].join("||")), No(SqlTooManyOperators)),
        (of("generate_series(1, 1000000000) = 1"), About(FunctionRefused, "generate_series")),
        (of("array_repeat(1, 1000000000) = 1"), About(FunctionRefused, "array_repeat")),
        // Casts, divisions, overflow.
        (of("1 / 0 = 1 OR age / 0 = 1 OR 1 % 0 = 1 OR MOD(age, 0) = 1 OR 1.0 / 0.0 = 1"), Yes),
        (of("CAST('junk' AS INT) = 1 OR CAST(note AS BIGINT) = 1 OR CAST(1e300 AS INT) = 1"), Yes),
        (of("9223372036854775807 + free > 0 OR free * free * free > 0 OR -free > 0 OR ABS(free) > 0"), Yes),
        (of("FACTORIAL(free) * FACTORIAL(20) = 1 OR LCM(free, 9223372036854775807) = 1"), Yes),
        (of("EXP(EXP(EXP(loose))) = 1 OR POWER(POWER(loose, loose), 1e300) = 1"), Yes),
        (of("ROUND(loose, 9223372036854775807) = 1 OR ROUND(free, -9223372036854775807) = 1"), Yes),
        (of("SUBSTR(note, -9223372036854775807, 9223372036854775807) = '' OR SUBSTR(note, 1, -1) = ''"), Yes),
        (of("SPLIT_PART(note, '', 0) = '' OR SPLIT_PART(note, note, -9223372036854775807) = ''"), Yes),
        ("SELECT SUM(free * free * free) FROM t.visits".to_owned(), About(BoundsMissing, "")),
        ("SELECT SUM(POWER(10, age)) FROM t.visits".to_owned(), Yes),
        ("SELECT SUM(age * 1000000000000000) FROM t.visits".to_owned(), No(OverflowPossible)),
        // Size and depth.
        (of(&format!("age{} > 0", " + 1".repeat(2_000))), No(glovebox_policy::Reason::SqlTooManyTokens)),
        (of(&format!("smoker{}", " OR smoker".repeat(1_500))), No(glovebox_policy::Reason::SqlTooManyTokens)),
        (of(&format!("age IN ({})", vec!["1"; 101].join(","))), No(SqlTooManyOperators)),
        (of(&format!("note IN ({})", vec!["LOWER(note)"; 90].join(","))), No(SqlTooManyOperators)),
        (nested("LOWER(", ")", 33), No(SqlTooManyOperators)),
        (of(&format!("note{} = ''", " || note".repeat(16))), Yes),
        // Patterns.
        (of("REGEXP_LIKE(note, '(x+x+)+y')"), Yes),
        (of("REGEXP_LIKE(note, '^(a|a)*$')"), Yes),
        (of("REGEXP_LIKE(note, '((((a{99}){99}){99}){99})')"), About(ExpressionRefused, "((((a")),
        (of("REGEXP_LIKE(note, '[^\\p{L}]{500}')"), About(ExpressionRefused, "[^")),
    ];
    for (sql, expect) in cases {
        let began = Instant::now();
        check(&sql, expect);
        let shown: String = sql.chars().take(120).collect();
        assert!(began.elapsed() < Duration::from_secs(5), "{shown}: {:?}", began.elapsed());
    }
    assert!(analyse("SELECT COUNT(*) FROM t.visits").is_ok());
}
