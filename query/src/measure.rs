//! What is added up per unit and group: integers only, each with the largest amount by which one unit can move a cell.

use datafusion::logical_expr::Expr;
use glovebox_policy::{Public, Reason, Refusal};
use glovebox_privacy::Family;

use crate::canonical;
use crate::interval::Interval;

/// Fixed-point steps of values without a declared grid: a width of bounds has about 2²⁰ of them.
const DEFAULT_STEPS_LOG2: i32 = 20;

/// The narrowest width of bounds, as a part of their distance from zero: with it steps from zero stay below 2⁵⁰.
const NARROWEST: f64 = 1.0 / (1_u64 << 29) as f64;

/// Most steps that one row may add, either way.
const ROW_STEPS_MAX: f64 = (1_u64 << 52) as f64;

/// A unit's sum of rows stays below this, either way: proven from public sizes, never checked on data.
const UNIT_SUM_MAX: i128 = 1 << 62;

/// What a measure counts or adds.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Counted {
    /// Rows.
    Rows,
    /// Rows in which the expression is not NULL.
    Present(Expr),
    /// Units: 1 for every unit with a row in the group.
    Units,
    /// Values, clamped and rounded to steps, less `centre` each.
    Steps { expr: Expr, scale: FixedPoint, centre: i64 },
    /// The squares of those, less `middle` each.
    Squares { expr: Expr, scale: FixedPoint, centre: i64, middle: i64 },
}

/// How a value becomes steps.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct FixedPoint {
    /// The size of a step; 1 for whole numbers.
    pub(crate) grid: f64,
    /// Least and most steps of one row.
    pub(crate) lower: i64,
    pub(crate) upper: i64,
    /// Whether values are whole numbers.
    pub(crate) whole: bool,
}

impl FixedPoint {
    /// Steps for values within `bounds`.
    ///
    /// # Errors
    /// [`Reason::OverflowPossible`] when the bounds have too many steps, [`Reason::BoundsInvalid`] when no whole number
    /// is within them.
    pub(crate) fn new(bounds: Interval, grid: Option<f64>, whole: bool) -> Result<Self, Refusal> {
        let grid = match (whole, grid) {
            (true, _) => 1.0,
            (false, Some(grid)) => grid,
            (false, None) => {
                // A narrow range far from zero, a single value too, gets steps by where it lies.
                let reach = bounds.lower.abs().max(bounds.upper.abs());
                let width = (bounds.upper - bounds.lower).max(reach * NARROWEST).max(f64::MIN_POSITIVE);
                2_f64.powi((width.log2().ceil() as i32 - DEFAULT_STEPS_LOG2).clamp(-1000, 1000))
            }
        };
        let (lower, upper) = if whole {
            (bounds.lower.ceil(), bounds.upper.floor())
        } else {
            ((bounds.lower / grid).round(), (bounds.upper / grid).round())
        };
        if lower > upper {
            return Err(Reason::BoundsInvalid.into());
        }
        if !(lower.abs() <= ROW_STEPS_MAX && upper.abs() <= ROW_STEPS_MAX) {
            return Err(Reason::OverflowPossible.into());
        }
        Ok(Self { grid, lower: lower as i64, upper: upper as i64, whole })
    }

    /// A whole number as steps: clamped.
    pub(crate) fn of_int(&self, value: i64) -> i64 {
        value.clamp(self.lower, self.upper)
    }

    /// A number as steps: rounded to the grid and clamped; `None` for NaN, which counts as NULL.
    #[inline]
    pub(crate) fn of_float(&self, value: f64) -> Option<i64> {
        if value.is_nan() {
            return None;
        }
        // Rounding keeps order and whole numbers, so it makes no difference that the ends come first; within them every step is a
        // whole number of floating point, and what a cut takes away is exact. Halves go away from zero, as `f64::round` has them.
        let within = (value / self.grid).max(self.lower as f64).min(self.upper as f64);
        let whole = within as i64;
        let rest = within - whole as f64;
        Some(whole + i64::from(rest >= 0.5) - i64::from(rest <= -0.5))
    }

    /// As [`FixedPoint::of_float`] less `centre`, for each of many numbers at once; 0 for NaN. `None` where the range is too
    /// wide for it.
    pub(crate) fn of_floats(&self, values: &[f64], centre: i64) -> Option<Vec<i64>> {
        /// Added to what is at most a third of it, either way, this leaves whole numbers, each one further from the last as bits.
        const SHIFT: f64 = 3.0 * (1_u64 << 51) as f64;
        let reach = (1_i64 << 51) - 1;
        if self.lower < -reach || self.upper > reach {
            return None;
        }
        let (lower, upper) = (self.lower as f64, self.upper as f64);
        let steps = |value: &f64| {
            let within = (value / self.grid).max(lower).min(upper);
            let shifted = within + SHIFT;
            // To the nearest, halves to the even one: of those, some have to go on away from zero.
            let rest = within - (shifted - SHIFT);
            let up = i64::from((rest == 0.5) & (within > 0.0));
            let down = i64::from((rest == -0.5) & (within < 0.0));
            let nearest = shifted.to_bits().wrapping_sub(SHIFT.to_bits()).cast_signed();
            // Nothing wraps: all of these are below 2^53.
            let steps = nearest.wrapping_add(up).wrapping_sub(down).wrapping_sub(centre);
            if value.is_nan() { 0 } else { steps }
        };
        Some(values.iter().map(steps).collect())
    }

