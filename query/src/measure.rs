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
    pub(crate) fn of_float(&self, value: f64) -> Option<i64> {
        if value.is_nan() {
            return None;
        }
        // Clamped as floating point first, so that the conversion below never saturates.
        let steps = (value / self.grid).round().clamp(self.lower as f64, self.upper as f64);
        Some((steps as i64).clamp(self.lower, self.upper))
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
        match &self.counted {
            Counted::Rows | Counted::Present(_) | Counted::Units => 1,
            Counted::Steps { scale, centre, .. } => scale.reach(*centre),
            // A square is in 0..=reach².
            Counted::Squares { scale, centre, middle, .. } => {
                let square = scale.reach(*centre).saturating_mul(scale.reach(*centre));
                square.saturating_sub(middle.unsigned_abs()).max(middle.unsigned_abs())
            }
        }
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

    /// The expression that is evaluated on each row, if any.
    pub(crate) fn expr(&self) -> Option<&Expr> {
        match &self.counted {
            Counted::Rows | Counted::Units => None,
            Counted::Present(expr) | Counted::Steps { expr, .. } | Counted::Squares { expr, .. } => Some(expr),
        }
    }
}
