//! Which values an expression can take, from declared bounds: interval arithmetic.
//!
//! The answer only chooses where values are clamped. A wrong interval costs accuracy, never privacy: the fold clamps
//! every value to it before anything is added up.
//!
//! INVARIANT (enclosure): of rows within the declared bounds the value is in the interval, or it is NULL, or it is NaN, which
//! counts as NULL. Ends are rounded outward wherever a float does not hold them exactly; whole numbers that could wrap have
//! no interval, and neither has what could make a NaN of numbers that are none. Within the module ends may be infinite, so that
//! `LEAST(GREATEST(x, 0), 9)` bounds what nothing else does.

use arrow::datatypes::DataType;
use datafusion::common::{DFSchema, ScalarValue};
use datafusion::logical_expr::expr::{BinaryExpr, Case, ScalarFunction};
use datafusion::logical_expr::{Expr, ExprSchemable as _, Operator};
use glovebox_catalog::KeyValue;

use crate::calls::{Form, form_of};
use crate::dates::{Taken, taken};
use crate::keys::{dated, years};
use crate::lengths::characters;
use crate::numbers::Within;
use crate::scope::Scope;

/// A closed interval. Those that leave this module by [`interval_of`] are finite.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Interval {
    pub(crate) lower: f64,
    pub(crate) upper: f64,
}

/// Whole numbers of 64 bits lie from `-WRAPS` to below `WRAPS`.
const WRAPS: f64 = 9_223_372_036_854_775_808.0;

/// How many last places a function of the mathematical library may be off, with room.
const LAST_PLACES: u32 = 4;

impl Interval {
    /// Everything.
    pub(crate) const LINE: Self = Self { lower: f64::NEG_INFINITY, upper: f64::INFINITY };

    /// An interval, if both ends are finite and in order.
    pub(crate) fn new(lower: f64, upper: f64) -> Option<Self> {
        (lower.is_finite() && upper.is_finite() && lower <= upper).then_some(Self { lower, upper })
    }

    /// An interval that may have infinite ends; everything, when there is none.
    pub(crate) fn between(lower: f64, upper: f64) -> Self {
        if lower <= upper { Self { lower, upper } } else { Self::LINE }
    }

    /// The least interval with whole ends around this one.
    pub(crate) fn outward(self) -> Option<Self> {
        Self::new(self.lower.floor(), self.upper.ceil())
    }

    /// Where the values land when their fractions are cut off.
    fn truncated(self) -> Self {
        Self::between(self.lower.trunc(), self.upper.trunc())
    }

    pub(crate) fn hull(self, other: Self) -> Self {
        Self::between(self.lower.min(other.lower), self.upper.max(other.upper))
    }

    /// Where the distances from zero lie.
    pub(crate) fn absolute(self) -> Self {
        let (near, far) = (self.lower.abs().min(self.upper.abs()), self.lower.abs().max(self.upper.abs()));
        let near = if self.lower <= 0.0 && self.upper >= 0.0 { 0.0 } else { near };
        Self::between(near, far)
    }

    /// A little wider: what is computed to within some last places.
    pub(crate) fn loosened(self) -> Self {
        (0..LAST_PLACES).fold(self, |x, _| Self { lower: x.lower.next_down(), upper: x.upper.next_up() })
    }

    /// The interval of whole numbers, none of which wraps; else everything.
    fn unwrapped(self) -> Self {
        if self.lower >= -WRAPS && self.upper < WRAPS { self } else { Self::LINE }
    }

    /// From the values at corners, each rounded down and up.
    fn of_corners(corners: [Rounded; 4]) -> Self {
        if corners.iter().any(|c| c.down.is_nan() || c.up.is_nan()) {
            return Self::LINE;
        }
        Self::between(
            corners.iter().map(|c| c.down).fold(f64::INFINITY, f64::min),
            corners.iter().map(|c| c.up).fold(f64::NEG_INFINITY, f64::max),
        )
    }
}

/// A number that lies between two floats, which are one where it is a float.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rounded {
    pub(crate) down: f64,
    pub(crate) up: f64,
}

impl Rounded {
    /// What `nearest` is the nearest float to, given the sign of what is missing.
    fn of(nearest: f64, missing: f64) -> Self {
        let inexact = missing != 0.0 || !nearest.is_finite();
        match (inexact, missing > 0.0, missing < 0.0) {
            (false, ..) => Self { down: nearest, up: nearest },
            (true, true, _) => Self { down: nearest, up: nearest.next_up() },
            (true, _, true) => Self { down: nearest.next_down(), up: nearest },
            // The error itself is out of range.
            _ => Self { down: nearest.next_down(), up: nearest.next_up() },
        }
    }

    fn sum(a: f64, b: f64) -> Self {
        let sum = a + b;
        // Knuth's two-sum: what is missing of the sum, exactly.
        let of_b = sum - a;
        Self::of(sum, (a - (sum - of_b)) + (b - of_b))
    }

