//! The aggregates of a question: what each adds up, over which values, and within which bounds.

use datafusion::logical_expr::expr::{AggregateFunction, Cast};
use datafusion::logical_expr::{Expr, ExprSchemable as _, lit};
use glovebox_policy::{Reason, Refusal};

use crate::canonical;
use crate::flatten::unaliased;
use crate::inner::Reader;
use crate::interval::{Interval, interval_of, reach_of};
use crate::lift::{BoundsOf, MARKER, WrittenBounds, marker_index};
use crate::measure::{Counted, FixedPoint, Measure};
use crate::output::{Output, Spread, add};
use crate::total::when;

fn is_marked(expr: &Expr) -> bool {
    matches!(expr, Expr::ScalarFunction(call) if call.func.name() == MARKER)
}

/// An aggregate's argument without casts that the planner added and without the bounds marker.
struct Argument {
    expr: Expr,
    bounds: Option<WrittenBounds>,
    /// The declared grid, of a bare column: also where a condition is put around it.
    grid: Option<f64>,
}

impl Reader<'_> {
    fn argument(&self, expr: &Expr, widened: bool) -> Result<Argument, Refusal> {
        let mut expr = unaliased(self.flat.substitute(expr, self.aggregate.input.schema())?);
        let mut bounds = None;
        loop {
            expr = match expr {
                // AVG of whole numbers: the planner widens them; we add them up as they are. A SUM keeps the type that it was
                // planned with: a level above counts on it.
                Expr::Cast(cast) if widened && cast.field.data_type().is_floating() && self.is_whole(&cast.expr) => {
                    *cast.expr
                }
                // What is marked may be widened, too: the cast belongs to the argument.
                Expr::Cast(cast) if is_marked(&cast.expr) => {
                    let (argument, found) = self.unmarked(*cast.expr)?;
                    bounds = Some(found);
                    Expr::Cast(Cast { expr: Box::new(argument), field: cast.field })
                }
                marked if is_marked(&marked) => {
                    let (argument, found) = self.unmarked(marked)?;
                    bounds = Some(found);
                    argument
                }
                other => return Ok(Argument { grid: self.grid(&other), expr: other, bounds }),
            };
        }
    }

    /// What a bounds marker is around, and the bounds.
    fn unmarked(&self, marked: Expr) -> Result<(Expr, WrittenBounds), Refusal> {
        let Expr::ScalarFunction(call) = marked else {
            return Err(Reason::Internal.into());
        };
        let mut args = call.args.into_iter();
        let (argument, index) = (args.next(), args.next());
        let bounds = index.and_then(|i| marker_index(&i)).and_then(|i| self.written.get(i)).copied();
        argument.zip(bounds).ok_or_else(|| Reason::BoundsInvalid.into())
    }

    fn grid(&self, expr: &Expr) -> Option<f64> {
        match expr {
            Expr::Column(column) => self.scope.column(&column.name)?.grid,
            _ => None,
        }
    }

    /// The condition of `FILTER (WHERE …)` over the table's columns.
    fn condition(&self, filter: &Expr) -> Result<Expr, Refusal> {
        let filter = self.flat.substitute(filter, self.aggregate.input.schema())?;
        match self.total(&filter)?.get_type(&self.schema) {
            // As written: it is made total once, with the argument that it guards.
            Ok(arrow::datatypes::DataType::Boolean) => Ok(filter),
            _ => Err(Refusal::about(Reason::TypeRefused, &canonical::text(&filter))),
        }
    }

    fn is_whole(&self, expr: &Expr) -> bool {
        expr.get_type(&self.schema).is_ok_and(|t| t == arrow::datatypes::DataType::Int64)
    }

    /// What one aggregate of the query comes out of; what it adds up is added to `measures`.
    ///
    /// # Errors
    /// What of it is not accepted over private rows.
    pub(crate) fn aggregate(&self, expr: &Expr, measures: &mut Vec<Measure>) -> Result<Output, Refusal> {
        let refused = || Refusal::about(Reason::AggregateRefused, &canonical::text(expr));
        let Expr::AggregateFunction(AggregateFunction { func, params }) = unaliased(expr.clone()) else {
            return Err(refused());
        };
        if !params.order_by.is_empty() || params.null_treatment.is_some() {
            return Err(refused());
        }
        let [argument] = params.args.as_slice() else {
            return Err(refused());
        };
        let mut argument = self.argument(argument, func.name() == "avg" || Spread::named(func.name()).is_some())?;
        self.check_columns(&argument.expr)?;
        let condition = params.filter.as_deref().map(|filter| self.condition(filter)).transpose()?;
        if let (Some(condition), false) = (&condition, params.distinct) {
            // A unit of which no row meets the condition is clamped too: it would count for the nearer bound.
            let starts_at_zero = |b: &WrittenBounds| b.of != BoundsOf::Group || (b.lower <= 0.0 && b.upper >= 0.0);
            if !argument.bounds.as_ref().is_none_or(starts_at_zero) {
                return Err(Refusal::about(Reason::BoundsInvalid, "bounds of a group with FILTER must hold 0"));
            }
            // A row that does not meet the condition contributes what NULL does: nothing, to a count or to a sum.
            argument.expr = when(condition.clone(), argument.expr);
        }
        match (func.name(), params.distinct) {
            ("count", true) => self.count_units(&argument, condition, refused, measures),
            ("count", false) => self.count(argument, measures),
            ("sum", false) => self.sum(argument, measures),
            ("avg", false) => self.mean(argument, measures),
            (name, false) => match Spread::named(name) {
                Some(spread) => self.spread(argument, spread, measures),
                None => Err(refused()),
            },
            _ => Err(refused()),
        }
    }

    fn count_units(
        &self,
        argument: &Argument,
        condition: Option<Expr>,
        refused: impl Fn() -> Refusal,
        measures: &mut Vec<Measure>,
    ) -> Result<Output, Refusal> {
        let is_unit = matches!((&argument.expr, self.scope.unit.as_slice()),
            (Expr::Column(column), [unit]) if column.name == *unit);
        if !is_unit {
            return Err(refused());
        }
        if argument.bounds.is_some() {
            return Err(Reason::BoundsInvalid.into());
        }
        let measure = match condition {
            None => Measure::count(Counted::Units, "count(distinct unit)", None, 1)?,
            // Rows that meet the condition, of which each unit has at most one: 1 where it has any.
            Some(condition) => {
                let expr = self.total(&when(condition, lit(1_i64)))?;
                let text = format!("count(distinct unit of {})", canonical::text(&expr));
                Measure::count(Counted::Present(expr), &text, None, 1)?
            }
        };
        Ok(Output::Count { measure: add(measures, measure) })
    }

    fn count(&self, argument: Argument, measures: &mut Vec<Measure>) -> Result<Output, Refusal> {
        let clamp = match argument.bounds {
            None => None,
            Some(WrittenBounds { of: BoundsOf::Group, lower, upper }) => Interval::new(lower, upper),
            Some(_) => return Err(Reason::BoundsInvalid.into()),
        };
        let counted = match self.total(&argument.expr)? {
            Expr::Literal(value, _) if !value.is_null() => (Counted::Rows, "count(*)".to_owned()),
            expr => {
                let text = format!("count({})", canonical::text(&expr));
                (Counted::Present(expr), text)
            }
        };
        let measure = add(measures, Measure::count(counted.0, &counted.1, clamp, self.rows)?);
        Ok(Output::Count { measure })
    }

    /// The steps of a value, from written bounds per row or from declared ones.
    fn scale(&self, expr: &Expr, argument: &Argument) -> Result<FixedPoint, Refusal> {
        let (bounds, grid) = (argument.bounds, argument.grid);
        let whole = self.is_whole(expr);
        let written = bounds.filter(|b| b.of == BoundsOf::Row);
        let missing = || Refusal::about(Reason::BoundsMissing, &canonical::text(expr));
        let interval = match written {
            Some(b) => Interval::new(b.lower, b.upper),
            // An inferred interval is widened to whole numbers, a written one narrowed: nothing is cut off unasked.
            None => interval_of(expr, &self.scope)
                .or_else(|| bounds.and_then(reach_of))
                .and_then(|i| if whole { i.outward() } else { Some(i) }),
        };
        FixedPoint::new(interval.ok_or_else(missing)?, grid, whole)
    }

    fn number(&self, expr: &Expr) -> Result<Expr, Refusal> {
        let expr = self.total(expr)?;
        match expr.get_type(&self.schema) {
            Ok(t) if t.is_numeric() => Ok(expr),
            _ => Err(Refusal::about(Reason::TypeRefused, &canonical::text(&expr))),
        }
    }

    fn sum(&self, argument: Argument, measures: &mut Vec<Measure>) -> Result<Output, Refusal> {
        let expr = self.number(&argument.expr)?;
        let scale = self.scale(&expr, &argument)?;
        let clamp = match argument.bounds {
            Some(WrittenBounds { of: BoundsOf::Group, lower, upper }) => {
                let steps = |v: f64| (v / scale.grid).round();
                let (low, high) = (steps(lower), steps(upper));
                if !(low.abs() < 4e18 && high.abs() < 4e18) {
                    return Err(Reason::OverflowPossible.into());
                }
                Some((low as i64, high as i64))
            }
            _ => None,
        };
        let measure = add(measures, Measure::sum(expr, scale, 0, clamp, self.rows)?);
        Ok(Output::Sum { measure, scale })
    }

    /// The steps, their middle and the count that a quotient is made of.
    fn quotient(&self, argument: Argument, measures: &mut Vec<Measure>) -> Result<Quotient, Refusal> {
        if argument.bounds.is_some_and(|b| b.of == BoundsOf::Group) {
            return Err(Reason::BoundsInvalid.into());
        }
        let expr = self.number(&argument.expr)?;
        let scale = self.scale(&expr, &argument)?;
        let centre = scale.middle();
        let text = format!("count({})", canonical::text(&expr));
        let count = Measure::count(Counted::Present(expr.clone()), &text, None, self.rows)?;
        let sum = Measure::sum(expr.clone(), scale, centre, None, self.rows)?;
        let (sum, count) = (add(measures, sum), add(measures, count));
        Ok(Quotient { expr, scale, centre, sum, count })
    }

    fn mean(&self, argument: Argument, measures: &mut Vec<Measure>) -> Result<Output, Refusal> {
        let Quotient { scale, centre, sum, count, .. } = self.quotient(argument, measures)?;
        Ok(Output::Mean { sum, count, scale, centre })
    }

    fn spread(&self, argument: Argument, spread: Spread, measures: &mut Vec<Measure>) -> Result<Output, Refusal> {
        let Quotient { expr, scale, centre, sum, count } = self.quotient(argument, measures)?;
        let squares = Measure::squares(expr, scale, centre, self.rows)?;
        let Counted::Squares { middle, .. } = squares.counted else {
            return Err(Reason::Internal.into());
        };
        let squares = add(measures, squares);
        Ok(Output::Spread { sum, squares, count, scale, middle, spread })
    }
}

/// What a mean and a spread have in common.
struct Quotient {
    expr: Expr,
    scale: FixedPoint,
    centre: i64,
    sum: usize,
    count: usize,
}
