//! Tests of noise plans: cost, minimality, refusals.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use proptest::prelude::*;

use super::*;
use crate::accountant::pure_epsilon_to_rho;
use crate::threshold::split;

fn families(bounds: &[u64]) -> Vec<Family> {
    let family = |linf: &u64| Family { label: Public::from_manifest("f".to_owned()), linf: *linf, total: None };
    bounds.iter().map(family).collect()
}

fn ask(epsilon: f64, delta: f64) -> Ask {
    Ask { epsilon: NanoEpsilon::from_epsilon(epsilon).unwrap(), delta, mechanism: None }
}

fn select(max_groups: u32) -> Geometry {
    Geometry::GroupSelection { max_groups }
}

fn reason(result: Result<NoisePlan, Refusal>) -> Reason {
    result.unwrap_err().reason()
}

/// The loss of each family in exact rationals, by the textbook formulas and not by OpenDP: ρ or ε.
fn textbook(plan: &NoisePlan) -> Vec<RBig> {
    let touched = RBig::from(plan.geometry().groups_touched(plan.groups()));
    plan.families()
        .iter()
        .map(|family| {
            let ratio = RBig::from(family.linf) / family.scale.exact();
            match plan.kind() {
                MechanismKind::Gaussian => &touched * ratio.sqr() / RBig::from(2),
                MechanismKind::Laplace => &touched * ratio,
            }
        })
        .collect()
}

fn rational(rho: Rho) -> RBig {
    RBig::from(rho.steps()) / RBig::from(1_u64 << 40)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn the_cost_covers_the_noise_and_stays_within_the_ask(
        log_epsilon in -3.0_f64..2.0,
        log_delta in prop_oneof![Just(None), (-18.0_f64..-3.0).prop_map(Some)],
        laplace in any::<bool>(),
        bounds in proptest::collection::vec(prop_oneof![1_u64..10, 1_u64..1 << 30], 1..8),
        groups in prop_oneof![Just(1_u32), 1_u32..65_537],
        max_groups in prop_oneof![1_u32..5, 1_u32..1000],
    ) {
        let delta = log_delta.map_or(0.0, |log| 10_f64.powf(log));
        let mut ask = ask(10_f64.powf(log_epsilon), delta);
        ask.mechanism = laplace.then_some(MechanismKind::Laplace);
        let plan = plan_noise(families(&bounds), groups, select(max_groups), ask).unwrap();
        let epsilon = RBig::from(ask.epsilon.nano()) / RBig::from(1_000_000_000_u64);
        let losses = textbook(&plan);
        let total = losses.iter().fold(RBig::ZERO, |sum, loss| sum + loss);
        let cost = rational(plan.cost().rho);
        prop_assert_eq!(plan.cost().delta, Delta::ZERO);
        match plan.kind() {
            MechanismKind::Gaussian => {
                let granted = rho_for(ask.epsilon, delta);
                prop_assert!(total <= cost, "charged less than the noise costs");
                prop_assert!(plan.cost().rho <= granted, "charged more than was asked for");
                prop_assert!(crate::accountant::epsilon_of(plan.cost().rho, delta) <= ask.epsilon.to_display() * (1.0 + 1e-12));
                prop_assert!(plan.cost().rho.steps() as f64 >= granted.steps() as f64 * (1.0 - 1e-8) - 1.0);
            }
            MechanismKind::Laplace => {
                prop_assert!(total <= epsilon, "pure ε above the ask");
                let rho = losses.iter().fold(RBig::ZERO, |sum, loss| sum + loss.sqr() / RBig::from(2));
                prop_assert!(rho <= cost, "charged less than the noise costs");
                prop_assert!(cost <= rational(rho_up(&(epsilon.sqr() / RBig::from(2)))), "charged more than ε²/2");
                prop_assert!(total >= epsilon * RBig::from(999_999_999_u64) / RBig::from(1_000_000_000_u64));
            }
        }
        // Every family has the same share, to the grid.
        for loss in &losses {
            let off = (loss / &losses[0] - RBig::ONE).to_f64().value().abs();
            prop_assert!(off < 1e-8, "shares differ by {}", off);
        }
    }

    /// One step of the grid less would cost more than the family's share.
    #[test]
    fn the_scale_is_the_smallest_on_its_grid(
        log_epsilon in -3.0_f64..2.0,
        gaussian in any::<bool>(),
        linf in prop_oneof![1_u64..10, 1_u64..1 << 30],
        count in 1_usize..5,
        max_groups in 1_u32..50,
    ) {
        let ask = ask(10_f64.powf(log_epsilon), if gaussian { 1e-9 } else { 0.0 });
        let plan = plan_noise(families(&vec![linf; count]), 100, select(max_groups), ask).unwrap();
        let granted = match plan.kind() {
            MechanismKind::Gaussian => rational(rho_for(ask.epsilon, ask.delta)),
            MechanismKind::Laplace => RBig::from(ask.epsilon.nano()) / RBig::from(1_000_000_000_u64),
        };
        let share = f64_down(&(granted / RBig::from(count)));
        for family in plan.families() {
            let sensitivity = exact_sensitivity(plan.kind(), linf.into(), plan.geometry(), 100);
            let fits = |numerator| {
                let scale = Scale::new(numerator, family.scale.denominator_log2()).unwrap();
                loss(plan.kind(), scale, &sensitivity).unwrap() <= share
            };
            prop_assert!(fits(family.scale.numerator()));
            prop_assert!(!fits(family.scale.numerator() - 1));
            prop_assert!(family.scale.numerator() >= 1 << 30, "the grid is fine enough");
        }
    }
}

