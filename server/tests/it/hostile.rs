//! Statements that break other servers: refused with a code on both faces, and nobody else notices.

use glovebox_server::ClientError;

use crate::fixture::{DATASET, QUERY};
use crate::world::{World, assert_clean, code};

/// Name, statement, and the codes that may come back.
fn statements() -> Vec<(&'static str, String, &'static [&'static str])> {
    let over = format!("FROM {DATASET}");
    let any_of_size: &[&str] = &["sql-too-long", "sql-too-many-tokens", "sql-too-many-operators"];
    let statement: &[&str] = &["statement-refused", "sql-syntax"];
    vec![
        ("2000 plus", format!("SELECT SUM(year{}) {over}", " + 1".repeat(2000)), any_of_size),
        ("6000 or", format!("SELECT COUNT(*) {over} WHERE year = 1{}", " OR year = 1".repeat(6000)), any_of_size),
        ("short or", format!("SELECT COUNT(*) {over} WHERE 1=1{}", " OR 1=1".repeat(200)), any_of_size),
        ("4000 parentheses", format!("SELECT {}1{} {over}", "(".repeat(4000), ")".repeat(4000)), any_of_size),
        ("300 parentheses", format!("SELECT {}1{} {over}", "(".repeat(300), ")".repeat(300)), any_of_size),
        ("300 NOT", format!("SELECT COUNT(*) {over} WHERE {} true", "NOT ".repeat(300)), any_of_size),
        ("5 MB literal", format!("SELECT COUNT(*) {over} WHERE plan = '{}'", "x".repeat(5 << 20)), &["sql-too-long"]),
        ("20 KB literal", format!("SELECT COUNT(*) {over} WHERE plan = '{}'", "x".repeat(20 << 10)), &["sql-too-long"]),
        (
            "read_parquet",
            "SELECT COUNT(*) FROM read_parquet('/etc/passwd')".to_owned(),
            &["clause-refused", "table-unknown", "function-refused", "sql-syntax"],
        ),
        ("file as table", "SELECT COUNT(*) FROM '/etc/passwd'".to_owned(), &["table-unknown", "clause-refused"]),
        ("external table", "CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '/etc/passwd'".to_owned(), statement),
        ("copy", format!("COPY {DATASET} TO '/tmp/out.parquet'"), statement),
        ("explain analyze", format!("EXPLAIN ANALYZE SELECT COUNT(*) {over}"), &["explain-refused"]),
        ("explain", format!("EXPLAIN VERBOSE SELECT COUNT(*) {over}"), &["explain-refused"]),
        (
            "information_schema",
            "SELECT COUNT(*) FROM information_schema.tables".to_owned(),
            &["table-unknown", "clause-refused"],
        ),
        ("set", "SET datafusion.execution.batch_size = 1".to_owned(), statement),
        ("show", "SHOW ALL".to_owned(), statement),
        ("drop", format!("DROP TABLE {DATASET}"), statement),
        ("insert", format!("INSERT INTO {DATASET} VALUES (1)"), statement),
        ("update", format!("UPDATE {DATASET} SET year = 1"), statement),
        ("delete", format!("DELETE {over}"), statement),
        ("two statements", format!("{QUERY}; {QUERY}"), statement),
        ("begin", "BEGIN".to_owned(), statement),
        ("prepare", format!("PREPARE p AS {QUERY}"), statement),
        ("rows", format!("SELECT * {over}"), &["not-aggregated", "clause-refused"]),
        (
            "identifier",
            format!("SELECT MAX(person_id) {over}"),
            &["aggregate-refused", "column-is-identifier", "column-unknown"],
        ),
        (
            "hidden column",
            format!("SELECT COUNT(__gb_unit) {over}"),
            &["column-unknown", "aggregate-refused", "sql-syntax"],
        ),
        (
            "generate_series",
            "SELECT COUNT(*) FROM generate_series(1, 1000000000)".to_owned(),
            &["clause-refused", "table-unknown", "function-refused", "sql-syntax"],
        ),
        (
            "recursion",
            "WITH RECURSIVE t AS (SELECT 1 UNION ALL SELECT * FROM t) SELECT COUNT(*) FROM t".to_owned(),
            &["clause-refused", "table-unknown", "statement-refused"],
        ),
        ("nothing", String::new(), statement),
        ("zero byte", "SELECT \0".to_owned(), &["sql-syntax", "statement-refused", "not-aggregated", "clause-refused"]),
        ("half a quote", format!("SELECT 'abc {over}"), &["sql-syntax"]),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_statements_are_refused_on_both_faces_and_harm_nobody() {
    let world = World::start().await;
    let mut bystander = world.client(&world.tokens.analyst2).await;
    let calm = bystander.execute(QUERY).await.unwrap();
    let mut raw = world.raw(&world.tokens.analyst).await;
    for (name, sql, codes) in statements() {
        let status = raw.info_of(&sql).await.unwrap_err();
        let over_flight = code(&status);
        assert!(codes.contains(&over_flight.as_str()), "{name} over Flight: {:.300}", status.message());
        assert!(status.message().len() < 1000, "{name}: a refusal as long as the question");

        let got = world.ask_rest(&sql, &world.tokens.analyst).await;
        assert!(codes.contains(&got.code().as_str()), "{name} over REST: {:.300}", got.text);
        assert!((400..500).contains(&got.status), "{name}: {}", got.status);
        assert_clean(&got.text);
        assert_eq!(bystander.execute(QUERY).await.unwrap().rows, calm.rows, "after {name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_hostile_statements_at_once_leave_the_server_alive() {
    let world = World::start().await;
    let mut tasks = tokio::task::JoinSet::new();
    for (_, sql, _) in statements() {
        let mut client = world.client(&world.tokens.analyst).await;
        tasks.spawn(async move { client.execute(&sql).await });
    }
    while let Some(result) = tasks.join_next().await {
        assert!(matches!(result.unwrap(), Err(ClientError::Refused { .. })));
    }
    assert_eq!(world.get("/health", "").await.status, 200);
    world.client(&world.tokens.analyst2).await.execute(QUERY).await.unwrap();
}
