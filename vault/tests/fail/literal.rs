//! It is sealed by the trait, not written down.

use glovebox_vault::Protected;

fn forge() -> Protected<i64> {
    Protected { inner: 41 }
}

fn take_apart(sum: Protected<i64>) -> i64 {
    let Protected { inner } = sum;
    inner
}

fn main() {}
