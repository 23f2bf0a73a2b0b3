//! An officer's verdict on a job: an in-toto statement in a DSSE envelope, made where the officer's key is.
//!
//! INVARIANT (very bytes): a verdict names the digests of manifest, module and contract, and of the page that the officer
//! read. It is compared with the stored job each time the job is run, so that one changed byte of any of them voids it.

use chrono::{DateTime, SecondsFormat, Utc};
use ring::signature::Ed25519KeyPair;
use serde::{Deserialize, Serialize};

use crate::contract::OfficerOf;
use crate::dsse::{self, Envelope};
use crate::id::{Digest, JobId, PersonId};
use crate::number::NanoEpsilon;
use crate::refusal::{Reason, Refusal};

/// The DSSE payload type of every in-toto statement.
pub const STATEMENT_TYPE: &str = "application/vnd.in-toto+json";
/// The predicate type of a verdict.
pub const PREDICATE_TYPE: &str = "https://glovebox.dev/approval/v1";
const IN_TOTO: &str = "https://in-toto.io/Statement/v1";
const ROLE: &str = "data-officer";

/// The largest envelope, in bytes.
pub const ENVELOPE_MAX_BYTES: usize = 64 * 1024;
/// The longest reason, in characters.
pub const REASON_MAX_CHARS: usize = 2_000;

/// Yes or no.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Decision {
    /// The job may be run.
    Approve,
    /// The job may not be run.
    Reject,
}

impl Decision {
    /// The decision as statements and tables spell it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Reject => "reject",
        }
    }
}

/// What a verdict is about: the very bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subjects {
    /// SHA-256 of the job manifest.
    pub manifest: Digest,
    /// SHA-256 of the module.
    pub module: Digest,
    /// SHA-256 of the contract's text.
    pub contract: Digest,
}

