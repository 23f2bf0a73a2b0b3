//! The HTTP face: REST under `/api/v1`.
//!
//! Every call but the first two needs `authorization: Bearer <token>`, or a client certificate that is registered, or both.
//! Bodies are JSON unless the table says otherwise; every error is `{"code", "message", "message_zh"}` with the status of
//! its code. Unknown keys in a body are errors.
//!
//! | method and path | who | takes | gives |
//! |---|---|---|---|
//! | GET `/health` | anybody | – | `{status, version}` |
//! | GET `/openapi.json` | anybody | – | all this as OpenAPI 3.1: `docs/openapi.json` of the repository |
//! | POST `/sql` | analyst | `{sql, purpose?, epsilon?, delta?, max_groups_contributed?, contract?}` | `{columns, rows}`; a release also `cost, remaining, release` |
//! | GET `/datasets` | everybody | – | `{datasets: [card]}` |
//! | GET `/datasets/{name}` | everybody | – | card, from the manifest |
//! | GET `/datasets/{name}/twin` | everybody | `?rows=&seed=&format=json\|csv` | synthetic rows |
//! | POST `/datasets/draft` | officer | multipart: `file` | `{manifest}` to edit |
//! | POST `/datasets` | officer | multipart: `manifest`, then `file` | card; a refusal carries the whole `report` |
//! | GET `/contracts` | everybody | – | `{contracts: [card]}`; an analyst sees those of the own organisation |
//! | POST `/contracts` | officer | a DSSE envelope | card |
//! | GET `/contracts/{id}` | everybody | – | card |
//! | GET `/applications` | everybody | – | `{applications: [card]}`; an analyst sees those of the own organisation |
//! | POST `/applications` | analyst | `{application}`, in TOML | card |
//! | GET `/applications/{id}` | everybody | – | card with `text` |
//! | DELETE `/applications/{id}` | analyst | – | card |
//! | GET `/applications/{id}/draft` | officer | `?contract=` the name | `{contract}`: a text to edit and sign |
//! | POST `/applications/{id}/rejection` | officer | `{reason}` | card |
//! | GET `/contracts/{id}/bill` | everybody | `?month=2026-11` | `{contract, month, currency, lines, total, cost}` |
//! | GET `/budget` | everybody | – | `{budgets: [card]}` |
//! | GET `/people` | officer, auditor | – | `{people: [person]}` |
//! | POST `/people` | officer | `{person, org, role, name}` | person |
//! | POST `/tokens` | everybody for themselves, officers for anybody | `{person, days}` | `{token}`, shown once |
//! | GET `/tokens` | everybody for themselves, officers and auditors for anybody | `?person=` | `{tokens: [card]}`, never a token |
//! | DELETE `/tokens` | everybody | – | nothing; the token that came with the call ends |
//! | DELETE `/tokens/{digest}` | everybody for themselves, officers for anybody | – | nothing; that token ends |
//! | GET `/certificates` | everybody | – | `{certificates: [card]}`; an analyst sees the own ones |
//! | POST `/certificates` | officer | `{person, fingerprint}` | card; that client certificate stands for the person |
//! | DELETE `/certificates/{digest}` | everybody for themselves, officers for anybody | – | nothing; it is revoked for good |
//! | GET `/freezes` | officer, auditor | – | `{freezes: [card]}`, newest first |
//! | POST `/freezes` | officer | `{kind, name, frozen, reason}` | card; `kind` is `dataset`, `contract` or `person` |
//! | GET `/me` | everybody | – | `{person, org, role}` |
//! | POST `/jobs` | analyst | multipart: `manifest`, then `module` | card of the job, which waits for review |
//! | GET `/jobs` | everybody | – | `{jobs: [card]}`; an analyst sees those of the own organisation |
//! | GET `/jobs/{id}` | everybody | – | card |
//! | DELETE `/jobs/{id}` | analyst | – | card of the job, called back |
//! | GET `/jobs/{id}/review` | everybody | – | what an officer reads and signs: `{page, manifest, contract, …}` |
//! | GET `/jobs/{id}/module` | everybody | – | `application/wasm` |
//! | POST `/jobs/{id}/verdicts` | officer | a DSSE envelope | card |
//! | POST `/jobs/{id}/runs` | analyst | – | 202, card; its `result_at` says when the result leaves |
//! | GET `/jobs/{id}/result` | analyst | – | `{columns, rows, cost, release}` |
//! | GET `/releases/{request}/{part}` | everybody | `?contract=` | `part`: `result`, `certificate`, `entry` (JSON), `proof` (text) |
//! | GET `/log/key` | everybody | – | what certificates and log are verified with, as text |
//! | GET `/log` | officer, auditor | `?start=&count=` | `{size, entries}` |
//! | GET `/log/proof/{leaf}` | officer, auditor | – | proof of inclusion, as text |
//! | GET `/log/decision/{leaf}` | officer, auditor | – | the policy decision behind an entry, with what it takes to make it again |
//! | GET `/log/consistency` | officer, auditor | `?old=&new=` | `{hashes}` |
//! | GET `/log/checkpoint` | officer, auditor | – | signed note, as text |
//! | GET `/log/tile/{*path}` | officer, auditor | – | octets, as tlog-tiles lays them out |
//!
//! Read in this order: `access` (who may call what), `read` (bodies that come in), then one module per subject.

