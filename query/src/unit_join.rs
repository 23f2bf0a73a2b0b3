//! A dataset's rows joined with those of another dataset, unit by unit: each row meets the rows of its own unit.
//!
//! # Privacy obligation
//! Neighbouring relation: one unit of the id-space with all of its rows, in both datasets, added or removed. Both declare one id-space
//! and one budget domain, and one unit has one hash in all datasets of an id-space. ON must equate every column that names the
//! unit with the one in its place over there, as columns and not as expressions, so a pair of rows is made of one unit's own
//! rows: which pairs a unit has is a function of that unit's rows in the two datasets, and removing another unit changes none of
//! them. A unit with at most `a` rows here and `b` there has at most `a × b` pairs (LEFT: `a` at least where `b` is none), and
//! everything above is bounded with that number of rows, after the join. Conditions beside the unit's equality are conditions on
//! pairs. A join that kept rows of the other side alone would make rows outside of the asked dataset's units, and is refused.
//! Source: Wilson et al. 2019 (arXiv 1909.01917), §3: joins on the user before contributions are bounded.

use std::collections::BTreeSet;
use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNode as _};
use datafusion::common::{Column, JoinType, NullEquality};
use datafusion::logical_expr::utils::split_conjunction_owned;
use datafusion::logical_expr::{BinaryExpr, Expr, Join, Operator};
use glovebox_catalog::{ColumnKind, Dataset, Manifest};
use glovebox_policy::{Reason, Refusal};

use crate::flatten::{Asked, Flat, flatten};
use crate::inner::Inner;
use crate::join::{ABOVE, refused};
use crate::scope::{Known, Scope};

/// Most rows that a unit may have after a join, by declared sizes.
const PAIRS_MAX: u64 = 65_536;

/// Another dataset whose rows are met, unit by unit.
#[derive(Debug)]
pub(crate) struct Partner {
    pub(crate) dataset: Arc<Dataset>,
    /// Rows of units that have none over there are kept.
    pub(crate) keeps: bool,
    /// What is known of its columns, by the names that they have here.
    known: Vec<Known>,
}

impl Partner {
    fn new(dataset: &Arc<Dataset>, keeps: bool) -> Self {
        let table = Scope::of_table(dataset.manifest());
        let known = table.columns.into_iter().map(|known| {
            let name = name_of(dataset, &known.name);
            Known { behind: vec![name.clone()], name, ..known }
        });
        Self { dataset: Arc::clone(dataset), keeps, known: known.collect() }
    }

    /// What is known of its columns.
    pub(crate) fn known(&self) -> &[Known] {
        &self.known
    }

    /// The column of its manifest that has this name here.
    pub(crate) fn column(&self, name: &str) -> Option<&glovebox_catalog::Column> {
        self.dataset.manifest().columns().iter().find(|column| name_of(&self.dataset, column.name.as_str()) == name)
    }

    /// The columns that a question uses, each with its name here.
    pub(crate) fn used(&self, inner: &Inner) -> Vec<(String, String)> {
        let names = inner.names();
        let columns = self.dataset.manifest().columns().iter().map(|column| column.name.as_str().to_owned());
        let both = columns.map(|column| (column.clone(), name_of(&self.dataset, &column)));
        both.filter(|(_, name)| names.contains(name)).collect()
    }

    /// The most rows of a unit after the join.
    pub(crate) fn pairs(&self, rows: u32) -> u32 {
        rows.saturating_mul(self.dataset.manifest().max_rows_per_unit())
    }

    /// What a preview says of it.
    pub(crate) fn told(&self, pairs: u32) -> String {
        let manifest = self.dataset.manifest();
        let rows = manifest.max_rows_per_unit();
        let kept = if self.keeps { "; a unit without any is kept" } else { "" };
        format!("{}, unit by unit: at most {rows} rows of a unit there, {pairs} after the join{kept}", manifest.name())
    }
}

/// The name of a column of a partner. No declared column has such a name, and no lookup either.
pub(crate) fn name_of(dataset: &Dataset, column: &str) -> String {
    format!("{}[unit].{column}", dataset.manifest().name())
}

