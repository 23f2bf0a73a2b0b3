//! A hash of few possible values is the value.

use glovebox_vault::Protected;

fn mark(value: impl std::hash::Hash) {
    let _ = value;
}

fn fingerprint(age: Protected<u8>) {
    mark(age);
}

fn main() {}
