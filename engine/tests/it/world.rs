//! A small install: a dataset, an officer, four firms, and the ledger seen past the engine.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use glovebox_catalog::Catalog;
use glovebox_engine::{Answer, Config, Engine, Person, SqlAsk, Table};
use glovebox_ledger::{Ledger, Order, Seal};
use glovebox_policy::contract::sign_contract;
use glovebox_policy::{Caller, Cost, Digest, Refusal, Role, SignedContract};
use glovebox_query::{Defaults, Draft, Options};
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair as _};

/// Every test begins with one question of this price, asked as `ana` of the firm `acme`.
pub(crate) const QUESTION: &str =
    "SELECT sex, COUNT(*) AS n, SUM(visits) AS visits FROM medical.visits GROUP BY sex ORDER BY sex";

/// As [`QUESTION`], of the same price, and never asked before.
pub(crate) const OTHER_QUESTION: &str =
    "SELECT sex, COUNT(*) AS n, SUM(visits) AS visits FROM medical.visits WHERE visits > 3 GROUP BY sex ORDER BY sex";

pub(crate) const FLOOR: Duration = Duration::from_millis(800);

const CONFIG: &str = "\
state_dir = \"state\"
master_key_file = \"master.key\"

[release]
tick_ms = 10
floor_ms = 800
steps_per_second = 20000000
";

pub(crate) const MANIFEST: &str = r#"
[dataset]
name = "medical.visits"
kind = "table"
title_en = "Visits"
title_zh = "就诊记录"
id_space = "resident"
budget_domain = "resident"
unit = ["person"]
max_units = 5000
max_rows_per_unit = 4
source = "made up for a test"
licence = "none"
classification = "public"

[[columns]]
name = "person"
type = "int"
meaning_en = "person"
meaning_zh = "个人"

[[columns]]
name = "sex"
type = "text"
meaning_en = "sex"
meaning_zh = "性别"
keys = { values = ["f", "m"], basis = "codebook" }

[[columns]]
name = "visits"
type = "int"
meaning_en = "visits to a doctor"
meaning_zh = "就诊次数"
bounds = { lower = 0, upper = 10, basis = "codebook" }

[[columns]]
name = "town"
type = "text"
meaning_en = "town"
meaning_zh = "城镇"
keys = { threshold = true, basis = "names of towns" }
"#;

const CONTRACT: &str = r#"
id = "{org}-visits"
org = "{org}"
dataset = "medical.visits"
budget_domain = "resident"
purposes = ["ai-research"]
starts = "2020-01-01T00:00:00Z"
ends = "{ends}"

[budget]
allotment_rho = {allotment}
per_day_rho = {allotment}

[per_query]
max_epsilon = 1.0
max_delta = 1e-6
default_epsilon = 0.5
default_delta = 1e-9
max_groups_contributed = 2

[[grants]]
roles = ["aggregate"]
columns = ["person", "visits"]

[[grants]]
roles = ["group", "filter", "wasmInput"]
columns = ["sex", "visits", "town"]
"#;

/// An install in a folder of its own. Opened and closed at will; audited when it is done with.
pub(crate) struct World {
    dir: tempfile::TempDir,
    config: Config,
    key: Ed25519KeyPair,
}

impl World {
    /// With 80 persons.
    pub(crate) fn new() -> Self {
        Self::with(80, CONFIG)
    }

    /// With so many persons.
    pub(crate) fn with_persons(persons: u32) -> Self {
        Self::with(persons, CONFIG)
    }

    /// With so many persons, and so much of δ for thresholds in a lifetime.
    pub(crate) fn with_delta(persons: u32, cap_delta: &str) -> Self {
        let domain = format!(
            "\n[[budget_domains]]\nname = \"resident\"\ncap_rho = 1.0\ncap_delta = {cap_delta}\npublished_delta = 1e-9\n"
        );
        Self::with(persons, &format!("{CONFIG}{domain}"))
    }

