//! The strict reader of frames: it takes exactly what [`crate::FrameBuilder`] writes and nothing else.
//!
//! The product never reads a frame back; tests do, to hold encoder, hostile input and the guest SDK against each other.

use crate::abi::{MAX_COLUMNS, MAX_MEMORY_BYTES, MAX_PARAMS_BYTES};
use crate::frame::{COLUMN_BYTES, HAS_NULLS, HEADER_BYTES, MAGIC};
use crate::{Bits, ColumnType, FrameError};

/// A column of a frame: its rows, `None` where null.
#[derive(Clone, Debug, PartialEq)]
pub enum Column<'a> {
    /// 64-bit integers.
    I64(Vec<Option<i64>>),
    /// 64-bit floats.
    F64(Vec<Option<f64>>),
    /// Truth values.
    Bool(Vec<Option<bool>>),
    /// Text.
    Text(Vec<Option<&'a str>>),
    /// Bytes, the same number in every row.
    Bytes(Vec<&'a [u8]>),
}

/// A whole frame.
#[derive(Clone, Debug, PartialEq)]
pub struct Frame<'a> {
    /// Rows of every column.
    pub rows: usize,
    /// The columns, in order.
    pub columns: Vec<Column<'a>>,
    /// The parameters of the job.
    pub params: &'a [u8],
}

impl<'a> Frame<'a> {
    /// Reads a frame.
    ///
    /// # Errors
    /// [`FrameError::TooLarge`], [`FrameError::Count`], [`FrameError::Text`], [`FrameError::Malformed`] when the bytes are
    /// not exactly what the builder writes.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, FrameError> {
        if bytes.len() > MAX_MEMORY_BYTES as usize {
            return Err(FrameError::TooLarge { cap: MAX_MEMORY_BYTES as usize });
        }
        let malformed = |part| FrameError::Malformed { part };
        let header: [u32; 8] = words(bytes, 0).ok_or(malformed("header"))?;
        let [magic, rows, n_columns, params_at, params_len, 0, 0, 0] = header else {
            return Err(malformed("reserved words"));
        };
        if magic != MAGIC {
            return Err(malformed("magic"));
        }
        if n_columns > MAX_COLUMNS {
            return Err(FrameError::Count { what: "columns" });
        }
        let (rows, n_columns) = (rows as usize, n_columns as usize);
        if rows > MAX_MEMORY_BYTES as usize {
            return Err(FrameError::Count { what: "rows" });
        }
        let mut layout = Layout { bytes, next: HEADER_BYTES + COLUMN_BYTES * n_columns };
        let mut columns = Vec::with_capacity(n_columns);
        for column in 0..n_columns {
            let entry = words(bytes, HEADER_BYTES + COLUMN_BYTES * column).ok_or(malformed("column entry"))?;
            columns.push(layout.column(entry, rows)?);
        }
        if params_len as usize > MAX_PARAMS_BYTES {
            return Err(FrameError::Count { what: "parameter bytes" });
        }
        let params = layout.buffer(params_at, params_len as usize, "parameters")?;
        if layout.next == bytes.len() { Ok(Self { rows, columns, params }) } else { Err(malformed("end")) }
    }
}

/// The bytes and where the next buffer must begin.
struct Layout<'a> {
    bytes: &'a [u8],
    next: usize,
}

