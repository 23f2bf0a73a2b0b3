//! One unit's rows as its guest sees them: a flat, little-endian frame in Arrow's physical layout.
//!
//! Header (32 bytes): `u32` magic, rows, columns, offset of the parameters, their length, three zero words. Then per
//! column 24 bytes: type, flags (bit 0: has nulls), offsets of the validity bitmap (0 without nulls), of the values and
//! of the text offsets (0 unless text), and the length of the values in bytes (of a bytes column: rows times the length of
//! each). Then the buffers, column by column in
//! that order, each at a multiple of 8 from the frame's start with zero bytes between; last the parameters. Offsets
//! count from the frame's start. A frame is a multiple of 8 bytes long.
//!
//! INVARIANT (canonical frame): a frame's bytes are a function of the unit's own rows, the columns and the parameters.
//! So the null flag is set only when the unit itself has a null, whatever the rest of the batch holds, text offsets
//! start at zero, and values under a null are written as zero or as empty text.

use crate::abi::{MAX_COLUMNS, MAX_MEMORY_BYTES, MAX_PARAMS_BYTES};

/// First word of a frame: `GBX1` in ASCII.
pub const MAGIC: u32 = 0x3158_4247;
/// Bytes of the header.
pub const HEADER_BYTES: usize = 32;
/// Bytes of a column's entry.
pub const COLUMN_BYTES: usize = 24;
/// Flag of a column with nulls.
pub const HAS_NULLS: u32 = 1;

/// The type of a column in a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ColumnType {
    /// 64-bit integers; dates as days and timestamps as microseconds since 1970.
    I64,
    /// 64-bit floats.
    F64,
    /// One byte each, 0 or 1.
    Bool,
    /// UTF-8 text.
    Text,
    /// Bytes, the same number in every row and never NULL: the pixels of a frame.
    Bytes,
}

impl ColumnType {
    const ALL: [(u32, &'static str, Self); 5] = [
        (1, "i64", Self::I64),
        (2, "f64", Self::F64),
        (3, "bool", Self::Bool),
        (4, "text", Self::Text),
        (5, "bytes", Self::Bytes),
    ];

    /// The number that stands for it in a frame.
    #[must_use]
    pub const fn id(self) -> u32 {
        match self {
            Self::I64 => 1,
            Self::F64 => 2,
            Self::Bool => 3,
            Self::Text => 4,
            Self::Bytes => 5,
        }
    }

    /// The type of that number.
    #[must_use]
    pub fn from_id(id: u32) -> Option<Self> {
        Self::ALL.iter().find(|(known, ..)| *known == id).map(|&(.., column)| column)
    }

    /// The word that stands for it in a module's schema section.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::I64 => "i64",
            Self::F64 => "f64",
            Self::Bool => "bool",
            Self::Text => "text",
            Self::Bytes => "bytes",
        }
    }

    /// The type of that word.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known, _)| *known == name).map(|&(.., column)| column)
    }

    /// Bytes of the values of `rows` rows that do not depend on the rows: none for text; `width` of each for bytes.
    const fn value_bytes(self, rows: u64, width: u64) -> u64 {
        match self {
            Self::I64 | Self::F64 => 8 * rows,
            Self::Bool => rows,
            Self::Text => 0,
            Self::Bytes => width.saturating_mul(rows),
        }
    }
}

/// Why a frame cannot be written, or bytes are not a frame. Holds no data of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// The frame is longer than the guest's input area.
    #[error("the frame is over `{cap}` bytes")]
    TooLarge {
        /// Bytes of the input area.
        cap: usize,
    },
    /// The batch takes no further unit.
    #[error("the batch is full")]
    BatchFull,
    /// More or fewer columns, or values in a column, than were announced.
    #[error("`{what}` of another number than announced")]
    Count {
        /// What there is too much or too little of.
        what: &'static str,
    },
    /// Text offsets that do not ascend within the text, or text that is not UTF-8.
    #[error("text offsets do not fit the text")]
    Text,
    /// Bytes that no encoder of this crate writes there.
    #[error("`{part}` is not what a frame holds there")]
    Malformed {
        /// The part of the frame.
        part: &'static str,
    },
}

/// A run of bits, LSB first, that begins anywhere in a byte: what Arrow calls a sliced bitmap.
#[derive(Clone, Copy, Debug)]
pub struct Bits<'a> {
    /// The bytes that hold the bits.
    pub bytes: &'a [u8],
    /// The first bit, counted from the first byte's lowest.
    pub offset: usize,
}

impl Bits<'_> {
    /// Bit `at` of the run; clear beyond the bytes.
    #[must_use]
    pub fn get(self, at: usize) -> bool {
        let bit = self.offset.saturating_add(at);
        self.bytes.get(bit / 8).is_some_and(|byte| byte >> (bit % 8) & 1 == 1)
    }

    fn holds(self, rows: usize) -> bool {
        self.bytes.len().saturating_mul(8) >= self.offset.saturating_add(rows)
    }
}

