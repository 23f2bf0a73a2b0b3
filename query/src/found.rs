//! Keys that are found in rows: written down as bytes, added up per unit, counted over units.
//!
//! # Privacy obligation
//! Neighbouring relation: one unit with all of its rows, added or removed. The bytes of a key are a function of one row, and equal for
//! equal values only; which keys of a unit are kept depends on their bytes, the unit and the secret key alone. So another unit
//! changes neither which keys a unit has nor how much it adds, and a key is there if and only if some unit was kept in it. A text longer
//! than [`KEY_TEXT_MAX_BYTES`] is NULL as a key, so what one row adds to an answer has a size that is public. Memory grows with the
//! keys that are there, to declared units times `max_groups_contributed` at most, and nobody is told by how much.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Date32Type, Int64Type, TimestampMicrosecondType};
use glovebox_catalog::KeyValue;
use glovebox_privacy::{KEY_TEXT_MAX_BYTES, Key, KeyPart};

use crate::fold::Cells;
use crate::inner::key_value;
use crate::keys::KeyColumn;
use crate::rows::{InnerFault, Rows};

/// The bytes of a key: the number of the group by listed keys, then one part for each key that is found. No two keys have the same bytes.
pub(crate) type KeyBytes = Arc<[u8]>;

/// So many keys of one unit are looked up in a map that is kept for the next.
const KEPT_CAPACITY: usize = 1024;

const NULL: u8 = 0;
const BOOL: u8 = 1;
const INT: u8 = 2;
const TEXT: u8 = 3;

/// Writes a part.
pub(crate) fn push_part(out: &mut Vec<u8>, part: &KeyPart) {
    match part {
        KeyPart::Bool(value) => out.extend([BOOL, u8::from(*value)]),
        KeyPart::Int(value) => push_int(out, *value),
        KeyPart::Text(text) => push_text(out, text),
        KeyPart::Null => out.push(NULL),
    }
}

fn push_int(out: &mut Vec<u8>, value: i64) {
    out.push(INT);
    out.extend(value.to_be_bytes());
}

fn push_text(out: &mut Vec<u8>, text: &str) {
    match u8::try_from(text.len()) {
        Ok(length) if text.len() <= KEY_TEXT_MAX_BYTES => {
            out.extend([TEXT, length]);
            out.extend(text.as_bytes());
        }
        _ => out.push(NULL),
    }
}

/// The keys of the rows of a batch.
#[derive(Default)]
pub(crate) struct RowKeys {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl RowKeys {
    /// Writes the keys of rows in these groups, with these values of the keys that are found.
    pub(crate) fn new(groups: &[u32], values: &[ArrayRef]) -> Result<Self, InnerFault> {
        let values = values.iter().map(Values::of).collect::<Option<Vec<_>>>();
        let values = values.ok_or(InnerFault::at("key type"))?;
        let mut keys = Self::default();
        for (row, group) in groups.iter().enumerate() {
            keys.bytes.extend(group.to_be_bytes());
            values.iter().for_each(|values| values.push(row, &mut keys.bytes));
            keys.ends.push(keys.bytes.len());
        }
        Ok(keys)
    }

