//! One entry's proof in a file of its own, verified without the log: <https://c2sp.org/tlog-proof>.
//!
//! The index of the entry, its inclusion proof and the signed checkpoint that the proof leads to. The `extra` line carries
//! the entry's bytes. Nothing vouches for that line itself: it is believed because the proof from its hash leads to the
//! signed root.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::checkpoint::{Checkpoint, CheckpointError, decimal, hash};
use super::note::{NOTE_MAX_BYTES, VerifierKey};
use super::proof::{Hash, PROOF_MAX_HASHES, ProofError, verify_inclusion};
use crate::log::ENTRY_MAX_BYTES;
use crate::tree::leaf_hash;

const FIRST_LINE: &str = "c2sp.org/tlog-proof@v1";

/// The largest proof that is read, in bytes: a note and, before it, the entry and the hashes in base64.
pub const TLOG_PROOF_MAX_BYTES: usize = NOTE_MAX_BYTES + 2 * ENTRY_MAX_BYTES + PROOF_MAX_HASHES * 45;

/// Why a proof was not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TlogProofError {
    /// The bytes do not have the form of a proof.
    #[error("not a tlog-proof: {0}")]
    Malformed(&'static str),
    /// The proof carries no entry, and none was given.
    #[error("the proof carries no entry")]
    NoEntry,
    /// The proof carries another entry than the one that was given.
    #[error("the proof carries another entry")]
    OtherEntry,
    /// The checkpoint in it does not stand.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The inclusion proof in it does not stand.
    #[error(transparent)]
    Proof(#[from] ProofError),
}

/// A proof that has the right form. Nothing of it may be believed before [`TlogProof::verify`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlogProof {
    /// The entry's bytes, at most 65,535.
    pub extra: Option<Vec<u8>>,
    /// The number of the entry, from 0.
    pub index: u64,
    /// From the leaf's sibling to the root's child.
    pub hashes: Vec<Hash>,
    /// The signed checkpoint, as the log gave it.
    pub checkpoint: String,
}

/// What a proof that stands says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proven {
    /// The entry's bytes.
    pub entry: Vec<u8>,
    /// The number of the entry, from 0.
    pub index: u64,
    /// The head of the log in which the entry is.
    pub checkpoint: Checkpoint,
}

impl TlogProof {
    /// Reads a proof; verifies nothing.
    ///
    /// # Errors
    /// [`TlogProofError::Malformed`].
    pub fn parse(bytes: &[u8]) -> Result<Self, TlogProofError> {
        use TlogProofError::Malformed;
        if bytes.len() > TLOG_PROOF_MAX_BYTES {
            return Err(Malformed("it is too large"));
        }
        let text = std::str::from_utf8(bytes).map_err(|_| Malformed("it is not UTF-8"))?;
        let (head, checkpoint) =
            text.split_once("\n\n").ok_or(Malformed("no empty line comes before the checkpoint"))?;
        let mut lines = head.split('\n').peekable();
        if lines.next() != Some(FIRST_LINE) {
            return Err(Malformed("the first line is not that of this format and version"));
        }
        let extra = lines.next_if(|line| line.starts_with("extra ")).and_then(|line| line.strip_prefix("extra "));
        let extra = extra.map(|extra| STANDARD.decode(extra)).transpose();
        let extra = extra.map_err(|_| Malformed("the extra data are not base64"))?;
        let index = lines.next().and_then(|line| line.strip_prefix("index ")).and_then(decimal);
        let index = index.ok_or(Malformed("no line tells the index"))?;
        let hashes = lines.take(PROOF_MAX_HASHES + 1).map(hash).collect::<Option<Vec<_>>>();
        let hashes = hashes.ok_or(Malformed("a line of the proof is not a hash in base64"))?;
        if hashes.len() > PROOF_MAX_HASHES {
            return Err(Malformed("it has too many hashes"));
        }
        Ok(Self { extra, index, hashes, checkpoint: checkpoint.to_owned() })
    }

    /// Checks that the log of `key` has the entry: the one that is given, or else the one that the proof carries.
    ///
    /// # Errors
    /// [`TlogProofError`].
    pub fn verify(&self, entry: Option<&[u8]>, key: &VerifierKey) -> Result<Proven, TlogProofError> {
        let entry = match (entry, self.extra.as_deref()) {
            (Some(given), Some(carried)) if given != carried => return Err(TlogProofError::OtherEntry),
            (given, carried) => given.or(carried).ok_or(TlogProofError::NoEntry)?,
        };
        let checkpoint = Checkpoint::verify(self.checkpoint.as_bytes(), key)?;
        verify_inclusion(leaf_hash(entry), self.index, checkpoint.size, &self.hashes, checkpoint.root)?;
        Ok(Proven { entry: entry.to_vec(), index: self.index, checkpoint })
    }
}

/// The text of the file, whose name by custom ends in `.tlog-proof`.
impl fmt::Display for TlogProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{FIRST_LINE}")?;
        if let Some(extra) = &self.extra {
            writeln!(f, "extra {}", STANDARD.encode(extra))?;
        }
        writeln!(f, "index {}", self.index)?;
        for hash in &self.hashes {
            writeln!(f, "{}", STANDARD.encode(hash))?;
        }
        write!(f, "\n{}", self.checkpoint)
    }
}
