//! Statements, tickets, prepared statements and metadata calls.
//!
//! What is not written out here (updates, ingest, Substrait, transactions, savepoints, cancellation) falls to the
//! library's default, "not implemented", which the door turns into a refusal.

use std::pin::Pin;
use std::time::{SystemTime, UNIX_EPOCH};

use arrow::datatypes::{DataType, Field, Schema};
use arrow::ipc::writer::IpcWriteOptions;
use arrow_flight::flight_service_server::FlightService;
use arrow_flight::sql::server::{FlightSqlService, PeekableFlightDataStream};
use arrow_flight::sql::{
    ActionClosePreparedStatementRequest, ActionCreatePreparedStatementRequest, ActionCreatePreparedStatementResult,
    CommandGetCatalogs, CommandGetCrossReference, CommandGetDbSchemas, CommandGetExportedKeys, CommandGetImportedKeys,
    CommandGetPrimaryKeys, CommandGetSqlInfo, CommandGetTableTypes, CommandGetTables, CommandGetXdbcTypeInfo,
    CommandPreparedStatementQuery, CommandStatementQuery, DoPutPreparedStatementResult, ProstMessageExt, SqlInfo,
    TicketStatementQuery,
};
use arrow_flight::{Action, FlightData, FlightDescriptor, FlightEndpoint, FlightInfo, IpcMessage, SchemaAsIpc, Ticket};
use futures::Stream;
use glovebox_engine::{Engine, SqlAsk, Statement};
use glovebox_policy::{Caller, Reason, Refusal};
use glovebox_privacy::Scalar;
use prost::Message as _;
use tonic::{Request, Response, Status};

use super::browse::Browse;
use super::parameters;
use super::session::{Session, Sessions};
use crate::limits::{PREPARED_LIFE, TICKET_LIFE};
use crate::outbound::{AsBatch, flight_stream};
use crate::shelf::{Handle, Shelf};
use crate::status::status_of;
use crate::{columnar, purpose_of};

/// The request header that names the purpose, as contracts spell it.
const PURPOSE_HEADER: &str = "glovebox-purpose";

type Stream_ = Pin<Box<dyn Stream<Item = Result<FlightData, Status>> + Send>>;
type Answered<T> = Result<Response<T>, Status>;

/// A prepared statement: its text, what was bound last, and the analysis of both.
#[derive(Clone)]
struct Prepared {
    ask: SqlAsk,
    statement: Statement,
}

/// The Flight SQL service behind the door; every request that reaches it has a [`Caller`].
pub(crate) struct Sql {
    engine: Engine,
    tickets: Shelf<Statement>,
    prepared: Shelf<Prepared>,
    sessions: Sessions,
}

fn refuse(refusal: Refusal) -> Status {
    status_of(&refusal)
}

fn caller<T>(request: &Request<T>) -> Result<Caller, Status> {
    request.extensions().get::<Caller>().cloned().ok_or_else(|| refuse(Reason::Unauthenticated.into()))
}

/// The statement with what the session and, before it, the request's own headers say beside it.
fn ask<T>(request: &Request<T>, sql: String) -> Result<SqlAsk, Status> {
    let session = request.extensions().get::<Session>().map(Session::options).cloned().unwrap_or_default();
    let mut ask = session.ask(sql);
    if let Some(value) = request.metadata().get(PURPOSE_HEADER) {
        ask.purpose = Some(purpose_of(value.to_str().unwrap_or_default()).map_err(refuse)?);
    }
    Ok(ask)
}

fn internal(_: impl std::error::Error) -> Status {
    refuse(Reason::Internal.into())
}

