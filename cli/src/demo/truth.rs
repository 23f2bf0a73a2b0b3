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

/// For each coinsurance rate: persons, and their longest runs of years with rising spending, added up.
pub(crate) struct Rises {
    groups: BTreeMap<i64, (u64, u64)>,
}

impl Rises {
    /// Reads the public file.
    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        let mut persons: BTreeMap<i64, (i64, BTreeMap<i64, f64>)> = BTreeMap::new();
        for batch in ParquetRecordBatchReaderBuilder::try_new(File::open(path)?)?.build()? {
            let batch = batch?;
            let whole = |name: &str| -> anyhow::Result<_> {
                Ok(cast(batch.column_by_name(name).with_context(|| format!("no column `{name}`"))?, &DataType::Int64)?)
            };
            let (person, year, coins) = (whole("person_id")?, whole("year")?, whole("coins")?);
            let spent = cast(batch.column_by_name("meddol").context("no column `meddol`")?, &DataType::Float64)?;
            let (person, year) = (person.as_primitive::<Int64Type>(), year.as_primitive::<Int64Type>());
            let (coins, spent) = (coins.as_primitive::<Int64Type>(), spent.as_primitive::<Float64Type>());
            for row in 0..batch.num_rows() {
                let years =
                    &mut persons.entry(person.value(row)).or_insert_with(|| (coins.value(row), BTreeMap::new())).1;
                years.insert(year.value(row), spent.value(row));
            }
        }
        let mut groups: BTreeMap<i64, (u64, u64)> = BTreeMap::new();
        for (coins, years) in persons.into_values() {
            let group = groups.entry(coins).or_default();
            group.0 += 1;
            group.1 += longest_rise(&years);
        }
        Ok(Self { groups })
    }

    /// Persons and mean longest run under a key of the job.
    pub(crate) fn of(&self, key: &str) -> (u64, Option<f64>) {
        let (persons, years) =
            key.parse().ok().and_then(|coins: i64| self.groups.get(&coins)).copied().unwrap_or_default();
        (persons, (persons > 0).then(|| years as f64 / persons as f64))
    }
}

/// The longest run of consecutive years each of which cost more than the year before.
fn longest_rise(years: &BTreeMap<i64, f64>) -> u64 {
    let (mut run, mut longest) = (0, 0);
    for (year, spent) in years {
        let rose = years.get(&(year - 1)).is_some_and(|before| spent > before);
        run = if rose { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    longest
}
