//! A bureau, made with the engine and then served by the program `glovebox` as a process of its own.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, bail};
use glovebox_engine::{Config, Engine};
use glovebox_ledger::Person;
use glovebox_policy::contract::sign_contract;
use glovebox_policy::{Caller, Role};
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use serde_json::Value;

use crate::Plant;
use crate::canary::{CANARY, PERSONS, csv};

/// Answers wait for two seconds, so that code without optimisation on a busy machine loses none.
const CONFIG: &str = "\
state_dir = \"state\"
master_key_file = \"master.key\"
http_listen = \"127.0.0.1:0\"
flight_listen = \"127.0.0.1:0\"

[release]
tick_ms = 5
floor_ms = 2000
steps_per_second = 1000000

[limits]
threads = 128
";

/// The contract's text.
pub const CONTRACT: &str = include_str!("contract.toml");
/// The dataset's name.
pub const DATASET: &str = "medical.visits";
/// How long a debug build may take to start.
const PATIENCE: Duration = Duration::from_secs(60);

/// Who can ask, and the officer's signing key.
pub struct Tokens {
    /// An analyst with a contract, who attacks.
    pub analyst: String,
    /// A colleague, whose question must go on being answered.
    pub bystander: String,
    /// A data officer of the bureau.
    pub officer: String,
    /// An auditor of the bureau.
    pub auditor: String,
    /// The officer's key.
    pub key: Ed25519KeyPair,
}

/// A bureau that is being served. The process ends when it is dropped.
pub struct Bureau {
    /// Where REST and the pages are.
    pub http_url: String,
    /// Where Flight SQL is.
    pub flight_url: String,
    /// The certificate of its authority, in PEM.
    pub ca: Vec<u8>,
    /// Who can ask.
    pub tokens: Tokens,
    /// The text of the firm's contract.
    pub contract: String,
    /// The process that serves it.
    pub process: Process,
    dir: tempfile::TempDir,
}

/// A process that serves a bureau.
#[derive(Debug, Clone)]
pub struct Process(Arc<Mutex<Child>>);

impl Process {
    /// Whether it still runs.
    pub fn alive(&self) -> bool {
        matches!(self.child().try_wait(), Ok(None))
    }

    /// Ends it at once, as a crash does.
    pub fn end(&self) {
        let mut child = self.child();
        // Already gone is what we want.
        let _ = child.kill();
        let _ = child.wait();
    }

    fn child(&self) -> std::sync::MutexGuard<'_, Child> {
        // Nobody can have left it half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The manifest, with a mistake in it if one is planted.
pub fn manifest(plant: Option<Plant>, with_leaver: bool) -> String {
    let text = include_str!("manifest.toml");
    match plant {
        None | Some(Plant::EndServer | Plant::Canary) => text.to_owned(),
        Some(Plant::IdentifierUndeclared) => {
            let phones: Vec<String> = (0..PERSONS / 10).map(|person| format!("\"{CANARY}-phone-{person}\"")).collect();
            let keys = format!("keys = {{ values = [{}], basis = \"seen\" }}", phones.join(", "));
            text.replace("identifier = true", &keys)
        }
        Some(Plant::KeysFromRows) if with_leaver => text.to_owned(),
        Some(Plant::KeysFromRows) => text.replace("values = [1, 2, 3]", "values = [1, 2]"),
    }
}

fn contract(plant: Option<Plant>) -> String {
    match plant {
        Some(Plant::IdentifierUndeclared) => {
            CONTRACT.replace("[\"person\", \"note\",", "[\"person\", \"phone\", \"note\",")
        }
        _ => CONTRACT.to_owned(),
    }
}

impl Bureau {
    /// Makes a bureau with or without the leaver, and lets `binary` serve it.
    ///
    /// # Errors
    /// If it cannot be made, or does not serve in time.
    pub fn serve(binary: &Path, with_leaver: bool, plant: Option<Plant>) -> Result<Self> {
        let dir = tempfile::tempdir().context("cannot make a folder for a bureau")?;
        let tokens = make(dir.path(), with_leaver, plant)?;
        let log = File::create(dir.path().join("server.log")).context("cannot make a log file")?;
        let child = Command::new(binary)
            .current_dir(dir.path())
            .arg("serve")
            .stdin(Stdio::null())
            .stdout(log.try_clone().context("cannot share the log file")?)
            .stderr(log)
            .spawn()
            .with_context(|| format!("cannot start `{}`", binary.display()))?;
        let mut bureau = Self {
            http_url: String::new(),
            flight_url: String::new(),
            ca: Vec::new(),
            tokens,
            contract: contract(plant),
            process: Process(Arc::new(Mutex::new(child))),
            dir,
        };
        bureau.find()?;
        Ok(bureau)
    }

