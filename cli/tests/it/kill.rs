//! `kill -9` on a server that has a request under way: nothing released uncharged, nothing charged twice.
//!
//! The product has no hooks for this. Its server is killed after a time, or when a change of the ledger's write-ahead
//! log shows that the charge has just been made; then it is started again on the same state, and the very same question
//! is asked. Where the kill fell is told afterwards by the budget, and by whether the ledger's file holds an entry that
//! the request was resumed.

use std::collections::BTreeSet;
use std::fs;
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime};

use serde_json::Value;

use crate::bureau::{Asking, Bureau, CONFIG, Server};
use crate::keys_and_contracts::CONTRACT;

/// Long enough after the release for a kill between it and the reply.
const FLOOR: &str = "floor_ms = 1200";

/// Enough rows for a kill between charge and release.
const PERSONS: u32 = 30_000;

/// How long a client may take until its request is charged.
const PATIENCE: Duration = Duration::from_secs(20);

const MANIFEST: &str = r#"
[dataset]
name = "medical.visits"
kind = "table"
title_en = "Visits"
title_zh = "就诊记录"
id_space = "resident"
budget_domain = "resident"
unit = ["person"]
max_units = 30000
max_rows_per_unit = 1
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
"#;

/// When the server is killed.
#[derive(Debug, Clone, Copy)]
enum Moment {
    /// So many milliseconds after the client was started.
    Sent(u64),
    /// So many milliseconds after the ledger changed.
    Charged(u64),
    /// When the client has its answer.
    Answered,
}

/// How far the request had come when the server was killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Uncharged,
    Charged,
    Released,
}

const MOMENTS: [Moment; 17] = [
    Moment::Sent(0),
    Moment::Sent(5),
    Moment::Sent(10),
    Moment::Sent(20),
    Moment::Sent(40),
    Moment::Sent(80),
    Moment::Sent(160),
    Moment::Sent(300),
    Moment::Sent(450),
    Moment::Charged(0),
    Moment::Charged(0),
    Moment::Charged(1),
    Moment::Charged(3),
    Moment::Charged(10),
    Moment::Charged(40),
    Moment::Charged(250),
    Moment::Answered,
];

/// A bureau with one analyst, its running server, and what is known of its ledger.
struct Scene {
    bureau: Bureau,
    server: Option<Server>,
    /// What one question costs, in steps.
    cost: u64,
    /// How many questions were charged.
    paid: u64,
}

/// Questions of the same cost that are not the same.
fn question(number: usize) -> String {
    format!("SELECT sex, COUNT(*) AS n, SUM(visits) AS v FROM medical.visits WHERE visits + {number} > 2 GROUP BY sex")
}

/// `sql` with its statement, as arguments.
fn sql(statement: &str) -> [&str; 4] {
    ["sql", statement, "--format", "json"]
}

