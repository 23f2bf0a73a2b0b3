//! Certificates of a fresh install, and the TLS settings of both faces.
//!
//! `<state>/tls` holds the install's own certificate authority (`ca.pem`, `ca.key`) and a server certificate
//! (`server.pem`, `server.key`) for this machine's loopback names. An operator who has certificates of the bureau's own
//! authority puts them into the two `server.*` files and deletes `server.issued`; the files are then left alone.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PublicKeyData as _,
};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::client_auth::ClientAuthority;

/// The names that the server certificate is made for.
pub const LOOPBACK_NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

const DAY: Duration = Duration::from_secs(24 * 3600);
const CA_DAYS: u32 = 3650;
/// Clients refuse server certificates that are valid for much longer than a year.
const SERVER_DAYS: u32 = 397;
/// A server certificate is made anew when this little is left.
const RENEW_BEFORE_DAYS: u32 = 90;

/// Certificates could not be made, read or used; an operator's matter.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file could not be read or written.
    #[error("`{path}`: {error}")]
    File {
        /// Which file.
        path: PathBuf,
        /// What the operating system said.
        error: io::Error,
    },
    /// A certificate could not be made.
    #[error("a certificate could not be made: {0}")]
    Make(#[from] rcgen::Error),
    /// A file does not hold what its name says.
    #[error("`{0}` does not hold a certificate or key in PEM")]
    NotPem(PathBuf),
    /// No client could be judged by the authorities of client certificates.
    #[error("`{0}` does not hold authorities of client certificates that can be used")]
    ClientAuthority(PathBuf),
    /// Certificate and key do not fit each other, or are of an unknown kind.
    #[error("certificate and key cannot be used: {0}")]
    Use(#[from] rustls::Error),
}

/// The certificates of one install.
#[derive(Debug, Clone)]
pub struct Tls {
    dir: PathBuf,
}

impl Tls {
    /// Opens `<state_dir>/tls`, making there what is missing or about to expire.
    ///
    /// # Errors
    /// [`TlsError`] when files cannot be read or written.
    pub fn open_or_create(state_dir: &Path) -> Result<Self, TlsError> {
        let tls = Self { dir: state_dir.join("tls") };
        fs::create_dir_all(&tls.dir).map_err(|error| TlsError::File { path: tls.dir.clone(), error })?;
        let ca = tls.authority()?;
        if !tls.server_certificate_is_good(SystemTime::now()) {
            tls.issue_server_certificate(&ca)?;
        }
        Ok(tls)
    }

    /// The certificate that clients must trust, in PEM.
    pub fn ca_cert_path(&self) -> PathBuf {
        self.path("ca.pem")
    }

    /// TLS 1.2 and 1.3 with ring, and the application protocols of one face. Clients are asked for a certificate where
    /// there is an authority to judge it by, and may come without.
    ///
    /// # Errors
    /// [`TlsError`] when the server certificate or its key cannot be used.
    pub fn server_config(
        &self,
        protocols: &[&[u8]],
        clients: Option<&ClientAuthority>,
    ) -> Result<Arc<ServerConfig>, TlsError> {
        let chain_path = self.path("server.pem");
        let key_path = self.path("server.key");
        let chain = CertificateDer::pem_file_iter(&chain_path)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(|_| TlsError::NotPem(chain_path))?;
        let key = PrivateKeyDer::from_pem_file(&key_path).map_err(|_| TlsError::NotPem(key_path))?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])?;
        let config = match clients {
            None => config.with_no_client_auth(),
            Some(authority) => config.with_client_cert_verifier(authority.verifier()),
        };
        let mut config = config.with_single_cert(chain, key)?;
        config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
        Ok(Arc::new(config))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// Loads the authority, or makes it: the key first, since the certificate can be made again from the key.
    fn authority(&self) -> Result<Issuer<'static, KeyPair>, TlsError> {
        let key = match self.read("ca.key")? {
            Some(pem) => KeyPair::from_pem(&pem).map_err(|_| TlsError::NotPem(self.path("ca.key")))?,
            None => {
                let key = KeyPair::generate()?;
                self.write("ca.key", &key.serialize_pem(), 0o600)?;
                key
            }
        };
        let params = authority_params(&key);
        if self.read("ca.pem")?.is_none() {
            self.write("ca.pem", &params.self_signed(&key)?.pem(), 0o644)?;
        }
        Ok(Issuer::new(params, key))
    }

    fn server_certificate_is_good(&self, now: SystemTime) -> bool {
        let there = self.path("server.pem").exists() && self.path("server.key").exists();
        let renew_after = DAY * (SERVER_DAYS - RENEW_BEFORE_DAYS);
        match self.read("server.issued") {
            Ok(None) => there,
            Ok(Some(text)) => {
                let issued = text.trim().parse().ok().map(|seconds| UNIX_EPOCH + Duration::from_secs(seconds));
                let age = issued.and_then(|issued| now.duration_since(issued).ok());
                there && age.is_some_and(|age| age < renew_after)
            }
            Err(_) => false,
        }
    }

    /// The certificate is removed first and written last, so that a crash in between leaves "missing", not "unfit".
    fn issue_server_certificate(&self, ca: &Issuer<'_, KeyPair>) -> Result<(), TlsError> {
        let chain = self.path("server.pem");
        match fs::remove_file(&chain) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(TlsError::File { path: chain, error }),
            _ => {}
        }
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(LOOPBACK_NAMES.map(String::from))?;
        params.distinguished_name = name("Glovebox server");
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.use_authority_key_identifier_extension = true;
        set_term(&mut params, SERVER_DAYS);
        let certificate = params.signed_by(&key, ca)?;
        self.write("server.key", &key.serialize_pem(), 0o600)?;
        self.write("server.issued", &unix_now().as_secs().to_string(), 0o644)?;
        self.write("server.pem", &certificate.pem(), 0o644)
    }

    fn read(&self, name: &str) -> Result<Option<String>, TlsError> {
        let path = self.path(name);
        match fs::read_to_string(&path) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(TlsError::File { path, error }),
        }
    }

    /// Writes beside the file and renames, so that nobody reads half a key; the mode is set before the first byte.
    fn write(&self, name: &str, text: &str, mode: u32) -> Result<(), TlsError> {
        let path = self.path(name);
        let beside = self.path(&format!("{name}.new"));
        let write = || -> io::Result<()> {
            let _ = fs::remove_file(&beside);
            let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(mode).open(&beside)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            fs::rename(&beside, &path)
        };
        write().map_err(|error| TlsError::File { path: path.clone(), error })
    }
}