    /// Waits until the server tells where it is.
    fn find(&mut self) -> Result<()> {
        let file = self.dir.path().join("state/addresses.json");
        let started = Instant::now();
        while !file.exists() {
            if !self.process.alive() || started.elapsed() > PATIENCE {
                bail!("the bureau does not serve: {}", String::from_utf8_lossy(&self.log()));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let addresses: Value = serde_json::from_slice(&std::fs::read(&file)?).context("the addresses are no JSON")?;
        let text = |name: &str| addresses.get(name).and_then(Value::as_str).with_context(|| format!("no `{name}`"));
        self.http_url = text("http_url")?.to_owned();
        self.flight_url = text("flight_url")?.replace("grpc+tls://", "https://");
        self.ca = std::fs::read(text("ca_cert")?).context("cannot read the authority's certificate")?;
        Ok(())
    }

    /// What the server has written to standard output and standard error.
    pub fn log(&self) -> Vec<u8> {
        std::fs::read(self.dir.path().join("server.log")).unwrap_or_default()
    }

    /// The most memory that the server had, in MiB.
    pub fn peak_mib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.child().id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) >> 10
    }

    /// Every file of the state directory.
    pub fn state_files(&self) -> Vec<PathBuf> {
        let mut files = Vec::new();
        let mut folders = vec![self.dir.path().join("state")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
                let path = entry.path();
                if path.is_dir() { folders.push(path) } else { files.push(path) }
            }
        }
        files
    }
}

impl Drop for Bureau {
    fn drop(&mut self) {
        self.process.end();
    }
}

fn make(dir: &Path, with_leaver: bool, plant: Option<Plant>) -> Result<Tokens> {
    std::fs::write(dir.join("glovebox.toml"), CONFIG).context("cannot write a configuration")?;
    let config = Config::parse(CONFIG, dir).map_err(|what| anyhow!("the configuration: {what}"))?;
    Engine::init(&config)?;
    let engine = Engine::open(&config)?;
    let officer = engine.found(&person("officer", "bureau", Role::Officer)?, 1)?;
    let caller = engine.authenticate(&officer)?;
    let tokens = Tokens {
        analyst: token(&engine, &caller, "analyst", "firm", Role::Analyst)?,
        bystander: token(&engine, &caller, "bystander", "firm", Role::Analyst)?,
        auditor: token(&engine, &caller, "auditor", "bureau", Role::Auditor)?,
        officer,
        key: new_key()?,
    };
    let public = tokens.key.public_key().as_ref().try_into().context("an officer's key has 32 bytes")?;
    engine.add_officer_key(&"officer".parse()?, public)?;
    let file = dir.join("visits.csv");
    std::fs::write(&file, csv(with_leaver)).context("cannot write rows")?;
    engine
        .add_dataset(&caller, &manifest(plant, with_leaver), &file)
        .map_err(|fault| anyhow!("the dataset is not taken: {fault:?}"))?;
    let envelope = sign_contract(&contract(plant), &tokens.key)?;
    engine
        .add_contract(&caller, &serde_json::to_vec(&envelope)?)
        .map_err(|fault| anyhow!("the contract is not taken: {fault:?}"))?;
    Ok(tokens)
}

fn person(name: &str, org: &str, role: Role) -> Result<Person> {
    Ok(Person { person: name.parse()?, org: org.parse()?, role, name: name.to_owned() })
}

fn token(engine: &Engine, officer: &Caller, name: &str, org: &str, role: Role) -> Result<String> {
    let person = person(name, org, role)?;
    engine.add_person(officer, &person)?;
    Ok(engine.issue_token(officer, &person.person, 1)?)
}

fn new_key() -> Result<Ed25519KeyPair> {
    let pkcs8 = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).map_err(|_| anyhow!("no randomness"))?;
    Ed25519KeyPair::from_pkcs8(pkcs8.as_ref()).map_err(|_| anyhow!("a key cannot be made"))
}
