//! Tests of half-widths against exact tails.

#![expect(clippy::unwrap_used, reason = "tests")]

use super::*;

/// P(|noise| > width), by summing the exact probability mass from zero up to where it vanishes.
fn mass_outside(kind: MechanismKind, scale: f64, width: u64) -> f64 {
    let weight = |k: u64| match kind {
        MechanismKind::Gaussian => (-((k * k) as f64) / (2.0 * scale * scale)).exp(),
        MechanismKind::Laplace => (-(k as f64) / scale).exp(),
    };
    let end = 2 + (scale * 60.0) as u64;
    let (mut inside, mut outside) = (0.0, 0.0);
    for k in (0..=end).rev() {
        let both = if k == 0 { weight(k) } else { 2.0 * weight(k) };
        if k > width { outside += both } else { inside += both }
    }
    outside / (inside + outside)
}

fn scales() -> impl Iterator<Item = Scale> {
    let dense = (1..400).map(|n| Scale::new(n, 6).unwrap());
    let wide = [7, 10, 33, 100, 250, 1000, 12_345].map(|n| Scale::new(n, 0).unwrap());
    dense.chain(wide)
}

#[test]
fn at_least_19_of_20_draws_are_within() {
    for kind in [MechanismKind::Gaussian, MechanismKind::Laplace] {
        for scale in scales() {
            let outside = mass_outside(kind, scale.to_f64(), half_width_95(kind, scale));
            assert!(outside <= 0.05 * (1.0 + 1e-9), "{kind:?} {scale}: {outside}");
        }
    }
}

#[test]
fn and_the_width_is_not_wasteful() {
    for scale in scales() {
        let laplace = half_width_95(MechanismKind::Laplace, scale);
        assert!(
            laplace == 0 || mass_outside(MechanismKind::Laplace, scale.to_f64(), laplace - 1) > 0.05 * (1.0 - 1e-9)
        );
        let gaussian = half_width_95(MechanismKind::Gaussian, scale);
        assert!(
            gaussian < 2 || mass_outside(MechanismKind::Gaussian, scale.to_f64(), gaussian - 2) > 0.05 * (1.0 - 1e-9)
        );
    }
}

#[test]
fn the_largest_scale_of_a_plan_has_a_width() {
    let largest = Scale::new(1 << MAX_SCALE_LOG2, 0).unwrap();
    assert_eq!(half_width_95(MechanismKind::Gaussian, largest), ((1_u128 << 60) * 49).div_ceil(25) as u64);
    assert!(half_width_95(MechanismKind::Laplace, largest) < 1 << 62);
}
