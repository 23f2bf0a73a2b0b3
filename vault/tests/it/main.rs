//! The tests of `glovebox-vault`: what must not compile, and what may be seen.

use glovebox_vault::{Expose, Protected};

/// Each program in `tests/fail` must be refused by the compiler, with the words in its `.stderr`.
#[test]
fn programs_that_must_not_compile() {
    trybuild::TestCases::new().compile_fail("tests/fail/*.rs");
}

#[test]
fn what_is_sealed_comes_out_unchanged() {
    let mut rows = Protected::seal(vec![3, 1, 2]);
    rows.expose_mut().sort_unstable();
    assert_eq!(rows.expose_ref(), &[1, 2, 3]);
    assert_eq!(rows.expose(), [1, 2, 3]);
}

#[test]
fn debug_prints_one_constant_whatever_is_inside() {
    #[derive(Debug)]
    struct Holder {
        _private: Protected<&'static str>,
    }
    let holder = Holder { _private: Protected::seal("alice, 1947-03-02") };
    assert_eq!(format!("{holder:?}"), "Holder { _private: Protected(…) }");
    for text in [format!("{:?}", Protected::seal(1)), format!("{:#?}", Protected::seal([0_u8; 4096]))] {
        assert_eq!(text, "Protected(…)");
    }
    let padded = format!("{:40?}", Protected::seal(f64::NAN));
    assert_eq!(padded.trim_end(), "Protected(…)");
}

/// A `Debug` that asked for `T: Debug` would be one step from printing it.
#[test]
fn debug_asks_nothing_of_what_is_inside() {
    struct Opaque;
    assert_eq!(format!("{:?}", Protected::seal(Opaque)), "Protected(…)");
}
