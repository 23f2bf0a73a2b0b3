//! What a question may be grouped by: expressions whose values anybody can list without looking at a row, and those of columns that an
//! officer marked, whose values are found in rows.
//!
//! # Privacy obligation
//! The list of groups of an answer is a function of the manifest and of the question. A column with a public key list has that
//! list; a part of a date has the values that the calendar gives it; a year, a month or a day of a column with declared days
//! has those of these days. Everything else, NULL too, falls into one more group that every list ends with. So no
//! group's presence tells of a row. Source: Wilson et al. 2019 (arXiv 1909.01917), §2, groups that are given.
//!
//! A key that is found makes the list of groups a function of rows. It leaves as an accounted output only: the gate shows the keys of
//! enough units ([`glovebox_privacy::threshold`]).

use std::collections::BTreeSet;

use arrow::datatypes::DataType;
use datafusion::common::Column;
use datafusion::logical_expr::Expr;
use glovebox_catalog::civil::Date;
use glovebox_catalog::{Days, KeyValue};
use glovebox_policy::{Reason, Refusal};

use crate::canonical;
use crate::dates::{DAY_MICROS, INSTANT, Period, Taken, taken};
use crate::inner::GROUPS_MAX;
use crate::safe::SAFE_DAY_NAME;
use crate::scope::{Known, Scope};

/// An expression that is grouped by, and its public values. One more group, for what is not on the list, comes last.
#[derive(Debug, Clone)]
pub(crate) struct KeyColumn {
    /// Canonical text: equal keys have equal labels.
    pub(crate) label: String,
    /// The expression over the dataset's columns, total.
    pub(crate) expr: Expr,
    /// What the expression gives; days and instants are listed as whole numbers.
    pub(crate) data_type: DataType,
    pub(crate) values: Vec<KeyValue>,
    /// Whether its values are found in rows; then `values` is empty, and the key is no part of the number of a group.
    pub(crate) found: bool,
}

impl KeyColumn {
    /// A key by a total expression; `None` when its values can neither be listed nor found.
    ///
    /// # Errors
    /// [`Reason::TooManyGroups`] when there are too many.
    pub(crate) fn new(expr: Expr, scope: &Scope) -> Result<Option<Self>, Refusal> {
        let label = canonical::text(&expr);
        if let Some((data_type, values)) = domain(&expr, scope)? {
            return Ok(Some(Self { label, expr, data_type, values, found: false }));
        }
        let data_type = found(&expr, scope);
        Ok(data_type.map(|data_type| Self { label, expr, data_type, values: Vec::new(), found: true }))
    }

    /// How many groups this key alone makes: one more than its list has. A key that is found makes one; which key it is, the group's
    /// number does not tell.
    pub(crate) fn width(&self) -> u64 {
        self.values.len() as u64 + 1
    }

    /// The columns that decide on the group.
    pub(crate) fn columns(&self) -> BTreeSet<String> {
        self.expr.column_refs().into_iter().map(|column| column.name.clone()).collect()
    }
}

type Domain = (DataType, Vec<KeyValue>);

/// The type and the values of an expression, if they can be listed.
fn domain(expr: &Expr, scope: &Scope) -> Result<Option<Domain>, Refusal> {
    if let Expr::Column(Column { name, .. }) = expr {
        let column = scope.column(name).ok_or(Reason::ColumnUnknown)?;
        if let Some(keys) = &column.keys {
            return Ok(Some((column.data_type.clone(), keys.clone())));
        }
    }
    if let Some((column, DataType::Date32)) = dated(expr, scope) {
        return column.days.as_ref().map(|days| beginnings(Period::Day, days, &DataType::Date32)).transpose();
    }
    let Expr::ScalarFunction(call) = expr else {
        return Ok(None);
    };
    let Some((taken, of)) = taken(call) else {
        return Ok(None);
    };
    let Some((column, data_type)) = dated(of, scope) else {
        return Ok(None);
    };
    match (taken, &column.days) {
        (Taken::Part(period), days) => {
            let values = period.values().or_else(|| days.as_ref().map(years));
            Ok(values.map(|values| (DataType::Int64, values.map(KeyValue::Int).collect())))
        }
        (Taken::Beginning(period), Some(days)) => beginnings(period, days, &data_type).map(Some),
        (Taken::Beginning(_), None) => Ok(None),
    }
}

/// The type of an expression over a marked column: the column itself, or a part or a beginning of its dates.
fn found(expr: &Expr, scope: &Scope) -> Option<DataType> {
    let of_dates =
        |of: &Expr| dated(of, scope).filter(|(column, _)| column.thresholded).map(|(_, data_type)| data_type);
    match expr {
        Expr::Column(Column { name, .. }) => {
            scope.column(name).filter(|column| column.thresholded).map(|column| column.data_type.clone())
        }
        Expr::ScalarFunction(call) => match taken(call) {
            Some((Taken::Part(_), of)) => of_dates(of).map(|_| DataType::Int64),
            Some((Taken::Beginning(_), of)) => of_dates(of),
            None => of_dates(expr),
        },
        _ => None,
    }
}

/// The column that an expression takes its day of, and whether as a day or as an instant.
pub(crate) fn dated<'a>(expr: &Expr, scope: &'a Scope) -> Option<(&'a Known, DataType)> {
    match expr {
        Expr::Column(column) => {
            let column = scope.column(&column.name)?;
            let dated = column.data_type == DataType::Date32 || column.data_type == INSTANT;
            dated.then(|| (column, column.data_type.clone()))
        }
        Expr::ScalarFunction(call) if call.func.name() == SAFE_DAY_NAME => match call.args.as_slice() {
            [of @ Expr::Column(_)] => dated(of, scope).map(|(column, _)| (column, DataType::Date32)),
            _ => None,
        },
        _ => None,
    }
}

/// The years of declared days.
pub(crate) fn years(days: &Days) -> std::ops::RangeInclusive<i64> {
    let [first, last] = [days.first, days.last].map(|day| Date::of(i64::from(day)).year);
    first..=last
}

/// When the periods of declared days begin.
fn beginnings(period: Period, days: &Days, data_type: &DataType) -> Result<Domain, Refusal> {
    let (first, last) = (i64::from(days.first), i64::from(days.last));
    let is_first = |day: i64| period.first_day(day) == day;
    // The first period may begin before the first day.
    let begins = std::iter::once(period.first_day(first)).chain((first + 1..=last).filter(|day| is_first(*day)));
    let whole_days = match (period, data_type) {
        (_, DataType::Date32) => begins.map(KeyValue::Int).take(GROUPS_MAX as usize + 1).collect::<Vec<_>>(),
        _ => {
            let (step, steps) = match period {
                Period::Hour => (3_600_000_000, 24),
                Period::Minute => (60_000_000, 1_440),
                Period::Second => (1_000_000, 86_400),
                _ => (DAY_MICROS, 1),
            };
            let instants = begins.flat_map(|day| (0..steps).map(move |i| day * DAY_MICROS + i * step));
            instants.map(KeyValue::Int).take(GROUPS_MAX as usize + 1).collect()
        }
    };
    if whole_days.len() as u64 > GROUPS_MAX {
        return Err(Reason::TooManyGroups.into());
    }
    Ok((data_type.clone(), whole_days))
}
