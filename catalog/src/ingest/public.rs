//! A file of a public table: every cell checked, declared keys verified, sizes held, nothing dropped.

use std::path::Path;

use arrow::array::{Array as _, AsArray as _};
use arrow::record_batch::RecordBatch;

use super::counts::Counter;
use super::encode::Cells;
use super::rows::{UniqueSet, convert_column, report_repeated, rows_mark};
use super::{FaultKind, IngestError, IngestReport, Matched, file_mark, match_columns};
use crate::keys::{MasterKey, short_hash};
use crate::manifest::{ColumnKind, PublicManifest};
use crate::source::{Source, SourceBatch};
use crate::store::{ContentMarks, RowGroups, StoreError};

/// The most bytes of a text in a public table: as many rows as a batch has may meet the same one.
pub const TEXT_BYTES: usize = 1_024;

/// The most bytes of all rows of a public table, as they lie in memory.
pub(crate) const TABLE_BYTES: usize = 64 * 1024 * 1024;

/// Rows that are ready to be stored.
pub(crate) struct PreparedPublic {
    batches: std::vec::IntoIter<RecordBatch>,
    pub(crate) content: ContentMarks,
    pub(crate) report: IngestReport,
}

impl RowGroups for PreparedPublic {
    fn next_group(&mut self) -> Option<Result<RecordBatch, StoreError>> {
        self.batches.next().map(Ok)
    }
}

/// Reads a file and makes it ready to be stored.
pub(crate) fn prepare(
    master: &MasterKey,
    manifest: &PublicManifest,
    path: &Path,
) -> Result<PreparedPublic, IngestError> {
    let file = file_mark(master, path)?;
    let mut source = Source::open(path)?;
    let mut report = IngestReport::new(manifest.name().clone());
    let columns = match_columns(manifest.columns(), &source, &mut report);
    let mut intake = Intake::new(master, manifest, columns);
    let mut bytes = 0;
    while let Some(batch) = source.next_batch()? {
        intake.take(&batch, &mut report)?;
        let size = intake.batches.last().map_or(0, RecordBatch::get_array_memory_size);
        bytes += size;
        // There is no use in reading on, and no room for it.
        if report.rows_read > manifest.max_rows() || bytes > TABLE_BYTES {
            report.add(None, "", FaultKind::TooManyRows);
            break;
        }
    }
    for set in &mut intake.unique {
        report_repeated(set, &mut report);
    }
    report.rows_stored = report.rows_read;
    report.columns = intake.counters.into_iter().map(Counter::finish).collect();
    report.sort_totals();
    if report.fault_count() > 0 {
        return Err(IngestError::Refused(Box::new(report)));
    }
    let rows = rows_mark(&intake.row_key, intake.all_rows);
    Ok(PreparedPublic { batches: intake.batches.into_iter(), content: ContentMarks { file, rows }, report })
}

struct Intake {
    columns: Vec<Matched>,
    counters: Vec<Counter>,
    unique: Vec<UniqueSet>,
    markers: Vec<String>,
    schema: arrow::datatypes::SchemaRef,
    row_key: ring::hmac::Key,
    batches: Vec<RecordBatch>,
    all_rows: Vec<u128>,
}

impl Intake {
    fn new(master: &MasterKey, manifest: &PublicManifest, columns: Vec<Matched>) -> Self {
        let all = manifest.columns();
        Self {
            counters: columns.iter().map(|matched| Counter::new(&matched.column)).collect(),
            unique: manifest.unique().iter().map(|set| UniqueSet::new(set, all)).collect(),
            markers: manifest.null_markers().to_vec(),
            schema: manifest.arrow_schema(),
            // The key of datasets' rows, so that the same content has the same mark whatever it is registered as.
            row_key: master.hasher("row", ""),
            columns,
            batches: Vec::new(),
            all_rows: Vec::new(),
        }
    }

    fn take(&mut self, batch: &SourceBatch, report: &mut IngestReport) -> Result<(), StoreError> {
        let first_row = report.rows_read + 1;
        let rows = batch.rows.num_rows();
        report.rows_read += rows as u64;
        for row in &batch.ragged {
            report.add(Some(first_row + *row as u64), "", FaultKind::FieldCount);
        }
        let mut arrays = Vec::with_capacity(self.columns.len());
        for (matched, counter) in self.columns.iter().zip(&mut self.counters) {
            let converted = convert_column(matched, &batch.rows, &self.markers, report);
            let name = matched.column.name.as_str();
            for (row, class) in &converted.misfits {
                report.add(Some(first_row + *row as u64), name, FaultKind::Cell(*class));
            }
            if matched.column.kind == ColumnKind::Text {
                let texts = converted.array.as_string::<i32>();
                for row in (0..texts.len()).filter(|row| texts.is_valid(*row) && texts.value(*row).len() > TEXT_BYTES) {
                    report.add(Some(first_row + row as u64), name, FaultKind::TextTooLong);
                }
            }
            counter.add(&converted);
            arrays.push(converted.array);
        }
        let cells: Vec<Cells<'_>> =
            self.columns.iter().zip(&arrays).map(|(m, array)| Cells::of(m.column.kind, array)).collect();
        let mut in_file: Vec<(Option<usize>, usize)> = self.columns.iter().map(|m| (m.place, m.declared)).collect();
        in_file.sort_unstable();
        let mut bytes = Vec::new();
        let mut hash = |columns: &mut dyn Iterator<Item = usize>, row| {
            bytes.clear();
            columns.filter_map(|column| cells.get(column)).for_each(|cells| cells.write(row, false, &mut bytes));
            short_hash(&self.row_key, &bytes)
        };
        for row in 0..rows {
            self.all_rows.push(hash(&mut in_file.iter().map(|(_, declared)| *declared), row));
            for set in &mut self.unique {
                set.seen.push((hash(&mut set.columns.iter().copied(), row), first_row + row as u64));
            }
        }
        let kept = RecordBatch::try_new(self.schema.clone(), arrays).map_err(|_| StoreError::Write)?;
        self.batches.push(kept);
        Ok(())
    }
}
