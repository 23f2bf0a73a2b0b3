//! The second half of the demo: a WASM job from submission through a signed approval to a release, verified offline.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, bail};
use glovebox_engine::offline::{verifier_key, verify_directory, write_log};
use glovebox_engine::{Engine, JobState, Review, Scalar, Table};
use glovebox_policy::approval::sign_verdict;
use glovebox_policy::{Decision, Digest, JobId, NanoEpsilon, Subjects, Verdict};
use ring::signature::KeyPair as _;

use crate::args::Verify;
use crate::demo::truth::Rises;
use crate::demo::{Cast, say, step};
use crate::output::{Format, Lang, View};

/// The example job: a folder of `examples/jobs`.
const JOB_DIR: &str = "rand_hie_rising";
const APPROVED_DAYS: i64 = 7;
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// What is written beside the state, for whoever verifies.
pub(crate) struct Written {
    /// The worst relative error of a mean, over keys with somebody.
    pub(crate) worst_error: f64,
}

/// Submits, reviews, approves, runs, fetches and verifies.
pub(crate) async fn job(engine: &Engine, cast: &Cast, examples: &Path, dir: &Path) -> anyhow::Result<Written> {
    let folder = examples.join("jobs").join(JOB_DIR);
    let manifest = std::fs::read_to_string(folder.join("job.toml"))?;
    let module = std::fs::read(folder.join(format!("{JOB_DIR}.wasm")))?;

    step(7, "The analyst submits a WASM job: the longest run of years in which a person's spending rose");
    let card = engine.submit_job(&cast.analyst, manifest.clone(), module.clone()).await?;
    say(&format!("    {}   {} bytes of WASM, no imports; state {}", card.job, module.len(), card.state.as_str()));

    step(
        8,
        "The officer reads the page and signs it (Ed25519 over an in-toto statement; the key stays with the officer)",
    );
    let review = engine.review(&cast.officer, &card.job)?;
    review.page.lines().for_each(|line| say(&format!("    > {line}")));
    let envelope = approved(&review, &manifest, &module, cast)?;
    let card = engine.decide_job(&cast.officer, &card.job, &envelope)?;
    say(&format!(
        "    state {}; nobody of the firm could have signed, and one changed byte would void it",
        card.state.as_str()
    ));

    step(9, "The job runs: one fresh WASM instance for each person, in a sealed process without files or network");
    let card = engine.start_job(&cast.analyst, &card.job).await?;
    say(&format!(
        "    charged rho = {:.6}; the result leaves in {} ms, however long the work takes",
        card.cost.rho, card.takes_ms
    ));
    until_released(engine, cast, &card.job).await?;
    let answer = engine.job_result(&cast.analyst, &card.job).await?;
    let truth = Rises::read(&examples.join("data").join("rand_hie.parquet"))?;
    let worst_error = print_table(answer.release().get(), &truth)?;

    step(10, "Anybody verifies the release offline: certificate, approval, log entry and its proof");
    let request = answer.release().receipt().request();
    verify(engine, cast, request, &Files { manifest, module, envelope }, dir)?;
    Ok(Written { worst_error })
}

/// What the officer's side does: hashes the very bytes, and signs what was read.
fn approved(review: &Review, manifest: &str, module: &[u8], cast: &Cast) -> anyhow::Result<Vec<u8>> {
    let now = chrono::Utc::now();
    let verdict = Verdict {
        decision: Decision::Approve,
        job: review.job.clone(),
        subjects: Subjects {
            manifest: Digest::of(manifest.as_bytes()),
            module: Digest::of(module),
            contract: review.contract_digest,
        },
        approver: cast.officer.person.clone(),
        max_epsilon: NanoEpsilon::from_epsilon(1.0).context("an epsilon")?,
        max_executions: 1,
        execute_by: now + chrono::TimeDelta::days(APPROVED_DAYS),
        page: Digest::of(review.page.as_bytes()),
        previous_module: review.previous_module,
        reason: None,
        signed_at: now,
    };
    Ok(serde_json::to_vec(&sign_verdict(&verdict, &cast.key)?)?)
}

