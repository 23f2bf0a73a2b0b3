//! Failures after the charge: all alike, at a tick, charged, and counted.

use std::fs;
use std::time::{Duration, Instant};

use glovebox_engine::Engine;
use glovebox_policy::{Reason, Refusal};

use crate::world::{FLOOR, OTHER_QUESTION, QUESTION, World, ana, analyst, ask, beta, block, table, timed};

/// What a busy machine may add to the instant at which a request is answered.
const LATE: Duration = Duration::from_secs(2);

fn lost(engine: &Engine) -> (Refusal, Duration) {
    let (outcome, took) = block(timed(engine, &ana(), QUESTION));
    let refusal = outcome.unwrap_err();
    assert_eq!(refusal, Refusal::new(Reason::Lost));
    (refusal, took)
}

/// Until the loss is in the ledger, which may follow the refusal.
fn wait_for_incident(world: &World) {
    let began = Instant::now();
    while world.ledger().incidents().unwrap() == 0 {
        assert!(began.elapsed() < Duration::from_secs(20), "told `lost`, and no incident was counted");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn rows_that_cannot_be_read_are_lost_with_one_constant_refusal() {
    let mut seen = Vec::new();
    for damage in [fill as fn(&World), cut, remove] {
        let world = World::new();
        let engine = world.open();
        let cost = world.order(QUESTION).cost;
        damage(&world);
        let (refusal, took) = lost(&engine);
        // One window, like an answer: attempts after the fault happen inside it.
        assert!(took >= FLOOR && took < FLOOR + LATE, "{took:?}");
        assert_eq!((world.spent(), world.debited("acme")), (cost, cost));
        assert_eq!(world.logged(["charge", "resume", "release", "lost"]), [1, 0, 0, 1]);
        seen.push(refusal);
        seen.push(lost(&engine).0);
        // Another firm's question for the same is no other, and costs that firm nothing.
        let theirs = block(ask(&engine, &beta(), QUESTION)).unwrap_err();
        assert_eq!(theirs.reason(), Reason::Lost);
        assert_eq!(world.spent(), cost);
        world.audit(1);
    }
    assert!(seen.windows(2).all(|pair| pair.first() == pair.last()), "{seen:?}");
}

#[test]
fn a_person_with_three_losses_is_frozen_out_and_nobody_else_is() {
    let world = World::new();
    let engine = world.open();
    let (ana, bo) = (ana(), analyst("bo", "acme"));
    let answer = table(block(ask(&engine, &ana, OTHER_QUESTION)));
    let cost = world.order(QUESTION).cost;
    remove(&world);
    let mut spent = cost;
    for number in 0..3 {
        let sql = QUESTION.replace(" GROUP", &format!(" WHERE visits <> {number} GROUP"));
        assert_eq!(block(ask(&engine, &ana, &sql)).unwrap_err().reason(), Reason::Lost);
        spent = spent.plus(cost);
    }
    for sql in [QUESTION, OTHER_QUESTION] {
        assert_eq!(block(ask(&engine, &ana, sql)).unwrap_err().reason(), Reason::Frozen);
    }
    assert_eq!(table(block(ask(&engine, &bo, OTHER_QUESTION))), answer);
    assert_eq!((world.spent(), world.debited("acme")), (spent, spent));
    world.audit(3);
}

fn data(world: &World) -> std::path::PathBuf {
    world.path("state/catalog/medical.visits/data.parquet")
}

/// Other bytes in every place.
fn fill(world: &World) {
    let bytes = fs::metadata(data(world)).unwrap().len();
    fs::write(data(world), vec![0xA5; usize::try_from(bytes).unwrap()]).unwrap();
}

fn cut(world: &World) {
    fs::write(data(world), b"PAR1").unwrap();
}

fn remove(world: &World) {
    fs::remove_file(data(world)).unwrap();
}

#[test]
fn work_that_outruns_its_ticks_is_finished_later_or_counted_as_lost() {
    let world = World::hurried(5_000);
    let engine = world.open();
    let cost = world.order(QUESTION).cost;
    let outcome = block(ask(&engine, &ana(), QUESTION));
    assert_eq!((world.spent(), world.debited("acme")), (cost, cost));
    match outcome {
        Ok(_) => world.audit(0),
        Err(refusal) => {
            assert_eq!(refusal.reason(), Reason::Lost);
            wait_for_incident(&world);
            assert_eq!(lost(&engine).0, refusal);
            world.audit(1);
        }
    }
    assert_eq!((world.spent(), world.debited("acme")), (cost, cost));
}
