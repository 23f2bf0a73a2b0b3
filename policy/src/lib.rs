//! May it leave, for whom, and at what cost.
//!
//! This crate knows names, integer privacy loss, contracts and their signatures, Cedar policies and refusals. It decides
//! (and so is the only maker of [`Permit`]); it keeps no state, adds up no budget and touches no data: running totals
//! live in the ledger, rows in the catalog.
//!
//! Read in this order: [`id`] (names), [`number`] (ρ and δ in integers), [`refusal`] (the closed list of reasons),
//! [`public`] (values that carry nothing of a row), [`text`] (which characters a terminal shows as themselves),
//! [`contract`] (what a firm was granted), [`application`] (what it asked for), [`dsse`] (who signed it), [`job`] (what a job wants), [`approval`] (an officer's
//! verdict on it), [`decide`] (Cedar: one decision per column, role of use and purpose).

pub mod application;
pub mod approval;
pub mod contract;
pub mod decide;
pub mod dsse;
pub mod id;
pub mod job;
pub mod number;
pub mod public;
pub mod refusal;
pub mod text;

pub use application::Application;
pub use approval::{Decision, SignedVerdict, Subjects, Verdict};
pub use contract::{Contract, SignedContract};
pub use decide::{Caller, ColumnUse, JoinedTable, Permit, PolicySet, RoleOfUse};
pub use id::{
    ApplicationId, BudgetDomain, ColumnName, ContractId, DatasetName, Digest, IdSpace, JobId, JobName, OrgId, PersonId,
    Purpose, Role, SnapshotId,
};
pub use job::JobManifest;
pub use number::{Cost, Delta, NanoEpsilon, Rho};
pub use public::Public;
pub use refusal::{Reason, Refusal};
