//! Jobs for the tests: a tiny guest, its manifest, an officer's signature, and the way to a result.

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use chrono::DateTime;
use glovebox_policy::approval::sign_verdict;
use glovebox_policy::{Decision, Digest, NanoEpsilon, Subjects, Verdict};
use ring::signature::Ed25519KeyPair;
use serde_json::Value;

use crate::fixture::CONTRACT;
use crate::rest::multipart;
use crate::world::{Got, World};

/// Emits one row for each unit: its number of rows, and the first eight bytes of the unit's first note, as they are.
pub(crate) const GUEST: &str = r#"(module
  (memory (export "memory") 1 1)
  (func (export "gbx_abi") (result i32) i32.const 1)
  (func (export "gbx_in") (result i32) i32.const 1024)
  (func (export "gbx_in_cap") (result i32) i32.const 2048)
  (func (export "gbx_out") (result i32) i32.const 4096)
  (func (export "gbx_out_cap") (result i32) i32.const 64)
  (func (export "gbx_map") (param i32) (result i32)
    (i32.store (i32.const 4096) (i32.const 0))
    (f64.store (i32.const 4104) (f64.convert_i32_u (i32.load (i32.const 1028))))
    (f64.store (i32.const 4112) (f64.load (i32.add (i32.const 1024) (i32.load (i32.const 1092)))))
    i32.const 1))"#;

/// The manifest of a job for [`GUEST`], with a place for the module's digest.
const JOB: &str = r#"
name = "years"
kind = "map"
dataset = "medical.visits"
contract = "firm-visits"
purpose = "ai-research"

[module]
sha256 = "MODULE"
fuel = 100_000

[input]
columns = ["year", "note"]

[output]
keys = ["seen", "never"]
basis = "by definition"
max_rows = 1
max_keys = 1
count_units = true
default = { key = "never", values = [0, 0] }

[[output.values]]
name = "years"
low = 0
high = 3
step = 1

[[output.values]]
name = "leak"
low = 0
high = 1
step = 1

[privacy]
epsilon = 1.0
delta = 1e-9
"#;

/// The guest's module.
pub(crate) fn module() -> Vec<u8> {
    wat::parse_str(GUEST).unwrap()
}

/// The manifest of a job with this module.
pub(crate) fn manifest(module: &[u8]) -> String {
    JOB.replace("MODULE", &Digest::of(module).to_string())
}

/// The worker of this workspace, beside the directory of this test's executable; built when it is missing.
fn worker() -> &'static PathBuf {
    static WORKER: OnceLock<PathBuf> = OnceLock::new();
    WORKER.get_or_init(|| {
        let here = std::env::current_exe().unwrap();
        let path = here.parent().unwrap().parent().unwrap().join("glovebox-worker");
        if !path.exists() {
            let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
            let built = Command::new(cargo).args(["build", "--quiet", "-p", "glovebox-worker"]).status().unwrap();
            assert!(built.success() && path.exists(), "glovebox-worker cannot be built");
        }
        path
    })
}

/// An install that runs jobs, with time to spare for a worker without optimisation on a busy machine.
pub(crate) async fn world() -> World {
    let worker = tokio::task::spawn_blocking(worker).await.unwrap();
    World::start_with(format!(
        "[release]\ntick_ms = 5\nfloor_ms = 8000\nsteps_per_second = 1000000\n[limits]\nthreads = 8\n\
         [sandbox]\nworker = {worker:?}\n"
    ))
    .await
}

/// Hands a job in.
pub(crate) async fn submit(world: &World, token: &str, manifest: &[u8], module: &[u8]) -> Got {
    let (kind, body) = multipart(&[("manifest", None, manifest), ("module", Some("module.wasm"), module)]);
    world.call("POST", "/jobs", token, Some((&kind, body))).await
}

/// The name of a job that was just handed in.
pub(crate) async fn submitted(world: &World) -> String {
    let module = module();
    let got = submit(world, &world.tokens.analyst, manifest(&module).as_bytes(), &module).await;
    assert_eq!(got.status, 201, "{got:?}");
    got.json()["job"].as_str().unwrap().to_owned()
}

/// What an honest officer signs: every digest is made from the bytes that were fetched.
pub(crate) async fn verdict(world: &World, job: &str, decision: Decision) -> Verdict {
    let token = &world.tokens.officer;
    let review = world.get(&format!("/jobs/{job}/review"), token).await;
    assert_eq!(review.status, 200, "{review:?}");
    let review = review.json();
    let module = world.get(&format!("/jobs/{job}/module"), token).await;
    assert_eq!((module.status, module.headers["content-type"].to_str().unwrap()), (200, "application/wasm"));
    let text = |key: &str| review[key].as_str().unwrap().to_owned();
    let contract = Digest::of(CONTRACT.as_bytes());
    assert_eq!(text("contract_digest"), contract.to_string());
    Verdict {
        decision,
        job: job.parse().unwrap(),
        subjects: Subjects {
            manifest: Digest::of(text("manifest").as_bytes()),
            module: Digest::of(&module.bytes),
            contract,
        },
        approver: "officer".parse().unwrap(),
        max_epsilon: NanoEpsilon::from_nano(review["epsilon_nano"].as_u64().unwrap()),
        max_executions: u32::try_from(review["executions"].as_u64().unwrap()).unwrap(),
        execute_by: DateTime::from_timestamp(review["execute_by_unix_s"].as_i64().unwrap(), 0).unwrap(),
        page: Digest::of(text("page").as_bytes()),
        previous_module: review["previous_module"].as_str().map(|digest| digest.parse().unwrap()),
        reason: (decision == Decision::Reject).then(|| "理由 the columns are not needed".to_owned()),
        signed_at: chrono::Utc::now(),
    }
}

/// The envelope of a verdict.
pub(crate) fn signed(verdict: &Verdict, key: &Ed25519KeyPair) -> Vec<u8> {
    serde_json::to_vec(&sign_verdict(verdict, key).unwrap()).unwrap()
}

/// Sends an envelope as a verdict.
pub(crate) async fn decide(world: &World, token: &str, job: &str, envelope: Vec<u8>) -> Got {
    world.call("POST", &format!("/jobs/{job}/verdicts"), token, Some(("application/json", envelope))).await
}

/// A job that an officer approved, and the officer's envelope.
pub(crate) async fn approved(world: &World) -> (String, Vec<u8>) {
    let job = submitted(world).await;
    let envelope = signed(&verdict(world, &job, Decision::Approve).await, &world.tokens.officer_key);
    let got = decide(world, &world.tokens.officer, &job, envelope.clone()).await;
    assert_eq!((got.status, got.json()["state"].as_str()), (201, Some("approved")), "{got:?}");
    (job, envelope)
}

/// Starts a run.
pub(crate) async fn run(world: &World, token: &str, job: &str) -> Got {
    world.call("POST", &format!("/jobs/{job}/runs"), token, None).await
}

/// The job's card once it runs no longer.
pub(crate) async fn settled(world: &World, job: &str) -> Value {
    for _ in 0..600 {
        let card = world.get(&format!("/jobs/{job}"), &world.tokens.analyst).await.json();
        if card["state"] != "running" {
            return card;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the job runs for ever");
}
