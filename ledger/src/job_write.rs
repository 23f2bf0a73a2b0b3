//! Jobs, verdicts and outcomes written down, each with its entry in the log.

use glovebox_policy::{Decision, Digest, OrgId, SignedVerdict};
use rusqlite::Connection;

use crate::error::LedgerError;
use crate::job::{JobSummary, NewJob};
use crate::log::Entry;
use crate::row;

/// Keeps a new job.
pub(crate) fn insert_job(tx: &Connection, new: &NewJob, org: &OrgId, now: i64) -> Result<(), LedgerError> {
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

/// Keeps a verdict.
pub(crate) fn insert_verdict(tx: &Connection, signed: &SignedVerdict, now: i64) -> Result<(), LedgerError> {
    let verdict = signed.verdict();
    let leaf = Entry::new("verdict", now)
        .text("job", verdict.job.as_str())
        .text("person", verdict.approver.as_str())
        .digest("envelope", &signed.digest())
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

/// What came of all verdicts, in the transaction of the last one.
pub(crate) fn insert_outcome(tx: &Connection, job: &JobSummary, now: i64) -> Result<(), LedgerError> {
    let decision = if job.is_approved() { Decision::Approve } else { Decision::Reject };
    let leaf = Entry::new("outcome", now)
        .text("job", job.job.as_str())
        .text("decision", decision.as_str())
        .number("execute_by", job.execute_by_unix_s().unwrap_or_default())
        .number("max_executions", job.max_executions().into())
        .append(tx)?;
    tx.prepare_cached("INSERT INTO outcome (job, decision, at, leaf) VALUES (?1, ?2, ?3, ?4)")?.execute((
        job.job.as_str(),
        decision.as_str(),
        now,
        row::signed(leaf)?,
    ))?;
    Ok(())
}
