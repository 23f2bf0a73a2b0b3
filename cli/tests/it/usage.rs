//! Arguments that say too little or what cannot be.

use crate::bureau::Bureau;

#[test]
fn bad_usage_ends_with_two() {
    let bureau = Bureau::empty();
    for arguments in [
        &["no-such-command"][..],
        &[],
        &["dataset"],
        &["dataset", "show", "not-a-dataset-name"],
        &["dataset", "list", "--format", "yaml"],
        &["dataset", "list", "--token", "gbx_0"],
        &["token", "issue", "somebody", "--days", "367"],
        &["people", "add", "x", "--org", "o", "--role", "king", "--name", "X"],
        &["contract", "sign", "c.toml"],
        &["sql"],
        &["officer-key", "register", "officer", "00"],
        &["job"],
        &["job", "new"],
        &["job", "check", "job.toml", "guest.wasm"],
        &["job", "run-local", "job.toml", "guest.wasm", "--dataset", "d.toml", "--rows", "0"],
        &["job", "status", "Not-A-Job"],
        &["job", "submit", "job.toml"],
        &["request", "approve", "j-0"],
        &["request", "approve", "j-0", "--key", "k", "--executions", "0"],
        &["request", "approve", "j-0", "--key", "k", "--page", "00"],
        &["request", "reject", "j-0", "--key", "k"],
        &["verify", "result.json"],
        &["verify", "result.json", "--key", "k", "--officer-key", "o"],
        &["audit", "verify", "log"],
        &["audit", "prove", "first"],
        &["audit", "list", "--count", "0"],
    ] {
        let done = bureau.run(arguments);
        assert_eq!(done.code, 2, "{arguments:?}: {done:?}");
        assert!(!done.err.is_empty() && done.out.is_empty(), "{arguments:?}: {done:?}");
    }
}

#[test]
fn an_incomplete_connection_is_bad_usage_that_names_what_is_missing() {
    let bureau = Bureau::empty();
    assert!(bureau.run(["budget"]).ended(2).contains("GLOVEBOX_URL"));
    assert!(bureau.run(["budget", "--url", "https://localhost:1"]).ended(2).contains("GLOVEBOX_CA"));
    let plain =
        bureau.command(["budget", "--url", "http://localhost:1", "--ca", "ca.pem"]).env("GLOVEBOX_TOKEN", "t").output();
    assert_eq!(plain.unwrap().status.code(), Some(2));
    bureau
        .write("demo.json", r#"{"http_url": "https://localhost:1", "ca_cert": "ca.pem", "tokens": {"analyst": "t"}}"#);
    assert!(bureau.run(["budget", "--profile", "demo.json"]).ended(2).contains("--as"));
    assert!(bureau.run(["budget", "--profile", "demo.json", "--as", "x"]).ended(2).contains("only of: analyst"));
}

#[test]
fn a_server_that_is_not_there_is_a_failure() {
    let bureau = Bureau::founded();
    bureau.write("profile.json", r#"{"http_url": "https://localhost:1", "ca_cert": "state/tls/ca.pem"}"#);
    let at = ["budget", "--profile", "profile.json", "--token-file", "officer.token"];
    assert!(bureau.run(at).ended(1).contains("https://localhost:1"));
}

#[test]
fn help_and_version_are_no_errors() {
    let bureau = Bureau::empty();
    assert!(bureau.run(["--help"]).well().contains("Exit codes"));
    assert!(bureau.run(["--version"]).well().starts_with("glovebox "));
    assert!(bureau.run(["sql", "--help"]).well().contains("--token-file"));
}