/// Bytes of a frame with nulls in every column but without text and parameters of `params` bytes: what a unit of `rows`
/// rows needs at most when no column is text, and at least room for when some are. `width` is the length of each value of a
/// bytes column.
#[must_use]
pub fn fixed_frame_bytes(columns: &[ColumnType], rows: u32, width: u32, params: usize) -> u64 {
    let rows = u64::from(rows);
    let padded = |bytes: u64| bytes.next_multiple_of(8);
    let buffers: u64 = columns
        .iter()
        .map(|column| {
            let offsets = if *column == ColumnType::Text { 4 * (rows + 1) } else { 0 };
            let validity = if *column == ColumnType::Bytes { 0 } else { padded(rows.div_ceil(8)) };
            validity + padded(column.value_bytes(rows, width.into())) + padded(offsets)
        })
        .sum();
    (HEADER_BYTES + COLUMN_BYTES * columns.len()) as u64 + buffers + padded(params as u64)
}

/// Writes one frame at the end of a buffer: new, then one call per column, then [`Self::finish`]. After an error the
/// buffer holds part of a frame, which [`crate::BatchBuilder::push_with`] takes out again.
#[derive(Debug)]
pub struct FrameBuilder<'b> {
    out: &'b mut Vec<u8>,
    start: usize,
    rows: usize,
    columns: usize,
    written: usize,
    cap: usize,
}

impl<'b> FrameBuilder<'b> {
    /// A frame of `rows` rows and `columns` columns at the end of `out`, of at most `cap` bytes (the guest's input
    /// area).
    ///
    /// # Errors
    /// [`FrameError::TooLarge`], [`FrameError::Count`] over [`MAX_COLUMNS`].
    pub fn new(out: &'b mut Vec<u8>, rows: usize, columns: usize, cap: usize) -> Result<Self, FrameError> {
        if columns > MAX_COLUMNS as usize {
            return Err(FrameError::Count { what: "columns" });
        }
        let start = out.len();
        // The cap also keeps every offset within a u32.
        let cap = cap.min(MAX_MEMORY_BYTES as usize);
        let mut new = Self { out, start, rows, columns, written: 0, cap };
        if rows > cap {
            return Err(FrameError::TooLarge { cap });
        }
        new.reserve(HEADER_BYTES + COLUMN_BYTES * columns)?;
        Ok(new)
    }

    /// Adds a column of 64-bit integers; `validity` has a clear bit where a value is null.
    ///
    /// # Errors
    /// [`FrameError::TooLarge`], [`FrameError::Count`].
    pub fn i64s(
        &mut self,
        values: impl ExactSizeIterator<Item = i64>,
        validity: Option<Bits<'_>>,
    ) -> Result<(), FrameError> {
        self.fixed(ColumnType::I64, values.map(i64::to_le_bytes), validity)
    }

    /// Adds a column of 64-bit floats, bit for bit.
    ///
    /// # Errors
    /// As [`Self::i64s`].
    pub fn f64s(
        &mut self,
        values: impl ExactSizeIterator<Item = f64>,
        validity: Option<Bits<'_>>,
    ) -> Result<(), FrameError> {
        self.fixed(ColumnType::F64, values.map(f64::to_le_bytes), validity)
    }

    /// Adds a column of truth values.
    ///
    /// # Errors
    /// As [`Self::i64s`].
    pub fn bools(&mut self, values: Bits<'_>, validity: Option<Bits<'_>>) -> Result<(), FrameError> {
        if !values.holds(self.rows) {
            return Err(FrameError::Count { what: "values" });
        }
        self.fixed(ColumnType::Bool, (0..self.rows).map(|row| [u8::from(values.get(row))]), validity)
    }

    /// Adds a column of text: row `i` is `bytes[offsets[i]..offsets[i + 1]]`, as Arrow has it (the first offset need
    /// not be zero). The caller vouches for UTF-8.
    ///
    /// # Errors
    /// As [`Self::i64s`], and [`FrameError::Text`].
    pub fn texts(&mut self, offsets: &[i32], bytes: &[u8], validity: Option<Bits<'_>>) -> Result<(), FrameError> {
        if offsets.len() != self.rows + 1 {
            return Err(FrameError::Count { what: "values" });
        }
        let nulls = self.nulls(validity)?;
        let validity_at = self.validity(nulls)?;
        let values_at = self.len();
        let row_text = |row: usize| {
            if nulls.is_some_and(|bits| !bits.get(row)) {
                return Ok(&[][..]);
            }
            let at = |row: usize| offsets.get(row).and_then(|&offset| usize::try_from(offset).ok());
            let range = at(row).zip(at(row + 1)).ok_or(FrameError::Text)?;
            bytes.get(range.0..range.1).ok_or(FrameError::Text)
        };
        for row in 0..self.rows {
            let text = row_text(row)?;
            self.room(text.len())?;
            self.out.extend_from_slice(text);
        }
        let text_len = self.len() - values_at;
        self.align()?;
        let offsets_at = self.len();
        self.room(4 * (self.rows + 1))?;
        let mut end = 0_u32;
        self.out.extend_from_slice(&end.to_le_bytes());
        for row in 0..self.rows {
            end += word(row_text(row)?.len());
            self.out.extend_from_slice(&end.to_le_bytes());
        }
        self.align()?;
        self.entry(ColumnType::Text, [validity_at, values_at, offsets_at, text_len])
    }

