//! DP SQL: from a statement to exact cells, and from a release to an answer.
//!
//! Three phases that share no session. *Analyse* sees names and declarations: caps on the text ([`guard`](mod@guard)),
//! lifting of GoogleSQL's clauses, an allow-list over syntax, plan nodes, expressions and functions. *Inner* reads rows, in
//! a session that carries the scan capability and never leaves this crate, and makes integers that one unit can move
//! by a declared amount. *Outer* post-processes the release, in a session that holds only the release.
//!
//! This crate adds no noise, keeps no budget, decides nothing, and never returns a row, an engine's error text, a
//! statistic or a plan. There is no noise node in a plan and no way to run the inner plan and keep its result: exact
//! cells leave shut, as [`glovebox_privacy::Exact`] or `Protected`.
//!
//! Read in this order: [`analysis`] (the whole on one page), then `guard`, `lift`, `parse`, `plan` (text to plan),
//! `flatten`, `join`, `unit_join`, [`functions`] (which may be called), `stubs`, `total`, `safe`, `dates`, `calls`, `numbers`,
//! `texts`, `patterns`, `interval`, `lengths`, `canonical`, `scope`, `keys`, `inner`, `aggregates`, `per_unit`, `measure`,
//! `output` (what is asked), `rows`, `positions`, `pairs`, `lookup`, `found`, `gather`, `unit_rows`, `choice`, `linear`, [`fold`]
//! (exact cells, with the privacy obligation), `plain`, `plain_functions` (the same by DataFusion's own nodes), `outer`, `noised`,
//! `tables`, `preview`;
//! `roles` (what policy decides on) and [`work`](mod@work) (what time is reserved by).

mod aggregates;
pub mod analysis;
mod calls;
mod canonical;
mod choice;
mod dates;
mod flatten;
pub mod fold;
mod found;
pub mod functions;
mod gather;
pub mod guard;
mod inner;
mod interval;
mod join;
mod keys;
mod lengths;
mod lift;
mod linear;
mod lookup;
mod measure;
mod noised;
mod numbers;
mod outer;
mod output;
mod pairs;
mod parse;
mod patterns;
mod per_unit;
mod plain;
mod plain_functions;
mod plan;
mod positions;
mod preview;
mod roles;
mod rows;
mod safe;
mod scope;
mod stubs;
mod tables;
mod texts;
mod total;
mod unit_join;
mod unit_rows;
pub mod work;

pub use analysis::{Analysis, Defaults, Draft, preview_columns};
pub use choice::SelectionKey;
pub use fold::Parallelism;
pub use lift::{Options, parameter_count};
pub use rows::InnerFault;
pub use tables::twin_table;
pub use work::Work;
