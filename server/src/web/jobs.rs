//! Jobs: the list, and one job with its review and, for the firm that asked, its result.

use askama::Template;
use axum::Extension;
use axum::extract::{Path, State};
use glovebox_engine::{JobAnswer, JobCard, JobState, Review};
use glovebox_policy::{Caller, ContractId, Digest, JobId, Reason, Refusal};
use serde::Deserialize;

use super::access::rest_gives;
use super::format;
use super::frame::Frame;
use super::plot::Family;
use crate::blocking;
use crate::http::App;
use crate::http::read::{self, PathText, PathTexts, QueryOf};
use crate::limits::LISTED_JOBS;
use crate::outbound::jobs::{ProofFile, ProofPart};
use crate::reply::{self, Reply};

/// All jobs that the reader may see, a part at a time.
#[derive(Template)]
#[template(path = "jobs.html")]
pub(crate) struct Jobs {
    frame: Frame,
    cards: Vec<JobCard>,
    /// Where the part with newer ones starts.
    newer: Option<usize>,
    /// Where the part with older ones starts.
    older: Option<usize>,
}

/// One job.
#[derive(Template)]
#[template(path = "job.html")]
pub(crate) struct Job {
    frame: Frame,
    card: JobCard,
    /// What an officer reads; a refusal where it can no longer be made.
    review: Result<Review, Refusal>,
    /// The released table; nothing where there is none or the reader may not have it.
    result: Option<Result<JobAnswer, Refusal>>,
}

impl Job {
    fn is_released(&self) -> bool {
        self.card.state == JobState::Released
    }

    /// The digest that an approval signs beside those of the stored bytes.
    fn page_digest(review: &Review) -> Digest {
        Digest::of(review.page.as_bytes())
    }

    /// Whether this officer's verdict is due.
    fn is_to_decide(&self) -> bool {
        let own = self.frame.caller.as_ref().is_none_or(|caller| caller.org == self.card.org);
        let decided = self.frame.caller.as_ref().is_some_and(|caller| self.has_decided(caller));
        self.frame.is_officer() && self.card.state == JobState::Submitted && !own && !decided
    }

    fn has_decided(&self, caller: &Caller) -> bool {
        self.card.verdicts.iter().any(|verdict| verdict.person == caller.person)
    }

    fn is_to_run(&self) -> bool {
        self.frame.is_analyst() && matches!(self.card.state, JobState::Approved | JobState::Interrupted)
    }

    fn takes(&self) -> String {
        format::seconds(self.card.takes_ms)
    }

    fn families(answer: &JobAnswer) -> Vec<Family> {
        Family::all(answer.release().get())
    }

    fn parts() -> [(&'static str, &'static str); 4] {
        [
            ("result", "result.json"),
            ("certificate", "result.dsse.json"),
            ("entry", "result.entry.json"),
            ("proof", "result.tlog-proof"),
        ]
    }

    fn part_text(&self, part: &str) -> &'static str {
        let t = self.frame.t;
        match part {
            "result" => t.proof_result,
            "certificate" => t.proof_certificate,
            "entry" => t.proof_entry,
            _ => t.proof_inclusion,
        }
    }
}

/// Which part of the list.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListQuery {
    #[serde(default)]
    start: usize,
    #[serde(rename = "lang")]
    _lang: Option<String>,
}

/// Makes the list.
pub(crate) async fn list(
    State(app): State<App>,
    Extension(frame): Extension<Frame>,
    Extension(caller): Extension<Caller>,
    query: QueryOf<ListQuery>,
) -> Reply {
    let made = async {
        let start = read::query(query)?.start;
        let all = blocking(move || app.engine.jobs(&caller)).await?;
        let end = start.saturating_add(LISTED_JOBS);
        let (newer, older) = ((start > 0).then(|| start.saturating_sub(LISTED_JOBS)), (end < all.len()).then_some(end));
        let cards = all.into_iter().skip(start).take(LISTED_JOBS).collect();
        Ok(Jobs { frame: frame.clone(), cards, newer, older })
    };
    let made = made.await;
    frame.answer(made)
}

/// Makes the page of one.
pub(crate) async fn show(
    State(app): State<App>,
    Extension(frame): Extension<Frame>,
    Extension(caller): Extension<Caller>,
    id: PathText,
) -> Reply {
    let made = make(app, frame.clone(), caller, id).await;
    frame.answer(made)
}

async fn make(app: App, frame: Frame, caller: Caller, id: PathText) -> Result<Job, Refusal> {
    let id: JobId = read::path(id)?;
    let (engine, asker, job) = (app.engine.clone(), caller.clone(), id.clone());
    let (card, review) = blocking(move || {
        let card = engine.job(&asker, &job)?;
        Ok((card, engine.review(&asker, &job)))
    })
    .await?;
    let may_have = card.state == JobState::Released && rest_gives("/jobs/{id}/result", caller.role);
    let result = if may_have { Some(app.engine.job_result(&caller, &id).await) } else { None };
    Ok(Job { frame, card, review, result })
}

/// Whose certificate.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PartQuery {
    contract: Option<ContractId>,
}

/// One part of what proves a release, as a file.
pub(crate) async fn part(
    State(app): State<App>,
    Extension(frame): Extension<Frame>,
    Extension(caller): Extension<Caller>,
    texts: PathTexts,
    query: QueryOf<PartQuery>,
) -> Reply {
    let made = async {
        let Path((request, part)) = texts.map_err(|_| Reason::NotFound)?;
        let (request, part): (Digest, ProofPart) = (read::named(&request)?, read::named(&part)?);
        let PartQuery { contract } = read::query(query)?;
        let proof = blocking(move || app.engine.release_proof(&caller, request, contract.as_ref())).await?;
        Ok::<_, Refusal>(ProofFile { proof, part })
    };
    match made.await {
        Ok(file) => reply::file(&file),
        Err(refusal) => frame.problem(refusal),
    }
}
