//! Unit runs: planted disorder is caught, wherever a batch ends.

use std::sync::Arc;

use arrow::array::{ArrayRef, FixedSizeBinaryArray, Int64Array};
use arrow::datatypes::Schema;
use arrow::record_batch::RecordBatch;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures::StreamExt;
use glovebox_catalog::manifest::Manifest;
use glovebox_catalog::{UNIT_BYTES, UNIT_COLUMN, UnitRunStream, UnitRuns, UnitRunsError};

fn batch(units: &[u8]) -> RecordBatch {
    let values = units.iter().map(|unit| Some([*unit; UNIT_BYTES]));
    let column = FixedSizeBinaryArray::try_from_sparse_iter_with_size(values, UNIT_BYTES as i32).unwrap();
    let number: ArrayRef = Arc::new(Int64Array::from_iter_values(0..units.len() as i64));
    RecordBatch::try_from_iter([("n", number), (UNIT_COLUMN, Arc::new(column) as ArrayRef)]).unwrap()
}

/// Walks batches and writes runs as `start-end`, with `+` for a run that continues the unit before.
fn check(batches: &[&[u8]], expected: Result<&str, UnitRunsError>) {
    let mut walk = UnitRuns::new(&batch(&[]).schema()).unwrap();
    let mut out = Vec::new();
    for units in batches {
        let batch = batch(units);
        match walk.runs(&batch) {
            Ok(runs) => {
                let sign = |continues| if continues { "+" } else { "" };
                let runs = runs.iter().map(|run| format!("{}{}-{}", sign(run.continues), run.rows.start, run.rows.end));
                out.push(runs.collect::<Vec<_>>().join(" "));
            }
            Err(error) => {
                assert_eq!(Err(error), expected, "{batches:?}");
                assert_eq!(walk.runs(&batch).unwrap_err(), UnitRunsError::Failed, "it stays closed");
                return;
            }
        }
    }
    assert_eq!(Ok(out.join(" | ").as_str()), expected, "{batches:?}");
}

#[test]
fn runs_of_sorted_streams() {
    check(&[], Ok(""));
    check(&[&[1, 1, 2, 3, 3, 3]], Ok("0-2 2-3 3-6"));
    check(&[&[1, 1], &[1, 2], &[2]], Ok("0-2 | +0-1 1-2 | +0-1"));
    check(&[&[1], &[], &[1], &[2]], Ok("0-1 |  | +0-1 | 0-1"));
    check(&[&[0, 0], &[0]], Ok("0-2 | +0-1"));
    check(&[&[255], &[255]], Ok("0-1 | +0-1"));
}

#[test]
fn split_and_unsorted_units_fail() {
    check(&[&[1, 2, 1]], Err(UnitRunsError::Unsorted));
    check(&[&[2, 1]], Err(UnitRunsError::Unsorted));
    check(&[&[1, 2], &[1]], Err(UnitRunsError::Unsorted));
    check(&[&[1, 2], &[2, 3], &[], &[2]], Err(UnitRunsError::Unsorted));
}

#[test]
fn slices_are_walked_from_their_own_start() {
    let whole = batch(&[9, 1, 1, 2, 0]);
    let mut walk = UnitRuns::new(&whole.schema()).unwrap();
    let runs: Vec<_> = walk.runs(&whole.slice(1, 3)).unwrap().iter().map(|run| run.rows.clone()).collect();
    assert_eq!(runs, [0..2, 2..3]);
}

#[test]
fn rows_without_a_unit_fail() {
    let column =
        FixedSizeBinaryArray::try_from_sparse_iter_with_size([Some([1; UNIT_BYTES]), None].into_iter(), 16).unwrap();
    let batch = RecordBatch::try_from_iter([(UNIT_COLUMN, Arc::new(column) as ArrayRef)]).unwrap();
    assert_eq!(UnitRuns::new(&batch.schema()).unwrap().runs(&batch).unwrap_err(), UnitRunsError::NullUnit);
    assert_eq!(UnitRuns::new(&Schema::empty()).unwrap_err(), UnitRunsError::NoUnitColumn);
    let text = RecordBatch::try_from_iter([(UNIT_COLUMN, Arc::new(Int64Array::from(vec![1])) as ArrayRef)]).unwrap();
    assert_eq!(UnitRuns::new(&text.schema()).unwrap_err(), UnitRunsError::NoUnitColumn);
    let mut walk = UnitRuns::new(&batch.schema()).unwrap();
    assert_eq!(walk.runs(&text).unwrap_err(), UnitRunsError::NoUnitColumn, "a batch of another schema");
}

#[test]
fn partitions_that_share_a_unit_fail() {
    let span = |units: &[u8]| {
        let batch = batch(units);
        let mut walk = UnitRuns::new(&batch.schema()).unwrap();
        walk.runs(&batch).unwrap();
        walk.span()
    };
    let apart = [span(&[5, 6]), span(&[]), span(&[1, 2]), span(&[3])];
    assert_eq!(UnitRuns::check_disjoint(apart.into_iter().flatten()), Ok(()));
    for shared in [&[2, 4][..], &[0, 9], &[6], &[3]] {
        let spans = apart.into_iter().chain([span(shared)]).flatten();
        assert_eq!(UnitRuns::check_disjoint(spans), Err(UnitRunsError::Split), "{shared:?}");
    }
}

#[tokio::test]
async fn the_stream_ends_at_its_first_error() {
    let batches = [batch(&[1, 1]), batch(&[1, 2]), batch(&[1]), batch(&[3])];
    let input = RecordBatchStreamAdapter::new(batches[0].schema(), futures::stream::iter(batches.clone().map(Ok)));
    let stream = UnitRunStream::new(Box::pin(input)).unwrap();
    let seen: Vec<Result<usize, String>> =
        stream.map(|item| item.map(|(_, runs)| runs.len()).map_err(|error| error.to_string())).collect().await;
    assert_eq!(seen, [Ok(1), Ok(2), Err("Execution error: the units are not in order".to_owned())]);
}

#[test]
fn declared_columns_cannot_take_the_name_of_the_unit_column() {
    let text = format!("[[columns]]\nname = \"{UNIT_COLUMN}\"\n");
    let report = Manifest::parse(&text).unwrap_err();
    assert!(report.problems.iter().any(|problem| problem.path == "columns[0].name"), "{report}");
}
