//! Made-up rows, as Parquet for engines without privacy and in an encrypted catalog for ours.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result, anyhow};
use arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch};
use glovebox_catalog::{Catalog, Manifest};
use parquet::arrow::ArrowWriter;

/// Rows of one person in the table of persons.
pub(crate) const ROWS_OF_A_PERSON: i64 = 10;
/// Groups, as the public list has them.
pub(crate) const GROUPS: i64 = 20;
/// Rows written at a time.
const CHUNK: i64 = 1 << 20;

/// One of the two tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Ten rows to a person.
    Persons,
    /// Each row is a unit of its own.
    Unique,
}

impl Shape {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Persons => "persons",
            Self::Unique => "unique",
        }
    }

    fn rows_of_a_unit(self) -> i64 {
        match self {
            Self::Persons => ROWS_OF_A_PERSON,
            Self::Unique => 1,
        }
    }

    /// The dataset's name in the catalog.
    pub(crate) fn dataset(self) -> String {
        format!("bench.{}", self.name())
    }

    /// The Parquet file in a folder.
    pub(crate) fn parquet(self, dir: &Path) -> PathBuf {
        dir.join(format!("{}.parquet", self.name()))
    }

    fn manifest(self, rows: i64) -> Result<Manifest> {
        let keys: Vec<String> = (0..GROUPS).map(|group| group.to_string()).collect();
        let text = format!(
            r#"
            [dataset]
            name = "{}"
            kind = "table"
            title_en = "Made up"
            title_zh = "虚构"
            id_space = "{}"
            budget_domain = "resident"
            unit = ["person"]
            max_units = {}
            max_rows_per_unit = {}
            source = "generated"
            licence = "public domain"
            classification = "test"

            [[columns]]
            name = "person"
            type = "int"
            meaning_en = "person"
            meaning_zh = "人"

            [[columns]]
            name = "g"
            type = "int"
            meaning_en = "group"
            meaning_zh = "组"
            keys = {{ values = [{}], basis = "design" }}

            [[columns]]
            name = "v"
            type = "float"
            meaning_en = "value"
            meaning_zh = "值"
            bounds = {{ lower = 0, upper = 100, basis = "design" }}
            grid = 0.01
            "#,
            self.dataset(),
            self.name(),
            rows / self.rows_of_a_unit(),
            self.rows_of_a_unit(),
            keys.join(", ")
        );
        Manifest::parse(&text).map_err(|report| anyhow!("{report}"))
    }
}

/// A number that looks like chance.
fn mixed(number: i64) -> u64 {
    let mut x = number.unsigned_abs().wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

fn batch(shape: Shape, rows: std::ops::Range<i64>) -> Result<RecordBatch> {
    let unit = shape.rows_of_a_unit();
    let person: Int64Array = rows.clone().map(|row| Some(row / unit)).collect();
    let group: Int64Array = rows.clone().map(|row| Some((mixed(row) % GROUPS.unsigned_abs()) as i64)).collect();
    let value: Float64Array = rows.map(|row| Some((mixed(row) >> 32) as f64 % 10_000.0 / 100.0)).collect();
    let columns: [(&str, ArrayRef); 3] = [("person", Arc::new(person)), ("g", Arc::new(group)), ("v", Arc::new(value))];
    Ok(RecordBatch::try_from_iter(columns)?)
}

/// Writes both tables as Parquet, sorted by unit, and brings both into a catalog.
pub(crate) fn prepare(dir: &Path, rows: i64) -> Result<()> {
    let catalog = Catalog::create(&dir.join("catalog"), &dir.join("master.key"))?;
    for shape in [Shape::Persons, Shape::Unique] {
        let file = shape.parquet(dir);
        let schema = batch(shape, 0..0)?.schema();
        let mut writer = ArrowWriter::try_new(File::create(&file).context("cannot make a file")?, schema, None)?;
        let mut from = 0;
        while from < rows {
            let to = rows.min(from + CHUNK);
            writer.write(&batch(shape, from..to)?)?;
            from = to;
        }
        writer.close()?;
        catalog.add(&shape.manifest(rows)?, &file).map_err(|fault| anyhow!("the rows are not taken: {fault}"))?;
    }
    Ok(())
}
