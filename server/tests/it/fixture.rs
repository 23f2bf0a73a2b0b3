//! A small install with people, a dataset that holds canaries, and a signed contract.

use std::fmt::Write as _;
use std::path::Path;

use glovebox_engine::{Config, Engine};
use glovebox_ledger::Person;
use glovebox_policy::Role;
use glovebox_policy::contract::sign_contract;
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair};

/// Tokens by role: two analysts and an officer of one firm, an analyst of a firm without a contract, and one token past
/// its time. With the officers' keys.
pub(crate) struct Tokens {
    pub(crate) analyst: String,
    pub(crate) analyst2: String,
    pub(crate) outsider: String,
    pub(crate) officer: String,
    pub(crate) auditor: String,
    pub(crate) expired: String,
    pub(crate) firm_officer: String,
    pub(crate) officer_key: Ed25519KeyPair,
    pub(crate) firm_officer_key: Ed25519KeyPair,
}

pub(crate) const DATASET: &str = "medical.visits";
pub(crate) const QUERY: &str = "SELECT plan, COUNT(*) AS n FROM medical.visits GROUP BY plan ORDER BY plan";
pub(crate) const QUERY_COLUMNS: [&str; 2] = ["plan", "n"];
pub(crate) const QUERY_ROWS: usize = 3;
pub(crate) const PARAMETER_QUERY: &str =
    "SELECT plan, COUNT(*) AS n FROM medical.visits WHERE year = $1 GROUP BY plan ORDER BY plan";

/// In every row, in a text column without a key list and in an identifier.
pub(crate) const CANARY: &str = "CANARY-7f3a";

/// A public table, and its rows.
pub(crate) const PUBLIC: (&str, &str) = (
    r#"
[dataset]
name = "ref.plans"
kind = "public"
title_en = "Plans"
title_zh = "方案"
max_rows = 5
source = "made up"
licence = "public domain"
classification = "open"
unique = [["plan"]]

[[columns]]
name = "plan"
type = "text"
meaning_en = "plan"
meaning_zh = "方案"

[[columns]]
name = "fee"
type = "int"
meaning_en = "fee"
meaning_zh = "费用"
bounds = { lower = 0, upper = 9, basis = "tariff" }
"#,
    "plan,fee\neast,3\nwest,4\n",
);

pub(crate) const MANIFEST: &str = r#"
[dataset]
name = "medical.visits"
kind = "table"
title_en = "Visits"
title_zh = "就诊"
id_space = "person"
budget_domain = "resident"
unit = ["person"]
max_units = 1000
max_rows_per_unit = 3
source = "made up"
licence = "public domain"
classification = "test"

[[columns]]
name = "person"
type = "int"
meaning_en = "person"
meaning_zh = "人"

[[columns]]
name = "phone"
type = "text"
meaning_en = "telephone"
meaning_zh = "电话"
identifier = true

[[columns]]
name = "note"
type = "text"
meaning_en = "note"
meaning_zh = "备注"

[[columns]]
name = "plan"
type = "text"
meaning_en = "plan"
meaning_zh = "方案"
keys = { values = ["east", "west"], basis = "house rules" }

[[columns]]
name = "year"
type = "int"
meaning_en = "year"
meaning_zh = "年"
bounds = { lower = 1, upper = 3, basis = "design" }
keys = { values = [1, 2, 3], basis = "design" }

[[columns]]
name = "cost"
type = "float"
meaning_en = "cost"
meaning_zh = "费用"
bounds = { lower = 0, upper = 100, basis = "tariff" }
grid = 0.01
"#;

/// The contract of the firm.
pub(crate) const CONTRACT: &str = r#"
id = "firm-visits"
org = "firm"
dataset = "medical.visits"
budget_domain = "resident"
purposes = ["ai-research"]
starts = "2020-01-01T00:00:00Z"
ends = "2100-01-01T00:00:00Z"

[budget]
allotment_rho = 0.9
per_day_rho = 0.9

[per_query]
max_epsilon = 1.0
max_delta = 1e-6
default_epsilon = 0.5
default_delta = 1e-9
max_groups_contributed = 3

[[grants]]
columns = ["person", "plan", "year", "cost"]
roles = ["aggregate", "group", "filter"]

[[grants]]
columns = ["year", "note"]
roles = ["wasmInput"]
"#;

/// A configuration under which statements are answered quickly.
pub(crate) const QUICK: &str = "[release]\ntick_ms = 5\nfloor_ms = 600\nsteps_per_second = 1000000\n\
                                [limits]\nwaiting = 64\nthreads = 8\n";

fn rows() -> String {
    let mut text = String::from("person,phone,note,plan,year,cost\n");
    for person in 0..150 {
        for year in 1..=2 {
            let plan = if person % 3 == 0 { "east" } else { "west" };
            let cost = f64::from(person % 90) + 0.25;
            writeln!(text, "{person},{CANARY}-p{person},{CANARY}-n{person},{plan},{year},{cost}").unwrap();
        }
    }
    text
}

fn person(name: &str, org: &str, role: Role) -> Person {
    Person { person: name.parse().unwrap(), org: org.parse().unwrap(), role, name: name.to_owned() }
}

/// Makes the install in `dir/state` and opens it.
pub(crate) async fn engine(dir: &Path, settings: String) -> (Engine, Tokens) {
    let dir = dir.to_owned();
    tokio::task::spawn_blocking(move || make(&dir, &settings)).await.unwrap()
}

/// A new key of an officer.
pub(crate) fn new_key() -> Ed25519KeyPair {
    let pkcs8 = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
    Ed25519KeyPair::from_pkcs8(pkcs8.as_ref()).unwrap()
}

fn make(dir: &Path, settings: &str) -> (Engine, Tokens) {
    let text = format!("state_dir = \"state\"\nmaster_key_file = \"master.key\"\n{settings}");
    let config = Config::parse(&text, dir).unwrap();
    Engine::init(&config).unwrap();
    let engine = Engine::open(&config).unwrap();
    let officer = engine.found(&person("officer", "bureau", Role::Officer), 1).unwrap();
    let caller = engine.authenticate(&officer).unwrap();
    let token = |name: &str, org: &str, role| {
        let person = person(name, org, role);
        engine.add_person(&caller, &person).unwrap();
        engine.issue_token(&caller, &person.person, 1).unwrap()
    };
    let tokens = Tokens {
        analyst: token("analyst", "firm", Role::Analyst),
        analyst2: token("analyst2", "firm", Role::Analyst),
        outsider: token("outsider", "other-firm", Role::Analyst),
        auditor: token("auditor", "bureau", Role::Auditor),
        expired: engine.issue_token(&caller, &"analyst".parse().unwrap(), 0).unwrap(),
        firm_officer: token("firm-officer", "firm", Role::Officer),
        officer,
        officer_key: new_key(),
        firm_officer_key: new_key(),
    };
    for (person, key) in [("officer", &tokens.officer_key), ("firm-officer", &tokens.firm_officer_key)] {
        let public = key.public_key().as_ref().try_into().unwrap();
        engine.add_officer_key(&person.parse().unwrap(), public).unwrap();
    }
    let file = dir.join("visits.csv");
    std::fs::write(&file, rows()).unwrap();
    engine.add_dataset(&caller, MANIFEST, &file).unwrap();
    let envelope = serde_json::to_vec(&sign_contract(CONTRACT, &tokens.officer_key).unwrap()).unwrap();
    engine.add_contract(&caller, &envelope).unwrap();
    (engine, tokens)
}
