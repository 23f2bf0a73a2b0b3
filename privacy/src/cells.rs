//! What goes into the gate, exact, and what comes out of it, noised.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use glovebox_policy::{Cost, Digest};
use glovebox_vault::{Expose, Protected};
use serde::{Deserialize, Serialize};

use crate::bounding::Geometry;
use crate::key::Key;
use crate::mechanism::{MechanismError, MechanismKind, add_noise};
use crate::plan::NoisePlan;
use crate::scale::Scale;
use crate::threshold::Threshold;

/// Exact cells, the noise planned for them, and the request that they answer.
///
/// Whoever holds one can hand it to the gate and do nothing else with the cells: reading them needs the trait of
/// `glovebox_vault`, and a crate that does not depend on that crate cannot name it (its own compile-fail proofs).
///
/// ```compile_fail,E0616
/// fn peek(exact: &glovebox_privacy::Exact) { let cells = &exact.cells; }
/// ```
/// ```compile_fail,E0599
/// fn copy(exact: glovebox_privacy::Exact) { let second = exact.clone(); }
/// ```
#[derive(Debug)]
#[must_use = "exact cells that are dropped were computed for nothing"]
pub struct Exact {
    /// The keys of the groups in the order of their values, where keys were found in rows.
    keys: Option<Protected<Vec<Key>>>,
    cells: Protected<Vec<Vec<i128>>>,
    plan: NoisePlan,
    request: Digest,
}

/// The cells do not have the shape of their plan, or their keys are not distinct and as many at most: a fault of the caller, seen in
/// public sizes only.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the cells are not {families} families of {groups} groups")]
pub struct ShapeError {
    families: usize,
    groups: u32,
}

impl Exact {
    /// Stamps cells, one row for each family of the plan and in each one cell for each group, with their request.
    ///
    /// # Privacy obligation
    /// Neighbouring relation: one unit added or removed. The caller answers for it that on neighbouring data these cells
    /// differ by one vector inside the plan's geometry, with every entry of a family at most its `linf`, and that the
    /// number of groups and their order do not depend on data. Source: the analysis that made the plan; its
    /// neighbour tests compare exact cells with what the plan declares.
    ///
    /// # Errors
    /// [`ShapeError`] when the shape is another one.
    pub fn new(cells: Protected<Vec<Vec<i128>>>, plan: NoisePlan, request: Digest) -> Result<Self, ShapeError> {
        let good = has_shape(cells.expose_ref(), plan.families().len(), plan.groups()) && plan.threshold().is_none();
        if good {
            Ok(Self { keys: None, cells, plan, request })
        } else {
            Err(ShapeError { families: plan.families().len(), groups: plan.groups() })
        }
    }

    /// Stamps cells whose keys were found in rows, one row for each family and in each one cell for each key, with their request.
    ///
    /// # Privacy obligation
    /// Neighbouring relation: one unit added or removed. The caller answers for it that on neighbouring data the cells of keys that
    /// both have differ as [`Exact::new`] says; that a key is there because a unit was counted in it, and only then; that the plan's
    /// threshold family counts each unit once for each of its keys after group selection; and that the keys of a unit depend on
    /// that unit alone. So of neighbouring data only the larger has further keys, at most the geometry's groups, each with a count of
    /// units of 1. In what order keys come does not matter: they are put in the order of their values here.
    ///
    /// # Errors
    /// [`ShapeError`] when the plan has no threshold, the cells another shape, or the keys are not distinct or too many.
    pub fn with_keys(
        keys: Protected<Vec<Key>>,
        cells: Protected<Vec<Vec<i128>>>,
        plan: NoisePlan,
        request: Digest,
    ) -> Result<Self, ShapeError> {
        let wrong = || ShapeError { families: plan.families().len(), groups: plan.groups() };
        let count = u32::try_from(keys.expose_ref().len()).map_err(|_| wrong())?;
        let good = count <= plan.groups()
            && plan.threshold().is_some()
            && has_shape(cells.expose_ref(), plan.families().len(), count);
        if !good {
            return Err(wrong());
        }
        let mut order: Vec<(Key, usize)> = keys.expose().into_iter().zip(0..).collect();
        order.sort_unstable();
        if order.windows(2).any(|pair| matches!(pair, [(a, _), (b, _)] if a == b)) {
            return Err(wrong());
        }
        let sorted = |row: &Vec<i128>| order.iter().map(|(_, place)| row.get(*place).copied().unwrap_or(0)).collect();
        let cells = Protected::seal(cells.expose_ref().iter().map(sorted).collect());
        let keys = Protected::seal(order.into_iter().map(|(key, _)| key).collect());
        Ok(Self { keys: Some(keys), cells, plan, request })
    }

