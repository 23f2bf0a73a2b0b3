//! What officers freeze stops at once, for questions, previews, jobs and results, and goes on when it is let go.

use glovebox_engine::{Engine, Freezable};
use glovebox_policy::Reason;

use crate::world::{OTHER_QUESTION, QUESTION, World, ana, ask, auditor, beta, block, officer};

fn set(engine: &Engine, subject: Freezable, frozen: bool) {
    let card = engine.freeze(&officer(), subject, frozen, "an inquiry").unwrap();
    assert_eq!((card.frozen, card.officer), (frozen, officer().person));
}

#[test]
fn a_frozen_dataset_answers_nobody() {
    let world = World::new();
    let engine = world.open();
    let visits = || Freezable::Dataset("medical.visits".parse().unwrap());
    block(async {
        ask(&engine, &ana(), QUESTION).await.unwrap();
        let spent = world.spent();
        set(&engine, visits(), true);
        let preview = format!("EXPLAIN PRIVACY {OTHER_QUESTION}");
        for (who, sql) in [(ana(), QUESTION), (ana(), OTHER_QUESTION), (beta(), QUESTION), (ana(), &preview)] {
            assert_eq!(ask(&engine, &who, sql).await.unwrap_err().reason(), Reason::DatasetFrozen, "{sql}");
        }
        assert_eq!(world.spent(), spent);
        set(&engine, visits(), false);
        ask(&engine, &ana(), QUESTION).await.unwrap();
        ask(&engine, &beta(), OTHER_QUESTION).await.unwrap();
    });
    world.audit(0);
}

#[test]
fn a_frozen_contract_or_person_stops_no_other() {
    let world = World::new();
    let engine = world.open();
    let contract = || Freezable::Contract("acme-visits".parse().unwrap());
    let person = || Freezable::Person(ana().person);
    block(async {
        for (subject, told) in [(contract(), Reason::ContractFrozen), (person(), Reason::Frozen)] {
            set(&engine, subject.clone(), true);
            assert_eq!(ask(&engine, &ana(), QUESTION).await.unwrap_err().reason(), told);
            ask(&engine, &beta(), QUESTION).await.unwrap();
            set(&engine, subject, false);
        }
        ask(&engine, &ana(), QUESTION).await.unwrap();
    });
}

#[test]
fn only_officers_freeze_and_overseers_see_it() {
    let world = World::new();
    let engine = world.open();
    for who in [ana(), auditor()] {
        let refused = engine.freeze(&who, Freezable::Person(beta().person), true, "x").unwrap_err();
        assert_eq!(refused.reason(), Reason::RoleForbidden);
    }
    let own = engine.freeze(&officer(), Freezable::Person(officer().person), true, "x").unwrap_err();
    assert_eq!(own.reason(), Reason::OwnRequest);
    set(&engine, Freezable::Person(beta().person), true);
    assert_eq!(engine.freezes(&ana()).unwrap_err().reason(), Reason::RoleForbidden);
    let [card] = engine.freezes(&auditor()).unwrap().try_into().unwrap();
    assert_eq!(
        (card.kind.as_str(), card.name, card.reason.as_str()),
        ("person", beta().person.to_string(), "an inquiry")
    );
    world.audit(0);
}
