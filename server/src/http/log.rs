//! The tamper-evident log, for officers and auditors: it tells who asked and when. Its key is for everybody.

use axum::Extension;
use axum::extract::{Path, State};
use glovebox_policy::{Caller, Reason};
use serde::Deserialize;

use super::read::{PathText, QueryOf};
use super::{App, read};
use crate::blocking;
use crate::limits::LOG_ENTRIES_DEFAULT;
use crate::outbound::jobs::{Consistency, LogText, LogTile};
use crate::reply::{self, Refused, Reply};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PageQuery {
    #[serde(default)]
    start: u64,
    count: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SizesQuery {
    old: u64,
    new: u64,
}

/// What certificates and the log are verified with.
pub(crate) async fn key(State(app): State<App>) -> Reply {
    reply::file(&LogText(app.engine.verifier_key()))
}

/// A range of entries.
pub(crate) async fn page(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    query: QueryOf<PageQuery>,
) -> Result<Reply, Refused> {
    let PageQuery { start, count } = read::query(query)?;
    let count = count.unwrap_or(LOG_ENTRIES_DEFAULT);
    let page = blocking(move || app.engine.log_page(&caller, start, count)).await?;
    Ok(reply::ok(&page))
}

/// That an entry is in the log.
pub(crate) async fn proof(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    leaf: PathText,
) -> Result<Reply, Refused> {
    let leaf: u64 = read::path(leaf)?;
    let proof = blocking(move || app.engine.log_proof(&caller, leaf)).await?;
    Ok(reply::file(&LogText(proof)))
}

/// The policy decision behind an entry.
pub(crate) async fn decision(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    leaf: PathText,
) -> Result<Reply, Refused> {
    let leaf: u64 = read::path(leaf)?;
    let card = blocking(move || app.engine.decision(&caller, leaf)).await?;
    Ok(reply::ok(&card))
}

/// That the log of one size is a beginning of that of another.
pub(crate) async fn consistency(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    query: QueryOf<SizesQuery>,
) -> Result<Reply, Refused> {
    let SizesQuery { old, new } = read::query(query)?;
    let hashes = blocking(move || app.engine.log_consistency(&caller, old, new)).await?;
    Ok(reply::ok(&Consistency { hashes }))
}

/// The signed head.
pub(crate) async fn checkpoint(State(app): State<App>, Extension(caller): Extension<Caller>) -> Result<Reply, Refused> {
    let checkpoint = blocking(move || app.engine.checkpoint(&caller)).await?;
    Ok(reply::file(&LogText(checkpoint)))
}

/// A tile of hashes or of entries. The path is a name to the log, and never opened as a file.
pub(crate) async fn tile(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    path: PathText,
) -> Result<Reply, Refused> {
    let Path(path) = path.map_err(|_| Reason::NotFound)?;
    let tile = blocking(move || app.engine.log_file(&caller, &format!("tile/{path}"))).await?;
    Ok(reply::file(&LogTile(tile)))
}
