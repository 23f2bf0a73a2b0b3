//! One attack against the real sandbox, and the line that says what became of it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use arrow::record_batch::RecordBatch;
use futures::stream::{self, BoxStream};
use futures::{Stream, StreamExt as _};
use glovebox_sandbox::{
    Bounding, ColumnType, DefaultRow, MapSpec, Module, SandboxFault, SelectionKey, UnitSize, ValueSpec, WorkerConfig,
    Workers, map_units, trace_units, try_compile,
};
use glovebox_vault::{Expose as _, Protected};

use crate::attack::Attack;
use crate::input::{self, MAX_ROWS_PER_UNIT, Run, UNITS};
use crate::record;

/// Exact cells, `[family][key]`.
pub type Cells = Vec<Vec<i128>>;

/// Most letters of an error that a line shows.
const ERROR_LETTERS: usize = 160;

/// How long one attack may keep the host busy. Far beyond anything that happens; reaching it fails the suite.
const PATIENCE: Duration = Duration::from_secs(300);

/// How long a module may take to compile. None takes near it, so that no ending depends on how fast a machine is.
const COMPILE_TIME: Duration = Duration::from_secs(60);

/// Wall-clock time that the host gives one unit before it calls for help. No guest comes near it: fuel ends first.
const UNIT_TIME: Duration = Duration::from_secs(20);

/// How rows and workers are cut up for a run. Results must not depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Worker processes.
    pub workers: usize,
    /// Streams of rows.
    pub streams: usize,
    /// Rows of a record batch.
    pub batch_rows: usize,
    /// Most units that go to a worker in one message.
    pub batch_units: usize,
}

/// The shape that the record is made with: everything in one message to one worker, so that whatever can leak does.
pub const PLAIN: Shape = Shape { workers: 1, streams: 1, batch_rows: 1_000, batch_units: 1_000 };

/// Another shape: two workers, units cut over record batches, small messages.
pub const CUT: Shape = Shape { workers: 2, streams: 2, batch_rows: 3, batch_units: 3 };

/// The job that every attack pretends to be.
pub fn job() -> MapSpec {
    MapSpec {
        max_rows: 3,
        keys: 4,
        max_keys: 2,
        bounding: Bounding::Unit,
        values: vec![ValueSpec { low: -1_000, high: 1_000, step: 1.0 }],
        count_units: true,
        default: DefaultRow { key: 3, values: vec![-5] },
        fuel: 200_000,
        params: b"public".to_vec(),
    }
}

/// The types of the job's input columns.
pub const COLUMNS: [ColumnType; 3] = [ColumnType::I64, ColumnType::F64, ColumnType::Text];

/// What became of an attack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// It ended before any row was read: the stage, and the words.
    Refused(&'static str, String),
    /// It ran.
    Ran {
        /// Per unit: `R` where its rows counted, `D` where the default row did.
        outcomes: String,
        /// The exact cells.
        cells: Cells,
        /// Whether a local run, unit by unit, came to the same cells.
        same_traced: bool,
    },
    /// The job failed while it ran, which no guest should be able to bring about.
    Failed(SandboxFault),
}

impl std::fmt::Display for Ending {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Refused(stage, words) => {
                // Line breaks and control characters of a hostile name must not spoil the record.
                let words = words.escape_debug().to_string();
                let cut: String = words.chars().take(ERROR_LETTERS).collect();
                let rest = if cut.len() < words.len() { format!("… ({} bytes)", words.len()) } else { String::new() };
                write!(f, "{stage}: {cut}{rest}")
            }
            Self::Ran { outcomes, cells, same_traced } => {
                write!(f, "run: {outcomes}{}", record::cells(cells))?;
                if *same_traced { Ok(()) } else { write!(f, " | A LOCAL RUN HAS OTHER CELLS") }
            }
            Self::Failed(fault) => write!(f, "FAILED: {fault}"),
        }
    }
}

/// The sandbox with one worker executable.
#[derive(Debug, Clone)]
pub struct Suite {
    worker: PathBuf,
}

impl Suite {
    /// A suite that runs guests in this executable.
    pub fn new(worker: &Path) -> Self {
        Self { worker: worker.to_owned() }
    }

    fn workers(&self, shape: Shape) -> Workers {
        Workers::new(WorkerConfig {
            executable: self.worker.clone(),
            workers: shape.workers,
            batch_units: shape.batch_units,
            unit_time: UNIT_TIME,
        })
    }

