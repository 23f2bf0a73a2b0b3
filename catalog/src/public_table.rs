//! A public table: rows that an officer registered as holding nothing about anybody.
//!
//! Its rows may be shown to everybody, so no capability guards them; they are encrypted at rest like all others. What keeps
//! private rows out is [`crate::Catalog::add_public`], which refuses content that is registered in a budget domain.

use std::fmt;
use std::fs::File;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use arrow::compute::concat_batches;
use arrow::record_batch::RecordBatch;
use glovebox_policy::{Digest, SnapshotId};
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ParquetRecordBatchReaderBuilder};

use crate::manifest::PublicManifest;
use crate::store::{ContentMarks, Opened, StoreError, io_error};

/// One immutable state of a public table.
pub struct PublicTable {
    manifest: PublicManifest,
    digest: Digest,
    snapshot: SnapshotId,
    content: ContentMarks,
    path: Box<Path>,
    footer: ArrowReaderMetadata,
    /// The rows, once they were asked for.
    rows: Mutex<Option<RecordBatch>>,
}

impl PublicTable {
    pub(crate) fn new(manifest: PublicManifest, opened: Opened) -> Self {
        let Opened { snapshot, data, footer } = opened;
        Self {
            digest: manifest.digest(),
            manifest,
            snapshot: snapshot.snapshot,
            content: snapshot.content,
            path: data.into(),
            footer,
            rows: Mutex::default(),
        }
    }

    /// What the officer declared.
    pub fn manifest(&self) -> &PublicManifest {
        &self.manifest
    }

    /// The digest of the manifest's canonical form.
    pub fn manifest_digest(&self) -> Digest {
        self.digest
    }

    /// The random id of this state of the rows.
    pub fn snapshot(&self) -> &SnapshotId {
        &self.snapshot
    }

    /// All rows, in the order of the file; read once and kept. Blocks on the disk at first.
    ///
    /// # Errors
    /// When the stored rows cannot be read.
    pub fn rows(&self) -> Result<RecordBatch, StoreError> {
        let mut kept = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(rows) = kept.as_ref() {
            return Ok(rows.clone());
        }
        let rows = self.read()?;
        *kept = Some(rows.clone());
        Ok(rows)
    }

    fn read(&self) -> Result<RecordBatch, StoreError> {
        let damaged = || StoreError::Damaged(self.path.display().to_string());
        let file = File::open(&self.path).map_err(io_error(&self.path))?;
        let reader = ParquetRecordBatchReaderBuilder::new_with_metadata(file, self.footer.clone());
        let batches = reader.build().map_err(|_| damaged())?.collect::<Result<Vec<_>, _>>().map_err(|_| damaged())?;
        concat_batches(&self.manifest.arrow_schema(), &batches).map_err(|_| damaged())
    }

    pub(crate) fn content(&self) -> &ContentMarks {
        &self.content
    }
}

impl fmt::Debug for PublicTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicTable({} at {})", self.manifest.name(), self.snapshot)
    }
}
