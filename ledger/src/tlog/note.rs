//! Signed notes with Ed25519 and the text form of verifier keys: <https://c2sp.org/signed-note>.
//!
//! A note is a text that ends in a newline, an empty line, and one signature line for each signer. Signatures by unknown
//! keys are ignored; a wrong signature by the known key makes the whole note wrong. Base64 is read strictly (padded, no
//! stray bits), so that a note has one form only.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::digest::{Context, SHA256};
use ring::signature::{ED25519, Ed25519KeyPair, UnparsedPublicKey};

/// The largest note that is read, in bytes. A post-quantum signature line takes about 5 kB, and 16 must be accepted.
pub const NOTE_MAX_BYTES: usize = 1_000_000;

/// The most signature lines that are read.
pub const SIGNATURES_MAX: usize = 100;

/// The longest key name, in bytes: what a cosignature's length byte can hold.
pub const NAME_MAX_BYTES: usize = 255;

/// Signature type of Ed25519 notes.
const ED25519_TYPE: u8 = 0x01;

const SIGNATURE_START: &str = "\u{2014} ";

/// Why a note or a verifier key was not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// The bytes do not have the form of a note.
    #[error("not a signed note: {0}")]
    Malformed(&'static str),
    /// The text is no Ed25519 verifier key, or its key id does not fit.
    #[error("not an Ed25519 verifier key: {0}")]
    Key(&'static str),
    /// A key cannot have this name.
    #[error("a key name is not empty, at most {NAME_MAX_BYTES} bytes, without white space, `+` and control characters")]
    Name,
    /// A signature of the known key does not verify.
    #[error("a signature of the known key does not verify")]
    WrongSignature,
    /// No signature is of the known key.
    #[error("no signature is of the known key")]
    NotSigned,
}

/// A name, a key id and an Ed25519 public key: `<name>+<hex id>+<base64 of type and key>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    id: [u8; 4],
    public_key: [u8; 32],
}

impl VerifierKey {
    /// The verifier key of a public key under a name.
    ///
    /// # Errors
    /// [`NoteError::Name`].
    pub fn new(name: &str, public_key: [u8; 32]) -> Result<Self, NoteError> {
        if !name_stands(name) {
            return Err(NoteError::Name);
        }
        Ok(Self { name: name.to_owned(), id: key_id(name, &public_key), public_key })
    }

    /// The key's name; of a log's key, the log's origin.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The first four bytes of `SHA-256(name || 0x0A || 0x01 || public key)`: a hint, not a proof.
    pub fn id(&self) -> [u8; 4] {
        self.id
    }

    /// The Ed25519 public key (RFC 8032).
    pub fn public_key(&self) -> &[u8; 32] {
        &self.public_key
    }

    fn verifies(&self, text: &str, signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, self.public_key).verify(text.as_bytes(), signature).is_ok()
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let typed = [&[ED25519_TYPE], self.public_key.as_slice()].concat();
        write!(f, "{}+{}+{}", self.name, hex::encode(self.id), STANDARD.encode(typed))
    }
}

impl FromStr for VerifierKey {
    type Err = NoteError;

    fn from_str(text: &str) -> Result<Self, NoteError> {
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(NoteError::Key("it does not have three parts"));
        };
        let typed = STANDARD.decode(key).map_err(|_| NoteError::Key("the key is not base64"))?;
        let public_key = match typed.split_first() {
            Some((&ED25519_TYPE, key)) => key.try_into().map_err(|_| NoteError::Key("the key is not of 32 bytes"))?,
            _ => return Err(NoteError::Key("it is of another signature type")),
        };
        let found = Self::new(name, public_key)?;
        if hex::encode(found.id) != id {
            return Err(NoteError::Key("the key id is not that of the key"));
        }
        Ok(found)
    }
}

/// One signature line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// The name of the key that claims to have signed.
    pub name: String,
    /// Its key id.
    pub id: [u8; 4],
    /// The signature, of whatever type the key is.
    pub bytes: Vec<u8>,
}

/// A note that has the right form. Nothing of it may be believed before [`Note::verify`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    text: String,
    signatures: Vec<Signature>,
}

