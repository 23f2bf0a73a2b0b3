//! Cells of a file into cells of a declared kind. What does not fit is named by its class and never by its value.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Date32Array, Float64Array, Int64Array, StringArray,
    TimestampMicrosecondArray, new_null_array,
};
use arrow::compute::kernels::cast_utils::Parser;
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Date32Type, Float64Type, Int64Type, TimeUnit, TimestampMicrosecondType};
use serde::Serialize;

use crate::manifest::ColumnKind;

/// What a cell that does not fit looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ValueClass {
    /// A whole number.
    Integer,
    /// A whole number that does not fit into 64 bits.
    WideInteger,
    /// A number with a fraction, or beyond the range of whole numbers.
    Number,
    /// True or false.
    Boolean,
    /// A day.
    Date,
    /// An instant.
    Timestamp,
    /// Any other text.
    Text,
}

impl ValueClass {
    /// The class in words, for a report.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Integer => "a whole number",
            Self::WideInteger => "a whole number beyond 64 bits",
            Self::Number => "a number with a fraction",
            Self::Boolean => "a truth value",
            Self::Date => "a date",
            Self::Timestamp => "a timestamp",
            Self::Text => "text",
        }
    }
}

/// A column of one batch in its declared kind.
pub(crate) struct Converted {
    /// The cells. Those that do not fit are NULL.
    pub(crate) array: ArrayRef,
    /// Rows of the batch whose cell does not fit, with what it looks like.
    pub(crate) misfits: Vec<(usize, ValueClass)>,
    /// How many NaN became NULL.
    pub(crate) nans: u64,
}

impl Converted {
    fn clean(array: ArrayRef) -> Self {
        Self { array, misfits: Vec::new(), nans: 0 }
    }
}

/// The type of a column in the file is one that no kind can be made of.
#[derive(Debug)]
pub(crate) struct Unsupported;

/// Converts a column. Texts in `markers` mean NULL.
pub(crate) fn convert(kind: ColumnKind, array: &ArrayRef, markers: &[String]) -> Result<Converted, Unsupported> {
    use DataType as T;
    let plain = match array.data_type() {
        T::Dictionary(_, values) => to(array, values)?,
        T::RunEndEncoded(_, values) => to(array, values.data_type())?,
        _ => Arc::clone(array),
    };
    match plain.data_type() {
        T::Null => Ok(Converted::clean(new_null_array(&kind.arrow_type(), plain.len()))),
        T::Utf8 => Ok(from_text(kind, plain.as_string(), markers)),
        T::LargeUtf8 | T::Utf8View => Ok(from_text(kind, to(&plain, &T::Utf8)?.as_string(), markers)),
        T::Boolean => from_bool(kind, &plain),
        other if other.is_integer() => from_integers(kind, &plain),
        other if other.is_floating() => from_floats(kind, to(&plain, &T::Float64)?.as_primitive()),
        other if other.is_decimal() && kind == ColumnKind::Float => {
            from_floats(kind, to(&plain, &T::Float64)?.as_primitive())
        }
        other if other.is_decimal() => Ok(from_text(kind, to(&plain, &T::Utf8)?.as_string(), &[])),
        T::Date32 | T::Date64 => from_time(kind, &to(&plain, &T::Date32)?, ValueClass::Date),
        T::Timestamp(..) => from_time(kind, &plain, ValueClass::Timestamp),
        _ => Err(Unsupported),
    }
}

/// Casts; cells that do not fit the target become NULL.
fn to(array: &ArrayRef, target: &DataType) -> Result<ArrayRef, Unsupported> {
    let options = CastOptions { safe: true, ..CastOptions::default() };
    cast_with_options(array, target, &options).map_err(|_| Unsupported)
}

/// Casts, and reports cells that the cast lost as `class`.
fn checked(array: &ArrayRef, target: &DataType, class: ValueClass) -> Result<Converted, Unsupported> {
    let out = to(array, target)?;
    let misfits = (0..array.len()).filter(|row| array.is_valid(*row) && out.is_null(*row)).map(|row| (row, class));
    Ok(Converted { misfits: misfits.collect(), array: out, nans: 0 })
}

