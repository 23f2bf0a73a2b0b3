//! Between DataFusion's record batches and the plain tables that faces outside get.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Date32Type, Float64Type, Int64Type, TimestampMicrosecondType};
use datafusion::common::DFSchema;
use glovebox_catalog::{Manifest, UNIT_COLUMN};
use glovebox_policy::{Public, Reason, Refusal};
use glovebox_privacy::{Column, ColumnKind, Scalar, Table};

use crate::dates::{INSTANT, day_text, instant_text};

/// The columns of an answer.
///
/// # Errors
/// [`Reason::TypeRefused`] for a type that no answer has, [`Reason::SqlSyntax`] for two columns of one name.
pub(crate) fn columns_of(schema: &DFSchema) -> Result<Vec<Column>, Refusal> {
    let column = |field: &arrow::datatypes::FieldRef| {
        let kind = match field.data_type() {
            DataType::Boolean => ColumnKind::Bool,
            DataType::Int64 => ColumnKind::Int,
            DataType::Float64 => ColumnKind::Float,
            // Days and instants are text in an answer, as ISO 8601 writes them.
            DataType::Utf8 | DataType::Null | DataType::Date32 => ColumnKind::Text,
            instant if *instant == INSTANT => ColumnKind::Text,
            other => return Err(Refusal::about(Reason::TypeRefused, &other.to_string())),
        };
        Ok(Column { name: field.name().clone(), kind })
    };
    schema.fields().iter().map(column).collect()
}

/// Rebuilds batches value by value; nothing of their buffers survives.
///
/// # Errors
/// [`Reason::Internal`] when a batch is not of the declared columns.
pub(crate) fn rebuild(columns: Vec<Column>, batches: &[RecordBatch]) -> Result<Table, Refusal> {
    let mut rows: Vec<Vec<Scalar>> = Vec::new();
    for batch in batches {
        let first = rows.len();
        rows.resize_with(first + batch.num_rows(), || Vec::with_capacity(columns.len()));
        for (column, array) in columns.iter().zip(batch.columns()) {
            for (row, out) in rows.iter_mut().skip(first).enumerate() {
                out.push(scalar(column.kind, array, row).ok_or(Reason::Internal)?);
            }
        }
    }
    let table = Table { columns, rows };
    if table.is_well_formed() { Ok(table) } else { Err(Reason::Internal.into()) }
}

fn scalar(kind: ColumnKind, array: &ArrayRef, row: usize) -> Option<Scalar> {
    if array.is_null(row) || *array.data_type() == DataType::Null {
        return Some(Scalar::Null);
    }
    Some(match kind {
        ColumnKind::Bool => Scalar::Bool(array.as_boolean_opt()?.value(row)),
        ColumnKind::Int => Scalar::Int(array.as_primitive_opt::<Int64Type>()?.value(row)),
        ColumnKind::Float => Scalar::Float(array.as_primitive_opt::<Float64Type>()?.value(row)),
        ColumnKind::Text => Scalar::Text(match array.data_type() {
            DataType::Date32 => day_text(array.as_primitive_opt::<Date32Type>()?.value(row)),
            DataType::Timestamp(..) => instant_text(array.as_primitive_opt::<TimestampMicrosecondType>()?.value(row)),
            _ => array.as_string_opt::<i32>()?.value(row).to_owned(),
        }),
    })
}

/// Synthetic rows of a dataset as a plain table, from its manifest alone.
///
/// # Errors
/// [`Reason::BadRequest`] for more rows than a twin may have, [`Reason::FootageRefused`] for footage, which is no table.
pub fn twin_table(manifest: &Manifest, rows: usize, seed: u64) -> Result<Public<Table>, Refusal> {
    if manifest.footage().is_some() {
        return Err(Refusal::about(Reason::FootageRefused, &manifest.name().to_string()));
    }
    let twin = glovebox_catalog::twin(manifest, rows, seed)
        .map_err(|error| Refusal::about(Reason::BadRequest, &error.to_string()))?;
    twin.map(plain_twin).into_inner().map(Public::from_manifest)
}

fn plain_twin(batch: RecordBatch) -> Result<Table, Refusal> {
    let mut columns = Vec::new();
    let mut arrays = Vec::new();
    for (field, array) in batch.schema().fields().iter().zip(batch.columns()) {
        if field.name() == UNIT_COLUMN {
            continue;
        }
        let kind = match field.data_type() {
            DataType::Boolean => ColumnKind::Bool,
            DataType::Int64 => ColumnKind::Int,
            DataType::Float64 => ColumnKind::Float,
            _ => ColumnKind::Text,
        };
        // Dates and instants are shown as text.
        let array = if kind == ColumnKind::Text { cast(array, &DataType::Utf8) } else { Ok(Arc::clone(array)) };
        arrays.push(array.map_err(|_| Reason::Internal)?);
        columns.push(Column { name: field.name().clone(), kind });
    }
    let row = |row: usize| {
        let values = columns.iter().zip(&arrays).map(|(column, array)| scalar(column.kind, array, row));
        values.collect::<Option<Vec<_>>>().ok_or_else(|| Refusal::from(Reason::Internal))
    };
    let rows = (0..batch.num_rows()).map(row).collect::<Result<_, _>>()?;
    Ok(Table { columns, rows })
}
