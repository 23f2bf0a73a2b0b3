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
use crate::{clock, contract, job_read, row};

/// How many officers' verdicts decide a job. One rejection among them rejects it.
pub const VERDICTS_NEEDED: u32 = 1;

/// How many jobs of one organisation may wait for a verdict at the same time: what officers have to read is bounded by it.
/// What the ledger keeps is not: a job that was called back stays, and makes room for another.
pub const WAITING_JOBS_MAX: u32 = 16;

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
    /// The verdicts, oldest first.
    pub verdicts: Vec<StoredVerdict>,
    /// Whether it was called back.
    pub cancellation: Option<Cancellation>,
    /// The requests it was run for, oldest first.
    pub runs: Vec<StoredRun>,
    /// Where it stands by the ledger's time.
    pub state: JobState,
}

impl JobSummary {
    /// Whether enough officers decided.
    pub(crate) fn is_decided(&self) -> bool {
        self.verdicts.len() >= VERDICTS_NEEDED as usize
    }

    /// Whether it was decided, and one of the officers said no.
    pub(crate) fn is_rejected(&self) -> bool {
        self.is_decided() && self.verdicts.iter().any(|verdict| verdict.decision != Decision::Approve)
    }

    /// First instant at which it may no longer be run, if anybody decided.
    pub fn execute_by_unix_s(&self) -> Option<i64> {
        self.verdicts.iter().map(|verdict| verdict.execute_by_unix_s).min()
    }

    /// How many requests it may be run for; 0 if nobody decided.
    pub fn max_executions(&self) -> u32 {
        self.verdicts.iter().map(|verdict| verdict.max_executions).min().unwrap_or(0)
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
    /// [`WAITING_JOBS_MAX`] jobs of the organisation wait already. Else [`LedgerError::Exists`] if the name is taken, [`LedgerError::TooLarge`], [`LedgerError::Conflict`] if the person
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
            if job_read::waiting(tx, &terms.org, now)? >= WAITING_JOBS_MAX {
                return Err(JobError::Refused(Refusal::about(Reason::JobsWaiting, terms.org.as_str())));
            }
            Ok(insert_job(tx, new, &terms.org, now)?)
        })
    }

    /// Keeps an officer's verdict. [`VERDICTS_NEEDED`] of them decide a job for good.
    ///
    /// # Errors
    /// A refusal for the officer, in this order of checks: [`Reason::NotFound`]; [`Reason::JobClosed`] if the job is
    /// cancelled, decided or expired; [`Reason::OwnRequest`] if the officer is of the organisation that handed it in;
    /// [`Reason::SignatureInvalid`] if the officer has no such key here; [`Reason::ApprovalInvalid`] if it is not about
    /// the very bytes of this job; [`Reason::ApprovalExpired`] if it permits nothing any more. Else
    /// [`LedgerError::Exists`] if the officer decided before; or the store fails.
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
            verify(tx, new.signed.envelope(), &found)?;
            if verdict.execute_by.timestamp() <= now {
                return Err(refused(Reason::ApprovalExpired));
            }
            if found.verdicts.iter().any(|before| before.person == verdict.approver) {
                return Err(LedgerError::Exists { kind: "verdict of", name: verdict.approver.to_string() }.into());
            }
            Ok(insert_verdict(tx, new.signed, now)?)
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

fn insert_job(tx: &Connection, new: &NewJob, org: &OrgId, now: i64) -> Result<(), LedgerError> {
    let (manifest, module) = (Digest::of(&new.manifest), Digest::of(&new.module));
    let leaf = Entry::new("job", now)
        .text("job", new.job.as_str())
        .text("person", new.person.as_str())
        .text("org", org.as_str())
        .text("contract", new.contract.as_str())
        .digest("manifest", &manifest)
        .digest("module", &module)
        .number("expires", new.expires_unix_s)
        .append(tx)?;
    tx.prepare_cached(
        "INSERT INTO job (job, person, org, contract, manifest, manifest_digest, module, module_digest, submitted_at,
             expires_at, leaf) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
    )?
    .execute((
        new.job.as_str(),
        new.person.as_str(),
        org.as_str(),
        new.contract.as_str(),
        &new.manifest,
        manifest.as_bytes(),
        &new.module,
        module.as_bytes(),
        now,
        new.expires_unix_s,
        row::signed(leaf)?,
    ))?;
    Ok(())
}

fn insert_verdict(tx: &Connection, signed: &SignedVerdict, now: i64) -> Result<(), LedgerError> {
    let verdict = signed.verdict();
    let leaf = Entry::new("verdict", now)
        .text("job", verdict.job.as_str())
        .text("person", verdict.approver.as_str())
        .text("decision", verdict.decision.as_str())
        .digest("envelope", &signed.digest())
        .number("execute_by", verdict.execute_by.timestamp())
        .number("max_executions", verdict.max_executions.into())
        .append(tx)?;
    tx.prepare_cached(
        "INSERT INTO verdict (job, person, decision, envelope, digest, execute_by, max_executions, at, leaf)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?
    .execute((
        verdict.job.as_str(),
        verdict.approver.as_str(),
        verdict.decision.as_str(),
        signed.envelope(),
        signed.digest().as_bytes(),
        verdict.execute_by.timestamp(),
        verdict.max_executions,
        now,
        row::signed(leaf)?,
    ))?;
    Ok(())
}
