//! `audit`: reading the log as an auditor, taking it away, and verifying it from files.

use std::fs;

use crate::bureau::Bureau;

/// Exports the log into a folder.
pub(crate) fn exported(bureau: &Bureau, folder: &str) {
    let said = bureau.ask("aud", &["audit", "export", folder, "--format", "json"]).json();
    assert_eq!(said["origin"], "localhost/glovebox");
    assert!(bureau.ask("aud", &["audit", "export", folder]).ended(1).contains("not empty"));
    assert!(bureau.ask("ana", &["audit", "export", "analysts"]).ended(3).contains("role-forbidden"));
}

/// Reads entries, proofs and the key.
pub(crate) fn read(bureau: &Bureau) {
    let all = bureau.ask("aud", &["audit", "list", "--format", "json"]).json();
    let entries = all["entries"].as_array().unwrap();
    assert_eq!(all["size"].as_u64(), Some(entries.len() as u64));
    let verdicts = ["audit", "list", "--kind", "verdict", "--format", "json"];
    let verdicts = bureau.ask("officer", &verdicts).json();
    assert_eq!(verdicts["entries"].as_array().unwrap().len(), 1, "{verdicts}");
    let anas = ["audit", "list", "--person", "ana", "--contract", "acme-visits", "--count", "1"];
    let table = bureau.ask("aud", &anas).well();
    assert!(table.contains("1 of the log's") && table.contains("acme-visits"), "{table}");
    let tail = bureau.ask("aud", &["audit", "list", "--start", "3", "--count", "2", "--format", "json"]).json();
    assert_eq!((tail["entries"][0]["seq"].as_u64(), tail["entries"][1]["seq"].as_u64()), (Some(3), Some(4)));
    assert!(bureau.ask("ana", &["audit", "list"]).ended(3).contains("role-forbidden"));

    bureau.ask("aud", &["audit", "key", "--out", "service.vkey"]).well();
    assert_eq!(bureau.ask("ana", &["audit", "key"]).well(), bureau.read("service.vkey"));
    let proof = bureau.ask("aud", &["audit", "prove", "2"]).well();
    assert!(proof.starts_with("c2sp.org/tlog-proof@v1\n") && proof.contains("\nindex 2\n"), "{proof}");
    bureau.ask("aud", &["audit", "prove", "2", "--out", "two.tlog-proof"]).well();
    assert_eq!(bureau.read("two.tlog-proof"), proof);
    assert!(bureau.ask("aud", &["audit", "prove", "1000000"]).ended(3).contains("not-found"));
}

/// Verifies what was exported, and finds what was changed.
pub(crate) fn verified(bureau: &Bureau) {
    let verify = |more: &[&str]| bureau.run([&["audit", "verify", "log", "--key", "service.vkey"][..], more].concat());
    let said = verify(&["--earlier", "log-before/checkpoint"]).well();
    assert!(said.contains("rollback-undetected") && said.contains("continues"), "{said}");
    assert_eq!(verify(&["--format", "json"]).json()["origin"], "localhost/glovebox");
    let shrunk = ["audit", "verify", "log-before", "--key", "service.vkey", "--earlier", "log/checkpoint"];
    assert!(bureau.run(shrunk).ended(1).contains("log/checkpoint"));

    let entries = fs::read_dir(bureau.path("log/tile/entries")).unwrap().next().unwrap().unwrap().path();
    let bundle =
        if entries.is_dir() { fs::read_dir(&entries).unwrap().next().unwrap().unwrap().path() } else { entries };
    let mut bytes = fs::read(&bundle).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&bundle, &bytes).unwrap();
    assert!(verify(&[]).ended(1).contains("tile/entries/"));
    bytes[middle] ^= 1;
    fs::write(&bundle, &bytes).unwrap();
    bureau.write("log/extra", "x");
    assert!(verify(&[]).ended(1).contains("extra"));
    bureau.write("other.vkey", "example.com/other+00000000+AQ==\n");
    assert!(bureau.run(["audit", "verify", "log", "--key", "other.vkey"]).ended(1).contains("other.vkey"));
}
