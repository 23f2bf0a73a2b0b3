//! What an officer declares about a dataset: names, units, public sizes, columns with bounds and key lists.
//!
//! A manifest is public: everything an analyst learns without paying comes from here. It is read from TOML by
//! [`Manifest::parse`], which reports every problem at once, and it is never completed from the rows.

mod check;
mod footage;
mod public;
mod read;
mod walk;
mod write;

pub(crate) use footage::PIXELS;
pub use footage::{Appearance, Footage, MAX_CHUNK_BYTES};
pub use public::{Declaration, MAX_PUBLIC_ROWS, PublicManifest};
pub(crate) use write::text as toml_text;

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use glovebox_policy::{BudgetDomain, ColumnName, DatasetName, Digest, IdSpace};
use serde::Serialize;

use crate::civil::Date;
use crate::{UNIT_BYTES, UNIT_COLUMN};

/// The most units that a manifest may declare. With [`MAX_ROWS_PER_UNIT`] it keeps every row count inside 63 bits.
pub const MAX_UNITS: u64 = 1_000_000_000_000;

/// The most rows per unit that a manifest may declare.
pub const MAX_ROWS_PER_UNIT: u32 = 1_000_000;

/// The most columns that a manifest may declare.
pub const MAX_COLUMNS: usize = 1024;

/// The most values in one public key list.
pub const MAX_KEYS: usize = 65_536;

/// One thing that is wrong with a manifest, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The key, such as `dataset.max_units` or `columns.age.bounds.lower`.
    pub path: String,
    /// What is wrong and what is wanted.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.message)
    }
}

/// Everything that is wrong with a manifest. Quotes the manifest, which is public, and no row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("the manifest has {} problem(s)\n{}", problems.len(), listed(problems))]
pub struct ManifestReport {
    /// The problems, in the order of the text.
    pub problems: Vec<Problem>,
}

fn listed(problems: &[Problem]) -> String {
    problems.iter().map(Problem::to_string).collect::<Vec<_>>().join("\n")
}

/// What shape of data a dataset holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum DatasetKind {
    /// Rows, each of which belongs to one privacy unit.
    Table,
    /// Footage of a camera, in chunks; the privacy unit is an appearance in it ([`Footage`]).
    Frames,
}

impl DatasetKind {
    /// The kind as a manifest spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Frames => "frames",
        }
    }
}

/// What the cells of a column are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ColumnKind {
    /// Whole numbers of 64 bits.
    Int,
    /// 64-bit floating point; NaN is stored as NULL.
    Float,
    /// UTF-8 text.
    Text,
    /// True or false.
    Bool,
    /// Days.
    Date,
    /// Instants in microseconds, without a time zone (UTC where the file names a zone).
    Timestamp,
    /// The pixels of one frame of footage. No table has such a column.
    Bytes,
}

impl ColumnKind {
    /// All kinds that a table may declare, in the order of the documentation.
    pub const ALL: [Self; 6] = [Self::Int, Self::Float, Self::Text, Self::Bool, Self::Date, Self::Timestamp];

    /// The kind as a manifest spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Int => "int",
            Self::Float => "float",
            Self::Text => "text",
            Self::Bool => "bool",
            Self::Date => "date",
            Self::Timestamp => "timestamp",
            Self::Bytes => "bytes",
        }
    }

    /// How the kind is stored and seen by queries. Pixels are stored with the width that their manifest declares
    /// ([`Manifest::arrow_schema`]).
    pub const fn arrow_type(self) -> DataType {
        match self {
            Self::Int => DataType::Int64,
            Self::Float => DataType::Float64,
            Self::Text => DataType::Utf8,
            Self::Bool => DataType::Boolean,
            Self::Date => DataType::Date32,
            Self::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, None),
            Self::Bytes => DataType::Binary,
        }
    }

    /// Whether bounds and a grid make sense for the kind.
    pub const fn is_number(self) -> bool {
        matches!(self, Self::Int | Self::Float)
    }

    /// Whether the kind has days.
    pub const fn is_dated(self) -> bool {
        matches!(self, Self::Date | Self::Timestamp)
    }
}

