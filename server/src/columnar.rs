//! Arrow arrays made from scalars.
//!
//! INVARIANT (rebuilt, not forwarded): an array that came out of a query engine may still carry, behind a slice or in
//! the backing of a string view, bytes of rows that it no longer shows. What leaves is therefore built here, value by
//! value, from [`Table`], which holds nothing but plain scalars.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, RecordBatchOptions, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use glovebox_policy::{Reason, Refusal};
use glovebox_privacy::{Column, ColumnKind, Scalar, Table};

/// The Arrow type in which a kind of column leaves.
pub(crate) fn type_of(kind: ColumnKind) -> DataType {
    match kind {
        ColumnKind::Bool => DataType::Boolean,
        ColumnKind::Int => DataType::Int64,
        ColumnKind::Float => DataType::Float64,
        ColumnKind::Text => DataType::Utf8,
    }
}

/// The Arrow schema of declared columns.
pub(crate) fn schema_of(columns: &[Column]) -> SchemaRef {
    let field = |column: &Column| Field::new(column.name.as_str(), type_of(column.kind), true);
    Arc::new(Schema::new(columns.iter().map(field).collect::<Vec<_>>()))
}

/// The table as one record batch, each array built from scalars.
///
/// # Errors
/// [`Reason::Internal`] when a value is not of its column's kind or a row is too short: nothing leaves then.
pub(crate) fn batch_of(table: &Table) -> Result<RecordBatch, Refusal> {
    let arrays = (0..table.columns.len()).map(|index| array_of(table, index)).collect::<Option<Vec<_>>>();
    let options = RecordBatchOptions::new().with_row_count(Some(table.rows.len()));
    arrays
        .and_then(|arrays| RecordBatch::try_new_with_options(schema_of(&table.columns), arrays, &options).ok())
        .ok_or_else(|| Reason::Internal.into())
}

fn array_of(table: &Table, index: usize) -> Option<ArrayRef> {
    macro_rules! array {
        ($array:ty, $kind:path, $value:expr) => {{
            let values = table.rows.iter().map(|row| match row.get(index)? {
                Scalar::Null => Some(None),
                $kind(value) => Some(Some($value(value))),
                _ => None,
            });
            Arc::new(<$array>::from(values.collect::<Option<Vec<_>>>()?))
        }};
    }
    Some(match table.columns.get(index)?.kind {
        ColumnKind::Bool => array!(BooleanArray, Scalar::Bool, |value: &bool| *value),
        ColumnKind::Int => array!(Int64Array, Scalar::Int, |value: &i64| *value),
        ColumnKind::Float => array!(Float64Array, Scalar::Float, |value: &f64| plain(*value)),
        ColumnKind::Text => array!(StringArray, Scalar::Text, String::as_str),
    })
}

/// The payload bits of a NaN and the sign of a zero can carry something; one NaN and one zero leave.
fn plain(value: f64) -> f64 {
    if value.is_nan() { f64::NAN } else { value + 0.0 }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn table(kind: ColumnKind, values: Vec<Scalar>) -> Table {
        let columns = vec![Column { name: "x".to_owned(), kind }];
        Table { columns, rows: values.into_iter().map(|value| vec![value]).collect() }
    }

    #[test]
    fn values_of_the_wrong_kind_do_not_leave() {
        let good = table(ColumnKind::Int, vec![Scalar::Int(1), Scalar::Null]);
        assert_eq!(batch_of(&good).unwrap().num_rows(), 2);
        let bad = table(ColumnKind::Int, vec![Scalar::Text("1".to_owned())]);
        assert_eq!(batch_of(&bad).unwrap_err().reason(), Reason::Internal);
        let mut short = table(ColumnKind::Text, vec![Scalar::Null]);
        short.rows.push(vec![]);
        assert!(batch_of(&short).is_err());
    }

    #[test]
    fn one_nan_and_one_zero_leave() {
        let odd = f64::from_bits(0xfff8_dead_beef_0001);
        let batch = batch_of(&table(ColumnKind::Float, vec![Scalar::Float(odd), Scalar::Float(-0.0)])).unwrap();
        let array = batch.column(0).as_any().downcast_ref::<Float64Array>().unwrap();
        assert_eq!(array.value(0).to_bits(), f64::NAN.to_bits());
        assert_eq!(array.value(1).to_bits(), 0);
    }
}
