//! Every way of saying no: the statement, the reason, and what of the statement is quoted.

use glovebox_policy::Reason::{
    AggregateRefused, BoundsInvalid, BoundsMissing, ClauseRefused, ColumnIsIdentifier, ColumnUnknown, ExplainRefused,
    ExpressionRefused, FunctionRefused, GroupKeyNotPublic, NotAggregated, OptionInvalid, OptionUnknown,
    OverflowPossible, SqlSyntax, StatementRefused, TableUnknown, TypeRefused,
};

use crate::support::Expect::{self, About, No, Yes};
use crate::support::{check, check_all};

fn all(cases: &[(&str, Expect)]) {
    check_all(cases.iter().copied());
}

#[test]
fn statements_that_are_no_select() {
    all(&[
        ("", No(StatementRefused)),
        (" \n\t;; ; ", No(StatementRefused)),
        ("-- SELECT COUNT(*) FROM t.visits", No(StatementRefused)),
        ("CREATE TABLE x (a INT)", About(StatementRefused, "CREATE")),
        ("CREATE EXTERNAL TABLE x STORED AS CSV LOCATION '/etc/passwd'", About(StatementRefused, "CREATE")),
        ("DROP TABLE t.visits", About(StatementRefused, "DROP")),
        ("ALTER TABLE t.visits ADD COLUMN a INT", About(StatementRefused, "ALTER")),
        ("TRUNCATE t.visits", About(StatementRefused, "TRUNCATE")),
        ("INSERT INTO t.visits SELECT 1", About(StatementRefused, "INSERT")),
        ("UPDATE t.visits SET age = 1", About(StatementRefused, "UPDATE")),
        ("DELETE FROM t.visits", About(StatementRefused, "DELETE")),
        ("MERGE INTO t.visits USING x ON true", About(StatementRefused, "MERGE")),
        ("COPY t.visits TO '/tmp/x.csv'", About(StatementRefused, "COPY")),
        ("COPY (SELECT COUNT(*) FROM t.visits) TO '/tmp/x.csv'", About(StatementRefused, "COPY")),
        ("SET datafusion.execution.batch_size = 1", About(StatementRefused, "SET")),
        ("SHOW TABLES", About(StatementRefused, "SHOW")),
        ("SHOW ALL", About(StatementRefused, "SHOW")),
        ("USE x", About(StatementRefused, "USE")),
        ("BEGIN", About(StatementRefused, "BEGIN")),
        ("GRANT SELECT ON t.visits TO a", About(StatementRefused, "GRANT")),
        ("PREPARE p AS SELECT COUNT(*) FROM t.visits", About(StatementRefused, "PREPARE")),
        ("EXECUTE p", About(StatementRefused, "EXECUTE")),
        ("DEALLOCATE p", About(StatementRefused, "DEALLOCATE")),
        ("CALL f()", About(StatementRefused, "CALL")),
        ("VALUES (1)", About(StatementRefused, "VALUES")),
        ("TABLE t.visits", About(StatementRefused, "TABLE")),
        ("FROM t.visits SELECT COUNT(*)", About(StatementRefused, "FROM")),
        ("(SELECT COUNT(*) FROM t.visits)", About(StatementRefused, "(")),
        ("EXPLAIN SELECT COUNT(*) FROM t.visits", No(ExplainRefused)),
        ("explain analyze SELECT COUNT(*) FROM t.visits", No(ExplainRefused)),
        ("EXPLAIN VERBOSE SELECT COUNT(*) FROM t.visits", No(ExplainRefused)),
        ("EXPLAIN FORMAT JSON SELECT COUNT(*) FROM t.visits", No(ExplainRefused)),
        ("EXPLAIN", No(ExplainRefused)),
        ("EXPLAIN PRIVACY", No(StatementRefused)),
        ("EXPLAIN PRIVACY DROP TABLE t.visits", About(StatementRefused, "DROP")),
        ("EXPLAIN PRIVACY EXPLAIN PRIVACY SELECT COUNT(*) FROM t.visits", About(StatementRefused, "EXPLAIN")),
        ("DESCRIBE t.visits", No(ExplainRefused)),
        ("DESC t.visits", No(ExplainRefused)),
        ("SELECT COUNT(*) FROM t.visits; SELECT COUNT(*) FROM t.visits", About(StatementRefused, ";")),
        ("SELECT COUNT(*) FROM t.visits; DROP TABLE t.visits", About(StatementRefused, ";")),
        ("SELECT COUNT(*) FROM t.visits;;", Yes),
    ]);
}

