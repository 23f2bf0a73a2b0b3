//! How much noise, and the one gate through which an answer leaves.
//!
//! This crate knows how far one unit can move a table of exact integers (sensitivity), which discrete mechanism hides
//! that (OpenDP's), what it costs (the accountant), and when noise is drawn: in the gate, once, for a durable charge,
//! with the result committed before anybody holds it. It is the only crate that knows OpenDP. It never reads a dataset,
//! never keeps a running total (the ledger does), and never decides who may ask (policy does).
//!
//! Every number here comes from the request, the manifest or the plan; cells are the only values derived from rows, and
//! they come in as [`Protected`](glovebox_vault::Protected) and go out noised.
//!
//! Read in this order: [`bounding`] (how a unit's contribution is held down), [`appearance`] (the same for footage),
//! [`sensitivity`] (how far it can then reach), [`scale`] (noise scales as exact numbers), [`mechanism`] (the two noise distributions), [`accountant`]
//! ((ε, δ) and ρ), [`threshold`] (which keys appear, where none are listed), [`plan`] (the noise of one request, before any data is
//! read), [`key`] and [`cells`] (what goes into the gate
//! and what comes out), [`gate`] (the gate), [`table`] (what outside faces print).

pub mod accountant;
mod alone;
pub mod appearance;
pub mod bounding;
pub mod cells;
pub mod gate;
mod half_width;
pub mod key;
pub mod mechanism;
pub mod plan;
pub mod scale;
pub mod sensitivity;
pub mod table;
pub mod threshold;

pub use appearance::Appearance;
pub use bounding::Geometry;
pub use cells::{Exact, NoisyCells};
pub use gate::{GateError, Released, release, reopen};
pub use key::{KEY_TEXT_MAX_BYTES, Key, KeyPart};
pub use mechanism::MechanismKind;
pub use plan::{Ask, FoundKeys, NoisePlan, NoisedFamily, plan_keys, plan_noise};
pub use scale::Scale;
pub use sensitivity::Family;
pub use table::{Column, ColumnKind, Scalar, Table};
pub use threshold::Threshold;
