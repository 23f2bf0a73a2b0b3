//! What leaves of tokens and client certificates.

use glovebox_engine::{CertificateCard, TokenCard};
use serde_json::{Value, json};

use super::AsJson;

/// What is known of a token; the token itself is not.
pub(crate) struct TokenEntry(pub(crate) TokenCard);

/// A registered client certificate.
pub(crate) struct CertificateEntry(pub(crate) CertificateCard);

impl AsJson for TokenEntry {
    fn json(&self) -> Value {
        let TokenCard { digest, issued_unix_s, expires_unix_s, revoked } = &self.0;
        json!({ "digest": digest, "issued_unix_s": issued_unix_s, "expires_unix_s": expires_unix_s, "revoked": revoked })
    }
}

impl AsJson for CertificateEntry {
    fn json(&self) -> Value {
        let CertificateCard { fingerprint, person, officer, added_unix_s, revoked } = &self.0;
        json!({
            "fingerprint": fingerprint,
            "person": person,
            "officer": officer,
            "added_unix_s": added_unix_s,
            "revoked": revoked,
        })
    }
}
