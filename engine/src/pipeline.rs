//! The life of a request, in order: analyse, decide, charge, run, release, post-process, wait for the tick.
//!
//! INVARIANT (data-independent): what a caller can see of a request before its answer (refused or not, the reason, the
//! price, the columns, the instant) is computed from the text, the manifest, the contract and the ledger, never from
//! rows. After the charge every failure looks the same and comes at a tick.

use std::sync::Arc;
use std::time::Duration;

use glovebox_ledger::{Admission, Charge, ChargeError, Order, StoredContract};
use glovebox_policy::decide::Matter;
use glovebox_policy::{Caller, NanoEpsilon, Permit, Public, Purpose, Reason, Refusal, Role, SignedContract};
use glovebox_privacy::{NoisyCells, Released, Scalar, Table, release, reopen};
use glovebox_query::{Analysis, Defaults, Draft, Options, Parallelism, SelectionKey, parameter_count, preview_columns};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

use crate::engine::{Engine, Shared, internal, now_unix_s};
use crate::statement::{Answer, Bound, Prepared, ReleasedAnswer, SqlAsk, Statement};

/// A failure after the charge. What it was is the operator's; the caller waits for the tick and may be resumed.
struct Fault;

impl Engine {
    /// Analyses a statement and decides on it. Costs nothing and touches no data.
    ///
    /// # Errors
    /// Why it is not accepted.
    pub async fn prepare(&self, caller: &Caller, ask: SqlAsk) -> Result<Statement, Refusal> {
        let (shared, caller) = (Arc::clone(&self.shared), caller.clone());
        let prepared = tokio::task::spawn_blocking(move || prepare(&shared, caller, ask)).await;
        prepared.map_err(|error| internal("analysis", &error))?
    }

    /// Runs a statement: charged before the first row is read, answered at a public instant, and once: asked again, it
    /// gives the stored release.
    ///
    /// # Errors
    /// Why there is no answer.
    pub async fn run(&self, caller: &Caller, statement: &Statement) -> Result<Answer, Refusal> {
        let prepared = &statement.inner;
        if prepared.caller != *caller {
            return Err(Reason::TicketUnknown.into());
        }
        let bound = prepared.bound.as_ref().ok_or(Reason::ParameterMissing)?;
        if bound.analysis.is_preview() {
            return self.preview(bound).await;
        }
        let _place = self.place().await?;
        let asked = Instant::now();
        let rows = declared_rows(&bound.analysis);
        let config = self.shared.config.release;
        let mut attempt = 0;
        loop {
            attempt += 1;
            let leaves = self.shared.ticks.after(asked, config.window(rows, attempt));
            let outcome = self.attempt(statement, leaves).await;
            if let Err(Some(refusal)) = outcome {
                // Decided without data: may be said at once.
                return Err(refusal);
            }
            tokio::time::sleep_until(leaves).await;
            match outcome {
                Ok(table) => return self.answered(bound, table).await.map(Answer::Released),
                // One more than the resumes: the ledger then records the request as lost.
                Err(_) if attempt <= glovebox_ledger::MAX_RESUMES + 1 => {}
                Err(_) => return Err(Reason::Lost.into()),
            }
        }
    }

    /// A place among the running requests, kept until the answer leaves.
    async fn place(&self) -> Result<(OwnedSemaphorePermit, OwnedSemaphorePermit), Refusal> {
        let queue = Arc::clone(&self.shared.waiting).try_acquire_owned().map_err(|_| Reason::Busy)?;
        let running = Arc::clone(&self.shared.running).acquire_owned().await.map_err(|_| Reason::Busy)?;
        Ok((queue, running))
    }

    /// One attempt, cut off at `leaves`. `Err(None)` is a failure after the charge, `Err(Some)` a refusal before it.
    async fn attempt(&self, statement: &Statement, leaves: Instant) -> Result<Released<Table>, Option<Refusal>> {
        let (shared, again) = (Arc::clone(&self.shared), statement.clone());
        let admitted = tokio::task::spawn_blocking(move || admit(&shared, &again)).await;
        let (permit, admission) = admitted.map_err(|error| Some(internal("charge", &error)))??;
        let (shared, statement) = (Arc::clone(&self.shared), statement.clone());
        let work = async move {
            let bound = statement.inner.bound.as_ref().ok_or(Fault)?;
            let cells = cells(&shared, &bound.analysis, permit, admission).await?;
            bound.analysis.answer(cells).await.map_err(|_| Fault)
        };
        let work = self.shared.compute.spawn(work).ok_or(None)?;
        let cut_off = work.abort_handle();
        match tokio::time::timeout_at(leaves, work).await {
            Ok(Ok(Ok(table))) => Ok(table),
            Ok(_) => Err(None),
            Err(_) => {
                cut_off.abort();
                Err(None)
            }
        }
    }

