//! What ADBC and JDBC look through, from public metadata only.

use std::sync::Arc;

use arrow::array::{Array, BinaryArray, RecordBatch, StringArray};
use arrow::datatypes::Schema;
use arrow_flight::sql::{
    CommandGetCatalogs, CommandGetCrossReference, CommandGetDbSchemas, CommandGetExportedKeys, CommandGetImportedKeys,
    CommandGetPrimaryKeys, CommandGetSqlInfo, CommandGetTableTypes, CommandGetTables, CommandGetXdbcTypeInfo, SqlInfo,
};
use arrow_flight::{IpcMessage, SchemaAsIpc};

use crate::fixture::DATASET;
use crate::world::World;

fn texts(batches: &[RecordBatch], column: usize) -> Vec<String> {
    let arrays = batches.iter().map(|batch| Arc::clone(batch.column(column)));
    arrays
        .flat_map(|array| {
            let array = array.as_any().downcast_ref::<StringArray>().unwrap().clone();
            (0..array.len()).map(move |row| array.value(row).to_owned()).collect::<Vec<_>>()
        })
        .collect()
}

fn tables(schema: Option<&str>, table: Option<&str>) -> CommandGetTables {
    CommandGetTables {
        catalog: None,
        db_schema_filter_pattern: schema.map(str::to_owned),
        table_name_filter_pattern: table.map(str::to_owned),
        table_types: vec![],
        include_schema: false,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn catalogs_schemas_tables_and_types_are_listed_for_every_role() {
    let world = World::start().await;
    for token in [&world.tokens.analyst, &world.tokens.officer, &world.tokens.auditor] {
        let mut raw = world.raw(token).await;
        assert_eq!(texts(&raw.rows(&CommandGetCatalogs {}).await.unwrap(), 0), ["glovebox"]);
        assert_eq!(texts(&raw.rows(&CommandGetTableTypes {}).await.unwrap(), 0), ["TABLE"]);
        let schemas = CommandGetDbSchemas { catalog: None, db_schema_filter_pattern: Some("med%".to_owned()) };
        assert_eq!(texts(&raw.rows(&schemas).await.unwrap(), 1), ["medical"]);
        assert!(!raw.rows(&CommandGetXdbcTypeInfo { data_type: None }).await.unwrap().is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn patterns_narrow_the_list_of_tables() {
    let world = World::start().await;
    let mut raw = world.raw(&world.tokens.analyst).await;
    let (schema, table) = DATASET.split_once('.').unwrap();
    let with_gap = format!("{}_{}", &table[..1], &table[2..]);
    for (schema_pattern, table_pattern, found) in [
        (Some(schema), Some(table), true),
        (Some(schema), None, true),
        (Some("m%"), Some("%"), true),
        (None, Some(with_gap.as_str()), true),
        (None, Some("nothing%"), false),
        (Some("MEDICAL"), None, false),
        (Some(""), None, false),
    ] {
        let rows = raw.rows(&tables(schema_pattern, table_pattern)).await.unwrap();
        let names = texts(&rows, 2);
        assert_eq!(names.contains(&table.to_owned()), found, "{schema_pattern:?} {table_pattern:?}: {names:?}");
    }
    let mut views = tables(None, None);
    views.table_types = vec!["VIEW".to_owned()];
    assert!(texts(&raw.rows(&views).await.unwrap(), 2).is_empty());
    let mut elsewhere = tables(None, None);
    elsewhere.catalog = Some("datafusion".to_owned());
    assert!(texts(&raw.rows(&elsewhere).await.unwrap(), 2).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_comes_with_its_declared_schema_and_no_hidden_column() {
    let world = World::start().await;
    let mut raw = world.raw(&world.tokens.analyst).await;
    let mut command = tables(None, Some(DATASET.split_once('.').unwrap().1));
    command.include_schema = true;
    let rows = raw.rows(&command).await.unwrap();
    let bytes = rows[0].column(4).as_any().downcast_ref::<BinaryArray>().unwrap().value(0).to_vec();
    let schema = Schema::try_from(IpcMessage(bytes.into())).unwrap();
    assert!(schema.field_with_name("plan").is_ok(), "{schema}");
    assert!(schema.fields().iter().all(|field| !field.name().starts_with("__gb")), "{schema}");
    let _ = SchemaAsIpc::new(&schema, &arrow::ipc::writer::IpcWriteOptions::default());
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_empty_and_the_server_says_that_it_is_read_only() {
    let world = World::start().await;
    let mut raw = world.raw(&world.tokens.analyst).await;
    let (schema, table) = DATASET.split_once('.').unwrap();
    let (db_schema, table) = (Some(schema.to_owned()), table.to_owned());
    let count = |batches: Vec<RecordBatch>| batches.iter().map(RecordBatch::num_rows).sum::<usize>();
    let primary = CommandGetPrimaryKeys { catalog: None, db_schema: db_schema.clone(), table: table.clone() };
    let exported = CommandGetExportedKeys { catalog: None, db_schema: db_schema.clone(), table: table.clone() };
    let imported = CommandGetImportedKeys { catalog: None, db_schema, table: table.clone() };
    let cross =
        CommandGetCrossReference { pk_table: table.clone(), fk_table: table, ..CommandGetCrossReference::default() };
    assert_eq!(count(raw.rows(&primary).await.unwrap()), 0);
    assert_eq!(count(raw.rows(&exported).await.unwrap()), 0);
    assert_eq!(count(raw.rows(&imported).await.unwrap()), 0);
    assert_eq!(count(raw.rows(&cross).await.unwrap()), 0);
    let all = raw.rows(&CommandGetSqlInfo { info: vec![] }).await.unwrap();
    assert!(count(all) > 10);
    let read_only = CommandGetSqlInfo { info: vec![SqlInfo::FlightSqlServerReadOnly as u32, 99_999] };
    assert_eq!(count(raw.rows(&read_only).await.unwrap()), 1);
}
