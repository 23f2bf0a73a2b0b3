//! The only place that makes HTTP bodies.
//!
//! INVARIANT (a body is Outbound): every function here takes something sealed by [`Outbound`](crate::Outbound); no
//! other file of the crate names `axum::body::Body` or `axum::Json`, which the repository's check looks for.

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, HeaderValue, LOCATION, WWW_AUTHENTICATE};
use axum::http::{Response, StatusCode};
use axum::response::IntoResponse;
use glovebox_policy::{Reason, Refusal};

use crate::outbound::{AsCsv, AsFile, AsJson, AsPage};

/// An answer of the HTTP face.
pub(crate) type Reply = Response<Body>;

/// A refusal on its way out of a handler.
#[derive(Debug)]
pub(crate) struct Refused(Refusal);

impl<R: Into<Refusal>> From<R> for Refused {
    fn from(refusal: R) -> Self {
        Self(refusal.into())
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Reply {
        refusal(&self.0)
    }
}

/// JSON.
pub(crate) fn json(status: StatusCode, body: &impl AsJson) -> Reply {
    with_type(status, "application/json", body.json().to_string())
}

/// JSON with status 200.
pub(crate) fn ok(body: &impl AsJson) -> Reply {
    json(StatusCode::OK, body)
}

/// Comma-separated values, for tables.
pub(crate) fn csv(body: &impl AsCsv) -> Reply {
    with_type(StatusCode::OK, "text/csv; charset=utf-8", body.csv())
}

/// A file, byte for byte.
pub(crate) fn file(body: &impl AsFile) -> Reply {
    let (content_type, bytes) = body.file();
    with_type(StatusCode::OK, content_type, bytes.to_vec())
}

/// A page. One that cannot be written leaves a constant refusal.
pub(crate) fn page(status: StatusCode, body: &impl AsPage) -> Reply {
    match body.html() {
        Ok(html) => with_type(status, "text/html; charset=utf-8", html),
        Err(fault) => refusal(&fault),
    }
}

/// Sends a browser on to another page of ours.
pub(crate) fn see_other(path: &str) -> Reply {
    let mut reply = Response::new(Body::empty());
    *reply.status_mut() = StatusCode::SEE_OTHER;
    let path = HeaderValue::from_str(path).unwrap_or(HeaderValue::from_static("/"));
    reply.headers_mut().insert(LOCATION, path);
    reply
}

/// Done, with nothing to say.
pub(crate) fn done() -> Reply {
    let mut reply = Response::new(Body::empty());
    *reply.status_mut() = StatusCode::NO_CONTENT;
    reply
}

/// A refusal with the status of its reason.
pub(crate) fn refusal(refusal: &Refusal) -> Reply {
    refusal_with(refusal, refusal)
}

/// A refusal whose body says more than the refusal alone.
pub(crate) fn refusal_with(refusal: &Refusal, body: &impl AsJson) -> Reply {
    let status = StatusCode::from_u16(refusal.reason().http()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut reply = json(status, body);
    if refusal.reason() == Reason::Unauthenticated {
        reply.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    reply
}

fn with_type(status: StatusCode, content_type: &'static str, bytes: impl Into<Body>) -> Reply {
    let mut reply = Response::new(bytes.into());
    *reply.status_mut() = status;
    reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    reply
}
