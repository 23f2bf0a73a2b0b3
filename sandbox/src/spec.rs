//! What a job of kind `map` declares, and the check that a module can keep it.
//!
//! Everything here is public: it comes from the job's manifest, the module and the dataset's declared sizes, never from
//! rows. Cost, sensitivity and accept or refuse follow from it alone.

use glovebox_wire::{abi, fixed_frame_bytes};

use crate::ColumnType;
use crate::module::ModuleFacts;

/// Most declared keys.
pub const MAX_KEYS: u32 = 1 << 16;

/// Most cells: keys × (values, and the count).
pub const MAX_CELLS: u64 = 1 << 20;

/// Largest magnitude of a value's bound, in steps: the integers that an f64 holds exactly.
pub const MAX_BOUND: i64 = 1 << 53;

/// What is bounded of the rows that a guest emits, and so what a neighbour can change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bounding {
    /// A unit is somebody with all of its rows. What its guest emits is added up per key and clipped, and at most `max_keys`
    /// keys of it are kept.
    Unit,
    /// A unit is a chunk of footage, in which anybody may be. It contributes exactly `max_rows` rows, filled up with the default
    /// row, each value clipped on its own; `max_keys` cuts nothing.
    Rows,
}

/// The declared size of a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnitSize {
    /// Most rows.
    pub rows: u32,
    /// The length of each value of a column of bytes; 0 without one.
    pub width: u32,
}

impl UnitSize {
    /// At most so many rows without bytes.
    pub const fn of_rows(rows: u32) -> Self {
        Self { rows, width: 0 }
    }
}

/// A job of kind `map`, as far as the sandbox is concerned.
#[derive(Debug, Clone, PartialEq)]
pub struct MapSpec {
    /// Most rows that one unit may emit.
    pub max_rows: u32,
    /// How many keys are declared; a row names its key by position.
    pub keys: u32,
    /// Most keys that one unit is counted under (L0).
    pub max_keys: u32,
    /// What is bounded: a unit, or each of its rows.
    pub bounding: Bounding,
    /// The values of an output row, in order.
    pub values: Vec<ValueSpec>,
    /// Whether units are counted per key, as one more family of cells after the values.
    pub count_units: bool,
    /// What stands for a unit on which the guest failed.
    pub default: DefaultRow,
    /// Fuel for one unit, in wasmtime's units.
    pub fuel: u64,
    /// Public bytes given to every call.
    pub params: Vec<u8>,
}

/// One value of an output row.
#[derive(Debug, Clone, PartialEq)]
pub struct ValueSpec {
    /// Least contribution of a unit under one key, in steps; under [`Bounding::Rows`], of one row.
    pub low: i64,
    /// Greatest contribution of a unit under one key, in steps; under [`Bounding::Rows`], of one row.
    pub high: i64,
    /// What one step is worth in the guest's numbers.
    pub step: f64,
}

/// The row that stands for a unit on which the guest failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DefaultRow {
    /// Position of its key.
    pub key: u32,
    /// Its values, in steps.
    pub values: Vec<i64>,
}

/// Why a job does not fit its module or the limits. Computed from public declarations alone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SpecFault {
    /// No columns, or more than [`abi::MAX_COLUMNS`].
    #[error("a job reads 1 to {} columns", abi::MAX_COLUMNS)]
    Columns,
    /// No key, or more than [`MAX_KEYS`].
    #[error("a job declares 1 to {MAX_KEYS} keys")]
    Keys,
    /// More than [`abi::MAX_VALUES`], or neither values nor a count.
    #[error("a job declares at most {} values, and a value or the count of units", abi::MAX_VALUES)]
    Values,
    /// More than [`MAX_CELLS`].
    #[error("keys times values are more than {MAX_CELLS} cells")]
    Cells,
    /// The units of footage are chunks, whose number is declared.
    #[error("`count_units`: chunks of footage are not counted, because their number is declared")]
    CountOfChunks,
    /// `max_keys` is 0, or more than a unit can reach.
    #[error("`max_keys` must be 1 or more, and no more than `keys` and `max_rows`")]
    MaxKeys,
    /// A range is empty, too wide, or holds nothing but 0.
    #[error("the range of value `{0}` must have `low` <= `high` within ±2^53 steps, and hold more than 0")]
    Range(usize),
    /// A step is not a positive normal number.
    #[error("the step of value `{0}` must be a positive, normal number")]
    Step(usize),
    /// The default row is not one that a guest could emit within the ranges.
    #[error("the default row must name a declared key and one value inside each range")]
    Default,
    /// Fuel is 0 or more than [`abi::MAX_FUEL`].
    #[error("`fuel` must be 1 to {}", abi::MAX_FUEL)]
    Fuel,
    /// More than [`abi::MAX_PARAMS_BYTES`].
    #[error("`params` are more than {} bytes", abi::MAX_PARAMS_BYTES)]
    Params,
    /// `max_rows` is 0 or more than [`abi::MAX_ROWS`], or the rows do not fit the module's output area.
    #[error(
        "`max_rows` must be 1 to {}, and rows of `{row_bytes}` bytes must fit `{out_cap}` bytes (gbx_out_cap)",
        abi::MAX_ROWS
    )]
    Output {
        /// Bytes of one row.
        row_bytes: u64,
        /// Bytes of the output area.
        out_cap: u32,
    },
    /// The largest unit of fixed-width columns does not fit the module's input area.
    #[error(
        "a unit of the declared size takes `{frame}` bytes before its texts; the module takes `{in_cap}` (gbx_in_cap)"
    )]
    Input {
        /// Bytes of the largest frame whose texts are empty.
        frame: u64,
        /// Bytes of the input area.
        in_cap: u32,
    },
    /// The module declares other input columns.
    #[error("the module declares other input columns in its section `{}`", abi::SCHEMA_SECTION)]
    Schema,
}

