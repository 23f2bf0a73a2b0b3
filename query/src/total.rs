//! Expressions that cannot fail on any row.
//!
//! An error that some row causes and another does not is a bit of data on its way out (AWS Clean Rooms documents the
//! hole). So only what is total is let through, and what is nearly total is rewritten: `/` and `%` become functions of
//! our own in `safe` (NULL where the divisor is zero), CAST becomes TRY_CAST, unary minus becomes `0 - x` (wrapping),
//! COALESCE becomes CASE, parts of dates become functions of our own in `dates`, and most others, LIKE too, those of `calls`. Integer `+ - *` wrap in DataFusion 55 (`fail_on_overflow` is off); that is total, and
//! harmless because every value is clamped afterwards. A test pins it.

use std::sync::Arc;

use arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::{DFSchema, ScalarValue};
use datafusion::logical_expr::expr::{Alias, BinaryExpr, Case, InList, ScalarFunction, TryCast};
use datafusion::logical_expr::{Expr, ExprSchemable, Operator, lit};
use glovebox_policy::{Reason, Refusal};

use crate::calls;
use crate::canonical::text;
use crate::dates;
use crate::flatten::{EXPR_MAX_NODES, size};
use crate::lift::MARKER;
use crate::safe::{SAFE_DAY, SAFE_DIV, SAFE_DIV_NAME, SAFE_MOD, SAFE_MOD_NAME};

/// Longest list after IN.
const IN_LIST_MAX: usize = 100;

/// What a refusal calls a subquery outside of FROM.
pub(crate) const SUBQUERY: &str = "a subquery in an expression";

/// Rewrites an expression over `schema` into one that cannot fail on any row.
///
/// # Errors
/// The function, operator or type that is not accepted, or [`Reason::SqlTooManyOperators`] when rewriting, which says
/// some arguments twice, would make the expression too large.
pub(crate) fn total(expr: &Expr, schema: &DFSchema) -> Result<Expr, Refusal> {
    sized(rewritten(expr, schema)?)
}

/// Refuses an expression that has grown too large.
fn sized(expr: Expr) -> Result<Expr, Refusal> {
    if size(&expr) > EXPR_MAX_NODES { Err(Reason::SqlTooManyOperators.into()) } else { Ok(expr) }
}

fn rewritten(expr: &Expr, schema: &DFSchema) -> Result<Expr, Refusal> {
    let inner = |expr: &Expr| rewritten(expr, schema).map(Box::new);
    Ok(match expr {
        Expr::Column(_) => expr.clone(),
        Expr::Literal(value, _) => {
            check_type(&value.data_type())?;
            expr.clone()
        }
        Expr::Alias(Alias { expr, .. }) => rewritten(expr, schema)?,
        Expr::BinaryExpr(binary) => total_binary(binary, schema)?,
        Expr::Not(e) => Expr::Not(inner(e)?),
        Expr::IsNull(e) => Expr::IsNull(inner(e)?),
        Expr::IsNotNull(e) => Expr::IsNotNull(inner(e)?),
        Expr::IsTrue(e) => Expr::IsTrue(inner(e)?),
        Expr::IsFalse(e) => Expr::IsFalse(inner(e)?),
        Expr::IsUnknown(e) => Expr::IsUnknown(inner(e)?),
        Expr::IsNotTrue(e) => Expr::IsNotTrue(inner(e)?),
        Expr::IsNotFalse(e) => Expr::IsNotFalse(inner(e)?),
        Expr::IsNotUnknown(e) => Expr::IsNotUnknown(inner(e)?),
        Expr::Negative(e) => negative(rewritten(e, schema)?, schema)?,
        Expr::Between(between) => {
            let (value, low, high) = (inner(&between.expr)?, inner(&between.low)?, inner(&between.high)?);
            let both = sized(value.clone().gt_eq(*low).and(value.lt_eq(*high)))?;
            if between.negated { Expr::Not(Box::new(both)) } else { both }
        }
        Expr::Case(case) => total_case(case, schema)?,
        Expr::Cast(cast) => try_cast(rewritten(&cast.expr, schema)?, cast.field.data_type(), schema)?,
        Expr::TryCast(cast) => try_cast(rewritten(&cast.expr, schema)?, cast.field.data_type(), schema)?,
        Expr::InList(list) => total_in_list(list, schema)?,
        Expr::ScalarFunction(call) => total_call(call, schema)?,
        // A backslash is the escape; another cannot be asked for.
        Expr::Like(like) if matches!(like.escape_char, None | Some('\\')) => {
            let name = if like.case_insensitive { "ilike" } else { "like" };
            negated(
                own(name, vec![rewritten(&like.expr, schema)?, rewritten(&like.pattern, schema)?], schema)?,
                like.negated,
            )
        }
        Expr::ScalarSubquery(_) | Expr::InSubquery(_) | Expr::Exists(_) | Expr::SetComparison(_) => {
            return Err(Refusal::about(Reason::ClauseRefused, SUBQUERY));
        }
        Expr::WindowFunction(_) => return Err(Refusal::about(Reason::ClauseRefused, "OVER")),
        other => return Err(Refusal::about(Reason::ExpressionRefused, &text(other))),
    })
}

