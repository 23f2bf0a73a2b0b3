//! Every cap at its limit and one step over it, days, and contracts that end.

use glovebox_ledger::{ChargeError, LedgerError};
use glovebox_policy::{Cost, Delta, Digest, Reason, Rho};

use crate::support::{DAY, Fixture, NOON, at, contract_text, cost, domain, id, order, snapshot};

#[test]
fn the_contract_cap_holds_at_the_step_in_both_numbers() {
    let f = Fixture::new(cost(1000, 1000));
    f.add("c1", cost(10, 5), cost(10, 5)).unwrap();
    let _ = f.run(&order("c1", 1, cost(9, 4)));
    for (request, over) in [(2, cost(2, 0)), (3, cost(0, 2)), (4, cost(2, 2)), (5, cost(u64::MAX, u64::MAX))] {
        assert_eq!(f.refused(&order("c1", request, over)).reason(), Reason::ContractBudgetSpent);
    }
    assert_eq!(f.spent(), cost(9, 4));
    let _ = f.run(&order("c1", 6, cost(1, 1)));
    assert_eq!((f.spent(), f.debited("c1"), f.promised()), (cost(10, 5), cost(10, 5), Cost::ZERO));
    assert_eq!(f.refused(&order("c1", 7, cost(1, 0))).reason(), Reason::ContractBudgetSpent);
    f.audit();
}

#[test]
fn the_day_cap_holds_at_the_step_and_rolls_over_at_midnight_utc() {
    let f = Fixture::new(cost(1000, 1000));
    f.add("c1", cost(100, 100), cost(10, 5)).unwrap();
    let midnight = (NOON / DAY + 1) * DAY;
    let _ = f.run(&order("c1", 1, cost(10, 5)));
    for (request, over) in [(2, cost(1, 0)), (3, cost(0, 1))] {
        assert_eq!(f.refused(&at(order("c1", request, over), midnight - 1)).reason(), Reason::DayBudgetSpent);
    }
    assert_eq!(f.refused(&at(order("c1", 4, cost(11, 0)), midnight)).reason(), Reason::DayBudgetSpent);
    let _ = f.run(&at(order("c1", 5, cost(10, 5)), midnight));
    assert_eq!(f.ledger.contract(&id("c1")).unwrap().unwrap().debited_today, cost(10, 5));
    f.audit();
}

#[test]
fn a_clock_turned_back_frees_nothing() {
    let f = Fixture::new(cost(1000, 1000));
    f.add("c1", cost(100, 0), cost(10, 0)).unwrap();
    let _ = f.run(&order("c1", 1, cost(10, 0)));
    let _ = f.run(&at(order("c1", 2, cost(10, 0)), NOON + DAY));
    let f = f.reopen();
    for now in [NOON - DAY, NOON - 10 * DAY, 0, -1, i64::MIN] {
        assert_eq!(f.refused(&at(order("c1", 3, cost(1, 0)), now)).reason(), Reason::DayBudgetSpent, "{now}");
    }
    f.add_for("c2", cost(1, 0), cost(1, 0), "2033-01-01T00:00:00Z", "2033-06-01T00:00:00Z", NOON).unwrap();
    let _ = f.run(&at(order("c1", 4, cost(1, 0)), NOON + 30 * DAY));
    assert_eq!(f.refused(&order("c2", 5, cost(1, 0))).reason(), Reason::ContractInactive);
}

#[test]
fn signing_reserves_and_the_last_step_can_be_promised() {
    let f = Fixture::new(cost(100, 10));
    f.add("c1", cost(60, 4), cost(60, 4)).unwrap();
    assert_eq!(f.add("c2", cost(41, 0), cost(1, 0)), Err(Reason::AllotmentAboveDomain));
    assert_eq!(f.add("c2", cost(1, 7), cost(1, 0)), Err(Reason::AllotmentAboveDomain));
    f.add("c2", cost(40, 6), cost(40, 6)).unwrap();
    assert_eq!(f.promised(), cost(100, 10));
    assert_eq!(f.add("c3", cost(1, 0), cost(1, 0)), Err(Reason::AllotmentAboveDomain));
    let _ = f.run(&order("c1", 1, cost(60, 4)));
    assert_eq!(f.add("c3", cost(1, 0), cost(1, 0)), Err(Reason::AllotmentAboveDomain));
    let _ = f.run(&order("c2", 2, cost(40, 6)));
    assert_eq!((f.spent(), f.promised()), (cost(100, 10), Cost::ZERO));
    assert_eq!(f.add("c3", cost(1, 0), cost(1, 0)), Err(Reason::AllotmentAboveDomain));
    f.audit();
}

