//! Whole numbers to their positions on a public list.

use std::collections::HashMap;

/// A list whose numbers lie at most so many times as far apart as there are of them is a table; a list without order would be no
/// better off.
const SPARSEST: usize = 8;

/// The positions of a key's values, of which there are few enough for `u32`.
pub(crate) enum IntPositions {
    /// By the distance from the least value: the position, or `other`.
    Near {
        /// The least value.
        least: i64,
        /// One entry for each number from the least value to the greatest.
        positions: Vec<u32>,
    },
    /// By value.
    Far(HashMap<i64, u32>),
}

impl IntPositions {
    /// The positions of `values`; of numbers that are not among them, `other`.
    pub(crate) fn new(values: &HashMap<i64, u32>, other: u32) -> Self {
        let (least, greatest) = (values.keys().min().copied().unwrap_or(0), values.keys().max().copied().unwrap_or(0));
        let span = usize::try_from(greatest.abs_diff(least)).unwrap_or(usize::MAX);
        if span >= values.len().saturating_mul(SPARSEST) {
            return Self::Far(values.clone());
        }
        let mut positions = vec![other; span + 1];
        for (value, position) in values {
            if let Some(place) = positions.get_mut(value.abs_diff(least) as usize) {
                *place = *position;
            }
        }
        Self::Near { least, positions }
    }

    /// The position of a number; `other` where it is not on the list.
    #[inline]
    pub(crate) fn of(&self, value: i64, other: u32) -> u32 {
        match self {
            // Below the least value the distance wraps round to more than any table is long.
            Self::Near { least, positions } => {
                positions.get(value.wrapping_sub(*least) as u64 as usize).copied().unwrap_or(other)
            }
            Self::Far(known) => known.get(&value).copied().unwrap_or(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_has_the_position_that_the_list_gives_it() {
        let lists: [&[i64]; 6] = [
            &[],
            &[7],
            &[3, 1, 2, 9],
            &[i64::MIN, i64::MIN + 1, i64::MIN + 3],
            &[i64::MAX, i64::MAX - 2],
            &[i64::MIN, 0, i64::MAX],
        ];
        for list in lists {
            let known: HashMap<i64, u32> = list.iter().copied().zip(0..).collect();
            let positions = IntPositions::new(&known, 99);
            let around = [i64::MIN, i64::MIN + 1, i64::MIN + 2, -1, 0, 1, i64::MAX - 1, i64::MAX];
            let near = list.iter().flat_map(|v| [*v, v.wrapping_add(1), v.wrapping_sub(1)]);
            for value in around.into_iter().chain(near) {
                assert_eq!(positions.of(value, 99), known.get(&value).copied().unwrap_or(99), "{value} in {list:?}");
            }
        }
    }

    #[test]
    fn a_list_far_apart_is_no_table() {
        let far = HashMap::from([(0, 0), (1 << 40, 1)]);
        assert!(matches!(IntPositions::new(&far, 2), IntPositions::Far(_)));
    }
}
