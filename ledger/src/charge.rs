//! Charging: the one door before any row is read.
//!
//! A request is named by the digest of its canonical form on a snapshot. The first time, its cost is charged to the
//! domain and debited to the asking contract. Asked again, by anybody, it gets the stored answer: free for the domain
//! (nothing new is learned), and debited to a contract that had not paid for it **as if it were new**. The checks,
//! their order and their refusals are the same for a new and a stored request, so a contract cannot tell from them what
//! other contracts asked.
//!
//! The domain check never refuses on its own: a contract in force is promised its unspent allotment
//! (the module `contract`), so what passes the contract check passes the domain's. It is kept as a second barrier.
//!
//! A request of a job is charged only while the job is approved, in time and within its number of executions. This is
//! checked here, in the transaction of the charge, so that no verdict, cancellation or other run comes in between.
//!
//! A request that was charged and has no answer was cut off. It is run again under the same charge, at most
//! [`MAX_RESUMES`] times (nothing had been released), then it is lost: charged for good, and counted as an incident.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use glovebox_policy::{BudgetDomain, ContractId, Cost, Digest, JobId, PersonId, Reason, SnapshotId};

use crate::admit;
use crate::claim::Claim;
use crate::error::ChargeError;
use crate::store::Ledger;

/// How often a request that was cut off is run again under its charge.
pub const MAX_RESUMES: u32 = 2;

/// What a charge is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// Digest of the canonical request on its snapshot. The same digest must mean the same cost, domain and snapshot.
    pub request: Digest,
    /// The contract that pays.
    pub contract: ContractId,
    /// SHA-256 of the contract's signed text, which the decision rests on.
    pub contract_digest: Digest,
    /// The budget domain of the data.
    pub domain: BudgetDomain,
    /// Who asks.
    pub person: PersonId,
    /// What the release costs; not zero.
    pub cost: Cost,
    /// What the contract is billed for it, in the smallest unit of the bureau's currency; worked out from public sizes.
    pub price: u64,
    /// Digest of the policy decision that permits the request.
    pub decision: Digest,
    /// What the decision rested on: the bytes of which `decision` is the SHA-256. Kept, so that it can be made again.
    pub decision_record: Vec<u8>,
    /// The snapshot that will be read.
    pub snapshot: SnapshotId,
    /// The snapshot of another dataset that is joined to it. It pays from the same budget domain, and a freeze of its dataset
    /// stops the order too. That the contract grants it is the decision's to say.
    pub joined: Option<SnapshotId>,
    /// The job that the request is a run of; `None` for SQL.
    pub job: Option<JobRun>,
    /// What the certificate names besides result and request. For a job at least its manifest, as
    /// [`MANIFEST_SUBJECT`](crate::MANIFEST_SUBJECT), and its module, as [`MODULE_SUBJECT`](crate::MODULE_SUBJECT).
    pub subjects: Vec<Subject>,
    /// SHA-256 of each approval's envelope, in the order in which they were given; empty for SQL.
    pub approvals: Vec<Digest>,
    /// The time, in seconds since 1970.
    pub now_unix_s: i64,
}

/// Which job a request is a run of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobRun {
    /// The job, submitted under the order's contract.
    pub job: JobId,
}

/// Something that a certificate names by its digest, as in-toto does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// What it is called; each name once, and neither `result` nor `request`.
    pub name: &'static str,
    /// SHA-256 of its bytes, which must be public.
    pub digest: Digest,
}

/// What may happen now.
#[derive(Debug)]
#[must_use]
pub enum Admission {
    /// The cost is charged: run the request.
    Charged(Charge),
    /// The answer is there: nothing is run. The contract is debited and collects it with [`Ledger::collect`].
    Stored(Claim),
    /// Another holder in this process runs the very request now. The contract is debited, and collects when the other
    /// is done; if the other was cut off ([`Ledger::progress`]), ask again at no further cost.
    Running(Claim),
}