/// A verdict in all its terms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Yes or no.
    pub decision: Decision,
    /// The job.
    pub job: JobId,
    /// The bytes that it is about.
    pub subjects: Subjects,
    /// Who decides.
    pub approver: PersonId,
    /// The largest ε that one execution may ask for.
    pub max_epsilon: NanoEpsilon,
    /// On how many snapshots the job may be run.
    pub max_executions: u32,
    /// The first instant at which it may no longer be run.
    pub execute_by: DateTime<Utc>,
    /// SHA-256 of the page that the officer read.
    pub page: Digest,
    /// The module that was approved last under this job's name, which the page compares with.
    pub previous_module: Option<Digest>,
    /// Why; a rejection says.
    pub reason: Option<String>,
    /// When it was signed, by the officer's clock.
    pub signed_at: DateTime<Utc>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Statement {
    #[serde(rename = "_type")]
    kind: String,
    subject: Vec<Subject>,
    #[serde(rename = "predicateType")]
    predicate_type: String,
    predicate: Predicate,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Subject {
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
    decision: Decision,
    request: JobId,
    role: String,
    approver: PersonId,
    max_eps_nano: NanoEpsilon,
    max_executions: u32,
    execute_by: String,
    statement_seen: Digest,
    code_diff_from: Option<Digest>,
    reason: Option<String>,
    signed_at: String,
}

fn instant(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(text).ok().map(|at| at.with_timezone(&Utc))
}

impl Verdict {
    fn statement(&self) -> Statement {
        let subject = |name: &str, sha256| Subject { name: name.to_owned(), digest: Sha256 { sha256 } };
        Statement {
            kind: IN_TOTO.to_owned(),
            subject: vec![
                subject("job", self.subjects.manifest),
                subject("code", self.subjects.module),
                subject("contract", self.subjects.contract),
            ],
            predicate_type: PREDICATE_TYPE.to_owned(),
            predicate: Predicate {
                decision: self.decision,
                request: self.job.clone(),
                role: ROLE.to_owned(),
                approver: self.approver.clone(),
                max_eps_nano: self.max_epsilon,
                max_executions: self.max_executions,
                execute_by: self.execute_by.to_rfc3339_opts(SecondsFormat::Secs, true),
                statement_seen: self.page,
                code_diff_from: self.previous_module,
                reason: self.reason.clone(),
                signed_at: self.signed_at.to_rfc3339_opts(SecondsFormat::Secs, true),
            },
        }
    }

    fn read(payload: &[u8]) -> Result<Self, Refusal> {
        let bad = |what: &str| Refusal::about(Reason::ApprovalInvalid, what);
        let statement: Statement = serde_json::from_slice(payload).map_err(|error| bad(&error.to_string()))?;
        if statement.kind != IN_TOTO || statement.predicate_type != PREDICATE_TYPE {
            return Err(bad("predicateType"));
        }
        let subjects = match statement.subject.as_slice() {
            [job, code, contract] if job.name == "job" && code.name == "code" && contract.name == "contract" => {
                Subjects { manifest: job.digest.sha256, module: code.digest.sha256, contract: contract.digest.sha256 }
            }
            _ => return Err(bad("subject")),
        };
        let predicate = statement.predicate;
        let said = predicate.reason.as_deref().is_some_and(|reason| !reason.trim().is_empty());
        let short = predicate.reason.as_ref().is_none_or(|reason| reason.chars().count() <= REASON_MAX_CHARS);
        let checks = [
            (predicate.role == ROLE, "role"),
            (predicate.max_executions > 0, "maxExecutions"),
            (predicate.decision == Decision::Approve || said, "reason"),
            (short, "reason"),
        ];
        if let Some((_, what)) = checks.into_iter().find(|(holds, _)| !holds) {
            return Err(bad(what));
        }
        Ok(Self {
            decision: predicate.decision,
            job: predicate.request,
            subjects,
            approver: predicate.approver,
            max_epsilon: predicate.max_eps_nano,
            max_executions: predicate.max_executions,
            execute_by: instant(&predicate.execute_by).ok_or_else(|| bad("executeBy"))?,
            page: predicate.statement_seen,
            previous_module: predicate.code_diff_from,
            reason: predicate.reason,
            signed_at: instant(&predicate.signed_at).ok_or_else(|| bad("signedAt"))?,
        })
    }
}

/// Signs a verdict on the officer's side.
///
/// # Errors
/// [`Reason::ApprovalInvalid`] when its terms would not be accepted, for instance a rejection without a reason.
pub fn sign_verdict(verdict: &Verdict, key: &Ed25519KeyPair) -> Result<Envelope, Refusal> {
    let payload = serde_json::to_vec(&verdict.statement()).map_err(|_| Reason::Internal)?;
    Verdict::read(&payload)?;
    Ok(dsse::sign(STATEMENT_TYPE, &payload, key))
}

/// A verdict with its signature checked. Can only be had from [`SignedVerdict::verify`].
#[derive(Debug, Clone)]
pub struct SignedVerdict {
    verdict: Verdict,
    envelope: Vec<u8>,
}

impl SignedVerdict {
    /// Checks that a registered officer signed, that it is the officer whom the statement names, and its form.
    ///
    /// # Errors
    /// [`Reason::SignatureInvalid`] or [`Reason::ApprovalInvalid`].
    pub fn verify(envelope: &[u8], officer_of: &OfficerOf<'_>) -> Result<Self, Refusal> {
        if envelope.len() > ENVELOPE_MAX_BYTES {
            return Err(Refusal::about(Reason::ApprovalInvalid, "the envelope is longer than 64 KiB"));
        }
        let key_of = |keyid: &str| officer_of(keyid).map(|(_, key)| key);
        let verified = dsse::verify(envelope, STATEMENT_TYPE, &key_of).map_err(|_| Reason::SignatureInvalid)?;
        let (signer, _) = officer_of(&verified.key_id).ok_or(Reason::SignatureInvalid)?;
        let verdict = Verdict::read(&verified.payload)?;
        if verdict.approver != signer {
            return Err(Refusal::about(Reason::ApprovalInvalid, "approver"));
        }
        Ok(Self { verdict, envelope: envelope.to_vec() })
    }

    /// Compares what was signed with a job as it is stored now.
    ///
    /// # Errors
    /// [`Reason::ApprovalInvalid`], naming the part that differs.
    pub fn is_about(&self, job: &JobId, subjects: &Subjects) -> Result<(), Refusal> {
        let signed = &self.verdict.subjects;
        let checks = [
            (self.verdict.job == *job, "request"),
            (signed.manifest == subjects.manifest, "job"),
            (signed.module == subjects.module, "code"),
            (signed.contract == subjects.contract, "contract"),
        ];
        match checks.into_iter().find(|(holds, _)| !holds) {
            Some((_, what)) => Err(Refusal::about(Reason::ApprovalInvalid, what)),
            None => Ok(()),
        }
    }

    /// The terms.
    pub const fn verdict(&self) -> &Verdict {
        &self.verdict
    }

    /// The envelope exactly as it was handed in.
    pub fn envelope(&self) -> &[u8] {
        &self.envelope
    }

    /// SHA-256 of the envelope, as certificates name it.
    pub fn digest(&self) -> Digest {
        Digest::of(&self.envelope)
    }
}

/// What a stored envelope gives as its reason, for showing. Its signature was checked when it was taken.
pub fn reason_of(envelope: &[u8]) -> Option<String> {
    let envelope: Envelope = serde_json::from_slice(envelope).ok()?;
    let payload = dsse::payload_of(&envelope)?;
    Verdict::read(&payload).ok()?.reason
}
