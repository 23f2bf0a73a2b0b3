//! Jobs under a contract of the class `high`: nobody learns from the engine what the first officer said.

use glovebox_engine::{Engine, JobCard, JobState};
use glovebox_policy::approval::sign_verdict;
use glovebox_policy::{Caller, Decision, JobId, Reason, Refusal, Verdict};
use ring::signature::Ed25519KeyPair;

use crate::jobs::{manifest, module, settled, verdict};
use crate::world::{World, analyst, auditor, block, officer, second_officer};

fn dan() -> Caller {
    analyst("dan", "delta")
}

async fn submit(engine: &Engine, body: &str) -> JobId {
    let module = module(body);
    let text = manifest(&module).replace("acme-visits", "delta-visits");
    engine.submit_job(&dan(), text, module).await.unwrap().job
}

fn vote(
    engine: &Engine,
    who: &Caller,
    key: &Ed25519KeyPair,
    job: &JobId,
    edit: impl Fn(&mut Verdict),
) -> Result<JobCard, Refusal> {
    let mut verdict = verdict(&engine.review(who, job).unwrap(), who);
    edit(&mut verdict);
    engine.decide_job(who, job, &serde_json::to_vec(&sign_verdict(&verdict, key).unwrap()).unwrap())
}

fn no(verdict: &mut Verdict) {
    verdict.decision = Decision::Reject;
    verdict.reason = Some("unclear".to_owned());
}

#[test]
fn two_officers_approve_and_the_job_runs() {
    let world = World::new();
    let engine = world.open();
    let second = world.risky_contract(&engine, "delta");
    block(async {
        let job = submit(&engine, "").await;
        assert!(engine.review(&officer(), &job).unwrap().page.contains("two officers"));
        let card = vote(&engine, &officer(), world.key(), &job, |_| ()).unwrap();
        assert_eq!((card.state, card.officers, card.max_executions), (JobState::Submitted, 2, 0));
        let again = vote(&engine, &officer(), world.key(), &job, |_| ()).unwrap_err();
        assert_eq!(again.reason(), Reason::AlreadyDecided);
        let card = vote(&engine, &second_officer(), &second, &job, |_| ()).unwrap();
        assert_eq!((card.state, card.verdicts.len(), card.max_executions), (JobState::Approved, 2, 1));
        engine.start_job(&dan(), &job).await.unwrap();
        assert_eq!(settled(&engine, &dan(), &job).await, JobState::Released);
        assert_eq!(engine.job_result(&dan(), &job).await.unwrap().release().get().rows.len(), 2);
    });
    world.audit(0);
}

/// Everything that anybody can ask of the engine about a job while one of two officers has decided is the same whether
/// that one said yes or no.
#[test]
fn until_both_have_decided_yes_and_no_look_alike() {
    let seen = |reject: bool| {
        let world = World::new();
        let engine = world.open();
        let _second = world.risky_contract(&engine, "delta");
        let mut seen = Vec::new();
        block(async {
            let job = submit(&engine, "").await;
            let edit = |verdict: &mut Verdict| {
                if reject {
                    no(verdict)
                }
            };
            vote(&engine, &officer(), world.key(), &job, edit).unwrap();
            let later = submit(&engine, "(drop (i32.const 1))").await;
            for who in [dan(), officer(), second_officer(), auditor()] {
                let card = engine.job(&who, &job).unwrap();
                assert!(card.verdicts.is_empty(), "{who:?}");
                seen.push(serde_json::to_string(&serde_json::to_value(card).unwrap()).unwrap());
                seen.extend(engine.jobs(&who).unwrap().iter().map(|card| serde_json::to_string(card).unwrap()));
                let review = engine.review(&who, &job).unwrap();
                seen.push(review.page);
                // What was approved last is shown beside a later job of the same name.
                seen.push(engine.review(&who, &later).unwrap().page);
            }
            seen.push(engine.start_job(&dan(), &job).await.unwrap_err().english());
            seen.push(engine.job_result(&dan(), &job).await.unwrap_err().english());
            // Names of jobs are random, and so are times; digests of envelopes are not shown at all.
            let (job, later) = (job.to_string(), later.to_string());
            seen = seen.iter().map(|text| plain(&text.replace(&job, "JOB").replace(&later, "LATER"))).collect();
        });
        seen
    };
    assert_eq!(seen(false), seen(true));
}

/// Digits apart, which hold times and, in digests, what depends on them.
fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_ascii_digit()).collect()
}

#[test]
fn one_no_is_a_no() {
    let world = World::new();
    let engine = world.open();
    let second = world.risky_contract(&engine, "delta");
    block(async {
        for first in [true, false] {
            let job = submit(&engine, "").await;
            vote(&engine, &second_officer(), &second, &job, |verdict| {
                if first {
                    no(verdict)
                }
            })
            .unwrap();
            let card = vote(&engine, &officer(), world.key(), &job, |verdict| {
                if !first {
                    no(verdict)
                }
            })
            .unwrap();
            assert_eq!(card.state, JobState::Rejected);
            assert_eq!(card.verdicts.iter().filter(|verdict| verdict.reason.is_some()).count(), 1);
            assert_eq!(engine.start_job(&dan(), &job).await.unwrap_err().reason(), Reason::JobClosed);
        }
    });
    world.audit(0);
}
