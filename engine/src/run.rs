//! From the charge to the answer: charge, exact cells, the gate, post-processing, and out at one public instant.
//!
//! INVARIANT (one instant, one failure): once a request is charged, it is answered at the tick that was fixed when it was
//! charged, with the answer or with [`Reason::Lost`] and nothing else. Attempts after a fault happen inside that time. An
//! inner plan that outruns it is stopped and recorded as lost; a person with too many losses is frozen out, since being
//! lost is the one thing that data can still decide (docs/privacy-promise.md). A caller can be told `lost` without a
//! record: the gate was late (then the release is stored), the work panicked (then the next ask resumes), somebody else's run
//! of the same request, or one lost before.
//!
//! A request keeps its place until its answer leaves and its work has ended. So it never speeds up the next one; one that
//! outruns its time does delay it.
//!
//! # Privacy obligation
//! The instant is a function of when the charge was done, of declared sizes and of the question ([`glovebox_query::Work`]).

use std::sync::Arc;
use std::time::Duration;

use glovebox_ledger::{Admission, Charge, ChargeError, Order};
use glovebox_policy::{Caller, Permit, Reason, Refusal};
use glovebox_privacy::{NoisyCells, Released, Table, release, reopen};
use glovebox_query::{Analysis, Parallelism, SelectionKey};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, sleep, sleep_until, timeout_at};

use crate::engine::{Engine, Shared, internal, now_unix_s};
use crate::pipeline::{decide, window};
use crate::statement::{Answer, Statement};

/// How long to wait before looking again whether somebody else has finished the very same request.
const LOOK_AGAIN: Duration = Duration::from_millis(25);

/// How long a request waits for a place.
const WAIT_LONGEST: Duration = Duration::from_secs(60);

/// A failure after the charge. What it was is the operator's.
struct Fault;

/// The time of one request.
#[derive(Clone, Copy)]
struct Time {
    /// When exact cells must be there. What is later is recorded as lost, so that no overrun of the rows goes uncounted.
    exact: Instant,
    /// When the answer leaves.
    leaves: Instant,
}

impl Time {
    /// From now; a quarter of the window is kept for noise, commit and post-processing.
    fn new(shared: &Shared, window: Duration) -> Self {
        let leaves = shared.ticks.after(Instant::now(), window);
        Self { exact: leaves.checked_sub(window / 4).unwrap_or(leaves), leaves }
    }
}