    /// With so many persons of four rows each, and windows that are too short for reading them.
    pub(crate) fn hurried(persons: u32) -> Self {
        Self::with(
            persons,
            &CONFIG
                .replace("tick_ms = 10", "tick_ms = 1")
                .replace("floor_ms = 800", "floor_ms = 1")
                .replace("20000000", "900000000000"),
        )
    }

    /// As [`World::new`], with something else in place of one setting.
    pub(crate) fn configured(from: &str, to: &str) -> Self {
        assert!(CONFIG.contains(from), "{from}");
        Self::with(10, &CONFIG.replace(from, to))
    }

    fn with(persons: u32, config: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut config = Config::parse(config, dir.path()).unwrap();
        config.sandbox.worker = Some(worker());
        Engine::init(&config).unwrap();
        let pkcs8 = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        let world = Self { dir, config, key: Ed25519KeyPair::from_pkcs8(pkcs8.as_ref()).unwrap() };
        let engine = world.open();
        let officer = officer();
        engine.found(&account(&officer), 1).unwrap();
        for caller in [ana(), analyst("bo", "acme"), beta(), gamma(), analyst("dan", "delta"), auditor()] {
            engine.add_person(&officer, &account(&caller)).unwrap();
        }
        let file = world.path("visits.csv");
        std::fs::write(&file, rows(persons)).unwrap();
        engine.add_dataset(&officer, MANIFEST, &file).unwrap();
        let public = world.key.public_key().as_ref().try_into().unwrap();
        engine.add_officer_key(&officer.person, public).unwrap();
        for (org, allotment) in [("acme", "0.3"), ("beta", "0.3"), ("gamma", "1e-6")] {
            world.contract(&engine, org, allotment, "2120-01-01T00:00:00Z");
        }
        world
    }

    /// Grants a firm its contract.
    pub(crate) fn contract(&self, engine: &Engine, org: &str, allotment: &str, ends: &str) {
        let text = CONTRACT.replace("{org}", org).replace("{allotment}", allotment).replace("{ends}", ends);
        self.sign(engine, &text).unwrap();
    }

    /// Grants a firm a contract with so much of δ for thresholds.
    pub(crate) fn contract_with_delta(&self, engine: &Engine, org: &str, delta: &str) -> Result<(), Refusal> {
        let text =
            CONTRACT.replace("{org}", org).replace("{allotment}", "0.2").replace("{ends}", "2120-01-01T00:00:00Z");
        let delta = format!("\nallotment_delta = {delta}\nper_day_delta = {delta}\n\n[per_query]");
        self.sign(engine, &text.replace("\n[per_query]", &delta))
    }

    /// Grants a firm a contract under which `sex` may be joined on and added up by.
    pub(crate) fn joining_contract(&self, engine: &Engine, org: &str) {
        let text =
            CONTRACT.replace("{org}", org).replace("{allotment}", "0.3").replace("{ends}", "2120-01-01T00:00:00Z");
        self.sign(engine, &text.replace("\"filter\", \"wasmInput\"", "\"filter\", \"join\", \"aggregate\"")).unwrap();
    }

    /// Tries to grant a firm a contract with further grants.
    pub(crate) fn contract_with_grants(&self, engine: &Engine, org: &str, grants: &str) -> Result<(), Refusal> {
        let text =
            CONTRACT.replace("{org}", org).replace("{allotment}", "0.3").replace("{ends}", "2120-01-01T00:00:00Z");
        self.sign(engine, &format!("{text}{grants}"))
    }

    /// Tries to grant a firm a contract on another dataset.
    pub(crate) fn contract_on(&self, engine: &Engine, dataset: &str) -> Result<(), Refusal> {
        let text =
            CONTRACT.replace("{org}", "delta").replace("{allotment}", "0.1").replace("{ends}", "2120-01-01T00:00:00Z");
        self.sign(engine, &text.replace("medical.visits", dataset))
    }

