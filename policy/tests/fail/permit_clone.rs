//! One decision, one release; and no copy in a file.

use glovebox_policy::Permit;

fn twice(permit: &Permit) -> Permit {
    Clone::clone(permit)
}

fn write(value: impl serde::Serialize) {
    let _ = value;
}

fn store(permit: Permit) {
    write(permit);
}

fn main() {}
