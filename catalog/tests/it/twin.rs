//! Synthetic twins: from the manifest alone, and inside everything that it declares.

use std::collections::BTreeMap;

use arrow::array::{Array, AsArray};
use arrow::datatypes::{Float64Type, Int64Type};
use glovebox_catalog::{UnitRuns, twin};

use crate::support::{lines, plain_visits, units, visits};

#[test]
fn the_same_seed_gives_the_same_rows() {
    let manifest = plain_visits();
    let one = twin(&manifest, 500, 7).unwrap();
    assert_eq!(one, twin(&manifest, 500, 7).unwrap());
    assert_ne!(lines(one.get()), lines(twin(&manifest, 500, 8).unwrap().get()));
    assert_eq!(one.get().num_rows(), 500);
    assert_eq!(one.get().schema(), manifest.arrow_schema());
    assert_eq!(twin(&manifest, 0, 1).unwrap().map(|batch| batch.num_rows()).into_inner(), 0);
}

#[test]
fn declared_sizes_keys_and_bounds_hold() {
    let manifest = visits(|text| text.replace("max_units = 100000", "max_units = 50"));
    let rows = twin(&manifest, 10_000, 1).unwrap().into_inner();
    let mut sizes: BTreeMap<Vec<u8>, u32> = BTreeMap::new();
    units(&rows).into_iter().for_each(|unit| *sizes.entry(unit).or_default() += 1);
    assert!(sizes.len() <= 50 && sizes.values().all(|rows| *rows <= 3));
    UnitRuns::new(&rows.schema()).unwrap().runs(&rows).unwrap();
    let wards = rows.column_by_name("ward").unwrap().as_string::<i32>();
    assert!(wards.iter().flatten().all(|ward| ward == "east" || ward == "west"));
    let costs = rows.column_by_name("cost").unwrap().as_primitive::<Float64Type>();
    assert!(costs.iter().flatten().all(|cost| (0.0..=100.0).contains(&cost)));
    assert_eq!(rows.column_by_name("person").unwrap().as_primitive::<Int64Type>().null_count(), 0);
}

#[test]
fn declared_uniqueness_holds() {
    let manifest = visits(|text| text.replace("classification", "unique = [[\"person\", \"ward\"]]\nclassification"));
    let rows = twin(&manifest, 2000, 3).unwrap().into_inner();
    let mut pairs: Vec<String> = lines(&rows.project(&[0, 1]).unwrap());
    let before = pairs.len();
    pairs.sort();
    pairs.dedup();
    assert_eq!(pairs.len(), before);
}
