//! Above the aggregate: post-processing over the released table, in a session that holds nothing else.
//!
//! The query's aggregate node is replaced by a scan of the release. What is left of the plan cannot name a private
//! table any more, and the session it runs in has no catalog. Everything here is a function of released numbers,
//! request text and manifest, so it costs nothing (post-processing) and may use any order and any selection.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Column, DFSchema, DFSchemaRef};
use datafusion::datasource::{MemTable, provider_as_source};
use datafusion::logical_expr::{Aggregate, Expr, LogicalPlan, LogicalPlanBuilder};
use datafusion::prelude::{SessionConfig, SessionContext};
use glovebox_catalog::KeyValue;
use glovebox_policy::{Reason, Refusal};
use glovebox_privacy::{NoisyCells, Table};

use crate::canonical;
use crate::flatten::unaliased;
use crate::found::value_of;
use crate::inner::{Analysed, Inner};
use crate::join::ABOVE;
use crate::noised::{Noised, noised};
use crate::output::Output;
use crate::plan::{INTERVAL_HIGH, INTERVAL_LOW, on_own_stack};
use crate::tables;
use crate::total::total;
use crate::unit_rows::key_array;

/// The name of the only table of the outer session.
const RELEASED: &str = "released";

/// What a refusal calls a part of the outer plan that cannot be run.
const RELEASED_EXPRESSION: &str = "an expression over the released table";

/// Finds the query's one aggregate node and checks what is above it.
///
/// # Errors
/// [`Reason::NotAggregated`] when there is none, the node when another is not allowed.
pub(crate) fn find_aggregate(plan: &LogicalPlan) -> Result<&Aggregate, Refusal> {
    match plan {
        LogicalPlan::Aggregate(aggregate) => Ok(aggregate),
        LogicalPlan::Projection(node) => find_aggregate(&node.input),
        LogicalPlan::Filter(node) => find_aggregate(&node.input),
        LogicalPlan::Sort(node) => find_aggregate(&node.input),
        LogicalPlan::Limit(node) => find_aggregate(&node.input),
        LogicalPlan::SubqueryAlias(node) => find_aggregate(&node.input),
        LogicalPlan::Distinct(datafusion::logical_expr::Distinct::All(input)) => find_aggregate(input),
        LogicalPlan::TableScan(_) => Err(Reason::NotAggregated.into()),
        LogicalPlan::Window(_) => Err(Refusal::about(Reason::ClauseRefused, "OVER")),
        LogicalPlan::Join(node) => Err(match find_aggregate(&node.left).or_else(|_| find_aggregate(&node.right)) {
            Ok(_) => Refusal::about(Reason::JoinRefused, ABOVE),
            Err(_) => Reason::NotAggregated.into(),
        }),
        LogicalPlan::Union(_) => Err(Refusal::about(Reason::ClauseRefused, "UNION")),
        _ => Err(Reason::ClauseRefused.into()),
    }
}

/// What the outer plan is made of; public.
#[derive(Debug, Clone)]
pub(crate) struct Outer {
    plan: LogicalPlan,
    /// The schema of the plan once its expressions are total.
    schema: DFSchemaRef,
    inner: Arc<Inner>,
    group_keys: Vec<usize>,
    outputs: Vec<Output>,
}

impl Outer {
    /// The plan above the aggregate, tried once on an empty release so that nothing can go wrong after the charge.
    ///
    /// # Errors
    /// What of it is not accepted.
    pub(crate) fn new(plan: LogicalPlan, analysed: Analysed) -> Result<Self, Refusal> {
        let Analysed { inner, group_keys, outputs } = analysed;
        let mut outer = Self { schema: Arc::clone(plan.schema()), plan, inner: Arc::new(inner), group_keys, outputs };
        let empty = RecordBatch::new_empty(outer.released_schema());
        let bound = outer.bind(empty)?;
        outer.schema = Arc::clone(bound.schema());
        tables::columns_of(&outer.schema)?;
        match execute(bound) {
            Ok(_) => Ok(outer),
            Err(_) => Err(Refusal::about(Reason::ExpressionRefused, RELEASED_EXPRESSION)),
        }
    }

    /// The inner question.
    pub(crate) fn inner(&self) -> &Arc<Inner> {
        &self.inner
    }

    /// The columns of the answer.
    pub(crate) fn schema(&self) -> &DFSchemaRef {
        &self.schema
    }

