//! The operator: streams of unit runs in, exact cells out.
//!
//! # Privacy obligation
//! Neighbouring relation: one unit with all of its rows, added or removed. Every unit of the input is packed once and
//! whole (`pack`), runs in an instance of its own that nothing of another unit reaches (`glovebox-worker`), and
//! contributes by [`crate::bound`] at most `max_keys` keys with values inside their ranges, whatever the guest did and
//! whatever became of its worker (`workers`). Contributions are added in `i128`, so neither the order of units nor
//! how they were cut into batches, streams and workers changes a cell. Hence a neighbour moves the cells by at most
//! Δ₁ = L0·‖C‖₁ and Δ₂ = √L0·‖C‖₂, with C of [`crate::MapSpec::linf`]. Cells leave shut; no other number does, and an error is one of
//! a closed list of constant texts.
//! Relies on: a sealed worker that answers for each unit by that unit alone (DESIGN §2 counts wasmtime and the worker
//! among what is trusted); a catalog that gives all rows of a unit one id. That a unit comes whole and once is checked.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::RecordBatch;
use futures::{Stream, StreamExt as _};
use glovebox_vault::{Expose as _, Protected};
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinSet;

use crate::bound::UnitId;
use crate::pack::{Packed, Packer};
use crate::workers::{Job, Runner};
use crate::{MapSpec, Module, SandboxFault, SelectionKey, Workers};

/// Exact cells, `[family][key]`.
type Cells = Vec<Vec<i128>>;

/// What a task of the operator ends with.
enum Done {
    /// A stream has ended: its smallest and largest unit.
    Walked(Option<(UnitId, UnitId)>),
    /// A worker has ended: what its units contribute.
    Worked(Cells),
}

/// Runs the module over every unit and adds up what they contribute: exact cells `[family][key]`, the families being the
/// job's values in order and then, if asked, the count of units.
///
/// Each stream yields batches of the job's columns in order and last the column [`crate::UNIT_COLUMN`]
/// (FixedSizeBinary(16), sorted), with the rows of each unit and whether they go on with the unit that the stream's batch
/// before ended with. Streams are walked at once; no unit may be in two of them.
///
/// Runs on a tokio runtime with I/O and time. Dropping the future ends all of its workers.
///
/// # Privacy obligation
/// Neighbouring relation: one unit with all of its rows, added or removed. The cells move by at most Δ₁ = L0·‖C‖₁ and
/// Δ₂ = √L0·‖C‖₂, L0 being `max_keys` and C [`MapSpec::linf`], and under at most `max_keys` keys. Why stands at the head of
/// this file and in [`crate::bound`]. `key` must be fresh per run and secret.
///
/// # Errors
/// [`SandboxFault`]; there are no cells then.
pub async fn map_units<S, R, E>(
    input: Protected<Vec<S>>,
    module: &Module,
    spec: &MapSpec,
    key: &SelectionKey,
    workers: &Workers,
) -> Result<Protected<Vec<Vec<i128>>>, SandboxFault>
where
    S: Stream<Item = Result<(RecordBatch, Vec<R>), E>> + Send + Unpin + 'static,
    R: Into<(Range<usize>, bool)> + Send + 'static,
    E: Send + 'static,
{
    let job = Arc::new(Job::new(module, spec, key, workers, false)?);
    let seats = workers.config.workers.max(1);
    // A worker should find the next batch waiting, and no more should wait than that.
    let (send, receive) = mpsc::channel(2 * seats);
    let receive = Arc::new(Mutex::new(receive));
    let mut tasks = JoinSet::new();
    for _ in 0..seats {
        tasks.spawn(work(Arc::clone(&job), Arc::clone(&receive)));
    }
    // Whoever works on batches holds the other end: when the last worker has failed, walks end too.
    drop(receive);
    for stream in input.expose() {
        tasks.spawn(walk(Arc::clone(&job), stream, send.clone()));
    }
    drop(send);
    let cells = gather(&job, tasks).await?;
    Ok(Protected::seal(cells))
}

/// Waits for all tasks. The first true fault ends the others, because they end with the set.
async fn gather(job: &Job, mut tasks: JoinSet<Result<Done, SandboxFault>>) -> Result<Cells, SandboxFault> {
    let (mut cells, mut spans, mut stopped) = (job.no_cells(), Vec::new(), false);
    while let Some(done) = tasks.join_next().await {
        match done.unwrap_or(Err(SandboxFault::Stopped)) {
            Ok(Done::Walked(span)) => spans.extend(span),
            Ok(Done::Worked(more)) => add(&mut cells, more),
            // A walk that found nobody to work for it: the worker's own fault is about to come.
            Err(SandboxFault::Stopped) => stopped = true,
            Err(fault) => return Err(fault),
        }
    }
    // INVARIANT (whole units): streams that share a unit would let it contribute twice.
    spans.sort_unstable();
    if !spans.array_windows().all(|[(_, last), (first, _)]| last < first) {
        return Err(SandboxFault::Units);
    }
    if stopped { Err(SandboxFault::Stopped) } else { Ok(cells) }
}

fn add(cells: &mut Cells, more: Cells) {
    for (family, more) in cells.iter_mut().zip(more) {
        family.iter_mut().zip(more).for_each(|(cell, more)| *cell += more);
    }
}

/// Packs the units of one stream.
async fn walk<S, R, E>(job: Arc<Job>, mut stream: S, send: mpsc::Sender<Packed>) -> Result<Done, SandboxFault>
where
    S: Stream<Item = Result<(RecordBatch, Vec<R>), E>> + Send + Unpin + 'static,
    R: Into<(Range<usize>, bool)> + Send + 'static,
    E: Send + 'static,
{
    let mut packer = Packer::new(&job.spec, &job.call, job.config.batch_units);
    let mut ready = Vec::new();
    while let Some(next) = stream.next().await {
        // What the reader says could quote rows, so it is dropped here.
        let (batch, runs) = next.map_err(|_| SandboxFault::Rows)?;
        let runs: Vec<_> = runs.into_iter().map(Into::into).collect();
        packer.take(&batch, &runs, &mut ready)?;
        for packed in ready.drain(..) {
            send.send(packed).await.map_err(|_| SandboxFault::Stopped)?;
        }
    }
    let span = packer.finish(&mut ready)?;
    for packed in ready {
        send.send(packed).await.map_err(|_| SandboxFault::Stopped)?;
    }
    Ok(Done::Walked(span))
}

/// Runs batches until there are no more.
async fn work(job: Arc<Job>, queue: Arc<Mutex<mpsc::Receiver<Packed>>>) -> Result<Done, SandboxFault> {
    let mut runner = Runner::new(&job);
    runner.start().await?;
    loop {
        let next = queue.lock().await.recv().await;
        match next {
            Some(packed) => runner.run(packed).await?,
            None => return Ok(Done::Worked(runner.end().await)),
        }
    }
}
