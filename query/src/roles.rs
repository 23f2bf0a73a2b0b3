//! Which columns a question uses in which roles: what policy decides on.
//!
//! INVARIANT (a condition is a filter): a column that can decide *whether* something counts is used as a filter, wherever
//! it stands. `COUNT(CASE WHEN person_id = 7 THEN 1 END)` filters by person as surely as WHERE does. Inside an aggregate
//! only arithmetic that keeps a value a value is not a condition; everything else is taken to be one.

use std::collections::BTreeSet;

use datafusion::logical_expr::{Expr, Operator};
use glovebox_policy::{ColumnUse, Reason, Refusal, RoleOfUse};

use crate::inner::Inner;

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
    for key in &inner.keys {
        note(key.name.as_str(), RoleOfUse::Group)?;
    }
    for expr in inner.measures.iter().filter_map(|measure| measure.expr()) {
        for column in expr.column_refs() {
            note(&column.name, RoleOfUse::Aggregate)?;
        }
        let mut conditions = BTreeSet::new();
        collect_conditions(expr, &mut conditions);
        for name in conditions {
            note(&name, RoleOfUse::Filter)?;
        }
    }
    // Whatever is asked is asked about units: a count of rows, too, needs leave to aggregate over them.
    for unit in manifest.unit() {
        note(unit.as_str(), RoleOfUse::Aggregate)?;
    }
    Ok(uses)
}

/// Columns that can decide whether or which value of an aggregate's argument counts.
fn collect_conditions(expr: &Expr, out: &mut BTreeSet<String>) {
    match expr {
        Expr::Column(_) | Expr::Literal(..) => {}
        Expr::BinaryExpr(binary) if matches!(binary.op, Operator::Plus | Operator::Minus | Operator::Multiply) => {
            collect_conditions(&binary.left, out);
            collect_conditions(&binary.right, out);
        }
        Expr::ScalarFunction(call) if matches!(call.func.name(), "floor" | "ceil") => {
            call.args.iter().for_each(|arg| collect_conditions(arg, out));
        }
        // A cast of a number keeps it; a cast of anything else may drop rows by what they hold, but only through an
        // expression that is itself looked at here.
        Expr::TryCast(cast) if !matches!(cast.expr.as_ref(), Expr::Column(_)) => collect_conditions(&cast.expr, out),
        Expr::TryCast(cast) if cast.field.data_type().is_numeric() => collect_conditions(&cast.expr, out),
        other => out.extend(other.column_refs().into_iter().map(|column| column.name.clone())),
    }
}
