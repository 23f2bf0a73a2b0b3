//! Synthetic twins: rows to develop against, made from a manifest and a seed and from nothing else.
//!
//! A twin has the schema of the stored dataset, its declared sizes, keys and bounds, and no other likeness to it: every
//! distribution is uniform, because a better one would have to be learned from the rows.

mod footage;

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, FixedSizeBinaryArray, Float64Array, Int64Array, StringArray,
    TimestampMicrosecondArray, new_null_array,
};
use arrow::record_batch::RecordBatch;
use glovebox_policy::{ColumnName, Digest};

use crate::UNIT_BYTES;
use crate::manifest::{Bounds, Column, ColumnKind, KeyValue, Manifest};

/// The most rows of one twin.
pub const MAX_TWIN_ROWS: usize = 10_000_000;

/// One cell in this many is NULL, in columns that may be.
const NULL_EVERY: u64 = 50;

/// How often a row that breaks a declared uniqueness is drawn again before it is left out.
const MAX_DRAWS: usize = 16;

/// Something synthetic. The only thing on which an answer without noise may be computed.
///
/// Made by [`twin`] alone, from a manifest. There is no way from protected data to it:
///
/// ```compile_fail,E0277
/// use glovebox_catalog::Twin;
/// use glovebox_vault::{Expose, Protected};
///
/// let rows = Protected::seal(vec![1_u64, 2, 3]);
/// let twin: Twin<Vec<u64>> = rows.into(); // no `From<Protected<T>>`
/// ```
///
/// ```compile_fail,E0451
/// let twin = glovebox_catalog::Twin { value: vec![1_u64, 2, 3] }; // the field is private
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Twin<T> {
    value: T,
}

impl<T> Twin<T> {
    /// The synthetic value.
    pub const fn get(&self) -> &T {
        &self.value
    }

    /// The synthetic value, by move.
    pub fn into_inner(self) -> T {
        self.value
    }

    /// Something computed from the synthetic value alone: a function pointer has no surroundings to draw from.
    pub fn map<U>(self, compute: fn(T) -> U) -> Twin<U> {
        Twin { value: compute(self.value) }
    }
}

/// Why a twin cannot be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TwinError {
    /// Too many rows were asked for.
    #[error("a twin has at most {MAX_TWIN_ROWS} rows")]
    TooManyRows,
    /// The columns could not be put together.
    #[error("the synthetic rows do not form a table")]
    Shape,
}

/// Makes about `rows` synthetic rows: the same for the same manifest, `rows` and `seed`.
///
/// The rows have the schema of [`Manifest::arrow_schema`], are sorted by unit, keep `max_units`, `max_rows_per_unit`
/// and the declared uniqueness, and are fewer than `rows` where those leave no room.
///
/// Of footage they are whole chunks, at least one: gray ground, over which bright squares go at constant speed.
///
/// # Errors
/// [`TwinError::TooManyRows`] above [`MAX_TWIN_ROWS`].
pub fn twin(manifest: &Manifest, rows: usize, seed: u64) -> Result<Twin<RecordBatch>, TwinError> {
    if rows > MAX_TWIN_ROWS {
        return Err(TwinError::TooManyRows);
    }
    if let Some(declared) = manifest.footage() {
        return footage::frames(manifest, declared, rows, seed).map(|value| Twin { value });
    }
    let mut drawn = Draw::new(manifest, seed).rows(rows);
    drawn.sort_by_key(|row| row.unit);
    let mut columns: Vec<ArrayRef> = Vec::new();
    for (index, column) in manifest.columns().iter().enumerate() {
        if !column.identifier {
            columns.push(array(column.kind, &drawn, index));
        }
    }
    let units = drawn.iter().map(|row| row.unit);
    let units = FixedSizeBinaryArray::try_from_sparse_iter_with_size(units.map(Some), UNIT_BYTES as i32)
        .map_err(|_| TwinError::Shape)?;
    columns.push(Arc::new(units));
    let value = RecordBatch::try_new(manifest.arrow_schema(), columns).map_err(|_| TwinError::Shape)?;
    Ok(Twin { value })
}

/// A synthetic cell. Floats are kept as bits so that rows can be compared.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Cell {
    Null,
    Int(i64),
    Float(u64),
    Text(String),
    Bool(bool),
}

struct Row {
    unit: [u8; UNIT_BYTES],
    cells: Vec<Cell>,
}

/// SplitMix64 (Steele, Lea and Flood 2014): small, and the same on every machine. Nothing secret depends on it.
struct SplitMix(u64);

impl SplitMix {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `limit`, which is above 0. The slight unevenness does not matter for synthetic rows.
    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit.max(1)
    }

    /// A number from 0 to 1.
    fn fraction(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

struct Draw<'a> {
    manifest: &'a Manifest,
    random: SplitMix,
    /// For each declared unique set, the positions of its columns and what was drawn for them.
    unique: Vec<(Vec<usize>, HashSet<Vec<Cell>>)>,
}

impl<'a> Draw<'a> {
    fn new(manifest: &'a Manifest, seed: u64) -> Self {
        let place = |name: &ColumnName| manifest.columns().iter().position(|column| column.name == *name);
        let unique = manifest.unique().iter().map(|set| (set.iter().filter_map(place).collect(), HashSet::new()));
        Self { manifest, random: SplitMix(seed), unique: unique.collect() }
    }

