//! A small bureau from its founding to an answer, through the commands alone.

use serde_json::Value;

use crate::bureau::{Bureau, CONFIG};
use crate::keys_and_contracts::CONTRACT;

/// The dataset.
pub(crate) const MANIFEST: &str = r#"
[dataset]
name = "medical.visits"
kind = "table"
title_en = "Visits"
title_zh = "就诊记录"
id_space = "resident"
budget_domain = "resident"
unit = ["person"]
max_units = 100
max_rows_per_unit = 2
source = "made up for a test"
licence = "none"
classification = "public (公开)"

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

/// Time for an answer without optimisation while other tests run workers and servers on the same cores.
const FLOOR: &str = "floor_ms = 1500";

const QUESTION: &str = "SELECT sex, COUNT(*) AS n, SUM(visits) AS visits FROM medical.visits GROUP BY sex ORDER BY sex";

/// Its rows.
pub(crate) fn rows() -> String {
    let row = |person: u32| format!("{person},{},{}\n", if person.is_multiple_of(2) { "f" } else { "m" }, person % 7);
    std::iter::once("person,sex,visits\n".to_owned()).chain((0..80).map(row)).collect()
}

fn code(json: &str) -> String {
    let body: Value = serde_json::from_str(json).unwrap_or_else(|_| panic!("not JSON: {json}"));
    body["code"].as_str().unwrap().to_owned()
}

fn people(bureau: &Bureau) {
    let add = ["people", "add", "ana", "--org", "acme", "--role", "analyst", "--name", "安娜"];
    assert!(bureau.ask("officer", &add).well().contains("安娜"));
    assert!(bureau.ask("officer", &add).ended(3).contains("bad-request"));
    let issue = ["token", "issue", "ana", "--days", "2"];
    bureau.ask("officer", &[&issue[..], &["--token-out", "ana.token"]].concat()).well();
    assert!(
        bureau.ask("officer", &[&issue[..], &["--token-out", "ana.token"]].concat()).ended(1).contains("ana.token")
    );
    let printed = bureau.ask("officer", &issue).well();
    assert!(printed.starts_with("gbx_") && printed.lines().count() == 1, "{printed}");
    bureau.write("spare.token", &printed);
    bureau.ask("spare", &["token", "revoke"]).well();
    assert!(bureau.ask("spare", &["budget"]).ended(3).contains("unauthenticated"));
    let listed = bureau.ask("officer", &["people", "list", "--format", "csv"]).well();
    assert!(listed.lines().any(|line| line == "ana,acme,analyst,安娜"), "{listed}");
    assert!(bureau.ask("ana", &["people", "list"]).ended(3).contains("role-forbidden"));
}

fn dataset(bureau: &Bureau) {
    bureau.write("visits.csv", &rows());
    bureau.write("visits.toml", MANIFEST);
    let draft = ["dataset", "draft", "visits.csv"];
    assert!(bureau.ask("officer", &draft).well().contains("visits"));
    assert!(bureau.ask("ana", &draft).ended(3).contains("role-forbidden"));
    bureau.write("bad.toml", &MANIFEST.replace("max_units = 100", "max_unit = 100"));
    let said = bureau.ask("officer", &["dataset", "add", "--manifest", "bad.toml", "visits.csv"]).ended(3);
    assert!(said.contains("manifest-invalid") && said.contains("max_unit"), "{said}");
    bureau.write("bad.csv", "person,sex,visits\n1,f,many\n");
    let said = bureau.ask("officer", &["dataset", "add", "--manifest", "visits.toml", "bad.csv"]).ended(3);
    assert!(said.contains("ingest-refused") && said.contains("row 1, visits"), "{said}");
    let added = bureau.ask("officer", &["dataset", "add", "--manifest", "visits.toml", "visits.csv"]).well();
    assert!(added.contains("at most 100 units"), "{added}");
    assert!(bureau.ask("ana", &["dataset", "list", "--lang", "zh"]).well().contains("就诊记录"));
    let card = bureau.ask("ana", &["dataset", "show", "medical.visits", "--format", "json"]).json();
    assert_eq!(card["columns"].as_array().unwrap().len(), 3);
    let twin = ["dataset", "twin", "medical.visits", "--rows", "3", "--seed", "7", "--format", "csv"];
    let rows = bureau.ask("ana", &twin).well();
    assert!(rows.starts_with("person,sex,visits\n") && rows.lines().count() >= 2, "{rows}");
    assert_eq!(bureau.ask("ana", &twin).well(), rows);
}

