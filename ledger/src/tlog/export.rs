//! A log as a directory of static files, laid out as <https://c2sp.org/tlog-tiles> serves it.
//!
//! `checkpoint`, `tile/<level>/…`, `tile/entries/…` and, beside what the specification names, `log.vkey` with the verifier
//! key. The files of one log at one size are the same bytes whoever writes them and whenever.

use std::fs;
use std::io::{self, Read as _};
use std::path::Path;

use super::checkpoint::{Checkpoint, CheckpointError};
use super::note::VerifierKey;
use super::tile::Tile;

/// The signed head of the log.
pub const CHECKPOINT_FILE: &str = "checkpoint";

/// The verifier key and a newline. For convenience: a reader must have the key from elsewhere to believe anything.
pub const KEY_FILE: &str = "log.vkey";

/// Why a log was not written out.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// There is something in the directory already.
    #[error("the directory `{0}` is not empty")]
    NotEmpty(String),
    /// A file or directory cannot be written.
    #[error("`{path}` cannot be written")]
    File {
        /// The file.
        path: String,
        /// What the operating system says.
        source: io::Error,
    },
    /// The checkpoint is not one of the key.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The log itself cannot be read.
    #[error("the log cannot be read")]
    Source(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Writes the log under `checkpoint` into `dir`, which is made if need be and must be empty. `bytes_of` gives the bytes of a
/// tile. The checkpoint comes last, so that an export that was cut off does not look like a whole one.
///
/// # Errors
/// [`ExportError`].
pub fn write<E: Into<Box<dyn std::error::Error + Send + Sync>>>(
    dir: &Path,
    checkpoint: &str,
    key: &VerifierKey,
    bytes_of: &mut impl FnMut(&Tile) -> Result<Vec<u8>, E>,
) -> Result<Checkpoint, ExportError> {
    let head = Checkpoint::verify(checkpoint.as_bytes(), key)?;
    let failed = |source| ExportError::File { path: dir.display().to_string(), source };
    fs::create_dir_all(dir).map_err(failed)?;
    if fs::read_dir(dir).map_err(failed)?.next().is_some() {
        return Err(ExportError::NotEmpty(dir.display().to_string()));
    }
    for tile in Tile::all_of(head.size) {
        let bytes = bytes_of(&tile).map_err(|error| ExportError::Source(error.into()))?;
        write_file(dir, &tile.to_string(), &bytes)?;
    }
    write_file(dir, KEY_FILE, format!("{key}\n").as_bytes())?;
    write_file(dir, CHECKPOINT_FILE, checkpoint.as_bytes())?;
    Ok(head)
}

fn write_file(dir: &Path, name: &str, bytes: &[u8]) -> Result<(), ExportError> {
    let path = dir.join(name);
    let failed = |source| ExportError::File { path: path.display().to_string(), source };
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(failed)?;
    }
    fs::write(&path, bytes).map_err(failed)
}

/// Reads the file `name` of a log's directory, which may have `max` bytes.
///
/// # Errors
/// If it cannot be read or is larger.
pub fn read_file(dir: &Path, name: &str, max: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let limit = u64::try_from(max).unwrap_or(u64::MAX).saturating_add(1);
    fs::File::open(dir.join(name))?.take(limit).read_to_end(&mut bytes)?;
    if bytes.len() > max {
        Err(io::Error::new(io::ErrorKind::FileTooLarge, "the file is too large"))
    } else {
        Ok(bytes)
    }
}
