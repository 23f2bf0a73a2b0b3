//! Officers' signing keys: Ed25519 in PKCS#8, made and kept on the officer's side.

use std::fs::File;
use std::path::Path;

use anyhow::{Context as _, anyhow};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use glovebox_engine::Engine;
use glovebox_policy::dsse::key_id;
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use serde_json::json;

use crate::args::OfficerKey;
use crate::failure::Failure;
use crate::output::{Page, View};
use crate::{local, private_file};

const BEGIN: &str = "-----BEGIN PRIVATE KEY-----";
const END: &str = "-----END PRIVATE KEY-----";

/// Characters of a line of PEM.
const PEM_LINE: usize = 64;

/// `officer-key`.
///
/// # Errors
/// If a file cannot be made or read, or the key cannot be registered.
pub(crate) fn run(action: OfficerKey, view: &View) -> Result<(), Failure> {
    match action {
        OfficerKey::New { file } => {
            let opened = private_file::create(&file)?;
            show(&make(opened, &file)?, &file, view)
        }
        OfficerKey::Show { file } => show(&read(&file)?, &file, view),
        OfficerKey::Register { person, public_key, config } => {
            let mut bytes = [0; 32];
            hex::decode_to_slice(&public_key, &mut bytes)
                .map_err(|_| Failure::Usage(format!("`{public_key}` is not 64 hexadecimal digits")))?;
            let engine = Engine::open(&local::load(&config)?).map_err(anyhow::Error::from)?;
            let id = engine.add_officer_key(&person, bytes).map_err(anyhow::Error::from)?;
            let page = Page::default()
                .fact(view.words("officer", "专员"), person.as_str())
                .fact(view.words("key id", "密钥标识"), &id)
                .remark(view.words("The key is registered.", "密钥已登记。"));
            Ok(view.show(&page, &json!({ "person": person, "key_id": id }).to_string())?)
        }
    }
}

fn show(key: &Ed25519KeyPair, file: &Path, view: &View) -> Result<(), Failure> {
    let public_key = public_key(key);
    let (hex, id) = (hex::encode(public_key), key_id(&public_key));
    let page = Page::default()
        .fact(view.words("key file", "密钥文件"), file.display())
        .fact(view.words("public key", "公钥"), &hex)
        .fact(view.words("key id", "密钥标识"), &id);
    Ok(view.show(&page, &json!({ "file": file, "public_key": hex, "key_id": id }).to_string())?)
}

/// The 32 bytes that are registered.
pub(crate) fn public_key(key: &Ed25519KeyPair) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(key.public_key().as_ref());
    bytes
}

/// Makes a key and writes it into a new private file.
///
/// # Errors
/// Without randomness, or when the disk refuses.
pub(crate) fn make(file: File, path: &Path) -> Result<Ed25519KeyPair, Failure> {
    let der = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new())
        .map_err(|_| anyhow!("the operating system gave no randomness"))?;
    private_file::fill(file, path, pem(der.as_ref()))?;
    parse(der.as_ref()).ok_or_else(|| anyhow!("the new key cannot be read").into())
}

/// Reads a key file, PEM or DER.
///
/// # Errors
/// If it cannot be read or holds no Ed25519 key.
pub(crate) fn read(path: &Path) -> Result<Ed25519KeyPair, Failure> {
    let bytes = std::fs::read(path).with_context(|| format!("`{}` cannot be read", path.display()))?;
    let key = match std::str::from_utf8(&bytes) {
        Ok(text) => der_of(text).and_then(|der| parse(&der)),
        Err(_) => parse(&bytes),
    };
    Ok(key.with_context(|| format!("`{}` does not hold an Ed25519 key in PKCS#8", path.display()))?)
}

/// OpenSSL writes PKCS#8 without the public key; that form is taken too.
fn parse(der: &[u8]) -> Option<Ed25519KeyPair> {
    Ed25519KeyPair::from_pkcs8_maybe_unchecked(der).ok()
}

fn pem(der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let mut out = format!("{BEGIN}\n");
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at_checked(PEM_LINE).unwrap_or((rest, ""));
        out.push_str(line);
        out.push('\n');
        rest = after;
    }
    out + END + "\n"
}

fn der_of(text: &str) -> Option<Vec<u8>> {
    let (_, after) = text.split_once(BEGIN)?;
    let (inside, _) = after.split_once(END)?;
    let bare: String = inside.split_whitespace().collect();
    STANDARD.decode(bare).ok()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_key_comes_back_from_its_private_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("officer.key");
        let made = make(private_file::create(&path).unwrap(), &path).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(public_key(&read(&path).unwrap()), public_key(&made));
        assert!(private_file::create(&path).is_err());
    }

    /// RFC 8410, section 10.3: what `openssl genpkey -algorithm ed25519` writes.
    #[test]
    fn keys_of_openssl_are_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("openssl.key");
        let text = format!("{BEGIN}\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n{END}\n");
        std::fs::write(&path, text).unwrap();
        let public = public_key(&read(&path).unwrap());
        assert_eq!(hex::encode(public), "19bf44096984cdfe8541bac167dc3b96c85086aa30b6b6cb0c5c38ad703166e1");
        std::fs::write(&path, "nonsense").unwrap();
        assert!(read(&path).is_err());
    }
}