async fn until_released(engine: &Engine, cast: &Cast, job: &JobId) -> anyhow::Result<()> {
    loop {
        match engine.job(&cast.analyst, job)?.state {
            JobState::Running => tokio::time::sleep(LOOK_AGAIN).await,
            JobState::Released => return Ok(()),
            other => bail!("the job is {}", other.as_str()),
        }
    }
}

/// Prints the release beside the truth, and gives the worst relative error of a mean.
fn print_table(table: &Table, truth: &Rises) -> anyhow::Result<f64> {
    say(&format!(
        "    {:>7} | {:>7} {:>17} {:>6} | {:>9} {:>6} {:>7}",
        "coins", "persons", "95 % interval", "truth", "mean rise", "truth", "error"
    ));
    let mut worst = 0.0_f64;
    for row in &table.rows {
        let [Scalar::Text(key), Scalar::Float(years), _, _, Scalar::Int(persons), Scalar::Int(low), Scalar::Int(high)] =
            row.as_slice()
        else {
            bail!("the result has unexpected columns");
        };
        let (true_persons, true_mean) = truth.of(key);
        let (mean, shown, error) = match true_mean {
            Some(truth) if *persons > 0 => {
                let mean = years / *persons as f64;
                worst = worst.max((mean / truth - 1.0).abs());
                (format!("{mean:.3}"), format!("{truth:.3}"), format!("{:+.1} %", (mean / truth - 1.0) * 100.0))
            }
            _ => ("-".to_owned(), "-".to_owned(), "-".to_owned()),
        };
        let interval = format!("{low} … {high}");
        say(&format!("    {key:>7} | {persons:>7} {interval:>17} {true_persons:>6} | {mean:>9} {shown:>6} {error:>7}"));
    }
    Ok(worst)
}

/// What the release was made from.
struct Files {
    manifest: String,
    module: Vec<u8>,
    envelope: Vec<u8>,
}

/// Writes the files that prove the release and the whole log, and verifies both without the service.
fn verify(engine: &Engine, cast: &Cast, request: Digest, files: &Files, dir: &Path) -> anyhow::Result<()> {
    let proof = engine.release_proof(&cast.analyst, request, None)?;
    // The key comes from elsewhere than what it verifies: a bureau publishes it.
    let key = dir.join("log.vkey");
    std::fs::write(&key, format!("{}\n", engine.verifier_key()))?;
    let release = dir.join("release");
    std::fs::create_dir_all(&release)?;
    let file = |name: &str| release.join(name);
    std::fs::write(file("result.json"), &proof.result)?;
    std::fs::write(file("result.dsse.json"), &proof.certificate)?;
    std::fs::write(file("result.entry.json"), &proof.entry)?;
    std::fs::write(file("result.tlog-proof"), &proof.proof)?;
    std::fs::write(file("job.toml"), &files.manifest)?;
    std::fs::write(file("job.wasm"), &files.module)?;
    std::fs::write(file("approval.dsse.json"), &files.envelope)?;
    std::fs::write(file("officer.pub"), format!("{}\n", hex::encode(cast.key.public_key().as_ref())))?;
    let args = Verify {
        result: file("result.json"),
        key: key.clone(),
        certificate: None,
        entry: None,
        proof: None,
        manifest: Some(file("job.toml")),
        module: Some(file("job.wasm")),
        approval: Some(file("approval.dsse.json")),
        officer_key: Some(file("officer.pub")),
    };
    let view = View::new(Format::Table, Some(Lang::En));
    crate::verify::run(&args, &view).map_err(|failure| anyhow::anyhow!("the release does not verify: {failure:?}"))?;

    let log = dir.join("log");
    let key = verifier_key(&engine.verifier_key())?;
    let head = write_log(&log, &engine.checkpoint(&cast.auditor)?, &key, &mut |tile| {
        engine.log_file(&cast.auditor, &tile.to_string())
    })?;
    verify_directory(&log, &key, None)?;
    say(&format!(
        "    log        {} entries written to {} and verified, each against its hash",
        head.size,
        log.display()
    ));
    Ok(())
}