fn contract(bureau: &Bureau) {
    bureau.ask("ana", &["contract", "template", "medical.visits", "--org", "acme", "-o", "template.toml"]).well();
    bureau.run(["contract", "sign", "template.toml", "--key", "officer.key", "-o", "template.json"]).well();
    bureau.write("contract.toml", CONTRACT);
    bureau.run(["contract", "sign", "contract.toml", "--key", "officer.key", "-o", "contract.json"]).well();
    let mut envelope: Value = serde_json::from_str(&bureau.read("contract.json")).unwrap();
    let longer: Value = serde_json::from_str(&bureau.read("template.json")).unwrap();
    envelope["payload"] = longer["payload"].clone();
    bureau.write("tampered.json", &envelope.to_string());
    let said = bureau.ask("officer", &["contract", "add", "tampered.json", "--format", "json"]).ended(3);
    assert_eq!(code(&said), "signature-invalid");
    assert!(bureau.ask("officer", &["contract", "add", "contract.json"]).well().contains("acme-visits"));
    assert!(bureau.ask("officer", &["contract", "add", "contract.json"]).ended(3).contains("contract-exists"));
    assert!(bureau.ask("ana", &["contract", "list"]).well().contains("medical.visits"));
    let shown = bureau.ask("ana", &["contract", "show", "acme-visits"]).well();
    assert!(shown.contains("group, filter"), "{shown}");
}

fn questions(bureau: &Bureau) {
    let answer = bureau.ask("ana", &["sql", QUESTION, "--format", "json"]).json();
    assert_eq!(answer["columns"][1]["name"], "n");
    assert!(answer["rows"].as_array().unwrap().len() >= 2, "{answer}");
    assert!(answer["cost"]["rho"].as_f64().unwrap() > 0.0);
    let table = bureau.ask("ana", &["sql", QUESTION]).well();
    assert!(table.contains("asked again") && table.contains("epsilon 0.5"), "{table}");
    let free = bureau.ask("ana", &["sql", &format!("EXPLAIN PRIVACY {QUESTION}"), "--epsilon", "0.1"]).well();
    assert!(free.contains("cost rho") && !free.contains("asked again"), "{free}");

    let said = bureau.ask("ana", &["sql", "SELECT visits FROM medical.visits"]).ended(3);
    assert!(said.starts_with("refused: not-aggregated: "), "{said}");
    let said = bureau.ask("ana", &["sql", "DROP TABLE medical.visits", "--lang", "zh"]).ended(3);
    assert!(said.starts_with("已拒绝: statement-refused: 只接受"), "{said}");
    let said = bureau.ask("ana", &["sql", QUESTION, "--epsilon", "5", "--format", "json"]).ended(3);
    assert_eq!(code(&said), "epsilon-above-cap");
    assert!(bureau.ask("officer", &["sql", QUESTION]).ended(3).contains("role-forbidden"));

    let budget = bureau.ask("ana", &["budget", "--format", "json"]).json();
    let budgets = budget["budgets"].as_array().unwrap();
    assert_eq!(budgets.len(), 1, "a firm sees its contracts alone: {budget}");
    assert_eq!(budgets[0]["spent"]["rho"], answer["cost"]["rho"], "asked twice, charged once");
    assert!(bureau.ask("officer", &["budget"]).well().contains("resident"));
}

#[test]
fn a_bureau_lives_through_its_commands() {
    let bureau = Bureau::founded_with(&CONFIG.replace("floor_ms = 600", FLOOR));
    let server = bureau.serve();
    let said = bureau.run(["officer-key", "register", "officer", &"00".repeat(32)]).ended(1);
    assert!(said.contains("another process"), "{said}");
    people(&bureau);
    dataset(&bureau);
    contract(&bureau);
    questions(&bureau);
    let printed = server.stop().well();
    assert!(printed.contains("grpc+tls://localhost:") && !bureau.path("state/addresses.json").exists(), "{printed}");

    // What was done is there after a restart, and a second officer's key can be registered in between.
    let key = bureau.run(["officer-key", "new", "second.key", "--format", "json"]).json();
    bureau.run(["officer-key", "register", "officer", key["public_key"].as_str().unwrap()]).well();
    let server = bureau.serve();
    let again = bureau.ask("ana", &["sql", QUESTION, "--format", "json"]).json();
    assert_eq!(again["release"]["request"].as_str().map(str::len), Some(64), "{again}");
    server.stop().well();
}
