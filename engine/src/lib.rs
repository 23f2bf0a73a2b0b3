//! The one place where everything meets: state, decisions, charges, the inner plan and the gate, in one order.
//!
//! This crate joins the others and adds no mathematics of its own. It never opens a protected value (it does not depend on
//! the vault), never speaks a network protocol, and never lets a failure after the charge look different from another.
//!
//! Read in this order: [`config`] (what an operator sets), [`engine`] (opening, and what officers do), `access` (who comes
//! in), [`application`] (what a firm asks for), [`statement`] (a question and its answer), [`pipeline`] (before the charge), [`run`] (after it), [`job`] (code
//! instead of SQL), [`cards`] (public metadata), [`audit`] (the log and proofs of releases), [`offline`] (what of it is
//! checked without a server), `tick`, `compute`.

mod access;
pub mod application;
pub mod audit;
pub mod bill;
pub mod cards;
mod compute;
pub mod config;
pub mod engine;
pub mod freeze;
pub mod job;
pub mod offline;
mod operator_log;
pub mod pipeline;
pub mod run;
pub mod statement;
mod tick;

pub use application::ApplicationCard;
pub use audit::{DecisionCard, LogPage, ReleaseProof};
pub use bill::{BillCard, BillLineCard};
pub use cards::{
    BudgetCard, CardKey, CardKind, ColumnCard, ContractCard, CostCard, DatasetCard, OfficerFault, OfficerReport,
    PromiseCard,
};
pub use config::{Config, ConfigError};
pub use engine::{Engine, EngineError};
pub use freeze::FreezeCard;
pub use job::{JobAnswer, JobCard, JobState, Review};
pub use statement::{Answer, ReleasedAnswer, SqlAsk, Statement};

// What the facade takes and gives, so that `cli` need not depend on the crates below.
pub use glovebox_ledger::{CertificateCard, Freezable, Person, TokenCard};
pub use glovebox_privacy::{Scalar, Table};
