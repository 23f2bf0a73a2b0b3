//! The checks of `verify`, in their order.

use std::fmt::Display;
use std::path::{Path, PathBuf};

use anyhow::anyhow;
use glovebox_engine::offline::{
    CertificateError, MANIFEST_SUBJECT, MODULE_SUBJECT, Proven, TlogProofError, VerifiedCertificate, VerifierKey,
    verifier_key, verify_certificate, verify_proof, verify_verdict,
};
use glovebox_policy::{Decision, SignedVerdict};

use crate::args::Verify;
use crate::failure::Failure;
use crate::grid::plain;
use crate::key_file;

const KEY: &str = "key";
const CERTIFICATE: &str = "certificate signature";
const RESULT: &str = "result digest";
const MANIFEST: &str = "manifest";
const MODULE: &str = "module";
const APPROVAL: &str = "approval";
const OFFICER: &str = "officer's signature";
const ENTRY: &str = "log entry";
const PROOF: &str = "inclusion proof";

/// The subject whose digest is that of the released bytes.
const RESULT_SUBJECT: &str = "result";

/// One check.
pub(super) struct Check {
    pub(super) name: &'static str,
    pub(super) file: Option<PathBuf>,
    /// Nothing when no file was given for it.
    pub(super) passed: Option<bool>,
}

/// The checks so far.
#[derive(Default)]
pub(super) struct Checked(pub(super) Vec<Check>);

/// What stands after all of them.
pub(super) struct Verified {
    pub(super) certificate: VerifiedCertificate,
    pub(super) proven: Proven,
}

impl Checked {
    /// Notes what came of a check.
    fn settle<T>(&mut self, name: &'static str, file: &Path, outcome: Result<T, impl Display>) -> Result<T, Failure> {
        self.0.push(Check { name, file: Some(file.to_owned()), passed: Some(outcome.is_ok()) });
        outcome.map_err(|what| anyhow!("{name}: `{}`: {}", file.display(), plain(&what.to_string())).into())
    }

    /// Reads a file for a check; a file that cannot be read fails it.
    fn read(&mut self, name: &'static str, file: &Path) -> Result<Vec<u8>, Failure> {
        match std::fs::read(file) {
            Ok(bytes) => Ok(bytes),
            Err(error) => self.settle(name, file, Err(format!("it cannot be read: {error}"))),
        }
    }

    fn not_asked(&mut self, name: &'static str) {
        self.0.push(Check { name, file: None, passed: None });
    }
}

/// Carries the checks out, in their order, until one fails.
///
/// # Errors
/// The check that failed, with its file; a file that cannot be read fails its check.
pub(super) fn run(args: &Verify, checked: &mut Checked) -> Result<Verified, Failure> {
    let beside = |given: &Option<PathBuf>, end: &str| given.clone().unwrap_or_else(|| args.result.with_extension(end));
    let (certificate_file, entry_file, proof_file) =
        (beside(&args.certificate, "dsse.json"), beside(&args.entry, "entry.json"), beside(&args.proof, "tlog-proof"));
    let key = checked.read(KEY, &args.key)?;
    let key = key_file::line(&key).map_err(|error| error.to_string());
    let key = key.and_then(|line| verifier_key(line).map_err(|error| error.to_string()));
    let key = checked.settle(KEY, &args.key, key)?;
    let certificate = certificate(args, &certificate_file, &key, checked)?;
    for (name, subject, file) in [(MANIFEST, MANIFEST_SUBJECT, &args.manifest), (MODULE, MODULE_SUBJECT, &args.module)]
    {
        match file {
            Some(file) => {
                let bytes = checked.read(name, file)?;
                checked.settle(name, file, certificate.check_subject(subject, &bytes))?;
            }
            None => checked.not_asked(name),
        }
    }
    approval(args, &certificate, checked)?;
    let entry = checked.read(ENTRY, &entry_file)?;
    checked.settle(ENTRY, &entry_file, certificate.check_entry(&entry))?;
    let proof = checked.read(PROOF, &proof_file)?;
    let proven = match verify_proof(&proof, Some(&entry), &key) {
        // The entry names this certificate, and is yet not the one that was logged.
        Err(error @ TlogProofError::OtherEntry) => Err(format!("{error} than `{}`", entry_file.display())),
        proven => proven.map_err(|error| error.to_string()),
    };
    let proven = checked.settle(PROOF, &proof_file, proven)?;
    Ok(Verified { certificate, proven })
}

/// Signature and released bytes. One function of the ledger checks both; its error tells which it was.
fn certificate(
    args: &Verify,
    file: &Path,
    key: &VerifierKey,
    checked: &mut Checked,
) -> Result<VerifiedCertificate, Failure> {
    let envelope = checked.read(CERTIFICATE, file)?;
    let body = checked.read(RESULT, &args.result)?;
    match verify_certificate(&envelope, key.public_key(), &body) {
        Err(error @ CertificateError::Subject { .. }) if is_about_result(&error) => {
            checked.settle(CERTIFICATE, file, Ok::<_, CertificateError>(()))?;
            checked.settle(RESULT, &args.result, Err(error))
        }
        outcome => {
            let certificate = checked.settle(CERTIFICATE, file, outcome)?;
            checked.settle(RESULT, &args.result, Ok::<_, CertificateError>(certificate))
        }
    }
}

fn is_about_result(error: &CertificateError) -> bool {
    matches!(error, CertificateError::Subject { name, .. } if name == RESULT_SUBJECT)
}

fn approval(args: &Verify, certificate: &VerifiedCertificate, checked: &mut Checked) -> Result<(), Failure> {
    let Some(file) = &args.approval else {
        checked.not_asked(APPROVAL);
        return Ok(());
    };
    let envelope = checked.read(APPROVAL, file)?;
    checked.settle(APPROVAL, file, certificate.check_approval(&envelope))?;
    let Some(key_file) = &args.officer_key else {
        checked.not_asked(OFFICER);
        return Ok(());
    };
    let key = checked.read(OFFICER, key_file)?;
    let key = match key_file::officer_key(&key) {
        Ok(key) => key,
        Err(error) => return checked.settle(OFFICER, key_file, Err(error)),
    };
    // Which of the two files is the wrong one, nobody can tell from them.
    let signed = verify_verdict(&envelope, key)
        .map_err(|refusal| format!("under the key in `{}`: {refusal}", key_file.display()));
    let fits = signed.and_then(|signed| stands_for(&signed, certificate));
    checked.settle(OFFICER, file, fits)
}

/// Whether the officer approved what the certificate says was run.
fn stands_for(signed: &SignedVerdict, certificate: &VerifiedCertificate) -> Result<(), String> {
    let (verdict, certified) = (signed.verdict(), certificate.certificate());
    let subject = |name: &str| certified.subjects.iter().find(|(known, _)| known == name).map(|(_, digest)| *digest);
    let checks = [
        (verdict.decision == Decision::Approve, "it is a rejection"),
        (subject(MANIFEST_SUBJECT) == Some(verdict.subjects.manifest), "it is about another manifest"),
        (subject(MODULE_SUBJECT) == Some(verdict.subjects.module), "it is about another module"),
        (certified.contract_digest == verdict.subjects.contract, "it is about another contract"),
    ];
    checks.into_iter().find(|(holds, _)| !holds).map_or(Ok(()), |(_, what)| Err(what.to_owned()))
}
