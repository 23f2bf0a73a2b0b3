//! Rounding is exact, in the direction that the name says, at the very edges of the steps.

use glovebox_policy::{Cost, Delta, NanoEpsilon, Rho};
use proptest::prelude::*;

const RHO_STEP: f64 = 1.0 / (1_u64 << 40) as f64;
const DELTA_STEP: f64 = 1.0 / (1_u64 << 60) as f64;

/// One bit above or below a step is already in the next step up, or the one below.
#[test]
fn edges_of_rho() {
    for steps in [1_u64, 2, 3, 1 << 20, (1 << 40) - 1, 1 << 40, (1 << 52) - 1] {
        let edge = steps as f64 * RHO_STEP;
        let (below, above) = (edge.next_down(), edge.next_up());
        assert_eq!(Rho::rounded_up(edge), Some(Rho::from_steps(steps)));
        assert_eq!(Rho::rounded_down(edge), Some(Rho::from_steps(steps)));
        assert_eq!(Rho::rounded_up(above), Some(Rho::from_steps(steps + 1)));
        assert_eq!(Rho::rounded_down(above), Some(Rho::from_steps(steps)));
        assert_eq!(Rho::rounded_up(below), Some(Rho::from_steps(steps)));
        assert_eq!(Rho::rounded_down(below), Some(Rho::from_steps(steps - 1)));
    }
}

#[test]
fn edges_of_delta() {
    for steps in [1_u64, 2, 3, 1 << 30, (1 << 52) - 1] {
        let edge = steps as f64 * DELTA_STEP;
        let (below, above) = (edge.next_down(), edge.next_up());
        assert_eq!(Delta::rounded_up(edge), Some(Delta::from_steps(steps)));
        assert_eq!(Delta::rounded_down(edge), Some(Delta::from_steps(steps)));
        assert_eq!(Delta::rounded_up(above), Some(Delta::from_steps(steps + 1)));
        assert_eq!(Delta::rounded_down(below), Some(Delta::from_steps(steps - 1)));
    }
}

/// The smallest loss is not nothing when it is spent, and is nothing when it is granted.
#[test]
fn the_smallest_number() {
    let tiny = f64::from_bits(1);
    assert_eq!(Rho::rounded_up(tiny), Some(Rho::from_steps(1)));
    assert_eq!(Rho::rounded_down(tiny), Some(Rho::ZERO));
    assert_eq!(Delta::rounded_up(tiny), Some(Delta::from_steps(1)));
    assert_eq!(Delta::rounded_down(tiny), Some(Delta::ZERO));
    for zero in [0.0, -0.0] {
        assert_eq!(Rho::rounded_up(zero), Some(Rho::ZERO));
        assert_eq!(Rho::rounded_down(zero), Some(Rho::ZERO));
    }
}

#[test]
fn what_is_no_loss_is_none() {
    for bad in [f64::NAN, -f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0, -f64::from_bits(1), f64::MAX] {
        assert_eq!((Rho::rounded_up(bad), Rho::rounded_down(bad)), (None, None), "{bad}");
        assert_eq!((Delta::rounded_up(bad), Delta::rounded_down(bad)), (None, None), "{bad}");
        assert_eq!(NanoEpsilon::from_epsilon(bad), None, "{bad}");
    }
    let first_too_large = (1_u64 << 24) as f64;
    assert_eq!(Rho::rounded_up(first_too_large), None);
    assert_eq!(Rho::rounded_down(first_too_large), None);
    let last = first_too_large.next_down();
    assert_eq!(Rho::rounded_down(last), Some(Rho::from_steps(u64::MAX - 2047)));
}

#[test]
fn sums_saturate_and_remainders_stop_at_nothing() {
    let (all, one) = (Rho::from_steps(u64::MAX), Rho::from_steps(1));
    assert_eq!(all.plus(one), all);
    assert_eq!(all.plus(all), all);
    assert_eq!(one.plus(one), Rho::from_steps(2));
    assert_eq!(one.remaining_of(Rho::from_steps(3)), Rho::from_steps(2));
    assert_eq!(all.remaining_of(one), Rho::ZERO);
}

