//! Public metadata and officers' reports, as faces show them.

use glovebox_catalog::{
    Bounds, Column, ColumnKind, Dataset, Days, Footage, IngestError, IngestReport, KeyValue, ManifestReport, Problem,
    PublicTable, Thresholded,
};
use glovebox_ledger::{DomainBudget, StoredContract};
use glovebox_policy::contract::{Grant, RiskClass};
use glovebox_policy::{
    ApplicationId, BudgetDomain, ColumnName, ContractId, Cost, DatasetName, IdSpace, OrgId, Purpose, Reason, Refusal,
};
use glovebox_privacy::accountant::epsilon_of;
use serde::Serialize;

pub use glovebox_catalog::{ColumnKind as CardKind, KeyValue as CardKey};

/// A dataset or a public table, from its manifest alone.
#[derive(Debug, Clone, Serialize)]
pub struct DatasetCard {
    /// The name in SQL.
    pub name: DatasetName,
    /// What it is, as its manifest spells it: `public` for a public table, which has no unit and no budget,
    /// `frames` for footage, `table` for rows of persons.
    pub kind: &'static str,
    /// Title in English.
    pub title_en: String,
    /// Title in Chinese.
    pub title_zh: String,
    /// Whose ids its units are; not of a public table.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_space: Option<IdSpace>,
    /// Whose budget it draws on; not of a public table.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget_domain: Option<BudgetDomain>,
    /// The privacy unit's columns; none of a public table, nor of footage, whose unit is an appearance.
    pub unit: Vec<ColumnName>,
    /// Declared size: units, of footage chunks; not of a public table.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_units: Option<u64>,
    /// Declared size: rows of a unit, of footage frames of a chunk; not of a public table.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_rows_per_unit: Option<u32>,
    /// Declared size of a public table: rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_rows: Option<u64>,
    /// Sets of columns that do not repeat together: what a public table can be joined on.
    pub unique: Vec<Vec<ColumnName>>,
    /// Where the data comes from.
    pub source: String,
    /// Under which licence.
    pub licence: String,
    /// The bureau's classification.
    pub classification: String,
    /// The columns.
    pub columns: Vec<ColumnCard>,
    /// Of footage: its form, its horizon and its privacy unit (ρ and K).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub footage: Option<Footage>,
}

/// A column, from its manifest alone.
#[derive(Debug, Clone, Serialize)]
pub struct ColumnCard {
    /// The name in SQL.
    pub name: ColumnName,
    /// What it holds.
    pub kind: ColumnKind,
    /// Meaning in English.
    pub meaning_en: String,
    /// Meaning in Chinese.
    pub meaning_zh: String,
    /// Declared bounds.
    pub bounds: Option<Bounds>,
    /// Public key list, if the column can be grouped by.
    pub keys: Option<Vec<KeyValue>>,
    /// Leave to group by it without a list: only keys of enough units appear.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thresholded: Option<Thresholded>,
    /// Declared days, if it can be grouped by years, months or days.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub days: Option<Days>,
    /// Whether it identifies persons and cannot be used.
    pub identifier: bool,
}

impl From<&Column> for ColumnCard {
    fn from(column: &Column) -> Self {
        Self {
            name: column.name.clone(),
            kind: column.kind,
            meaning_en: column.meaning_en.clone(),
            meaning_zh: column.meaning_zh.clone(),
            bounds: column.bounds.clone(),
            keys: column.keys.as_ref().map(|keys| keys.values.clone()),
            thresholded: column.thresholded.clone(),
            days: column.days.clone(),
            identifier: column.identifier,
        }
    }
}

impl From<&PublicTable> for DatasetCard {
    fn from(table: &PublicTable) -> Self {
        let manifest = table.manifest();
        Self {
            name: manifest.name().clone(),
            kind: "public",
            title_en: manifest.title_en().to_owned(),
            title_zh: manifest.title_zh().to_owned(),
            id_space: None,
            budget_domain: None,
            unit: Vec::new(),
            max_units: None,
            max_rows_per_unit: None,
            max_rows: Some(manifest.max_rows()),
            unique: manifest.unique().to_vec(),
            source: manifest.source().to_owned(),
            licence: manifest.licence().to_owned(),
            classification: manifest.classification().to_owned(),
            columns: manifest.columns().iter().map(ColumnCard::from).collect(),
            footage: None,
        }
    }
}

impl From<&Dataset> for DatasetCard {
    fn from(dataset: &Dataset) -> Self {
        let manifest = dataset.manifest();
        Self {
            name: manifest.name().clone(),
            kind: manifest.kind().as_str(),
            title_en: manifest.title_en().to_owned(),
            title_zh: manifest.title_zh().to_owned(),
            id_space: Some(manifest.id_space().clone()),
            budget_domain: Some(manifest.budget_domain().clone()),
            unit: manifest.unit().to_vec(),
            max_units: Some(manifest.max_units()),
            max_rows_per_unit: Some(manifest.max_rows_per_unit()),
            max_rows: None,
            unique: manifest.unique().to_vec(),
            source: manifest.source().to_owned(),
            licence: manifest.licence().to_owned(),
            classification: manifest.classification().to_owned(),
            columns: manifest.columns().iter().map(ColumnCard::from).collect(),
            footage: manifest.footage().cloned(),
        }
    }
}

/// Privacy loss for showing.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct CostCard {
    /// ρ.
    pub rho: f64,
    /// δ that thresholds spend.
    pub delta: f64,
}

impl From<Cost> for CostCard {
    fn from(cost: Cost) -> Self {
        Self { rho: cost.rho.as_f64_up(), delta: cost.delta.as_f64_up() }
    }
}