/// What a client is told before it fetches: the declared schema, and never how much there is.
fn info(
    schema: &Schema,
    ticket: Vec<u8>,
    expires: Option<SystemTime>,
    descriptor: FlightDescriptor,
) -> Answered<FlightInfo> {
    let mut endpoint = FlightEndpoint::new().with_ticket(Ticket::new(ticket));
    if let Some(since_epoch) = expires.and_then(|at| at.duration_since(UNIX_EPOCH).ok()) {
        let time = endpoint.expiration_time.get_or_insert_default();
        time.seconds = i64::try_from(since_epoch.as_secs()).unwrap_or(i64::MAX);
    }
    let info = FlightInfo::new()
        .try_with_schema(schema)
        .map_err(internal)?
        .with_endpoint(endpoint)
        .with_descriptor(descriptor)
        .with_total_records(-1)
        .with_total_bytes(-1)
        .with_ordered(true);
    Ok(Response::new(info))
}

/// For metadata calls the ticket is the command itself: it is public, and asking twice costs nothing.
fn browse_info(
    command: &impl ProstMessageExt,
    body: &Browse,
    request: Request<FlightDescriptor>,
) -> Answered<FlightInfo> {
    info(&body.batch().schema(), command.as_any().encode_to_vec(), None, request.into_inner())
}

fn stream(body: &impl AsBatch) -> Answered<Stream_> {
    flight_stream(body).map(Response::new).map_err(refuse)
}

fn schema_bytes(schema: &Schema) -> Result<prost::bytes::Bytes, Status> {
    let options = IpcWriteOptions::default();
    let IpcMessage(bytes) = SchemaAsIpc::new(schema, &options)
        .try_into()
        .map_err(|_: arrow::error::ArrowError| refuse(Reason::Internal.into()))?;
    Ok(bytes)
}

/// Placeholders take any plain type; which one fits is known when a value is bound.
fn parameter_schema(count: usize) -> Schema {
    let fields = (1..=count).map(|number| Field::new(format!("${number}"), DataType::Null, true));
    Schema::new(fields.collect::<Vec<_>>())
}

impl Sql {
    /// The service on an engine.
    pub(crate) fn new(engine: Engine) -> Self {
        let (tickets, prepared) = (Shelf::new(TICKET_LIFE), Shelf::new(PREPARED_LIFE));
        Self { engine, tickets, prepared, sessions: Sessions::new() }
    }

    /// The sessions.
    pub(crate) fn sessions(&self) -> &Sessions {
        &self.sessions
    }

    /// Gives a ticket for a statement that is ready to run.
    fn ticket(&self, caller: &Caller, statement: Statement, descriptor: FlightDescriptor) -> Answered<FlightInfo> {
        if statement.digest().is_none() {
            return Err(refuse(Reason::ParameterMissing.into()));
        }
        let schema = columnar::schema_of(statement.schema());
        let Handle { name, expires } = self.tickets.put(&caller.person, statement).map_err(refuse)?;
        let ticket = TicketStatementQuery { statement_handle: name.to_vec().into() };
        info(&schema, ticket.as_any().encode_to_vec(), Some(expires), descriptor)
    }

    async fn prepare(&self, caller: &Caller, ask: SqlAsk) -> Result<Statement, Status> {
        self.engine.prepare(caller, ask).await.map_err(refuse)
    }

    async fn bind(&self, caller: &Caller, handle: &[u8], values: Vec<Scalar>) -> Result<(), Status> {
        let Prepared { mut ask, statement } = self.prepared.get(&caller.person, handle).map_err(refuse)?;
        if values.len() > statement.parameter_count() {
            return Err(refuse(Refusal::about(Reason::BadRequest, "more parameters than placeholders")));
        }
        ask.parameters = values;
        let statement = self.prepare(caller, ask.clone()).await?;
        let bound = Prepared { ask, statement };
        self.prepared.change(&caller.person, handle, |prepared| *prepared = bound).map_err(refuse)
    }
}

/// The two methods of one metadata call: the plan, and the answer.
macro_rules! browse {
    ($query:ident, $request:ident, $body:expr) => {{
        let body = $body.map_err(refuse)?;
        browse_info(&$query, &body, $request)
    }};
}

#[tonic::async_trait]
impl FlightSqlService for Sql {
    type FlightService = Self;