#[test]
fn text_that_is_no_sql() {
    all(&[
        ("SELECT", About(SqlSyntax, "")),
        ("SELECT COUNT(* FROM t.visits", About(SqlSyntax, "Expected")),
        ("SELECT COUNT(*)) FROM t.visits", About(SqlSyntax, "")),
        ("SELECT COUNT(*) FROM t.visits WHERE note = 'open", About(SqlSyntax, "Unterminated")),
        ("SELECT COUNT(*) FROM t.visits /* open", About(SqlSyntax, "")),
        ("SELECT COUNT(*) FROM t.visits WHERE \"open", About(SqlSyntax, "")),
        ("SELECT COUNT(*) FROM t.visits WHERE age ==== 3", About(SqlSyntax, "")),
        ("SELECT COUNT(*) FROM t.visits LIMIT 1 LIMIT 2", About(SqlSyntax, "")),
        ("SELECT COUNT(*) FROM t.visits GROUP", About(SqlSyntax, "")),
        ("SELECT \u{0} FROM t.visits", About(SqlSyntax, "")),
        ("SELECT COUNT(*), COUNT(*) FROM t.visits", About(SqlSyntax, "two columns")),
        ("SELECT ward, ward, COUNT(*) FROM t.visits GROUP BY ward", About(SqlSyntax, "two columns")),
        ("SELECT 汉字", About(ClauseRefused, "SELECT without FROM")),
        ("SELECT COUNT(*) AS 人数 FROM t.visits", Yes),
        ("SELECT COUNT(*) FROM t.visits WHERE note = '🎲 \u{202e} ﷽'", Yes),
        ("SELECT SUM(年龄) FROM t.visits", About(ColumnUnknown, "年龄")),
    ]);
}

