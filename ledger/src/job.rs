//! Jobs: code handed in for review, the officers' verdicts on it, and how often it ran.
//!
//! A submitted job never changes: its manifest and module are kept byte for byte and named by their digests. A verdict
//! is kept as the officer signed it. Who may run what is read from these facts anew at every charge
//! (the module `execution`); nothing here is a state that somebody could forget to update.

use glovebox_policy::job::MANIFEST_MAX_BYTES;
use glovebox_policy::{ContractId, Decision, Digest, JobId, OrgId, PersonId, Reason, Refusal, SignedVerdict, Subjects};
use rusqlite::Connection;

use crate::account::{find_officer_key, require_person};
use crate::error::{JobError, LedgerError};
use crate::log::Entry;
use crate::store::Ledger;
use crate::{clock, contract, job_read, job_write, row};

/// How many jobs of one organisation may wait for a verdict at the same time: what officers have to read.
pub const WAITING_JOBS_MAX: u32 = 16;

/// How many jobs one organisation may hand in within 24 hours, whatever becomes of them. The ledger keeps them for ever.
pub const DAILY_JOBS_MAX: u32 = 64;

const DAY_S: i64 = 86_400;

/// The largest module of a job, in bytes; sandboxes take less.
pub const MODULE_MAX_BYTES: usize = 16 * 1024 * 1024;

/// A job to hand in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewJob {
    /// The job's name; new.
    pub job: JobId,
    /// Who hands it in; of the contract's organisation.
    pub person: PersonId,
    /// The contract that it is to run under.
    pub contract: ContractId,
    /// The manifest, as it was written.
    pub manifest: Vec<u8>,
    /// The module.
    pub module: Vec<u8>,
    /// First instant at which nobody may decide on it any more, in seconds since 1970.
    pub expires_unix_s: i64,
    /// The time, in seconds since 1970.
    pub now_unix_s: i64,
}

/// A verdict to keep.
#[derive(Debug, Clone, Copy)]
pub struct NewVerdict<'a> {
    /// What the officer signed.
    pub signed: &'a SignedVerdict,
    /// The time, in seconds since 1970.
    pub now_unix_s: i64,
}

/// A job to call back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCancellation {
    /// The job.
    pub job: JobId,
    /// Who calls it back; of the organisation that handed it in.
    pub person: PersonId,
    /// The time, in seconds since 1970.
    pub now_unix_s: i64,
}

/// Where a job stands. A function of its facts and of the ledger's time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobState {
    /// Officers may decide.
    Waiting,
    /// It may run, until the first `execute_by` of its verdicts.
    Approved,
    /// It may not run.
    Rejected,
    /// It was called back before anybody decided.
    Cancelled,
    /// Nobody decided in time, or the time in which it might run is over.
    Expired,
}

/// An officer's verdict as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredVerdict {
    /// The officer.
    pub person: PersonId,
    /// Yes or no.
    pub decision: Decision,
    /// The signed envelope, exactly as it was handed in.
    pub envelope: Vec<u8>,
    /// SHA-256 of the envelope: what certificates name.
    pub digest: Digest,
    /// First instant at which the job may no longer be run, in seconds since 1970.
    pub execute_by_unix_s: i64,
    /// How many requests the job may be run for.
    pub max_executions: u32,
    /// When it was taken, in seconds since 1970.
    pub at_unix_s: i64,
    /// The number of its entry in the log.
    pub leaf_index: u64,
}

/// A job that was called back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cancellation {
    /// By whom.
    pub person: PersonId,
    /// When, in seconds since 1970.
    pub at_unix_s: i64,
    /// The number of its entry in the log.
    pub leaf_index: u64,
}

/// One request that a job was run for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredRun {
    /// 1, 2, …
    pub number: u32,
    /// The charged request.
    pub request: Digest,
    /// When it was admitted first, in seconds since 1970.
    pub at_unix_s: i64,
    /// The number of its entry in the log.
    pub leaf_index: u64,
}

/// All that is known of a job but its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobSummary {
    /// The job's name.
    pub job: JobId,
    /// Who handed it in.
    pub person: PersonId,
    /// For which organisation.
    pub org: OrgId,
    /// Under which contract.
    pub contract: ContractId,
    /// SHA-256 of the manifest.
    pub manifest: Digest,
    /// SHA-256 of the module.
    pub module: Digest,
    /// How long the module is, in bytes.
    pub module_bytes: u64,
    /// When it was handed in, in seconds since 1970.
    pub submitted_unix_s: i64,
    /// First instant at which nobody may decide on it any more, in seconds since 1970.
    pub expires_unix_s: i64,
    /// The number of its entry in the log.
    pub leaf_index: u64,
    /// How many officers decide: what the risk class of its contract asks.
    pub officers: u32,
    /// The verdicts, oldest first. Until [`JobSummary::is_decided`] nobody may learn here what one says.
    pub verdicts: Vec<StoredVerdict>,
    /// Whether it was called back.
    pub cancellation: Option<Cancellation>,
    /// The requests it was run for, oldest first.
    pub runs: Vec<StoredRun>,
    /// Where it stands by the ledger's time.
    pub state: JobState,
}

