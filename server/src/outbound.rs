//! What may leave, and how it is written.
//!
//! INVARIANT (a body is [`Outbound`]): the encoders of both faces, here for Flight and in `reply` for HTTP, take
//! nothing else. The trait is sealed, and implemented for releases, public tables and cards, what officers may read,
//! refusals, and pages made of these. Not for text, and not for Arrow batches:
//!
//! ```compile_fail,E0277
//! fn send(body: impl glovebox_server::Outbound) {}
//! send(String::from("a row"));
//! ```
//! ```compile_fail,E0277
//! fn send(body: impl glovebox_server::Outbound) {}
//! fn leak(rows: arrow::array::RecordBatch) { send(rows) }
//! ```
//! and nobody else can add to the list:
//! ```compile_fail,E0277
//! struct Rows(Vec<u8>);
//! impl glovebox_server::Outbound for Rows {}
//! ```
//! ```
//! fn send(body: impl glovebox_server::Outbound) {}
//! send(glovebox_policy::Refusal::new(glovebox_policy::Reason::NotFound));
//! ```

use std::pin::Pin;

use arrow::array::RecordBatch;
use arrow_flight::FlightData;
use arrow_flight::encode::FlightDataEncoderBuilder;
use arrow_flight::error::FlightError;
use futures::{Stream, StreamExt as _};
use glovebox_engine::{
    Answer, ApplicationCard, BillCard, BudgetCard, ContractCard, CostCard, DatasetCard, FreezeCard, OfficerFault,
    ReleasedAnswer,
};
use glovebox_ledger::Person;
use glovebox_policy::refusal::RefusalBody;
use glovebox_policy::{Public, Reason, Refusal};
use glovebox_privacy::{Released, Scalar, Table};
use serde::Serialize;
use serde_json::{Value, json};
use tonic::Status;

use crate::columnar;
use crate::flight::browse::Browse;
use crate::status::status_of;

pub(crate) mod jobs;
pub(crate) mod pages;
pub(crate) mod people;

mod sealed {
    /// Seals [`Outbound`](super::Outbound).
    pub trait Sealed {}
}

/// What may leave the server. Sealed.
pub trait Outbound: sealed::Sealed {}

macro_rules! outbound {
    ($($kind:ty),* $(,)?) => { $(impl sealed::Sealed for $kind {} impl Outbound for $kind {})* };
}

outbound!(
    Released<Table>,
    Public<Table>,
    Answer,
    Refusal,
    DatasetCard,
    ContractCard,
    BudgetCard,
    OfficerFault,
    PersonCard,
    FreezeCard,
    ApplicationCard,
    ContractDraft,
    BillCard,
    IssuedToken,
    Draft,
    Health,
    ApiDocument,
    Browse,
    people::TokenEntry,
    people::CertificateEntry,
    jobs::Me,
    jobs::JobCard,
    jobs::JobAnswer,
    jobs::Review,
    jobs::ModuleFile,
    jobs::ProofFile,
    jobs::LogPage,
    glovebox_engine::DecisionCard,
    jobs::Consistency,
    jobs::LogText,
    jobs::LogTile,
    pages::Application,
    pages::Applications,
    pages::Apply,
    pages::Budget,
    pages::Dataset,
    pages::Datasets,
    pages::Home,
    pages::Icon,
    pages::Job,
    pages::Jobs,
    pages::Log,
    pages::Problem,
    pages::SignIn,
    pages::Style,
);

impl<T: Outbound> sealed::Sealed for Listing<T> {}
impl<T: Outbound> Outbound for Listing<T> {}

/// What leaves over HTTP as JSON.
pub(crate) trait AsJson: Outbound {
    /// The JSON.
    fn json(&self) -> Value;
}

/// What leaves over HTTP as comma-separated values.
pub(crate) trait AsCsv: Outbound {
    /// The text, with a head line.
    fn csv(&self) -> String;
}

/// What leaves over HTTP byte for byte as it is stored, since digests and signatures are about it.
pub(crate) trait AsFile: Outbound {
    /// The content type, and the bytes.
    fn file(&self) -> (&'static str, &[u8]);
}

/// What leaves over HTTP as a page for people.
pub(crate) trait AsPage: Outbound {
    /// The HTML, with every value escaped.
    ///
    /// # Errors
    /// [`Reason::Internal`]; nothing leaves then.
    fn html(&self) -> Result<String, Refusal>;
}

/// What leaves over Flight.
pub(crate) trait AsBatch: Outbound {
    /// The rows, rebuilt.
    ///
    /// # Errors
    /// [`Reason::Internal`]; nothing leaves then.
    fn batch(&self) -> Result<RecordBatch, Refusal>;