    /// The noise planned.
    pub const fn plan(&self) -> &NoisePlan {
        &self.plan
    }

    /// Digest of the canonical request that these cells answer.
    pub const fn request(&self) -> Digest {
        self.request
    }

    /// Draws the noise, once, and takes out the keys that do not reach their threshold: exact cells, and what is known of other keys,
    /// are gone afterwards. Only the gate calls this.
    ///
    /// # Privacy obligation
    /// That of [`crate::threshold`]: a key and its noised cells are kept for its own noised count of units and, where too many are, for
    /// the noised counts of the others that are kept too. Counts of units are noised for as many keys as there can be, and what else
    /// there is of kept keys for as many as can be kept, so that the time it takes is a function of the plan.
    pub(crate) fn noised(self) -> Result<NoisyCells, MechanismError> {
        let Self { keys, cells, plan, request: _ } = self;
        let noise = |family: usize, mut row: Vec<i128>, padded: u32| match plan.families().get(family) {
            Some(noised) => {
                row.resize(padded as usize, 0);
                add_noise(plan.kind(), noised.scale, row)
            }
            None => Ok(Vec::new()),
        };
        let mut cells = cells.expose();
        let mut found = None;
        match (keys, plan.threshold()) {
            (Some(keys), Some(threshold)) => {
                let keys = keys.expose();
                let units = cells.get_mut(threshold.family).map(std::mem::take).unwrap_or_default();
                let mut units = noise(threshold.family, units, plan.groups())?;
                units.truncate(keys.len());
                let kept = kept(&units, threshold);
                for (family, row) in cells.iter_mut().enumerate() {
                    let of_kept = |row: &[i128]| kept.iter().filter_map(|place| row.get(*place).copied()).collect();
                    *row = if family == threshold.family {
                        of_kept(&units)
                    } else {
                        let mut noised = noise(family, of_kept(row), threshold.most_shown)?;
                        noised.truncate(kept.len());
                        noised
                    };
                }
                let keys = keys.into_iter().enumerate().filter(|(place, _)| kept.contains(place)).map(|(_, key)| key);
                found = Some(ReleasedKeys { family: threshold.family, tau: threshold.tau, keys: keys.collect() });
            }
            (None, None) => {
                for (family, row) in cells.iter_mut().enumerate() {
                    *row = noise(family, std::mem::take(row), plan.groups())?;
                }
            }
            // No constructor makes such cells; without rows they have no shape that could be written down.
            (Some(_), None) | (None, Some(_)) => cells.clear(),
        }
        let families = plan
            .families()
            .iter()
            .map(|family| ReleasedFamily {
                label: family.label.get().clone(),
                linf: family.linf,
                scale: family.scale,
                half_width_95: family.half_width_95,
            })
            .collect();
        let groups = found.as_ref().map_or(plan.groups(), |found| found.keys.len() as u32);
        Ok(NoisyCells {
            kind: plan.kind(),
            geometry: plan.geometry(),
            groups,
            cost: plan.cost(),
            families,
            found,
            cells,
        })
    }
}

/// The places of the keys whose noised count of units reaches the threshold; of too many, of those with the largest counts.
fn kept(units: &[i128], threshold: Threshold) -> BTreeSet<usize> {
    let reached = (0_usize..).zip(units).filter(|(_, units)| **units >= i128::from(threshold.tau));
    let mut kept: Vec<(Reverse<i128>, usize)> = reached.map(|(place, units)| (Reverse(*units), place)).collect();
    if kept.len() > threshold.most_shown as usize {
        kept.sort_unstable();
        kept.truncate(threshold.most_shown as usize);
    }
    kept.into_iter().map(|(_, place)| place).collect()
}

fn has_shape<T>(cells: &[Vec<T>], families: usize, groups: u32) -> bool {
    cells.len() == families && cells.iter().all(|row| u32::try_from(row.len()) == Ok(groups))
}

/// What a release tells about the noise of one family.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReleasedFamily {
    /// What people call it.
    pub label: String,
    /// The largest absolute contribution of one unit to one cell, in integer steps.
    pub linf: u64,
    /// The noise scale, in integer steps.
    pub scale: Scale,
    /// Noise on one cell is at most this, in integer steps, with probability at least 0.95.
    pub half_width_95: u64,
}

/// Keys that were found in rows and reached their threshold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReleasedKeys {
    /// Which family counts units.
    pub family: usize,
    /// Every key that appears has a noised count of units of at least this.
    pub tau: u64,
    /// The key of each group, in the order of their values.
    pub keys: Vec<Key>,
}

