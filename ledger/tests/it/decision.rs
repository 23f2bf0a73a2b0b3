//! What decisions rested on is kept, once, and cannot be changed unnoticed.

use glovebox_ledger::{ChargeError, LedgerError, Order};
use glovebox_policy::Digest;

use crate::support::{Fixture, cost, order};

fn resting_on(record: &[u8], request: u64) -> Order {
    let (decision, decision_record) = (Digest::of(record), record.to_vec());
    Order { decision, decision_record, ..order("c1", request, cost(4, 0)) }
}

#[test]
fn the_decision_behind_an_entry_is_found() {
    let f = Fixture::with_contract(cost(100, 0));
    let before = f.ledger.tree_head().unwrap().size;
    f.answer(&resting_on(b"first", 1), b"answer");
    f.answer(&resting_on(b"second", 2), b"answer");
    let found = f.ledger.decision_of(before).unwrap().unwrap();
    assert_eq!((found.record.as_slice(), found.contract.as_str()), (&b"first"[..], "c1"));
    assert_eq!(found.digest, Digest::of(b"first"));
    assert_eq!(f.ledger.decision_of(0).unwrap(), None, "an entry that rests on no decision");
    assert_eq!(f.ledger.decision_of(before + 1).unwrap(), None, "a release: nothing is decided then");
    assert_eq!(f.ledger.decision_of(10_000).unwrap(), None, "no entry");
    f.audit();
}

#[test]
fn an_order_brings_the_record_of_its_own_decision() {
    let f = Fixture::with_contract(cost(100, 0));
    let size = f.ledger.tree_head().unwrap().size;
    let wrong = Order { decision_record: b"another".to_vec(), ..resting_on(b"first", 1) };
    assert!(matches!(f.charge(&wrong), Err(ChargeError::Ledger(LedgerError::Conflict(_)))));
    assert_eq!(f.ledger.tree_head().unwrap().size, size);
}

#[test]
fn a_changed_record_is_found() {
    let f = Fixture::with_contract(cost(100, 0));
    let leaf = f.ledger.tree_head().unwrap().size;
    f.answer(&resting_on(b"first", 1), b"answer");
    let conn = rusqlite::Connection::open(f.path()).unwrap();
    for change in ["UPDATE decision SET record = x'00'", "DELETE FROM decision"] {
        assert!(conn.execute(change, []).is_err(), "{change}");
    }
    conn.execute_batch("DROP TRIGGER decision_no_update; UPDATE decision SET record = x'00'").unwrap();
    assert!(matches!(f.ledger.verify_books(), Err(LedgerError::Corrupt(_))));
    assert!(matches!(f.ledger.decision_of(leaf), Err(LedgerError::Corrupt(_))));
}
