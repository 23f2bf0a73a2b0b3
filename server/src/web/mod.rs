//! The pages: what a person reads in a browser, made here, in Chinese and English, with no script at all.
//!
//! INVARIANT (a page tells no more than REST): what a page shows comes from the calls of the engine that the REST face makes for
//! the same caller; the fields of a page are what may leave ([`Outbound`](crate::Outbound)), beside its frame. The table
//! [`PAGES`] names the calls, and a test compares who may make them.
//!
//! INVARIANT (text is text): every value is escaped as it is written, by the templates' compiler; no template switches that off. The
//! browser is told to run no script and to load nothing from elsewhere.
//!
//! | method and path | who | shows |
//! |---|---|---|
//! | GET `/` | everybody | who reads, and what waits for them |
//! | GET `/datasets`, `/datasets/{name}` | everybody | manifests, with synthetic rows |
//! | GET `/jobs`, `/jobs/{id}` | everybody | jobs, the page that officers sign, verdicts, results |
//! | GET `/releases/{request}/{part}` | everybody | files that prove a release |
//! | GET `/applications`, `/applications/{id}` | everybody | applications for data, with a draft contract for officers |
//! | GET `/applications/new`; POST `/applications`, `/applications/{id}/withdrawal` | analyst | writes one, takes it back |
//! | POST `/applications/{id}/rejection` | officer | says no |
//! | GET `/budget` | everybody | contracts; domains for officers and auditors |
//! | GET `/log` | officer, auditor | entries, checkpoint |
//! | GET, POST `/sign-in`; POST `/sign-out` | – | a session for a token |
//! | GET `/style.css`, `/icon.svg` | – | the looks |
//!
//! Read in this order: `access` (who may see what), `sign_in` and `cookies`, `forms` (what changes anything), `frame` (what stands
//! around a page), `language` and `texts`, `format` and `plot`, then one module per page. Templates are in `server/templates`.

pub(crate) mod access;
mod application_text;
pub(crate) mod applications;
pub(crate) mod budget;
mod cookies;
pub(crate) mod datasets;
mod format;
mod forms;
pub(crate) mod frame;
pub(crate) mod home;
pub(crate) mod jobs;
mod language;
pub(crate) mod log;
mod plot;
pub(crate) mod problem;
pub(crate) mod sign_in;
mod texts;

pub use access::{PAGES, PageAccess};

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};

use crate::http::App;
use crate::outbound::pages::{Icon, Style};
use crate::reply::{self, Reply};

pub(crate) use problem::nothing_here;

/// The pages as a router, behind their gate.
pub(crate) fn router(app: &App) -> Router<App> {
    Router::new()
        .route("/", get(home::page))
        .route("/datasets", get(datasets::list))
        .route("/datasets/{name}", get(datasets::show))
        .route("/jobs", get(jobs::list))
        .route("/jobs/{id}", get(jobs::show))
        .route("/releases/{request}/{part}", get(jobs::part))
        .route("/applications", get(applications::list).post(applications::hand_in))
        .route("/applications/new", get(applications::write))
        .route("/applications/{id}", get(applications::show))
        .route("/applications/{id}/withdrawal", post(applications::withdraw))
        .route("/applications/{id}/rejection", post(applications::reject))
        .route("/budget", get(budget::page))
        .route("/log", get(log::page))
        .route("/sign-in", get(sign_in::show).post(sign_in::enter))
        .route("/sign-out", post(sign_in::leave))
        .route("/style.css", get(style))
        .route("/icon.svg", get(icon))
        .layer(from_fn_with_state(app.clone(), access::gate))
}

async fn style() -> Reply {
    reply::file(&Style)
}

async fn icon() -> Reply {
    reply::file(&Icon)
}
