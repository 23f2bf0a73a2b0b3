//! The answer of one call: rows of a key and `V` values, written into the output area.
//!
//! A row is `u32 key | u32 zero | V × f64`, little-endian. The number of rows is what `gbx_map` returns.

/// What `gbx_map` returns for "take this unit's default answer".
pub const DEFAULT: i32 = -1;

/// Takes the rows of one unit.
#[derive(Debug)]
pub struct Emit<'a, const V: usize> {
    room: &'a mut [u8],
    rows: i32,
    overflown: bool,
}

/// Bytes of one row with `values` values.
#[must_use]
pub const fn row_bytes(values: usize) -> usize {
    8 + 8 * values
}

impl<'a, const V: usize> Emit<'a, V> {
    /// Writes into these bytes, as many rows as they hold.
    pub fn into(room: &'a mut [u8]) -> Self {
        Self { room, rows: 0, overflown: false }
    }

    /// Adds a row: the position of its key in the manifest's list, and its values in the manifest's order.
    ///
    /// A unit with more rows than the job declares, a key beyond the list, or a value that is not finite has its default
    /// answer instead. Rows of the same key are added up by the host, which then clips each value to its declared range.
    pub fn row(&mut self, key: u32, values: [f64; V]) {
        let room = core::mem::take(&mut self.room);
        let Some((row, rest)) = room.split_at_mut_checked(row_bytes(V)) else {
            self.overflown = true;
            return;
        };
        let (head, places) = row.split_at_mut(8);
        head.copy_from_slice(&u64::from(key).to_le_bytes());
        for (place, value) in places.as_chunks_mut().0.iter_mut().zip(values) {
            *place = value.to_le_bytes();
        }
        self.room = rest;
        self.rows += 1;
    }

    /// What `gbx_map` returns: the number of rows, or [`DEFAULT`] when there were too many.
    #[must_use]
    pub fn finish(self) -> i32 {
        if self.overflown { DEFAULT } else { self.rows }
    }
}
