//! Tests of the street: the same bytes everywhere, the truth as drawn, and neighbours.
#![expect(clippy::unwrap_used, reason = "tests")]

mod countable;
mod determinism;
mod truth;
