//! Below the aggregate: every node is an allowed one, and every expression is rewritten over the dataset's own columns.
//!
//! Default deny: a node that is not named here is refused. Flattening leaves nothing of subqueries, aliases and
//! projections, so that what is known of a column (its bounds, its keys, that it is the unit) can only be known of the
//! column itself and never survives a redefinition.

use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DFSchema};
use datafusion::logical_expr::{Expr, LogicalPlan};
use glovebox_catalog::Dataset;
use glovebox_policy::{Reason, Refusal};

use crate::join::{Lookup, join};
use crate::lift::WrittenBounds;
use crate::per_unit::{PerUnit, per_unit};
use crate::plan::{Tabled, tabled};
use crate::unit_join::Partner;

/// Most nodes of one flattened expression: nested projections may multiply an expression, and must not explode.
pub(crate) const EXPR_MAX_NODES: usize = 2_000;

/// A tower of projections and filters over one table, or over what was added up per unit, as expressions over its columns.
pub(crate) struct Flat {
    /// One expression per output column.
    pub(crate) columns: Vec<Expr>,
    /// Conditions, all of which a row must meet.
    pub(crate) filters: Vec<Expr>,
    /// Whose rows are met, unit by unit. Its columns have names of their own.
    pub(crate) partner: Option<Arc<Partner>>,
    /// What is looked up for each row of the dataset, in an order in which each may use those before.
    pub(crate) lookups: Vec<Arc<Lookup>>,
    /// What the table is, if it is not the dataset itself.
    pub(crate) per_unit: Option<PerUnit>,
}

/// What is asked about, and the bounds that were written.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) dataset: &'a Arc<Dataset>,
    /// The second dataset of the statement, while its join is still above.
    pub(crate) partner: Option<&'a Arc<Dataset>>,
    pub(crate) written: &'a [WrittenBounds],
}

/// Flattens what is below the aggregate.
///
/// # Errors
/// The node that is not allowed.
pub(crate) fn flatten(plan: &LogicalPlan, asked: Asked<'_>) -> Result<Flat, Refusal> {
    match plan {
        LogicalPlan::TableScan(scan) if scan.fetch.is_none() && scan.filters.is_empty() => {
            // Public tables are scanned by joins alone.
            if !matches!(tabled(scan), Some(Tabled::Units(_))) {
                return Err(Reason::JoinRefused.into());
            }
            let fields = scan.projected_schema.fields().iter();
            let columns = fields.map(|field| Expr::Column(Column::new_unqualified(field.name()))).collect();
            Ok(Flat { columns, filters: Vec::new(), partner: None, lookups: Vec::new(), per_unit: None })
        }
        LogicalPlan::Projection(projection) => {
            let below = flatten(&projection.input, asked)?;
            let schema = projection.input.schema();
            let columns = projection.expr.iter().map(|e| below.substitute(e, schema)).collect::<Result<_, _>>()?;
            Ok(Flat { columns, ..below })
        }
        LogicalPlan::Filter(filter) => {
            let mut below = flatten(&filter.input, asked)?;
            let condition = below.substitute(&filter.predicate, filter.input.schema())?;
            below.filters.push(condition);
            Ok(below)
        }
        LogicalPlan::SubqueryAlias(alias) => flatten(&alias.input, asked),
        // Order means nothing to what is above.
        LogicalPlan::Sort(sort) if sort.fetch.is_none() => flatten(&sort.input, asked),
        LogicalPlan::Limit(_) | LogicalPlan::Sort(_) => {
            Err(Refusal::about(Reason::ClauseRefused, "LIMIT below an aggregate"))
        }
        LogicalPlan::Aggregate(aggregate) => {
            let below = flatten(&aggregate.input, asked)?;
            per_unit(aggregate, asked.dataset, &below, asked.written)
        }
        LogicalPlan::Distinct(_) => Err(Refusal::about(Reason::ClauseRefused, "an aggregate of an aggregate")),
        LogicalPlan::Window(_) => Err(Refusal::about(Reason::ClauseRefused, "OVER")),
        LogicalPlan::Join(node) => join(node, asked),
        LogicalPlan::Union(_) => Err(Refusal::about(Reason::ClauseRefused, "UNION")),
        _ => Err(Reason::ClauseRefused.into()),
    }
}

impl Flat {
    /// The expression over the table's own columns.
    pub(crate) fn substitute(&self, expr: &Expr, schema: &DFSchema) -> Result<Expr, Refusal> {
        let mut nodes = 0_usize;
        let replaced = expr
            .clone()
            .transform_down(|e| {
                nodes += 1;
                let Expr::Column(column) = &e else {
                    return Ok(Transformed::no(e));
                };
                let index = schema.index_of_column(column)?;
                let below = self.columns.get(index).cloned().unwrap_or(e);
                nodes += size(&below);
                // Stop early: the rest is not built once the expression is too large.
                let next = if nodes > EXPR_MAX_NODES { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Jump };
                Ok(Transformed::new(below, true, next))
            })
            .map_err(|_| Refusal::about(Reason::ExpressionRefused, &crate::canonical::text(expr)))?;
        if nodes > EXPR_MAX_NODES {
            return Err(Reason::SqlTooManyOperators.into());
        }
        Ok(unaliased(replaced.data))
    }
}

/// How many nodes an expression has.
pub(crate) fn size(expr: &Expr) -> usize {
    let mut nodes = 0;
    // The closure never fails, so neither does the walk.
    let _ = expr.apply(|_| {
        nodes += 1;
        Ok(TreeNodeRecursion::Continue)
    });
    nodes
}

/// The expression without the name it is given.
pub(crate) fn unaliased(expr: Expr) -> Expr {
    match expr {
        Expr::Alias(alias) => unaliased(*alias.expr),
        other => other,
    }
}
