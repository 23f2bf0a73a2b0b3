//! What the bureau holds: which datasets there are, what their officers declared about them, and their rows.
//!
//! This crate reads a manifest, checks a file against it, and keeps the rows encrypted, sorted by privacy unit. It
//! hands out DataFusion tables that refuse to be scanned unless the session carries a [`ScanCapability`], which is
//! reachable only through `vault`. It never infers bounds, keys or sizes from rows, never computes an answer, adds no
//! noise and keeps no budget; no error text that it makes carries a cell of a row.
//!
//! Read in this order: [`manifest`] (what an officer declares), [`ingest`] (how a file becomes rows in bounded units,
//! with the `# Privacy obligation` that later bounds rest on), [`catalog`] and [`dataset`] (what is kept and how it
//! is opened), [`provider`] (the guarded table and its scan), [`unit_runs`] (the check that no unit is ever
//! split), [`unit_partitions`] (all units, for a walker elsewhere), [`mod@draft`] (a first manifest for a new file), [`mod@twin`] (synthetic rows from the manifest alone), [`civil`] (days and the calendar).

pub mod catalog;
pub mod civil;
pub mod dataset;
pub mod draft;
pub mod ingest;
pub mod manifest;
pub mod provider;
pub mod public_table;
pub mod twin;
pub mod unit_partitions;
pub mod unit_runs;

mod cells;
mod keys;
mod source;
mod store;

pub use catalog::{Catalog, CatalogError};
pub use dataset::{Dataset, ScanCapability};
pub use draft::{DraftError, draft, draft_called};
pub use ingest::{FootageFault, IngestError, IngestReport, Ingested, PUBLIC_TEXT_MAX_BYTES};
pub use manifest::{
    Appearance, Bounds, Column, ColumnKind, DatasetKind, Days, Declaration, Footage, KeyValue, Keys, Manifest,
    ManifestReport, Problem, PublicManifest, Thresholded,
};
pub use public_table::PublicTable;
pub use twin::{Twin, twin};
pub use unit_partitions::UnitPartition;
pub use unit_runs::{UnitRun, UnitRunStream, UnitRuns, UnitRunsError};

/// The column that every stored table ends with: 16 bytes of a keyed hash of the unit columns; of footage, the number of the
/// chunk. Rows are sorted by it.
///
/// The name begins with `_`, so that no declared column can have it.
pub const UNIT_COLUMN: &str = "__gb_unit";

/// How many bytes a unit has in [`UNIT_COLUMN`].
pub const UNIT_BYTES: usize = 16;
