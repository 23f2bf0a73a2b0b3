//! The byte contract from outside: what is written is read back, and nothing else is read.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod frames;
mod hostile;
mod messages;
mod support;
