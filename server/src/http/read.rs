//! Bodies and parameters that come in: limited while they are read, and every fault is a refusal in our own words.

use axum::extract::Request;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query};
use futures::{StreamExt as _, TryStreamExt as _};
use glovebox_policy::{Reason, Refusal};
use serde::de::DeserializeOwned;

use crate::limits::{DRAIN_BYTES, DRAIN_TIME, JSON_BODY_BYTES};

/// A path parameter as axum hands it over.
pub(crate) type PathText = Result<Path<String>, PathRejection>;

/// Two path parameters as axum hands them over.
pub(crate) type PathTexts = Result<Path<(String, String)>, PathRejection>;

/// Query parameters as axum hands them over.
pub(crate) type QueryOf<T> = Result<Query<T>, QueryRejection>;

/// The body does not fit into [`JSON_BODY_BYTES`], or broke off.
pub(crate) struct Unfit;

/// The whole body of a call that uploads no file. The rest of one that is too long is thrown away as it comes.
pub(crate) async fn whole(request: Request) -> Result<Vec<u8>, Unfit> {
    let mut chunks = request.into_body().into_data_stream();
    let mut body = Vec::new();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|_| Unfit)?;
        if body.len() + chunk.len() > JSON_BODY_BYTES {
            let rest = chunks.try_fold(body.len(), async |read, chunk| {
                if read > DRAIN_BYTES {
                    Err(axum::Error::new(std::io::Error::other("too long")))
                } else {
                    Ok(read + chunk.len())
                }
            });
            let _ = tokio::time::timeout(DRAIN_TIME, rest).await;
            return Err(Unfit);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// Reads a body that nobody wants, up to the length of a statement.
pub(crate) async fn thrown_away(request: Request) {
    let mut chunks = request.into_body().into_data_stream();
    let mut read = 0;
    let rest = async {
        while let Some(Ok(chunk)) = chunks.next().await {
            read += chunk.len();
            if read > JSON_BODY_BYTES {
                return;
            }
        }
    };
    // A client that goes on slowly is not waited for.
    let _ = tokio::time::timeout(DRAIN_TIME, rest).await;
}

/// As [`whole`], refused in words.
///
/// # Errors
/// [`Reason::BadRequest`].
pub(crate) async fn bytes(request: Request) -> Result<Vec<u8>, Refusal> {
    let unfit = |Unfit| Refusal::about(Reason::BadRequest, "the body is longer than 256 KiB or broke off");
    whole(request).await.map_err(unfit)
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
    named(&text)
}

/// As [`path`], from a text.
///
/// # Errors
/// [`Reason::NotFound`].
pub(crate) fn named<T: std::str::FromStr>(text: &str) -> Result<T, Refusal> {
    text.parse().map_err(|_| Refusal::about(Reason::NotFound, text))
}

/// Query parameters.
///
/// # Errors
/// [`Reason::BadRequest`].
pub(crate) fn query<T>(query: QueryOf<T>) -> Result<T, Refusal> {
    query.map(|Query(query)| query).map_err(|_| Refusal::about(Reason::BadRequest, "query parameters"))
}
