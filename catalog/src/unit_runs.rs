//! Unit runs: which rows of a stream belong to one unit, and the check that no unit comes in two pieces.
//!
//! # Privacy obligation
//! Neighbouring datasets differ by one unit. Every bound on what a unit contributes assumes that all of its rows are
//! bounded together, which a walk over runs does only if a unit's rows lie side by side. [`UnitRuns`] verifies that
//! from the rows themselves and fails closed: unit values must never decrease within a stream, across its batches
//! too, and [`UnitRuns::check_disjoint`] verifies that streams which are walked separately share no unit. A unit then
//! makes exactly one run in exactly one stream (possibly continued over batches), so the sensitivity of the whole walk
//! is that of one run.

use std::ops::Range;
use std::pin::Pin;
use std::task::{Context, Poll};

use arrow::array::{Array, FixedSizeBinaryArray};
use arrow::datatypes::{DataType, Schema};
use arrow::record_batch::RecordBatch;
use datafusion::common::DataFusionError;
use datafusion::execution::SendableRecordBatchStream;
use futures::{Stream, StreamExt};

use crate::{UNIT_BYTES, UNIT_COLUMN};

/// Why a stream of rows is not a stream of unit runs. Constant texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UnitRunsError {
    /// There is no unit column, or it is of another type.
    #[error("the rows have no unit column")]
    NoUnitColumn,
    /// A row has no unit.
    #[error("a row has no unit")]
    NullUnit,
    /// Units are out of order, so one of them could come in two pieces.
    #[error("the units are not in order")]
    Unsorted,
    /// Two streams that should hold different units share one.
    #[error("a unit is split between partitions")]
    Split,
    /// A unit has more rows than its manifest declares.
    #[error("a unit has more rows than declared")]
    Oversized,
    /// The stored rows cannot be read.
    #[error("the stored rows cannot be read")]
    Unreadable,
    /// An earlier batch failed; nothing more is read from this stream.
    #[error("the stream of units failed before")]
    Failed,
}

impl From<UnitRunsError> for DataFusionError {
    fn from(error: UnitRunsError) -> Self {
        Self::Execution(error.to_string())
    }
}

/// Rows of one batch that belong to one unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitRun {
    /// Which rows of the batch.
    pub rows: Range<usize>,
    /// Whether the unit is the one that the previous batch ended with.
    pub continues: bool,
}

impl From<UnitRun> for (Range<usize>, bool) {
    fn from(run: UnitRun) -> Self {
        (run.rows, run.continues)
    }
}

/// Walks the batches of one stream and says where each unit begins and ends.
///
/// ```
/// # use arrow::array::{ArrayRef, FixedSizeBinaryArray};
/// # use arrow::record_batch::RecordBatch;
/// # use std::sync::Arc;
/// use glovebox_catalog::{UNIT_COLUMN, UnitRuns};
///
/// let units = FixedSizeBinaryArray::try_from_iter([[1_u8; 16], [1; 16], [2; 16]].into_iter())?;
/// let batch = RecordBatch::try_from_iter([(UNIT_COLUMN, Arc::new(units) as ArrayRef)])?;
/// let mut walk = UnitRuns::new(&batch.schema())?;
/// let rows: Vec<_> = walk.runs(&batch)?.iter().map(|run| run.rows.clone()).collect();
/// assert_eq!(rows, [0..2, 2..3]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct UnitRuns {
    column: usize,
    first: Option<u128>,
    last: Option<u128>,
    failed: bool,
    found: Vec<UnitRun>,
}

impl UnitRuns {
    /// A walk over batches of this schema.
    ///
    /// # Errors
    /// [`UnitRunsError::NoUnitColumn`].
    pub fn new(schema: &Schema) -> Result<Self, UnitRunsError> {
        let (column, field) = schema.column_with_name(UNIT_COLUMN).ok_or(UnitRunsError::NoUnitColumn)?;
        if *field.data_type() != DataType::FixedSizeBinary(UNIT_BYTES as i32) {
            return Err(UnitRunsError::NoUnitColumn);
        }
        Ok(Self { column, first: None, last: None, failed: false, found: Vec::new() })
    }

