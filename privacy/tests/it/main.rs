//! The gate and its noise, from outside: with a real ledger, real permits and real charges.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod gate;
mod noise;
mod randomness;
mod support;
