//! Which workers serve a job, and what happens when one of them ends too early.
//!
//! # Privacy obligation
//! What becomes of a unit is a function of its own rows. A worker that dies takes a whole batch with it, so the batch's
//! units are run again one by one: whoever kills a worker when alone is the default row, and the others are what they
//! would have been without it. Time decides nothing: a unit that runs into the watchdog when alone ends the job. Counts
//! of crashes are shown to nobody; more than [`MAX_CRASHES`] end the job.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use glovebox_wire::{BatchBuilder, Call, Outcome, Results, Slot, Start};

use crate::bound::{Bounder, Emitted, SelectionKey, UnitId};
use crate::pack::Packed;
use crate::process::{Broken, Process, READY_TIME, StartFault};
use crate::{MapSpec, Module, ModuleFault, SandboxFault};

/// Most workers of a job that may end before their work does.
pub const MAX_CRASHES: u32 = 16;

/// How workers are started. Results do not depend on it.
#[derive(Debug, Clone)]
pub struct WorkerConfig {
    /// The executable `glovebox-worker`.
    pub executable: PathBuf,
    /// How many work on a job at the same time: one per core.
    pub workers: usize,
    /// Most units that are sent at once.
    pub batch_units: usize,
    /// The watchdog: how long a unit may take. Generous, because a unit that needs longer ends the whole job.
    pub unit_time: Duration,
}

/// Starts workers. Every job gets processes of its own, which end with it.
#[derive(Debug, Clone)]
pub struct Workers {
    pub(crate) config: WorkerConfig,
}

impl Workers {
    /// Workers of this kind. Starts nothing yet.
    pub fn new(config: WorkerConfig) -> Self {
        Self { config }
    }
}

/// Compiles the module in a sealed worker within a time limit, and runs nothing.
///
/// # Errors
/// [`ModuleFault::Compile`] when the worker refuses the module or does not survive it, [`ModuleFault::CompileTime`] when it
/// takes too long, [`ModuleFault::Worker`] when no worker can be started.
pub async fn try_compile(module: &Module, workers: &Workers, within: Duration) -> Result<(), ModuleFault> {
    let start = start_message(module, &module.call(1, 0, 1, false)).ok_or(ModuleFault::Compile)?;
    match Process::start(&workers.config.executable, &start, within).await {
        Ok(process) => {
            process.end().await;
            Ok(())
        }
        Err(StartFault::Spawn) => Err(ModuleFault::Worker),
        Err(StartFault::Late) => Err(ModuleFault::CompileTime),
        Err(StartFault::Refused(_) | StartFault::Ended) => Err(ModuleFault::Compile),
    }
}

fn start_message(module: &Module, call: &Call) -> Option<Vec<u8>> {
    let mut message = Vec::new();
    Start { module: module.bytes(), call: *call }.encode(&mut message).ok()?;
    Some(message)
}

/// What all workers of a job share.
pub(crate) struct Job {
    pub(crate) config: WorkerConfig,
    pub(crate) spec: MapSpec,
    pub(crate) selection: SelectionKey,
    pub(crate) call: Call,
    start: Vec<u8>,
    crashes: AtomicU32,
}

impl Job {
    pub(crate) fn new(
        module: &Module,
        spec: &MapSpec,
        selection: &SelectionKey,
        workers: &Workers,
        trace: bool,
    ) -> Result<Self, SandboxFault> {
        // The bounds are proven for a job that passed the check, so nothing is run for another.
        spec.check_module(module.facts()).map_err(|_| SandboxFault::Spec)?;
        let call = module.call(spec.max_rows, spec.values.len() as u32, spec.fuel, trace);
        let start = start_message(module, &call).ok_or(SandboxFault::Spec)?;
        Ok(Self {
            config: workers.config.clone(),
            spec: spec.clone(),
            selection: selection.clone(),
            call,
            start,
            crashes: AtomicU32::new(0),
        })
    }

    /// Cells of nobody, `[family][key]`.
    pub(crate) fn no_cells(&self) -> Vec<Vec<i128>> {
        vec![vec![0; self.spec.keys as usize]; self.spec.families()]
    }

    fn crashed(&self) -> Result<(), SandboxFault> {
        let before = self.crashes.fetch_add(1, Ordering::Relaxed);
        if before >= MAX_CRASHES { Err(SandboxFault::Crashes) } else { Ok(()) }
    }
}

/// One place for a worker of a job: the process that holds it now, or none yet.
pub(crate) struct Seat<'j> {
    job: &'j Job,
    process: Option<Process>,
}

impl<'j> Seat<'j> {
    pub(crate) fn new(job: &'j Job) -> Self {
        Self { job, process: None }
    }

    /// Sends a message for some units, to a process that is started if there is none. A process that breaks is counted,
    /// and gone when this returns.
    pub(crate) async fn ask(&mut self, message: &[u8], units: usize) -> Result<Result<Vec<u8>, Broken>, SandboxFault> {
        let within = self.job.config.unit_time.saturating_mul(u32::try_from(units).unwrap_or(u32::MAX));
        let process = self.ready().await?;
        match process.ask(message, within).await {
            Ok(body) => Ok(Ok(body)),
            Err(broken) => {
                self.give_up().await?;
                Ok(Err(broken))
            }
        }
    }