/// A place in the queue and a place among the running.
type Place = (OwnedSemaphorePermit, OwnedSemaphorePermit);

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
            return self.preview(bound).await;
        }
        let window = window(&self.shared, &bound.analysis)?;
        let place = Arc::new(self.place().await?);
        let admitted = match admit_apart(&self.shared, statement).await {
            Ok(admitted) => Some(admitted),
            Err(refusal) if refusal.reason() == Reason::Lost => None,
            Err(refusal) => return Err(refusal),
        };
        // From here on: deciding and charging take their time, which is the ledger's, and not the rows'.
        let time = Time::new(&self.shared, window);
        let outcome = match admitted {
            Some(admitted) => self.worked(statement, admitted, time, Arc::clone(&place)).await,
            None => Err(Fault),
        };
        let leaves = time.leaves;
        sleep_until(leaves).await;
        drop(place);
        match outcome {
            Ok(table) => {
                let answered = self.answered(bound, table).await;
                answered.map(Answer::Released).map_err(|_| Reason::Lost.into())
            }
            Err(Fault) => Err(Reason::Lost.into()),
        }
    }

    /// A place among the running requests.
    async fn place(&self) -> Result<Place, Refusal> {
        let queue = Arc::clone(&self.shared.waiting).try_acquire_owned().map_err(|_| Reason::Busy)?;
        let running = Arc::clone(&self.shared.running).acquire_owned();
        let running = tokio::time::timeout(WAIT_LONGEST, running).await.map_err(|_| Reason::Busy)?;
        let running = running.map_err(|_| Reason::Busy)?;
        Ok((queue, running))
    }

    /// Does the work on the compute threads, and waits for it until `leaves` at most.
    async fn worked(
        &self,
        statement: &Statement,
        admitted: Admitted,
        time: Time,
        place: Arc<Place>,
    ) -> Result<Released<Table>, Fault> {
        let (shared, statement) = (Arc::clone(&self.shared), statement.clone());
        let work = async move {
            let done = attempts(&shared, &statement, admitted, time).await;
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
type Admitted = (Permit, Admission);

/// Attempts until one succeeds, the ledger gives the request up, or time is over.
async fn attempts(
    shared: &Arc<Shared>,
    statement: &Statement,
    mut admitted: Admitted,
    time: Time,
) -> Result<Released<Table>, Fault> {
    let analysis = &statement.inner.bound.as_ref().ok_or(Fault)?.analysis;
    loop {
        let (permit, admission) = admitted;
        let cells = match admission {
            Admission::Stored(stored) => reopen(permit, stored).map_err(|error| fault("stored release", &error))?,
            Admission::Charged(charge) => match draw(shared, analysis, permit, charge, time.exact).await {
                Ok(cells) => cells,
                Err(Fault) if Instant::now() < time.exact => {
                    admitted = admit_apart(shared, statement).await.map_err(|_| Fault)?;
                    continue;
                }
                Err(Fault) => return Err(Fault),
            },
            Admission::Running => {
                sleep(LOOK_AGAIN).await;
                if Instant::now() >= time.leaves {
                    return Err(Fault);
                }
                admitted = admit_apart(shared, statement).await.map_err(|_| Fault)?;
                continue;
            }
        };
        return analysis.answer(cells).await.map_err(|error| fault("post-processing", &error));
    }
}

/// Exact cells, then the gate. What is not exact in time is recorded as lost.
async fn draw(
    shared: &Arc<Shared>,
    analysis: &Analysis,
    permit: Permit,
    charge: Charge,
    exact_by: Instant,
) -> Result<Released<NoisyCells>, Fault> {
    let mut key = [0_u8; 16];
    let random = ring::rand::SystemRandom::new();
    ring::rand::SecureRandom::fill(&random, &mut key).map_err(|_| fault("randomness", &"none"))?;
    let parallelism = Parallelism { partitions: shared.config.limits.threads_per_request, ..Parallelism::default() };
    let shared = Arc::clone(shared);
    match timeout_at(exact_by, analysis.exact(SelectionKey::new(key), parallelism)).await {
        Ok(Ok(exact)) => {
            let released = tokio::task::spawn_blocking(move || release(&shared.ledger, permit, charge, exact)).await;
            released.map_err(|error| fault("release", &error))?.map_err(|error| fault("release", &error))
        }
        Ok(Err(error)) => Err(fault("inner plan", &error)),
        Err(_) => {
            let lost = tokio::task::spawn_blocking(move || shared.ledger.mark_lost(charge)).await;
            match lost {
                Ok(Ok(())) => Err(fault("inner plan", &"it outran its time")),
                Ok(Err(error)) => Err(fault("recording a loss", &error)),
                Err(error) => Err(fault("recording a loss", &error)),
            }
        }
    }
}

/// [`admit`] on a thread that may block.
async fn admit_apart(shared: &Arc<Shared>, statement: &Statement) -> Result<Admitted, Refusal> {
    let (shared, statement) = (Arc::clone(shared), statement.clone());
    let admitted = tokio::task::spawn_blocking(move || admit(&shared, &statement)).await;
    admitted.map_err(|error| internal("charge", &error))?
}

/// Decides anew and charges, durably, before anything is read.
fn admit(shared: &Shared, statement: &Statement) -> Result<Admitted, Refusal> {
    let prepared = &statement.inner;
    let bound = prepared.bound.as_ref().ok_or(Reason::ParameterMissing)?;
    let person = &prepared.caller.person;
    let incidents = shared.ledger.incidents_of(person).map_err(|error| internal("incidents", &error))?;
    if incidents >= shared.config.limits.incidents {
        return Err(Refusal::about(Reason::Frozen, person.as_str()));
    }
    let stored = shared.ledger.contract(&bound.contract).map_err(|error| internal("contract", &error))?;
    let stored = stored.ok_or(Reason::ContractUnknown)?;
    let permit = decide(shared, &prepared.caller, prepared.purpose.as_ref(), &stored, &bound.analysis)?;
    let order = Order {
        request: bound.analysis.request(),
        contract: bound.contract.clone(),
        domain: stored.contract.budget_domain.clone(),
        person: person.clone(),
        cost: bound.analysis.noise().cost(),
        decision: permit.decision(),
        snapshot: bound.analysis.dataset().snapshot().clone(),
        now_unix_s: now_unix_s(),
    };
    match shared.ledger.charge(&order) {
        Ok(admission) => Ok((permit, admission)),
        Err(ChargeError::Refused(refusal)) => Err(refusal),
        Err(ChargeError::Ledger(error)) => Err(internal("charge", &error)),
    }
}

fn fault(what: &'static str, error: &dyn std::fmt::Display) -> Fault {
    crate::operator_log::note(what, error);
    Fault
}
