//! What a process that died left half done, continued by the next one.

use std::time::Duration;

use glovebox_engine::SqlAsk;
use glovebox_ledger::Admission;
use glovebox_policy::{Cost, Reason};

use crate::world::{FLOOR, OTHER_QUESTION, QUESTION, World, ana, ask, block, table, timed};

/// Charges as the engine does, and dies there.
fn die_after_charge(world: &World, attempt: u32) {
    match world.ledger().charge(&world.order(QUESTION)).unwrap() {
        Admission::Charged(charge) => assert_eq!(charge.attempt(), attempt),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_charge_without_an_answer_is_resumed_and_not_charged_again() {
    let world = World::new();
    let order = world.order(QUESTION);
    die_after_charge(&world, 1);
    die_after_charge(&world, 2);
    assert_eq!((world.spent(), world.debited("acme")), (order.cost, order.cost));
    assert!(world.ledger().release_of(order.request).unwrap().is_none());

    let engine = world.open();
    let (answer, took) = block(timed(&engine, &ana(), QUESTION));
    assert!(took >= FLOOR, "{took:?}");
    let answer = answer.unwrap();
    assert_eq!(answer.released().unwrap().release().receipt().request(), order.request);
    let again = block(ask(&engine, &ana(), QUESTION)).unwrap();
    assert_eq!(answer.table(), again.table());
    assert_eq!((world.spent(), world.debited("acme")), (order.cost, order.cost));
    assert!(world.ledger().release_of(order.request).unwrap().is_some());
    assert_eq!(world.logged(["charge", "resume", "release", "lost"]), [1, 2, 1, 0]);
    world.audit(0);
}

#[test]
fn a_request_that_was_cut_off_too_often_is_lost_and_stays_charged() {
    let world = World::new();
    let order = world.order(QUESTION);
    for attempt in 1..=3 {
        die_after_charge(&world, attempt);
    }
    let engine = world.open();
    for _ in 0..2 {
        let (outcome, took) = block(timed(&engine, &ana(), QUESTION));
        assert_eq!(outcome.unwrap_err().reason(), Reason::Lost);
        assert!(took >= FLOOR, "a failure after the charge came before its tick: {took:?}");
        assert_eq!((world.spent(), world.debited("acme")), (order.cost, order.cost));
    }
    assert_eq!(world.logged(["charge", "resume", "release", "lost"]), [1, 2, 0, 1]);
    world.audit(1);
    // Nothing else is harmed.
    let _ = table(block(ask(&engine, &ana(), OTHER_QUESTION)));
    assert_eq!(world.spent(), order.cost.plus(order.cost));
    world.audit(1);
}

#[test]
fn an_engine_that_ends_at_any_instant_leaves_a_request_that_can_be_finished() {
    let world = World::new();
    let mut spent = Cost::ZERO;
    for (number, wait_ms) in [0, 2, 5, 10, 15, 20, 30, 60, 200].into_iter().enumerate() {
        let sql = QUESTION.replace(" GROUP", &format!(" WHERE visits <> {number} GROUP"));
        let engine = world.open();
        block(async {
            let statement = engine.prepare(&ana(), SqlAsk { sql: sql.clone(), ..SqlAsk::default() }).await.unwrap();
            let cut = tokio::time::timeout(Duration::from_millis(wait_ms), engine.run(&ana(), &statement)).await;
            assert!(cut.is_err(), "an answer before its tick");
        });
        drop(engine);
        let engine = world.open();
        let first = table(block(ask(&engine, &ana(), &sql)));
        assert_eq!(first, table(block(ask(&engine, &ana(), &sql))));
        spent = spent.plus(world.order(&sql).cost);
        assert_eq!((world.spent(), world.debited("acme")), (spent, spent), "cut after {wait_ms} ms");
        world.audit(0);
    }
}