/// A contract and where it stands.
#[derive(Debug, Clone, Serialize)]
pub struct ContractCard {
    /// Its name.
    pub id: ContractId,
    /// The firm.
    pub org: OrgId,
    /// The application that it answers, if any.
    pub application: Option<ApplicationId>,
    /// The dataset.
    pub dataset: DatasetName,
    /// Who pays.
    pub budget_domain: BudgetDomain,
    /// What for.
    pub purposes: Vec<Purpose>,
    /// From when, RFC 3339.
    pub starts: String,
    /// Until when, RFC 3339.
    pub ends: String,
    /// What was granted over the term.
    pub allotment: CostCard,
    /// What may be spent in a day.
    pub per_day: CostCard,
    /// What was debited.
    pub debited: CostCard,
    /// What is left.
    pub remaining: CostCard,
    /// Largest ε of a query.
    pub max_epsilon: f64,
    /// Largest δ of a query.
    pub max_delta: f64,
    /// Most groups of a unit.
    pub max_groups_contributed: u32,
    /// How much care a job under it takes.
    pub risk_class: RiskClass,
    /// Columns in roles of use.
    pub grants: Vec<Grant>,
}

impl From<&StoredContract> for ContractCard {
    fn from(stored: &StoredContract) -> Self {
        let contract = &stored.contract;
        Self {
            id: contract.id.clone(),
            org: contract.org.clone(),
            application: contract.application.clone(),
            dataset: contract.dataset.clone(),
            budget_domain: contract.budget_domain.clone(),
            purposes: contract.purposes.clone(),
            starts: contract.starts.to_rfc3339(),
            ends: contract.ends.to_rfc3339(),
            allotment: contract.allotment.into(),
            per_day: contract.per_day.into(),
            debited: stored.debited.into(),
            remaining: stored.debited.remaining_of(contract.allotment).into(),
            max_epsilon: contract.max_epsilon.to_display(),
            max_delta: contract.max_delta,
            max_groups_contributed: contract.max_groups_contributed,
            risk_class: contract.risk_class,
            grants: contract.grants.clone(),
        }
    }
}

/// A budget: a contract's for its firm, a domain's for officers and auditors.
#[derive(Debug, Clone, Serialize)]
pub struct BudgetCard {
    /// `contract` or `domain`.
    pub scope: &'static str,
    /// Its name.
    pub name: String,
    /// The cap.
    pub cap: CostCard,
    /// What is spent.
    pub spent: CostCard,
    /// Of a domain: what contracts in force may still spend.
    pub promised: Option<CostCard>,
    /// What is left: of a domain, to promise; of a contract, to spend.
    pub remaining: CostCard,
    /// Of a domain: the promise of the cap, ε at the published δ.
    pub promise: Option<PromiseCard>,
}

/// The published promise.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct PromiseCard {
    /// ε.
    pub epsilon: f64,
    /// δ.
    pub delta: f64,
}

impl From<&StoredContract> for BudgetCard {
    fn from(stored: &StoredContract) -> Self {
        Self {
            scope: "contract",
            name: stored.contract.id.to_string(),
            cap: stored.contract.allotment.into(),
            spent: stored.debited.into(),
            promised: None,
            remaining: stored.debited.remaining_of(stored.contract.allotment).into(),
            promise: None,
        }
    }
}

impl From<&DomainBudget> for BudgetCard {
    fn from(domain: &DomainBudget) -> Self {
        // What thresholds may spend comes on top of the δ of the conversion (privacy::threshold).
        let published = domain.published_delta.as_f64_up();
        // A promise is told no smaller than it is.
        let delta = (published + domain.cap.delta.as_f64_up()).next_up();
        Self {
            scope: "domain",
            name: domain.domain.to_string(),
            cap: domain.cap.into(),
            spent: domain.spent.into(),
            promised: Some(domain.promised.into()),
            remaining: domain.spent.plus(domain.promised).remaining_of(domain.cap).into(),
            promise: Some(PromiseCard { epsilon: epsilon_of(domain.cap.rho, published), delta }),
        }
    }
}

/// Why an officer's dataset was not taken. Derived from rows where it reports on rows: only officers get it.
#[derive(Debug, Clone)]
pub struct OfficerFault {
    refusal: Refusal,
    /// The details.
    pub report: OfficerReport,
}

/// The details of an [`OfficerFault`].
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OfficerReport {
    /// Nothing more to say.
    Nothing,
    /// What the manifest says wrong.
    Manifest(Vec<Problem>),
    /// Where the file does not fit.
    Rows(Box<IngestReport>),
    /// In words.
    Words(String),
}

impl OfficerFault {
    /// The reason, as for everybody.
    pub fn refusal(&self) -> Refusal {
        self.refusal.clone()
    }

    pub(crate) fn in_words(reason: Reason, words: &dyn std::fmt::Display) -> Self {
        Self { refusal: reason.into(), report: OfficerReport::Words(words.to_string()) }
    }
}

impl From<Refusal> for OfficerFault {
    fn from(refusal: Refusal) -> Self {
        Self { refusal, report: OfficerReport::Nothing }
    }
}

impl From<ManifestReport> for OfficerFault {
    fn from(report: ManifestReport) -> Self {
        Self { refusal: Reason::ManifestInvalid.into(), report: OfficerReport::Manifest(report.problems) }
    }
}

impl From<IngestError> for OfficerFault {
    fn from(error: IngestError) -> Self {
        match error {
            IngestError::Exists(name) => Refusal::about(Reason::DatasetExists, &name.to_string()).into(),
            IngestError::Refused(report) => {
                Self { refusal: Reason::IngestRefused.into(), report: OfficerReport::Rows(report) }
            }
            other => Self::in_words(Reason::IngestRefused, &other),
        }
    }
}
