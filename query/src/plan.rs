//! From a checked syntax tree to a typed logical plan, with DataFusion's planner over names alone.
//!
//! The planner sees declared schemas and the allowed functions, nothing else: there is no session, no catalog, no file
//! source and no information schema behind it, so DDL, COPY, table functions and metadata tables are unreachable by
//! construction. It runs under [`on_planning_stack`].

use std::sync::{Arc, LazyLock, Mutex};

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::common::{DataFusionError, SchemaError, TableReference, plan_err};
use datafusion::config::ConfigOptions;
use datafusion::error::Result as DfResult;
use datafusion::functions_aggregate::all_default_aggregate_functions;
use datafusion::functions_aggregate::average::avg_udaf;
use datafusion::functions_aggregate::count::count_udaf;
use datafusion::functions_aggregate::planner::AggregateFunctionPlanner;
use datafusion::functions_aggregate::stddev::{stddev_pop_udaf, stddev_udaf};
use datafusion::functions_aggregate::sum::sum_udaf;
use datafusion::functions_aggregate::variance::{var_pop_udaf, var_samp_udaf};
use datafusion::logical_expr::planner::{ContextProvider, ExprPlanner};
use datafusion::logical_expr::{
    AggregateUDF, ColumnarValue, HigherOrderUDF, LogicalPlan, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    TableScan, TableSource, Volatility, WindowUDF,
};
use datafusion::optimizer::analyzer::Analyzer;
use datafusion::optimizer::analyzer::type_coercion::TypeCoercion;
use datafusion::sql::planner::SqlToRel;
use glovebox_catalog::{Catalog, Dataset, PublicTable};
use glovebox_policy::{DatasetName, Reason, Refusal};

use crate::dates::{self, ExtractPlanner};
use crate::lift::MARKER;
use crate::parse::Parsed;
use crate::total::SUBQUERY;

/// Stack of the planning thread. The guard's caps keep recursion far below it, in debug builds too.
const PLANNING_STACK_BYTES: usize = 32 * 1024 * 1024;

/// Lower end of a released aggregate's 95 % noise interval.
pub(crate) const INTERVAL_LOW: &str = "dp_interval_low";
/// Upper end of a released aggregate's 95 % noise interval.
pub(crate) const INTERVAL_HIGH: &str = "dp_interval_high";

/// Does work that recurses over statements, on a thread of its own with a stack that is large enough for every statement
/// within the guard's caps. A panic there is an internal refusal.
///
/// # Errors
/// Those of the work, or [`Reason::Busy`] when there is no thread.
pub(crate) fn on_planning_stack<T: Send>(work: impl FnOnce() -> Result<T, Refusal> + Send) -> Result<T, Refusal> {
    std::thread::scope(|scope| {
        std::thread::Builder::new()
            .stack_size(PLANNING_STACK_BYTES)
            .spawn_scoped(scope, work)
            .map_err(|_| Refusal::from(Reason::Busy))?
            .join()
            .map_err(|_| Refusal::from(Reason::Internal))?
    })
}

/// As [`on_planning_stack`], for work that a task waits for.
///
/// # Errors
/// As [`on_planning_stack`].
pub(crate) async fn on_own_stack<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Refusal> + Send + 'static,
) -> Result<T, Refusal> {
    let (done, outcome) = tokio::sync::oneshot::channel();
    std::thread::Builder::new()
        .stack_size(PLANNING_STACK_BYTES)
        .spawn(move || {
            // Nobody may be waiting any more; then the outcome is of no use.
            let _ = done.send(work());
        })
        .map_err(|_| Refusal::from(Reason::Busy))?;
    outcome.await.map_err(|_| Refusal::from(Reason::Internal))?
}

/// Plans a statement and makes its types explicit.
///
/// # Errors
/// What the planner did not take, in our words; DataFusion's text is dropped.
pub(crate) fn plan(parsed: Parsed, catalog: &Catalog) -> Result<(LogicalPlan, Scanned), Refusal> {
    let seen = Mutex::new(Seen { left: parsed.datasets, ..Seen::default() });
    let names = Names { catalog, config: ConfigOptions::default(), with: parsed.with, seen };
    let planned = SqlToRel::new(&names).sql_statement_to_plan(parsed.statement);
    let seen = std::mem::take(&mut *names.seen());
    let plan = planned.map_err(|error| seen.refusal(&error))?;
    let analyzer = Analyzer::with_rules(vec![Arc::new(TypeCoercion::new())]);
    let plan = analyzer.execute_and_check(plan, &names.config, |_, _| {}).map_err(|error| seen.refusal(&error))?;
    if seen.subquery {
        return Err(Refusal::about(Reason::ClauseRefused, SUBQUERY));
    }
    let scanned = scanned(&plan)?;
    Ok((plan, scanned))
}

/// What a table of a statement is.
#[derive(Clone)]
pub(crate) enum Tabled {
    /// Rows that belong to units.
    Units(Arc<Dataset>),
    /// A public table.
    Public(Arc<PublicTable>),
}

