//! Unit partitions: every row of the wanted columns once, whole units, and closed when the declared size is broken.

use arrow::array::RecordBatch;
use futures::StreamExt as _;
use glovebox_catalog::{Dataset, Ingested, UNIT_COLUMN, UnitRunsError};
use glovebox_policy::ColumnName;
use glovebox_vault::Expose as _;

use crate::support::{Place, csv, plain_visits};

fn columns(names: &[&str]) -> Vec<ColumnName> {
    names.iter().map(|name| name.parse().unwrap()).collect()
}

fn some(place: &Place) -> Ingested {
    place.add(&plain_visits(), &csv((0..500).flat_map(|person| (0..3).map(move |n| (person, f64::from(n)))))).unwrap()
}

/// Rows and units that all partitions hold together.
async fn walk(dataset: &Dataset, partitions: usize, batch_rows: usize) -> Result<(usize, usize), UnitRunsError> {
    let streams = dataset.unit_partitions(&columns(&["cost"]), partitions, batch_rows).await?.expose();
    let (mut rows, mut units) = (0, 0);
    for mut stream in streams {
        while let Some(item) = stream.next().await {
            let (batch, runs): (RecordBatch, _) = item?;
            let names: Vec<_> = batch.schema().fields().iter().map(|field| field.name().clone()).collect();
            assert_eq!(names, ["cost", UNIT_COLUMN]);
            rows += batch.num_rows();
            units += runs.iter().filter(|run| !run.continues).count();
        }
    }
    Ok((rows, units))
}

#[tokio::test]
async fn all_rows_come_once_in_whole_units() {
    let place = Place::new();
    let added = some(&place);
    for partitions in [1, 2, 5] {
        for batch_rows in [1, 7, 8_192] {
            assert_eq!(walk(&added.dataset, partitions, batch_rows).await, Ok((1_500, 500)));
        }
    }
}

#[tokio::test]
async fn an_identifier_or_an_unknown_column_is_not_there() {
    let place = Place::new();
    let added = some(&place);
    for name in ["phone", "nothing"] {
        let opened = added.dataset.unit_partitions(&columns(&[name]), 1, 100).await;
        assert_eq!(opened.err(), Some(UnitRunsError::Unreadable), "{name}");
    }
}
