//! The hostile guests against the real sandbox.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod expected;
mod list;
mod neighbours;
mod plants;
mod support;
