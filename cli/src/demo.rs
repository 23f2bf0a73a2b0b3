//! `glovebox demo`: the whole of it on embedded defaults, on real data, with every number that matters.
//!
//! It makes a state directory with its own certificate authority, brings the public datasets in, signs contracts as the
//! data officer, asks a DP GROUP BY as the analyst over Flight SQL with TLS, and prints the release beside the truth. Then a
//! WASM job goes from submission through the officer's signed approval to its release, and anybody verifies it offline. The
//! truth comes from the public file, never through the catalog.

mod bureau;
mod job;
mod report;
mod truth;

use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use glovebox_engine::{Config, Engine, SqlAsk};
use glovebox_policy::{Caller, OrgId, PersonId, Role};
use glovebox_server::{FlightClient, Serving};
use ring::signature::{Ed25519KeyPair, KeyPair as _};

use crate::demo::report::Report;
use crate::demo::truth::Truth;

/// Where the demo puts its state when nobody says.
const DEFAULT_DIR: &str = "glovebox-demo";
const DATA_DIR: &str = "examples/data";
const TOKEN_DAYS: u32 = 30;
const UPLOAD_BYTES: u64 = 64 * 1024 * 1024;

/// The question: visits to a doctor by how much of the cost a family paid itself.
const QUESTION: &str = "\
SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS (epsilon = 1, delta = 1e-9, max_groups_contributed = 1)
       coins,
       COUNT(mdvis) AS n, dp_interval_low(COUNT(mdvis)) AS n_low, dp_interval_high(COUNT(mdvis)) AS n_high,
       AVG(mdvis, contribution_bounds_per_row => (0, 20)) AS visits,
       dp_interval_low(AVG(mdvis, contribution_bounds_per_row => (0, 20))) AS visits_low,
       dp_interval_high(AVG(mdvis, contribution_bounds_per_row => (0, 20))) AS visits_high
FROM medical.rand_hie GROUP BY coins ORDER BY coins";

/// Prints a line; a closed pipe is no reason to stop.
fn say(text: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{text}");
}

fn step(number: u32, text: &str) {
    say(&format!("\n[{number}] {text}"));
}

/// Runs the demo in `dir`; with `exit` it ends after the last step, else it serves until stopped.
///
/// # Errors
/// When a step fails; the message says which.
pub(crate) async fn run(dir: Option<PathBuf>, exit: bool) -> anyhow::Result<()> {
    let dir = dir.unwrap_or_else(|| PathBuf::from(DEFAULT_DIR));
    if dir.exists() && dir.read_dir()?.next().is_some() {
        bail!("`{}` is not empty; delete it, or name another folder with --dir", dir.display());
    }
    std::fs::create_dir_all(&dir)?;
    let dir = dir.canonicalize()?;
    let data = data_dir()?;
    build_worker()?;

    let config = configure(&dir)?;
    let (engine, cast) = found(&config, &dir)?;
    bureau::bring_in(&engine, &cast, &data)?;
    bureau::sign(&engine, &cast)?;

    step(4, "The service starts: HTTPS and Flight SQL over TLS");
    let serving = start(&engine, &config).await?;
    say(&format!(
        "    https://localhost:{}   grpc+tls://localhost:{}",
        serving.http_addr().port(),
        serving.flight_addr().port()
    ));
    let mut summary = question(&engine, &cast, &serving, &data).await?;
    let examples = data.parent().context("the data lie in a folder")?;
    let written = job::job(&engine, &cast, examples, &dir).await?;
    if let Some(figures) = summary.as_object_mut() {
        figures.insert("job_worst_relative_error_mean".to_owned(), written.worst_error.into());
    }

    write_demo_json(&dir, &serving, &cast)?;
    say(&format!("\n{summary}"));
    say(&format!("Connect with {}", dir.join("demo.json").display()));
    if exit {
        serving.until(std::future::ready(())).await;
    } else {
        say("Serving until stopped (Ctrl-C).");
        serving.until(crate::signals::stopped()).await;
    }
    Ok(())
}

