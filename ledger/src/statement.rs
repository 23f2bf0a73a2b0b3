//! The JSON form of a certificate: an in-toto statement, version 1.

use chrono::{DateTime, SecondsFormat};
use glovebox_policy::{BudgetDomain, ContractId, Cost, DatasetName, Delta, Digest, Rho, SnapshotId};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::canonical;
use crate::certificate::{Certificate, CertificateError, PREDICATE_TYPE, REQUEST_SUBJECT, RESULT_SUBJECT};

/// The in-toto statement type.
const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";
const RHO_UNIT: &str = "2^-40";
const DELTA_UNIT: &str = "2^-60";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Statement {
    #[serde(rename = "_type")]
    kind: String,
    subject: Vec<Named>,
    #[serde(rename = "predicateType")]
    predicate_type: String,
    predicate: Predicate,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    name: String,
    digest: Sha256,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sha256 {
    sha256: Digest,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Predicate {
    approvals: Vec<Sha256>,
    budget_domain: BudgetDomain,
    contract: ContractText,
    cost: CostText,
    dataset: DatasetName,
    debited_at: String,
    decision: Sha256,
    glovebox: Glovebox,
    log: Log,
    privacy: Privacy,
    request: Sha256,
    snapshot: SnapshotId,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ContractText {
    id: ContractId,
    digest: Sha256,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CostText {
    rho: Steps,
    delta: Steps,
}

/// Decimal text, because JSON readers lose the last digits of large numbers.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Steps {
    steps: String,
    unit: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Glovebox {
    version: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Log {
    origin: String,
    rollback: String,
    rollback_reason: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Privacy {
    neighbouring: String,
    noise: Value,
}

/// An instant as certificates write it; `None` if the calendar does not reach it.
pub(crate) fn instant(unix_s: i64) -> Option<String> {
    DateTime::from_timestamp(unix_s, 0).map(|at| at.to_rfc3339_opts(SecondsFormat::Secs, true))
}

impl Certificate {
    /// The statement as JSON; `None` for an instant that the calendar does not reach.
    pub(crate) fn to_statement(&self) -> Option<Value> {
        serde_json::to_value(self.statement()?).ok()
    }

    fn statement(&self) -> Option<Statement> {
        let named = |name: &str, sha256| Named { name: name.to_owned(), digest: Sha256 { sha256 } };
        let steps = |steps: u64, unit: &str| Steps { steps: steps.to_string(), unit: unit.to_owned() };
        let mut subject = vec![named(RESULT_SUBJECT, self.result), named(REQUEST_SUBJECT, self.request)];
        subject.extend(self.subjects.iter().map(|(name, digest)| named(name, *digest)));
        Some(Statement {
            kind: STATEMENT_TYPE.to_owned(),
            subject,
            predicate_type: PREDICATE_TYPE.to_owned(),
            predicate: Predicate {
                approvals: self.approvals.iter().map(|sha256| Sha256 { sha256: *sha256 }).collect(),
                budget_domain: self.domain.clone(),
                contract: ContractText { id: self.contract.clone(), digest: Sha256 { sha256: self.contract_digest } },
                cost: CostText {
                    rho: steps(self.cost.rho.steps(), RHO_UNIT),
                    delta: steps(self.cost.delta.steps(), DELTA_UNIT),
                },
                dataset: self.dataset.clone(),
                debited_at: instant(self.debited_unix_s)?,
                decision: Sha256 { sha256: self.decision },
                glovebox: Glovebox { version: self.version.clone() },
                log: Log {
                    origin: self.origin.clone(),
                    rollback: self.rollback.clone(),
                    rollback_reason: self.rollback_reason.clone(),
                },
                privacy: Privacy { neighbouring: self.neighbouring.clone(), noise: self.claims.clone() },
                request: Sha256 { sha256: self.request },
                snapshot: self.snapshot.clone(),
            },
        })
    }

    /// Reads the signed bytes.
    pub(crate) fn from_statement(payload: &[u8]) -> Result<Self, CertificateError> {
        let value = canonical::parse(payload).ok_or(CertificateError::Statement("its JSON"))?;
        let text = |key| value.get(key).and_then(Value::as_str).unwrap_or_default();
        if text("_type") != STATEMENT_TYPE {
            return Err(CertificateError::StatementType(text("_type").to_owned()));
        }
        if text("predicateType") != PREDICATE_TYPE {
            return Err(CertificateError::PredicateType(text("predicateType").to_owned()));
        }
        let Statement { subject, predicate, .. } =
            serde_json::from_value(value).map_err(|_| CertificateError::Statement("its fields"))?;
        let mut subjects = subject.into_iter().map(|named| (named.name, named.digest.sha256));
        let mut first = |name: &str| subjects.next().filter(|(found, _)| found == name).map(|(_, digest)| digest);
        let result = first(RESULT_SUBJECT).ok_or(CertificateError::Statement("subject `result`"))?;
        let request = first(REQUEST_SUBJECT).ok_or(CertificateError::Statement("subject `request`"))?;
        if predicate.request.sha256 != request {
            return Err(CertificateError::Statement("`request`"));
        }
        Ok(Self {
            result,
            request,
            subjects: subjects.collect(),
            contract: predicate.contract.id,
            contract_digest: predicate.contract.digest.sha256,
            decision: predicate.decision.sha256,
            approvals: predicate.approvals.into_iter().map(|approval| approval.sha256).collect(),
            domain: predicate.budget_domain,
            dataset: predicate.dataset,
            snapshot: predicate.snapshot,
            cost: Cost {
                rho: Rho::from_steps(steps(&predicate.cost.rho, RHO_UNIT)?),
                delta: Delta::from_steps(steps(&predicate.cost.delta, DELTA_UNIT)?),
            },
            debited_unix_s: DateTime::parse_from_rfc3339(&predicate.debited_at)
                .map_err(|_| CertificateError::Statement("`debitedAt`"))?
                .timestamp(),
            neighbouring: predicate.privacy.neighbouring,
            claims: predicate.privacy.noise,
            origin: predicate.log.origin,
            rollback: predicate.log.rollback,
            rollback_reason: predicate.log.rollback_reason,
            version: predicate.glovebox.version,
        })
    }
}

fn steps(text: &Steps, unit: &str) -> Result<u64, CertificateError> {
    let steps = text.steps.parse().ok().filter(|_| text.unit == unit);
    steps.ok_or(CertificateError::Statement("`cost`"))
}
