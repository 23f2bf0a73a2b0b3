//! Flight SQL, as bytes: statements, prepared statements, what a client looks through, and calls that are not offered.

use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use arrow::array::{Array, ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow_flight::decode::FlightRecordBatchStream;
use arrow_flight::encode::FlightDataEncoderBuilder;
use arrow_flight::error::FlightError;
use arrow_flight::flight_service_client::FlightServiceClient;
use arrow_flight::sql::{
    ActionCreatePreparedStatementRequest, ActionCreatePreparedStatementResult, Any, CommandGetCatalogs,
    CommandGetCrossReference, CommandGetDbSchemas, CommandGetExportedKeys, CommandGetImportedKeys,
    CommandGetPrimaryKeys, CommandGetSqlInfo, CommandGetTableTypes, CommandGetTables, CommandGetXdbcTypeInfo,
    CommandPreparedStatementQuery, CommandStatementQuery, ProstMessageExt,
};
use arrow_flight::{Action, Criteria, Empty, FlightData, FlightDescriptor, HandshakeRequest, Ticket};
use futures::{StreamExt as _, TryStreamExt as _};
use glovebox_server::CODE_METADATA;
use prost::Message as _;
use serde_json::{Value, json};
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint};
use tonic::{Request, Status};

use crate::bureau::Bureau;
use crate::rest::ANSWER_LIMIT;

/// The Flight face of one bureau, for one person.
#[derive(Clone)]
pub struct Wire {
    inner: FlightServiceClient<Channel>,
    token: String,
}

/// What came back of a statement.
#[derive(Debug, Clone, PartialEq)]
pub enum Said {
    /// A refusal: its code, and everything that a client can see of it.
    Refused {
        /// The stable code; empty if there was none.
        code: String,
        /// Status, message and metadata.
        seen: Vec<u8>,
    },
    /// A table.
    Table {
        /// Names and types of the columns.
        schema: String,
        /// The rows.
        rows: Vec<Value>,
        /// All messages as they came.
        bytes: Vec<u8>,
    },
}

