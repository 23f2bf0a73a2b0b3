//! Jobs: code that a firm submits, an officer reviews, and the sandbox runs over one unit at a time.
//!
//! Read in this order: [`card`] (what faces see of a job), `plan` (bounds, noise, price and time from public texts), `footage` (what is otherwise where chunks stand for persons),
//! `submit`, `review` (the officer's page, verdicts), `run` (from the charge to the release), `table` (the result),
//! `local` (the same over synthetic rows, offline); `page`, `layout` and `diff` write the officer's page.

pub mod card;
mod diff;
mod footage;
mod layout;
pub mod local;
mod page;
pub(crate) mod plan;
mod review;
mod run;
mod submit;
pub(crate) mod table;

pub use card::{JobAnswer, JobCard, JobState, Review};
pub use local::{JobReport, LocalRun, UnitLog};
pub(crate) use review::refused as ledger_refusal;
pub(crate) use run::{JobTask, Runs};
