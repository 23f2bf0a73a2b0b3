//! What is counted in each column while a file is read. For the officer's report, and seen by nobody else.

use std::collections::HashSet;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{Float64Type, Int64Type};

use super::ColumnCounts;
use crate::cells::Converted;
use crate::manifest::{Column, ColumnKind, KeyValue};

/// Counts one column over all batches.
pub(super) struct Counter {
    counts: ColumnCounts,
    kind: ColumnKind,
    bounds: Option<(f64, f64)>,
    listed: Option<Listed>,
}

/// A public key list, ready to be looked up in.
#[derive(Default)]
struct Listed {
    ints: HashSet<i64>,
    texts: HashSet<String>,
    bools: HashSet<bool>,
}

impl Counter {
    pub(super) fn new(column: &Column) -> Self {
        let listed = column.keys.as_ref().map(|keys| {
            let mut listed = Listed::default();
            for value in &keys.values {
                match value {
                    KeyValue::Int(n) => drop(listed.ints.insert(*n)),
                    KeyValue::Text(text) => drop(listed.texts.insert(text.clone())),
                    KeyValue::Bool(flag) => drop(listed.bools.insert(*flag)),
                }
            }
            listed
        });
        Self {
            counts: ColumnCounts { column: column.name.to_string(), ..ColumnCounts::default() },
            kind: column.kind,
            bounds: column.bounds.as_ref().map(|bounds| (bounds.lower, bounds.upper)),
            listed,
        }
    }

    /// Adds the cells of one batch.
    pub(super) fn add(&mut self, converted: &Converted) {
        let array = &converted.array;
        self.counts.nulls += array.null_count() as u64;
        self.counts.nan_as_null += converted.nans;
        if let Some((lower, upper)) = self.bounds {
            let inside = |x: f64| (lower..=upper).contains(&x);
            self.counts.outside_bounds += match self.kind {
                ColumnKind::Int => count(array.as_primitive::<Int64Type>().iter(), |n| !inside(n as f64)),
                _ => count(array.as_primitive::<Float64Type>().iter(), |x| !inside(x)),
            };
        }
        if let Some(listed) = &self.listed {
            self.counts.outside_keys += listed.outside(self.kind, array);
        }
    }

    pub(super) fn finish(self) -> ColumnCounts {
        self.counts
    }
}

impl Listed {
    fn outside(&self, kind: ColumnKind, array: &ArrayRef) -> u64 {
        match kind {
            ColumnKind::Int => count(array.as_primitive::<Int64Type>().iter(), |n| !self.ints.contains(&n)),
            ColumnKind::Bool => count(array.as_boolean().iter(), |flag| !self.bools.contains(&flag)),
            _ => count(array.as_string::<i32>().iter(), |text| !self.texts.contains(text)),
        }
    }
}

fn count<T>(cells: impl Iterator<Item = Option<T>>, matches: impl Fn(T) -> bool) -> u64 {
    cells.flatten().filter_map(|cell| matches(cell).then_some(())).count() as u64
}
