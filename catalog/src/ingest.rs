//! A file into bounded, sorted rows, or a complete list of why not.
//!
//! [`Catalog::add`](crate::Catalog::add) reads the file once, converts and checks every cell, hashes units and rows
//! with keys that nobody outside knows, sorts, bounds, and verifies what was declared. Reports are for the officer
//! who brings the file: they name rows, columns and classes of values, never values, and nothing of them may reach an
//! analyst.
//!
//! # Privacy obligation
//! Neighbouring files differ by all rows of one unit (add or remove). Two things make a unit's influence on what is
//! stored end with its own rows, and everything that bounds contributions later rests on it:
//!
//! 1. A unit keeps at most `max_rows_per_unit` rows, and which ones depends only on a keyed hash of those rows
//!    themselves, never on their place in the file or on other units.
//! 2. A file with more than `max_units` units is refused, not truncated. If units were dropped to fit, adding one
//!    person could push another one out: the stored datasets of two neighbouring files would differ in two units, and
//!    every sensitivity computed from one would be half of the truth.
//!
//! Stored rows of neighbouring files are therefore equal except for the rows of that one unit (tested), so the
//! add/remove distance of stored datasets equals that of files. That a file is refused depends on its rows: refusals
//! are seen by the officer alone, before anything is registered. Footage is another thing: neighbouring footage has the same
//! frames with other pixels, and its own argument (`footage`). Source: Wilson et al. 2019, "Differentially Private
//! SQL with Bounded User Contribution", for bounding per user.

mod counts;
mod encode;
mod footage;
mod public;
mod report;
mod rows;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use glovebox_policy::DatasetName;
use ring::hmac;

pub use footage::FootageFault;
pub use public::TEXT_BYTES as PUBLIC_TEXT_MAX_BYTES;
pub(crate) use public::prepare as prepare_public;
pub use report::{ColumnCounts, Fault, FaultKind, FaultTotal, IngestReport, MAX_LISTED_FAULTS};
pub use rows::ROW_GROUP_ROWS;

pub use crate::cells::ValueClass;
pub use crate::source::SourceError;
pub use crate::store::StoreError;

use crate::dataset::Dataset;
use crate::keys::MasterKey;
use crate::manifest::{Column, Manifest};
use crate::source::Source;
use crate::store::{ContentMarks, RowGroups};
use rows::Intake;

/// A dataset that was registered.
#[derive(Debug)]
pub struct Ingested {
    /// The dataset.
    pub dataset: Arc<Dataset>,
    /// What was read, kept and left out. For officers only.
    pub report: IngestReport,
}

/// Why a file was not registered. For officers and operators only.
#[derive(Debug, thiserror::Error)]
pub enum IngestError {
    /// The name is taken. Datasets are never replaced.
    #[error("a dataset named `{0}` is registered already")]
    Exists(DatasetName),
    /// The same content is registered on the other side of what is public.
    #[error(
        "the same content is registered as `{0}`, {1}; what is about somebody cannot be public, and what is public needs no budget"
    )]
    ContentOtherwise(DatasetName, &'static str),
    /// The same content is charged to another budget domain.
    #[error("the same content is registered as `{0}` in another budget domain; its people have one budget")]
    ContentElsewhere(DatasetName),
    /// The file cannot be read at all.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The footage is not what its manifest declares.
    #[error(transparent)]
    Footage(#[from] FootageFault),
    /// The file does not fit the manifest.
    #[error("the file does not fit its manifest: {} fault(s)", .0.fault_count())]
    Refused(Box<IngestReport>),
    /// The disk or a key refuses.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl IngestError {
    /// Everything that does not fit, when that is why the file was refused.
    pub fn report(&self) -> Option<&IngestReport> {
        match self {
            Self::Refused(report) => Some(report),
            _ => None,
        }
    }
}

/// What a file has become when it may be stored.
pub(crate) trait Prepared: RowGroups {
    /// What became of the file.
    fn report(&self) -> &IngestReport;

    /// By what the content is known again.
    fn content(&self) -> &ContentMarks;
}

/// Reads a file and makes it ready to be stored.
pub(crate) fn prepare(master: &MasterKey, manifest: &Manifest, path: &Path) -> Result<Box<dyn Prepared>, IngestError> {
    if let Some(declared) = manifest.footage() {
        return Ok(Box::new(footage::prepare(master, manifest, declared, path)?));
    }
    let file_mark = file_mark(master, path)?;
    let mut source = Source::open(path)?;
    let mut report = IngestReport::new(manifest.name().clone());
    let columns = match_columns(manifest.columns(), &source, &mut report);
    let mut intake = Intake::new(master, manifest, columns);
    while let Some(batch) = source.next_batch()? {
        intake.take(&batch, &mut report)?;
    }
    let prepared = intake.finish(manifest, file_mark, report);
    if prepared.report().fault_count() > 0 {
        return Err(IngestError::Refused(Box::new(prepared.into_report())));
    }
    Ok(Box::new(prepared))
}

/// A declared column and where it is in the file.
pub(crate) struct Matched {
    pub(crate) column: Column,
    /// The position in the manifest.
    pub(crate) declared: usize,
    /// The position in the file; `None` when it is not there, which is a fault.
    pub(crate) place: Option<usize>,
}

fn match_columns(declared: &[Column], source: &Source, report: &mut IngestReport) -> Vec<Matched> {
    let mut places: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (place, field) in source.schema.fields().iter().enumerate() {
        places.entry(field.name()).or_default().push(place);
    }
    let mut out = Vec::new();
    for (declared, column) in declared.iter().enumerate() {
        let found = places.remove(column.heading()).unwrap_or_default();
        match found.len() {
            0 => report.add(None, column.name.as_str(), FaultKind::ColumnMissing),
            1 => {}
            _ => report.add(None, column.name.as_str(), FaultKind::ColumnRepeated),
        }
        out.push(Matched { column: column.clone(), declared, place: found.first().copied() });
    }
    // Positions, not headings: in a CSV without a heading line those would be the cells of its first row.
    let mut ignored: Vec<usize> = places.into_values().flatten().map(|place| place + 1).collect();
    ignored.sort_unstable();
    report.ignored_columns = ignored;
    out
}

/// A keyed hash of the bytes of a file.
fn file_mark(master: &MasterKey, path: &Path) -> Result<String, SourceError> {
    let mut context = hmac::Context::with_key(&master.hasher("file content", ""));
    let mut file = File::open(path).map_err(SourceError::Io)?;
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let count = file.read(&mut buffer).map_err(SourceError::Io)?;
        if count == 0 {
            return Ok(hex::encode(context.sign()));
        }
        context.update(buffer.get(..count).unwrap_or_default());
    }
}
