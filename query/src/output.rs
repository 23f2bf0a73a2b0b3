//! How the query's aggregates come out of the measures.

use crate::measure::{FixedPoint, Measure};

/// What an aggregate of the query becomes after noise.
#[derive(Debug, Clone)]
pub(crate) enum Output {
    /// A count.
    Count { measure: usize },
    /// A sum of steps.
    Sum { measure: usize, scale: FixedPoint },
    /// A mean: `centre` plus a sum of centred steps over a count.
    Mean { sum: usize, count: usize, scale: FixedPoint, centre: i64 },
    /// A variance or a standard deviation: from a count, a sum of centred steps and a sum of their squares, each square
    /// less `middle`.
    Spread { sum: usize, squares: usize, count: usize, scale: FixedPoint, middle: i64, spread: Spread },
}

/// Which measure of spread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Spread {
    /// Of a sample: divided by one less than the count.
    pub(crate) sample: bool,
    /// The root of the variance.
    pub(crate) root: bool,
}

impl Spread {
    /// The spread that an aggregate of this name is.
    pub(crate) fn named(aggregate: &str) -> Option<Self> {
        match aggregate {
            "var" => Some(Self { sample: true, root: false }),
            "var_pop" => Some(Self { sample: false, root: false }),
            "stddev" => Some(Self { sample: true, root: true }),
            "stddev_pop" => Some(Self { sample: false, root: true }),
            _ => None,
        }
    }
}

impl Output {
    /// The same with measures where [`canonical_order`] puts them.
    pub(crate) fn renumbered(self, order: &[usize]) -> Self {
        let to = |index: usize| order.get(index).copied().unwrap_or(index);
        match self {
            Self::Count { measure } => Self::Count { measure: to(measure) },
            Self::Sum { measure, scale } => Self::Sum { measure: to(measure), scale },
            Self::Mean { sum, count, scale, centre } => Self::Mean { sum: to(sum), count: to(count), scale, centre },
            Self::Spread { sum, squares, count, scale, middle, spread } => {
                let (sum, squares, count) = (to(sum), to(squares), to(count));
                Self::Spread { sum, squares, count, scale, middle, spread }
            }
        }
    }
}

/// Where each measure lands when they are sorted by label.
pub(crate) fn canonical_order(measures: &[Measure]) -> Vec<usize> {
    let mut sorted: Vec<usize> = (0..measures.len()).collect();
    sorted.sort_by_key(|index| measures.get(*index).map(|m| m.label.clone()));
    let mut lands = vec![0; measures.len()];
    for (to, from) in sorted.into_iter().enumerate() {
        if let Some(place) = lands.get_mut(from) {
            *place = to;
        }
    }
    lands
}

/// The index of an equal measure, added if there is none.
pub(crate) fn add(measures: &mut Vec<Measure>, measure: Measure) -> usize {
    measures.iter().position(|known| known.label == measure.label).unwrap_or_else(|| {
        measures.push(measure);
        measures.len() - 1
    })
}