fn found(config: &Config, dir: &Path) -> anyhow::Result<(Engine, Cast)> {
    step(1, "A new service: state directory, budget domain, master key outside of the state, certificate authority");
    Engine::init(config)?;
    let engine = Engine::open(config)?;
    let cast = Cast::assemble(&engine, dir)?;
    say(&format!("    state      {}", config.state_dir.display()));
    say("    people     officer, officer2 (data officers), analyst (firm `example-ai`), auditor");
    Ok((engine, cast))
}

/// Asks for the price, asks, compares with the truth, and asks again. Returns the figures.
async fn question(engine: &Engine, cast: &Cast, serving: &Serving, data: &Path) -> anyhow::Result<serde_json::Value> {
    step(5, "The analyst asks what the question will cost; this is free and touches no data");
    let ca = std::fs::read(serving.ca_cert_path())?;
    let url = format!("https://localhost:{}", serving.flight_addr().port());
    let mut client = FlightClient::connect(&url, &ca, &cast.analyst_token).await?;
    say(&indent(QUESTION));
    let preview = client.execute(&format!("EXPLAIN PRIVACY {QUESTION}")).await?;
    report::preview(&preview).iter().for_each(|line| say(line));

    step(6, "The analyst asks; the released table, noise intervals of 95 %, and the truth from the public file");
    let fetched = client.execute(QUESTION).await?;
    let report = Report::new(&fetched, &Truth::read(&data.join("rand_hie.parquet"))?)?;
    report.lines().iter().for_each(|line| say(line));
    say("    Intervals hold the noise; that visits beyond 20 count as 20 is a bias on top, chosen by the analyst.");

    let statement = engine.prepare(&cast.analyst, ask()).await?;
    let again = engine.run(&cast.analyst, &statement).await?;
    ensure!(report.same_as(again.table()), "a repeated question must give the stored release");
    let released = again.released().context("the question was answered")?;
    let (cost, remaining) = (released.cost().rho.as_f64_up(), released.remaining().rho.as_f64_up());
    say(&format!(
        "    cost       rho = {cost:.6} (epsilon 1 at delta 1e-9); asked again it is free: the stored release"
    ));
    say(&format!("    remaining  rho = {remaining:.6} of the contract's allotment"));
    say(&format!("    log        leaf {} of the transparency log", released.release().receipt().leaf_index()));
    Ok(report.summary(cost, remaining))
}

fn ask() -> SqlAsk {
    SqlAsk { sql: QUESTION.to_owned(), ..SqlAsk::default() }
}

fn indent(text: &str) -> String {
    text.lines().map(|line| format!("    {line}")).collect::<Vec<_>>().join("\n")
}

/// The public files: below the current folder, or beside the crate when cargo runs us from elsewhere.
fn data_dir() -> anyhow::Result<PathBuf> {
    let beside = std::env::var_os("CARGO_MANIFEST_DIR").map(|dir| Path::new(&dir).join("..").join(DATA_DIR));
    let found = [Some(PathBuf::from(DATA_DIR)), beside].into_iter().flatten().find(|dir| dir.is_dir());
    found.with_context(|| format!("`{DATA_DIR}` is not here; run the demo from the repository's folder"))
}

/// Cargo builds only the program that it runs. When it runs the demo, it builds the worker too, which lies beside.
fn build_worker() -> anyhow::Result<()> {
    let (Some(cargo), Some(folder)) = (std::env::var_os("CARGO"), std::env::var_os("CARGO_MANIFEST_DIR")) else {
        return Ok(());
    };
    let mut build = std::process::Command::new(cargo);
    build.args(["build", "--quiet", "--package", "glovebox-worker"]).current_dir(folder);
    if !cfg!(debug_assertions) {
        build.arg("--release");
    }
    ensure!(build.status().context("cargo cannot be started")?.success(), "the worker does not build");
    Ok(())
}

fn configure(dir: &Path) -> anyhow::Result<Config> {
    let path = dir.join("glovebox.toml");
    std::fs::write(&path, report::CONFIG_TEXT)?;
    Ok(Config::load(&path)?)
}

