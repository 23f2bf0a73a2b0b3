//! Certificates: what they say, that one changed byte of anything is found and named, and that they tell nobody what others
//! asked.

use std::collections::BTreeMap;

use glovebox_ledger::certificate::{self, CertificateError, PREDICATE_TYPE, VerifiedCertificate};
use glovebox_ledger::{Admission, Collected, LedgerError, MANIFEST_SUBJECT, MODULE_SUBJECT, Order, StoredCertificate};
use glovebox_policy::approval::STATEMENT_TYPE;
use glovebox_policy::dsse::{self, Envelope};
use glovebox_policy::{Digest, SignedVerdict};
use ring::signature::KeyPair as _;
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::support::{DAY, Fixture, NOON, at, claims, cost, id, new_job, order, seal, terms_digest};

pub(crate) const BODY: &[u8] = b"noised cells";

/// Two contracts of 50 in a domain of 100.
pub(crate) fn two() -> Fixture {
    let f = Fixture::new(cost(100, 0));
    f.add("c1", cost(50, 0), cost(50, 0)).unwrap();
    f.add("c2", cost(50, 0), cost(50, 0)).unwrap();
    f
}

fn service_key() -> [u8; 32] {
    seal().key().public_key().as_ref().try_into().unwrap()
}

pub(crate) fn held(f: &Fixture, order: &Order) -> StoredCertificate {
    f.ledger.certificate(order.request, &order.contract).unwrap().unwrap()
}

fn verify(envelope: &[u8]) -> Result<VerifiedCertificate, CertificateError> {
    certificate::verify(envelope, &service_key(), BODY)
}

fn statement(envelope: &[u8]) -> Value {
    let verified = dsse::verify(envelope, STATEMENT_TYPE, &|_| Some(service_key())).unwrap();
    serde_json::from_slice(&verified.payload).unwrap()
}

/// A released run of an approved job, with its certificate.
fn of_a_job() -> (Fixture, Order, StoredCertificate) {
    let f = two();
    f.submit("j-1", "c1");
    f.approve("j-1", NOON + DAY, 1);
    let order = f.job_order("j-1", 1, cost(7, 0));
    f.answer(&order, BODY);
    let stored = held(&f, &order);
    (f, order, stored)
}

#[test]
fn a_certificate_says_what_was_released_to_whom_on_what_grounds_and_at_what_cost() {
    let (f, order, stored) = of_a_job();
    let contract = terms_digest(&f.ledger, &order.contract).unwrap();
    let digest = |digest: Digest| json!({"sha256": digest.to_string()});
    let subject = |name: &str, of: Digest| json!({"name": name, "digest": digest(of)});
    let job = f.ledger.job(&id("j-1")).unwrap().unwrap();
    let mut said = statement(&stored.envelope);
    assert!(said["predicate"]["log"]["rollbackReason"].take().as_str().unwrap().starts_with("no outside witness"));
    assert!(said["predicate"]["privacy"]["neighbouring"].take().as_str().unwrap().contains("added or removed"));
    let expected = json!({
        "_type": "https://in-toto.io/Statement/v1",
        "predicateType": PREDICATE_TYPE,
        "subject": [
            subject("result", Digest::of(BODY)),
            subject("request", order.request),
            subject("job", Digest::of(&job.manifest)),
            subject("code", Digest::of(&job.module)),
        ],
        "predicate": {
            "approvals": [digest(job.summary.verdicts[0].digest)],
            "budgetDomain": "resident",
            "contract": {"id": "c1", "digest": digest(contract)},
            "cost": {"rho": {"steps": "7", "unit": "2^-40"}, "delta": {"steps": "0", "unit": "2^-60"}},
            "dataset": "medical.visits",
            "debitedAt": "2033-05-18T12:00:00Z",
            "decision": digest(order.decision),
            "glovebox": {"version": env!("CARGO_PKG_VERSION")},
            "log": {"origin": "bureau.example/log", "rollback": "undetected", "rollbackReason": null},
            "privacy": {"neighbouring": null, "noise": claims()},
            "request": digest(order.request),
            "snapshot": "01".repeat(16),
        },
    });
    assert_eq!(said, expected);
    let verified = verify(&stored.envelope).unwrap();
    let certificate = verified.certificate();
    assert_eq!((certificate.result, certificate.request), (Digest::of(BODY), order.request));
    assert_eq!((certificate.cost, certificate.debited_unix_s), (cost(7, 0), NOON));
    assert_eq!((&certificate.claims, certificate.origin.as_str()), (&claims(), "bureau.example/log"));
    assert_eq!(verified.digest(), Digest::of(&stored.envelope));
}