impl Scene {
    /// The server runs, and a first question was answered undisturbed.
    fn new() -> Self {
        let bureau = Bureau::founded_with(&CONFIG.replace("floor_ms = 600", FLOOR));
        let server = bureau.serve();
        let row = |person| format!("{person},{},{}\n", if person % 2 == 0 { "f" } else { "m" }, person % 7);
        let rows: String = std::iter::once("person,sex,visits\n".to_owned()).chain((0..PERSONS).map(row)).collect();
        bureau.write("visits.csv", &rows);
        bureau.write("visits.toml", MANIFEST);
        bureau.write("contract.toml", &CONTRACT.replace(r#"["sex"]"#, r#"["sex", "visits"]"#));
        bureau.run(["contract", "sign", "contract.toml", "--key", "officer.key", "-o", "contract.json"]).well();
        for step in [
            &["people", "add", "ana", "--org", "acme", "--role", "analyst", "--name", "Ana"][..],
            &["token", "issue", "ana", "--days", "2", "--token-out", "ana.token"],
            &["dataset", "add", "--manifest", "visits.toml", "visits.csv"],
            &["contract", "add", "contract.json"],
        ] {
            bureau.ask("officer", step).well();
        }
        let first = bureau.ask("ana", &sql(&question(0))).json();
        let cost = steps(&first["cost"]);
        Self { bureau, server: Some(server), cost, paid: 1 }
    }

    /// What the contract and the domain have spent, as the officer sees it.
    fn spent(&self) -> (u64, u64) {
        let budget = self.bureau.ask("officer", &["budget", "--format", "json"]).json();
        let of = |scope: &str| {
            let mut found = budget["budgets"].as_array().unwrap().iter().filter(|budget| budget["scope"] == scope);
            steps(&found.next().unwrap()["spent"])
        };
        (of("contract"), of("domain"))
    }

    /// What is spent when so many questions were charged.
    fn price(&self, questions: u64) -> (u64, u64) {
        (self.cost * questions, self.cost * questions)
    }

    /// Asks, kills the server at that moment, starts it again. Gives what the client got before, if anything.
    fn killed_at(&mut self, moment: Moment, statement: &str) -> Option<Value> {
        let before = self.ledger_file();
        let mut asking = self.bureau.send("ana", &sql(statement));
        match moment {
            Moment::Sent(ms) => sleep(Duration::from_millis(ms)),
            Moment::Charged(ms) => {
                wait_until(&mut asking, |_| self.ledger_file() != before);
                sleep(Duration::from_millis(ms));
            }
            Moment::Answered => wait_until(&mut asking, Asking::has_ended),
        }
        self.server.take().unwrap().kill_9();
        let client = asking.done();
        self.server = Some(self.bureau.serve());
        (client.code == 0).then(|| client.json())
    }

    /// Length and last change of the write-ahead log: it grows with every commit.
    fn ledger_file(&self) -> Option<(u64, SystemTime)> {
        let file = fs::metadata(self.bureau.path("state/ledger.sqlite-wal")).ok()?;
        Some((file.len(), file.modified().unwrap()))
    }

    /// One question with one kill: whatever its moment, the question is charged once and has one answer.
    fn round(&mut self, moment: Moment, statement: &str) -> Stage {
        let got = self.killed_at(moment, statement);
        let spent = self.spent();
        let charged = spent == self.price(self.paid + 1);
        assert!(charged || spent == self.price(self.paid), "{moment:?}: {spent:?}");
        assert!(charged || got.is_none(), "{moment:?}: released uncharged: {got:?}");

        let again = self.bureau.ask("ana", &sql(statement)).json();
        let once_more = self.bureau.ask("ana", &sql(statement)).json();
        self.paid += 1;
        assert_eq!(self.spent(), self.price(self.paid), "{moment:?}: charged twice, or not");
        assert_eq!(steps(&again["cost"]), self.cost, "{moment:?}");
        for other in got.iter().chain([&once_more]) {
            assert_eq!((&other["rows"], &other["release"]), (&again["rows"], &again["release"]), "{moment:?}");
        }
        match (charged, self.was_resumed(again["release"]["request"].as_str().unwrap())) {
            (false, false) => Stage::Uncharged,
            (true, true) => Stage::Charged,
            (true, false) => Stage::Released,
            (false, true) => panic!("{moment:?}: a request was resumed that had not been charged"),
        }
    }

    /// Whether the log says so of a request. Its entries lie in the ledger's file as plain text, their keys in order.
    fn was_resumed(&self, request: &str) -> bool {
        let (entry, request) = ("\"kind\":\"resume\"", format!("\"request\":\"{request}\""));
        ["state/ledger.sqlite", "state/ledger.sqlite-wal"].into_iter().any(|name| {
            let bytes = fs::read(self.bureau.path(name)).unwrap();
            let text = String::from_utf8_lossy(&bytes);
            text.split(entry).skip(1).any(|rest| rest.split('}').next().is_some_and(|rest| rest.contains(&request)))
        })
    }
}

/// The ledger's integer behind a ρ. It is written exactly, but reading JSON may miss the last bit of a float.
fn steps(cost: &Value) -> u64 {
    const STEPS_OF_ONE: f64 = (1_u64 << 40) as f64;
    (cost["rho"].as_f64().unwrap() * STEPS_OF_ONE).round() as u64
}

/// Looks as often as it can, until it holds.
fn wait_until(asking: &mut Asking, mut holds: impl FnMut(&mut Asking) -> bool) {
    let began = Instant::now();
    while !holds(asking) {
        assert!(began.elapsed() < PATIENCE, "the request is not under way");
        sleep(Duration::from_micros(200));
    }
}

#[test]
fn a_server_that_is_killed_at_any_instant_charges_once_and_answers_once() {
    let mut scene = Scene::new();
    let mut seen = Vec::new();
    for (number, moment) in MOMENTS.into_iter().enumerate() {
        seen.push((moment, scene.round(moment, &question(number + 1))));
    }
    let stages: BTreeSet<_> = seen.iter().map(|(_, stage)| *stage).collect();
    assert_eq!(stages.len(), 3, "the kills did not fall into every gap: {seen:?}");
    assert!(matches!(seen.last(), Some((_, Stage::Released))), "{seen:?}");
}

#[test]
fn a_question_that_is_killed_again_and_again_is_charged_once() {
    let mut scene = Scene::new();
    let statement = question(1);
    for _ in 0..3 {
        // If a kill comes after the release, the rest of them fall on a stored answer.
        scene.killed_at(Moment::Charged(0), &statement);
        let spent = scene.spent();
        assert!(spent == scene.price(1) || spent == scene.price(2), "{spent:?}");
    }
    let ask = || scene.bureau.ask("ana", &sql(&statement));
    let (first, second) = (ask(), ask());
    assert_eq!(first.code, second.code, "{first:?} {second:?}");
    if first.code == 0 {
        let (first, second) = (first.json(), second.json());
        assert_eq!((&first["rows"], &first["release"]), (&second["rows"], &second["release"]));
    } else {
        // Cut off three times: lost, with the same words each time.
        assert!(first.err.contains("\"lost\""), "{first:?}");
        assert_eq!(first.err, second.err);
    }
    assert_eq!(scene.spent(), scene.price(2), "charged twice, or not");
}
