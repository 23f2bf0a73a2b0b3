//! What an auditor checks without server and account: an exported log, one entry's proof, two checkpoints.
//!
//! All that is trusted is the verifier key, which must come from elsewhere than the files. What stands here and what does
//! not: `verify_directory` shows that the directory is one log, whole and in order, whose head the key signed. That the
//! same key has not signed another log for someone else shows only when checkpoints of different readers are compared.

use std::io;
use std::path::Path;

use super::checkpoint::{Checkpoint, CheckpointError};
use super::entry::verify_entry;
use super::export::{CHECKPOINT_FILE, KEY_FILE, read_file};
use super::note::{NOTE_MAX_BYTES, VerifierKey};
use super::proof::{Hash, verify_consistency};
use super::tile::{BUNDLE_MAX_BYTES, FULL_WIDTH, TILE_HEIGHT, Tile, TileKind, decode_bundle, decode_hashes};
use super::tlog_proof::{Proven, TlogProof, TlogProofError};
use crate::tree::{Frontier, leaf_hash};

/// A full tile, in bytes.
const TILE_MAX_BYTES: usize = FULL_WIDTH as usize * 32;

/// What is wrong with a file of a log.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// It is missing, too large or cannot be read.
    #[error("it cannot be read: {0}")]
    Read(#[source] io::Error),
    /// It is no checkpoint that the key signed.
    #[error(transparent)]
    Checkpoint(CheckpointError),
    /// It holds another verifier key than the one that was given.
    #[error("it does not hold the verifier key that was given")]
    OtherKey,
    /// It has more or fewer entries or hashes than the checkpoint asks for.
    #[error("it does not have exactly `{0}` entries or hashes")]
    Width(u16),
    /// An entry is not what its hash says.
    #[error("entry `{seq}` is not the one whose hash `{tile}` holds")]
    Leaf {
        /// The number of the entry.
        seq: u64,
        /// The tile with its hash.
        tile: Tile,
    },
    /// An entry has not the form of one, or does not follow from those before it.
    #[error("entry `{seq}` does not stand: {what}")]
    Entry {
        /// The number of the entry.
        seq: u64,
        /// What is wrong with it.
        what: &'static str,
    },
    /// Its hashes are not those of the entries.
    #[error("its hashes are not those of the entries below it")]
    Hashes,
    /// The signed root is not that of the entries.
    #[error("its root is not that of the entries")]
    Root,
    /// The log has fewer entries than this earlier checkpoint.
    #[error("it tells of `{earlier}` entries and the log has only `{now}`")]
    Shrunk {
        /// The size of the earlier checkpoint.
        earlier: u64,
        /// The size of the log.
        now: u64,
    },
    /// The log is not a continuation of the one of this earlier checkpoint.
    #[error("its root is not that of the log at this size: the log was rewritten")]
    Rewritten,
    /// It does not belong to a log of the checkpoint's size.
    #[error("it is not part of the log")]
    Unexpected,
}

/// A file of a log and what is wrong with it.
#[derive(Debug, thiserror::Error)]
#[error("`{file}`: {what}")]
pub struct LogFault {
    /// The file, below the log's directory; of an earlier checkpoint the path that was given.
    pub file: String,
    /// What is wrong with it.
    #[source]
    pub what: Fault,
}

fn fault(file: impl ToString, what: Fault) -> LogFault {
    LogFault { file: file.to_string(), what }
}

