//! One text for one expression: what a digest, a label and a quotation say of it.
//!
//! DataFusion's own text is for reading. It leaves parentheses out (`a - (b - c)` prints like `a - b - c`) and does not
//! escape texts, so that two questions could have one digest, and the release of one would answer the other. Here
//! different expressions of the accepted language have different texts: operations are wrapped, texts are escaped,
//! keywords are upper case where column names are lower case.

use arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::expr::{AggregateFunction, Case, ScalarFunction};
use datafusion::logical_expr::{Expr, Operator};

use crate::dates::{Taken, taken};
use crate::lift::MARKER;
use crate::safe::{SAFE_DAY_NAME, SAFE_DIV_NAME, SAFE_MOD_NAME};

/// The text of an expression, close to SQL.
pub(crate) fn text(expr: &Expr) -> String {
    let whole = nested(expr);
    // One pair around everything says nothing; only operations have one.
    let wrapped = whole.starts_with('(') && !matches!(expr, Expr::Literal(..) | Expr::Column(_));
    match whole.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
        Some(inside) if wrapped => inside.to_owned(),
        _ => whole,
    }
}

fn nested(expr: &Expr) -> String {
    let is = |e: &Expr, what: &str| format!("({} IS {what})", nested(e));
    match expr {
        Expr::Column(column) => name(&column.name),
        Expr::Literal(value, _) => literal(value),
        Expr::Alias(alias) => nested(&alias.expr),
        Expr::BinaryExpr(e) => operation(&nested(&e.left), &e.op, &nested(&e.right)),
        Expr::Not(e) => format!("(NOT {})", nested(e)),
        Expr::Negative(e) => format!("(- {})", nested(e)),
        Expr::IsNull(e) => is(e, "NULL"),
        Expr::IsNotNull(e) => is(e, "NOT NULL"),
        Expr::IsTrue(e) => is(e, "TRUE"),
        Expr::IsFalse(e) => is(e, "FALSE"),
        Expr::IsUnknown(e) => is(e, "UNKNOWN"),
        Expr::IsNotTrue(e) => is(e, "NOT TRUE"),
        Expr::IsNotFalse(e) => is(e, "NOT FALSE"),
        Expr::IsNotUnknown(e) => is(e, "NOT UNKNOWN"),
        Expr::Case(case) => case_text(case),
        Expr::Cast(cast) => format!("CAST({} AS {})", nested(&cast.expr), cast.field.data_type()),
        Expr::TryCast(cast) => format!("TRY_CAST({} AS {})", nested(&cast.expr), cast.field.data_type()),
        Expr::InList(list) => {
            let not = if list.negated { "NOT " } else { "" };
            format!("({} {not}IN ({}))", nested(&list.expr), listed(&list.list))
        }
        Expr::ScalarFunction(call) => match (call.func.name(), call.args.as_slice()) {
            (SAFE_DIV_NAME, [a, b]) => operation(&nested(a), &Operator::Divide, &nested(b)),
            (SAFE_MOD_NAME, [a, b]) => operation(&nested(a), &Operator::Modulo, &nested(b)),
            (SAFE_DAY_NAME, [a]) => format!("TRY_CAST({} AS {})", nested(a), DataType::Date32),
            _ if taken(call).is_some() => date_text(call),
            ("like", [a, b]) => format!("({} LIKE {})", nested(a), nested(b)),
            ("ilike", [a, b]) => format!("({} ILIKE {})", nested(a), nested(b)),
            ("||", [a, b]) => operation(&nested(a), &Operator::StringConcat, &nested(b)),
            // The marker is ours; a refusal quotes what the asker wrote.
            (MARKER, [argument, ..]) => nested(argument),
            (function, args) => format!("{function}({})", listed(args)),
        },
        Expr::AggregateFunction(AggregateFunction { func, params }) if is_star(&params.args) => {
            format!("{}(*)", func.name())
        }
        Expr::AggregateFunction(AggregateFunction { func, params }) => {
            let distinct = if params.distinct { "DISTINCT " } else { "" };
            format!("{}({distinct}{})", func.name(), listed(&params.args))
        }
        // Not in the accepted language: only ever quoted.
        Expr::Between(e) => {
            let not = if e.negated { "NOT " } else { "" };
            let (value, low, high) = (nested(&e.expr), nested(&e.low), nested(&e.high));
            format!("({value} {not}BETWEEN {low} AND {high})")
        }
        Expr::Like(e) => {
            let not = if e.negated { "NOT " } else { "" };
            let like = if e.case_insensitive { "ILIKE" } else { "LIKE" };
            format!("({} {not}{like} {})", nested(&e.expr), nested(&e.pattern))
        }
        _ => "an expression of another kind".to_owned(),
    }
}

