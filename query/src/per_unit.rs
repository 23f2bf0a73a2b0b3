//! What is added up per unit before units are: `SELECT person, SUM(x) AS s FROM … GROUP BY person` under another aggregate.
//!
//! # Privacy obligation
//! Neighbouring relation: one unit with all of its rows, added or removed. The groups of this level hold the unit, so every
//! row that it makes is a function of one unit's own rows, and is that unit's own row: the level turns a table in which
//! each unit has at most `max_rows_per_unit` rows into one in which each has at most as many as there are groups within a
//! unit, and never more than it had. Removing another unit changes none of them. What is above is bounded as over any
//! table, with that number of rows. A grouping without the unit would mix units before they are bounded, and is refused.
//! Source: Wilson et al. 2019 (arXiv 1909.01917), §3: per-user aggregation before the cross-user one.

use std::collections::BTreeSet;

use arrow::datatypes::DataType;
use datafusion::common::Column;
use datafusion::logical_expr::{Aggregate, Expr};
use glovebox_catalog::{Dataset, KeyValue};
use glovebox_policy::{Reason, Refusal};

use crate::flatten::Flat;
use crate::inner::{GROUPS_MAX, Reader, key_value};
use crate::interval::Interval;
use crate::keys::KeyColumn;
use crate::lift::WrittenBounds;
use crate::measure::{Counted, Measure};
use crate::output::Output;
use crate::scope::{Known, Scope};

/// A table with what was added up per unit.
#[derive(Debug, Clone)]
pub(crate) struct PerUnit {
    /// The condition on the dataset's rows, total.
    pub(crate) filter: Option<Expr>,
    /// Keys beside the unit, by label.
    pub(crate) keys: Vec<KeyColumn>,
    /// What is added up for each unit and group.
    pub(crate) measures: Vec<Measure>,
    /// The columns that come out of the measures, in the order of the scope, after one for each key.
    pub(crate) columns: Vec<Value>,
    /// What is known of the columns.
    pub(crate) scope: Scope,
}

/// How a column comes out of a unit's exact sums.
#[derive(Debug, Clone)]
pub(crate) struct Value {
    pub(crate) output: Output,
    /// How many rows had a value, for what has none without them.
    pub(crate) present: Option<usize>,
    /// What the asker wrote, in canonical form.
    text: String,
}

/// What a refusal calls a grouping without the unit below another aggregate.
const MIXED: &str = "an aggregate of an aggregate, unless the lower one groups by the unit";

/// What a refusal calls a key without a list at this level.
const FOUND: &str = "below another aggregate, a key without a public list";

/// Reads an aggregate node below another one.
///
/// # Errors
/// What of it is not accepted.
pub(crate) fn per_unit(
    aggregate: &Aggregate,
    dataset: &Dataset,
    below: &Flat,
    written: &[WrittenBounds],
) -> Result<Flat, Refusal> {
    let refused = || Refusal::about(Reason::ClauseRefused, MIXED);
    if below.per_unit.is_some() {
        return Err(refused());
    }
    let reader =
        Reader::new(Scope::of_rows(dataset, below.partner.as_deref(), &below.lookups), below, aggregate, written)?;
    let is_unit = |expr: &Expr| matches!(expr, Expr::Column(column) if reader.scope.unit.contains(&column.name));
    let grouped: BTreeSet<&str> = reader
        .group
        .iter()
        .filter_map(|expr| match expr {
            Expr::Column(column) => Some(column.name.as_str()),
            _ => None,
        })
        .collect();
    if !reader.scope.unit.iter().all(|name| grouped.contains(name.as_str())) {
        return Err(refused());
    }
    let mut keys = Vec::new();
    for expr in reader.group.iter().filter(|expr| !is_unit(expr)) {
        let key = reader.key_column(expr)?;
        if key.found {
            return Err(Refusal::about(Reason::ClauseRefused, FOUND));
        }
        keys.push(key);
    }
    keys.sort_by(|a: &KeyColumn, b| a.label.cmp(&b.label));
    keys.dedup_by(|a, b| a.label == b.label);
    let groups = keys.iter().map(KeyColumn::width).try_fold(1_u64, u64::checked_mul).filter(|n| *n <= GROUPS_MAX);
    let groups = groups.ok_or(Reason::TooManyGroups)?;
    let mut measures = Vec::new();
    let mut values = Vec::new();
    for expr in &aggregate.aggr_expr {
        values.push(value(&reader, expr, &mut measures)?);
    }
    let rows = u64::from(reader.scope.rows).min(groups) as u32;
    let widths = keys.iter().enumerate().map(|(place, key)| (key_name(place), key.width())).collect();
    let columns = known(&reader, &keys, &values, &measures);
    let scope = Scope { columns, unit: reader.scope.unit.clone(), rows, one_row_for: Some(widths) };
    let columns = columns_above(&reader, &keys, values.len())?;
    check_types(aggregate, &columns, &scope)?;
    let filter = reader.filter()?;
    let per_unit = PerUnit { filter, keys, measures, columns: values, scope };
    let (partner, lookups) = (below.partner.clone(), below.lookups.clone());
    Ok(Flat { columns, filters: Vec::new(), partner, lookups, per_unit: Some(per_unit) })
}

