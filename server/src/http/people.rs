//! People and their tokens.

use axum::Extension;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use glovebox_ledger::Person;
use glovebox_policy::{Caller, OrgId, PersonId, Reason, Refusal, Role};
use serde::Deserialize;

use super::access::Token;
use super::{App, read};
use crate::blocking;
use crate::limits::TOKEN_DAYS;
use crate::outbound::jobs::Me;
use crate::outbound::{IssuedToken, Listing, PersonCard};
use crate::reply::{self, Refused, Reply};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewPerson {
    person: PersonId,
    org: OrgId,
    role: Role,
    name: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewToken {
    person: PersonId,
    days: u32,
}

/// Who the token's owner is.
pub(crate) async fn me(Extension(caller): Extension<Caller>) -> Reply {
    reply::ok(&Me(caller))
}

/// Everybody who has an account.
pub(crate) async fn list(State(app): State<App>, Extension(caller): Extension<Caller>) -> Result<Reply, Refused> {
    let people = blocking(move || app.engine.people(&caller)).await?;
    let items = people.into_iter().map(PersonCard).collect();
    Ok(reply::ok(&Listing { name: "people", items }))
}

/// A new account.
pub(crate) async fn add(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Result<Reply, Refused> {
    let NewPerson { person, org, role, name } = read::json(request).await?;
    let person = Person { person, org, role, name };
    let added = person.clone();
    blocking(move || app.engine.add_person(&caller, &person)).await?;
    Ok(reply::json(StatusCode::CREATED, &PersonCard(added)))
}

/// A new token, shown this once.
pub(crate) async fn issue_token(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Result<Reply, Refused> {
    let NewToken { person, days } = read::json(request).await?;
    if !(1..=TOKEN_DAYS).contains(&days) {
        return Err(Refusal::about(Reason::BadRequest, "days is not in 1 to 366").into());
    }
    let token = blocking(move || app.engine.issue_token(&caller, &person, days)).await?;
    Ok(reply::json(StatusCode::CREATED, &IssuedToken { token }))
}

/// Ends the token that came with this call.
pub(crate) async fn revoke_token(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Extension(Token(token)): Extension<Token>,
) -> Result<Reply, Refused> {
    blocking(move || app.engine.revoke_token(&caller, &token)).await?;
    Ok(reply::done())
}
