//! What officers freeze and let go.

use axum::Extension;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use glovebox_engine::Freezable;
use glovebox_policy::{Caller, Reason, Refusal};
use serde::Deserialize;

use super::{App, read};
use crate::blocking;
use crate::outbound::Listing;
use crate::reply::{self, Refused, Reply};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewFreeze {
    kind: Kind,
    name: String,
    frozen: bool,
    reason: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Dataset,
    Contract,
    Person,
}

/// Every freeze and every end of one, newest first.
pub(crate) async fn list(State(app): State<App>, Extension(caller): Extension<Caller>) -> Result<Reply, Refused> {
    let items = blocking(move || app.engine.freezes(&caller)).await?;
    Ok(reply::ok(&Listing { name: "freezes", items }))
}

/// Freezes something, or lets it go.
pub(crate) async fn add(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Result<Reply, Refused> {
    let NewFreeze { kind, name, frozen, reason } = read::json(request).await?;
    let unknown = || Refusal::about(Reason::NotFound, &name);
    let subject = match kind {
        Kind::Dataset => Freezable::Dataset(name.parse().map_err(|_| unknown())?),
        Kind::Contract => Freezable::Contract(name.parse().map_err(|_| unknown())?),
        Kind::Person => Freezable::Person(name.parse().map_err(|_| unknown())?),
    };
    let card = blocking(move || app.engine.freeze(&caller, subject, frozen, &reason)).await?;
    Ok(reply::json(StatusCode::CREATED, &card))
}
