//! Runs of rows into batches of units for the workers.
//!
//! # Privacy obligation
//! A unit's contribution is bounded once, so a unit must reach a guest once and whole. The catalog's stream of runs
//! guarantees that and fails closed; here it is checked again from the ids, so that the argument needs this crate alone:
//! runs cover each batch in order, all rows of a run have one id, only a batch's first run may go on with the unit that
//! was open, and ids rise from unit to unit. How units are
//! cut into batches changes no result: a frame depends on its unit alone, and whether a frame fits the guest is decided
//! by its own size.

use std::ops::Range;

use arrow::array::{Array, ArrayRef, AsArray as _, FixedSizeBinaryArray, RecordBatch};
use arrow::compute::concat;
use glovebox_wire::{BatchBuilder, Call, FrameError};

use crate::bound::{UNIT_BYTES, UnitId};
use crate::frame::{self, Column};
use crate::{MapSpec, SandboxFault};

/// The column that names the unit of each row, and the last of an input batch. It never enters a frame.
pub const UNIT_COLUMN: &str = "__gb_unit";

/// Bytes of frames after which a batch is closed, so that large frames do not pile up in memory.
const BATCH_BYTES: usize = 1 << 20;

/// Units on their way to a worker.
pub(crate) struct Packed {
    /// Frames of [`Packed::units`], in order.
    pub(crate) frames: BatchBuilder,
    /// Bytes of the frames.
    bytes: usize,
    /// Whose frames they are.
    pub(crate) units: Vec<UnitId>,
    /// Units whose frame does not fit the guest: their outcome is the default.
    pub(crate) too_large: Vec<UnitId>,
}

impl Packed {
    fn new(call: &Call) -> Self {
        Self { frames: BatchBuilder::new(call), bytes: 0, units: Vec::new(), too_large: Vec::new() }
    }

    fn is_empty(&self) -> bool {
        self.units.is_empty() && self.too_large.is_empty()
    }
}

/// The unit whose rows may go on in the next batch.
struct Open {
    unit: UnitId,
    /// Its rows so far, column by column, or nothing once they cannot fit any more.
    parts: Option<Vec<Vec<ArrayRef>>>,
    least_bytes: usize,
}

/// Packs the units of one stream.
pub(crate) struct Packer<'j> {
    spec: &'j MapSpec,
    call: &'j Call,
    batch_units: usize,
    open: Option<Open>,
    first: Option<UnitId>,
    last: Option<UnitId>,
    packed: Packed,
}

impl<'j> Packer<'j> {
    pub(crate) fn new(spec: &'j MapSpec, call: &'j Call, batch_units: usize) -> Self {
        let batch_units = batch_units.clamp(1, call.batch_units());
        Self { spec, call, batch_units, open: None, first: None, last: None, packed: Packed::new(call) }
    }

    /// Takes the next rows; `runs` say which belong together. What is full is pushed to `ready`.
    pub(crate) fn take(
        &mut self,
        batch: &RecordBatch,
        runs: &[(Range<usize>, bool)],
        ready: &mut Vec<Packed>,
    ) -> Result<(), SandboxFault> {
        let (units, arrays) = split(batch)?;
        let columns: Vec<Column> = arrays.iter().map(Column::of).collect::<Result<_, _>>()?;
        let mut covered = 0;
        for (at, (rows, continues)) in runs.iter().enumerate() {
            if rows.start != covered || rows.end <= rows.start || (*continues && at > 0) {
                return Err(SandboxFault::Units);
            }
            covered = rows.end;
            let unit = unit_at(units, rows.start)?;
            if rows.end > units.len() || !rows.clone().all(|row| units.value(row) == unit) {
                return Err(SandboxFault::Units);
            }
            if *continues {
                // Rows that go on with a unit must go on with the one that is open.
                if self.open.as_ref().is_none_or(|open| open.unit != unit) {
                    return Err(SandboxFault::Units);
                }
            } else {
                self.close(ready)?;
                self.begin(unit)?;
            }
            let ends_here = at + 1 < runs.len() && self.open.is_none();
            if ends_here {
                self.push(unit, &columns, rows, ready)?;
            } else {
                self.keep(unit, arrays, &columns, rows);
            }
        }
        if covered == batch.num_rows() { Ok(()) } else { Err(SandboxFault::Units) }
    }

    /// No rows come any more. The rest is pushed to `ready`; the span is the stream's smallest and largest unit.
    pub(crate) fn finish(mut self, ready: &mut Vec<Packed>) -> Result<Option<(UnitId, UnitId)>, SandboxFault> {
        self.close(ready)?;
        let span = self.first.zip(self.last);
        if !self.packed.is_empty() {
            ready.push(self.packed);
        }
        Ok(span)
    }

