//! How a unit's whole contribution to a table is held down.

use serde::{Deserialize, Serialize};

/// The set that one unit's vector of contributions is forced into before anything is summed.
///
/// A type of its own between plan and mechanism, because selecting groups is not the only way: clipping the norm of the
/// whole vector biases skewed tables less. Whoever adds a geometry adds its norms in [`crate::sensitivity`].
///
/// # Privacy obligation
/// Whoever computes the exact cells must enforce the geometry per unit, over all of the unit's rows and before any sum
/// over units; the sensitivity below is true of nothing else. The choice of which groups to keep may depend on the
/// unit's own rows and a secret key, never on other units. Where a
/// family names a `total`, a unit's contributions to all of its cells must add up to no more than that: its rows are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Geometry {
    /// A unit contributes to at most `max_groups` groups; in each, every family is bounded on its own (L∞).
    GroupSelection {
        /// How many groups, from 1.
        max_groups: u32,
    },
    /// A unit replaces at most `rows` rows of a table whose number of rows is fixed, as an appearance does in footage; each row
    /// is in one group, and moves a family's cell by at most its L∞ bound. Nothing is kept or dropped unit by unit: whoever
    /// makes the table sees to it that it always has the same number of rows ([`crate::appearance`]).
    Replacement {
        /// How many rows, from 1.
        rows: u32,
    },
}

impl Geometry {
    /// In how many of `groups` groups one unit can be present.
    pub const fn groups_touched(self, groups: u32) -> u32 {
        let touched = match self {
            Self::GroupSelection { max_groups } => max_groups,
            // A replaced row may leave one group and enter another.
            Self::Replacement { rows } => rows.saturating_mul(2),
        };
        if touched < groups { touched } else { groups }
    }

    /// In how many groups a unit is kept, where groups are selected; `None` where rows are replaced.
    pub const fn max_groups(self) -> Option<u32> {
        match self {
            Self::GroupSelection { max_groups } => Some(max_groups),
            Self::Replacement { .. } => None,
        }
    }
}