    /// Runs the outer plan over a release.
    ///
    /// # Errors
    /// [`Reason::Internal`], [`Reason::Busy`]; nothing of it depends on private rows.
    pub(crate) async fn run(self, cells: NoisyCells) -> Result<Table, Refusal> {
        on_own_stack(move || {
            let plan = self.bind(self.released(&cells)?)?;
            let batches = execute(plan).map_err(|_| Refusal::from(Reason::Internal))?;
            tables::rebuild(tables::columns_of(&self.schema)?, &batches)
        })
        .await
    }

    fn key_type(&self, place: usize) -> DataType {
        let key = self.group_keys.get(place).and_then(|index| self.inner.keys.get(*index));
        key.map_or(DataType::Null, |key| key.data_type.clone())
    }

    /// The type that the rest of the plan was made for.
    fn output_type(&self, place: usize) -> DataType {
        let field = find_aggregate(&self.plan).ok().and_then(|aggregate| {
            let fields = aggregate.schema.fields();
            fields.get(self.group_keys.len() + place).cloned()
        });
        match field {
            Some(field) if *field.data_type() == DataType::Int64 => DataType::Int64,
            _ => DataType::Float64,
        }
    }

    /// `g0…` the keys, then for each aggregate `a`, `l` and `h`: value and interval.
    fn released_schema(&self) -> SchemaRef {
        let mut fields: Vec<Field> =
            (0..self.group_keys.len()).map(|i| Field::new(format!("g{i}"), self.key_type(i), true)).collect();
        for i in 0..self.outputs.len() {
            for kind in ["a", "l", "h"] {
                fields.push(Field::new(format!("{kind}{i}"), self.output_type(i), true));
            }
        }
        // A query without keys and aggregates does not exist, but a batch needs a column to have a length.
        fields.push(Field::new("group", DataType::Int64, false));
        Arc::new(Schema::new(fields))
    }

    /// The released table, rebuilt from scalars.
    fn released(&self, cells: &NoisyCells) -> Result<RecordBatch, Refusal> {
        let groups = cells.groups;
        let shaped = match &cells.found {
            None => groups == self.inner.groups() && !self.inner.has_found_keys(),
            Some(found) => {
                self.inner.has_found_keys() && found.keys.iter().all(|key| key.len() == self.inner.keys.len())
            }
        };
        if !shaped {
            return Err(Reason::Internal.into());
        }
        let mut columns: Vec<ArrayRef> = Vec::new();
        for (place, key) in self.group_keys.iter().enumerate() {
            let told = cells.found.iter().flat_map(|found| &found.keys);
            let told: Vec<Option<KeyValue>> = told.map(|parts| parts.get(*key).and_then(value_of)).collect();
            let values: Vec<Option<&KeyValue>> = match &cells.found {
                None => (0..groups).map(|group| self.inner.key_value(*key, group)).collect(),
                Some(_) => told.iter().map(Option::as_ref).collect(),
            };
            columns.push(key_array(&self.key_type(place), &values));
        }
        for (place, output) in self.outputs.iter().enumerate() {
            let values: Vec<Noised> = (0..groups as usize)
                .map(|group| noised(output, cells, group))
                .collect::<Option<_>>()
                .ok_or(Reason::Internal)?;
            for pick in [|n: &Noised| n.value, |n: &Noised| n.low, |n: &Noised| n.high] {
                columns.push(if self.output_type(place) == DataType::Int64 {
                    Arc::new(values.iter().map(|n| pick(n).as_int()).collect::<Int64Array>())
                } else {
                    Arc::new(values.iter().map(|n| pick(n).as_float()).collect::<Float64Array>())
                });
            }
        }
        columns.push(Arc::new((0..i64::from(groups)).collect::<Int64Array>()));
        RecordBatch::try_new(self.released_schema(), columns).map_err(|_| Reason::Internal.into())
    }

    /// The plan with its aggregate replaced by a scan of `released`.
    fn bind(&self, released: RecordBatch) -> Result<LogicalPlan, Refusal> {
        self.rebuild(&self.plan, &released)
    }