fn check_type(data_type: &DataType) -> Result<(), Refusal> {
    let fine = matches!(
        data_type,
        DataType::Null
            | DataType::Boolean
            | DataType::Int64
            | DataType::Float64
            | DataType::Utf8
            | DataType::Date32
            | DataType::Timestamp(..)
    );
    if fine { Ok(()) } else { Err(Refusal::about(Reason::TypeRefused, &data_type.to_string())) }
}

fn type_of(expr: &Expr, schema: &DFSchema) -> Result<DataType, Refusal> {
    let found = expr.get_type(schema).map_err(|_| Refusal::about(Reason::TypeRefused, &text(expr)))?;
    check_type(&found)?;
    Ok(found)
}

fn is_number(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Int64 | DataType::Float64 | DataType::Null)
}

fn total_binary(binary: &BinaryExpr, schema: &DFSchema) -> Result<Expr, Refusal> {
    let (left, right) = (rewritten(&binary.left, schema)?, rewritten(&binary.right, schema)?);
    let types = (type_of(&left, schema)?, type_of(&right, schema)?);
    let plain = |left, right| Expr::BinaryExpr(BinaryExpr::new(Box::new(left), binary.op, Box::new(right)));
    // The planner has made both sides of one type. Where they are not, an expression could fail on rows that reach it.
    if types.0 != types.1 && types.0 != DataType::Null && types.1 != DataType::Null {
        return Err(Refusal::about(Reason::TypeRefused, &text(&Expr::BinaryExpr(binary.clone()))));
    }
    match binary.op {
        Operator::Plus | Operator::Minus | Operator::Multiply | Operator::Divide | Operator::Modulo
            if !is_number(&types.0) || !is_number(&types.1) =>
        {
            Err(Refusal::about(Reason::TypeRefused, &text(&Expr::BinaryExpr(binary.clone()))))
        }
        Operator::StringConcat => own("||", vec![left, right], schema),
        Operator::RegexMatch => own("regexp_like", vec![left, right], schema),
        Operator::RegexIMatch => own("regexp_like", vec![left, right, lit("i")], schema),
        Operator::RegexNotMatch => Ok(negated(own("regexp_like", vec![left, right], schema)?, true)),
        Operator::RegexNotIMatch => Ok(negated(own("regexp_like", vec![left, right, lit("i")], schema)?, true)),
        Operator::LikeMatch | Operator::ILikeMatch | Operator::NotLikeMatch | Operator::NotILikeMatch => {
            let name = if matches!(binary.op, Operator::LikeMatch | Operator::NotLikeMatch) { "like" } else { "ilike" };
            let not = matches!(binary.op, Operator::NotLikeMatch | Operator::NotILikeMatch);
            Ok(negated(own(name, vec![left, right], schema)?, not))
        }
        Operator::Divide => Ok(SAFE_DIV.call(vec![left, right])),
        Operator::Modulo => Ok(SAFE_MOD.call(vec![left, right])),
        Operator::Plus
        | Operator::Minus
        | Operator::Multiply
        | Operator::Eq
        | Operator::NotEq
        | Operator::Lt
        | Operator::LtEq
        | Operator::Gt
        | Operator::GtEq
        | Operator::And
        | Operator::Or
        | Operator::IsDistinctFrom
        | Operator::IsNotDistinctFrom => Ok(plain(left, right)),
        _ => Err(Refusal::about(Reason::ExpressionRefused, &binary.op.to_string())),
    }
}

fn negated(expr: Expr, not: bool) -> Expr {
    if not { Expr::Not(Box::new(expr)) } else { expr }
}

/// A call of a function of ours; the arguments are total.
fn own(name: &str, args: Vec<Expr>, schema: &DFSchema) -> Result<Expr, Refusal> {
    let types = args.iter().map(|arg| type_of(arg, schema)).collect::<Result<Vec<_>, _>>()?;
    calls::total(name, args, &types)?.ok_or_else(|| Refusal::about(Reason::FunctionRefused, name))
}

