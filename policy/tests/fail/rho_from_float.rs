//! Floating point enters only by a name that says which way it rounds.

use glovebox_policy::{Delta, NanoEpsilon, Rho};

fn rho(value: f64) -> Rho {
    value.into()
}

fn delta(value: f64) -> Delta {
    value.into()
}

fn epsilon(value: f64) -> NanoEpsilon {
    value.into()
}

fn main() {}
