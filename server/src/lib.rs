//! The outside faces of Glovebox: REST over HTTPS and Flight SQL over TLS, on two ports.
//!
//! This crate finds out who asks, reads what is asked, hands both to the engine and writes down what may leave. It
//! plans no query, opens no data, adds no noise and decides no policy; it cannot write out anything that is not [`Outbound`];
//! it logs no SQL, no token and no value.
//!
//! Read in this order: [`limits`] (every limit by name), [`tls`] (certificates), [`outbound`] (what may leave) with
//! `columnar` (Arrow rebuilt from scalars), `reply` (HTTP bodies) and `status` (refusals over gRPC), `shield` (a place
//! and a deadline for each request), `shelf` (tickets), then the faces: `flight` and [`http`], [`serve`](mod@serve)
//! (both listeners), [`client`] (the other end, for the command line).

pub mod client;
mod columnar;
mod flight;
pub mod http;
pub mod limits;
mod operator_log;
pub mod outbound;
mod reply;
pub mod serve;
mod shelf;
mod shield;
mod status;
pub mod tls;

pub use client::{ClientError, Fetched, FlightClient};
pub use outbound::Outbound;
pub use serve::{Options, ServeError, Serving, serve};
pub use status::CODE_METADATA;
pub use tls::{Tls, TlsError};

use glovebox_policy::{Purpose, Reason, Refusal};

/// The token in an `authorization` header of the scheme `Bearer`.
fn bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
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
    fn only_a_bearer_token_counts() {
        assert_eq!(bearer("Bearer gbx_1"), Some("gbx_1"));
        assert_eq!(bearer("bearer  gbx_1 "), Some("gbx_1"));
        for header in ["", "Bearer", "Bearer ", "Basic abc", "gbx_1"] {
            assert_eq!(bearer(header), None, "{header}");
        }
    }
}