fn negative(expr: Expr, schema: &DFSchema) -> Result<Expr, Refusal> {
    match type_of(&expr, schema)? {
        DataType::Int64 => Ok(lit(0_i64) - expr),
        DataType::Float64 => Ok(lit(0_f64) - expr),
        _ => Err(Refusal::about(Reason::TypeRefused, &text(&expr))),
    }
}

fn total_case(case: &Case, schema: &DFSchema) -> Result<Expr, Refusal> {
    let inner = |expr: &Expr| rewritten(expr, schema).map(Box::new);
    let arms = case.when_then_expr.iter().map(|(when, then)| Ok((inner(when)?, inner(then)?)));
    Ok(Expr::Case(Case {
        expr: case.expr.as_deref().map(inner).transpose()?,
        when_then_expr: arms.collect::<Result<_, Refusal>>()?,
        else_expr: case.else_expr.as_deref().map(inner).transpose()?,
    }))
}

fn total_in_list(list: &InList, schema: &DFSchema) -> Result<Expr, Refusal> {
    if list.list.len() > IN_LIST_MAX {
        return Err(Reason::SqlTooManyOperators.into());
    }
    let value = rewritten(&list.expr, schema)?;
    let values = list.list.iter().map(|value| rewritten(value, schema)).collect::<Result<Vec<_>, _>>()?;
    let expected = type_of(&value, schema)?;
    for one in &values {
        let found = type_of(one, schema)?;
        if found != expected && found != DataType::Null && expected != DataType::Null {
            return Err(Refusal::about(Reason::TypeRefused, &text(&Expr::InList(list.clone()))));
        }
    }
    if values.iter().all(|value| matches!(value, Expr::Literal(..))) {
        return Ok(Expr::InList(InList::new(Box::new(value), values, list.negated)));
    }
    // DataFusion evaluates a list on no rows first, and takes what CASE gives there for a constant.
    let any = values.into_iter().map(|one| value.clone().eq(one)).reduce(Expr::or);
    let any = any.ok_or_else(|| Refusal::about(Reason::ExpressionRefused, "IN ()"))?;
    sized(if list.negated { Expr::Not(Box::new(any)) } else { any })
}

/// Whether every value of one type casts to a value or to NULL of another, without an error.
///
/// An allow-list, because `safe` does not mean total in arrow 59: a date or an instant beyond the calendar cannot be
/// formatted, and fails the whole batch when it is cast to text or from instant to date. A test runs every allowed pair
/// on the extremes of its type.
fn casts_totally(from: &DataType, to: &DataType) -> bool {
    use DataType::{Boolean, Date32, Float64, Int64, Null, Utf8};
    from == to
        || *from == Null
        || matches!(
            (from, to),
            (Int64, Float64 | Utf8 | Boolean)
                | (Float64, Int64 | Utf8 | Boolean)
                | (Boolean, Int64 | Float64 | Utf8)
                | (Utf8, Int64 | Float64 | Boolean | Date32)
        )
}

fn try_cast(expr: Expr, to: &DataType, schema: &DFSchema) -> Result<Expr, Refusal> {
    let to = match to {
        DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::Int64 => DataType::Int64,
        DataType::Float16 | DataType::Float32 | DataType::Float64 => DataType::Float64,
        DataType::Utf8 | DataType::Utf8View | DataType::LargeUtf8 => DataType::Utf8,
        DataType::Boolean => DataType::Boolean,
        DataType::Date32 => DataType::Date32,
        DataType::Timestamp(_, None) => return instant(expr, schema),
        other => return Err(Refusal::about(Reason::TypeRefused, &other.to_string())),
    };
    let from = type_of(&expr, schema)?;
    if from == DataType::Timestamp(TimeUnit::Microsecond, None) && to == DataType::Date32 {
        return Ok(SAFE_DAY.call(vec![expr]));
    }
    // Where the planner made two texts of one kind: a literal stays a literal, so that it can be a pattern.
    if from == DataType::Utf8 && to == DataType::Utf8 && matches!(expr, Expr::Literal(..)) {
        return Ok(expr);
    }
    if !casts_totally(&from, &to) {
        return Err(Refusal::about(Reason::TypeRefused, &format!("{from} to {to}")));
    }
    Ok(match (expr, to) {
        // Literals that coercion wrapped are literals again, so that bounds can be read off them.
        (Expr::Literal(value, _), to) if value.is_null() => {
            lit(ScalarValue::try_new_null(&to).map_err(|_| Reason::TypeRefused)?)
        }
        (Expr::Literal(ScalarValue::Int64(Some(value)), _), DataType::Float64) => lit(value as f64),
        (other, to) => Expr::TryCast(TryCast::new(Box::new(other), to)),
    })
}

