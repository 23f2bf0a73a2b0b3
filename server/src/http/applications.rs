//! Applications for data: handed in, looked at, drafted from, rejected, withdrawn. A contract that names one grants it.

use axum::Extension;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use glovebox_policy::{ApplicationId, Caller, ContractId, Reason, Refusal};
use serde::Deserialize;

use super::read::{PathText, QueryOf};
use super::{App, read};
use crate::blocking;
use crate::outbound::{ContractDraft, Listing};
use crate::reply::{self, Refused, Reply};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewApplication {
    application: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rejection {
    reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DraftQuery {
    contract: Option<String>,
}

/// The applications that the caller may see.
pub(crate) async fn list(State(app): State<App>, Extension(caller): Extension<Caller>) -> Result<Reply, Refused> {
    let items = blocking(move || app.engine.applications(&caller)).await?;
    Ok(reply::ok(&Listing { name: "applications", items }))
}

/// An application in TOML.
pub(crate) async fn add(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Result<Reply, Refused> {
    let NewApplication { application } = read::json(request).await?;
    let card = blocking(move || app.engine.apply(&caller, &application)).await?;
    Ok(reply::json(StatusCode::CREATED, &card))
}

/// One application that the caller may see, with its text.
pub(crate) async fn show(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    id: PathText,
) -> Result<Reply, Refused> {
    let id: ApplicationId = read::path(id)?;
    let card = blocking(move || app.engine.application(&caller, &id)).await?;
    Ok(reply::ok(&card))
}

/// The text of a contract that would grant it, under the name that the officer gives.
pub(crate) async fn draft(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    id: PathText,
    query: QueryOf<DraftQuery>,
) -> Result<Reply, Refused> {
    let id: ApplicationId = read::path(id)?;
    let name = read::query(query)?.contract.unwrap_or_default();
    let name: ContractId = name.parse().map_err(|_| Refusal::about(Reason::BadRequest, "contract"))?;
    let contract = blocking(move || app.engine.draft_contract(&caller, &id, &name)).await?;
    Ok(reply::ok(&ContractDraft { contract }))
}

/// An officer's no.
pub(crate) async fn reject(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    id: PathText,
    request: Request,
) -> Result<Reply, Refused> {
    let id: ApplicationId = read::path(id)?;
    let Rejection { reason } = read::json(request).await?;
    let card = blocking(move || app.engine.reject_application(&caller, &id, &reason)).await?;
    Ok(reply::json(StatusCode::CREATED, &card))
}

/// Takes it back.
pub(crate) async fn withdraw(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    id: PathText,
) -> Result<Reply, Refused> {
    let id: ApplicationId = read::path(id)?;
    let card = blocking(move || app.engine.withdraw_application(&caller, &id)).await?;
    Ok(reply::ok(&card))
}
