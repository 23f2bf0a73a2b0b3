//! From the charge to the answer: charge, exact cells, the gate, post-processing, and out at one public instant.
//!
//! INVARIANT (one instant, one failure): once a request is charged, it is answered at the tick that was fixed when it was
//! charged, with the answer or with [`Reason::Lost`] and nothing else. Attempts after a fault happen inside that time. An
//! inner plan that fails or outruns it is recorded as lost; a person with too many losses is frozen out, since being
//! lost is the one thing that data can still decide (docs/privacy-promise.md). A caller can be told `lost` without a
//! record: the gate was late (then the release is stored), the work panicked (then the next ask resumes), somebody else's run
//! of the same request, or one lost before.
//!
//! INVARIANT (public record): what the ledger writes down of a charged request, release or loss, it writes at an instant
//! that was fixed with the charge, however early the work was done, and whether this request ran or another contract's
//! answer was there; noise is drawn at that instant, which takes time by the number of cells. The log's order, length and
//! times, which certificates and proofs show to the asker, would otherwise tell how long the rows took, or what others asked.
//!
//! A request keeps its place until its answer leaves and its work has ended. So it never speeds up the next one; one that
//! outruns its time does delay it.
//!
//! # Privacy obligation
//! The instants are functions of when the charge was done, of declared sizes and of the question ([`glovebox_query::Work`])
//! or the job (its declared fuel).

use std::sync::Arc;
use std::time::Duration;

use glovebox_catalog::Dataset;
use glovebox_ledger::{Admission, Charge, ChargeError, Claim, Collected, JOINED_SUBJECT, Order, Progress, Subject};
use glovebox_policy::{Caller, Permit, Reason, Refusal};
use glovebox_privacy::{Exact, NoisyCells, Released, Table, release, reopen};
use glovebox_query::{Parallelism, SelectionKey};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, sleep, sleep_until, timeout_at};

use crate::config::Window;
use crate::engine::{Engine, Shared, internal, now_unix_s};
use crate::freeze::{few_losses, not_frozen};
use crate::job::JobTask;
use crate::pipeline::{decide, signed_contract, window};
use crate::statement::{Answer, Statement};

/// How long to wait before looking again whether somebody else has finished the very same request.
const LOOK_AGAIN: Duration = Duration::from_millis(25);

/// How long a request waits for a place.
const WAIT_LONGEST: Duration = Duration::from_secs(60);

/// How often exact cells are tried for under one charge.
const TRIES: u32 = 3;

/// A failure after the charge. What it was is the operator's.
#[derive(Debug)]
pub(crate) struct Fault;

/// The time of one request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Time {
    /// When exact cells must be there, and when the outcome is written down.
    exact: Instant,
    /// When the answer leaves.
    pub(crate) leaves: Instant,
}

impl Time {
    /// From now.
    pub(crate) fn new(shared: &Shared, window: Window) -> Self {
        let leaves = shared.ticks.after(Instant::now(), window.leaves());
        Self { exact: leaves.checked_sub(window.tail).unwrap_or(leaves), leaves }
    }
}

/// A place in the queue and a place among the running.
pub(crate) type Place = (OwnedSemaphorePermit, OwnedSemaphorePermit);

/// What is run under a charge.
#[derive(Debug, Clone)]
pub(crate) enum Task {
    /// A DP SQL statement.
    Sql(Statement),
    /// A job.
    Job(Arc<JobTask>),
}

impl Task {
    /// Decides anew and charges, durably, before anything is read.
    fn admit(&self, shared: &Shared) -> Result<Admitted, Refusal> {
        match self {
            Self::Sql(statement) => admit_sql(shared, statement),
            Self::Job(job) => job.admit(shared),
        }
    }

    /// Exact cells. The only step that reads rows.
    async fn exact(&self, shared: &Shared) -> Result<Exact, Fault> {
        match self {
            Self::Sql(statement) => {
                let analysis = &statement.inner.bound.as_ref().ok_or(Fault)?.analysis;
                let partitions = shared.config.limits.threads_per_request;
                let parallelism = Parallelism { partitions, ..Parallelism::default() };
                let key = SelectionKey::new(secret()?);
                analysis.exact(key, parallelism).await.map_err(|error| fault("inner plan", &error))
            }
            Self::Job(job) => job.exact(shared).await,
        }
    }

    /// Post-processing.
    async fn answer(&self, cells: Released<NoisyCells>) -> Result<Released<Table>, Fault> {
        match self {
            Self::Sql(statement) => {
                let analysis = &statement.inner.bound.as_ref().ok_or(Fault)?.analysis;
                analysis.answer(cells).await.map_err(|error| fault("post-processing", &error))
            }
            Self::Job(job) => job.answer(cells),
        }
    }
}

/// A fresh secret key.
pub(crate) fn secret() -> Result<[u8; 16], Fault> {
    let mut key = [0_u8; 16];
    let random = ring::rand::SystemRandom::new();
    ring::rand::SecureRandom::fill(&random, &mut key).map_err(|_| fault("randomness", &"none"))?;
    Ok(key)
}

