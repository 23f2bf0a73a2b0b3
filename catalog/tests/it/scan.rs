//! The guarded table: refused without the capability, complete and sorted with it.

use std::sync::Arc;

use arrow::compute::concat_batches;
use arrow::record_batch::RecordBatch;
use datafusion::prelude::{SessionConfig, SessionContext};
use glovebox_catalog::ingest::ROW_GROUP_ROWS;
use glovebox_catalog::provider::SCAN_REFUSED;
use glovebox_catalog::{Ingested, UNIT_COLUMN, UnitRuns};
use glovebox_vault::Expose;

use crate::support::{Place, csv, partitions, plain_visits, query, session, stored, units, visits};

/// Enough rows for three row groups.
fn large(place: &Place) -> Ingested {
    let persons = (2 * ROW_GROUP_ROWS / 3 + 500) as i64;
    place.add(&plain_visits(), &csv((0..persons).flat_map(|person| (0..3).map(move |n| (person, n as f64))))).unwrap()
}

#[tokio::test]
async fn without_the_capability_nothing_is_scanned() {
    let place = Place::new();
    let added = place.add(&plain_visits(), &csv([(1, 1.0)])).unwrap();
    let other = visits(|text| text.replace("medical.visits", "medical.other"));
    let other = place.add(&other, &csv([(2, 2.0)])).unwrap();
    let plain = SessionConfig::new();
    let wrong = other.dataset.capability().expose().install(SessionConfig::new());
    for config in [plain, wrong] {
        let context = SessionContext::new_with_config(config);
        context.register_table("data", added.dataset.provider()).unwrap();
        for sql in ["SELECT * FROM data", "SELECT count(*) FROM data", "SELECT max(cost) FROM data WHERE ward = 'east'"]
        {
            let error = query(&context, sql).await.unwrap_err().to_string();
            assert!(error.contains(SCAN_REFUSED), "{error}");
        }
    }
}

#[tokio::test]
async fn a_plan_cannot_be_carried_into_another_session() {
    let place = Place::new();
    let added = place.add(&plain_visits(), &csv([(1, 1.0)])).unwrap();
    let able = session(&added.dataset, 1, 100);
    let plan = added.dataset.provider().scan(&able.state(), None, &[], None).await.unwrap();
    let unable = SessionContext::new();
    let error = datafusion::physical_plan::collect(plan, unable.task_ctx()).await.unwrap_err();
    assert!(error.to_string().contains(SCAN_REFUSED));
}

#[tokio::test]
async fn capabilities_of_several_datasets_add_up() {
    let place = Place::new();
    let one = place.add(&plain_visits(), &csv([(1, 1.0)])).unwrap();
    let other = visits(|text| text.replace("medical.visits", "medical.other"));
    let two = place.add(&other, &csv([(2, 2.0)])).unwrap();
    let config = one.dataset.capability().expose().install(SessionConfig::new());
    let context = SessionContext::new_with_config(two.dataset.capability().expose().install(config));
    context.register_table("one", one.dataset.provider()).unwrap();
    context.register_table("two", two.dataset.provider()).unwrap();
    let batches = query(&context, "SELECT one.cost, two.cost FROM one CROSS JOIN two").await.unwrap();
    assert_eq!(batches.iter().map(RecordBatch::num_rows).sum::<usize>(), 1);
}

#[tokio::test]
async fn all_rows_come_once_at_any_partition_count_and_batch_size() {
    let place = Place::new();
    let added = large(&place);
    let whole = stored(&added.dataset).await;
    assert_eq!(whole.num_rows() as u64, added.report.rows_stored);
    for (wanted, expected) in [(1, 1), (2, 2), (3, 3), (4, 3)] {
        for batch_rows in [997, 8192, 100_000] {
            let parts = partitions(&added.dataset, wanted, batch_rows).await;
            assert_eq!(parts.len(), expected);
            let mut spans = Vec::new();
            for part in &parts {
                let mut walk = UnitRuns::new(&added.dataset.arrow_schema()).unwrap();
                part.iter().for_each(|batch| assert!(!walk.runs(batch).unwrap().is_empty()));
                spans.extend(walk.span());
            }
            UnitRuns::check_disjoint(spans).unwrap();
            let batches: Vec<_> = parts.into_iter().flatten().collect();
            assert!(batches.iter().all(|batch| batch.num_rows() <= batch_rows));
            assert_eq!(concat_batches(&added.dataset.arrow_schema(), &batches).unwrap(), whole);
        }
    }
}

