//! The noise of one request, fixed before any data is read.
//!
//! A function of the request, the manifest and the contract only. What it costs is known to the last step, and the gate
//! draws exactly this noise or nothing.

mod keys;

use dashu::rational::RBig;
use glovebox_policy::{Cost, Delta, NanoEpsilon, Public, Reason, Refusal, Rho};
use serde::Serialize;
use serde_json::{Value, json};

use crate::accountant::{exact, f64_down, rho_for, rho_up};
use crate::bounding::Geometry;
use crate::half_width::{MAX_SCALE_LOG2, half_width_95};
use crate::mechanism::{MechanismError, MechanismKind, loss};
use crate::scale::Scale;
use crate::sensitivity::{Family, Reach, l1_exact, l2};
use crate::threshold::{Threshold, delta_of};

pub use keys::{FoundKeys, plan_keys};

use keys::{cells_of_keys, threshold_claims};

/// The largest δ that may be asked for.
pub const MAX_DELTA: f64 = 0.001;

/// The most cells of one release: so many fit the ledger's largest body, however long their digits.
pub const MAX_CELLS: u64 = 1 << 22;

/// How fine the grid of scales is: 32 significant bits, so a cost stays within a few parts in 10⁹ of what was granted.
const SCALE_BITS: i32 = 32;

/// The privacy that a request asks for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ask {
    /// ε of the whole request.
    pub epsilon: NanoEpsilon,
    /// δ of the whole request, 0 to [`MAX_DELTA`]; 0 asks for pure ε.
    pub delta: f64,
    /// Which noise; `None` is Gaussian for δ > 0 and Laplace for δ = 0.
    pub mechanism: Option<MechanismKind>,
}

/// One family of cells with its noise.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NoisedFamily {
    /// What people call it.
    pub label: Public<String>,
    /// The largest absolute contribution of one unit to one cell, in integer steps; of one replaced row under
    /// [`Geometry::Replacement`].
    pub linf: u64,
    /// The most that the absolute contributions of one unit to all cells add up to, if that is bounded by its rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
    /// The largest movement of the whole family by one unit, in integer steps: L2 for Gaussian, rounded up, L1 for
    /// Laplace. For showing; the mechanism takes the exact number.
    pub sensitivity: f64,
    /// The noise scale, in integer steps: σ for Gaussian, b for Laplace.
    pub scale: Scale,
    /// Noise on one cell is at most this, in integer steps, with probability at least 0.95.
    pub half_width_95: u64,
}

/// The noise of one request: which, how much on each family, and at what cost. Made only by [`plan_noise`].
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NoisePlan {
    kind: MechanismKind,
    geometry: Geometry,
    groups: u32,
    families: Vec<NoisedFamily>,
    /// Not written where there is none: the digest of a request with listed keys is what it was before there were others.
    #[serde(skip_serializing_if = "Option::is_none")]
    threshold: Option<Threshold>,
    cost: Cost,
}

impl NoisePlan {
    /// Which noise.
    pub const fn kind(&self) -> MechanismKind {
        self.kind
    }

    /// The families in the order in which cells come.
    pub fn families(&self) -> &[NoisedFamily] {
        &self.families
    }

    /// How contributions are bounded.
    pub const fn geometry(&self) -> Geometry {
        self.geometry
    }

    /// How many groups each family has: a public number. Where keys are found in rows, how many there can be at most.
    pub const fn groups(&self) -> u32 {
        self.groups
    }

    /// The rule by which keys appear, where they are found in rows.
    pub const fn threshold(&self) -> Option<Threshold> {
        self.threshold
    }

    /// How many numbers are noised: a public number.
    pub fn cells(&self) -> u64 {
        let families = u64::try_from(self.families.len()).unwrap_or(u64::MAX);
        match self.threshold {
            None => families.saturating_mul(u64::from(self.groups)),
            Some(threshold) => cells_of_keys(families, self.groups, threshold.most_shown),
        }
    }

    /// What the release costs.
    pub const fn cost(&self) -> Cost {
        self.cost
    }

    /// What the log says about the noise: a few public numbers, no labels, under 4096 bytes.
    pub(crate) fn summary(&self) -> String {
        const SHOWN: usize = 64;
        let scales: Vec<String> = self.families.iter().take(SHOWN).map(|family| family.scale.to_string()).collect();
        let more = if self.families.len() > SHOWN { ", …" } else { "" };
        let (kind, families, groups) = (self.kind.as_str(), self.families.len(), self.groups);
        let keys = match self.threshold {
            Some(Threshold { tau, .. }) => format!(" at most, keys from {tau} units on"),
            None => String::new(),
        };
        format!("{kind} noise, families {families}, groups {groups}{keys}, scales {}{more}", scales.join(", "))
    }

