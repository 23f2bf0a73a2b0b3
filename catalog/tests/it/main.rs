//! Tests of the catalog through its public face.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod catalog;
mod draft;
mod examples;
mod footage;
mod ingest;
mod manifest;
mod public_table;
mod scan;
mod support;
mod twin;
mod unit_partitions;
mod unit_runs;
