//! `request`: what waits for an officer, the page that is signed, and the signing, here where the key is.

mod evidence;

use anyhow::{Context as _, anyhow};
use chrono::{DateTime, SubsecRound as _, TimeDelta, Utc};
use glovebox_policy::approval::sign_verdict;
use glovebox_policy::{Decision, Digest, JobId, Verdict};
use ring::signature::Ed25519KeyPair;
use serde_json::{Value, json};

use crate::args::{Request as Action, Sign};
use crate::cards::{Job, Jobs, Me};
use crate::failure::Failure;
use crate::job::{card, listing};
use crate::output::{Page, View, print};
use crate::rest::Rest;
use crate::{officer_key, private_file};
use evidence::Evidence;

/// What an officer decides.
struct Choice {
    decision: Decision,
    executions: Option<u32>,
    days: Option<u32>,
    reason: Option<String>,
}

/// Carries out one action.
///
/// # Errors
/// What the server refuses, if what it tells does not fit together, or if a file or the server cannot be had.
pub(crate) fn run(action: Action, view: &View) -> Result<(), Failure> {
    match action {
        Action::List { at } => list(&Rest::to(&at)?, view),
        Action::Show { id, at } => show(&Rest::to(&at)?, &id, view),
        Action::Approve { sign, executions, days } => {
            decide(&sign, Choice { decision: Decision::Approve, executions, days, reason: None }, view)
        }
        Action::Reject { sign, reason } => {
            let choice = Choice { decision: Decision::Reject, executions: None, days: None, reason: Some(reason) };
            decide(&sign, choice, view)
        }
    }
}

fn list(rest: &Rest, view: &View) -> Result<(), Failure> {
    let reply = rest.get("/jobs")?;
    let mut list: Jobs = reply.read()?;
    let mut json: Value = reply.read()?;
    list.jobs.retain(|job| job.state == "submitted");
    if let Some(jobs) = json.get_mut("jobs").and_then(Value::as_array_mut) {
        jobs.retain(|job| job.get("state").and_then(Value::as_str) == Some("submitted"));
    }
    Ok(view.show(&Page::of(listing(&list.jobs, view)), &json.to_string())?)
}

fn show(rest: &Rest, id: &JobId, view: &View) -> Result<(), Failure> {
    let evidence = Evidence::fetch(rest, id)?;
    let Evidence { review, subjects, .. } = &evidence;
    if view.is_json() {
        let json = json!({
            "job": review.job,
            "page": review.page,
            "page_sha256": evidence.page,
            "manifest_sha256": subjects.manifest,
            "module_sha256": subjects.module,
            "contract_sha256": subjects.contract,
            "previous_module": review.previous_module,
            "epsilon_nano": review.epsilon_nano,
            "executions": review.executions,
            "execute_by_unix_s": review.execute_by_unix_s,
        });
        return Ok(view.show(&Page::default(), &json.to_string())?);
    }
    print(&format!("{}\n", review.page))?;
    let page = evidence.facts(view).remark(view.words(
        "Computed here from the bytes that the server sent; an approval signs these four.",
        "以上摘要由本机根据服务器发来的字节算出；批准即签署这四项。",
    ));
    Ok(view.show(&page, "")?)
}

fn decide(sign: &Sign, choice: Choice, view: &View) -> Result<(), Failure> {
    let key = officer_key::read(&sign.key)?;
    let rest = Rest::to(&sign.at)?;
    let me: Me = rest.get("/me")?.read()?;
    let evidence = Evidence::fetch(&rest, &sign.id)?;
    if sign.page.is_some_and(|page| page != evidence.page) {
        let found = evidence.page;
        return Err(anyhow!("the page is now another one (sha256 {found}); read it again with `request show`").into());
    }
    if !view.is_json() {
        print(&format!("{}\n", evidence.review.page))?;
    }
    let envelope = signed(&evidence, choice, me, &key)?;
    // The file is made first: a verdict that was sent and not kept could not be shown to anybody.
    if let Some(path) = &sign.out {
        private_file::write_new_public(path, &envelope)?;
    }
    let sent = rest.post_bytes(&format!("/jobs/{}/verdicts", sign.id), &envelope);
    if let (Err(Failure::Refused(_)), Some(path)) = (&sent, &sign.out) {
        let _ = std::fs::remove_file(path);
    }
    let reply = sent?;
    let job: Job = reply.read()?;
    let digest = Digest::of(&envelope);
    let mut page = card(&job, view).fact(view.words("signed sha256", "签署信封 sha256"), digest);
    if let Some(path) = &sign.out {
        page = page.fact(view.words("envelope", "信封"), path.display());
    }
    let card: Value = reply.read()?;
    let json = json!({ "job": card, "page_sha256": evidence.page, "envelope_sha256": digest, "envelope": sign.out });
    Ok(view.show(&page, &json.to_string())?)
}

/// The envelope's bytes.
fn signed(evidence: &Evidence, choice: Choice, me: Me, key: &Ed25519KeyPair) -> Result<Vec<u8>, Failure> {
    let review = &evidence.review;
    let now = Utc::now().trunc_subsecs(0);
    let latest = DateTime::from_timestamp(review.execute_by_unix_s, 0);
    let latest = latest.context("the server names no instant until which the job may be run")?;
    let wanted = choice.days.map(|days| now + TimeDelta::days(i64::from(days)));
    if let Some(wanted) = wanted.filter(|wanted| *wanted > latest) {
        return Err(Failure::Usage(format!("--days reaches to {wanted}; the service allows until {latest}")));
    }
    if let Some(more) = choice.executions.filter(|executions| *executions > review.executions) {
        return Err(Failure::Usage(format!("--executions {more}: the job asks for {} only", review.executions)));
    }
    let verdict = Verdict {
        decision: choice.decision,
        job: review.job.clone(),
        subjects: evidence.subjects,
        approver: me.person,
        max_epsilon: evidence.epsilon,
        max_executions: choice.executions.unwrap_or(review.executions),
        execute_by: wanted.unwrap_or(latest),
        page: evidence.page,
        previous_module: review.previous_module,
        reason: choice.reason,
        signed_at: now,
    };
    let envelope = sign_verdict(&verdict, key)?;
    Ok(serde_json::to_vec(&envelope).context("the envelope cannot be written")?)
}
