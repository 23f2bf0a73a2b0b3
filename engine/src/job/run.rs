//! A job from its charge to its result. The order, the instants and the one failure are those of [`crate::run`].

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use glovebox_catalog::Manifest;
use glovebox_ledger::{JobRun, MANIFEST_SUBJECT, MODULE_SUBJECT, Order, Settled, Subject};
use glovebox_policy::{Caller, Digest, JobId, Reason, Refusal, Role};
use glovebox_privacy::{Exact, NoisyCells, Released, Table, reopen};
use glovebox_sandbox::{SelectionKey, map_units};
use tokio::time::Instant;

use crate::engine::{Engine, Shared, internal, now_unix_s};
use crate::freeze::few_losses;
use crate::job::card::{JobAnswer, JobCard, JobState};
use crate::job::review::Opened;
use crate::job::table::table;
use crate::run::{Admitted, Fault, Task, Time, admit_apart, charged, fault, secret};

/// Rows that are decoded at a time. Results do not depend on it.
const BATCH_ROWS: usize = 8_192;

/// How many rows of a dataset are decoded at a time: of footage one chunk, because a frame is as large as many rows.
fn batch_rows(dataset: &Manifest) -> usize {
    dataset.footage().map_or(BATCH_ROWS, |footage| footage.frames_of_a_chunk() as usize)
}

/// The jobs that run in this process, each with the instant at which its result leaves, in seconds since 1970, and the
/// request it runs for. Until then nothing that the firm sees tells whether the work is done.
#[derive(Debug, Default)]
pub(crate) struct Runs(Mutex<HashMap<JobId, (i64, Digest)>>);

impl Runs {
    /// When the job's result leaves, while it runs.
    pub(crate) fn until(&self, job: &JobId) -> Option<i64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(job).map(|(until, _)| *until)
    }

    /// Whether a job runs for this request, so that what the ledger already holds of it may not leave yet.
    pub(crate) fn are_for(&self, request: Digest) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).values().any(|(_, running)| *running == request)
    }

    /// Notes that a job is about to run, until `until` at the earliest; `None` if it does already.
    fn begin(self: &Arc<Self>, job: &JobId, until: i64, request: Digest) -> Option<Run> {
        let mut runs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match runs.entry(job.clone()) {
            Entry::Occupied(_) => None,
            Entry::Vacant(free) => {
                free.insert((until, request));
                Some(Run { runs: Arc::clone(self), job: job.clone() })
            }
        }
    }
}

/// One run that is under way, until this is dropped.
struct Run {
    runs: Arc<Runs>,
    job: JobId,
}

impl Run {
    /// When its result leaves after all.
    fn until(&self, until: i64) {
        let mut runs = self.runs.0.lock().unwrap_or_else(PoisonError::into_inner);
        runs.entry(self.job.clone()).and_modify(|(earliest, _)| *earliest = until);
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        self.runs.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.job);
    }
}

/// One run of a job that a caller asked for.
pub(crate) struct JobTask {
    caller: Caller,
    opened: Opened,
}

impl std::fmt::Debug for JobTask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "JobTask({})", self.opened.stored.summary.job)
    }
}

impl JobTask {
    /// Verifies the approvals again, decides anew and charges, durably, before anything is read.
    pub(crate) fn admit(&self, shared: &Shared) -> Result<Admitted, Refusal> {
        few_losses(shared, &self.caller.person)?;
        let Opened { stored, bound, contract, .. } = &self.opened;
        let refused = |reason| Refusal::about(reason, stored.summary.job.as_str());
        if !stored.summary.is_decided() {
            return Err(refused(Reason::ApprovalMissing));
        }
        let approvals = shared.approvals(&self.opened)?;
        if approvals < stored.summary.officers {
            return Err(refused(Reason::JobClosed));
        }
        let permit = shared.decide_job(&self.caller, bound, contract, approvals)?;
        let window = bound.plan.window(&shared.config, bound.dataset.manifest())?;
        let order = Order {
            request: bound.request(),
            contract: contract.contract().id.clone(),
            contract_digest: contract.digest(),
            domain: contract.contract().budget_domain.clone(),
            person: self.caller.person.clone(),
            cost: bound.plan.noise.cost(),
            price: shared.config.prices.of(window, bound.plan.noise.cells()),
            decision: permit.decision(),
            decision_record: permit.record().to_vec(),
            snapshot: bound.dataset.snapshot().clone(),
            joined: None,
            job: Some(JobRun { job: stored.summary.job.clone() }),
            subjects: vec![
                Subject { name: MANIFEST_SUBJECT, digest: stored.summary.manifest },
                Subject { name: MODULE_SUBJECT, digest: stored.summary.module },
            ],
            approvals: stored.summary.approvals(),
            now_unix_s: now_unix_s(),
        };
        charged(shared, permit, &order)
    }

    /// Runs the module over every unit.
    pub(crate) async fn exact(&self, shared: &Shared) -> Result<Exact, Fault> {
        let bound = &self.opened.bound;
        let (plan, threads) = (&bound.plan, shared.config.limits.threads_per_request);
        let batch_rows = batch_rows(bound.dataset.manifest());
        let rows = bound.dataset.unit_partitions(&plan.manifest.columns, threads, batch_rows).await;
        let rows = rows.map_err(|error| fault("a job's rows", &error))?;
        let key = SelectionKey::new(secret()?);
        let cells = map_units(rows, &plan.module, &plan.spec, &key, &shared.workers(threads, plan.manifest.fuel)).await;
        let cells = cells.map_err(|error| fault("a job", &error))?;
        Exact::new(cells, plan.noise.clone(), bound.request()).map_err(|error| fault("a job's cells", &error))
    }

