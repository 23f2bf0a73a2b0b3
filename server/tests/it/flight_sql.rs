//! Tickets, prepared statements, and what the bytes of an answer hold.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use arrow_flight::error::FlightError;
use arrow_flight::sql::client::FlightSqlServiceClient;
use arrow_flight::sql::{
    ActionBeginTransactionRequest, CommandStatementIngest, CommandStatementSubstraitPlan, CommandStatementUpdate,
    ProstMessageExt, TicketStatementQuery,
};
use arrow_flight::{Action, FlightData, FlightDescriptor, Ticket};
use futures::TryStreamExt;
use prost::Message;

use crate::fixture::{self, QUERY};
use crate::world::{World, code};

fn bytes(messages: &[FlightData]) -> Vec<u8> {
    messages.iter().flat_map(Message::encode_to_vec).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn planning_tells_the_declared_schema_and_nothing_of_the_size() {
    let world = World::start().await;
    let info = world.raw(&world.tokens.analyst).await.info_of(QUERY).await.unwrap();
    assert_eq!((info.total_records, info.total_bytes, info.ordered), (-1, -1, true));
    assert_eq!(info.endpoint.len(), 1);
    assert!(info.endpoint[0].expiration_time.is_some());
    let schema = info.try_decode_schema().unwrap();
    assert_eq!(schema.fields().iter().map(|f| f.name().as_str()).collect::<Vec<_>>(), fixture::QUERY_COLUMNS);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_ticket_always_gives_the_same_bytes_and_only_to_its_owner() {
    let world = World::start().await;
    let mut raw = world.raw(&world.tokens.analyst).await;
    let ticket = raw.info_of(QUERY).await.unwrap().endpoint[0].ticket.clone().unwrap();
    let first = bytes(&raw.messages(ticket.clone()).await.unwrap());
    assert_eq!(bytes(&raw.messages(ticket.clone()).await.unwrap()), first);
    // Another ticket for the same question opens the same release.
    let again = raw.info_of(QUERY).await.unwrap().endpoint[0].ticket.clone().unwrap();
    assert_ne!(again, ticket);
    assert_eq!(bytes(&raw.messages(again).await.unwrap()), first);
    for other in [&world.tokens.analyst2, &world.tokens.officer] {
        let status = world.raw(other).await.messages(ticket.clone()).await.unwrap_err();
        assert_eq!(code(&status), "ticket-unknown");
    }
    let forged = TicketStatementQuery { statement_handle: vec![7; 32].into() };
    let status = raw.messages(Ticket::new(forged.as_any().encode_to_vec())).await.unwrap_err();
    assert_eq!(code(&status), "ticket-unknown");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_small_client_reads_rows_and_the_note_beside_them() {
    let world = World::start().await;
    let mut client = world.client(&world.tokens.analyst).await;
    let fetched = client.execute(QUERY).await.unwrap();
    assert_eq!(fetched.columns, fixture::QUERY_COLUMNS);
    assert_eq!(fetched.rows.len(), fixture::QUERY_ROWS);
    assert_eq!(client.execute(QUERY).await.unwrap(), fetched);
    let rest = world.ask_rest(QUERY, &world.tokens.analyst).await;
    assert_eq!(rest.status, 200, "{rest:?}");
    assert_eq!(rest.json()["rows"], serde_json::to_value(&fetched.rows).unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn no_byte_of_an_answer_is_a_canary_of_the_raw_data() {
    let world = World::start().await;
    let mut raw = world.raw(&world.tokens.analyst).await;
    let ticket = raw.info_of(QUERY).await.unwrap().endpoint[0].ticket.clone().unwrap();
    let mut sent = bytes(&raw.messages(ticket).await.unwrap());
    sent.extend(world.ask_rest(QUERY, &world.tokens.analyst).await.text.into_bytes());
    sent.extend(world.get("/datasets", &world.tokens.analyst).await.text.into_bytes());
    let canary = fixture::CANARY.as_bytes();
    assert!(!sent.windows(canary.len()).any(|window| window == canary));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preview_comes_over_flight_and_costs_nothing() {
    let world = World::start().await;
    let mut client = world.client(&world.tokens.analyst).await;
    let before = world.get("/budget", &world.tokens.analyst).await.text;
    let preview = client.execute(&format!("EXPLAIN PRIVACY {QUERY}")).await.unwrap();
    assert!(!preview.rows.is_empty());
    assert_eq!(world.get("/budget", &world.tokens.analyst).await.text, before);
}

async fn sql_client(world: &World, token: &str) -> FlightSqlServiceClient<tonic::transport::Channel> {
    let mut client = FlightSqlServiceClient::new(world.channel().await);
    client.set_token(token.to_owned());
    client
}

fn one_row(columns: Vec<ArrayRef>) -> RecordBatch {
    RecordBatch::try_from_iter(columns.into_iter().enumerate().map(|(i, c)| (format!("{i}"), c))).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prepared_statement_runs_with_bound_values_until_it_is_closed() {
    let world = World::start().await;
    let mut client = sql_client(&world, &world.tokens.analyst).await;
    let mut prepared = client.prepare(fixture::PARAMETER_QUERY.to_owned(), None).await.unwrap();
    assert_eq!(prepared.parameter_schema().unwrap().fields().len(), 1);
    prepared.set_parameters(one_row(vec![Arc::new(Int64Array::from(vec![1]))])).unwrap();
    let info = prepared.execute().await.unwrap();
    let ticket = info.endpoint[0].ticket.clone().unwrap();
    let batches: Vec<RecordBatch> = client.do_get(ticket).await.unwrap().try_collect().await.unwrap();
    assert_eq!(batches.iter().map(RecordBatch::num_rows).sum::<usize>(), fixture::QUERY_ROWS);
    prepared.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn placeholders_without_values_and_values_of_the_wrong_form_are_refused() {
    let world = World::start().await;
    let mut client = sql_client(&world, &world.tokens.analyst).await;
    let refused = |error: FlightError, code: &str| {
        let text = error.to_string();
        assert!(text.contains(code), "{text}");
    };
    let mut prepared = client.prepare(fixture::PARAMETER_QUERY.to_owned(), None).await.unwrap();
    refused(prepared.execute().await.unwrap_err(), "parameter-missing");
    let two: ArrayRef = Arc::new(Int64Array::from(vec![1, 2]));
    let long: ArrayRef = Arc::new(StringArray::from(vec!["x".repeat(60 << 10)]));
    let huge: ArrayRef = Arc::new(StringArray::from(vec!["x".repeat(1 << 20)]));
    for (column, code) in [(two, "bad-request"), (long, "-"), (huge, "bad-request")] {
        let mut prepared = client.prepare(fixture::PARAMETER_QUERY.to_owned(), None).await.unwrap();
        prepared.set_parameters(one_row(vec![column])).unwrap();
        refused(prepared.execute().await.unwrap_err(), code);
    }
    world.client(&world.tokens.analyst).await.execute(QUERY).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_can_be_written_and_nothing_else_is_offered() {
    let world = World::start().await;
    let mut raw = world.raw(&world.tokens.analyst).await;
    let substrait = CommandStatementSubstraitPlan::default();
    assert_eq!(code(&raw.info(&substrait).await.unwrap_err()), "statement-refused");
    let update = CommandStatementUpdate { query: "DELETE FROM x".to_owned(), transaction_id: None };
    for command in
        [update.as_any(), CommandStatementIngest::default().as_any(), CommandStatementSubstraitPlan::default().as_any()]
    {
        let message = FlightData::new().with_descriptor(FlightDescriptor::new_cmd(command.encode_to_vec()));
        let request = raw.request(futures::stream::iter([message]));
        let status = raw.inner.do_put(request).await.map(|_| ()).unwrap_err();
        assert_eq!(code(&status), "statement-refused", "{}", command.type_url);
    }
    let begin = ActionBeginTransactionRequest {}.as_any().encode_to_vec();
    for kind in ["BeginTransaction", "CancelQuery", "DropDataset"] {
        let request = raw.request(Action::new(kind, begin.clone()));
        let status = raw.inner.do_action(request).await.map(|_| ()).unwrap_err();
        assert!(["statement-refused", "bad-request"].contains(&code(&status).as_str()), "{kind}: {status:?}");
    }
}
