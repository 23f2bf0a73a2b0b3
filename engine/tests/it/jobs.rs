//! Jobs: from submission through review to the release, and every way in which they are not run.

use std::time::{Duration, Instant};

use chrono::{TimeDelta, Utc};
use glovebox_engine::{Engine, JobCard, JobState, Review, Scalar, Table};
use glovebox_policy::approval::sign_verdict;
use glovebox_policy::{Caller, Decision, Digest, JobId, NanoEpsilon, Reason, Refusal, Role, Subjects, Verdict};

use crate::world::{World, account, ana, analyst, auditor, beta, block, officer};

/// A guest that answers with the number of a unit's rows under the first key.
const COUNTS_ROWS: &str = r#"(module
  (memory (export "memory") 1 1)
  (func (export "gbx_abi") (result i32) i32.const 1)
  (func (export "gbx_in") (result i32) i32.const 1024)
  (func (export "gbx_in_cap") (result i32) i32.const 4096)
  (func (export "gbx_out") (result i32) i32.const 8192)
  (func (export "gbx_out_cap") (result i32) i32.const 64)
  (func (export "gbx_map") (param i32) (result i32)
    (i32.store (i32.const 8192) (i32.const 0))
    (f64.store (i32.const 8200) (f64.convert_i32_u (i32.load (i32.const 1028))))
    BODY
    (i32.const 1)))"#;

pub(crate) fn module(body: &str) -> Vec<u8> {
    wat::parse_str(COUNTS_ROWS.replace("BODY", body)).unwrap()
}

pub(crate) fn manifest(module: &[u8]) -> String {
    format!(
        r#"
name = "rows"
kind = "map"
dataset = "medical.visits"
contract = "acme-visits"
purpose = "ai-research"
[module]
sha256 = "{}"
fuel = 1000
[input]
columns = ["visits", "sex"]
[output]
keys = ["seen", "odd"]
basis = "by definition"
max_rows = 1
max_keys = 1
count_units = true
default = {{ key = "odd", values = [0] }}
[[output.values]]
name = "rows"
low = 0
high = 4
step = 1
[privacy]
epsilon = 1.0
delta = 1e-9
"#,
        Digest::of(module)
    )
}

async fn submit(engine: &Engine, who: &Caller, body: &str) -> Result<JobCard, Refusal> {
    let module = module(body);
    engine.submit_job(who, manifest(&module), module).await
}

/// What an officer would sign after reading.
pub(crate) fn verdict(review: &Review, approver: &Caller) -> Verdict {
    Verdict {
        decision: Decision::Approve,
        job: review.job.clone(),
        subjects: Subjects {
            manifest: Digest::of(review.manifest.as_bytes()),
            module: Digest::of(&review.module),
            contract: review.contract_digest,
        },
        approver: approver.person.clone(),
        max_epsilon: NanoEpsilon::from_epsilon(1.0).unwrap(),
        max_executions: 1,
        execute_by: Utc::now() + TimeDelta::days(1),
        page: Digest::of(review.page.as_bytes()),
        previous_module: review.previous_module,
        reason: None,
        signed_at: Utc::now(),
    }
}

fn decide(world: &World, engine: &Engine, job: &JobId, edit: impl Fn(&mut Verdict)) -> Result<JobCard, Refusal> {
    let mut verdict = verdict(&engine.review(&officer(), job).unwrap(), &officer());
    edit(&mut verdict);
    let envelope = serde_json::to_vec(&sign_verdict(&verdict, world.key()).unwrap()).unwrap();
    engine.decide_job(&officer(), job, &envelope)
}

