//! The inner question: which rows, which groups, what is added up. Everything about it is public.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::common::DFSchema;
use datafusion::logical_expr::utils::{conjunction, split_conjunction_owned};
use datafusion::logical_expr::{Aggregate, Expr, ExprSchemable as _};
use glovebox_catalog::{Dataset, KeyValue};
use glovebox_policy::{ColumnUse, Reason, Refusal};

use crate::calls::count_texts_made;
use crate::canonical;
use crate::flatten::{Asked, Flat, flatten, size};
use crate::join::Lookup;
use crate::keys::KeyColumn;
use crate::lift::WrittenBounds;
use crate::measure::{Counted, Measure};
use crate::output::{Output, add, canonical_order};
use crate::per_unit::PerUnit;
use crate::plan::Scanned;
use crate::roles::uses;
use crate::rows::try_on_nulls;
use crate::scope::Scope;
use crate::unit_join::Partner;

/// Most groups of one question.
pub(crate) const GROUPS_MAX: u64 = 65_536;

/// Most nodes of all flattened expressions of one question together.
const QUESTION_MAX_NODES: usize = 8_000;

/// Most calls of one question that make texts: all that are made of a batch of rows may be in memory at once.
const TEXTS_MADE_MAX: usize = 16;

/// The inner question over one dataset, or over two that are joined unit by unit.
#[derive(Debug, Clone)]
pub(crate) struct Inner {
    pub(crate) dataset: Arc<Dataset>,
    /// Whose rows each row meets.
    pub(crate) partner: Option<Arc<Partner>>,
    /// What is looked up for each row.
    pub(crate) lookups: Vec<Arc<Lookup>>,
    /// The columns of the dataset's rows and of what is looked up for them.
    pub(crate) table: Scope,
    /// What is added up per unit first, if anything is; then everything below is about the table that this makes.
    pub(crate) per_unit: Option<Arc<PerUnit>>,
    /// The columns that the expressions are over.
    pub(crate) scope: Scope,
    /// The condition on rows, total.
    pub(crate) filter: Option<Expr>,
    /// Keys by label.
    pub(crate) keys: Vec<KeyColumn>,
    /// Families of cells by label.
    pub(crate) measures: Vec<Measure>,
    /// Columns in roles of use.
    pub(crate) uses: BTreeSet<ColumnUse>,
}

/// The inner question, and how the query's aggregate node reads off it.
pub(crate) struct Analysed {
    pub(crate) inner: Inner,
    /// For each group expression of the query, which key column.
    pub(crate) group_keys: Vec<usize>,
    /// For each aggregate of the query, how it comes out of the measures.
    pub(crate) outputs: Vec<Output>,
}

impl Inner {
    /// Every expression that is evaluated on rows, of both levels.
    pub(crate) fn exprs(&self) -> Vec<&Expr> {
        let own = exprs_of(self.filter.as_ref(), &self.keys, &self.measures);
        let below =
            self.per_unit.iter().flat_map(|level| exprs_of(level.filter.as_ref(), &level.keys, &level.measures));
        let looked_up = self.lookups.iter().flat_map(|lookup| lookup.on.iter().map(|(_, expr)| expr));
        own.chain(below).chain(looked_up).collect()
    }

    /// The columns that these expressions name.
    pub(crate) fn names(&self) -> BTreeSet<String> {
        self.exprs().into_iter().flat_map(Expr::column_refs).map(|column| column.name.clone()).collect()
    }

    /// Whether keys are found in rows.
    pub(crate) fn has_found_keys(&self) -> bool {
        self.keys.iter().any(|key| key.found)
    }

    /// The family that counts every unit of a group once.
    pub(crate) fn units(&self) -> Option<usize> {
        self.measures.iter().position(|measure| measure.counted == Counted::Units)
    }

    /// How many groups the public key lists make. Keys that are found divide each of them further.
    pub(crate) fn groups(&self) -> u32 {
        self.keys.iter().map(KeyColumn::width).product::<u64>() as u32
    }

    /// The value of a key column in a group; `None` for what is not on the public list.
    pub(crate) fn key_value(&self, key: usize, group: u32) -> Option<&KeyValue> {
        key_value(&self.keys, key, group)
    }
}

