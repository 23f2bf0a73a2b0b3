//! A dataset on disk: `manifest.toml`, `snapshot.json` and the encrypted `data.parquet`, all or nothing.
//!
//! Everything is written into a folder with a temporary name, synced, and renamed, so that a crash leaves either no
//! dataset or a whole one. `snapshot.json` is authenticated together with the manifest's digest, because both are
//! additional data of the wrapped key: an altered bound makes the dataset fail to open.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use glovebox_policy::{DatasetName, Digest, SnapshotId};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use parquet::basic::{Compression, ZstdLevel};
use parquet::encryption::decrypt::FileDecryptionProperties;
use parquet::encryption::encrypt::FileEncryptionProperties;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;
use serde::{Deserialize, Serialize};

use crate::UNIT_COLUMN;
use crate::keys::{DataKey, KeyError, MasterKey, WrappedKey};
use crate::manifest::{Declaration, PIXELS};

const FORMAT: u32 = 1;
const MANIFEST_FILE: &str = "manifest.toml";
const SNAPSHOT_FILE: &str = "snapshot.json";
const DATA_FILE: &str = "data.parquet";

/// Rows of a page.
const PAGE_ROWS: usize = 8_192;

/// Names of folders that are being written begin with this. No dataset name can.
const UNFINISHED: &str = ".unfinished-";

/// What goes wrong between this crate and the disk. For operators and officers; quotes no row.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The operating system refused.
    #[error("`{path}` cannot be used: {source}")]
    Io {
        /// The file or folder.
        path: String,
        /// What the operating system says.
        source: std::io::Error,
    },
    /// A key does not fit or cannot be had.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A stored file is not what this version wrote.
    #[error("`{0}` is damaged, or was written by another version")]
    Damaged(String),
    /// The Parquet library could not write.
    #[error("the rows cannot be written")]
    Write,
    /// Who was to be told before the table appears did not take it.
    #[error("the table was not registered")]
    Unannounced,
}

pub(crate) fn io_error(path: &Path) -> impl FnOnce(std::io::Error) -> StoreError {
    let path = path.display().to_string();
    |source| StoreError::Io { path, source }
}

/// Keyed hashes by which content is recognised when it comes again. They say nothing without the master key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ContentMarks {
    /// Over the bytes of the file.
    pub(crate) file: String,
    /// Over the set of rows, whatever their order.
    pub(crate) rows: String,
}

impl ContentMarks {
    /// Whether both are of the same bytes, or of the same rows.
    pub(crate) fn is_of(&self, other: &Self) -> bool {
        self.file == other.file || self.rows == other.rows
    }
}

/// What is known of a stored state besides its manifest.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Snapshot {
    format: u32,
    dataset: DatasetName,
    pub(crate) snapshot: SnapshotId,
    manifest: Digest,
    pub(crate) content: ContentMarks,
    key: WrappedKey,
}

impl Snapshot {
    fn aad(dataset: &DatasetName, snapshot: &SnapshotId, manifest: Digest, content: &ContentMarks) -> Vec<u8> {
        format!("{FORMAT}\0{dataset}\0{snapshot}\0{manifest}\0{}\0{}", content.file, content.rows).into_bytes()
    }
}

fn file_aad(dataset: &DatasetName, snapshot: &SnapshotId) -> Vec<u8> {
    format!("{dataset}\0{snapshot}").into_bytes()
}

/// A dataset as it lies on disk, with what was declared of it.
pub(crate) struct Stored {
    pub(crate) declared: Declaration,
    pub(crate) opened: Opened,
}

/// An opened dataset.
pub(crate) struct Opened {
    pub(crate) snapshot: Snapshot,
    pub(crate) data: PathBuf,
    /// The decrypted footer, with what decrypts the pages.
    pub(crate) footer: ArrowReaderMetadata,
}

/// The rows in their final order, one batch per row group; each batch ends where a unit ends.
pub(crate) trait RowGroups {
    /// The next row group.
    fn next_group(&mut self) -> Option<Result<RecordBatch, StoreError>>;
}