impl<'a> Layout<'a> {
    fn buffer(&mut self, at: u32, len: usize, part: &'static str) -> Result<&'a [u8], FrameError> {
        let malformed = FrameError::Malformed { part };
        let end = self.next.checked_add(len).ok_or(malformed)?;
        let buffer = self.bytes.get(self.next..end).ok_or(malformed)?;
        let padded = end.next_multiple_of(8);
        let padding = self.bytes.get(end..padded).ok_or(malformed)?;
        if at as usize != self.next || padding.iter().any(|&byte| byte != 0) {
            return Err(malformed);
        }
        self.next = padded;
        Ok(buffer)
    }

    fn column(&mut self, entry: [u32; 6], rows: usize) -> Result<Column<'a>, FrameError> {
        let malformed = |part| FrameError::Malformed { part };
        let [id, flags, validity_at, values_at, offsets_at, len] = entry;
        let column = ColumnType::from_id(id).ok_or(malformed("column type"))?;
        let validity = match flags {
            0 if validity_at == 0 => None,
            HAS_NULLS => {
                let bytes = self.buffer(validity_at, rows.div_ceil(8), "validity")?;
                let bits = Bits { bytes, offset: 0 };
                let beyond = (rows..bytes.len() * 8).any(|bit| bits.get(bit));
                if beyond || (0..rows).all(|row| bits.get(row)) {
                    return Err(malformed("validity"));
                }
                Some(bits)
            }
            _ => return Err(malformed("flags")),
        };
        let is_null = |row: usize| validity.is_some_and(|bits| !bits.get(row));
        let len = len as usize;
        if column == ColumnType::Text {
            let text = self.buffer(values_at, len, "values")?;
            let offsets = rows.checked_add(1).and_then(|n| n.checked_mul(4)).ok_or(malformed("text offsets"))?;
            let offsets = self.buffer(offsets_at, offsets, "text offsets")?;
            return texts(text, offsets, is_null);
        }
        if column == ColumnType::Bytes {
            let width = len.checked_div(rows).unwrap_or(0);
            if validity.is_some() || offsets_at != 0 || Some(len) != rows.checked_mul(width) {
                return Err(FrameError::Count { what: "values" });
            }
            let values = self.buffer(values_at, len, "values")?;
            let row = |row: usize| values.get(row * width..(row + 1) * width).unwrap_or_default();
            return Ok(Column::Bytes((0..rows).map(row).collect()));
        }
        let width = if column == ColumnType::Bool { 1 } else { 8 };
        if Some(len) != rows.checked_mul(width) || offsets_at != 0 {
            return Err(FrameError::Count { what: "values" });
        }
        let values = self.buffer(values_at, len, "values")?;
        let null_is_zero = |(row, value): (usize, &[u8])| !is_null(row) || value.iter().all(|&byte| byte == 0);
        if !values.chunks_exact(width).enumerate().all(null_is_zero) {
            return Err(malformed("value under a null"));
        }
        let words = values.chunks_exact(8).map(|chunk| chunk.first_chunk::<8>().copied().unwrap_or_default());
        let keep = |row: usize| !is_null(row);
        Ok(match column {
            ColumnType::F64 => {
                Column::F64(words.enumerate().map(|(row, word)| keep(row).then(|| f64::from_le_bytes(word))).collect())
            }
            ColumnType::Bool => {
                if values.iter().any(|&byte| byte > 1) {
                    return Err(malformed("bool"));
                }
                Column::Bool(values.iter().enumerate().map(|(row, &byte)| keep(row).then_some(byte == 1)).collect())
            }
            _ => {
                Column::I64(words.enumerate().map(|(row, word)| keep(row).then(|| i64::from_le_bytes(word))).collect())
            }
        })
    }
}

fn texts<'a>(text: &'a [u8], offsets: &[u8], is_null: impl Fn(usize) -> bool) -> Result<Column<'a>, FrameError> {
    let mut ends = offsets.chunks_exact(4).map(|chunk| chunk.first_chunk::<4>().copied().unwrap_or_default());
    let mut next = || ends.next().map(|word| u32::from_le_bytes(word) as usize);
    if next() != Some(0) {
        return Err(FrameError::Text);
    }
    let (mut column, mut start) = (Vec::new(), 0);
    while let Some(end) = next() {
        let row = text.get(start..end).ok_or(FrameError::Text)?;
        let row = std::str::from_utf8(row).map_err(|_| FrameError::Text)?;
        let null = is_null(column.len());
        if null && !row.is_empty() {
            return Err(FrameError::Malformed { part: "value under a null" });
        }
        column.push((!null).then_some(row));
        start = end;
    }
    if start == text.len() { Ok(Column::Text(column)) } else { Err(FrameError::Text) }
}

fn words<const N: usize>(bytes: &[u8], at: usize) -> Option<[u32; N]> {
    let bytes = bytes.get(at..at.checked_add(4 * N)?)?;
    let mut words = [0; N];
    for (word, chunk) in words.iter_mut().zip(bytes.chunks_exact(4)) {
        *word = u32::from_le_bytes(*chunk.first_chunk::<4>()?);
    }
    Some(words)
}