    /// The result, as the manifest declares it.
    pub(crate) fn answer(&self, cells: Released<NoisyCells>) -> Result<Released<Table>, Fault> {
        if cells.receipt().request() != self.opened.bound.request() {
            return Err(fault("post-processing", &"the release is another request's"));
        }
        Ok(table(cells, &self.opened.bound.plan.manifest))
    }
}

impl Engine {
    /// Starts an approved job: charged before the first row is read. The result leaves at the instant that the card names
    /// and is then fetched by [`Engine::job_result`].
    ///
    /// # Errors
    /// Why it is not started. Nothing is charged then.
    pub async fn start_job(&self, caller: &Caller, id: &JobId) -> Result<JobCard, Refusal> {
        if caller.role != Role::Analyst {
            return Err(Reason::RoleForbidden.into());
        }
        let opened = self.opened(caller, id).await?;
        let (job, request) = (opened.stored.summary.job.clone(), opened.bound.request());
        // What this contract has or has lost needs no place, and costs nobody's time.
        if self.shared.is_done(&opened)? {
            return self.shared.card(&opened.stored.summary);
        }
        if !self.shared.config.sandbox.executable().is_file() {
            return Err(internal("a worker", &"its executable is not there"));
        }
        let window = opened.bound.plan.window(&self.shared.config, opened.bound.dataset.manifest())?;
        let until = |time: Duration| now_unix_s().saturating_add(seconds_up(time));
        // One run of a job at a time, from before it waits for its place.
        let Some(run) = self.shared.runs.begin(&job, until(window.leaves()), request) else {
            return self.shared.card(&opened.stored.summary);
        };
        let task = Task::Job(Arc::new(JobTask { caller: caller.clone(), opened }));
        let place = Arc::new(self.place().await?);
        let admitted = admit_apart(&self.shared, &task).await?;
        let time = Time::new(&self.shared, window);
        run.until(until(time.leaves.saturating_duration_since(Instant::now())));
        let engine = self.clone();
        tokio::spawn(async move {
            // Released or lost, it is in the ledger: whoever asks for the result is told so from there.
            let _ = engine.carried_out(task, Some(admitted), time, place).await;
            drop(run);
        });
        self.job_card(caller, id).await
    }

    /// The result of a job's latest run. Decided on anew.
    ///
    /// # Errors
    /// [`Reason::NotReleased`] while there is none, [`Reason::Lost`], or why the caller may no longer see it.
    pub async fn job_result(&self, caller: &Caller, id: &JobId) -> Result<JobAnswer, Refusal> {
        let opened = self.opened(caller, id).await?;
        let (shared, caller) = (Arc::clone(&self.shared), caller.clone());
        let read = tokio::task::spawn_blocking(move || result(&shared, &caller, opened)).await;
        read.map_err(|error| internal("a result", &error))?
    }

    async fn opened(&self, caller: &Caller, id: &JobId) -> Result<Opened, Refusal> {
        let (shared, caller, id) = (Arc::clone(&self.shared), caller.clone(), id.clone());
        let opened = tokio::task::spawn_blocking(move || shared.open_job(&caller, &id)).await;
        opened.map_err(|error| internal("a job", &error))?
    }

    async fn job_card(&self, caller: &Caller, id: &JobId) -> Result<JobCard, Refusal> {
        self.shared.card(&self.opened(caller, id).await?.stored.summary)
    }
}

impl Shared {
    /// Whether the job's request is settled for its contract: lost in a run of the job, or certified.
    fn is_done(&self, opened: &Opened) -> Result<bool, Refusal> {
        let failed = |error| internal("jobs", &error);
        let (summary, request) = (&opened.stored.summary, opened.bound.request());
        if !summary.runs.iter().any(|run| run.request == request) {
            return Ok(false);
        }
        match self.ledger.settled(request).map_err(failed)? {
            None => Ok(false),
            Some(Settled::Lost) => Ok(true),
            Some(Settled::Released) => {
                Ok(self.ledger.certificate(request, &summary.contract).map_err(failed)?.is_some())
            }
        }
    }
}

fn seconds_up(time: Duration) -> i64 {
    i64::try_from(time.as_millis().div_ceil(1_000)).unwrap_or(i64::MAX)
}

fn result(shared: &Shared, caller: &Caller, opened: Opened) -> Result<JobAnswer, Refusal> {
    let none = || Refusal::about(Reason::NotReleased, opened.stored.summary.job.as_str());
    let (state, _) = shared.job_state(&opened.stored.summary)?;
    if shared.runs.are_for(opened.bound.request()) {
        return Err(none());
    }
    match state {
        JobState::Released => {}
        JobState::Lost => return Err(Reason::Lost.into()),
        _ => return Err(none()),
    }
    let permit = shared.decide_job(caller, &opened.bound, &opened.contract, shared.approvals(&opened)?)?;
    let stored = shared.ledger.release_of(opened.bound.request()).map_err(|error| internal("a result", &error))?;
    let cells = reopen(permit, stored.ok_or_else(none)?).map_err(|error| internal("a result", &error))?;
    Ok(JobAnswer { table: table(cells, &opened.bound.plan.manifest), cost: opened.bound.plan.noise.cost() })
}