    /// Hands one attack in, as an analyst would, and says how it ends.
    ///
    /// # Errors
    /// When the sandbox hangs, or contradicts itself: whatever the guest is, that is a bug of ours.
    pub async fn ending(&self, attack: &Attack) -> Result<Ending> {
        let ending = tokio::time::timeout(PATIENCE, self.hand_in(attack)).await;
        ending.with_context(|| format!("`{}` hangs", attack.name))?.with_context(|| format!("`{}`", attack.name))
    }

    async fn hand_in(&self, attack: &Attack) -> Result<Ending> {
        let module = match Module::check(&attack.bytes) {
            Ok(module) => module,
            Err(fault) => return Ok(Ending::Refused("check", fault.to_string())),
        };
        if let Err(fault) = job().check(module.facts(), &COLUMNS, UnitSize::of_rows(MAX_ROWS_PER_UNIT)) {
            return Ok(Ending::Refused("spec", fault.to_string()));
        }
        let workers = self.workers(PLAIN);
        if let Err(fault) = try_compile(&module, &workers, COMPILE_TIME).await {
            return Ok(Ending::Refused("compile", fault.to_string()));
        }
        let cells = match map(&module, &workers, PLAIN).await {
            Ok(cells) => cells,
            Err(fault) => return Ok(Ending::Failed(fault)),
        };
        let mut outcomes = String::new();
        let mut note =
            |unit: glovebox_sandbox::UnitTrace| outcomes.push(if unit.emitted.is_some() { 'R' } else { 'D' });
        let traced = trace_units(&input::rows()?, &module, &job(), &workers, &mut note).await?;
        ensure!(outcomes.len() == UNITS, "a local run tells of {} units", outcomes.len());
        Ok(Ending::Ran { outcomes, same_traced: traced == cells, cells })
    }

    /// The exact cells of a module that is known to run, with rows and workers cut as `shape` says.
    ///
    /// # Errors
    /// When the module is refused or the job fails.
    pub async fn cells(&self, attack: &Attack, shape: Shape) -> Result<Cells> {
        let module = Module::check(&attack.bytes)?;
        Ok(map(&module, &self.workers(shape), shape).await?)
    }

    /// As [`Suite::cells`], from the rows of all units but the one at this place.
    ///
    /// # Errors
    /// When the module is refused or the job fails.
    pub async fn cells_without(&self, attack: &Attack, place: usize) -> Result<Cells> {
        let module = Module::check(&attack.bytes)?;
        let part = |units| Ok(stream::iter(input::batches(units, PLAIN.batch_rows)?.into_iter().map(Ok)).boxed());
        let streams = [0..place, place + 1..UNITS].into_iter().map(part).collect();
        Ok(map_rows(streams, &module, &self.workers(PLAIN)).await?)
    }
}

/// Runs the job over the victims' rows.
async fn map(module: &Module, workers: &Workers, shape: Shape) -> Result<Cells, SandboxFault> {
    map_rows(rows(shape), module, workers).await
}

async fn map_rows(streams: Result<Vec<Rows>>, module: &Module, workers: &Workers) -> Result<Cells, SandboxFault> {
    let streams = streams.map_err(|_| SandboxFault::Rows)?;
    // A job draws the key. Here it is the public one of local runs, so that both can be compared with each other.
    let key = SelectionKey::new([0; 16]);
    cells_of_made_up_rows(streams, module, &job(), &key, workers).await
}

/// The exact cells of a job over rows that somebody made up. This crate has no other rows, and nobody depends on it: it is
/// the one place where cells are opened outside the gate.
///
/// # Errors
/// As [`map_units`].
pub async fn cells_of_made_up_rows<S, E>(
    streams: Vec<S>,
    module: &Module,
    spec: &MapSpec,
    key: &SelectionKey,
    workers: &Workers,
) -> Result<Cells, SandboxFault>
where
    S: Stream<Item = Result<(RecordBatch, Vec<Run>), E>> + Send + Unpin + 'static,
    E: Send + 'static,
{
    Ok(map_units(Protected::seal(streams), module, spec, key, workers).await?.expose())
}

type Rows = BoxStream<'static, Result<(RecordBatch, Vec<Run>), std::convert::Infallible>>;

fn rows(shape: Shape) -> Result<Vec<Rows>> {
    let each = UNITS.div_ceil(shape.streams.max(1));
    let parts = (0..UNITS).step_by(each).map(|from| from..(from + each).min(UNITS));
    parts.map(|part| Ok(stream::iter(input::batches(part, shape.batch_rows)?.into_iter().map(Ok)).boxed())).collect()
}