#[tokio::test]
async fn sql_over_the_table_sees_what_was_stored() {
    let place = Place::new();
    let added = large(&place);
    let context = session(&added.dataset, 4, 8192);
    let one = async |sql: &str| {
        let batches = query(&context, sql).await.unwrap();
        arrow::util::display::array_value_to_string(batches[0].column(0), 0).unwrap()
    };
    let rows = added.report.rows_stored;
    assert_eq!(one("SELECT count(*) FROM data").await, rows.to_string());
    assert_eq!(one(&format!("SELECT count(DISTINCT {UNIT_COLUMN}) FROM data")).await, added.report.units.to_string());
    assert_eq!(one("SELECT sum(cost) FROM data").await, format!("{rows}.0"));
    assert_eq!(one("SELECT count(*) FROM data WHERE cost = 2").await, added.report.units.to_string());
    assert_eq!(one("SELECT count(*) FROM (SELECT cost, person FROM data LIMIT 10)").await, "10");
}

#[tokio::test]
async fn projections_are_read_in_the_order_asked_for() {
    let place = Place::new();
    let added = place.add(&plain_visits(), &csv([(1, 1.0), (1, 7.0), (2, 3.0)])).unwrap();
    let context = session(&added.dataset, 1, 100);
    let whole = stored(&added.dataset).await;
    for columns in [vec![3, 0], vec![2, 1, 0], vec![2, 2], vec![]] {
        let plan = added.dataset.provider().scan(&context.state(), Some(&columns), &[], None).await.unwrap();
        let batches = datafusion::physical_plan::collect(Arc::clone(&plan), context.task_ctx()).await.unwrap();
        assert_eq!(concat_batches(&plan.schema(), &batches).unwrap(), whole.project(&columns).unwrap());
        assert_eq!(batches.iter().map(RecordBatch::num_rows).sum::<usize>(), 3);
        let sorted = plan.properties().output_ordering().is_some();
        assert_eq!(sorted, columns.contains(&3), "only an ordering by the unit is declared");
    }
}

#[tokio::test]
async fn the_table_tells_nothing_in_advance() {
    let place = Place::new();
    let added = place.add(&plain_visits(), &csv([(1, 1.0)])).unwrap();
    let provider = added.dataset.provider();
    assert!(provider.statistics().is_none());
    let filter = datafusion::prelude::col("cost").gt(datafusion::prelude::lit(1));
    let pushed = provider.supports_filters_pushdown(&[&filter]).unwrap();
    assert_eq!(pushed, [datafusion::logical_expr::TableProviderFilterPushDown::Unsupported]);
    let context = session(&added.dataset, 2, 100);
    let plan = added.dataset.provider().scan(&context.state(), None, &[], None).await.unwrap();
    assert!(plan.metrics().is_none());
    let shown = datafusion::physical_plan::displayable(plan.as_ref()).indent(true).to_string();
    assert_eq!(shown.trim(), "UnitScanExec: columns=[person, ward, cost, __gb_unit]");
}

#[tokio::test]
async fn an_empty_dataset_scans_as_one_empty_partition() {
    let place = Place::new();
    let added = place.add(&plain_visits(), "person,phone,ward,cost\n").unwrap();
    let parts = partitions(&added.dataset, 4, 100).await;
    assert_eq!(parts.len(), 1);
    assert_eq!(parts[0].iter().map(|batch| units(batch).len()).sum::<usize>(), 0);
}

#[tokio::test]
async fn rows_that_vanish_from_disk_fail_with_a_constant_text() {
    let place = Place::new();
    let added = place.add(&plain_visits(), &csv([(1, 1.0)])).unwrap();
    std::fs::remove_file(place.catalog_dir().join("medical.visits/data.parquet")).unwrap();
    let context = session(&added.dataset, 1, 100);
    let error = query(&context, "SELECT cost FROM data").await.unwrap_err();
    assert_eq!(error.to_string(), "Execution error: the stored rows cannot be read");
}

#[tokio::test]
async fn a_dropped_stream_ends_its_reader() {
    let place = Place::new();
    let added = large(&place);
    let context = session(&added.dataset, 1, 100);
    for _ in 0..20 {
        let plan = added.dataset.provider().scan(&context.state(), None, &[], None).await.unwrap();
        let mut stream = plan.execute(0, context.task_ctx()).unwrap();
        let first = futures::StreamExt::next(&mut stream).await.unwrap().unwrap();
        assert_eq!(first.num_rows(), 100);
    }
}