impl fmt::Display for ColumnKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Declared bounds of a numeric column. Stored values outside of them are clamped when they are used.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Bounds {
    /// The smallest value. Finite; whole for `int` columns.
    pub lower: f64,
    /// The largest value. Finite, above `lower`; whole for `int` columns.
    pub upper: f64,
    /// Where the bounds come from: a codebook, a law, a charged estimate. Never the rows.
    pub basis: String,
}

/// The declared days of a date or timestamp column: what its years, months and days can be, and so what it may be grouped by.
/// Stored values outside of them are kept; as a group they count as what is not on the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Days {
    /// The first day, counted from 1970-01-01.
    #[serde(serialize_with = "as_date")]
    pub first: i32,
    /// The last day. Not before `first`.
    #[serde(serialize_with = "as_date")]
    pub last: i32,
    /// Where the days come from: a law, a reporting period. Never the rows.
    pub basis: String,
}

fn as_date<S: serde::Serializer>(day: &i32, out: S) -> Result<S::Ok, S::Error> {
    out.collect_str(&Date::of(i64::from(*day)))
}

/// One value of a public key list.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(untagged)]
pub enum KeyValue {
    /// A value of an `int` column.
    Int(i64),
    /// A value of a `text` column.
    Text(String),
    /// A value of a `bool` column.
    Bool(bool),
}

/// The public list of values that a column may be grouped by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Keys {
    /// The values, without repetition, in the order of the manifest.
    pub values: Vec<KeyValue>,
    /// Where the list comes from. Never the rows.
    pub basis: String,
}

/// That a column without a public list may be grouped by all the same: its keys are found in rows, and only those of enough units appear
/// in an answer, by a noised count that is charged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Thresholded {
    /// Why its values may be told once enough units have them: what they are, and that none of them names somebody.
    pub basis: String,
}

/// One declared column.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Column {
    /// The name in SQL.
    pub name: ColumnName,
    /// The heading in the file, when it is not the name.
    pub header: Option<String>,
    /// What the cells are.
    pub kind: ColumnKind,
    /// The meaning in English.
    pub meaning_en: String,
    /// The meaning in Chinese.
    pub meaning_zh: String,
    /// A direct identifier: checked at ingest, never stored, usable in no role.
    pub identifier: bool,
    /// Declared bounds, for numbers.
    pub bounds: Option<Bounds>,
    /// The step to which values are rounded before exact sums. Above 0; `None` leaves the choice to the analysis.
    pub grid: Option<f64>,
    /// The public key list.
    pub keys: Option<Keys>,
    /// Leave to group by the column without a list. A column that has neither cannot be grouped by, but for what days give.
    pub thresholded: Option<Thresholded>,
    /// Declared days, for dates and timestamps.
    pub days: Option<Days>,
}

impl Column {
    /// The heading of the column in the file.
    pub fn heading(&self) -> &str {
        self.header.as_deref().unwrap_or(self.name.as_str())
    }
}

/// A valid manifest.
#[derive(Debug, Clone, PartialEq)]
pub struct Manifest {
    name: DatasetName,
    kind: DatasetKind,
    title_en: String,
    title_zh: String,
    id_space: IdSpace,
    budget_domain: BudgetDomain,
    unit: Vec<ColumnName>,
    max_units: u64,
    max_rows_per_unit: u32,
    source: String,
    licence: String,
    classification: String,
    unique: Vec<Vec<ColumnName>>,
    null_markers: Vec<String>,
    columns: Vec<Column>,
    footage: Option<Footage>,
}

