//! Which columns a question uses in which roles: what policy decides on.
//!
//! INVARIANT (a condition is a filter): a column in a condition (comparison, CASE, division, cast of text …) is used as a
//! filter, wherever it stands. What clamping and NULL decide is part of aggregating. `COUNT(CASE WHEN person_id = 7 THEN 1 END)` filters by person as surely as WHERE does. Inside an aggregate
//! only arithmetic that keeps a value a value is not a condition; everything else is taken to be one.

use std::collections::BTreeSet;

use datafusion::logical_expr::{Expr, Operator};
use glovebox_catalog::Manifest;
use glovebox_policy::{ColumnUse, Reason, Refusal, RoleOfUse};

use crate::inner::Inner;
use crate::keys::KeyColumn;

/// Every column in every role it is used in.
///
/// # Errors
/// [`Reason::ColumnUnknown`], which the analysis has excluded.
pub(crate) fn uses(inner: &Inner) -> Result<BTreeSet<ColumnUse>, Refusal> {
    let manifest = inner.dataset.manifest();
    let mut uses = BTreeSet::new();
    let mut note = |name: &str, role: RoleOfUse| -> Result<(), Refusal> {
        let column = manifest.column(name).ok_or_else(|| Refusal::about(Reason::ColumnUnknown, name))?;
        uses.insert(ColumnUse { column: column.name.clone(), role, identifier: column.identifier });
        Ok(())
    };
    for column in inner.filter.iter().flat_map(Expr::column_refs) {
        note(&column.name, RoleOfUse::Filter)?;
    }
    for column in inner.keys.iter().flat_map(KeyColumn::columns) {
        note(&column, RoleOfUse::Group)?;
    }
    for expr in inner.measures.iter().filter_map(|measure| measure.expr()) {
        for column in expr.column_refs() {
            note(&column.name, RoleOfUse::Aggregate)?;
        }
        let mut conditions = BTreeSet::new();
        collect_conditions(expr, manifest, &mut conditions);
        for name in conditions {
            note(&name, RoleOfUse::Filter)?;
        }
    }
    // Whatever is asked is asked about units: a count of rows, too, needs leave to aggregate over them.
    // An identifier that names the unit is not stored and cannot be granted; leave to ask at all is Cedar's `ask`.
    for unit in manifest.unit() {
        if manifest.column(unit.as_str()).is_some_and(|column| !column.identifier) {
            note(unit.as_str(), RoleOfUse::Aggregate)?;
        }
    }
    Ok(uses)
}

/// Columns that can decide whether or which value of an aggregate's argument counts.
fn collect_conditions(expr: &Expr, manifest: &Manifest, out: &mut BTreeSet<String>) {
    let is_number = |e: &Expr| match e {
        Expr::Column(column) => manifest.column(&column.name).is_some_and(|found| found.kind.is_number()),
        _ => true,
    };
    match expr {
        Expr::Column(_) | Expr::Literal(..) => {}
        Expr::BinaryExpr(binary) if matches!(binary.op, Operator::Plus | Operator::Minus | Operator::Multiply) => {
            collect_conditions(&binary.left, manifest, out);
            collect_conditions(&binary.right, manifest, out);
        }
        Expr::ScalarFunction(call) if matches!(call.func.name(), "floor" | "ceil") => {
            call.args.iter().for_each(|arg| collect_conditions(arg, manifest, out));
        }
        // A cast keeps a number; text that is no number becomes NULL, which is a condition on what it holds.
        Expr::TryCast(cast) if is_number(&cast.expr) => collect_conditions(&cast.expr, manifest, out),
        other => out.extend(other.column_refs().into_iter().map(|column| column.name.clone())),
    }
}
