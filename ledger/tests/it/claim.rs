//! Claims: answers that another contract ran, collected so that nobody can tell.

use glovebox_ledger::{Admission, Charge, Collected, LedgerError, Order, Progress, Settled};

use crate::certificate::{BODY, finish, held, two};
use crate::support::{Fixture, claims, cost, id, order};

#[test]
fn how_the_log_grows_while_one_asks_does_not_tell_what_others_asked() {
    // What `c1` did before `c2` asks, and what it still does before the instant of `c2` is there.
    type Before = fn(&Fixture, &Order) -> Option<Charge>;
    let before: [(&str, Before); 4] = [
        ("nothing", |_, _| None),
        ("released", |f, ask| {
            f.answer(ask, BODY);
            None
        }),
        ("running", |f, ask| Some(f.run(ask))),
        ("cut off", |f, ask| {
            drop(f.run(ask));
            None
        }),
    ];
    for (what, before) in before {
        let f = two();
        let size = || f.ledger.tree_head().unwrap().size;
        let running = before(&f, &order("c1", 1, cost(4, 0)));
        let start = size();
        let admission = f.charge(&order("c2", 1, cost(4, 0))).unwrap();
        assert_eq!(size() - start, 1, "{what}: when it asks");
        if let Some(charge) = running {
            let _ = f.ledger.commit_release(charge, BODY, "", &claims()).unwrap();
        }
        let due = size();
        finish(&f, admission);
        assert_eq!(size() - due, 2, "{what}: when its instant is there");
        assert!(f.ledger.certificate(order("c2", 1, cost(4, 0)).request, &id("c2")).unwrap().is_some());
        f.audit();
    }
}

#[test]
fn a_claim_waits_for_its_answer_and_for_no_other_ledger() {
    let (f, other) = (two(), two());
    let ask = order("c2", 1, cost(4, 0));
    let charge = f.run(&order("c1", 1, cost(4, 0)));
    let Admission::Running(claim) = f.charge(&ask).unwrap() else { panic!("it runs") };
    let Collected::NotYet(claim, Progress::Running) = f.ledger.collect(claim).unwrap() else { panic!("it runs") };
    drop(charge);
    assert_eq!(f.ledger.progress(&claim).unwrap(), Progress::CutOff);
    f.ledger.mark_lost(f.run(&ask)).unwrap();
    let Collected::NotYet(claim, Progress::Settled(Settled::Lost)) = f.ledger.collect(claim).unwrap() else {
        panic!("it was lost")
    };
    assert!(matches!(other.ledger.collect(claim), Err(LedgerError::Conflict(_))));
    assert_eq!(f.ledger.certificate(ask.request, &ask.contract).unwrap(), None);
    f.audit();
}

#[test]
fn whoever_dies_before_collecting_collects_later() {
    let f = two();
    f.answer(&order("c1", 1, cost(4, 0)), BODY);
    let ask = order("c2", 1, cost(4, 0));
    drop(f.charge(&ask).unwrap());
    assert_eq!(f.ledger.certificate(ask.request, &ask.contract).unwrap(), None);
    let f = f.reopen();
    assert_eq!(f.served(&ask).body(), BODY);
    let _ = held(&f, &ask);
    assert_eq!(f.debited("c2"), cost(4, 0), "paid once");
    f.audit();
}
