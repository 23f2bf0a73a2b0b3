//! A public table: rows that an officer registered as holding nothing about anybody.
//!
//! Its rows may be shown to everybody, so no capability guards them; they are encrypted at rest like all others. What keeps
//! private rows out is [`crate::Catalog::add_public`], which refuses content that is registered in a budget domain.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs::File;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use arrow::array::AsArray as _;
use arrow::compute::concat_batches;
use arrow::datatypes::Int64Type;
use arrow::record_batch::RecordBatch;
use glovebox_policy::{Digest, SnapshotId};
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ParquetRecordBatchReaderBuilder};

use crate::manifest::{ColumnKind, KeyValue, MAX_KEYS, PublicManifest};
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
    /// The values of columns, once they were asked for.
    distinct: Mutex<BTreeMap<String, Option<Vec<KeyValue>>>>,
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
            distinct: Mutex::default(),
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

    /// The values of an `int`, `text` or `bool` column, sorted, without NULL; `None` for other kinds, and when there are more than
    /// [`MAX_KEYS`]. Found once and kept.
    ///
    /// # Errors
    /// As [`PublicTable::rows`].
    pub fn distinct(&self, column: &str) -> Result<Option<Vec<KeyValue>>, StoreError> {
        if let Some(known) = self.distinct.lock().unwrap_or_else(PoisonError::into_inner).get(column) {
            return Ok(known.clone());
        }
        let rows = self.rows()?;
        let kind = self.manifest.column(column).map(|column| column.kind);
        let found = kind.zip(rows.column_by_name(column)).and_then(|(kind, cells)| match kind {
            ColumnKind::Int => few(cells.as_primitive_opt::<Int64Type>()?.iter().flatten(), KeyValue::Int),
            ColumnKind::Bool => few(cells.as_boolean_opt()?.iter().flatten(), KeyValue::Bool),
            ColumnKind::Text => {
                few(cells.as_string_opt::<i32>()?.iter().flatten(), |text| KeyValue::Text(text.to_owned()))
            }
            ColumnKind::Float | ColumnKind::Date | ColumnKind::Timestamp | ColumnKind::Bytes => None,
        });
        let mut kept = self.distinct.lock().unwrap_or_else(PoisonError::into_inner);
        kept.insert(column.to_owned(), found.clone());
        Ok(found)
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

/// The different values, if they are few enough for a key list.
fn few<T: Ord>(cells: impl Iterator<Item = T>, key: impl Fn(T) -> KeyValue) -> Option<Vec<KeyValue>> {
    let mut found = BTreeSet::new();
    for cell in cells {
        found.insert(cell);
        if found.len() > MAX_KEYS {
            return None;
        }
    }
    Some(found.into_iter().map(key).collect())
}

impl fmt::Debug for PublicTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicTable({} at {})", self.manifest.name(), self.snapshot)
    }
}