#[test]
fn textbook_plans() {
    let plan = plan_noise(families(&[1]), 20, select(1), ask(1.0, 0.0)).unwrap();
    assert_eq!(plan.kind(), MechanismKind::Laplace);
    assert_eq!(plan.families()[0].scale.to_f64(), 1.0, "b = Δ/ε, exactly");
    assert_eq!(plan.families()[0].half_width_95, 3);
    assert_eq!(plan.cost().rho, pure_epsilon_to_rho(1.0));

    let plan = plan_noise(families(&[1, 100]), 20, select(3), ask(1.0, 1e-9)).unwrap();
    assert_eq!(plan.kind(), MechanismKind::Gaussian);
    let rho = rho_for(ask(1.0, 1e-9).epsilon, 1e-9).as_f64_up();
    let sigma = (3.0 / rho).sqrt();
    assert!((plan.families()[0].scale.to_f64() / sigma - 1.0).abs() < 1e-8);
    assert!((plan.families()[1].scale.to_f64() / (100.0 * sigma) - 1.0).abs() < 1e-8);
    assert!(plan.families()[0].sensitivity >= 3_f64.sqrt());
    assert!(plan.families()[0].sensitivity < 3_f64.sqrt() + 1e-9);
    assert_eq!(plan.groups(), 20);
    assert_eq!(plan.geometry(), select(3));
}

#[test]
fn a_second_family_shares_the_loss() {
    let one = plan_noise(families(&[5]), 9, select(2), ask(2.0, 0.0)).unwrap();
    let two = plan_noise(families(&[5, 5]), 9, select(2), ask(2.0, 0.0)).unwrap();
    assert_eq!(two.families()[0].scale.to_f64(), 2.0 * one.families()[0].scale.to_f64());
    assert_eq!(one.cost().rho, pure_epsilon_to_rho(2.0));
    // Two draws of pure ε = 1 each are 1/2 + 1/2 in ρ: less than one of ε = 2, and pure ε = 2 all the same.
    assert_eq!(two.cost().rho, Rho::from_steps(1 << 40));
}

#[test]
fn many_families_at_the_smallest_ask_cost_no_more_than_it() {
    let ask = Ask { epsilon: NanoEpsilon::from_nano(1), delta: 0.0, mechanism: None };
    let plan = plan_noise(families(&[1; 50]), 3, select(1), ask).unwrap();
    assert_eq!(plan.cost().rho, Rho::from_steps(1));
}