    /// Adds a column of bytes, `width` in each row.
    ///
    /// # Errors
    /// As [`Self::i64s`].
    pub fn bytes(&mut self, width: usize, values: &[u8]) -> Result<(), FrameError> {
        if Some(values.len()) != width.checked_mul(self.rows) {
            return Err(FrameError::Count { what: "values" });
        }
        let values_at = self.len();
        self.room(values.len())?;
        self.out.extend_from_slice(values);
        self.align()?;
        self.entry(ColumnType::Bytes, [0, values_at, 0, values.len()])
    }

    /// Adds the parameters and writes the header: the frame is whole.
    ///
    /// # Errors
    /// [`FrameError::TooLarge`], [`FrameError::Count`] when columns are missing or the parameters are over their cap.
    pub fn finish(mut self, params: &[u8]) -> Result<(), FrameError> {
        if self.written != self.columns {
            return Err(FrameError::Count { what: "columns" });
        }
        if params.len() > MAX_PARAMS_BYTES {
            return Err(FrameError::Count { what: "parameter bytes" });
        }
        let params_at = self.len();
        self.room(params.len())?;
        self.out.extend_from_slice(params);
        self.align()?;
        let words = [MAGIC, word(self.rows), word(self.columns), word(params_at), word(params.len()), 0, 0, 0];
        self.words(0, &words)
    }

    fn fixed<const N: usize>(
        &mut self,
        column: ColumnType,
        values: impl ExactSizeIterator<Item = [u8; N]>,
        validity: Option<Bits<'_>>,
    ) -> Result<(), FrameError> {
        if values.len() != self.rows {
            return Err(FrameError::Count { what: "values" });
        }
        let nulls = self.nulls(validity)?;
        let validity_at = self.validity(nulls)?;
        let values_at = self.len();
        self.room(N * self.rows)?;
        match nulls {
            None => values.for_each(|value| self.out.extend_from_slice(&value)),
            Some(bits) => values.enumerate().for_each(|(row, value)| {
                self.out.extend_from_slice(if bits.get(row) { &value } else { &[0; N] });
            }),
        }
        self.align()?;
        self.entry(column, [validity_at, values_at, 0, N * self.rows])
    }

    /// The validity only if one of this unit's own rows is null.
    fn nulls<'v>(&self, validity: Option<Bits<'v>>) -> Result<Option<Bits<'v>>, FrameError> {
        match validity {
            Some(bits) if !bits.holds(self.rows) => Err(FrameError::Count { what: "validity bits" }),
            other => Ok(other.filter(|bits| (0..self.rows).any(|row| !bits.get(row)))),
        }
    }

    fn validity(&mut self, nulls: Option<Bits<'_>>) -> Result<usize, FrameError> {
        let Some(bits) = nulls else { return Ok(0) };
        let at = self.len();
        self.room(self.rows.div_ceil(8))?;
        for first in (0..self.rows).step_by(8) {
            let rows = first..self.rows.min(first + 8);
            let byte = rows.fold(0_u8, |byte, row| byte | u8::from(bits.get(row)) << (row - first));
            self.out.push(byte);
        }
        self.align()?;
        Ok(at)
    }

    fn entry(&mut self, column: ColumnType, [validity, values, offsets, bytes]: [usize; 4]) -> Result<(), FrameError> {
        if self.written >= self.columns {
            return Err(FrameError::Count { what: "columns" });
        }
        let flags = if validity == 0 { 0 } else { HAS_NULLS };
        let at = HEADER_BYTES + COLUMN_BYTES * self.written;
        self.written += 1;
        self.words(at, &[column.id(), flags, word(validity), word(values), word(offsets), word(bytes)])
    }

    fn words(&mut self, at: usize, words: &[u32]) -> Result<(), FrameError> {
        let place = self.out.get_mut(self.start + at..).ok_or(FrameError::Count { what: "columns" })?;
        for (place, word) in place.chunks_exact_mut(4).zip(words) {
            place.copy_from_slice(&word.to_le_bytes());
        }
        Ok(())
    }

    fn len(&self) -> usize {
        self.out.len() - self.start
    }

    /// Whether `bytes` more still fit.
    fn room(&self, bytes: usize) -> Result<(), FrameError> {
        let fits = self.len().checked_add(bytes).is_some_and(|len| len <= self.cap);
        if fits { Ok(()) } else { Err(FrameError::TooLarge { cap: self.cap }) }
    }

    fn reserve(&mut self, bytes: usize) -> Result<(), FrameError> {
        self.room(bytes)?;
        self.out.resize(self.out.len() + bytes, 0);
        Ok(())
    }

    fn align(&mut self) -> Result<(), FrameError> {
        self.reserve(self.len().next_multiple_of(8) - self.len())
    }
}

/// A length below the frame's cap, which fits a `u32`.
fn word(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}