/// Noised cells with all that is public about their noise: what the ledger stores, and what post-processing starts from.
///
/// As a value it proves nothing: only [`Released`](crate::Released) says that the gate made it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoisyCells {
    /// Which noise.
    pub kind: MechanismKind,
    /// How contributions were bounded.
    pub geometry: Geometry,
    /// How many groups each family has; where keys were found in rows, how many appear.
    pub groups: u32,
    /// What the release cost.
    pub cost: Cost,
    /// The families, in the order of `cells`.
    pub families: Vec<ReleasedFamily>,
    /// The keys that appear, where they were found in rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found: Option<ReleasedKeys>,
    /// For each family, for each group: the noised integer. Written as decimal text, because readers of JSON differ in
    /// how large a number they keep.
    #[serde(with = "decimal")]
    pub cells: Vec<Vec<i128>>,
}

/// The version of bodies whose groups are those of public lists.
const LISTED_VERSION: u32 = 1;
/// The version of bodies whose keys were found in rows.
const FOUND_VERSION: u32 = 2;

#[derive(Serialize)]
struct BodyOut<'a> {
    version: u32,
    release: &'a NoisyCells,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BodyIn {
    #[serde(rename = "version")]
    _version: u32,
    release: NoisyCells,
}

/// A stored body that this program cannot read, or cells that it cannot write. Bodies are noised, so this may say more.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// Not the JSON that this program writes.
    #[error("the body of a release is not readable: {0}")]
    Json(#[from] serde_json::Error),
    /// Another version.
    #[error("the body of a release has version `{0}`, and this program reads `1` and `2`")]
    Version(u32),
    /// Families, groups, keys and cells disagree.
    #[error("the body of a release does not have the shape that it states")]
    Shape,
}

impl NoisyCells {
    /// The bytes that the ledger stores.
    ///
    /// INVARIANT (threshold): what does not reach its threshold is not written down, whatever drew the noise.
    ///
    /// # Errors
    /// [`BodyError::Shape`] for cells and keys that would not be read again.
    pub(crate) fn to_body(&self) -> Result<Vec<u8>, BodyError> {
        if !self.is_whole() {
            return Err(BodyError::Shape);
        }
        Ok(serde_json::to_vec(&BodyOut { version: self.version(), release: self })?)
    }

    /// Reads what [`NoisyCells::to_body`] wrote.
    pub(crate) fn from_body(body: &[u8]) -> Result<Self, BodyError> {
        #[derive(Deserialize)]
        struct Version {
            version: u32,
        }
        let Version { version } = serde_json::from_slice(body)?;
        if ![LISTED_VERSION, FOUND_VERSION].contains(&version) {
            return Err(BodyError::Version(version));
        }
        let BodyIn { _version, release } = serde_json::from_slice(body)?;
        if release.is_whole() && release.version() == version { Ok(release) } else { Err(BodyError::Shape) }
    }

    /// Whether families, groups, keys and cells agree, and each key that was found reaches its threshold.
    fn is_whole(&self) -> bool {
        has_shape(&self.cells, self.families.len(), self.groups)
            && self.found.as_ref().is_none_or(|found| found.fits(&self.cells, self.groups))
    }

    /// The family that counts units, and the threshold that its counts reached, where keys were found in rows.
    pub(crate) fn reached(&self) -> Option<(usize, u64)> {
        self.found.as_ref().map(|found| (found.family, found.tau))
    }

    const fn version(&self) -> u32 {
        if self.found.is_some() { FOUND_VERSION } else { LISTED_VERSION }
    }
}

impl ReleasedKeys {
    /// Whether these are the keys of the cells: in order, each once, each with as many units as it takes.
    fn fits(&self, cells: &[Vec<i128>], groups: u32) -> bool {
        let reach = |units: &Vec<i128>| units.iter().all(|units| *units >= i128::from(self.tau));
        u32::try_from(self.keys.len()) == Ok(groups)
            && self.keys.is_sorted_by(|a, b| a < b)
            && cells.get(self.family).is_some_and(reach)
    }
}

/// Rows of 128-bit integers as decimal text.
mod decimal {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(rows: &[Vec<i128>], out: S) -> Result<S::Ok, S::Error> {
        out.collect_seq(rows.iter().map(|row| row.iter().map(i128::to_string).collect::<Vec<_>>()))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(input: D) -> Result<Vec<Vec<i128>>, D::Error> {
        let rows = Vec::<Vec<String>>::deserialize(input)?;
        rows.into_iter().map(|row| row.iter().map(|cell| cell.parse().map_err(D::Error::custom)).collect()).collect()
    }
}

#[cfg(test)]
#[path = "cells_tests.rs"]
mod tests;
