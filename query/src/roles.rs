//! Which columns a question uses in which roles: what policy decides on.
//!
//! INVARIANT (a condition is a filter): a column in a condition (comparison, CASE, division, cast of text …) is used as a
//! filter, wherever it stands. What clamping and NULL decide is part of aggregating. `COUNT(CASE WHEN person_id = 7 THEN 1 END)`
//! filters by person as surely as WHERE does. Inside an aggregate only arithmetic that keeps a value a value is not a
//! condition; everything else is taken to be one. How many rows a unit has is a fact of no column: a condition on that
//! count, at a level per unit, uses the unit as an aggregate does.

use std::collections::BTreeSet;

use arrow::datatypes::DataType;
use datafusion::common::Column;
use datafusion::logical_expr::{Expr, Operator};
use glovebox_catalog::Dataset;
use glovebox_policy::{ColumnName, ColumnUse, Reason, Refusal, RoleOfUse};

use crate::inner::Inner;
use crate::keys::KeyColumn;
use crate::measure::Measure;
use crate::scope::Scope;
use crate::unit_join::name_of;

/// Every column in every role it is used in. What is done with a sum per unit is done with the columns behind it.
///
/// # Errors
/// [`Reason::ColumnUnknown`], which the analysis has excluded.
pub(crate) fn uses(inner: &Inner) -> Result<BTreeSet<ColumnUse>, Refusal> {
    let manifest = inner.dataset.manifest();
    let mut found = Vec::new();
    let public = inner.lookups.iter().flat_map(|lookup| lookup.known()).map(|known| known.name.as_str()).collect();
    collect(inner.filter.as_ref(), &inner.keys, &inner.measures, (&inner.scope, &public), &mut found);
    if let Some(level) = &inner.per_unit {
        collect(level.filter.as_ref(), &level.keys, &level.measures, (&inner.table, &public), &mut found);
    }
    // What decides which row of a public table is met; what is made of that row is used as these columns are, above.
    for (_, expr) in inner.lookups.iter().flat_map(|lookup| &lookup.on) {
        found.extend(inner.table.behind(expr).into_iter().map(|name| (name, RoleOfUse::Join)));
        let mut conditions = BTreeSet::new();
        collect_conditions(expr, &inner.table, &mut conditions);
        let behind = conditions.iter().flat_map(|name| inner.table.behind(&Expr::from(Column::new_unqualified(name))));
        found.extend(behind.map(|name| (name, RoleOfUse::Filter)));
    }
    // The unit is what the rows of the two datasets meet by.
    if let Some(partner) = &inner.partner {
        found.extend(named(&inner.dataset, |unit| unit.to_owned(), RoleOfUse::Join));
        let there = |unit: &str| name_of(&partner.dataset, unit);
        found.extend(named(&partner.dataset, there, RoleOfUse::Join));
    }
    // Whatever is asked is asked about units: a count of rows, too, needs leave to aggregate over them.
    // An identifier that names the unit is not stored and cannot be granted; leave to ask at all is Cedar's `ask`.
    found.extend(named(&inner.dataset, |unit| unit.to_owned(), RoleOfUse::Aggregate));
    let uses = found.into_iter().map(|(name, role)| {
        let there = inner.partner.as_ref().and_then(|partner| Some((partner.column(&name)?, partner)));
        // A dataset that is joined to itself is one dataset, with one set of grants.
        let dataset = there
            .map(|(_, partner)| partner.dataset.manifest().name())
            .filter(|name| *name != manifest.name())
            .cloned();
        let column = there.map(|(column, _)| column).or_else(|| manifest.column(&name));
        let column = column.ok_or_else(|| Refusal::about(Reason::ColumnUnknown, &name))?;
        Ok(ColumnUse { dataset, column: column.name.clone(), role, identifier: column.identifier })
    });
    uses.collect()
}

/// The columns that name a dataset's unit and are no identifiers, by the names that `name_for` gives them, in a role.
fn named(
    dataset: &Dataset,
    name_for: impl Fn(&str) -> String,
    role: RoleOfUse,
) -> impl Iterator<Item = (String, RoleOfUse)> {
    let manifest = dataset.manifest();
    let usable = |name: &&ColumnName| manifest.column(name.as_str()).is_some_and(|column| !column.identifier);
    manifest.unit().iter().filter(usable).map(move |name| (name_for(name.as_str()), role))
}

/// The roles in one level, of the dataset's columns. A public column in an aggregate is a table of values by the columns that it was
/// looked up with, and what finds no row drops out: a condition on them.
fn collect(
    filter: Option<&Expr>,
    keys: &[KeyColumn],
    measures: &[Measure],
    (scope, public): (&Scope, &BTreeSet<&str>),
    found: &mut Vec<(String, RoleOfUse)>,
) {
    let mut note = |name: &str, role: RoleOfUse| {
        let behind = scope.column(name).map_or_else(|| vec![name.to_owned()], |known| known.behind.clone());
        found.extend(behind.into_iter().map(|name| (name, role)));
    };
    for column in filter.into_iter().flat_map(Expr::column_refs) {
        note(&column.name, RoleOfUse::Filter);
    }
    for column in keys.iter().flat_map(KeyColumn::columns) {
        note(&column, RoleOfUse::Group);
    }
    for expr in measures.iter().filter_map(Measure::expr) {
        for column in expr.column_refs() {
            note(&column.name, RoleOfUse::Aggregate);
            if public.contains(column.name.as_str()) {
                note(&column.name, RoleOfUse::Filter);
            }
        }
        let mut conditions = BTreeSet::new();
        collect_conditions(expr, scope, &mut conditions);
        for name in conditions {
            note(&name, RoleOfUse::Filter);
        }
    }
}

/// Columns that can decide whether or which value of an aggregate's argument counts.
fn collect_conditions(expr: &Expr, scope: &Scope, out: &mut BTreeSet<String>) {
    let is_number = |e: &Expr| match e {
        Expr::Column(column) => scope.column(&column.name).is_some_and(|found| found.data_type.is_numeric()),
        _ => true,
    };
    match expr {
        Expr::Column(_) | Expr::Literal(..) => {}
        Expr::BinaryExpr(binary) if matches!(binary.op, Operator::Plus | Operator::Minus | Operator::Multiply) => {
            collect_conditions(&binary.left, scope, out);
            collect_conditions(&binary.right, scope, out);
        }
        Expr::ScalarFunction(call) if matches!(call.func.name(), "floor" | "ceil") => {
            call.args.iter().for_each(|arg| collect_conditions(arg, scope, out));
        }
        // A cast to a number keeps one. Text that is no number becomes NULL, which is a condition on what it holds, and a
        // cast to BOOLEAN asks whether a number is zero.
        Expr::TryCast(cast) if *cast.field.data_type() != DataType::Boolean && is_number(&cast.expr) => {
            collect_conditions(&cast.expr, scope, out);
        }
        other => out.extend(other.column_refs().into_iter().map(|column| column.name.clone())),
    }
}
