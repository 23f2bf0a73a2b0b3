//! Do the declarations of a manifest fit together?

use std::collections::BTreeSet;

use glovebox_policy::ColumnName;

use super::walk::{MAX_EXACT, Problems};
use super::{Bounds, Column, ColumnKind, Days, KeyValue, Keys};

/// Unit columns exist, are distinct, and have a kind that can name somebody.
pub(super) fn units(unit: &[ColumnName], columns: &[Column], problems: &mut Problems) {
    let mut seen = BTreeSet::new();
    for name in unit {
        if !seen.insert(name) {
            problems.add("dataset.unit", format!("names `{name}` twice"));
        }
        let Some(column) = columns.iter().find(|column| column.name == *name) else {
            problems.add("dataset.unit", format!("names `{name}`, which is not a declared column"));
            continue;
        };
        if column.kind == ColumnKind::Float {
            problems.add(
                "dataset.unit",
                format!("names `{name}`, a `float` column; a unit needs a type that compares exactly"),
            );
        }
        without_use(column, "a unit column", problems);
    }
}

/// Unique sets name declared columns, each once.
pub(super) fn unique(sets: &[Vec<ColumnName>], columns: &[Column], problems: &mut Problems) {
    for (index, set) in sets.iter().enumerate() {
        let path = format!("dataset.unique[{index}]");
        if set.is_empty() {
            problems.add(&path, "is empty");
        }
        let mut seen = BTreeSet::new();
        for name in set {
            if !seen.insert(name) {
                problems.add(&path, format!("names `{name}` twice"));
            }
            if !columns.iter().any(|column| column.name == *name) {
                problems.add(&path, format!("names `{name}`, which is not a declared column"));
            }
        }
    }
}

/// Names and headings are distinct; bounds, grid and keys fit the kind; identifiers have none.
pub(super) fn columns(columns: &[Column], problems: &mut Problems) {
    let (mut names, mut headings) = (BTreeSet::new(), BTreeSet::new());
    for column in columns {
        if !names.insert(&column.name) {
            problems.add(at(column, "name"), "is declared twice");
        } else if !headings.insert(column.heading()) {
            problems.add(at(column, "header"), "is the heading of another column too");
        }
        if column.identifier {
            without_use(column, "a direct identifier", problems);
        }
        if let Some(declared) = &column.bounds {
            bounds(column, declared, problems);
        }
        if let Some(step) = column.grid {
            grid(column, step, problems);
        }
        if let Some(declared) = &column.keys {
            keys(column, declared, problems);
        }
        if column.thresholded.is_some() && column.kind == ColumnKind::Float {
            problems
                .add(at(column, "keys"), "cannot be found in a `float` column; group by a type that compares exactly");
        }
        if let Some(declared) = &column.days {
            days(column, declared, problems);
        }
    }
}

fn at(column: &Column, key: &str) -> String {
    format!("columns.{}.{key}", column.name)
}

fn without_use(column: &Column, what: &str, problems: &mut Problems) {
    let declared = [
        ("bounds", column.bounds.is_some()),
        ("grid", column.grid.is_some()),
        ("keys", column.keys.is_some() || column.thresholded.is_some()),
        ("days", column.days.is_some()),
    ];
    for (key, _) in declared.into_iter().filter(|(_, there)| *there) {
        // An identifier that is a unit column too would otherwise be told the same twice.
        if what == "a unit column" && column.identifier {
            continue;
        }
        problems.add(at(column, key), format!("cannot be declared on {what}"));
    }
}

fn bounds(column: &Column, declared: &Bounds, problems: &mut Problems) {
    if !column.kind.is_number() {
        problems.add(at(column, "bounds"), format!("need a number, and the column is `{}`", column.kind));
        return;
    }
    if declared.lower >= declared.upper {
        problems.add(at(column, "bounds"), "must have `lower` below `upper`");
    }
    if column.kind == ColumnKind::Int {
        for (key, value) in [("bounds.lower", declared.lower), ("bounds.upper", declared.upper)] {
            if value.fract() != 0.0 || value.abs() > MAX_EXACT {
                problems.add(at(column, key), "must be a whole number of at most 2^53 for an `int` column");
            }
        }
    }
}

fn days(column: &Column, declared: &Days, problems: &mut Problems) {
    if !column.kind.is_dated() {
        problems.add(at(column, "days"), format!("need a `date` or `timestamp` column, not `{}`", column.kind));
    } else if declared.first > declared.last {
        problems.add(at(column, "days"), "must not have `first` after `last`");
    }
}

fn grid(column: &Column, step: f64, problems: &mut Problems) {
    if !column.kind.is_number() {
        problems.add(at(column, "grid"), format!("needs a number, and the column is `{}`", column.kind));
    } else if step <= 0.0 {
        problems.add(at(column, "grid"), "must be above 0");
    } else if column.kind == ColumnKind::Int && step.fract() != 0.0 {
        problems.add(at(column, "grid"), "must be a whole number for an `int` column");
    } else if let Some(declared) = &column.bounds
        && (declared.upper.abs().max(declared.lower.abs()) / step) > MAX_EXACT
    {
        problems.add(at(column, "grid"), "is so fine that the bounds lie more than 2^53 steps from 0");
    }
}

fn keys(column: &Column, declared: &Keys, problems: &mut Problems) {
    let path = at(column, "keys.values");
    if !matches!(column.kind, ColumnKind::Int | ColumnKind::Text | ColumnKind::Bool) {
        problems.add(at(column, "keys"), format!("need an `int`, `text` or `bool` column, not `{}`", column.kind));
        return;
    }
    let mut seen = BTreeSet::new();
    for (index, value) in declared.values.iter().enumerate() {
        let kind = match value {
            KeyValue::Int(_) => ColumnKind::Int,
            KeyValue::Text(_) => ColumnKind::Text,
            KeyValue::Bool(_) => ColumnKind::Bool,
        };
        if kind != column.kind {
            problems.add(format!("{path}[{index}]"), format!("is `{kind}`, and the column is `{}`", column.kind));
        }
        if !seen.insert(value) {
            problems.add(format!("{path}[{index}]"), "is listed twice");
        }
    }
}
