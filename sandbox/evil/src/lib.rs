//! Hostile guests: what an analyst who means harm would submit, and what must become of each.
//!
//! Every attack goes the way of an honest module: the module check, the check against a job, compilation in a sealed
//! worker, and a run over made-up rows of two victims that alternate. Where each of them ends, with which words, with
//! which outcome per unit and which exact cells, stands in `expected.snap`. Workers with a bug planted show that the
//! record would notice.
//!
//! This crate is never published, nobody depends on it, and it never sees a row of a dataset.
//!
//! Read [`attack`] (the list), `guests/` (most of the attacks), `malformed` and `bombs` (the others), [`input`] (the
//! victims), [`suite`] (one attack through the sandbox, and the line that it leaves), [`record`] (all lines, and what is
//! expected), [`planted`] (workers with a bug).

pub mod attack;
mod bombs;
pub mod input;
mod malformed;
pub mod planted;
pub mod record;
pub mod suite;
