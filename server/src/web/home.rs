//! The first page: who reads, and what waits for them.

use askama::Template;
use axum::Extension;
use axum::extract::State;
use glovebox_engine::{ApplicationCard, JobCard, JobState};
use glovebox_policy::{Caller, Reason, Refusal, Role};

use super::frame::Frame;
use crate::blocking;
use crate::http::App;
use crate::limits::WAITING_JOBS;
use crate::reply::Reply;

/// The page.
#[derive(Template)]
#[template(path = "home.html")]
pub(crate) struct Home {
    frame: Frame,
    reader: Caller,
    jobs: Vec<JobCard>,
    applications: Vec<ApplicationCard>,
}

impl Home {
    fn lead(&self) -> &'static str {
        if self.frame.is_officer() { self.frame.t.waiting_officer } else { self.frame.t.waiting_analyst }
    }

    fn may(&self) -> &'static str {
        match self.reader.role {
            Role::Analyst => self.frame.t.may_analyst,
            Role::Officer => self.frame.t.may_officer,
            Role::Auditor => self.frame.t.may_auditor,
        }
    }
}

/// Whether a job waits for this person: an officer's verdict is due on what other organisations submitted and this officer
/// did not decide on yet; a firm looks after what is not at its end.
fn waits(job: &JobCard, caller: &Caller) -> bool {
    match caller.role {
        Role::Officer => {
            let decided = job.verdicts.iter().any(|verdict| verdict.person == caller.person);
            job.state == JobState::Submitted && job.org != caller.org && !decided
        }
        Role::Analyst => {
            matches!(job.state, JobState::Submitted | JobState::Approved | JobState::Running | JobState::Interrupted)
        }
        Role::Auditor => false,
    }
}

/// Whether an application waits for this officer's answer.
fn asks(application: &ApplicationCard, caller: &Caller) -> bool {
    caller.role == Role::Officer && application.status == "waiting" && application.org != caller.org
}

/// Makes the page.
pub(crate) async fn page(State(app): State<App>, Extension(frame): Extension<Frame>) -> Reply {
    let made = make(app, frame.clone()).await;
    frame.answer(made)
}

async fn make(app: App, frame: Frame) -> Result<Home, Refusal> {
    let reader = frame.caller.clone().ok_or(Reason::Unauthenticated)?;
    let asker = reader.clone();
    let (mut jobs, mut applications) =
        blocking(move || Ok((app.engine.jobs(&asker)?, app.engine.applications(&asker)?))).await?;
    applications.retain(|application| asks(application, &reader));
    applications.truncate(WAITING_JOBS);
    jobs.retain(|job| waits(job, &reader));
    jobs.truncate(WAITING_JOBS);
    Ok(Home { frame, reader, jobs, applications })
}