#[test]
fn what_cannot_be_planned_is_refused() {
    let good = || families(&[1]);
    let plan = |ask| plan_noise(good(), 5, select(1), ask);
    for delta in [-0.1, 0.0011, f64::NAN, f64::INFINITY] {
        assert_eq!(reason(plan(ask(1.0, delta))), Reason::OptionInvalid);
    }
    for nano in [0, NanoEpsilon::MAX.nano() + 1, u64::MAX] {
        let ask = Ask { epsilon: NanoEpsilon::from_nano(nano), delta: 1e-9, mechanism: None };
        assert_eq!(reason(plan(ask)), Reason::OptionInvalid);
    }
    let gaussian = Ask { mechanism: Some(MechanismKind::Gaussian), ..ask(1.0, 0.0) };
    assert_eq!(reason(plan(gaussian)), Reason::OptionInvalid);
    let tiny = Ask { epsilon: NanoEpsilon::from_nano(1), delta: 1e-9, mechanism: None };
    assert_eq!(reason(plan(tiny)), Reason::OptionInvalid, "less than one step of ρ");
    assert_eq!(reason(plan_noise(good(), 5, select(0), ask(1.0, 0.0))), Reason::OptionInvalid);
    assert_eq!(reason(plan_noise(families(&[1, 0]), 5, select(1), ask(1.0, 0.0))), Reason::BoundsInvalid);
    assert_eq!(reason(plan_noise(families(&[u64::MAX]), 5, select(1), ask(1.0, 0.0))), Reason::OverflowPossible);
    assert_eq!(reason(plan_noise(vec![], 5, select(1), ask(1.0, 0.0))), Reason::Internal);
    assert_eq!(reason(plan_noise(good(), 0, select(1), ask(1.0, 0.0))), Reason::Internal);
}

#[test]
fn a_release_has_a_largest_size() {
    let most = u32::try_from(MAX_CELLS / 2).unwrap();
    assert!(plan_noise(families(&[1, 1]), most, select(1), ask(1.0, 0.0)).is_ok());
    assert_eq!(reason(plan_noise(families(&[1, 1]), most + 1, select(1), ask(1.0, 0.0))), Reason::TooManyGroups);
    assert_eq!(reason(plan_noise(families(&[1]), u32::MAX, select(1), ask(1.0, 0.0))), Reason::TooManyGroups);
    // 39 digits, a sign, two quotes and a comma for each cell.
    assert!(MAX_CELLS * 43 + (1 << 24) < glovebox_ledger::BODY_MAX_BYTES as u64);
}

#[test]
fn the_summary_for_the_log_names_no_label_and_fits() {
    let plan = plan_noise(families(&[123_457; 500]), 7, select(3), ask(0.1, 1e-9)).unwrap();
    let summary = plan.summary();
    assert!(summary.starts_with("gaussian noise, families 500, groups 7, scales "), "{summary}");
    assert!(summary.len() < glovebox_ledger::SUMMARY_MAX_BYTES);
}

#[test]
fn plans_are_functions_of_their_arguments() {
    let plan = || plan_noise(families(&[3, 1 << 33]), 77, select(5), ask(0.3, 1e-7)).unwrap();
    assert_eq!(serde_json::to_string(&plan()).unwrap(), serde_json::to_string(&plan()).unwrap());
}

