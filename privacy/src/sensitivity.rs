//! How far one unit can move the exact cells.

use dashu::base::SquareRootRem;
use dashu::integer::{IBig, UBig};
use dashu::rational::RBig;
use glovebox_policy::Public;
use serde::Serialize;

use crate::bounding::Geometry;

/// How fine a square root is rounded up: to steps of 2⁻³².
const ROOT_BITS: usize = 32;

/// One kind of aggregate over all groups, with one bound: for instance the counts, or the sums of one column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Family {
    /// What people call it.
    pub label: Public<String>,
    /// The largest absolute contribution of one unit to one cell, in integer steps; at least 1. Under
    /// [`Geometry::Replacement`], how far one replaced row can move one cell ([`crate::appearance::span`]).
    pub linf: u64,
    /// The most that the absolute contributions of one unit to all cells add up to, in integer steps, where that is known
    /// from its number of rows: a row is in one group, so what its rows can add does not grow with the number of groups.
    /// Means nothing under [`Geometry::Replacement`].
    pub total: Option<u64>,
}

/// How far one unit reaches in one family, as [`Family`] says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reach {
    linf: u64,
    total: Option<u64>,
}

impl From<u64> for Reach {
    /// Bounded in each cell alone.
    fn from(linf: u64) -> Self {
        Self { linf, total: None }
    }
}

impl From<(u64, Option<u64>)> for Reach {
    /// Bounded in each cell, and perhaps over all.
    fn from((linf, total): (u64, Option<u64>)) -> Self {
        Self { linf, total }
    }
}

/// The L1 sensitivity of a family: exact, in integer steps.
///
/// # Privacy obligation
/// Neighbouring relation: one unit added or removed, with all of its rows. Then each of the at most
/// `groups_touched` cells that the unit reaches moves by at most `linf`, the others by nothing, and the absolute
/// movements add up to at most `groups_touched · linf`, and to no more than the family's `total`. Source: Wilson et al.,
/// "Differentially private SQL with bounded user contribution", PoPETs 2020, §3.
///
/// Under [`Geometry::Replacement`] one unit more or less replaces at most `rows` rows, each by another one. A row that stays in
/// its group moves one cell by at most `linf`, one that changes it moves two; so the absolute movements add up to at most
/// `rows · linf` with one group and `2 · rows · linf` with several. Source: Cangialosi et al., "Privid", NSDI 2022.
pub fn l1(reach: impl Into<Reach>, geometry: Geometry, groups: u32) -> u128 {
    let Reach { linf, total } = reach.into();
    match geometry {
        Geometry::GroupSelection { .. } => {
            let by_cell = u128::from(linf) * u128::from(geometry.groups_touched(groups));
            total.map_or(by_cell, |total| by_cell.min(u128::from(total)))
        }
        Geometry::Replacement { rows } => u128::from(linf) * u128::from(rows) * u128::from(cells_of_a_row(groups)),
    }
}

/// In how many cells of a family the replacement of one row can be seen.
const fn cells_of_a_row(groups: u32) -> u32 {
    if groups > 1 { 2 } else { 1 }
}

/// The L2 sensitivity of a family, rounded up to the next multiple of 2⁻³², in integer steps.
///
/// # Privacy obligation
/// Neighbouring relation: one unit added or removed, with all of its rows. The squares of the movements add up to at
/// most `groups_touched · linf²`, and to at most `linf · total`, since each square is at most `linf` times the movement
/// (Hölder's inequality); the root of the smaller is rounded up, so the true distance is never larger. Source: as for
/// [`l1`], with the Euclidean norm of Bun and Steinke, "Concentrated differential privacy", TCC 2016.
///
/// Under [`Geometry::Replacement`] the movement is a sum over the replaced rows of vectors with at most one (several groups: two)
/// entries of at most `linf`, so by the triangle inequality its length is at most `rows · linf`, times √2 with several groups.
pub(crate) fn l2(reach: impl Into<Reach>, geometry: Geometry, groups: u32) -> RBig {
    let Reach { linf, total } = reach.into();
    let square = match geometry {
        Geometry::GroupSelection { .. } => {
            let by_cell = UBig::from(geometry.groups_touched(groups)) * UBig::from(linf).sqr();
            total.map(|total| UBig::from(linf) * UBig::from(total)).map_or(by_cell.clone(), |all| all.min(by_cell))
        }
        Geometry::Replacement { rows } => {
            UBig::from(cells_of_a_row(groups)) * (UBig::from(rows) * UBig::from(linf)).sqr()
        }
    };
    let (root, rest) = (square << (2 * ROOT_BITS)).sqrt_rem();
    let root = if rest == UBig::ZERO { root } else { root + UBig::ONE };
    RBig::from_parts(IBig::from(root), UBig::ONE << ROOT_BITS)
}

/// [`l1`] as OpenDP takes it.
pub(crate) fn l1_exact(reach: impl Into<Reach>, geometry: Geometry, groups: u32) -> RBig {
    RBig::from(IBig::from(l1(reach, geometry, groups)))
}

#[cfg(test)]
#[path = "sensitivity_tests.rs"]
mod tests;
