//! The guarded table: plans for everybody, rows only for a session that carries the capability.
//!
//! [`UnitScanExec`] reads the encrypted file with the Parquet library itself. It pushes projections into the file and
//! nothing else: no filter, no limit, no statistics, because what a scan does must not depend on what the rows are.
//! Row groups end where units end (see [`crate::ingest`]) and a partition is a run of whole row groups, so no unit is
//! ever split between partitions.

use std::fmt;
use std::fs::File;
use std::ops::Range;
use std::sync::Arc;

use arrow::compute::SortOptions;
use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr, PhysicalSortExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType, SchedulingType};
use datafusion::physical_plan::stream::RecordBatchReceiverStreamBuilder;
use datafusion::physical_plan::{
    ChildrenPropertiesMode, DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties,
    ReplaceChildrenOptions,
};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::UNIT_COLUMN;
use crate::dataset::{RowSource, ScanGrants};

/// What a scan without the capability fails with.
pub const SCAN_REFUSED: &str = "this session may not scan private rows";

/// What a scan fails with when the stored rows cannot be read. The cause is not told, because it could quote a row.
pub const ROWS_UNREADABLE: &str = "the stored rows cannot be read";

/// How many batches one partition reads ahead of its consumer.
const READ_AHEAD_BATCHES: usize = 2;

fn refused() -> DataFusionError {
    DataFusionError::Plan(SCAN_REFUSED.to_owned())
}

fn unreadable() -> DataFusionError {
    DataFusionError::Execution(ROWS_UNREADABLE.to_owned())
}

/// The table that [`crate::Dataset::provider`] hands out.
#[derive(Debug)]
pub struct UnitTable {
    source: Arc<RowSource>,
    schema: SchemaRef,
}

impl UnitTable {
    pub(crate) fn new(source: Arc<RowSource>, schema: SchemaRef) -> Self {
        Self { source, schema }
    }
}

#[async_trait]
impl TableProvider for UnitTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        _limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        if !ScanGrants::allow(state.config(), &self.source.snapshot) {
            return Err(refused());
        }
        let columns = projection.cloned().unwrap_or_else(|| (0..self.schema.fields().len()).collect());
        let schema = Arc::new(self.schema.project(&columns)?);
        let groups = self.source.footer.metadata().num_row_groups();
        let partitions = runs(groups, state.config().target_partitions());
        Ok(Arc::new(UnitScanExec::new(Arc::clone(&self.source), columns, schema, partitions)))
    }
}

/// Cuts `groups` row groups into at most `wanted` runs of nearly equal length, and at least one.
fn runs(groups: usize, wanted: usize) -> Vec<Range<usize>> {
    let count = wanted.min(groups).max(1);
    (0..count).map(|part| part * groups / count..(part + 1) * groups / count).collect()
}

/// Reads runs of row groups of one encrypted dataset, sorted by unit within each partition.
///
/// The units of a partition are all smaller than those of the next one.
#[derive(Debug)]
pub struct UnitScanExec {
    source: Arc<RowSource>,
    /// Positions in the file's schema, in output order.
    columns: Vec<usize>,
    partitions: Vec<Range<usize>>,
    properties: Arc<PlanProperties>,
}

impl UnitScanExec {
    fn new(source: Arc<RowSource>, columns: Vec<usize>, schema: SchemaRef, partitions: Vec<Range<usize>>) -> Self {
        let sorted = schema.index_of(UNIT_COLUMN).ok().map(|index| {
            let options = SortOptions { descending: false, nulls_first: false };
            vec![PhysicalSortExpr::new(Arc::new(Column::new(UNIT_COLUMN, index)), options)]
        });
        let properties = PlanProperties::new(
            EquivalenceProperties::new_with_orderings(schema, sorted),
            Partitioning::UnknownPartitioning(partitions.len()),
            EmissionType::Incremental,
            Boundedness::Bounded,
        )
        // Batches arrive over a channel of tokio, which yields by itself.
        .with_scheduling_type(SchedulingType::Cooperative);
        Self { source, columns, partitions, properties: Arc::new(properties) }
    }

    /// Reads a partition on this thread, which blocks, until its end or until `accept` says no.
    ///
    /// # Errors
    /// As [`ExecutionPlan::execute`] and its stream.
    pub fn read(&self, partition: usize, context: &TaskContext, accept: impl FnMut(RecordBatch) -> bool) -> Result<()> {
        self.open(partition, context)?.run(accept)
    }

    fn open(&self, partition: usize, context: &TaskContext) -> Result<Read> {
        // Asked again here: a plan can be carried into another session than the one that made it.
        if !ScanGrants::allow(context.session_config(), &self.source.snapshot) {
            return Err(refused());
        }
        Ok(Read {
            source: Arc::clone(&self.source),
            columns: self.columns.clone(),
            schema: self.schema(),
            groups: self.partitions.get(partition).cloned().ok_or_else(unreadable)?,
            batch_rows: context.session_config().batch_size(),
        })
    }
}

impl DisplayAs for UnitScanExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let schema = self.properties.eq_properties.schema();
        let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
        write!(f, "UnitScanExec: columns=[{}]", names.join(", "))
    }
}

impl ExecutionPlan for UnitScanExec {
    fn name(&self) -> &'static str {
        "UnitScanExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
    }

    fn replace_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        if children.is_empty() { Ok(self) } else { Err(DataFusionError::Internal("a scan has no inputs".to_owned())) }
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        self.replace_children(children, ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute))
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let read = self.open(partition, &context)?;
        let mut builder = RecordBatchReceiverStreamBuilder::new(self.schema(), READ_AHEAD_BATCHES);
        let sender = builder.tx();
        // Decryption and decoding block, so they run in the blocking pool. They end when the stream is dropped.
        builder.spawn_blocking(move || read.run(|batch| sender.blocking_send(Ok(batch)).is_ok()));
        Ok(builder.build())
    }
}

/// One partition's read.
struct Read {
    source: Arc<RowSource>,
    columns: Vec<usize>,
    schema: SchemaRef,
    groups: Range<usize>,
    batch_rows: usize,
}

impl Read {
    /// Reads until the end or until `accept` says no.
    fn run(self, mut accept: impl FnMut(RecordBatch) -> bool) -> Result<()> {
        let file = File::open(&self.source.path).map_err(|_| unreadable())?;
        let footer = self.source.footer.clone();
        let mask = ProjectionMask::roots(footer.parquet_schema(), self.columns.iter().copied());
        let reader = ParquetRecordBatchReaderBuilder::new_with_metadata(file, footer)
            .with_row_groups(self.groups.clone().collect())
            .with_projection(mask)
            .with_batch_size(self.batch_rows)
            .build()
            .map_err(|_| unreadable())?;
        let order = self.output_order();
        for batch in reader {
            let batch = batch.and_then(|batch| self.arrange(&batch, &order)).map_err(|_| unreadable())?;
            if !accept(batch) {
                break;
            }
        }
        Ok(())
    }

    /// The library gives the wanted columns in file order; for each output column, which of those it is.
    fn output_order(&self) -> Vec<usize> {
        let mut in_file: Vec<usize> = self.columns.clone();
        in_file.sort_unstable();
        in_file.dedup();
        self.columns.iter().map(|column| in_file.partition_point(|other| other < column)).collect()
    }

    fn arrange(&self, batch: &RecordBatch, order: &[usize]) -> Result<RecordBatch, arrow::error::ArrowError> {
        batch.project(order)?.with_schema(Arc::clone(&self.schema))
    }
}
