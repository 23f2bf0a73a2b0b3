//! Bills: what a firm is billed depends on declared sizes alone.

use glovebox_policy::Reason;

use crate::world::{OTHER_QUESTION, QUESTION, World, ana, ask, auditor, beta, block, officer};

#[test]
fn a_bill_tells_a_firm_what_it_asked_and_what_that_costs() {
    let world = World::new();
    let engine = world.open();
    let acme = "acme-visits".parse().unwrap();
    assert_eq!(engine.bill(&ana(), &acme, None).unwrap().lines.len(), 0);
    block(async {
        ask(&engine, &ana(), QUESTION).await.unwrap();
        ask(&engine, &ana(), QUESTION).await.unwrap();
        ask(&engine, &ana(), OTHER_QUESTION).await.unwrap();
        ask(&engine, &beta(), QUESTION).await.unwrap();
    });
    let bill = engine.bill(&ana(), &acme, None).unwrap();
    // By default: 100 for a request, 100 for the first thousand cells, 10 for the second that it has its place for.
    assert_eq!(bill.lines.iter().map(|line| line.price).collect::<Vec<_>>(), [210, 210]);
    assert_eq!((bill.total, bill.currency.as_str()), (420, "CNY"));
    assert_eq!(bill.month, chrono::Utc::now().format("%Y-%m").to_string());
    for who in [officer(), auditor()] {
        assert_eq!(engine.bill(&who, &acme, Some(&bill.month)).unwrap().total, 420);
    }
    assert_eq!(engine.bill(&ana(), &acme, Some("2020-01")).unwrap().total, 0);
    assert_eq!(engine.bill(&beta(), &acme, None).unwrap_err().reason(), Reason::NotFound);
    assert_eq!(engine.bill(&ana(), &"no-visits".parse().unwrap(), None).unwrap_err().reason(), Reason::NotFound);
    assert_eq!(engine.bill(&ana(), &acme, Some("2026-13")).unwrap_err().reason(), Reason::BadRequest);
    world.audit(0);
}

/// The same question on many rows and on few has the same price: declared sizes count.
#[test]
fn rows_change_no_price() {
    let price = |persons| {
        let world = World::with_persons(persons);
        let engine = world.open();
        block(async { ask(&engine, &ana(), QUESTION).await.unwrap() });
        engine.bill(&ana(), &"acme-visits".parse().unwrap(), None).unwrap().total
    };
    assert_eq!(price(1), price(4_000));
}
