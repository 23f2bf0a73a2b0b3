//! The one door of the Flight face: who asks is settled here before anything of a request is looked at.
//!
//! INVARIANT (authenticate first): every method of the protocol is written out below, and the first thing each does is
//! [`Door::admit`]. INVARIANT (our words only): every error passes [`coded`], so no text of the Flight library, of
//! Arrow or of the transport reaches a client.

use std::pin::Pin;

use arrow_flight::flight_service_server::FlightService;
use arrow_flight::{
    Action, ActionType, Criteria, Empty, FlightData, FlightDescriptor, FlightInfo, HandshakeRequest, HandshakeResponse,
    PollInfo, PutResult, SchemaResult, Ticket,
};
use futures::Stream;
use glovebox_engine::Engine;
use glovebox_policy::{Reason, Refusal};
use tonic::metadata::{Ascii, MetadataValue};
use tonic::{Request, Response, Status, Streaming};

use super::session;
use super::sql::Sql;
use crate::identity::{Credentials, Face, Identities};
use crate::seats::Seat;
use crate::status::{coded, status_of};

type Items<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// The Flight service: authentication around [`Sql`].
pub(crate) struct Door {
    identities: Identities,
    sql: Sql,
}

fn not_offered<T>(call: &str) -> Result<T, Status> {
    Err(status_of(&Refusal::about(Reason::StatementRefused, call)))
}

impl Door {
    /// The door to an engine.
    pub(crate) fn new(engine: Engine, identities: Identities) -> Self {
        Self { sql: Sql::new(engine), identities }
    }

    /// Finds out who asks, and in which session, and puts both into the request, or refuses.
    async fn admit<T>(&self, mut request: Request<T>) -> Result<Request<T>, Status> {
        let credentials = Credentials::of(request.metadata().as_ref(), request.extensions());
        let caller = self.identities.identify(credentials, Face::Flight).await.map_err(|r| status_of(&r))?;
        Seat::count(request.extensions(), &caller.org).map_err(|r| status_of(&r))?;
        let session = self.sql.sessions().of(&caller.person, request.metadata())?;
        request.extensions_mut().insert(session);
        request.extensions_mut().insert(caller);
        Ok(request)
    }
}

#[tonic::async_trait]
impl FlightService for Door {
    type HandshakeStream = Items<HandshakeResponse>;
    type ListFlightsStream = Items<FlightInfo>;
    type DoGetStream = Items<FlightData>;
    type DoPutStream = Items<PutResult>;
    type DoActionStream = Items<arrow_flight::Result>;
    type ListActionsStream = Items<ActionType>;
    type DoExchangeStream = Items<FlightData>;

    /// A sign-in: an account and one of its tokens, in the scheme `Basic`, for a bearer token that lives some minutes.
    /// Nothing of what the client writes into the stream is read.
    async fn handshake(
        &self,
        request: Request<Streaming<HandshakeRequest>>,
    ) -> Result<Response<Self::HandshakeStream>, Status> {
        let credentials = Credentials::of(request.metadata().as_ref(), request.extensions());
        let bearer = self.identities.sign_in(credentials).await.map_err(|refusal| status_of(&refusal))?;
        let mut authorization: MetadataValue<Ascii> =
            format!("Bearer {bearer}").parse().map_err(|_| status_of(&Reason::Internal.into()))?;
        authorization.set_sensitive(true);
        let answer = HandshakeResponse { protocol_version: 0, payload: bearer.into_bytes().into() };
        let stream: Self::HandshakeStream = Box::pin(futures::stream::iter([Ok(answer)]));
        let mut response = Response::new(stream);
        response.metadata_mut().insert("authorization", authorization);
        Ok(response)
    }

    async fn list_flights(&self, request: Request<Criteria>) -> Result<Response<Self::ListFlightsStream>, Status> {
        self.admit(request).await?;
        not_offered("ListFlights")
    }

    async fn get_flight_info(&self, request: Request<FlightDescriptor>) -> Result<Response<FlightInfo>, Status> {
        let request = self.admit(request).await?;
        self.sql.get_flight_info(request).await.map_err(coded)
    }

    async fn poll_flight_info(&self, request: Request<FlightDescriptor>) -> Result<Response<PollInfo>, Status> {
        self.admit(request).await?;
        not_offered("PollFlightInfo")
    }

    /// The schema that the answer would have; the ticket made on the way is dropped and expires.
    async fn get_schema(&self, request: Request<FlightDescriptor>) -> Result<Response<SchemaResult>, Status> {
        let request = self.admit(request).await?;
        let info = self.sql.get_flight_info(request).await.map_err(coded)?;
        Ok(Response::new(SchemaResult { schema: info.into_inner().schema }))
    }

    async fn do_get(&self, request: Request<Ticket>) -> Result<Response<Self::DoGetStream>, Status> {
        let request = self.admit(request).await?;
        self.sql.do_get(request).await.map_err(coded)
    }

    async fn do_put(&self, request: Request<Streaming<FlightData>>) -> Result<Response<Self::DoPutStream>, Status> {
        let request = self.admit(request).await?;
        self.sql.do_put(request).await.map_err(coded)
    }

    async fn do_action(&self, request: Request<Action>) -> Result<Response<Self::DoActionStream>, Status> {
        let request = self.admit(request).await?;
        self.sql.do_action(request).await.map_err(coded)
    }

    async fn list_actions(&self, request: Request<Empty>) -> Result<Response<Self::ListActionsStream>, Status> {
        self.admit(request).await?;
        let actions = [
            ("CreatePreparedStatement", "Prepares a statement; costs no privacy budget."),
            ("ClosePreparedStatement", "Forgets a prepared statement."),
            (session::SET, "Sets epsilon, delta, max_groups_contributed, purpose or contract for statements to come."),
            (session::GET, "Tells the options of the session."),
            (session::CLOSE, "Forgets the session and its options."),
        ]
        .map(|(name, words)| Ok(ActionType { r#type: name.to_owned(), description: words.to_owned() }));
        Ok(Response::new(Box::pin(futures::stream::iter(actions))))
    }

    async fn do_exchange(
        &self,
        request: Request<Streaming<FlightData>>,
    ) -> Result<Response<Self::DoExchangeStream>, Status> {
        self.admit(request).await?;
        not_offered("DoExchange")
    }
}