    /// The middle of the range, in steps.
    pub(crate) fn middle(&self) -> i64 {
        self.lower.midpoint(self.upper)
    }

    /// How far from `centre` the steps of a row can be.
    pub(crate) fn reach(&self, centre: i64) -> u64 {
        self.lower.abs_diff(centre).max(self.upper.abs_diff(centre))
    }

    /// The value of a number of steps.
    pub(crate) fn value(&self, steps: f64) -> f64 {
        steps * self.grid
    }
}

/// One family of cells: what is added up, and the clamp on a unit's whole contribution to one group.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Measure {
    pub(crate) counted: Counted,
    /// Least and most of one unit in one group.
    pub(crate) clamp: (i64, i64),
    /// Canonical text: equal measures have equal labels.
    pub(crate) label: String,
}

impl Measure {
    /// # Privacy obligation
    /// Neighbouring relation: one unit with all of its rows, added or removed. A unit adds to each cell of this family
    /// one number clamped to `clamp`, in at most as many groups as the geometry says, so a cell moves by at most
    /// `max(|low|, |high|)`. A row is in one group and adds at most `self.row()` there, so over all groups the unit's `rows`
    /// rows add at most `rows` times that, either way; clamping a sum to a range that holds 0 brings it no further from 0, and
    /// neither does leaving out groups. A range without 0 moves sums away from it, and gives no such total.
    /// Source: Wilson et al. 2019 (arXiv 1909.01917), §3; proven on neighbours in `exactness/`.
    pub(crate) fn family(&self, rows: u32) -> Family {
        let (low, high) = self.clamp;
        let linf = low.unsigned_abs().max(high.unsigned_abs());
        let total = u64::from(rows).checked_mul(self.row()).filter(|total| low <= 0 && high >= 0 && *total > 0);
        Family { label: Public::from_request(self.label.clone()), linf, total }
    }

    /// The most that one row adds to its group, either way.
    fn row(&self) -> u64 {
        let (least, most) = self.row_range();
        least.unsigned_abs().max(most.unsigned_abs())
    }

    /// A count that is clamped to `clamp`, or to `0..=rows`.
    pub(crate) fn count(counted: Counted, text: &str, clamp: Option<Interval>, rows: u32) -> Result<Self, Refusal> {
        let clamp = match clamp {
            None => (0, i64::from(rows)),
            Some(bounds) => {
                let fixed = FixedPoint::new(bounds, None, true)?;
                let upper = fixed.upper.clamp(1, i64::from(rows));
                (fixed.lower.clamp(0, upper), upper)
            }
        };
        Self::checked(counted, clamp, format!("{text} within {}..{}", clamp.0, clamp.1))
    }

    /// A sum of steps less `centre`; a unit's sum is clamped to `clamp` (in steps), or to what `rows` rows can reach.
    pub(crate) fn sum(
        expr: Expr,
        scale: FixedPoint,
        centre: i64,
        clamp: Option<(i64, i64)>,
        rows: u32,
    ) -> Result<Self, Refusal> {
        let (lower, upper) = (i128::from(scale.lower - centre), i128::from(scale.upper - centre));
        let reach = i128::from(rows) * lower.unsigned_abs().max(upper.unsigned_abs()) as i128;
        if reach >= UNIT_SUM_MAX {
            return Err(Reason::OverflowPossible.into());
        }
        let rows = i64::from(rows);
        let clamp = clamp.unwrap_or(((rows * (scale.lower - centre)).min(0), (rows * (scale.upper - centre)).max(0)));
        let label = format!(
            "sum({}) rows {}..{} by {:e} less {centre} within {}..{}",
            canonical::text(&expr),
            scale.lower,
            scale.upper,
            scale.grid,
            clamp.0,
            clamp.1
        );
        Self::checked(Counted::Steps { expr, scale, centre }, clamp, label)
    }

