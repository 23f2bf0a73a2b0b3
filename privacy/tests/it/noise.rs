//! The noise of real releases against the exact probability mass that was promised.
//!
//! A chi-square statistic over whole numbers, refused beyond a bound that a right sampler passes with probability at
//! least 1 − 10⁻⁹ (Laurent and Massart 2000, Lemma 1: P(χ²ₖ ≥ k + 2√(kt) + 2t) ≤ e⁻ᵗ).

use glovebox_policy::Digest;
use glovebox_privacy::{MechanismKind, NoisePlan, release};

use crate::support::{Bureau, exact, plan};

const DRAWS: u32 = 20_000;

/// The noise on one family of [`DRAWS`] cells, through the gate.
fn draws(plan: NoisePlan) -> Vec<i128> {
    let bureau = Bureau::new();
    let request = Digest::of(b"noise");
    let offset = 12_345_678_901_234_567_890_123_i128;
    let charge = bureau.charge(request, plan.cost());
    let cells = vec![vec![offset; DRAWS as usize]; plan.families().len()];
    let answer = release(&bureau.ledger, bureau.permit(request), charge, exact(cells, plan, request)).unwrap();
    answer.get().cells.last().unwrap().iter().map(|cell| cell - offset).collect()
}

/// P(noise = k) for every |k| ≤ reach, summed exactly over all mass that floating point can see.
fn mass(kind: MechanismKind, scale: f64, reach: i64) -> Vec<f64> {
    let weight = |k: i64| match kind {
        MechanismKind::Gaussian => (-((k * k) as f64) / (2.0 * scale * scale)).exp(),
        MechanismKind::Laplace => (-(k.abs() as f64) / scale).exp(),
    };
    let end = (scale * 60.0) as i64 + 2;
    let total: f64 = (-end..=end).map(weight).sum();
    (-reach..=reach).map(|k| weight(k) / total).collect()
}

/// Whether the draws could be of this distribution.
fn could_be(draws: &[i128], kind: MechanismKind, scale: f64) -> bool {
    let n = draws.len() as f64;
    let reach = (scale * 8.0) as i64 + 2;
    // Neighbouring numbers share a cell until it expects 20 draws; what is left over and what is beyond share the last.
    let mut cells: Vec<(f64, f64)> = vec![];
    let (mut expected, mut seen) = (0.0, 0.0);
    for (k, p) in (-reach..=reach).zip(mass(kind, scale, reach)) {
        expected += p * n;
        seen += draws.iter().filter(|draw| **draw == i128::from(k)).count() as f64;
        if expected >= 20.0 {
            cells.push((expected, seen));
            (expected, seen) = (0.0, 0.0);
        }
    }
    let rest: (f64, f64) = cells.iter().fold((n, n), |rest, cell| (rest.0 - cell.0, rest.1 - cell.1));
    cells.push((rest.0.max(1.0), rest.1));
    let statistic: f64 = cells.iter().map(|(expected, seen)| (seen - expected).powi(2) / expected).sum();
    let (freedom, t) = (cells.len() as f64 - 1.0, 1e9_f64.ln());
    statistic < freedom + 2.0 * (freedom * t).sqrt() + 2.0 * t
}

fn check(plan: NoisePlan) {
    let (kind, scale) = (plan.kind(), plan.families().last().unwrap().scale.to_f64());
    let width = i128::from(plan.families().last().unwrap().half_width_95);
    let draws = draws(plan);
    assert!(could_be(&draws, kind, scale), "{kind:?} noise is not of scale {scale}");
    assert!(!could_be(&draws, kind, scale * 2.0), "noise of half the scale would not be noticed");
    assert!(!could_be(&draws, kind, scale * 1.25), "noise of four fifths of the scale would not be noticed");
    assert!(!could_be(&draws.iter().map(|k| k + 1).collect::<Vec<_>>(), kind, scale) || scale > 20.0, "nor a shift");
    let within = draws.iter().filter(|k| k.abs() <= width).count();
    assert!(within * 100 >= draws.len() * 94, "the half-width covers {within} of {}", draws.len());
}

#[test]
fn gaussian_noise_has_the_promised_mass() {
    check(plan(2.0, 1e-6, &[1], DRAWS));
}

#[test]
fn narrow_gaussian_noise_has_the_promised_mass() {
    check(plan(8.0, 1e-6, &[1], DRAWS));
}

#[test]
fn laplace_noise_has_the_promised_mass() {
    check(plan(0.3, 0.0, &[1], DRAWS));
}

#[test]
fn narrow_laplace_noise_has_the_promised_mass() {
    check(plan(1.7, 0.0, &[1], DRAWS));
}

#[test]
fn each_family_gets_its_own_scale() {
    check(plan(1.0, 0.0, &[1000, 3], DRAWS));
}

/// The planted fault: noise of half the scale, as a sensitivity forgotten by a factor of two would give.
#[test]
fn half_the_noise_is_caught() {
    for (honest, halved) in [
        (plan(1.0, 0.0, &[8], DRAWS), plan(1.0, 0.0, &[4], DRAWS)),
        (plan(2.0, 1e-6, &[8], DRAWS), plan(2.0, 1e-6, &[4], DRAWS)),
    ] {
        let (kind, promised) = (honest.kind(), honest.families().last().unwrap().scale.to_f64());
        assert!(could_be(&draws(honest), kind, promised));
        assert!(!could_be(&draws(halved), kind, promised), "half the {kind:?} noise was not noticed");
    }
}
