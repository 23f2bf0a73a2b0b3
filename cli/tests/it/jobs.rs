//! A job from its submission to its verified result, through the commands alone; and jobs that are not run.

use serde_json::Value;

use crate::bureau::{Bureau, CONFIG};
use crate::keys_and_contracts::CONTRACT;
use crate::life::{MANIFEST, rows};
use crate::{guest, public_record, tampered};

/// Time for a worker without optimisation on a busy machine.
const FLOOR: &str = "floor_ms = 8000";

const SUBMIT: [&str; 6] = ["job", "submit", "job.toml", "guest.wasm", "--format", "json"];

/// A bureau with an analyst, an auditor, a dataset, and a contract under which jobs may read visits.
fn bureau() -> Bureau {
    let sandbox = format!("\n[sandbox]\nworker = {:?}\n", guest::worker());
    Bureau::founded_with(&(CONFIG.replace("floor_ms = 600", FLOOR) + &sandbox))
}

fn furnish(bureau: &Bureau) {
    bureau.write("visits.csv", &rows());
    bureau.write("visits.toml", MANIFEST);
    bureau.write(
        "contract.toml",
        &(CONTRACT.to_owned() + "\n[[grants]]\nroles = [\"wasmInput\"]\ncolumns = [\"visits\"]\n"),
    );
    bureau.run(["contract", "sign", "contract.toml", "--key", "officer.key", "-o", "contract.json"]).well();
    for (name, org, role) in [("ana", "acme", "analyst"), ("aud", "audit-office", "auditor")] {
        bureau.ask("officer", &["people", "add", name, "--org", org, "--role", role, "--name", name]).well();
        let token = format!("{name}.token");
        bureau.ask("officer", &["token", "issue", name, "--days", "2", "--token-out", &token]).well();
    }
    bureau.ask("officer", &["dataset", "add", "--manifest", "visits.toml", "visits.csv"]).well();
    bureau.ask("officer", &["contract", "add", "contract.json"]).well();
    guest::write(bureau);
}

/// Hands a job of this name in and gives its id.
fn submitted(bureau: &Bureau, name: &str) -> String {
    let manifest = bureau.read("job.toml");
    bureau.write("named.toml", &manifest.replace("name = \"rows\"\nkind", &format!("name = \"{name}\"\nkind")));
    let card = bureau.ask("ana", &["job", "submit", "named.toml", "guest.wasm", "--format", "json"]).json();
    assert_eq!((card["state"].as_str(), card["name"].as_str()), (Some("submitted"), Some(name)));
    card["job"].as_str().unwrap().to_owned()
}

fn submission(bureau: &Bureau) -> String {
    let card = bureau.ask("ana", &SUBMIT).json();
    let job = card["job"].as_str().unwrap().to_owned();
    assert_eq!(card["module"].as_str().unwrap(), guest::sha256(&bureau.path("guest.wasm")));
    assert!(bureau.ask("officer", &SUBMIT).ended(3).contains("role-forbidden"));
    let wrong = ["job", "submit", "job.toml", "contract.toml"];
    assert!(bureau.ask("ana", &wrong).ended(3).contains("module-invalid"));
    let listed = bureau.ask("ana", &["job", "list"]).well();
    assert!(listed.contains(&job) && listed.contains("submitted"), "{listed}");
    assert!(bureau.ask("ana", &["job", "status", &job, "--lang", "zh"]).well().contains("待审批"));
    assert!(bureau.ask("ana", &["job", "status", "j-0"]).ended(3).contains("not-found"));
    assert!(bureau.ask("ana", &["job", "result", &job]).ended(3).contains("not-released"));
    assert!(bureau.ask("ana", &["job", "run", &job]).ended(3).starts_with("refused: "));
    job
}

/// The page's digest, as the officer read it.
fn page(bureau: &Bureau, job: &str) -> String {
    assert!(bureau.ask("officer", &["request", "list"]).well().contains(job));
    let shown = bureau.ask("officer", &["request", "show", job]).well();
    for file in ["job.toml", "guest.wasm", "contract.toml"] {
        let digest = guest::sha256(&bureau.path(file));
        // On the page and below it; the module's at the end of the page once more.
        let times = if file == "guest.wasm" { 3 } else { 2 };
        assert_eq!(shown.matches(&digest).count(), times, "{file}: {shown}");
    }
    let json = bureau.ask("officer", &["request", "show", job, "--format", "json"]).json();
    bureau.write("page.txt", json["page"].as_str().unwrap());
    let digest = json["page_sha256"].as_str().unwrap().to_owned();
    assert_eq!(digest, guest::sha256(&bureau.path("page.txt")));
    assert!(shown.contains(&digest) && shown.starts_with(json["page"].as_str().unwrap()), "{shown}");
    digest
}

