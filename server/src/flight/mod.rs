//! The Flight SQL face.
//!
//! Planning costs nothing and gives a ticket; redeeming the ticket asks the question, and redeeming it again gives the
//! same bytes from the release store. Tickets are random names that only their owner can redeem.
//!
//! Read in this order: [`door`] (who asks), [`session`] (what is meant unless a statement says otherwise), [`sql`] (what
//! is asked), [`parameters`] (the only data that comes in), [`browse`] (what clients look through).

pub(crate) mod browse;
pub(crate) mod door;
pub(crate) mod parameters;
pub(crate) mod session;
mod session_wire;
pub(crate) mod sql;

use arrow_flight::flight_service_server::FlightServiceServer;
use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use glovebox_engine::Engine;
use glovebox_policy::{Reason, Refusal};
use tonic::Status;
use tonic::service::Routes;

use crate::identity::Identities;
use crate::limits::{BODY_TIME, FLIGHT_MESSAGE_BYTES, REQUEST_TIME};
use crate::shield::{Shield, hurried};
use crate::status::{CODE_METADATA, refusal_of, status_of};

/// The calls that carry a statement, so that a message too long to be read is answered as a statement too long.
const STATEMENT_CALLS: [&str; 2] =
    ["/arrow.flight.protocol.FlightService/GetFlightInfo", "/arrow.flight.protocol.FlightService/DoAction"];

/// The Flight service as a router, behind the shield that it shares with the HTTP face.
pub(crate) fn router(engine: Engine, identities: Identities, shield: Shield) -> Router {
    let service =
        FlightServiceServer::new(door::Door::new(engine, identities)).max_decoding_message_size(FLIGHT_MESSAGE_BYTES);
    Routes::new(service).prepare().into_axum_router().layer(from_fn_with_state(shield, guard))
}

/// Gives every request a place, a deadline and a task of its own, and replaces statuses whose words are not ours.
async fn guard(State(shield): State<Shield>, request: Request, next: Next) -> Response {
    let statement = STATEMENT_CALLS.contains(&request.uri().path());
    match shield.serve(REQUEST_TIME, hurried(request, BODY_TIME), |request| next.run(request)).await {
        Ok(response) => coded_response(response, statement),
        Err(refusal) => status_of(&refusal).into_http(),
    }
}

fn coded_response(response: Response, statement: bool) -> Response {
    let ours = response.headers().contains_key(CODE_METADATA);
    match Status::from_header_map(response.headers()) {
        Some(status) if status.code() != tonic::Code::Ok && !ours => {
            let too_long = statement && status.code() == tonic::Code::OutOfRange;
            let refusal = if too_long { Refusal::new(Reason::SqlTooLong) } else { refusal_of(&status) };
            status_of(&refusal).into_http()
        }
        _ => response,
    }
}