#[test]
fn clauses() {
    let subquery = "a subquery in an expression";
    let cases: &[(&str, &'static str)] = &[
        ("WITH a AS (SELECT COUNT(*) FROM t.visits) SELECT COUNT(*) FROM a", "an aggregate of an aggregate"),
        ("SELECT COUNT(*) FROM (WITH a AS (SELECT 1) SELECT * FROM a)", "WITH in a subquery"),
        ("WITH RECURSIVE a AS (SELECT age FROM t.visits) SELECT COUNT(*) FROM a", "WITH RECURSIVE"),
        ("SELECT COUNT(*) FROM t.visits UNION SELECT COUNT(*) FROM t.other", "UNION"),
        ("SELECT COUNT(*) FROM t.visits INTERSECT SELECT COUNT(*) FROM t.other", "INTERSECT"),
        ("SELECT COUNT(*) FROM t.visits EXCEPT SELECT COUNT(*) FROM t.other", "EXCEPT"),
        ("SELECT COUNT(*) FROM (SELECT age FROM t.visits UNION ALL SELECT age FROM t.other)", "UNION"),
        ("SELECT COUNT(*) FROM t.visits, t.other", "FROM with several datasets"),
        ("SELECT COUNT(*) FROM t.visits, LATERAL (SELECT 1)", "FROM with several datasets"),
        ("SELECT COUNT(*) FROM LATERAL (SELECT age FROM t.visits)", "LATERAL"),
        ("SELECT 1", "SELECT without FROM"),
        ("SELECT COUNT(*)", "SELECT without FROM"),
        ("SELECT COUNT(*) FROM (VALUES (1), (2))", "VALUES"),
        ("SELECT COUNT(*) FROM generate_series(1, 1000000000)", "a table function"),
        ("SELECT COUNT(*) FROM range(1, 10)", "a table function"),
        ("SELECT COUNT(*) FROM read_csv('/etc/passwd')", "a table function"),
        ("SELECT COUNT(*) FROM read_parquet('s3://bucket/x')", "a table function"),
        ("SELECT COUNT(*) FROM parquet_metadata('x')", "a table function"),
        ("SELECT COUNT(*) FROM t.visits TABLESAMPLE BERNOULLI (10)", "a table function, TABLESAMPLE"),
        ("SELECT COUNT(*) FROM UNNEST([1, 2])", "FROM"),
        ("SELECT COUNT(*) FROM TABLE(f())", "FROM"),
        ("SELECT DISTINCT ON (ward) ward, COUNT(*) FROM t.visits GROUP BY ward", "DISTINCT ON"),
        ("SELECT ward, COUNT(*) FROM t.visits GROUP BY ALL", "GROUP BY ALL"),
        ("SELECT COUNT(*) FROM t.visits GROUP BY ROLLUP (ward, grade)", "GROUPING SETS"),
        ("SELECT COUNT(*) FROM t.visits GROUP BY CUBE (ward, grade)", "GROUPING SETS"),
        ("SELECT COUNT(*) FROM t.visits GROUP BY GROUPING SETS ((ward), ())", "GROUPING SETS"),
        ("SELECT COUNT(*) FROM t.visits GROUP BY ward WITH ROLLUP", "ROLLUP"),
        ("SELECT COUNT(*) INTO x FROM t.visits", "INTO"),
        ("SELECT TOP 3 COUNT(*) FROM t.visits", "TOP"),
        ("SELECT COUNT(*) FROM t.visits FOR UPDATE", "FOR"),
        ("SELECT COUNT(*) FROM t.visits QUALIFY COUNT(*) > 1", "QUALIFY"),
        ("SELECT COUNT(*) FROM t.visits SORT BY ward", "SORT BY"),
        ("SELECT COUNT(*) FROM (SELECT ward FROM t.visits LIMIT 3)", "LIMIT below an aggregate"),
        ("SELECT COUNT(*) FROM (SELECT ward FROM t.visits ORDER BY age LIMIT 3)", "LIMIT below an aggregate"),
        ("SELECT COUNT(*) FROM (SELECT ward FROM t.visits OFFSET 3)", "LIMIT below an aggregate"),
        ("SELECT SUM(n) FROM (SELECT ward, COUNT(*) AS n FROM t.visits GROUP BY ward)", "an aggregate of an aggregate"),
        ("SELECT COUNT(*) FROM (SELECT DISTINCT ward FROM t.visits)", "an aggregate of an aggregate"),
        ("SELECT ROW_NUMBER() OVER () FROM t.visits", "OVER"),
        ("SELECT RANK() OVER (ORDER BY COUNT(*)) FROM t.visits GROUP BY ward", "OVER"),
        ("SELECT SUM(age) OVER (PARTITION BY ward) FROM t.visits", "OVER"),
        ("SELECT SUM(COUNT(*)) OVER () FROM t.visits GROUP BY ward", "OVER"),
        ("SELECT COUNT(*) FROM t.visits WHERE age > (SELECT AVG(age) FROM t.other)", subquery),
        ("SELECT COUNT(*) FROM t.visits WHERE age > (SELECT 1)", subquery),
        ("SELECT COUNT(*) FROM t.visits WHERE free IN (SELECT age FROM t.other)", subquery),
        ("SELECT COUNT(*) FROM t.visits WHERE EXISTS (SELECT 1 FROM t.other)", subquery),
        (
            "SELECT COUNT(*) FROM t.visits WHERE NOT EXISTS (SELECT 1 FROM t.visits v WHERE v.age > t.visits.age)",
            subquery,
        ),
        ("SELECT COUNT(*) FROM t.visits WHERE age > ANY (SELECT 1)", subquery),
        ("SELECT COUNT((SELECT age FROM t.other)) FROM t.visits", subquery),
        ("SELECT COUNT(*), (SELECT COUNT(*) FROM t.other) FROM t.visits", subquery),
        ("SELECT COUNT(*) FROM t.visits HAVING COUNT(*) > (SELECT COUNT(*) FROM t.other)", subquery),
        ("SELECT ward FROM t.visits GROUP BY ward ORDER BY (SELECT COUNT(*) FROM t.other)", subquery),
        ("SELECT COUNT(*) FROM t.visits GROUP BY ward LIMIT (SELECT 3)", subquery),
        (
            "SELECT COUNT(*) FROM (SELECT age FROM (SELECT age FROM (SELECT age FROM (SELECT age FROM
                (SELECT age FROM t.visits) a) b) c) d) e",
            "nested subqueries",
        ),
    ];
    check_all(cases.iter().map(|(sql, clause)| (*sql, About(ClauseRefused, clause))));
    check("SELECT COUNT(*) FROM t.visits FETCH FIRST 3 ROWS ONLY", No(ClauseRefused));
}

#[test]
fn rows_do_not_leave() {
    all(&[
        ("SELECT * FROM t.visits", About(NotAggregated, "*")),
        ("SELECT v.* FROM t.visits v", About(NotAggregated, "*")),
        ("SELECT *, COUNT(*) FROM t.visits", About(NotAggregated, "*")),
        ("SELECT * FROM (SELECT age FROM t.visits)", No(NotAggregated)),
        ("WITH v AS (SELECT * FROM t.visits) SELECT * FROM v", No(NotAggregated)),
        ("SELECT COUNT(*) FROM (SELECT * FROM t.visits)", Yes),
        ("SELECT age FROM t.visits", No(NotAggregated)),
        ("SELECT age + 1 AS x FROM t.visits WHERE age > 3 ORDER BY x LIMIT 1", No(NotAggregated)),
        ("SELECT DISTINCT ward FROM t.visits", No(NotAggregated)),
        ("SELECT 1 FROM t.visits", No(NotAggregated)),
        ("SELECT age, COUNT(*) FROM t.visits GROUP BY ward", No(NotAggregated)),
        ("SELECT COUNT(*) FROM t.visits GROUP BY ward HAVING age > 3", No(NotAggregated)),
        ("SELECT COUNT(*) FROM t.visits GROUP BY ward ORDER BY age", No(NotAggregated)),
        ("SELECT x FROM (SELECT age AS x FROM t.visits) AS s", No(NotAggregated)),
        // Public values of a public list, and a charge for nothing: an answer all the same.
        ("SELECT ward FROM t.visits GROUP BY ward", Yes),
    ]);
}