    /// What goes beside the rows; the same for the same release, so that a ticket always gives the same bytes.
    fn note(&self) -> Option<Value> {
        None
    }
}

/// Items under one name.
pub(crate) struct Listing<T> {
    pub(crate) name: &'static str,
    pub(crate) items: Vec<T>,
}

/// A person with an account.
pub(crate) struct PersonCard(pub(crate) Person);

/// A token on its only way out.
#[derive(Serialize)]
pub(crate) struct IssuedToken {
    pub(crate) token: String,
}

/// A drafted manifest, in TOML.
#[derive(Serialize)]
pub(crate) struct Draft {
    pub(crate) manifest: String,
}

/// A contract's text, for an officer to edit and sign.
#[derive(Serialize)]
pub(crate) struct ContractDraft {
    pub(crate) contract: String,
}

/// The server is there.
pub(crate) struct Health;

/// The description of the REST face.
pub(crate) struct ApiDocument;

impl AsFile for ApiDocument {
    fn file(&self) -> (&'static str, &[u8]) {
        ("application/json", include_bytes!("../../docs/openapi.json"))
    }
}

/// Cards and the like are plain data; one that cannot be written leaves nothing.
fn plain(value: &impl Serialize) -> Value {
    serde_json::to_value(value).unwrap_or(Value::Null)
}

fn table(table: &Table) -> Value {
    json!({ "columns": table.columns, "rows": table.rows })
}

impl AsJson for Public<Table> {
    fn json(&self) -> Value {
        table(self.get())
    }
}

impl AsJson for Refusal {
    fn json(&self) -> Value {
        plain(&RefusalBody::from(self))
    }
}

impl AsJson for DatasetCard {
    fn json(&self) -> Value {
        plain(self)
    }
}

impl AsJson for ContractCard {
    fn json(&self) -> Value {
        plain(self)
    }
}

impl AsJson for BudgetCard {
    fn json(&self) -> Value {
        plain(self)
    }
}

impl AsJson for IssuedToken {
    fn json(&self) -> Value {
        plain(self)
    }
}

impl AsJson for Draft {
    fn json(&self) -> Value {
        plain(self)
    }
}

impl AsJson for Health {
    fn json(&self) -> Value {
        json!({ "status": "ok", "version": env!("CARGO_PKG_VERSION") })
    }
}

impl AsJson for BillCard {
    fn json(&self) -> Value {
        plain(self)
    }
}

impl AsJson for ApplicationCard {
    fn json(&self) -> Value {
        plain(self)
    }
}

impl AsJson for ContractDraft {
    fn json(&self) -> Value {
        plain(self)
    }
}

impl AsJson for FreezeCard {
    fn json(&self) -> Value {
        plain(self)
    }
}

impl AsJson for PersonCard {
    fn json(&self) -> Value {
        let Person { person, org, role, name } = &self.0;
        json!({ "person": person, "org": org, "role": role, "name": name })
    }
}

impl<T: AsJson> AsJson for Listing<T> {
    fn json(&self) -> Value {
        let items: Vec<_> = self.items.iter().map(AsJson::json).collect();
        Value::Object([(self.name.to_owned(), Value::Array(items))].into_iter().collect())
    }
}

impl AsCsv for Public<Table> {
    fn csv(&self) -> String {
        let table = self.get();
        let head = table.columns.iter().map(|column| quoted(&column.name));
        let lines = table.rows.iter().map(|row| row.iter().map(cell).collect::<Vec<_>>().join(","));
        let mut text = head.collect::<Vec<_>>().join(",");
        text.push('\n');
        for line in lines {
            text.push_str(&line);
            text.push('\n');
        }
        text
    }
}

fn cell(value: &Scalar) -> String {
    match value {
        Scalar::Null => String::new(),
        Scalar::Bool(value) => value.to_string(),
        Scalar::Int(value) => value.to_string(),
        Scalar::Float(value) => value.to_string(),
        Scalar::Text(value) => quoted(value),
    }
}

/// RFC 4180. An empty text is quoted, so that it differs from a missing value.
fn quoted(text: &str) -> String {
    if text.is_empty() || text.contains(['"', ',', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

impl AsBatch for Browse {
    fn batch(&self) -> Result<RecordBatch, Refusal> {
        Ok(Browse::batch(self).clone())
    }
}

/// Messages of one Flight answer.
pub(crate) type FlightStream = Pin<Box<dyn Stream<Item = Result<FlightData, Status>> + Send>>;

/// The one encoder of the Flight face.
pub(crate) fn flight_stream(body: &impl AsBatch) -> Result<FlightStream, Refusal> {
    let batch = body.batch()?;
    let mut encoder = FlightDataEncoderBuilder::new().with_schema(batch.schema());
    if let Some(note) = body.note() {
        encoder = encoder.with_metadata(note.to_string().into());
    }
    let batches = futures::stream::iter([Ok::<_, FlightError>(batch)]);
    let messages = encoder.build(batches).map(|message| message.map_err(|_| status_of(&Reason::Internal.into())));
    Ok(Box::pin(messages))
}

/// What goes with a release whoever asks and whenever: what it cost and which request it answers. When it was drawn and
/// where it stands in the log would tell a firm what others had asked before.
fn receipt(answer: &ReleasedAnswer) -> Value {
    let receipt = answer.release().receipt();
    json!({
        "cost": cost(answer),
        "release": {
            "request": receipt.request(),
        },
    })
}

/// What is charged, and the (ε, δ) statement that it comes from.
fn cost(answer: &ReleasedAnswer) -> Value {
    let CostCard { rho, delta } = answer.cost().into();
    json!({ "rho": rho, "delta": delta, "epsilon": answer.epsilon().to_display(), "at_delta": answer.delta() })
}

impl AsBatch for Answer {
    fn batch(&self) -> Result<RecordBatch, Refusal> {
        columnar::batch_of(self.table())
    }

    fn note(&self) -> Option<Value> {
        self.released().map(receipt)
    }
}

impl AsJson for Answer {
    fn json(&self) -> Value {
        let mut body = table(self.table());
        if let (Some(body), Some(answer)) = (body.as_object_mut(), self.released()) {
            if let Value::Object(receipt) = receipt(answer) {
                body.extend(receipt);
            }
            body.insert("remaining".to_owned(), plain(&CostCard::from(answer.remaining())));
        }
        body
    }
}

impl AsJson for OfficerFault {
    fn json(&self) -> Value {
        let mut body = self.refusal().json();
        if let Some(body) = body.as_object_mut() {
            body.insert("report".to_owned(), plain(&self.report));
        }
        body
    }
}
