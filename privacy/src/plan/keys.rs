//! The noise of a request whose keys are found in rows.

use glovebox_policy::{Delta, Reason, Refusal};
use serde_json::{Value, json};

use super::{Ask, MAX_CELLS, NoisePlan, mechanism_of, noise_of};
use crate::bounding::Geometry;
use crate::key::KEY_TEXT_MAX_BYTES;
use crate::mechanism::MechanismKind;
use crate::sensitivity::Family;
use crate::threshold::{MAX_SHOWN_KEYS, Threshold, smallest_tau, split};

/// What the keys and cells of one release take at most, where keys are found in rows.
const KEYS_BODY_MAX_BYTES: u64 = 200 << 20;

/// Keys that are found in rows, with what is public about them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FoundKeys {
    /// Which family counts units; its `linf` is 1.
    pub family: usize,
    /// How many keys there can be at most, by declared sizes.
    pub most: u32,
    /// How many parts a key has.
    pub columns: u32,
}

/// Chooses the noise where keys are found in rows, and the threshold from which on a key appears.
///
/// The δ that is asked for is split in two: the noise of ρ is chosen as if the ask had the one part, τ so that its δ is within the
/// other. The cost is the noise's ρ and the threshold's δ.
///
/// # Errors
/// [`Reason::ThresholdNeedsDelta`] without a δ, or with one of less than a step for the threshold; [`Reason::TooManyKeys`] where there
/// could be more cells than [`MAX_CELLS`]; otherwise as [`plan_noise`](super::plan_noise).
///
/// # Privacy obligation
/// Neighbouring relation and sensitivity as for [`plan_noise`](super::plan_noise), with at most `max_groups` keys of a unit; for the keys, see
/// [`crate::threshold`]. δ of noise and threshold add up to at most the asked δ, because each part is rounded down.
pub fn plan_keys(families: Vec<Family>, keys: FoundKeys, max_groups: u32, ask: Ask) -> Result<NoisePlan, Refusal> {
    let kind = mechanism_of(&ask)?;
    let (noise_delta, granted) = split(kind, ask.delta);
    if granted == Delta::ZERO || (kind == MechanismKind::Gaussian && noise_delta == 0.0) {
        return Err(Refusal::about(Reason::ThresholdNeedsDelta, "delta"));
    }
    if families.get(keys.family).is_none_or(|units| units.linf != 1) {
        return Err(Reason::Internal.into());
    }
    if max_groups == 0 {
        return Err(Refusal::about(Reason::OptionInvalid, "max_groups_contributed"));
    }
    if keys.most == 0 {
        return Err(Reason::Internal.into());
    }
    let most_shown = most_shown(families.len(), keys);
    if cells_of_keys(families.len() as u64, keys.most, most_shown) > MAX_CELLS
        || bytes_of_keys(families.len() as u64, keys) > MAX_KEY_BYTES
    {
        return Err(Reason::TooManyKeys.into());
    }
    let geometry = Geometry::GroupSelection { max_groups };
    let noise_ask = Ask { delta: noise_delta, mechanism: Some(kind), ..ask };
    let mut plan = noise_of(kind, families, keys.most, geometry, noise_ask)?;
    let units = plan.families.get(keys.family).ok_or(Reason::Internal)?.scale;
    let tau = smallest_tau(kind, units, geometry.groups_touched(keys.most), granted)?;
    let threshold = Threshold { family: keys.family, tau, delta: Delta::ZERO, most_shown };
    plan.threshold = Some(threshold);
    plan.cost = plan.price().map_err(|_| Reason::Internal)?;
    plan.threshold = Some(Threshold { delta: plan.cost.delta, ..threshold });
    if plan.cost.delta > granted { Err(Reason::Internal.into()) } else { Ok(plan) }
}

/// The most memory that exact cells and their keys may take, by declared sizes: one GiB.
const MAX_KEY_BYTES: u64 = 1 << 30;

/// Two copies of each cell; for each key its columns as text, twice, and what a map keeps of it.
fn bytes_of_keys(families: u64, keys: FoundKeys) -> u64 {
    let each = families * 2 * 16 + u64::from(keys.columns) * (2 * 128 + 64) + 150;
    u64::from(keys.most).saturating_mul(each)
}

/// A count of units for every key that there can be, and the other families for every key that is shown.
pub(super) fn cells_of_keys(families: u64, most: u32, most_shown: u32) -> u64 {
    families.saturating_sub(1).saturating_mul(u64::from(most_shown)).saturating_add(u64::from(most))
}

/// So many keys fit the ledger's largest body, however they are written.
fn most_shown(families: usize, keys: FoundKeys) -> u32 {
    // In JSON a byte takes six characters at most; a cell 39 digits, a sign, two quotes and a comma.
    let of_a_key = u64::from(keys.columns) * (6 * KEY_TEXT_MAX_BYTES as u64 + 8) + families as u64 * 43 + 8;
    let fit = u32::try_from(KEYS_BODY_MAX_BYTES / of_a_key).unwrap_or(u32::MAX);
    fit.min(keys.most).clamp(1, MAX_SHOWN_KEYS)
}

pub(super) fn threshold_claims(threshold: &Threshold) -> Value {
    json!({
        "family": threshold.family,
        "units": threshold.tau.to_string(),
        "deltaSteps": threshold.delta.steps().to_string(),
        "mostShown": threshold.most_shown,
    })
}