#[test]
fn names() {
    all(&[
        ("SELECT COUNT(*) FROM nope", About(TableUnknown, "nope")),
        ("SELECT COUNT(*) FROM t.nope", About(TableUnknown, "t.nope")),
        ("SELECT COUNT(*) FROM visits", About(TableUnknown, "visits")),
        ("SELECT COUNT(*) FROM other.t.visits", About(TableUnknown, "other.t.visits")),
        ("SELECT COUNT(*) FROM a.b.c.d", About(TableUnknown, "a.b.c.d")),
        ("SELECT COUNT(*) FROM \"T\".visits", About(TableUnknown, "T.visits")),
        ("SELECT COUNT(*) FROM 'data.csv'", About(TableUnknown, "data.csv")),
        ("SELECT COUNT(*) FROM '/etc/passwd'", About(TableUnknown, "/etc/passwd")),
        ("SELECT COUNT(*) FROM information_schema.tables", About(TableUnknown, "information_schema.tables")),
        ("SELECT COUNT(*) FROM information_schema.df_settings", About(TableUnknown, "information_schema.df_settings")),
        ("SELECT COUNT(*) FROM released", About(TableUnknown, "released")),
        ("SELECT COUNT(*) FROM t.visits WHERE age > (SELECT age FROM t.nope)", About(TableUnknown, "t.nope")),
        ("SELECT COUNT(nope) FROM t.visits", About(ColumnUnknown, "nope")),
        ("SELECT COUNT(*) FROM t.visits WHERE nope = 1", About(ColumnUnknown, "nope")),
        ("SELECT COUNT(*) FROM t.visits GROUP BY nope", About(ColumnUnknown, "nope")),
        ("SELECT SUM(\"AGE\") FROM t.visits", About(ColumnUnknown, "AGE")),
        ("SELECT SUM(w.age) FROM t.visits v", About(ColumnUnknown, "age")),
        ("SELECT SUM(__gb_unit) FROM t.visits", About(ColumnUnknown, "__gb_unit")),
        ("SELECT COUNT(*) FROM t.visits GROUP BY \"__GB_unit\"", About(ColumnUnknown, "__GB_unit")),
        ("SELECT COUNT(*) AS __gb_l0 FROM t.visits", About(ColumnUnknown, "__gb_l0")),
        ("SELECT SUM(__gb_bounds(age, 0)) FROM t.visits", About(ColumnUnknown, "__gb_bounds")),
        ("SELECT SUM(`__gb_div`(age, 0)) FROM t.visits", About(ColumnUnknown, "__gb_div")),
        ("SELECT COUNT(*) FROM t.visits WHERE note = '__gb_unit'", Yes),
    ]);
}

