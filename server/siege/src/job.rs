//! A job that does its best to carry a note out, from submission to its release.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use chrono::DateTime;
use glovebox_policy::approval::sign_verdict;
use glovebox_policy::{Decision, Digest, NanoEpsilon, Subjects, Verdict};
use serde_json::Value;

use crate::bureau::Bureau;
use crate::rest::{Got, Rest, multipart};

/// Emits one row for each unit: its number of rows, and the first eight bytes of the unit's first note, as they are.
const GUEST: &str = r#"(module
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

const JOB: &str = include_str!("job.toml");
/// How often to ask whether the run has ended, ten times a second.
const POLLS: usize = 600;

/// Hands the job in, approves, runs and fetches it. Gives its name, its request, and everything that came back.
///
/// # Errors
/// If it does not come to its end.
pub async fn through(bureau: &Bureau, rest: &Rest) -> Result<(String, String, Vec<Got>)> {
    let tokens = &bureau.tokens;
    let module = wat::parse_str(GUEST)?;
    let manifest = JOB.replace("MODULE", &Digest::of(&module).to_string());
    let parts: [(&str, Option<&str>, &[u8]); 2] =
        [("manifest", None, manifest.as_bytes()), ("module", Some("module.wasm"), &module)];
    let (kind, body) = multipart(&parts);
    let submitted = rest.api("POST", "/jobs", &tokens.analyst, Some((&kind, body))).await?;
    ensure!(submitted.status == 201, "the job is not taken: {:?}", submitted.json());
    let job = submitted.text("job");

    let review = rest.api("GET", &format!("/jobs/{job}/review"), &tokens.officer, None).await?;
    let envelope = serde_json::to_vec(&sign_verdict(&verdict(bureau, &job, &review.json(), &module)?, &tokens.key)?)?;
    let body = Some(("application/json", envelope));
    let decided = rest.api("POST", &format!("/jobs/{job}/verdicts"), &tokens.officer, body).await?;
    ensure!(decided.text("state") == "approved", "the job is not approved: {:?}", decided.json());

    let run = rest.api("POST", &format!("/jobs/{job}/runs"), &tokens.analyst, None).await?;
    let mut card = run.clone();
    for _ in 0..POLLS {
        card = rest.api("GET", &format!("/jobs/{job}"), &tokens.analyst, None).await?;
        if card.text("state") != "running" {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let result = rest.api("GET", &format!("/jobs/{job}/result"), &tokens.analyst, None).await?;
    ensure!(result.status == 200, "the job has no result: {:?} {:?}", card.json(), result.json());
    let request = request_of(&result.json()).context("the result names no request")?;
    Ok((job, request, vec![submitted, review, decided, run, card, result]))
}

/// The request that a released answer names.
pub fn request_of(body: &Value) -> Option<String> {
    Some(body.get("release")?.get("request")?.as_str()?.to_owned())
}

fn verdict(bureau: &Bureau, job: &str, review: &Value, module: &[u8]) -> Result<Verdict> {
    let text =
        |key: &str| review.get(key).and_then(Value::as_str).with_context(|| format!("the review has no `{key}`"));
    let number = |key: &str| review.get(key).and_then(Value::as_i64).with_context(|| format!("no `{key}`"));
    Ok(Verdict {
        decision: Decision::Approve,
        job: job.parse()?,
        subjects: Subjects {
            manifest: Digest::of(text("manifest")?.as_bytes()),
            module: Digest::of(module),
            contract: Digest::of(bureau.contract.as_bytes()),
        },
        approver: "officer".parse()?,
        max_epsilon: NanoEpsilon::from_nano(number("epsilon_nano")?.unsigned_abs()),
        max_executions: u32::try_from(number("executions")?)?,
        execute_by: DateTime::from_timestamp(number("execute_by_unix_s")?, 0).context("an instant")?,
        page: Digest::of(text("page")?.as_bytes()),
        previous_module: None,
        reason: None,
        signed_at: chrono::Utc::now(),
    })
}
