//! The file: made once, opened only if it is exactly what this program made, and append-only against any writer.

use glovebox_ledger::{Ledger, LedgerError, Seal, SealError};
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use rusqlite::Connection;

use crate::support::{DAY, Fixture, NOON, cost, order, seal};

#[test]
fn create_overwrites_nothing_and_open_makes_nothing() {
    let f = Fixture::with_contract(cost(10, 0));
    assert!(matches!(Ledger::create(&f.path(), seal()), Err(LedgerError::Exists { .. })));
    let absent = f.dir.path().join("absent.sqlite");
    assert!(Ledger::open(&absent, seal()).is_err());
    assert!(!absent.exists());
    let f = f.reopen();
    f.audit();
}

#[test]
fn create_carries_on_where_a_crash_left_an_empty_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ledger.sqlite");
    std::fs::write(&path, b"").unwrap();
    assert!(matches!(Ledger::open(&path, seal()), Err(LedgerError::Schema { .. })));
    drop(Ledger::create(&path, seal()).unwrap());
    assert_eq!(Ledger::open(&path, seal()).unwrap().tree_head().unwrap().size, 0);
}

#[cfg(unix)]
#[test]
fn only_the_owner_can_read_the_ledger() {
    use std::os::unix::fs::PermissionsExt as _;
    let f = Fixture::with_contract(cost(10, 0));
    for name in ["ledger.sqlite", "ledger.sqlite-wal"] {
        let mode = std::fs::metadata(f.dir.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[test]
fn a_ledger_of_another_form_is_not_opened() {
    let changes = [
        "PRAGMA user_version = 1",
        "PRAGMA user_version = 3",
        "PRAGMA user_version = 5",
        "PRAGMA application_id = 1",
        "DROP TRIGGER charge_no_update",
        "DROP TRIGGER domain_only_grows; CREATE TRIGGER domain_only_grows BEFORE UPDATE ON domain BEGIN SELECT 1; END",
        "CREATE TABLE more (id INTEGER)",
        "CREATE TRIGGER more AFTER INSERT ON debit BEGIN UPDATE domain SET spent_rho = 0; END",
        "DROP INDEX debit_by_contract",
        "ALTER TABLE person ADD COLUMN more TEXT",
    ];
    for change in changes {
        let f = Fixture::with_contract(cost(10, 0));
        let (dir, path) = (f.dir, f.ledger.path().to_owned());
        drop(f.ledger);
        Connection::open(&path).unwrap().execute_batch(change).unwrap();
        assert!(matches!(Ledger::open(&path, seal()), Err(LedgerError::Schema { .. })), "{change}");
        drop(dir);
    }
}

#[test]
fn a_log_is_opened_with_its_own_key_and_origin_only() {
    let f = Fixture::with_contract(cost(10, 0));
    let path = f.path();
    drop(f.ledger);
    for (seed, origin) in [([9; 32], "bureau.example/other"), ([8; 32], "bureau.example/log")] {
        let other = Seal::new(Ed25519KeyPair::from_seed_unchecked(&seed).unwrap(), origin).unwrap();
        assert!(matches!(Ledger::open(&path, other), Err(LedgerError::Seal { .. })), "{origin}");
    }
    assert!(Ledger::open(&path, seal()).is_ok());
}

#[cfg(unix)]
#[test]
fn the_key_file_is_made_once_and_read_by_its_owner_only() {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("service.key");
    let made = Seal::generate(&path, "bureau.example/log").unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let read = Seal::load(&path, "bureau.example/log").unwrap();
    assert_eq!(made.verifier_key(), read.verifier_key());
    assert_eq!(made.key().public_key().as_ref(), read.verifier_key().public_key());
    let before = fs::read(&path).unwrap();
    assert!(matches!(Seal::generate(&path, "bureau.example/log"), Err(SealError::File { .. })));
    assert_eq!(fs::read(&path).unwrap(), before);
    assert!(!format!("{made:?}").contains(&hex::encode(&before[16..48])));
    assert!(matches!(Seal::load(&path, "a b"), Err(SealError::Origin(_))));
    fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
    assert!(matches!(Seal::load(&path, "bureau.example/log"), Err(SealError::Rights(_))));
    fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    for at in 0..before.len() {
        let mut changed = before.clone();
        changed[at] ^= 1;
        fs::write(&path, changed).unwrap();
        assert!(matches!(Seal::load(&path, "bureau.example/log"), Err(SealError::Key(_))), "byte {at}");
    }
    assert!(matches!(Seal::load(&dir.path().join("absent"), "a"), Err(SealError::File { .. })));
}

#[test]
fn a_file_that_is_no_database_is_not_opened() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ledger.sqlite");
    std::fs::write(&path, vec![b'x'; 8192]).unwrap();
    assert!(matches!(Ledger::open(&path, seal()), Err(LedgerError::Corrupt(_))));
}

/// A ledger in which every table has a row.
fn full() -> Fixture {
    let f = Fixture::with_contract(cost(100, 0));
    let token = f.ledger.issue_token(&crate::support::id("ana"), i64::MAX, 0).unwrap();
    f.ledger.revoke_token(&glovebox_policy::Digest::of(token.as_bytes())).unwrap();
    let print = glovebox_policy::Digest::of(b"a certificate");
    let (ana, olga) = (crate::support::id("ana"), crate::support::id("olga"));
    f.ledger.add_client_certificate(&ana, &print, &olga).unwrap();
    f.ledger.revoke_client_certificate(&print).unwrap();
    f.answer(&order("c1", 1, cost(4, 0)), b"answer");
    f.ledger.mark_lost(f.run(&order("c1", 2, cost(4, 0)))).unwrap();
    f.submit("j-1", "c1");
    f.submit("j-2", "c1");
    f.approve("j-1", NOON + DAY, 1);
    let _ = f.run(&f.job_order("j-1", 3, cost(4, 0)));
    f.cancel("j-2");
    let (subject, why) = (glovebox_ledger::Freezable::Contract(crate::support::id("c1")), "an inquiry".to_owned());
    let new = glovebox_ledger::NewFreeze { subject, frozen: true, officer: olga, why, now_unix_s: NOON };
    f.ledger.freeze(&new).unwrap();
    let (application, person, dataset) =
        (crate::support::id("a-1"), crate::support::id("ana"), crate::support::id("medical.visits"));
    let new = glovebox_ledger::NewApplication { application, person, dataset, text: "x".to_owned(), now_unix_s: NOON };
    f.ledger.apply(&new).unwrap();
    f.ledger.withdraw_application(&new.application, &new.person, NOON).unwrap();
    f
}

const TABLES: &[&str] = &[
    "schema_version",
    "clock",
    "log_entry",
    "log_head",
    "log_node",
    "log_key",
    "person",
    "token",
    "token_revocation",
    "client_certificate",
    "client_certificate_revocation",
    "officer_key",
    "domain",
    "dataset",
    "snapshot",
    "contract",
    "contract_day",
    "charge",
    "attempt",
    "debit",
    "release",
    "lost",
    "freeze",
    "application",
    "application_end",
    "decision",
    "job",
    "verdict",
    "outcome",
    "cancellation",
    "job_run",
    "certificate",
];

#[test]
fn no_writer_can_delete_or_replace_or_change_a_fact() {
    let f = full();
    let conn = Connection::open(f.path()).unwrap();
    let names = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'";
    assert_eq!(conn.query_row(names, [], |row| row.get::<_, i64>(0)).unwrap(), TABLES.len() as i64);
    for &table in TABLES {
        let rows: i64 = conn.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap();
        assert!(rows > 0, "{table}");
        let columns: Vec<String> = conn
            .prepare(&format!("SELECT name FROM pragma_table_info('{table}')"))
            .unwrap()
            .query_map([], |row| row.get(0))
            .unwrap()
            .map(Result::unwrap)
            .collect();
        let mut attempts =
            vec![format!("DELETE FROM {table}"), format!("INSERT OR REPLACE INTO {table} SELECT * FROM {table}")];
        let growing = ["clock", "log_head", "domain", "contract", "contract_day"];
        for column in &columns {
            let total = ["last_seen", "frontier", "spent_rho", "spent_delta", "debited_rho", "debited_delta"];
            if !growing.contains(&table) || !(total.contains(&column.as_str()) || ["clock"].contains(&table)) {
                attempts.push(format!("UPDATE {table} SET {column} = {column}"));
            }
        }
        for attempt in attempts {
            let error = conn.execute(&attempt, []).unwrap_err();
            assert!(error.sqlite_error_code() == Some(rusqlite::ErrorCode::ConstraintViolation), "{attempt}: {error}");
        }
        let after: i64 = conn.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap();
        assert_eq!(after, rows);
    }
    f.audit();
}

#[test]
fn no_writer_can_lower_a_total_or_pass_a_cap() {
    let f = full();
    let conn = Connection::open(f.path()).unwrap();
    let attempts = [
        "UPDATE domain SET spent_rho = spent_rho - 1",
        "UPDATE domain SET spent_rho = cap_rho + 1",
        "UPDATE domain SET spent_delta = cap_delta + 1",
        "UPDATE contract SET debited_rho = debited_rho - 1",
        "UPDATE contract SET debited_rho = allotment_rho + 1",
        "UPDATE contract_day SET debited_rho = debited_rho - 1",
        "UPDATE contract_day SET debited_rho = per_day_rho + 1",
        "UPDATE clock SET last_seen = last_seen - 1",
        "UPDATE log_head SET size = size - 1",
        "UPDATE log_head SET size = size + 2",
        "UPDATE log_head SET frontier = zeroblob(length(frontier))",
        "INSERT INTO log_entry (seq, entry, leaf) VALUES (1000, x'00', zeroblob(32))",
        "INSERT INTO log_node (level, place, hash) VALUES (1, 1000, zeroblob(32))",
        "INSERT INTO log_node (level, place, hash) VALUES (40, 0, zeroblob(32))",
        "INSERT INTO domain (domain, cap_rho, cap_delta, published_delta, leaf) VALUES ('x', 1.5, 0, 0, 0)",
        "INSERT INTO release SELECT request, attempt, x'00', zeroblob(32), x'00', zeroblob(32), 0, 0 FROM lost",
        "INSERT INTO verdict SELECT 'j-2', person, decision, envelope, digest, execute_by, max_executions, at, 0
             FROM verdict",
        "INSERT INTO job_run SELECT job, 2, (SELECT request FROM lost), at, 0 FROM job_run",
        "INSERT INTO job_run SELECT 'j-2', 1, request, at, 0 FROM job_run",
        "INSERT INTO certificate SELECT (SELECT request FROM lost), contract, envelope, digest, 0 FROM certificate",
        "INSERT INTO certificate SELECT request, 'c2', envelope, digest, 0 FROM certificate",
        "INSERT INTO lost SELECT request, attempt, 'ana', 0, 0 FROM release",
        "INSERT OR REPLACE INTO domain (rowid, domain, cap_rho, cap_delta, published_delta, leaf)
             SELECT rowid, 'new', 1000000, 0, 0, 0 FROM domain",
    ];
    for attempt in attempts {
        assert!(conn.execute(attempt, []).is_err(), "{attempt}");
    }
    f.audit();
}
