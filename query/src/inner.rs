//! The inner question: which rows, which groups, what is added up. Everything about it is public.

use std::collections::BTreeSet;
use std::sync::Arc;

use datafusion::common::{Column, DFSchema};
use datafusion::logical_expr::expr::AggregateFunction;
use datafusion::logical_expr::utils::{conjunction, split_conjunction_owned};
use datafusion::logical_expr::{Aggregate, Expr, lit};
use glovebox_catalog::{Dataset, KeyValue, Manifest};
use glovebox_policy::{ColumnName, ColumnUse, Reason, Refusal};

use crate::canonical;
use crate::flatten::{Flat, flatten, size, unaliased};
use crate::interval::{Interval, interval_of, reach_of};
use crate::lift::{BoundsOf, MARKER, WrittenBounds, marker_index};
use crate::measure::{Counted, FixedPoint, Measure};
use crate::output::{Output, add, canonical_order};
use crate::roles::uses;
use crate::rows::try_on_nulls;
use crate::total::{total, when};

/// Most groups of one question.
pub(crate) const GROUPS_MAX: u64 = 65_536;

/// Most nodes of all flattened expressions of one question together.
const QUESTION_MAX_NODES: usize = 8_000;

/// A column that is grouped by, and its public values. One more group, for what is not on the list, comes last.
#[derive(Debug, Clone)]
pub(crate) struct KeyColumn {
    pub(crate) name: ColumnName,
    pub(crate) values: Vec<KeyValue>,
}

impl KeyColumn {
    /// How many groups this column alone makes.
    pub(crate) fn width(&self) -> u64 {
        self.values.len() as u64 + 1
    }
}

/// The inner question over one dataset.
#[derive(Debug, Clone)]
pub(crate) struct Inner {
    pub(crate) dataset: Arc<Dataset>,
    /// The condition on rows, total.
    pub(crate) filter: Option<Expr>,
    /// Key columns by name.
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
    /// How many groups the public key lists make.
    pub(crate) fn groups(&self) -> u32 {
        self.keys.iter().map(KeyColumn::width).product::<u64>() as u32
    }

    /// The value of a key column in a group; `None` for what is not on the public list.
    pub(crate) fn key_value(&self, key: usize, group: u32) -> Option<&KeyValue> {
        // Groups are numbered with the last key column running fastest.
        let faster: u64 = self.keys.iter().skip(key + 1).map(KeyColumn::width).product();
        let column = self.keys.get(key)?;
        let position = u64::from(group) / faster % column.width();
        column.values.get(usize::try_from(position).ok()?)
    }
}

/// Reads an aggregate node.
///
/// # Errors
/// What of it is not accepted over private rows.
pub(crate) fn analyse(
    aggregate: &Aggregate,
    dataset: &Arc<Dataset>,
    written: &[WrittenBounds],
) -> Result<Analysed, Refusal> {
    let flat = flatten(&aggregate.input)?;
    let reader = Reader::new(dataset, &flat, aggregate, written)?;
    let filter = reader.filter()?;
    let keys = reader.keys()?;
    let mut measures = Vec::new();
    let mut drafts = Vec::new();
    for expr in &aggregate.aggr_expr {
        drafts.push(reader.aggregate(expr, &mut measures)?);
    }
    if drafts.is_empty() {
        // SELECT key … GROUP BY key: nothing private, but the plan needs a cell; count units.
        measures.push(Measure::count(Counted::Units, "count(distinct unit)", None, 1)?);
    }
    let order = canonical_order(&measures);
    let outputs = drafts.into_iter().map(|draft| draft.renumbered(&order)).collect();
    measures.sort_by(|a, b| a.label.cmp(&b.label));
    let mut inner = Inner { dataset: Arc::clone(dataset), filter, keys, measures, uses: BTreeSet::new() };
    if inner.keys.iter().map(KeyColumn::width).try_fold(1_u64, |n, w| n.checked_mul(w)).is_none_or(|n| n > GROUPS_MAX) {
        return Err(Reason::TooManyGroups.into());
    }
    let exprs = inner.filter.iter().chain(inner.measures.iter().filter_map(Measure::expr));
    if exprs.map(size).sum::<usize>() > QUESTION_MAX_NODES {
        return Err(Reason::SqlTooManyOperators.into());
    }
    inner.uses = uses(&inner)?;
    // Tried once on rows of NULL, so that what cannot be evaluated is refused now and not found after the charge.
    try_on_nulls(&inner).map_err(|_| Refusal::from(Reason::TypeRefused))?;
    let group_keys = reader.group_keys(&inner.keys)?;
    Ok(Analysed { inner, group_keys, outputs })
}

