//! What `init` and `check-config` do to files.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use crate::bureau::{Bureau, CONFIG};

#[test]
fn init_makes_a_state_with_private_keys_and_shows_the_token_once() {
    let bureau = Bureau::empty();
    let made = bureau.run(["init", "--format", "json"]).json();
    assert_eq!(made["config_written"], true);
    assert!(made["token"].as_str().unwrap().starts_with("gbx_"), "{made}");
    assert_eq!(made["key_id"].as_str().unwrap().len(), 64);
    assert!(
        fs::read_to_string(made["ca_cert"].as_str().map(|path| bureau.path(path)).unwrap())
            .unwrap()
            .contains("CERTIFICATE")
    );
    for key in ["officer.key", "master.key"] {
        assert_eq!(fs::metadata(bureau.path(key)).unwrap().permissions().mode() & 0o777, 0o600, "{key}");
    }
    assert_eq!(bureau.run(["officer-key", "show", "officer.key", "--format", "json"]).json()["key_id"], made["key_id"]);
    bureau.run(["check-config"]).well();
}

#[test]
fn a_second_init_refuses_and_changes_nothing() {
    let bureau = Bureau::founded();
    let before = [bureau.read("officer.key"), bureau.read("officer.token"), bureau.read("glovebox.toml")];
    for arguments in [&["init"][..], &["init", "--key", "other.key", "--token-out", "other.token"]] {
        let said = bureau.run(arguments).ended(1);
        assert!(said.contains("not empty"), "{said}");
    }
    assert_eq!([bureau.read("officer.key"), bureau.read("officer.token"), bureau.read("glovebox.toml")], before);
    assert!(!bureau.path("other.key").exists() && !bureau.path("other.token").exists());
}

#[test]
fn init_puts_no_secret_into_the_state_directory_and_overwrites_none() {
    let bureau = Bureau::empty();
    bureau.write("glovebox.toml", CONFIG);
    assert!(bureau.run(["init", "--key", "state/officer.key"]).ended(1).contains("inside of the state directory"));
    bureau.write("officer.key", "mine");
    assert!(bureau.run(["init"]).ended(1).contains("officer.key"));
    assert_eq!(bureau.read("officer.key"), "mine");
    assert!(!bureau.path("state").exists());
    bureau.write("glovebox.toml", &CONFIG.replace("\"master.key\"", "\"state/master.key\""));
    let said = bureau.run(["init"]).ended(1);
    assert!(said.contains("master"), "{said}");
}

#[test]
fn check_config_names_what_is_wrong() {
    let bureau = Bureau::empty();
    assert!(bureau.run(["check-config"]).ended(1).contains("glovebox.toml"));
    bureau.write("glovebox.toml", &CONFIG.replace("tick_ms", "tock_ms"));
    assert!(bureau.run(["check-config"]).ended(1).contains("tock_ms"));
    bureau.write("glovebox.toml", &CONFIG.replace("tick_ms = 10\n", "tick_ms = 0\n"));
    assert!(bureau.run(["check-config"]).ended(1).contains("release"));
    bureau.write("other.toml", CONFIG);
    let read = bureau.run(["check-config", "--config", "other.toml", "--format", "json"]).json();
    assert_eq!(read["usable"], true);
    assert!(bureau.run(["serve", "--config", "other.toml"]).ended(1).contains("cannot be opened"));
}