/// What a scan is of.
pub(crate) fn tabled(scan: &TableScan) -> Option<&Tabled> {
    let source: &dyn std::any::Any = scan.source.as_ref();
    source.downcast_ref::<DeclaredTable>().map(|table| &table.table)
}

/// Every table that a plan scans, as often as it does.
pub(crate) fn tables_of(plan: &LogicalPlan) -> Result<Vec<Tabled>, Refusal> {
    if let LogicalPlan::TableScan(scan) = plan {
        return Ok(vec![tabled(scan).ok_or(Reason::Internal)?.clone()]);
    }
    match (plan, plan.inputs().as_slice()) {
        (_, [input]) => tables_of(input),
        (LogicalPlan::Join(_), [left, right]) => Ok([tables_of(left)?, tables_of(right)?].concat()),
        _ => Err(Reason::ClauseRefused.into()),
    }
}

/// The dataset that a plan scans, and the one that is joined to it.
pub(crate) type Scanned = (Arc<Dataset>, Option<Arc<Dataset>>);

/// The datasets that a plan scans. A WITH query that nothing names is planned, and no part of the plan.
fn scanned(plan: &LogicalPlan) -> Result<Scanned, Refusal> {
    let tables = tables_of(plan)?;
    let mut datasets = tables.iter().filter_map(|table| match table {
        Tabled::Units(dataset) => Some(Arc::clone(dataset)),
        Tabled::Public(_) => None,
    });
    match (datasets.next(), datasets.next(), datasets.next()) {
        (Some(dataset), other, None) => Ok((dataset, other)),
        (Some(_), _, Some(_)) => Err(Refusal::about(Reason::JoinRefused, "three datasets with units")),
        (None, ..) => Err(Refusal::about(Reason::JoinRefused, "a public table alone")),
    }
}

/// What the planner asked for by name.
#[derive(Default)]
struct Seen {
    /// How many datasets named after FROM are still to come.
    left: usize,
    unknown_table: Option<String>,
    /// A dataset that no SQL reads.
    footage: Option<String>,
    unknown_function: Option<String>,
    refused_aggregate: Option<String>,
    /// A function that only OVER could make sense of.
    window: bool,
    /// One more table than FROM has: it is in an expression.
    subquery: bool,
}

impl Seen {
    /// Our words for why planning failed. The planner knows no data, but its text is its own affair.
    fn refusal(&self, error: &DataFusionError) -> Refusal {
        if let Some(name) = &self.unknown_table {
            return Refusal::about(Reason::TableUnknown, name);
        }
        if let Some(name) = &self.footage {
            return Refusal::about(Reason::FootageRefused, name);
        }
        if self.subquery {
            return Refusal::about(Reason::ClauseRefused, SUBQUERY);
        }
        if self.window {
            return Refusal::about(Reason::ClauseRefused, "OVER");
        }
        if let Some(name) = &self.refused_aggregate {
            return Refusal::about(Reason::AggregateRefused, name);
        }
        if let Some(name) = &self.unknown_function {
            return Refusal::about(Reason::FunctionRefused, name);
        }
        match error.find_root() {
            DataFusionError::SchemaError(kind, _) => match kind.as_ref() {
                SchemaError::FieldNotFound { field, .. } | SchemaError::AmbiguousReference { field } => {
                    Refusal::about(Reason::ColumnUnknown, &field.name)
                }
                SchemaError::DuplicateQualifiedField { name, .. } | SchemaError::DuplicateUnqualifiedField { name } => {
                    Refusal::about(Reason::SqlSyntax, &format!("two columns named {name}"))
                }
            },
            DataFusionError::NotImplemented(_) => Reason::ClauseRefused.into(),
            DataFusionError::Plan(text) if text.contains("unique expression names") => {
                Refusal::about(Reason::SqlSyntax, "two columns of one name; give them names with AS")
            }
            // The planner has one error for "plan"; the words GROUP BY occur in those about bare columns.
            DataFusionError::Plan(text) if text.contains("GROUP BY") => Reason::NotAggregated.into(),
            _ => Reason::TypeRefused.into(),
        }
    }
}

/// Names that a statement may use: the catalog's datasets and the functions of the language.
struct Names<'a> {
    catalog: &'a Catalog,
    config: ConfigOptions,
    /// Names that are no dataset's. The planner asks for them all the same.
    with: Vec<String>,
    seen: Mutex<Seen>,
}

impl Names<'_> {
    fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

static EXPR_PLANNERS: LazyLock<Vec<Arc<dyn ExprPlanner>>> =
    LazyLock::new(|| vec![Arc::new(AggregateFunctionPlanner), Arc::new(ExtractPlanner)]);

static OTHER_AGGREGATES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let all = all_default_aggregate_functions();
    all.iter().flat_map(|f| f.aliases().iter().cloned().chain([f.name().to_owned()])).collect()
});

