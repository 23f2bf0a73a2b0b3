//! A small Flight SQL client, so that the command line needs neither tonic nor Arrow.

use std::time::Duration;

use arrow::array::{Array, ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow_flight::decode::FlightRecordBatchStream;
use arrow_flight::error::FlightError;
use arrow_flight::flight_service_client::FlightServiceClient;
use arrow_flight::sql::{CommandStatementQuery, ProstMessageExt as _};
use arrow_flight::{FlightDescriptor, Ticket};
use futures::{StreamExt as _, TryStreamExt as _};
use glovebox_privacy::Scalar;
use prost::Message as _;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint};
use tonic::{Request, Status};

use crate::status::CODE_METADATA;

const CONNECT_TIME: Duration = Duration::from_secs(10);

/// What a call through Flight ended in, other than an answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClientError {
    /// The server said no.
    #[error("{message}")]
    Refused {
        /// The stable code.
        code: String,
        /// The whole message, code first.
        message: String,
    },
    /// The server was not reached, or is not the one whose authority is trusted.
    #[error("the server cannot be reached: {0}")]
    Unreachable(String),
    /// The server answered something that is no table of plain values.
    #[error("the answer cannot be read")]
    Unreadable,
}

/// An answer as the client holds it.
#[derive(Debug, Clone, PartialEq)]
pub struct Fetched {
    /// Names of the columns, in order.
    pub columns: Vec<String>,
    /// Rows of plain values.
    pub rows: Vec<Vec<Scalar>>,
    /// What came beside the rows: cost and release, as JSON; `None` if nothing did.
    pub note: Option<serde_json::Value>,
}

/// A connection of one person to the Flight face.
#[derive(Debug, Clone)]
pub struct FlightClient {
    inner: FlightServiceClient<Channel>,
    authorization: MetadataValue<Ascii>,
}

impl FlightClient {
    /// Connects to `https://host:port`, trusting only the authority whose certificate is given in PEM.
    ///
    /// # Errors
    /// [`ClientError::Unreachable`].
    pub async fn connect(url: &str, ca_cert_pem: &[u8], token: &str) -> Result<Self, ClientError> {
        let unreachable = |error: &dyn std::error::Error| ClientError::Unreachable(chain(error));
        let tls = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(ca_cert_pem));
        let channel = Endpoint::from_shared(url.to_owned())
            .and_then(|endpoint| endpoint.tls_config(tls))
            .map_err(|error| unreachable(&error))?
            .connect_timeout(CONNECT_TIME)
            .connect()
            .await
            .map_err(|error| unreachable(&error))?;
        let mut authorization: MetadataValue<Ascii> = format!("Bearer {token}")
            .parse()
            .map_err(|_| ClientError::Unreachable("the token has characters that a header cannot carry".to_owned()))?;
        authorization.set_sensitive(true);
        Ok(Self { inner: FlightServiceClient::new(channel), authorization })
    }

    /// Asks one statement and reads the whole answer.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn execute(&mut self, sql: &str) -> Result<Fetched, ClientError> {
        let ticket = self.ticket(sql).await?;
        self.fetch(ticket).await
    }

    /// Plans one statement and returns its ticket; costs nothing.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn ticket(&mut self, sql: &str) -> Result<Vec<u8>, ClientError> {
        let command = CommandStatementQuery { query: sql.to_owned(), transaction_id: None };
        let descriptor = FlightDescriptor::new_cmd(command.as_any().encode_to_vec());
        let request = self.request(descriptor);
        let info = self.inner.get_flight_info(request).await.map_err(|status| refused(&status))?.into_inner();
        let endpoint = info.endpoint.into_iter().next().ok_or(ClientError::Unreadable)?;
        Ok(endpoint.ticket.ok_or(ClientError::Unreadable)?.ticket.to_vec())
    }

    /// Redeems a ticket; again gives the same answer.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn fetch(&mut self, ticket: Vec<u8>) -> Result<Fetched, ClientError> {
        let request = self.request(Ticket::new(ticket));
        let stream = self.inner.do_get(request).await.map_err(|status| refused(&status))?.into_inner();
        let mut note = None;
        let stream = stream.inspect_ok(|message| {
            if !message.app_metadata.is_empty() && note.is_none() {
                note = serde_json::from_slice(&message.app_metadata).ok();
            }
        });
        // The decoder wants a stream that owns itself, so the few messages are gathered first.
        let messages: Vec<_> = stream.collect().await;
        let messages = futures::stream::iter(messages).map_err(|status: Status| FlightError::Tonic(Box::new(status)));
        let mut batches = FlightRecordBatchStream::new_from_flight_data(messages);
        let mut rows = Vec::new();
        let mut columns = Vec::new();
        while let Some(batch) = batches.next().await {
            let batch = batch.map_err(unreadable)?;
            rows.extend(
                (0..batch.num_rows())
                    .map(|row| read_row(&batch, row))
                    .collect::<Option<Vec<_>>>()
                    .ok_or(ClientError::Unreadable)?,
            );
        }
        if let Some(schema) = batches.schema() {
            columns.extend(schema.fields().iter().map(|field| field.name().clone()));
        }
        Ok(Fetched { columns, rows, note })
    }

    fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        request.metadata_mut().insert("authorization", self.authorization.clone());
        request
    }
}

fn refused(status: &Status) -> ClientError {
    match status.metadata().get(CODE_METADATA).and_then(|code| code.to_str().ok()) {
        Some(code) => ClientError::Refused { code: code.to_owned(), message: status.message().to_owned() },
        None => ClientError::Unreachable(status.message().to_owned()),
    }
}

fn unreadable(error: FlightError) -> ClientError {
    match error {
        FlightError::Tonic(status) => refused(&status),
        _ => ClientError::Unreadable,
    }
}

/// An error and what caused it: "transport error" alone helps nobody.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(&format!(": {cause}"));
        next = cause.source();
    }
    text
}

fn read_row(batch: &RecordBatch, row: usize) -> Option<Vec<Scalar>> {
    batch.columns().iter().map(|array| read(array, row)).collect()
}

fn read(array: &ArrayRef, row: usize) -> Option<Scalar> {
    if array.is_null(row) {
        return Some(Scalar::Null);
    }
    let any = array.as_any();
    if let Some(array) = any.downcast_ref::<BooleanArray>() {
        Some(Scalar::Bool(array.value(row)))
    } else if let Some(array) = any.downcast_ref::<Int64Array>() {
        Some(Scalar::Int(array.value(row)))
    } else if let Some(array) = any.downcast_ref::<Float64Array>() {
        Some(Scalar::Float(array.value(row)))
    } else {
        any.downcast_ref::<StringArray>().map(|array| Scalar::Text(array.value(row).to_owned()))
    }
}
