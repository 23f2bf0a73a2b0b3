//! All rows of some columns, unit by unit, for whoever walks them in another crate than the one that scans.
//!
//! # Privacy obligation
//! Neighbouring datasets differ by one unit. Whoever consumes every [`UnitPartition`] of one call to its end without an
//! error has seen each unit exactly once, whole, and with no more rows than declared: each stream checks its own order
//! ([`UnitRuns`]) and the declared rows of a unit, and the stream that ends last checks that no two
//! shared a unit. A consumer that stops early, or goes on after an error, has no such promise and must throw away what it has.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use arrow::record_batch::RecordBatch;
use datafusion::prelude::{SessionConfig, SessionContext};
use futures::{Stream, StreamExt as _};
use glovebox_policy::ColumnName;
use glovebox_vault::{Expose as _, Protected};

use crate::unit_runs::{UnitRun, UnitRunStream, UnitRuns, UnitRunsError, UnitSpan};
use crate::{Dataset, UNIT_COLUMN};

/// The units of a dataset that one walker sees: batches of the wanted columns, then [`UNIT_COLUMN`], with their unit runs.
pub struct UnitPartition {
    rows: UnitRunStream,
    /// Rows of the unit that is being read.
    unit_rows: u64,
    max_rows: u64,
    ended: bool,
    all: Arc<Spans>,
}

/// Where the streams of one call meet.
struct Spans {
    seen: Mutex<Vec<Option<UnitSpan>>>,
    streams: usize,
}

impl Spans {
    /// Notes that a stream has ended; the last one compares all.
    fn end(&self, span: Option<UnitSpan>) -> Result<(), UnitRunsError> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.push(span);
        if seen.len() == self.streams { UnitRuns::check_disjoint(seen.iter().flatten().copied()) } else { Ok(()) }
    }
}

impl Dataset {
    /// Opens the rows of `columns`, in that order, in at most `partitions` streams of whole units, `batch_rows` at a time.
    ///
    /// # Errors
    /// [`UnitRunsError::Unreadable`] when a column is not stored, or the stored rows cannot be opened.
    pub async fn unit_partitions(
        &self,
        columns: &[ColumnName],
        partitions: usize,
        batch_rows: usize,
    ) -> Result<Protected<Vec<UnitPartition>>, UnitRunsError> {
        let schema = self.arrow_schema();
        let names = columns.iter().map(ColumnName::as_str).chain([UNIT_COLUMN]);
        let wanted: Result<Vec<usize>, _> = names.map(|name| schema.index_of(name)).collect();
        let wanted = wanted.map_err(|_| UnitRunsError::Unreadable)?;
        let config = SessionConfig::new().with_target_partitions(partitions.max(1)).with_batch_size(batch_rows.max(1));
        let session = SessionContext::new_with_config(self.capability().expose().install(config));
        let plan = self.provider().scan(&session.state(), Some(&wanted), &[], None).await;
        let plan = plan.map_err(|_| UnitRunsError::Unreadable)?;
        let streams = plan.properties().partitioning.partition_count();
        let all = Arc::new(Spans { seen: Mutex::new(Vec::new()), streams });
        let max_rows = u64::from(self.manifest().max_rows_per_unit());
        let open = |partition| {
            let rows = plan.execute(partition, session.task_ctx()).map_err(|_| UnitRunsError::Unreadable)?;
            let rows = UnitRunStream::new(rows)?;
            Ok(UnitPartition { rows, unit_rows: 0, max_rows, ended: false, all: Arc::clone(&all) })
        };
        Ok(Protected::seal((0..streams).map(open).collect::<Result<Vec<_>, UnitRunsError>>()?))
    }
}

impl UnitPartition {
    /// Counts the rows of each unit, over batches too.
    fn within_size(&mut self, runs: &[UnitRun]) -> bool {
        runs.iter().all(|run| {
            let before = if run.continues { self.unit_rows } else { 0 };
            self.unit_rows = before + run.rows.len() as u64;
            self.unit_rows <= self.max_rows
        })
    }

    fn end(&mut self, with: Result<(), UnitRunsError>) -> Poll<Option<<Self as Stream>::Item>> {
        self.ended = true;
        Poll::Ready(with.err().map(Err))
    }
}

impl Stream for UnitPartition {
    type Item = Result<(RecordBatch, Vec<UnitRun>), UnitRunsError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.ended {
            return Poll::Ready(None);
        }
        match self.rows.poll_next_unpin(context) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Some(Ok((batch, runs)))) if self.within_size(&runs) => Poll::Ready(Some(Ok((batch, runs)))),
            Poll::Ready(Some(Ok(_))) => self.end(Err(UnitRunsError::Oversized)),
            Poll::Ready(Some(Err(_))) => self.end(Err(UnitRunsError::Unreadable)),
            Poll::Ready(None) => {
                let (all, span) = (Arc::clone(&self.all), self.rows.span());
                self.end(all.end(span))
            }
        }
    }
}
