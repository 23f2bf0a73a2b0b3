//! The log: its root, its chain, and that a changed byte is found and named.

use std::collections::{BTreeMap, BTreeSet};

use glovebox_ledger::{Admission, ENTRY_MAX_BYTES, Ledger, LedgerError};
use glovebox_policy::{Cost, Role};
use ring::digest::{SHA256, digest};
use rusqlite::Connection;

use crate::support::{Fixture, cost, order, person, seal};

fn sha256(bytes: &[u8]) -> [u8; 32] {
    digest(&SHA256, bytes).as_ref().try_into().unwrap()
}

/// RFC 6962 §2.1, from the entries, written apart from the product's code.
fn naive_root(entries: &[Vec<u8>]) -> [u8; 32] {
    match entries.len() {
        0 => sha256(b""),
        1 => sha256(&[&[0], entries[0].as_slice()].concat()),
        n => {
            let mut split = 1;
            while split * 2 < n {
                split *= 2;
            }
            let (left, right) = (naive_root(&entries[..split]), naive_root(&entries[split..]));
            sha256(&[&[1], left.as_slice(), right.as_slice()].concat())
        }
    }
}

#[test]
fn the_root_equals_a_naive_recomputation_at_every_size() {
    let dir = tempfile::tempdir().unwrap();
    let mut ledger = Ledger::create(&dir.path().join("ledger.sqlite"), seal()).unwrap();
    for size in 0..=70_u64 {
        let entries = ledger.entries(0, 1000).unwrap();
        let head = ledger.tree_head().unwrap();
        assert_eq!((head.size, head.root), (size, naive_root(&entries)), "size {size}");
        assert_eq!(ledger.verify_log().unwrap(), head);
        let leaves: Vec<_> = entries.iter().map(|entry| sha256(&[&[0], entry.as_slice()].concat())).collect();
        assert_eq!(ledger.leaf_hashes(0, 1000).unwrap(), leaves);
        if size % 8 == 0 {
            ledger = Ledger::open(&dir.path().join("ledger.sqlite"), seal()).unwrap();
        }
        ledger.add_person(&person(&format!("p{size}"), Role::Analyst)).unwrap();
    }
}

#[test]
fn entries_are_canonical_chained_and_counted() {
    let f = Fixture::with_contract(cost(10, 0));
    f.answer(&order("c1", 1, cost(4, 0)), b"answer");
    let entries = f.ledger.entries(0, 1000).unwrap();
    let mut nonces = BTreeSet::new();
    for (seq, entry) in entries.iter().enumerate() {
        assert!(entry.len() <= ENTRY_MAX_BYTES);
        let fields: BTreeMap<String, serde_json::Value> = serde_json::from_slice(entry).unwrap();
        assert_eq!(&serde_json::to_vec(&fields).unwrap(), entry);
        assert_eq!(fields["seq"], seq);
        assert_eq!(fields["prev"], hex::encode(naive_root(&entries[..seq])));
        assert!(nonces.insert(fields["nonce"].as_str().unwrap().to_owned()), "a nonce never comes twice");
        assert_eq!(hex::decode(fields["nonce"].as_str().unwrap()).unwrap().len(), 32);
        assert!(fields["time"].is_i64() && fields["kind"].is_string());
    }
    assert_eq!(f.ledger.entries(2, 2).unwrap(), entries[2..4]);
    assert!(f.ledger.entries(u64::MAX, 2).unwrap().is_empty());
}

/// A ledger with a few entries and a second connection that has put the triggers of the log out of action.
fn tampered(change: impl Fn(&Connection)) -> Result<(), LedgerError> {
    let f = Fixture::with_contract(cost(10, 0));
    f.answer(&order("c1", 1, cost(4, 0)), b"answer");
    f.audit();
    let conn = Connection::open(f.path()).unwrap();
    for trigger in [
        "log_entry_no_update",
        "log_entry_no_delete",
        "log_head_one_step",
        "log_node_no_update",
        "log_node_no_delete",
        "log_node_with_last_leaf",
    ] {
        conn.execute_batch(&format!("DROP TRIGGER {trigger}")).unwrap();
    }
    conn.pragma_update(None, "foreign_keys", false).unwrap();
    change(&conn);
    f.ledger.verify_log().map(|_| ())
}

#[test]
fn one_changed_byte_is_found_and_its_entry_named() {
    for seq in [0_u64, 3, 6] {
        for at in [0_usize, 5, 40] {
            let found = tampered(|conn| {
                let read = "SELECT entry FROM log_entry WHERE seq = ?1";
                let mut entry: Vec<u8> = conn.query_row(read, [seq as i64], |row| row.get(0)).unwrap();
                entry[at] ^= 1;
                conn.execute("UPDATE log_entry SET entry = ?2 WHERE seq = ?1", (seq as i64, entry)).unwrap();
            });
            assert!(matches!(found, Err(LedgerError::Log { seq: named, .. }) if named == seq), "{seq} {at} {found:?}");
        }
    }
}