fn approval(bureau: &Bureau, job: &str, page: &str) {
    let approve = |who: &str, more: &[&str]| bureau.ask(who, &[&["request", "approve", job][..], more].concat());
    assert!(approve("ana", &["--key", "officer.key"]).code == 3);
    bureau.run(["officer-key", "new", "stranger.key"]).well();
    let done = approve("officer", &["--key", "stranger.key", "--out", "stranger.json"]);
    assert!(done.code == 3 && done.err.contains("signature-invalid"), "{done:?}");
    assert!(!bureau.path("stranger.json").exists(), "a verdict that was refused is not kept");
    let done = approve("officer", &["--key", "officer.key", "--page", &"00".repeat(32)]);
    assert!(done.code == 1 && done.err.contains("another one"), "{done:?}");
    assert_eq!(approve("officer", &["--key", "officer.key", "--executions", "2"]).code, 2);
    assert_eq!(approve("officer", &["--key", "officer.key", "--days", "300"]).code, 2);

    let signed = approve(
        "officer",
        &["--key", "officer.key", "--page", page, "--days", "2", "--out", "approval.json", "--format", "json"],
    );
    let signed = signed.json();
    assert_eq!(signed["job"]["state"], "approved");
    let digest = guest::sha256(&bureau.path("approval.json"));
    assert_eq!(signed["envelope_sha256"].as_str(), Some(digest.as_str()));
    assert_eq!(signed["job"]["verdicts"][0]["envelope"].as_str(), Some(digest.as_str()));
    let again = approve("officer", &["--key", "officer.key"]);
    assert!(again.code == 3 && again.err.contains("job-closed"), "{again:?}");
}

fn running(bureau: &Bureau, job: &str) {
    let started = bureau.ask("ana", &["job", "run", job, "--format", "json"]).json();
    assert!(started["state"] == "running" && started["result_at"].is_string(), "{started}");
    // Who starts it again while it runs, waits for the same run.
    let done = bureau.ask("ana", &["job", "run", job, "--wait"]).well();
    assert!(done.contains("released") && done.contains(&format!("glovebox job result {job}")), "{done}");
    let table = bureau.ask("ana", &["job", "result", job]).well();
    assert!(table.contains("never") && table.contains("units_low") && table.contains("cost"), "{table}");
    let written = bureau.ask("ana", &["job", "result", job, "--out", "out", "--format", "json"]).json();
    assert_eq!(written["files"].as_array().unwrap().len(), 5);
    assert_eq!(written["columns"][0]["name"], "key");
    assert!(bureau.ask("ana", &["job", "result", job, "--out", "out"]).ended(1).contains("result.json"));
    // The 80 persons are counted under one of the keys each, plus noise.
    let units = |row: usize| written["rows"][row][4].as_f64().unwrap();
    assert!((units(0) + units(1) - 80.0).abs() < 60.0, "{written}");
}

fn refusals(bureau: &Bureau) {
    let job = submitted(bureau, "unwanted");
    let reject = ["request", "reject", &job, "--key", "officer.key", "--reason", "不需要 \u{1b}[31mno need"];
    let said = bureau.ask("officer", &reject).well();
    assert!(said.contains("rejected") && !said.contains('\u{1b}'), "{said}");
    let status = bureau.ask("ana", &["job", "status", &job]).well();
    assert!(status.contains("不需要 \\u{1b}[31mno need"), "{status}");
    assert_eq!(bureau.ask("ana", &["job", "run", &job]).code, 3);
    let silent = submitted(bureau, "silent");
    let reject = ["request", "reject", &silent, "--key", "officer.key", "--reason", " "];
    assert!(bureau.ask("officer", &reject).err.contains("approval-invalid"));

    let cancelled = bureau.ask("ana", &["job", "cancel", &silent]).well();
    assert!(cancelled.contains("cancelled"), "{cancelled}");
    let late = bureau.ask("officer", &["request", "approve", &silent, "--key", "officer.key"]);
    assert!(late.code == 3 && late.err.contains("job-closed"), "{late:?}");
    let list = bureau.ask("officer", &["request", "list", "--format", "json"]).json();
    assert_eq!(list["jobs"], Value::Array(Vec::new()), "nothing waits any more");
}

#[test]
fn a_job_lives_through_its_commands() {
    let bureau = bureau();
    let server = bureau.serve();
    furnish(&bureau);
    let job = submission(&bureau);
    let page = page(&bureau, &job);
    approval(&bureau, &job, &page);
    public_record::exported(&bureau, "log-before");
    running(&bureau, &job);
    public_record::read(&bureau);
    public_record::exported(&bureau, "log");
    refusals(&bureau);
    server.stop().well();

    // From here on there are files alone.
    public_record::verified(&bureau);
    tampered::verified(&bureau);
    tampered::every_file(&bureau);
}
