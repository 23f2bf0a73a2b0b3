//! How far noise strays in 19 cases of 20; from the scale alone.

use dashu::base::UnsignedAbs;
use dashu::integer::IBig;
use dashu::rational::RBig;

use crate::mechanism::MechanismKind;
use crate::scale::Scale;

/// The largest scale that plans may use, as a power of two: half-widths then fit 64 bits and noise stays far inside 128.
pub(crate) const MAX_SCALE_LOG2: i32 = 60;

/// A whole number w with P(|noise| > w) ≤ 0.05 for one cell, in integer steps.
///
/// Gaussian: P(Z ≥ m) ≤ P(N(0, σ²) ≥ m − 1) for every whole m ≥ 1 (Canonne, Kamath, Steinke 2020, Proposition 25), so
/// P(|Z| > w) ≤ P(|N| ≥ w), which is at most 0.05 from 1.96·σ on. Laplace: the tail is 2·q^(w+1) / (1 + q) with
/// q = e^(−1/b), and w the smallest whole number that brings it to 0.05, raised a little against rounding.
pub(crate) fn half_width_95(kind: MechanismKind, scale: Scale) -> u64 {
    match kind {
        MechanismKind::Gaussian => {
            let width = (scale.exact() * RBig::from_parts(IBig::from(49), 25_u8.into())).ceil();
            u64::try_from(width.unsigned_abs()).unwrap_or(u64::MAX)
        }
        MechanismKind::Laplace => {
            let b = scale.to_f64();
            let against_rounding = 1.0 + f64::EPSILON * 4096.0;
            let beyond = b * (40.0 / (1.0 + (-1.0 / b).exp())).ln() * against_rounding;
            (beyond.ceil() as u64).saturating_sub(1)
        }
    }
}

#[cfg(test)]
#[path = "half_width_tests.rs"]
mod tests;
