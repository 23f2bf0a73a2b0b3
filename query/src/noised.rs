//! From noised cells to the numbers of an answer, each with its interval: post-processing, a function of the release and
//! of public text alone.
//!
//! Quotients are defined for every noise. A mean divides by at least one. A variance has no value (NULL) where its divisor
//! is not positive: below a noisy count of 1 for a population, of 2 for a sample. A variance that noise makes negative is 0,
//! and none is above what bounds allow: a quarter of the squared range, before a sample's correction.

use glovebox_privacy::NoisyCells;

use crate::measure::FixedPoint;
use crate::output::{Output, Spread};

/// One released number: whole, floating point, or none.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Number {
    Int(i128),
    Float(f64),
    Missing,
}

impl Number {
    pub(crate) fn as_int(self) -> Option<i64> {
        match self {
            Self::Int(v) => Some(v.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64),
            Self::Float(_) | Self::Missing => None,
        }
    }

    pub(crate) fn as_float(self) -> Option<f64> {
        match self {
            Self::Int(v) => Some(v as f64),
            Self::Float(v) => Some(v),
            Self::Missing => None,
        }
    }
}

/// A number with an interval that holds the exact bounded one with probability 0.95 at least.
pub(crate) struct Noised {
    pub(crate) value: Number,
    pub(crate) low: Number,
    pub(crate) high: Number,
}

/// A noised cell and the half-width of its noise.
#[derive(Clone, Copy)]
struct Cell {
    value: i128,
    half: i128,
}

impl Cell {
    fn both_ways(self, of: impl Fn(i128) -> Number) -> Noised {
        Noised { value: of(self.value), low: of(self.value - self.half), high: of(self.value + self.half) }
    }

    /// The ends of an interval that is wide enough to hold together with the intervals of other cells.
    fn ends(self, together: Together) -> [f64; 2] {
        let (value, half) = (self.value as f64, together.wider(self.half));
        [value - half, value + half]
    }
}

/// How many intervals have to hold at the same time.
#[derive(Clone, Copy)]
enum Together {
    Two,
    Three,
}

impl Together {
    /// A half-width that holds with 0.975, or with 0.9834, where `half` holds with 0.95, so that two or three of them hold
    /// together with 0.95. The ratios are 1.15 and 1.23 for Gaussian tails, ln 40 / ln 20 = 1.232 and ln 60 / ln 20 =
    /// 1.367 for Laplace tails.
    fn wider(self, half: i128) -> f64 {
        let ratio = match self {
            Self::Two => 1.25,
            Self::Three => 1.375,
        };
        half as f64 * ratio + 1.0
    }
}

/// One number of the answer; `None` when the release is not of this question.
pub(crate) fn noised(output: &Output, cells: &NoisyCells, group: usize) -> Option<Noised> {
    let cell = |measure: usize| {
        let value = cells.cells.get(measure)?.get(group).copied()?;
        Some(Cell { value, half: i128::from(cells.families.get(measure)?.half_width_95) })
    };
    Some(match output {
        Output::Count { measure } => cell(*measure)?.both_ways(Number::Int),
        Output::Sum { measure, scale } => cell(*measure)?.both_ways(|steps| match scale.whole {
            true => Number::Int(steps),
            false => Number::Float(scale.value(steps as f64)),
        }),
        Output::Mean { sum, count, scale, centre } => mean(cell(*sum)?, cell(*count)?, scale, *centre),
        Output::Spread { sum, squares, count, scale, middle, spread } => {
            let about = About { range: (scale.upper - scale.lower) as f64, middle: *middle as f64 };
            let unit = scale.value(1.0);
            let of = |steps: f64| Number::Float(if spread.root { steps.sqrt() * unit } else { steps * unit * unit });
            about.variance(cell(*sum)?, cell(*squares)?, cell(*count)?, *spread, of)
        }
    })
}

fn mean(sum: Cell, count: Cell, scale: &FixedPoint, centre: i64) -> Noised {
    let (least, most) = (scale.lower as f64, scale.upper as f64);
    let at = |steps: f64| Number::Float(scale.value(steps.clamp(least, most)));
    let mean = |s: f64, n: f64| centre as f64 + s / n.max(1.0);
    let value = at(mean(sum.value as f64, count.value as f64));
    let (sums, counts) = (sum.ends(Together::Two), count.ends(Together::Two));
    if counts[0] < 1.0 {
        return Noised { value, low: at(least), high: at(most) };
    }
    let (low, high) = hull(sums, counts, mean);
    Noised { value, low: at(low), high: at(high) }
}

/// The least and the largest of a quotient over two intervals, whose ends are where it takes them.
fn hull(sums: [f64; 2], counts: [f64; 2], quotient: impl Fn(f64, f64) -> f64) -> (f64, f64) {
    let ends = sums.iter().flat_map(|s| counts.iter().map(|n| quotient(*s, *n)));
    ends.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), end| (low.min(end), high.max(end)))
}

/// What steps can be, for a variance of them.
struct About {
    /// How far apart two of them can be.
    range: f64,
    /// What was taken off each square.
    middle: f64,
}

impl About {
    fn variance(&self, sum: Cell, squares: Cell, count: Cell, spread: Spread, of: impl Fn(f64) -> Number) -> Noised {
        let most = self.range * self.range / 4.0;
        let fewest = if spread.sample { 2.0 } else { 1.0 };
        // n / (n − 1), which falls from 2 at the fewest to 1.
        let correction = |n: f64| if spread.sample { n / (n - 1.0) } else { 1.0 };
        let square = |q: f64, n: f64| self.middle + q / n;
        let distance = |s: f64, n: f64| s / n;

        let n = count.value as f64;
        let value = if n < fewest {
            Number::Missing
        } else {
            let population = square(squares.value as f64, n) - distance(sum.value as f64, n).powi(2);
            of(population.clamp(0.0, most) * correction(n))
        };
        let counts = count.ends(Together::Three);
        if counts[0] < fewest {
            return Noised { value, low: of(0.0), high: of(most * correction(fewest)) };
        }
        let (least_square, most_square) = hull(squares.ends(Together::Three), counts, square);
        let (left, right) = hull(sum.ends(Together::Three), counts, distance);
        let nearest = if left <= 0.0 && right >= 0.0 { 0.0 } else { left.abs().min(right.abs()) };
        let farthest = left.abs().max(right.abs());
        let low = (least_square - farthest.powi(2)).clamp(0.0, most) * correction(counts[1]);
        let high = (most_square - nearest.powi(2)).clamp(0.0, most) * correction(counts[0]);
        Noised { value, low: of(low), high: of(high) }
    }
}
