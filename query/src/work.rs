//! How much work a question is, from public sizes alone: what its time is reserved by.
//!
//! # Privacy obligation
//! Every figure here is a function of the expression and of declared sizes. Evaluation may skip work on some data (an AND
//! whose left side is false everywhere); what is reserved is the worst case, so that no data can be seen in how long an
//! answer takes, unless the reservation is too small: then the request is lost. Stored text counts as short, text in
//! calls as long as calls take it, and the outer plan not at all: it sees no more rows than there are groups.

use arrow::datatypes::DataType;
use datafusion::common::tree_node::{TreeNode as _, TreeNodeRecursion};
use datafusion::logical_expr::Expr;

use glovebox_catalog::Manifest;

use crate::calls::{self, Form};
use crate::dates::taken;
use crate::inner::Inner;
use crate::keys::KeyColumn;
use crate::measure::Measure;
use crate::scope::Scope;
use crate::texts::TEXT_MAX_BYTES;

/// Steps for reading a row, finding its unit and leaving it.
const ROW_STEPS: u64 = 8;
/// Steps for each measure and each key of a row that is no text.
const ENTRY_STEPS: u64 = 4;
/// Steps for each node of an expression.
const NODE_STEPS: u64 = 1;
/// Steps for a node that reads or writes text.
const TEXT_STEPS: u64 = 16;

/// Steps for a call that reads or makes texts, of [`TEXT_MAX_BYTES`] at most: a question can make them that long itself, for the rows of one
/// unit alone, so here no text counts as short.
const TEXT_CALL_STEPS: u64 = TEXT_MAX_BYTES as u64;

/// Steps for a call that looks every character of a text up in a literal of few characters.
const LOOKED_UP_STEPS: u64 = 10 * TEXT_CALL_STEPS;

/// Steps for a pattern: where its engine does worst, every byte of a text meets every state, of which one of the smallest size has less than 200.
const PATTERN_STEPS: u64 = 200 * TEXT_CALL_STEPS;

/// Steps for finding the key of a row among those found before.
const FIND_STEPS: u64 = 3 * TEXT_STEPS;

/// Steps for a column that a public table is looked up with, or that is taken from it or made a part of a pair: texts there have up to
/// 1,024 bytes.
const LOOKUP_STEPS: u64 = 10 * TEXT_STEPS;

/// Steps for carrying a found key through merging, reading and sorting, for each of its columns and each doubling of the keys.
const KEY_STEPS: u64 = 2 * TEXT_STEPS;

/// Work in steps of roughly one simple operation on one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Work {
    /// Steps over all declared rows.
    pub steps: u128,
    /// Cells that are noised.
    pub cells: u64,
}

/// The worst-case work of a question with so many cells to noise and so many keys to find at most.
/// What is added up per unit makes at most as many rows as it reads.
pub(crate) fn work(inner: &Inner, cells: u64, most_keys: u64) -> Work {
    let manifest = inner.dataset.manifest();
    let own = per_row(inner.filter.as_ref(), &inner.keys, &inner.measures, &inner.scope);
    let below = inner
        .per_unit
        .as_ref()
        .map_or(0, |level| per_row(level.filter.as_ref(), &level.keys, &level.measures, &inner.table));
    let rows = u128::from(manifest.max_units()) * u128::from(inner.table.rows);
    let (indexed, met) = lookups(inner);
    let (read, paired) = pairs(inner);
    let steps = rows * u128::from(own + below + met + paired) + indexed + read;
    Work { steps: steps + found(inner, most_keys), cells }
}

/// Steps after the rows for as many keys as can be found.
fn found(inner: &Inner, most_keys: u64) -> u128 {
    let doublings = u64::from(u64::BITS - most_keys.leading_zeros());
    let each = KEY_STEPS * inner.keys.len() as u64 * doublings + ENTRY_STEPS * inner.measures.len() as u64;
    u128::from(most_keys) * u128::from(each)
}

/// Steps for reading the rows of two datasets, and for each pair that they make.
fn pairs(inner: &Inner) -> (u128, u64) {
    let Some(partner) = &inner.partner else {
        return (0, 0);
    };
    let rows = |manifest: &Manifest| u128::from(manifest.max_units()) * u128::from(manifest.max_rows_per_unit());
    let read = rows(inner.dataset.manifest()) + rows(partner.dataset.manifest());
    let names = inner.names();
    let columns = inner.table.columns.iter().filter(|column| names.contains(&column.name));
    let each =
        columns.map(|column| if column.data_type == DataType::Utf8 { LOOKUP_STEPS } else { ENTRY_STEPS }).sum::<u64>();
    (read * u128::from(ROW_STEPS + each), ROW_STEPS + each)
}

/// Steps for the rows of public tables, and for each row of the dataset that looks one up in each.
fn lookups(inner: &Inner) -> (u128, u64) {
    let mut steps = (0, 0);
    for lookup in &inner.lookups {
        let keys = LOOKUP_STEPS * lookup.on.len() as u64;
        let found: u64 = lookup.on.iter().map(|(_, expr)| steps_of(expr, &inner.table)).sum();
        steps.0 += u128::from(lookup.table.manifest().max_rows()) * u128::from(ROW_STEPS + keys);
        steps.1 += ROW_STEPS + keys + found + LOOKUP_STEPS * lookup.used(inner).len() as u64;
    }
    steps
}

fn per_row(filter: Option<&Expr>, keys: &[KeyColumn], measures: &[Measure], scope: &Scope) -> u64 {
    let exprs = filter.into_iter().chain(measures.iter().filter_map(Measure::expr));
    let in_exprs: u64 = exprs.map(|expr| steps_of(expr, scope)).sum();
    // A key that is found is written down for the row, looked for among its unit's and, once kept, among all.
    let finding = |key: &KeyColumn| if key.found { FIND_STEPS } else { 0 };
    let in_keys: u64 = keys.iter().map(|key| steps_of(&key.expr, scope).max(ENTRY_STEPS) + finding(key)).sum();
    ROW_STEPS + ENTRY_STEPS * measures.len() as u64 + in_keys + in_exprs
}

fn steps_of(expr: &Expr, scope: &Scope) -> u64 {
    let mut steps = 0;
    // The closure never fails, so neither does the walk.
    let _ = expr.apply(|node| {
        steps += match node {
            Expr::TryCast(_) => TEXT_STEPS,
            Expr::Column(column) => match scope.column(&column.name).map(|found| &found.data_type) {
                Some(DataType::Utf8) => TEXT_STEPS,
                _ => NODE_STEPS,
            },
            // The calendar takes some divisions.
            Expr::ScalarFunction(call) if taken(call).is_some() => TEXT_STEPS,
            Expr::ScalarFunction(call) => {
                match (calls::pattern_weight(call), calls::form_of(call).map(Form::reads_text)) {
                    (Some(weight), _) => PATTERN_STEPS * weight,
                    (None, Some((_, true))) => LOOKED_UP_STEPS,
                    (None, Some((true, false))) => TEXT_CALL_STEPS,
                    (None, Some((false, false))) => 2 * TEXT_STEPS,
                    (None, None) => NODE_STEPS,
                }
            }
            // A list is looked through value by value.
            Expr::InList(list) => list.list.len() as u64,
            _ => NODE_STEPS,
        };
        Ok(TreeNodeRecursion::Continue)
    });
    steps
}
