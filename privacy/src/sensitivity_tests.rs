//! Tests of sensitivities.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use proptest::prelude::*;

use super::*;

fn square_of_l2(linf: u64, max_groups: u32, groups: u32) -> RBig {
    l2(linf, Geometry::GroupSelection { max_groups }, groups).sqr()
}

#[test]
fn norms_are_exact_where_they_can_be() {
    let geometry = Geometry::GroupSelection { max_groups: 4 };
    assert_eq!(l1(7, geometry, 20), 28);
    assert_eq!(l2(7, geometry, 20), RBig::from(14));
    // A unit cannot be in more groups than there are.
    assert_eq!(l1(7, geometry, 1), 7);
    assert_eq!(l2(7, geometry, 1), RBig::from(7));
}

/// What rows add up to bounds both norms, where it is less than what groups do.
#[test]
fn a_total_bounds_the_norms_where_it_is_smaller() {
    let geometry = Geometry::GroupSelection { max_groups: 4 };
    assert_eq!(l1((7, Some(7)), geometry, 20), 7);
    assert_eq!(l2((7, Some(7)), geometry, 20), RBig::from(7));
    assert_eq!(l1((2, Some(5)), geometry, 20), 5);
    // Two, two and one.
    assert_eq!(l2((2, Some(8)), geometry, 20), RBig::from(4));
    assert_eq!((l1((7, Some(1000)), geometry, 20), l2((7, Some(1000)), geometry, 20)), (28, RBig::from(14)));
    assert_eq!(l1((7, Some(7)), geometry, 1), 7);
    // Replaced rows are what they were.
    let replaced = Geometry::Replacement { rows: 3 };
    assert_eq!((l1((6, Some(1)), replaced, 1), l2((6, Some(1)), replaced, 1)), (18, RBig::from(18)));
}

#[test]
fn the_largest_numbers_fit() {
    let geometry = Geometry::GroupSelection { max_groups: u32::MAX };
    assert_eq!(l1(u64::MAX, geometry, u32::MAX), u128::from(u64::MAX) * u128::from(u32::MAX));
    let exact = RBig::from(UBig::from(u64::MAX).sqr() * UBig::from(u32::MAX));
    assert!(square_of_l2(u64::MAX, u32::MAX, u32::MAX) >= exact);
}

proptest! {
    /// The root is rounded up, by less than one step of 2⁻³².
    #[test]
    fn l2_is_the_next_step_above_the_root(linf in 1_u64.., max_groups in 1_u32.., groups in 1_u32..) {
        let touched = max_groups.min(groups);
        let exact = RBig::from(UBig::from(linf).sqr() * UBig::from(touched));
        let up = l2(linf, Geometry::GroupSelection { max_groups }, groups);
        let step = RBig::from_parts(IBig::ONE, UBig::ONE << ROOT_BITS);
        prop_assert!(up.sqr() >= exact);
        prop_assert!((up - step).sqr() < exact);
    }

    /// Neighbours: whatever one unit adds within the geometry and the bound moves the sums by no more than is declared.
    #[test]
    fn one_unit_moves_sums_by_no_more_than_declared(
        linf in 1_u64..=1 << 40,
        max_groups in 1_u32..6,
        others in proptest::collection::vec(-1_000_000_i128..1_000_000, 1..12),
        wanted in proptest::collection::vec((0_usize..12, any::<i64>()), 0..40),
    ) {
        let groups = u32::try_from(others.len()).unwrap();
        // Bounds one hostile unit as the geometry says: first groups first, each clamped.
        let mut unit = vec![0_i128; others.len()];
        let mut kept = Vec::new();
        for (group, value) in wanted {
            let group = group % others.len();
            if !kept.contains(&group) && kept.len() < max_groups as usize {
                kept.push(group);
            }
            if kept.contains(&group) {
                unit[group] = (unit[group] + i128::from(value)).clamp(-i128::from(linf), i128::from(linf));
            }
        }
        let with: Vec<i128> = others.iter().zip(&unit).map(|(a, b)| a + b).collect();
        let moved: Vec<UBig> = with.iter().zip(&others).map(|(a, b)| UBig::from((a - b).unsigned_abs())).collect();
        let geometry = Geometry::GroupSelection { max_groups };
        let sum: UBig = moved.iter().fold(UBig::ZERO, |sum, m| sum + m);
        let squares: UBig = moved.iter().fold(UBig::ZERO, |sum, m| sum + m.sqr());
        prop_assert!(sum <= UBig::from(l1(linf, geometry, groups)));
        prop_assert!(RBig::from(squares) <= l2(linf, geometry, groups).sqr());
    }
}

proptest! {
    /// Whatever lies within both bounds is within both norms.
    #[test]
    fn what_rows_add_up_to_is_within_the_norms(
        linf in 1_u64..=1 << 40,
        total in 1_u64..=1 << 42,
        max_groups in 1_u32..8,
        wanted in proptest::collection::vec(any::<u64>(), 1..12),
    ) {
        let (mut left, mut moved) = (total, Vec::new());
        for value in wanted.iter().take(max_groups as usize) {
            let movement = (value % (linf + 1)).min(left);
            left -= movement;
            moved.push(UBig::from(movement));
        }
        let geometry = Geometry::GroupSelection { max_groups };
        let groups = u32::try_from(wanted.len()).unwrap();
        let sum: UBig = moved.iter().fold(UBig::ZERO, |sum, m| sum + m);
        let squares: UBig = moved.iter().fold(UBig::ZERO, |sum, m| sum + m.sqr());
        prop_assert!(sum <= UBig::from(l1((linf, Some(total)), geometry, groups)));
        prop_assert!(RBig::from(squares) <= l2((linf, Some(total)), geometry, groups).sqr());
        prop_assert!(l2((linf, Some(total)), geometry, groups) <= l2(linf, geometry, groups));
    }
}

#[test]
fn the_worst_unit_moves_them_by_exactly_that() {
    let (linf, max_groups, groups) = (9_u64, 3_u32, 5_u32);
    let worst = [9_i128, -9, 0, 9, 0];
    let geometry = Geometry::GroupSelection { max_groups };
    let sum: u128 = worst.iter().map(|m| m.unsigned_abs()).sum();
    assert_eq!(sum, l1(linf, geometry, groups));
    let squares: u128 = worst.iter().map(|m| m.unsigned_abs().pow(2)).sum();
    let below = l2(linf, geometry, groups) - RBig::from_parts(IBig::ONE, UBig::ONE << ROOT_BITS);
    assert!(below.sqr() < RBig::from(squares), "a smaller sensitivity would be wrong");
}
