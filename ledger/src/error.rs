//! What can go wrong in the ledger, for the operator's eyes.

use glovebox_policy::Refusal;

/// A failure of the ledger itself. Operator detail: an analyst is only told `internal`.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The store refused or failed; nothing of the transaction happened.
    #[error("the ledger's store failed")]
    Store(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// No space is left for the ledger; nothing of the transaction happened.
    #[error("no space is left for the ledger")]
    Full,
    /// What is stored contradicts itself. Stop, keep the files and restore nothing over them.
    #[error("the ledger is corrupt: {0}")]
    Corrupt(String),
    /// The log does not verify: the first entry that is wrong.
    #[error("log entry `{seq}` does not verify: {what}")]
    Log {
        /// Number of the first wrong entry, from 0.
        seq: u64,
        /// What is wrong with it.
        what: &'static str,
    },
    /// The file is not a ledger of the version that this program reads and writes.
    #[error("not a ledger of schema version `{expected}`: {what}")]
    Schema {
        /// The version that this program knows.
        expected: i64,
        /// How the file differs.
        what: String,
    },
    /// The log was begun under another key or origin.
    #[error("the log is that of `{stored}`, not of `{given}`")]
    Seal {
        /// The verifier key that the log was begun with.
        stored: String,
        /// The verifier key of the seal that was given.
        given: String,
    },
    /// Something of this name is there already, and the ledger changes nothing that it holds.
    #[error("the {kind} `{name}` exists already")]
    Exists {
        /// What kind of thing.
        kind: &'static str,
        /// Its name.
        name: String,
    },
    /// Nothing of this name is registered.
    #[error("the {kind} `{name}` is not registered")]
    Unknown {
        /// What kind of thing.
        kind: &'static str,
        /// Its name.
        name: String,
    },
    /// The caller's own values contradict each other or what is registered; a fault of the calling program.
    #[error("the call contradicts the ledger: {0}")]
    Conflict(&'static str),
    /// A value is larger than the ledger takes.
    #[error("the {0} is too large for the ledger")]
    TooLarge(&'static str),
    /// The charge is no longer the latest of its request, or the request is settled; its result must be thrown away.
    #[error("the charge was superseded")]
    Superseded,
    /// The operating system gave no randomness.
    #[error("the operating system gave no randomness")]
    Randomness,
}

impl From<rusqlite::Error> for LedgerError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode;
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::Full,
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Corrupt(error.to_string()),
            _ => Self::Store(Box::new(error)),
        }
    }
}

/// Why [`charge`](crate::Ledger::charge) admitted nothing.
#[derive(Debug, thiserror::Error)]
pub enum ChargeError {
    /// The terms or the budget say no; may be told to the asker.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The ledger failed; nothing was charged.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// Why [`add_contract`](crate::Ledger::add_contract) did not take a contract.
#[derive(Debug, thiserror::Error)]
pub enum ContractError {
    /// The contract cannot stand; may be told to the officer.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The ledger failed; the contract was not taken.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// Why a job, a verdict on it or its cancellation was not taken.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// It cannot stand; may be told to whoever brought it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The ledger failed; nothing was taken.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

impl From<rusqlite::Error> for ChargeError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Ledger(error.into())
    }
}

impl From<rusqlite::Error> for ContractError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Ledger(error.into())
    }
}

impl From<rusqlite::Error> for JobError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Ledger(error.into())
    }
}
