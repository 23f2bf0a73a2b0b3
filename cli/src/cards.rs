//! What the REST face answers, as far as it is shown. Fields that are not named here are passed over.

mod job;

use glovebox_policy::{Digest, Purpose};
use serde::Deserialize;
use serde_json::Value;

pub(crate) use job::{Job, Jobs, LogPage, Me, Review, Verdict};

/// Privacy loss.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(crate) struct Cost {
    pub(crate) rho: f64,
    pub(crate) delta: f64,
}

/// `GET /datasets`.
#[derive(Debug, Deserialize)]
pub(crate) struct Datasets {
    pub(crate) datasets: Vec<Dataset>,
}

/// A dataset, from its manifest.
#[derive(Debug, Deserialize)]
pub(crate) struct Dataset {
    pub(crate) name: String,
    pub(crate) title_en: String,
    pub(crate) title_zh: String,
    pub(crate) kind: String,
    /// Not of a public table; so the next and the declared numbers of units.
    pub(crate) id_space: Option<String>,
    pub(crate) budget_domain: Option<String>,
    pub(crate) unit: Vec<String>,
    pub(crate) max_units: Option<u64>,
    pub(crate) max_rows_per_unit: Option<u32>,
    /// Of a public table.
    pub(crate) max_rows: Option<u64>,
    pub(crate) unique: Vec<Vec<String>>,
    pub(crate) source: String,
    pub(crate) licence: String,
    pub(crate) classification: String,
    pub(crate) columns: Vec<Column>,
    /// Of footage: its form and its privacy unit.
    #[serde(default)]
    pub(crate) footage: Option<Footage>,
}

/// The form of footage.
#[derive(Debug, Deserialize)]
pub(crate) struct Footage {
    pub(crate) camera: String,
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) frames_per_second: u32,
    pub(crate) chunk_s: u32,
    pub(crate) chunks: u32,
    pub(crate) appearance: Appearance,
}

/// The privacy unit of footage.
#[derive(Debug, Deserialize)]
pub(crate) struct Appearance {
    pub(crate) longest_s: u32,
    pub(crate) segments: u32,
}

impl Dataset {
    /// The dataset, if it is one to have a contract on.
    ///
    /// # Errors
    /// That it is a public table.
    pub(crate) fn with_units(&self) -> anyhow::Result<&Self> {
        match self.kind.as_str() {
            "public" => Err(anyhow::anyhow!("`{}` is a public table, which needs no contract", self.name)),
            _ => Ok(self),
        }
    }
}

/// A column, from its manifest.
#[derive(Debug, Deserialize)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) meaning_en: String,
    pub(crate) meaning_zh: String,
    pub(crate) bounds: Option<Bounds>,
    pub(crate) keys: Option<Vec<Value>>,
    /// Leave to group by it without a list.
    #[serde(default)]
    pub(crate) thresholded: Option<Value>,
    /// Declared days.
    #[serde(default)]
    pub(crate) days: Option<Days>,
    pub(crate) identifier: bool,
}

/// Declared bounds.
#[derive(Debug, Deserialize)]
pub(crate) struct Bounds {
    pub(crate) lower: f64,
    pub(crate) upper: f64,
}

/// Declared days, as dates.
#[derive(Debug, Deserialize)]
pub(crate) struct Days {
    pub(crate) first: String,
    pub(crate) last: String,
}

/// `POST /datasets/draft`.
#[derive(Debug, Deserialize)]
pub(crate) struct Draft {
    pub(crate) manifest: String,
}

/// Rows under typed columns: a twin, or the table of an answer.
#[derive(Debug, Deserialize)]
pub(crate) struct Answer {
    pub(crate) columns: Vec<AnswerColumn>,
    pub(crate) rows: Vec<Vec<Value>>,
    /// Of a release.
    pub(crate) cost: Option<Asked>,
    /// Of a release.
    pub(crate) remaining: Option<Cost>,
    /// Of a release.
    pub(crate) release: Option<Release>,
}

/// A column of an answer.
#[derive(Debug, Deserialize)]
pub(crate) struct AnswerColumn {
    pub(crate) name: String,
}

/// What was charged, and of a statement the (ε, δ) that it comes from.
#[derive(Debug, Deserialize)]
pub(crate) struct Asked {
    pub(crate) rho: f64,
    pub(crate) epsilon: Option<f64>,
    pub(crate) at_delta: Option<f64>,
}

/// Which release this is.
#[derive(Debug, Deserialize)]
pub(crate) struct Release {
    pub(crate) request: String,
}

/// `GET /contracts`.
#[derive(Debug, Deserialize)]
pub(crate) struct Contracts {
    pub(crate) contracts: Vec<Contract>,
}

