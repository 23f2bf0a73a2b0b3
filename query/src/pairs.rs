//! The rows of two datasets, met unit by unit: a merge of two streams that are in the order of units.
//!
//! The privacy obligation is that of [`crate::unit_join`]. The streams are those of [`glovebox_catalog::Dataset::unit_partitions`], which fail
//! closed on a unit that is out of order or larger than declared; the merge is DataFusion's, which keeps the order of the first. It holds one
//! unit's rows of the second dataset at a time. The session has no limit of memory, so that it never writes rows to a disk.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::RecordBatch;
use arrow::compute::SortOptions;
use arrow::datatypes::{Field, Schema, SchemaRef};
use datafusion::common::{DataFusionError, JoinType, NullEquality};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::expressions::col;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::joins::SortMergeJoinExec;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};
use futures::{StreamExt as _, stream};
use glovebox_catalog::{Dataset, UNIT_COLUMN};
use glovebox_policy::ColumnName;
use glovebox_vault::Expose as _;

use crate::inner::Inner;
use crate::rows::{InnerFault, needed_columns};
use crate::unit_join::{Partner, name_of};

const FAULT: InnerFault = InnerFault::at("a join by unit");

/// The pairs that a question is about, as one stream in the order of units.
pub(crate) async fn pairs(
    inner: &Inner,
    partner: &Partner,
    batch_rows: usize,
) -> Result<Arc<dyn ExecutionPlan>, InnerFault> {
    let stored = inner.dataset.arrow_schema();
    let needed = needed_columns(inner, &stored)?;
    let own = needed.into_iter().map(|index| stored.field(index).name().clone()).filter(|name| name != UNIT_COLUMN);
    let own: Vec<(String, String)> = own.map(|name| (name.clone(), name)).collect();
    let here = units(&inner.dataset, &own, UNIT_COLUMN, batch_rows).await?;
    let unit_there = name_of(&partner.dataset, UNIT_COLUMN);
    let there = units(&partner.dataset, &partner.used(inner), &unit_there, batch_rows).await?;
    let column = |name: &str, plan: &Arc<dyn ExecutionPlan>| col(name, &plan.schema()).map_err(|_| FAULT);
    let on = vec![(column(UNIT_COLUMN, &here)?, column(&unit_there, &there)?)];
    let kind = if partner.keeps { JoinType::Left } else { JoinType::Inner };
    let order = vec![SortOptions { descending: false, nulls_first: false }];
    let merge = SortMergeJoinExec::try_new(here, there, on, None, kind, order, NullEquality::NullEqualsNothing);
    Ok(Arc::new(merge.map_err(|_| FAULT)?))
}

/// Some columns of a dataset, each under another name, and the unit of each row under `unit`.
async fn units(
    dataset: &Dataset,
    columns: &[(String, String)],
    unit: &str,
    batch_rows: usize,
) -> Result<Arc<dyn ExecutionPlan>, InnerFault> {
    let names = columns.iter().map(|(column, _)| column.parse()).collect::<Result<Vec<ColumnName>, _>>();
    let stored = dataset.arrow_schema();
    let field = |(column, name): (&str, &str)| {
        stored.field_with_name(column).map(|field| Field::new(name, field.data_type().clone(), field.is_nullable()))
    };
    let pairs = columns.iter().map(|(column, name)| (column.as_str(), name.as_str()));
    let fields = pairs.chain([(UNIT_COLUMN, unit)]).map(field).collect::<Result<Vec<_>, _>>().map_err(|_| FAULT)?;
    let schema: SchemaRef = Arc::new(Schema::new(fields));
    let opened = dataset.unit_partitions(&names.map_err(|_| FAULT)?, 1, batch_rows).await.map_err(|_| FAULT)?;
    let named = Arc::clone(&schema);
    let rows = stream::iter(opened.expose()).flatten().map(move |batch| {
        // What failed is nobody's business outside of the machine.
        let failed = || DataFusionError::Execution("the units cannot be read".to_owned());
        let (batch, _) = batch.map_err(|_| failed())?;
        RecordBatch::try_new(Arc::clone(&named), batch.columns().to_vec()).map_err(|_| failed())
    });
    let once: SendableRecordBatchStream = Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&schema), rows));
    let once = Once { schema: Arc::clone(&schema), rows: Mutex::new(Some(once)) };
    let table = StreamingTableExec::try_new(schema, vec![Arc::new(once)], None, [], false, None);
    Ok(Arc::new(table.map_err(|_| FAULT)?))
}

/// A stream that is read once.
struct Once {
    schema: SchemaRef,
    rows: Mutex<Option<SendableRecordBatchStream>>,
}

impl fmt::Debug for Once {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Once(…)")
    }
}

impl PartitionStream for Once {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
        let rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner).take();
        rows.unwrap_or_else(|| {
            let again = Err(DataFusionError::Execution("the units were read before".to_owned()));
            Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), stream::iter([again])))
        })
    }
}
