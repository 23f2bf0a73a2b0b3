//! `job new`, `job check` and `job run-local`: without a server, on a module that is written out here.

use serde_json::Value;

use crate::bureau::Bureau;
use crate::guest::{self, worker};
use crate::life::MANIFEST;

const CHECK: [&str; 6] = ["job", "check", "job.toml", "guest.wasm", "--dataset", "visits.toml"];
const RUN: [&str; 8] = ["job", "run-local", "job.toml", "guest.wasm", "--dataset", "visits.toml", "--rows", "60"];

/// A folder with a job and the manifest of its dataset.
fn desk() -> Bureau {
    let bureau = Bureau::empty();
    worker();
    guest::write(&bureau);
    bureau.write("visits.toml", MANIFEST);
    bureau
}

fn with<'a>(words: &[&'a str], more: &[&'a str]) -> Vec<&'a str> {
    [words, more].concat()
}

#[test]
fn a_new_project_holds_all_that_it_needs() {
    let bureau = Bureau::empty();
    let said = bureau.run(["job", "new", "longest-rise", "--contract", "acme-visits"]).well();
    for command in ["cargo test", "cargo wasm && sha256sum", "glovebox job run-local job.toml"] {
        assert!(said.contains(command), "{said}");
    }
    let manifest = bureau.read("longest-rise/job.toml");
    assert!(
        manifest.contains("name = \"longest-rise\"") && manifest.contains("contract = \"acme-visits\""),
        "{manifest}"
    );
    assert!(bureau.read("longest-rise/Cargo.toml").contains("name = \"longest_rise\""));
    for file in ["Cargo.toml", "job.toml", "src/lib.rs", ".cargo/config.toml"] {
        let text = bureau.read(&format!("longest-rise/{file}"));
        assert!(
            !["{{crate}}", "{{sdk}}", "{{name}}", "{{dataset}}", "{{contract}}", "{{purpose}}"]
                .iter()
                .any(|place| text.contains(place))
        );
    }
    assert!(bureau.read("longest-rise/glovebox-guest-sdk/src/lib.rs").contains("map_job"));

    assert!(bureau.run(["job", "new", "longest-rise"]).ended(1).contains("not empty"));
    assert!(bureau.run(["job", "new", "Not A Name"]).ended(2).contains("--name"));
    assert!(!bureau.path("Not A Name").exists());
    let made = bureau.run(["job", "new", "Not A Name", "--name", "fine", "--format", "json"]).json();
    assert_eq!((made["job"].as_str(), made["next"].as_array().unwrap().len()), (Some("fine"), 3));
}

#[test]
fn check_shows_what_an_officer_sees() {
    let bureau = desk();
    let said = bureau.run(CHECK).well();
    for words in
        ["rows (map) on medical.visits", "imports", "none", "wasmInput", "noise on rows", "noise on units", "rho "]
    {
        assert!(said.contains(words), "{words}: {said}");
    }
    let digest = guest::sha256(&bureau.path("job.toml"));
    assert!(said.contains(&digest), "the manifest's digest is that of the very file: {said}");
    let json = bureau.run(with(&CHECK, &["--format", "json"])).json();
    assert_eq!(json["fits"], true);
}

#[test]
fn check_says_what_would_be_refused() {
    let bureau = desk();
    let manifest = bureau.read("job.toml");
    let module = std::fs::read(bureau.path("guest.wasm")).unwrap();
    let refused = |edit: &dyn Fn(&str) -> String, code: &str, about: &str| {
        bureau.write("job.toml", &edit(&manifest));
        let said = bureau.run(CHECK).ended(3);
        assert!(said.starts_with(&format!("refused: {code}")) && said.contains(about), "{said}");
    };
    refused(&|text| text.replace("fuel", "fuels"), "job-manifest-invalid", "fuels");
    refused(&|text| text.replace("[\"visits\"]", "[\"phone\"]"), "column-unknown", "phone");
    refused(&|text| text.replace("medical.visits", "medical.other"), "table-unknown", "medical.other");
    refused(&|text| text.replace("max_rows = 1", "max_rows = 9"), "job-manifest-invalid", "");
    bureau.write("job.toml", &manifest);

    let mut other = module.clone();
    other.extend([0, 2, 1, b'x']);
    std::fs::write(bureau.path("guest.wasm"), &other).unwrap();
    assert!(bureau.run(CHECK).ended(3).contains("module-invalid"));
    let imports = wat::parse_str("(module (import \"env\" \"clock\" (func)))").unwrap();
    std::fs::write(bureau.path("guest.wasm"), imports).unwrap();
    let digest = guest::sha256(&bureau.path("guest.wasm"));
    let old = manifest.lines().find(|line| line.starts_with("sha256")).unwrap();
    bureau.write("job.toml", &manifest.replace(old, &format!("sha256 = \"{digest}\"")));
    let said = bureau.run(with(&CHECK, &["--format", "json"])).ended(3);
    let body: Value = serde_json::from_str(&said).unwrap();
    assert!(body["code"] == "module-invalid" && body["message"].as_str().unwrap().contains("clock"), "{said}");
    assert!(
        bureau.run(["job", "check", "job.toml", "no.wasm", "--dataset", "visits.toml"]).ended(1).contains("no.wasm")
    );
}

#[test]
fn a_local_run_tells_all_of_synthetic_rows() {
    let bureau = desk();
    let table = bureau.run(RUN).well();
    assert!(table.contains("most fuel of a unit") && table.contains("made up from the manifest"), "{table}");
    let ran = bureau.run(with(&RUN, &["--log", "--format", "json"])).json();
    let units = ran["listed_units"].as_array().unwrap();
    assert_eq!(units.len() as u64, ran["units"].as_u64().unwrap());
    let defaults = units.iter().filter(|unit| unit["rows"].is_null()).count() as u64;
    assert!(defaults > 0 && ran["defaults"].as_u64() == Some(defaults), "some unit begins with a 3: {ran}");
    // Exact: every unit is counted under one of the two keys, and those that trapped under the default one.
    let count = |row: usize| ran["rows"][row][2].as_u64().unwrap();
    assert_eq!((ran["rows"][1][0].as_str(), count(1)), (Some("never"), defaults));
    assert_eq!(count(0) + count(1), units.len() as u64);
    assert!(units.iter().filter(|unit| unit["rows"].is_null()).all(|unit| unit["failure"] != ""), "{ran}");

    assert_eq!(bureau.run(with(&RUN, &["--seed", "0"])).well(), table, "the same seed gives the same rows");
    let logged = bureau.run(with(&RUN, &["--log"])).well();
    assert!(logged.contains("    | seen\\u{1b}[31m\n    | again"), "{logged}");
    assert!(!logged.contains('\u{1b}'), "nothing that a guest logs reaches the terminal as a control character");
    assert!(table.contains("default row, fuel"), "{table}");
}

#[test]
fn without_a_worker_nothing_runs() {
    let bureau = desk();
    let said = bureau.run(with(&CHECK, &["--worker", "no-such-worker"])).ended(1);
    assert!(said.contains("no-such-worker") && said.contains("--worker"), "{said}");
}

#[test]
fn footage_is_tried_by_chunks() {
    let bureau = desk();
    let examples = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    for (from, to) in [
        ("jobs/street_crossings/job.toml", "job.toml"),
        ("jobs/street_crossings/street_crossings.wasm", "guest.wasm"),
        ("street/street_scene.toml", "street_scene.toml"),
    ] {
        std::fs::copy(examples.join(from), bureau.path(to)).unwrap();
    }
    let of = |command: &'static str| ["job", command, "job.toml", "guest.wasm", "--dataset", "street_scene.toml"];
    let said = bureau.run(of("check")).well();
    for words in ["one appearance in the footage", "14 rows", "beyond it", "range of vehicles", "rho "] {
        assert!(said.contains(words), "{words}: {said}");
    }

    // Frames are made up in whole chunks of 50, at least one, at most the 60 of the manifest.
    let made = |rows: &'static str| {
        let ran = bureau.run(with(&of("run-local"), &["--rows", rows, "--format", "json"])).json();
        (ran["synthetic_rows"].as_u64().unwrap(), ran["units"].as_u64().unwrap(), ran["defaults"].as_u64().unwrap())
    };
    assert_eq!([made("10"), made("130"), made("100000")], [(50, 1, 0), (100, 2, 0), (3000, 60, 0)]);
    let table = bureau.run(with(&of("run-local"), &["--rows", "130", "--log"])).well();
    for words in ["synthetic frames", "chunks", "most fuel of a chunk", "chunk 1: 1 rows"] {
        assert!(table.contains(words), "{words}: {table}");
    }

    // What footage does not allow is said of its columns and bounds, not of rows.
    let manifest = bureau.read("job.toml");
    for (from, to, code) in [
        ("[\"pixels\"]", "[\"phone\"]", "column-unknown"),
        ("count_units = false", "count_units = true", "job-manifest-invalid"),
        ("max_rows = 1", "max_rows = 0", "job-manifest-invalid"),
        ("fuel = 2_000_000", "fuel = 100", ""),
    ] {
        bureau.write("job.toml", &manifest.replace(from, to));
        if code.is_empty() {
            let starved = bureau.run(with(&of("run-local"), &["--rows", "50", "--format", "json"])).json();
            assert_eq!((starved["defaults"].as_u64(), starved["rows"][0][1].as_u64()), (Some(1), Some(0)), "{starved}");
        } else {
            assert!(bureau.run(of("check")).ended(3).contains(code), "{to}");
            assert!(bureau.run(of("run-local")).ended(3).contains(code), "{to}");
        }
    }
}
