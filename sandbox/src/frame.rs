//! Arrow columns of one unit into its frame.
//!
//! # Privacy obligation
//! A frame is a function of the unit's own rows, the columns' types and the public parameters. What the batch around
//! the unit holds must not reach the guest: not the rows before and after, not the bytes under a NULL, not where the
//! unit's text begins in a shared buffer, not whether another unit has a NULL. `FrameBuilder` of the wire writes values
//! under NULL as zero and sets the null flag by the unit's own rows; this module hands it slices of those rows only.

use std::ops::Range;

use arrow::array::{
    Array, ArrayRef, AsArray as _, BooleanArray, Date32Array, FixedSizeBinaryArray, Float64Array, Int64Array,
    StringArray, TimestampMicrosecondArray,
};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, Date32Type, Float64Type, Int64Type, TimeUnit, TimestampMicrosecondType};
use glovebox_wire::{Bits, ColumnType, FrameBuilder, FrameError};

use crate::SandboxFault;

/// How a guest sees a column of this Arrow type, if it can: dates as days and timestamps as microseconds since 1970.
pub fn column_type(of: &DataType) -> Option<ColumnType> {
    match of {
        DataType::Int64 | DataType::Date32 | DataType::Timestamp(TimeUnit::Microsecond, _) => Some(ColumnType::I64),
        DataType::Float64 => Some(ColumnType::F64),
        DataType::Boolean => Some(ColumnType::Bool),
        DataType::Utf8 => Some(ColumnType::Text),
        DataType::FixedSizeBinary(_) => Some(ColumnType::Bytes),
        _ => None,
    }
}

/// A column that a guest can see.
pub(crate) enum Column {
    I64(Int64Array),
    F64(Float64Array),
    Bool(BooleanArray),
    Text(StringArray),
    Days(Date32Array),
    Micros(TimestampMicrosecondArray),
    /// Without NULLs.
    Bytes(FixedSizeBinaryArray),
}

impl Column {
    /// The column of an array.
    pub(crate) fn of(array: &ArrayRef) -> Result<Self, SandboxFault> {
        Ok(match array.data_type() {
            DataType::Int64 => Self::I64(array.as_primitive::<Int64Type>().clone()),
            DataType::Float64 => Self::F64(array.as_primitive::<Float64Type>().clone()),
            DataType::Boolean => Self::Bool(array.as_boolean().clone()),
            DataType::Utf8 => Self::Text(array.as_string::<i32>().clone()),
            DataType::Date32 => Self::Days(array.as_primitive::<Date32Type>().clone()),
            DataType::Timestamp(TimeUnit::Microsecond, _) => {
                Self::Micros(array.as_primitive::<TimestampMicrosecondType>().clone())
            }
            DataType::FixedSizeBinary(_) if array.null_count() == 0 => {
                Self::Bytes(array.as_fixed_size_binary().clone())
            }
            _ => return Err(SandboxFault::Columns),
        })
    }

    /// Bytes of text and of pixels in some rows, NULLs left out.
    fn more_bytes(&self, rows: Range<usize>) -> usize {
        match self {
            Self::Text(texts) => {
                rows.filter(|row| texts.is_valid(*row)).map(|row| texts.value_length(row) as usize).sum()
            }
            Self::Bytes(of) => rows.len().saturating_mul(width(of)),
            _ => 0,
        }
    }

    fn write(&self, frame: &mut FrameBuilder<'_>, rows: &Range<usize>) -> Result<(), FrameError> {
        match self {
            Self::I64(of) => frame.i64s(part(of.values(), rows)?.iter().copied(), nulls(of, rows)),
            Self::F64(of) => frame.f64s(part(of.values(), rows)?.iter().copied(), nulls(of, rows)),
            Self::Days(of) => frame.i64s(part(of.values(), rows)?.iter().map(|day| (*day).into()), nulls(of, rows)),
            Self::Micros(of) => frame.i64s(part(of.values(), rows)?.iter().copied(), nulls(of, rows)),
            Self::Bool(of) => {
                let values = Bits { bytes: of.values().values(), offset: of.values().offset() + rows.start };
                frame.bools(values, nulls(of, rows))
            }
            Self::Text(of) => {
                // One offset more than rows: where the last text ends.
                let offsets = part(of.value_offsets(), &(rows.start..rows.end + 1))?;
                frame.texts(offsets, of.value_data(), nulls(of, rows))
            }
            Self::Bytes(of) => {
                let width = width(of);
                // The values of a sliced array begin at its offset already.
                let at = rows.start.saturating_mul(width)..rows.end.saturating_mul(width);
                frame.bytes(width, part(of.value_data(), &at)?)
            }
        }
    }
}

/// Appends the frame of one unit to `out`.
pub(crate) fn write(
    out: &mut Vec<u8>,
    columns: &[Column],
    rows: &Range<usize>,
    params: &[u8],
    in_cap: usize,
) -> Result<(), FrameError> {
    let mut frame = FrameBuilder::new(out, rows.len(), columns.len(), in_cap)?;
    for column in columns {
        column.write(&mut frame, rows)?;
    }
    frame.finish(params)
}

/// A size that no frame with these rows can be below, whatever other rows it has.
pub(crate) fn least_bytes(columns: &[Column], rows: &Range<usize>) -> usize {
    // Every column takes at least a byte per row, and text its bytes; of pixels nothing else is certain.
    let each = |column: &Column| if matches!(column, Column::Bytes(_)) { 0 } else { rows.len() };
    columns.iter().map(|column| each(column) + column.more_bytes(rows.clone())).sum()
}

fn width(of: &FixedSizeBinaryArray) -> usize {
    usize::try_from(of.value_length()).unwrap_or(0)
}

fn part<'a, T>(values: &'a [T], rows: &Range<usize>) -> Result<&'a [T], FrameError> {
    values.get(rows.clone()).ok_or(FrameError::Count { what: "values" })
}

fn nulls<'a>(of: &'a dyn Array, rows: &Range<usize>) -> Option<Bits<'a>> {
    let nulls: &NullBuffer = of.nulls().filter(|nulls| nulls.null_count() > 0)?;
    Some(Bits { bytes: nulls.validity(), offset: nulls.offset() + rows.start })
}
