//! What a firm was granted on one dataset, in TOML, signed by a data officer. Others may be joined to it, as far as the
//! contract grants columns of theirs.
//!
//! Every number of the grant is here; Cedar holds none. A contract never changes: an amendment is a new contract.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::decide::RoleOfUse;
use crate::dsse::{self, Envelope};
use crate::id::{ApplicationId, BudgetDomain, ColumnName, ContractId, DatasetName, Digest, OrgId, PersonId, Purpose};
use crate::number::{Cost, Delta, NanoEpsilon, Rho};
use crate::refusal::{Reason, Refusal};

/// The DSSE payload type of a contract.
pub const CONTRACT_TYPE: &str = "application/vnd.glovebox.contract.v1+toml";

/// The terms, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Contract {
    /// The contract's name.
    pub id: ContractId,
    /// The firm.
    pub org: OrgId,
    /// The dataset.
    pub dataset: DatasetName,
    /// The budget domain that pays; must be the dataset's own.
    pub budget_domain: BudgetDomain,
    /// The application that it answers, if any.
    pub application: Option<ApplicationId>,
    /// What the data may be used for.
    pub purposes: Vec<Purpose>,
    /// First instant of validity.
    pub starts: DateTime<Utc>,
    /// First instant after validity.
    pub ends: DateTime<Utc>,
    /// Privacy loss reserved for the firm over the whole term.
    pub allotment: Cost,
    /// Privacy loss the firm may cause in one UTC day.
    pub per_day: Cost,
    /// Largest ε of one query.
    pub max_epsilon: NanoEpsilon,
    /// Largest δ of one query's (ε, δ) statement.
    pub max_delta: f64,
    /// ε of a query that names none.
    pub default_epsilon: NanoEpsilon,
    /// δ of a query that names none.
    pub default_delta: f64,
    /// Most groups that one unit may be counted in.
    pub max_groups_contributed: u32,
    /// Which columns in which roles of use.
    pub grants: Vec<Grant>,
    /// How much care a job under this contract takes.
    pub risk_class: RiskClass,
}

/// How much could go wrong under a contract, as the officer who signs it sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RiskClass {
    /// One officer decides on a job.
    #[default]
    Ordinary,
    /// Two officers decide on a job, each without knowing what the other says; one no is a no.
    High,
}

impl RiskClass {
    /// How many officers decide on a job.
    pub const fn officers(self) -> u32 {
        match self {
            Self::Ordinary => 1,
            Self::High => 2,
        }
    }

    /// The class as text.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ordinary => "ordinary",
            Self::High => "high",
        }
    }
}

/// Columns that may be used in some roles.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    /// The dataset of the columns, which may then be joined to the contract's own; `None` is the contract's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dataset: Option<DatasetName>,
    /// The columns.
    pub columns: Vec<ColumnName>,
    /// The roles of use.
    pub roles: Vec<RoleOfUse>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    id: ContractId,
    org: OrgId,
    application: Option<ApplicationId>,
    dataset: DatasetName,
    budget_domain: BudgetDomain,
    purposes: Vec<Purpose>,
    starts: String,
    ends: String,
    #[serde(default)]
    risk_class: RiskClass,
    budget: BudgetText,
    per_query: PerQueryText,
    grants: Vec<Grant>,
}

/// Privacy loss, as a contract's text writes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BudgetText {
    allotment_rho: f64,
    #[serde(default)]
    allotment_delta: f64,
    per_day_rho: f64,
    #[serde(default)]
    per_day_delta: f64,
}

/// Limits of one query, as a contract's text writes them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PerQueryText {
    max_epsilon: f64,
    max_delta: f64,
    default_epsilon: f64,
    default_delta: f64,
    max_groups_contributed: u32,
}

/// The largest δ that a contract may allow one query to state.
pub const MAX_DELTA: f64 = 1e-3;

