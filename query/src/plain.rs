//! Exact cells by a plan of DataFusion's own nodes: group by unit and key, clamp, keep the first groups by rank, group
//! by key.
//!
//! The privacy obligation is that of [`crate::fold`], reached by another road, but for one part: here nobody counts a unit's rows, on
//! which the total of a family rests, so that whoever releases what this adds up relies on ingest for it. The two share the question and the rank of
//! a group, and nothing of how rows are read, rounded or added up. A test compares them bit for bit.

use std::collections::BTreeMap;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Decimal128Type, Int64Type};
use datafusion::common::{Column, DFSchema, JoinType, ScalarValue};
use datafusion::error::{DataFusionError, Result as DfResult};
use datafusion::functions::{core, math};
use datafusion::functions_aggregate::expr_fn::sum;
use datafusion::functions_window::expr_fn::row_number;
use datafusion::logical_expr::expr::Case;
use datafusion::logical_expr::{
    Expr, ExprFunctionExt as _, ExprSchemable as _, ScalarUDF, Signature, Volatility, cast, lit, try_cast,
};
use datafusion::prelude::{DataFrame, SessionContext};
use glovebox_catalog::{KeyValue, PUBLIC_TEXT_MAX_BYTES, UNIT_COLUMN};
use glovebox_privacy::{Geometry, KEY_TEXT_MAX_BYTES, Key, KeyPart};
use glovebox_vault::{Expose as _, Protected};

use crate::choice::{Ranks, SelectionKey};
use crate::fold::{Parallelism, Totals, private_session};
use crate::found::listed;
use crate::inner::Inner;
use crate::join::Lookup;
use crate::keys::KeyColumn;
use crate::measure::{Counted, FixedPoint, Measure};
use crate::output::Output;
use crate::per_unit::{PerUnit, Value};
use crate::plain_functions::{RankUdf, capped};
use crate::rows::InnerFault;
use crate::unit_join::{Partner, name_of};

/// Adds up exact cells by plain nodes.
pub(crate) async fn plain(
    inner: &Inner,
    geometry: Geometry,
    key: &SelectionKey,
    parallelism: Parallelism,
) -> Result<Protected<Totals>, InnerFault> {
    run(inner, geometry, key, parallelism).await.map(Protected::seal).map_err(|_| InnerFault::at("plain nodes"))
}

async fn run(inner: &Inner, geometry: Geometry, key: &SelectionKey, parallelism: Parallelism) -> DfResult<Totals> {
    // As in the fold: where groups are not what is selected, none is kept.
    let max_groups = geometry.max_groups().unwrap_or(0);
    let session = private_session(inner, parallelism);
    // DataFusion 55 takes TRY_CAST off a comparison as if it lost nothing, which changes which rows are kept.
    session.remove_optimizer_rule("simplify_expressions");
    let mut rows = session.read_table(inner.dataset.provider())?;
    if let Some(partner) = &inner.partner {
        rows = paired(rows, partner, inner, &session)?;
    }
    for lookup in &inner.lookups {
        rows = joined(rows, lookup, inner, &session)?;
    }
    if let Some(level) = &inner.per_unit {
        rows = by_unit(rows, level)?;
    }
    if let Some(filter) = &inner.filter {
        rows = rows.filter(filter.clone())?;
    }
    let schema = rows.schema().clone();
    let names: Vec<String> = (0..inner.measures.len()).map(|i| format!("m{i}")).collect();
    let mut row = vec![col(UNIT_COLUMN).alias("unit"), group_expr(&inner.keys).alias("code")];
    let found: Vec<String> = (0..inner.keys.iter().filter(|key| key.found).count()).map(|i| format!("k{i}")).collect();
    row.extend(inner.keys.iter().filter(|key| key.found).zip(&found).map(|(key, name)| found_expr(key).alias(name)));
    row.extend(inner.measures.iter().zip(&names).map(|(measure, name)| row_expr(measure, &schema).alias(name)));
    let sums = names.iter().map(|name| sum(col(name)).alias(name));
    let group: Vec<Expr> = std::iter::once(col("code")).chain(found.iter().map(|name| col(name))).collect();
    let by_unit = std::iter::once(col("unit")).chain(group.iter().cloned());
    let per_unit = rows.select(row)?.aggregate(by_unit.collect(), sums.collect())?;

    let mut bounded = group.clone();
    bounded.push(rank_order(key, inner.groups(), &group)?.alias("place"));
    bounded.extend(inner.measures.iter().zip(&names).map(|(measure, name)| clamp_expr(measure, name).alias(name)));
    let kept = per_unit.select(bounded)?.filter(col("place").lt_eq(lit(u64::from(max_groups))))?;

    let totals = names.iter().map(|name| sum(cast(col(name), DataType::Decimal128(38, 0))).alias(name));
    let batches = kept.aggregate(group, totals.collect())?.collect().await?;
    if !found.is_empty() {
        return found_totals(inner, found.len(), &batches);
    }

    let mut cells = vec![vec![0_i128; inner.groups() as usize]; inner.measures.len()];
    for batch in batches {
        let codes = batch.column(0).as_primitive::<Int64Type>();
        for (sums, column) in cells.iter_mut().zip(batch.columns().iter().skip(1)) {
            let totals = column.as_primitive::<Decimal128Type>();
            for (code, total) in codes.iter().zip(totals) {
                let group = code.and_then(|code| usize::try_from(code).ok()).and_then(|code| sums.get_mut(code));
                *group.ok_or_else(|| DataFusionError::Internal("group".to_owned()))? = total.unwrap_or(0);
            }
        }
    }
    Ok(Totals { keys: Vec::new(), cells })
}