/// The value of a key in a group. Groups are numbered with the last key running fastest.
pub(crate) fn key_value(keys: &[KeyColumn], key: usize, group: u32) -> Option<&KeyValue> {
    let faster: u64 = keys.iter().skip(key + 1).map(KeyColumn::width).product();
    let column = keys.get(key)?;
    let position = u64::from(group) / faster % column.width();
    column.values.get(usize::try_from(position).ok()?)
}

/// The expressions of one level.
pub(crate) fn exprs_of<'a>(
    filter: Option<&'a Expr>,
    keys: &'a [KeyColumn],
    measures: &'a [Measure],
) -> impl Iterator<Item = &'a Expr> {
    filter.into_iter().chain(keys.iter().map(|key| &key.expr)).chain(measures.iter().filter_map(Measure::expr))
}

/// Reads an aggregate node.
///
/// # Errors
/// What of it is not accepted over private rows.
pub(crate) fn analyse(
    aggregate: &Aggregate,
    (dataset, partner): &Scanned,
    written: &[WrittenBounds],
) -> Result<Analysed, Refusal> {
    let flat = flatten(&aggregate.input, Asked { dataset, partner: partner.as_ref(), written })?;
    let table = Scope::of_rows(dataset, flat.partner.as_deref(), &flat.lookups);
    let scope = match &flat.per_unit {
        None => table.clone(),
        Some(per_unit) => per_unit.scope.clone(),
    };
    let reader = Reader::new(scope, &flat, aggregate, written)?;
    let filter = reader.filter()?;
    let keys = reader.keys()?;
    let mut measures = Vec::new();
    let mut drafts = Vec::new();
    for expr in &aggregate.aggr_expr {
        drafts.push(reader.aggregate(expr, &mut measures)?);
    }
    if drafts.is_empty() || keys.iter().any(|key| key.found) {
        // By the noised count of units it is decided which keys appear; and of SELECT key … GROUP BY key nothing is private, but the plan needs a
        // cell.
        add(&mut measures, Measure::count(Counted::Units, "count(distinct unit)", None, 1)?);
    }
    let order = canonical_order(&measures);
    let outputs = drafts.into_iter().map(|draft| draft.renumbered(&order)).collect();
    measures.sort_by(|a, b| a.label.cmp(&b.label));
    let (per_unit, scope) = (flat.per_unit.clone().map(Arc::new), reader.scope.clone());
    let (dataset, partner, lookups) = (Arc::clone(dataset), flat.partner.clone(), flat.lookups.clone());
    let mut inner =
        Inner { dataset, partner, lookups, table, per_unit, scope, filter, keys, measures, uses: BTreeSet::new() };
    if inner.keys.iter().map(KeyColumn::width).try_fold(1_u64, |n, w| n.checked_mul(w)).is_none_or(|n| n > GROUPS_MAX) {
        return Err(Reason::TooManyGroups.into());
    }
    if inner.exprs().into_iter().map(size).sum::<usize>() > QUESTION_MAX_NODES {
        return Err(Reason::SqlTooManyOperators.into());
    }
    if inner.exprs().into_iter().map(count_texts_made).sum::<usize>() > TEXTS_MADE_MAX {
        return Err(Reason::SqlTooManyOperators.into());
    }
    inner.uses = uses(&inner)?;
    // Tried once on rows of NULL, so that what cannot be evaluated is refused now and not found after the charge.
    try_on_nulls(&inner).map_err(|_| Refusal::from(Reason::TypeRefused))?;
    let group_keys = reader.group_keys(&inner.keys)?;
    Ok(Analysed { inner, group_keys, outputs })
}

/// Reads the parts of one aggregate node.
pub(crate) struct Reader<'a> {
    pub(crate) scope: Scope,
    pub(crate) schema: DFSchema,
    pub(crate) flat: &'a Flat,
    pub(crate) aggregate: &'a Aggregate,
    pub(crate) written: &'a [WrittenBounds],
    /// Group expressions over the columns of the scope.
    pub(crate) group: Vec<Expr>,
    /// The most rows of a unit in a group.
    pub(crate) rows: u32,
}

