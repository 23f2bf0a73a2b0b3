//! Who may see which page, and the gate that settles it before a page is made.
//!
//! INVARIANT (default deny): a page that is routed but not in [`PAGES`] is not there.

use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{HOST, ORIGIN};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::Next;
use glovebox_policy::{Reason, Refusal, Role};

use super::cookies;
use super::frame::Frame;
use super::language::Language;
use super::sign_in::{self, Session};
use crate::http::{ACCESS, App};
use crate::identity::Credentials;
use crate::reply::{self, Reply};
use crate::seats::Seat;

/// Who may see a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageAccess {
    /// The HTTP method.
    pub method: &'static str,
    /// The path, with `{}` for what varies.
    pub path: &'static str,
    /// The roles that may; empty means that nobody has to sign in.
    pub roles: &'static [Role],
    /// The calls of the REST face, all of them GET, that hand out what every reader of the page sees there.
    pub rest: &'static [&'static str],
}

const EVERYBODY: &[Role] = &[Role::Analyst, Role::Officer, Role::Auditor];
const ANALYST: &[Role] = &[Role::Analyst];
const OFFICER: &[Role] = &[Role::Officer];
const OVERSEERS: &[Role] = &[Role::Officer, Role::Auditor];

const fn may(
    method: &'static str,
    path: &'static str,
    roles: &'static [Role],
    rest: &'static [&'static str],
) -> PageAccess {
    PageAccess { method, path, roles, rest }
}

/// Every page.
pub const PAGES: &[PageAccess] = &[
    may("GET", "/style.css", &[], &[]),
    may("GET", "/icon.svg", &[], &[]),
    may("GET", "/sign-in", &[], &[]),
    may("POST", "/sign-in", &[], &[]),
    may("POST", "/sign-out", EVERYBODY, &[]),
    may("GET", "/", EVERYBODY, &["/me", "/jobs", "/applications"]),
    may("GET", "/datasets", EVERYBODY, &["/datasets"]),
    may("GET", "/datasets/{name}", EVERYBODY, &["/datasets/{name}", "/datasets/{name}/twin"]),
    may("GET", "/jobs", EVERYBODY, &["/jobs"]),
    may("GET", "/jobs/{id}", EVERYBODY, &["/jobs/{id}", "/jobs/{id}/review"]),
    may("GET", "/releases/{request}/{part}", EVERYBODY, &["/releases/{request}/{part}"]),
    may("GET", "/applications", EVERYBODY, &["/applications"]),
    may("POST", "/applications", ANALYST, &[]),
    may("GET", "/applications/new", ANALYST, &["/datasets"]),
    may("GET", "/applications/{id}", EVERYBODY, &["/applications/{id}"]),
    may("POST", "/applications/{id}/withdrawal", ANALYST, &[]),
    may("POST", "/applications/{id}/rejection", OFFICER, &[]),
    may("GET", "/budget", EVERYBODY, &["/budget", "/contracts"]),
    may("GET", "/log", OVERSEERS, &["/log", "/log/checkpoint", "/log/key"]),
];

/// The paths that a role may open.
pub(crate) fn pages_of(role: Role) -> Vec<&'static str> {
    PAGES.iter().filter(|page| page.roles.contains(&role)).map(|page| page.path).collect()
}

/// Whether the REST face lets a role make a GET call, for the parts of a page that not all of its readers see.
pub(crate) fn rest_gives(path: &str, role: Role) -> bool {
    ACCESS.iter().any(|access| access.method == "GET" && access.path == path && access.roles.contains(&role))
}

/// Settles who reads and whether that role may, or asks to sign in.
pub(crate) async fn gate(State(app): State<App>, mut request: Request, next: Next) -> Reply {
    let asked = Language::asked(request.uri().query());
    let arrival = Arrival::of(&request);
    let admitted = arrival.admit(&app).await.and_then(|(frame, session)| counted(&request, frame, session));
    let mut reply = match admitted {
        Ok((frame, session)) => {
            if let Some(caller) = &frame.caller {
                request.extensions_mut().insert(caller.clone());
            }
            request.extensions_mut().insert(frame);
            request.extensions_mut().insert(session);
            next.run(request).await
        }
        Err(reply) => *reply,
    };
    if let Some(language) = asked {
        cookies::give_language(reply.headers_mut(), language);
    }
    reply
}

/// The request counted as one of the reader's organisation, or a page that says that it has its share already.
fn counted(request: &Request, frame: Frame, session: Session) -> Result<(Frame, Session), Box<Reply>> {
    let count = frame.caller.as_ref().map_or(Ok(()), |caller| Seat::count(request.extensions(), &caller.org));
    match count {
        Ok(()) => Ok((frame, session)),
        Err(refusal) => Err(Box::new(frame.problem(refusal))),
    }
}

