//! What a Glovebox job is written with.
//!
//! A `map` job is one function. It is called once for each privacy unit (a person, an aircraft), in a fresh instance of
//! its module, sees that unit's rows and nothing else, and answers with a few rows `(key, values)`. [`map_job!`] turns
//! such a function into a module of the interface `gbx/1`: no imports, memory of a fixed size, constant addresses.
//!
//! ```
//! use glovebox_guest_sdk::{Emit, map_job};
//!
//! map_job! {
//!     struct Person { year: i64, spent: f64 }
//!     input { rows: 5, text_bytes: 0 }
//!     output { rows: 1, values: 1 }
//!     memory { heap_bytes: 4096 }
//!     map: total;
//! }
//!
//! fn total(person: &Person<'_>, emit: &mut Emit<'_, 1>) {
//!     let spent: f64 = person.spent.iter().flatten().sum();
//!     emit.row(0, [spent]);
//! }
//! # fn main() {}
//! ```
//!
//! It never does input or output, asks for the time or for chance: a module has no imports. It never bounds, clips or adds
//! noise either; the host does that, whatever a job returns. It depends on no other crate, and compiled for the machine
//! one works on it lets a job's function have ordinary unit tests ([`sample`]).
//!
//! Read [`frame`] (a unit as bytes), [`column`](mod@column) (typed views of it), [`emit`](mod@emit) (the answer), then [`memory`]
//! (fixed areas and the allocator), [`log`](mod@log), and [`macros`](mod@macros) (what ties them to a module's exports).

#![no_std]

extern crate alloc;

pub mod column;
pub mod emit;
pub mod frame;
pub mod log;
pub mod macros;
pub mod memory;
pub mod sample;

pub use column::{Booleans, Floats, Integers, Texts};
pub use emit::Emit;
pub use frame::{Frame, FrameFault};
pub use sample::Sample;

/// The version of the interface between host and module that [`map_job!`] keeps.
pub const ABI: i32 = 1;