/// Checks the exported log in `dir`: the signature of its head by `key`, every entry against its hash, number and
/// predecessors, every tile, the root, that nothing is missing and nothing foreign is there; and, if `earlier` names the
/// file of a checkpoint of before, that the log continues that one. `log.vkey` may be missing. Takes time in proportion to
/// the log and memory for one bundle.
///
/// # Errors
/// [`LogFault`] with the first file that is wrong.
pub fn verify_directory(dir: &Path, key: &VerifierKey, earlier: Option<&Path>) -> Result<Checkpoint, LogFault> {
    let head = read_checkpoint(dir, CHECKPOINT_FILE, key)?;
    match read_file(dir, KEY_FILE, NOTE_MAX_BYTES) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(fault(KEY_FILE, Fault::Read(error))),
        Ok(bytes) if bytes == format!("{key}\n").as_bytes() => {}
        Ok(_) => return Err(fault(KEY_FILE, Fault::OtherKey)),
    }
    let earlier = match earlier {
        Some(path) => Some(read_earlier(path, key, head.size)?),
        None => None,
    };
    refuse_foreign_files(dir, "", head.size)?;
    let mut tree = Rebuilt { dir, frontier: Frontier::default(), above: Vec::new() };
    tree.meet(earlier.as_ref())?;
    for bundle in Tile::all_of(head.size).take_while(|tile| tile.kind() == TileKind::Entries) {
        tree.read_bundle(&bundle, earlier.as_ref())?;
    }
    tree.end()?;
    if tree.frontier.root() == head.root { Ok(head) } else { Err(fault(CHECKPOINT_FILE, Fault::Root)) }
}

/// Checks one entry's proof: that the log of `key` has the entry that is given, or else the one that the proof carries.
///
/// # Errors
/// [`TlogProofError`].
pub fn verify_proof(proof: &[u8], entry: Option<&[u8]>, key: &VerifierKey) -> Result<Proven, TlogProofError> {
    TlogProof::parse(proof)?.verify(entry, key)
}

/// Checks that the log under the signed checkpoint `new` continues that under `old`, and gives the two, old first.
///
/// # Errors
/// [`TlogProofError`]; either checkpoint or the proof does not stand.
pub fn verify_growth(
    old: &[u8],
    new: &[u8],
    proof: &[Hash],
    key: &VerifierKey,
) -> Result<(Checkpoint, Checkpoint), TlogProofError> {
    let (old, new) = (Checkpoint::verify(old, key)?, Checkpoint::verify(new, key)?);
    verify_consistency(old.size, old.root, new.size, new.root, proof)?;
    Ok((old, new))
}

fn read_checkpoint(dir: &Path, name: &str, key: &VerifierKey) -> Result<Checkpoint, LogFault> {
    let note = read_file(dir, name, NOTE_MAX_BYTES).map_err(|error| fault(name, Fault::Read(error)))?;
    Checkpoint::verify(&note, key).map_err(|error| fault(name, Fault::Checkpoint(error)))
}

/// An earlier checkpoint and the file that it came from.
struct Earlier {
    file: String,
    head: Checkpoint,
}

fn read_earlier(path: &Path, key: &VerifierKey, now: u64) -> Result<Earlier, LogFault> {
    let file = path.display().to_string();
    let head = read_checkpoint(Path::new(""), &file, key)?;
    if head.size > now {
        Err(fault(file, Fault::Shrunk { earlier: head.size, now }))
    } else {
        Ok(Earlier { file, head })
    }
}

/// Refuses whatever a log of `size` entries does not consist of, so that nobody takes it for a part of the log.
fn refuse_foreign_files(dir: &Path, below: &str, size: u64) -> Result<(), LogFault> {
    let unreadable = |error| fault(if below.is_empty() { "." } else { below }, Fault::Read(error));
    for found in std::fs::read_dir(dir.join(below)).map_err(unreadable)? {
        let found = found.map_err(unreadable)?;
        let name = found.file_name().to_string_lossy().into_owned();
        let path = if below.is_empty() { name } else { format!("{below}/{name}") };
        let kind = found.file_type().map_err(|error| fault(&path, Fault::Read(error)))?;
        let known =
            || path == CHECKPOINT_FILE || path == KEY_FILE || Tile::from_path(&path).is_some_and(|t| t.is_of(size));
        if kind.is_dir() {
            refuse_foreign_files(dir, &path, size)?;
        } else if !kind.is_file() || !known() {
            return Err(fault(path, Fault::Unexpected));
        }
    }
    Ok(())
}

/// The tree as it grows again from the entries.
struct Rebuilt<'a> {
    dir: &'a Path,
    frontier: Frontier,
    /// Of each tile level from 1 upwards: the hashes of the tile that is not yet full.
    above: Vec<Level>,
}