#[test]
fn functions_operators_and_types() {
    all(&[
        ("SELECT nosuch(age) FROM t.visits", About(FunctionRefused, "nosuch")),
        ("SELECT SUM(ROUND(cost)) FROM t.visits", Yes),
        ("SELECT SUM(SQRT(cost)) FROM t.visits", Yes),
        ("SELECT COUNT(*) FROM t.visits WHERE random() < 0.5", About(FunctionRefused, "random")),
        ("SELECT COUNT(*) FROM t.visits WHERE now() > at", About(FunctionRefused, "now")),
        ("SELECT COUNT(*) FROM t.visits WHERE repeat(note, 1000000) = 'x'", About(FunctionRefused, "repeat")),
        ("SELECT COUNT(*) FROM t.visits WHERE date_trunc('day', at) = at", Yes),
        (
            "SELECT COUNT(*) FROM t.visits WHERE date_trunc('century', at) = at",
            About(FunctionRefused, "date_trunc of "),
        ),
        ("SELECT COUNT(*) FROM t.visits WHERE date_trunc(note, at) = at", About(FunctionRefused, "date_trunc")),
        ("SELECT COUNT(*) FROM t.visits WHERE date_part('dow') = 1", No(TypeRefused)),
        (
            "SELECT COUNT(*) FROM t.visits WHERE EXTRACT(EPOCH FROM at) = 1",
            About(FunctionRefused, "date_part of EPOCH"),
        ),
        ("SELECT COUNT(*) FROM t.visits WHERE EXTRACT(HOUR FROM day) = 1", About(TypeRefused, "HOUR of Date32")),
        ("SELECT COUNT(*) FROM t.visits WHERE EXTRACT(YEAR FROM note) = 1", About(TypeRefused, "YEAR of Utf8")),
        ("SELECT COUNT(*) FROM t.visits WHERE EXTRACT(YEAR FROM NULL) = 1", About(TypeRefused, "YEAR of Null")),
        ("SELECT COUNT(*) FROM t.visits WHERE EXTRACT(YEAR FROM CAST(note AS DATE)) = 2020", Yes),
        ("SELECT COUNT(*) FROM t.visits WHERE regexp_like(note, 'a')", Yes),
        ("SELECT version() FROM t.visits", About(FunctionRefused, "version")),
        ("SELECT COUNT(*) FROM t.visits WHERE note LIKE 'a%'", Yes),
        ("SELECT COUNT(*) FROM t.visits WHERE age & 3 = 1", About(ExpressionRefused, "&")),
        ("SELECT COUNT(*) FROM t.visits WHERE note || 'a' = 'ba'", Yes),
        ("SELECT COUNT(*) FROM t.visits WHERE note ~ 'a'", Yes),
        ("SELECT ward || 'x', COUNT(*) FROM t.visits GROUP BY ward", Yes),
        ("SELECT COUNT(*) FROM t.visits WHERE [1, 2] = [1, 2]", No(ClauseRefused)),
        ("SELECT COUNT(*) FROM t.visits WHERE EXTRACT(YEAR FROM day) = 2020", Yes),
        ("SELECT COUNT(*) FROM t.visits LIMIT -1", About(ExpressionRefused, "")),
        ("SELECT COUNT(*) FROM t.visits WHERE age", No(TypeRefused)),
        ("SELECT COUNT(*) FROM t.visits WHERE note + 1 > 3", No(TypeRefused)),
        ("SELECT COUNT(*) FROM t.visits WHERE NOT age", No(TypeRefused)),
        ("SELECT SUM(note) FROM t.visits", No(TypeRefused)),
        ("SELECT SUM(smoker) FROM t.visits", No(TypeRefused)),
        ("SELECT SUM(day) FROM t.visits", No(TypeRefused)),
        ("SELECT AVG(NULL) FROM t.visits", About(TypeRefused, "NULL")),
        ("SELECT COUNT(*) FROM t.visits WHERE at - at > 3", No(TypeRefused)),
        ("SELECT COUNT(*) FROM t.visits WHERE day + 1 > day", About(TypeRefused, "")),
        ("SELECT COUNT(*) FROM t.visits WHERE at > TIMESTAMP '2020-01-01'", Yes),
        ("SELECT COUNT(*) FROM t.visits WHERE X'00' = X'00'", About(TypeRefused, "Binary")),
        ("SELECT COUNT(*) FROM t.visits WHERE CAST(age AS DECIMAL(10, 2)) > 1", About(TypeRefused, "Decimal")),
        // These casts fail in Arrow on far years.
        ("SELECT COUNT(*) FROM t.visits WHERE CAST(day AS VARCHAR) > ''", About(TypeRefused, "Date32 to ")),
        ("SELECT COUNT(*) FROM t.visits WHERE CAST(at AS VARCHAR) > ''", About(TypeRefused, "Timestamp")),
        ("SELECT COUNT(*) FROM t.visits WHERE CAST(at AS DATE) > '2020-01-01'", Yes),
        ("SELECT COUNT(*) FROM t.visits WHERE CAST(smoker AS DATE) = day", About(TypeRefused, "Boolean to Date32")),
    ]);
}

