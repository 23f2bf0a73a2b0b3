//! From how many units on a key appears in an answer, where the keys are found in rows.
//!
//! # Privacy obligation
//! Neighbouring relation: one unit added or removed, with all of its rows. After group selection the unit is counted in at most L0
//! keys. Sensitivity: keys that both data have differ by one vector inside the plan's geometry, which the noise hides at its
//! loss ρ; keys that only the larger data have, at most L0, have this one unit, so an exact count of units of 1 (the caller of
//! [`Exact::with_keys`](crate::Exact::with_keys) answers for it). Such a key appears where its noise is τ − 1 or more. Let p bound that
//! probability; then none of them appears with probability at least 1 − L0·p (union bound). Given that, the release is a function
//! of the noised cells of common keys alone: noise is independent from cell to cell, every key's fate hangs on its own count, and what
//! is then kept of too many keys is post-processing. So the release is δ-approximately ρ-zero-concentrated with δ = L0·p
//! (Bun and Steinke 2016, section 8), and (ε, δ' + δ)-private where ρ alone gives (ε, δ'); with Laplace noise of pure ε it is
//! (ε, δ)-private. Source: Korolova et al., "Releasing search queries and clicks privately", WWW 2009; Wilson et al., "Differentially
//! private SQL with bounded user contribution", PoPETs 2020; Wilkins et al., "Exact privacy analysis of the Gaussian sparse histogram
//! mechanism", 2024, whose exact δ is at most this sum.

use dashu::rational::RBig;
use glovebox_policy::{Delta, Reason, Refusal};
use serde::Serialize;

use crate::accountant::f64_down;
use crate::mechanism::MechanismKind;
use crate::scale::Scale;

/// The most keys that one answer shows. Of more, those with the largest noised counts of units are kept: post-processing.
pub const MAX_SHOWN_KEYS: u32 = 65_536;

/// More than the rounding of a few floating-point functions, relatively; what it costs is nothing to speak of.
const AGAINST_ROUNDING: f64 = 1.0 / (1_u64 << 32) as f64;

/// The rule by which keys appear.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Threshold {
    /// Which family counts units.
    pub family: usize,
    /// A key appears when its noised count of units is at least this.
    pub tau: u64,
    /// With at most this probability a key appears that one unit alone has: what the ledger adds.
    pub delta: Delta,
    /// How many keys appear at most.
    pub most_shown: u32,
}

/// What share of an asked δ the noise of a threshold may use, and what is left for the conversion of ρ, each rounded down.
///
/// Both use half where the noise is Gaussian; Laplace noise needs none, so that the threshold gets all.
pub(crate) fn split(kind: MechanismKind, delta: f64) -> (f64, Delta) {
    let share = match kind {
        MechanismKind::Gaussian => delta / 2.0,
        MechanismKind::Laplace => delta,
    };
    let threshold = Delta::rounded_down(share).unwrap_or(Delta::ZERO);
    ((delta - threshold.as_f64_up()).next_down().max(0.0), threshold)
}

/// The smallest τ for which a key of one unit appears with probability at most `granted`, among `keys` of them.
///
/// # Errors
/// [`Reason::OverflowPossible`] when there is none below 2⁶².
pub(crate) fn smallest_tau(kind: MechanismKind, scale: Scale, keys: u32, granted: Delta) -> Result<u64, Refusal> {
    // A τ of 1 is never enough: it keeps nothing back.
    let (mut below, mut enough) = (1, 1_u64 << 62);
    if delta_of(kind, scale, enough, keys) > granted {
        return Err(Reason::OverflowPossible.into());
    }
    while enough - below > 1 {
        let middle = below + (enough - below) / 2;
        if delta_of(kind, scale, middle, keys) <= granted {
            enough = middle;
        } else {
            below = middle;
        }
    }
    Ok(enough)
}

/// The probability that of `keys` keys with one unit each any reaches `tau`, rounded up; everything for a τ of 1 or less.
pub(crate) fn delta_of(kind: MechanismKind, scale: Scale, tau: u64, keys: u32) -> Delta {
    let one = match tau {
        0 | 1 => 1.0,
        tau => tail(kind, scale, tau - 1),
    };
    let all = (one * f64::from(keys)).next_up();
    Delta::rounded_up(all.min(1.0)).unwrap_or(Delta::from_steps(u64::MAX))
}

/// At least P(noise ≥ m), for a whole m from 1; at six scales a few hundredths more than it is.
///
/// Gaussian: with k = m + j, k² ≥ m² + 2mj, so the weights e^(−k²/2σ²) from m on add up to at most
/// e^(−m²/2σ²) / (1 − e^(−m/σ²)). All weights together are at least 1, which is the weight of 0, and at least √(2π)·σ (Poisson
/// summation; Canonne, Kamath, Steinke 2020, Fact 18). Laplace: q^m / (1 + q) exactly, with q = e^(−1/b).
fn tail(kind: MechanismKind, scale: Scale, m: u64) -> f64 {
    let (m, scale) = (RBig::from(m), scale.exact());
    if scale.is_zero() {
        return 1.0;
    }
    let bound = match kind {
        MechanismKind::Gaussian => {
            let ratio = &m / scale.sqr();
            let weight = (-f64_down(&(&m * &ratio / RBig::from(2)))).exp();
            let first_of_all = -(-f64_down(&ratio)).exp_m1();
            let total = (std::f64::consts::TAU.sqrt() * f64_down(&scale)).max(1.0);
            weight / first_of_all / total
        }
        MechanismKind::Laplace => {
            let q = (-(1.0 / f64_down(&scale)).next_up()).exp();
            (-f64_down(&(m / scale))).exp() / (1.0 + q)
        }
    };
    // What underflows is not nothing.
    if bound.is_nan() { 1.0 } else { (bound * (1.0 + AGAINST_ROUNDING)).clamp(f64::MIN_POSITIVE, 1.0) }
}

#[cfg(test)]
#[path = "threshold_tests.rs"]
mod tests;