impl JobSummary {
    /// Whether as many officers decided as must.
    pub fn is_decided(&self) -> bool {
        self.verdicts.len() >= self.officers as usize
    }

    /// Whether it was decided, and all officers said yes.
    pub fn is_approved(&self) -> bool {
        self.is_decided() && !self.is_rejected()
    }

    /// Whether it was decided, and one of the officers said no.
    pub(crate) fn is_rejected(&self) -> bool {
        self.is_decided() && self.verdicts.iter().any(|verdict| verdict.decision != Decision::Approve)
    }

    /// First instant at which it may no longer be run, once it is decided.
    pub fn execute_by_unix_s(&self) -> Option<i64> {
        self.decided().iter().map(|verdict| verdict.execute_by_unix_s).min()
    }

    /// How many requests it may be run for; 0 until it is decided.
    pub fn max_executions(&self) -> u32 {
        self.decided().iter().map(|verdict| verdict.max_executions).min().unwrap_or(0)
    }

    /// The verdicts, once there are enough of them: before, none may show.
    fn decided(&self) -> &[StoredVerdict] {
        if self.is_decided() { &self.verdicts } else { &[] }
    }

    /// SHA-256 of each verdict's envelope, oldest first: what an order and a certificate list as approvals.
    pub fn approvals(&self) -> Vec<Digest> {
        self.verdicts.iter().map(|verdict| verdict.digest).collect()
    }

    pub(crate) fn state_at(&self, now: i64) -> JobState {
        let in_time = |end: Option<i64>| end.is_some_and(|end| now < end);
        match self {
            _ if self.cancellation.is_some() => JobState::Cancelled,
            _ if self.is_rejected() => JobState::Rejected,
            _ if self.is_decided() && in_time(self.execute_by_unix_s()) => JobState::Approved,
            _ if !self.is_decided() && now < self.expires_unix_s => JobState::Waiting,
            _ => JobState::Expired,
        }
    }
}

/// A job with its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredJob {
    /// All but the bytes.
    pub summary: JobSummary,
    /// The manifest, as it was handed in.
    pub manifest: Vec<u8>,
    /// The module, as it was handed in.
    pub module: Vec<u8>,
}

impl Ledger {
    /// Hands a job in for review.
    ///
    /// # Errors
    /// A refusal for the analyst: [`Reason::ContractUnknown`], [`Reason::ContractInactive`], [`Reason::JobsWaiting`] if
    /// [`WAITING_JOBS_MAX`] jobs of the organisation wait already, [`Reason::JobsToday`] after [`DAILY_JOBS_MAX`]. Else [`LedgerError::Exists`] if the name is taken, [`LedgerError::TooLarge`], [`LedgerError::Conflict`] if the person
    /// is of another organisation than the contract or the job expires before it begins; or the store fails.
    pub fn submit_job(&self, new: &NewJob) -> Result<(), JobError> {
        self.write(|tx| {
            let now = clock::advance(tx, new.now_unix_s)?;
            let refused = |reason| JobError::Refused(Refusal::about(reason, new.contract.as_str()));
            let terms = contract::terms(tx, &new.contract)?.ok_or_else(|| refused(Reason::ContractUnknown))?;
            if !(terms.starts_at..terms.ends_at).contains(&now) {
                return Err(refused(Reason::ContractInactive));
            }
            if require_person(tx, &new.person)?.org != terms.org {
                return Err(LedgerError::Conflict("the person is of another organisation than the contract").into());
            }
            check_new(tx, new, now)?;
            check_number(tx, &terms.org, now)?;
            Ok(job_write::insert_job(tx, new, &terms.org, now)?)
        })
    }