impl<'a> Reader<'a> {
    /// Gets ready to read a node.
    ///
    /// # Errors
    /// An expression that grows too large.
    pub(crate) fn new(
        scope: Scope,
        flat: &'a Flat,
        aggregate: &'a Aggregate,
        written: &'a [WrittenBounds],
    ) -> Result<Self, Refusal> {
        let schema = scope.schema()?;
        let mut group = Vec::new();
        for (place, expr) in aggregate.group_expr.iter().enumerate() {
            // The node has one column for an expression that is written twice.
            if aggregate.group_expr.iter().position(|known| known == expr) != Some(place) {
                continue;
            }
            group.push(flat.substitute(expr, aggregate.input.schema())?);
        }
        let rows = scope.rows_in_group(&group);
        Ok(Self { scope, schema, flat, aggregate, written, group, rows })
    }

    /// Refuses identifiers before anything else is said about an expression.
    pub(crate) fn check_columns(&self, expr: &Expr) -> Result<(), Refusal> {
        self.scope.check_columns(expr)
    }

    pub(crate) fn total(&self, expr: &Expr) -> Result<Expr, Refusal> {
        self.scope.total_over(expr, &self.schema)
    }

    /// All conditions on rows as one.
    ///
    /// # Errors
    /// What of them is not accepted.
    pub(crate) fn filter(&self) -> Result<Option<Expr>, Refusal> {
        let mut filters = Vec::new();
        for filter in &self.flat.filters {
            let filter = self.total(filter)?;
            // Joined by AND, what is no condition could fail on rows for which the others hold.
            if !matches!(filter.get_type(&self.schema), Ok(DataType::Boolean)) {
                return Err(Refusal::about(Reason::TypeRefused, &canonical::text(&filter)));
            }
            filters.extend(split_conjunction_owned(filter));
        }
        // Canonical: the same conditions in any order are the same question.
        filters.sort_by_cached_key(canonical::text);
        filters.dedup();
        Ok(conjunction(filters))
    }

    /// One key.
    ///
    /// # Errors
    /// [`Reason::GroupKeyNotPublic`], or what of the expression is not accepted.
    pub(crate) fn key_column(&self, expr: &Expr) -> Result<KeyColumn, Refusal> {
        let not_public = |expr: &Expr| Refusal::about(Reason::GroupKeyNotPublic, &canonical::text(expr));
        match expr {
            Expr::GroupingSet(_) => return Err(Refusal::about(Reason::ClauseRefused, "GROUPING SETS, ROLLUP, CUBE")),
            Expr::Cast(_) | Expr::TryCast(_) => {
                self.check_columns(expr)?;
                // A cast to DATE may be a key; of the others it does not matter why they are none.
                let key = self.total(expr).ok().map(|expr| KeyColumn::new(expr, &self.scope)).transpose()?;
                return key.flatten().ok_or_else(|| not_public(expr));
            }
            Expr::Column(_) => {}
            Expr::ScalarFunction(call) if ["date_part", "date_trunc"].contains(&call.func.name()) => {}
            other => return Err(not_public(other)),
        }
        let expr = self.total(expr)?;
        KeyColumn::new(expr.clone(), &self.scope)?.ok_or_else(|| not_public(&expr))
    }

    /// The keys by label, each once.
    fn keys(&self) -> Result<Vec<KeyColumn>, Refusal> {
        let mut keys = self.group.iter().map(|expr| self.key_column(expr)).collect::<Result<Vec<_>, _>>()?;
        keys.sort_by(|a, b| a.label.cmp(&b.label));
        keys.dedup_by(|a, b| a.label == b.label);
        Ok(keys)
    }

    fn group_keys(&self, keys: &[KeyColumn]) -> Result<Vec<usize>, Refusal> {
        let place = |expr: &Expr| {
            let label = self.key_column(expr)?.label;
            keys.iter().position(|key| key.label == label).ok_or_else(|| Refusal::from(Reason::Internal))
        };
        self.group.iter().map(place).collect()
    }
}