/// Whether each column has the type that everything above the node was planned with. An expression over another type could fail,
/// and where it stands behind a condition it would fail for some rows only.
fn check_types(aggregate: &Aggregate, columns: &[Expr], scope: &Scope) -> Result<(), Refusal> {
    let fields = aggregate.schema.fields();
    if fields.len() != columns.len() {
        return Err(Reason::Internal.into());
    }
    for (field, column) in fields.iter().zip(columns) {
        let known = match column {
            Expr::Column(column) => scope.column(&column.name),
            _ => None,
        };
        // The unit can be counted and compared with nothing but itself.
        let fits = known.is_some_and(|known| !known.stored || known.data_type == *field.data_type());
        if !fits {
            return Err(Refusal::about(Reason::TypeRefused, field.name()));
        }
    }
    Ok(())
}

/// One column of the level.
fn value(reader: &Reader<'_>, expr: &Expr, measures: &mut Vec<Measure>) -> Result<Value, Refusal> {
    let output = reader.aggregate(expr, measures)?;
    let present = match &output {
        Output::Count { .. } => None,
        Output::Mean { count, .. } => Some(*count),
        Output::Spread { .. } => {
            return Err(Refusal::about(Reason::AggregateRefused, &crate::canonical::text(expr)));
        }
        // A sum of nothing has no value.
        Output::Sum { measure, .. } => {
            let summed = measures.get(*measure).and_then(Measure::expr).cloned().ok_or(Reason::Internal)?;
            let text = format!("count({})", crate::canonical::text(&summed));
            let count = Measure::count(Counted::Present(summed), &text, None, reader.rows)?;
            Some(crate::output::add(measures, count))
        }
    };
    // What is added up, as it is: the node's own text may name columns of a subquery, and leaves bounds and conditions out.
    let label = |measure: usize| measures.get(measure).map(|measure| measure.label.clone()).unwrap_or_default();
    let text = match &output {
        Output::Count { measure } | Output::Sum { measure, .. } => label(*measure),
        Output::Mean { sum, count, .. } | Output::Spread { sum, count, .. } => {
            format!("{} over {}", label(*sum), label(*count))
        }
    };
    Ok(Value { output, present, text })
}

fn key_name(place: usize) -> String {
    format!("per_unit_key_{place}")
}

fn value_name(place: usize) -> String {
    format!("per_unit_{place}")
}

/// What the level above sees of each output column of the node: the deduplicated group expressions, then the aggregates.
fn columns_above(reader: &Reader<'_>, keys: &[KeyColumn], values: usize) -> Result<Vec<Expr>, Refusal> {
    let mut columns = Vec::new();
    for expr in &reader.group {
        columns.push(match expr {
            Expr::Column(column) if reader.scope.unit.contains(&column.name) => expr.clone(),
            _ => {
                let label = reader.key_column(expr)?.label;
                let place = keys.iter().position(|key| key.label == label).ok_or(Reason::Internal)?;
                Expr::Column(Column::new_unqualified(key_name(place)))
            }
        });
    }
    columns.extend((0..values).map(|place| Expr::Column(Column::new_unqualified(value_name(place)))));
    Ok(columns)
}