/// Flattens a join of two datasets.
///
/// # Errors
/// [`Reason::JoinRefused`], or what of a condition is not accepted.
pub(crate) fn unit_join(node: &Join, asked: Asked<'_>) -> Result<Flat, Refusal> {
    let keeps = match node.join_type {
        JoinType::Inner => false,
        JoinType::Left => true,
        _ => return Err(refused("a join that is neither INNER nor LEFT")),
    };
    if node.null_equality != NullEquality::NullEqualsNothing || node.null_aware {
        return Err(refused("a join in which NULL equals NULL"));
    }
    let other = asked.partner.ok_or(Reason::Internal)?;
    check_datasets(asked.dataset.manifest(), other.manifest())?;
    let left = flatten(&node.left, Asked { partner: None, ..asked })?;
    let right = flatten(&node.right, Asked { dataset: other, partner: None, written: asked.written })?;
    if left.per_unit.is_some() || right.per_unit.is_some() {
        return Err(refused(ABOVE));
    }
    if !right.lookups.is_empty() {
        return Err(refused("a public table joined to the second dataset first; join it to both, afterwards"));
    }
    if keeps && !right.filters.is_empty() {
        return Err(refused("LEFT JOIN of a subquery with a condition"));
    }
    let over_there = |expr: Expr| renamed(expr, &|name| Some(name_of(other, name)));
    let columns = right.columns.into_iter().map(over_there).collect::<Result<Vec<_>, _>>()?;
    let filters = right.filters.into_iter().map(over_there).collect::<Result<Vec<_>, _>>()?;
    let partner = Some(Arc::new(Partner::new(other, keeps)));
    let columns = left.columns.into_iter().chain(columns).collect();
    let mut flat = Flat { columns, filters: left.filters, lookups: left.lookups, partner, per_unit: None };
    let mut equated = BTreeSet::new();
    let mut more = filters;
    for condition in conditions(node) {
        let condition = flat.substitute(&condition, &node.schema)?;
        match unit_place(&condition, asked.dataset.manifest(), other) {
            Some(place) => drop(equated.insert(place)),
            None => more.push(condition),
        }
    }
    check_unit(&equated, asked.dataset.manifest(), other.manifest())?;
    if keeps && !more.is_empty() {
        return Err(refused("LEFT JOIN ON more than the equality of the unit"));
    }
    flat.filters.extend(more);
    if !keeps {
        flat.unify(asked.dataset.manifest(), other)?;
    }
    Ok(flat)
}

impl Flat {
    /// Where rows without a partner are left out, the unit over there is the unit here: it has one name.
    fn unify(&mut self, own: &Manifest, other: &Dataset) -> Result<(), Refusal> {
        let here = |name: &str| {
            let units = other.manifest().unit().iter().zip(own.unit());
            let mut same = units.filter(|(there, _)| name_of(other, there.as_str()) == name);
            Some(same.next()?.1.as_str().to_owned())
        };
        for expr in self.columns.iter_mut().chain(&mut self.filters) {
            *expr = renamed(std::mem::take(expr), &here)?;
        }
        Ok(())
    }
}

/// The expression with other names for the columns that have one.
fn renamed(expr: Expr, name_for: &dyn Fn(&str) -> Option<String>) -> Result<Expr, Refusal> {
    let rename = |expr: Expr| {
        let name = if let Expr::Column(column) = &expr { name_for(&column.name) } else { None };
        Ok(match name {
            Some(name) => Transformed::yes(Expr::Column(Column::new_unqualified(name))),
            None => Transformed::no(expr),
        })
    };
    expr.transform(rename).map(|done| done.data).map_err(|_| Reason::Internal.into())
}

/// The conditions of the join.
pub(crate) fn conditions(node: &Join) -> Vec<Expr> {
    let pairs = node.on.iter().map(|(left, right)| {
        Expr::BinaryExpr(BinaryExpr::new(Box::new(left.clone()), Operator::Eq, Box::new(right.clone())))
    });
    pairs.chain(node.filter.iter().flat_map(|filter| split_conjunction_owned(filter.clone()))).collect()
}

/// Whether persons in both are the same persons, and pay from one budget.
fn check_datasets(own: &Manifest, other: &Manifest) -> Result<(), Refusal> {
    let names = format!("{} with {}", own.name(), other.name());
    if own.id_space() != other.id_space() {
        return Err(refused(&format!("{names}: their units are of different id-spaces")));
    }
    if own.budget_domain() != other.budget_domain() {
        return Err(refused(&format!("{names}: they are of different budget domains")));
    }
    let kinds = |manifest: &Manifest| -> Vec<Option<ColumnKind>> {
        manifest.unit().iter().map(|name| manifest.column(name.as_str()).map(|column| column.kind)).collect()
    };
    if kinds(own) != kinds(other) {
        return Err(refused(&format!("{names}: their units are named by columns of different kinds")));
    }
    let pairs = u64::from(own.max_rows_per_unit()) * u64::from(other.max_rows_per_unit());
    if pairs > PAIRS_MAX {
        return Err(refused(&format!("{names}: a unit could have {pairs} rows after it, {PAIRS_MAX} are allowed")));
    }
    Ok(())
}

/// Which column of the unit a condition equates with its like.
fn unit_place(condition: &Expr, own: &Manifest, other: &Dataset) -> Option<usize> {
    let Expr::BinaryExpr(BinaryExpr { left, op: Operator::Eq, right }) = condition else {
        return None;
    };
    let (left, right) = (column_of(left)?, column_of(right)?);
    let mut places = own.unit().iter().zip(other.manifest().unit());
    places.position(|(here, there)| {
        let (here, there) = (here.as_str(), name_of(other, there.as_str()));
        (left == here && right == there) || (right == here && left == there)
    })
}

/// The column that an expression is. The planner's own kinds of text are one kind here; any other cast makes another value.
fn column_of(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Column(column) => Some(&column.name),
        Expr::Alias(alias) => column_of(&alias.expr),
        _ => None,
    }
}

/// Whether the whole unit is equated.
fn check_unit(equated: &BTreeSet<usize>, own: &Manifest, other: &Manifest) -> Result<(), Refusal> {
    if equated.len() == own.unit().len() {
        return Ok(());
    }
    let names = own.unit().iter().zip(other.unit());
    let on: Vec<String> = names
        .map(|(here, there)| format!("{}.{here} = {}.{there}", own.name().table(), other.name().table()))
        .collect();
    Err(refused(&format!("two datasets with units but not ON the whole unit: {}", on.join(" AND "))))
}