impl Wire {
    /// Connects.
    ///
    /// # Errors
    /// If the server is not there.
    pub async fn connect(bureau: &Bureau, token: &str) -> Result<Self> {
        let tls = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(&bureau.ca));
        let endpoint = Endpoint::from_shared(bureau.flight_url.clone())?.tls_config(tls)?.timeout(ANSWER_LIMIT);
        let channel = endpoint.connect().await.context("Flight cannot be reached")?;
        Ok(Self { inner: FlightServiceClient::new(channel), token: token.to_owned() })
    }

    fn request<T>(&self, message: T) -> Result<Request<T>> {
        let mut request = Request::new(message);
        request.metadata_mut().insert("authorization", format!("Bearer {}", self.token).parse()?);
        Ok(request)
    }

    /// Asks a statement; with values, as a prepared statement.
    ///
    /// # Errors
    /// If nothing that can be read comes back.
    pub async fn ask(&self, sql: &str, bind: Option<&[Value]>) -> Result<Said> {
        let asked = match bind {
            None => self.table(&CommandStatementQuery { query: sql.to_owned(), transaction_id: None }).await,
            Some(values) => self.prepared(sql, values).await,
        };
        match asked {
            Ok(said) => Ok(said),
            Err(Fault::Status(status)) => Ok(refused(&status)),
            Err(Fault::Other(error)) => Err(error),
        }
    }

    async fn table(&self, command: &impl ProstMessageExt) -> Result<Said, Fault> {
        let descriptor = FlightDescriptor::new_cmd(command.as_any().encode_to_vec());
        let info = self.inner.clone().get_flight_info(self.request(descriptor)?).await?.into_inner();
        if (info.total_records, info.total_bytes) != (-1, -1) {
            return Err(Fault::Other(anyhow::anyhow!("the plan tells how much there is: {info:?}")));
        }
        let ticket = info.endpoint.first().and_then(|endpoint| endpoint.ticket.clone()).context("no ticket")?;
        let messages = self.messages(ticket).await?;
        let schema = info.try_decode_schema().context("no schema")?;
        let columns: Vec<String> = schema.fields().iter().map(|f| format!("{} {}", f.name(), f.data_type())).collect();
        let bytes = messages.iter().flat_map(FlightData::encode_to_vec).collect();
        Ok(Said::Table { schema: columns.join(", "), rows: rows(messages).await?, bytes })
    }

    async fn messages(&self, ticket: Ticket) -> Result<Vec<FlightData>, Fault> {
        Ok(self.inner.clone().do_get(self.request(ticket)?).await?.into_inner().try_collect().await?)
    }

    async fn prepared(&self, sql: &str, values: &[Value]) -> Result<Said, Fault> {
        let create = ActionCreatePreparedStatementRequest { query: sql.to_owned(), transaction_id: None };
        let action = Action::new("CreatePreparedStatement", create.as_any().encode_to_vec());
        let mut made = self.inner.clone().do_action(self.request(action)?).await?.into_inner();
        let made = made.message().await?.context("no prepared statement")?;
        let made = Any::decode(made.body).context("not a message")?;
        let made: ActionCreatePreparedStatementResult = made.unpack().context("unpack")?.context("another message")?;
        let command = CommandPreparedStatementQuery { prepared_statement_handle: made.prepared_statement_handle };
        if !values.is_empty() {
            self.bind(&command, values).await?;
        }
        self.table(&command).await
    }

    async fn bind(&self, command: &CommandPreparedStatementQuery, values: &[Value]) -> Result<(), Fault> {
        let columns: Vec<(String, ArrayRef)> =
            values.iter().enumerate().map(|(i, v)| (i.to_string(), array(v))).collect();
        let batch = RecordBatch::try_from_iter(columns).context("no batch of values")?;
        let descriptor = FlightDescriptor::new_cmd(command.as_any().encode_to_vec());
        let stream = FlightDataEncoderBuilder::new()
            .with_flight_descriptor(Some(descriptor))
            .build(futures::stream::iter([Ok(batch)]));
        let messages: Vec<FlightData> = stream.try_collect().await.context("values cannot be written")?;
        let answer = self.inner.clone().do_put(self.request(futures::stream::iter(messages))?).await?;
        answer.into_inner().try_collect::<Vec<_>>().await?;
        Ok(())
    }

    /// What a client looks through before it asks, and calls that are not offered: name, and all bytes that came back.
    ///
    /// # Errors
    /// If the server does not answer.
    pub async fn look_through(&self) -> Result<Vec<(String, Vec<u8>)>> {
        let mut found = Vec::new();
        for (name, command) in commands() {
            let descriptor = FlightDescriptor::new_cmd(command.encode_to_vec());
            let schema = self.inner.clone().get_schema(self.request(descriptor.clone())?).await;
            found.push((format!("GetSchema {name}"), seen(schema.map(|schema| schema.into_inner().encode_to_vec()))));
            let info = self.inner.clone().get_flight_info(self.request(descriptor)?).await;
            found.push((format!("GetFlightInfo {name}"), seen(info.map(|info| info.into_inner().encode_to_vec()))));
            let got = self.messages(Ticket::new(command.encode_to_vec())).await;
            let got = got.map(|messages| messages.iter().flat_map(FlightData::encode_to_vec).collect());
            found.push((format!("DoGet {name}"), got.unwrap_or_else(|fault| fault.seen())));
        }
        let empty = Vec::new;
        for kind in ["CreatePreparedStatement", "BeginTransaction", "SetSessionOptions", "GetSessionOptions", "Dump"] {
            let answer = self.inner.clone().do_action(self.request(Action::new(kind, empty()))?).await;
            let bytes = match answer {
                Ok(stream) => {
                    seen(stream.into_inner().try_collect::<Vec<_>>().await.map(|all| format!("{all:?}").into_bytes()))
                }
                Err(status) => seen(Err(status)),
            };
            found.push((format!("DoAction {kind}"), bytes));
        }
        let actions = self.inner.clone().list_actions(self.request(Empty {})?).await;
        found.push(("ListActions".to_owned(), collected(actions.map(tonic::Response::into_inner)).await));
        let flights = self.inner.clone().list_flights(self.request(Criteria::default())?).await;
        found.push(("ListFlights".to_owned(), collected(flights.map(tonic::Response::into_inner)).await));
        let hello = self.request(futures::stream::iter([HandshakeRequest::default()]))?;
        let hello = self.inner.clone().handshake(hello).await;
        found.push(("Handshake".to_owned(), collected(hello.map(tonic::Response::into_inner)).await));
        let poll = self.inner.clone().poll_flight_info(self.request(FlightDescriptor::new_cmd(empty()))?).await;
        found.push(("PollFlightInfo".to_owned(), seen(poll.map(|info| info.into_inner().encode_to_vec()))));
        Ok(found)
    }
}