impl Note {
    /// Reads a note; verifies nothing.
    ///
    /// # Errors
    /// [`NoteError::Malformed`].
    pub fn parse(bytes: &[u8]) -> Result<Self, NoteError> {
        if bytes.len() > NOTE_MAX_BYTES {
            return Err(NoteError::Malformed("it is too large"));
        }
        let note = std::str::from_utf8(bytes).map_err(|_| NoteError::Malformed("it is not UTF-8"))?;
        if note.bytes().any(|byte| byte < b' ' && byte != b'\n') {
            return Err(NoteError::Malformed("it holds a control character"));
        }
        let split = note.rfind("\n\n").ok_or(NoteError::Malformed("no empty line ends the text"))?;
        let (text, rest) = note.split_at_checked(split + 1).unwrap_or_default();
        let lines = rest.strip_prefix('\n').and_then(|rest| rest.strip_suffix('\n'));
        let lines = lines.ok_or(NoteError::Malformed("no signature lines follow the text"))?;
        let signatures = lines.split('\n').take(SIGNATURES_MAX + 1).map(signature).collect::<Result<Vec<_>, _>>()?;
        if signatures.len() > SIGNATURES_MAX {
            return Err(NoteError::Malformed("it has too many signatures"));
        }
        Ok(Self { text: text.to_owned(), signatures })
    }

    /// What is signed, with its final newline.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// All signature lines, believed or not.
    pub fn signatures(&self) -> &[Signature] {
        &self.signatures
    }

    /// Checks that `key` signed the text. Signatures by other keys are ignored.
    ///
    /// # Errors
    /// [`NoteError::NotSigned`], or [`NoteError::WrongSignature`] if any line of this name and id does not verify.
    pub fn verify(&self, key: &VerifierKey) -> Result<(), NoteError> {
        let mut own = self.signatures.iter().filter(|line| line.name == key.name && line.id == key.id).peekable();
        if own.peek().is_none() {
            return Err(NoteError::NotSigned);
        }
        if own.all(|line| key.verifies(&self.text, &line.bytes)) { Ok(()) } else { Err(NoteError::WrongSignature) }
    }
}

/// Reads one signature line without its newline.
fn signature(line: &str) -> Result<Signature, NoteError> {
    let wrong = NoteError::Malformed("a signature line does not have the form of one");
    let (name, encoded) = line.strip_prefix(SIGNATURE_START).and_then(|line| line.split_once(' ')).ok_or(wrong)?;
    let bytes = STANDARD.decode(encoded).map_err(|_| wrong)?;
    match bytes.split_first_chunk::<4>() {
        Some((id, bytes)) if !bytes.is_empty() && name_stands(name) => {
            Ok(Signature { name: name.to_owned(), id: *id, bytes: bytes.to_vec() })
        }
        _ => Err(wrong),
    }
}

/// Signs `text` with the key whose public half is `verifier` and gives the whole note.
pub(crate) fn sign(text: &str, key: &Ed25519KeyPair, verifier: &VerifierKey) -> Result<String, NoteError> {
    if !text.ends_with('\n') || text.chars().any(|c| c < ' ' && c != '\n') {
        return Err(NoteError::Malformed("the text does not end in a newline or holds a control character"));
    }
    let signature = [&verifier.id, key.sign(text.as_bytes()).as_ref()].concat();
    Ok(format!("{text}\n{SIGNATURE_START}{} {}\n", verifier.name, STANDARD.encode(signature)))
}

fn name_stands(name: &str) -> bool {
    let bad = |c: char| c.is_whitespace() || c.is_control() || c == '+';
    !name.is_empty() && name.len() <= NAME_MAX_BYTES && !name.chars().any(bad)
}

fn key_id(name: &str, public_key: &[u8; 32]) -> [u8; 4] {
    let mut context = Context::new(&SHA256);
    for part in [name.as_bytes(), b"\n", &[ED25519_TYPE], public_key] {
        context.update(part);
    }
    context.finish().as_ref().first_chunk().copied().unwrap_or_default()
}

#[cfg(test)]
#[path = "note_tests.rs"]
mod tests;
