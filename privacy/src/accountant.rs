//! From what people ask for, (ε, δ), to what the ledger adds, ρ, and back.
//!
//! The conversion from ρ to (ε, δ) is OpenDP's: Canonne, Kamath, Steinke, "The discrete Gaussian for differential
//! privacy", 2020, section 2.3, minimised over the Rényi order and rounded against the asker. Each function says in which
//! direction it rounds.

use dashu::base::UnsignedAbs;
use dashu::integer::{IBig, UBig};
use dashu::rational::RBig;
use glovebox_policy::{NanoEpsilon, Rho};
use opendp::combinators::ConcentratedMeasure;
use opendp::measures::ZeroConcentratedDivergence;

use crate::alone::alone;

/// Steps of ρ in 1, as a power of two.
const RHO_BITS: usize = 40;

/// The largest ρ that still gives (ε, δ), rounded down to whole steps: what an ask grants at most. Zero if nothing
/// does: δ not inside (0, 1), or ε too small for one step.
///
/// # Privacy obligation
/// A ρ-zero-concentrated mechanism with this ρ is (ε, δ)-differentially private under the same neighbouring relation.
/// The search may stop short of the largest such ρ, never beyond it: every candidate is tested by the conversion itself.
pub fn rho_for(epsilon: NanoEpsilon, delta: f64) -> Rho {
    let asked = RBig::from_parts(IBig::from(epsilon.nano()), UBig::from(1_000_000_000_u64));
    let epsilon = f64_down(&asked);
    if !(delta > 0.0 && delta < 1.0) {
        return Rho::ZERO;
    }
    let gives = |steps: u64| delta_of(Rho::from_steps(steps), epsilon) <= delta;
    // The answer is near ε²/(4·ln 1/δ) for small ε and below ε for every small δ; for others the search doubles on.
    let mut above = Rho::rounded_up(epsilon).map_or(0, Rho::steps).max(1);
    while gives(above) && above < u64::MAX / 4 {
        above *= 2;
    }
    let mut below = 0;
    while above - below > 1 {
        let middle = below + (above - below) / 2;
        if gives(middle) {
            below = middle;
        } else {
            above = middle;
        }
    }
    Rho::from_steps(below)
}

/// The ε at which ρ is (ε, δ)-private, rounded up. Infinite when δ is not inside (0, 1).
pub fn epsilon_of(rho: Rho, delta: f64) -> f64 {
    if rho == Rho::ZERO {
        return 0.0;
    }
    if !(delta > 0.0 && delta < 1.0) {
        return f64::INFINITY;
    }
    let _turn = alone();
    ZeroConcentratedDivergence::convert(rho.as_f64_up())
        .and_then(|profile| profile.epsilon(delta))
        .unwrap_or(f64::INFINITY)
}

/// The ρ of a pure ε, rounded up: ε-differential privacy implies (ε²/2)-zero-concentrated (Bun and Steinke 2016,
/// Proposition 1.4). An ε that is not a number from zero on costs the largest ρ, which no cap admits.
pub fn pure_epsilon_to_rho(epsilon: f64) -> Rho {
    match exact(epsilon) {
        Some(epsilon) => rho_up(&(epsilon.sqr() / RBig::from(2))),
        None => Rho::from_steps(u64::MAX),
    }
}

/// A finite number from zero on, exactly.
pub(crate) fn exact(value: f64) -> Option<RBig> {
    if value >= 0.0 { RBig::try_from(value).ok() } else { None }
}

/// The largest floating-point number that is at most `value`.
pub(crate) fn f64_down(value: &RBig) -> f64 {
    let is_above = |number: f64| RBig::try_from(number).is_ok_and(|number| number > *value);
    let mut down = value.to_f64().value();
    while is_above(down) {
        down = down.next_down();
    }
    while down.next_up().is_finite() && !is_above(down.next_up()) {
        down = down.next_up();
    }
    down
}

/// An exact ρ in whole steps, rounded up.
pub(crate) fn rho_up(rho: &RBig) -> Rho {
    let steps = (rho * RBig::from(UBig::ONE << RHO_BITS)).ceil();
    Rho::from_steps(u64::try_from(steps.unsigned_abs()).unwrap_or(u64::MAX))
}

/// The δ at which ρ is (ε, δ)-private, rounded up; 1 when OpenDP gives none.
fn delta_of(rho: Rho, epsilon: f64) -> f64 {
    let _turn = alone();
    ZeroConcentratedDivergence::convert(rho.as_f64_up()).and_then(|profile| profile.delta(epsilon)).unwrap_or(1.0)
}

#[cfg(test)]
#[path = "accountant_tests.rs"]
mod tests;
