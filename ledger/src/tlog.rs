//! The log as others read it: the C2SP formats of transparency logs, as pure functions over bytes.
//!
//! Nothing in here opens the ledger. `read` on the ledger's side feeds these functions; an auditor without server and
//! account feeds them from files.

pub(crate) mod entry;
pub mod note;
