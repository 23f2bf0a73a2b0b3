//! Release certificates: what a firm holds in its hand, and how anybody checks it without a ledger.
//!
//! An in-toto statement in a DSSE envelope, signed by the service key. It names the released bytes, the request, what was
//! run (for a job its manifest and module), the contract, the approvals, the cost and the noise. The proof that it is in
//! the log lies beside it and not in it, because the log holds its digest.
//!
//! # Privacy obligation
//! Neighbouring relation: one privacy unit added or removed. Sensitivity: none of its own. A certificate is a function of
//! the released body, which was noised and paid for, and of public terms: request, contract, decision, approvals, plan of
//! the noise, names of domain and snapshot (random), and when the contract was debited. So it is post-processing of the
//! release, and costs nothing more.
//!
//! INVARIANT (own history): it tells nothing of what other contracts asked either. Each contract gets its own, from its
//! own debit: the time and the decision are those of the debit, and neither those of the run nor those of the hand-out,
//! so that a stored release and a fresh one are certified alike, whoever asked first. How its place in the log is kept
//! from telling them apart, and how far, says the module `claim`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use glovebox_policy::approval::STATEMENT_TYPE as PAYLOAD_TYPE;
use glovebox_policy::dsse::{self, DsseError, Envelope};
use glovebox_policy::{BudgetDomain, ContractId, Cost, DatasetName, Digest, SnapshotId};
use ring::signature::Ed25519KeyPair;
use serde_json::Value;

use crate::canonical;

/// The predicate type of a certificate.
pub const PREDICATE_TYPE: &str = "https://glovebox.dev/release/v1";

/// The subject that is the released body.
pub const RESULT_SUBJECT: &str = "result";
/// The subject that is the canonical request, by its digest.
pub const REQUEST_SUBJECT: &str = "request";
/// The subject that is a job's manifest, as in the officers' verdicts.
pub const MANIFEST_SUBJECT: &str = "job";
/// The subject that is a job's module, as in the officers' verdicts.
pub const MODULE_SUBJECT: &str = "code";
/// The subject that is the manifest of a dataset that was joined.
pub const JOINED_SUBJECT: &str = "joined";

/// The `kind` of the log entry that a certificate has.
pub(crate) const ENTRY_KIND: &str = "certificate";

/// What a certificate says.
#[derive(Debug, Clone, PartialEq)]
pub struct Certificate {
    /// SHA-256 of the released body.
    pub result: Digest,
    /// Digest of the canonical request on its snapshot.
    pub request: Digest,
    /// What else it names by digest, for a job [`MANIFEST_SUBJECT`] and [`MODULE_SUBJECT`], for a join of two datasets [`JOINED_SUBJECT`].
    pub subjects: Vec<(String, Digest)>,
    /// The contract that it was made out to.
    pub contract: ContractId,
    /// SHA-256 of the contract's signed text.
    pub contract_digest: Digest,
    /// Digest of the policy decision under which the contract was debited.
    pub decision: Digest,
    /// SHA-256 of each approval's envelope.
    pub approvals: Vec<Digest>,
    /// The budget domain that paid.
    pub domain: BudgetDomain,
    /// The dataset.
    pub dataset: DatasetName,
    /// The snapshot that was read.
    pub snapshot: SnapshotId,
    /// What the release cost.
    pub cost: Cost,
    /// When the contract was debited for the release, in seconds since 1970.
    pub debited_unix_s: i64,
    /// The neighbouring relation that the cost is about, in words.
    pub neighbouring: String,
    /// What the plan says about the noise.
    pub claims: Value,
    /// The origin of the log that holds the certificate's digest.
    pub origin: String,
    /// Whether it would be noticed that the service was set back to an older state.
    pub rollback: String,
    /// Why it is so.
    pub rollback_reason: String,
    /// The version of Glovebox that made it out.
    pub version: String,
}

