//! A budget is never subtracted from, and a sum that wraps is never written.

use glovebox_policy::{Delta, Rho};

fn refund(spent: Rho, back: Rho) -> Rho {
    spent - back
}

fn add(spent: Delta, more: Delta) -> Delta {
    spent + more
}

fn main() {}