    fn product(a: f64, b: f64) -> Self {
        let product = a * b;
        if product.abs() < 1e-290 && a != 0.0 && b != 0.0 {
            return Self { down: product.next_down(), up: product.next_up() };
        }
        Self::of(product, a.mul_add(b, -product))
    }

    fn quotient(a: f64, b: f64) -> Self {
        let quotient = a / b;
        let rest = (-quotient).mul_add(b, a);
        if rest == 0.0 && (quotient.abs() > 1e-290 || a == 0.0) && quotient.is_finite() {
            return Self { down: quotient, up: quotient };
        }
        Self { down: quotient.next_down(), up: quotient.next_up() }
    }
}

/// The values of a total expression, or `None` where no declared bound reaches it.
pub(crate) fn interval_of(expr: &Expr, scope: &Scope) -> Option<Interval> {
    let schema = scope.schema().ok()?;
    let found = Bounds { scope, schema: &schema }.of(expr);
    Interval::new(found.lower, found.upper)
}

/// What bounds are worked out from.
#[derive(Clone, Copy)]
pub(crate) struct Bounds<'a> {
    pub(crate) scope: &'a Scope,
    pub(crate) schema: &'a DFSchema,
}

impl Bounds<'_> {
    /// The values of an expression, possibly everything.
    pub(crate) fn of(self, expr: &Expr) -> Interval {
        match expr {
            Expr::Column(column) => of_column(&column.name, self.scope).unwrap_or(Interval::LINE),
            Expr::Literal(value, _) => of_literal(value),
            Expr::BinaryExpr(binary) => self.of_binary(binary),
            Expr::TryCast(cast) => match self.type_of(&cast.expr) {
                Some(DataType::Boolean) => Interval::between(0.0, 1.0),
                Some(DataType::Int64 | DataType::Float64) => {
                    let inner = self.of(&cast.expr);
                    if *cast.field.data_type() == DataType::Int64 { inner.truncated() } else { inner }
                }
                _ => Interval::LINE,
            },
            Expr::Case(case) => self.of_case(case),
            Expr::ScalarFunction(call) if taken(call).is_some() => of_date(call, self.scope).unwrap_or(Interval::LINE),
            Expr::ScalarFunction(call) => match form_of(call) {
                Some(form) => self.of_form(form, call),
                None => self.of_call(call, self.is_whole(expr)),
            },
            _ => Interval::LINE,
        }
    }

    fn type_of(self, expr: &Expr) -> Option<DataType> {
        expr.get_type(self.schema).ok()
    }

    fn is_whole(self, expr: &Expr) -> bool {
        self.type_of(expr) == Some(DataType::Int64)
    }

    fn of_binary(self, binary: &BinaryExpr) -> Interval {
        let (a, b) = (self.of(&binary.left), self.of(&binary.right));
        let out = match binary.op {
            Operator::Plus => plus(a, b),
            Operator::Minus => plus(a, Interval { lower: -b.upper, upper: -b.lower }),
            Operator::Multiply => times(a, b),
            _ => return Interval::LINE,
        };
        if self.is_whole(&binary.left) { out.unwrapped() } else { out }
    }

    /// The hull of all arms that have values; a missing or NULL arm adds none.
    fn of_case(self, case: &Case) -> Interval {
        let arms = case.when_then_expr.iter().map(|(_, then)| then.as_ref()).chain(case.else_expr.as_deref());
        let valued = arms.filter(|arm| !matches!(arm, Expr::Literal(value, _) if value.is_null()));
        valued.map(|arm| self.of(arm)).reduce(Interval::hull).unwrap_or(Interval::LINE)
    }

    /// A function of our own, by the rule that stands beside it.
    fn of_form(self, form: &Form, call: &ScalarFunction) -> Interval {
        match form.name {
            "character_length" | "octet_length" | "strpos" => {
                let most = call.args.first().and_then(|text| characters(text, self));
                // A character has at most four bytes.
                let each = if form.name == "octet_length" { 4.0 } else { 1.0 };
                let Within::Between(_, longest) = form.within else {
                    return Interval::LINE;
                };
                return Interval::between(0.0, most.map_or(longest, |most| (most as f64 * each).min(longest)));
            }
            _ => {}
        }
        let args = || call.args.iter().map(|arg| self.of(arg)).collect::<Vec<_>>();
        let over = |low: f64, high: f64, loosen: bool| {
            let (Some(x), Some(of)) = (args().first().copied(), form.of_float()) else {
                return Interval::LINE;
            };
            let out = Interval::between(of(x.lower.clamp(low, high)), of(x.upper.clamp(low, high)));
            if loosen { out.loosened() } else { out }
        };
        match form.within {
            Within::Rises(low, high) => over(low, high, false),
            Within::RisesNearly(low, high) => over(low, high, true),
            Within::Between(low, high) => Interval::between(low, high),
            Within::Rule(of) => of(&args()),
        }
    }

    /// One of DataFusion's functions, or of `safe`.
    fn of_call(self, call: &ScalarFunction, whole: bool) -> Interval {
        let args: Vec<Interval> = call.args.iter().map(|arg| self.of(arg)).collect();
        match (call.func.name(), args.as_slice()) {
            ("floor", [x]) => Interval::between(x.lower.floor(), x.upper.floor()),
            ("ceil", [x]) => Interval::between(x.lower.ceil(), x.upper.ceil()),
            ("nullif", [x, _]) => *x,
            ("greatest", args) => {
                let sure = self.never_null(&call.args).fold(f64::NEG_INFINITY, |most, x| most.max(x.lower));
                args.iter()
                    .copied()
                    .reduce(Interval::hull)
                    .map_or(Interval::LINE, |all| Interval { lower: all.lower.max(sure), ..all })
            }
            ("least", args) => {
                let sure = self.never_null(&call.args).fold(f64::INFINITY, |least, x| least.min(x.upper));
                args.iter()
                    .copied()
                    .reduce(Interval::hull)
                    .map_or(Interval::LINE, |all| Interval { upper: all.upper.min(sure), ..all })
            }
            (crate::safe::SAFE_DIV_NAME, [x, by]) => divided(*x, *by, whole),
            (crate::safe::SAFE_MOD_NAME, [x, by]) => remainder(*x, *by, whole),
            _ => Interval::LINE,
        }
    }

    /// Where those arguments lie that are never NULL: the others do not count where they are.
    fn never_null(self, args: &[Expr]) -> impl Iterator<Item = Interval> {
        args.iter().filter(|arg| is_never_null(arg)).map(move |arg| self.of(arg))
    }
}