impl Contract {
    /// Reads the terms. Privacy loss is granted rounded down.
    ///
    /// # Errors
    /// [`Reason::ContractInvalid`], quoting the field.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let bad = |what: &str| Refusal::about(Reason::ContractInvalid, what);
        let text: Text = toml::from_str(text).map_err(|error| bad(&unreadable(text, &error)))?;
        let starts = instant(&text.starts).ok_or_else(|| bad("starts"))?;
        let ends = instant(&text.ends).ok_or_else(|| bad("ends"))?;
        let delta = |value: f64| (0.0..=MAX_DELTA).contains(&value);
        let contract = Self {
            starts,
            ends,
            allotment: Cost {
                rho: Rho::rounded_down(text.budget.allotment_rho).ok_or_else(|| bad("allotment_rho"))?,
                delta: Delta::rounded_down(text.budget.allotment_delta).ok_or_else(|| bad("allotment_delta"))?,
            },
            per_day: Cost {
                rho: Rho::rounded_down(text.budget.per_day_rho).ok_or_else(|| bad("per_day_rho"))?,
                delta: Delta::rounded_down(text.budget.per_day_delta).ok_or_else(|| bad("per_day_delta"))?,
            },
            max_epsilon: NanoEpsilon::from_epsilon(text.per_query.max_epsilon).ok_or_else(|| bad("max_epsilon"))?,
            max_delta: text.per_query.max_delta,
            default_epsilon: NanoEpsilon::from_epsilon(text.per_query.default_epsilon)
                .ok_or_else(|| bad("default_epsilon"))?,
            default_delta: text.per_query.default_delta,
            max_groups_contributed: text.per_query.max_groups_contributed,
            id: text.id,
            org: text.org,
            application: text.application,
            dataset: text.dataset,
            budget_domain: text.budget_domain,
            purposes: text.purposes,
            grants: text.grants,
            risk_class: text.risk_class,
        };
        let checks = [
            (contract.starts < contract.ends, "starts, ends"),
            (!contract.purposes.is_empty(), "purposes"),
            (contract.allotment.rho > Rho::ZERO, "allotment_rho"),
            (contract.per_day.fits(contract.allotment), "per_day above allotment"),
            (delta(contract.max_delta), "max_delta"),
            (delta(contract.default_delta) && contract.default_delta <= contract.max_delta, "default_delta"),
            (contract.default_epsilon <= contract.max_epsilon, "default_epsilon"),
            ((1..=65_536).contains(&contract.max_groups_contributed), "max_groups_contributed"),
            (!contract.grants.is_empty(), "grants"),
            (!contract.joined().contains(&contract.dataset), "grants: leave out the contract's own dataset"),
        ];
        match checks.into_iter().find(|(holds, _)| !holds) {
            Some((_, what)) => Err(bad(what)),
            None => Ok(contract),
        }
    }

    /// The datasets of which the contract grants columns, to be joined to its own.
    pub fn joined(&self) -> BTreeSet<&DatasetName> {
        self.grants.iter().filter_map(|grant| grant.dataset.as_ref()).collect()
    }

    /// Whether the contract is in force at an instant, in seconds since 1970.
    pub fn in_force(&self, now_unix_s: i64) -> bool {
        DateTime::from_timestamp(now_unix_s, 0).is_some_and(|now| (self.starts..self.ends).contains(&now))
    }
}

fn instant(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(text).ok().map(|at| at.with_timezone(&Utc))
}

/// Names the line and its key as well: the parser's own words do not always name the field.
pub(crate) fn unreadable(text: &str, error: &toml::de::Error) -> String {
    let Some(before) = error.span().and_then(|span| text.get(..span.start)) else {
        return error.message().to_owned();
    };
    let line = before.matches('\n').count();
    let key = text.lines().nth(line).and_then(|line| line.split_once('=')).map(|(key, _)| key.trim());
    match key {
        Some(key) => format!("line {}, {key}: {}", line + 1, error.message()),
        None => format!("line {}: {}", line + 1, error.message()),
    }
}

/// Finds a registered officer and public key by key id.
pub type OfficerOf<'a> = dyn Fn(&str) -> Option<(PersonId, [u8; 32])> + 'a;

/// A contract with its signature checked. Can only be had from [`SignedContract::verify`].
#[derive(Debug, Clone)]
pub struct SignedContract {
    contract: Contract,
    envelope: Vec<u8>,
    digest: Digest,
    signer: PersonId,
}

impl SignedContract {
    /// Checks the signature and reads the terms.
    ///
    /// # Errors
    /// [`Reason::SignatureInvalid`] or [`Reason::ContractInvalid`].
    pub fn verify(envelope: &[u8], officer_of: &OfficerOf<'_>) -> Result<Self, Refusal> {
        let key_of = |keyid: &str| officer_of(keyid).map(|(_, key)| key);
        let verified = dsse::verify(envelope, CONTRACT_TYPE, &key_of).map_err(|_| Reason::SignatureInvalid)?;
        let (signer, _) = officer_of(&verified.key_id).ok_or(Reason::SignatureInvalid)?;
        let text = String::from_utf8(verified.payload)
            .map_err(|_| Refusal::about(Reason::ContractInvalid, "the text is not UTF-8"))?;
        let contract = Contract::parse(&text)?;
        Ok(Self { contract, envelope: envelope.to_vec(), digest: Digest::of(text.as_bytes()), signer })
    }

    /// The terms.
    pub fn contract(&self) -> &Contract {
        &self.contract
    }

    /// SHA-256 of the signed text.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The envelope exactly as it was handed in.
    pub fn envelope(&self) -> &[u8] {
        &self.envelope
    }

    /// The officer who signed.
    pub fn signer(&self) -> &PersonId {
        &self.signer
    }
}

/// Signs the text of a contract on the officer's side, after checking that it can be read.
///
/// # Errors
/// [`Reason::ContractInvalid`].
pub fn sign_contract(text: &str, key: &ring::signature::Ed25519KeyPair) -> Result<Envelope, Refusal> {
    Contract::parse(text)?;
    Ok(dsse::sign(CONTRACT_TYPE, text.as_bytes(), key))
}
