//! Tests of the analysis through its public face: what is accepted, what is refused and how.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod explore;
mod support;