async fn start(engine: &Engine, config: &Config) -> anyhow::Result<Serving> {
    let options = glovebox_server::Options {
        http_listen: config.http_listen,
        flight_listen: config.flight_listen,
        state_dir: config.state_dir.clone(),
        client_ca_file: config.client_ca_file.clone(),
        client_certificate_roles: config.client_certificate_roles.clone(),
        upload_bytes: UPLOAD_BYTES,
    };
    Ok(glovebox_server::serve(engine.clone(), options).await?)
}

/// Who plays.
struct Cast {
    officer: Caller,
    analyst: Caller,
    auditor: Caller,
    key: Ed25519KeyPair,
    officer_token: String,
    officer2_token: String,
    analyst_token: String,
    auditor_token: String,
}

fn person(name: &str, org: &str, role: Role, shown: &str) -> anyhow::Result<glovebox_engine::Person> {
    let (person, org) = (name.parse::<PersonId>()?, org.parse::<OrgId>()?);
    Ok(glovebox_engine::Person { person, org, role, name: shown.to_owned() })
}

impl Cast {
    fn assemble(engine: &Engine, dir: &Path) -> anyhow::Result<Self> {
        let officer = person("officer", "bureau", Role::Officer, "数据专员 Data officer")?;
        let officer_token = engine.found(&officer, TOKEN_DAYS)?;
        let boss = engine.authenticate(&officer_token)?;
        let token = |name: &str, org: &str, role: Role, shown: &str| -> anyhow::Result<String> {
            let person = person(name, org, role, shown)?;
            engine.add_person(&boss, &person)?;
            Ok(engine.issue_token(&boss, &person.person, TOKEN_DAYS)?)
        };
        let officer2_token = token("officer2", "bureau", Role::Officer, "数据专员二 Second data officer")?;
        let analyst_token = token("analyst", "example-ai", Role::Analyst, "分析方 Analyst")?;
        let auditor_token = token("auditor", "audit-office", Role::Auditor, "审计员 Auditor")?;
        let key = officer_key(&dir.join("officer.key"))?;
        let mut public_key = [0; 32];
        public_key.copy_from_slice(key.public_key().as_ref());
        engine.add_officer_key(&officer.person, public_key)?;
        let (analyst, auditor) = (engine.authenticate(&analyst_token)?, engine.authenticate(&auditor_token)?);
        Ok(Self { officer: boss, analyst, auditor, key, officer_token, officer2_token, analyst_token, auditor_token })
    }
}

/// Makes the officer's signing key; in a bureau it never leaves the officer's machine.
fn officer_key(path: &Path) -> anyhow::Result<Ed25519KeyPair> {
    let pkcs8 = Ed25519KeyPair::generate_pkcs8(&ring::rand::SystemRandom::new())
        .map_err(|_| anyhow::anyhow!("the operating system gave no randomness"))?;
    write_private(path, pkcs8.as_ref())?;
    Ed25519KeyPair::from_pkcs8(pkcs8.as_ref()).map_err(|_| anyhow::anyhow!("the new key cannot be read"))
}

/// Writes a file that only its owner can read.
fn write_private(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    Ok(())
}

/// What an outside client needs. Written last and by rename, so that whoever waits for it finds it whole.
fn write_demo_json(dir: &Path, serving: &Serving, cast: &Cast) -> anyhow::Result<()> {
    let text = serde_json::to_string_pretty(&serde_json::json!({
        "http_url": format!("https://localhost:{}", serving.http_addr().port()),
        "flight_url": format!("grpc+tls://localhost:{}", serving.flight_addr().port()),
        "ca_cert": serving.ca_cert_path(),
        "tokens": {
            "analyst": cast.analyst_token,
            "officer": cast.officer_token,
            "officer2": cast.officer2_token,
            "auditor": cast.auditor_token,
        },
    }))?;
    let unfinished = dir.join("demo.json.part");
    write_private(&unfinished, text.as_bytes())?;
    std::fs::rename(&unfinished, dir.join("demo.json"))?;
    Ok(())
}
