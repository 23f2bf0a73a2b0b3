//! Units for the unit tests of a job: Rust values in, the frame that the host would write out.

use alloc::vec;
use alloc::vec::Vec;

use crate::column::View as _;
use crate::column::{Booleans, Bytes, Floats, Integers, Texts};
use crate::emit::row_bytes;
use crate::frame::{COLUMN_BYTES, HEADER_BYTES, MAGIC};

/// What a call answers: the rows in their order, or `None` for the default answer.
pub type Answer<const V: usize> = Option<Vec<(u32, [f64; V])>>;

/// One unit's rows, column by column. Columns are added in the order in which the job declares them.
#[derive(Debug, Clone, Default)]
pub struct Sample {
    columns: Vec<Column>,
    params: Vec<u8>,
}

#[derive(Debug, Clone)]
struct Column {
    id: u32,
    present: Vec<bool>,
    values: Vec<u8>,
    offsets: Vec<u8>,
}

impl Sample {
    /// A unit without columns.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the parameters of the call.
    #[must_use]
    pub fn params(mut self, params: &[u8]) -> Self {
        self.params = params.to_vec();
        self
    }

    /// Adds a column of whole numbers.
    #[must_use]
    pub fn integers(self, rows: &[Option<i64>]) -> Self {
        let values = rows.iter().flat_map(|row| row.unwrap_or(0).to_le_bytes()).collect();
        self.column(Integers::ID, rows, values, Vec::new())
    }

    /// Adds a column of real numbers.
    #[must_use]
    pub fn floats(self, rows: &[Option<f64>]) -> Self {
        let values = rows.iter().flat_map(|row| row.unwrap_or(0.0).to_le_bytes()).collect();
        self.column(Floats::ID, rows, values, Vec::new())
    }

    /// Adds a column of truth values.
    #[must_use]
    pub fn booleans(self, rows: &[Option<bool>]) -> Self {
        let values = rows.iter().map(|row| u8::from(row.unwrap_or(false))).collect();
        self.column(Booleans::ID, rows, values, Vec::new())
    }

    /// Adds a column of texts.
    #[must_use]
    pub fn texts(self, rows: &[Option<&str>]) -> Self {
        let mut values = Vec::new();
        let mut offsets = vec![0; 4];
        for row in rows {
            values.extend_from_slice(row.unwrap_or("").as_bytes());
            offsets.extend_from_slice(&word(values.len()));
        }
        self.column(Texts::ID, rows, values, offsets)
    }

    /// Adds a column of bytes, as many in every row.
    #[must_use]
    pub fn bytes(self, rows: &[&[u8]]) -> Self {
        let present: Vec<Option<()>> = rows.iter().map(|_| Some(())).collect();
        self.column(Bytes::ID, &present, rows.concat(), Vec::new())
    }

    fn column<T>(mut self, id: u32, rows: &[Option<T>], values: Vec<u8>, offsets: Vec<u8>) -> Self {
        let present: Vec<bool> = rows.iter().map(Option::is_some).collect();
        debug_assert!(self.columns.iter().all(|other| other.present.len() == present.len()), "columns of one length");
        self.columns.push(Column { id, present, values, offsets });
        self
    }

    /// The frame of this unit.
    #[must_use]
    pub fn to_frame(&self) -> Vec<u8> {
        let rows = self.columns.first().map_or(0, |column| column.present.len());
        let mut table = Vec::new();
        let mut buffers = Vec::new();
        let base = HEADER_BYTES + self.columns.len() * COLUMN_BYTES;
        for column in &self.columns {
            let has_nulls = column.present.contains(&false);
            let bits: Vec<u8> = column.present.chunks(8).map(bits).collect();
            let validity = if has_nulls { place(&mut buffers, base, &bits) } else { 0 };
            let values = place(&mut buffers, base, &column.values);
            let is_text = column.id == Texts::ID;
            let offsets = if is_text { place(&mut buffers, base, &column.offsets) } else { 0 };
            for field in [column.id as usize, usize::from(has_nulls), validity, values, offsets, column.values.len()] {
                table.extend_from_slice(&word(field));
            }
        }
        let params = place(&mut buffers, base, &self.params);
        let header = [MAGIC as usize, rows, self.columns.len(), params, self.params.len(), 0, 0, 0];
        let header = header.into_iter().flat_map(word);
        header.chain(table).chain(buffers).collect()
    }

    /// Calls a job as the host does, with room for `rows` output rows, and reads its answer as the host does.
    pub fn answer<const V: usize>(&self, rows: usize, call: impl FnOnce(&[u8], &mut [u8]) -> i32) -> Answer<V> {
        let mut room = vec![0; rows * row_bytes(V)];
        let count = usize::try_from(call(&self.to_frame(), &mut room)).ok().filter(|count| *count <= rows)?;
        let rows = room.chunks_exact(row_bytes(V)).take(count);
        Some(rows.filter_map(read_row).collect())
    }
}

fn read_row<const V: usize>(row: &[u8]) -> Option<(u32, [f64; V])> {
    let (key, values) = row.split_first_chunk::<4>()?;
    let values = values.get(4..)?.as_chunks().0;
    let mut row = [0.0; V];
    for (place, value) in row.iter_mut().zip(values) {
        *place = f64::from_le_bytes(*value);
    }
    Some((u32::from_le_bytes(*key), row))
}

fn bits(rows: &[bool]) -> u8 {
    rows.iter().enumerate().fold(0, |byte, (row, present)| byte | u8::from(*present) << row)
}

/// Adds a buffer, filled up to a multiple of 8 bytes, and says where in the frame it begins.
fn place(buffers: &mut Vec<u8>, base: usize, bytes: &[u8]) -> usize {
    let start = base + buffers.len();
    buffers.extend_from_slice(bytes);
    buffers.resize(buffers.len().next_multiple_of(8), 0);
    start
}

/// A field of the header. Test frames are far smaller than 4 GiB, so nothing is cut off.
fn word(number: usize) -> [u8; 4] {
    let [a, b, c, d, ..] = (number as u64).to_le_bytes();
    [a, b, c, d]
}