    /// Counts the process as crashed and takes it away.
    pub(crate) async fn give_up(&mut self) -> Result<(), SandboxFault> {
        if let Some(process) = self.process.take() {
            process.kill().await;
        }
        self.job.crashed()
    }

    async fn ready(&mut self) -> Result<&mut Process, SandboxFault> {
        let process = match self.process.take() {
            Some(process) => process,
            None => self.start().await?,
        };
        Ok(self.process.insert(process))
    }

    async fn start(&self) -> Result<Process, SandboxFault> {
        loop {
            match Process::start(&self.job.config.executable, &self.job.start, READY_TIME).await {
                Ok(process) => return Ok(process),
                Err(StartFault::Spawn) => return Err(SandboxFault::Spawn),
                Err(StartFault::Refused(_)) => return Err(SandboxFault::Refused),
                Err(StartFault::Late) => return Err(SandboxFault::NotReady),
                Err(StartFault::Ended) => self.job.crashed()?,
            }
        }
    }

    pub(crate) async fn end(self) {
        if let Some(process) = self.process {
            process.end().await;
        }
    }
}

/// Runs batches of a job in one seat and adds up what their units contribute.
pub(crate) struct Runner<'j> {
    job: &'j Job,
    seat: Seat<'j>,
    bounder: Bounder<'j>,
    emitted: Emitted,
    cells: Vec<Vec<i128>>,
}

impl<'j> Runner<'j> {
    pub(crate) fn new(job: &'j Job) -> Self {
        let bounder = Bounder::new(&job.spec, &job.selection);
        Self { job, seat: Seat::new(job), bounder, emitted: Emitted::default(), cells: job.no_cells() }
    }

    /// Starts the worker before there are units, so that whether it can be started does not depend on rows.
    pub(crate) async fn start(&mut self) -> Result<(), SandboxFault> {
        self.seat.ready().await.map(|_| ())
    }

    /// Runs a batch.
    pub(crate) async fn run(&mut self, mut packed: Packed) -> Result<(), SandboxFault> {
        for unit in &packed.too_large {
            self.add_default(unit);
        }
        if packed.units.is_empty() {
            return Ok(());
        }
        let units = packed.units.len();
        let message = packed.frames.message().map_err(|_| SandboxFault::Spec)?;
        let body = self.seat.ask(message, units).await?;
        if !self.take(body, &packed.units).await? {
            self.run_alone(&packed).await?;
        }
        Ok(())
    }

    /// Runs the units of a batch that broke its worker again, one by one.
    // INVARIANT (own rows): each of them is decided without the others.
    async fn run_alone(&mut self, packed: &Packed) -> Result<(), SandboxFault> {
        let mut alone = BatchBuilder::new(&self.job.call);
        for (frame, unit) in packed.frames.frames().zip(&packed.units) {
            alone.clear();
            alone.push(frame).map_err(|_| SandboxFault::Spec)?;
            let body = self.seat.ask(alone.message().map_err(|_| SandboxFault::Spec)?, 1).await?;
            if matches!(body, Err(Broken::Late)) {
                return Err(SandboxFault::Watchdog);
            }
            if !self.take(body, std::slice::from_ref(unit)).await? {
                self.add_default(unit);
            }
        }
        Ok(())
    }

    /// Adds up the answer for some units; `false` when there is none, or it is not one, and then nothing is added.
    async fn take(&mut self, body: Result<Vec<u8>, Broken>, units: &[UnitId]) -> Result<bool, SandboxFault> {
        let Ok(body) = body else { return Ok(false) };
        // All slots are checked before the first of them is added.
        let Ok(results) = Results::decode(&body, self.job.call.slot(), units.len()) else {
            self.seat.give_up().await?;
            return Ok(false);
        };
        for (slot, unit) in results.slots().zip(units) {
            let emitted = read_slot(&slot, &mut self.emitted).then_some(&self.emitted);
            self.bounder.bound(unit, emitted);
            self.bounder.add_to(&mut self.cells);
        }
        Ok(true)
    }

    fn add_default(&mut self, unit: &UnitId) {
        self.bounder.bound(unit, None);
        self.bounder.add_to(&mut self.cells);
    }

    /// Ends the worker and hands over the cells.
    pub(crate) async fn end(self) -> Vec<Vec<i128>> {
        self.seat.end().await;
        self.cells
    }
}

/// Reads what a guest emitted; `false` when it is the default row.
pub(crate) fn read_slot(slot: &Slot<'_>, into: &mut Emitted) -> bool {
    into.keys.clear();
    into.values.clear();
    for (key, values) in slot.rows() {
        into.keys.push(key);
        into.values.extend(values);
    }
    slot.outcome() == Outcome::Rows
}
