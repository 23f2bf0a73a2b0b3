//! The rule that exact cells of neighbouring datasets obey, on plain integers.
//!
//! # Privacy obligation
//! Neighbouring relation: one unit with all of its rows, added or removed. Under group selection the unit moves cells of at
//! most `max_groups` groups, the same groups in every family, and each by at most the family's `linf`; L1 and L2
//! sensitivities follow from these two (Wilson et al. 2019, §3).

/// How far two neighbouring tables of cells lie apart.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Moved {
    /// In how many groups any family's cell moved.
    pub groups: usize,
    /// For each family the largest movement of a cell.
    pub largest: Vec<u128>,
}

/// How the rule is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Violation {
    /// The tables do not have one row per family and rows of one length.
    Shape,
    /// More groups moved than a unit may touch.
    Groups {
        /// How many moved.
        moved: usize,
        /// How many may.
        allowed: u32,
    },
    /// A cell moved further than its family allows.
    Cell {
        /// The family.
        family: usize,
        /// The group.
        group: usize,
        /// How far it moved.
        moved: u128,
        /// How far it may.
        allowed: u64,
    },
    /// The cells of a family moved further, all together, than a unit's rows can add up to.
    Total {
        /// The family.
        family: usize,
        /// How far they moved.
        moved: u128,
        /// How far they may.
        allowed: u64,
    },
    /// A key that only one of the datasets has, and not because of one unit.
    Key {
        /// Its place among all keys of both.
        group: usize,
        /// The count of units in the larger dataset; none if the smaller alone has it.
        units: Option<i128>,
    },
}

/// Keys that were found in rows, in the order of their values, with their cells `[family][key]`.
#[derive(Debug, Clone, Copy)]
pub struct Found<'a, K> {
    /// The keys.
    pub keys: &'a [K],
    /// Their cells.
    pub cells: &'a [Vec<i128>],
}

impl<K: Ord> Found<'_, K> {
    fn cell(&self, family: &[i128], key: &K) -> Option<i128> {
        family.get(self.keys.binary_search(key).ok()?).copied()
    }
}

/// Compares keys and cells of two datasets, of which the first has one unit more, with what is declared: cells move as by [`check`], a
/// key that is missing counting as zeros; the larger has all keys of the smaller; and a key that only the larger has, has one unit,
/// as the family number `units` counts them.
///
/// # Errors
/// The first way in which the rule is broken.
pub fn check_found<K: Ord + Clone>(
    with: Found<'_, K>,
    without: Found<'_, K>,
    linf: &[u64],
    max_groups: u32,
    units: usize,
) -> Result<Moved, Violation> {
    let shaped = |found: &Found<'_, K>| {
        let cells = found.cells.len() == linf.len() && found.cells.iter().all(|row| row.len() == found.keys.len());
        cells && found.keys.is_sorted_by(|a, b| a < b)
    };
    if !shaped(&with) || !shaped(&without) {
        return Err(Violation::Shape);
    }
    let all: std::collections::BTreeSet<&K> = with.keys.iter().chain(without.keys).collect();
    let aligned = |found: &Found<'_, K>| -> Vec<Vec<i128>> {
        let row = |family: &Vec<i128>| all.iter().map(|key| found.cell(family, key).unwrap_or(0)).collect();
        found.cells.iter().map(row).collect()
    };
    let moved = check(&aligned(&with), &aligned(&without), linf, max_groups)?;
    for (group, key) in all.iter().enumerate() {
        let units = with.cells.get(units).and_then(|family| with.cell(family, key));
        match (units, without.keys.binary_search(key)) {
            (None, _) => return Err(Violation::Key { group, units: None }),
            (Some(_), Ok(_)) | (Some(1), Err(_)) => {}
            (units, Err(_)) => return Err(Violation::Key { group, units }),
        }
    }
    Ok(moved)
}

/// Adds up how far the cells `[family][group]` of two datasets lie apart, and compares that with what a unit's rows can add up to; the
/// sums, for each family.
///
/// # Errors
/// The first family whose cells moved further.
pub fn check_totals(with: &[Vec<i128>], without: &[Vec<i128>], totals: &[Option<u64>]) -> Result<Vec<u128>, Violation> {
    let mut moved = Vec::new();
    if with.len() != totals.len() || without.len() != totals.len() {
        return Err(Violation::Shape);
    }
    for (family, ((more, less), allowed)) in with.iter().zip(without).zip(totals).enumerate() {
        let sum = more.iter().zip(less).map(|(a, b)| a.abs_diff(*b)).sum();
        if let Some(allowed) = allowed
            && sum > u128::from(*allowed)
        {
            return Err(Violation::Total { family, moved: sum, allowed: *allowed });
        }
        moved.push(sum);
    }
    Ok(moved)
}

