//! Stored answers: who pays, and that nobody learns from a price or a refusal what others asked.

use glovebox_ledger::{Admission, Order};
use glovebox_policy::{Cost, Reason, Refusal};

use crate::support::{DAY, Fixture, NOON, at, claims, cost, order};

/// Two contracts of 50 with a day of 20 in a domain of 100.
fn two() -> Fixture {
    let f = Fixture::new(cost(100, 0));
    f.add("c1", cost(50, 0), cost(20, 0)).unwrap();
    f.add("c2", cost(50, 0), cost(20, 0)).unwrap();
    f
}

#[test]
fn the_same_contract_is_debited_once_whatever_the_day() {
    let f = two();
    let ask = order("c1", 1, cost(20, 0));
    f.answer(&ask, b"answer");
    for day in 0..5 {
        assert_eq!(f.served(&at(ask.clone(), NOON + day * DAY)).body(), b"answer");
    }
    assert_eq!((f.spent(), f.debited("c1")), (cost(20, 0), cost(20, 0)));
    f.audit();
}

#[test]
fn another_contract_is_debited_and_the_domain_is_not() {
    let f = two();
    f.answer(&order("c1", 1, cost(15, 0)), b"answer");
    for _ in 0..3 {
        assert_eq!(f.served(&order("c2", 1, cost(15, 0))).body(), b"answer");
    }
    assert_eq!((f.spent(), f.debited("c1"), f.debited("c2")), (cost(15, 0), cost(15, 0), cost(15, 0)));
    assert_eq!(f.promised(), cost(70, 0));
    // What the domain saved can be promised anew: 100 − 15 spent − 70 promised.
    assert_eq!(f.add("c3", cost(16, 0), cost(1, 0)), Err(Reason::AllotmentAboveDomain));
    f.add("c3", cost(15, 0), cost(15, 0)).unwrap();
    f.audit();
}

