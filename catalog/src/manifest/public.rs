//! What an officer declares about a public table: rows that hold nothing about anybody, to be joined with rows that do.

use std::sync::Arc;

use arrow::datatypes::{Field, Schema, SchemaRef};
use glovebox_policy::{ColumnName, DatasetName, Digest};
use toml::{Table, Value};

use super::walk::{Problems, Walk};
use super::{Column, Manifest, ManifestReport, check, read, write};

/// The most rows that a public table may declare: it is held in memory while it is joined.
pub const MAX_PUBLIC_ROWS: u64 = 1_000_000;

/// The manifest of a public table: it has no unit, no id-space and no budget domain.
#[derive(Debug, Clone, PartialEq)]
pub struct PublicManifest {
    name: DatasetName,
    title_en: String,
    title_zh: String,
    max_rows: u64,
    source: String,
    licence: String,
    classification: String,
    unique: Vec<Vec<ColumnName>>,
    null_markers: Vec<String>,
    columns: Vec<Column>,
}

impl PublicManifest {
    /// Reads a manifest of `kind = "public"` from TOML.
    ///
    /// # Errors
    /// Every problem at once, as [`Manifest::parse`].
    pub fn parse(text: &str) -> Result<Self, ManifestReport> {
        let table: Table = text.parse().map_err(|error: toml::de::Error| read::syntax(text, &error))?;
        let mut problems = Problems::default();
        let mut root = Walk::new(&table, "");
        let declared = root.required("dataset", &mut problems);
        let columns = match root.required("columns", &mut problems) {
            Some(Value::Array(list)) => read::columns(list, &mut problems),
            Some(_) => {
                problems.add("columns", "must be a list of tables, each written as [[columns]]");
                Vec::new()
            }
            None => Vec::new(),
        };
        let manifest = match declared {
            Some(Value::Table(table)) => dataset(table, columns, &mut problems),
            Some(_) => {
                problems.add("dataset", "must be a table");
                None
            }
            None => None,
        };
        root.finish(&mut problems);
        match manifest {
            Some(manifest) if problems.0.is_empty() => Ok(manifest),
            _ => Err(ManifestReport { problems: problems.0 }),
        }
    }

    /// The manifest as TOML in one canonical form.
    pub fn to_toml(&self) -> String {
        let mut out = String::from("[dataset]\n");
        let mut put = |key: &str, value: String| write::line(&mut out, key, &value);
        put("name", write::text(self.name.to_string()));
        put("kind", write::text("public"));
        put("title_en", write::text(&self.title_en));
        put("title_zh", write::text(&self.title_zh));
        put("max_rows", self.max_rows.to_string());
        put("source", write::text(&self.source));
        put("licence", write::text(&self.licence));
        put("classification", write::text(&self.classification));
        if !self.unique.is_empty() {
            let sets = self.unique.iter().map(|set| write::list(set.iter().map(write::text_of)));
            put("unique", write::list(sets));
        }
        if !self.null_markers.is_empty() {
            put("null_markers", write::list(self.null_markers.iter().map(write::text_of)));
        }
        self.columns.iter().for_each(|column| write::write_column(&mut out, column));
        out
    }

    /// The digest of the canonical form.
    pub fn digest(&self) -> Digest {
        Digest::of(self.to_toml().as_bytes())
    }

    /// The name in SQL.
    pub fn name(&self) -> &DatasetName {
        &self.name
    }

    /// The title in English.
    pub fn title_en(&self) -> &str {
        &self.title_en
    }

    /// The title in Chinese.
    pub fn title_zh(&self) -> &str {
        &self.title_zh
    }

    /// The declared number of rows. Ingest refuses more.
    pub fn max_rows(&self) -> u64 {
        self.max_rows
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

    /// Sets of columns whose values never repeat together: what a dataset's rows may be joined on. Verified at ingest.
    pub fn unique(&self) -> &[Vec<ColumnName>] {
        &self.unique
    }

    /// Texts that mean NULL in the file, besides the empty field.
    pub fn null_markers(&self) -> &[String] {
        &self.null_markers
    }

    /// The declared columns.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The column of this name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name.as_str() == name)
    }

