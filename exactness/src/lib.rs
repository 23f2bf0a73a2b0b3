//! Are exact cells what they are declared to be? A test crate, unpublished; no product crate depends on it.
//!
//! Its tests open protected cells, which the other crates' tests cannot: they compare cells of neighbouring datasets
//! with the declared sensitivity, the ordered fold with the plan of plain nodes and with a naive sum in plain Rust, and
//! they try to make accepted questions fail. It never ships, holds no product code, and reads only rows that it made.
//!
//! Read [`neighbour`] first (the rule itself, on plain integers), then `tests/it/data.rs` (what rows look like),
//! `tests/it/corpus.rs` (the questions) and the tests. [`audit`] looks at the other half: at the noise, by statistics.

pub mod audit;
pub mod neighbour;
