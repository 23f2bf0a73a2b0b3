//! The binary from outside: arguments, files, exit codes, and one life of a small bureau.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod bureau;
mod guest;
mod jobs;
mod jobs_offline;
mod keys_and_contracts;
mod kill;
mod life;
mod public_record;
mod state;
mod tampered;
mod usage;