#[test]
fn it_verifies_offline_with_all_that_comes_with_it() {
    let (f, order, stored) = of_a_job();
    let verified = verify(&stored.envelope).unwrap();
    let job = f.ledger.job(&id("j-1")).unwrap().unwrap();
    verified.check_subject(MANIFEST_SUBJECT, &job.manifest).unwrap();
    verified.check_subject(MODULE_SUBJECT, &job.module).unwrap();
    verified.check_approval(&job.summary.verdicts[0].envelope).unwrap();
    verified.check_entry(&stored.entry).unwrap();
    let contract = f.ledger.contract(&order.contract).unwrap().unwrap();
    let envelope: Envelope = serde_json::from_slice(&contract.envelope).unwrap();
    let text = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, envelope.payload).unwrap();
    verified.check_contract(&text).unwrap();
    assert!(matches!(verified.check_contract(b"other"), Err(CertificateError::Contract { .. })));
    assert_eq!(f.ledger.entries(stored.leaf_index, 1).unwrap(), [stored.entry]);
}

#[test]
fn every_changed_byte_of_an_envelope_is_found() {
    let (_, _, stored) = of_a_job();
    let text = std::str::from_utf8(&stored.envelope).unwrap();
    let within = |key: &str| {
        let start = text.find(&format!(r#""{key}":""#)).unwrap() + key.len() + 4;
        start..start + text[start..].find('"').unwrap()
    };
    let (payload, kind, keyid, sig) = (within("payload"), within("payloadType"), within("keyid"), within("sig"));
    for place in 0..text.len() {
        for change in [1_u8, 2, 4, 6, 0x20, 0x80] {
            let mut changed = stored.envelope.clone();
            changed[place] ^= change;
            let error = verify(&changed).unwrap_err();
            let named = match error {
                // A byte that breaks the JSON or the base64, or hides a field.
                CertificateError::Envelope => true,
                CertificateError::PayloadType => kind.contains(&place),
                CertificateError::Signature => payload.contains(&place) || sig.contains(&place),
                // What no signature covers, and what the signature covers in another spelling.
                CertificateError::Form => !kind.contains(&place),
                _ => false,
            };
            assert!(named, "byte {place} ^ {change}: {error:?}");
            if keyid.contains(&place) && change == 1 {
                assert_eq!(error, CertificateError::Form, "byte {place}");
            }
        }
    }
    for cut in 0..text.len() {
        assert!(verify(&stored.envelope[..cut]).is_err(), "cut to {cut}");
    }
}

#[test]
fn another_spelling_of_a_good_envelope_is_refused() {
    let (_, _, stored) = of_a_job();
    let envelope: Envelope = serde_json::from_slice(&stored.envelope).unwrap();
    let twice = Envelope { signatures: vec![envelope.signatures[0].clone(); 2], ..envelope.clone() };
    let mut bare = envelope.clone();
    bare.signatures[0].sig = bare.signatures[0].sig.trim_end_matches('=').to_owned();
    let mut url = envelope.clone();
    url.signatures[0].sig = url.signatures[0].sig.replace('+', "-").replace('/', "_");
    url.payload = url.payload.replace('+', "-").replace('/', "_").trim_end_matches('=').to_owned() + "===";
    let mut more: Value = serde_json::from_slice(&stored.envelope).unwrap();
    more["more"] = 1.into();
    let spellings = [
        serde_json::to_vec_pretty(&envelope).unwrap(),
        serde_json::to_vec(&twice).unwrap(),
        serde_json::to_vec(&bare).unwrap(),
        serde_json::to_vec(&url).unwrap(),
        serde_json::to_vec(&more).unwrap(),
        [stored.envelope.as_slice(), b"\n"].concat(),
    ];
    for (n, spelling) in spellings.iter().enumerate() {
        assert_eq!(verify(spelling).unwrap_err(), CertificateError::Form, "{n}");
    }
    let other_key = certificate::verify(&stored.envelope, &[7; 32], BODY);
    assert_eq!(other_key.unwrap_err(), CertificateError::Signature);
    let other_type = serde_json::to_vec(&dsse::sign("text/plain", b"{}", seal().key())).unwrap();
    assert_eq!(verify(&other_type).unwrap_err(), CertificateError::PayloadType);
}

#[test]
fn every_changed_byte_of_what_comes_with_it_is_found() {
    let (f, _, stored) = of_a_job();
    let verified = verify(&stored.envelope).unwrap();
    let job = f.ledger.job(&id("j-1")).unwrap().unwrap();
    let approval = &job.summary.verdicts[0].envelope;
    let changed = |bytes: &[u8]| -> Vec<Vec<u8>> {
        let flipped = (0..bytes.len()).map(|place| {
            let mut bytes = bytes.to_vec();
            bytes[place] ^= 1;
            bytes
        });
        flipped.chain([Vec::new(), bytes[1..].to_vec(), [bytes, b"\0"].concat()]).collect()
    };
    let wrong = |name: &str, error: CertificateError| match error {
        CertificateError::Subject { name: named, .. } => assert_eq!(named, name),
        other => panic!("{other:?}"),
    };
    for body in changed(BODY) {
        wrong("result", certificate::verify(&stored.envelope, &service_key(), &body).unwrap_err());
    }
    for manifest in changed(&job.manifest) {
        wrong("job", verified.check_subject(MANIFEST_SUBJECT, &manifest).unwrap_err());
    }
    for module in changed(&job.module) {
        wrong("code", verified.check_subject(MODULE_SUBJECT, &module).unwrap_err());
    }
    for approval in changed(approval) {
        assert_eq!(verified.check_approval(&approval), Err(CertificateError::Approval(Digest::of(&approval))));
    }
    assert_eq!(verified.check_subject("more", b""), Err(CertificateError::NoSubject("more".to_owned())));
    let signed = SignedVerdict::verify(approval, &|key_id| f.ledger.officer_key(key_id).unwrap()).unwrap();
    assert_eq!(verified.certificate().approvals, [signed.digest()]);
}

#[test]
fn the_log_entry_is_that_of_this_certificate_and_of_no_other() {
    let (f, _, stored) = of_a_job();
    let verified = verify(&stored.envelope).unwrap();
    for (n, entry) in f.ledger.entries(0, 1000).unwrap().iter().enumerate() {
        let same = n as u64 == stored.leaf_index;
        assert_eq!(verified.check_entry(entry).is_ok(), same, "{n}");
    }
    let fields: BTreeMap<String, Value> = serde_json::from_slice(&stored.entry).unwrap();
    let keys: Vec<&str> = fields.keys().map(String::as_str).collect();
    let all = ["body", "certificate", "contract", "kind", "nonce", "prev", "request", "seq", "time", "v"];
    assert_eq!(keys, all);
    for key in ["body", "certificate", "contract", "kind", "request"] {
        let mut fields = fields.clone();
        fields.insert(key.to_owned(), "other".into());
        let entry = serde_json::to_vec(&fields).unwrap();
        assert_eq!(verified.check_entry(&entry), Err(CertificateError::Entry(key)));
    }
    let pretty = serde_json::to_vec_pretty(&fields).unwrap();
    assert_eq!(verified.check_entry(&pretty), Err(CertificateError::Entry("form")));
}

/// Signs a changed statement with the service's own key: not even the service can make these pass.
fn signed(change: impl Fn(&mut Value)) -> CertificateError {
    let (_, _, stored) = of_a_job();
    let mut said = statement(&stored.envelope);
    change(&mut said);
    let sorted: BTreeMap<String, Value> = serde_json::from_value(said).unwrap();
    let payload = canonical(&serde_json::to_value(sorted).unwrap());
    let envelope = serde_json::to_vec(&dsse::sign(STATEMENT_TYPE, payload.as_bytes(), seal().key())).unwrap();
    verify(&envelope).unwrap_err()
}

/// Sorted JSON, written apart from the product's code.
fn canonical(value: &Value) -> String {
    match value {
        Value::Object(fields) => {
            let sorted: BTreeMap<_, _> = fields.iter().collect();
            let fields: Vec<_> =
                sorted.iter().map(|(key, value)| format!("{}:{}", json!(key), canonical(value))).collect();
            format!("{{{}}}", fields.join(","))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(canonical).collect::<Vec<_>>().join(",")),
        other => other.to_string(),
    }
}

#[test]
fn a_signed_statement_of_another_kind_is_no_certificate() {
    let kind = |key: &'static str| move |said: &mut Value| said[key] = "https://example.com/other".into();
    let other = "https://example.com/other".to_owned();
    assert_eq!(signed(kind("_type")), CertificateError::StatementType(other.clone()));
    assert_eq!(signed(kind("predicateType")), CertificateError::PredicateType(other));
    assert_eq!(signed(|said| said["_type"] = Value::Null), CertificateError::StatementType(String::new()));
    let part = |what| CertificateError::Statement(what);
    assert_eq!(signed(|said| said["more"] = 1.into()), part("its fields"));
    assert_eq!(signed(|said| said["predicate"]["more"] = 1.into()), part("its fields"));
    assert_eq!(signed(|said| said["predicate"]["snapshot"] = "x".into()), part("its fields"));
    assert_eq!(signed(|said| said["subject"][0]["name"] = "other".into()), part("subject `result`"));
    assert_eq!(signed(|said| said["subject"] = json!([])), part("subject `result`"));
    assert_eq!(signed(|said| said["subject"][1]["name"] = "other".into()), part("subject `request`"));
    let zeros = json!({"sha256": "00".repeat(32)});
    assert_eq!(signed(|said| said["predicate"]["request"] = zeros.clone()), part("`request`"));
    assert_eq!(signed(|said| said["predicate"]["cost"]["rho"]["unit"] = "1".into()), part("`cost`"));
    assert_eq!(signed(|said| said["predicate"]["cost"]["delta"]["steps"] = "1.5".into()), part("`cost`"));
    assert_eq!(signed(|said| said["predicate"]["debitedAt"] = "noon".into()), part("`debitedAt`"));
    assert_eq!(signed(|said| said["predicate"]["privacy"]["noise"] = json!(1.5)), part("its JSON"));
}

/// A statement without what names the contract and its own admission.
fn shape(stored: &StoredCertificate) -> Value {
    let mut said = statement(&stored.envelope);
    for own in ["contract", "debitedAt", "decision"] {
        said["predicate"][own] = Value::Null;
    }
    said
}

fn entry_keys(stored: &StoredCertificate) -> Vec<String> {
    serde_json::from_slice::<BTreeMap<String, Value>>(&stored.entry).unwrap().into_keys().collect()
}

#[test]
fn a_stored_release_is_certified_like_a_fresh_one() {
    let f = two();
    let fresh = order("c1", 1, cost(4, 0));
    f.answer(&fresh, BODY);
    let reused = decided(b"of c2", at(order("c2", 1, cost(4, 0)), NOON + 60));
    assert_eq!(f.ledger.certificate(reused.request, &reused.contract).unwrap(), None);
    assert_eq!(f.served(&reused).body(), BODY);
    let (one, other) = (held(&f, &fresh), held(&f, &reused));
    for held in [&one, &other] {
        verify(&held.envelope).unwrap().check_entry(&held.entry).unwrap();
    }
    assert_eq!((shape(&one), one.envelope.len()), (shape(&other), other.envelope.len()));
    assert_eq!(entry_keys(&one), entry_keys(&other));
    let own = statement(&other.envelope)["predicate"].clone();
    assert_eq!((own["debitedAt"].as_str(), own["contract"]["id"].as_str()), (Some("2033-05-18T12:01:00Z"), Some("c2")));
    assert_eq!(own["decision"]["sha256"], reused.decision.to_string());
    f.audit();
}

#[test]
fn the_places_of_own_certificates_do_not_tell_a_stored_release_from_a_fresh_one() {
    // `c2` asks 1 to 6, of which `c1` asked some before: the distances between its certificates are all the same.
    let distances = |asked: &[u64]| -> Vec<u64> {
        let f = two();
        for request in asked {
            f.answer(&order("c1", *request, cost(4, 0)), BODY);
        }
        let places = (1..=6).map(|request| {
            let ask = order("c2", request, cost(4, 0));
            finish(&f, f.charge(&ask).unwrap());
            held(&f, &ask).leaf_index
        });
        let places: Vec<_> = places.collect();
        places.windows(2).map(|pair| pair[1] - pair[0]).collect()
    };
    assert_eq!(distances(&[]), [3; 5]);
    for asked in [&[1][..], &[2, 3, 5], &[1, 2, 3, 4, 5, 6]] {
        assert_eq!(distances(asked), [3; 5], "{asked:?}");
    }
}

/// What the engine does at the instant that was fixed with the charge.
pub(crate) fn finish(f: &Fixture, admission: Admission) {
    match admission {
        Admission::Charged(charge) => drop(f.ledger.commit_release(charge, BODY, "", &claims()).unwrap()),
        Admission::Stored(claim) | Admission::Running(claim) => {
            assert!(matches!(f.ledger.collect(claim).unwrap(), Collected::Stored(_)));
        }
    }
}

#[test]
fn a_contract_gets_one_certificate_however_often_it_asks() {
    let f = two();
    let ask = order("c1", 1, cost(4, 0));
    f.answer(&ask, BODY);
    let first = held(&f, &ask);
    for day in 0..3 {
        let again = decided(b"later", at(ask.clone(), NOON + day * DAY));
        let _ = f.served(&again);
        assert_eq!(held(&f, &ask), first);
    }
    let f = f.reopen();
    assert_eq!(held(&f, &ask), first);
    f.audit();
}

#[test]
fn whoever_ran_it_a_certificate_tells_of_its_contracts_own_debit() {
    // `c1` is cut off, `c2` joins nobody and runs it; `c1` comes back a day later.
    let f = two();
    let first = order("c1", 1, cost(4, 0));
    drop(f.run(&first));
    let second = decided(b"of c2", at(order("c2", 1, cost(4, 0)), NOON + 60));
    let charge = f.run(&second);
    let joined = decided(b"joined", at(first.clone(), NOON + 120));
    assert!(matches!(f.charge(&joined).unwrap(), Admission::Running(_)));
    let _ = f.ledger.commit_release(charge, BODY, "", &claims()).unwrap();
    assert_eq!(f.ledger.certificate(first.request, &first.contract).unwrap(), None, "it has not asked since");
    let back = decided(b"back", at(first.clone(), NOON + DAY));
    let _ = f.served(&back);
    for (order, debited_at, decision) in [(&first, NOON, first.decision), (&second, NOON + 60, second.decision)] {
        let held = held(&f, order);
        let verified = verify(&held.envelope).unwrap();
        let said = verified.certificate();
        assert_eq!((said.debited_unix_s, said.decision, &said.contract), (debited_at, decision, &order.contract));
        let entry: Value = serde_json::from_slice(&held.entry).unwrap();
        assert_eq!(entry["time"], debited_at);
    }
    f.audit();
}

#[test]
fn no_release_means_no_certificate() {
    let f = two();
    let lost = order("c1", 1, cost(4, 0));
    f.ledger.mark_lost(f.run(&lost)).unwrap();
    let refused = order("c1", 2, cost(60, 0));
    let _ = f.refused(&refused);
    let numbers = [json!({"scale": 2.5}), json!([u64::MAX])];
    let ask = order("c1", 3, cost(4, 0));
    for claims in numbers {
        let charge = f.run(&ask);
        let size = f.ledger.tree_head().unwrap().size;
        let failed = f.ledger.commit_release(charge, BODY, "", &claims);
        assert!(matches!(failed, Err(LedgerError::Conflict(_))), "{claims}");
        assert_eq!(f.ledger.tree_head().unwrap().size, size);
    }
    for order in [&lost, &refused, &ask] {
        assert_eq!(f.ledger.certificate(order.request, &order.contract).unwrap(), None);
    }
    assert_eq!(f.ledger.release_of(ask.request).unwrap(), None);
    f.answer(&ask, BODY);
    let _ = held(&f, &ask);
    f.audit();
}

#[test]
fn what_was_changed_in_the_store_is_not_handed_out_or_certified() {
    let f = two();
    let ask = order("c1", 1, cost(4, 0));
    f.answer(&ask, BODY);
    let conn = Connection::open(f.path()).unwrap();
    conn.execute_batch(
        "DROP TRIGGER certificate_no_update; DROP TRIGGER release_no_update;
         UPDATE certificate SET envelope = x'00'; UPDATE release SET claims = x'7b7d'",
    )
    .unwrap();
    assert!(matches!(f.ledger.certificate(ask.request, &ask.contract), Err(LedgerError::Corrupt(_))));
    let Admission::Stored(claim) = f.charge(&order("c2", 1, cost(4, 0))).unwrap() else { panic!("it was released") };
    let size = f.ledger.tree_head().unwrap().size;
    assert!(matches!(f.ledger.collect(claim), Err(LedgerError::Corrupt(_))));
    assert_eq!(f.ledger.tree_head().unwrap().size, size, "and nothing is certified");
}

#[test]
fn a_job_that_reuses_a_release_has_its_own_subjects_and_approvals() {
    let (f, _, first) = of_a_job();
    f.submit("j-2", "c2");
    f.approve("j-2", NOON + DAY, 1);
    let reuse = f.job_order("j-2", 1, cost(7, 0));
    let _ = f.served(&reuse);
    let verified = verify(&held(&f, &reuse).envelope).unwrap();
    let job = new_job("j-2", "c2");
    verified.check_subject(MANIFEST_SUBJECT, &job.manifest).unwrap();
    verified.check_subject(MODULE_SUBJECT, &job.module).unwrap();
    assert_eq!(verified.certificate().approvals, reuse.approvals);
    assert_ne!(verify(&first.envelope).unwrap().certificate().approvals, reuse.approvals);
    f.audit();
}

/// An order that rests on another decision.
fn decided(record: &[u8], order: Order) -> Order {
    Order { decision: Digest::of(record), decision_record: record.to_vec(), ..order }
}