/// Whatever saturated is above every cap that could be granted.
#[test]
fn a_cost_fits_only_in_both_numbers() {
    let cost = |rho, delta| Cost { rho: Rho::from_steps(rho), delta: Delta::from_steps(delta) };
    let cap = cost(10, 10);
    assert!(cost(10, 10).fits(cap) && Cost::ZERO.fits(Cost::ZERO));
    assert!(!cost(11, 0).fits(cap) && !cost(0, 11).fits(cap));
    assert!(!cost(u64::MAX, 0).plus(cost(u64::MAX, 0)).fits(cap));
    assert_eq!(cost(4, 5).plus(cost(1, 2)), cost(5, 7));
    assert_eq!(cost(4, 50).remaining_of(cap), cost(6, 0));
}

#[test]
fn a_cost_in_json_takes_no_other_key_and_no_fraction() {
    assert!(serde_json::from_str::<Cost>(r#"{"rho":1,"delta":2}"#).is_ok());
    for bad in [r#"{"rho":1}"#, r#"{"rho":1,"delta":2,"x":3}"#, r#"{"rho":0.5,"delta":2}"#, r#"{"rho":-1,"delta":2}"#] {
        assert!(serde_json::from_str::<Cost>(bad).is_err(), "{bad}");
    }
}

#[test]
fn epsilon_in_billionths() {
    let nano = |epsilon| NanoEpsilon::from_epsilon(epsilon).map(NanoEpsilon::nano);
    assert_eq!(nano(1.0), Some(1_000_000_000));
    assert_eq!(nano(0.1), Some(100_000_000));
    assert_eq!(nano(100.0), Some(NanoEpsilon::MAX.nano()));
    assert_eq!(nano(1.5e-9), Some(1));
    for bad in [0.0, -0.0, 0.9e-9, 100.000_000_001, 1e300] {
        assert_eq!(nano(bad), None, "{bad}");
    }
    assert!(NanoEpsilon::from_nano(0).as_f64_down() >= 0.0);
}

proptest! {
    #[test]
    fn rounding_encloses(value in prop_oneof![0.0..1e-9, 0.0..1.0, 0.0..1e6, 0.0..1.6e7]) {
        let (down, up) = (Rho::rounded_down(value).unwrap(), Rho::rounded_up(value).unwrap());
        // Multiplying by a power of two is exact, and so are these comparisons below 2^53 steps.
        prop_assert!(down.steps() as f64 * RHO_STEP <= value && value <= up.as_f64_up());
        prop_assert!(up.steps() - down.steps() <= 1);
    }

    #[test]
    fn rounding_encloses_delta(value in prop_oneof![0.0..1e-15, 0.0..1e-3, 0.0..15.0]) {
        let (down, up) = (Delta::rounded_down(value).unwrap(), Delta::rounded_up(value).unwrap());
        prop_assert!(down.steps() as f64 * DELTA_STEP <= value && value <= up.as_f64_up());
        prop_assert!(up.steps() - down.steps() <= 1);
    }

    #[test]
    fn shown_rho_is_never_below(steps in prop_oneof![any::<u64>(), 0..=1_u64 << 54]) {
        // In integers of 2^-40: what is shown, times 2^40, is a whole number from 2^53 on.
        let shown = Rho::from_steps(steps).as_f64_up() / RHO_STEP;
        prop_assert!(shown as u128 >= u128::from(steps));
    }

    #[test]
    fn epsilon_comes_back_no_larger(value in prop_oneof![1e-8..1e-6, 1e-6..1.0, 1.0..100.0]) {
        let back = NanoEpsilon::from_epsilon(value).unwrap().as_f64_down();
        prop_assert!(back <= value);
        prop_assert!(value - back < 1.1e-9);
    }

    #[test]
    fn plus_is_commutative_and_never_smaller(a: u64, b: u64) {
        let (a, b) = (Rho::from_steps(a), Rho::from_steps(b));
        prop_assert_eq!(a.plus(b), b.plus(a));
        prop_assert!(a.plus(b) >= a);
    }

    #[test]
    fn what_remains_and_what_is_spent_make_the_cap(spent: u64, cap: u64) {
        let (spent, cap) = (Rho::from_steps(spent), Rho::from_steps(cap));
        let remaining = spent.remaining_of(cap);
        prop_assert_eq!(spent.plus(remaining), spent.max(cap));
    }
}