#[test]
fn an_ended_contract_returns_what_it_did_not_touch_and_nothing_more() {
    let f = Fixture::new(cost(100, 0));
    let (starts, ends) = ("2033-01-01T00:00:00Z", "2033-06-01T00:00:00Z");
    f.add_for("short", cost(80, 0), cost(80, 0), starts, ends, NOON).unwrap();
    let _ = f.run(&order("short", 1, cost(30, 0)));
    let end = 2_001_196_800;
    let late = |name: &str, rho: u64, now: i64| {
        f.add_for(name, cost(rho, 0), cost(rho, 0), starts, "2034-01-01T00:00:00Z", now)
    };
    assert_eq!(late("c2", 21, end - 1), Err(Reason::AllotmentAboveDomain));
    let _ = f.run(&at(order("short", 2, cost(1, 0)), end - 1));
    assert_eq!(late("c2", 70, end), Err(Reason::AllotmentAboveDomain));
    late("c2", 69, end).unwrap();
    assert_eq!(f.refused(&at(order("short", 3, cost(1, 0)), end)).reason(), Reason::ContractInactive);
    assert_eq!(f.refused(&at(order("short", 3, cost(1, 0)), end - 1)).reason(), Reason::ContractInactive);
    let _ = f.run(&at(order("c2", 4, cost(69, 0)), end));
    assert_eq!(f.spent(), cost(100, 0));
    f.audit();
}

#[test]
fn a_contract_that_has_not_started_reserves_and_does_not_pay() {
    let f = Fixture::new(cost(100, 0));
    f.add_for("later", cost(80, 0), cost(80, 0), "2033-09-01T00:00:00Z", "2034-01-01T00:00:00Z", NOON).unwrap();
    assert_eq!(f.refused(&order("later", 1, cost(1, 0))).reason(), Reason::ContractInactive);
    assert_eq!(f.add("now", cost(21, 0), cost(21, 0)), Err(Reason::AllotmentAboveDomain));
}

#[test]
fn contracts_that_cannot_stand_are_refused() {
    let f = Fixture::new(cost(100, 0));
    f.add("c1", cost(1, 0), cost(1, 0)).unwrap();
    assert_eq!(f.add("c1", cost(2, 0), cost(1, 0)), Err(Reason::ContractExists));
    let over = f.add_for("c2", cost(1, 0), cost(1, 0), "2030-01-01T00:00:00Z", "2031-01-01T00:00:00Z", NOON);
    assert_eq!(over, Err(Reason::ContractInvalid));
    let (starts, ends) = ("2033-01-01T00:00:00Z", "2034-01-01T00:00:00Z");
    f.ledger.create_domain(&id("vehicles"), cost(9, 9), Delta::ZERO).unwrap();
    for (dataset, domain) in [("medical.unknown", "resident"), ("medical.visits", "vehicles")] {
        let text = contract_text("c3", dataset, domain, cost(1, 0), cost(1, 0), starts, ends);
        let error = f.ledger.add_contract(&f.sign(&text), NOON).unwrap_err();
        assert!(error.to_string().starts_with("contract-invalid"), "{error}");
    }
    // Verified against other keys than those of this ledger.
    let other = Fixture::new(cost(100, 0));
    let text = contract_text("c4", "medical.visits", "resident", cost(1, 0), cost(1, 0), starts, ends);
    let key = ring::signature::Ed25519KeyPair::from_seed_unchecked(&[8; 32]).unwrap();
    let public = ring::signature::KeyPair::public_key(&key).as_ref().try_into().unwrap();
    other.ledger.add_officer_key(&id("olga"), public).unwrap();
    let foreign = Fixture { key, ..other }.sign(&text);
    assert!(f.ledger.add_contract(&foreign, NOON).unwrap_err().to_string().starts_with("signature-invalid"));
    assert_eq!(f.ledger.contracts().unwrap().len(), 1);
    f.audit();
}