    /// The schema of the rows.
    pub fn arrow_schema(&self) -> SchemaRef {
        let fields = self.columns.iter().map(|column| Field::new(column.name.as_str(), column.kind.arrow_type(), true));
        Arc::new(Schema::new(fields.collect::<Vec<_>>()))
    }
}

fn dataset(table: &Table, columns: Vec<Column>, problems: &mut Problems) -> Option<PublicManifest> {
    let mut walk = Walk::new(table, "dataset");
    walk.text("kind", problems);
    let name = walk.name("name", problems);
    let (title_en, title_zh) = (walk.text("title_en", problems), walk.text("title_zh", problems));
    let max_rows = walk.whole("max_rows", MAX_PUBLIC_ROWS, problems);
    let (source, licence) = (walk.text("source", problems), walk.text("licence", problems));
    let classification = walk.text("classification", problems);
    let unique = read::unique(&mut walk, problems);
    let null_markers = match walk.optional("null_markers") {
        Some(value) => walk.texts("null_markers", value, problems),
        None => Vec::new(),
    };
    for key in ["id_space", "budget_domain", "unit", "max_units", "max_rows_per_unit"] {
        if walk.optional(key).is_some() {
            problems.add(walk.at(key), "cannot be declared of a public table, which holds nothing about anybody");
        }
    }
    walk.finish(problems);
    check::unique(&unique, &columns, problems);
    check::columns(&columns, problems);
    for column in columns.iter().filter(|column| column.identifier) {
        problems.add(
            format!("columns.{}.identifier", column.name),
            "cannot be declared in a public table: what identifies persons is not public",
        );
    }
    for column in columns.iter().filter(|column| column.thresholded.is_some()) {
        problems.add(
            format!("columns.{}.keys", column.name),
            "`threshold` cannot be declared in a public table: each of its values may be known to everybody",
        );
    }
    Some(PublicManifest {
        name: name?,
        title_en: title_en?,
        title_zh: title_zh?,
        max_rows: max_rows?,
        source: source?,
        licence: licence?,
        classification: classification?,
        unique,
        null_markers,
        columns,
    })
}

/// A manifest of either kind.
#[derive(Debug, Clone, PartialEq)]
pub enum Declaration {
    /// Rows that belong to privacy units.
    Units(Manifest),
    /// A public table.
    Public(PublicManifest),
}

impl Declaration {
    /// Reads a manifest of whatever kind it declares.
    ///
    /// # Errors
    /// As [`Manifest::parse`].
    pub fn parse(text: &str) -> Result<Self, ManifestReport> {
        let table: Table = text.parse().map_err(|error: toml::de::Error| read::syntax(text, &error))?;
        let kind = table.get("dataset").and_then(|dataset| dataset.get("kind")).and_then(Value::as_str);
        if kind == Some("public") {
            PublicManifest::parse(text).map(Self::Public)
        } else {
            Manifest::parse(text).map(Self::Units)
        }
    }

    pub(crate) fn name(&self) -> &DatasetName {
        match self {
            Self::Units(manifest) => manifest.name(),
            Self::Public(manifest) => manifest.name(),
        }
    }

    pub(crate) fn digest(&self) -> Digest {
        Digest::of(self.to_toml().as_bytes())
    }

    pub(crate) fn to_toml(&self) -> String {
        match self {
            Self::Units(manifest) => manifest.to_toml(),
            Self::Public(manifest) => manifest.to_toml(),
        }
    }

    /// Whether a unit has no more than one row.
    pub(crate) fn has_one_row_per_unit(&self) -> bool {
        matches!(self, Self::Units(manifest) if manifest.max_rows_per_unit() == 1)
    }

    pub(crate) fn arrow_schema(&self) -> SchemaRef {
        match self {
            Self::Units(manifest) => manifest.arrow_schema(),
            Self::Public(manifest) => manifest.arrow_schema(),
        }
    }
}
