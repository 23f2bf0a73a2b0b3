//! Freezes: inside the charge, as facts that cannot be changed, and who can be frozen by whom.

use glovebox_ledger::{Freezable, LedgerError, NewFreeze, Order};
use glovebox_policy::{Digest, Reason};

use crate::support::{Fixture, NOON, cost, domain, id, order, reason, snapshot};

fn freeze(f: &Fixture, subject: Freezable, frozen: bool, why: &str) -> Result<(), Reason> {
    let new = NewFreeze { subject, frozen, officer: id("olga"), why: why.to_owned(), now_unix_s: NOON };
    reason(f.ledger.freeze(&new))
}

fn subjects() -> [(Freezable, Reason); 3] {
    [
        (Freezable::Dataset(id("medical.visits")), Reason::DatasetFrozen),
        (Freezable::Contract(id("c1")), Reason::ContractFrozen),
        (Freezable::Person(id("ana")), Reason::Frozen),
    ]
}

#[test]
fn what_is_frozen_is_not_charged_until_it_is_let_go() {
    for (subject, told) in subjects() {
        let f = Fixture::with_contract(cost(100, 0));
        f.answer(&order("c1", 1, cost(4, 0)), b"answer");
        freeze(&f, subject.clone(), true, "an inquiry").unwrap();
        let size = f.ledger.tree_head().unwrap().size;
        // Neither something new, nor what was answered before, nor what the contract has paid for already.
        for request in [1, 2] {
            assert_eq!(f.refused(&order("c1", request, cost(4, 0))).reason(), told);
        }
        assert_eq!((f.spent(), f.ledger.tree_head().unwrap().size), (cost(4, 0), size), "a refusal leaves nothing");
        let f = f.reopen();
        assert!(f.ledger.is_frozen(&subject).unwrap());
        freeze(&f, subject.clone(), false, "all is well").unwrap();
        let _ = f.served(&order("c1", 1, cost(4, 0)));
        f.answer(&order("c1", 2, cost(4, 0)), b"another");
        f.audit();
    }
}

#[test]
fn a_frozen_dataset_is_not_joined_either() {
    let f = Fixture::with_contract(cost(100, 0));
    f.ledger.register_dataset(&id("medical.labs"), &domain(), &snapshot(2), Digest::of(b"m"), &id("olga")).unwrap();
    let joined = |request| Order { joined: Some(snapshot(2)), ..order("c1", request, cost(4, 0)) };
    f.answer(&joined(1), b"answer");
    freeze(&f, Freezable::Dataset(id("medical.labs")), true, "an inquiry").unwrap();
    for request in [1, 2] {
        assert_eq!(f.refused(&joined(request)).reason(), Reason::DatasetFrozen);
    }
    f.answer(&order("c1", 3, cost(4, 0)), b"of the other alone");
    freeze(&f, Freezable::Dataset(id("medical.labs")), false, "all is well").unwrap();
    let _ = f.served(&joined(1));
    f.answer(&joined(2), b"another");
    f.audit();
}

#[test]
fn others_go_on() {
    let f = Fixture::new(cost(100, 0));
    f.add("c1", cost(40, 0), cost(40, 0)).unwrap();
    f.add("c2", cost(40, 0), cost(40, 0)).unwrap();
    freeze(&f, Freezable::Contract(id("c1")), true, "an inquiry").unwrap();
    f.answer(&order("c2", 1, cost(4, 0)), b"answer");
    assert_eq!(f.refused(&order("c1", 1, cost(4, 0))).reason(), Reason::ContractFrozen);
}

#[test]
fn what_makes_no_sense_is_refused_and_leaves_nothing() {
    let f = Fixture::with_contract(cost(100, 0));
    let size = || f.ledger.tree_head().unwrap().size;
    let before = size();
    for (subject, frozen, why, told) in [
        (Freezable::Dataset(id("medical.nothing")), true, "x", Reason::NotFound),
        (Freezable::Contract(id("c9")), true, "x", Reason::NotFound),
        (Freezable::Person(id("nobody")), true, "x", Reason::NotFound),
        (Freezable::Person(id("olga")), true, "x", Reason::OwnRequest),
        (Freezable::Person(id("ana")), true, " \n", Reason::FreezeInvalid),
        (Freezable::Person(id("ana")), true, &"x".repeat(1_001), Reason::FreezeInvalid),
        (Freezable::Person(id("ana")), false, "x", Reason::FreezeInvalid),
    ] {
        assert_eq!(freeze(&f, subject.clone(), frozen, why), Err(told), "{subject:?}");
    }
    assert_eq!(size(), before);
    freeze(&f, Freezable::Person(id("ana")), true, "x").unwrap();
    assert_eq!(freeze(&f, Freezable::Person(id("ana")), true, "again"), Err(Reason::FreezeInvalid));
    assert_eq!(size(), before + 1);
}

#[test]
fn losses_before_an_officer_let_the_person_go_freeze_nobody() {
    let f = Fixture::with_contract(cost(100, 0));
    for request in 1..=3 {
        f.ledger.mark_lost(f.run(&order("c1", request, cost(1, 0)))).unwrap();
    }
    let ana = || Freezable::Person(id("ana"));
    assert_eq!(f.ledger.incidents_of(&id("ana")).unwrap(), 3);
    // She was frozen by nobody, and can be let go all the same.
    freeze(&f, ana(), false, "the disk was replaced").unwrap();
    assert_eq!((f.ledger.incidents_of(&id("ana")).unwrap(), f.ledger.incidents().unwrap()), (0, 3));
    assert_eq!(freeze(&f, ana(), false, "again"), Err(Reason::FreezeInvalid));
    f.ledger.mark_lost(f.run(&order("c1", 4, cost(1, 0)))).unwrap();
    assert_eq!(f.ledger.incidents_of(&id("ana")).unwrap(), 1);
    assert_eq!(f.spent(), cost(4, 0), "what was lost stays charged");
    f.audit();
}

#[test]
fn a_changed_freeze_is_found_and_the_log_holds_no_text() {
    for change in [
        "UPDATE freeze SET frozen = 0",
        "UPDATE freeze SET why = 'nothing'",
        "UPDATE freeze SET name = 'c2'",
        "DELETE FROM freeze",
    ] {
        let f = Fixture::with_contract(cost(100, 0));
        freeze(&f, Freezable::Contract(id("c1")), true, "a secret suspicion").unwrap();
        let log = String::from_utf8(f.ledger.entries(0, 100).unwrap().concat()).unwrap();
        assert!(log.contains(r#""kind":"freeze""#) && !log.contains("suspicion"));
        f.audit();
        let conn = rusqlite::Connection::open(f.path()).unwrap();
        assert!(conn.execute(change, []).is_err(), "{change}");
        conn.execute_batch("DROP TRIGGER freeze_no_update; DROP TRIGGER freeze_no_delete").unwrap();
        conn.execute(change, []).unwrap();
        assert!(matches!(f.ledger.verify_books(), Err(LedgerError::Corrupt(_))), "{change}");
    }
}
