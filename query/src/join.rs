//! A dataset's rows joined with public tables: each row looks up at most one row of each.
//!
//! # Privacy obligation
//! Neighbouring relation: one unit with all of its rows, added or removed; public tables are the same in both. A public table is
//! joined on equality with all columns of a set that its manifest declares unique and that ingest verified, so a row meets at
//! most one of its rows: the join is a function of each row by itself. A unit has no more rows after it than before, and
//! removing another unit changes none of them; what is bounded per unit afterwards is bounded as over the dataset alone.
//! INNER and LEFT differ in a filter: a row that meets none is left out, or has NULL. A join that kept the rows of the public
//! side would make rows that are no unit's, and is refused. Source: Wilson et al. 2019 (arXiv 1909.01917), §3.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::common::{Column, JoinType, NullEquality};
use datafusion::logical_expr::{BinaryExpr, Expr, ExprSchemable as _, Join, LogicalPlan, Operator};
use glovebox_catalog::{ColumnKind, Dataset, PublicTable};
use glovebox_policy::{Reason, Refusal};

use crate::canonical;
use crate::flatten::{Asked, Flat, flatten, unaliased};
use crate::inner::Inner;
use crate::interval::Interval;
use crate::plan::{Tabled, tabled, tables_of};
use crate::scope::{Known, Scope};
use crate::unit_join::{Partner, conditions, unit_join};

/// Most public tables that one question may join.
pub(crate) const LOOKUPS_MAX: usize = 4;

/// Most bytes of a lookup's label. Labels stand for columns in the texts of expressions, and in labels of lookups after them.
const LABEL_MAX_BYTES: usize = 1_024;

/// What a refusal calls a join with a level below that adds up.
pub(crate) const ABOVE: &str = "a join above an aggregate";

/// A public table, and on what its rows are found.
#[derive(Debug)]
pub(crate) struct Lookup {
    pub(crate) table: Arc<PublicTable>,
    /// Columns of the public table, each with what it equals: a total expression over the dataset's columns and those of lookups
    /// before this one.
    pub(crate) on: Vec<(String, Expr)>,
    /// Canonical text: equal lookups have equal labels. Also the name of a column that says whether a row met one.
    pub(crate) label: String,
    /// What is known of the columns, the one that says whether a row met one last.
    known: Vec<Known>,
}

impl Lookup {
    fn new(table: Arc<PublicTable>, mut on: Vec<(String, Expr)>, scope: &Scope) -> Result<Self, Refusal> {
        on.sort_by_cached_key(|(column, expr)| (column.clone(), canonical::text(expr)));
        on.dedup();
        let texts: Vec<String> =
            on.iter().map(|(column, expr)| format!("{column} = {}", canonical::text(expr))).collect();
        let label = format!("{}[{}]", table.manifest().name(), texts.join(" AND "));
        if label.len() > LABEL_MAX_BYTES {
            return Err(Reason::SqlTooManyOperators.into());
        }
        // Whatever is made of a public column tells of the dataset's columns that decided which row is met.
        let behind: BTreeSet<String> = on.iter().flat_map(|(_, expr)| scope.behind(expr)).collect();
        let behind: Vec<String> = behind.into_iter().collect();
        let mut known = Vec::new();
        for column in table.manifest().columns() {
            let name = column.name.as_str();
            let keys = match &column.keys {
                Some(keys) => Some(keys.values.clone()),
                // Its values are public, so that they are a public list.
                None => table.distinct(name).map_err(|_| Reason::Internal)?,
            };
            known.push(Known {
                name: column_name(&label, name),
                data_type: column.kind.arrow_type(),
                bounds: column.bounds.as_ref().and_then(|bounds| Interval::new(bounds.lower, bounds.upper)),
                grid: column.grid,
                keys,
                days: column.days.clone(),
                identifier: false,
                stored: true,
                thresholded: false,
                behind: behind.clone(),
            });
        }
        known.push(Known {
            name: label.clone(),
            data_type: DataType::Boolean,
            bounds: None,
            grid: None,
            keys: None,
            days: None,
            identifier: false,
            stored: true,
            thresholded: false,
            behind,
        });
        Ok(Self { table, on, label, known })
    }

    /// What is known of its columns.
    pub(crate) fn known(&self) -> &[Known] {
        &self.known
    }

    /// The columns that a question uses, each with its name among the question's columns.
    pub(crate) fn used(&self, inner: &Inner) -> Vec<(String, String)> {
        let names = inner.names();
        let columns = self.table.manifest().columns().iter();
        let both = columns.map(|column| {
            let name = column.name.as_str();
            (name.to_owned(), column_name(&self.label, name))
        });
        both.filter(|(_, name)| names.contains(name)).collect()
    }