fn date_text(call: &ScalarFunction) -> String {
    match taken(call) {
        Some((Taken::Part(period), of)) => format!("EXTRACT({} FROM {})", period.name(), nested(of)),
        Some((Taken::Beginning(period), of)) => {
            format!("DATE_TRUNC('{}', {})", period.name().to_ascii_lowercase(), nested(of))
        }
        None => listed(&call.args),
    }
}

/// COUNT(*) is planned as COUNT(1).
fn is_star(args: &[Expr]) -> bool {
    matches!(args, [Expr::Literal(ScalarValue::Int64(Some(1)), _)])
}

fn listed(exprs: &[Expr]) -> String {
    exprs.iter().map(nested).collect::<Vec<_>>().join(", ")
}

fn operation(left: &str, op: &Operator, right: &str) -> String {
    format!("({left} {op} {right})")
}

fn case_text(case: &Case) -> String {
    let mut out = "CASE".to_owned();
    if let Some(base) = &case.expr {
        out += &format!(" {}", nested(base));
    }
    for (when, then) in &case.when_then_expr {
        out += &format!(" WHEN {} THEN {}", nested(when), nested(then));
    }
    if let Some(otherwise) = &case.else_expr {
        out += &format!(" ELSE {}", nested(otherwise));
    }
    out + " END"
}

/// A column as it is where that cannot be anything else, else in double quotes. Above the aggregate the planner gives
/// columns names of its own making, which mean nothing to the asker; no declared column has such a name.
fn name(column: &str) -> String {
    // A column of a public table has a name of ours, with a bracket that no name of the planner's making begins with.
    if column.contains('(') && !is_looked_up(column) {
        return "an aggregate".to_owned();
    }
    let plain = column.starts_with(|c: char| c.is_ascii_lowercase())
        && column.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if plain { column.to_owned() } else { format!("\"{}\"", column.replace('"', "\"\"")) }
}

/// Whether a column is of a public table: `schema.table[…`. Only the analysis makes such names.
fn is_looked_up(column: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '.';
    column.split_once('[').is_some_and(|(table, _)| table.contains('.') && table.chars().all(plain))
}

fn literal(value: &ScalarValue) -> String {
    match value {
        ScalarValue::Null => "NULL".to_owned(),
        value if value.is_null() => format!("NULL::{}", value.data_type()),
        ScalarValue::Boolean(Some(v)) => v.to_string().to_ascii_uppercase(),
        ScalarValue::Int64(Some(v)) => v.to_string(),
        // Debug keeps a point or an exponent, so that 1.0 is not 1.
        ScalarValue::Float64(Some(v)) => format!("{v:?}").replace("inf", "INF"),
        ScalarValue::Utf8(Some(v)) => format!("'{}'", v.replace('\'', "''")),
        other => format!("{other:?}"),
    }
}

#[cfg(test)]
mod tests {
    use datafusion::logical_expr::{col, lit};

    use super::*;

    #[test]
    fn different_expressions_have_different_texts() {
        let (a, b, c) = (|| col("a"), || col("b"), || col("c"));
        let texts = [
            text(&(a() - (b() - c()))),
            text(&(a() - b() - c())),
            text(&a().eq(lit("x") as Expr).or(b().eq(lit("y")))),
            text(&a().eq(lit("x' OR (b = 'y"))),
            text(&a().eq(lit("x\") OR b = Utf8(\"y"))),
            text(&a().eq(lit(1_i64))),
            text(&a().eq(lit(1.0))),
            text(&a().eq(lit("1"))),
            text(&a().eq(col("\"1\""))),
            text(&a().eq(lit(f64::INFINITY))),
            text(&a().eq(col("inf"))),
            text(&a().eq(lit(ScalarValue::Null))),
            text(&a().eq(lit(ScalarValue::Int64(None)))),
        ];
        let distinct: std::collections::BTreeSet<&String> = texts.iter().collect();
        assert_eq!(distinct.len(), texts.len(), "{texts:?}");
        assert_eq!(texts[0], "a - (b - c)");
    }
}
