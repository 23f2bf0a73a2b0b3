//! Cells as bytes for keyed hashing: a form that no other cell or row of cells has.

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, BooleanArray, Date32Array, Float64Array, Int64Array, StringArray,
    TimestampMicrosecondArray,
};
use arrow::datatypes::{Date32Type, Float64Type, Int64Type, TimestampMicrosecondType};

use crate::manifest::ColumnKind;

/// The cells of one column, read for hashing.
pub(super) enum Cells<'a> {
    Int(&'a Int64Array),
    Float(&'a Float64Array),
    Text(&'a StringArray),
    Bool(&'a BooleanArray),
    Date(&'a Date32Array),
    Timestamp(&'a TimestampMicrosecondArray),
    Bytes(&'a BinaryArray),
}

impl<'a> Cells<'a> {
    /// The column, whose type must be that of its kind.
    pub(super) fn of(kind: ColumnKind, array: &'a ArrayRef) -> Self {
        match kind {
            ColumnKind::Int => Self::Int(array.as_primitive::<Int64Type>()),
            ColumnKind::Float => Self::Float(array.as_primitive::<Float64Type>()),
            ColumnKind::Text => Self::Text(array.as_string()),
            ColumnKind::Bool => Self::Bool(array.as_boolean()),
            ColumnKind::Date => Self::Date(array.as_primitive::<Date32Type>()),
            ColumnKind::Timestamp => Self::Timestamp(array.as_primitive::<TimestampMicrosecondType>()),
            ColumnKind::Bytes => Self::Bytes(array.as_binary()),
        }
    }

    /// Whether the cell can be part of a unit's name: it is there, and more than spaces.
    pub(super) fn names(&self, row: usize) -> bool {
        let blank = matches!(self, Self::Text(array) if array.value(row).trim().is_empty());
        self.tagged().0.is_valid(row) && !blank
    }

    fn tagged(&self) -> (&dyn Array, u8) {
        match self {
            Self::Int(array) => (array, 1),
            Self::Float(array) => (array, 2),
            Self::Text(array) => (array, 3),
            Self::Bool(array) => (array, 4),
            Self::Date(array) => (array, 5),
            Self::Timestamp(array) => (array, 6),
            Self::Bytes(array) => (array, 7),
        }
    }

    /// Appends a form of the cell that no other cell or row of cells has: a tag, then a fixed or stated length.
    pub(super) fn write(&self, row: usize, trim: bool, out: &mut Vec<u8>) {
        let (array, tag) = self.tagged();
        if array.is_null(row) {
            out.push(0);
            return;
        }
        out.push(tag);
        match self {
            Self::Int(array) => out.extend(array.value(row).to_be_bytes()),
            Self::Float(array) => out.extend(array.value(row).to_bits().to_be_bytes()),
            Self::Text(array) => {
                let text = array.value(row);
                let text = if trim { text.trim() } else { text };
                out.extend((text.len() as u64).to_be_bytes());
                out.extend(text.as_bytes());
            }
            Self::Bool(array) => out.push(array.value(row).into()),
            Self::Date(array) => out.extend(array.value(row).to_be_bytes()),
            Self::Timestamp(array) => out.extend(array.value(row).to_be_bytes()),
            Self::Bytes(array) => {
                let bytes = array.value(row);
                out.extend((bytes.len() as u64).to_be_bytes());
                out.extend(bytes);
            }
        }
    }
}