    /// Keeps an officer's verdict. As many as the contract's risk class asks decide a job for good; one no is a no.
    ///
    /// INVARIANT (blinded): until then the log holds that an officer has signed and the digest of what, not what it
    /// says. The digest tells nothing, for it is of an envelope with a signature that only the officer can make.
    ///
    /// # Errors
    /// A refusal for the officer, in this order of checks: [`Reason::NotFound`]; [`Reason::JobClosed`] if the job is
    /// cancelled, decided or expired; [`Reason::OwnRequest`] if the officer is of the organisation that handed it in;
    /// [`Reason::AlreadyDecided`] if the officer decided before;
    /// [`Reason::SignatureInvalid`] if the officer has no such key here; [`Reason::ApprovalInvalid`] if it is not about
    /// the very bytes of this job; [`Reason::ApprovalExpired`] if it permits nothing any more. Else
    /// the store fails.
    pub fn add_verdict(&self, new: &NewVerdict<'_>) -> Result<(), JobError> {
        let verdict = new.signed.verdict();
        let refused = |reason| JobError::Refused(Refusal::about(reason, verdict.job.as_str()));
        self.write(|tx| {
            let now = clock::advance(tx, new.now_unix_s)?;
            let found = job_read::summary(tx, &verdict.job)?.ok_or_else(|| refused(Reason::NotFound))?;
            if found.state_at(now) != JobState::Waiting {
                return Err(refused(Reason::JobClosed));
            }
            let officer = require_person(tx, &verdict.approver)?;
            if officer.org == found.org {
                return Err(refused(Reason::OwnRequest));
            }
            if found.verdicts.iter().any(|before| before.person == verdict.approver) {
                return Err(refused(Reason::AlreadyDecided));
            }
            verify(tx, new.signed.envelope(), &found)?;
            if verdict.execute_by.timestamp() <= now {
                return Err(refused(Reason::ApprovalExpired));
            }
            job_write::insert_verdict(tx, new.signed, now)?;
            let now_known = job_read::summary(tx, &verdict.job)?.ok_or_else(|| refused(Reason::NotFound))?;
            if now_known.is_decided() {
                job_write::insert_outcome(tx, &now_known, now)?;
            }
            Ok(())
        })
    }

    /// Calls a job back before it is decided.
    ///
    /// # Errors
    /// A refusal for the analyst, in this order: [`Reason::NotFound`] if the person's organisation handed in no such
    /// job; [`Reason::JobClosed`] if it is decided, cancelled or expired. Else the store fails.
    pub fn cancel_job(&self, new: &NewCancellation) -> Result<(), JobError> {
        let refused = |reason| JobError::Refused(Refusal::about(reason, new.job.as_str()));
        self.write(|tx| {
            let now = clock::advance(tx, new.now_unix_s)?;
            let org = require_person(tx, &new.person)?.org;
            let found = job_read::summary(tx, &new.job)?.filter(|found| found.org == org);
            if found.ok_or_else(|| refused(Reason::NotFound))?.state_at(now) != JobState::Waiting {
                return Err(refused(Reason::JobClosed));
            }
            let leaf = Entry::new("job-cancelled", now)
                .text("job", new.job.as_str())
                .text("person", new.person.as_str())
                .append(tx)?;
            tx.prepare_cached("INSERT INTO cancellation (job, person, at, leaf) VALUES (?1, ?2, ?3, ?4)")?
                .execute((new.job.as_str(), new.person.as_str(), now, row::signed(leaf)?))?;
            Ok(())
        })
    }
}

/// Checks an envelope against the officers' keys of this ledger and the job's bytes and contract.
pub(crate) fn verify(tx: &Connection, envelope: &[u8], about: &JobSummary) -> Result<SignedVerdict, JobError> {
    let again = SignedVerdict::verify(envelope, &|key_id| find_officer_key(tx, key_id).ok().flatten())?;
    let terms = contract::terms(tx, &about.contract)?
        .ok_or_else(|| LedgerError::Corrupt(format!("the contract of job `{}` is not there", about.job)))?;
    let subjects = Subjects { manifest: about.manifest, module: about.module, contract: terms.digest };
    again.is_about(&about.job, &subjects)?;
    Ok(again)
}

fn check_new(tx: &Connection, new: &NewJob, now: i64) -> Result<(), LedgerError> {
    let sizes = [("manifest", new.manifest.len(), MANIFEST_MAX_BYTES), ("module", new.module.len(), MODULE_MAX_BYTES)];
    if let Some((what, ..)) = sizes.into_iter().find(|(_, bytes, max)| bytes > max) {
        return Err(LedgerError::TooLarge(what));
    }
    if new.expires_unix_s <= now {
        return Err(LedgerError::Conflict("the job expires before it begins"));
    }
    let known = tx.prepare_cached("SELECT 1 FROM job WHERE job = ?1")?.exists([new.job.as_str()])?;
    if known { Err(LedgerError::Exists { kind: "job", name: new.job.to_string() }) } else { Ok(()) }
}

/// Whether an organisation may hand in one more job.
pub(crate) fn check_number(tx: &Connection, org: &OrgId, now: i64) -> Result<(), JobError> {
    let refused = |reason| Err(JobError::Refused(Refusal::about(reason, org.as_str())));
    match () {
        () if job_read::waiting(tx, org, now)? >= WAITING_JOBS_MAX => refused(Reason::JobsWaiting),
        () if job_read::submitted_since(tx, org, now - DAY_S)? >= DAILY_JOBS_MAX => refused(Reason::JobsToday),
        () => Ok(()),
    }
}