#[test]
fn every_hit_is_in_the_log() {
    let f = two();
    f.answer(&order("c1", 1, cost(15, 0)), b"answer");
    let size = f.ledger.tree_head().unwrap().size;
    for _ in 0..2 {
        let _ = f.charge(&order("c2", 1, cost(15, 0))).unwrap();
    }
    let text = String::from_utf8(f.ledger.entries(size, 9).unwrap().concat()).unwrap();
    let hits: Vec<_> = text.match_indices(r#""kind":"reuse""#).collect();
    assert_eq!(hits.len(), 2);
    assert_eq!(text.matches(r#""debited":1"#).count(), 1);
}

#[test]
fn another_contract_may_resume_or_join_and_pays_as_if_new() {
    let f = two();
    let charge = f.run(&order("c1", 1, cost(15, 0)));
    assert!(matches!(f.charge(&order("c2", 1, cost(15, 0))).unwrap(), Admission::Running(_)));
    assert_eq!((f.spent(), f.debited("c2")), (cost(15, 0), cost(15, 0)));
    drop(charge);
    let f = f.reopen();
    let resumed = f.run(&order("c2", 1, cost(15, 0)));
    assert_eq!((resumed.attempt(), resumed.contract().as_str()), (2, "c2"));
    let _ = f.ledger.commit_release(resumed, b"answer", "", &claims()).unwrap();
    assert_eq!(f.served(&order("c1", 1, cost(15, 0))).body(), b"answer");
    assert_eq!((f.spent(), f.debited("c1"), f.debited("c2")), (cost(15, 0), cost(15, 0), cost(15, 0)));
    f.audit();
}

/// What the asker of `c2` can tell apart: admitted, or refused and how.
fn seen(f: &Fixture, order: &Order) -> Result<(), Refusal> {
    match f.charge(order) {
        Ok(Admission::Charged(charge)) => {
            let _ = f.ledger.commit_release(charge, b"answer", "", &claims()).unwrap();
            Ok(())
        }
        Ok(Admission::Stored(_) | Admission::Running(_)) => Ok(()),
        Err(glovebox_ledger::ChargeError::Refused(refusal)) => Err(refusal),
        Err(glovebox_ledger::ChargeError::Ledger(error)) => panic!("{error:?}"),
    }
}

#[test]
fn what_one_contract_sees_does_not_depend_on_what_another_asked() {
    // `c2` asks a fixed sequence that meets every budget refusal. `c1` has asked nothing, or some of the same
    // requests, or spent all it has; answered or cut off.
    let asks: Vec<Order> =
        [(1, 15, 0), (2, 6, 0), (1, 15, 0), (3, 5, 0), (4, 1, 0), (5, 51, 0), (4, 20, 1), (6, 11, 2)]
            .into_iter()
            .map(|(request, rho, day)| at(order("c2", request + 100 * rho, cost(rho, 0)), NOON + day * DAY))
            .collect();
    let run = |before: &dyn Fn(&Fixture)| -> Vec<Result<(), Refusal>> {
        // `c1` has room for everything that `c2` is refused.
        let f = Fixture::new(cost(200, 0));
        f.add("c1", cost(150, 0), cost(150, 0)).unwrap();
        f.add("c2", cost(50, 0), cost(20, 0)).unwrap();
        before(&f);
        let seen = asks.iter().map(|ask| seen(&f, ask)).collect();
        f.audit();
        seen
    };
    let alone = run(&|_| {});
    let reasons: Vec<_> = alone.iter().map(|seen| seen.as_ref().err().map(Refusal::reason)).collect();
    let (day, all) = (Some(Reason::DayBudgetSpent), Some(Reason::ContractBudgetSpent));
    assert_eq!(reasons, [None, day, None, None, day, all, None, all]);
    let same = |ask: &Order| Order { contract: crate::support::id("c1"), ..ask.clone() };
    let answered = run(&|f| {
        for ask in &asks {
            assert_eq!(seen(f, &at(same(ask), NOON)), Ok(()));
        }
    });
    assert_eq!(answered, alone);
    let cut_off = run(&|f| {
        for ask in [&asks[0], &asks[1], &asks[5]] {
            drop(f.run(&at(same(ask), NOON)));
        }
    });
    assert_eq!(cut_off, alone);
    let all_spent = run(&|f| {
        f.answer(&order("c1", 900, cost(150, 0)), b"all");
    });
    assert_eq!(all_spent, alone);
}

#[test]
fn running_elsewhere_is_no_way_around_the_budget() {
    let f = two();
    let charge = f.run(&order("c1", 1, cost(15, 0)));
    f.answer(&order("c2", 2, cost(6, 0)), b"x");
    assert_eq!(f.refused(&order("c2", 1, cost(15, 0))).reason(), Reason::DayBudgetSpent);
    drop(charge);
    assert_eq!(f.refused(&order("c2", 1, cost(15, 0))).reason(), Reason::DayBudgetSpent);
    assert_eq!(f.debited("c2"), cost(6, 0));
}

#[test]
fn a_lost_request_is_lost_for_all_and_debits_nobody_else() {
    let f = two();
    f.ledger.mark_lost(f.run(&order("c1", 1, cost(15, 0)))).unwrap();
    assert_eq!(f.refused(&order("c2", 1, cost(15, 0))).reason(), Reason::Lost);
    assert_eq!((f.spent(), f.debited("c2")), (cost(15, 0), Cost::ZERO));
}

#[test]
fn an_exhausted_domain_still_serves_what_it_released() {
    let f = Fixture::with_contract(cost(10, 0));
    f.answer(&order("c1", 1, cost(10, 0)), b"answer");
    assert_eq!(f.refused(&order("c1", 2, cost(1, 0))).reason(), Reason::ContractBudgetSpent);
    assert_eq!(f.served(&order("c1", 1, cost(10, 0))).body(), b"answer");
}