    fn of(&self, row: usize) -> Option<&[u8]> {
        let start = if row == 0 { 0 } else { *self.ends.get(row - 1)? };
        self.bytes.get(start..*self.ends.get(row)?)
    }
}

/// A column of values by type.
enum Values<'a> {
    Bools(&'a arrow::array::BooleanArray),
    Ints(&'a arrow::array::Int64Array),
    Days(&'a arrow::array::Date32Array),
    Instants(&'a arrow::array::TimestampMicrosecondArray),
    Texts(&'a arrow::array::StringArray),
}

impl<'a> Values<'a> {
    fn of(array: &'a ArrayRef) -> Option<Self> {
        Some(match array.data_type() {
            DataType::Boolean => Self::Bools(array.as_boolean_opt()?),
            DataType::Int64 => Self::Ints(array.as_primitive_opt::<Int64Type>()?),
            DataType::Date32 => Self::Days(array.as_primitive_opt::<Date32Type>()?),
            DataType::Timestamp(..) => Self::Instants(array.as_primitive_opt::<TimestampMicrosecondType>()?),
            DataType::Utf8 => Self::Texts(array.as_string_opt::<i32>()?),
            _ => return None,
        })
    }

    fn push(&self, row: usize, out: &mut Vec<u8>) {
        match self {
            Self::Bools(values) if values.is_valid(row) => out.extend([BOOL, u8::from(values.value(row))]),
            Self::Ints(values) if values.is_valid(row) => push_int(out, values.value(row)),
            Self::Days(values) if values.is_valid(row) => push_int(out, i64::from(values.value(row))),
            Self::Instants(values) if values.is_valid(row) => push_int(out, values.value(row)),
            Self::Texts(values) if values.is_valid(row) => push_text(out, values.value(row)),
            _ => out.push(NULL),
        }
    }
}

/// What has been found: the keys of the current unit, and totals by key.
#[derive(Default)]
pub(crate) struct Finder {
    own: HashMap<KeyBytes, u32>,
    order: Vec<KeyBytes>,
    totals: FoundTotals,
}

/// Totals by key, `[measure]`.
pub(crate) type FoundTotals = HashMap<KeyBytes, Vec<i128>>;

impl Finder {
    /// The number of a row's key among those of the current unit.
    pub(crate) fn number(&mut self, rows: &Rows, row: usize) -> Option<u32> {
        let bytes = rows.keys.as_ref()?.of(row)?;
        if let Some(number) = self.own.get(bytes) {
            return Some(*number);
        }
        let (key, number) = (KeyBytes::from(bytes), self.order.len() as u32);
        self.own.insert(Arc::clone(&key), number);
        self.order.push(key);
        Some(number)
    }

    /// The key of this number.
    pub(crate) fn key(&self, number: u32) -> &[u8] {
        self.order.get(number as usize).map(|key| &**key).unwrap_or_default()
    }

    /// Adds what the current unit contributes to the key of this number.
    pub(crate) fn contribute(&mut self, number: u32, clamped: impl ExactSizeIterator<Item = i128>) {
        let Some(key) = self.order.get(number as usize) else {
            return;
        };
        let totals = self.totals.entry(Arc::clone(key)).or_insert_with(|| vec![0; clamped.len()]);
        totals.iter_mut().zip(clamped).for_each(|(total, more)| *total += more);
    }

    /// Gets ready for the next unit.
    pub(crate) fn clear(&mut self) {
        // Clearing takes as long as the most keys that any unit had: the next ones shall not tell.
        if self.own.capacity() > KEPT_CAPACITY {
            (self.own, self.order) = Default::default();
        }
        self.own.clear();
        self.order.clear();
    }

    /// What was added up.
    pub(crate) fn into_totals(self) -> FoundTotals {
        self.totals
    }
}

/// Adds totals up.
pub(crate) fn add_totals(into: &mut FoundTotals, from: FoundTotals) {
    for (key, more) in from {
        match into.get_mut(&key) {
            Some(totals) => totals.iter_mut().zip(more).for_each(|(total, more)| *total += more),
            None => drop(into.insert(key, more)),
        }
    }
}

/// Keys in the order of their values, and cells `[measure][key]`.
pub(crate) fn sorted(
    totals: FoundTotals,
    keys: &[KeyColumn],
    measures: usize,
) -> Result<(Vec<Key>, Cells), InnerFault> {
    let mut found = Vec::with_capacity(totals.len());
    for (bytes, sums) in totals {
        found.push((key_of(&bytes, keys).ok_or(InnerFault::at("keys"))?, sums));
    }
    found.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
    let column = |place: usize| found.iter().map(|(_, sums)| sums.get(place).copied().unwrap_or(0)).collect();
    let cells = (0..measures).map(column).collect();
    Ok((found.into_iter().map(|(key, _)| key).collect(), cells))
}

/// Reads the bytes of a key.
fn key_of(bytes: &[u8], keys: &[KeyColumn]) -> Option<Key> {
    let (group, mut rest) = bytes.split_first_chunk::<4>()?;
    let group = u32::from_be_bytes(*group);
    let mut key = Key::with_capacity(keys.len());
    for (place, column) in keys.iter().enumerate() {
        key.push(if column.found { part_of(&mut rest)? } else { listed(key_value(keys, place, group)) });
    }
    rest.is_empty().then_some(key)
}

/// The part that a value of a list is.
pub(crate) fn listed(value: Option<&KeyValue>) -> KeyPart {
    match value {
        None => KeyPart::Null,
        Some(KeyValue::Bool(value)) => KeyPart::Bool(*value),
        Some(KeyValue::Int(value)) => KeyPart::Int(*value),
        Some(KeyValue::Text(text)) => KeyPart::Text(text.clone()),
    }
}

/// The value that a part is.
pub(crate) fn value_of(part: &KeyPart) -> Option<KeyValue> {
    match part {
        KeyPart::Null => None,
        KeyPart::Bool(value) => Some(KeyValue::Bool(*value)),
        KeyPart::Int(value) => Some(KeyValue::Int(*value)),
        KeyPart::Text(text) => Some(KeyValue::Text(text.clone())),
    }
}

fn part_of(rest: &mut &[u8]) -> Option<KeyPart> {
    let (kind, after) = rest.split_first()?;
    let (part, after) = match *kind {
        NULL => (KeyPart::Null, after),
        BOOL => after.split_first().map(|(value, after)| (KeyPart::Bool(*value == 1), after))?,
        INT => {
            after.split_first_chunk::<8>().map(|(value, after)| (KeyPart::Int(i64::from_be_bytes(*value)), after))?
        }
        TEXT => {
            let (length, after) = after.split_first()?;
            let (text, after) = after.split_at_checked(usize::from(*length))?;
            (KeyPart::Text(std::str::from_utf8(text).ok()?.to_owned()), after)
        }
        _ => return None,
    };
    *rest = after;
    Some(part)
}

#[cfg(test)]
#[path = "found_tests.rs"]
mod tests;
