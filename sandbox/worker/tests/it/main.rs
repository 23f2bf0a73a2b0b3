//! The worker from outside: in this process through its library, and as the sealed executable.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod calls;
mod fresh;
mod fuel;
mod messages;
mod process;
mod sealed;
mod start;
mod support;
