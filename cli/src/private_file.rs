//! Files that only their owner can read: keys and tokens.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use anyhow::Context as _;

use crate::failure::Failure;

/// Makes a new, empty file with mode 0600; one that is there is left alone.
///
/// # Errors
/// If there is one, or the disk refuses.
pub(crate) fn create(path: &Path) -> Result<File, Failure> {
    let opened = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    Ok(opened.with_context(|| format!("`{}` cannot be made", path.display()))?)
}

/// Fills a file that [`create`] made.
///
/// # Errors
/// When the disk refuses.
pub(crate) fn fill(mut file: File, path: &Path, content: impl AsRef<[u8]>) -> Result<(), Failure> {
    let written = file.write_all(content.as_ref()).and_then(|()| file.sync_all());
    Ok(written.with_context(|| format!("`{}` cannot be written", path.display()))?)
}

/// Makes a new file that is nobody's secret, and fills it; one that is there is left alone.
///
/// # Errors
/// If there is one, or the disk refuses.
pub(crate) fn write_new_public(path: &Path, content: impl AsRef<[u8]>) -> Result<(), Failure> {
    let opened = OpenOptions::new().write(true).create_new(true).open(path);
    let file = opened.with_context(|| format!("`{}` cannot be made", path.display()))?;
    fill(file, path, content)
}