/// Compares cells `[family][group]` of two datasets that differ by one unit with what is declared.
///
/// # Errors
/// The first way in which the rule is broken.
pub fn check(with: &[Vec<i128>], without: &[Vec<i128>], linf: &[u64], max_groups: u32) -> Result<Moved, Violation> {
    let groups = with.first().map_or(0, Vec::len);
    let shaped = |cells: &[Vec<i128>]| cells.len() == linf.len() && cells.iter().all(|row| row.len() == groups);
    if !shaped(with) || !shaped(without) {
        return Err(Violation::Shape);
    }
    let mut moved = Moved::default();
    let mut touched = vec![false; groups];
    for (family, ((more, less), allowed)) in with.iter().zip(without).zip(linf).enumerate() {
        let mut largest = 0;
        for (group, ((a, b), touched)) in more.iter().zip(less).zip(&mut touched).enumerate() {
            let moved = a.abs_diff(*b);
            *touched |= moved > 0;
            largest = largest.max(moved);
            if moved > u128::from(*allowed) {
                return Err(Violation::Cell { family, group, moved, allowed: *allowed });
            }
        }
        moved.largest.push(largest);
    }
    moved.groups = touched.into_iter().filter(|touched| *touched).count();
    if u32::try_from(moved.groups).is_ok_and(|moved| moved <= max_groups) {
        Ok(moved)
    } else {
        Err(Violation::Groups { moved: moved.groups, allowed: max_groups })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn movement_within_the_declaration_passes_and_is_measured() {
        let (a, b) = (vec![vec![5, 0, 9], vec![1, 1, 1]], vec![vec![2, 0, 9], vec![1, 1, 1]]);
        assert_eq!(check(&a, &b, &[3, 1], 1), Ok(Moved { groups: 1, largest: vec![3, 0] }));
        assert_eq!(check(&b, &a, &[3, 1], 1), Ok(Moved { groups: 1, largest: vec![3, 0] }));
    }

    #[test]
    fn each_way_of_breaking_the_rule_is_seen() {
        let (a, b) = (vec![vec![5, 1]], vec![vec![2, 0]]);
        let cell = Violation::Cell { family: 0, group: 0, moved: 3, allowed: 2 };
        assert_eq!(check(&a, &b, &[2], 2), Err(cell));
        assert_eq!(check(&a, &b, &[3], 1), Err(Violation::Groups { moved: 2, allowed: 1 }));
        assert_eq!(check(&a, &[], &[3], 2), Err(Violation::Shape));
        assert_eq!(check(&a, &[vec![2]], &[3], 2), Err(Violation::Shape));
    }

    #[test]
    fn groups_are_counted_over_all_families() {
        let (a, b) = (vec![vec![1, 0], vec![0, 1]], vec![vec![0, 0], vec![0, 0]]);
        assert_eq!(check(&a, &b, &[1, 1], 1), Err(Violation::Groups { moved: 2, allowed: 1 }));
    }

    #[test]
    fn the_largest_numbers_do_not_overflow() {
        let (a, b) = (vec![vec![i128::MAX]], vec![vec![i128::MIN]]);
        assert!(matches!(check(&a, &b, &[u64::MAX], 1), Err(Violation::Cell { moved: u128::MAX, .. })));
    }

    #[test]
    fn keys_that_one_has_alone_have_one_unit_and_are_the_larger_ones() {
        let found = |keys: &'static [u8], cells: &'static [i128]| (keys, vec![cells.to_vec()]);
        let compare = |with: (&[u8], Vec<Vec<i128>>), without: (&[u8], Vec<Vec<i128>>)| {
            let [with, without] = [&with, &without].map(|(keys, cells)| Found { keys, cells });
            check_found(with, without, &[1], 2, 0)
        };
        let moved = Ok(Moved { groups: 2, largest: vec![1] });
        assert_eq!(compare(found(b"ac", &[5, 1]), found(b"a", &[4])), moved);
        assert_eq!(compare(found(b"abc", &[1, 9, 1]), found(b"b", &[9])), moved);
        assert_eq!(compare(found(b"a", &[5]), found(b"ac", &[5, 1])), Err(Violation::Key { group: 1, units: None }));
        assert_eq!(compare(found(b"ac", &[5, 0]), found(b"a", &[5])), Err(Violation::Key { group: 1, units: Some(0) }));
        assert!(matches!(compare(found(b"ac", &[5, 2]), found(b"a", &[5])), Err(Violation::Cell { moved: 2, .. })));
        let three = Err(Violation::Groups { moved: 3, allowed: 2 });
        assert_eq!(compare(found(b"abc", &[1, 1, 1]), found(b"", &[])), three);
        assert_eq!(compare(found(b"ca", &[5, 1]), found(b"a", &[4])), Err(Violation::Shape));
        assert_eq!(compare(found(b"aa", &[5, 1]), found(b"a", &[4])), Err(Violation::Shape));
        assert_eq!(compare(found(b"ac", &[5]), found(b"a", &[4])), Err(Violation::Shape));
    }
}
