//! Who may not ask, and that a refusal costs nothing.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use glovebox_engine::{Engine, SqlAsk};
use glovebox_policy::{Caller, Cost, Reason};

use crate::world::{QUESTION, World, ana, analyst, ask, auditor, beta, block, officer};

fn reason(engine: &Engine, who: &Caller, sql: &str) -> Reason {
    block(ask(engine, who, sql)).unwrap_err().reason()
}

#[test]
fn only_an_analyst_with_a_contract_may_ask() {
    let world = World::new();
    let engine = world.open();
    assert_eq!(reason(&engine, &officer(), QUESTION), Reason::RoleForbidden);
    assert_eq!(reason(&engine, &auditor(), QUESTION), Reason::RoleForbidden);
    assert_eq!(reason(&engine, &analyst("dan", "delta"), QUESTION), Reason::ContractUnknown);
    let explained = format!("EXPLAIN PRIVACY {QUESTION}");
    assert_eq!(reason(&engine, &officer(), &explained), Reason::RoleForbidden);
    assert_eq!(reason(&engine, &analyst("dan", "delta"), &explained), Reason::ContractUnknown);
    assert!(block(ask(&engine, &ana(), &explained)).unwrap().released().is_none());
    assert_eq!(world.spent(), Cost::ZERO);
    world.audit(0);
}

#[test]
fn a_question_above_the_caps_is_refused_before_it_costs_anything() {
    let world = World::new();
    let engine = world.open();
    let asked = |epsilon| SqlAsk { sql: QUESTION.to_owned(), epsilon: Some(epsilon), ..SqlAsk::default() };
    let prepare = |epsilon| block(engine.prepare(&ana(), asked(epsilon))).map(|_| ()).map_err(|no| no.reason());
    assert_eq!(prepare(1.5), Err(Reason::EpsilonAboveCap));
    assert_eq!(prepare(f64::NAN), Err(Reason::OptionInvalid));
    assert_eq!(prepare(-1.0), Err(Reason::OptionInvalid));
    assert_eq!(prepare(1.0), Ok(()));
    let spread = QUESTION.replacen("SELECT", "SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS (delta = 0.0001)", 1);
    assert_eq!(reason(&engine, &ana(), &spread), Reason::EpsilonAboveCap);
    let purpose = Some("public-statistics".parse().unwrap());
    let other = SqlAsk { sql: QUESTION.to_owned(), purpose, ..SqlAsk::default() };
    assert_eq!(block(engine.prepare(&ana(), other)).unwrap_err().reason(), Reason::NotPermitted);
    assert_eq!(world.spent(), Cost::ZERO);
    world.audit(0);
}

#[test]
fn a_statement_is_of_use_to_its_own_asker_alone() {
    let world = World::new();
    let engine = world.open();
    let sql = SqlAsk { sql: QUESTION.to_owned(), ..SqlAsk::default() };
    let statement = block(engine.prepare(&ana(), sql)).unwrap();
    for thief in [beta(), analyst("bo", "acme"), officer()] {
        assert_eq!(block(engine.run(&thief, &statement)).unwrap_err().reason(), Reason::TicketUnknown);
    }
    assert_eq!(world.spent(), Cost::ZERO);
    let _ = block(engine.run(&ana(), &statement)).unwrap();
    world.audit(0);
}

#[test]
fn a_contract_ends_between_preparing_and_running() {
    let world = World::new();
    let engine = world.open();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let left = 3;
    world.contract(&engine, "delta", "0.01", &rfc3339(now + left));
    let dan = analyst("dan", "delta");
    let sql = SqlAsk { sql: QUESTION.to_owned(), ..SqlAsk::default() };
    let statement = block(engine.prepare(&dan, sql)).unwrap();
    while SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() < now + left {
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(block(engine.run(&dan, &statement)).unwrap_err().reason(), Reason::ContractInactive);
    assert_eq!(reason(&engine, &dan, QUESTION), Reason::ContractInactive);
    assert_eq!((world.spent(), world.debited("delta")), (Cost::ZERO, Cost::ZERO));
    world.audit(0);
}

/// An instant as contracts write it; days since 1970 to a date by Howard Hinnant's `civil_from_days`.
fn rfc3339(unix_s: u64) -> String {
    let (days, rest) = (unix_s / 86_400 + 719_468, unix_s % 86_400);
    let of_era = days % 146_097;
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = days / 146_097 * 400 + year_of_era + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", rest / 3_600, rest / 60 % 60, rest % 60)
}
