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
}