    /// What a certificate says about the noise: all that somebody needs who wants to use the numbers, or to price the
    /// noise again. Numbers that may be large or broken are decimal text, exact but for the sensitivity, which is shown
    /// rounded up.
    ///
    /// # Privacy obligation
    /// A function of the plan, which was fixed from public text before any row was read; not of any cell.
    pub(crate) fn claims(&self) -> Value {
        let geometry = match self.geometry {
            Geometry::GroupSelection { max_groups } => json!({ "kind": "group-selection", "maxGroups": max_groups }),
            Geometry::Replacement { rows } => json!({ "kind": "replacement", "rows": rows }),
        };
        let families: Vec<Value> = self.families.iter().map(family_claims).collect();
        let mut claims = json!({
            "mechanism": format!("discrete-{}", self.kind.as_str()),
            "geometry": geometry,
            "groups": self.groups,
            "families": families,
        });
        if let (Some(threshold), Some(claims)) = (self.threshold, claims.as_object_mut()) {
            claims.insert("threshold".to_owned(), threshold_claims(&threshold));
        }
        claims
    }

    /// What this noise costs by OpenDP's maps, computed anew: exact losses added up, then rounded up once.
    ///
    /// # Privacy obligation
    /// Neighbouring relation: one unit added or removed. Each family is one draw with its own sensitivity and noise
    /// independent of the others', so their losses add up: ρ by Bun and Steinke 2016, Lemma 1.7; pure ε enters as
    /// ε²/2 for each family (Proposition 1.4 there). A threshold adds its δ ([`crate::threshold`]).
    pub(crate) fn price(&self) -> Result<Cost, MechanismError> {
        let mut rho = RBig::ZERO;
        for family in &self.families {
            let sensitivity =
                exact_sensitivity(self.kind, (family.linf, family.total).into(), self.geometry, self.groups);
            let Some(loss) = exact(loss(self.kind, family.scale, &sensitivity)?) else {
                return Ok(Cost { rho: Rho::from_steps(u64::MAX), delta: self.price_of_keys() });
            };
            rho += match self.kind {
                MechanismKind::Gaussian => loss,
                MechanismKind::Laplace => loss.sqr() / RBig::from(2),
            };
        }
        Ok(Cost { rho: rho_up(&rho), delta: self.price_of_keys() })
    }

    /// The δ of the threshold, computed anew from what the gate will apply.
    fn price_of_keys(&self) -> Delta {
        let Some(Threshold { family, tau, .. }) = self.threshold else {
            return Delta::ZERO;
        };
        match self.families.get(family) {
            Some(units) if units.linf == 1 => {
                delta_of(self.kind, units.scale, tau, self.geometry.groups_touched(self.groups))
            }
            _ => Delta::from_steps(u64::MAX),
        }
    }
}

fn family_claims(family: &NoisedFamily) -> Value {
    json!({
        "label": family.label.get(),
        "linf": family.linf.to_string(),
        "total": family.total.map(|total| total.to_string()),
        "sensitivity": family.sensitivity.to_string(),
        "scale": family.scale.to_decimal(),
        "halfWidth95": family.half_width_95.to_string(),
    })
}

/// Chooses the noise: every family gets the same share of the loss, and the smallest scale that stays within it.
///
/// For Gaussian noise the shares are of the largest ρ that gives (ε, δ); for Laplace noise they are of ε. The cost is
/// at most that ρ, or at most ε²/2; its δ is zero, because the noise itself has none.
///
/// # Errors
/// [`Reason::OptionInvalid`] when ε, δ, the mechanism or the number of groups or rows per unit is out of range;
/// [`Reason::BoundsInvalid`] when a family's bound is zero; [`Reason::OverflowPossible`] when no scale below 2⁶⁰ steps is
/// enough; [`Reason::TooManyGroups`] above [`MAX_CELLS`]; [`Reason::Internal`] for a plan without cells. All are functions of public numbers.
///
/// # Privacy obligation
/// Neighbouring relation: one unit added or removed. Sensitivity: [`crate::sensitivity`], from `linf`, `total`, the geometry
/// and the number of groups, each of which the caller must take from public text and enforce on the cells. Loss: the sum
/// over families ([`NoisePlan`]), within the ask by construction and checked before the plan is handed out.
pub fn plan_noise(families: Vec<Family>, groups: u32, geometry: Geometry, ask: Ask) -> Result<NoisePlan, Refusal> {
    let kind = mechanism_of(&ask)?;
    match geometry {
        Geometry::GroupSelection { max_groups: 0 } => {
            return Err(Refusal::about(Reason::OptionInvalid, "max_groups_contributed"));
        }
        Geometry::Replacement { rows: 0 } => return Err(Refusal::about(Reason::OptionInvalid, "max_rows")),
        Geometry::GroupSelection { .. } | Geometry::Replacement { .. } => {}
    }
    if families.is_empty() || groups == 0 {
        return Err(Reason::Internal.into());
    }
    if families.len() as u64 > MAX_CELLS / u64::from(groups) {
        return Err(Reason::TooManyGroups.into());
    }
    noise_of(kind, families, groups, geometry, ask)
}