/// Reads the parts of one aggregate node.
struct Reader<'a> {
    dataset: &'a Dataset,
    schema: DFSchema,
    flat: &'a Flat,
    aggregate: &'a Aggregate,
    written: &'a [WrittenBounds],
    /// Group expressions over the table's columns.
    group: Vec<Expr>,
}

/// An aggregate's argument without casts that the planner added and without the bounds marker.
struct Argument {
    expr: Expr,
    bounds: Option<WrittenBounds>,
}

impl<'a> Reader<'a> {
    fn new(
        dataset: &'a Dataset,
        flat: &'a Flat,
        aggregate: &'a Aggregate,
        written: &'a [WrittenBounds],
    ) -> Result<Self, Refusal> {
        let schema = DFSchema::try_from(dataset.manifest().arrow_schema().as_ref().clone())
            .map_err(|_| Refusal::from(Reason::Internal))?;
        let mut group = Vec::new();
        for (place, expr) in aggregate.group_expr.iter().enumerate() {
            // The node has one column for an expression that is written twice.
            if aggregate.group_expr.iter().position(|known| known == expr) != Some(place) {
                continue;
            }
            group.push(flat.substitute(expr, aggregate.input.schema())?);
        }
        Ok(Self { dataset, schema, flat, aggregate, written, group })
    }

    fn manifest(&self) -> &Manifest {
        self.dataset.manifest()
    }

    /// Refuses identifiers before anything else is said about an expression.
    fn check_columns(&self, expr: &Expr) -> Result<(), Refusal> {
        let mut names: Vec<String> = expr.column_refs().into_iter().map(|c| c.name.clone()).collect();
        names.sort();
        for name in names {
            match self.manifest().column(&name) {
                None => return Err(Refusal::about(Reason::ColumnUnknown, &name)),
                Some(column) if column.identifier => return Err(Refusal::about(Reason::ColumnIsIdentifier, &name)),
                Some(_) => {}
            }
        }
        Ok(())
    }

    fn total(&self, expr: &Expr) -> Result<Expr, Refusal> {
        self.check_columns(expr)?;
        total(expr, &self.schema)
    }

    fn filter(&self) -> Result<Option<Expr>, Refusal> {
        let mut filters = Vec::new();
        for filter in &self.flat.filters {
            filters.extend(split_conjunction_owned(self.total(filter)?));
        }
        // Canonical: the same conditions in any order are the same question.
        filters.sort_by_cached_key(canonical::text);
        filters.dedup();
        Ok(conjunction(filters))
    }

    fn key_column(&self, expr: &Expr) -> Result<KeyColumn, Refusal> {
        let Expr::Column(Column { name, .. }) = expr else {
            return Err(match expr {
                Expr::GroupingSet(_) => Refusal::about(Reason::ClauseRefused, "GROUPING SETS, ROLLUP, CUBE"),
                _ => Refusal::about(Reason::GroupKeyNotPublic, &canonical::text(expr)),
            });
        };
        self.check_columns(expr)?;
        let column = self.manifest().column(name).ok_or(Reason::ColumnUnknown)?;
        let keys = column.keys.as_ref().ok_or_else(|| Refusal::about(Reason::GroupKeyNotPublic, name))?;
        Ok(KeyColumn { name: column.name.clone(), values: keys.values.clone() })
    }

    /// The key columns by name, each once.
    fn keys(&self) -> Result<Vec<KeyColumn>, Refusal> {
        let mut keys = self.group.iter().map(|expr| self.key_column(expr)).collect::<Result<Vec<_>, _>>()?;
        keys.sort_by(|a, b| a.name.cmp(&b.name));
        keys.dedup_by(|a, b| a.name == b.name);
        Ok(keys)
    }

