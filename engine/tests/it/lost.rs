//! Failures after the charge: all alike, at a tick, charged, and counted.

use std::fs;
use std::time::{Duration, Instant};

use glovebox_engine::Engine;
use glovebox_policy::{Reason, Refusal};

use crate::world::{FLOOR, QUESTION, World, ana, ask, beta, block, timed};

/// The first window and the two that follow after it, each four times as long as the one before.
const ALL_WINDOWS: Duration = FLOOR.saturating_mul(16);

fn lost(engine: &Engine) -> (Refusal, Duration) {
    let (outcome, took) = block(timed(engine, &ana(), QUESTION));
    let refusal = outcome.unwrap_err();
    assert_eq!(refusal.reason(), Reason::Lost);
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
        assert!(took >= ALL_WINDOWS, "{took:?}");
        assert_eq!((world.spent(), world.debited("acme")), (cost, cost));
        assert_eq!(world.logged(["charge", "resume", "release", "lost"]), [1, 2, 0, 1]);
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