/// Which part of a certificate, or of what came with it, is wrong. The parts are checked in this order.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// Not a DSSE envelope in JSON.
    #[error("the certificate is not a DSSE envelope")]
    Envelope,
    /// The payload is of another type than an in-toto statement.
    #[error("the envelope holds another type of payload than an in-toto statement")]
    PayloadType,
    /// The signature is not the service key's, or the payload is not the one that was signed.
    #[error("the certificate is not signed by this service key, or was changed")]
    Signature,
    /// The signature holds, but bytes that it does not cover differ from what the service wrote.
    #[error("the envelope was changed outside of what is signed")]
    Form,
    /// Signed, but not a statement as this version writes it: the part.
    #[error("the statement is not one that this version understands: {0}")]
    Statement(&'static str),
    /// Signed, but not an in-toto statement of version 1.
    #[error("the statement is of type `{0}`")]
    StatementType(String),
    /// Signed, but not a release certificate of version 1.
    #[error("the predicate is of type `{0}`")]
    PredicateType(String),
    /// The bytes that came with it are not those that it names.
    #[error("the certificate names `{certified}` as `{name}`, and the bytes are `{found}`")]
    Subject {
        /// Which subject.
        name: String,
        /// What the certificate names.
        certified: Digest,
        /// What the bytes have.
        found: Digest,
    },
    /// The certificate names no such subject.
    #[error("the certificate names no `{0}`")]
    NoSubject(String),
    /// The contract is another.
    #[error("the certificate rests on contract text `{certified}`, and the text is `{found}`")]
    Contract {
        /// What the certificate names.
        certified: Digest,
        /// What the text has.
        found: Digest,
    },
    /// The approval is not one of those that it lists.
    #[error("the approval `{0}` is not one that the certificate lists")]
    Approval(Digest),
    /// The log entry is not that of this certificate: the field that differs.
    #[error("the log entry is not that of this certificate: its `{0}` differs")]
    Entry(&'static str),
}

impl Certificate {
    /// The envelope in its one form, signed; `None` if the calendar does not reach the instant or the claims have
    /// numbers that readers round.
    pub(crate) fn sign(&self, key: &Ed25519KeyPair) -> Option<Vec<u8>> {
        let payload = canonical::bytes(&self.to_statement()?).ok()?;
        serde_json::to_vec(&dsse::sign(PAYLOAD_TYPE, &payload, key)).ok()
    }
}

/// Whether an envelope is byte for byte as [`Certificate::sign`] writes it: one signature, its key named, one spelling.
fn is_as_written(envelope: &[u8], service_key: &[u8; 32]) -> bool {
    let Ok(read) = serde_json::from_slice::<Envelope>(envelope) else { return false };
    let [signature] = read.signatures.as_slice() else { return false };
    let exact = |text: &str| STANDARD.decode(text).is_ok();
    signature.keyid == dsse::key_id(service_key)
        && exact(&read.payload)
        && exact(&signature.sig)
        && serde_json::to_vec(&read).is_ok_and(|written| written == envelope)
}

/// A certificate that the service signed, for a body that is the one it names. Can only be had from [`verify`].
#[derive(Debug, Clone, PartialEq)]
pub struct VerifiedCertificate {
    certificate: Certificate,
    digest: Digest,
}

/// Checks a certificate against the service's public key and the released body. Needs no ledger and no network.
///
/// Every byte counts: an envelope with a good signature that was written anew, in whatever form, is not the one whose
/// digest is in the log, and is refused.
///
/// # Errors
/// [`CertificateError`], naming the first part that is wrong.
pub fn verify(envelope: &[u8], service_key: &[u8; 32], body: &[u8]) -> Result<VerifiedCertificate, CertificateError> {
    let verified = dsse::verify(envelope, PAYLOAD_TYPE, &|_| Some(*service_key)).map_err(|error| match error {
        DsseError::Malformed => CertificateError::Envelope,
        DsseError::WrongType => CertificateError::PayloadType,
        DsseError::NotSigned => CertificateError::Signature,
    })?;
    if !is_as_written(envelope, service_key) {
        return Err(CertificateError::Form);
    }
    let certificate = Certificate::from_statement(&verified.payload)?;
    let verified = VerifiedCertificate { certificate, digest: Digest::of(envelope) };
    verified.check_subject(RESULT_SUBJECT, body)?;
    Ok(verified)
}

impl VerifiedCertificate {
    /// What it says.
    pub const fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// SHA-256 of the envelope: what the log holds of it.
    pub const fn digest(&self) -> Digest {
        self.digest
    }

    /// Checks bytes against the subject of a name, for instance a module against [`MODULE_SUBJECT`].
    ///
    /// # Errors
    /// [`CertificateError::NoSubject`] or [`CertificateError::Subject`].
    pub fn check_subject(&self, name: &str, bytes: &[u8]) -> Result<(), CertificateError> {
        let Certificate { result, request, subjects, .. } = &self.certificate;
        let found = match name {
            RESULT_SUBJECT => Some(result),
            REQUEST_SUBJECT => Some(request),
            _ => subjects.iter().find(|(known, _)| known == name).map(|(_, digest)| digest),
        };
        let certified = *found.ok_or_else(|| CertificateError::NoSubject(name.to_owned()))?;
        let found = Digest::of(bytes);
        if certified == found {
            Ok(())
        } else {
            Err(CertificateError::Subject { name: name.to_owned(), certified, found })
        }
    }

    /// Checks the signed text of a contract, not its envelope, against the one that the certificate rests on.
    ///
    /// # Errors
    /// [`CertificateError::Contract`].
    pub fn check_contract(&self, text: &[u8]) -> Result<(), CertificateError> {
        let (certified, found) = (self.certificate.contract_digest, Digest::of(text));
        if certified == found { Ok(()) } else { Err(CertificateError::Contract { certified, found }) }
    }

    /// Checks that the certificate lists an approval, by its envelope. What the approval says, and that an officer
    /// signed it, is for [`SignedVerdict`](glovebox_policy::SignedVerdict) to check.
    ///
    /// # Errors
    /// [`CertificateError::Approval`].
    pub fn check_approval(&self, envelope: &[u8]) -> Result<(), CertificateError> {
        let found = Digest::of(envelope);
        if self.certificate.approvals.contains(&found) { Ok(()) } else { Err(CertificateError::Approval(found)) }
    }

    /// Checks that a log entry is the one of this certificate. That the log holds the entry is for its inclusion proof.
    ///
    /// # Errors
    /// [`CertificateError::Entry`] with the first field that differs.
    pub fn check_entry(&self, entry: &[u8]) -> Result<(), CertificateError> {
        let fields = canonical::parse(entry).ok_or(CertificateError::Entry("form"))?;
        let certificate = &self.certificate;
        let expected = [
            ("kind", ENTRY_KIND.to_owned()),
            ("request", certificate.request.to_string()),
            ("contract", certificate.contract.to_string()),
            ("body", certificate.result.to_string()),
            ("certificate", self.digest.to_string()),
        ];
        let differs =
            |(key, value): &(&'static str, String)| fields.get(*key).and_then(Value::as_str) != Some(value.as_str());
        match expected.iter().find(|pair| differs(pair)) {
            Some((key, _)) => Err(CertificateError::Entry(key)),
            None => Ok(()),
        }
    }
}
