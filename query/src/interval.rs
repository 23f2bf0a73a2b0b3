//! Which values an expression can take, from declared bounds: interval arithmetic.
//!
//! The answer only chooses where values are clamped. A wrong interval costs accuracy, never privacy: the fold clamps
//! every value to it before anything is added up.

use arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::expr::{BinaryExpr, Case, ScalarFunction};
use datafusion::logical_expr::{Expr, Operator};
use glovebox_catalog::KeyValue;

use crate::dates::{Taken, taken};
use crate::keys::{dated, years};
use crate::scope::Scope;

/// A closed interval of finite numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Interval {
    pub(crate) lower: f64,
    pub(crate) upper: f64,
}

impl Interval {
    /// An interval, if both ends are finite and in order.
    pub(crate) fn new(lower: f64, upper: f64) -> Option<Self> {
        (lower.is_finite() && upper.is_finite() && lower <= upper).then_some(Self { lower, upper })
    }

    /// The least interval with whole ends around this one.
    pub(crate) fn outward(self) -> Option<Self> {
        Self::new(self.lower.floor(), self.upper.ceil())
    }

    /// Where the values land when their fractions are cut off.
    fn truncated(self) -> Option<Self> {
        Self::new(self.lower.trunc(), self.upper.trunc())
    }

    fn hull(self, other: Self) -> Option<Self> {
        Self::new(self.lower.min(other.lower), self.upper.max(other.upper))
    }

    fn of_corners(corners: [f64; 4]) -> Option<Self> {
        if corners.iter().any(|c| c.is_nan()) {
            return None;
        }
        Self::new(
            corners.iter().copied().fold(f64::INFINITY, f64::min),
            corners.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        )
    }
}

/// The values of a total expression, or `None` where no declared bound reaches it.
pub(crate) fn interval_of(expr: &Expr, scope: &Scope) -> Option<Interval> {
    match expr {
        Expr::Column(column) => of_column(&column.name, scope),
        Expr::Literal(value, _) => {
            let value = number(value)?;
            Interval::new(value, value)
        }
        Expr::BinaryExpr(binary) => of_binary(binary, scope),
        Expr::TryCast(cast) => {
            let inner = interval_of(&cast.expr, scope)?;
            if *cast.field.data_type() == DataType::Int64 { inner.truncated() } else { Some(inner) }
        }
        Expr::Case(case) => of_case(case, scope),
        Expr::ScalarFunction(call) if taken(call).is_some() => of_date(call, scope),
        Expr::ScalarFunction(call) => {
            let args = call.args.iter().map(|arg| interval_of(arg, scope)).collect::<Option<Vec<_>>>()?;
            let out = of_call(call.func.name(), &args)?;
            let divides_whole =
                call.func.name() == crate::safe::SAFE_DIV_NAME && call.args.iter().all(|arg| is_whole(arg, scope));
            if divides_whole { out.truncated() } else { Some(out) }
        }
        _ => None,
    }
}

fn number(value: &ScalarValue) -> Option<f64> {
    match value {
        ScalarValue::Int64(Some(v)) => Some(*v as f64),
        ScalarValue::Float64(Some(v)) => Some(*v),
        _ => None,
    }
}

/// Whether an expression is one of whole numbers, so that a division cuts the fraction off. Where in doubt it is not.
fn is_whole(expr: &Expr, scope: &Scope) -> bool {
    match expr {
        Expr::Column(column) => scope.column(&column.name).is_some_and(|c| c.data_type == DataType::Int64),
        Expr::Literal(value, _) => matches!(value, ScalarValue::Int64(_)),
        Expr::BinaryExpr(binary) => is_whole(&binary.left, scope) && is_whole(&binary.right, scope),
        Expr::TryCast(cast) => *cast.field.data_type() == DataType::Int64,
        Expr::Case(case) => {
            let mut arms = case.when_then_expr.iter().map(|(_, then)| then).chain(&case.else_expr);
            arms.all(|arm| is_whole(arm, scope))
        }
        Expr::ScalarFunction(call) if taken(call).is_some() => true,
        Expr::ScalarFunction(call) => call.args.iter().all(|arg| is_whole(arg, scope)),
        _ => false,
    }
}

fn of_column(name: &str, scope: &Scope) -> Option<Interval> {
    let column = scope.column(name)?;
    if column.bounds.is_some() {
        return column.bounds;
    }
    // A whole-number column with a public key list is bounded by the list.
    let keys = column.keys.as_ref().filter(|_| column.data_type == DataType::Int64)?;
    let values = keys.iter().filter_map(|key| if let KeyValue::Int(v) = key { Some(*v as f64) } else { None });
    let (lower, upper) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(lo, hi), v| (lo.min(v), hi.max(v)));
    Interval::new(lower, upper)
}

fn of_binary(binary: &BinaryExpr, scope: &Scope) -> Option<Interval> {
    let a = interval_of(&binary.left, scope)?;
    let b = interval_of(&binary.right, scope)?;
    match binary.op {
        Operator::Plus => Interval::new(a.lower + b.lower, a.upper + b.upper),
        Operator::Minus => Interval::new(a.lower - b.upper, a.upper - b.lower),
        Operator::Multiply => {
            Interval::of_corners([a.lower * b.lower, a.lower * b.upper, a.upper * b.lower, a.upper * b.upper])
        }
        _ => None,
    }
}

/// The hull of all arms that have values; a missing or NULL arm adds none.
fn of_case(case: &Case, scope: &Scope) -> Option<Interval> {
    let arms = case.when_then_expr.iter().map(|(_, then)| then.as_ref()).chain(case.else_expr.as_deref());
    let mut hull: Option<Interval> = None;
    for arm in arms {
        if matches!(arm, Expr::Literal(value, _) if value.is_null()) {
            continue;
        }
        let arm = interval_of(arm, scope)?;
        hull = Some(hull.map_or(Some(arm), |known| known.hull(arm))?);
    }
    hull
}

fn of_call(name: &str, args: &[Interval]) -> Option<Interval> {
    match (name, args) {
        ("floor", [x]) => Interval::new(x.lower.floor(), x.upper.floor()),
        ("ceil", [x]) => Interval::new(x.lower.ceil(), x.upper.ceil()),
        ("nullif", [x, _]) => Some(*x),
        ("greatest" | "least", [first, rest @ ..]) => rest.iter().try_fold(*first, |hull, x| hull.hull(*x)),
        (crate::safe::SAFE_DIV_NAME, [x, by]) if by.lower > 0.0 || by.upper < 0.0 => {
            Interval::of_corners([x.lower / by.lower, x.lower / by.upper, x.upper / by.lower, x.upper / by.upper])
        }
        _ => None,
    }
}

/// The values of a part of a date: those of the calendar, or the years of declared days.
fn of_date(call: &ScalarFunction, scope: &Scope) -> Option<Interval> {
    let (Taken::Part(period), of) = taken(call)? else {
        return None;
    };
    // Of the bare column only: whatever else is made of it may have other years.
    let of_column = || dated(of, scope)?.0.days.as_ref().map(years);
    let values = period.values().or_else(of_column)?;
    Interval::new(*values.start() as f64, *values.end() as f64)
}

/// What a row may count where only a unit's whole contribution to a group is bounded: no more than that, either way.
pub(crate) fn reach_of(bounds: crate::lift::WrittenBounds) -> Option<Interval> {
    let reach = bounds.lower.abs().max(bounds.upper.abs());
    Interval::new(-reach, reach)
}