#[test]
fn a_rewritten_entry_with_a_fitting_leaf_breaks_the_chain_after_it() {
    let found = tampered(|conn| {
        let mut entry: Vec<u8> =
            conn.query_row("SELECT entry FROM log_entry WHERE seq = 4", [], |row| row.get(0)).unwrap();
        let digit = entry.windows(7).position(|window| window == b"\"time\":").unwrap() + 16;
        entry[digit] ^= 1;
        let leaf = sha256(&[&[0], entry.as_slice()].concat());
        conn.execute("UPDATE log_entry SET entry = ?1, leaf = ?2 WHERE seq = 4", (entry, leaf)).unwrap();
    });
    assert!(matches!(found, Err(LedgerError::Log { seq: 5, .. })), "{found:?}");
}

#[test]
fn removed_entries_leaves_and_heads_are_found() {
    let removed = tampered(|conn| assert_eq!(conn.execute("DELETE FROM log_entry WHERE seq = 2", []).unwrap(), 1));
    assert!(matches!(removed, Err(LedgerError::Log { seq: 2, .. })), "{removed:?}");
    let cut = tampered(|conn| assert_eq!(conn.execute("DELETE FROM log_entry WHERE seq > 5", []).unwrap(), 3));
    assert!(matches!(cut, Err(LedgerError::Corrupt(_))), "{cut:?}");
    let leaf = tampered(|conn| {
        assert_eq!(conn.execute("UPDATE log_entry SET leaf = zeroblob(32) WHERE seq = 1", []).unwrap(), 1)
    });
    assert!(matches!(leaf, Err(LedgerError::Log { seq: 1, .. })), "{leaf:?}");
    let head = tampered(|conn| {
        assert_eq!(conn.execute("UPDATE log_head SET frontier = zeroblob(length(frontier))", []).unwrap(), 1)
    });
    assert!(matches!(head, Err(LedgerError::Corrupt(_))), "{head:?}");
    for change in [
        "UPDATE log_node SET hash = zeroblob(32) WHERE level = 2 AND place = 0",
        "DELETE FROM log_node WHERE level = 2 AND place = 0",
    ] {
        let node = tampered(|conn| assert_eq!(conn.execute(change, []).unwrap(), 1));
        assert!(matches!(node, Err(LedgerError::Log { seq: 3, .. })), "{change} {node:?}");
    }
    let more =
        tampered(|conn| assert_eq!(conn.execute("INSERT INTO log_node VALUES (1, 9, zeroblob(32))", []).unwrap(), 1));
    assert!(matches!(more, Err(LedgerError::Corrupt(_))), "{more:?}");
}

#[test]
fn facts_that_differ_from_the_log_are_found() {
    let changes = [
        ("release_no_update", "UPDATE release SET digest = zeroblob(32)"),
        ("domain_fixed", "UPDATE domain SET cap_rho = cap_rho + 1"),
        ("charge_no_update", "UPDATE charge SET rho = 3"),
        ("debit_no_update", "UPDATE debit SET rho = 3"),
        ("domain_only_grows", "UPDATE domain SET spent_rho = 0"),
        ("contract_only_grows", "UPDATE contract SET debited_rho = 0"),
        ("contract_day_only_grows", "UPDATE contract_day SET debited_rho = 0"),
        ("contract_fixed", "UPDATE contract SET allotment_rho = 9"),
        ("release_no_delete", "DELETE FROM release"),
        ("release_no_update", "UPDATE release SET body = x'00'"),
        ("release_no_update", "UPDATE release SET claims = x'00'"),
        ("certificate_no_update", "UPDATE certificate SET envelope = x'00'"),
        ("certificate_no_delete", "DELETE FROM certificate"),
        ("debit_no_update", "UPDATE debit SET at = at + 1"),
    ];
    for (trigger, change) in changes {
        let f = Fixture::with_contract(cost(10, 0));
        f.answer(&order("c1", 1, cost(4, 0)), b"answer");
        f.audit();
        let conn = Connection::open(f.path()).unwrap();
        conn.execute_batch(&format!("DROP TRIGGER {trigger}")).unwrap();
        conn.pragma_update(None, "foreign_keys", false).unwrap();
        assert_eq!(conn.execute(change, []).unwrap(), 1, "{change}");
        assert!(matches!(f.ledger.verify_books(), Err(LedgerError::Corrupt(_))), "{change}");
    }
}

#[test]
fn a_changed_release_is_not_served() {
    let f = Fixture::with_contract(cost(10, 0));
    let ask = order("c1", 1, cost(4, 0));
    f.answer(&ask, b"answer");
    let conn = Connection::open(f.path()).unwrap();
    conn.execute_batch("DROP TRIGGER release_no_update; UPDATE release SET body = x'00'").unwrap();
    assert!(matches!(f.ledger.release_of(ask.request), Err(LedgerError::Corrupt(_))));
    let Admission::Stored(claim) = f.charge(&ask).unwrap() else { panic!("it was released") };
    assert!(matches!(f.ledger.collect(claim), Err(LedgerError::Corrupt(_))));
    assert_eq!(Fixture::new(Cost::ZERO).ledger.verify_log().unwrap().size, 5);
}
