//! The ledger as its callers see it.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod access;
mod applications;
mod bill;
mod caps;
mod certificate;
mod claim;
mod crash;
mod decision;
mod freeze;
mod job;
mod life;
mod log;
mod model;
mod proof;
mod published;
mod store;
mod stored;
mod support;
mod tampered;
mod threads;
mod tiles;
mod two_officers;
