//! Rows in memory: converted, hashed, sorted by unit, bounded, and cut into row groups that end where units end.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{ArrayRef, FixedSizeBinaryArray, new_null_array};
use arrow::compute::interleave_record_batch;
use arrow::datatypes::{Schema, SchemaRef};
use arrow::record_batch::{RecordBatch, RecordBatchOptions};
use glovebox_policy::ColumnName;
use ring::hmac;

use super::counts::Counter;
use super::encode::Cells;
use super::{FaultKind, IngestReport, Matched, StoreError};
use crate::cells::{self, Converted};
use crate::keys::{MasterKey, short_hash};
use crate::manifest::{Column, Manifest};
use crate::source::SourceBatch;
use crate::store::{ContentMarks, RowGroups};

/// A row group ends at the first end of a unit at or after this many rows.
pub const ROW_GROUP_ROWS: usize = 65_536;

/// Where a row is and what it sorts by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    unit: u128,
    /// Keyed hash of the row; equal only for equal rows, whose order then makes no difference.
    row: u128,
    batch: u32,
    index: u32,
}

/// A set of columns that is declared unique: their positions among all, and the hash and number of each row.
pub(super) struct UniqueSet {
    name: String,
    pub(super) columns: Vec<usize>,
    pub(super) seen: Vec<(u128, u64)>,
}

impl UniqueSet {
    /// A declared set among all declared columns.
    pub(super) fn new(set: &[ColumnName], all: &[Column]) -> Self {
        let place = |name: &ColumnName| all.iter().position(|column| column.name == *name);
        Self {
            name: set.iter().map(|name| name.as_str()).collect::<Vec<_>>().join("+"),
            columns: set.iter().filter_map(place).collect(),
            seen: Vec::new(),
        }
    }
}

/// Takes batches of the file in, one after the other.
pub(super) struct Intake {
    columns: Vec<Matched>,
    counters: Vec<Counter>,
    /// Positions of unit columns, in the order of the manifest's `unit`.
    unit: Vec<usize>,
    unique: Vec<UniqueSet>,
    markers: Vec<String>,
    unit_key: hmac::Key,
    row_key: hmac::Key,
    stored_schema: SchemaRef,
    batches: Vec<RecordBatch>,
    entries: Vec<Entry>,
    /// The hashes of all rows, also of those without a unit: by them the content is known again.
    all_rows: Vec<u128>,
}

impl Intake {
    /// `columns` are all declared columns in the order of the manifest.
    pub(super) fn new(master: &MasterKey, manifest: &Manifest, columns: Vec<Matched>) -> Self {
        let place = |name: &ColumnName| manifest.columns().iter().position(|column| column.name == *name);
        let unique = manifest.unique().iter().map(|set| UniqueSet::new(set, manifest.columns()));
        let stored = manifest.arrow_schema();
        let all_but_unit = stored.fields().len().saturating_sub(1);
        // Rows without a unit are still in the batches, so here unit columns may be NULL.
        let fields = stored.fields().iter().take(all_but_unit).map(|field| field.as_ref().clone().with_nullable(true));
        Self {
            counters: columns.iter().map(|matched| Counter::new(&matched.column)).collect(),
            unit: manifest.unit().iter().filter_map(place).collect(),
            unique: unique.collect(),
            markers: manifest.null_markers().to_vec(),
            // One key per id-space: ids that may be equated have one hash, in whatever dataset they are.
            unit_key: master.hasher("unit", manifest.id_space().as_str()),
            row_key: master.hasher("row", ""),
            stored_schema: Arc::new(Schema::new(fields.collect::<Vec<_>>())),
            columns,
            batches: Vec::new(),
            entries: Vec::new(),
            all_rows: Vec::new(),
        }
    }

