//! WASM jobs, as the host sees them: checked modules, sealed workers, bounded contributions.
//!
//! An analyst's module is read, never run, in this process ([`module`]); it runs in `glovebox-worker`, a sealed process
//! per core, spoken to in bytes alone. One unit's rows go in at a time, at most `max_rows` rows of numbers come out, and
//! what they may change is bounded here, where no guest can reach: [`bound`].
//!
//! This crate never compiles or runs a module, adds no noise, knows no budget, and decides nothing about who may ask.
//! No unit id, row or text of a guest leaves it, except in [`trace_units`], which takes no protected rows; exact cells
//! leave shut, and errors are constant texts.
//!
//! Read in this order: [`module`] and [`spec`] (what is accepted, from public facts), [`bound`] (the bounds, with the
//! privacy obligation), `operator` ([`map_units`], the whole on one page), `pack` and `frame` (rows to bytes), `workers` and
//! `process` (who runs them, and what happens when a worker dies), `trace` (local runs).

pub mod bound;
mod fault;
mod frame;
pub mod module;
mod operator;
mod pack;
mod process;
pub mod spec;
mod trace;
mod workers;

pub use bound::SelectionKey;
pub use fault::SandboxFault;
pub use frame::column_type;
pub use glovebox_wire::ColumnType;
pub use module::{MAX_NESTED_LOOPS, MAX_NESTING, Module, ModuleFacts, ModuleFault};
pub use operator::map_units;
pub use pack::UNIT_COLUMN;
pub use spec::{Bounding, DefaultRow, MapSpec, SpecFault, UnitSize, ValueSpec};
pub use trace::{UnitTrace, trace_units};
pub use workers::{MAX_CRASHES, WorkerConfig, Workers, try_compile};
