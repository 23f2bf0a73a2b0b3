//! Tests of thresholds, against numbers of another program.

#![expect(clippy::unwrap_used, reason = "tests")]

use super::*;
use MechanismKind::{Gaussian, Laplace};

/// Numerator and base-2 logarithm of the denominator of the scale, keys of a unit, δ of the threshold; then the smallest τ with
/// keys · P(noise ≥ τ − 1) ≤ δ, both rounded up to steps of 2⁻⁶⁰, for Gaussian and for Laplace noise.
///
/// Made with mpmath 1.3 at 60 digits, by adding up weights one by one: `exp(-k**2/(2*s*s))` from k = τ − 1 until a weight is below
/// 10⁻⁵⁰ of the first, over `1 + 2*sum(...)` until below 10⁻⁵⁸; for Laplace `q**m/(1+q)` with `q = exp(-1/b)`.
const SMALLEST: [(u64, u32, u32, f64, u64, u64); 24] = [
    (1, 1, 1, 5e-7, 4, 9),
    (1, 1, 3, 5e-10, 5, 13),
    (1, 1, 20, 5e-13, 5, 17),
    (1, 0, 1, 5e-7, 7, 16),
    (1, 0, 3, 5e-10, 8, 24),
    (1, 0, 20, 5e-13, 9, 33),
    (5, 1, 1, 5e-7, 14, 36),
    (5, 1, 1, 5e-10, 17, 54),
    (5, 1, 3, 5e-10, 18, 57),
    (5, 1, 20, 5e-13, 21, 79),
    (13, 0, 1, 5e-10, 81, 271),
    (13, 0, 3, 5e-7, 68, 196),
    (13, 0, 3, 5e-10, 84, 286),
    (13, 0, 20, 5e-13, 100, 400),
    (133, 3, 1, 5e-7, 83, 232),
    (133, 3, 3, 5e-10, 106, 365),
    (133, 3, 20, 5e-10, 111, 396),
    (133, 3, 20, 5e-13, 127, 511),
    (100, 0, 1, 5e-10, 613, 2074),
    (100, 0, 3, 5e-10, 630, 2184),
    (100, 0, 20, 5e-13, 755, 3065),
    (777, 1, 1, 5e-10, 2376, 8053),
    (777, 1, 3, 5e-10, 2443, 8480),
    (777, 1, 20, 5e-13, 2928, 11900),
];

fn granted(delta: f64) -> Delta {
    Delta::rounded_down(delta).unwrap()
}

#[test]
fn tau_is_the_smallest_that_another_program_finds() {
    for (numerator, log2, keys, delta, gaussian, laplace) in SMALLEST {
        let scale = Scale::new(numerator, log2).unwrap();
        let tau = |kind| smallest_tau(kind, scale, keys, granted(delta)).unwrap();
        assert_eq!(tau(Laplace), laplace, "Laplace {scale} {keys} {delta}");
        // The bound on the Gaussian tail is some hundredths above it, which shows from scales of a hundred on.
        let more = u64::from(scale.to_f64() >= 100.0);
        let found = tau(Gaussian);
        assert!((gaussian..=gaussian + more).contains(&found), "Gaussian {scale} {keys} {delta}: {found}");
    }
}

/// The planted fault: half of the keys that a unit may be counted in.
#[test]
fn half_of_the_keys_give_a_smaller_tau_that_costs_more_than_is_granted() {
    for (kind, scale, keys, right) in
        [(Gaussian, (13, 0), 20, 87), (Gaussian, (133, 3), 20, 111), (Laplace, (5, 1), 20, 61)]
    {
        let scale = Scale::new(scale.0, scale.1).unwrap();
        let granted = granted(5e-10);
        assert_eq!(smallest_tau(kind, scale, keys, granted).unwrap(), right);
        let planted = smallest_tau(kind, scale, keys / 2, granted).unwrap();
        assert!(planted < right);
        assert!(delta_of(kind, scale, planted, keys) > granted);
        assert!(delta_of(kind, scale, right - 1, keys) > granted);
        assert!(delta_of(kind, scale, right, keys) <= granted);
    }
}

/// Scale, m, P(noise ≥ m) for Gaussian and for Laplace noise, by the same program.
const TAILS: [(u64, u32, u64, f64, f64); 5] = [
    (1, 0, 3, 0.004567171417803253, 0.03639726343516549),
    (5, 1, 12, 1.826340865860303e-6, 0.004927048004095158),
    (13, 0, 78, 1.2381931666591417e-9, 0.0012870209082385643),
    (100, 0, 600, 1.0172708367217742e-9, 0.0012455729171346912),
    (777, 1, 2000, 1.3254057541847614e-7, 0.0029092319845602644),
];

#[test]
fn tails_are_never_below_the_true_probability_and_close_to_it() {
    for (numerator, log2, m, gaussian, laplace) in TAILS {
        let scale = Scale::new(numerator, log2).unwrap();
        let near = |bound: f64, truth: f64, most: f64| (truth..=truth * most).contains(&bound);
        assert!(near(tail(Gaussian, scale, m), gaussian, 1.04), "{scale} {m}");
        assert!(near(tail(Laplace, scale, m), laplace, 1.0 + 1e-8), "{scale} {m}");
    }
}

#[test]
fn tails_stay_probabilities_at_every_extreme() {
    for kind in [Gaussian, Laplace] {
        for scale in
            [Scale::new(0, 0), Scale::new(1, 63), Scale::new(1, 0), Scale::new(1 << 60, 0), Scale::new(u64::MAX, 0)]
        {
            let mut before = 1.0;
            for m in [1, 2, 1000, 1 << 40, (1 << 62) - 1] {
                let now = tail(kind, scale.unwrap(), m);
                assert!(now > 0.0 && now <= before, "{kind:?} {scale:?} {m}: {now} after {before}");
                before = now;
            }
        }
    }
    assert_eq!(delta_of(Gaussian, Scale::new(1, 0).unwrap(), 1, 1), Delta::from_steps(1 << 60));
    assert!(smallest_tau(Gaussian, Scale::new(1 << 60, 0).unwrap(), 1, granted(1e-9)).is_err());
}

#[test]
fn parts_of_delta_never_add_up_to_more_than_it() {
    for delta in [0.0, 1e-18, 1.7e-18, 3e-18, 1e-12, 1e-9, 1e-9_f64.next_up(), 1e-3, 0.3e-7] {
        let exact = RBig::try_from(delta).unwrap();
        for kind in [Gaussian, Laplace] {
            let (noise, threshold) = split(kind, delta);
            let threshold = RBig::from(threshold.steps()) / RBig::from(1_u64 << 60);
            assert!(RBig::try_from(noise).unwrap() + &threshold <= exact, "{kind:?} {delta:e}");
            let share = if kind == Gaussian { &exact / RBig::from(2) } else { exact.clone() };
            assert!(&share - &threshold < RBig::ONE / RBig::from(1_u64 << 60));
        }
    }
}
