//! Jobs read back, with every digest and signature checked again.

use glovebox_policy::{Decision, Digest, JobId, OrgId};
use rusqlite::{Connection, OptionalExtension as _, Row};

use crate::error::{JobError, LedgerError};
use crate::job::{self, Cancellation, JobState, JobSummary, StoredJob, StoredRun, StoredVerdict};
use crate::store::Ledger;
use crate::{clock, row};

impl Ledger {
    /// A job with its bytes.
    ///
    /// # Errors
    /// [`LedgerError::Corrupt`] if bytes or verdicts are not those that were taken; else if the store fails.
    pub fn job(&self, id: &JobId) -> Result<Option<StoredJob>, LedgerError> {
        self.read(|tx| {
            let Some(summary) = summary(tx, id)? else {
                return Ok(None);
            };
            check_verdicts(tx, &summary)?;
            let (manifest, module): (Vec<u8>, Vec<u8>) = tx
                .prepare_cached("SELECT manifest, module FROM job WHERE job = ?1")?
                .query_row([id.as_str()], |row| row.try_into())?;
            if Digest::of(&manifest) != summary.manifest || Digest::of(&module) != summary.module {
                return Err(LedgerError::Corrupt(format!("the bytes of job `{id}` were changed")));
            }
            Ok(Some(StoredJob { summary, manifest, module }))
        })
    }

    /// Every job without its bytes, newest first.
    ///
    /// # Errors
    /// [`LedgerError::Corrupt`] if a verdict's envelope is not the one that was taken; else if the store fails.
    pub fn jobs(&self) -> Result<Vec<JobSummary>, LedgerError> {
        self.read(summaries)
    }

    /// Whether an organisation may hand in one more job now, by the ledger's time.
    ///
    /// # Errors
    /// The refusals of [`Ledger::submit_job`] that are about numbers; else if the store fails.
    pub fn check_jobs_of(&self, org: &OrgId) -> Result<(), JobError> {
        self.read(|tx| Ok(job::check_number(tx, org, clock::by_system(tx)?)))?
    }

    /// All but the bytes of a job.
    ///
    /// # Errors
    /// As [`Ledger::jobs`].
    pub fn job_summary(&self, id: &JobId) -> Result<Option<JobSummary>, LedgerError> {
        self.read(|tx| summary(tx, id))
    }

    /// The manifest of a job alone: what lists show of it.
    ///
    /// # Errors
    /// [`LedgerError::Corrupt`] if it is not the one that was handed in; else if the store fails.
    pub fn job_manifest(&self, id: &JobId) -> Result<Option<Vec<u8>>, LedgerError> {
        self.read(|tx| {
            let found: Option<(Vec<u8>, [u8; 32])> = tx
                .prepare_cached("SELECT manifest, manifest_digest FROM job WHERE job = ?1")?
                .query_row([id.as_str()], |row| row.try_into())
                .optional()?;
            match found {
                Some((manifest, digest)) if Digest::of(&manifest) != row::digest(digest) => {
                    Err(LedgerError::Corrupt(format!("the bytes of job `{id}` were changed")))
                }
                found => Ok(found.map(|(manifest, _)| manifest)),
            }
        })
    }
}

/// How many jobs an organisation handed in after an instant.
pub(crate) fn submitted_since(tx: &Connection, org: &OrgId, instant: i64) -> Result<u32, LedgerError> {
    Ok(tx
        .prepare_cached("SELECT count(*) FROM job WHERE org = ?1 AND submitted_at > ?2")?
        .query_row((org.as_str(), instant), |row| row.get(0))?)
}

/// Every job without its bytes, newest first.
pub(crate) fn summaries(tx: &Connection) -> Result<Vec<JobSummary>, LedgerError> {
    let mut rows = tx.prepare_cached("SELECT job FROM job ORDER BY leaf DESC")?;
    let names: Vec<String> = rows.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    names.into_iter().filter_map(|id| row::name(id).and_then(|id| summary(tx, &id)).transpose()).collect()
}

/// How many jobs of an organisation are [`JobState::Waiting`] at an instant; the module `job` says what that is.
pub(crate) fn waiting(tx: &Connection, org: &OrgId, now: i64) -> Result<u32, LedgerError> {
    Ok(tx
        .prepare_cached(
            "SELECT count(*) FROM job WHERE org = ?1 AND ?2 < expires_at
                 AND NOT EXISTS (SELECT 1 FROM cancellation WHERE cancellation.job = job.job)
                 AND NOT EXISTS (SELECT 1 FROM outcome WHERE outcome.job = job.job)",
        )?
        .query_row((org.as_str(), now), |row| row.get(0))?)
}