#[test]
fn claims_hold_the_whole_plan_and_no_number_that_readers_round() {
    fn only_small_whole_numbers(value: &serde_json::Value) -> bool {
        match value {
            serde_json::Value::Number(number) => number.as_u64().is_some_and(|n| n < 1 << 53),
            serde_json::Value::Array(items) => items.iter().all(only_small_whole_numbers),
            serde_json::Value::Object(fields) => fields.values().all(only_small_whole_numbers),
            _ => true,
        }
    }
    for delta in [0.0, 1e-9] {
        let family = |linf| Family { label: Public::from_manifest(format!("at most {linf}")), linf, total: None };
        let ask = Ask { epsilon: NanoEpsilon::from_epsilon(0.7).unwrap(), delta, mechanism: None };
        let geometry = Geometry::GroupSelection { max_groups: 3 };
        let plan = plan_noise(vec![family(1), family(1 << 40)], 5, geometry, ask).unwrap();
        let claims = plan.claims();
        assert!(only_small_whole_numbers(&claims), "{claims}");
        assert_eq!(claims["mechanism"], if delta == 0.0 { "discrete-laplace" } else { "discrete-gaussian" });
        assert_eq!(claims["geometry"]["maxGroups"], 3);
        let told = claims["families"].as_array().unwrap();
        assert_eq!(told.len(), plan.families().len());
        for (told, family) in told.iter().zip(plan.families()) {
            let exact = |key: &str| told[key].as_str().unwrap().parse::<f64>().unwrap();
            assert_eq!(exact("scale"), family.scale.to_f64());
            assert_eq!(exact("sensitivity"), family.sensitivity);
            assert_eq!((exact("linf"), exact("halfWidth95")), (family.linf as f64, family.half_width_95 as f64));
        }
    }
}

const UNITS: FoundKeys = FoundKeys { family: 1, most: 3000, columns: 1 };

fn found(bounds: &[u64], keys: FoundKeys, max_groups: u32, ask: Ask) -> Result<NoisePlan, Refusal> {
    plan_keys(families(bounds), keys, max_groups, ask)
}

#[test]
fn a_threshold_takes_its_part_of_delta_and_noise_the_rest() {
    for (delta, mechanism) in [(1e-9, None), (1e-6, None), (1e-9, Some(MechanismKind::Laplace))] {
        let ask = Ask { mechanism, ..ask(1.0, delta) };
        let plan = found(&[50, 1], UNITS, 3, ask).unwrap();
        let threshold = plan.threshold().unwrap();
        let cost = plan.cost();
        assert_eq!((threshold.family, threshold.delta, threshold.most_shown), (1, cost.delta, 3000));
        assert_eq!(plan.price().unwrap(), cost);
        // Together at most what was asked: the conversion at what is left, and the threshold's own.
        let charged = rational_delta(cost.delta);
        let left = f64_down(&(RBig::try_from(delta).unwrap() - charged));
        if plan.kind() == MechanismKind::Gaussian {
            assert!(crate::accountant::epsilon_of(cost.rho, left) <= 1.0 + 1e-9);
            assert!(cost.delta <= Delta::rounded_down(delta / 2.0).unwrap());
        } else {
            assert!(cost.delta <= Delta::rounded_down(delta).unwrap());
        }
        // The smallest: one less would not do.
        let units = plan.families()[1].scale;
        let granted = split(plan.kind(), delta).1;
        assert!(delta_of(plan.kind(), units, threshold.tau - 1, 3) > granted);
        assert!(delta_of(plan.kind(), units, threshold.tau, 3) <= granted);
        assert_eq!(cost.delta, delta_of(plan.kind(), units, threshold.tau, 3));
    }
}

fn rational_delta(delta: Delta) -> RBig {
    RBig::from(delta.steps()) / RBig::from(1_u64 << 60)
}

/// The gate prices a plan again, so a threshold for half of the keys, or none at all, would not pass it.
#[test]
fn a_smaller_threshold_has_another_price() {
    let plan = found(&[50, 1], UNITS, 20, ask(1.0, 1e-9)).unwrap();
    let threshold = plan.threshold().unwrap();
    let half = found(&[50, 1], UNITS, 10, ask(1.0, 1e-9)).unwrap().threshold().unwrap();
    assert!(half.tau < threshold.tau);
    for tau in [half.tau, threshold.tau - 1, 1, 0] {
        let mut planted = plan.clone();
        planted.threshold = Some(Threshold { tau, ..threshold });
        assert!(planted.price().unwrap().delta > plan.cost().delta);
    }
    let mut planted = plan.clone();
    planted.threshold = Some(Threshold { family: 0, ..threshold });
    assert_eq!(planted.price().unwrap().delta, Delta::from_steps(u64::MAX), "a family that does not count units");
    planted.threshold = None;
    assert_ne!(planted.price().unwrap(), plan.cost());
}