/// The right to run one request once, paid for and durably recorded.
///
/// Exists only after the commit of its charge. Dropping it refunds nothing: the request then counts as cut off.
///
/// It cannot be made by hand:
/// ```compile_fail,E0451
/// fn forge(real: glovebox_ledger::Charge) -> glovebox_ledger::Charge {
///     glovebox_ledger::Charge { attempt: 1, ..real }
/// }
/// ```
/// nor copied:
/// ```compile_fail,E0599
/// fn copy(charge: &glovebox_ledger::Charge) -> glovebox_ledger::Charge {
///     charge.clone()
/// }
/// ```
/// nor used twice:
/// ```compile_fail,E0382
/// fn twice(ledger: &glovebox_ledger::Ledger, charge: glovebox_ledger::Charge) {
///     let claims = serde_json::Value::Null;
///     let _ = ledger.commit_release(charge, b"first", "", &claims);
///     let _ = ledger.commit_release(charge, b"second", "", &claims);
/// }
/// ```
#[derive(Debug)]
#[must_use = "a charge that is dropped stays charged and its request counts as cut off"]
pub struct Charge {
    /// Boxed, because an [`Admission`] is mostly not a charge.
    pub(crate) order: Box<Order>,
    attempt: u32,
    /// While this lives, the request counts as running and not as cut off.
    pub(crate) running: Running,
}

impl Charge {
    /// The request that may be run.
    pub fn request(&self) -> Digest {
        self.order.request
    }

    /// What was charged to the domain, once, whatever the attempt.
    pub fn cost(&self) -> Cost {
        self.order.cost
    }

    /// The contract on whose behalf this attempt runs.
    pub fn contract(&self) -> &ContractId {
        &self.order.contract
    }

    /// The domain that paid.
    pub fn domain(&self) -> &BudgetDomain {
        &self.order.domain
    }

    /// Who asked for this attempt.
    pub fn person(&self) -> &PersonId {
        &self.order.person
    }

    /// The policy decision that permits this attempt.
    pub fn decision(&self) -> Digest {
        self.order.decision
    }

    /// The snapshot that may be read.
    pub fn snapshot(&self) -> &SnapshotId {
        &self.order.snapshot
    }

    /// 1 for the first run, more after it was cut off.
    pub fn attempt(&self) -> u32 {
        self.attempt
    }
}

/// The requests that run in this process now.
#[derive(Debug, Default)]
pub(crate) struct Live(Mutex<HashSet<Digest>>);

impl Live {
    /// Whether a request is marked.
    pub(crate) fn runs(&self, request: Digest) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(&request)
    }
}

/// Marks one request as running for as long as it lives.
#[derive(Debug)]
pub(crate) struct Running {
    live: Arc<Live>,
    request: Digest,
}

impl Running {
    /// Marks the request; `None` if it runs already.
    pub(crate) fn start(live: &Arc<Live>, request: Digest) -> Option<Self> {
        let mut requests = live.0.lock().unwrap_or_else(PoisonError::into_inner);
        requests.insert(request).then(|| Self { live: Arc::clone(live), request })
    }

    /// Whether the mark belongs to this ledger's set.
    pub(crate) fn is_of(&self, live: &Arc<Live>) -> bool {
        Arc::ptr_eq(&self.live, live)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.live.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.request);
    }
}

/// What the transaction decided; becomes an [`Admission`] only after its commit.
pub(crate) enum Outcome {
    Run(u32, Running),
    Stored(Claim),
    Running(Claim),
    Lost,
}

impl Ledger {
    /// Charges a request, or finds that it need not be charged.
    ///
    /// # Errors
    /// [`ChargeError::Refused`] with, in this order of checks: [`Reason::ContractUnknown`],
    /// [`Reason::ContractInactive`]; for a job [`Reason::NotFound`] (no such job under this contract),
    /// [`Reason::JobClosed`] (cancelled or rejected), [`Reason::ApprovalMissing`], [`Reason::ApprovalExpired`],
    /// [`Reason::ExecutionsSpent`], each of which quotes the job's name; then [`Reason::ContractBudgetSpent`],
    /// [`Reason::DayBudgetSpent`], [`Reason::DomainBudgetSpent`], [`Reason::Lost`]. The others quote the contract's
    /// name. Nothing is debited then, and no execution counted.
    /// [`ChargeError::Ledger`] if the order contradicts itself or what is registered, or if the store fails.
    pub fn charge(&self, order: &Order) -> Result<Admission, ChargeError> {
        match self.write(|tx| admit::admit(tx, &self.live, order))? {
            Outcome::Run(attempt, running) => {
                Ok(Admission::Charged(Charge { order: Box::new(order.clone()), attempt, running }))
            }
            Outcome::Stored(claim) => Ok(Admission::Stored(claim)),
            Outcome::Running(claim) => Ok(Admission::Running(claim)),
            Outcome::Lost => Err(admit::refusal(order, Reason::Lost)),
        }
    }
}
