//! Bills: every debit with its price, of its own contract and month alone.

use glovebox_ledger::{LedgerError, Order};

use crate::support::{DAY, Fixture, NOON, cost, id, order};

fn priced(contract: &str, request: u64, price: u64, now_unix_s: i64) -> Order {
    Order { price, now_unix_s, ..order(contract, request, cost(4, 0)) }
}

#[test]
fn a_bill_has_what_its_contract_was_debited_in_its_days() {
    let f = Fixture::new(cost(100, 0));
    f.add("c1", cost(40, 0), cost(40, 0)).unwrap();
    f.add("c2", cost(40, 0), cost(40, 0)).unwrap();
    let today = NOON / DAY;
    f.answer(&priced("c1", 1, 110, NOON), b"one");
    // Asked again it is not billed again. Another contract is billed for the same answer, at the price of its own day.
    let _ = f.served(&priced("c1", 1, 999, NOON));
    let _ = f.served(&priced("c2", 1, 130, NOON));
    // What is lost is billed.
    f.ledger.mark_lost(f.run(&priced("c1", 2, 120, NOON + DAY))).unwrap();
    let bill = |contract: &str, from, to| {
        let lines = f.ledger.bill(&id(contract), from, to).unwrap();
        lines.into_iter().map(|line| (line.price, line.cost, line.at_unix_s)).collect::<Vec<_>>()
    };
    assert_eq!(bill("c1", today, today + 1), [(110, cost(4, 0), NOON)]);
    assert_eq!(bill("c1", today, today + 2), [(110, cost(4, 0), NOON), (120, cost(4, 0), NOON + DAY)]);
    assert_eq!(bill("c2", today, today + 2), [(130, cost(4, 0), NOON)]);
    assert!(bill("c1", today + 2, today + 9).is_empty() && bill("c1", today - 9, today).is_empty());
    f.audit();
}

#[test]
fn a_changed_price_is_found() {
    let f = Fixture::with_contract(cost(100, 0));
    f.answer(&priced("c1", 1, 110, NOON), b"one");
    let conn = rusqlite::Connection::open(f.path()).unwrap();
    assert!(conn.execute("UPDATE debit SET price = 1", []).is_err());
    conn.execute_batch("DROP TRIGGER debit_no_update").unwrap();
    conn.execute("UPDATE debit SET price = 1", []).unwrap();
    assert!(matches!(f.ledger.verify_books(), Err(LedgerError::Corrupt(_))));
}