/// Keys and cells of groups with a number, `found` further keys and the totals.
fn found_totals(inner: &Inner, found: usize, batches: &[RecordBatch]) -> DfResult<Totals> {
    let mut totals = BTreeMap::new();
    for batch in batches {
        for row in 0..batch.num_rows() {
            let code = batch.column(0).as_primitive::<Int64Type>().value(row);
            let mut parts = batch.columns().iter().skip(1).take(found).map(|column| part(column, row));
            let mut key = Key::new();
            for (place, column) in inner.keys.iter().enumerate() {
                let group = u32::try_from(code).ok();
                let of_list = || group.map(|group| listed(inner.key_value(place, group)));
                let part = if column.found { parts.next().transpose()? } else { of_list() };
                key.push(part.ok_or_else(|| DataFusionError::Internal("key".to_owned()))?);
            }
            let sums = batch.columns().iter().skip(1 + found).map(|column| {
                let totals = column.as_primitive::<Decimal128Type>();
                if totals.is_valid(row) { totals.value(row) } else { 0 }
            });
            totals.insert(key, sums.collect::<Vec<i128>>());
        }
    }
    let column = |place: usize| totals.values().map(|sums| sums.get(place).copied().unwrap_or(0)).collect();
    let cells = (0..inner.measures.len()).map(column).collect();
    Ok(Totals { keys: totals.into_keys().collect(), cells })
}

/// A value of a key as a part of it.
pub(crate) fn part(column: &ArrayRef, row: usize) -> DfResult<KeyPart> {
    Ok(match ScalarValue::try_from_array(column, row)? {
        value if value.is_null() => KeyPart::Null,
        ScalarValue::Boolean(Some(value)) => KeyPart::Bool(value),
        ScalarValue::Int64(Some(value)) | ScalarValue::TimestampMicrosecond(Some(value), _) => KeyPart::Int(value),
        ScalarValue::Date32(Some(value)) => KeyPart::Int(i64::from(value)),
        ScalarValue::Utf8(Some(text)) | ScalarValue::Utf8View(Some(text)) => KeyPart::Text(text),
        _ => return Err(DataFusionError::Internal("key type".to_owned())),
    })
}

/// Another dataset joined on the unit by DataFusion's own join.
fn paired(rows: DataFrame, partner: &Partner, inner: &Inner, session: &SessionContext) -> DfResult<DataFrame> {
    let names: Vec<String> = rows.schema().fields().iter().map(|field| field.name().clone()).collect();
    let (used, unit) = (partner.used(inner), name_of(&partner.dataset, UNIT_COLUMN));
    let there = session.read_table(partner.dataset.provider())?;
    let is_text = |schema: &DFSchema, name: &str| {
        schema.field_with_unqualified_name(name).is_ok_and(|field| *field.data_type() == DataType::Utf8)
    };
    let short = |schema: &DFSchema, name: &str| {
        if is_text(schema, name) { capped(col(name), PUBLIC_TEXT_MAX_BYTES) } else { col(name) }
    };
    let own: Vec<Expr> = names.iter().map(|name| short(rows.schema(), name).alias(name)).collect();
    let rows = rows.select(own)?;
    let taken: Vec<Expr> = used.iter().map(|(column, name)| short(there.schema(), column).alias(name)).collect();
    let there = there.select(taken.into_iter().chain([col(UNIT_COLUMN).alias(&unit)]).collect::<Vec<_>>())?;
    let kind = if partner.keeps { JoinType::Left } else { JoinType::Inner };
    let both = rows.join_on(there, kind, [col(UNIT_COLUMN).eq(col(&unit))])?;
    let kept = names.iter().chain(used.iter().map(|(_, name)| name)).map(|name| col(name).alias(name));
    both.select(kept.collect::<Vec<_>>())
}

