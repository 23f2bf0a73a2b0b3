//! The gate takes the permit by value, so that a second release has none.

use glovebox_policy::Permit;

fn gate(permit: Permit) {
    drop(permit);
}

fn release_twice(permit: Permit) {
    gate(permit);
    gate(permit);
}

fn main() {}
