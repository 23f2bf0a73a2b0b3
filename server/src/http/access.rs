//! Who may call what: one table, and the gate that applies it before a handler sees the request.
//!
//! INVARIANT (default deny): a path that is routed but not in [`ACCESS`] is refused. The roles here are the outer wall;
//! what a person may see or do with one dataset or contract is decided by the engine, next to the act.

use axum::extract::{MatchedPath, Request, State};
use axum::http::header::EXPECT;
use axum::middleware::Next;
use axum::response::IntoResponse as _;
use glovebox_policy::{Caller, Reason, Refusal, Role};

use super::{App, PREFIX, read};
use crate::identity::{Credentials, Face};
use crate::reply::{Refused, Reply};
use crate::seats::Seat;

/// Who may call one method of one path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Access {
    /// The HTTP method.
    pub method: &'static str,
    /// The path under the prefix, with `{}` for what varies.
    pub path: &'static str,
    /// The roles that may; empty means that no token is asked for.
    pub roles: &'static [Role],
}

const EVERYBODY: &[Role] = &[Role::Analyst, Role::Officer, Role::Auditor];
const ANALYST: &[Role] = &[Role::Analyst];
const OFFICER: &[Role] = &[Role::Officer];
const OVERSEERS: &[Role] = &[Role::Officer, Role::Auditor];

const fn may(method: &'static str, path: &'static str, roles: &'static [Role]) -> Access {
    Access { method, path, roles }
}

/// Every call of the REST face.
pub const ACCESS: &[Access] = &[
    may("GET", "/health", &[]),
    may("GET", "/openapi.json", &[]),
    may("POST", "/sql", ANALYST),
    may("GET", "/datasets", EVERYBODY),
    may("POST", "/datasets", OFFICER),
    may("POST", "/datasets/draft", OFFICER),
    may("GET", "/datasets/{name}", EVERYBODY),
    may("GET", "/datasets/{name}/twin", EVERYBODY),
    may("GET", "/contracts", EVERYBODY),
    may("POST", "/contracts", OFFICER),
    may("GET", "/contracts/{id}", EVERYBODY),
    may("GET", "/contracts/{id}/bill", EVERYBODY),
    may("GET", "/applications", EVERYBODY),
    may("POST", "/applications", ANALYST),
    may("GET", "/applications/{id}", EVERYBODY),
    may("DELETE", "/applications/{id}", ANALYST),
    may("GET", "/applications/{id}/draft", OFFICER),
    may("POST", "/applications/{id}/rejection", OFFICER),
    may("GET", "/budget", EVERYBODY),
    may("GET", "/people", OVERSEERS),
    may("POST", "/people", OFFICER),
    may("GET", "/tokens", EVERYBODY),
    may("POST", "/tokens", EVERYBODY),
    may("DELETE", "/tokens", EVERYBODY),
    may("DELETE", "/tokens/{digest}", EVERYBODY),
    may("GET", "/certificates", EVERYBODY),
    may("POST", "/certificates", OFFICER),
    may("DELETE", "/certificates/{digest}", EVERYBODY),
    may("GET", "/freezes", OVERSEERS),
    may("POST", "/freezes", OFFICER),
    may("GET", "/me", EVERYBODY),
    may("POST", "/jobs", ANALYST),
    may("GET", "/jobs", EVERYBODY),
    may("GET", "/jobs/{id}", EVERYBODY),
    may("DELETE", "/jobs/{id}", ANALYST),
    may("GET", "/jobs/{id}/review", EVERYBODY),
    may("GET", "/jobs/{id}/module", EVERYBODY),
    may("POST", "/jobs/{id}/verdicts", OFFICER),
    may("POST", "/jobs/{id}/runs", ANALYST),
    may("GET", "/jobs/{id}/result", ANALYST),
    may("GET", "/releases/{request}/{part}", EVERYBODY),
    may("GET", "/log/key", EVERYBODY),
    may("GET", "/log", OVERSEERS),
    may("GET", "/log/proof/{leaf}", OVERSEERS),
    may("GET", "/log/decision/{leaf}", OVERSEERS),
    may("GET", "/log/consistency", OVERSEERS),
    may("GET", "/log/checkpoint", OVERSEERS),
    may("GET", "/log/tile/{*path}", OVERSEERS),
];

/// The token that came with a request, for the one call that ends it; none where a client certificate stood alone.
#[derive(Clone)]
pub(crate) struct Token(pub(crate) Option<String>);

/// Settles who asks and whether that role may, or refuses. Of a refused body, a statement's length is read and thrown
/// away, so that the client hears the refusal instead of a broken connection.
pub(crate) async fn gate(State(app): State<App>, mut request: Request, next: Next) -> Reply {
    let access = access_of(&request);
    let open = access.is_some_and(|access| access.roles.is_empty());
    if open {
        return next.run(request).await;
    }
    let credentials = Credentials::of(request.headers(), request.extensions());
    let token = Token(credentials.token().map(str::to_owned));
    let caller = app.identities.identify(credentials, Face::Http).await;
    // Counted before anything else is said: what is refused and has its body read away holds a place, too.
    let caller = caller.and_then(|caller| Seat::count(request.extensions(), &caller.org).map(|()| caller));
    match caller.and_then(|caller| permitted(access, caller)) {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            request.extensions_mut().insert(token);
            next.run(request).await
        }
        Err(refusal) => {
            // Who asks leave first (`Expect: 100-continue`) has sent nothing yet and hears the refusal anyway. For whoever has all
            // places of a share, no body is waited for.
            if !request.headers().contains_key(EXPECT) && refusal.reason() != Reason::Busy {
                read::thrown_away(request).await;
            }
            Refused::from(refusal).into_response()
        }
    }
}

fn permitted(access: Option<&'static Access>, caller: Caller) -> Result<Caller, Refusal> {
    match access {
        None => Err(Reason::NotFound.into()),
        Some(access) if access.roles.contains(&caller.role) => Ok(caller),
        Some(_) => Err(Reason::RoleForbidden.into()),
    }
}

fn access_of(request: &Request) -> Option<&'static Access> {
    let matched = request.extensions().get::<MatchedPath>()?;
    let path = matched.as_str().strip_prefix(PREFIX)?;
    ACCESS.iter().find(|entry| entry.path == path && entry.method == request.method().as_str())
}

/// Where no path matches; the gate has refused before, so this is the second lock.
pub(crate) async fn nothing_here() -> Refused {
    Reason::NotFound.into()
}
