//! How many characters a text has at most, from literals, key lists and what makes it. Like an interval, the answer only
//! chooses where values are clamped.

use arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::{Expr, ExprSchemable as _};
use glovebox_catalog::KeyValue;

use crate::calls::form_of;
use crate::interval::Bounds;

/// The most characters of a value that is written as a text.
const SHOWN_FLOAT: u64 = 32;
/// A sign and nineteen digits.
const SHOWN_WHOLE: u64 = 20;
/// `false`.
const SHOWN_TRUTH: u64 = 5;

/// The most characters of a total expression of text; `None` where nothing tells.
pub(crate) fn characters(expr: &Expr, bounds: Bounds<'_>) -> Option<u64> {
    let of = |expr: &Expr| characters(expr, bounds);
    match expr {
        Expr::Literal(ScalarValue::Utf8(text), _) => Some(text.as_ref().map_or(0, |text| text.chars().count() as u64)),
        Expr::Column(column) => {
            let keys = bounds.scope.column(&column.name)?.keys.as_ref()?;
            let length =
                |key: &KeyValue| if let KeyValue::Text(v) = key { Some(v.chars().count() as u64) } else { None };
            keys.iter().map(length).try_fold(0, |most, length| Some(most.max(length?)))
        }
        Expr::TryCast(cast) => match cast.expr.get_type(bounds.schema).ok()? {
            DataType::Int64 => Some(SHOWN_WHOLE),
            DataType::Float64 => Some(SHOWN_FLOAT),
            DataType::Boolean => Some(SHOWN_TRUTH),
            DataType::Utf8 => of(&cast.expr),
            _ => None,
        },
        Expr::Case(case) => {
            let mut arms = case.when_then_expr.iter().map(|(_, then)| then.as_ref()).chain(case.else_expr.as_deref());
            arms.try_fold(0, |most, arm| Some(most.max(of(arm)?)))
        }
        Expr::ScalarFunction(call) => {
            let Some(form) = form_of(call) else {
                return match (call.func.name(), call.args.as_slice()) {
                    ("nullif", [x, _]) => of(x),
                    ("greatest" | "least", args) => args.iter().try_fold(0, |most, arg| Some(most.max(of(arg)?))),
                    _ => None,
                };
            };
            let first = || call.args.first().and_then(of);
            // A number of characters that is asked for, where it is not negative.
            let asked = |place: usize| {
                let n = bounds.of(call.args.get(place)?);
                (n.lower >= 0.0 && n.upper < 1e9).then_some(n.upper as u64)
            };
            let shorter = |n: Option<u64>| match (first(), n) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            };
            match form.name {
                "btrim" | "ltrim" | "rtrim" | "reverse" | "split_part" | "translate" => first(),
                "left" | "right" => shorter(asked(1)),
                "substr" => shorter(asked(2)),
                "lpad" | "rpad" => asked(1),
                // A character may become three.
                "lower" | "upper" | "initcap" => first().map(|n| 3 * n),
                "concat" | "||" => call.args.iter().try_fold(0_u64, |sum, arg| sum.checked_add(of(arg)?)),
                _ => None,
            }
        }
        _ => None,
    }
}