#[test]
fn aggregates() {
    for (sql, quoted) in [
        ("MEDIAN(age)", "median"),
        ("MIN(age)", "min"),
        ("MAX(age)", "max"),
        ("COVAR_POP(age, grade)", "covar_pop"),
        ("VAR(DISTINCT age)", "var(DISTINCT "),
        ("ARRAY_AGG(age)", "array_agg"),
        ("STRING_AGG(note, ',')", "string_agg"),
        ("APPROX_DISTINCT(age)", "approx_distinct"),
        ("FIRST_VALUE(age)", "first_value"),
        ("BIT_AND(age)", "bit_and"),
        ("COUNT(DISTINCT age)", "count(DISTINCT age)"),
        ("COUNT(DISTINCT age + 1)", "count(DISTINCT (age + 1))"),
        ("COUNT(DISTINCT person, age)", "count(DISTINCT person, age)"),
        ("COUNT(age, grade)", "count(age, grade)"),
        ("SUM(DISTINCT age)", "sum(DISTINCT age)"),
        ("AVG(DISTINCT age)", "avg(DISTINCT "),
        ("SUM(age ORDER BY cost)", "sum(age)"),
        // Bounds do not make DISTINCT go away.
        ("SUM(DISTINCT age, contribution_bounds_per_row => (0, 1))", "sum(DISTINCT age)"),
        ("COUNT(DISTINCT age, contribution_bounds_per_group => (0, 1))", "count(DISTINCT age)"),
    ] {
        check(&format!("SELECT {sql} FROM t.visits"), About(AggregateRefused, quoted));
    }
    check("SELECT COUNT(*) FROM t.visits HAVING MAX(age) > 3", About(AggregateRefused, "max"));
    check("SELECT COUNT(*) FROM t.visits WHERE COUNT(*) > 3", No(TypeRefused));
}

#[test]
fn grouping_needs_a_public_list() {
    all(&[
        ("SELECT COUNT(*) FROM t.visits GROUP BY age", About(GroupKeyNotPublic, "age")),
        ("SELECT COUNT(*) FROM t.visits GROUP BY note", About(GroupKeyNotPublic, "note")),
        ("SELECT COUNT(*) FROM t.visits GROUP BY person", About(GroupKeyNotPublic, "person")),
        ("SELECT COUNT(*) FROM t.visits GROUP BY cost", About(GroupKeyNotPublic, "cost")),
        ("SELECT COUNT(*) FROM t.visits GROUP BY ward, age", About(GroupKeyNotPublic, "age")),
        ("SELECT COUNT(*) FROM t.visits GROUP BY grade + 1", About(GroupKeyNotPublic, "grade + 1")),
        ("SELECT COUNT(*) FROM t.visits GROUP BY age > 3", About(GroupKeyNotPublic, "age > 3")),
        ("SELECT COUNT(*) FROM t.visits GROUP BY 'a'", About(GroupKeyNotPublic, "'a'")),
        ("SELECT COUNT(*) FROM t.visits GROUP BY CAST(grade AS VARCHAR)", About(GroupKeyNotPublic, "CAST(grade AS ")),
        // A part of a date has the values that the calendar gives it; a year or a day only those that are declared.
        ("SELECT COUNT(*) FROM t.visits GROUP BY EXTRACT(MONTH FROM day)", Yes),
        ("SELECT EXTRACT(HOUR FROM at) AS h, COUNT(*) FROM t.visits GROUP BY h ORDER BY h", Yes),
        ("SELECT COUNT(*) FROM t.visits GROUP BY EXTRACT(YEAR FROM day), date_trunc('week', day), day", Yes),
        (
            "SELECT COUNT(*) FROM t.visits GROUP BY EXTRACT(YEAR FROM at)",
            About(GroupKeyNotPublic, "EXTRACT(YEAR FROM at)"),
        ),
        (
            "SELECT COUNT(*) FROM t.visits GROUP BY date_trunc('day', at)",
            About(GroupKeyNotPublic, "DATE_TRUNC('day', at)"),
        ),
        ("SELECT COUNT(*) FROM t.visits GROUP BY at", About(GroupKeyNotPublic, "at")),
        ("SELECT COUNT(*) FROM t.visits GROUP BY CAST(at AS DATE)", About(GroupKeyNotPublic, "")),
        ("SELECT COUNT(*) FROM t.visits GROUP BY EXTRACT(CENTURY FROM day)", About(FunctionRefused, "date_part of ")),
        (
            "SELECT COUNT(*) FROM t.visits GROUP BY EXTRACT(YEAR FROM CASE WHEN smoker THEN day END)",
            About(GroupKeyNotPublic, "EXTRACT(YEAR FROM CASE "),
        ),
        (
            "SELECT COUNT(*) FROM t.visits GROUP BY EXTRACT(MONTH FROM CASE WHEN smoker THEN day END)",
            About(GroupKeyNotPublic, "EXTRACT(MONTH FROM CASE "),
        ),
        ("SELECT COUNT(*) FROM t.visits GROUP BY EXTRACT(MONTH FROM phone)", About(ColumnIsIdentifier, "phone")),
        // A redefined column is not the column.
        ("SELECT COUNT(*) FROM (SELECT age AS ward FROM t.visits) AS s GROUP BY ward", About(GroupKeyNotPublic, "age")),
        ("SELECT COUNT(*) FROM (SELECT grade AS age FROM t.visits) AS s GROUP BY age", Yes),
        ("SELECT COUNT(DISTINCT x) FROM (SELECT person AS x FROM t.visits) AS s", Yes),
        (
            "SELECT COUNT(DISTINCT person) FROM (SELECT age AS person FROM t.visits) AS s",
            About(AggregateRefused, "count(DISTINCT person)"),
        ),
    ]);
}