/// The growing tile of one level.
#[derive(Default)]
struct Level {
    index: u64,
    hashes: Vec<Hash>,
}

impl Rebuilt<'_> {
    /// Checks a bundle and the tile of level 0 over it.
    fn read_bundle(&mut self, bundle: &Tile, earlier: Option<&Earlier>) -> Result<(), LogFault> {
        let bytes = read_file(self.dir, &bundle.to_string(), BUNDLE_MAX_BYTES);
        let bytes = bytes.map_err(|error| fault(bundle, Fault::Read(error)))?;
        let entries = decode_bundle(&bytes).filter(|entries| entries.len() == usize::from(bundle.width()));
        let entries = entries.ok_or_else(|| fault(bundle, Fault::Width(bundle.width())))?;
        let Some(tile) = Tile::hashes(0, bundle.index(), bundle.width()) else { return Ok(()) };
        let leaves = self.read_tile(&tile)?;
        for (entry, stored) in entries.into_iter().zip(&leaves) {
            let seq = self.frontier.size();
            if leaf_hash(entry) != *stored {
                return Err(fault(bundle, Fault::Leaf { seq, tile }));
            }
            let leaf = verify_entry(&self.frontier, entry);
            let leaf = leaf.map_err(|what| fault(bundle, Fault::Entry { seq, what }))?;
            let nodes = self.frontier.push(leaf);
            // Node level 8 is number 7 of those above the leaf, and so on.
            let height = usize::from(TILE_HEIGHT);
            for (above, node) in nodes.into_iter().skip(height - 1).step_by(height).enumerate() {
                self.rise(above, node)?;
            }
            self.meet(earlier)?;
        }
        Ok(())
    }

    /// Adds a hash to the tile that grows on the level `above` (0 is tile level 1), and checks the tile once it is full.
    fn rise(&mut self, above: usize, node: Hash) -> Result<(), LogFault> {
        if self.above.len() == above {
            self.above.push(Level::default());
        }
        let Some(level) = self.above.get_mut(above) else { return Ok(()) };
        level.hashes.push(node);
        if level.hashes.len() == usize::from(FULL_WIDTH) {
            let full = Level { index: level.index, hashes: std::mem::take(&mut level.hashes) };
            level.index += 1;
            self.check_tile(above, &full)?;
        }
        Ok(())
    }

    /// Checks the partial tiles at the right edge.
    fn end(&mut self) -> Result<(), LogFault> {
        let partial = std::mem::take(&mut self.above);
        partial.iter().enumerate().try_for_each(|(above, level)| self.check_tile(above, level))
    }

    fn check_tile(&self, above: usize, level: &Level) -> Result<(), LogFault> {
        let tile_level = u8::try_from(above + 1).unwrap_or(u8::MAX);
        let width = u16::try_from(level.hashes.len()).unwrap_or(u16::MAX);
        // A level whose last tile is full has no partial one, and no tile is of width 0.
        let Some(tile) = Tile::hashes(tile_level, level.index, width) else { return Ok(()) };
        if self.read_tile(&tile)? == level.hashes { Ok(()) } else { Err(fault(tile, Fault::Hashes)) }
    }

    fn read_tile(&self, tile: &Tile) -> Result<Vec<Hash>, LogFault> {
        let bytes = read_file(self.dir, &tile.to_string(), TILE_MAX_BYTES);
        let bytes = bytes.map_err(|error| fault(tile, Fault::Read(error)))?;
        let hashes = decode_hashes(&bytes).filter(|hashes| hashes.len() == usize::from(tile.width()));
        hashes.map(<[Hash]>::to_vec).ok_or_else(|| fault(tile, Fault::Width(tile.width())))
    }

    /// Compares the tree with an earlier checkpoint when it is of its size.
    fn meet(&self, earlier: Option<&Earlier>) -> Result<(), LogFault> {
        match earlier {
            Some(Earlier { file, head }) if head.size == self.frontier.size() && head.root != self.frontier.root() => {
                Err(fault(file, Fault::Rewritten))
            }
            _ => Ok(()),
        }
    }
}
