//! `job run`: start an approved job, and wait for its result if asked.

use std::thread::sleep;
use std::time::Duration;

use anyhow::anyhow;
use chrono::{DateTime, Utc};
use glovebox_policy::JobId;

use crate::cards::Job;
use crate::failure::Failure;
use crate::job::card;
use crate::output::{View, progress};
use crate::rest::{Reply, Rest};

/// Between two looks at a job whose instant has come.
const LOOK: Duration = Duration::from_millis(250);
/// The longest sleep, so that clocks that differ do little harm.
const LONGEST_SLEEP: Duration = Duration::from_secs(10);

/// Starts the job; with `wait`, ends when its result has left.
///
/// # Errors
/// What the server refuses; with `wait`, if the run was cut off or lost.
pub(crate) fn run(rest: &Rest, id: &JobId, wait: bool, view: &View) -> Result<(), Failure> {
    let mut reply = rest.post_bytes(&format!("/jobs/{id}/runs"), b"")?;
    if wait {
        reply = waited(rest, id, reply)?;
    }
    let job: Job = reply.read()?;
    match job.state.as_str() {
        // Who asks for a lost result is told so, in the words of every lost request.
        "lost" => rest.get(&format!("/jobs/{id}/result")).map(|_| ()),
        "interrupted" if wait => {
            Err(anyhow!("the run was cut off; `glovebox job run {id}` goes on, charged once").into())
        }
        "released" => {
            let next = format!("glovebox job result {id}");
            let page = card(&job, view).remark(format!("{}: {next}", view.words("Next", "下一步")));
            Ok(view.show(&page, &reply.text)?)
        }
        _ => Ok(view.show(&card(&job, view), &reply.text)?),
    }
}

fn waited(rest: &Rest, id: &JobId, mut reply: Reply) -> Result<Reply, Failure> {
    loop {
        let job: Job = reply.read()?;
        if job.state != "running" {
            return Ok(reply);
        }
        let left = job.result_at.as_deref().and_then(|at| DateTime::parse_from_rfc3339(at).ok());
        let left = left.and_then(|at| (at.with_timezone(&Utc) - Utc::now()).to_std().ok()).unwrap_or_default();
        progress(&format!("the result leaves in {} s …", left.as_secs()));
        sleep(left.clamp(LOOK, LONGEST_SLEEP));
        reply = rest.get(&format!("/jobs/{id}"))?;
    }
}
