//! A question on its way, and its answer.

use std::sync::Arc;

use glovebox_policy::{Caller, ContractId, Cost, Digest, NanoEpsilon, Public, Purpose};
use glovebox_privacy::{Column, Released, Scalar, Table};
use glovebox_query::Analysis;

/// A question as a face hands it in.
#[derive(Debug, Clone, Default)]
pub struct SqlAsk {
    /// The statement.
    pub sql: String,
    /// What for; may be left out when the contract has one purpose.
    pub purpose: Option<Purpose>,
    /// ε, for a statement that names none.
    pub epsilon: Option<f64>,
    /// δ, for a statement that names none.
    pub delta: Option<f64>,
    /// Most groups that one unit is counted in, for a statement that does not say.
    pub max_groups_contributed: Option<u32>,
    /// The contract to ask under; may be left out, and is then the firm's first in force on the dataset.
    pub contract: Option<ContractId>,
    /// Values of the placeholders, in order.
    pub parameters: Vec<Scalar>,
}

/// A statement that was analysed and decided on. Cheap to clone; has cost nothing and touched no data.
#[derive(Debug, Clone)]
pub struct Statement {
    pub(crate) inner: Arc<Prepared>,
}

#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) caller: Caller,
    pub(crate) purpose: Option<Purpose>,
    pub(crate) parameter_count: usize,
    /// `None` while parameters are missing.
    pub(crate) bound: Option<Bound>,
}

#[derive(Debug)]
pub(crate) struct Bound {
    pub(crate) contract: ContractId,
    pub(crate) analysis: Analysis,
    pub(crate) columns: Vec<Column>,
}

impl Statement {
    /// The columns of the answer; none while parameters are missing.
    pub fn schema(&self) -> &[Column] {
        self.inner.bound.as_ref().map_or(&[], |bound| &bound.columns)
    }

    /// Whether this is `EXPLAIN PRIVACY`.
    pub fn is_preview(&self) -> bool {
        self.inner.bound.as_ref().is_some_and(|bound| bound.analysis.is_preview())
    }

    /// How many parameters the statement takes.
    pub fn parameter_count(&self) -> usize {
        self.inner.parameter_count
    }

    /// Digest of the canonical request; `None` while parameters are missing.
    pub fn digest(&self) -> Option<Digest> {
        self.inner.bound.as_ref().map(|bound| bound.analysis.request())
    }
}

/// What a statement comes to.
#[derive(Debug)]
pub enum Answer {
    /// A release, post-processed.
    Released(ReleasedAnswer),
    /// What `EXPLAIN PRIVACY` says.
    Preview(Public<Table>),
}

/// A released table with what it cost.
#[derive(Debug)]
pub struct ReleasedAnswer {
    pub(crate) table: Released<Table>,
    pub(crate) cost: Cost,
    pub(crate) remaining: Cost,
    pub(crate) epsilon: NanoEpsilon,
    pub(crate) delta: f64,
}

impl Answer {
    /// The rows.
    pub fn table(&self) -> &Table {
        match self {
            Self::Released(answer) => answer.table.get(),
            Self::Preview(table) => table.get(),
        }
    }

    /// The release, if it is one.
    pub fn released(&self) -> Option<&ReleasedAnswer> {
        match self {
            Self::Released(answer) => Some(answer),
            Self::Preview(_) => None,
        }
    }
}

impl ReleasedAnswer {
    /// The table with its receipt.
    pub fn release(&self) -> &Released<Table> {
        &self.table
    }

    /// What the release cost, when it was first asked for.
    pub fn cost(&self) -> Cost {
        self.cost
    }

    /// What the contract has left.
    pub fn remaining(&self) -> Cost {
        self.remaining
    }

    /// The ε that was asked for.
    pub fn epsilon(&self) -> NanoEpsilon {
        self.epsilon
    }

    /// The δ that was asked for.
    pub fn delta(&self) -> f64 {
        self.delta
    }
}
