//! Each planted bug is seen: the record differs, where it must.

use std::path::Path;

use glovebox_evil::record;
use glovebox_evil::suite::Suite;

use crate::support::{named, wait_for};

/// Runs attacks with a worker and gives those that do not end as expected.
fn caught(worker: &str, names: &[&str]) -> Vec<String> {
    let (suite, expected) = (Suite::new(Path::new(worker)), record::committed().unwrap());
    wait_for(async {
        let mut caught = Vec::new();
        for name in names {
            let line = record::observe(&suite, &named(name)).await;
            if expected.get(*name).unwrap() != &line {
                caught.push((*name).to_owned());
            }
        }
        caught
    })
}

#[test]
fn a_worker_that_reuses_its_instance_is_caught() {
    let leaks = [
        "canary-address-zero",
        "canary-counter",
        "canary-data",
        "canary-dropped-data",
        "canary-dropped-elements",
        "canary-global",
        "canary-last-byte",
        "canary-memory",
        "canary-null",
        "canary-table",
        "canary-then-spin",
        "canary-then-trap",
        "canary-vector",
        "residue-input",
        "residue-output",
        "scribble",
    ];
    assert_eq!(caught(env!("CARGO_BIN_EXE_planted-reuse-instance"), &leaks), leaks);
}

#[test]
fn a_worker_that_skips_the_default_row_is_caught() {
    let failures = [
        "convert-nan",
        "copy-stall",
        "divide-by-zero",
        "divide-overflow",
        "fill-beyond",
        "fill-stall",
        "fuel-meter",
        "huge-n",
        "indirect-null",
        "load-beyond",
        "negative-n",
        "one-row-too-many",
        "recursion",
        "spin",
        "spin-after-rows",
        "trap-one-victim",
        "trap-storm",
        "unreachable",
    ];
    assert_eq!(caught(env!("CARGO_BIN_EXE_planted-skip-default"), &failures), failures);
}

#[test]
fn an_honest_guest_shows_no_difference_between_the_workers() {
    let quiet: [String; 0] = [];
    assert_eq!(caught(env!("CARGO_BIN_EXE_planted-reuse-instance"), &["honest", "nan", "extremes"]), quiet);
    assert_eq!(caught(env!("CARGO_BIN_EXE_planted-skip-default"), &["honest", "nan", "extremes"]), quiet);
}
