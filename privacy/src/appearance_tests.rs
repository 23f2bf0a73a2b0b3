//! Tests of what one appearance can replace: published figures, neighbours, and a formula that forgets the cut segment.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use dashu::rational::RBig;
use glovebox_policy::{NanoEpsilon, Public};
use proptest::prelude::*;

use super::*;
use crate::bounding::Geometry;
use crate::mechanism::MechanismKind;
use crate::plan::{Ask, plan_noise};
use crate::sensitivity::{Family, l1, l2};

const SECOND: u64 = 1_000;

fn rows(max_rows: u32, seconds: u64, chunk_s: u64) -> u32 {
    rows_replaced(Appearance { longest_ms: seconds * SECOND, segments: 1 }, chunk_s * SECOND, max_rows).unwrap()
}

/// The figures of Privid's examples.
#[test]
fn golden_figures() {
    let one_table = Geometry::Replacement { rows: rows(10, 30, 5) };
    assert_eq!(l1(1, one_table, 1), 70);
    assert_eq!(l1(span(0, 10), one_table, 1), 700);
    // A union of two tables: what can be replaced in each adds up.
    let other = rows(2, 30, 1);
    assert_eq!(other, 62);
    assert_eq!(l1(1, Geometry::Replacement { rows: rows(10, 30, 5) + other }, 1), 132);
    // A segment that is no multiple of the chunk.
    assert_eq!(rows(1, 49, 30), 3);
    assert_eq!(l1(span(0, 6), Geometry::Replacement { rows: 3 }, 1), 18);
}

#[test]
fn across_groups_a_row_leaves_and_enters() {
    let geometry = Geometry::Replacement { rows: 70 };
    assert_eq!(l1(1, geometry, 2), 140);
    assert_eq!(l2(1, geometry, 1), RBig::from(70));
    let square = l2(1, geometry, 9).sqr();
    assert!(square >= RBig::from(2 * 70 * 70) && square < RBig::from(2 * 70 * 70 + 1));
    assert_eq!(geometry.groups_touched(9), 9);
    assert_eq!(Geometry::Replacement { rows: 3 }.groups_touched(9), 6);
    // A value of at least 5 leaves a group, or no longer counts: the sum moves by up to 10, not by 10 − 5.
    assert_eq!((span(5, 10), span(-7, -2), span(-3, 4)), (10, 7, 7));
    assert_eq!(span(i64::MIN, i64::MAX), u64::MAX);
}

#[test]
fn what_has_no_length_or_is_too_much_is_not_a_figure() {
    let day = Appearance { longest_ms: 86_400 * SECOND, segments: 1_000 };
    assert_eq!(rows_replaced(day, 0, 1), None);
    assert_eq!(rows_replaced(day, 1, 1_000), None);
    assert_eq!(rows_replaced(Appearance { longest_ms: u64::MAX, segments: u32::MAX }, 1, u32::MAX), None);
    assert_eq!(rows_replaced(Appearance { longest_ms: 0, segments: 2 }, SECOND, 3), Some(6));
}

/// A plan of noise for a video job: the mechanism is given these norms, and the certificate says so.
#[test]
fn noise_is_planned_for_that_movement() {
    let ask =
        Ask { epsilon: NanoEpsilon::from_epsilon(1.0).unwrap(), delta: 0.0, mechanism: Some(MechanismKind::Laplace) };
    let family = || vec![Family { label: Public::from_request("crossings".to_owned()), linf: 10, total: None }];
    let plan = plan_noise(family(), 1, Geometry::Replacement { rows: 70 }, ask).unwrap();
    assert!((plan.families()[0].sensitivity - 700.0).abs() < 1e-9);
    // Laplace noise of scale Δ₁/ε, rounded up by at most some parts in 10⁹.
    let scale = plan.families()[0].scale.to_f64();
    assert!((700.0..700.001).contains(&scale), "{scale}");
    let claims = plan.claims();
    assert_eq!(claims["geometry"], serde_json::json!({ "kind": "replacement", "rows": 70 }));
    let spread = plan_noise(family(), 4, Geometry::Replacement { rows: 70 }, ask).unwrap();
    assert!((spread.families()[0].sensitivity - 1400.0).abs() < 1e-9);
}

/// The chunks that a closed segment meets.
fn met(start_ms: u64, long_ms: u64, chunk_ms: u64) -> u64 {
    (start_ms + long_ms) / chunk_ms - start_ms / chunk_ms + 1
}

#[test]
fn some_segment_meets_every_chunk_that_is_counted() {
    // Cut at its beginning: a figure of ⌈ρ/c⌉ chunks would be one too few.
    assert_eq!(met(4_999, 30_000, 5_000), 7);
    assert_eq!(met(29_999, 49_000, 30_000), 3);
    assert!(met(4_999, 30_000, 5_000) > 30_000_u64.div_ceil(5_000));
}

proptest! {
    /// No segment that keeps to ρ meets more chunks than are counted.
    #[test]
    fn segments_meet_no_more_chunks(start in 0_u64..1 << 40, longest in 0_u64..1 << 32, short in 0_u64..=100, chunk in 1_u64..1 << 32) {
        let long = longest * short / 100;
        let counted = rows_replaced(Appearance { longest_ms: longest, segments: 1 }, chunk, 1);
        prop_assume!(counted.is_some());
        prop_assert!(met(start, long, chunk) <= u64::from(counted.unwrap()));
    }

    /// Neighbours: whatever rows take the place of the replaced ones, sums by group move by no more than is declared.
    #[test]
    fn replaced_rows_move_sums_by_no_more_than_declared(
        low in -50_i64..50,
        width in 0_i64..60,
        groups in 1_u32..5,
        // A row may not count: a condition, or a missing value.
        replaced in proptest::collection::vec(
            (proptest::option::of((0_u32..5, 0_i64..=100)), proptest::option::of((0_u32..5, 0_i64..=100))),
            1..12,
        ),
    ) {
        let high = low + width;
        let value = |part: i64| low + width * part / 100;
        let mut moved = vec![0_i64; groups as usize];
        for (before, after) in &replaced {
            for ((group, part), sign) in before.iter().map(|of| (of, -1)).chain(after.iter().map(|of| (of, 1))) {
                moved[(group % groups) as usize] += sign * value(*part);
            }
        }
        let geometry = Geometry::Replacement { rows: u32::try_from(replaced.len()).unwrap() };
        let linf = span(low, high);
        let sum: u128 = moved.iter().map(|m| u128::from(m.unsigned_abs())).sum();
        let squares: u128 = moved.iter().map(|m| u128::from(m.unsigned_abs()).pow(2)).sum();
        prop_assert!(sum <= l1(linf, geometry, groups));
        prop_assert!(RBig::from(squares) <= l2(linf, geometry, groups).sqr());
    }
}