    async fn answered(&self, bound: &Bound, table: Released<Table>) -> Result<ReleasedAnswer, Refusal> {
        let ask = bound.analysis.ask();
        let remaining = self.contract_of(bound).await?;
        Ok(ReleasedAnswer {
            table,
            cost: bound.analysis.noise().cost(),
            remaining: remaining.debited.remaining_of(remaining.contract.allotment),
            epsilon: ask.epsilon,
            delta: ask.delta,
        })
    }

    async fn contract_of(&self, bound: &Bound) -> Result<StoredContract, Refusal> {
        let (shared, id) = (Arc::clone(&self.shared), bound.contract.clone());
        let found = tokio::task::spawn_blocking(move || shared.ledger.contract(&id)).await;
        let found = found.map_err(|error| internal("contract", &error))?.map_err(|e| internal("contract", &e))?;
        found.ok_or_else(|| Reason::ContractUnknown.into())
    }

    /// `EXPLAIN PRIVACY`: the analysis, the contract's remainder and the instant.
    async fn preview(&self, bound: &Bound) -> Result<Answer, Refusal> {
        let stored = self.contract_of(bound).await?;
        let remaining = stored.debited.remaining_of(stored.contract.allotment);
        let window = self.shared.config.release.window(declared_rows(&bound.analysis), 1);
        let mut table = bound.analysis.preview();
        let mut say = |item: &str, value: String| {
            table.rows.push(vec![Scalar::Text(item.to_owned()), Scalar::Text(value)]);
        };
        say("contract", bound.contract.to_string());
        say("remaining rho", format!("{:.9}", remaining.rho.as_f64_up()));
        say("answer after at least", format!("{} ms", window.as_millis()));
        Ok(Answer::Preview(Public::from_manifest(table)))
    }
}

fn declared_rows(analysis: &Analysis) -> u128 {
    let manifest = analysis.dataset().manifest();
    u128::from(manifest.max_units()) * u128::from(manifest.max_rows_per_unit())
}

fn prepare(shared: &Shared, caller: Caller, ask: SqlAsk) -> Result<Statement, Refusal> {
    if caller.role != Role::Analyst {
        return Err(Reason::RoleForbidden.into());
    }
    let parameter_count = parameter_count(&ask.sql)?;
    let prepared = |bound| Statement {
        inner: Arc::new(Prepared { caller: caller.clone(), purpose: ask.purpose.clone(), parameter_count, bound }),
    };
    if parameter_count > 0 && ask.parameters.is_empty() {
        return Ok(prepared(None));
    }
    let draft = Draft::read(&shared.catalog, &ask.sql, &ask.parameters)?;
    let stored = contract_for(shared, &caller, &draft)?;
    let epsilon = match ask.epsilon {
        None => None,
        Some(epsilon) => Some(
            NanoEpsilon::from_epsilon(epsilon)
                .ok_or_else(|| Refusal::about(Reason::OptionInvalid, &format!("epsilon = {epsilon}")))?,
        ),
    };
    let overrides = Options { epsilon, ..Options::default() };
    let analysis = draft.complete(Defaults::from(&stored.contract), overrides)?;
    // Decided now, so that a refusal comes early; the permit that counts is made when the statement is run.
    let _permit = decide(shared, &caller, ask.purpose.as_ref(), &stored, &analysis)?;
    let columns = if analysis.is_preview() { preview_columns() } else { analysis.columns().to_vec() };
    Ok(prepared(Some(Bound { contract: stored.contract.id.clone(), analysis, columns })))
}

/// The firm's contract on the dataset: the first in force, by name.
fn contract_for(shared: &Shared, caller: &Caller, draft: &Draft) -> Result<StoredContract, Refusal> {
    let dataset = draft.dataset().manifest().name();
    let all = shared.ledger.contracts().map_err(|error| internal("contracts", &error))?;
    let mut own: Vec<_> = all
        .into_iter()
        .filter(|stored| stored.contract.org == caller.org && stored.contract.dataset == *dataset)
        .collect();
    own.sort_by(|a, b| a.contract.id.cmp(&b.contract.id));
    let some = !own.is_empty();
    let now = now_unix_s();
    own.into_iter().find(|stored| stored.contract.in_force(now)).ok_or_else(|| {
        Refusal::about(if some { Reason::ContractInactive } else { Reason::ContractUnknown }, &dataset.to_string())
    })
}