/// Writes a dataset so that it appears at once and whole, and opens it. `announce` is called when all is written and nothing
/// has appeared; what it refuses does not appear.
pub(crate) fn write(
    dir: &Path,
    master: &MasterKey,
    manifest: &Declaration,
    content: ContentMarks,
    groups: &mut dyn RowGroups,
    announce: &mut dyn FnMut(&SnapshotId) -> Result<(), StoreError>,
) -> Result<Stored, StoreError> {
    let id = SnapshotId::from_random(crate::keys::random()?);
    let key = DataKey::generate()?;
    let digest = manifest.digest();
    let wrapped = master.wrap(&key, &Snapshot::aad(manifest.name(), &id, digest, &content))?;
    let snapshot = Snapshot {
        format: FORMAT,
        dataset: manifest.name().clone(),
        snapshot: id.clone(),
        manifest: digest,
        content,
        key: wrapped,
    };
    let unfinished = dir.join(format!("{UNFINISHED}{id}"));
    let written = write_files(&unfinished, manifest, &snapshot, &key, groups).and_then(|()| {
        announce(&id)?;
        let target = dir.join(manifest.name().to_string());
        fs::rename(&unfinished, &target).map_err(io_error(&target))?;
        sync_dir(dir)?;
        Ok(target)
    });
    match written {
        Ok(target) => open(&target, master),
        Err(error) => {
            // The folder is swept at the next start if it cannot be removed now; the first error is the one to tell.
            let _ = fs::remove_dir_all(&unfinished);
            Err(error)
        }
    }
}

fn write_files(
    folder: &Path,
    manifest: &Declaration,
    snapshot: &Snapshot,
    key: &DataKey,
    groups: &mut dyn RowGroups,
) -> Result<(), StoreError> {
    fs::create_dir(folder).map_err(io_error(folder))?;
    write_file(&folder.join(MANIFEST_FILE), manifest.to_toml().as_bytes())?;
    let json = serde_json::to_vec_pretty(snapshot).map_err(|_| StoreError::Write)?;
    write_file(&folder.join(SNAPSHOT_FILE), &json)?;
    let path = folder.join(DATA_FILE);
    let file = File::create_new(&path).map_err(io_error(&path))?;
    write_rows(&file, &manifest.arrow_schema(), writer_properties(manifest, snapshot, key)?, groups)?;
    file.sync_all().map_err(io_error(&path))?;
    sync_dir(folder)
}

fn write_rows(
    file: &File,
    schema: &SchemaRef,
    properties: WriterProperties,
    groups: &mut dyn RowGroups,
) -> Result<(), StoreError> {
    let mut writer = ArrowWriter::try_new(file, Arc::clone(schema), Some(properties)).map_err(|_| StoreError::Write)?;
    while let Some(batch) = groups.next_group() {
        writer.write(&batch?).and_then(|()| writer.flush()).map_err(|_| StoreError::Write)?;
    }
    writer.close().map_err(|_| StoreError::Write)?;
    Ok(())
}

fn writer_properties(
    manifest: &Declaration,
    snapshot: &Snapshot,
    key: &DataKey,
) -> Result<WriterProperties, StoreError> {
    let encryption = FileEncryptionProperties::builder(key.bytes())
        .with_aad_prefix(file_aad(&snapshot.dataset, &snapshot.snapshot))
        .build()
        .map_err(|_| StoreError::Write)?;
    let level = ZstdLevel::try_new(3).map_err(|_| StoreError::Write)?;
    // Hashes are like chance: only where they repeat can they be made smaller.
    let of_units = if manifest.has_one_row_per_unit() { Compression::UNCOMPRESSED } else { Compression::SNAPPY };
    Ok(WriterProperties::builder()
        // Dictionaries have made most columns small; what a stronger code would still save, every question would pay for.
        .set_compression(Compression::SNAPPY)
        .set_column_compression(ColumnPath::from(PIXELS), Compression::ZSTD(level))
        .set_column_compression(ColumnPath::from(UNIT_COLUMN), of_units)
        // Pages of units are then buffers that the allocator keeps, instead of giving them back to the system each time.
        .set_data_page_row_count_limit(PAGE_ROWS)
        // Row groups end where units end, which only the caller knows.
        .set_max_row_group_row_count(None)
        // A dictionary of frames would hold every frame once, and be looked through for each.
        .set_column_dictionary_enabled(ColumnPath::from(PIXELS), false)
        // Nothing may be answered from statistics, so none are kept.
        .set_statistics_enabled(EnabledStatistics::None)
        .with_file_encryption_properties(encryption)
        .build())
}