impl MapSpec {
    /// Checks a job against its module, the types of its columns and the dataset's declared size of a unit.
    ///
    /// Column *names* of the module's schema are for the caller to compare: the sandbox is given types only.
    ///
    /// # Errors
    /// The first rule that it breaks.
    pub fn check(&self, module: &ModuleFacts, columns: &[ColumnType], unit: UnitSize) -> Result<(), SpecFault> {
        self.check_module(module)?;
        if columns.is_empty() || columns.len() > abi::MAX_COLUMNS as usize {
            return Err(SpecFault::Columns);
        }
        if module.schema.as_ref().is_some_and(|schema| !schema.iter().map(|(_, of)| of).eq(columns)) {
            return Err(SpecFault::Schema);
        }
        let frame = fixed_frame_bytes(columns, unit.rows, unit.width, self.params.len());
        if frame > u64::from(module.in_cap) {
            return Err(SpecFault::Input { frame, in_cap: module.in_cap });
        }
        Ok(())
    }

    /// The most that one unit moves one cell of each family, in steps: C per value, and 1 for the count. Under
    /// [`Bounding::Rows`], what the replacement of one row does: max(high, 0) − min(low, 0).
    ///
    /// # Privacy obligation
    /// One unit added or removed moves at most `max_keys` cells of a family, each by at most this; one row replaced by another
    /// moves at most two cells, each by at most this: see [`crate::bound`].
    pub fn linf(&self) -> Vec<u64> {
        let of = |value: &ValueSpec| match self.bounding {
            Bounding::Unit => value.low.unsigned_abs().max(value.high.unsigned_abs()),
            Bounding::Rows => value.high.max(0).abs_diff(value.low.min(0)),
        };
        let values = self.values.iter().map(of);
        values.chain(self.count_units.then_some(1)).collect()
    }

    /// How many families of cells there are: the values in order, then the count if asked.
    pub fn families(&self) -> usize {
        self.values.len() + usize::from(self.count_units)
    }

    /// The part of the check that needs no rows' shape. The operator makes it again.
    pub(crate) fn check_module(&self, module: &ModuleFacts) -> Result<(), SpecFault> {
        self.check_shape()?;
        self.check_values()?;
        let row_bytes = abi::row_bytes(self.values.len() as u32);
        if self.max_rows == 0
            || self.max_rows > abi::MAX_ROWS
            || row_bytes * u64::from(self.max_rows) > u64::from(module.out_cap)
        {
            return Err(SpecFault::Output { row_bytes, out_cap: module.out_cap });
        }
        if self.max_keys > self.max_rows {
            return Err(SpecFault::MaxKeys);
        }
        Ok(())
    }

    fn check_shape(&self) -> Result<(), SpecFault> {
        if self.keys == 0 || self.keys > MAX_KEYS {
            return Err(SpecFault::Keys);
        }
        if self.values.len() > abi::MAX_VALUES as usize || self.families() == 0 {
            return Err(SpecFault::Values);
        }
        if u64::from(self.keys) * self.families() as u64 > MAX_CELLS {
            return Err(SpecFault::Cells);
        }
        if self.count_units && self.bounding == Bounding::Rows {
            return Err(SpecFault::CountOfChunks);
        }
        if self.max_keys == 0 || self.max_keys > self.keys {
            return Err(SpecFault::MaxKeys);
        }
        if self.fuel == 0 || self.fuel > abi::MAX_FUEL {
            return Err(SpecFault::Fuel);
        }
        if self.params.len() > abi::MAX_PARAMS_BYTES { Err(SpecFault::Params) } else { Ok(()) }
    }

    fn check_values(&self) -> Result<(), SpecFault> {
        let bounds = -MAX_BOUND..=MAX_BOUND;
        for (place, value) in self.values.iter().enumerate() {
            let ordered = value.low <= value.high && (value.low, value.high) != (0, 0);
            if !ordered || !bounds.contains(&value.low) || !bounds.contains(&value.high) {
                return Err(SpecFault::Range(place));
            }
            if !value.step.is_normal() || value.step < 0.0 {
                return Err(SpecFault::Step(place));
            }
        }
        let inside = |(of, default): (&ValueSpec, &i64)| (of.low..=of.high).contains(default);
        let fits = self.default.key < self.keys
            && self.default.values.len() == self.values.len()
            && self.values.iter().zip(&self.default.values).all(inside);
        if fits { Ok(()) } else { Err(SpecFault::Default) }
    }
}
