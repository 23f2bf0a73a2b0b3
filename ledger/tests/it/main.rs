//! The ledger as its callers see it.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod access;
mod caps;
mod certificate;
mod crash;
mod job;
mod life;
mod log;
mod model;
mod store;
mod stored;
mod support;
mod threads;