/// Waits until the job no longer runs.
pub(crate) async fn settled(engine: &Engine, who: &Caller, job: &JobId) -> JobState {
    let began = Instant::now();
    loop {
        match engine.job(who, job).unwrap().state {
            JobState::Running => assert!(began.elapsed() < Duration::from_secs(60), "it runs and runs"),
            state => return state,
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn run(world: &World, engine: &Engine, body: &str) -> (JobId, JobState) {
    let job = submit(engine, &ana(), body).await.unwrap().job;
    decide(world, engine, &job, |_| ()).unwrap();
    engine.start_job(&ana(), &job).await.unwrap();
    let state = settled(engine, &ana(), &job).await;
    (job, state)
}

async fn result(engine: &Engine, who: &Caller, job: &JobId) -> Result<Table, Refusal> {
    engine.job_result(who, job).await.map(|answer| answer.release().get().clone())
}

fn number(table: &Table, row: usize, column: &str) -> f64 {
    let column = table.columns.iter().position(|found| found.name == column).unwrap();
    match table.rows[row][column] {
        Scalar::Float(number) => number,
        Scalar::Int(number) => number as f64,
        ref other => panic!("{other:?}"),
    }
}

#[test]
fn a_job_goes_from_submission_to_release_and_can_be_proven() {
    let world = World::new();
    let engine = world.open();
    block(async {
        let card = submit(&engine, &ana(), "").await.unwrap();
        assert_eq!((card.state, card.name.as_str()), (JobState::Submitted, "rows"));
        assert_eq!(world.spent(), glovebox_policy::Cost::ZERO, "a review costs nothing");
        let card = decide(&world, &engine, &card.job, |_| ()).unwrap();
        assert_eq!((card.state, card.max_executions), (JobState::Approved, 1));
        assert_eq!(result(&engine, &ana(), &card.job).await.unwrap_err().reason(), Reason::NotReleased);

        let began = Instant::now();
        let started = engine.start_job(&ana(), &card.job).await.unwrap();
        assert_eq!(started.state, JobState::Running);
        assert!(started.result_at.is_some());
        assert_eq!(result(&engine, &ana(), &card.job).await.unwrap_err().reason(), Reason::NotReleased);
        assert_eq!(settled(&engine, &ana(), &card.job).await, JobState::Released);
        assert!(began.elapsed() >= Duration::from_millis(started.takes_ms), "not before its instant");

        let table = result(&engine, &ana(), &card.job).await.unwrap();
        let names: Vec<_> = table.columns.iter().map(|column| column.name.as_str()).collect();
        assert_eq!(names, ["key", "rows", "rows_low", "rows_high", "units", "units_low", "units_high"]);
        // 80 persons with one row each; the noise of one person's weight is small against that.
        assert!((number(&table, 0, "units") - 80.0).abs() < 60.0, "{table:?}");
        assert!(number(&table, 1, "units").abs() < 60.0, "{table:?}");
        assert_eq!(table.rows.len(), 2, "every declared key, always");

        let request = engine.job(&ana(), &card.job).unwrap().runs[0];
        let proof = engine.release_proof(&ana(), request, None).unwrap();
        assert!(!proof.certificate.is_empty() && !proof.proof.is_empty());
        assert_eq!(engine.release_proof(&beta(), request, None).unwrap_err().reason(), Reason::NotFound);
        assert!(engine.release_proof(&auditor(), request, None).is_ok());
        let costs = world.spent();

        // The same job on the same snapshot: the stored release, and nothing more to pay.
        engine.start_job(&ana(), &card.job).await.unwrap();
        assert_eq!(settled(&engine, &ana(), &card.job).await, JobState::Released);
        assert_eq!(result(&engine, &ana(), &card.job).await.unwrap(), table);
        assert_eq!(world.spent(), costs);
    });
    world.audit(0);
}

#[test]
fn what_goes_wrong_in_a_guest_is_the_default_row_and_nothing_else() {
    for body in ["unreachable", "(loop $spin (br $spin))", "(f64.store (i32.const 8200) (f64.const nan))"] {
        let world = World::new();
        let engine = world.open();
        block(async {
            let (job, state) = run(&world, &engine, body).await;
            assert_eq!(state, JobState::Released, "{body}");
            let table = result(&engine, &ana(), &job).await.unwrap();
            assert!((number(&table, 1, "units") - 80.0).abs() < 60.0, "{body}: {table:?}");
        });
        world.audit(0);
    }
}

/// A change of what an officer signs, with a digest of something else.
type Edit = fn(&mut Verdict, Digest);

#[test]
fn nothing_runs_without_a_standing_approval() {
    let world = World::new();
    let engine = world.open();
    block(async {
        let refused = |outcome: Result<JobCard, Refusal>| outcome.unwrap_err().reason();
        let job = submit(&engine, &ana(), "").await.unwrap().job;
        assert_eq!(refused(engine.start_job(&ana(), &job).await), Reason::ApprovalMissing);
        assert_eq!(refused(engine.start_job(&beta(), &job).await), Reason::NotFound);
        assert_eq!(refused(engine.job(&beta(), &job)), Reason::NotFound);
        assert_eq!(refused(engine.start_job(&officer(), &job).await), Reason::RoleForbidden);
        assert_eq!(refused(engine.decide_job(&ana(), &job, b"{}")), Reason::RoleForbidden);
        assert_eq!(refused(engine.decide_job(&officer(), &job, b"{}")), Reason::SignatureInvalid);

        // Each of these is signed well and is about something else than what the officer should have read.
        let other = Digest::of(b"another");
        let edits: [(&str, Edit); 9] = [
            ("request", |verdict, _| verdict.job = "j-0000000000000000".parse().unwrap()),
            ("job", |verdict, other| verdict.subjects.manifest = other),
            ("code", |verdict, other| verdict.subjects.module = other),
            ("contract", |verdict, other| verdict.subjects.contract = other),
            ("statementSeen", |verdict, other| verdict.page = other),
            ("codeDiffFrom", |verdict, other| verdict.previous_module = Some(other)),
            ("maxEpsNano", |verdict, _| verdict.max_epsilon = NanoEpsilon::from_epsilon(0.5).unwrap()),
            ("maxExecutions", |verdict, _| verdict.max_executions = 2),
            ("executeBy", |verdict, _| verdict.execute_by = Utc::now() + TimeDelta::days(400)),
        ];
        for (what, edit) in edits {
            let refusal = decide(&world, &engine, &job, |verdict| edit(verdict, other)).unwrap_err();
            assert_eq!((refusal.reason(), refusal.quotation()), (Reason::ApprovalInvalid, Some(what)));
        }
        assert_eq!(engine.job(&ana(), &job).unwrap().state, JobState::Submitted);

        let rejected = decide(&world, &engine, &job, |verdict| {
            verdict.decision = Decision::Reject;
            verdict.reason = Some("reads more than it needs".to_owned());
        });
        let card = rejected.unwrap();
        assert_eq!(card.state, JobState::Rejected);
        assert_eq!(card.verdicts[0].reason.as_deref(), Some("reads more than it needs"));
        assert_eq!(refused(decide(&world, &engine, &job, |_| ())), Reason::JobClosed);
        assert!(engine.start_job(&ana(), &job).await.is_err());
        assert_eq!(world.spent(), glovebox_policy::Cost::ZERO);
    });
    world.audit(0);
}

#[test]
fn nobody_of_the_firm_decides_on_its_request() {
    let world = World::new();
    let engine = world.open();
    let inside = Caller { role: Role::Officer, ..analyst("insider", "acme") };
    engine.add_person(&officer(), &account(&inside)).unwrap();
    block(async {
        let job = submit(&engine, &ana(), "").await.unwrap().job;
        let refusal = engine.decide_job(&inside, &job, b"{}").unwrap_err();
        assert_eq!(refusal.reason(), Reason::OwnRequest);
    });
    world.audit(0);
}

#[test]
fn a_job_is_called_back_by_its_firm_alone_and_then_closed() {
    let world = World::new();
    let engine = world.open();
    block(async {
        let job = submit(&engine, &ana(), "").await.unwrap().job;
        assert_eq!(engine.cancel_job(&beta(), &job).unwrap_err().reason(), Reason::NotFound);
        assert_eq!(engine.cancel_job(&ana(), &job).unwrap().state, JobState::Cancelled);
        assert_eq!(decide(&world, &engine, &job, |_| ()).unwrap_err().reason(), Reason::JobClosed);
    });
    world.audit(0);
}

#[test]
fn what_could_never_run_is_refused_at_submission() {
    let world = World::new();
    let engine = world.open();
    let good = module("");
    let text = manifest(&good);
    let edit = |from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        text.replacen(from, to, 1)
    };
    let cases = [
        (text.clone(), module("(drop (i32.const 7))"), Reason::ModuleInvalid),
        (edit("kind = \"map\"", "kind = \"block\""), good.clone(), Reason::JobManifestInvalid),
        (edit("medical.visits", "medical.nothing"), good.clone(), Reason::TableUnknown),
        (edit("acme-visits", "beta-visits"), good.clone(), Reason::ContractUnknown),
        (edit("acme-visits", "nobody-visits"), good.clone(), Reason::ContractUnknown),
        (edit("\"sex\"]", "\"age\"]"), good.clone(), Reason::ColumnUnknown),
        (edit("\"sex\"]", "\"person\"]"), good.clone(), Reason::NotPermitted),
        (edit("ai-research", "public-statistics"), good.clone(), Reason::NotPermitted),
        (edit("epsilon = 1.0", "epsilon = 2.0"), good.clone(), Reason::EpsilonAboveCap),
        (edit("fuel = 1000", "fuel = 1000000000"), good.clone(), Reason::JobTooExpensive),
    ];
    block(async {
        for (manifest, module, reason) in cases {
            let refusal = engine.submit_job(&ana(), manifest.clone(), module).await.unwrap_err();
            assert_eq!(refusal.reason(), reason, "{refusal}\n{manifest}");
        }
        let bytes = b"\0asm nonsense".to_vec();
        let nonsense = engine.submit_job(&ana(), manifest(&bytes), bytes).await.unwrap_err();
        assert_eq!(nonsense.reason(), Reason::ModuleInvalid);
        assert_eq!(engine.submit_job(&officer(), text, good).await.unwrap_err().reason(), Reason::RoleForbidden);
        assert!(engine.jobs(&ana()).unwrap().is_empty());
    });
    world.audit(0);
}

/// Without its rows the job cannot be done: charged, lost at its instant, counted.
#[test]
fn a_job_that_cannot_be_finished_is_lost_at_its_instant() {
    let world = World::new();
    let engine = world.open();
    block(async {
        let job = submit(&engine, &ana(), "").await.unwrap().job;
        decide(&world, &engine, &job, |_| ()).unwrap();
        std::fs::remove_file(world.path("state/catalog/medical.visits/data.parquet")).unwrap();
        let began = Instant::now();
        let card = engine.start_job(&ana(), &job).await.unwrap();
        assert_eq!(settled(&engine, &ana(), &job).await, JobState::Lost);
        assert!(began.elapsed() >= Duration::from_millis(card.takes_ms));
        assert_eq!(result(&engine, &ana(), &job).await.unwrap_err(), Refusal::new(Reason::Lost));
        assert_eq!(world.logged(["charge", "release", "lost", "certificate"]), [1, 0, 1, 0]);
    });
    world.audit(1);
}

/// A second version is compared with the one that was approved.
#[test]
fn the_page_shows_what_differs_from_the_version_approved_last() {
    let world = World::new();
    let engine = world.open();
    block(async {
        let first = submit(&engine, &ana(), "").await.unwrap().job;
        assert!(engine.review(&officer(), &first).unwrap().page.contains("no job of this name was approved before"));
        decide(&world, &engine, &first, |_| ()).unwrap();
        let second = submit(&engine, &ana(), "(drop (i32.const 7))").await.unwrap().job;
        let review = engine.review(&officer(), &second).unwrap();
        assert_eq!(review.previous_module, Some(Digest::of(&module(""))));
        assert!(review.page.contains(first.as_str()), "{}", review.page);
        assert!(review.page.contains("other bytes"), "{}", review.page);
        decide(&world, &engine, &second, |_| ()).unwrap();
    });
    world.audit(0);
}

/// Which jobs count as waiting is the ledger's to test.
#[test]
fn a_firm_at_its_limit_of_waiting_jobs_is_told_so() {
    let world = World::new();
    let engine = world.open();
    block(async {
        let mut last = None;
        for _ in 0..16 {
            last = Some(submit(&engine, &ana(), "").await.unwrap().job);
        }
        let refusal = submit(&engine, &ana(), "").await.unwrap_err();
        assert_eq!((refusal.reason(), refusal.quotation()), (Reason::JobsWaiting, Some("acme")));
        engine.cancel_job(&ana(), &last.unwrap()).unwrap();
        submit(&engine, &ana(), "").await.unwrap();
    });
    world.audit(0);
}
