//! The short form of the statistical audit: draws as promised, releases of neighbours not told apart, and every planted mistake seen.

use glovebox_exactness::audit::draws::{CASES, Case, Gate};
use glovebox_exactness::audit::fit::{fresh, judge};
use glovebox_exactness::audit::neighbours::{Mistake, Neighbours, QUESTIONS};
use glovebox_exactness::audit::plants::PLANTS;

/// Draws of each case.
const DRAWS: u32 = 6_000;

fn case(name: &str) -> &'static Case {
    CASES.iter().find(|case| case.name == name).unwrap()
}

#[test]
fn draws_have_the_promised_mass() {
    let gate = Gate::new().unwrap();
    for case in CASES {
        let draw = || gate.draw(case.plan(case.epsilon, case.bound(), DRAWS).unwrap()).unwrap();
        let (first, second, law) = (draw(), draw(), case.law().unwrap());
        assert_eq!(judge(&first, &law), [], "{}", case.name);
        assert_eq!(fresh(&first, &second, &law), None, "{}", case.name);
    }
}

#[test]
fn every_planted_mistake_is_seen_in_the_draws() {
    let gate = Gate::new().unwrap();
    for (plant, name) in PLANTS {
        let case = case(name);
        let law = case.law().unwrap();
        let [first, second] = plant.draw(&gate, case, DRAWS).unwrap();
        let alarms = judge(&first, &law).len() + usize::from(fresh(&first, &second, &law).is_some());
        assert!(alarms > 0, "{} was not noticed in {name}", plant.as_str());
    }
}

/// Too few releases to come near the declared ε; enough to see one of twice as much. `cargo xtask audit noise` comes near it.
#[test]
fn neighbours_are_told_apart_no_better_than_declared() {
    let neighbours = Neighbours::new().unwrap();
    for question in QUESTIONS {
        let measured = neighbours.measure(question, None, 48).unwrap();
        assert!(measured.lower <= measured.declared, "{}: {measured:?}", question.name);
    }
}

#[test]
fn every_mistake_on_the_road_is_seen_in_the_releases() {
    let neighbours = Neighbours::new().unwrap();
    for mistake in [Mistake::HalfScale, Mistake::OffByOne, Mistake::ReusedSeed] {
        let (measured, seen) = neighbours.look_for(mistake).unwrap();
        assert!(seen, "{mistake:?}: {measured:?}");
    }
}
