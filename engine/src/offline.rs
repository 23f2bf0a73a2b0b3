//! What anybody checks without a server, an account or a ledger: certificates, proofs that a log has an entry, and whole
//! logs written out as directories.
//!
//! Nothing here keeps or opens state. All that is trusted is the verifier key, which must come from elsewhere than the
//! files that it verifies, and, for an officer's own signature, that officer's public key.

use glovebox_policy::approval::STATEMENT_TYPE;
use glovebox_policy::{PersonId, Reason, Refusal, SignedVerdict, dsse};
use serde_json::Value;

pub use glovebox_ledger::certificate::{
    Certificate, CertificateError, MANIFEST_SUBJECT, MODULE_SUBJECT, VerifiedCertificate, verify as verify_certificate,
};
pub use glovebox_ledger::tlog::checkpoint::{Checkpoint, CheckpointError};
pub use glovebox_ledger::tlog::export::{CHECKPOINT_FILE, ExportError, KEY_FILE, write as write_log};
pub use glovebox_ledger::tlog::note::{NoteError, VerifierKey};
pub use glovebox_ledger::tlog::offline::{Fault, LogFault, verify_directory, verify_proof};
pub use glovebox_ledger::tlog::tile::{Tile, TileKind};
pub use glovebox_ledger::tlog::tlog_proof::{Proven, TlogProofError};

/// Reads a verifier key as its file holds it: one line of text.
///
/// # Errors
/// [`NoteError`] if it is none.
pub fn verifier_key(text: &str) -> Result<VerifierKey, NoteError> {
    text.trim_ascii_end().parse()
}

/// Checks an officer's own signature on a verdict, and its form. Offline nobody tells whose key it is: the officer is the one
/// whom the signed statement names, and whoever calls this knows whose key was given.
///
/// # Errors
/// [`Reason::SignatureInvalid`] or [`Reason::ApprovalInvalid`].
pub fn verify_verdict(envelope: &[u8], key: [u8; 32]) -> Result<SignedVerdict, Refusal> {
    let signed = dsse::verify(envelope, STATEMENT_TYPE, &|_| Some(key)).map_err(|_| Reason::SignatureInvalid)?;
    let unnamed = || Refusal::about(Reason::ApprovalInvalid, "approver");
    let statement: Value = serde_json::from_slice(&signed.payload).map_err(|_| unnamed())?;
    let named = statement.pointer("/predicate/approver").and_then(Value::as_str);
    let officer: PersonId = named.and_then(|name| name.parse().ok()).ok_or_else(unnamed)?;
    SignedVerdict::verify(envelope, &|_| Some((officer.clone(), key)))
}
