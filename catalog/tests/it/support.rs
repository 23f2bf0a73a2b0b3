//! A catalog in a temporary folder, small files, and rows read back through the guarded table.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{Array, AsArray};
use arrow::compute::concat_batches;
use arrow::record_batch::RecordBatch;
use arrow::util::display::array_value_to_string;
use datafusion::common::DataFusionError;
use datafusion::prelude::{SessionConfig, SessionContext};
use glovebox_catalog::{Catalog, Dataset, IngestError, IngestReport, Ingested, Manifest, UNIT_COLUMN};
use glovebox_vault::Expose;
use tempfile::TempDir;

/// A manifest for persons with visits; `edit` changes its text first.
pub(crate) fn visits(edit: impl Fn(&str) -> String) -> Manifest {
    let text = edit(
        r#"
        [dataset]
        name = "medical.visits"
        kind = "table"
        title_en = "Visits"
        title_zh = "就诊"
        id_space = "person"
        budget_domain = "resident"
        unit = ["person"]
        max_units = 100000
        max_rows_per_unit = 3
        source = "made up"
        licence = "public domain"
        classification = "test"

        [[columns]]
        name = "person"
        type = "int"
        meaning_en = "person"
        meaning_zh = "人"

        [[columns]]
        name = "phone"
        type = "text"
        meaning_en = "telephone"
        meaning_zh = "电话"
        identifier = true

        [[columns]]
        name = "ward"
        type = "text"
        meaning_en = "ward"
        meaning_zh = "科室"
        keys = { values = ["east", "west"], basis = "house rules" }

        [[columns]]
        name = "cost"
        type = "float"
        meaning_en = "cost"
        meaning_zh = "费用"
        bounds = { lower = 0, upper = 100, basis = "tariff" }
        "#,
    );
    Manifest::parse(&text).unwrap_or_else(|report| panic!("{report}"))
}

pub(crate) fn plain_visits() -> Manifest {
    visits(str::to_owned)
}

/// A catalog that goes away with its folder.
pub(crate) struct Place {
    pub(crate) dir: TempDir,
    pub(crate) catalog: Catalog,
}

impl Place {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let catalog = Catalog::create(&dir.path().join("catalog"), &dir.path().join("master.key")).unwrap();
        Self { dir, catalog }
    }

    /// A second, empty catalog under the same master key.
    pub(crate) fn sibling(&self, name: &str) -> Catalog {
        Catalog::create(&self.dir.path().join(name), &self.key()).unwrap()
    }

    pub(crate) fn key(&self) -> PathBuf {
        self.dir.path().join("master.key")
    }

    pub(crate) fn catalog_dir(&self) -> PathBuf {
        self.dir.path().join("catalog")
    }

    pub(crate) fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.dir.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    }

    pub(crate) fn add(&self, manifest: &Manifest, csv: &str) -> Result<Ingested, IngestError> {
        self.catalog.add(manifest, &self.file("data.csv", csv))
    }

    pub(crate) fn refused(&self, manifest: &Manifest, csv: &str) -> IngestReport {
        self.add(manifest, csv).unwrap_err().report().unwrap().clone()
    }
}

/// Visits as CSV.
pub(crate) fn csv(rows: impl IntoIterator<Item = (i64, f64)>) -> String {
    let lines = rows.into_iter().map(|(person, cost)| {
        let ward = ["east", "west"][usize::try_from(person).unwrap() % 2];
        format!("{person},555-{person},{ward},{cost}\n")
    });
    format!("person,phone,ward,cost\n{}", lines.collect::<String>())
}

pub(crate) fn session(dataset: &Dataset, partitions: usize, batch_rows: usize) -> SessionContext {
    let config = SessionConfig::new().with_target_partitions(partitions).with_batch_size(batch_rows);
    let context = SessionContext::new_with_config(dataset.capability().expose().install(config));
    context.register_table("data", dataset.provider()).unwrap();
    context
}

/// What a query over the session's tables gives.
pub(crate) async fn query(context: &SessionContext, sql: &str) -> Result<Vec<RecordBatch>, DataFusionError> {
    let plan = context.state().create_logical_plan(sql).await?;
    context.execute_logical_plan(plan).await?.collect().await
}

/// The stored rows, by partition.
pub(crate) async fn partitions(dataset: &Dataset, partitions: usize, batch_rows: usize) -> Vec<Vec<RecordBatch>> {
    let context = session(dataset, partitions, batch_rows);
    let plan = dataset.provider().scan(&context.state(), None, &[], None).await.unwrap();
    datafusion::physical_plan::collect_partitioned(plan, context.task_ctx()).await.unwrap()
}

/// All stored rows in stored order, as one batch.
pub(crate) async fn stored(dataset: &Dataset) -> RecordBatch {
    let batches: Vec<RecordBatch> = partitions(dataset, 1, 8192).await.into_iter().flatten().collect();
    concat_batches(&dataset.arrow_schema(), &batches).unwrap()
}

/// A batch as lines of text, the unit column included.
pub(crate) fn lines(batch: &RecordBatch) -> Vec<String> {
    let cell = |row: usize, column: &Arc<dyn Array>| {
        if column.is_null(row) { "∅".to_owned() } else { array_value_to_string(column, row).unwrap() }
    };
    (0..batch.num_rows())
        .map(|row| batch.columns().iter().map(|column| cell(row, column)).collect::<Vec<_>>().join(","))
        .collect()
}

/// The units of a batch.
pub(crate) fn units(batch: &RecordBatch) -> Vec<Vec<u8>> {
    let column = batch.column_by_name(UNIT_COLUMN).unwrap().as_fixed_size_binary();
    column.iter().map(|unit| unit.unwrap().to_vec()).collect()
}

/// Whether the bytes of any file below a folder contain the text.
pub(crate) fn found_in(dir: &Path, text: &str) -> bool {
    fs::read_dir(dir).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found_in(&path, text)
        } else {
            fs::read(&path).unwrap().windows(text.len()).any(|window| window == text.as_bytes())
        }
    })
}
