//! The loop: a start message, then batches in and results out, until the host closes its end.

use std::io::{Read, Write};

use glovebox_wire::results::{begin_results, encode_traced};
use glovebox_wire::{Batch, Call, Reply, SlotMut, Start, StartRefusal, Trace, WireError, read_message};

/// Runs one unit. The product has one runner, [`crate::FreshInstances`]; the hostile suite brings others.
pub trait Runner {
    /// Runs the unit whose frame this is and fills its slot, which starts as the default outcome; `trace` is there when
    /// the host asked for it.
    ///
    /// # Errors
    /// [`RunFault`] when the unit could not be run for a reason that lies outside of it: the worker then ends and the host runs
    /// the unit in another one, so that no fault of a machine becomes a result.
    fn run(&mut self, frame: &[u8], slot: &mut SlotMut<'_>, trace: Option<&mut Trace>) -> Result<(), RunFault>;
}

/// Why a unit could not be run. Never caused by what a guest computes.
#[derive(Debug, thiserror::Error)]
pub enum RunFault {
    /// wasmtime could not make the instance, or failed in a call other than by a trap.
    #[error("wasmtime: {0}")]
    Wasmtime(#[from] wasmtime::Error),
    /// An instance is not what its module said.
    #[error("the instance lacks what its module exports")]
    Instance,
}

/// Why a worker ends other than by the end of its input.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// A message is not of the contract, or a pipe failed.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// A unit could not be run.
    #[error(transparent)]
    Run(#[from] RunFault),
}

/// Serves one job. Ends well at the end of the input between two messages, and after a refusal.
///
/// # Errors
/// [`ServeError`]; nothing more is written after it.
pub fn serve<M: Runner>(
    from: &mut impl Read,
    to: &mut impl Write,
    compile: impl FnOnce(&Start<'_>) -> Result<M, StartRefusal>,
) -> Result<(), ServeError> {
    let (mut body, mut message) = (Vec::new(), Vec::new());
    if !read_message(from, &mut body)? {
        return Ok(());
    }
    let start = Start::decode(&body)?;
    let call = start.call;
    let (reply, runner) = match compile(&start) {
        Ok(runner) => (Reply::Ready, Some(runner)),
        Err(refusal) => (Reply::Refused(refusal), None),
    };
    reply.encode(&mut message)?;
    send(to, &message)?;
    let Some(mut runner) = runner else { return Ok(()) };
    while read_message(from, &mut body)? {
        let batch = Batch::decode(&body, &call)?;
        if call.trace {
            run_traced(&mut runner, &batch, &call, &mut message)?;
        } else {
            run_batch(&mut runner, &batch, &call, &mut message)?;
        }
        send(to, &message)?;
    }
    Ok(())
}

fn run_batch(
    runner: &mut impl Runner,
    batch: &Batch<'_>,
    call: &Call,
    message: &mut Vec<u8>,
) -> Result<(), ServeError> {
    let layout = call.slot();
    let room = begin_results(message, layout, batch.units())?;
    for (frame, bytes) in batch.frames().zip(room.chunks_exact_mut(layout.bytes())) {
        let mut slot = SlotMut::new(layout, bytes).ok_or(WireError::Truncated)?;
        runner.run(frame, &mut slot, None)?;
    }
    Ok(())
}

fn run_traced(
    runner: &mut impl Runner,
    batch: &Batch<'_>,
    call: &Call,
    message: &mut Vec<u8>,
) -> Result<(), ServeError> {
    let layout = call.slot();
    let mut units = Vec::with_capacity(batch.units());
    for frame in batch.frames() {
        let (mut bytes, mut trace) = (vec![0; layout.bytes()], Trace::default());
        let mut slot = SlotMut::new(layout, &mut bytes).ok_or(WireError::Truncated)?;
        runner.run(frame, &mut slot, Some(&mut trace))?;
        units.push((bytes, trace));
    }
    Ok(encode_traced(message, &units)?)
}

fn send(to: &mut impl Write, message: &[u8]) -> Result<(), WireError> {
    to.write_all(message)?;
    to.flush()?;
    Ok(())
}