    /// Converts, checks and hashes one batch.
    pub(super) fn take(&mut self, batch: &SourceBatch, report: &mut IngestReport) -> Result<(), StoreError> {
        let first_row = report.rows_read + 1;
        let rows = batch.rows.num_rows();
        report.rows_read += rows as u64;
        for row in &batch.ragged {
            report.add(Some(first_row + *row as u64), "", FaultKind::FieldCount);
        }
        let mut arrays = Vec::with_capacity(self.columns.len());
        for (matched, counter) in self.columns.iter().zip(&mut self.counters) {
            let converted = convert_column(matched, &batch.rows, &self.markers, report);
            for (row, class) in &converted.misfits {
                let name = matched.column.name.as_str();
                report.add(Some(first_row + *row as u64), name, FaultKind::Cell(*class));
            }
            counter.add(&converted);
            arrays.push(converted.array);
        }
        self.hash_rows(&arrays, rows, first_row, report)?;
        let stored = self.columns.iter().zip(arrays).filter(|(m, _)| !m.column.identifier).map(|(_, array)| array);
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let kept = RecordBatch::try_new_with_options(Arc::clone(&self.stored_schema), stored.collect(), &options);
        self.batches.push(kept.map_err(|_| StoreError::Write)?);
        Ok(())
    }

    fn hash_rows(
        &mut self,
        arrays: &[ArrayRef],
        rows: usize,
        first_row: u64,
        report: &mut IngestReport,
    ) -> Result<(), StoreError> {
        let cells: Vec<Cells<'_>> =
            self.columns.iter().zip(arrays).map(|(m, array)| Cells::of(m.column.kind, array)).collect();
        // In the order of the file, so that a manifest that lists columns otherwise makes the same hashes.
        let mut in_file: Vec<(Option<usize>, usize)> = self.columns.iter().map(|m| (m.place, m.declared)).collect();
        in_file.sort_unstable();
        let batch = u32::try_from(self.batches.len()).map_err(|_| StoreError::Write)?;
        let mut bytes = Vec::new();
        let mut hash = |key, columns: &mut dyn Iterator<Item = usize>, row, trim| {
            bytes.clear();
            columns.filter_map(|column| cells.get(column)).for_each(|cells| cells.write(row, trim, &mut bytes));
            short_hash(key, &bytes)
        };
        for row in 0..rows {
            let row_hash = hash(&self.row_key, &mut in_file.iter().map(|(_, declared)| *declared), row, false);
            self.all_rows.push(row_hash);
            let named = self.unit.iter().all(|column| cells.get(*column).is_some_and(|cells| cells.names(row)));
            if !named {
                report.rows_without_unit += 1;
                continue;
            }
            // Spaces around an id do not make another person of it.
            let unit = hash(&self.unit_key, &mut self.unit.iter().copied(), row, true);
            let index = u32::try_from(row).map_err(|_| StoreError::Write)?;
            self.entries.push(Entry { unit, row: row_hash, batch, index });
            for set in &mut self.unique {
                let combined = hash(&self.row_key, &mut set.columns.iter().copied(), row, false);
                set.seen.push((combined, first_row + row as u64));
            }
        }
        Ok(())
    }

    /// Sorts, bounds and verifies. The result may be stored only if its report has no fault.
    pub(super) fn finish(mut self, manifest: &Manifest, file_mark: String, mut report: IngestReport) -> Prepared {
        for set in &mut self.unique {
            report_repeated(set, &mut report);
        }
        self.entries.sort_unstable();
        let kept = bound(self.entries, manifest.max_rows_per_unit(), &mut report);
        if report.units > manifest.max_units() {
            let names = manifest.unit().iter().map(|name| name.as_str()).collect::<Vec<_>>().join("+");
            report.add(None, &names, FaultKind::TooManyUnits);
        }
        report.columns = self.counters.into_iter().map(Counter::finish).collect();
        report.sort_totals();
        let groups = row_groups(&kept);
        let content = ContentMarks { file: file_mark, rows: rows_mark(&self.row_key, self.all_rows) };
        Prepared { schema: manifest.arrow_schema(), batches: self.batches, kept, groups, next: 0, content, report }
    }
}

