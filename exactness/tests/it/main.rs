//! Exact cells against their declarations, on generated rows.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod agreement;
mod audit;
mod canary;
mod corpus;
mod data;
mod flights;
mod footage;
mod footage_jobs;
mod found_keys;
mod jobs;
mod neighbours;
mod one_row;
mod public;
mod reference;
mod totality;
