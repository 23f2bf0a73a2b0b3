//! The log as others read it: the C2SP formats of transparency logs, as functions over bytes and files.
//!
//! Nothing in here opens the ledger. The ledger feeds these functions from its store (`publish`); an auditor without
//! server and account feeds them from files that he was given ([`offline`]).
//!
//! Read in this order: [`note`], [`checkpoint`] (the signed head), [`proof`] (inclusion and consistency), [`tlog_proof`]
//! (one entry's proof as a file), [`tile`] (the files of a log), [`export`] (a log as a directory), [`offline`] (what is
//! checked of such a directory).

pub mod checkpoint;
pub(crate) mod entry;
pub mod export;
pub mod note;
pub mod offline;
pub mod proof;
pub mod tile;
pub mod tlog_proof;
