//! The tests of `glovebox-policy`: names, numbers, refusals, signatures, contracts and decisions.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod application;
mod approval;
mod contract;
mod decide;
mod dsse;
mod id;
mod matrix;
mod number;
mod public;
mod refusal;
mod replay;
mod support;
mod text;

/// Each program in `tests/fail` must be refused by the compiler, with the words in its `.stderr`.
#[test]
fn programs_that_must_not_compile() {
    trybuild::TestCases::new().compile_fail("tests/fail/*.rs");
}
