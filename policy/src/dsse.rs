//! DSSE 1.0.2 envelopes with Ed25519: who signed which bytes.
//!
//! `keyid` is a hint for finding the key and decides nothing; the signature over the pre-authentication encoding does.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use serde::{Deserialize, Serialize};

use crate::id::Digest;

/// A signed payload as JSON carries it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Envelope {
    /// The signed bytes, base64.
    pub payload: String,
    /// What kind of bytes they are; signed too.
    pub payload_type: String,
    /// One entry per signer.
    pub signatures: Vec<Signature>,
}

/// One signature of an [`Envelope`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature {
    /// Hint: hexadecimal SHA-256 of the public key. The specification lets others leave it out.
    #[serde(default)]
    pub keyid: String,
    /// Ed25519 over the pre-authentication encoding, base64.
    pub sig: String,
}

/// Why an envelope was not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DsseError {
    /// Not a DSSE envelope in JSON.
    #[error("not a DSSE envelope")]
    Malformed,
    /// The payload is of another type than was asked for.
    #[error("the payload is of another type")]
    WrongType,
    /// No signature by a known key verifies.
    #[error("no signature by a known key verifies")]
    NotSigned,
}

/// The hint by which a public key is found.
pub fn key_id(public_key: &[u8; 32]) -> String {
    Digest::of(public_key).to_string()
}

/// The bytes that are signed: `DSSEv1 SP len(type) SP type SP len(body) SP body`.
fn pre_authentication_encoding(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let mut out = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len()).into_bytes();
    out.extend_from_slice(payload);
    out
}

/// Signs `payload` with an officer's key.
pub fn sign(payload_type: &str, payload: &[u8], key: &Ed25519KeyPair) -> Envelope {
    let signature = key.sign(&pre_authentication_encoding(payload_type, payload));
    let mut public_key = [0; 32];
    public_key.copy_from_slice(key.public_key().as_ref());
    Envelope {
        payload: STANDARD.encode(payload),
        payload_type: payload_type.to_owned(),
        signatures: vec![Signature { keyid: key_id(&public_key), sig: STANDARD.encode(signature) }],
    }
}

/// A payload whose signature was checked, and by whose key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// The very bytes that were signed.
    pub payload: Vec<u8>,
    /// Hint of the key that signed, as [`key_id`] gives it.
    pub key_id: String,
}

/// Checks an envelope in JSON against the keys that `key_of` knows.
///
/// # Errors
/// [`DsseError`]; the first signature that verifies is enough, signatures by unknown keys are ignored.
pub fn verify(
    envelope: &[u8],
    payload_type: &str,
    key_of: &dyn Fn(&str) -> Option<[u8; 32]>,
) -> Result<Verified, DsseError> {
    let envelope: Envelope = serde_json::from_slice(envelope).map_err(|_| DsseError::Malformed)?;
    if envelope.payload_type != payload_type {
        return Err(DsseError::WrongType);
    }
    let payload = decode(&envelope.payload).ok_or(DsseError::Malformed)?;
    let signed = pre_authentication_encoding(payload_type, &payload);
    for signature in &envelope.signatures {
        let (Some(key), Some(bytes)) = (key_of(&signature.keyid), decode(&signature.sig)) else {
            continue;
        };
        if UnparsedPublicKey::new(&ED25519, key).verify(&signed, &bytes).is_ok() {
            return Ok(Verified { payload, key_id: key_id(&key) });
        }
    }
    Err(DsseError::NotSigned)
}

/// The signed bytes, with no signature checked: for whoever compares them with a digest that he trusts.
pub fn payload_of(envelope: &Envelope) -> Option<Vec<u8>> {
    decode(&envelope.payload)
}

/// Both base64 alphabets, padded or not, as the specification asks of verifiers.
fn decode(text: &str) -> Option<Vec<u8>> {
    let bare = text.trim_end_matches('=');
    STANDARD_NO_PAD.decode(bare).or_else(|_| URL_SAFE_NO_PAD.decode(bare)).ok()
}