pub(crate) fn write_file(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let mut file = File::create_new(path).map_err(io_error(path))?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(io_error(path))
}

pub(crate) fn sync_dir(dir: &Path) -> Result<(), StoreError> {
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(io_error(dir))
}

/// Opens one dataset folder.
pub(crate) fn open(folder: &Path, master: &MasterKey) -> Result<Stored, StoreError> {
    let read = |name: &str| {
        let path = folder.join(name);
        fs::read(&path).map_err(io_error(&path))
    };
    let damaged = |name: &str| StoreError::Damaged(folder.join(name).display().to_string());
    let snapshot: Snapshot = serde_json::from_slice(&read(SNAPSHOT_FILE)?).map_err(|_| damaged(SNAPSHOT_FILE))?;
    let text = String::from_utf8(read(MANIFEST_FILE)?).map_err(|_| damaged(MANIFEST_FILE))?;
    let declared = Declaration::parse(&text).map_err(|_| damaged(MANIFEST_FILE))?;
    let named = folder.file_name().and_then(|name| name.to_str()) == Some(declared.name().to_string().as_str());
    if snapshot.format != FORMAT || snapshot.dataset != *declared.name() || !named {
        return Err(damaged(SNAPSHOT_FILE));
    }
    // The digest is computed from the manifest as it lies there, so that an altered one cannot be opened.
    let aad = Snapshot::aad(declared.name(), &snapshot.snapshot, declared.digest(), &snapshot.content);
    let key = master.unwrap(&snapshot.key, &aad)?;
    let data = folder.join(DATA_FILE);
    let footer = read_footer(&data, &snapshot, &key, &declared.arrow_schema())?;
    Ok(Stored { declared, opened: Opened { snapshot, data, footer } })
}

fn read_footer(
    path: &Path,
    snapshot: &Snapshot,
    key: &DataKey,
    schema: &SchemaRef,
) -> Result<ArrowReaderMetadata, StoreError> {
    let damaged = || StoreError::Damaged(path.display().to_string());
    let file = File::open(path).map_err(io_error(path))?;
    let decryption = FileDecryptionProperties::builder(key.bytes())
        .with_aad_prefix(file_aad(&snapshot.dataset, &snapshot.snapshot))
        .build()
        .map_err(|_| damaged())?;
    let options = ArrowReaderOptions::new().with_file_decryption_properties(decryption);
    let footer = ArrowReaderMetadata::load(&file, options).map_err(|_| damaged())?;
    if footer.schema().fields() != schema.fields() { Err(damaged()) } else { Ok(footer) }
}

/// All dataset folders, after sweeping what an interrupted write left.
pub(crate) fn folders(dir: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let mut out = Vec::new();
    for entry in fs::read_dir(dir).map_err(io_error(dir))? {
        let path = entry.map_err(io_error(dir))?.path();
        if !path.is_dir() {
            continue;
        }
        let unfinished = path.file_name().and_then(|name| name.to_str()).is_some_and(|n| n.starts_with(UNFINISHED));
        if unfinished {
            fs::remove_dir_all(&path).map_err(io_error(&path))?;
        } else {
            out.push(path);
        }
    }
    out.sort();
    Ok(out)
}
