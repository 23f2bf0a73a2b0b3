//! Bodies and parameters that come in: limited while they are read, and every fault is a refusal in our own words.

use axum::extract::Request;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query};
use glovebox_policy::{Reason, Refusal};
use serde::de::DeserializeOwned;

use crate::limits::JSON_BODY_BYTES;

/// A path parameter as axum hands it over.
pub(crate) type PathText = Result<Path<String>, PathRejection>;

/// Query parameters as axum hands them over.
pub(crate) type QueryOf<T> = Result<Query<T>, QueryRejection>;

/// The whole body of a call that uploads no file.
///
/// # Errors
/// [`Reason::BadRequest`] when it is too long or breaks off.
pub(crate) async fn bytes(request: Request) -> Result<Vec<u8>, Refusal> {
    let body = axum::body::to_bytes(request.into_body(), JSON_BODY_BYTES).await;
    body.map(Vec::from).map_err(|_| Refusal::about(Reason::BadRequest, "the body is longer than 256 KiB or broke off"))
}

/// A JSON body. What is wrong with it is quoted from the asker's own text.
///
/// # Errors
/// [`Reason::BadRequest`].
pub(crate) async fn json<T: DeserializeOwned>(request: Request) -> Result<T, Refusal> {
    let body = bytes(request).await?;
    serde_json::from_slice(&body).map_err(|error| Refusal::about(Reason::BadRequest, &error.to_string()))
}

/// A path parameter of some kind; one that cannot be a name of that kind names nothing.
///
/// # Errors
/// [`Reason::NotFound`].
pub(crate) fn path<T: std::str::FromStr>(text: PathText) -> Result<T, Refusal> {
    let Path(text) = text.map_err(|_| Reason::NotFound)?;
    text.parse().map_err(|_| Refusal::about(Reason::NotFound, &text))
}

/// Query parameters.
///
/// # Errors
/// [`Reason::BadRequest`].
pub(crate) fn query<T>(query: QueryOf<T>) -> Result<T, Refusal> {
    query.map(|Query(query)| query).map_err(|_| Refusal::about(Reason::BadRequest, "query parameters"))
}
