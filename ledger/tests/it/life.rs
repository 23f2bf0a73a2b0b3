//! One request through crashes: every point between two steps, with the ledger dropped and opened again.

use glovebox_ledger::{Admission, LedgerError, MAX_RESUMES};
use glovebox_policy::{Cost, Digest, Reason};

use crate::support::{Fixture, charge, claims, cost, id, order};

#[test]
fn a_release_is_stored_once_and_read_back_as_it_was() {
    let f = Fixture::with_contract(cost(10, 0));
    let ask = order("c1", 1, cost(4, 0));
    let charge = f.run(&ask);
    assert_eq!((charge.request(), charge.cost(), charge.attempt()), (ask.request, cost(4, 0), 1));
    assert_eq!((charge.contract(), charge.domain(), charge.person()), (&ask.contract, &ask.domain, &ask.person));
    let receipt = f.ledger.commit_release(charge, b"noised", "gaussian", &claims()).unwrap();
    assert_eq!((receipt.request(), receipt.body_digest()), (ask.request, Digest::of(b"noised")));
    let entry = f.ledger.entries(receipt.leaf_index(), 1).unwrap().concat();
    let text = String::from_utf8(entry).unwrap();
    assert!(text.contains(r#""kind":"release""#) && text.contains(&receipt.body_digest().to_string()), "{text}");
    let f = f.reopen();
    for _ in 0..3 {
        let again = f.served(&ask);
        assert_eq!((again.body(), again.receipt()), (b"noised".as_slice(), &receipt));
    }
    assert_eq!(f.ledger.release_of(ask.request).unwrap().unwrap().into_parts(), (b"noised".to_vec(), receipt));
    assert_eq!(f.ledger.release_of(Digest::of(b"other")).unwrap(), None);
    assert_eq!((f.spent(), f.debited("c1")), (cost(4, 0), cost(4, 0)));
    f.audit();
}

#[test]
fn kill_matrix() {
    // Crash after `crashes` charges without an answer; then see what the next ask gets.
    for crashes in 0..=MAX_RESUMES + 3 {
        let mut f = Fixture::with_contract(cost(10, 0));
        let ask = order("c1", 1, cost(4, 0));
        for crash in 0..crashes {
            match f.charge(&ask) {
                Ok(Admission::Charged(charge)) => {
                    assert!(crash <= MAX_RESUMES);
                    assert_eq!(charge.attempt(), crash + 1);
                }
                Err(error) => {
                    assert!(crash > MAX_RESUMES);
                    assert!(error.to_string().starts_with("lost"), "{error}");
                }
                Ok(other) => panic!("{other:?}"),
            }
            f = f.reopen();
            assert_eq!((f.spent(), f.debited("c1")), (cost(4, 0), cost(4, 0)), "charged exactly once");
            f.audit();
        }
        if crashes <= MAX_RESUMES {
            f.answer(&ask, b"answer");
            f = f.reopen();
            assert_eq!(f.served(&ask).body(), b"answer");
            assert_eq!(f.ledger.incidents().unwrap(), 0);
        } else {
            assert_eq!(f.refused(&ask).reason(), Reason::Lost);
            assert_eq!(f.ledger.incidents().unwrap(), 1);
            assert_eq!(f.ledger.incidents_of(&id("ana")).unwrap(), 1);
            assert_eq!(f.ledger.release_of(ask.request).unwrap(), None);
        }
        assert_eq!((f.spent(), f.debited("c1")), (cost(4, 0), cost(4, 0)));
        f.audit();
    }
}

#[test]
fn dropping_a_charge_refunds_nothing_and_counts_as_cut_off() {
    let f = Fixture::with_contract(cost(4, 0));
    let ask = order("c1", 1, cost(4, 0));
    drop(f.run(&ask));
    assert_eq!(f.spent(), cost(4, 0));
    assert_eq!(f.refused(&order("c1", 2, cost(1, 0))).reason(), Reason::ContractBudgetSpent);
    assert_eq!(f.run(&ask).attempt(), 2);
}

#[test]
fn a_request_that_runs_is_not_run_beside_itself() {
    let f = Fixture::with_contract(cost(10, 0));
    let ask = order("c1", 1, cost(4, 0));
    let charge = f.run(&ask);
    for _ in 0..10 {
        assert!(matches!(f.charge(&ask).unwrap(), Admission::Running(_)));
    }
    assert_eq!((f.spent(), f.debited("c1")), (cost(4, 0), cost(4, 0)));
    let _ = f.ledger.commit_release(charge, b"answer", "", &claims()).unwrap();
    assert_eq!(f.served(&ask).body(), b"answer");
    f.audit();
}

#[test]
fn a_charge_given_up_is_lost_and_stays_charged() {
    let f = Fixture::with_contract(cost(10, 0));
    let ask = order("c1", 1, cost(4, 0));
    f.ledger.mark_lost(f.run(&ask)).unwrap();
    assert_eq!(f.refused(&ask).reason(), Reason::Lost);
    assert_eq!((f.spent(), f.ledger.incidents().unwrap()), (cost(4, 0), 1));
    f.audit();
}

#[test]
fn an_overtaken_charge_releases_nothing() {
    // Two processes on one file: the second one takes the first for dead. Only the latest attempt may release.
    let f = Fixture::with_contract(cost(10, 0));
    let ask = order("c1", 1, cost(4, 0));
    let first = f.run(&ask);
    let other = glovebox_ledger::Ledger::open(&f.path(), crate::support::seal()).unwrap();
    let second = crate::support::charged(charge(&other, &ask).unwrap());
    assert_eq!(second.attempt(), 2);
    assert!(matches!(f.ledger.commit_release(first, b"first", "", &claims()), Err(LedgerError::Superseded)));
    let _ = other.commit_release(second, b"second", "", &claims()).unwrap();
    assert_eq!(f.served(&ask).body(), b"second");
    f.audit();
}

#[test]
fn a_charge_of_another_ledger_is_worth_nothing() {
    let (f, other) = (Fixture::with_contract(cost(10, 0)), Fixture::with_contract(cost(10, 0)));
    let ask = order("c1", 1, cost(4, 0));
    let (here, there) = (f.run(&ask), other.run(&ask));
    assert!(matches!(f.ledger.commit_release(there, b"x", "", &claims()), Err(LedgerError::Conflict(_))));
    assert!(f.ledger.commit_release(here, b"x", "", &claims()).is_ok());
}

#[test]
fn what_is_too_large_is_not_stored_and_the_charge_stays() {
    let f = Fixture::with_contract(cost(10, 0));
    let ask = order("c1", 1, cost(4, 0));
    let summary = "s".repeat(glovebox_ledger::SUMMARY_MAX_BYTES + 1);
    assert!(matches!(f.ledger.commit_release(f.run(&ask), b"x", &summary, &claims()), Err(LedgerError::TooLarge(_))));
    let quotes = "\"\u{1}".repeat(glovebox_ledger::SUMMARY_MAX_BYTES / 2);
    assert!(
        f.ledger.commit_release(f.run(&ask), b"x", &quotes, &claims()).is_ok(),
        "fits even when every character is escaped"
    );
    assert_eq!(f.spent(), cost(4, 0));
    f.audit();
}

#[test]
fn an_empty_ledger_has_no_incident() {
    assert_eq!(Fixture::new(Cost::ZERO).ledger.incidents().unwrap(), 0);
}