    fn group_keys(&self, keys: &[KeyColumn]) -> Result<Vec<usize>, Refusal> {
        let place = |expr: &Expr| {
            let name = self.key_column(expr)?.name;
            keys.iter().position(|key| key.name == name).ok_or_else(|| Refusal::from(Reason::Internal))
        };
        self.group.iter().map(place).collect()
    }

    fn argument(&self, expr: &Expr) -> Result<Argument, Refusal> {
        let mut expr = unaliased(self.flat.substitute(expr, self.aggregate.input.schema())?);
        let mut bounds = None;
        loop {
            expr = match expr {
                // AVG of whole numbers: the planner widens them; we add them up as they are.
                Expr::Cast(cast) if cast.field.data_type().is_floating() && self.is_whole(&cast.expr) => *cast.expr,
                Expr::ScalarFunction(call) if call.func.name() == MARKER => {
                    let mut args = call.args.into_iter();
                    let (argument, index) = (args.next(), args.next());
                    bounds = index.and_then(|i| marker_index(&i)).and_then(|i| self.written.get(i)).copied();
                    argument.filter(|_| bounds.is_some()).ok_or(Reason::BoundsInvalid)?
                }
                other => return Ok(Argument { expr: other, bounds }),
            };
        }
    }

    /// The condition of `FILTER (WHERE …)` over the table's columns.
    fn condition(&self, filter: &Expr) -> Result<Expr, Refusal> {
        use datafusion::logical_expr::ExprSchemable as _;
        let filter = self.flat.substitute(filter, self.aggregate.input.schema())?;
        match self.total(&filter)?.get_type(&self.schema) {
            // As written: it is made total once, with the argument that it guards.
            Ok(arrow::datatypes::DataType::Boolean) => Ok(filter),
            _ => Err(Refusal::about(Reason::TypeRefused, &canonical::text(&filter))),
        }
    }

    fn is_whole(&self, expr: &Expr) -> bool {
        use datafusion::logical_expr::ExprSchemable as _;
        expr.get_type(&self.schema).is_ok_and(|t| t == arrow::datatypes::DataType::Int64)
    }

    fn aggregate(&self, expr: &Expr, measures: &mut Vec<Measure>) -> Result<Output, Refusal> {
        let refused = || Refusal::about(Reason::AggregateRefused, &canonical::text(expr));
        let Expr::AggregateFunction(AggregateFunction { func, params }) = unaliased(expr.clone()) else {
            return Err(refused());
        };
        if !params.order_by.is_empty() || params.null_treatment.is_some() {
            return Err(refused());
        }
        let [argument] = params.args.as_slice() else {
            return Err(refused());
        };
        let mut argument = self.argument(argument)?;
        self.check_columns(&argument.expr)?;
        let condition = params.filter.as_deref().map(|filter| self.condition(filter)).transpose()?;
        if let (Some(condition), false) = (&condition, params.distinct) {
            // A row that does not meet the condition contributes what NULL does: nothing, to a count or to a sum.
            argument.expr = when(condition.clone(), argument.expr);
        }
        match (func.name(), params.distinct) {
            ("count", true) => self.count_units(&argument, condition, refused, measures),
            ("count", false) => self.count(argument, measures),
            ("sum", false) => self.sum(argument, measures),
            ("avg", false) => self.mean(argument, measures),
            _ => Err(refused()),
        }
    }

    fn rows(&self) -> u32 {
        self.manifest().max_rows_per_unit()
    }

    fn count_units(
        &self,
        argument: &Argument,
        condition: Option<Expr>,
        refused: impl Fn() -> Refusal,
        measures: &mut Vec<Measure>,
    ) -> Result<Output, Refusal> {
        let is_unit = matches!((&argument.expr, self.manifest().unit()),
            (Expr::Column(column), [unit]) if column.name == unit.as_str());
        if !is_unit {
            return Err(refused());
        }
        if argument.bounds.is_some() {
            return Err(Reason::BoundsInvalid.into());
        }
        let measure = match condition {
            None => Measure::count(Counted::Units, "count(distinct unit)", None, 1)?,
            // Rows that meet the condition, of which each unit has at most one: 1 where it has any.
            Some(condition) => {
                let expr = self.total(&when(condition, lit(1_i64)))?;
                let text = format!("count(distinct unit of {})", canonical::text(&expr));
                Measure::count(Counted::Present(expr), &text, None, 1)?
            }
        };
        Ok(Output::Count { measure: add(measures, measure) })
    }