    async fn get_flight_info_statement(
        &self,
        query: CommandStatementQuery,
        request: Request<FlightDescriptor>,
    ) -> Answered<FlightInfo> {
        if query.transaction_id.is_some() {
            return Err(refuse(Refusal::about(Reason::StatementRefused, "transaction")));
        }
        let caller = caller(&request)?;
        let ask = ask(&request, query.query)?;
        let statement = self.prepare(&caller, ask).await?;
        self.ticket(&caller, statement, request.into_inner())
    }

    async fn do_get_statement(&self, ticket: TicketStatementQuery, request: Request<Ticket>) -> Answered<Stream_> {
        let caller = caller(&request)?;
        let statement = self.tickets.get(&caller.person, &ticket.statement_handle).map_err(refuse)?;
        let answer = self.engine.run(&caller, &statement).await.map_err(refuse)?;
        stream(&answer)
    }

    async fn do_action_create_prepared_statement(
        &self,
        query: ActionCreatePreparedStatementRequest,
        request: Request<Action>,
    ) -> Result<ActionCreatePreparedStatementResult, Status> {
        if query.transaction_id.is_some() {
            return Err(refuse(Refusal::about(Reason::StatementRefused, "transaction")));
        }
        let caller = caller(&request)?;
        let ask = ask(&request, query.query)?;
        let statement = self.prepare(&caller, ask.clone()).await?;
        let dataset_schema = schema_bytes(&columnar::schema_of(statement.schema()))?;
        let parameter_schema = schema_bytes(&parameter_schema(statement.parameter_count()))?;
        let handle = self.prepared.put(&caller.person, Prepared { ask, statement }).map_err(refuse)?;
        Ok(ActionCreatePreparedStatementResult {
            prepared_statement_handle: handle.name.to_vec().into(),
            dataset_schema,
            parameter_schema,
        })
    }

    async fn do_put_prepared_statement_query(
        &self,
        query: CommandPreparedStatementQuery,
        request: Request<PeekableFlightDataStream>,
    ) -> Result<DoPutPreparedStatementResult, Status> {
        let caller = caller(&request)?;
        let handle = query.prepared_statement_handle;
        let values = parameters::read(request.into_inner().into_peekable()).await.map_err(refuse)?;
        self.bind(&caller, &handle, values).await?;
        Ok(DoPutPreparedStatementResult { prepared_statement_handle: Some(handle) })
    }

    async fn get_flight_info_prepared_statement(
        &self,
        query: CommandPreparedStatementQuery,
        request: Request<FlightDescriptor>,
    ) -> Answered<FlightInfo> {
        let caller = caller(&request)?;
        let handle = query.prepared_statement_handle;
        let prepared = self.prepared.get(&caller.person, &handle).map_err(refuse)?;
        self.prepared.renew(&caller.person, &handle);
        self.ticket(&caller, prepared.statement, request.into_inner())
    }

    async fn do_action_close_prepared_statement(
        &self,
        query: ActionClosePreparedStatementRequest,
        request: Request<Action>,
    ) -> Result<(), Status> {
        self.prepared.remove(&caller(&request)?.person, &query.prepared_statement_handle);
        Ok(())
    }

    /// The calls about the session; nothing else is left to fall back to.
    async fn do_action_fallback(&self, request: Request<Action>) -> Answered<<Self as FlightService>::DoActionStream> {
        let caller = caller(&request)?;
        let session = request.extensions().get::<Session>().cloned().unwrap_or_default();
        self.sessions.act(&caller.person, &session, request.get_ref())
    }

    async fn get_flight_info_catalogs(
        &self,
        query: CommandGetCatalogs,
        request: Request<FlightDescriptor>,
    ) -> Answered<FlightInfo> {
        browse!(query, request, Browse::catalogs())
    }

    async fn do_get_catalogs(&self, _: CommandGetCatalogs, _: Request<Ticket>) -> Answered<Stream_> {
        stream(&Browse::catalogs().map_err(refuse)?)
    }

    async fn get_flight_info_schemas(
        &self,
        query: CommandGetDbSchemas,
        request: Request<FlightDescriptor>,
    ) -> Answered<FlightInfo> {
        browse!(query, request, Browse::schemas(query.clone(), &[]))
    }

