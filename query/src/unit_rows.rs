//! The rows that a level per unit makes, in the order of units, handed on to the fold unit by unit.
//!
//! The privacy obligation is that of [`crate::per_unit`]: a row is made when its unit is over, of that unit's sums alone.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Float64Array, Int64Array, RecordBatch, RecordBatchOptions, StringArray,
    TimestampMicrosecondArray,
};
use arrow::datatypes::{DataType, Schema, SchemaRef};
use glovebox_catalog::{KeyValue, UNIT_BYTES};

use crate::fold::UnitFold;
use crate::gather::Gather;
use crate::inner::Inner;
use crate::output::Output;
use crate::per_unit::{PerUnit, Value};
use crate::rows::{InnerFault, RowReader, Rows};

/// Rows that are made before they are handed on.
const BATCH_ROWS: usize = 8_192;

/// Makes the rows of units.
pub(crate) struct UnitRows {
    level: Arc<PerUnit>,
    /// Reads the dataset's rows.
    reader: Arc<RowReader>,
    /// Reads the rows that are made.
    above: RowReader,
    schema: SchemaRef,
    gather: Gather,
    unit: Option<[u8; UNIT_BYTES]>,
    made: Vec<Made>,
    /// Units with rows in `made`, and which.
    units: Vec<([u8; UNIT_BYTES], Range<usize>)>,
}

/// One row: its group within the unit and its clamped sums.
struct Made {
    group: u32,
    sums: Vec<i64>,
}

impl UnitRows {
    /// A level over batches of `schema`.
    pub(crate) fn new(level: &Arc<PerUnit>, inner: &Inner, schema: &Schema) -> Result<Self, InnerFault> {
        let above = level.scope.arrow_schema();
        Ok(Self {
            level: Arc::clone(level),
            reader: Arc::new(RowReader::of_level(level, schema)?),
            above: RowReader::new(inner, &above)?,
            schema: above,
            gather: Gather::new(&level.measures, level.groups(), inner.table.rows),
            unit: None,
            made: Vec::new(),
            units: Vec::new(),
        })
    }

    /// What reads the dataset's rows for this level.
    pub(crate) fn reader(&self) -> Arc<RowReader> {
        Arc::clone(&self.reader)
    }

    /// Ends the unit before, and begins another one.
    pub(crate) fn begin(&mut self, unit: [u8; UNIT_BYTES], fold: &mut UnitFold) -> Result<(), InnerFault> {
        self.close();
        self.unit = Some(unit);
        if self.made.len() >= BATCH_ROWS { self.hand_on(fold) } else { Ok(()) }
    }

    /// Adds rows of the current unit.
    pub(crate) fn add(&mut self, rows: &Rows, range: Range<usize>) -> Result<(), InnerFault> {
        self.gather.add(rows, range)
    }

    /// Ends the last unit.
    pub(crate) fn end(&mut self, fold: &mut UnitFold) -> Result<(), InnerFault> {
        self.close();
        self.hand_on(fold)
    }

    /// Makes the rows of the current unit.
    fn close(&mut self) {
        let first = self.made.len();
        for (place, group) in self.gather.groups.iter().enumerate() {
            let clamped = self.gather.sums(place).iter().zip(&self.level.measures);
            let sums = clamped.map(|(sum, measure)| (*sum).clamp(measure.clamp.0, measure.clamp.1));
            self.made.push(Made { group: *group, sums: sums.collect() });
        }
        self.gather.clear();
        if let Some(unit) = self.unit.take()
            && first < self.made.len()
        {
            self.units.push((unit, first..self.made.len()));
        }
    }

    /// Hands complete units on.
    fn hand_on(&mut self, fold: &mut UnitFold) -> Result<(), InnerFault> {
        let rows = self.above.read(&self.batch()?)?;
        for (unit, range) in self.units.drain(..) {
            fold.begin(unit);
            fold.add(&rows, range)?;
        }
        self.made.clear();
        Ok(())
    }

    fn batch(&self) -> Result<RecordBatch, InnerFault> {
        let mut columns: Vec<ArrayRef> = Vec::new();
        for (place, key) in self.level.keys.iter().enumerate() {
            let values: Vec<Option<&KeyValue>> =
                self.made.iter().map(|made| self.level.key_value(place, made.group)).collect();
            columns.push(key_array(&key.data_type, &values));
        }
        for value in &self.level.columns {
            columns.push(self.column(value).ok_or(InnerFault::at("a level per unit"))?);
        }
        let options = RecordBatchOptions::new().with_row_count(Some(self.made.len()));
        RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)
            .map_err(|_| InnerFault::at("a level per unit"))
    }

    fn column(&self, value: &Value) -> Option<ArrayRef> {
        let sums = |index: usize| self.made.iter().map(move |made| made.sums.get(index).copied());
        let present = |index: usize| value.present.is_none_or(|count| sums_at(&self.made, index, count));
        Some(match &value.output {
            Output::Count { measure } => Arc::new(sums(*measure).collect::<Int64Array>()),
            Output::Sum { measure, scale } => {
                let sums = sums(*measure).enumerate().map(|(row, sum)| sum.filter(|_| present(row)));
                if scale.whole {
                    Arc::new(sums.collect::<Int64Array>())
                } else {
                    Arc::new(sums.map(|sum| Some(scale.value(sum? as f64))).collect::<Float64Array>())
                }
            }
            Output::Mean { sum, count, scale, centre } => {
                let means = sums(*sum).zip(sums(*count)).map(|(sum, count)| {
                    let count = count.filter(|count| *count > 0)?;
                    Some(scale.value(*centre as f64 + sum? as f64 / count as f64))
                });
                Arc::new(means.collect::<Float64Array>())
            }
            Output::Spread { .. } => return None,
        })
    }
}

/// Whether a row had any values.
fn sums_at(made: &[Made], row: usize, count: usize) -> bool {
    made.get(row).and_then(|made| made.sums.get(count)).is_some_and(|count| *count > 0)
}

/// The values of a key as a column; `None` is what is not on the public list.
pub(crate) fn key_array(data_type: &DataType, values: &[Option<&KeyValue>]) -> ArrayRef {
    let ints = || values.iter().map(|v| if let Some(KeyValue::Int(v)) = v { Some(*v) } else { None });
    match data_type {
        DataType::Int64 => Arc::new(ints().collect::<Int64Array>()),
        DataType::Date32 => {
            Arc::new(ints().map(|v| v.and_then(|day| i32::try_from(day).ok())).collect::<Date32Array>())
        }
        DataType::Timestamp(..) => Arc::new(ints().collect::<TimestampMicrosecondArray>()),
        DataType::Boolean => Arc::new(
            values
                .iter()
                .map(|v| if let Some(KeyValue::Bool(v)) = v { Some(*v) } else { None })
                .collect::<BooleanArray>(),
        ),
        _ => Arc::new(
            values
                .iter()
                .map(|v| if let Some(KeyValue::Text(v)) = v { Some(v.as_str()) } else { None })
                .collect::<StringArray>(),
        ),
    }
}
