//! A refusal holds a reason from the closed list and a short quotation, and no value or error.

use glovebox_policy::{Reason, Refusal};

fn row(row: &[i64]) -> Refusal {
    Refusal::about(Reason::Internal, row)
}

fn error(error: std::fmt::Error) -> Refusal {
    error.into()
}

fn main() {}
