//! Tests of the mechanisms: losses and samplers.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use dashu::integer::UBig;
use proptest::prelude::*;

use super::*;

fn scale(numerator: u64, denominator_log2: u32) -> Scale {
    Scale::new(numerator, denominator_log2).unwrap()
}

/// OpenDP's map against the textbook formulas in exact rationals: never below, and less than 10⁻¹⁵ of it above.
#[test]
fn the_map_is_the_textbook_formula_rounded_up() {
    let slack = RBig::from_parts(IBig::from(1_000_000_000_000_001_u64), UBig::from(1_000_000_000_000_000_u64));
    for numerator in [1, 3, 7, 1000, 4_294_967_295, u64::MAX] {
        for bits in [0, 1, 31, 63] {
            let scale = scale(numerator, bits);
            for distance in [RBig::from(1), RBig::from(10).sqr(), RBig::from_parts(IBig::from(22), UBig::from(7_u8))] {
                let ratio = &distance / scale.exact();
                let rho = RBig::try_from(loss(MechanismKind::Gaussian, scale, &distance).unwrap()).unwrap();
                let exact_rho = ratio.sqr() / RBig::from(2);
                assert!(rho >= exact_rho && rho <= exact_rho * &slack, "ρ of {scale} at {distance}");
                let epsilon = RBig::try_from(loss(MechanismKind::Laplace, scale, &distance).unwrap()).unwrap();
                assert!(epsilon >= ratio && epsilon <= ratio * &slack, "ε of {scale} at {distance}");
            }
        }
    }
}

proptest! {
    /// The charge rests on OpenDP's rounding of rationals to floating point: upwards, at any ratio.
    #[test]
    fn the_map_rounds_up(numerator in 1_u64.., bits in 0_u32..64, above in 1_u64.., below in prop_oneof![Just(1_u64), 1..u64::MAX]) {
        let (scale, distance) = (scale(numerator, bits), RBig::from_parts(IBig::from(above), UBig::from(below)));
        let ratio = &distance / scale.exact();
        let rho = loss(MechanismKind::Gaussian, scale, &distance).unwrap();
        prop_assert!(RBig::try_from(rho).unwrap() >= ratio.sqr() / RBig::from(2));
        let epsilon = loss(MechanismKind::Laplace, scale, &distance).unwrap();
        prop_assert!(RBig::try_from(epsilon).unwrap() >= ratio);
    }
}

#[test]
fn a_scale_of_zero_hides_nothing() {
    for kind in [MechanismKind::Gaussian, MechanismKind::Laplace] {
        assert_eq!(loss(kind, scale(0, 0), &RBig::from(1)).unwrap(), f64::INFINITY);
    }
}

#[test]
fn the_largest_cells_of_a_plan_are_not_cut() {
    let edge = 1_i128 << 126;
    for kind in [MechanismKind::Gaussian, MechanismKind::Laplace] {
        let cells: Vec<i128> = [edge, -edge].repeat(200);
        let noisy = add_noise(kind, scale(1000, 0), cells.clone()).unwrap();
        let noise: Vec<i128> = noisy.iter().zip(&cells).map(|(a, b)| a - b).collect();
        assert!(noise.iter().all(|n| n.abs() < 100_000), "noise of scale 1000 stays near");
        assert!(noise.iter().any(|n| *n > 0) && noise.iter().any(|n| *n < 0), "and goes both ways");
    }
}

#[test]
fn the_ends_of_the_type_neither_wrap_nor_fail() {
    let noisy = add_noise(MechanismKind::Laplace, scale(1000, 0), [i128::MAX, i128::MIN].repeat(100)).unwrap();
    for pair in noisy.chunks(2) {
        assert!(pair[0] > i128::MAX - 100_000 && pair[1] < i128::MIN + 100_000);
    }
    assert!(noisy.contains(&i128::MAX) && noisy.contains(&i128::MIN), "half of the draws point outwards");
    assert!(noisy.iter().any(|n| *n != i128::MAX && *n != i128::MIN), "and half inwards");
}

#[test]
fn noise_is_fresh_on_every_call_and_in_every_cell() {
    let wide = scale(1 << 40, 0);
    for kind in [MechanismKind::Gaussian, MechanismKind::Laplace] {
        let first = add_noise(kind, wide, vec![0; 64]).unwrap();
        let second = add_noise(kind, wide, vec![0; 64]).unwrap();
        let mut all: Vec<i128> = first.into_iter().chain(second).collect();
        all.sort_unstable();
        all.dedup();
        assert!(all.len() >= 126, "128 draws over 10¹² values hardly ever meet");
    }
}

#[test]
fn an_error_keeps_no_text_of_opendp() {
    let error =
        MechanismError { kind: MechanismKind::Gaussian, during: "sampling", variant: ErrorVariant::FailedFunction };
    assert_eq!(error.to_string(), "the sampling of gaussian noise failed: `FailedFunction`");
}
