//! People, their tokens and their client certificates.

use axum::Extension;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use glovebox_ledger::Person;
use glovebox_policy::{Caller, Digest, OrgId, PersonId, Reason, Refusal, Role};
use serde::Deserialize;

use super::access::Token;
use super::read::{PathText, QueryOf};
use super::{App, read};
use crate::blocking;
use crate::limits::TOKEN_DAYS;
use crate::outbound::jobs::Me;
use crate::outbound::people::{CertificateEntry, TokenEntry};
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

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewCertificate {
    person: PersonId,
    fingerprint: Digest,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WhoseQuery {
    person: Option<PersonId>,
}

/// What is known of a person's tokens.
pub(crate) async fn tokens(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    query: QueryOf<WhoseQuery>,
) -> Result<Reply, Refused> {
    let person = read::query(query)?.person.unwrap_or_else(|| caller.person.clone());
    let tokens = blocking(move || app.engine.tokens(&caller, &person)).await?;
    Ok(reply::ok(&Listing { name: "tokens", items: tokens.into_iter().map(TokenEntry).collect() }))
}

/// Ends a token that is named by its digest.
pub(crate) async fn revoke_token_by_digest(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    digest: PathText,
) -> Result<Reply, Refused> {
    let digest: Digest = read::path(digest)?;
    blocking(move || app.engine.revoke_token_by_digest(&caller, &digest)).await?;
    Ok(reply::done())
}

/// The registered client certificates that the caller may see.
pub(crate) async fn certificates(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
) -> Result<Reply, Refused> {
    let cards = blocking(move || app.engine.certificates(&caller)).await?;
    Ok(reply::ok(&Listing { name: "certificates", items: cards.into_iter().map(CertificateEntry).collect() }))
}

/// Lets a client certificate stand for a person.
pub(crate) async fn add_certificate(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Result<Reply, Refused> {
    let NewCertificate { person, fingerprint } = read::json(request).await?;
    let card = blocking(move || app.engine.add_certificate(&caller, &person, &fingerprint)).await?;
    Ok(reply::json(StatusCode::CREATED, &CertificateEntry(card)))
}

/// Revokes a client certificate.
pub(crate) async fn revoke_certificate(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    digest: PathText,
) -> Result<Reply, Refused> {
    let digest: Digest = read::path(digest)?;
    blocking(move || app.engine.revoke_certificate(&caller, &digest)).await?;
    Ok(reply::done())
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
    let token = token.ok_or_else(|| Refusal::about(Reason::BadRequest, "no token came with this call"))?;
    blocking(move || app.engine.revoke_token(&caller, &token)).await?;
    Ok(reply::done())
}
