//! A job from its submission to a result that anybody can verify, and when and to whom the result leaves.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use glovebox_ledger::certificate::{self, MANIFEST_SUBJECT, MODULE_SUBJECT};
use glovebox_ledger::tlog::note::VerifierKey;
use glovebox_ledger::tlog::offline::verify_proof;
use serde_json::{Value, json};

use crate::fixture::{CANARY, CONTRACT};
use crate::jobs;
use crate::world::{Got, World, assert_clean};

/// Everything that was sent to somebody.
#[derive(Default)]
struct Sent(Vec<u8>);

impl Sent {
    fn keep(&mut self, got: Got) -> Got {
        assert_clean(&got.text);
        self.0.extend_from_slice(&got.bytes);
        got
    }

    fn holds(&self, bytes: &[u8]) -> bool {
        self.0.windows(bytes.len()).any(|window| window == bytes)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_goes_from_submission_to_a_result_that_anybody_can_verify() {
    let world = jobs::world().await;
    let token = &world.tokens.analyst;
    let mut sent = Sent::default();
    let (job, approval) = jobs::approved(&world).await;
    sent.keep(world.get(&format!("/jobs/{job}/review"), &world.tokens.officer).await);

    let started = Instant::now();
    let got = sent.keep(jobs::run(&world, token, &job).await);
    assert_eq!((got.status, got.json()["state"].as_str()), (202, Some("running")), "{got:?}");
    assert!(got.json()["result_at"].is_string());
    let card = jobs::settled(&world, &job).await;
    assert_eq!(card["state"], "released", "{card}");
    assert!(started.elapsed() >= Duration::from_millis(card["takes_ms"].as_u64().unwrap()));
    let request = card["runs"][0].as_str().unwrap();

    let first = sent.keep(world.get(&format!("/jobs/{job}/result"), token).await);
    check_result(&first, request);
    let budget = world.get("/budget", token).await.json();
    assert_eq!(jobs::run(&world, &world.tokens.analyst2, &job).await.status, 202);
    assert_eq!(jobs::settled(&world, &job).await, card, "a second run is no other run");
    let again = world.get(&format!("/jobs/{job}/result"), &world.tokens.analyst2).await;
    assert_eq!(again.bytes, first.bytes);
    assert_eq!(world.get("/budget", token).await.json(), budget, "and costs nothing");

    check_proof(&world, request, &approval, &mut sent).await;
    check_hidden(&world, &job, request).await;
    sent.keep(world.get("/jobs", token).await);
    sent.keep(world.get("/log?count=1000", &world.tokens.auditor).await);
    assert!(sent.holds(request.as_bytes()));
    assert!(!sent.holds(CANARY.as_bytes()), "raw data left");
}

fn check_result(got: &Got, request: &str) {
    assert_eq!(got.status, 200, "{got:?}");
    let result = got.json();
    let parts: BTreeSet<_> = result.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(parts, BTreeSet::from(["columns", "rows", "cost", "release"]));
    assert_eq!(result["release"], json!({ "request": request }), "nothing that tells who asked before");
    assert!(result["cost"]["rho"].as_f64().unwrap() > 0.0);
    let names: Vec<_> = result["columns"].as_array().unwrap().iter().map(|c| c["name"].as_str().unwrap()).collect();
    assert_eq!(names[..4], ["key", "years", "years_low", "years_high"]);
    assert_eq!(names[7..], ["units", "units_low", "units_high"]);
    let number = |row: usize, column: usize| result["rows"][row][column].as_f64().unwrap();
    assert_eq!((&result["rows"][0][0], &result["rows"][1][0]), (&json!("seen"), &json!("never")));
    // 150 persons with two rows each, and a note that is no number; noise has a deviation of about 25.
    for (row, column, exact) in [(0, 1, 300.0), (0, 4, 0.0), (0, 7, 150.0), (1, 1, 0.0), (1, 7, 0.0)] {
        assert!((number(row, column) - exact).abs() < 250.0, "{result}");
        assert!(number(row, column + 1) < number(row, column + 2), "{result}");
    }
}

/// Fetches the parts of the proof as the firm and verifies them with nothing but the service's key.
async fn check_proof(world: &World, request: &str, approval: &[u8], sent: &mut Sent) {
    let token = &world.tokens.analyst;
    let mut parts = Vec::new();
    for (part, kind) in [
        ("result", "application/json"),
        ("certificate", "application/json"),
        ("entry", "application/json"),
        ("proof", "text/plain; charset=utf-8"),
    ] {
        let got = sent.keep(world.get(&format!("/releases/{request}/{part}?contract=firm-visits"), token).await);
        assert_eq!((got.status, got.headers["content-type"].to_str().unwrap()), (200, kind), "{got:?}");
        assert_eq!(world.get(&format!("/releases/{request}/{part}"), &world.tokens.auditor).await.status, 200);
        parts.push(got.bytes);
    }
    let [result, envelope, entry, proof] = parts.as_slice() else { panic!("four parts") };
    let key: VerifierKey = world.get("/log/key", token).await.text.trim().parse().unwrap();
    let verified = certificate::verify(envelope, key.public_key(), result).unwrap();
    let module = jobs::module();
    verified.check_subject(MODULE_SUBJECT, &module).unwrap();
    verified.check_subject(MANIFEST_SUBJECT, jobs::manifest(&module).as_bytes()).unwrap();
    verified.check_contract(CONTRACT.as_bytes()).unwrap();
    verified.check_approval(approval).unwrap();
    verified.check_entry(entry).unwrap();
    assert_eq!(verified.certificate().request.to_string(), request);
    assert_eq!(verify_proof(proof, Some(entry), &key).unwrap().entry, *entry);

    let mut other = result.clone();
    other[10] ^= 1;
    assert!(certificate::verify(envelope, key.public_key(), &other).is_err());
    let elsewhere = world.get(&format!("/releases/{request}/result?contract=no-such"), token).await;
    assert_eq!((elsewhere.status, elsewhere.code().as_str()), (404, "not-found"));
    let wrong = world.get(&format!("/releases/{request}/result?colour=red"), token).await;
    assert_eq!(wrong.code(), "bad-request");
}

/// To another firm, the job and its release are what a job and a release are that nobody has.
async fn check_hidden(world: &World, job: &str, request: &str) {
    let token = &world.tokens.outsider;
    assert_eq!(world.get("/jobs", token).await.json(), json!({ "jobs": [] }));
    let (no_job, no_request) = ("j-0000000000000000", "0".repeat(64));
    let mut calls = vec![
        ("GET", "/jobs/{job}"),
        ("DELETE", "/jobs/{job}"),
        ("GET", "/jobs/{job}/review"),
        ("GET", "/jobs/{job}/module"),
        ("POST", "/jobs/{job}/runs"),
        ("GET", "/jobs/{job}/result"),
    ];
    for part in ["result", "certificate", "entry", "proof"] {
        calls.push(("GET", ["/releases/{request}/", part].concat().leak()));
    }
    for (method, path) in calls {
        let named = |job: &str, request: &str| path.replace("{job}", job).replace("{request}", request);
        let hidden = world.call(method, &named(job, request), token, None).await;
        let absent = world.call(method, &named(no_job, &no_request), token, None).await;
        assert_eq!((hidden.status, hidden.code().as_str()), (404, "not-found"), "{method} {path}");
        assert_eq!(hidden.text.replace(job, no_job).replace(request, &no_request), absent.text, "{method} {path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_result_leaves_at_its_instant_even_when_the_work_is_done() {
    let world = jobs::world().await;
    let (job, _) = jobs::approved(&world).await;
    let card = jobs::run(&world, &world.tokens.analyst, &job).await.json();
    assert_eq!(jobs::run(&world, &world.tokens.analyst, &job).await.json(), card, "asked again, it goes on");
    let request = card["runs"][0].as_str().unwrap().to_owned();
    let mut refused_when_done = false;
    loop {
        // What is not there when the job is looked at after the result was asked for, was not there before.
        let done = released_in_log(&world).await;
        let result = world.get(&format!("/jobs/{job}/result"), &world.tokens.analyst).await;
        let body = world.get(&format!("/releases/{request}/result"), &world.tokens.analyst).await;
        let card = world.get(&format!("/jobs/{job}"), &world.tokens.analyst).await.json();
        if card["state"] != "running" {
            assert_eq!(card["state"], "released", "{card}");
            break;
        }
        assert_eq!((result.status, result.code().as_str()), (409, "not-released"));
        assert_eq!((body.status, body.code().as_str()), (404, "not-found"));
        refused_when_done |= done;
    }
    assert!(refused_when_done, "the release was never in the log before its instant");
    assert_eq!(world.get(&format!("/jobs/{job}/result"), &world.tokens.analyst).await.status, 200);
}

async fn released_in_log(world: &World) -> bool {
    let page = world.get("/log?count=1000", &world.tokens.auditor).await.json();
    page["entries"].as_array().unwrap().iter().any(|entry: &Value| entry["kind"] == "release")
}
