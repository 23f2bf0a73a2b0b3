//! The byte contract of the sandbox: what the host, a sealed worker and a guest say to each other.
//!
//! This crate holds names, limits, layouts, encoders and strict decoders over plain byte slices. It runs no guest,
//! knows neither wasmtime nor Arrow, decides nothing about privacy and keeps no state. Every decoder treats its input
//! as hostile: lengths are compared with their caps before anything is allocated, and whatever is not exactly what an
//! encoder of this crate would have written is an error.
//!
//! Read in this order: [`abi`] (names and limits of a `gbx/1` guest), [`frame`] (one unit's rows as a guest sees them;
//! [`frame_read`] is the reader that tests check guests and encoders with), [`message`] (length prefix and errors),
//! [`start`] (what a worker is told first), [`batch`] (frames to a worker), [`slot`] and [`results`] (what comes back).

pub mod abi;
pub mod batch;
mod cursor;
pub mod frame;
pub mod frame_read;
pub mod message;
pub mod results;
pub mod slot;
pub mod start;

pub use batch::{Batch, BatchBuilder};
pub use frame::{Bits, ColumnType, FrameBuilder, FrameError, fixed_frame_bytes};
pub use frame_read::Frame;
pub use message::{WireError, message_len, read_message};
pub use results::{Results, Trace, TracedResults};
pub use slot::{Outcome, Slot, SlotLayout, SlotMut};
pub use start::{Area, Call, Reply, Start, StartRefusal};