    /// A sum of squared steps about `centre`, each less the middle of what a square can be.
    ///
    /// # Privacy obligation
    /// Neighbouring relation: one unit with all of its rows, added or removed. A row's steps lie within `reach` of `centre`,
    /// so its square is in `0..=reach²` and what it adds, the square less `reach²/2`, is at most `reach²/2` (rounded up)
    /// either way; a row without a value adds nothing. Over the unit's `rows` rows that is the clamp, which the fold
    /// enforces again on the unit's sum. No product wraps: `reach` is at most 2⁵³, checked here in 128 bits, and
    /// `rows·reach²/2` must stay below 2⁶², so that every square is below 2⁶³. Source: as for [`Measure::family`].
    pub(crate) fn squares(expr: Expr, scale: FixedPoint, centre: i64, rows: u32) -> Result<Self, Refusal> {
        let square = i128::from(scale.reach(centre)).pow(2);
        let middle = square / 2;
        let most = i128::from(rows) * (square - middle);
        // What the squares are worth, too, must be a number.
        let worth = (scale.reach(centre) as f64 * scale.grid).powi(2) * 8.0;
        if most >= UNIT_SUM_MAX || !worth.is_finite() {
            return Err(Reason::OverflowPossible.into());
        }
        let (middle, least, most) = (middle as i64, -(i128::from(rows) * middle) as i64, most as i64);
        let label = format!(
            "squares({}) rows {}..{} by {:e} about {centre} less {middle} within {least}..{most}",
            canonical::text(&expr),
            scale.lower,
            scale.upper,
            scale.grid,
        );
        Self::checked(Counted::Squares { expr, scale, centre, middle }, (least, most), label)
    }

    fn checked(counted: Counted, clamp: (i64, i64), label: String) -> Result<Self, Refusal> {
        // One below 2^62, so that clamped sums and their differences stay exact everywhere downstream.
        let fits = clamp.0.unsigned_abs().max(clamp.1.unsigned_abs()) < UNIT_SUM_MAX as u64;
        let clamp = if clamp == (0, 0) { (0, 1) } else { clamp };
        if fits { Ok(Self { counted, clamp, label }) } else { Err(Reason::OverflowPossible.into()) }
    }

    /// The least and the most that one row with a value adds; a row without one adds nothing.
    pub(crate) fn row_range(&self) -> (i64, i64) {
        match &self.counted {
            Counted::Rows | Counted::Present(_) | Counted::Units => (0, 1),
            Counted::Steps { scale, centre, .. } => (scale.lower - centre, scale.upper - centre),
            // `Measure::squares` has seen that a square is below 2^63.
            Counted::Squares { scale, centre, middle, .. } => {
                (-middle, (i128::from(scale.reach(*centre)).pow(2) - i128::from(*middle)) as i64)
            }
        }
    }

    /// The expression that is evaluated on each row, if any.
    pub(crate) fn expr(&self) -> Option<&Expr> {
        match &self.counted {
            Counted::Rows | Counted::Units => None,
            Counted::Present(expr) | Counted::Steps { expr, .. } | Counted::Squares { expr, .. } => Some(expr),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_becomes_the_steps_that_rounding_and_clamping_give() {
        let scales = [(0.01, 0, 10_000), (1.0, -3, 7), (0.5, -9, -2), (1e-3, -(1 << 52), 1 << 52), (1.0, 5, 5)];
        let mut values = vec![0.0, -0.0, f64::INFINITY, f64::NEG_INFINITY, f64::MAX, f64::MIN, f64::MIN_POSITIVE];
        for near in
            [0.5_f64, 1.5, 2.5, 0.25, 0.005, 0.015, 1e15, 4_503_599_627_370_495.5, 4_503_599_627_370_496.0, 1e300]
        {
            for value in [near, f64::from_bits(near.to_bits() - 1), f64::from_bits(near.to_bits() + 1)] {
                values.extend([value, -value, value * 3.0, value / 7.0]);
            }
        }
        let mut x = 1_u64;
        for _ in 0..20_000 {
            x = x.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
            values.extend([f64::from_bits(x), (x >> 40) as f64 / 1000.0, (x >> 50) as f64 - 8000.5]);
        }
        for (grid, lower, upper) in scales {
            let scale = FixedPoint { grid, lower, upper, whole: false };
            for value in values.iter().copied().filter(|value| !value.is_nan()) {
                let steps = (value / grid).round().clamp(lower as f64, upper as f64) as i64;
                assert_eq!(scale.of_float(value), Some(steps.clamp(lower, upper)), "{value} by {grid}");
            }
            assert_eq!(scale.of_float(f64::NAN), None);
            let one_by_one = values.iter().map(|value| scale.of_float(*value).map_or(0, |steps| steps - 3));
            let at_once = scale.of_floats(&values, 3);
            assert_eq!(at_once.is_some(), upper < 1 << 51, "the widest range is not for many at once");
            assert!(at_once.is_none_or(|steps| steps == one_by_one.collect::<Vec<_>>()));
        }
    }
}