    fn rebuild(&self, plan: &LogicalPlan, released: &RecordBatch) -> Result<LogicalPlan, Refusal> {
        let refused = |_| Refusal::about(Reason::ExpressionRefused, RELEASED_EXPRESSION);
        if let LogicalPlan::Aggregate(aggregate) = plan {
            return self.scan(aggregate, released).map_err(|_| Reason::Internal.into());
        }
        let inputs = plan.inputs();
        let [input] = inputs.as_slice() else {
            return Err(Reason::Internal.into());
        };
        let below = self.rebuild(input, released)?;
        let named = matches!(plan, LogicalPlan::Projection(_));
        let exprs = plan.expressions().into_iter().map(|expr| self.outer_expr(expr, below.schema(), named));
        let exprs = exprs.collect::<Result<Vec<_>, _>>()?;
        plan.with_new_exprs(exprs, vec![below]).map_err(refused)
    }

    /// A total expression that keeps the name it had.
    fn outer_expr(&self, expr: Expr, schema: &DFSchema, named: bool) -> Result<Expr, Refusal> {
        let (qualifier, name) = expr.qualified_name();
        let intervals = self.with_intervals(unaliased(expr.clone()))?;
        let total = total(&intervals, schema)?;
        if !named || total == expr {
            return Ok(total);
        }
        Ok(total.alias_qualified(qualifier, name))
    }

    /// `dp_interval_low(aggregate)` becomes the released column that holds it.
    fn with_intervals(&self, expr: Expr) -> Result<Expr, Refusal> {
        let wrong = |call: &Expr| Refusal::about(Reason::ExpressionRefused, &canonical::text(call));
        let mut fault = None;
        let aggregate = find_aggregate(&self.plan)?;
        let names: Vec<String> = aggregate.aggr_expr.iter().map(|e| e.qualified_name().1).collect();
        let out = expr.transform_down(|e| {
            let Expr::ScalarFunction(call) = &e else {
                return Ok(Transformed::no(e));
            };
            let prefix = match call.func.name() {
                INTERVAL_LOW => "l",
                INTERVAL_HIGH => "h",
                _ => return Ok(Transformed::no(e)),
            };
            // COUNT(*) comes with a name around it.
            let place = match call.args.as_slice() {
                [argument] => match unaliased(argument.clone()) {
                    Expr::Column(column) => names.iter().position(|name| *name == column.name),
                    _ => None,
                },
                _ => None,
            };
            match place {
                Some(place) => Ok(Transformed::yes(Expr::Column(hidden(prefix, place)))),
                None => {
                    fault = Some(wrong(&e));
                    Ok(Transformed::no(e))
                }
            }
        });
        match (fault, out) {
            (Some(refusal), _) => Err(refusal),
            (None, Ok(out)) => Ok(out.data),
            (None, Err(_)) => Err(Reason::Internal.into()),
        }
    }

    /// The release under the names that the aggregate's output had, and the intervals under reserved ones.
    fn scan(&self, aggregate: &Aggregate, released: &RecordBatch) -> datafusion::error::Result<LogicalPlan> {
        let table = MemTable::try_new(released.schema(), vec![vec![released.clone()]])?;
        let scan = LogicalPlanBuilder::scan(RELEASED, provider_as_source(Arc::new(table)), None)?;
        let stored = |name: String| Expr::Column(Column::new(Some(RELEASED), name));
        let mut exprs = Vec::new();
        for (place, (qualifier, field)) in aggregate.schema.iter().enumerate() {
            let name = match place.checked_sub(self.group_keys.len()) {
                None => format!("g{place}"),
                Some(output) => format!("a{output}"),
            };
            exprs.push(stored(name).alias_qualified(qualifier.cloned(), field.name()));
        }
        for place in 0..self.outputs.len() {
            for prefix in ["l", "h"] {
                exprs.push(stored(format!("{prefix}{place}")).alias(hidden(prefix, place).name));
            }
        }
        scan.project(exprs)?.build()
    }
}

/// Runs a plan over the release in a session of its own, which holds nothing else. It blocks, on a planning stack.
fn execute(plan: LogicalPlan) -> datafusion::error::Result<Vec<RecordBatch>> {
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let session = SessionContext::new_with_config(SessionConfig::new().with_target_partitions(1));
    runtime.block_on(async { session.execute_logical_plan(plan).await?.collect().await })
}

fn hidden(prefix: &str, place: usize) -> Column {
    Column::new_unqualified(format!("{}{prefix}{place}", crate::guard::RESERVED_PREFIX))
}

#[cfg(test)]
#[path = "outer_tests.rs"]
mod tests;
