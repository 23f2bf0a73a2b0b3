//! Client certificates: whom the bureau's authorities have certified, and what a refused certificate is told.
//!
//! The handshake proves that the client holds the certificate's key, and no more. Whether the certificate is good is judged
//! for each request: so a refusal is an answer in our words instead of a broken connection, and a certificate that runs out
//! or is revoked ends with its time, also on a connection that stays open. INVARIANT (judged before believed): what came in
//! a handshake counts for nothing until `ClientAuthority::judge` has accepted it.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use glovebox_policy::{Digest, Reason, Refusal};
use rustls::client::danger::HandshakeSignatureValid;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, Error, RootCertStore, SignatureScheme};

use crate::limits::{CERTIFICATE_BYTES, CHAIN_CERTIFICATES};
use crate::tls::TlsError;

/// The authorities whose client certificates are believed. Cheap to clone.
#[derive(Debug, Clone)]
pub struct ClientAuthority {
    judge: Arc<dyn ClientCertVerifier>,
}

impl ClientAuthority {
    /// Reads one or more authorities from a PEM file.
    ///
    /// # Errors
    /// [`TlsError`] when the file cannot be read or holds no authority that can be used.
    pub fn load(path: &Path) -> Result<Self, TlsError> {
        let unusable = || TlsError::ClientAuthority(path.to_owned());
        let pem = std::fs::read(path).map_err(|error| TlsError::File { path: path.to_owned(), error })?;
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(&pem) {
            roots.add(certificate.map_err(|_| unusable())?).map_err(|_| unusable())?;
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
        Ok(Self { judge: verifier.map_err(|_| unusable())? })
    }

    /// The SHA-256 of a certificate that is good now; `chain` is in DER as the client sent it, its own certificate first.
    ///
    /// # Errors
    /// [`Reason::CertificateRefused`], saying what is wrong with it.
    pub(crate) fn judge(&self, chain: &[Vec<u8>]) -> Result<Digest, Refusal> {
        self.judge_at(chain, UnixTime::now())
    }

    fn judge_at(&self, chain: &[Vec<u8>], now: UnixTime) -> Result<Digest, Refusal> {
        if chain.len() > CHAIN_CERTIFICATES || chain.iter().any(|der| der.len() > CERTIFICATE_BYTES) {
            return Err(refused("its chain is too long"));
        }
        let ders: Vec<_> = chain.iter().map(|der| CertificateDer::from(der.as_slice())).collect();
        let (own, others) = ders.split_first().ok_or_else(|| refused("it did not come"))?;
        self.judge.verify_client_cert(own, others, now).map_err(|error| refused(fault(&error)))?;
        Ok(Digest::of(own))
    }

    /// What the handshake asks: the proof of the key, and nothing of the certificate's worth.
    pub(crate) fn verifier(&self) -> Arc<dyn ClientCertVerifier> {
        Arc::new(Postponed(Arc::clone(&self.judge)))
    }
}

fn refused(what: &str) -> Refusal {
    Refusal::about(Reason::CertificateRefused, what)
}

/// In our words; the certificate's own names are repeated to nobody.
fn fault(error: &Error) -> &'static str {
    let Error::InvalidCertificate(error) = error else {
        return "it cannot be read";
    };
    match error {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "it is past its time",
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => "its time has not come",
        CertificateError::UnknownIssuer => "its authority is not trusted here",
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => "it is not for clients",
        _ => "it cannot be used",
    }
}

/// Verifies signatures as the judge does, and lets every certificate through to be judged for each request.
struct Postponed(Arc<dyn ClientCertVerifier>);

impl fmt::Debug for Postponed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Postponed")
    }
}

impl ClientCertVerifier for Postponed {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    /// Nothing: the names of the authorities go to everybody who connects, and may be those of firms that use the service.
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_file_without_an_authority_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ca.pem");
        assert!(matches!(ClientAuthority::load(&path), Err(TlsError::File { .. })));
        for text in ["", "nonsense", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
            std::fs::write(&path, text).unwrap();
            assert!(matches!(ClientAuthority::load(&path), Err(TlsError::ClientAuthority(_))), "{text}");
        }
    }

    #[test]
    fn who_connects_is_not_told_which_authorities_are_believed() {
        let dir = tempfile::tempdir().unwrap();
        let state = crate::Tls::open_or_create(dir.path()).unwrap();
        let authority = ClientAuthority::load(&state.ca_cert_path()).unwrap();
        assert!(!authority.judge.root_hint_subjects().is_empty());
        assert!(authority.verifier().root_hint_subjects().is_empty());
    }

    #[test]
    fn what_is_no_chain_is_refused_before_it_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let state = crate::Tls::open_or_create(dir.path()).unwrap();
        let authority = ClientAuthority::load(&state.ca_cert_path()).unwrap();
        let long = vec![vec![0; CERTIFICATE_BYTES + 1]];
        for chain in [vec![], vec![vec![1, 2, 3]], vec![vec![]; CHAIN_CERTIFICATES + 1], long] {
            let refusal = authority.judge_at(&chain, UnixTime::since_unix_epoch(Duration::ZERO)).unwrap_err();
            assert_eq!(refusal.reason(), Reason::CertificateRefused);
        }
    }
}