impl ContextProvider for Names<'_> {
    fn get_table_source(&self, name: TableReference) -> DfResult<Arc<dyn TableSource>> {
        let text = match &name {
            TableReference::Full { catalog, schema, table } if catalog.as_ref() == "glovebox" => {
                format!("{schema}.{table}")
            }
            other => other.to_string(),
        };
        let find = |name: DatasetName| {
            let dataset = self.catalog.get(&name).map(Tabled::Units);
            dataset.or_else(|| self.catalog.public(&name).map(Tabled::Public))
        };
        let Some(table) = text.parse::<DatasetName>().ok().and_then(find) else {
            if !self.with.contains(&text) {
                self.seen().unknown_table = Some(text);
            }
            return plan_err!("unknown table");
        };
        // INVARIANT (no SQL over footage): nobody owns a row of it, so nothing bounds what one person contributes.
        if matches!(&table, Tabled::Units(dataset) if dataset.manifest().footage().is_some()) {
            self.seen().footage = Some(text);
            return plan_err!("footage");
        }
        let mut seen = self.seen();
        seen.subquery |= seen.left == 0;
        seen.left = seen.left.saturating_sub(1);
        Ok(Arc::new(DeclaredTable { schema: declared_schema(&table), table }))
    }

    fn get_expr_planners(&self) -> &[Arc<dyn ExprPlanner>] {
        &EXPR_PLANNERS
    }

    fn get_function_meta(&self, name: &str) -> Option<Arc<ScalarUDF>> {
        use datafusion::functions::{core, math};
        match name {
            "abs" => Some(math::abs()),
            "ceil" => Some(math::ceil()),
            "floor" => Some(math::floor()),
            "coalesce" => Some(core::coalesce()),
            "greatest" => Some(core::greatest()),
            "least" => Some(core::least()),
            "nullif" => Some(core::nullif()),
            MARKER => Some(Arc::clone(&BOUNDS)),
            INTERVAL_LOW => Some(Arc::clone(&LOW)),
            INTERVAL_HIGH => Some(Arc::clone(&HIGH)),
            name => dates::planned(name),
        }
    }

    fn get_higher_order_meta(&self, _: &str) -> Option<Arc<HigherOrderUDF>> {
        None
    }

    fn get_aggregate_meta(&self, name: &str) -> Option<Arc<AggregateUDF>> {
        match name {
            "count" => return Some(count_udaf()),
            "sum" => return Some(sum_udaf()),
            "avg" | "mean" => return Some(avg_udaf()),
            "var" | "var_samp" | "var_sample" | "variance" => return Some(var_samp_udaf()),
            "var_pop" | "var_population" => return Some(var_pop_udaf()),
            "stddev" | "stddev_samp" => return Some(stddev_udaf()),
            "stddev_pop" => return Some(stddev_pop_udaf()),
            _ => {}
        }
        let mut seen = self.seen();
        if OTHER_AGGREGATES.iter().any(|known| known == name) {
            seen.refused_aggregate = Some(name.to_owned());
        } else {
            seen.unknown_function = Some(name.to_owned());
        }
        None
    }

    fn get_window_meta(&self, _: &str) -> Option<Arc<WindowUDF>> {
        self.seen().window = true;
        None
    }

    fn get_variable_type(&self, _: &[String]) -> Option<DataType> {
        None
    }

    fn options(&self) -> &ConfigOptions {
        &self.config
    }

    fn udf_names(&self) -> Vec<String> {
        crate::total::ALLOWED.iter().map(|name| (*name).to_owned()).collect()
    }

    fn higher_order_function_names(&self) -> Vec<String> {
        Vec::new()
    }

    fn udaf_names(&self) -> Vec<String> {
        ["count", "sum", "avg", "var", "var_pop", "stddev", "stddev_pop"].map(str::to_owned).to_vec()
    }

    fn udwf_names(&self) -> Vec<String> {
        Vec::new()
    }
}

/// A table as the planner sees it: a schema. What is behind it is for the analysis to name, and cannot be scanned from here.
struct DeclaredTable {
    schema: SchemaRef,
    table: Tabled,
}

impl TableSource for DeclaredTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }
}

/// Every declared column, identifiers too, so that a refusal can name what was asked for.
fn declared_schema(table: &Tabled) -> SchemaRef {
    let columns = match table {
        Tabled::Units(dataset) => dataset.manifest().columns(),
        Tabled::Public(table) => table.manifest().columns(),
    };
    let fields = columns.iter().map(|column| Field::new(column.name.as_str(), column.kind.arrow_type(), true));
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

static BOUNDS: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| Arc::new(ScalarUDF::from(Named::new(MARKER, 2))));
static LOW: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| Arc::new(ScalarUDF::from(Named::new(INTERVAL_LOW, 1))));
static HIGH: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| Arc::new(ScalarUDF::from(Named::new(INTERVAL_HIGH, 1))));

/// A function that exists for the planner only: the analysis takes every call out again. It has its first argument's
/// type and cannot be run.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Named {
    name: &'static str,
    signature: Signature,
}

impl Named {
    fn new(name: &'static str, arguments: usize) -> Self {
        Self { name, signature: Signature::any(arguments, Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for Named {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, args: &[DataType]) -> DfResult<DataType> {
        match args.first() {
            Some(first) => Ok(first.clone()),
            None => plan_err!("one argument is needed"),
        }
    }

    fn invoke_with_args(&self, _: ScalarFunctionArgs) -> DfResult<ColumnarValue> {
        plan_err!("not for running")
    }
}
