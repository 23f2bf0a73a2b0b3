//! The outside faces of Glovebox: REST and web pages over HTTPS, Flight SQL over TLS, on two ports.
//!
//! This crate finds out who asks, reads what is asked, hands both to the engine and writes down what may leave. It
//! plans no query, opens no data, adds no noise and decides no policy; it cannot write out anything that is not [`Outbound`];
//! it logs no SQL, no token and no value.
//!
//! Read in this order: [`limits`] (every limit by name), [`tls`] (certificates), [`client_auth`], `sign_in` and
//! `identity` (who asks), [`outbound`] (what may leave) with
//! `columnar` (Arrow rebuilt from scalars), `reply` (HTTP bodies) and `status` (refusals over gRPC), `shield` (a place
//! and a deadline for each request), `seats` (no firm has all places), `shelf` (tickets), then the faces: `flight`, [`http`] and [`web`] (pages for people), [`serve`](mod@serve)
//! (both listeners), [`client`] (the other end, for the command line).

pub mod client;
pub mod client_auth;
mod columnar;
mod flight;
pub mod http;
mod identity;
pub mod limits;
mod operator_log;
pub mod outbound;
mod reply;
mod seats;
pub mod serve;
mod shelf;
mod shield;
mod sign_in;
mod status;
pub mod tls;
pub mod web;

pub use client::{ClientError, Fetched, FlightClient};
pub use client_auth::ClientAuthority;
pub use outbound::Outbound;
pub use serve::{Options, ServeError, Serving, serve};
pub use status::CODE_METADATA;
pub use tls::{Tls, TlsError};

use glovebox_policy::{Purpose, Reason, Refusal};

/// The credentials in an `authorization` header of a scheme.
fn credentials<'a>(header: &'a str, scheme: &str) -> Option<&'a str> {
    let (found, credentials) = header.split_once(' ')?;
    let credentials = credentials.trim();
    (found.eq_ignore_ascii_case(scheme) && !credentials.is_empty()).then_some(credentials)
}

/// A purpose as a client writes it.
fn purpose_of(text: &str) -> Result<Purpose, Refusal> {
    text.parse().map_err(|_| Refusal::about(Reason::BadRequest, text))
}

/// Runs work that waits for the disk where it holds up nobody.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, Refusal> + Send + 'static) -> Result<T, Refusal> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(_) => {
            operator_log::note("work on the engine panicked", &"see the lines before this one");
            Err(Reason::Internal.into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_of_their_scheme() {
        assert_eq!(credentials("Bearer gbx_1", "bearer"), Some("gbx_1"));
        assert_eq!(credentials("bearer  gbx_1 ", "bearer"), Some("gbx_1"));
        assert_eq!(credentials("BASIC abc", "basic"), Some("abc"));
        for header in ["", "Bearer", "Bearer ", "Basic abc", "gbx_1"] {
            assert_eq!(credentials(header, "bearer"), None, "{header}");
        }
    }
}