fn name(common_name: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::OrganizationName, "Glovebox");
    name.push(DnType::CommonName, common_name);
    name
}

/// Made from the key alone, so that an authority whose key was loaded issues under the very name of its certificate.
fn authority_params(key: &KeyPair) -> CertificateParams {
    let print = glovebox_policy::Digest::of(key.der_bytes()).to_string();
    let mut params = CertificateParams::default();
    params.distinguished_name = name(&format!("Glovebox install CA {}", print.get(..8).unwrap_or_default()));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    set_term(&mut params, CA_DAYS);
    params
}

fn set_term(params: &mut CertificateParams, days: u32) {
    let now = rcgen::date_time_ymd(1970, 1, 1) + unix_now();
    // A client whose clock is a little behind must accept the certificate too.
    params.not_before = now - DAY;
    params.not_after = now + DAY * (days - 1);
}

fn unix_now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn texts(tls: &Tls) -> Vec<String> {
        ["ca.pem", "ca.key", "server.pem", "server.key"].map(|name| tls.read(name).unwrap().unwrap()).to_vec()
    }

    #[test]
    fn a_fresh_install_is_made_once_and_keys_are_private() {
        let state = tempfile::tempdir().unwrap();
        let tls = Tls::open_or_create(state.path()).unwrap();
        let first = texts(&tls);
        for key in ["ca.key", "server.key"] {
            assert_eq!(fs::metadata(tls.path(key)).unwrap().permissions().mode() & 0o777, 0o600, "{key}");
        }
        assert_eq!(texts(&Tls::open_or_create(state.path()).unwrap()), first);
        let config = tls.server_config(&[b"h2"], None).unwrap();
        assert_eq!(config.alpn_protocols, vec![b"h2".to_vec()]);
    }

    #[test]
    fn an_old_server_certificate_is_renewed_under_the_same_authority() {
        let state = tempfile::tempdir().unwrap();
        let tls = Tls::open_or_create(state.path()).unwrap();
        let first = texts(&tls);
        tls.write("server.issued", "1000000000", 0o644).unwrap();
        let second = texts(&Tls::open_or_create(state.path()).unwrap());
        assert_eq!(first[..2], second[..2]);
        assert_ne!(first[2..], second[2..]);
        tls.server_config(&[], None).unwrap();
    }

    #[test]
    fn certificates_of_the_operator_are_left_alone_and_a_half_made_pair_is_made_again() {
        let state = tempfile::tempdir().unwrap();
        let tls = Tls::open_or_create(state.path()).unwrap();
        let first = texts(&tls);
        fs::remove_file(tls.path("server.issued")).unwrap();
        assert_eq!(texts(&Tls::open_or_create(state.path()).unwrap()), first);
        fs::remove_file(tls.path("server.pem")).unwrap();
        let made = texts(&Tls::open_or_create(state.path()).unwrap());
        assert_ne!(made[2], first[2]);
    }
}
