//! One question, many askers: one release, one charge, and every contract pays as if it were alone.

use glovebox_policy::{Cost, Reason};

use crate::world::{FLOOR, OTHER_QUESTION, QUESTION, World, ana, analyst, ask, beta, block, gamma, table, timed};

#[test]
fn the_same_question_at_the_same_time_is_charged_once_and_answered_alike() {
    let world = World::new();
    let engine = world.open();
    let (ana, bo) = (ana(), analyst("bo", "acme"));
    let answers = block(async {
        let (first, second, third) =
            tokio::join!(timed(&engine, &ana, QUESTION), timed(&engine, &ana, QUESTION), timed(&engine, &bo, QUESTION));
        [first, second, third]
    });
    for (answer, took) in &answers {
        assert!(*took >= FLOOR, "{took:?}");
        assert!(answer.is_ok(), "{answer:?}");
    }
    let [first, second, third] = answers.map(|(answer, _)| table(answer));
    assert_eq!((&first, &first), (&second, &third));
    let cost = world.order(QUESTION).cost;
    assert_eq!((world.spent(), world.debited("acme")), (cost, cost));
    assert_eq!(world.logged(["charge", "resume", "release"]), [1, 0, 1]);
    world.audit(0);
}

#[test]
fn two_firms_at_the_same_time_pay_once_each_and_the_domain_once() {
    let world = World::new();
    let engine = world.open();
    let (ana, ben) = (ana(), beta());
    let (first, second) = block(async { tokio::join!(ask(&engine, &ana, QUESTION), ask(&engine, &ben, QUESTION)) });
    assert_eq!(table(first), table(second));
    let cost = world.order(QUESTION).cost;
    assert_eq!((world.spent(), world.debited("acme"), world.debited("beta")), (cost, cost, cost));
    world.audit(0);
}

#[test]
fn another_firm_pays_for_a_stored_release_as_if_it_were_new() {
    let world = World::new();
    let engine = world.open();
    let (fresh, fresh_took) = block(timed(&engine, &ana(), QUESTION));
    let cost = world.order(QUESTION).cost;
    assert_eq!(world.debited("beta"), Cost::ZERO);
    let (stored, stored_took) = block(timed(&engine, &beta(), QUESTION));
    assert!(fresh_took >= FLOOR && stored_took >= FLOOR, "{fresh_took:?} {stored_took:?}");
    let (fresh, stored) = (fresh.unwrap(), stored.unwrap());
    assert_eq!(fresh.table(), stored.table());
    let (fresh, stored) = (fresh.released().unwrap(), stored.released().unwrap());
    assert_eq!((fresh.cost(), fresh.remaining()), (stored.cost(), stored.remaining()));
    assert_eq!((world.spent(), world.debited("acme"), world.debited("beta")), (cost, cost, cost));

    // Once more costs nobody anything.
    let _ = table(block(ask(&engine, &beta(), QUESTION)));
    assert_eq!((world.spent(), world.debited("beta")), (cost, cost));
    world.audit(0);
}

#[test]
fn a_stored_release_is_written_down_when_a_run_would_have_been() {
    // How long the log is while `beta` waits: looked at in the first half of the time, and after the answer.
    let grown = |asked: bool| {
        let world = World::new();
        let engine = world.open();
        if asked {
            let _ = table(block(ask(&engine, &ana(), QUESTION)));
        }
        let ledger = world.ledger();
        let size = || ledger.tree_head().unwrap().size;
        let start = size();
        let early = block(async {
            let ben = beta();
            let waits = async {
                tokio::time::sleep(FLOOR / 4).await;
                size() - start
            };
            let (answer, early) = tokio::join!(ask(&engine, &ben, QUESTION), waits);
            let _ = table(answer);
            early
        });
        let all = size() - start;
        world.audit(0);
        (early, all)
    };
    assert_eq!(grown(false), (1, 3));
    assert_eq!(grown(true), (1, 3));
}

#[test]
fn a_refusal_does_not_tell_whether_others_asked() {
    let world = World::new();
    let engine = world.open();
    let _ = table(block(ask(&engine, &ana(), QUESTION)));
    assert_eq!(world.order(QUESTION).cost, world.order(OTHER_QUESTION).cost);
    let before = world.spent();
    let stored = block(ask(&engine, &gamma(), QUESTION)).unwrap_err();
    let fresh = block(ask(&engine, &gamma(), OTHER_QUESTION)).unwrap_err();
    assert_eq!(stored.reason(), Reason::ContractBudgetSpent);
    assert_eq!(stored, fresh);
    assert_eq!((world.spent(), world.debited("gamma")), (before, Cost::ZERO));
    world.audit(0);
}
