//! Rows as the fold reads them: unit runs with, for each row, its group and its integer contributions.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch, RecordBatchOptions, new_null_array};
use arrow::datatypes::{DataType, Date32Type, Float64Type, Int64Type, Schema, SchemaRef, TimestampMicrosecondType};
use datafusion::common::DFSchema;
use datafusion::execution::context::ExecutionProps;
use datafusion::logical_expr::Expr;
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::physical_expr::{PhysicalExpr, create_physical_expr};
use glovebox_catalog::{KeyValue, UNIT_COLUMN};

use crate::found::RowKeys;
use crate::inner::{Inner, exprs_of};
use crate::keys::KeyColumn;
use crate::measure::{Counted, FixedPoint, Measure};
use crate::per_unit::PerUnit;
use crate::positions::IntPositions;

/// Something failed on the way from rows to cells. A constant on purpose: which row or why is nobody's business
/// outside the machine, and an accepted query gives no row the chance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the inner plan failed in {stage}")]
pub struct InnerFault {
    stage: &'static str,
}

impl InnerFault {
    pub(crate) const fn at(stage: &'static str) -> Self {
        Self { stage }
    }
}

/// The stored columns a question needs, the unit column last.
pub(crate) fn needed_columns(inner: &Inner, stored: &Schema) -> Result<Vec<usize>, InnerFault> {
    let mut exprs: Vec<&Expr> = match &inner.per_unit {
        None => exprs_of(inner.filter.as_ref(), &inner.keys, &inner.measures).collect(),
        Some(level) => exprs_of(level.filter.as_ref(), &level.keys, &level.measures).collect(),
    };
    exprs.extend(inner.lookups.iter().flat_map(|lookup| lookup.on.iter().map(|(_, expr)| expr)));
    let mut names: Vec<String> =
        exprs.into_iter().flat_map(Expr::column_refs).map(|column| column.name.clone()).collect();
    names.sort();
    names.dedup();
    let met = inner.partner.iter().flat_map(|partner| partner.known());
    let met: Vec<&str> =
        met.chain(inner.lookups.iter().flat_map(|lookup| lookup.known())).map(|k| k.name.as_str()).collect();
    names.retain(|name| !met.contains(&name.as_str()));
    names.push(UNIT_COLUMN.to_owned());
    names.iter().map(|name| stored.index_of(name).map_err(|_| InnerFault::at("projection"))).collect()
}

/// Evaluates the row-wise part of a question on batches of one schema.
pub(crate) struct RowReader {
    filter: Option<Arc<dyn PhysicalExpr>>,
    keys: Vec<KeyReader>,
    /// The keys that are found in rows, in the order of the question's.
    found: Vec<Arc<dyn PhysicalExpr>>,
    measures: Vec<(Counted, Option<Arc<dyn PhysicalExpr>>)>,
    /// For each measure an earlier one of the same steps about another centre, and how far that lies above.
    shifts: Vec<Option<(usize, i64)>>,
}

/// One batch, read: all vectors have one entry per row of the batch.
pub(crate) struct Rows {
    /// Which rows meet the condition; `None` is all.
    pub(crate) kept: Option<BooleanArray>,
    /// The group of each row.
    pub(crate) groups: Vec<u32>,
    /// The key of each row, where keys are found in rows.
    pub(crate) keys: Option<RowKeys>,
    /// For each measure the contribution of each row.
    pub(crate) contributions: Vec<Contribution>,
}

/// What rows contribute to one measure.
pub(crate) enum Contribution {
    /// The same for every row.
    Constant(i64),
    /// Per row.
    PerRow(Vec<i64>),
    /// What the row adds to an earlier measure, which is one per row, and `by`.
    Shifted {
        /// Which.
        of: usize,
        /// How much more.
        by: i64,
    },
}

/// What a row adds to a measure; rows out of range add nothing.
pub(crate) fn of_row(contributions: &[Contribution], measure: usize, row: usize) -> i64 {
    match contributions.get(measure) {
        None => 0,
        Some(Contribution::Constant(value)) => *value,
        Some(Contribution::PerRow(values)) => values.get(row).copied().unwrap_or(0),
        Some(Contribution::Shifted { of, by }) => match contributions.get(*of) {
            Some(Contribution::PerRow(values)) => values.get(row).map_or(0, |value| value + by),
            _ => 0,
        },
    }
}

impl RowReader {
    /// Prepares a question for batches of `schema`: the dataset's, or those that its level per unit makes.
    pub(crate) fn new(inner: &Inner, schema: &Schema) -> Result<Self, InnerFault> {
        Self::prepare(inner.filter.as_ref(), &inner.keys, &inner.measures, schema)
    }

