//! What goes into the gate, exact, and what comes out of it, noised.

use glovebox_policy::{Cost, Digest};
use glovebox_vault::{Expose, Protected};
use serde::{Deserialize, Serialize};

use crate::bounding::Geometry;
use crate::mechanism::{MechanismError, MechanismKind, add_noise};
use crate::plan::NoisePlan;
use crate::scale::Scale;

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
    cells: Protected<Vec<Vec<i128>>>,
    plan: NoisePlan,
    request: Digest,
}

/// The cells do not have the shape of their plan: a fault of the caller, seen in public sizes only.
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
        let good = has_shape(cells.expose_ref(), plan.families().len(), plan.groups());
        if good {
            Ok(Self { cells, plan, request })
        } else {
            Err(ShapeError { families: plan.families().len(), groups: plan.groups() })
        }
    }

    /// The noise planned.
    pub const fn plan(&self) -> &NoisePlan {
        &self.plan
    }

    /// Digest of the canonical request that these cells answer.
    pub const fn request(&self) -> Digest {
        self.request
    }

    /// Draws the noise, once: the exact cells are gone afterwards. Only the gate calls this.
    pub(crate) fn noised(self) -> Result<NoisyCells, MechanismError> {
        let Self { cells, plan, request: _ } = self;
        let cells = cells
            .expose()
            .into_iter()
            .zip(plan.families())
            .map(|(row, family)| add_noise(plan.kind(), family.scale, row))
            .collect::<Result<Vec<_>, _>>()?;
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
        Ok(NoisyCells {
            kind: plan.kind(),
            geometry: plan.geometry(),
            groups: plan.groups(),
            cost: plan.cost(),
            families,
            cells,
        })
    }
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
    /// How many groups each family has.
    pub groups: u32,
    /// What the release cost.
    pub cost: Cost,
    /// The families, in the order of `cells`.
    pub families: Vec<ReleasedFamily>,
    /// For each family, for each group: the noised integer. Written as decimal text, because readers of JSON differ in
    /// how large a number they keep.
    #[serde(with = "decimal")]
    pub cells: Vec<Vec<i128>>,
}

/// The version that this program writes and reads.
const BODY_VERSION: u32 = 1;

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
    #[error("the body of a release has version `{0}`, and this program reads `1`")]
    Version(u32),
    /// Families, groups and cells disagree.
    #[error("the body of a release does not have the shape that it states")]
    Shape,
}

impl NoisyCells {
    /// The bytes that the ledger stores.
    pub(crate) fn to_body(&self) -> Result<Vec<u8>, BodyError> {
        Ok(serde_json::to_vec(&BodyOut { version: BODY_VERSION, release: self })?)
    }

    /// Reads what [`NoisyCells::to_body`] wrote.
    pub(crate) fn from_body(body: &[u8]) -> Result<Self, BodyError> {
        #[derive(Deserialize)]
        struct Version {
            version: u32,
        }
        let Version { version } = serde_json::from_slice(body)?;
        if version != BODY_VERSION {
            return Err(BodyError::Version(version));
        }
        let BodyIn { _version, release } = serde_json::from_slice(body)?;
        if has_shape(&release.cells, release.families.len(), release.groups) {
            Ok(release)
        } else {
            Err(BodyError::Shape)
        }
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
