//! `health`, `openapi.json` and `sql`.

use axum::Extension;
use axum::extract::{Request, State};
use glovebox_engine::SqlAsk;
use glovebox_policy::{Caller, ContractId, Reason, Refusal};
use serde::Deserialize;

use super::{App, read};
use crate::outbound::{ApiDocument, Health};
use crate::purpose_of;
use crate::reply::{self, Refused, Reply};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Ask {
    sql: String,
    purpose: Option<String>,
    epsilon: Option<f64>,
    delta: Option<f64>,
    max_groups_contributed: Option<u32>,
    contract: Option<ContractId>,
}

/// Whether the server is there; says nothing about data, load or people.
pub(crate) async fn health() -> Reply {
    reply::ok(&Health)
}

/// What this face takes and gives, as it is committed.
pub(crate) async fn api_document() -> Reply {
    reply::file(&ApiDocument)
}

/// Asks one statement.
pub(crate) async fn ask(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Result<Reply, Refused> {
    let ask = read_ask(request).await?;
    let statement = app.engine.prepare(&caller, ask).await?;
    let answer = app.engine.run(&caller, &statement).await?;
    Ok(reply::ok(&answer))
}

/// A statement that does not fit into a body is too long as a statement, whatever else the body holds.
async fn read_ask(request: Request) -> Result<SqlAsk, Refusal> {
    let body = read::whole(request).await.map_err(|_| Reason::SqlTooLong)?;
    let ask: Ask =
        serde_json::from_slice(&body).map_err(|error| Refusal::about(Reason::BadRequest, &error.to_string()))?;
    let purpose = ask.purpose.as_deref().map(purpose_of).transpose()?;
    let Ask { sql, epsilon, delta, max_groups_contributed, contract, .. } = ask;
    Ok(SqlAsk { sql, purpose, epsilon, delta, max_groups_contributed, contract, parameters: Vec::new() })
}
