//! Tests of the analysis through its public face: what is accepted, what is refused and how.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod arithmetic;
mod caps;
mod digests;
mod footage;
mod found_keys;
mod joins;
mod parameters;
mod per_unit;
mod previews;
mod refusals;
mod roles;
mod subqueries;
mod support;
mod unit_joins;