/// A public table joined by DataFusion's own join, with a column that says whether a row met one.
fn joined(rows: DataFrame, lookup: &Lookup, inner: &Inner, session: &SessionContext) -> DfResult<DataFrame> {
    let names: Vec<String> = rows.schema().fields().iter().map(|field| field.name().clone()).collect();
    let left: Vec<String> = (0..lookup.on.len()).map(|i| format!("l{i}_of_join")).collect();
    let right: Vec<String> = (0..lookup.on.len()).map(|i| format!("r{i}_of_join")).collect();
    let own = names.iter().map(|name| col(name).alias(name));
    let keys = lookup.on.iter().zip(&left).map(|((_, expr), name)| expr.clone().alias(name));
    let rows = rows.select(own.chain(keys).collect::<Vec<_>>())?;
    let table = lookup.table.rows().map_err(|_| DataFusionError::Internal("a public table".to_owned()))?;
    let used = lookup.used(inner);
    let taken = used.iter().map(|(column, name)| col(column).alias(name));
    let keys = lookup.on.iter().zip(&right).map(|((column, _), name)| col(column).alias(name));
    let met = lit(true).alias(&lookup.label);
    let table = session.read_batch(table)?.select(taken.chain(keys).chain([met]).collect::<Vec<_>>())?;
    let on = |names: &[String]| names.iter().map(|name| col(name)).collect::<Vec<_>>();
    let equal = on(&left).into_iter().zip(on(&right)).map(|(left, right)| left.eq(right));
    let both = rows.join_on(table, JoinType::Left, equal)?;
    let kept = names.iter().chain(used.iter().map(|(_, name)| name)).map(|name| col(name).alias(name));
    both.select(kept.chain([col(&lookup.label).is_true().alias(&lookup.label)]).collect::<Vec<_>>())
}

/// A level per unit: grouped by unit and key, clamped, and made columns of.
fn by_unit(mut rows: DataFrame, level: &PerUnit) -> DfResult<DataFrame> {
    if let Some(filter) = &level.filter {
        rows = rows.filter(filter.clone())?;
    }
    let schema = rows.schema().clone();
    let names: Vec<String> = (0..level.measures.len()).map(|i| format!("m{i}")).collect();
    let mut row = vec![col(UNIT_COLUMN), group_expr(&level.keys).alias("code")];
    row.extend(level.measures.iter().zip(&names).map(|(measure, name)| row_expr(measure, &schema).alias(name)));
    let sums = names.iter().map(|name| sum(col(name)).alias(name));
    let per_unit = rows.select(row)?.aggregate(vec![col(UNIT_COLUMN), col("code")], sums.collect())?;
    let mut clamped = vec![col(UNIT_COLUMN), col("code")];
    clamped.extend(level.measures.iter().zip(&names).map(|(measure, name)| clamp_expr(measure, name).alias(name)));
    let mut out = vec![col(UNIT_COLUMN)];
    let stored = level.scope.columns.iter().filter(|column| column.stored).map(|column| column.name.as_str());
    let keys = (0..level.keys.len()).map(|place| key_expr(&level.keys, place));
    let values = level.columns.iter().map(|value| value_expr(value, &names));
    out.extend(keys.chain(values).zip(stored).map(|(expr, name)| expr.alias(name)));
    per_unit.select(clamped)?.select(out)
}

/// The value of a key, of the number of a group.
fn key_expr(keys: &[KeyColumn], place: usize) -> Expr {
    let Some(key) = keys.get(place) else {
        return lit(ScalarValue::Null);
    };
    let faster: i64 = keys.iter().skip(place + 1).map(|key| key.width() as i64).product();
    let position = col("code") / lit(faster) % lit(key.width() as i64);
    let arms = (0_i64..).zip(&key.values).map(|(i, value)| (position.clone().eq(lit(i)), key_literal(key, value)));
    case(arms.collect(), lit(ScalarValue::try_new_null(&key.data_type).unwrap_or(ScalarValue::Null)))
}

/// A column of a level per unit, of its sums.
fn value_expr(value: &Value, names: &[String]) -> Expr {
    let of = |measure: usize| names.get(measure).map_or_else(|| lit(ScalarValue::Null), |name| col(name));
    let float = |e: Expr| cast(e, DataType::Float64);
    let whole_value = |e: Expr| match value.present {
        None => e,
        Some(count) => Expr::Case(Case::new(None, vec![(Box::new(of(count).gt(lit(0_i64))), Box::new(e))], None)),
    };
    match &value.output {
        Output::Count { measure } => of(*measure),
        Output::Sum { measure, scale } if scale.whole => whole_value(of(*measure)),
        Output::Sum { measure, scale } => whole_value(float(of(*measure)) * lit(scale.grid)),
        Output::Mean { sum, count, scale, centre } => {
            let mean = lit(*centre as f64) + float(of(*sum)) / float(of(*count));
            whole_value(mean * lit(scale.grid))
        }
        Output::Spread { .. } => lit(ScalarValue::Null),
    }
}

