//! Made-up rows: one per unit, one value each.

use std::ops::Range;
use std::sync::Arc;

use anyhow::Result;
use arrow::array::{ArrayRef, FixedSizeBinaryArray, Int64Array};
use arrow::datatypes::{DataType, Field, Schema};
use arrow::record_batch::RecordBatch;
use glovebox_sandbox::{Bounding, DefaultRow, MapSpec, ValueSpec};

/// Units of a measurement.
pub(crate) const UNITS: usize = 245_760;

/// Rows of a record batch, as a scan gives them.
const BATCH_ROWS: usize = 8_192;

/// Keys of the job.
pub(crate) const KEYS: u32 = 8;

/// Largest value that counts.
pub(crate) const HIGH: i64 = 1_000;

/// A batch and the unit runs in it.
pub(crate) type Batch = (RecordBatch, Vec<(Range<usize>, bool)>);

/// The value of a unit.
pub(crate) fn value(unit: usize) -> i64 {
    i64::try_from(unit * 7_919 % 1_009).unwrap_or(0)
}

/// All batches.
pub(crate) fn batches() -> Result<Vec<Batch>> {
    let schema = Arc::new(Schema::new(vec![
        Field::new("value", DataType::Int64, false),
        Field::new("__gb_unit", DataType::FixedSizeBinary(16), false),
    ]));
    let mut batches = Vec::new();
    for from in (0..UNITS).step_by(BATCH_ROWS) {
        let units = from..(from + BATCH_ROWS).min(UNITS);
        let ids = units.clone().map(|unit| (unit as u128 + 1).to_be_bytes());
        let columns: Vec<ArrayRef> = vec![
            Arc::new(Int64Array::from_iter_values(units.clone().map(value))),
            Arc::new(FixedSizeBinaryArray::try_from_iter(ids)?),
        ];
        let runs = (0..units.len()).map(|row| (row..row + 1, false)).collect();
        batches.push((RecordBatch::try_new(Arc::clone(&schema), columns)?, runs));
    }
    Ok(batches)
}

/// The job: eight keys, one value, units counted.
pub(crate) fn job(fuel: u64) -> MapSpec {
    MapSpec {
        max_rows: 1,
        keys: KEYS,
        max_keys: 1,
        bounding: Bounding::Unit,
        values: vec![ValueSpec { low: 0, high: HIGH, step: 1.0 }],
        count_units: true,
        default: DefaultRow { key: 0, values: vec![0] },
        fuel,
        params: Vec::new(),
    }
}
