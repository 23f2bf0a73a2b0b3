//! What an officer is told about a file: everything but its values.

use std::collections::BTreeMap;
use std::fmt;

use glovebox_policy::DatasetName;
use serde::Serialize;

use crate::cells::ValueClass;

/// How many faults are listed one by one. All are counted in the totals.
pub const MAX_LISTED_FAULTS: usize = 1000;

/// What is wrong with a cell, a row, a column or the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case", tag = "kind", content = "found")]
pub enum FaultKind {
    /// The file has no column of the declared heading.
    ColumnMissing,
    /// The file has several columns of the declared heading.
    ColumnRepeated,
    /// The file's column has a type that the declared kind cannot be made of, such as bytes or lists.
    TypeUnsupported,
    /// The CSV row has another number of fields than the heading line.
    FieldCount,
    /// The cell is not of the declared kind, but this.
    Cell(ValueClass),
    /// The row repeats another one in columns that are declared unique.
    Repeated,
    /// The file has more units than the manifest declares.
    TooManyUnits,
    /// The file of a public table has more rows than the manifest declares, or more bytes than are held in memory.
    TooManyRows,
    /// A text of a public table is longer than 1,024 bytes.
    TextTooLong,
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ColumnMissing => f.write_str("the file has no such column"),
            Self::ColumnRepeated => f.write_str("the file has several columns of this heading"),
            Self::TypeUnsupported => f.write_str("the type in the file does not fit the declared type"),
            Self::FieldCount => f.write_str("the row has another number of fields than the heading line"),
            Self::Cell(class) => write!(f, "the cell is {}, not of the declared type", class.as_str()),
            Self::Repeated => f.write_str("the row repeats another in columns that are declared unique"),
            Self::TooManyUnits => f.write_str("the file has more units than `max_units` declares"),
            Self::TooManyRows => f.write_str("the file has more rows than `max_rows` declares, or more than 64 MiB"),
            Self::TextTooLong => f.write_str("the text is longer than 1024 bytes, which a public table may not hold"),
        }
    }
}

/// One fault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// The row of data, counted from 1 without the heading line. `None` for the column or file as a whole.
    pub row: Option<u64>,
    /// The column, or several joined by `+`; empty for the row as a whole.
    pub column: String,
    /// What is wrong.
    pub fault: FaultKind,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(row) = self.row {
            write!(f, "row {row}: ")?;
        }
        if !self.column.is_empty() {
            write!(f, "column `{}`: ", self.column)?;
        }
        write!(f, "{}", self.fault)
    }
}

/// How often one fault occurs in one column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FaultTotal {
    /// The column, as in [`Fault::column`].
    pub column: String,
    /// What is wrong.
    pub fault: FaultKind,
    /// How often.
    pub count: u64,
}

/// What was seen in one column. Derived from rows: for officers only.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ColumnCounts {
    /// The column.
    pub column: String,
    /// Cells that are NULL, those that became NULL included.
    pub nulls: u64,
    /// NaN cells that became NULL.
    pub nan_as_null: u64,
    /// Cells outside of the declared bounds. They are stored as they are and clamped when they are used.
    pub outside_bounds: u64,
    /// Cells that are not in the public key list. They are stored as they are and count as `other` when they are used.
    pub outside_keys: u64,
}

/// What became of a file. Derived from rows: for officers only, before and after registration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct IngestReport {
    /// The dataset.
    pub dataset: DatasetName,
    /// Rows of data in the file.
    pub rows_read: u64,
    /// Rows that are stored (or would be, without the faults).
    pub rows_stored: u64,
    /// Rows that were dropped because a unit column is NULL or blank (or, in a refused file, does not fit its type).
    pub rows_without_unit: u64,
    /// Rows that were dropped because their unit has `max_rows_per_unit` others.
    pub rows_truncated: u64,
    /// Units in the file.
    pub units: u64,
    /// Units of which rows were dropped.
    pub units_truncated: u64,
    /// Columns of the file that the manifest does not declare, by position from 1. They are not stored.
    pub ignored_columns: Vec<usize>,
    /// What was seen in each declared column.
    pub columns: Vec<ColumnCounts>,
    /// How often each fault occurs, complete.
    pub totals: Vec<FaultTotal>,
    /// The first [`MAX_LISTED_FAULTS`] faults.
    pub faults: Vec<Fault>,
}

impl IngestReport {
    pub(crate) fn new(dataset: DatasetName) -> Self {
        Self {
            dataset,
            rows_read: 0,
            rows_stored: 0,
            rows_without_unit: 0,
            rows_truncated: 0,
            units: 0,
            units_truncated: 0,
            ignored_columns: Vec::new(),
            columns: Vec::new(),
            totals: Vec::new(),
            faults: Vec::new(),
        }
    }

    /// How many faults there are, listed or not. A file is registered only when there is none.
    pub fn fault_count(&self) -> u64 {
        self.totals.iter().map(|total| total.count).sum()
    }

    pub(crate) fn add(&mut self, row: Option<u64>, column: &str, fault: FaultKind) {
        match self.totals.iter_mut().find(|total| total.column == column && total.fault == fault) {
            Some(total) => total.count += 1,
            None => self.totals.push(FaultTotal { column: column.to_owned(), fault, count: 1 }),
        }
        if self.faults.len() < MAX_LISTED_FAULTS {
            self.faults.push(Fault { row, column: column.to_owned(), fault });
        }
    }

    /// Puts totals into one order, whatever order the faults were found in.
    pub(crate) fn sort_totals(&mut self) {
        let sorted: BTreeMap<(String, FaultKind), u64> =
            self.totals.drain(..).map(|total| ((total.column, total.fault), total.count)).collect();
        self.totals = sorted.into_iter().map(|((column, fault), count)| FaultTotal { column, fault, count }).collect();
    }
}
