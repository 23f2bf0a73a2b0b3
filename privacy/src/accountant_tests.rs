//! Tests of the accountant: conversions against closed forms.

#![expect(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;

use super::*;

fn nano(epsilon: f64) -> NanoEpsilon {
    NanoEpsilon::from_epsilon(epsilon).unwrap()
}

/// ρ + 2·√(ρ·ln 1/δ): the simple bound of Bun and Steinke 2016, Proposition 1.3, which the conversion must not exceed.
fn simple(rho: f64, delta: f64) -> f64 {
    rho + 2.0 * (rho * (1.0 / delta).ln()).sqrt()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn epsilon_is_at_most_the_simple_bound(log_rho in -30.0_f64..12.0, log_delta in -60.0_f64..-1.0) {
        let (rho, delta) = (Rho::rounded_up(log_rho.exp2()).unwrap(), log_delta.exp2());
        let epsilon = epsilon_of(rho, delta);
        prop_assert!(epsilon >= 0.0);
        prop_assert!(epsilon <= simple(rho.as_f64_up(), delta) * (1.0 + 1e-12));
    }

    #[test]
    fn epsilon_grows_with_rho_and_shrinks_with_delta(steps in 1_u64..1 << 42, more in 1_u64..1 << 40, log_delta in -60.0_f64..-2.0) {
        let delta = log_delta.exp2();
        let (less, greater) = (Rho::from_steps(steps), Rho::from_steps(steps + more));
        prop_assert!(epsilon_of(less, delta) <= epsilon_of(greater, delta));
        prop_assert!(epsilon_of(less, delta * 2.0) <= epsilon_of(less, delta));
    }

    /// What is granted gives at most the ε asked for, and one part in 10⁹ (or one step) more would not.
    #[test]
    fn rho_for_is_the_largest(epsilon in 1e-6_f64..100.0, log_delta in -60.0_f64..-9.0) {
        let delta = log_delta.exp2();
        let granted = rho_for(nano(epsilon), delta);
        prop_assert!(epsilon_of(granted, delta) <= nano(epsilon).to_display() * (1.0 + 1e-12));
        let more = Rho::from_steps(granted.steps() + granted.steps() / 1_000_000_000 + 1);
        prop_assert!(epsilon_of(more, delta) > nano(epsilon).to_display() * (1.0 - 1e-12));
    }

    #[test]
    fn a_pure_epsilon_costs_half_its_square(epsilon in 0.0_f64..200.0) {
        let rho = pure_epsilon_to_rho(epsilon).steps() as f64 / 2_f64.powi(40);
        let exact = epsilon * epsilon / 2.0;
        prop_assert!(rho >= exact * (1.0 - 1e-15));
        prop_assert!(rho <= exact * (1.0 + 1e-15) + 2_f64.powi(-40));
    }

    #[test]
    fn f64_down_is_the_next_number_below(numerator in any::<i64>(), denominator in 1_u64..) {
        let value = RBig::from_parts(IBig::from(numerator), UBig::from(denominator));
        let down = f64_down(&value);
        prop_assert!(RBig::try_from(down).unwrap() <= value);
        prop_assert!(RBig::try_from(down.next_up()).unwrap() > value);
    }
}

#[test]
fn known_values() {
    // OpenDP's own value for ρ = 0.035 at δ = 10⁻⁹; the simple bound gives 1.738.
    assert!((epsilon_of(Rho::rounded_up(0.035).unwrap(), 1e-9) - 1.5597).abs() < 1e-4);
    assert_eq!(pure_epsilon_to_rho(1.0), Rho::from_steps(1 << 39));
    assert_eq!(pure_epsilon_to_rho(0.0), Rho::ZERO);
    assert_eq!(pure_epsilon_to_rho(1e-9), Rho::from_steps(1), "nothing is free");
}

#[test]
fn what_means_nothing_grants_nothing_and_costs_everything() {
    for delta in [0.0, -0.0, -1.0, 1.0, 2.0, f64::NAN, f64::INFINITY] {
        assert_eq!(rho_for(nano(1.0), delta), Rho::ZERO);
        assert_eq!(epsilon_of(Rho::from_steps(1), delta), f64::INFINITY);
    }
    assert_eq!(epsilon_of(Rho::ZERO, 0.5), 0.0);
    assert!(epsilon_of(Rho::from_steps(u64::MAX), 1e-9) > 1e7, "in doubt infinite");
    for epsilon in [-1.0, f64::NAN, f64::INFINITY, f64::MAX] {
        assert_eq!(pure_epsilon_to_rho(epsilon), Rho::from_steps(u64::MAX));
    }
    // So small a δ that the conversion underflows still grants no more than it gives.
    let granted = rho_for(nano(1.0), 1e-300);
    assert!(epsilon_of(granted, 1e-300) <= 1.0);
}