pub(crate) mod access;
mod applications;
mod contracts;
mod datasets;
mod freezes;
mod jobs;
mod log;
mod people;
mod places;
pub(crate) mod read;
mod releases;
mod sql;
pub(crate) mod upload;

pub use access::{ACCESS, Access};

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderValue, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderName, Method};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::routing::{delete, get, post};
use glovebox_engine::Engine;
use tonic::codegen::Service as _;

use self::places::Places;
use crate::identity::Identities;
use crate::limits::{BODY_TIME, REQUEST_TIME, SUBMISSION_BODY_TIME, SUBMISSION_TIME, UPLOAD_TIME};
use crate::reply::{self, Reply};
use crate::shield::{Shield, hurried};
use crate::web;

/// The prefix of every path.
pub const PREFIX: &str = "/api/v1";

/// What handlers share.
#[derive(Clone)]
pub(crate) struct App {
    pub(crate) engine: Engine,
    pub(crate) identities: Identities,
    pub(crate) incoming: Arc<PathBuf>,
    pub(crate) upload_bytes: u64,
    /// Places for submissions of jobs.
    pub(crate) submissions: Places,
}

impl App {
    pub(crate) fn new(engine: Engine, identities: Identities, incoming: PathBuf, upload_bytes: u64) -> Self {
        let submissions = Places::default();
        Self { engine, identities, incoming: Arc::new(incoming), upload_bytes, submissions }
    }
}

/// The REST service and the pages as a router, behind the shield that it shares with the Flight face.
pub(crate) fn router(app: App, shield: Shield) -> Router {
    let api = Router::new()
        .route("/health", get(sql::health))
        .route("/openapi.json", get(sql::api_document))
        .route("/sql", post(sql::ask))
        .route("/datasets", get(datasets::list).post(datasets::add))
        .route("/datasets/draft", post(datasets::draft))
        .route("/datasets/{name}", get(datasets::show))
        .route("/datasets/{name}/twin", get(datasets::twin))
        .route("/contracts", get(contracts::list).post(contracts::add))
        .route("/contracts/{id}", get(contracts::show))
        .route("/contracts/{id}/bill", get(contracts::bill))
        .route("/applications", get(applications::list).post(applications::add))
        .route("/applications/{id}", get(applications::show).delete(applications::withdraw))
        .route("/applications/{id}/draft", get(applications::draft))
        .route("/applications/{id}/rejection", post(applications::reject))
        .route("/budget", get(contracts::budget))
        .route("/people", get(people::list).post(people::add))
        .route("/tokens", get(people::tokens).post(people::issue_token).delete(people::revoke_token))
        .route("/tokens/{digest}", delete(people::revoke_token_by_digest))
        .route("/certificates", get(people::certificates).post(people::add_certificate))
        .route("/certificates/{digest}", delete(people::revoke_certificate))
        .route("/freezes", get(freezes::list).post(freezes::add))
        .route("/me", get(people::me));
    let rest = Router::new()
        .nest(PREFIX, api.merge(job_routes()).merge(log_routes()))
        .fallback(access::nothing_here)
        .layer(from_fn_with_state(app.clone(), access::gate))
        .with_state(app.clone());
    web::router(&app)
        // What is no page goes to the REST face, whose gate speaks first there, or is not there.
        .fallback(move |request: Request| elsewhere(rest, request))
        // Bodies are counted where they are read, each against its own limit.
        .layer(DefaultBodyLimit::disable())
        .layer(from_fn_with_state(shield, guard))
        .layer(from_fn(harden))
        .with_state(app)
}

