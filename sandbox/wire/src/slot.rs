//! One unit's result: a slot of fixed size, so that no length tells what a guest did.
//!
//! `u8` outcome (0 rows, 1 default), three zero bytes, `u32` number of rows, then room for `max_rows` rows of
//! `u32` key, four ignored bytes, `values` × `f64`; what no row uses is zero.

use crate::WireError;
use crate::abi::row_bytes;

const HEAD_BYTES: usize = 8;

/// The shape of every slot of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlotLayout {
    /// Rows that a slot has room for.
    pub max_rows: u32,
    /// Values in a row.
    pub values: u32,
}

impl SlotLayout {
    /// Bytes of a row.
    #[must_use]
    pub const fn row_bytes(self) -> usize {
        row_bytes(self.values) as usize
    }

    /// Bytes of a slot; the largest number there is when they are more (no checked [`crate::Call`] comes near).
    #[must_use]
    pub const fn bytes(self) -> usize {
        HEAD_BYTES.saturating_add((self.max_rows as usize).saturating_mul(self.row_bytes()))
    }
}

/// What became of a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The guest returned rows.
    Rows,
    /// It did not; the job's default row stands in.
    Default,
}

/// A slot that is being filled.
#[derive(Debug)]
pub struct SlotMut<'a> {
    layout: SlotLayout,
    bytes: &'a mut [u8],
}

impl<'a> SlotMut<'a> {
    /// The slot in `bytes`, set to the default outcome; `None` when they are not [`SlotLayout::bytes`] long.
    #[must_use]
    pub fn new(layout: SlotLayout, bytes: &'a mut [u8]) -> Option<Self> {
        (bytes.len() == layout.bytes()).then(|| {
            let mut slot = Self { layout, bytes };
            slot.set_default();
            slot
        })
    }

    /// The shape of the slot.
    #[must_use]
    pub const fn layout(&self) -> SlotLayout {
        self.layout
    }

    /// The default outcome: no rows, every byte of theirs zero.
    pub fn set_default(&mut self) {
        self.bytes.fill(0);
        if let Some(outcome) = self.bytes.first_mut() {
            *outcome = 1;
        }
    }

    /// Sets `rows` rows, whose bytes are `raw` as the guest wrote them, and pads with zeros. When `rows` is over the
    /// layout's cap, or `raw` is not their length, the outcome is the default.
    pub fn set_rows(&mut self, rows: u32, raw: &[u8]) {
        self.set_default();
        if rows > self.layout.max_rows || raw.len() != rows as usize * self.layout.row_bytes() {
            return;
        }
        let Some((head, room)) = self.bytes.split_at_mut_checked(HEAD_BYTES) else { return };
        let Some(room) = room.get_mut(..raw.len()) else { return };
        room.copy_from_slice(raw);
        let [a, b, c, d] = rows.to_le_bytes();
        head.copy_from_slice(&[0, 0, 0, 0, a, b, c, d]);
    }

    /// The slot's bytes as they are, to be written by hand: what a broken or hostile worker could send.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        self.bytes
    }
}

/// A slot as the host reads it: checked, but still only what a worker claims.
#[derive(Clone, Copy, Debug)]
pub struct Slot<'a> {
    outcome: Outcome,
    row_bytes: usize,
    rows: &'a [u8],
}

impl<'a> Slot<'a> {
    /// Reads a slot.
    ///
    /// # Errors
    /// [`WireError::Truncated`] and [`WireError::Field`] when the bytes are not what [`SlotMut`] writes.
    pub fn decode(layout: SlotLayout, bytes: &'a [u8]) -> Result<Self, WireError> {
        if bytes.len() != layout.bytes() {
            return Err(WireError::Truncated);
        }
        let (&[outcome, z0, z1, z2, a, b, c, d], room) =
            bytes.split_first_chunk::<HEAD_BYTES>().ok_or(WireError::Truncated)?;
        let n_rows = u32::from_le_bytes([a, b, c, d]);
        let outcome = match outcome {
            0 => Outcome::Rows,
            1 if n_rows == 0 => Outcome::Default,
            _ => return Err(WireError::Field { field: "outcome" }),
        };
        if [z0, z1, z2] != [0; 3] || n_rows > layout.max_rows {
            return Err(WireError::Field { field: "slot head" });
        }
        let used = n_rows as usize * layout.row_bytes();
        let (rows, padding) = room.split_at_checked(used).ok_or(WireError::Truncated)?;
        if padding.iter().any(|&byte| byte != 0) {
            return Err(WireError::Field { field: "slot padding" });
        }
        Ok(Self { outcome, row_bytes: layout.row_bytes(), rows })
    }

    /// What became of the unit.
    #[must_use]
    pub const fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// The rows, in the order in which the guest wrote them: key, then the values (any bits, NaN included).
    pub fn rows(&self) -> impl ExactSizeIterator<Item = (u32, Values<'a>)> + use<'a> {
        self.rows.chunks_exact(self.row_bytes).map(|row| match row.split_first_chunk::<8>() {
            Some((&[a, b, c, d, ..], values)) => (u32::from_le_bytes([a, b, c, d]), Values(values)),
            None => (0, Values(&[])),
        })
    }
}

/// The values of one row.
#[derive(Clone, Copy, Debug)]
pub struct Values<'a>(&'a [u8]);

impl Iterator for Values<'_> {
    type Item = f64;

    fn next(&mut self) -> Option<f64> {
        let (head, tail) = self.0.split_first_chunk::<8>()?;
        self.0 = tail;
        Some(f64::from_le_bytes(*head))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.0.len() / 8;
        (left, Some(left))
    }
}

impl ExactSizeIterator for Values<'_> {}