fn is_never_null(expr: &Expr) -> bool {
    match expr {
        Expr::Literal(value, _) => !value.is_null(),
        Expr::ScalarFunction(call) if matches!(call.func.name(), "greatest" | "least") => {
            call.args.iter().any(is_never_null)
        }
        Expr::TryCast(cast) => {
            // Of a whole number to a float only: others may not fit.
            *cast.field.data_type() == DataType::Float64
                && matches!(cast.expr.as_ref(), Expr::Literal(ScalarValue::Int64(Some(_)), _))
        }
        _ => false,
    }
}

pub(crate) fn plus(a: Interval, b: Interval) -> Interval {
    let (lower, upper) = (Rounded::sum(a.lower, b.lower).down, Rounded::sum(a.upper, b.upper).up);
    Interval::between(lower, upper)
}

pub(crate) fn times(a: Interval, b: Interval) -> Interval {
    Interval::of_corners([
        Rounded::product(a.lower, b.lower),
        Rounded::product(a.lower, b.upper),
        Rounded::product(a.upper, b.lower),
        Rounded::product(a.upper, b.upper),
    ])
}

/// A quotient where the divisor is not zero, which gives NULL.
fn divided(x: Interval, by: Interval, whole: bool) -> Interval {
    if by.lower > 0.0 || by.upper < 0.0 {
        let out = Interval::of_corners([
            Rounded::quotient(x.lower, by.lower),
            Rounded::quotient(x.lower, by.upper),
            Rounded::quotient(x.upper, by.lower),
            Rounded::quotient(x.upper, by.upper),
        ]);
        return if whole { out.truncated().unwrapped() } else { out };
    }
    if !whole {
        return Interval::LINE;
    }
    // A whole divisor is at least 1 from zero, on either side.
    let negated = Interval { lower: -x.upper, upper: -x.lower };
    let zero = Interval::between(0.0, 0.0);
    let out = match (by.lower >= 0.0, by.upper <= 0.0) {
        (true, _) => x.hull(zero),
        (_, true) => negated.hull(zero),
        _ => x.hull(negated),
    };
    out.unwrapped()
}

/// A remainder has the sign of what is divided, and is nearer to zero than it or the divisor.
fn remainder(x: Interval, by: Interval, whole: bool) -> Interval {
    let most = by.absolute().upper - if whole { 1.0 } else { 0.0 };
    let most = most.max(0.0);
    Interval::between(x.lower.max(-most).min(0.0), x.upper.min(most).max(0.0))
}

/// A literal, which a float may not hold exactly.
fn of_literal(value: &ScalarValue) -> Interval {
    match value {
        ScalarValue::Int64(Some(v)) => {
            let near = *v as f64;
            match (near as i128).cmp(&i128::from(*v)) {
                std::cmp::Ordering::Equal => Interval::between(near, near),
                std::cmp::Ordering::Less => Interval::between(near, near.next_up()),
                std::cmp::Ordering::Greater => Interval::between(near.next_down(), near),
            }
        }
        ScalarValue::Float64(Some(v)) => Interval::between(*v, *v),
        _ => Interval::LINE,
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

#[cfg(test)]
#[path = "interval_tests.rs"]
mod tests;