/// A column by exactly this name: names may hold what SQL would have to quote.
fn col(name: &str) -> Expr {
    Expr::Column(Column::new_unqualified(name))
}

fn case(arms: Vec<(Expr, Expr)>, otherwise: Expr) -> Expr {
    if arms.is_empty() {
        return otherwise;
    }
    let arms = arms.into_iter().map(|(when, then)| (Box::new(when), Box::new(then))).collect();
    Expr::Case(Case::new(None, arms, Some(Box::new(otherwise))))
}

/// A key that is found: a text that is too long is none.
fn found_expr(key: &KeyColumn) -> Expr {
    if key.data_type != DataType::Utf8 {
        return key.expr.clone();
    }
    capped(key.expr.clone(), KEY_TEXT_MAX_BYTES)
}

/// The number of a row's group by listed keys.
fn group_expr(keys: &[KeyColumn]) -> Expr {
    keys.iter().filter(|key| !key.found).fold(lit(0_i64), |code, key| {
        let arms = (0_i64..)
            .zip(&key.values)
            .map(|(position, value)| (key.expr.clone().eq(key_literal(key, value)), lit(position)));
        let width = key.width() as i64;
        code * lit(width) + case(arms.collect(), lit(width - 1))
    })
}

fn key_literal(key: &KeyColumn, value: &KeyValue) -> Expr {
    match (value, &key.data_type) {
        (KeyValue::Int(v), DataType::Date32) => lit(ScalarValue::Date32(i32::try_from(*v).ok())),
        (KeyValue::Int(v), DataType::Timestamp(..)) => lit(ScalarValue::TimestampMicrosecond(Some(*v), None)),
        (KeyValue::Int(v), _) => lit(*v),
        (KeyValue::Text(v), _) => lit(v.as_str()),
        (KeyValue::Bool(v), _) => lit(*v),
    }
}

/// What a row contributes; NULL contributes nothing.
fn row_expr(measure: &Measure, schema: &DFSchema) -> Expr {
    match &measure.counted {
        Counted::Rows | Counted::Units => lit(1_i64),
        Counted::Present(expr) => {
            let mut none = vec![(expr.clone().is_null(), lit(0_i64))];
            if expr.get_type(schema).is_ok_and(|t| t == DataType::Float64) {
                none.push((is_nan(expr), lit(0_i64)));
            }
            case(none, lit(1_i64))
        }
        Counted::Steps { expr, scale, centre } => of_steps(expr, scale, |steps| steps - lit(*centre)),
        Counted::Squares { expr, scale, centre, middle } => of_steps(expr, scale, |steps| {
            let distance = steps - lit(*centre);
            distance.clone() * distance - lit(*middle)
        }),
    }
}

/// What a row contributes by the steps of its value; a row without one contributes nothing.
fn of_steps(expr: &Expr, scale: &FixedPoint, of: impl Fn(Expr) -> Expr) -> Expr {
    let none = (expr.clone().is_null(), lit(0_i64));
    if scale.whole {
        let clamped = least(greatest(expr.clone(), lit(scale.lower)), lit(scale.upper));
        return case(vec![none], of(clamped));
    }
    let steps = math::round().call(vec![cast(expr.clone(), DataType::Float64) / lit(scale.grid)]);
    let clamped = least(greatest(steps, lit(scale.lower as f64)), lit(scale.upper as f64));
    case(vec![none, (is_nan(expr), lit(0_i64))], of(try_cast(clamped, DataType::Int64)))
}

fn is_nan(expr: &Expr) -> Expr {
    math::isnan().call(vec![cast(expr.clone(), DataType::Float64)])
}

fn clamp_expr(measure: &Measure, name: &str) -> Expr {
    let sum = if measure.counted == Counted::Units { lit(1_i64) } else { col(name) };
    least(greatest(sum, lit(measure.clamp.0)), lit(measure.clamp.1))
}

fn least(a: Expr, b: Expr) -> Expr {
    core::least().call(vec![a, b])
}

fn greatest(a: Expr, b: Expr) -> Expr {
    core::greatest().call(vec![a, b])
}

/// The place of a group among its unit's groups, by rank.
fn rank_order(key: &SelectionKey, groups: u32, group: &[Expr]) -> DfResult<Expr> {
    let signature = Signature::any(1 + group.len(), Volatility::Immutable);
    let rank = ScalarUDF::from(RankUdf { ranks: Ranks::new(key, groups), signature });
    let rank = rank.call(std::iter::once(col("unit")).chain(group.iter().cloned()).collect());
    let order = std::iter::once(rank).chain(group.iter().cloned()).map(|expr| expr.sort(true, false));
    row_number().partition_by(vec![col("unit")]).order_by(order.collect()).build()
}
