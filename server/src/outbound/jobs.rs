//! What leaves of jobs, of proofs of releases, and of the log. The kinds are on the list of [`outbound`](super) with the
//! rest; here is how they are written.

use glovebox_engine::{CostCard, ReleaseProof};
use glovebox_policy::{Caller, Reason};
use serde::Serialize;
use serde_json::{Value, json};

use super::{AsFile, AsJson, plain, table};

pub(super) use glovebox_engine::{DecisionCard, JobAnswer, JobCard, LogPage, Review};

const JSON: &str = "application/json";
const TEXT: &str = "text/plain; charset=utf-8";

/// Who the caller is, as the token says.
pub(crate) struct Me(pub(crate) Caller);

/// The module of a job that the caller may review.
pub(crate) struct ModuleFile(pub(crate) Vec<u8>);

/// One part of what proves a release.
pub(crate) struct ProofFile {
    pub(crate) proof: ReleaseProof,
    pub(crate) part: ProofPart,
}

/// The parts of what proves a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ProofPart {
    /// The released bytes.
    Result,
    /// The certificate about them.
    Certificate,
    /// The certificate's entry in the log.
    Entry,
    /// The entry's proof of inclusion.
    Inclusion,
}

impl std::str::FromStr for ProofPart {
    type Err = Reason;

    fn from_str(text: &str) -> Result<Self, Reason> {
        match text {
            "result" => Ok(Self::Result),
            "certificate" => Ok(Self::Certificate),
            "entry" => Ok(Self::Entry),
            "proof" => Ok(Self::Inclusion),
            _ => Err(Reason::NotFound),
        }
    }
}

/// That one log is a beginning of another.
#[derive(Serialize)]
pub(crate) struct Consistency {
    pub(crate) hashes: Vec<String>,
}

/// A text of the log: its key, its checkpoint, a proof.
pub(crate) struct LogText(pub(crate) String);

/// A tile of the log.
pub(crate) struct LogTile(pub(crate) Vec<u8>);

impl AsJson for Me {
    fn json(&self) -> Value {
        let Caller { person, org, role } = &self.0;
        json!({ "person": person, "org": org, "role": role })
    }
}

impl AsJson for JobCard {
    fn json(&self) -> Value {
        plain(self)
    }
}

impl AsJson for Review {
    fn json(&self) -> Value {
        plain(self)
    }
}

impl AsJson for LogPage {
    fn json(&self) -> Value {
        plain(self)
    }
}

impl AsJson for DecisionCard {
    fn json(&self) -> Value {
        plain(self)
    }
}

impl AsJson for Consistency {
    fn json(&self) -> Value {
        plain(self)
    }
}

/// As a statement's answer: of the receipt only which request was answered. When it was drawn and where it stands in the
/// log are the certificate's to tell, which every contract has from its own debit.
impl AsJson for JobAnswer {
    fn json(&self) -> Value {
        let release = self.release();
        let mut body = table(release.get());
        if let Some(body) = body.as_object_mut() {
            body.insert("cost".to_owned(), plain(&CostCard::from(self.cost())));
            body.insert("release".to_owned(), json!({ "request": release.receipt().request() }));
        }
        body
    }
}

impl AsFile for ModuleFile {
    fn file(&self) -> (&'static str, &[u8]) {
        ("application/wasm", &self.0)
    }
}

impl AsFile for ProofFile {
    fn file(&self) -> (&'static str, &[u8]) {
        match self.part {
            ProofPart::Result => (JSON, &self.proof.result),
            ProofPart::Certificate => (JSON, &self.proof.certificate),
            ProofPart::Entry => (JSON, &self.proof.entry),
            ProofPart::Inclusion => (TEXT, self.proof.proof.as_bytes()),
        }
    }
}

impl AsFile for LogText {
    fn file(&self) -> (&'static str, &[u8]) {
        (TEXT, self.0.as_bytes())
    }
}

impl AsFile for LogTile {
    fn file(&self) -> (&'static str, &[u8]) {
        ("application/octet-stream", &self.0)
    }
}