/// A contract and where it stands.
#[derive(Debug, Deserialize)]
pub(crate) struct Contract {
    pub(crate) id: String,
    pub(crate) org: String,
    pub(crate) dataset: String,
    pub(crate) budget_domain: String,
    pub(crate) purposes: Vec<String>,
    pub(crate) starts: String,
    pub(crate) ends: String,
    pub(crate) allotment: Cost,
    pub(crate) per_day: Cost,
    pub(crate) debited: Cost,
    pub(crate) remaining: Cost,
    pub(crate) max_epsilon: f64,
    pub(crate) max_delta: f64,
    pub(crate) max_groups_contributed: u32,
    pub(crate) risk_class: String,
    pub(crate) grants: Vec<Grant>,
}

/// Columns in roles of use.
#[derive(Debug, Deserialize)]
pub(crate) struct Grant {
    #[serde(default)]
    pub(crate) dataset: Option<String>,
    pub(crate) columns: Vec<String>,
    pub(crate) roles: Vec<String>,
}

/// `GET /budget`.
#[derive(Debug, Deserialize)]
pub(crate) struct Budgets {
    pub(crate) budgets: Vec<Budget>,
}

/// A contract's budget, or a domain's.
#[derive(Debug, Deserialize)]
pub(crate) struct Budget {
    pub(crate) scope: String,
    pub(crate) name: String,
    pub(crate) cap: Cost,
    pub(crate) spent: Cost,
    pub(crate) promised: Option<Cost>,
    pub(crate) remaining: Cost,
    pub(crate) promise: Option<Promise>,
}

/// The published promise of a domain; an ε that is not finite comes as nothing.
#[derive(Debug, Deserialize)]
pub(crate) struct Promise {
    pub(crate) epsilon: Option<f64>,
    pub(crate) delta: f64,
}

/// `GET /people`.
#[derive(Debug, Deserialize)]
pub(crate) struct People {
    pub(crate) people: Vec<Person>,
}

/// A person with an account.
#[derive(Debug, Deserialize)]
pub(crate) struct Person {
    pub(crate) person: String,
    pub(crate) org: String,
    pub(crate) role: String,
    pub(crate) name: String,
}

/// `GET /log/decision/{leaf}`.
#[derive(Debug, Deserialize)]
pub(crate) struct Decision {
    pub(crate) leaf: u64,
    pub(crate) at_unix_s: i64,
    pub(crate) decision: Digest,
    pub(crate) record: String,
    pub(crate) contract: String,
    pub(crate) signer_key: String,
    pub(crate) purposes: Vec<(Purpose, Option<Purpose>)>,
}

/// `GET /contracts/{id}/bill`.
#[derive(Debug, Deserialize)]
pub(crate) struct Bill {
    pub(crate) contract: String,
    pub(crate) month: String,
    pub(crate) currency: String,
    pub(crate) lines: Vec<BillLine>,
    pub(crate) total: u64,
    pub(crate) cost: Cost,
}

/// One request on a bill.
#[derive(Debug, Deserialize)]
pub(crate) struct BillLine {
    pub(crate) request: String,
    pub(crate) person: String,
    pub(crate) at: String,
    pub(crate) cost: Cost,
    pub(crate) price: u64,
}

/// `GET /applications`.
#[derive(Debug, Deserialize)]
pub(crate) struct Applications {
    pub(crate) applications: Vec<Application>,
}

/// An application for data.
#[derive(Debug, Deserialize)]
pub(crate) struct Application {
    pub(crate) id: String,
    pub(crate) org: String,
    pub(crate) person: String,
    pub(crate) dataset: String,
    pub(crate) status: String,
    pub(crate) at: String,
    pub(crate) why: String,
    pub(crate) contract: Option<String>,
    pub(crate) reason: Option<String>,
    pub(crate) ended_by: Option<String>,
    pub(crate) ended_at: Option<String>,
    pub(crate) text: Option<String>,
}

/// `GET /applications/{id}/draft`.
#[derive(Debug, Deserialize)]
pub(crate) struct ContractDraft {
    pub(crate) contract: String,
}

/// `GET /freezes`.
#[derive(Debug, Deserialize)]
pub(crate) struct Freezes {
    pub(crate) freezes: Vec<Freeze>,
}

/// A freeze, or the end of one.
#[derive(Debug, Deserialize)]
pub(crate) struct Freeze {
    pub(crate) kind: String,
    pub(crate) name: String,
    pub(crate) frozen: bool,
    pub(crate) officer: String,
    pub(crate) reason: String,
    pub(crate) at: String,
}

/// `POST /tokens`.
#[derive(Deserialize)]
pub(crate) struct IssuedToken {
    pub(crate) token: String,
}