fn noise_of(
    kind: MechanismKind,
    families: Vec<Family>,
    groups: u32,
    geometry: Geometry,
    ask: Ask,
) -> Result<NoisePlan, Refusal> {
    let granted = match kind {
        MechanismKind::Gaussian => RBig::from(rho_for(ask.epsilon, ask.delta).steps()) / RBig::from(1_u64 << 40),
        MechanismKind::Laplace => RBig::from(ask.epsilon.nano()) / RBig::from(1_000_000_000_u64),
    };
    if granted.is_zero() {
        return Err(Refusal::about(Reason::OptionInvalid, "epsilon"));
    }
    let share = f64_down(&(&granted / RBig::from(families.len())));
    let families = families
        .into_iter()
        .map(|family| noise_for(kind, family, geometry, groups, share))
        .collect::<Result<Vec<_>, _>>()?;
    let mut plan = NoisePlan { kind, geometry, groups, families, threshold: None, cost: Cost::ZERO };
    plan.cost = plan.price().map_err(|_| Reason::Internal)?;
    let most = match kind {
        MechanismKind::Gaussian => rho_up(&granted),
        MechanismKind::Laplace => rho_up(&(granted.sqr() / RBig::from(2))),
    };
    if plan.cost.rho > most {
        return Err(Reason::Internal.into());
    }
    Ok(plan)
}

fn mechanism_of(ask: &Ask) -> Result<MechanismKind, Refusal> {
    let invalid = |option| Err(Refusal::about(Reason::OptionInvalid, option));
    if ask.epsilon.nano() == 0 || ask.epsilon > NanoEpsilon::MAX {
        return invalid("epsilon");
    }
    if !(0.0..=MAX_DELTA).contains(&ask.delta) {
        return invalid("delta");
    }
    match ask.mechanism {
        Some(MechanismKind::Gaussian) if ask.delta == 0.0 => invalid("mechanism"),
        Some(kind) => Ok(kind),
        None if ask.delta == 0.0 => Ok(MechanismKind::Laplace),
        None => Ok(MechanismKind::Gaussian),
    }
}

fn exact_sensitivity(kind: MechanismKind, reach: Reach, geometry: Geometry, groups: u32) -> RBig {
    match kind {
        MechanismKind::Gaussian => l2(reach, geometry, groups),
        MechanismKind::Laplace => l1_exact(reach, geometry, groups),
    }
}

fn noise_for(
    kind: MechanismKind,
    family: Family,
    geometry: Geometry,
    groups: u32,
    share: f64,
) -> Result<NoisedFamily, Refusal> {
    let Family { label, linf, total } = family;
    if linf == 0 || total == Some(0) {
        return Err(Refusal::about(Reason::BoundsInvalid, label.get()));
    }
    let sensitivity = exact_sensitivity(kind, (linf, total).into(), geometry, groups);
    let scale = smallest_scale(kind, &sensitivity, share)?;
    let half_width_95 = half_width_95(kind, scale);
    Ok(NoisedFamily { label, linf, total, sensitivity: -f64_down(&-sensitivity), scale, half_width_95 })
}

/// The smallest scale on the grid whose loss, by OpenDP's map, is at most `share`. The grid's step is the power of two
/// that gives the answer [`SCALE_BITS`] significant bits, and at most 1.
fn smallest_scale(kind: MechanismKind, sensitivity: &RBig, share: f64) -> Result<Scale, Refusal> {
    let distance = sensitivity.to_f64().value();
    let near = match kind {
        MechanismKind::Gaussian => distance / (2.0 * share).sqrt(),
        MechanismKind::Laplace => distance / share,
    };
    let magnitude = near.log2();
    if !magnitude.is_finite() || magnitude >= f64::from(MAX_SCALE_LOG2) {
        return Err(Reason::OverflowPossible.into());
    }
    let fraction_bits = (SCALE_BITS - 1 - magnitude.floor() as i32).max(0).unsigned_abs();
    let scale =
        |numerator| Scale::new(numerator, fraction_bits.min(Scale::MAX_DENOMINATOR_LOG2)).ok_or(Reason::Internal);
    let fits = |numerator| -> Result<bool, Refusal> {
        let loss = loss(kind, scale(numerator)?, sensitivity).map_err(|_| Reason::Internal)?;
        Ok(loss <= share)
    };
    // Zero never fits; the largest is 2³⁰ times what is needed or more.
    let (mut below, mut enough) = (0, u64::MAX);
    if !fits(enough)? {
        return Err(Reason::Internal.into());
    }
    while enough - below > 1 {
        let middle = below + (enough - below) / 2;
        if fits(middle)? {
            enough = middle;
        } else {
            below = middle;
        }
    }
    Ok(scale(enough)?)
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