/// An instant in microseconds, whatever unit the planner thought of: a column's own, or that of a literal.
fn instant(expr: Expr, schema: &DFSchema) -> Result<Expr, Refusal> {
    let from = type_of(&expr, schema)?;
    if from == dates::INSTANT {
        return Ok(expr);
    }
    let literal = match &expr {
        // A literal day stands inside the cast that makes it one.
        Expr::TryCast(cast) if *cast.field.data_type() == DataType::Date32 => cast.expr.as_ref(),
        other => other,
    };
    let micros = match literal {
        Expr::Literal(ScalarValue::Utf8(Some(text)), _) => dates::instant_of(text),
        Expr::Literal(ScalarValue::Null, _) => return Ok(lit(ScalarValue::TimestampMicrosecond(None, None))),
        Expr::Literal(value, _) if value.is_null() => return Ok(lit(ScalarValue::TimestampMicrosecond(None, None))),
        _ => return Err(Refusal::about(Reason::TypeRefused, &format!("{from} to TIMESTAMP"))),
    };
    let micros = micros.ok_or_else(|| Refusal::about(Reason::TypeRefused, &text(literal)))?;
    Ok(lit(ScalarValue::TimestampMicrosecond(Some(micros), None)))
}

fn total_call(call: &ScalarFunction, schema: &DFSchema) -> Result<Expr, Refusal> {
    let args = call.args.iter().map(|arg| rewritten(arg, schema)).collect::<Result<Vec<_>, _>>()?;
    if dates::taken(call).is_some() || calls::form_of(call).is_some() {
        return Ok(Expr::ScalarFunction(ScalarFunction::new_udf(Arc::clone(&call.func), args)));
    }
    match (call.func.name(), args.as_slice()) {
        (name @ ("date_part" | "date_trunc"), args) => {
            let types = args.iter().map(|arg| type_of(arg, schema)).collect::<Result<Vec<_>, _>>()?;
            dates::total(name, args, &types)?.ok_or_else(|| Refusal::about(Reason::FunctionRefused, name))
        }
        ("nvl2", [x, some, none]) => {
            let types = (type_of(some, schema)?, type_of(none, schema)?);
            if types.0 != types.1 {
                return Err(Refusal::about(Reason::TypeRefused, &format!("{} and {}", types.0, types.1)));
            }
            Ok(case_when(x.clone().is_not_null(), some.clone(), none.clone()))
        }
        ("mod", [x, by]) => {
            let types = (type_of(x, schema)?, type_of(by, schema)?);
            let (x, by) = match types {
                (DataType::Int64, DataType::Float64) => (try_cast(x.clone(), &types.1, schema)?, by.clone()),
                (DataType::Float64, DataType::Int64) => (x.clone(), try_cast(by.clone(), &types.0, schema)?),
                _ => (x.clone(), by.clone()),
            };
            total_binary(&BinaryExpr::new(Box::new(x), Operator::Modulo, Box::new(by)), schema)
        }
        ("pi", []) => Ok(lit(std::f64::consts::PI)),
        ("coalesce", [only]) => Ok(only.clone()),
        // One CASE with many arms, not many CASEs: a long list must not nest deeply.
        ("coalesce", [first @ .., last]) => {
            let arms = first.iter().map(|x| (Box::new(x.clone().is_not_null()), Box::new(x.clone())));
            sized(Expr::Case(Case::new(None, arms.collect(), Some(Box::new(last.clone())))))
        }
        // Bounds are for aggregates.
        (MARKER, _) => Err(Reason::BoundsInvalid.into()),
        ("floor" | "ceil" | "greatest" | "least" | "nullif" | SAFE_DIV_NAME | SAFE_MOD_NAME, _) => {
            Ok(Expr::ScalarFunction(ScalarFunction::new_udf(Arc::clone(&call.func), args)))
        }
        (name, _) => own(name, args, schema),
    }
}

fn case_when(when: Expr, then: Expr, otherwise: Expr) -> Expr {
    Expr::Case(Case::new(None, vec![(Box::new(when), Box::new(then))], Some(Box::new(otherwise))))
}

/// The value where the condition is true, else NULL.
pub(crate) fn when(condition: Expr, value: Expr) -> Expr {
    Expr::Case(Case::new(None, vec![(Box::new(condition), Box::new(value))], None))
}
