//! The pipeline from inside one process: crashes, sharing, ticks, and who may ask.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod bill;
mod crash;
mod every_reason;
mod footage;
mod found_keys;
mod freeze;
mod identifiers;
mod jobs;
mod lost;
mod public_tables;
mod refusals;
mod replay;
mod sharing;
mod two_officers;
mod unit_joins;
mod world;