    /// Grants a firm a contract under which two officers decide, and registers a second officer, whose key this is.
    pub(crate) fn risky_contract(&self, engine: &Engine, org: &str) -> Ed25519KeyPair {
        let key = Ed25519KeyPair::from_seed_unchecked(&[2; 32]).unwrap();
        engine.add_person(&officer(), &account(&second_officer())).unwrap();
        engine.add_officer_key(&second_officer().person, key.public_key().as_ref().try_into().unwrap()).unwrap();
        let text =
            CONTRACT.replace("{org}", org).replace("{allotment}", "0.3").replace("{ends}", "2120-01-01T00:00:00Z");
        self.sign(engine, &text.replace("\n[budget]", "risk_class = \"high\"\n\n[budget]")).unwrap();
        key
    }

    /// Signs a contract as the officer and hands it in.
    pub(crate) fn sign(&self, engine: &Engine, text: &str) -> Result<(), Refusal> {
        let signed = sign_contract(text, &self.key).unwrap();
        let signatures = signed.signatures.iter().map(|s| format!(r#"{{"keyid":"{}","sig":"{}"}}"#, s.keyid, s.sig));
        let envelope = format!(
            r#"{{"payload":"{}","payloadType":"{}","signatures":[{}]}}"#,
            signed.payload,
            signed.payload_type,
            signatures.collect::<Vec<_>>().join(",")
        );
        engine.add_contract(&officer(), envelope.as_bytes()).map(|_| ())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Opens the engine, as soon as what a former one left running has ended.
    pub(crate) fn open(&self) -> Engine {
        let began = Instant::now();
        loop {
            match Engine::open(&self.config) {
                Ok(engine) => return engine,
                Err(error) if began.elapsed() > Duration::from_secs(20) => panic!("{error}"),
                Err(_) => std::thread::sleep(Duration::from_millis(5)),
            }
        }
    }

    /// The ledger's file, through a connection that is not the engine's.
    pub(crate) fn ledger(&self) -> Ledger {
        let seal = Seal::load(&self.config.service_key_file, &self.config.log_origin).unwrap();
        Ledger::open(&self.path("state/ledger.sqlite"), seal).unwrap()
    }

    /// The officer's key.
    pub(crate) fn key(&self) -> &Ed25519KeyPair {
        &self.key
    }

    /// What the engine would hand to the ledger for `ana`'s question.
    pub(crate) fn order(&self, sql: &str) -> Order {
        let catalog = Catalog::open(&self.path("state/catalog"), &self.config.master_key_file).unwrap();
        let stored = self.ledger().contract(&"acme-visits".parse().unwrap()).unwrap().unwrap();
        let key: [u8; 32] = self.key.public_key().as_ref().try_into().unwrap();
        let signed = SignedContract::verify(&stored.envelope, &|_| Some((officer().person, key))).unwrap();
        let draft = Draft::read(&catalog, sql, &[]).unwrap();
        let analysis = draft.complete(Defaults::from(&stored.contract), Options::default()).unwrap();
        Order {
            request: analysis.request(),
            contract_digest: signed.digest(),
            contract: stored.contract.id,
            domain: stored.contract.budget_domain,
            person: ana().person,
            cost: analysis.noise().cost(),
            decision: Digest::of(b"a decision of the process that died"),
            decision_record: b"a decision of the process that died".to_vec(),
            snapshot: analysis.dataset().snapshot().clone(),
            joined: analysis.partner().map(|partner| partner.snapshot().clone()),
            job: None,
            subjects: Vec::new(),
            price: 7,
            approvals: Vec::new(),
            now_unix_s: 0,
        }
    }

    /// What the domain has spent.
    pub(crate) fn spent(&self) -> Cost {
        self.ledger().domain(&"resident".parse().unwrap()).unwrap().unwrap().spent
    }

    /// What a firm's contract was debited.
    pub(crate) fn debited(&self, org: &str) -> Cost {
        self.ledger().contract(&format!("{org}-visits").parse().unwrap()).unwrap().unwrap().debited
    }

    /// How often each of these kinds of entry is in the log.
    pub(crate) fn logged<const N: usize>(&self, kinds: [&str; N]) -> [usize; N] {
        let entries = self.ledger().entries(0, 10_000).unwrap();
        let texts: Vec<_> = entries.iter().map(|entry| String::from_utf8(entry.clone()).unwrap()).collect();
        kinds.map(|kind| texts.iter().filter(|text| text.contains(&format!("\"kind\":\"{kind}\""))).count())
    }

    /// The log and every sum of the ledger hold, and so many requests were lost.
    pub(crate) fn audit(&self, incidents: u64) {
        let ledger = self.ledger();
        ledger.verify_log().unwrap();
        ledger.verify_books().unwrap();
        assert_eq!(ledger.incidents().unwrap(), incidents, "incidents");
    }
}

fn rows(persons: u32) -> String {
    let mut text = String::from("person,sex,visits,town\n");
    let each = if persons > 1000 { 4 } else { 1 };
    for row in 0..persons * each {
        let person = row / each;
        let sex = if person.is_multiple_of(2) { "f" } else { "m" };
        // Every sixteenth person lives where nobody else does.
        let town = if person % 16 == 15 { format!("hamlet {person}") } else { "capital".to_owned() };
        writeln!(text, "{person},{sex},{},{town}", row % 7).unwrap();
    }
    text
}

fn caller(person: &str, org: &str, role: Role) -> Caller {
    Caller { person: person.parse().unwrap(), org: org.parse().unwrap(), role }
}

pub(crate) fn account(caller: &Caller) -> Person {
    let Caller { person, org, role } = caller.clone();
    Person { name: person.to_string(), person, org, role }
}

pub(crate) fn analyst(person: &str, org: &str) -> Caller {
    caller(person, org, Role::Analyst)
}

/// Of `acme`, whose contract is generous.
pub(crate) fn ana() -> Caller {
    analyst("ana", "acme")
}

/// Of `beta`, whose contract is as generous.
pub(crate) fn beta() -> Caller {
    analyst("ben", "beta")
}

/// Of `gamma`, whose contract does not cover any question.
pub(crate) fn gamma() -> Caller {
    analyst("gil", "gamma")
}

pub(crate) fn officer() -> Caller {
    caller("officer", "bureau", Role::Officer)
}

pub(crate) fn second_officer() -> Caller {
    caller("omar", "bureau", Role::Officer)
}

pub(crate) fn auditor() -> Caller {
    caller("audrey", "bureau", Role::Auditor)
}

/// Prepares and runs.
pub(crate) async fn ask(engine: &Engine, who: &Caller, sql: &str) -> Result<Answer, Refusal> {
    let statement = engine.prepare(who, SqlAsk { sql: sql.to_owned(), ..SqlAsk::default() }).await?;
    engine.run(who, &statement).await
}

/// As [`ask`], with how long it took.
pub(crate) async fn timed(engine: &Engine, who: &Caller, sql: &str) -> (Result<Answer, Refusal>, Duration) {
    let began = Instant::now();
    let outcome = ask(engine, who, sql).await;
    (outcome, began.elapsed())
}

/// The worker beside the test's own executable. Built when a test is run alone and nothing has built it yet.
fn worker() -> PathBuf {
    let own = std::env::current_exe().unwrap();
    let worker = own.ancestors().nth(2).unwrap().join("glovebox-worker");
    if !worker.exists() {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let built = std::process::Command::new(cargo).args(["build", "--package", "glovebox-worker"]).status().unwrap();
        assert!(built.success() && worker.exists(), "there is no worker at {}", worker.display());
    }
    worker
}

/// The rows of an answer that there must be.
pub(crate) fn table(outcome: Result<Answer, Refusal>) -> Table {
    outcome.unwrap().table().clone()
}

/// Runs to the end on a runtime like a server's.
pub(crate) fn block<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap().block_on(work)
}
