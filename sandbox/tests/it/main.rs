//! Tests of the host side of WASM jobs: what is accepted, what crosses to a worker, what one unit can move, and that
//! neither cutting nor crashes change a cell.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod bound;
mod crashes;
mod flights;
mod frames;
mod module;
mod neighbours;
mod operator;
mod spec;
mod stand_in;
mod support;
mod trace;
