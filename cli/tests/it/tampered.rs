//! `verify`: what stands, and for each file with one changed byte, which check fails.

use std::fs;

use serde_json::Value;

use crate::bureau::Bureau;

/// Everything that can be asked for.
const VERIFY: [&str; 12] = [
    "verify",
    "out/result.json",
    "--key",
    "service.vkey",
    "--manifest",
    "job.toml",
    "--module",
    "guest.wasm",
    "--approval",
    "approval.json",
    "--officer-key",
    "officer.pub",
];

/// The checks in their order.
const CHECKS: [&str; 9] = [
    "key",
    "certificate signature",
    "result digest",
    "manifest",
    "module",
    "approval",
    "officer's signature",
    "log entry",
    "inclusion proof",
];

/// The untouched files stand, with and without what may be left out.
pub(crate) fn verified(bureau: &Bureau) {
    let key = bureau.run(["officer-key", "show", "officer.key", "--format", "json"]).json();
    bureau.write("officer.pub", key["public_key"].as_str().unwrap());
    let said = bureau.run(VERIFY).well();
    assert!(said.contains("rollback-undetected") && !said.contains("FAILED") && !said.contains("not asked"), "{said}");
    let json = bureau.run([&VERIFY[..], &["--format", "json"]].concat()).json();
    assert_eq!((&json["verified"], &json["rollback"]), (&Value::Bool(true), &Value::from("rollback-undetected")));
    assert_eq!(names(&json), CHECKS);
    let least = bureau.run(["verify", "out/result.json", "--key", "out/log.vkey"]).well();
    assert!(least.contains("not asked for"), "{least}");
    assert_eq!(bureau.read("out/log.vkey").trim_end(), bureau.read("service.vkey").trim_end());
}

fn names(json: &Value) -> Vec<&str> {
    json["checks"].as_array().unwrap().iter().map(|check| check["check"].as_str().unwrap()).collect()
}

/// Changes one byte of each file, and sees that the right check fails and all before it passed.
pub(crate) fn every_file(bureau: &Bureau) {
    for (file, check) in [
        ("service.vkey", "key"),
        ("out/result.dsse.json", "certificate signature"),
        ("out/result.json", "result digest"),
        ("job.toml", "manifest"),
        ("guest.wasm", "module"),
        ("approval.json", "approval"),
        ("officer.pub", "officer's signature"),
        ("out/result.tlog-proof", "inclusion proof"),
    ] {
        let whole = fs::read(bureau.path(file)).unwrap();
        let place = whole.len() / 2;
        let mut changed = whole.clone();
        // A hexadecimal digit stays one, so that a key is another key and no nonsense.
        changed[place] = if changed[place] == b'1' { b'2' } else { b'1' };
        fs::write(bureau.path(file), &changed).unwrap();
        fails_at(bureau, file, check);
        fs::write(bureau.path(file), &whole).unwrap();
    }
    entries(bureau);
    bureau.run(VERIFY).well();
}

/// An entry can differ where it names the certificate, or elsewhere: then only its hash tells.
fn entries(bureau: &Bureau) {
    let whole = bureau.read("out/result.entry.json");
    for (field, check, blamed) in [
        ("\"certificate\":\"", "log entry", "out/result.entry.json"),
        ("\"nonce\":\"", "inclusion proof", "out/result.tlog-proof"),
    ] {
        let place = whole.find(field).unwrap() + field.len();
        let mut changed = whole.clone().into_bytes();
        changed[place] = if changed[place] == b'1' { b'2' } else { b'1' };
        fs::write(bureau.path("out/result.entry.json"), &changed).unwrap();
        fails_at(bureau, blamed, check);
    }
    bureau.write("out/result.entry.json", &whole);
}

fn fails_at(bureau: &Bureau, file: &str, check: &str) {
    let done = bureau.run([&VERIFY[..], &["--format", "json"]].concat());
    // A key file is not the file that its check is about.
    let file = if file == "officer.pub" { "approval.json" } else { file };
    assert_eq!(done.code, 1, "{file}: {done:?}");
    assert!(done.err.contains(check) && done.err.contains(file), "{file}: {done:?}");
    let json: Value = serde_json::from_str(&done.out).unwrap();
    let names = names(&json);
    assert_eq!(json["verified"], false);
    assert_eq!(names.as_slice(), &CHECKS[..names.len()], "{file}: {done:?}");
    assert_eq!(names.last(), Some(&check), "{file}: {done:?}");
    let passed = json["checks"].as_array().unwrap().iter().filter(|check| check["passed"] == true).count();
    assert_eq!(passed, names.len() - 1, "{file}: {done:?}");
    let table = bureau.run(VERIFY);
    assert!(table.code == 1 && table.out.contains("FAILED"), "{table:?}");
}
