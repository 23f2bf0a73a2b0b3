//! Keys that nobody listed: values that were found in rows, before and after they are noised.

use serde::{Deserialize, Serialize};

/// The longest text of a key, in bytes. Whoever finds keys in rows counts a longer text as [`KeyPart::Null`], row by row, so that no
/// row decides how large an answer may be.
pub const KEY_TEXT_MAX_BYTES: usize = 128;

/// The value of one key column. Days and instants are whole numbers, as in key lists. Parts are ordered by value, missing ones first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum KeyPart {
    /// Missing, or not on the list of a column that has one.
    Null,
    /// True or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// Text, of at most [`KEY_TEXT_MAX_BYTES`] bytes.
    Text(String),
}

/// A key: one part for each key column.
pub type Key = Vec<KeyPart>;