    /// Prepares a level per unit for batches of the dataset.
    pub(crate) fn of_level(level: &PerUnit, schema: &Schema) -> Result<Self, InnerFault> {
        Self::prepare(level.filter.as_ref(), &level.keys, &level.measures, schema)
    }

    fn prepare(
        filter: Option<&Expr>,
        keys: &[KeyColumn],
        measures: &[Measure],
        schema: &Schema,
    ) -> Result<Self, InnerFault> {
        let compile = |expr: &Expr| compiled(expr, schema);
        let shifts = (0..measures.len()).map(|place| shift(measures, place)).collect();
        let measures = measures.iter().map(|m| Ok((m.counted.clone(), m.expr().map(compile).transpose()?)));
        let (listed, found) = (keys.iter().filter(|key| !key.found), keys.iter().filter(|key| key.found));
        Ok(Self {
            filter: filter.map(compile).transpose()?,
            keys: listed.map(|key| KeyReader::new(key, compile(&key.expr)?)).collect::<Result<_, _>>()?,
            found: found.map(|key| compile(&key.expr)).collect::<Result<_, _>>()?,
            measures: measures.collect::<Result<_, InnerFault>>()?,
            shifts,
        })
    }

    /// Evaluates every part of every expression by itself: what stands behind a condition is reached so, too.
    fn try_parts(&self, batch: &RecordBatch) -> Result<(), InnerFault> {
        let keys = self.keys.iter().map(KeyReader::expr).chain(&self.found);
        let measures = self.measures.iter().filter_map(|(_, expr)| expr.as_ref());
        self.filter.iter().chain(keys).chain(measures).try_for_each(|expr| try_part(expr, batch))
    }

    /// Reads a batch.
    pub(crate) fn read(&self, batch: &RecordBatch) -> Result<Rows, InnerFault> {
        let kept = match &self.filter {
            None => None,
            Some(filter) => {
                let values = evaluate(filter.as_ref(), batch)?;
                let values = if *values.data_type() == DataType::Null {
                    arrow::compute::cast(&values, &DataType::Boolean).map_err(|_| InnerFault::at("condition"))?
                } else {
                    values
                };
                Some(values.as_boolean_opt().cloned().ok_or(InnerFault::at("condition"))?)
            }
        };
        let mut groups = vec![0; batch.num_rows()];
        for key in &self.keys {
            key.add(batch, &mut groups)?;
        }
        let contributions = self.measures.iter().zip(&self.shifts).map(|((counted, expr), shift)| {
            let values = expr.as_ref().map(|expr| evaluate(expr.as_ref(), batch)).transpose()?;
            match (shift, &values) {
                (Some((of, by)), Some(values)) if all_there(values) => Ok(Contribution::Shifted { of: *of, by: *by }),
                _ => contribution(counted, values.as_ref()),
            }
        });
        let found = self.found.iter().map(|key| evaluate(key.as_ref(), batch)).collect::<Result<Vec<_>, _>>()?;
        let keys = if found.is_empty() { None } else { Some(RowKeys::new(&groups, &found)?) };
        Ok(Rows { kept, groups, keys, contributions: contributions.collect::<Result<_, _>>()? })
    }
}

/// Evaluates a question and each part of its expressions on two rows of NULL: what a type does not allow shows here,
/// before anything is charged.
///
/// # Errors
/// As [`RowReader::read`].
pub(crate) fn try_on_nulls(inner: &Inner) -> Result<(), InnerFault> {
    let nulls = |schema: SchemaRef| {
        let nulls = schema.fields().iter().map(|field| new_null_array(field.data_type(), 2));
        let options = RecordBatchOptions::new().with_row_count(Some(2));
        RecordBatch::try_new_with_options(Arc::clone(&schema), nulls.collect(), &options)
            .map_err(|_| InnerFault::at("schema"))
    };
    if let Some(level) = &inner.per_unit {
        let batch = nulls(inner.table.arrow_schema())?;
        let reader = RowReader::of_level(level, &batch.schema())?;
        reader.try_parts(&batch)?;
        reader.read(&batch)?;
    }
    if !inner.lookups.is_empty() {
        let batch = nulls(inner.table.arrow_schema())?;
        for (_, expr) in inner.lookups.iter().flat_map(|lookup| &lookup.on) {
            try_part(&compiled(expr, &batch.schema())?, &batch)?;
        }
    }
    let batch = nulls(inner.scope.arrow_schema())?;
    let reader = RowReader::new(inner, &batch.schema())?;
    reader.try_parts(&batch)?;
    reader.read(&batch).map(drop)
}

