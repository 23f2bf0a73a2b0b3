//! The SDK as a job and the host see it, on the machine one works on.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod frames;
mod jobs;
mod memory;
