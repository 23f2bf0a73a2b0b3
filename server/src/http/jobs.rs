//! Jobs: submitted by analysts, read and decided on by officers, run and fetched by analysts.
//!
//! Whose job it is, and what may be done with it now, is decided by the engine.

use axum::Extension;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use glovebox_policy::{Caller, JobId, Reason};

use super::read::PathText;
use super::{App, read, upload};
use crate::blocking;
use crate::outbound::Listing;
use crate::outbound::jobs::ModuleFile;
use crate::reply::{self, Refused, Reply};

/// The jobs that the caller may see, newest first.
pub(crate) async fn list(State(app): State<App>, Extension(caller): Extension<Caller>) -> Result<Reply, Refused> {
    let items = blocking(move || app.engine.jobs(&caller)).await?;
    Ok(reply::ok(&Listing { name: "jobs", items }))
}

/// A new job, with its code.
pub(crate) async fn submit(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Result<Reply, Refused> {
    let Some(_place) = app.submissions.take(&caller) else {
        read::thrown_away(request).await;
        return Err(Reason::Busy.into());
    };
    let upload::Submission { manifest, module } = upload::submission(request).await?;
    let card = app.engine.submit_job(&caller, manifest, module).await?;
    Ok(reply::json(StatusCode::CREATED, &card))
}

/// One job that the caller may see; one that the caller may not see is not there.
pub(crate) async fn show(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    id: PathText,
) -> Result<Reply, Refused> {
    let id: JobId = read::path(id)?;
    let card = blocking(move || app.engine.job(&caller, &id)).await?;
    Ok(reply::ok(&card))
}

/// Calls a job back.
pub(crate) async fn cancel(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    id: PathText,
) -> Result<Reply, Refused> {
    let id: JobId = read::path(id)?;
    let card = blocking(move || app.engine.cancel_job(&caller, &id)).await?;
    Ok(reply::ok(&card))
}

/// What an officer reads and signs.
pub(crate) async fn review(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    id: PathText,
) -> Result<Reply, Refused> {
    let id: JobId = read::path(id)?;
    let review = blocking(move || app.engine.review(&caller, &id)).await?;
    Ok(reply::ok(&review))
}

/// The code of a job, to be hashed and looked at by whoever reviews it.
pub(crate) async fn module(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    id: PathText,
) -> Result<Reply, Refused> {
    let id: JobId = read::path(id)?;
    let module = blocking(move || app.engine.job_module(&caller, &id)).await?;
    Ok(reply::file(&ModuleFile(module)))
}

/// A signed verdict.
pub(crate) async fn decide(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    id: PathText,
    request: Request,
) -> Result<Reply, Refused> {
    let envelope = read::bytes(request).await?;
    let id: JobId = read::path(id)?;
    let card = blocking(move || app.engine.decide_job(&caller, &id, &envelope)).await?;
    Ok(reply::json(StatusCode::CREATED, &card))
}

/// Starts an approved job. The card says when its result leaves.
pub(crate) async fn run(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    id: PathText,
) -> Result<Reply, Refused> {
    let id: JobId = read::path(id)?;
    let card = app.engine.start_job(&caller, &id).await?;
    Ok(reply::json(StatusCode::ACCEPTED, &card))
}

/// The result of the latest run.
pub(crate) async fn result(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    id: PathText,
) -> Result<Reply, Refused> {
    let id: JobId = read::path(id)?;
    let answer = app.engine.job_result(&caller, &id).await?;
    Ok(reply::ok(&answer))
}