/// Evaluates an expression and each below it, and holds what comes out to the type that was planned.
fn try_part(expr: &Arc<dyn PhysicalExpr>, batch: &RecordBatch) -> Result<(), InnerFault> {
    let planned = expr.data_type(&batch.schema()).map_err(|_| InnerFault::at("type"))?;
    let found = evaluate(expr.as_ref(), batch)?;
    if *found.data_type() != planned && *found.data_type() != DataType::Null && planned != DataType::Null {
        return Err(InnerFault::at("type"));
    }
    expr.children().into_iter().try_for_each(|part| try_part(part, batch))
}

/// An expression over rows of a schema, ready to be evaluated.
pub(crate) fn compiled(expr: &Expr, schema: &Schema) -> Result<Arc<dyn PhysicalExpr>, InnerFault> {
    let named = DFSchema::try_from(schema.clone()).map_err(|_| InnerFault::at("schema"))?;
    create_physical_expr(expr, &named, &ExecutionProps::new(), &PhysicalPlanningContext::default())
        .map_err(|_| InnerFault::at("expression"))
}

pub(crate) fn evaluate(expr: &dyn PhysicalExpr, batch: &RecordBatch) -> Result<ArrayRef, InnerFault> {
    let value = expr.evaluate(batch).map_err(|_| InnerFault::at("evaluation"))?;
    value.into_array(batch.num_rows()).map_err(|_| InnerFault::at("evaluation"))
}

/// The first measure before this one that adds the same steps, and how far its centre lies above this one's.
fn shift(measures: &[Measure], place: usize) -> Option<(usize, i64)> {
    let Counted::Steps { expr, scale, centre } = &measures.get(place)?.counted else {
        return None;
    };
    measures.iter().take(place).enumerate().find_map(|(earlier, measure)| match &measure.counted {
        Counted::Steps { expr: other, scale: theirs, centre: above } if other == expr && theirs == scale => {
            Some((earlier, above - centre))
        }
        _ => None,
    })
}

/// Whether every row has a value; NaN is none.
fn all_there(values: &ArrayRef) -> bool {
    let nans = values.as_primitive_opt::<Float64Type>().map(|floats| floats.values().iter());
    // Looked at to the end, which is faster than stopping.
    let no_nan = nans.is_none_or(|floats| !floats.fold(false, |any, v| any | v.is_nan()));
    no_nan && *values.data_type() != DataType::Null && values.null_count() == 0
}

fn contribution(counted: &Counted, values: Option<&ArrayRef>) -> Result<Contribution, InnerFault> {
    match (counted, values) {
        (Counted::Rows | Counted::Units, _) => Ok(Contribution::Constant(1)),
        (Counted::Present(_), Some(values)) if all_there(values) => Ok(Contribution::Constant(1)),
        (Counted::Present(_), Some(values)) => {
            // NaN is NULL here as it is in sums, so that a mean divides by what was added up.
            let present: Vec<i64> = match values.as_primitive_opt::<Float64Type>() {
                Some(floats) => floats.iter().map(|v| i64::from(v.is_some_and(|v| !v.is_nan()))).collect(),
                None => {
                    let nulls = values.logical_nulls();
                    (0..values.len()).map(|row| i64::from(nulls.as_ref().is_none_or(|n| n.is_valid(row)))).collect()
                }
            };
            Ok(Contribution::PerRow(present))
        }
        (Counted::Steps { scale, centre, .. }, Some(values)) => {
            let floats = values.as_primitive_opt::<Float64Type>().filter(|floats| floats.null_count() == 0);
            if let Some(steps) = floats.and_then(|floats| scale.of_floats(floats.values(), *centre)) {
                return Ok(Contribution::PerRow(steps));
            }
            steps(values, scale, |steps| steps.saturating_sub(*centre))
        }
        (Counted::Squares { scale, centre, middle, .. }, Some(values)) => {
            // Nothing saturates: `Measure::squares` has bounded what a row can be.
            let square = |steps: i64| steps.saturating_sub(*centre).saturating_pow(2).saturating_sub(*middle);
            steps(values, scale, square)
        }
        (Counted::Present(_) | Counted::Steps { .. } | Counted::Squares { .. }, None) => Err(InnerFault::at("measure")),
    }
}