impl Engine {
    /// Runs a statement: charged before the first row is read, answered at a public instant, and once: asked again, it
    /// gives the stored release.
    ///
    /// # Errors
    /// Why there is no answer. A refusal before the charge comes as soon as there is a place, [`Reason::Lost`] at the tick.
    pub async fn run(&self, caller: &Caller, statement: &Statement) -> Result<Answer, Refusal> {
        let prepared = &statement.inner;
        if prepared.caller != *caller {
            return Err(Reason::TicketUnknown.into());
        }
        let bound = prepared.bound.as_ref().ok_or(Reason::ParameterMissing)?;
        if bound.analysis.is_preview() {
            // Analysed before, perhaps: what was frozen since is not explained either.
            let datasets = std::iter::once(bound.analysis.dataset()).chain(bound.analysis.partner());
            let datasets = datasets.map(|dataset| dataset.manifest().name());
            not_frozen(&self.shared, datasets, &bound.contract, &caller.person)?;
            return self.preview(bound).await;
        }
        let window = window(&self.shared, &bound.analysis)?;
        let place = Arc::new(self.place().await?);
        let task = Task::Sql(statement.clone());
        let admitted = match admit_apart(&self.shared, &task).await {
            Ok(admitted) => Some(admitted),
            Err(refusal) if refusal.reason() == Reason::Lost => None,
            Err(refusal) => return Err(refusal),
        };
        // From here on: deciding and charging take their time, which is the ledger's, and not the rows'.
        let time = Time::new(&self.shared, window);
        match self.carried_out(task, admitted, time, place).await {
            Ok(table) => {
                let answered = self.answered(bound, table).await;
                answered.map(Answer::Released).map_err(|_| Reason::Lost.into())
            }
            Err(Fault) => Err(Reason::Lost.into()),
        }
    }

    /// A place among the running requests.
    pub(crate) async fn place(&self) -> Result<Place, Refusal> {
        let queue = Arc::clone(&self.shared.waiting).try_acquire_owned().map_err(|_| Reason::Busy)?;
        let running = Arc::clone(&self.shared.running).acquire_owned();
        let running = tokio::time::timeout(WAIT_LONGEST, running).await.map_err(|_| Reason::Busy)?;
        let running = running.map_err(|_| Reason::Busy)?;
        Ok((queue, running))
    }

    /// What comes of an admitted task, told when its time is over and never before.
    pub(crate) async fn carried_out(
        &self,
        task: Task,
        admitted: Option<Admitted>,
        time: Time,
        place: Arc<Place>,
    ) -> Result<Released<Table>, Fault> {
        let outcome = match admitted {
            Some(admitted) => self.worked(task, admitted, time, Arc::clone(&place)).await,
            None => Err(Fault),
        };
        sleep_until(time.leaves).await;
        drop(place);
        outcome
    }

    /// Does the work on the compute threads, and waits for it until `leaves` at most.
    async fn worked(
        &self,
        task: Task,
        admitted: Admitted,
        time: Time,
        place: Arc<Place>,
    ) -> Result<Released<Table>, Fault> {
        let shared = Arc::clone(&self.shared);
        let work = async move {
            let done = attempt(&shared, &task, admitted, time).await;
            drop(place);
            done
        };
        let work = self.shared.compute.spawn(work).ok_or(Fault)?;
        match timeout_at(time.leaves, work).await {
            Ok(Ok(done)) => done,
            Ok(Err(error)) => Err(fault("a request", &error)),
            Err(_) => Err(fault("a request", &"it outran its time")),
        }
    }
}

/// Leave, and what the ledger says.
pub(crate) type Admitted = (Permit, Admission);

/// The answer that is drawn now, or the one that somebody else drew or is drawing.
async fn attempt(
    shared: &Arc<Shared>,
    task: &Task,
    mut admitted: Admitted,
    time: Time,
) -> Result<Released<Table>, Fault> {
    loop {
        let (permit, admission) = admitted;
        let cells = match admission {
            Admission::Charged(charge) => draw(shared, task, permit, charge, time.exact).await?,
            Admission::Stored(claim) => collect(shared, permit, claim, time).await?,
            Admission::Running(claim) => {
                if is_cut_off(shared, &claim, time.exact).await? {
                    admitted = admit_apart(shared, task).await.map_err(|_| Fault)?;
                    continue;
                }
                collect(shared, permit, claim, time).await?
            }
        };
        return task.answer(cells).await;
    }
}

/// Whether nobody runs a request any more that has no answer: looked at until `exact_by`.
async fn is_cut_off(shared: &Shared, claim: &Claim, exact_by: Instant) -> Result<bool, Fault> {
    while Instant::now() < exact_by {
        match shared.ledger.progress(claim).map_err(|error| fault("a claim", &error))? {
            Progress::Running => sleep(LOOK_AGAIN).await,
            Progress::CutOff => return Ok(true),
            Progress::Settled(_) => return Ok(false),
        }
    }
    Ok(false)
}

