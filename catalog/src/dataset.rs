//! One registered dataset, and the capability to scan it.

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arrow::datatypes::SchemaRef;
use datafusion::catalog::TableProvider;
use datafusion::prelude::SessionConfig;
use glovebox_policy::{Digest, SnapshotId};
use glovebox_vault::{Expose, Protected};
use parquet::arrow::arrow_reader::ArrowReaderMetadata;

use crate::manifest::Manifest;
use crate::provider::UnitTable;
use crate::store::{ContentMarks, Opened};

/// One immutable state of a dataset: what was declared about it, and a door to its rows.
pub struct Dataset {
    manifest: Manifest,
    digest: Digest,
    schema: SchemaRef,
    content: ContentMarks,
    source: Arc<RowSource>,
}

impl Dataset {
    pub(crate) fn new(manifest: Manifest, opened: Opened) -> Self {
        let Opened { snapshot, data, footer } = opened;
        let schema = manifest.arrow_schema();
        let in_order = AtomicBool::new(false);
        let source = RowSource { snapshot: snapshot.snapshot, path: data.into(), footer, in_order };
        Self { digest: manifest.digest(), manifest, schema, content: snapshot.content, source: Arc::new(source) }
    }

    /// What the officer declared. Public.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The digest of the manifest's canonical form. Public.
    pub fn manifest_digest(&self) -> Digest {
        self.digest
    }

    /// The random id of this state of the rows. Public.
    pub fn snapshot(&self) -> &SnapshotId {
        &self.source.snapshot
    }

    /// The schema that queries see: the stored columns, then [`crate::UNIT_COLUMN`].
    pub fn arrow_schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    /// The table for DataFusion. It can be planned against by anybody and scanned by nobody whose session was not given
    /// the [`ScanCapability`] of this dataset.
    pub fn provider(&self) -> Arc<dyn TableProvider> {
        Arc::new(UnitTable::new(Arc::clone(&self.source), self.arrow_schema()))
    }

    /// What a session needs to scan [`Dataset::provider`]. Only crates that depend on `vault` can take it out.
    pub fn capability(&self) -> Protected<ScanCapability> {
        Protected::seal(ScanCapability { snapshot: self.source.snapshot.clone() })
    }

    /// Whether a walk over all rows of this state has found every unit in one place; see [`Dataset::note_in_order`].
    pub fn is_in_order(&self) -> bool {
        self.source.in_order.load(Ordering::Relaxed)
    }

    /// Notes that a walk over all rows has found every unit in one place, by [`crate::UnitRuns`] to the end of every partition.
    ///
    /// # Privacy obligation
    /// Bounds rest on all rows of a unit being bounded together. What was once found of a state holds for as long as it is open: its
    /// rows are written once, under a key of its own that nothing else is written with, and every page is
    /// authenticated with its place when it is read. So a later walk need not read units in order to find that again. Whether one did depends
    /// on which questions came before, never on rows.
    pub fn note_in_order(&self) {
        self.source.in_order.store(true, Ordering::Relaxed);
    }

    pub(crate) fn content(&self) -> &ContentMarks {
        &self.content
    }
}

impl fmt::Debug for Dataset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Dataset({} at {})", self.manifest.name(), self.source.snapshot)
    }
}

/// Where the encrypted rows of a dataset are, with what decrypts them.
pub(crate) struct RowSource {
    pub(crate) snapshot: SnapshotId,
    pub(crate) path: Box<Path>,
    pub(crate) footer: ArrowReaderMetadata,
    /// Whether every unit was found in one place.
    pub(crate) in_order: AtomicBool,
}

impl fmt::Debug for RowSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RowSource({})", self.snapshot)
    }
}

/// The right to scan one state of one dataset, given to a session by [`ScanCapability::install`].
///
/// It has no public constructor and is not `Clone`; [`Dataset::capability`] hands it out sealed:
///
/// ```compile_fail,E0308
/// fn leak(dataset: &glovebox_catalog::Dataset) -> glovebox_catalog::ScanCapability {
///     dataset.capability() // `Protected<ScanCapability>` is not a `ScanCapability`
/// }
/// ```
#[must_use = "a capability does nothing until it is installed in a session"]
pub struct ScanCapability {
    snapshot: SnapshotId,
}

impl ScanCapability {
    /// Adds the right to the configuration of a session. Sessions that have it must stay inside the pipeline.
    pub fn install(self, config: SessionConfig) -> SessionConfig {
        let mut grants = config.get_extension::<ScanGrants>().map_or_else(ScanGrants::default, |held| (*held).clone());
        grants.snapshots.insert(self.snapshot);
        config.with_extension(Arc::new(grants))
    }
}

impl fmt::Debug for ScanCapability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ScanCapability(…)")
    }
}

/// The extension that a session carries. The type is private to this crate, so nobody else can make one.
#[derive(Debug, Clone, Default)]
pub(crate) struct ScanGrants {
    snapshots: BTreeSet<SnapshotId>,
}

impl ScanGrants {
    /// Whether the session may scan this state.
    pub(crate) fn allow(config: &SessionConfig, snapshot: &SnapshotId) -> bool {
        config.get_extension::<Self>().is_some_and(|held| held.snapshots.contains(snapshot))
    }
}