/// What rows contribute by the steps of their values; a row without a value contributes nothing.
fn steps(values: &ArrayRef, scale: &FixedPoint, of: impl Fn(i64) -> i64) -> Result<Contribution, InnerFault> {
    let of = |steps: Option<i64>| steps.map_or(0, &of);
    let steps = if let Some(ints) = values.as_primitive_opt::<Int64Type>() {
        if scale.whole {
            ints.iter().map(|v| of(v.map(|v| scale.of_int(v)))).collect()
        } else {
            ints.iter().map(|v| of(v.and_then(|v| scale.of_float(v as f64)))).collect()
        }
    } else if let Some(floats) = values.as_primitive_opt::<Float64Type>() {
        floats.iter().map(|v| of(v.and_then(|v| scale.of_float(v)))).collect()
    } else if *values.data_type() == DataType::Null {
        return Ok(Contribution::Constant(0));
    } else {
        return Err(InnerFault::at("value type"));
    };
    Ok(Contribution::PerRow(steps))
}

/// Turns the values of one key into positions of its public list.
struct KeyReader {
    expr: Arc<dyn PhysicalExpr>,
    width: u32,
    lookup: Lookup,
}

enum Lookup {
    /// Whole numbers; days and instants are counted.
    Ints(IntPositions),
    Texts(HashMap<String, u32>),
    Bools([Option<u32>; 2]),
}

impl KeyReader {
    fn expr(&self) -> &Arc<dyn PhysicalExpr> {
        &self.expr
    }

    fn new(key: &KeyColumn, expr: Arc<dyn PhysicalExpr>) -> Result<Self, InnerFault> {
        let mut ints = HashMap::new();
        let mut texts = HashMap::new();
        let mut bools = [None; 2];
        for (position, value) in (0_u32..).zip(&key.values) {
            match value {
                KeyValue::Int(v) => drop(ints.insert(*v, position)),
                KeyValue::Text(v) => drop(texts.insert(v.clone(), position)),
                KeyValue::Bool(false) => bools = [Some(position), bools[1]],
                KeyValue::Bool(true) => bools = [bools[0], Some(position)],
            }
        }
        let lookup = match &key.data_type {
            DataType::Int64 | DataType::Date32 | DataType::Timestamp(..) => {
                Lookup::Ints(IntPositions::new(&ints, key.width() as u32 - 1))
            }
            DataType::Utf8 => Lookup::Texts(texts),
            DataType::Boolean => Lookup::Bools(bools),
            _ => return Err(InnerFault::at("key type")),
        };
        Ok(Self { expr, width: key.width() as u32, lookup })
    }

    /// Appends this key's position to every group number, least significant last. What is not on the list, NULL too, goes
    /// to the last position.
    fn add(&self, batch: &RecordBatch, groups: &mut [u32]) -> Result<(), InnerFault> {
        let values = evaluate(self.expr.as_ref(), batch)?;
        let other = self.width - 1;
        let mut put = |row: usize, position: Option<u32>| {
            if let Some(group) = groups.get_mut(row) {
                *group = *group * self.width + position.unwrap_or(other);
            }
        };
        match &self.lookup {
            Lookup::Ints(known) => {
                let mut find = |row, value: Option<i64>| put(row, value.map(|v| known.of(v, other)));
                if let Some(ints) = values.as_primitive_opt::<Int64Type>().filter(|ints| ints.null_count() == 0) {
                    for (group, value) in groups.iter_mut().zip(ints.values()) {
                        *group = *group * self.width + known.of(*value, other);
                    }
                } else if let Some(ints) = values.as_primitive_opt::<Int64Type>() {
                    ints.iter().enumerate().for_each(|(row, v)| find(row, v));
                } else if let Some(days) = values.as_primitive_opt::<Date32Type>() {
                    days.iter().enumerate().for_each(|(row, v)| find(row, v.map(i64::from)));
                } else if let Some(instants) = values.as_primitive_opt::<TimestampMicrosecondType>() {
                    instants.iter().enumerate().for_each(|(row, v)| find(row, v));
                } else {
                    return Err(InnerFault::at("key type"));
                }
            }
            Lookup::Texts(known) => {
                let values = values.as_string_opt::<i32>().ok_or(InnerFault::at("key type"))?;
                values.iter().enumerate().for_each(|(row, v)| put(row, v.and_then(|v| known.get(v).copied())));
            }
            Lookup::Bools([no, yes]) => {
                let values = values.as_boolean_opt().ok_or(InnerFault::at("key type"))?;
                values.iter().enumerate().for_each(|(row, v)| put(row, v.and_then(|v| if v { *yes } else { *no })));
            }
        }
        Ok(())
    }
}
