//! What faces see of a job.

use chrono::{DateTime, SecondsFormat};
use glovebox_ledger::JobSummary;
use glovebox_policy::approval::reason_of;
use glovebox_policy::{ContractId, Cost, Digest, JobId, OrgId, PersonId};
use glovebox_privacy::{Released, Table};
use serde::Serialize;

use crate::cards::CostCard;

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum JobState {
    /// Waits for a verdict.
    Submitted,
    /// May be run.
    Approved,
    /// May not be run.
    Rejected,
    /// Called back by the firm.
    Cancelled,
    /// The time for review or for running is over.
    Expired,
    /// Runs, or waits for its instant.
    Running,
    /// Was charged and cut off; running it again goes on under the same charge.
    Interrupted,
    /// Has a result.
    Released,
    /// Was charged and could not be finished.
    Lost,
}

impl JobState {
    /// The state as text.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Submitted => "submitted",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
            Self::Running => "running",
            Self::Interrupted => "interrupted",
            Self::Released => "released",
            Self::Lost => "lost",
        }
    }
}

/// A job, without its bytes.
#[derive(Debug, Clone, Serialize)]
pub struct JobCard {
    /// The job.
    pub job: JobId,
    /// What its author calls it.
    pub name: String,
    /// Where it stands.
    pub state: JobState,
    /// The firm.
    pub org: OrgId,
    /// Who submitted it.
    pub person: PersonId,
    /// The contract.
    pub contract: ContractId,
    /// SHA-256 of the manifest.
    pub manifest: Digest,
    /// SHA-256 of the module.
    pub module: Digest,
    /// When it was submitted, RFC 3339.
    pub submitted: String,
    /// Until when officers may decide, RFC 3339.
    pub review_until: String,
    /// How many officers decide.
    pub officers: u32,
    /// The verdicts, once all officers have decided. Before, nobody sees any.
    pub verdicts: Vec<VerdictCard>,
    /// Of an approved job: until when it may be run, RFC 3339.
    pub execute_by: Option<String>,
    /// Of an approved job: on how many snapshots.
    pub max_executions: u32,
    /// What each execution costs.
    pub cost: CostCard,
    /// How long a run takes at least, in milliseconds: a public figure. 0 when it could no longer be run.
    pub takes_ms: u64,
    /// While it runs: when the result leaves, RFC 3339.
    pub result_at: Option<String>,
    /// The requests it was run for, oldest first.
    pub runs: Vec<Digest>,
}

/// An officer's verdict.
#[derive(Debug, Clone, Serialize)]
pub struct VerdictCard {
    /// The officer.
    pub person: PersonId,
    /// `approve` or `reject`.
    pub decision: &'static str,
    /// Why, if the officer says.
    pub reason: Option<String>,
    /// SHA-256 of the signed envelope.
    pub envelope: Digest,
}

/// What an officer needs to decide, and to sign where the key is.
#[derive(Debug, Clone, Serialize)]
pub struct Review {
    /// The job.
    pub job: JobId,
    /// The page to read.
    pub page: String,
    /// The manifest, to be hashed by whoever signs.
    pub manifest: String,
    /// The module, to be hashed by whoever signs.
    #[serde(skip)]
    pub module: Vec<u8>,
    /// The contract's signed envelope.
    pub contract: String,
    /// SHA-256 of the contract's text.
    pub contract_digest: Digest,
    /// The module that was approved last under this name.
    pub previous_module: Option<Digest>,
    /// ε of one execution, in 10⁻⁹.
    pub epsilon_nano: u64,
    /// Executions that the manifest asks for.
    pub executions: u32,
    /// The latest instant that a verdict may name for running, in seconds since 1970.
    pub execute_by_unix_s: i64,
}

/// A job's result.
#[derive(Debug)]
pub struct JobAnswer {
    pub(crate) table: Released<Table>,
    pub(crate) cost: Cost,
}

impl JobAnswer {
    /// The table with its receipt.
    pub fn release(&self) -> &Released<Table> {
        &self.table
    }

    /// What the release cost.
    pub fn cost(&self) -> Cost {
        self.cost
    }
}

pub(crate) fn instant(unix_s: i64) -> String {
    DateTime::from_timestamp(unix_s, 0).unwrap_or_default().to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// What lists show of a job beside its summary: functions of its manifest, which never changes.
#[derive(Debug, Clone)]
pub(crate) struct JobFacts {
    pub(crate) name: String,
    pub(crate) cost: Cost,
    /// 0 when it could no longer be run under today's configuration.
    pub(crate) takes_ms: u64,
}

impl JobCard {
    pub(crate) fn new(summary: &JobSummary, state: JobState, facts: &JobFacts) -> Self {
        // Not even to its author: an officer may issue a token for another one, and would read there what that one said.
        let shown = if summary.is_decided() { summary.verdicts.as_slice() } else { &[] };
        let verdicts = shown.iter().map(|verdict| VerdictCard {
            person: verdict.person.clone(),
            decision: verdict.decision.as_str(),
            reason: reason_of(&verdict.envelope),
            envelope: verdict.digest,
        });
        Self {
            job: summary.job.clone(),
            name: facts.name.clone(),
            state,
            org: summary.org.clone(),
            person: summary.person.clone(),
            contract: summary.contract.clone(),
            manifest: summary.manifest,
            module: summary.module,
            submitted: instant(summary.submitted_unix_s),
            review_until: instant(summary.expires_unix_s),
            officers: summary.officers,
            verdicts: verdicts.collect(),
            execute_by: summary.execute_by_unix_s().map(instant),
            max_executions: summary.max_executions(),
            cost: facts.cost.into(),
            takes_ms: facts.takes_ms,
            result_at: None,
            runs: summary.runs.iter().map(|run| run.request).collect(),
        }
    }
}
