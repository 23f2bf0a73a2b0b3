//! The service's signing key, and the name of the log that it signs.
//!
//! One Ed25519 key signs the log's checkpoints (signed notes, <https://c2sp.org/signed-note>) and the release
//! certificates (DSSE). INVARIANT (two kinds of signed bytes never meet): a note that this key signs is a checkpoint,
//! whose first line is the origin and holds no space, while every DSSE encoding starts with `DSSEv1` and a space.
//!
//! The key file is PKCS#8 in DER, readable by its owner only, and lies beside the master key, outside the state
//! directory and its backup: whoever restores a backup cannot sign with it.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::Path;

use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use zeroize::Zeroizing;

use crate::tlog::note::{self, NoteError, VerifierKey};

/// Why there is no seal. Names files and never key material.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// The key file cannot be read or written.
    #[error("the service key file `{path}` cannot be used")]
    File {
        /// The file.
        path: String,
        /// What the operating system says.
        source: std::io::Error,
    },
    /// Others may read the key file.
    #[error("the service key file `{0}` can be read by others; take away the rights of group and others (mode 0600)")]
    Rights(String),
    /// The file holds no Ed25519 key in PKCS#8 with its public key, or the two halves are not of one key.
    #[error("the service key file `{0}` does not hold an Ed25519 key in PKCS#8")]
    Key(String),
    /// The log cannot have this name.
    #[error("the origin of the log cannot stand: {0}")]
    Origin(#[source] NoteError),
    /// The operating system gave no randomness.
    #[error("the operating system gave no randomness")]
    Randomness,
}

/// The service's key and the origin of its log.
pub struct Seal {
    key: Ed25519KeyPair,
    origin: String,
    verifier: VerifierKey,
}

impl std::fmt::Debug for Seal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Seal").field(&self.verifier.to_string()).finish()
    }
}

impl Seal {
    /// A seal from a key in memory. `origin` names the log for ever, by custom a URL without scheme and final slash,
    /// such as `data.example.cn/glovebox`.
    ///
    /// # Errors
    /// [`SealError::Origin`] if `origin` is empty, longer than 255 bytes, or holds white space, `+` or a control
    /// character.
    pub fn new(key: Ed25519KeyPair, origin: &str) -> Result<Self, SealError> {
        let mut public_key = [0; 32];
        public_key.copy_from_slice(key.public_key().as_ref());
        let verifier = VerifierKey::new(origin, public_key).map_err(SealError::Origin)?;
        Ok(Self { key, origin: origin.to_owned(), verifier })
    }

    /// Makes a new key and its file at `path`, readable by the owner only. Overwrites nothing.
    ///
    /// # Errors
    /// If the origin cannot stand, if there is a file at `path`, if it cannot be written, or if the operating system
    /// gives no randomness.
    pub fn generate(path: &Path, origin: &str) -> Result<Self, SealError> {
        let document = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).map_err(|_| SealError::Randomness)?;
        let seal = Self::from_pkcs8(document.as_ref(), path, origin)?;
        let failed = |source| SealError::File { path: path.display().to_string(), source };
        let mut options = OpenOptions::new();
        options.create_new(true).write(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path).map_err(failed)?;
        file.write_all(document.as_ref()).and_then(|()| file.sync_all()).map_err(failed)?;
        if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            File::open(parent).and_then(|dir| dir.sync_all()).map_err(failed)?;
        }
        Ok(seal)
    }

    /// Reads the key file at `path`.
    ///
    /// # Errors
    /// If the file cannot be read, can be read by others, or holds no such key; if the origin cannot stand.
    pub fn load(path: &Path, origin: &str) -> Result<Self, SealError> {
        let failed = |source| SealError::File { path: path.display().to_string(), source };
        #[cfg(unix)]
        if std::os::unix::fs::PermissionsExt::mode(&fs::metadata(path).map_err(failed)?.permissions()) & 0o077 != 0 {
            return Err(SealError::Rights(path.display().to_string()));
        }
        let document = Zeroizing::new(fs::read(path).map_err(failed)?);
        Self::from_pkcs8(&document, path, origin)
    }

    fn from_pkcs8(document: &[u8], path: &Path, origin: &str) -> Result<Self, SealError> {
        let key = Ed25519KeyPair::from_pkcs8(document).map_err(|_| SealError::Key(path.display().to_string()))?;
        Self::new(key, origin)
    }

    /// The key, for signatures that are no notes.
    pub fn key(&self) -> &Ed25519KeyPair {
        &self.key
    }

    /// The name of the log, which is also the name of the key.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// What others verify with. Its text form is what auditors are handed.
    pub fn verifier_key(&self) -> &VerifierKey {
        &self.verifier
    }

    /// Signs a text as a note and gives the whole note. The text's first line must be the origin.
    ///
    /// # Errors
    /// If the text is not that of a note of this log.
    pub(crate) fn sign_note(&self, text: &str) -> Result<String, NoteError> {
        if text.split('\n').next() != Some(&self.origin) {
            return Err(NoteError::Malformed("the first line is not the origin of the log"));
        }
        note::sign(text, &self.key, &self.verifier)
    }
}
