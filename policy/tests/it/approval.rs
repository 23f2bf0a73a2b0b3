//! Verdicts: signed by the officer they name, about these very bytes, or nothing.

use chrono::{DateTime, Utc};
use glovebox_policy::approval::{STATEMENT_TYPE, sign_verdict};
use glovebox_policy::dsse::{self, Envelope};
use glovebox_policy::{Decision, Digest, JobId, NanoEpsilon, Reason, SignedVerdict, Subjects, Verdict};

use crate::support::{key, officer, public_key};

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn subjects() -> Subjects {
    Subjects { manifest: Digest::of(b"manifest"), module: Digest::of(b"module"), contract: Digest::of(b"contract") }
}

fn verdict() -> Verdict {
    Verdict {
        decision: Decision::Approve,
        job: "j-1".parse().unwrap(),
        subjects: subjects(),
        approver: "li-lei".parse().unwrap(),
        max_epsilon: NanoEpsilon::from_epsilon(1.0).unwrap(),
        max_executions: 2,
        execute_by: at("2026-12-24T00:00:00Z"),
        page: Digest::of(b"page"),
        previous_module: None,
        reason: None,
        signed_at: at("2026-11-24T00:00:00Z"),
    }
}

fn bytes(envelope: &Envelope) -> Vec<u8> {
    serde_json::to_vec(envelope).unwrap()
}

fn job() -> JobId {
    "j-1".parse().unwrap()
}

#[test]
fn a_verdict_comes_back_as_it_was_signed() {
    let envelope = bytes(&sign_verdict(&verdict(), &key(1)).unwrap());
    let signed = SignedVerdict::verify(&envelope, &officer(1)).unwrap();
    assert_eq!(*signed.verdict(), verdict());
    assert_eq!(signed.digest(), Digest::of(&envelope));
    signed.is_about(&job(), &subjects()).unwrap();
}

#[test]
fn one_changed_digest_voids_it() {
    let envelope = bytes(&sign_verdict(&verdict(), &key(1)).unwrap());
    let signed = SignedVerdict::verify(&envelope, &officer(1)).unwrap();
    let other = Digest::of(b"other");
    let cases = [
        (job(), Subjects { manifest: other, ..subjects() }, "job"),
        (job(), Subjects { module: other, ..subjects() }, "code"),
        (job(), Subjects { contract: other, ..subjects() }, "contract"),
        ("j-2".parse().unwrap(), subjects(), "request"),
    ];
    for (job, subjects, part) in cases {
        let refusal = signed.is_about(&job, &subjects).unwrap_err();
        assert_eq!((refusal.reason(), refusal.quotation()), (Reason::ApprovalInvalid, Some(part)));
    }
}

/// Every byte of the envelope in turn: either the signature or the form no longer holds, or, where JSON has two spellings
/// of one thing, the verdict is the very same.
#[test]
fn every_changed_byte_is_noticed() {
    let envelope = bytes(&sign_verdict(&verdict(), &key(1)).unwrap());
    for index in 0..envelope.len() {
        let mut changed = envelope.clone();
        changed[index] ^= 1;
        if let Ok(read) = SignedVerdict::verify(&changed, &officer(1)) {
            assert_eq!(*read.verdict(), verdict(), "byte {index}");
            assert_ne!(read.digest(), Digest::of(&envelope), "byte {index}");
        }
    }
}

#[test]
fn nobody_signs_in_another_name() {
    let foreign = Verdict { approver: "somebody".parse().unwrap(), ..verdict() };
    let envelope = bytes(&sign_verdict(&foreign, &key(1)).unwrap());
    let refusal = SignedVerdict::verify(&envelope, &officer(1)).unwrap_err();
    assert_eq!((refusal.reason(), refusal.quotation()), (Reason::ApprovalInvalid, Some("approver")));
    let unknown = bytes(&sign_verdict(&verdict(), &key(9)).unwrap());
    assert_eq!(SignedVerdict::verify(&unknown, &officer(1)).unwrap_err().reason(), Reason::SignatureInvalid);
}

#[test]
fn a_rejection_says_why() {
    let silent = Verdict { decision: Decision::Reject, ..verdict() };
    assert_eq!(sign_verdict(&silent, &key(1)).unwrap_err().quotation(), Some("reason"));
    let said = Verdict { reason: Some("reads more columns than it needs".to_owned()), ..silent };
    let envelope = bytes(&sign_verdict(&said, &key(1)).unwrap());
    assert_eq!(*SignedVerdict::verify(&envelope, &officer(1)).unwrap().verdict(), said);
}

/// A contract's signature is no approval, whatever its text says.
#[test]
fn another_payload_type_is_no_verdict() {
    let envelope = sign_verdict(&verdict(), &key(1)).unwrap();
    let payload = dsse::verify(&bytes(&envelope), STATEMENT_TYPE, &|_| Some(public_key(1))).unwrap().payload;
    let other = bytes(&dsse::sign("application/vnd.glovebox.contract.v1+toml", &payload, &key(1)));
    assert_eq!(SignedVerdict::verify(&other, &officer(1)).unwrap_err().reason(), Reason::SignatureInvalid);
    let more = String::from_utf8(payload).unwrap().replacen("\"role\"", "\"more\":1,\"role\"", 1);
    let strange = bytes(&dsse::sign(STATEMENT_TYPE, more.as_bytes(), &key(1)));
    assert_eq!(SignedVerdict::verify(&strange, &officer(1)).unwrap_err().reason(), Reason::ApprovalInvalid);
}
