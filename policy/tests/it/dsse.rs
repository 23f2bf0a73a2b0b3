//! Envelopes: what was signed verifies, and nothing else does.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use glovebox_policy::dsse::{self, DsseError, Envelope, Signature, Verified};
use proptest::prelude::*;
use ring::signature::{ED25519, UnparsedPublicKey};

use crate::support::{key, public_key};

const TYPE: &str = "text/plain";

/// A register that knows the keys of these seeds.
fn known(seeds: &'static [u8]) -> impl Fn(&str) -> Option<[u8; 32]> {
    |keyid| seeds.iter().map(|seed| public_key(*seed)).find(|public| dsse::key_id(public) == keyid)
}

fn check(envelope: &Envelope, seeds: &'static [u8]) -> Result<Verified, DsseError> {
    dsse::verify(&serde_json::to_vec(envelope).unwrap(), TYPE, &known(seeds))
}

/// The first is the example of the DSSE specification, protocol.md; the second shows that lengths count bytes.
#[test]
fn the_signed_bytes_are_those_of_the_specification() {
    let examples = [
        ("http://example.com/HelloWorld", "hello world", "DSSEv1 29 http://example.com/HelloWorld 11 hello world"),
        ("text/合同", "数据", "DSSEv1 11 text/合同 6 数据"),
    ];
    for (payload_type, payload, encoded) in examples {
        let envelope = dsse::sign(payload_type, payload.as_bytes(), &key(1));
        let signature = STANDARD.decode(&envelope.signatures[0].sig).unwrap();
        UnparsedPublicKey::new(&ED25519, public_key(1)).verify(encoded.as_bytes(), &signature).unwrap();
    }
}

#[test]
fn an_envelope_in_json_has_the_fields_of_the_specification() {
    let envelope = serde_json::to_value(dsse::sign(TYPE, b"hello", &key(1))).unwrap();
    let keys = |value: &serde_json::Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&envelope), ["payload", "payloadType", "signatures"]);
    assert_eq!(keys(&envelope["signatures"][0]), ["keyid", "sig"]);
    assert_eq!(envelope["payload"], "aGVsbG8=");
}

#[test]
fn round_trip() {
    for payload in ["", "a", "合同", "\0\n\u{ff}", &"x".repeat(100_000)] {
        let verified = check(&dsse::sign(TYPE, payload.as_bytes(), &key(1)), &[1]).unwrap();
        assert_eq!(verified.payload, payload.as_bytes());
        assert_eq!(verified.key_id, dsse::key_id(&public_key(1)));
    }
    let chinese = dsse::sign("text/合同", b"x", &key(1));
    assert!(dsse::verify(&serde_json::to_vec(&chinese).unwrap(), "text/合同", &known(&[1])).is_ok());
}

/// A boundary between type and payload cannot be moved.
#[test]
fn the_type_is_signed() {
    let mut envelope = dsse::sign("text/plainx", b"y", &key(1));
    envelope.payload_type = TYPE.to_owned();
    assert_eq!(check(&envelope, &[1]), Err(DsseError::NotSigned));
    envelope.payload = STANDARD.encode("xy");
    assert_eq!(check(&envelope, &[1]), Err(DsseError::NotSigned));
    assert_eq!(check(&dsse::sign("text/html", b"y", &key(1)), &[1]), Err(DsseError::WrongType));
}

#[test]
fn one_changed_byte_anywhere_is_refused() {
    let payload = b"allotment_rho = 0.5";
    let good = dsse::sign(TYPE, payload, &key(1));
    for at in 0..payload.len() {
        let mut changed = payload.to_vec();
        changed[at] ^= 1;
        let envelope = Envelope { payload: STANDARD.encode(changed), ..good.clone() };
        assert_eq!(check(&envelope, &[1]), Err(DsseError::NotSigned), "payload byte {at}");
    }
    let signature = STANDARD.decode(&good.signatures[0].sig).unwrap();
    for at in 0..signature.len() {
        for bit in 0..8 {
            let mut changed = signature.clone();
            changed[at] ^= 1 << bit;
            let mut envelope = good.clone();
            envelope.signatures[0].sig = STANDARD.encode(changed);
            assert_eq!(check(&envelope, &[1]), Err(DsseError::NotSigned), "signature byte {at}, bit {bit}");
        }
    }
    for at in 0..TYPE.len() {
        let mut changed = TYPE.as_bytes().to_vec();
        changed[at] ^= 1;
        let envelope = Envelope { payload_type: String::from_utf8(changed).unwrap(), ..good.clone() };
        assert_eq!(check(&envelope, &[1]), Err(DsseError::WrongType), "type byte {at}");
    }
}

/// Longer and shorter signatures too.
#[test]
fn a_signature_of_another_length_is_refused() {
    let good = dsse::sign(TYPE, b"x", &key(1));
    let signature = STANDARD.decode(&good.signatures[0].sig).unwrap();
    for bytes in [vec![], signature[..63].to_vec(), [signature.as_slice(), &[0]].concat(), vec![0; 64]] {
        let mut envelope = good.clone();
        envelope.signatures[0].sig = STANDARD.encode(bytes);
        assert_eq!(check(&envelope, &[1]), Err(DsseError::NotSigned));
    }
}

