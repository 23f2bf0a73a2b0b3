//! The rows that every attack is run on: eight units of two kinds, one after the other.
//!
//! The victims alternate, so that whatever a unit leaves behind is found by a unit of the other kind. They are made up;
//! nothing here was ever a person.

use std::ops::Range;
use std::sync::Arc;

use anyhow::Result;
use arrow::array::{ArrayRef, FixedSizeBinaryArray, Float64Array, Int64Array, StringArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, Field, Schema};
use arrow::record_batch::RecordBatch;

/// Bytes of a unit's identity.
const UNIT_BYTES: i32 = 16;

/// Units.
pub const UNITS: usize = 8;

/// The first value of every unit at an even place.
pub const FIRST_SECRET: i64 = 111;

/// The first value of every unit at an odd place.
pub const SECOND_SECRET: i64 = 222;

/// Most rows of a unit.
pub const MAX_ROWS_PER_UNIT: u32 = 4;

/// One victim's rows.
struct Victim {
    secret: i64,
    rows: usize,
    /// What lies in the buffer of weights, and whether the first row's weight is NULL although something lies there.
    weight_bits: u64,
    first_is_null: bool,
    name: String,
}

fn victim(place: usize) -> Victim {
    if place.is_multiple_of(2) {
        let rows = MAX_ROWS_PER_UNIT as usize;
        Victim { secret: FIRST_SECRET, rows, weight_bits: 99, first_is_null: true, name: "a".to_owned() }
    } else {
        Victim { secret: SECOND_SECRET, rows: 1, weight_bits: 7, first_is_null: false, name: "b".repeat(200) }
    }
}

/// All rows in one batch: `secret`, `weight`, `name`, and last the unit.
///
/// # Errors
/// Never for these rows; Arrow checks lengths.
pub fn rows() -> Result<RecordBatch> {
    let (mut secrets, mut weights, mut valid) = (Vec::new(), Vec::new(), Vec::new());
    let (mut names, mut units) = (Vec::new(), Vec::new());
    for place in 0..UNITS {
        let victim = victim(place);
        for row in 0..victim.rows {
            // Only the first value is the secret, so that a guest which reads a wrong row is seen.
            secrets.push(if row == 0 { victim.secret } else { 1 });
            weights.push(f64::from_bits(victim.weight_bits));
            valid.push(row > 0 || !victim.first_is_null);
            names.push(victim.name.clone());
            units.push([u8::try_from(place)?; UNIT_BYTES as usize]);
        }
    }
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from(secrets)),
        Arc::new(Float64Array::new(weights.into(), Some(NullBuffer::from(valid)))),
        Arc::new(StringArray::from(names)),
        Arc::new(FixedSizeBinaryArray::try_from_iter(units.into_iter())?),
    ];
    Ok(RecordBatch::try_new(Arc::new(schema()), columns)?)
}

fn schema() -> Schema {
    Schema::new(vec![
        Field::new("secret", DataType::Int64, false),
        Field::new("weight", DataType::Float64, true),
        Field::new("name", DataType::Utf8, false),
        Field::new("__gb_unit", DataType::FixedSizeBinary(UNIT_BYTES), false),
    ])
}

/// Rows of a batch, and whether they continue the unit that the batch before ended with.
pub type Run = (Range<usize>, bool);

/// The rows of some units, by their places, cut into batches of at most `batch_rows`, as a scan gives them, with the
/// unit runs of each.
///
/// # Errors
/// As [`rows`].
pub fn batches(units: Range<usize>, batch_rows: usize) -> Result<Vec<(RecordBatch, Vec<Run>)>> {
    let all = rows()?;
    let starts: Vec<usize> = (0..=UNITS)
        .scan(0, |next, place| {
            let start = *next;
            *next += victim(place).rows;
            Some(start)
        })
        .collect();
    let start_of = |unit: usize| starts.get(unit).copied().unwrap_or(all.num_rows());
    let (mut from, end) = (start_of(units.start), start_of(units.end));
    let mut batches = Vec::new();
    while from < end {
        let to = (from + batch_rows.max(1)).min(end);
        let inside = starts.iter().copied().filter(|start| (from + 1..to).contains(start));
        let cuts: Vec<usize> = std::iter::once(from).chain(inside).chain([to]).collect();
        let runs = cuts.windows(2).filter_map(|pair| match *pair {
            [start, end] => Some((start - from..end - from, !starts.contains(&start))),
            _ => None,
        });
        batches.push((all.slice(from, to - from), runs.collect()));
        from = to;
    }
    Ok(batches)
}