/// A column in which no cell that is there fits.
fn misfit(kind: ColumnKind, array: &dyn Array, class: ValueClass) -> Converted {
    let misfits = (0..array.len()).filter(|row| array.is_valid(*row)).map(|row| (row, class)).collect();
    Converted { array: new_null_array(&kind.arrow_type(), array.len()), misfits, nans: 0 }
}

fn from_bool(kind: ColumnKind, array: &ArrayRef) -> Result<Converted, Unsupported> {
    match kind {
        ColumnKind::Bool => Ok(Converted::clean(Arc::clone(array))),
        ColumnKind::Int => checked(array, &DataType::Int64, ValueClass::Boolean),
        _ => Ok(misfit(kind, array, ValueClass::Boolean)),
    }
}

fn from_integers(kind: ColumnKind, array: &ArrayRef) -> Result<Converted, Unsupported> {
    match kind {
        ColumnKind::Int => checked(array, &DataType::Int64, ValueClass::WideInteger),
        ColumnKind::Float => checked(array, &DataType::Float64, ValueClass::Integer),
        ColumnKind::Text => checked(array, &DataType::Utf8, ValueClass::Integer),
        ColumnKind::Bool => {
            let narrow = to(array, &DataType::Int64)?;
            let whole = narrow.as_primitive::<Int64Type>();
            let cells = each(array, |row| match whole.is_valid(row).then(|| whole.value(row)) {
                Some(0) => Ok(Some(false)),
                Some(1) => Ok(Some(true)),
                _ => Err(ValueClass::Integer),
            });
            Ok(cells.into_array(|cells| Arc::new(BooleanArray::from(cells))))
        }
        ColumnKind::Date | ColumnKind::Timestamp | ColumnKind::Bytes => Ok(misfit(kind, array, ValueClass::Integer)),
    }
}

fn from_floats(kind: ColumnKind, array: &Float64Array) -> Result<Converted, Unsupported> {
    match kind {
        ColumnKind::Float => Ok(floats(each(array, |row| Ok(Some(array.value(row)))))),
        ColumnKind::Int => {
            let cells = each(array, |row| whole(array.value(row)));
            Ok(cells.into_array(|cells| Arc::new(Int64Array::from(cells))))
        }
        _ => Ok(misfit(kind, array, ValueClass::Number)),
    }
}

/// Instants with a zone are kept as UTC. A day is an instant at midnight, and an instant lies on a day.
fn from_time(kind: ColumnKind, array: &ArrayRef, class: ValueClass) -> Result<Converted, Unsupported> {
    let micros = |zone| DataType::Timestamp(TimeUnit::Microsecond, zone);
    let zone = match array.data_type() {
        DataType::Timestamp(_, zone) => zone.clone(),
        _ => None,
    };
    match kind {
        ColumnKind::Date | ColumnKind::Timestamp => {
            let mut out = checked(array, &micros(zone), class)?;
            let instants =
                out.array.as_primitive::<TimestampMicrosecondType>().clone().with_timezone_opt(None::<Arc<str>>);
            out.array = to(&(Arc::new(instants) as ArrayRef), &kind.arrow_type())?;
            Ok(out)
        }
        _ => Ok(misfit(kind, array, class)),
    }
}

fn from_text(kind: ColumnKind, array: &StringArray, markers: &[String]) -> Converted {
    let text = |row| Some(array.value(row)).filter(|text| !markers.iter().any(|marker| marker == text));
    match kind {
        ColumnKind::Text => {
            let cells = each(array, |row| Ok(text(row)));
            cells.into_array(|cells| Arc::new(StringArray::from(cells)))
        }
        ColumnKind::Int => parse(array, text, parse_int).into_array(|cells| Arc::new(Int64Array::from(cells))),
        ColumnKind::Float => floats(parse(array, text, |text| text.parse().ok())),
        ColumnKind::Bool => parse(array, text, parse_bool).into_array(|cells| Arc::new(BooleanArray::from(cells))),
        ColumnKind::Date => parse(array, text, parse_date).into_array(|cells| Arc::new(Date32Array::from(cells))),
        ColumnKind::Timestamp => {
            parse(array, text, parse_timestamp).into_array(|cells| Arc::new(TimestampMicrosecondArray::from(cells)))
        }
        ColumnKind::Bytes => misfit(kind, array, ValueClass::Text),
    }
}