#[test]
fn keys_that_cannot_be_planned_are_refused() {
    let refused = |keys, max_groups, ask| reason(found(&[50, 1], keys, max_groups, ask));
    assert_eq!(refused(UNITS, 3, ask(1.0, 0.0)), Reason::ThresholdNeedsDelta);
    assert_eq!(refused(UNITS, 3, ask(1.0, 1e-18)), Reason::ThresholdNeedsDelta);
    assert_eq!(refused(UNITS, 3, ask(1.0, 0.1)), Reason::OptionInvalid);
    assert_eq!(refused(UNITS, 0, ask(1.0, 1e-9)), Reason::OptionInvalid);
    // One GiB of keys and exact cells: here 64 bytes of cells, 320 of each column's text and 150 for each key.
    let most = (1 << 30) / (64 + 320 * UNITS.columns + 150);
    assert_eq!(refused(FoundKeys { most: most + 1, ..UNITS }, 3, ask(1.0, 1e-9)), Reason::TooManyKeys);
    let largest = found(&[50, 1], FoundKeys { most, ..UNITS }, 3, ask(1.0, 1e-9)).unwrap();
    // Of each key a count of units, and the other family for the 65,536 that are shown.
    assert_eq!((largest.cells(), largest.groups()), (u64::from(most) + 65_536, most));
    assert!(largest.cells() <= MAX_CELLS);
    assert_eq!(found(&[50, 1, 3], UNITS, 3, ask(1.0, 1e-9)).unwrap().cells(), 3 * 3000);
    assert_eq!(refused(FoundKeys { most: 0, ..UNITS }, 3, ask(1.0, 1e-9)), Reason::Internal);
    assert_eq!(refused(FoundKeys { family: 0, ..UNITS }, 3, ask(1.0, 1e-9)), Reason::Internal);
    assert_eq!(refused(FoundKeys { family: 2, ..UNITS }, 3, ask(1.0, 1e-9)), Reason::Internal);
}

/// However many keys appear, and whatever they are, they fit the ledger.
#[test]
fn keys_have_a_largest_body() {
    for (count, columns) in [(1, 1), (64, 1), (1, 8), (60, 12)] {
        let keys = FoundKeys { family: 0, most: 65_536, columns };
        let most = u64::from(found(&vec![1; count], keys, 1, ask(1.0, 1e-9)).unwrap().threshold().unwrap().most_shown);
        let key = u64::from(columns) * (6 * 128 + 3) + 3;
        assert!(
            most * (key + count as u64 * 43) + (1 << 24) < glovebox_ledger::BODY_MAX_BYTES as u64,
            "{count} {columns}"
        );
        assert!((1000..=65_536).contains(&most));
    }
}

#[test]
fn claims_and_the_log_tell_the_threshold() {
    let plan = found(&[50, 1], UNITS, 3, ask(1.0, 1e-9)).unwrap();
    let threshold = plan.threshold().unwrap();
    let claims = plan.claims();
    assert_eq!(
        claims["threshold"],
        json!({"family": 1, "units": threshold.tau.to_string(), "deltaSteps": threshold.delta.steps().to_string(), "mostShown": 3000})
    );
    assert!(plan.summary().contains(&format!("groups 3000 at most, keys from {} units on, scales", threshold.tau)));
    assert!(plan_noise(families(&[1]), 5, select(1), ask(1.0, 1e-9)).unwrap().claims().get("threshold").is_none());
    // A plan without a threshold is written as before there were any.
    let listed = serde_json::to_value(plan_noise(families(&[1]), 5, select(1), ask(1.0, 1e-9)).unwrap()).unwrap();
    assert!(listed.get("threshold").is_none());
}
