//! Jobs, their review, and the log, as the REST face tells them.

use glovebox_policy::{Digest, JobId, PersonId};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Cost;

/// `GET /me`.
#[derive(Debug, Deserialize)]
pub(crate) struct Me {
    pub(crate) person: PersonId,
}

/// `GET /jobs`.
#[derive(Debug, Deserialize)]
pub(crate) struct Jobs {
    pub(crate) jobs: Vec<Job>,
}

/// A job and where it stands.
#[derive(Debug, Deserialize)]
pub(crate) struct Job {
    pub(crate) job: JobId,
    pub(crate) name: String,
    pub(crate) state: String,
    pub(crate) org: String,
    pub(crate) person: String,
    pub(crate) contract: String,
    pub(crate) manifest: Digest,
    pub(crate) module: Digest,
    pub(crate) submitted: String,
    pub(crate) review_until: String,
    pub(crate) officers: u32,
    pub(crate) verdicts: Vec<Verdict>,
    pub(crate) execute_by: Option<String>,
    pub(crate) max_executions: u32,
    pub(crate) cost: Cost,
    pub(crate) takes_ms: u64,
    pub(crate) result_at: Option<String>,
    pub(crate) runs: Vec<String>,
}

/// An officer's verdict.
#[derive(Debug, Deserialize)]
pub(crate) struct Verdict {
    pub(crate) person: String,
    pub(crate) decision: String,
    pub(crate) reason: Option<String>,
    pub(crate) envelope: String,
}

/// `GET /jobs/{id}/review`.
#[derive(Debug, Deserialize)]
pub(crate) struct Review {
    pub(crate) job: JobId,
    pub(crate) page: String,
    pub(crate) manifest: String,
    pub(crate) contract: String,
    pub(crate) contract_digest: Digest,
    pub(crate) previous_module: Option<Digest>,
    pub(crate) epsilon_nano: u64,
    pub(crate) executions: u32,
    pub(crate) execute_by_unix_s: i64,
}

/// `GET /log`.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct LogPage {
    pub(crate) size: u64,
    pub(crate) entries: Vec<Value>,
}