/// A payload with `+` and `/` in one alphabet and `-` and `_` in the other.
#[test]
fn both_alphabets_with_and_without_padding() {
    let payload = [0xfb, 0xff, 0xfe, 0x3e];
    let good = dsse::sign(TYPE, &payload, &key(1));
    let signature = STANDARD.decode(&good.signatures[0].sig).unwrap();
    for engine in [&STANDARD, &STANDARD_NO_PAD, &URL_SAFE, &URL_SAFE_NO_PAD] {
        let mut envelope = good.clone();
        envelope.payload = engine.encode(payload);
        envelope.signatures[0].sig = engine.encode(&signature);
        assert_eq!(check(&envelope, &[1]).unwrap().payload, payload, "{}", envelope.payload);
    }
}

/// One payload has one text in each alphabet: no spare bits, no white space, no mixture.
#[test]
fn loose_base64_is_malformed() {
    let good = dsse::sign(TYPE, b"a", &key(1));
    assert_eq!(good.payload, "YQ==");
    for loose in ["YR==", "YQ=\n=", " YQ==", "YQ==YQ==", "Y=Q=", "+_+_", "%%"] {
        let envelope = Envelope { payload: loose.to_owned(), ..good.clone() };
        assert_eq!(check(&envelope, &[1]), Err(DsseError::Malformed), "{loose:?}");
    }
}

#[test]
fn unknown_signatures_are_ignored() {
    let good = dsse::sign(TYPE, b"x", &key(1));
    let foreign = dsse::sign(TYPE, b"x", &key(2)).signatures.remove(0);
    let junk = Signature { keyid: "?".to_owned(), sig: "not base64".to_owned() };
    let known_but_wrong = Signature { keyid: good.signatures[0].keyid.clone(), sig: foreign.sig.clone() };
    let mut envelope = good.clone();
    envelope.signatures = vec![foreign.clone(), junk.clone(), known_but_wrong, good.signatures[0].clone()];
    assert_eq!(check(&envelope, &[1]).unwrap().key_id, good.signatures[0].keyid);
    envelope.signatures = vec![foreign, junk];
    assert_eq!(check(&envelope, &[1]), Err(DsseError::NotSigned));
    envelope.signatures = vec![];
    assert_eq!(check(&envelope, &[1]), Err(DsseError::NotSigned));
}

/// Another signer's envelope may leave `keyid` out and hold fields that we do not know.
#[test]
fn foreign_fields_and_missing_key_ids_do_no_harm() {
    let mut envelope = serde_json::to_value(dsse::sign(TYPE, b"x", &key(1))).unwrap();
    let ours = envelope["signatures"][0].clone();
    envelope["signatures"] = serde_json::json!([{"sig": "AAAA", "cert": "…"}, ours]);
    envelope["note"] = "from elsewhere".into();
    assert!(dsse::verify(envelope.to_string().as_bytes(), TYPE, &known(&[1])).is_ok());
}

/// `keyid` finds a key and decides nothing: what comes back is the id of the key that verified.
#[test]
fn the_key_id_is_that_of_the_key() {
    let mut envelope = dsse::sign(TYPE, b"x", &key(1));
    envelope.signatures[0].keyid = "an alias".to_owned();
    let register = |_: &str| Some(public_key(1));
    let verified = dsse::verify(&serde_json::to_vec(&envelope).unwrap(), TYPE, &register).unwrap();
    assert_eq!(verified.key_id, dsse::key_id(&public_key(1)));
    // Nor does a stolen hint help another key.
    let mut forged = dsse::sign(TYPE, b"x", &key(2));
    forged.signatures[0].keyid = dsse::key_id(&public_key(1));
    assert_eq!(check(&forged, &[1]), Err(DsseError::NotSigned));
}

#[test]
fn what_is_no_envelope_is_malformed() {
    let twice = r#"{"payload":"YQ==","payload":"Yg==","payloadType":"text/plain","signatures":[]}"#;
    for bad in ["", "{}", "[]", "null", r#"{"payload":"YQ==","payloadType":"text/plain"}"#, twice] {
        assert_eq!(dsse::verify(bad.as_bytes(), TYPE, &known(&[1])), Err(DsseError::Malformed), "{bad}");
    }
}

proptest! {
    /// Whatever bytes come in, the answer is an error and never a panic.
    #[test]
    fn arbitrary_bytes_are_refused(bytes in any::<Vec<u8>>(), payload in any::<String>(), sig in any::<String>()) {
        prop_assert!(dsse::verify(&bytes, TYPE, &known(&[1])).is_err());
        let signatures = vec![Signature { keyid: dsse::key_id(&public_key(1)), sig }];
        let envelope = Envelope { payload, payload_type: TYPE.to_owned(), signatures };
        prop_assert!(check(&envelope, &[1]).is_err());
    }
}