    /// What a preview says of it.
    pub(crate) fn told(&self, rows_of_a_unit: u32) -> String {
        let most = self.table.manifest().max_rows();
        format!(
            "{}: public, at most {most} rows; a row meets at most one, so a unit still has at most {rows_of_a_unit}",
            self.label
        )
    }
}

/// The name of a column of a lookup. No declared column has such a name.
fn column_name(label: &str, column: &str) -> String {
    format!("{label}.{column}")
}

pub(crate) fn refused(what: &str) -> Refusal {
    Refusal::about(Reason::JoinRefused, what)
}

/// A join, as seen from the side of the dataset.
struct Sides<'a> {
    node: &'a Join,
    private: &'a LogicalPlan,
    table: Arc<PublicTable>,
    private_first: bool,
    /// Rows that meet none are kept.
    keeps: bool,
}

impl<'a> Sides<'a> {
    fn of(node: &'a Join) -> Result<Self, Refusal> {
        let (table, private, private_first) = match (bare_public(&node.left)?, bare_public(&node.right)?) {
            (None, Some(table)) => (table, &node.left, true),
            (Some(table), None) => (table, &node.right, false),
            (Some(_), Some(_)) => return Err(refused("two public tables before the dataset")),
            (None, None) => return Err(Reason::Internal.into()),
        };
        let keeps = match (node.join_type, private_first) {
            (JoinType::Inner, _) => false,
            (JoinType::Left, true) => true,
            (JoinType::Left, false) => return Err(refused("LEFT JOIN that keeps the rows of the public table")),
            _ => return Err(refused("a join that is neither INNER nor LEFT")),
        };
        if node.null_equality != NullEquality::NullEqualsNothing || node.null_aware {
            return Err(refused("a join in which NULL equals NULL"));
        }
        Ok(Self { node, private, table, private_first, keeps })
    }

    /// The place of a public table's column among the columns of the table, if a column is one.
    fn public_place(&self, column: &Column) -> Option<usize> {
        let place = self.node.schema.index_of_column(column).ok()?;
        let private = self.private.schema().fields().len();
        let public = self.table.manifest().columns().len();
        match self.private_first {
            true => place.checked_sub(private),
            false => Some(place).filter(|place| *place < public),
        }
    }

    /// The column of the public table that an expression is, with or without a cast.
    fn public_column(&self, expr: &Expr) -> Option<(&glovebox_catalog::Column, bool)> {
        match expr {
            Expr::Column(column) => Some((self.table.manifest().columns().get(self.public_place(column)?)?, false)),
            // The planner's own kinds of text are one kind here.
            Expr::Cast(cast) => {
                let (column, before) = self.public_column(&cast.expr)?;
                let is_text = column.kind == ColumnKind::Text && cast.field.data_type().is_string();
                Some((column, before || !is_text))
            }
            Expr::Alias(alias) => self.public_column(&alias.expr),
            _ => None,
        }
    }

    fn is_private(&self, expr: &Expr) -> bool {
        expr.column_refs().into_iter().all(|column| self.public_place(column).is_none())
    }

    /// A condition as a column of the public table and what it equals; `None` for conditions of another form.
    fn equality(&self, condition: &Expr) -> Result<Option<(&glovebox_catalog::Column, Expr)>, Refusal> {
        let Expr::BinaryExpr(BinaryExpr { left, op: Operator::Eq, right }) = condition else {
            return Ok(None);
        };
        for (public, private) in [(left, right), (right, left)] {
            if let Some((column, cast)) = self.public_column(public)
                && self.is_private(private)
            {
                // The planner casts to a common type; what a public column is looked up by is the column itself.
                let fits = !cast && !matches!(column.kind, ColumnKind::Float);
                let equal = unaliased(private.as_ref().clone());
                return if fits {
                    Ok(Some((column, equal)))
                } else {
                    Err(Refusal::about(Reason::TypeRefused, &format!("{} of the public table", column.name)))
                };
            }
        }
        Ok(None)
    }
}

