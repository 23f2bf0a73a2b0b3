//! Contracts and budgets.

use axum::Extension;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use glovebox_policy::{Caller, ContractId, Reason};
use serde::Deserialize;

use super::read::{PathText, QueryOf};
use super::{App, read};
use crate::blocking;
use crate::outbound::Listing;
use crate::reply::{self, Refused, Reply};

/// The contracts that the caller may see.
pub(crate) async fn list(State(app): State<App>, Extension(caller): Extension<Caller>) -> Result<Reply, Refused> {
    let items = blocking(move || app.engine.contracts(&caller)).await?;
    Ok(reply::ok(&Listing { name: "contracts", items }))
}

/// One contract that the caller may see; one that the caller may not see is not there.
pub(crate) async fn show(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    id: PathText,
) -> Result<Reply, Refused> {
    let id: ContractId = read::path(id)?;
    let cards = blocking(move || app.engine.contracts(&caller)).await?;
    let card = cards.into_iter().find(|card| card.id == id).ok_or(Reason::NotFound)?;
    Ok(reply::ok(&card))
}

/// A signed contract.
pub(crate) async fn add(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Result<Reply, Refused> {
    let envelope = read::bytes(request).await?;
    let card = blocking(move || app.engine.add_contract(&caller, &envelope)).await?;
    Ok(reply::json(StatusCode::CREATED, &card))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BillQuery {
    month: Option<String>,
}

/// A contract's bill for a month.
pub(crate) async fn bill(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    id: PathText,
    query: QueryOf<BillQuery>,
) -> Result<Reply, Refused> {
    let (id, month): (ContractId, _) = (read::path(id)?, read::query(query)?.month);
    let card = blocking(move || app.engine.bill(&caller, &id, month.as_deref())).await?;
    Ok(reply::ok(&card))
}

/// What is granted, spent and left.
pub(crate) async fn budget(State(app): State<App>, Extension(caller): Extension<Caller>) -> Result<Reply, Refused> {
    let items = blocking(move || app.engine.budget(&caller)).await?;
    Ok(reply::ok(&Listing { name: "budgets", items }))
}
