//! Datasets: cards and synthetic twins for everybody, drafts and new datasets for officers.

use axum::Extension;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use glovebox_policy::{Caller, DatasetName, Reason, Refusal};
use serde::Deserialize;

use super::read::{PathText, QueryOf};
use super::{App, read, upload};
use crate::blocking;
use crate::limits::{TWIN_ROWS, TWIN_ROWS_DEFAULT};
use crate::outbound::{Draft, Listing};
use crate::reply::{self, Refused, Reply};

/// How the rows of a twin are written.
#[derive(Deserialize, Default)]
#[serde(rename_all = "lowercase")]
enum Format {
    #[default]
    Json,
    Csv,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TwinQuery {
    rows: Option<usize>,
    #[serde(default)]
    seed: u64,
    #[serde(default)]
    format: Format,
}

/// The cards of all datasets.
pub(crate) async fn list(State(app): State<App>) -> Reply {
    reply::ok(&Listing { name: "datasets", items: app.engine.datasets() })
}

/// The card of one dataset.
pub(crate) async fn show(State(app): State<App>, name: PathText) -> Result<Reply, Refused> {
    let name: DatasetName = read::path(name)?;
    let card = app.engine.datasets().into_iter().find(|card| card.name == name).ok_or(Reason::NotFound)?;
    Ok(reply::ok(&card))
}

/// Synthetic rows, from the manifest alone.
pub(crate) async fn twin(State(app): State<App>, name: PathText, query: QueryOf<TwinQuery>) -> Result<Reply, Refused> {
    let name: DatasetName = read::path(name)?;
    let query = read::query(query)?;
    let rows = query.rows.unwrap_or(TWIN_ROWS_DEFAULT);
    if rows > TWIN_ROWS {
        return Err(Refusal::about(Reason::BadRequest, "rows is above 100000").into());
    }
    let table = blocking(move || app.engine.twin(&name, rows, query.seed)).await?;
    Ok(match query.format {
        Format::Json => reply::ok(&table),
        Format::Csv => reply::csv(&table),
    })
}

/// A manifest drafted from a file, for the officer to edit.
pub(crate) async fn draft(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Result<Reply, Refused> {
    let upload = upload::receive(request, &app.incoming, app.upload_bytes).await?;
    if upload.manifest.is_some() {
        return Err(Refusal::about(Reason::BadRequest, "a part named manifest").into());
    }
    let drafted = blocking(move || {
        let file = &upload.file;
        Ok(app.engine.draft_dataset(&caller, file.path(), file.called()))
    })
    .await?;
    match drafted {
        Ok(manifest) => Ok(reply::ok(&Draft { manifest })),
        Err(fault) => Ok(reply::refusal_with(&fault.refusal(), &fault)),
    }
}

/// A new dataset. What does not fit is reported whole, since only officers get here.
pub(crate) async fn add(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Result<Reply, Refused> {
    let upload = upload::receive(request, &app.incoming, app.upload_bytes).await?;
    let manifest = upload.manifest.ok_or_else(|| Refusal::about(Reason::BadRequest, "the part manifest is missing"))?;
    let file = upload.file;
    let added = blocking(move || Ok(app.engine.add_dataset(&caller, &manifest, file.path()))).await?;
    match added {
        Ok(card) => Ok(reply::json(StatusCode::CREATED, &card)),
        Err(fault) => Ok(reply::refusal_with(&fault.refusal(), &fault)),
    }
}
