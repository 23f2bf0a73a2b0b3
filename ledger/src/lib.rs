//! The durable state: who may come in, what was promised, what was charged, what was released, and the log of it all.
//!
//! This crate makes [`Charge`] (only after the durable commit of a charge) and [`Receipt`] (only after the durable
//! commit of a release). Every public method of [`Ledger`] is one transaction, and every change appends its log entry
//! in that same transaction. Sums are integers and are checked where they are changed.
//!
//! It never sees a row of data or a result before noise, decides no policy, draws no noise, gives nothing back once
//! charged, and never changes or deletes a fact.
//!
//! Read in this order: `schema.sql` (the tables and what they forbid), `store` (files and transactions), `seal` (the key
//! that signs), `tree` and `log` (the tamper-evident log), [`tlog`] and `publish` (the log as others read and verify it),
//! `clock` (time never goes back), `domain` and `contract` (budgets and promises), `charge`, `admit` and `release` (the
//! life of a request), `account` and `token` (who may come in), `books` (the audit of all sums).

mod account;
mod admit;
mod books;
mod charge;
mod clock;
mod contract;
mod domain;
mod error;
mod log;
mod publish;
mod release;
mod row;
mod seal;
mod store;
pub mod tlog;
mod token;
mod tree;

pub use account::{Person, TokenCard};
pub use charge::{Admission, Charge, MAX_RESUMES, Order};
pub use contract::StoredContract;
pub use domain::DomainBudget;
pub use error::{ChargeError, ContractError, LedgerError};
pub use log::{ENTRY_MAX_BYTES, TreeHead};
pub use release::{BODY_MAX_BYTES, Receipt, SUMMARY_MAX_BYTES, StoredRelease};
pub use seal::{Seal, SealError};
pub use store::{Ledger, SCHEMA_VERSION};