impl Manifest {
    /// Reads a manifest from TOML.
    ///
    /// # Errors
    /// Every problem at once: syntax, unknown and missing keys, wrong types, and declarations that do not fit together.
    pub fn parse(text: &str) -> Result<Self, ManifestReport> {
        read::manifest(text)
    }

    /// The manifest as TOML in one canonical form, which [`Manifest::parse`] reads back as the same manifest.
    pub fn to_toml(&self) -> String {
        write::manifest(self)
    }

    /// The digest of the canonical form. A manifest is public, so its plain digest is too.
    pub fn digest(&self) -> Digest {
        Digest::of(self.to_toml().as_bytes())
    }

    /// The name in SQL.
    pub fn name(&self) -> &DatasetName {
        &self.name
    }

    /// What shape of data it is.
    pub fn kind(&self) -> DatasetKind {
        self.kind
    }

    /// The title in English.
    pub fn title_en(&self) -> &str {
        &self.title_en
    }

    /// The title in Chinese.
    pub fn title_zh(&self) -> &str {
        &self.title_zh
    }

    /// Which other datasets' unit identifiers may be equated with these.
    pub fn id_space(&self) -> &IdSpace {
        &self.id_space
    }

    /// Whose privacy budget the dataset is charged to.
    pub fn budget_domain(&self) -> &BudgetDomain {
        &self.budget_domain
    }

    /// What is declared of footage, when it is that.
    pub fn footage(&self) -> Option<&Footage> {
        self.footage.as_ref()
    }

    /// The columns that together name the privacy unit of a row; none in footage.
    pub fn unit(&self) -> &[ColumnName] {
        &self.unit
    }

    /// The declared, public number of units. Ingest refuses more. Of footage: the number of chunks, and ingest refuses fewer too.
    pub fn max_units(&self) -> u64 {
        self.max_units
    }

    /// The declared, public number of rows per unit. Ingest keeps no more. Of footage: the frames of a chunk.
    pub fn max_rows_per_unit(&self) -> u32 {
        self.max_rows_per_unit
    }

    /// Where the data comes from.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Under which licence it is held.
    pub fn licence(&self) -> &str {
        &self.licence
    }

    /// Its class in the bureau's own classification of data.
    pub fn classification(&self) -> &str {
        &self.classification
    }

    /// Sets of columns whose values never repeat together. Verified at ingest; NULL counts as a value.
    pub fn unique(&self) -> &[Vec<ColumnName>] {
        &self.unique
    }

    /// Texts that mean NULL in the file, besides the empty field.
    pub fn null_markers(&self) -> &[String] {
        &self.null_markers
    }

    /// The declared columns, identifiers included, in the order of the manifest.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The column of this name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name.as_str() == name)
    }

    /// Whether the column is one of those that name the unit.
    pub fn is_unit(&self, name: &ColumnName) -> bool {
        self.unit.contains(name)
    }

    /// The columns that are stored: all but direct identifiers.
    pub fn stored_columns(&self) -> impl Iterator<Item = &Column> {
        self.columns.iter().filter(|column| !column.identifier)
    }

    /// The schema of the stored rows: [`Manifest::stored_columns`], then [`UNIT_COLUMN`].
    ///
    /// Unit columns and [`UNIT_COLUMN`] are never NULL, because rows without a unit are dropped at ingest.
    pub fn arrow_schema(&self) -> SchemaRef {
        if let Some(footage) = &self.footage {
            return footage.arrow_schema();
        }
        let declared = self.stored_columns().map(|column| {
            let nullable = !self.is_unit(&column.name);
            Field::new(column.name.as_str(), column.kind.arrow_type(), nullable)
        });
        let fields: Vec<Field> = declared.chain([unit_field()]).collect();
        Arc::new(Schema::new(fields))
    }
}

/// The field of [`UNIT_COLUMN`].
pub(crate) fn unit_field() -> Field {
    Field::new(UNIT_COLUMN, DataType::FixedSizeBinary(UNIT_BYTES as i32), false)
}
