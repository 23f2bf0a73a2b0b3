//! How much work a question is, from public sizes alone: what its time is reserved by.
//!
//! # Privacy obligation
//! Every figure here is a function of the expression and of declared sizes. Evaluation may skip work on some data (an AND
//! whose left side is false everywhere); what is reserved is the worst case, so that no data can be seen in how long an
//! answer takes, unless the reservation is too small: then the request is lost. Text counts as short, and the outer plan
//! not at all: it sees no more rows than there are groups.

use datafusion::common::tree_node::{TreeNode as _, TreeNodeRecursion};
use datafusion::logical_expr::Expr;
use glovebox_catalog::ColumnKind;

use crate::dates::taken;
use crate::inner::Inner;
use crate::keys::KeyColumn;

/// Steps for reading a row, finding its unit and leaving it.
const ROW_STEPS: u64 = 8;
/// Steps for each measure and each key of a row that is no text.
const ENTRY_STEPS: u64 = 4;
/// Steps for each node of an expression.
const NODE_STEPS: u64 = 1;
/// Steps for a node that reads or writes text.
const TEXT_STEPS: u64 = 16;

/// Work in steps of roughly one simple operation on one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Work {
    /// Steps over all declared rows.
    pub steps: u128,
    /// Cells that are noised.
    pub cells: u64,
}

/// The worst-case work of a question.
pub(crate) fn work(inner: &Inner) -> Work {
    let manifest = inner.dataset.manifest();
    let exprs = inner.filter.iter().chain(inner.measures.iter().filter_map(|measure| measure.expr()));
    let in_exprs: u64 = exprs.map(|expr| steps_of(expr, inner)).sum();
    let of_key = |key: &KeyColumn| steps_of(&key.expr, inner).max(ENTRY_STEPS);
    let in_keys: u64 = inner.keys.iter().map(of_key).sum();
    let per_row = ROW_STEPS + ENTRY_STEPS * inner.measures.len() as u64 + in_keys + in_exprs;
    let rows = u128::from(manifest.max_units()) * u128::from(manifest.max_rows_per_unit());
    Work { steps: rows * u128::from(per_row), cells: u64::from(inner.groups()) * inner.measures.len() as u64 }
}

fn steps_of(expr: &Expr, inner: &Inner) -> u64 {
    let mut steps = 0;
    // The closure never fails, so neither does the walk.
    let _ = expr.apply(|node| {
        steps += match node {
            Expr::TryCast(_) => TEXT_STEPS,
            Expr::Column(column) => match inner.dataset.manifest().column(&column.name).map(|found| found.kind) {
                Some(ColumnKind::Text) => TEXT_STEPS,
                _ => NODE_STEPS,
            },
            // The calendar takes some divisions.
            Expr::ScalarFunction(call) if taken(call).is_some() => TEXT_STEPS,
            // A list is looked through value by value.
            Expr::InList(list) => list.list.len() as u64,
            _ => NODE_STEPS,
        };
        Ok(TreeNodeRecursion::Continue)
    });
    steps
}