/// Every command of the metadata calls; tables with their schemas.
fn commands() -> Vec<(&'static str, Any)> {
    let tables = CommandGetTables { include_schema: true, ..CommandGetTables::default() };
    vec![
        ("CommandGetCatalogs", CommandGetCatalogs {}.as_any()),
        ("CommandGetDbSchemas", CommandGetDbSchemas::default().as_any()),
        ("CommandGetTables", tables.as_any()),
        ("CommandGetTableTypes", CommandGetTableTypes {}.as_any()),
        ("CommandGetSqlInfo", CommandGetSqlInfo { info: Vec::new() }.as_any()),
        ("CommandGetXdbcTypeInfo", CommandGetXdbcTypeInfo { data_type: None }.as_any()),
        ("CommandGetPrimaryKeys", CommandGetPrimaryKeys::default().as_any()),
        ("CommandGetExportedKeys", CommandGetExportedKeys::default().as_any()),
        ("CommandGetImportedKeys", CommandGetImportedKeys::default().as_any()),
        ("CommandGetCrossReference", CommandGetCrossReference::default().as_any()),
    ]
}

async fn collected<T: prost::Message + Default>(stream: Result<tonic::Streaming<T>, Status>) -> Vec<u8> {
    match stream {
        Ok(stream) => {
            let all: Result<Vec<T>, Status> = stream.try_collect().await;
            seen(all.map(|all| all.iter().flat_map(T::encode_to_vec).collect()))
        }
        Err(status) => seen(Err(status)),
    }
}

/// The bytes of an answer, or all that a client can see of a refusal.
fn seen(answer: Result<Vec<u8>, Status>) -> Vec<u8> {
    answer.unwrap_or_else(|status| status_bytes(&status))
}

fn status_bytes(status: &Status) -> Vec<u8> {
    let mut metadata: Vec<String> = status.metadata().iter().map(|entry| format!("{entry:?}")).collect();
    // Not of the refusal: when it was said.
    metadata.retain(|entry| !entry.contains("\"date\""));
    metadata.sort();
    let head = format!("{:?}: {}\n{}\n", status.code(), status.message(), metadata.join("\n"));
    [head.as_bytes(), status.details()].concat()
}

fn refused(status: &Status) -> Said {
    let code = status.metadata().get(CODE_METADATA).and_then(|code| code.to_str().ok());
    Said::Refused { code: code.unwrap_or_default().to_owned(), seen: status_bytes(status) }
}

/// A refusal, or a fault that is none.
enum Fault {
    Status(Box<Status>),
    Other(anyhow::Error),
}

impl Fault {
    fn seen(self) -> Vec<u8> {
        match self {
            Self::Status(status) => status_bytes(&status),
            Self::Other(error) => format!("{error:#}").into_bytes(),
        }
    }
}

impl From<Status> for Fault {
    fn from(status: Status) -> Self {
        Self::Status(Box::new(status))
    }
}

impl From<anyhow::Error> for Fault {
    fn from(error: anyhow::Error) -> Self {
        Self::Other(error)
    }
}

fn array(value: &Value) -> ArrayRef {
    match value {
        Value::Number(number) if number.is_i64() => Arc::new(Int64Array::from(vec![number.as_i64()])),
        Value::Number(number) => Arc::new(Float64Array::from(vec![number.as_f64()])),
        Value::Bool(truth) => Arc::new(BooleanArray::from(vec![*truth])),
        other => Arc::new(StringArray::from(vec![other.as_str()])),
    }
}

async fn rows(messages: Vec<FlightData>) -> Result<Vec<Value>> {
    let messages = futures::stream::iter(messages).map(Ok::<_, FlightError>);
    let batches: Vec<RecordBatch> = FlightRecordBatchStream::new_from_flight_data(messages).try_collect().await?;
    let mut rows = Vec::new();
    for batch in &batches {
        for row in 0..batch.num_rows() {
            let cells: Result<Vec<Value>> = batch.columns().iter().map(|column| cell(column, row)).collect();
            rows.push(Value::Array(cells?));
        }
    }
    Ok(rows)
}

fn cell(array: &ArrayRef, row: usize) -> Result<Value> {
    let any = array.as_any();
    if array.is_null(row) {
        Ok(Value::Null)
    } else if let Some(array) = any.downcast_ref::<Int64Array>() {
        Ok(json!(array.value(row)))
    } else if let Some(array) = any.downcast_ref::<Float64Array>() {
        Ok(json!(array.value(row)))
    } else if let Some(array) = any.downcast_ref::<StringArray>() {
        Ok(json!(array.value(row)))
    } else if let Some(array) = any.downcast_ref::<BooleanArray>() {
        Ok(json!(array.value(row)))
    } else {
        bail!("a column of another type: {}", array.data_type())
    }
}