/// All but the bytes of a job.
pub(crate) fn summary(tx: &Connection, id: &JobId) -> Result<Option<JobSummary>, LedgerError> {
    let found = tx
        .prepare_cached(
            "SELECT j.person, j.org, j.contract, manifest_digest, module_digest, length(module), submitted_at,
                    expires_at, j.leaf, k.officers FROM job j JOIN contract k ON k.contract = j.contract
             WHERE job = ?1",
        )?
        .query_row([id.as_str()], job_row)
        .optional()?;
    let Some(((person, org, contract), (manifest, module), (module_bytes, submitted_at, expires_at, leaf), officers)) =
        found
    else {
        return Ok(None);
    };
    let mut summary = JobSummary {
        job: id.clone(),
        person: row::name(person)?,
        org: row::name(org)?,
        contract: row::name(contract)?,
        manifest: row::digest(manifest),
        module: row::digest(module),
        module_bytes: row::unsigned(module_bytes)?,
        submitted_unix_s: submitted_at,
        expires_unix_s: expires_at,
        leaf_index: row::unsigned(leaf)?,
        officers,
        verdicts: verdicts(tx, id)?,
        cancellation: cancellation(tx, id)?,
        runs: runs(tx, id)?,
        state: JobState::Waiting,
    };
    summary.state = summary.state_at(clock::by_system(tx)?);
    Ok(Some(summary))
}

type JobRow = ((String, String, String), ([u8; 32], [u8; 32]), (i64, i64, i64, i64), u32);

fn job_row(row: &Row<'_>) -> rusqlite::Result<JobRow> {
    let names = (row.get(0)?, row.get(1)?, row.get(2)?);
    let numbers = (row.get(5)?, row.get(6)?, row.get(7)?, row.get(8)?);
    Ok((names, (row.get(3)?, row.get(4)?), numbers, row.get(9)?))
}

fn verdicts(tx: &Connection, id: &JobId) -> Result<Vec<StoredVerdict>, LedgerError> {
    type Found = (String, String, Vec<u8>, [u8; 32], i64, u32, i64, i64);
    let mut rows = tx.prepare_cached(
        "SELECT person, decision, envelope, digest, execute_by, max_executions, at, leaf
         FROM verdict WHERE job = ?1 ORDER BY leaf",
    )?;
    let found = rows.query_map([id.as_str()], |row| -> rusqlite::Result<Found> { row.try_into() })?;
    found
        .map(|found| {
            let (person, decision, envelope, digest, execute_by_unix_s, max_executions, at_unix_s, leaf) = found?;
            if Digest::of(&envelope) != row::digest(digest) {
                return Err(LedgerError::Corrupt(format!("a verdict on job `{id}` was changed")));
            }
            let decision = [Decision::Approve, Decision::Reject]
                .into_iter()
                .find(|known| known.as_str() == decision)
                .ok_or_else(|| LedgerError::Corrupt(format!("`{decision}` is not a decision")))?;
            Ok(StoredVerdict {
                person: row::name(person)?,
                decision,
                envelope,
                digest: row::digest(digest),
                execute_by_unix_s,
                max_executions,
                at_unix_s,
                leaf_index: row::unsigned(leaf)?,
            })
        })
        .collect()
}

fn cancellation(tx: &Connection, id: &JobId) -> Result<Option<Cancellation>, LedgerError> {
    let found: Option<(String, i64, i64)> = tx
        .prepare_cached("SELECT person, at, leaf FROM cancellation WHERE job = ?1")?
        .query_row([id.as_str()], |row| row.try_into())
        .optional()?;
    found
        .map(|(person, at_unix_s, leaf)| {
            Ok(Cancellation { person: row::name(person)?, at_unix_s, leaf_index: row::unsigned(leaf)? })
        })
        .transpose()
}

fn runs(tx: &Connection, id: &JobId) -> Result<Vec<StoredRun>, LedgerError> {
    type Found = (u32, [u8; 32], i64, i64);
    let mut rows = tx.prepare_cached("SELECT number, request, at, leaf FROM job_run WHERE job = ?1 ORDER BY number")?;
    let found = rows.query_map([id.as_str()], |row| -> rusqlite::Result<Found> { row.try_into() })?;
    found
        .map(|found| {
            let (number, request, at_unix_s, leaf) = found?;
            Ok(StoredRun { number, request: row::digest(request), at_unix_s, leaf_index: row::unsigned(leaf)? })
        })
        .collect()
}

/// Checks that every stored verdict is still signed by the officer it is filed under, about these very bytes, and says
/// what its columns say.
///
/// INVARIANT (very bytes): a job runs on the strength of what officers signed, not of what a column holds.
pub(crate) fn check_verdicts(tx: &Connection, summary: &JobSummary) -> Result<(), LedgerError> {
    for stored in &summary.verdicts {
        let corrupt = || LedgerError::Corrupt(format!("a verdict on job `{}` does not verify", summary.job));
        let signed = job::verify(tx, &stored.envelope, summary).map_err(|error| match error {
            JobError::Refused(_) => corrupt(),
            JobError::Ledger(error) => error,
        })?;
        let said = signed.verdict();
        let same = said.approver == stored.person
            && said.decision == stored.decision
            && said.max_executions == stored.max_executions
            && said.execute_by.timestamp() == stored.execute_by_unix_s;
        if !same {
            return Err(corrupt());
        }
    }
    Ok(())
}
