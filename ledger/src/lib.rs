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
//! `clock` (time never goes back), `domain` and `contract` (budgets and promises), `application` (what firms ask for), `job`, `job_read` and `execution` (code,
//! its review, and whether it may run), `charge`, `admit`, `claim` and `release` (the life of a request), [`certificate`],
//! `statement` and `issue` (what a firm holds of a release), `canonical` (JSON in one form), `account`, `token` and
//! `client_certificate` (who may come in), `books` (the audit of all sums).

mod account;
mod admit;
mod application;
mod bill;
mod books;
mod canonical;
pub mod certificate;
mod charge;
mod claim;
mod client_certificate;
mod clock;
mod contract;
mod decision;
mod domain;
mod error;
mod execution;
mod freeze;
mod issue;
mod job;
mod job_read;
mod job_write;
mod log;
mod publish;
mod release;
mod row;
mod seal;
mod statement;
mod store;
pub mod tlog;
mod token;
mod tree;

pub use account::{Person, TokenCard};
pub use application::{ApplicationEnd, NewApplication, StoredApplication, StoredEnd, WAITING_APPLICATIONS_MAX};
pub use bill::BillLine;
pub use certificate::{
    Certificate, CertificateError, JOINED_SUBJECT, MANIFEST_SUBJECT, MODULE_SUBJECT, VerifiedCertificate,
};
pub use charge::{Admission, Charge, JobRun, MAX_RESUMES, Order, Subject};
pub use claim::{Claim, Collected, Progress};
pub use client_certificate::CertificateCard;
pub use contract::StoredContract;
pub use decision::{DECISION_MAX_BYTES, StoredDecision};
pub use domain::DomainBudget;
pub use error::{ChargeError, ContractError, JobError, LedgerError};
pub use freeze::{FREEZE_REASON_MAX_BYTES, Freezable, FreezeFact, NewFreeze};
pub use issue::StoredCertificate;
pub use job::{
    Cancellation, DAILY_JOBS_MAX, JobState, JobSummary, MODULE_MAX_BYTES, NewCancellation, NewJob, NewVerdict,
    StoredJob, StoredRun, StoredVerdict, WAITING_JOBS_MAX,
};
pub use log::{ENTRY_MAX_BYTES, TreeHead};
pub use release::{BODY_MAX_BYTES, CLAIMS_MAX_BYTES, Receipt, SUMMARY_MAX_BYTES, Settled, StoredRelease};
pub use seal::{Seal, SealError};
pub use store::{Ledger, SCHEMA_VERSION};
