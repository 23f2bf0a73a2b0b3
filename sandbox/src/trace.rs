//! Local runs: what a guest does with synthetic rows, unit by unit, with its log.
//!
//! Everything that the operator hides is shown here: fuel, traps, logs. So the input is a plain batch: nothing protected
//! can come in, because nothing in this crate turns protected rows into one.

use std::ops::Range;

use arrow::array::{Array as _, AsArray as _, RecordBatch};
use glovebox_wire::{BatchBuilder, TracedResults};

use crate::bound::{Bounder, Emitted, SelectionKey, UnitId, contribution};
use crate::pack::{Packed, Packer};
use crate::workers::{Job, Seat, read_slot};
use crate::{MapSpec, Module, SandboxFault, UNIT_COLUMN, Workers};

/// What a guest did with one unit of synthetic rows.
#[derive(Debug, Clone, PartialEq)]
pub struct UnitTrace {
    /// The unit's id in the synthetic rows.
    pub unit: UnitId,
    /// The rows that the guest emitted; `None` where the default row stands for them.
    pub emitted: Option<Emitted>,
    /// Why it does, in words for the module's author; empty where it does not.
    pub failure: String,
    /// What the unit contributes after bounding: keys with values in steps.
    pub contribution: Vec<(u32, Vec<i64>)>,
    /// Fuel used.
    pub fuel_used: u64,
    /// The log that the guest wrote, if its module has one.
    pub log: Vec<u8>,
}

/// Runs the module over synthetic rows, one unit after the other, and tells all about each. Columns as for
/// [`crate::map_units`]. Keys are chosen under a fixed public key, so that a run can be repeated.
///
/// # Errors
/// [`SandboxFault`], as [`crate::map_units`].
pub async fn trace_units(
    batch: &RecordBatch,
    module: &Module,
    spec: &MapSpec,
    workers: &Workers,
    on: &mut (dyn FnMut(UnitTrace) + Send),
) -> Result<Vec<Vec<i128>>, SandboxFault> {
    let selection = SelectionKey::new([0; 16]);
    let job = Job::new(module, spec, &selection, workers, true)?;
    let (mut packer, mut ready) = (Packer::new(&job.spec, &job.call, 1), Vec::new());
    packer.take(batch, &runs(batch)?, &mut ready)?;
    packer.finish(&mut ready)?;
    let (mut cells, mut seat) = (job.no_cells(), Seat::new(&job));
    let mut bounder = Bounder::new(&job.spec, &job.selection);
    for packed in ready {
        let trace = trace_one(&job, &mut seat, &packed).await?;
        bounder.bound(&trace.unit, trace.emitted.as_ref());
        bounder.add_to(&mut cells);
        on(trace);
    }
    seat.end().await;
    Ok(cells)
}

/// Runs the one unit of a batch.
async fn trace_one(job: &Job, seat: &mut Seat<'_>, packed: &Packed) -> Result<UnitTrace, SandboxFault> {
    let failed = |unit: &UnitId, failure: &str| UnitTrace {
        unit: *unit,
        emitted: None,
        failure: failure.to_owned(),
        contribution: contribution(&job.spec, &job.selection, unit, None),
        fuel_used: 0,
        log: Vec::new(),
    };
    if let Some(unit) = packed.too_large.first() {
        return Ok(failed(unit, "the unit's frame does not fit gbx_in_cap"));
    }
    let (Some(unit), Some(frame)) = (packed.units.first(), packed.frames.frames().next()) else {
        return Err(SandboxFault::Units);
    };
    let mut alone = BatchBuilder::new(&job.call);
    alone.push(frame).map_err(|_| SandboxFault::Spec)?;
    let message = alone.message().map_err(|_| SandboxFault::Spec)?;
    let Ok(body) = seat.ask(message, 1).await? else {
        return Ok(failed(unit, "the worker ended, or took longer than the watchdog allows"));
    };
    let Ok(results) = TracedResults::decode(&body, &job.call, 1) else {
        seat.give_up().await?;
        return Ok(failed(unit, "the worker gave an answer that is none"));
    };
    let (slot, trace) = results.units().first().ok_or(SandboxFault::Stopped)?;
    let mut emitted = Emitted::default();
    let emitted = read_slot(slot, &mut emitted).then_some(emitted);
    let fault = emitted.as_ref().and_then(|rows| rows.fault(&job.spec));
    let failure = fault.map_or_else(|| trace.trap.clone(), str::to_owned);
    let emitted = emitted.filter(|_| fault.is_none());
    let contribution = contribution(&job.spec, &job.selection, unit, emitted.as_ref());
    Ok(UnitTrace { unit: *unit, emitted, failure, contribution, fuel_used: trace.fuel_used, log: trace.log.clone() })
}

/// Runs of equal units. The packer checks that they rise.
fn runs(batch: &RecordBatch) -> Result<Vec<(Range<usize>, bool)>, SandboxFault> {
    let units = batch.column_by_name(UNIT_COLUMN).and_then(|units| units.as_fixed_size_binary_opt());
    let units = units.ok_or(SandboxFault::Columns)?;
    let (mut runs, mut start) = (Vec::new(), 0);
    for row in 1..=units.len() {
        if row == units.len() || units.value(row) != units.value(start) {
            runs.push((start..row, false));
            start = row;
        }
    }
    Ok(runs)
}