async fn elsewhere(mut rest: Router, request: Request) -> Reply {
    if !is_rest(request.uri().path()) {
        return web::nothing_here(&request);
    }
    match rest.call(request).await {
        Ok(reply) => reply,
        Err(never) => match never {},
    }
}

/// Whether a path is the REST face's to answer.
fn is_rest(path: &str) -> bool {
    path == "/api" || path.starts_with("/api/")
}

fn job_routes() -> Router<App> {
    Router::new()
        .route("/jobs", get(jobs::list).post(jobs::submit))
        .route("/jobs/{id}", get(jobs::show).delete(jobs::cancel))
        .route("/jobs/{id}/review", get(jobs::review))
        .route("/jobs/{id}/module", get(jobs::module))
        .route("/jobs/{id}/verdicts", post(jobs::decide))
        .route("/jobs/{id}/runs", post(jobs::run))
        .route("/jobs/{id}/result", get(jobs::result))
        .route("/releases/{request}/{part}", get(releases::part))
}

fn log_routes() -> Router<App> {
    Router::new()
        .route("/log/key", get(log::key))
        .route("/log", get(log::page))
        .route("/log/proof/{leaf}", get(log::proof))
        .route("/log/decision/{leaf}", get(log::decision))
        .route("/log/consistency", get(log::consistency))
        .route("/log/checkpoint", get(log::checkpoint))
        .route("/log/tile/{*path}", get(log::tile))
}

async fn guard(State(shield): State<Shield>, request: Request, next: Next) -> Reply {
    let (sending, deadline) = deadlines_of(request.method(), request.uri().path());
    let request = hurried(request, sending);
    match shield.serve(deadline, request, |request| next.run(request)).await {
        Ok(reply) => reply,
        Err(refusal) => reply::refusal(&refusal),
    }
}

/// How long a client may take to send a request, and how long the whole of it may take.
fn deadlines_of(method: &Method, path: &str) -> (Duration, Duration) {
    match path.strip_prefix(PREFIX) {
        Some("/jobs") if *method == Method::POST => (SUBMISSION_BODY_TIME, SUBMISSION_TIME),
        Some(path) if *method == Method::POST && path.starts_with("/datasets") => (UPLOAD_TIME, UPLOAD_TIME),
        _ => (BODY_TIME, REQUEST_TIME),
    }
}

/// Headers on every answer. There is no CORS: no other site's script may read an answer.
async fn harden(request: Request, next: Next) -> Reply {
    const HEADERS: [(HeaderName, &str); 4] = [
        (CACHE_CONTROL, "no-store"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        (STRICT_TRANSPORT_SECURITY, "max-age=31536000"),
    ];
    const OF_REST: [(HeaderName, &str); 2] =
        [(REFERRER_POLICY, "no-referrer"), (CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'")];
    // A form without a referrer would come without its origin, which is looked at.
    const OF_PAGES: [(HeaderName, &str); 4] = [
        (REFERRER_POLICY, "same-origin"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (
            CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; \
             base-uri 'none'",
        ),
    ];
    let more: &[(HeaderName, &str)] = if is_rest(request.uri().path()) { &OF_REST } else { &OF_PAGES };
    let mut reply = next.run(request).await;
    for (name, value) in HEADERS.iter().chain(more) {
        reply.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    reply
}