/// What is known of the columns: the unit by name, keys by their lists, values by what rows can add up to.
fn known(reader: &Reader<'_>, keys: &[KeyColumn], values: &[Value], measures: &[Measure]) -> Vec<Known> {
    let plain = |name: String, data_type: DataType, behind: Vec<String>| Known {
        name,
        data_type,
        bounds: None,
        grid: None,
        keys: None,
        thresholded: false,
        days: None,
        identifier: false,
        stored: true,
        behind,
    };
    let behind = |measure: usize| {
        let expr = measures.get(measure).and_then(Measure::expr);
        expr.map(|expr| reader.scope.behind(expr)).unwrap_or_default()
    };
    let units = reader
        .scope
        .unit
        .iter()
        .map(|name| Known { stored: false, ..plain(name.clone(), DataType::Null, vec![name.clone()]) });
    let keys = keys.iter().enumerate().map(|(place, key)| Known {
        keys: Some(key.values.clone()),
        ..plain(key_name(place), key.data_type.clone(), reader.scope.behind(&key.expr))
    });
    let values = values.iter().enumerate().map(|(place, value)| {
        let (data_type, measure, grid) = match &value.output {
            Output::Sum { measure, scale } if !scale.whole => (DataType::Float64, *measure, Some(scale.grid)),
            Output::Count { measure } | Output::Sum { measure, .. } => (DataType::Int64, *measure, None),
            Output::Mean { sum, .. } | Output::Spread { sum, .. } => (DataType::Float64, *sum, None),
        };
        let bounds = bounds_of(value, measures);
        Known { bounds, grid, ..plain(value_name(place), data_type, behind(measure)) }
    });
    units.chain(keys).chain(values).collect()
}

/// What a column can be: a clamped sum, or a mean within what its rows are clamped to.
fn bounds_of(value: &Value, measures: &[Measure]) -> Option<Interval> {
    match &value.output {
        Output::Count { measure } => {
            let (low, high) = measures.get(*measure)?.clamp;
            Interval::new(low as f64, high as f64)
        }
        Output::Sum { measure, scale } => {
            let (low, high) = measures.get(*measure)?.clamp;
            Interval::new(scale.value(low as f64), scale.value(high as f64))
        }
        Output::Mean { scale, .. } | Output::Spread { scale, .. } => {
            Interval::new(scale.value(scale.lower as f64), scale.value(scale.upper as f64))
        }
    }
}

impl PerUnit {
    /// How many groups a unit can have rows in.
    pub(crate) fn groups(&self) -> u32 {
        self.keys.iter().map(KeyColumn::width).product::<u64>() as u32
    }

    /// The columns of the level by name, with what each adds up, and the condition on the rows below.
    pub(crate) fn definitions(&self) -> impl Iterator<Item = (String, String)> {
        let keys = self.keys.iter().enumerate().map(|(place, key)| (key_name(place), key.label.clone()));
        let values = self.columns.iter().enumerate().map(|(place, value)| (value_name(place), value.text.clone()));
        let filter = self.filter.iter().map(|filter| ("per_unit rows".to_owned(), crate::canonical::text(filter)));
        keys.chain(values).chain(filter)
    }

    /// The value of a key in a group within a unit; `None` for what is not on its list.
    pub(crate) fn key_value(&self, key: usize, group: u32) -> Option<&KeyValue> {
        key_value(&self.keys, key, group)
    }

    /// Canonical text: equal levels have equal texts.
    pub(crate) fn label(&self) -> String {
        let filter = self.filter.as_ref().map(crate::canonical::text).unwrap_or_default();
        let keys: Vec<&str> = self.keys.iter().map(|key| key.label.as_str()).collect();
        let measures: Vec<&str> = self.measures.iter().map(|measure| measure.label.as_str()).collect();
        format!(
            "where [{filter}] by {keys:?} add {measures:?} give {:?}",
            self.columns.iter().map(|value| (&value.output, value.present)).collect::<Vec<_>>()
        )
    }
}
