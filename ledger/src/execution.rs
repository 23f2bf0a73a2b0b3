//! Whether a job may run for a request now, and the record that it does.

use glovebox_policy::{Digest, JobId, Reason, Refusal};
use rusqlite::Connection;

use crate::certificate::{MANIFEST_SUBJECT, MODULE_SUBJECT};
use crate::charge::Order;
use crate::error::{ChargeError, LedgerError};
use crate::job::JobSummary;
use crate::log::Entry;
use crate::{job_read, row};

/// A run that is new to its job.
pub(crate) struct Execution {
    job: JobId,
    number: u32,
}

/// Checks the approval of the order's job, in the order that [`Ledger::charge`](crate::Ledger::charge) documents.
/// `None` if there is no job, or if the job was run for this very request before.
pub(crate) fn check(tx: &Connection, order: &Order, now: i64) -> Result<Option<Execution>, ChargeError> {
    let Some(run) = &order.job else {
        return Ok(None);
    };
    let refused = |reason| ChargeError::Refused(Refusal::about(reason, run.job.as_str()));
    let found = job_read::summary(tx, &run.job)?.filter(|found| found.contract == order.contract);
    let found = found.ok_or_else(|| refused(Reason::NotFound))?;
    if found.cancellation.is_some() || found.is_rejected() {
        return Err(refused(Reason::JobClosed));
    }
    if !found.is_decided() {
        return Err(refused(Reason::ApprovalMissing));
    }
    if found.execute_by_unix_s().is_none_or(|execute_by| now >= execute_by) {
        return Err(refused(Reason::ApprovalExpired));
    }
    check_same(order, &found)?;
    job_read::check_verdicts(tx, &found)?;
    if found.runs.iter().any(|before| before.request == order.request) {
        return Ok(None);
    }
    let number = u32::try_from(found.runs.len()).unwrap_or(u32::MAX).saturating_add(1);
    if number > found.max_executions() {
        return Err(refused(Reason::ExecutionsSpent));
    }
    Ok(Some(Execution { job: run.job.clone(), number }))
}

/// What only a faulty caller gets wrong: a decided job gets no further verdicts, and its bytes never change.
fn check_same(order: &Order, found: &JobSummary) -> Result<(), LedgerError> {
    if order.approvals != found.approvals() {
        return Err(LedgerError::Conflict("the order lists other approvals than those that are stored"));
    }
    let named = |name| order.subjects.iter().find(|subject| subject.name == name).map(|subject| subject.digest);
    if named(MANIFEST_SUBJECT) != Some(found.manifest) || named(MODULE_SUBJECT) != Some(found.module) {
        return Err(LedgerError::Conflict("the order names another manifest or module than the job's"));
    }
    Ok(())
}

impl Execution {
    /// Counts the run, in the transaction that admits its request.
    pub(crate) fn record(&self, tx: &Connection, request: Digest, now: i64) -> Result<(), LedgerError> {
        let leaf = Entry::new("job-run", now)
            .text("job", self.job.as_str())
            .number("number", self.number.into())
            .digest("request", &request)
            .append(tx)?;
        tx.prepare_cached("INSERT INTO job_run (job, number, request, at, leaf) VALUES (?1, ?2, ?3, ?4, ?5)")?
            .execute((self.job.as_str(), self.number, request.as_bytes(), now, row::signed(leaf)?))?;
        Ok(())
    }
}
