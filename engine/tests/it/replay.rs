//! Auditors make past decisions again.

use glovebox_policy::{Digest, Reason};

use crate::world::{QUESTION, World, ana, ask, auditor, block, officer};

#[test]
fn every_charge_rests_on_a_decision_that_comes_out_again() {
    let world = World::new();
    let engine = world.open();
    block(async { ask(&engine, &ana(), QUESTION).await.unwrap() });
    let page = engine.log_page(&auditor(), 0, 1_000).unwrap();
    let charges: Vec<u64> =
        (0..).zip(&page.entries).filter(|(_, e)| e["kind"] == "charge").map(|(leaf, _)| leaf).collect();
    let [leaf] = charges[..] else { panic!("{charges:?}") };
    for who in [auditor(), officer()] {
        let card = engine.decision(&who, leaf).unwrap();
        assert!(card.same, "{:?}", card.because);
        assert_eq!(Digest::of(card.record.as_bytes()), card.decision);
        // No literal of the question is in it.
        assert!(card.record.contains("\"visits\"") && !card.record.contains("SELECT"));
    }
    assert_eq!(engine.decision(&ana(), leaf).unwrap_err().reason(), Reason::RoleForbidden);
    for none in [0, 10_000] {
        assert_eq!(engine.decision(&auditor(), none).unwrap_err().reason(), Reason::NotFound);
    }
}