fn decide(
    shared: &Shared,
    caller: &Caller,
    purpose: Option<&Purpose>,
    stored: &StoredContract,
    analysis: &Analysis,
) -> Result<Permit, Refusal> {
    let ask = analysis.ask();
    let contract = signed_contract(shared, stored)?;
    shared.policies.decide(&Matter {
        request: analysis.request(),
        caller,
        purpose,
        contract: &contract,
        dataset: analysis.dataset().manifest().name(),
        frozen: false,
        uses: analysis.uses(),
        epsilon: ask.epsilon,
        delta: ask.delta,
        max_groups: analysis.max_groups(),
        now_unix_s: now_unix_s(),
    })
}

/// The signed contract, with the signature checked again: what the store holds is not taken on trust. The terms that
/// were used until here must be the very terms that were signed.
fn signed_contract(shared: &Shared, stored: &StoredContract) -> Result<SignedContract, Refusal> {
    let officer_of = |keyid: &str| shared.ledger.officer_key(keyid).ok().flatten();
    let signed = SignedContract::verify(&stored.envelope, &officer_of)?;
    if *signed.contract() == stored.contract { Ok(signed) } else { Err(Reason::SignatureInvalid.into()) }
}

/// Decides anew and charges, durably, before anything is read.
fn admit(shared: &Shared, statement: &Statement) -> Result<(Permit, Admission), Option<Refusal>> {
    let prepared = &statement.inner;
    let bound = prepared.bound.as_ref().ok_or(Some(Reason::ParameterMissing.into()))?;
    let stored = shared.ledger.contract(&bound.contract).map_err(|error| Some(internal("contract", &error)))?;
    let stored = stored.ok_or_else(|| Some(Reason::ContractUnknown.into()))?;
    let permit = decide(shared, &prepared.caller, prepared.purpose.as_ref(), &stored, &bound.analysis).map_err(Some)?;
    let order = Order {
        request: bound.analysis.request(),
        contract: bound.contract.clone(),
        domain: stored.contract.budget_domain.clone(),
        person: prepared.caller.person.clone(),
        cost: bound.analysis.noise().cost(),
        decision: permit.decision(),
        snapshot: bound.analysis.dataset().snapshot().clone(),
        now_unix_s: now_unix_s(),
    };
    match shared.ledger.charge(&order) {
        Ok(admission) => Ok((permit, admission)),
        Err(ChargeError::Refused(refusal)) => Err(Some(refusal)),
        Err(ChargeError::Ledger(error)) => Err(Some(internal("charge", &error))),
    }
}

/// The release: drawn now, or read again.
async fn cells(
    shared: &Arc<Shared>,
    analysis: &Analysis,
    permit: Permit,
    admission: Admission,
) -> Result<Released<NoisyCells>, Fault> {
    match admission {
        Admission::Charged(charge) => draw(shared, analysis, permit, charge).await,
        Admission::Stored(stored) => reopen(permit, stored).map_err(|error| fault("stored release", &error)),
        Admission::Running => wait_for_other(shared, permit).await,
    }
}

async fn draw(
    shared: &Arc<Shared>,
    analysis: &Analysis,
    permit: Permit,
    charge: Charge,
) -> Result<Released<NoisyCells>, Fault> {
    let mut key = [0_u8; 16];
    let random = ring::rand::SystemRandom::new();
    ring::rand::SecureRandom::fill(&random, &mut key).map_err(|_| fault("randomness", &"none"))?;
    let parallelism = Parallelism { partitions: shared.config.limits.threads, ..Parallelism::default() };
    let exact = analysis.exact(SelectionKey::new(key), parallelism).await;
    let exact = exact.map_err(|error| fault("inner plan", &error))?;
    let shared = Arc::clone(shared);
    let released = tokio::task::spawn_blocking(move || release(&shared.ledger, permit, charge, exact)).await;
    released.map_err(|error| fault("release", &error))?.map_err(|error| fault("release", &error))
}

/// Somebody else runs the very same request: its release is this one's too. Cut off at the tick like any work.
async fn wait_for_other(shared: &Arc<Shared>, permit: Permit) -> Result<Released<NoisyCells>, Fault> {
    const LOOK_AGAIN: Duration = Duration::from_millis(5);
    let request = permit.request();
    loop {
        tokio::time::sleep(LOOK_AGAIN).await;
        let found = shared.ledger.release_of(request).map_err(|error| fault("stored release", &error))?;
        if let Some(stored) = found {
            return reopen(permit, stored).map_err(|error| fault("stored release", &error));
        }
    }
}

fn fault(what: &'static str, error: &dyn std::fmt::Display) -> Fault {
    crate::operator_log::note(what, error);
    Fault
}