/// The public table that one side of a join is.
fn bare_public(plan: &LogicalPlan) -> Result<Option<Arc<PublicTable>>, Refusal> {
    match plan {
        LogicalPlan::SubqueryAlias(alias) => bare_public(&alias.input),
        LogicalPlan::TableScan(scan) if scan.fetch.is_none() && scan.filters.is_empty() => {
            match tabled(scan).ok_or(Reason::Internal)? {
                Tabled::Public(table) => Ok(Some(Arc::clone(table))),
                Tabled::Units(_) => Ok(None),
            }
        }
        other => match tables_of(other)?.iter().any(|table| matches!(table, Tabled::Units(_))) {
            true => Ok(None),
            false if matches!(other, LogicalPlan::Join(_)) => Err(refused("two public tables before the dataset")),
            false => Err(refused("a subquery over a public table; join the table itself")),
        },
    }
}

/// Flattens a join: what is below, with one more lookup.
///
/// # Errors
/// [`Reason::JoinRefused`], or what of a condition is not accepted.
pub(crate) fn join(node: &Join, asked: Asked<'_>) -> Result<Flat, Refusal> {
    if bare_public(&node.left)?.is_none() && bare_public(&node.right)?.is_none() {
        return unit_join(node, asked);
    }
    let sides = Sides::of(node)?;
    let mut below = flatten(sides.private, asked)?;
    if below.per_unit.is_some() {
        return Err(refused(ABOVE));
    }
    let scope = Scope::of_rows(asked.dataset, below.partner.as_deref(), &below.lookups);
    let schema = scope.schema()?;
    let (mut on, mut others) = (Vec::new(), Vec::new());
    for condition in conditions(node) {
        let Some((column, equal)) = sides.equality(&condition)? else {
            others.push(condition);
            continue;
        };
        let equal = scope.total_over(&below.substitute(&equal, sides.private.schema())?, &schema)?;
        if !equal.get_type(&schema).is_ok_and(|found| found == column.kind.arrow_type()) {
            let text = format!("{} = {}", column.name, canonical::text(&equal));
            return Err(Refusal::about(Reason::TypeRefused, &text));
        }
        on.push((column.name.as_str().to_owned(), equal));
    }
    if sides.keeps && !others.is_empty() {
        return Err(refused("LEFT JOIN ON more than equalities with the public table's columns"));
    }
    check_unique(&sides.table, &on)?;
    let lookup = Lookup::new(Arc::clone(&sides.table), on, &scope)?;
    let lookup = match below.lookups.iter().find(|known| known.label == lookup.label) {
        Some(known) => Arc::clone(known),
        None => {
            below.lookups.push(Arc::new(lookup));
            below.lookups.last().cloned().ok_or(Reason::Internal)?
        }
    };
    if below.lookups.len() > LOOKUPS_MAX {
        return Err(refused(&format!("more than {LOOKUPS_MAX} joins")));
    }
    let columns = sides.table.manifest().columns().iter();
    let public: Vec<Expr> = columns.map(|column| named(column_name(&lookup.label, column.name.as_str()))).collect();
    let (first, second) = if sides.private_first { (below.columns, public) } else { (public, below.columns) };
    let mut flat = Flat { columns: first.into_iter().chain(second).collect(), ..below };
    for other in others {
        let condition = flat.substitute(&other, &node.schema)?;
        flat.filters.push(condition);
    }
    if !sides.keeps {
        flat.filters.push(named(lookup.label.clone()));
    }
    Ok(flat)
}

fn named(name: String) -> Expr {
    Expr::Column(Column::new_unqualified(name))
}

/// Whether no row can meet two rows of the table.
fn check_unique(table: &PublicTable, on: &[(String, Expr)]) -> Result<(), Refusal> {
    let is_on = |name: &str| on.iter().any(|(column, _)| column == name);
    if table.manifest().unique().iter().any(|set| set.iter().all(|column| is_on(column.as_str()))) {
        return Ok(());
    }
    let columns: BTreeSet<&str> = on.iter().map(|(column, _)| column.as_str()).collect();
    let columns = columns.into_iter().collect::<Vec<_>>().join(", ");
    let name = table.manifest().name();
    Err(refused(&format!("{name} ON ({columns}), where its manifest declares no `unique`")))
}

impl Scope {
    /// The columns of a dataset's rows, of the rows that they meet unit by unit, and of what is looked up for each.
    pub(crate) fn of_rows(dataset: &Dataset, partner: Option<&Partner>, lookups: &[Arc<Lookup>]) -> Self {
        let mut scope = Self::of_table(dataset.manifest());
        if let Some(partner) = partner {
            scope.columns.extend(partner.known().iter().cloned());
            scope.rows = partner.pairs(scope.rows);
        }
        scope.columns.extend(lookups.iter().flat_map(|lookup| lookup.known().iter().cloned()));
        scope
    }
}
