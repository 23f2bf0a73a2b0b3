//! One table of a manifest at a time: typed reads that collect problems, and an end that finds unknown keys.

use std::str::FromStr;

use glovebox_policy::ColumnName;
use toml::{Table, Value};

use super::Problem;
use crate::civil::Date;

/// The largest whole number up to which every whole number is exact in 64-bit floating point.
pub(super) const MAX_EXACT: f64 = 9_007_199_254_740_992.0;

/// Where problems are collected.
#[derive(Debug, Default)]
pub(super) struct Problems(pub(super) Vec<Problem>);

impl Problems {
    pub(super) fn add(&mut self, path: impl Into<String>, message: impl Into<String>) {
        self.0.push(Problem { path: path.into(), message: message.into() });
    }
}

/// One table of the manifest while it is read.
pub(super) struct Walk<'a> {
    table: &'a Table,
    path: String,
    known: Vec<&'static str>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(table: &'a Table, path: impl Into<String>) -> Self {
        Self { table, path: path.into(), known: Vec::new() }
    }

    pub(super) fn at(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    pub(super) fn optional(&mut self, key: &'static str) -> Option<&'a Value> {
        self.known.push(key);
        self.table.get(key)
    }

    pub(super) fn required(&mut self, key: &'static str, problems: &mut Problems) -> Option<&'a Value> {
        let value = self.optional(key);
        if value.is_none() {
            problems.add(self.at(key), "is missing");
        }
        value
    }

    pub(super) fn text(&mut self, key: &'static str, problems: &mut Problems) -> Option<String> {
        let value = self.required(key, problems)?;
        self.as_text(key, value, problems)
    }

    pub(super) fn as_text(&self, key: &str, value: &Value, problems: &mut Problems) -> Option<String> {
        match value.as_str() {
            Some(text) if !text.trim().is_empty() => Some(text.to_owned()),
            Some(_) => {
                problems.add(self.at(key), "is empty");
                None
            }
            None => {
                problems.add(self.at(key), "must be text");
                None
            }
        }
    }

    pub(super) fn name<T: FromStr<Err: std::fmt::Display>>(
        &mut self,
        key: &'static str,
        problems: &mut Problems,
    ) -> Option<T> {
        let text = self.text(key, problems)?;
        parsed(&text, &self.at(key), problems)
    }

    pub(super) fn whole(&mut self, key: &'static str, most: u64, problems: &mut Problems) -> Option<u64> {
        let value = self.required(key, problems)?;
        let whole = value.as_integer().and_then(|n| u64::try_from(n).ok()).filter(|n| (1..=most).contains(n));
        if whole.is_none() {
            problems.add(self.at(key), format!("must be a whole number from 1 to {most}"));
        }
        whole
    }

    pub(super) fn texts(&mut self, key: &'static str, value: &Value, problems: &mut Problems) -> Vec<String> {
        let Some(list) = value.as_array() else {
            problems.add(self.at(key), "must be a list of texts");
            return Vec::new();
        };
        let mut out = Vec::new();
        for (index, item) in list.iter().enumerate() {
            out.extend(self.as_text(&format!("{key}[{index}]"), item, problems));
        }
        out
    }

    pub(super) fn names(&mut self, key: &'static str, value: &Value, problems: &mut Problems) -> Vec<ColumnName> {
        let path = self.at(key);
        let texts = self.texts(key, value, problems);
        texts.iter().filter_map(|text| parsed(text, &path, problems)).collect()
    }

    pub(super) fn finish(self, problems: &mut Problems) {
        for key in self.table.keys() {
            if !self.known.contains(&key.as_str()) {
                problems.add(self.at(key), "is not a known key");
            }
        }
    }
}

fn parsed<T: FromStr<Err: std::fmt::Display>>(text: &str, path: &str, problems: &mut Problems) -> Option<T> {
    text.parse().map_err(|error: T::Err| problems.add(path, error.to_string())).ok()
}

/// A finite number.
pub(super) fn number(value: &Value, path: &str, problems: &mut Problems) -> Option<f64> {
    let found = match value {
        Value::Float(x) => Some(*x).filter(|x| x.is_finite()),
        Value::Integer(n) => Some(*n as f64).filter(|x| x.abs() <= MAX_EXACT),
        _ => None,
    };
    if found.is_none() {
        problems.add(path, "must be a finite number, and a whole number at most 2^53");
    }
    found
}

/// A date of TOML, as a day counted from 1970-01-01.
pub(super) fn date(value: &Value, path: &str, problems: &mut Problems) -> Option<i32> {
    let date = match value {
        Value::Datetime(toml::value::Datetime { date: Some(date), time: None, offset: None }) => Some(date),
        _ => None,
    };
    let day = date.map(|date| {
        let (year, month, day) = (i64::from(date.year), i64::from(date.month), i64::from(date.day));
        Date { year, month, day }.number()
    });
    let day = day.and_then(|day| i32::try_from(day).ok());
    if day.is_none() {
        problems.add(path, "must be a date, written as 2013-01-31 without quotation marks");
    }
    day
}
