//! Typed views of a frame's columns. A NULL is `None`; rows are in the order in which the host stores them.

use crate::frame::{Frame, FrameFault};

/// A view that can be taken of a column.
pub trait View<'a>: Sized {
    /// The number that stands for the column's type in a frame.
    const ID: u32;

    /// The view of column `index`.
    ///
    /// # Errors
    /// [`FrameFault`] when there is no such column, it is of another type, or its buffers are out of place.
    fn of(frame: &Frame<'a>, index: usize) -> Result<Self, FrameFault>;
}

/// Where a column has no value.
#[derive(Debug, Clone, Copy)]
struct Nulls<'a>(Option<&'a [u8]>);

impl Nulls<'_> {
    fn at(self, row: usize) -> bool {
        self.0.is_some_and(|bits| bits.get(row / 8).is_none_or(|byte| byte >> (row % 8) & 1 == 0))
    }
}

macro_rules! view {
    ($(#[$about:meta])* $view:ident, $item:ty, $id:literal, $stored:ty, $read:expr) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy)]
        pub struct $view<'a> {
            nulls: Nulls<'a>,
            values: &'a [$stored],
        }

        impl<'a> $view<'a> {
            /// The value of this row; `None` for a NULL and beyond the last row.
            #[must_use]
            pub fn get(&self, row: usize) -> Option<$item> {
                let value = self.values.get(row)?;
                if self.nulls.at(row) { None } else { Some($read(*value)) }
            }

            /// The values of all rows in their order.
            pub fn iter(&self) -> impl Iterator<Item = Option<$item>> + 'a {
                let view = *self;
                (0..view.values.len()).map(move |row| view.get(row))
            }
        }

        impl<'a> View<'a> for $view<'a> {
            const ID: u32 = $id;

            fn of(frame: &Frame<'a>, index: usize) -> Result<Self, FrameFault> {
                let entry = frame.entry(index, Self::ID)?;
                Ok(Self { nulls: Nulls(entry.validity), values: frame.items(entry.values, 0)? })
            }
        }
    };
}

view!(
    /// A column of whole numbers; also of dates (days since 1970-01-01) and of times (microseconds since then).
    Integers, i64, 1, [u8; 8], i64::from_le_bytes
);
view!(
    /// A column of real numbers.
    Floats, f64, 2, [u8; 8], f64::from_le_bytes
);
view!(
    /// A column of truth values.
    Booleans, bool, 3, [u8; 1], |byte: [u8; 1]| byte != [0]
);

/// A column of texts.
#[derive(Debug, Clone, Copy)]
pub struct Texts<'a> {
    nulls: Nulls<'a>,
    offsets: &'a [[u8; 4]],
    text: &'a str,
}

impl<'a> Texts<'a> {
    /// The text of this row; `None` for a NULL and beyond the last row.
    #[must_use]
    pub fn get(&self, row: usize) -> Option<&'a str> {
        let at = |row: usize| self.offsets.get(row).map(|offset| u32::from_le_bytes(*offset) as usize);
        let text = self.text.get(at(row)?..at(row + 1)?)?;
        if self.nulls.at(row) { None } else { Some(text) }
    }

    /// The texts of all rows in their order.
    pub fn iter(&self) -> impl Iterator<Item = Option<&'a str>> + 'a {
        let view = *self;
        (1..view.offsets.len()).map(move |next| view.get(next - 1))
    }
}

impl<'a> View<'a> for Texts<'a> {
    const ID: u32 = 4;

    fn of(frame: &Frame<'a>, index: usize) -> Result<Self, FrameFault> {
        let entry = frame.entry(index, Self::ID)?;
        let bytes = frame.buffer(entry.values, entry.text_bytes)?;
        // Read as UTF-8 once, so that no row has to be read again.
        let text = core::str::from_utf8(bytes).map_err(|_| FrameFault::Buffer)?;
        Ok(Self { nulls: Nulls(entry.validity), offsets: frame.items(entry.offsets, 1)?, text })
    }
}

/// A column of bytes, the same number in every row and never NULL: the pixels of frames.
#[derive(Debug, Clone, Copy)]
pub struct Bytes<'a> {
    width: usize,
    values: &'a [u8],
}

impl<'a> Bytes<'a> {
    /// The bytes of this row; `None` beyond the last row.
    #[must_use]
    pub fn get(&self, row: usize) -> Option<&'a [u8]> {
        let start = row.checked_mul(self.width)?;
        self.values.get(start..start.checked_add(self.width)?).filter(|bytes| !bytes.is_empty())
    }

    /// The bytes of all rows in their order.
    pub fn iter(&self) -> core::slice::ChunksExact<'a, u8> {
        self.values.chunks_exact(self.width.max(1))
    }
}

impl<'a> View<'a> for Bytes<'a> {
    const ID: u32 = 5;

    fn of(frame: &Frame<'a>, index: usize) -> Result<Self, FrameFault> {
        let entry = frame.entry(index, Self::ID)?;
        let values = frame.buffer(entry.values, entry.text_bytes)?;
        let width = values.len().checked_div(frame.rows()).unwrap_or(0);
        if width * frame.rows() == values.len() { Ok(Self { width, values }) } else { Err(FrameFault::Buffer) }
    }
}

/// The views by the names that a job's `struct` writes for its columns.
pub mod types {
    #![expect(non_camel_case_types, reason = "these are the names of column types in manifests")]

    /// See [`super::Integers`].
    pub type i64<'a> = super::Integers<'a>;
    /// See [`super::Floats`].
    pub type f64<'a> = super::Floats<'a>;
    /// See [`super::Booleans`].
    pub type bool<'a> = super::Booleans<'a>;
    /// See [`super::Texts`].
    pub type text<'a> = super::Texts<'a>;
    /// See [`super::Bytes`].
    pub type bytes<'a> = super::Bytes<'a>;
}
