//! The hostile guests against the real sandbox.
#![expect(clippy::unwrap_used, reason = "tests")]

mod list;