#[test]
fn identifiers_have_no_role() {
    for sql in [
        "SELECT COUNT(phone) FROM t.visits",
        "SELECT COUNT(DISTINCT phone) FROM t.visits",
        "SELECT SUM(TRY_CAST(phone AS BIGINT)) FROM t.visits",
        "SELECT SUM(CASE WHEN phone = '1' THEN 1 ELSE 0 END) FROM t.visits",
        "SELECT COUNT(*) FROM t.visits WHERE phone = '1'",
        "SELECT COUNT(*) FROM t.visits WHERE age > 3 AND COALESCE(note, phone) IS NULL",
        "SELECT COUNT(*) FROM t.visits GROUP BY phone",
        "SELECT phone, COUNT(*) FROM t.visits GROUP BY phone",
        "SELECT COUNT(p) FROM (SELECT phone AS p FROM t.visits) AS s",
        "SELECT COUNT(*) FROM (SELECT age FROM t.visits WHERE phone IS NOT NULL) AS s",
        "SELECT COUNT(*, contribution_bounds_per_group => (0, 1)), COUNT(phone) FROM t.visits",
    ] {
        check(sql, About(ColumnIsIdentifier, "phone"));
    }
}

#[test]
fn bounds() {
    let sum = |bounds: &str| format!("SELECT SUM(free, {bounds}) FROM t.visits");
    all(&[
        ("SELECT SUM(free) FROM t.visits", About(BoundsMissing, "free")),
        ("SELECT AVG(EXTRACT(DOY FROM at)), SUM(EXTRACT(YEAR FROM day)) FROM t.visits", Yes),
        ("SELECT SUM(EXTRACT(YEAR FROM at)) FROM t.visits", About(BoundsMissing, "EXTRACT(YEAR FROM at)")),
        ("SELECT AVG(free) FROM t.visits", About(BoundsMissing, "free")),
        ("SELECT SUM(loose * 2) FROM t.visits", About(BoundsMissing, "loose * 2.0")),
        ("SELECT SUM(age / grade - free) FROM t.visits", About(BoundsMissing, "(age / grade) - free")),
        ("SELECT SUM(age / weight) FROM t.visits", About(BoundsMissing, "")),
        ("SELECT AVG(age, contribution_bounds_per_group => (0, 1)) FROM t.visits", No(BoundsInvalid)),
        (
            "SELECT SUM(age, contribution_bounds_per_group => (20, 60)) FILTER (WHERE smoker) FROM t.visits",
            About(BoundsInvalid, "bounds of a group with FILTER"),
        ),
        (
            "SELECT COUNT(*, contribution_bounds_per_group => (1, 2)) FILTER (WHERE smoker) FROM t.visits",
            About(BoundsInvalid, "bounds of a group with FILTER"),
        ),
        ("SELECT SUM(age, contribution_bounds_per_group => (0, 60)) FILTER (WHERE smoker) FROM t.visits", Yes),
        ("SELECT COUNT(*, contribution_bounds_per_row => (0, 1)) FROM t.visits", No(BoundsInvalid)),
        ("SELECT VAR(free) FROM t.visits", About(BoundsMissing, "free")),
        ("SELECT STDDEV(age, contribution_bounds_per_group => (0, 1)) FROM t.visits", No(BoundsInvalid)),
        // A sum of these values is within the exact range, and the sum of their squares is not.
        ("SELECT SUM(free, contribution_bounds_per_row => (0, 1e12)) FROM t.visits", Yes),
        ("SELECT VAR(free, contribution_bounds_per_row => (0, 1e12)) FROM t.visits", No(OverflowPossible)),
        ("SELECT VAR(loose, contribution_bounds_per_row => (-1e300, 1e300)) FROM t.visits", No(OverflowPossible)),
        ("SELECT VARIANCE(free, contribution_bounds_per_row => (0, 1e8)) FROM t.visits", Yes),
        ("SELECT COUNT(DISTINCT person, contribution_bounds_per_group => (0, 1)) FROM t.visits", No(BoundsInvalid)),
        ("SELECT COUNT(*, contribution_bounds_per_group => (0.2, 0.8)) FROM t.visits", No(BoundsInvalid)),
        ("SELECT SUM(ABS(age, contribution_bounds_per_row => (0, 1))) FROM t.visits", No(BoundsInvalid)),
        ("SELECT COUNT(*), contribution_bounds_per_row => (0, 1) FROM t.visits", No(BoundsInvalid)),
        (
            "SELECT SUM(free, contribution_bounds_per_week => (0, 1)) FROM t.visits",
            About(OptionUnknown, "contribution_bounds_per_week"),
        ),
        ("SELECT SUM(free, contribution_bounds_per_row => (0, 1e18)) FROM t.visits", No(OverflowPossible)),
        ("SELECT SUM(age * age * age * age * age * age * age * age) FROM t.visits", No(OverflowPossible)),
        ("SELECT SUM(age, contribution_bounds_per_group => (0, 1e19)) FROM t.visits", No(OverflowPossible)),
    ]);
    for wrong in [
        "(1, 0)",
        "(1, 1)",
        "(1)",
        "()",
        "(0, 1, 2)",
        "(0, NULL)",
        "(0, 'a')",
        "(0, age)",
        "(0, 1 + 1)",
        "(0, 1e999)",
        "0",
        "(0, (1))",
    ] {
        check(&sum(&format!("contribution_bounds_per_row => {wrong}")), No(BoundsInvalid));
    }
    let one = "contribution_bounds_per_row => (0, 1)";
    check(&sum(&format!("{one}, {one}")), No(BoundsInvalid));
    for right in ["(0, 1)", "(-1, 1)", "(-1.5e3, +2)", "((-1), 0)", "(0, 1e15)"] {
        check(&sum(&format!("CONTRIBUTION_BOUNDS_PER_ROW => {right}")), Yes);
    }
}