#[test]
fn a_cap_beyond_the_store_is_refused() {
    let f = Fixture::new(Cost::ZERO);
    let huge = Cost { rho: Rho::from_steps(1 << 63), delta: Delta::ZERO };
    assert!(matches!(f.ledger.create_domain(&id("huge"), huge, Delta::ZERO), Err(LedgerError::TooLarge(_))));
    let largest = Cost { rho: Rho::from_steps(i64::MAX as u64), delta: Delta::ZERO };
    f.ledger.create_domain(&id("huge"), largest, Delta::ZERO).unwrap();
    assert_eq!(f.ledger.domains().unwrap().iter().map(|d| d.cap).collect::<Vec<_>>(), [largest, Cost::ZERO]);
}

#[test]
fn no_new_snapshot_moves_a_dataset_to_a_fresh_budget() {
    let f = Fixture::with_contract(cost(10, 0));
    f.ledger.create_domain(&id("fresh"), cost(10, 0), Delta::ZERO).unwrap();
    let register = |domain, n| {
        f.ledger.register_dataset(&id("medical.visits"), &domain, &snapshot(n), Digest::of(b"m"), &id("olga"))
    };
    assert!(matches!(register(id("fresh"), 2), Err(LedgerError::Conflict(_))));
    assert!(matches!(register(id("absent"), 2), Err(LedgerError::Unknown { .. })));
    assert!(matches!(register(domain(), 1), Err(LedgerError::Exists { .. })));
    register(domain(), 2).unwrap();
    let on_new = glovebox_ledger::Order { snapshot: snapshot(2), ..order("c1", 1, cost(10, 0)) };
    let _ = f.run(&on_new);
    assert_eq!(f.refused(&order("c1", 2, cost(1, 0))).reason(), Reason::ContractBudgetSpent);
}

#[test]
fn orders_that_contradict_the_ledger_charge_nothing() {
    let f = Fixture::with_contract(cost(10, 0));
    f.ledger.create_domain(&id("other"), cost(10, 0), Delta::ZERO).unwrap();
    f.ledger.register_dataset(&id("a.b"), &domain(), &snapshot(5), Digest::of(b"m"), &id("olga")).unwrap();
    let good = order("c1", 1, cost(1, 0));
    f.ledger.register_dataset(&id("c.d"), &id("other"), &snapshot(6), Digest::of(b"m"), &id("olga")).unwrap();
    let bad = [
        glovebox_ledger::Order { joined: Some(snapshot(9)), ..good.clone() },
        glovebox_ledger::Order { joined: Some(snapshot(6)), ..good.clone() },
        glovebox_ledger::Order { domain: id("other"), ..good.clone() },
        glovebox_ledger::Order { snapshot: snapshot(9), ..good.clone() },
        glovebox_ledger::Order { snapshot: snapshot(5), ..good.clone() },
        glovebox_ledger::Order { person: id("nobody"), ..good.clone() },
        glovebox_ledger::Order { cost: Cost::ZERO, ..good.clone() },
    ];
    let size = f.ledger.tree_head().unwrap().size;
    for order in bad {
        assert!(matches!(f.charge(&order), Err(ChargeError::Ledger(_))), "{order:?}");
    }
    assert_eq!(f.refused(&order("absent", 1, cost(1, 0))).reason(), Reason::ContractUnknown);
    assert_eq!((f.spent(), f.ledger.tree_head().unwrap().size), (Cost::ZERO, size));
    f.answer(&good, b"answer");
    let dearer = order("c1", 1, cost(2, 0));
    assert!(matches!(f.charge(&dearer), Err(ChargeError::Ledger(LedgerError::Conflict(_)))));
}