/// What of a request says who came, and for what.
struct Arrival {
    frame: Frame,
    page: Option<&'static PageAccess>,
    /// A form that no page of ours sent.
    foreign_form: bool,
    session: Session,
    credentials: Credentials,
    /// Where to go on after signing in.
    next: String,
}

impl Arrival {
    fn of(request: &Request) -> Self {
        let (uri, headers) = (request.uri(), request.headers());
        let is_form = request.method() == Method::POST;
        Self {
            frame: Frame::new(uri.path(), uri.query(), headers),
            page: page_of(request),
            foreign_form: is_form && !comes_from_this_site(request),
            session: Session(cookies::get(headers, cookies::SESSION)),
            credentials: Credentials::of(headers, request.extensions()),
            next: if is_form { "/".to_owned() } else { uri.path().to_owned() },
        }
    }

    /// The frame of the page, or the answer in its place.
    async fn admit(self, app: &App) -> Result<(Frame, Session), Box<Reply>> {
        let Self { frame, page, foreign_form, session, credentials, next } = self;
        let no = |refusal: Refusal| Box::new(frame.clone().problem(refusal));
        let page = page.ok_or_else(|| no(Reason::NotFound.into()))?;
        if foreign_form {
            return Err(no(Refusal::about(Reason::BadRequest, "the form was not sent from a page of this service")));
        }
        if page.roles.is_empty() {
            return Ok((frame, session));
        }
        let visit = app.identities.visit(session.0.as_deref(), credentials).await.map_err(no)?;
        let Some(caller) = visit else {
            let page = sign_in::SignIn::asking(frame, &next);
            let mut reply = reply::page(StatusCode::UNAUTHORIZED, &page);
            if session.0.is_some() {
                cookies::take_session(reply.headers_mut());
            }
            return Err(Box::new(reply));
        };
        let may = page.roles.contains(&caller.role);
        let frame = frame.of(caller, session.form());
        if may { Ok((frame, session)) } else { Err(Box::new(frame.problem(Reason::RoleForbidden.into()))) }
    }
}

fn page_of(request: &Request) -> Option<&'static PageAccess> {
    let path = request.extensions().get::<MatchedPath>()?.as_str();
    let method = if request.method() == Method::HEAD { "GET" } else { request.method().as_str() };
    PAGES.iter().find(|page| page.path == path && page.method == method)
}

/// Whether a browser sent a form from one of our own pages. What says neither its site nor its origin is no browser of
/// today, and has the REST face.
fn comes_from_this_site(request: &Request) -> bool {
    let headers = request.headers();
    match headers.get("sec-fetch-site") {
        Some(site) => site == "same-origin",
        None => {
            let origin = text(headers, ORIGIN.as_str()).and_then(|origin| origin.strip_prefix("https://"));
            let authority = request.uri().authority().map(|authority| authority.as_str());
            let host = authority.or_else(|| text(headers, HOST.as_str()));
            origin.is_some() && origin == host
        }
    }
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A page is open to no role that the REST face does not give the same to.
    #[test]
    fn pages_are_as_open_as_rest_at_most() {
        for page in PAGES {
            for (role, rest) in page.roles.iter().flat_map(|role| page.rest.iter().map(move |rest| (*role, *rest))) {
                assert!(rest_gives(rest, role), "{} shows {role:?} what {rest} does not give", page.path);
            }
        }
        assert!(!rest_gives("/applications/{id}/draft", Role::Analyst));
        assert!(!rest_gives("/jobs/{id}/result", Role::Officer));
        assert!(!pages_of(Role::Analyst).contains(&"/log"));
    }

    /// The calls of the REST face that forms make; signing in and out is no such call.
    const ACTS: &[(&str, &str, &str)] = &[
        ("/applications", "POST", "/applications"),
        ("/applications/{id}/withdrawal", "DELETE", "/applications/{id}"),
        ("/applications/{id}/rejection", "POST", "/applications/{id}/rejection"),
    ];

    /// A form does for a role what the REST face does for the same roles, and nothing that is not on the list.
    #[test]
    fn forms_do_what_rest_does_for_the_same_roles() {
        let others = ["/sign-in", "/sign-out"];
        for page in PAGES.iter().filter(|page| page.method == "POST" && !others.contains(&page.path)) {
            let act = ACTS.iter().find(|(path, ..)| *path == page.path);
            let rest =
                ACCESS.iter().find(|it| act.is_some_and(|(_, method, path)| (it.method, it.path) == (method, path)));
            assert_eq!(rest.map(|it| it.roles), Some(page.roles), "{}", page.path);
        }
    }
}