/// Cells as they are collected, with those that do not fit.
struct Cells<T> {
    cells: Vec<Option<T>>,
    misfits: Vec<(usize, ValueClass)>,
}

impl<T> Cells<T> {
    fn into_array(self, build: impl FnOnce(Vec<Option<T>>) -> ArrayRef) -> Converted {
        Converted { array: build(self.cells), misfits: self.misfits, nans: 0 }
    }
}

fn each<T>(array: &dyn Array, mut cell: impl FnMut(usize) -> Result<Option<T>, ValueClass>) -> Cells<T> {
    let mut out = Cells { cells: Vec::with_capacity(array.len()), misfits: Vec::new() };
    for row in 0..array.len() {
        let value = if array.is_null(row) { Ok(None) } else { cell(row) };
        out.cells.push(value.unwrap_or_else(|class| {
            out.misfits.push((row, class));
            None
        }));
    }
    out
}

fn parse<'a, T>(
    array: &'a StringArray,
    text: impl Fn(usize) -> Option<&'a str>,
    parser: impl Fn(&str) -> Option<T>,
) -> Cells<T> {
    each(array, |row| match text(row).map(str::trim).filter(|text| !text.is_empty()) {
        None => Ok(None),
        Some(text) => parser(text).map(Some).ok_or_else(|| classify(text)),
    })
}

/// NaN becomes NULL, because it has no place in any bounds; −0 becomes 0, so that equal rows are equal bytes.
fn floats(cells: Cells<f64>) -> Converted {
    let mut nans = 0;
    let kept = cells.cells.into_iter().map(|cell| match cell {
        Some(x) if x.is_nan() => {
            nans += 1;
            None
        }
        other => other.map(|x| x + 0.0),
    });
    let array = Arc::new(kept.collect::<Float64Array>());
    Converted { array, misfits: cells.misfits, nans }
}

fn whole(x: f64) -> Result<Option<i64>, ValueClass> {
    // NaN is how many tools write a missing whole number.
    if x.is_nan() {
        return Ok(None);
    }
    // 2^63 is exact as a float; everything below it and from -2^63 on fits.
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    if x.fract() != 0.0 {
        Err(ValueClass::Number)
    } else if (-LIMIT..LIMIT).contains(&x) {
        Ok(Some(x as i64))
    } else {
        Err(ValueClass::WideInteger)
    }
}

/// Whole numbers; `5.0` is one too, because tools write a column of whole numbers that has gaps so.
fn parse_int(text: &str) -> Option<i64> {
    let digits = match text.split_once('.') {
        Some((digits, zeros)) if !zeros.is_empty() && zeros.bytes().all(|b| b == b'0') => digits,
        _ => text,
    };
    digits.parse().ok()
}

pub(crate) fn parse_bool(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "1" | "是" => Some(true),
        "false" | "no" | "0" | "否" => Some(false),
        _ => None,
    }
}

pub(crate) fn parse_date(text: &str) -> Option<i32> {
    Date32Type::parse(&text.replace('/', "-"))
}

pub(crate) fn parse_timestamp(text: &str) -> Option<i64> {
    TimestampMicrosecondType::parse(&text.replace('/', "-"))
}

/// What a text looks like.
pub(crate) fn classify(text: &str) -> ValueClass {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) {
        return if text.parse::<i64>().is_ok() { ValueClass::Integer } else { ValueClass::WideInteger };
    }
    if Float64Type::parse(text).is_some() {
        return ValueClass::Number;
    }
    if parse_bool(text).is_some() {
        return ValueClass::Boolean;
    }
    if parse_date(text).is_some() {
        return ValueClass::Date;
    }
    if parse_timestamp(text).is_some() { ValueClass::Timestamp } else { ValueClass::Text }
}
