//! One unit's rows as the host writes them: a header, a table of columns, then buffers.
//!
//! Everything is little-endian, every buffer begins at a multiple of 8 bytes, and offsets count from the frame's start:
//!
//! ```text
//! header, 32 bytes    u32 magic | u32 rows | u32 columns | u32 params_offset | u32 params_bytes | 3 × u32 zero
//! each column, 24     u32 type | u32 flags (bit 0: has NULLs) | u32 validity | u32 values | u32 offsets | u32 bytes
//! validity            one bit a row, the lowest first, 1 for a value; only when the column has NULLs
//! values              i64 and f64: 8 bytes a row; bool: 1 byte a row; text: the UTF-8 bytes of all rows together;
//!                     bytes: as many in every row, never with NULLs
//! offsets             text only: rows + 1 × u32
//! ```
//!
//! A column's `bytes` is the length of its values.
//!
//! Nothing is copied: a [`Frame`] and the views in [`crate::column`] point into these bytes.

use core::fmt;

/// The first four bytes of a frame, `GBX1`.
pub const MAGIC: u32 = u32::from_le_bytes(*b"GBX1");

/// Bytes of the header.
pub const HEADER_BYTES: usize = 32;

/// Bytes of one entry of the table of columns.
pub const COLUMN_BYTES: usize = 24;

/// An upper bound of the bytes of a frame: `text_bytes` is the length of all texts and bytes of all rows together.
///
/// Parameters, which the host may put into a frame as well, are not counted.
#[must_use]
pub const fn frame_bytes(columns: usize, rows: usize, text_bytes: usize) -> usize {
    let validity = rows.div_ceil(64) * 8;
    // Eight bytes a row and one row more hold numbers, and also a text column's offsets.
    let values = (rows + 1) * 8;
    // Each column's texts are filled up to a multiple of 8.
    HEADER_BYTES + columns * (COLUMN_BYTES + validity + values + 8) + text_bytes.div_ceil(8) * 8
}

/// Why bytes are not the frame that a job expects. The unit then has its default answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FrameFault {
    /// The header is short, or has another magic number.
    Header,
    /// There are fewer or more columns than the job declares.
    Columns,
    /// A column is of another type than the job declares.
    Type,
    /// A buffer is not inside the frame, or its content is not what its type says.
    Buffer,
}

impl fmt::Display for FrameFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Header => "the frame's header is not one of gbx/1",
            Self::Columns => "the frame has another number of columns",
            Self::Type => "a column of the frame has another type",
            Self::Buffer => "a buffer of the frame is out of place",
        })
    }
}

impl core::error::Error for FrameFault {}

/// A frame whose header has been read.
#[derive(Debug, Clone, Copy)]
pub struct Frame<'a> {
    bytes: &'a [u8],
    rows: usize,
    columns: usize,
    params: &'a [u8],
}

/// One entry of the table of columns.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry<'a> {
    /// The bit of each row that says whether it holds a value; `None` when all do.
    pub(crate) validity: Option<&'a [u8]>,
    /// Where the values begin.
    pub(crate) values: usize,
    /// Where a text column's offsets begin.
    pub(crate) offsets: usize,
    /// How many bytes of text there are.
    pub(crate) text_bytes: usize,
}

impl<'a> Frame<'a> {
    /// Reads the header.
    ///
    /// # Errors
    /// [`FrameFault`] when the header is not one of `gbx/1` or its parameters lie outside the bytes.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, FrameFault> {
        let field = |at: usize| u32_at(bytes, at).ok_or(FrameFault::Header);
        if field(0)? != MAGIC as usize || bytes.len() < HEADER_BYTES {
            return Err(FrameFault::Header);
        }
        let params = slice(bytes, field(12)?, field(16)?)?;
        Ok(Self { bytes, rows: field(4)?, columns: field(8)?, params })
    }

    /// How many rows the unit has.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// How many columns there are.
    #[must_use]
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// The job's public parameters, the same in every call.
    #[must_use]
    pub fn params(&self) -> &'a [u8] {
        self.params
    }

    /// The entry of column `index`, which must be of the type `wanted`.
    pub(crate) fn entry(&self, index: usize, wanted: u32) -> Result<Entry<'a>, FrameFault> {
        if index >= self.columns {
            return Err(FrameFault::Columns);
        }
        let start = HEADER_BYTES + index * COLUMN_BYTES;
        let field = |at: usize| u32_at(self.bytes, start + at).ok_or(FrameFault::Columns);
        if field(0)? != wanted as usize {
            return Err(FrameFault::Type);
        }
        let has_nulls = field(4)? & 1 == 1;
        let validity = if has_nulls { Some(self.buffer(field(8)?, self.rows.div_ceil(8))?) } else { None };
        Ok(Entry { validity, values: field(12)?, offsets: field(16)?, text_bytes: field(20)? })
    }

    /// A buffer of the frame.
    pub(crate) fn buffer(&self, start: usize, bytes: usize) -> Result<&'a [u8], FrameFault> {
        slice(self.bytes, start, bytes)
    }

    /// A buffer of one item of `N` bytes a row, and of `more` items besides.
    pub(crate) fn items<const N: usize>(&self, start: usize, more: usize) -> Result<&'a [[u8; N]], FrameFault> {
        let count = self.rows.checked_add(more).and_then(|count| count.checked_mul(N)).ok_or(FrameFault::Buffer)?;
        Ok(self.buffer(start, count)?.as_chunks().0)
    }
}

fn slice(bytes: &[u8], start: usize, length: usize) -> Result<&[u8], FrameFault> {
    let end = start.checked_add(length).ok_or(FrameFault::Buffer)?;
    bytes.get(start..end).ok_or(FrameFault::Buffer)
}

fn u32_at(bytes: &[u8], at: usize) -> Option<usize> {
    let field = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_le_bytes(field.try_into().ok()?) as usize)
}