#[test]
fn options() {
    let with = |options: &str| format!("SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS ({options}) COUNT(*) FROM t.visits");
    for right in
        ["", "epsilon = 0.5", "EPSILON = 100, Delta = 0", "mechanism = 'Laplace'", "max_groups_contributed = 1"]
    {
        check(&with(right), Yes);
    }
    for wrong in [
        "epsilon = 0",
        "epsilon = -1",
        "epsilon = 101",
        "epsilon = 'a'",
        "epsilon",
        "epsilon = ",
        "epsilon = 1 + 1",
        "epsilon = NULL",
        "delta = 1",
        "delta = -1e-9",
        "max_groups_contributed = 0",
        "max_groups_contributed = 1.5",
        "max_groups_contributed = 1e9",
        "mechanism = gaussian",
        "mechanism = 'exact'",
    ] {
        check(&with(wrong), About(OptionInvalid, wrong.split(' ').next().unwrap_or_default()));
    }
    check(&with("delta = 0, mechanism = 'gaussian'"), About(OptionInvalid, "mechanism"));
    for (twice, quoted) in [
        ("epsilon = 1, epsilon = 0.1", "epsilon = 0.1 a second time"),
        ("delta = 0, epsilon = 1, DELTA = 0", "DELTA = 0 a second time"),
        ("epsilon = 1, Epsilon = 1", "Epsilon = 1 a second time"),
    ] {
        check(&with(twice), About(OptionInvalid, quoted));
    }
    check(&with("noise = 0"), About(OptionUnknown, "noise"));
    check("SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS epsilon = 1 COUNT(*) FROM t.visits", About(SqlSyntax, "OPTIONS"));
    check("SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS (epsilon = 1 COUNT(*) FROM t.visits", About(SqlSyntax, ""));
    check("SELECT WITH ANONYMIZATION COUNT(*) FROM t.visits", About(SqlSyntax, ""));
}

#[test]
fn intervals_are_of_aggregates() {
    all(&[
        ("SELECT COUNT(*), dp_interval_low(COUNT(*)), dp_interval_high(COUNT(*)) FROM t.visits", Yes),
        ("SELECT dp_interval_high(AVG(cost, contribution_bounds_per_row => (0, 3))) AS h FROM t.visits", Yes),
        ("SELECT ward FROM t.visits GROUP BY ward HAVING dp_interval_low(SUM(age)) > 3", Yes),
        (
            "SELECT dp_interval_low(COUNT(*) + 1) FROM t.visits",
            About(ExpressionRefused, "dp_interval_low((an aggregate + 1))"),
        ),
        ("SELECT dp_interval_low(ward) FROM t.visits GROUP BY ward", About(ExpressionRefused, "dp_interval_low(ward)")),
        ("SELECT dp_interval_low(5), COUNT(*) FROM t.visits", About(ExpressionRefused, "dp_interval_low(5)")),
        ("SELECT SUM(dp_interval_low(age)) FROM t.visits", About(FunctionRefused, "dp_interval_low")),
        (
            "SELECT dp_interval_low(n) FROM (SELECT COUNT(*) AS n FROM t.visits) AS s",
            About(ExpressionRefused, "dp_interval_low(n)"),
        ),
    ]);
}
