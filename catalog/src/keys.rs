//! Keys: the master key outside the state directory, what is derived from it, and the wrapped key of each dataset.
//!
//! The master key never encrypts or hashes anything itself; each use has a key of its own, derived by HMAC-SHA256 under
//! a label. Losing the master key loses the datasets; nothing here can recover them.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// How many bytes every key here has.
pub(crate) const KEY_BYTES: usize = 32;

/// Why a key cannot be used. Names files and never key material.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The master key file cannot be read or written.
    #[error("the master key file `{path}` cannot be used: {source}")]
    File {
        /// The file.
        path: String,
        /// What the operating system says.
        source: std::io::Error,
    },
    /// The master key file does not hold 32 bytes.
    #[error("the master key file `{0}` does not hold exactly 32 bytes")]
    Length(String),
    /// Others may read the master key file.
    #[error("the master key file `{0}` can be read by others; take away the rights of group and others (mode 0600)")]
    Rights(String),
    /// The key does not open what it should: another master key, or the stored state was altered.
    #[error("the master key does not open this catalog: it is another key, or the stored state was altered")]
    Mismatch,
    /// The operating system gave no randomness.
    #[error("the operating system gave no random bytes")]
    NoRandomness,
}

/// Fills a buffer with randomness of the operating system.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], KeyError> {
    let mut out = [0; N];
    SystemRandom::new().fill(&mut out).map_err(|_| KeyError::NoRandomness)?;
    Ok(out)
}

/// The key that every other key of a catalog comes from.
pub(crate) struct MasterKey(Zeroizing<[u8; KEY_BYTES]>);

impl MasterKey {
    /// Reads the key file, or makes one with fresh randomness where there is none.
    pub(crate) fn load_or_create(path: &Path) -> Result<Self, KeyError> {
        let failed = |source| KeyError::File { path: path.display().to_string(), source };
        match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
            Ok(mut file) => {
                let key = Zeroizing::new(random::<KEY_BYTES>()?);
                file.write_all(key.as_slice()).and_then(|()| file.sync_all()).map_err(failed)?;
                if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
                    fs::File::open(parent).and_then(|dir| dir.sync_all()).map_err(failed)?;
                }
                Ok(Self(key))
            }
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Self::load(path),
            Err(error) => Err(failed(error)),
        }
    }

    /// Reads the key file.
    pub(crate) fn load(path: &Path) -> Result<Self, KeyError> {
        let failed = |source| KeyError::File { path: path.display().to_string(), source };
        let mode = fs::metadata(path).map_err(failed)?.permissions().mode();
        if mode & 0o077 != 0 {
            return Err(KeyError::Rights(path.display().to_string()));
        }
        let bytes = Zeroizing::new(fs::read(path).map_err(failed)?);
        let key = bytes.as_slice().try_into().map_err(|_| KeyError::Length(path.display().to_string()))?;
        Ok(Self(Zeroizing::new(key)))
    }

    /// A keyed hash of its own for one use and one context.
    pub(crate) fn hasher(&self, label: &str, context: &str) -> hmac::Key {
        hmac::Key::new(hmac::HMAC_SHA256, self.derive(label, context).as_slice())
    }

    /// Wraps a dataset key. `aad` must be the same when it is unwrapped.
    pub(crate) fn wrap(&self, key: &DataKey, aad: &[u8]) -> Result<WrappedKey, KeyError> {
        let nonce = random::<NONCE_LEN>()?;
        let mut sealed = key.0.to_vec();
        self.wrapping()?
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(aad), &mut sealed)
            .map_err(|_| KeyError::Mismatch)?;
        Ok(WrappedKey { nonce: hex::encode(nonce), sealed: hex::encode(sealed) })
    }

    /// Opens a wrapped dataset key.
    pub(crate) fn unwrap(&self, wrapped: &WrappedKey, aad: &[u8]) -> Result<DataKey, KeyError> {
        let mut nonce = [0; NONCE_LEN];
        hex::decode_to_slice(&wrapped.nonce, &mut nonce).map_err(|_| KeyError::Mismatch)?;
        let mut sealed = Zeroizing::new(hex::decode(&wrapped.sealed).map_err(|_| KeyError::Mismatch)?);
        let opened = self
            .wrapping()?
            .open_in_place(Nonce::assume_unique_for_key(nonce), Aad::from(aad), &mut sealed)
            .map_err(|_| KeyError::Mismatch)?;
        let key: [u8; KEY_BYTES] = (&*opened).try_into().map_err(|_| KeyError::Mismatch)?;
        Ok(DataKey(Zeroizing::new(key)))
    }

    fn wrapping(&self) -> Result<LessSafeKey, KeyError> {
        let key = self.derive("wrap dataset key", "");
        UnboundKey::new(&AES_256_GCM, key.as_slice()).map(LessSafeKey::new).map_err(|_| KeyError::Mismatch)
    }

    fn derive(&self, label: &str, context: &str) -> Zeroizing<[u8; KEY_BYTES]> {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.0.as_slice());
        let tag = hmac::sign(&key, format!("glovebox-catalog/1\0{label}\0{context}").as_bytes());
        let mut out = Zeroizing::new([0; KEY_BYTES]);
        out.iter_mut().zip(tag.as_ref()).for_each(|(to, from)| *to = *from);
        out
    }
}

/// The key that encrypts one stored dataset.
pub(crate) struct DataKey(Zeroizing<[u8; KEY_BYTES]>);

impl DataKey {
    /// A fresh key.
    pub(crate) fn generate() -> Result<Self, KeyError> {
        Ok(Self(Zeroizing::new(random()?)))
    }

    /// The bytes, for the Parquet library.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.0.to_vec()
    }
}

/// A dataset key as `snapshot.json` holds it: AES-256-GCM under a key derived from the master key.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WrappedKey {
    nonce: String,
    sealed: String,
}

/// The first 16 bytes of a keyed hash, as a number that sorts like the bytes do.
pub(crate) fn short_hash(key: &hmac::Key, bytes: &[u8]) -> u128 {
    let tag = hmac::sign(key, bytes);
    tag.as_ref().iter().take(16).fold(0, |sum, byte| (sum << 8) | u128::from(*byte))
}