    /// The runs of the next batch, in order; they cover all of its rows.
    ///
    /// # Errors
    /// Fails closed: after any error every further call fails too.
    pub fn runs(&mut self, batch: &RecordBatch) -> Result<&[UnitRun], UnitRunsError> {
        if self.failed {
            return Err(UnitRunsError::Failed);
        }
        self.found.clear();
        match self.walk(batch) {
            Ok(()) => Ok(&self.found),
            Err(error) => {
                self.failed = true;
                self.found.clear();
                Err(error)
            }
        }
    }

    fn walk(&mut self, batch: &RecordBatch) -> Result<(), UnitRunsError> {
        let units = batch
            .columns()
            .get(self.column)
            .and_then(|column| column.as_any().downcast_ref::<FixedSizeBinaryArray>())
            .filter(|units| units.value_length() == UNIT_BYTES as i32)
            .ok_or(UnitRunsError::NoUnitColumn)?;
        if units.null_count() > 0 {
            return Err(UnitRunsError::NullUnit);
        }
        let mut start = 0;
        let (values, _) = units.value_data().as_chunks::<UNIT_BYTES>();
        let continues = self.last.is_some() && values.first().map(|bytes| u128::from_be_bytes(*bytes)) == self.last;
        // The values of a sliced array begin at its offset already; what may follow its end is not part of it.
        for (row, bytes) in values.iter().take(units.len()).enumerate() {
            let unit = u128::from_be_bytes(*bytes);
            match self.last {
                Some(last) if unit == last => continue,
                Some(last) if unit < last => return Err(UnitRunsError::Unsorted),
                _ => {}
            }
            self.close(start, row);
            start = row;
            self.first.get_or_insert(unit);
            self.last = Some(unit);
        }
        self.close(start, units.len());
        if let Some(first) = self.found.first_mut() {
            // Only the first run of a batch can go on with the unit that the batch before ended with.
            first.continues = continues;
        }
        Ok(())
    }

    /// Ends a run before row `end`.
    fn close(&mut self, start: usize, end: usize) {
        if start < end {
            self.found.push(UnitRun { rows: start..end, continues: false });
        }
    }

    /// The smallest and the largest unit seen so far.
    pub fn span(&self) -> Option<UnitSpan> {
        Some(UnitSpan { first: self.first?, last: self.last? })
    }

    /// Checks that streams which were walked separately share no unit.
    ///
    /// # Errors
    /// [`UnitRunsError::Split`] when two spans meet.
    pub fn check_disjoint(spans: impl IntoIterator<Item = UnitSpan>) -> Result<(), UnitRunsError> {
        let mut spans: Vec<UnitSpan> = spans.into_iter().collect();
        spans.sort_unstable();
        let apart = spans.array_windows().all(|[left, right]| left.last < right.first);
        if apart { Ok(()) } else { Err(UnitRunsError::Split) }
    }
}

/// The smallest and the largest unit of one stream, for [`UnitRuns::check_disjoint`] only: derived from private rows.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct UnitSpan {
    first: u128,
    last: u128,
}

impl std::fmt::Debug for UnitSpan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("UnitSpan(…)")
    }
}

/// A stream of batches, each with its unit runs. It ends after its first error.
pub struct UnitRunStream {
    input: SendableRecordBatchStream,
    walk: UnitRuns,
}

impl UnitRunStream {
    /// Walks a stream, such as a partition of a [`crate::provider::UnitScanExec`].
    ///
    /// # Errors
    /// [`UnitRunsError::NoUnitColumn`].
    pub fn new(input: SendableRecordBatchStream) -> Result<Self, UnitRunsError> {
        let walk = UnitRuns::new(&input.schema())?;
        Ok(Self { input, walk })
    }

    /// The smallest and the largest unit so far, to be checked against those of the other partitions.
    pub fn span(&self) -> Option<UnitSpan> {
        self.walk.span()
    }
}

impl Stream for UnitRunStream {
    type Item = Result<(RecordBatch, Vec<UnitRun>), DataFusionError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.walk.failed {
            return Poll::Ready(None);
        }
        self.input.poll_next_unpin(context).map(|next| {
            let batch = match next? {
                Ok(batch) => batch,
                Err(error) => {
                    self.walk.failed = true;
                    return Some(Err(error));
                }
            };
            let runs = self.walk.runs(&batch).map(<[UnitRun]>::to_vec);
            Some(runs.map(|runs| (batch, runs)).map_err(DataFusionError::from))
        })
    }
}