    fn count(&self, argument: Argument, measures: &mut Vec<Measure>) -> Result<Output, Refusal> {
        let clamp = match argument.bounds {
            None => None,
            Some(WrittenBounds { of: BoundsOf::Group, lower, upper }) => Interval::new(lower, upper),
            Some(_) => return Err(Reason::BoundsInvalid.into()),
        };
        let counted = match self.total(&argument.expr)? {
            Expr::Literal(value, _) if !value.is_null() => (Counted::Rows, "count(*)".to_owned()),
            expr => {
                let text = format!("count({})", canonical::text(&expr));
                (Counted::Present(expr), text)
            }
        };
        let measure = add(measures, Measure::count(counted.0, &counted.1, clamp, self.rows())?);
        Ok(Output::Count { measure })
    }

    /// The steps of a value, from written bounds per row or from declared ones.
    fn scale(&self, expr: &Expr, bounds: Option<WrittenBounds>) -> Result<FixedPoint, Refusal> {
        let whole = self.is_whole(expr);
        let written = bounds.filter(|b| b.of == BoundsOf::Row);
        let missing = || Refusal::about(Reason::BoundsMissing, &canonical::text(expr));
        let interval = match written {
            Some(b) => Interval::new(b.lower, b.upper),
            // An inferred interval is widened to whole numbers, a written one narrowed: nothing is cut off unasked.
            None => interval_of(expr, self.manifest())
                .or_else(|| bounds.and_then(reach_of))
                .and_then(|i| if whole { i.outward() } else { Some(i) }),
        };
        let grid = match expr {
            Expr::Column(column) => self.manifest().column(&column.name).and_then(|c| c.grid),
            _ => None,
        };
        FixedPoint::new(interval.ok_or_else(missing)?, grid, whole)
    }

    fn number(&self, expr: &Expr) -> Result<Expr, Refusal> {
        use datafusion::logical_expr::ExprSchemable as _;
        let expr = self.total(expr)?;
        match expr.get_type(&self.schema) {
            Ok(t) if t.is_numeric() => Ok(expr),
            _ => Err(Refusal::about(Reason::TypeRefused, &canonical::text(&expr))),
        }
    }

    fn sum(&self, argument: Argument, measures: &mut Vec<Measure>) -> Result<Output, Refusal> {
        let expr = self.number(&argument.expr)?;
        let scale = self.scale(&expr, argument.bounds)?;
        let clamp = match argument.bounds {
            Some(WrittenBounds { of: BoundsOf::Group, lower, upper }) => {
                let steps = |v: f64| (v / scale.grid).round();
                let (low, high) = (steps(lower), steps(upper));
                if !(low.abs() < 4e18 && high.abs() < 4e18) {
                    return Err(Reason::OverflowPossible.into());
                }
                Some((low as i64, high as i64))
            }
            _ => None,
        };
        let measure = add(measures, Measure::sum(expr, scale, 0, clamp, self.rows())?);
        Ok(Output::Sum { measure, scale })
    }

    fn mean(&self, argument: Argument, measures: &mut Vec<Measure>) -> Result<Output, Refusal> {
        if argument.bounds.is_some_and(|b| b.of == BoundsOf::Group) {
            return Err(Reason::BoundsInvalid.into());
        }
        let expr = self.number(&argument.expr)?;
        let scale = self.scale(&expr, argument.bounds)?;
        let centre = scale.middle();
        let count = Measure::count(
            Counted::Present(expr.clone()),
            &format!("count({})", canonical::text(&expr)),
            None,
            self.rows(),
        )?;
        let sum = add(measures, Measure::sum(expr, scale, centre, None, self.rows())?);
        Ok(Output::Mean { sum, count: add(measures, count), scale, centre })
    }
}