    /// A unit begins.
    // INVARIANT (whole units): ids rise within a stream, so that no unit can come in two pieces.
    fn begin(&mut self, unit: UnitId) -> Result<(), SandboxFault> {
        if self.last.is_some_and(|last| unit <= last) {
            return Err(SandboxFault::Units);
        }
        self.first.get_or_insert(unit);
        self.last = Some(unit);
        Ok(())
    }

    /// Keeps rows of a unit that may go on.
    fn keep(&mut self, unit: UnitId, arrays: &[ArrayRef], columns: &[Column], rows: &Range<usize>) {
        let open = self.open.get_or_insert_with(|| Open { unit, parts: Some(Vec::new()), least_bytes: 0 });
        open.least_bytes = open.least_bytes.saturating_add(frame::least_bytes(columns, rows));
        if open.least_bytes > self.call.input.cap as usize {
            open.parts = None;
        } else if let Some(parts) = &mut open.parts {
            parts.push(arrays.iter().map(|array| array.slice(rows.start, rows.len())).collect());
        }
    }

    /// Ends the unit that was open.
    fn close(&mut self, ready: &mut Vec<Packed>) -> Result<(), SandboxFault> {
        let Some(open) = self.open.take() else { return Ok(()) };
        let Some(parts) = open.parts else { return self.push_too_large(open.unit, ready) };
        let whole: Vec<ArrayRef> = match parts.as_slice() {
            [one] => one.clone(),
            many => join(many)?,
        };
        let rows = 0..whole.first().map_or(0, |column| column.len());
        let columns: Vec<Column> = whole.iter().map(Column::of).collect::<Result<_, _>>()?;
        self.push(open.unit, &columns, &rows, ready)
    }

    /// Packs a whole unit.
    fn push(
        &mut self,
        unit: UnitId,
        columns: &[Column],
        rows: &Range<usize>,
        ready: &mut Vec<Packed>,
    ) -> Result<(), SandboxFault> {
        let (params, cap) = (&self.spec.params, self.call.input.cap as usize);
        let mut bytes = 0;
        let pushed = self.packed.frames.push_with(|out| {
            let before = out.len();
            let written = frame::write(out, columns, rows, params, cap);
            bytes = out.len() - before;
            written
        });
        match pushed {
            Ok(()) => {
                self.packed.units.push(unit);
                self.packed.bytes += bytes;
                self.pass_on(ready);
                Ok(())
            }
            // INVARIANT (size): decided from this unit's own frame, so neighbours change nothing of it.
            Err(FrameError::TooLarge { .. }) => self.push_too_large(unit, ready),
            Err(_) => Err(SandboxFault::Columns),
        }
    }

    fn push_too_large(&mut self, unit: UnitId, ready: &mut Vec<Packed>) -> Result<(), SandboxFault> {
        self.packed.too_large.push(unit);
        self.pass_on(ready);
        Ok(())
    }

    fn pass_on(&mut self, ready: &mut Vec<Packed>) {
        let units = self.packed.units.len() + self.packed.too_large.len();
        if units >= self.batch_units || self.packed.bytes >= BATCH_BYTES {
            ready.push(std::mem::replace(&mut self.packed, Packed::new(self.call)));
        }
    }
}

/// Puts the parts of a unit together, column by column.
fn join(parts: &[Vec<ArrayRef>]) -> Result<Vec<ArrayRef>, SandboxFault> {
    let columns = 0..parts.first().map_or(0, Vec::len);
    let of = |at: usize| parts.iter().filter_map(|part| Some(part.get(at)?.as_ref())).collect::<Vec<&dyn Array>>();
    columns.map(|at| concat(&of(at)).map_err(|_| SandboxFault::Columns)).collect()
}

/// The unit column, and the columns that a guest sees.
fn split(batch: &RecordBatch) -> Result<(&FixedSizeBinaryArray, &[ArrayRef]), SandboxFault> {
    let fields = batch.schema_ref().fields();
    let named = fields.last().is_some_and(|field| field.name() == UNIT_COLUMN);
    let once = fields.iter().filter(|field| field.name() == UNIT_COLUMN).count() == 1;
    let (units, columns) = batch.columns().split_last().ok_or(SandboxFault::Columns)?;
    let units = units.as_fixed_size_binary_opt().filter(|units| units.value_length() == UNIT_BYTES as i32);
    // INVARIANT (no id in a frame): the column of units is cut off here, and no other column has its name.
    match units {
        Some(units) if named && once && units.null_count() == 0 && !columns.is_empty() => Ok((units, columns)),
        _ => Err(SandboxFault::Columns),
    }
}

fn unit_at(units: &FixedSizeBinaryArray, row: usize) -> Result<UnitId, SandboxFault> {
    let unit = (row < units.len()).then(|| units.value(row));
    unit.and_then(|unit| unit.try_into().ok()).ok_or(SandboxFault::Units)
}
