//! The truth, from the public file: plain counts and means, for comparison only.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;

use anyhow::Context as _;
use arrow::array::AsArray as _;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, Int64Type};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

/// Rows and visits of each coinsurance rate.
pub(crate) struct Truth {
    groups: BTreeMap<i64, (u64, f64)>,
}

impl Truth {
    /// Reads the public file.
    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        let mut groups: BTreeMap<i64, (u64, f64)> = BTreeMap::new();
        for batch in ParquetRecordBatchReaderBuilder::try_new(File::open(path)?)?.build()? {
            let batch = batch?;
            let column = |name: &str, kind: &DataType| -> anyhow::Result<_> {
                Ok(cast(batch.column_by_name(name).with_context(|| format!("no column `{name}`"))?, kind)?)
            };
            let coins = column("coins", &DataType::Int64)?;
            let visits = column("mdvis", &DataType::Float64)?;
            for (coins, visits) in coins.as_primitive::<Int64Type>().iter().zip(visits.as_primitive::<Float64Type>()) {
                let group = groups.entry(coins.context("coins is NULL")?).or_default();
                group.0 += 1;
                group.1 += visits.unwrap_or(0.0);
            }
        }
        Ok(Self { groups })
    }

    /// Rows and mean visits of a group.
    pub(crate) fn of(&self, coins: Option<i64>) -> (u64, Option<f64>) {
        let (rows, visits) = coins.and_then(|coins| self.groups.get(&coins)).copied().unwrap_or_default();
        (rows, (rows > 0).then(|| visits / rows as f64))
    }
}
