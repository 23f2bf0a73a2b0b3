//! The two noise distributions, as OpenDP proves and samples them.
//!
//! Everything is exact: integer cells, rational scales and sensitivities, rational coin flips. No floating point touches
//! a cell. OpenDP's privacy map says what a draw costs, when it is planned and again when it is made.

use dashu::integer::IBig;
use dashu::rational::RBig;
use opendp::core::Measurement;
use opendp::domains::{AtomDomain, VectorDomain};
use opendp::error::ErrorVariant;
use opendp::measurements::{MakeNoise, ZExpFamily};
use opendp::measures::{MaxDivergence, ZeroConcentratedDivergence};
use opendp::metrics::{L1Distance, L2Distance};
use serde::{Deserialize, Serialize};

use crate::alone::alone;
use crate::scale::Scale;

/// Which noise a release gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MechanismKind {
    /// Discrete Gaussian: ρ-zero-concentrated, shown as (ε, δ).
    Gaussian,
    /// Discrete Laplace: pure ε.
    Laplace,
}

impl MechanismKind {
    /// The name, as queries and reports spell it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Gaussian => "gaussian",
            Self::Laplace => "laplace",
        }
    }
}

/// OpenDP did not take what it was given, or the operating system gave no randomness. For the operator; says nothing of
/// any cell, because only the kind of OpenDP's error is kept, never its text.
#[derive(Debug, thiserror::Error)]
#[error("the {during} of {kind} noise failed: `{variant:?}`", kind = .kind.as_str())]
pub struct MechanismError {
    kind: MechanismKind,
    during: &'static str,
    variant: ErrorVariant,
}

type Cells = VectorDomain<AtomDomain<IBig>>;
type Gaussian = Measurement<Cells, L2Distance<RBig>, ZeroConcentratedDivergence, Vec<IBig>>;
type Laplace = Measurement<Cells, L1Distance<RBig>, MaxDivergence, Vec<IBig>>;

/// Vector discrete Gaussian noise of parameter σ = `scale` on every cell.
///
/// # Privacy obligation
/// Neighbouring relation: one unit added or removed. Sensitivity: the cells of neighbours differ by at most the L2
/// distance that is given to the map. Loss: ρ = distance² / (2·scale²), zero-concentrated. Source: Canonne, Kamath,
/// Steinke, "The discrete Gaussian for differential privacy", 2020, Theorem 14; proof for this map in OpenDP 0.16,
/// `NoisePrivacyMap_for_ZExpFamily2.tex`.
fn gaussian(scale: Scale) -> Result<Gaussian, MechanismError> {
    let space = (VectorDomain::new(AtomDomain::<IBig>::default()), L2Distance::default());
    ZExpFamily::<2> { scale: scale.exact() }.make_noise(space).map_err(fault(MechanismKind::Gaussian, "construction"))
}

/// Discrete Laplace noise of parameter b = `scale` on every cell.
///
/// # Privacy obligation
/// Neighbouring relation: one unit added or removed. Sensitivity: the cells of neighbours differ by at most the L1
/// distance that is given to the map. Loss: ε = distance / scale, pure. Source: Ghosh, Roughgarden, Sundararajan,
/// "Universally utility-maximizing privacy mechanisms", 2009 (the two-sided geometric mechanism), sampled as in
/// Canonne, Kamath, Steinke 2020; proof for this map in OpenDP 0.16, `NoisePrivacyMap_for_ZExpFamily1.tex`.
fn laplace(scale: Scale) -> Result<Laplace, MechanismError> {
    let space = (VectorDomain::new(AtomDomain::<IBig>::default()), L1Distance::default());
    ZExpFamily::<1> { scale: scale.exact() }.make_noise(space).map_err(fault(MechanismKind::Laplace, "construction"))
}

fn fault(kind: MechanismKind, during: &'static str) -> impl Fn(opendp::error::Error) -> MechanismError {
    move |error| MechanismError { kind, during, variant: error.variant }
}

/// What noise of this scale costs at this sensitivity, by OpenDP's own map, rounded up: ρ for Gaussian, ε for Laplace.
pub(crate) fn loss(kind: MechanismKind, scale: Scale, sensitivity: &RBig) -> Result<f64, MechanismError> {
    let _turn = alone();
    match kind {
        MechanismKind::Gaussian => gaussian(scale)?.map(sensitivity),
        MechanismKind::Laplace => laplace(scale)?.map(sensitivity),
    }
    .map_err(fault(kind, "privacy map"))
}

/// Fresh noise on every cell. Only the gate calls this.
///
/// Sums are exact integers of any size. Back in 128 bits, a noisy value beyond the range is set to its end: this is
/// post-processing of a noisy value, and out of reach of every plan (bounds keep cells, [`crate::plan`] keeps scales,
/// far inside).
pub(crate) fn add_noise(kind: MechanismKind, scale: Scale, cells: Vec<i128>) -> Result<Vec<i128>, MechanismError> {
    let cells: Vec<IBig> = cells.into_iter().map(IBig::from).collect();
    let noisy = match kind {
        MechanismKind::Gaussian => gaussian(scale)?.invoke(&cells),
        MechanismKind::Laplace => laplace(scale)?.invoke(&cells),
    }
    .map_err(fault(kind, "sampling"))?;
    Ok(noisy.into_iter().map(into_range).collect())
}

fn into_range(value: IBig) -> i128 {
    let end = if value < IBig::ZERO { i128::MIN } else { i128::MAX };
    i128::try_from(value).unwrap_or(end)
}

#[cfg(test)]
#[path = "mechanism_tests.rs"]
mod tests;