/// What somebody else drew, collected at the instant at which a run of one's own would have been written down.
async fn collect(
    shared: &Arc<Shared>,
    permit: Permit,
    mut claim: Claim,
    time: Time,
) -> Result<Released<NoisyCells>, Fault> {
    sleep_until(time.exact).await;
    loop {
        let ledger = Arc::clone(shared);
        let collected = tokio::task::spawn_blocking(move || ledger.ledger.collect(claim)).await;
        let collected = collected.map_err(|error| fault("a claim", &error))?;
        match collected.map_err(|error| fault("a claim", &error))? {
            Collected::Stored(stored) => {
                return reopen(permit, stored).map_err(|error| fault("stored release", &error));
            }
            Collected::NotYet(back, Progress::Running) if Instant::now() < time.leaves => claim = back,
            Collected::NotYet(..) => return Err(Fault),
        }
        sleep(LOOK_AGAIN).await;
    }
}

/// Exact cells, then the gate, at the instant `exact_by` and not before. What is not exact by then is recorded as lost.
async fn draw(
    shared: &Arc<Shared>,
    task: &Task,
    permit: Permit,
    charge: Charge,
    exact_by: Instant,
) -> Result<Released<NoisyCells>, Fault> {
    let exact = timeout_at(exact_by, exact_cells(shared, task)).await;
    sleep_until(exact_by).await;
    let shared = Arc::clone(shared);
    match exact {
        Ok(Ok(exact)) => {
            let released = tokio::task::spawn_blocking(move || release(&shared.ledger, permit, charge, exact)).await;
            released.map_err(|error| fault("release", &error))?.map_err(|error| fault("release", &error))
        }
        Ok(Err(Fault)) | Err(_) => {
            let lost = tokio::task::spawn_blocking(move || shared.ledger.mark_lost(charge)).await;
            match lost {
                Ok(Ok(())) => Err(fault("inner plan", &"it could not be done in its time")),
                Ok(Err(error)) => Err(fault("recording a loss", &error)),
                Err(error) => Err(fault("recording a loss", &error)),
            }
        }
    }
}

/// Tries a few times: a fault of the machine may pass. Nothing of the tries is written down.
async fn exact_cells(shared: &Shared, task: &Task) -> Result<Exact, Fault> {
    let mut tries = 1;
    loop {
        match task.exact(shared).await {
            Ok(exact) => return Ok(exact),
            Err(Fault) if tries < TRIES => tries += 1,
            Err(Fault) => return Err(Fault),
        }
        sleep(LOOK_AGAIN).await;
    }
}

/// [`Task::admit`] on a thread that may block.
pub(crate) async fn admit_apart(shared: &Arc<Shared>, task: &Task) -> Result<Admitted, Refusal> {
    let (shared, task) = (Arc::clone(shared), task.clone());
    let admitted = tokio::task::spawn_blocking(move || task.admit(&shared)).await;
    admitted.map_err(|error| internal("charge", &error))?
}

fn admit_sql(shared: &Shared, statement: &Statement) -> Result<Admitted, Refusal> {
    let prepared = &statement.inner;
    let bound = prepared.bound.as_ref().ok_or(Reason::ParameterMissing)?;
    let person = &prepared.caller.person;
    few_losses(shared, person)?;
    let stored = shared.ledger.contract(&bound.contract).map_err(|error| internal("contract", &error))?;
    let stored = stored.ok_or(Reason::ContractUnknown)?;
    let contract = signed_contract(shared, &stored)?;
    let permit = decide(shared, &prepared.caller, prepared.purpose.as_ref(), &contract, &bound.analysis)?;
    let order = Order {
        request: bound.analysis.request(),
        contract: bound.contract.clone(),
        contract_digest: contract.digest(),
        domain: stored.contract.budget_domain.clone(),
        person: person.clone(),
        cost: bound.analysis.noise().cost(),
        price: shared.config.prices.of(window(shared, &bound.analysis)?, bound.analysis.noise().cells()),
        decision: permit.decision(),
        decision_record: permit.record().to_vec(),
        snapshot: bound.analysis.dataset().snapshot().clone(),
        joined: bound.analysis.partner().map(|partner| partner.snapshot().clone()),
        job: None,
        subjects: bound.analysis.partner().map(joined_subject).into_iter().collect(),
        approvals: Vec::new(),
        now_unix_s: now_unix_s(),
    };
    charged(shared, permit, &order)
}

/// The dataset that was joined, as the certificate names it: by its manifest, which anybody may have.
fn joined_subject(partner: &Arc<Dataset>) -> Subject {
    Subject { name: JOINED_SUBJECT, digest: partner.manifest_digest() }
}

/// Charges what was permitted.
pub(crate) fn charged(shared: &Shared, permit: Permit, order: &Order) -> Result<Admitted, Refusal> {
    match shared.ledger.charge(order) {
        Ok(admission) => Ok((permit, admission)),
        Err(ChargeError::Refused(refusal)) => Err(refusal),
        Err(ChargeError::Ledger(error)) => Err(internal("charge", &error)),
    }
}

pub(crate) fn fault(what: &'static str, error: &dyn std::fmt::Display) -> Fault {
    crate::operator_log::note(what, error);
    Fault
}