    fn rows(mut self, wanted: usize) -> Vec<Row> {
        let mut out = Vec::with_capacity(wanted);
        let mut number = 0;
        // A unit can be left without rows by the uniqueness, so units are bounded and not only rows.
        while out.len() < wanted && number < self.manifest.max_units() && number < 2 * wanted as u64 {
            number += 1;
            let rows = 1 + self.random.below(self.manifest.max_rows_per_unit().into());
            for _ in 0..rows.min((wanted - out.len()) as u64) {
                out.extend(self.row(number));
            }
        }
        out
    }

    fn row(&mut self, number: u64) -> Option<Row> {
        for _ in 0..MAX_DRAWS {
            let manifest = self.manifest;
            let cells: Vec<Cell> = manifest.columns().iter().map(|column| self.cell(column, number)).collect();
            let drawn: Vec<Vec<Cell>> = self
                .unique
                .iter()
                .map(|(columns, _)| columns.iter().filter_map(|place| cells.get(*place).cloned()).collect())
                .collect();
            if self.unique.iter().zip(&drawn).any(|((_, seen), values)| seen.contains(values)) {
                continue;
            }
            self.unique.iter_mut().zip(drawn).for_each(|((_, seen), values)| {
                seen.insert(values);
            });
            let mut unit = [0; UNIT_BYTES];
            let hash = Digest::of(format!("twin unit {number}").as_bytes());
            unit.iter_mut().zip(hash.as_bytes()).for_each(|(to, from)| *to = *from);
            return Some(Row { unit, cells });
        }
        None
    }

    fn cell(&mut self, column: &Column, number: u64) -> Cell {
        if self.manifest.is_unit(&column.name) {
            return unit_cell(column.kind, number);
        }
        if self.random.below(NULL_EVERY) == 0 {
            return Cell::Null;
        }
        if let Some(keys) = &column.keys {
            let place = self.random.below(keys.values.len() as u64) as usize;
            return keys.values.get(place).map_or(Cell::Null, |value| match value {
                KeyValue::Int(n) => Cell::Int(*n),
                KeyValue::Text(text) => Cell::Text(text.clone()),
                KeyValue::Bool(flag) => Cell::Bool(*flag),
            });
        }
        self.free_cell(column)
    }

    /// A declared day; from 1970 to 2030 where none is declared.
    fn day(&mut self, column: &Column) -> i64 {
        let (first, last) = column.days.as_ref().map_or((0, 21_914), |days| (days.first, days.last));
        i64::from(first) + self.random.below(u64::from(last.abs_diff(first)) + 1) as i64
    }

    fn free_cell(&mut self, column: &Column) -> Cell {
        // Where nothing is declared, any small value will do.
        let (lower, upper) =
            column.bounds.as_ref().map_or((0.0, 100.0), |Bounds { lower, upper, .. }| (*lower, *upper));
        let x = lower + self.random.fraction() * (upper - lower);
        let x = column.grid.map_or(x, |grid| ((x / grid).round() * grid).clamp(lower, upper));
        match column.kind {
            ColumnKind::Int => Cell::Int(x.round() as i64),
            ColumnKind::Float => Cell::Float(x.to_bits()),
            ColumnKind::Text => Cell::Text(format!("text-{}", self.random.below(20))),
            ColumnKind::Bool => Cell::Bool(self.random.below(2) == 1),
            ColumnKind::Date => Cell::Int(self.day(column)),
            ColumnKind::Timestamp => {
                const DAY_MICROS: u64 = 86_400_000_000;
                Cell::Int(self.day(column) * DAY_MICROS as i64 + self.random.below(DAY_MICROS) as i64)
            }
            // No table has such a column.
            ColumnKind::Bytes => Cell::Null,
        }
    }
}

fn unit_cell(kind: ColumnKind, number: u64) -> Cell {
    match kind {
        ColumnKind::Text => Cell::Text(format!("unit-{number}")),
        ColumnKind::Bool => Cell::Bool(number % 2 == 1),
        _ => Cell::Int(i64::try_from(number).unwrap_or(i64::MAX)),
    }
}

fn array(kind: ColumnKind, rows: &[Row], index: usize) -> ArrayRef {
    let cells = || rows.iter().map(|row| row.cells.get(index).unwrap_or(&Cell::Null));
    let ints = || cells().map(|cell| if let Cell::Int(n) = cell { Some(*n) } else { None });
    match kind {
        ColumnKind::Int => Arc::new(ints().collect::<Int64Array>()),
        ColumnKind::Date => {
            Arc::new(ints().map(|day| day.and_then(|n| i32::try_from(n).ok())).collect::<Date32Array>())
        }
        ColumnKind::Bytes => new_null_array(&kind.arrow_type(), rows.len()),
        ColumnKind::Timestamp => Arc::new(ints().collect::<TimestampMicrosecondArray>()),
        ColumnKind::Float => {
            let floats =
                cells().map(|cell| if let Cell::Float(bits) = cell { Some(f64::from_bits(*bits)) } else { None });
            Arc::new(floats.collect::<Float64Array>())
        }
        ColumnKind::Text => {
            let texts = cells().map(|cell| if let Cell::Text(text) = cell { Some(text.as_str()) } else { None });
            Arc::new(texts.collect::<StringArray>())
        }
        ColumnKind::Bool => {
            let flags = cells().map(|cell| if let Cell::Bool(flag) = cell { Some(*flag) } else { None });
            Arc::new(flags.collect::<BooleanArray>())
        }
    }
}