pub(super) fn convert_column(
    matched: &Matched,
    batch: &RecordBatch,
    markers: &[String],
    report: &mut IngestReport,
) -> Converted {
    let kind = matched.column.kind;
    let absent =
        || Converted { array: new_null_array(&kind.arrow_type(), batch.num_rows()), misfits: Vec::new(), nans: 0 };
    let Some(array) = matched.place.and_then(|place| batch.columns().get(place)) else {
        return absent();
    };
    match cells::convert(kind, array, markers) {
        Ok(converted) => converted,
        Err(cells::Unsupported) => {
            let name = matched.column.name.as_str();
            // Once is enough: it is so in every batch.
            if !report.totals.iter().any(|t| t.column == name && t.fault == FaultKind::TypeUnsupported) {
                report.add(None, name, FaultKind::TypeUnsupported);
            }
            absent()
        }
    }
}

pub(super) fn report_repeated(set: &mut UniqueSet, report: &mut IngestReport) {
    set.seen.sort_unstable();
    let repeated = set.seen.array_windows().filter(|[(left, _), (right, _)]| left == right);
    let mut rows: Vec<u64> = repeated.map(|[_, (_, row)]| *row).collect();
    rows.sort_unstable();
    rows.into_iter().for_each(|row| report.add(Some(row), &set.name, FaultKind::Repeated));
}

/// Keeps of each unit the rows with the smallest hashes, and counts.
fn bound(entries: Vec<Entry>, max_rows: u32, report: &mut IngestReport) -> Vec<Entry> {
    let mut kept = Vec::with_capacity(entries.len());
    for unit in entries.chunk_by(|left, right| left.unit == right.unit) {
        let rows = unit.len().min(max_rows as usize);
        report.units += 1;
        report.rows_truncated += (unit.len() - rows) as u64;
        report.units_truncated += u64::from(rows < unit.len());
        kept.extend(unit.iter().take(rows));
    }
    report.rows_stored = kept.len() as u64;
    kept
}

fn row_groups(kept: &[Entry]) -> Vec<Range<usize>> {
    let (mut groups, mut start, mut end) = (Vec::new(), 0, 0);
    for unit in kept.chunk_by(|left, right| left.unit == right.unit) {
        end += unit.len();
        if end - start >= ROW_GROUP_ROWS {
            groups.push(start..end);
            start = end;
        }
    }
    if start < end {
        groups.push(start..end);
    }
    groups
}

pub(super) fn rows_mark(key: &hmac::Key, mut all: Vec<u128>) -> String {
    all.sort_unstable();
    let mut context = hmac::Context::with_key(key);
    all.iter().for_each(|hash| context.update(&hash.to_be_bytes()));
    hex::encode(context.sign())
}

/// Rows that are ready to be stored.
pub(super) struct Prepared {
    schema: SchemaRef,
    batches: Vec<RecordBatch>,
    kept: Vec<Entry>,
    groups: Vec<Range<usize>>,
    next: usize,
    content: ContentMarks,
    report: IngestReport,
}

impl Prepared {
    /// The report, by move.
    pub(super) fn into_report(self) -> IngestReport {
        self.report
    }

    fn group(&self, rows: Range<usize>) -> Result<RecordBatch, StoreError> {
        let entries = self.kept.get(rows).unwrap_or_default();
        let batches: Vec<&RecordBatch> = self.batches.iter().collect();
        let places: Vec<(usize, usize)> = entries.iter().map(|e| (e.batch as usize, e.index as usize)).collect();
        let mut columns = match batches.first() {
            // A manifest may declare nothing but identifiers; then there is nothing to gather but units.
            Some(first) if first.num_columns() > 0 => {
                interleave_record_batch(&batches, &places).map_err(|_| StoreError::Write)?.columns().to_vec()
            }
            _ => Vec::new(),
        };
        let units = entries.iter().map(|entry| entry.unit.to_be_bytes());
        let units = FixedSizeBinaryArray::try_from_iter(units).map_err(|_| StoreError::Write)?;
        columns.push(Arc::new(units));
        RecordBatch::try_new(Arc::clone(&self.schema), columns).map_err(|_| StoreError::Write)
    }
}

impl super::Prepared for Prepared {
    fn report(&self) -> &IngestReport {
        &self.report
    }

    fn content(&self) -> &ContentMarks {
        &self.content
    }
}

impl RowGroups for Prepared {
    fn next_group(&mut self) -> Option<Result<RecordBatch, StoreError>> {
        let rows = self.groups.get(self.next).cloned()?;
        self.next += 1;
        Some(self.group(rows))
    }
}