    async fn do_get_schemas(&self, query: CommandGetDbSchemas, _: Request<Ticket>) -> Answered<Stream_> {
        stream(&Browse::schemas(query, &self.engine.datasets()).map_err(refuse)?)
    }

    async fn get_flight_info_tables(
        &self,
        query: CommandGetTables,
        request: Request<FlightDescriptor>,
    ) -> Answered<FlightInfo> {
        browse!(query, request, Browse::tables(query.clone(), &[]))
    }

    async fn do_get_tables(&self, query: CommandGetTables, _: Request<Ticket>) -> Answered<Stream_> {
        stream(&Browse::tables(query, &self.engine.datasets()).map_err(refuse)?)
    }

    async fn get_flight_info_table_types(
        &self,
        query: CommandGetTableTypes,
        request: Request<FlightDescriptor>,
    ) -> Answered<FlightInfo> {
        browse!(query, request, Browse::table_types())
    }

    async fn do_get_table_types(&self, _: CommandGetTableTypes, _: Request<Ticket>) -> Answered<Stream_> {
        stream(&Browse::table_types().map_err(refuse)?)
    }

    async fn get_flight_info_sql_info(
        &self,
        query: CommandGetSqlInfo,
        request: Request<FlightDescriptor>,
    ) -> Answered<FlightInfo> {
        browse!(query, request, Browse::abilities(query.clone()))
    }

    async fn do_get_sql_info(&self, query: CommandGetSqlInfo, _: Request<Ticket>) -> Answered<Stream_> {
        stream(&Browse::abilities(query).map_err(refuse)?)
    }

    async fn get_flight_info_xdbc_type_info(
        &self,
        query: CommandGetXdbcTypeInfo,
        request: Request<FlightDescriptor>,
    ) -> Answered<FlightInfo> {
        browse!(query, request, Browse::types(query))
    }

    async fn do_get_xdbc_type_info(&self, query: CommandGetXdbcTypeInfo, _: Request<Ticket>) -> Answered<Stream_> {
        stream(&Browse::types(query).map_err(refuse)?)
    }

    async fn get_flight_info_primary_keys(
        &self,
        query: CommandGetPrimaryKeys,
        request: Request<FlightDescriptor>,
    ) -> Answered<FlightInfo> {
        browse_info(&query, &Browse::no_primary_keys(), request)
    }

    async fn do_get_primary_keys(&self, _: CommandGetPrimaryKeys, _: Request<Ticket>) -> Answered<Stream_> {
        stream(&Browse::no_primary_keys())
    }

    async fn get_flight_info_exported_keys(
        &self,
        query: CommandGetExportedKeys,
        request: Request<FlightDescriptor>,
    ) -> Answered<FlightInfo> {
        browse_info(&query, &Browse::no_foreign_keys(), request)
    }

    async fn do_get_exported_keys(&self, _: CommandGetExportedKeys, _: Request<Ticket>) -> Answered<Stream_> {
        stream(&Browse::no_foreign_keys())
    }

    async fn get_flight_info_imported_keys(
        &self,
        query: CommandGetImportedKeys,
        request: Request<FlightDescriptor>,
    ) -> Answered<FlightInfo> {
        browse_info(&query, &Browse::no_foreign_keys(), request)
    }

    async fn do_get_imported_keys(&self, _: CommandGetImportedKeys, _: Request<Ticket>) -> Answered<Stream_> {
        stream(&Browse::no_foreign_keys())
    }

    async fn get_flight_info_cross_reference(
        &self,
        query: CommandGetCrossReference,
        request: Request<FlightDescriptor>,
    ) -> Answered<FlightInfo> {
        browse_info(&query, &Browse::no_foreign_keys(), request)
    }

    async fn do_get_cross_reference(&self, _: CommandGetCrossReference, _: Request<Ticket>) -> Answered<Stream_> {
        stream(&Browse::no_foreign_keys())
    }

    /// The abilities are constants; nothing is registered.
    async fn register_sql_info(&self, _: i32, _: &SqlInfo) {}
}
