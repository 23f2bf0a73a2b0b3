//! Keys that are found in rows, through the whole pipeline: what appears, what it costs, and that caps on δ hold.

use glovebox_engine::Scalar;
use glovebox_policy::{Cost, Delta, Reason};

use crate::world::{World, ana, analyst, ask, block, officer, table};

const TOWNS: &str = "SELECT town, COUNT(DISTINCT person) AS n FROM medical.visits GROUP BY town ORDER BY n DESC";

#[test]
fn towns_of_many_appear_hamlets_of_one_do_not_and_delta_is_charged() {
    let world = World::with_delta(2000, "1e-8");
    let engine = world.open();
    world.contract_with_delta(&engine, "delta", "1e-9").unwrap();
    let dan = analyst("dan", "delta");
    let first = table(block(ask(&engine, &dan, TOWNS)));
    // 125 hamlets of one person each: that any of them appears has less than one chance in a thousand million.
    let [row] = first.rows.as_slice() else { panic!("{first:?}") };
    let [Scalar::Text(town), Scalar::Int(n)] = row.as_slice() else { panic!("{row:?}") };
    assert_eq!(town, "capital");
    assert!((1675..=2075).contains(n), "{n} for 1875");
    let spent = world.spent();
    let cost = world.order(TOWNS).cost;
    assert_eq!((spent, world.debited("delta")), (cost, cost));
    assert!(spent.delta > Delta::ZERO && spent.delta <= Delta::rounded_up(5e-10).unwrap());
    // Once more: the stored release, byte for byte, at no cost; what is made of it afterwards costs nothing either.
    assert_eq!(table(block(ask(&engine, &dan, TOWNS))), first);
    let again = TOWNS.replace("ORDER BY", "HAVING COUNT(DISTINCT person) > 100000 ORDER BY");
    assert!(table(block(ask(&engine, &dan, &again))).rows.is_empty());
    assert_eq!(world.spent(), spent);
    // The promise counts what thresholds may spend.
    let budgets = engine.budget(&officer()).unwrap();
    let promise = budgets.iter().find_map(|card| card.promise).unwrap();
    assert!((promise.delta - 1.1e-8).abs() < 1e-12, "{}", promise.delta);
    // A hamlet's name is nowhere in what the ledger holds.
    let stored = world.ledger().release_of(world.order(TOWNS).request).unwrap().unwrap();
    let body = String::from_utf8(stored.body().to_vec()).unwrap();
    assert!(body.contains("capital") && !body.contains("hamlet"), "{body}");
    world.audit(0);
}

#[test]
fn a_contract_or_a_domain_without_delta_covers_no_threshold() {
    let world = World::with_delta(80, "1e-8");
    let engine = world.open();
    // `acme` has ρ and no δ.
    let refused = block(ask(&engine, &ana(), TOWNS)).unwrap_err();
    assert_eq!(refused.reason(), Reason::ContractBudgetSpent);
    assert_eq!(world.spent(), Cost::ZERO);
    // More than the domain has left to promise.
    let refused = world.contract_with_delta(&engine, "delta", "1.1e-8").unwrap_err();
    assert_eq!(refused.reason(), Reason::AllotmentAboveDomain);
    // Less than the question takes.
    world.contract_with_delta(&engine, "delta", "1e-10").unwrap();
    let dan = analyst("dan", "delta");
    let refused = block(ask(&engine, &dan, TOWNS)).unwrap_err();
    assert_eq!(refused.reason(), Reason::ContractBudgetSpent);
    // A smaller δ fits, and one above the contract's for a query does not.
    let with =
        |delta: &str| TOWNS.replace("SELECT", &format!("SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS (delta = {delta})"));
    assert_eq!(block(ask(&engine, &dan, &with("1.1e-6"))).unwrap_err().reason(), Reason::EpsilonAboveCap);
    let _ = table(block(ask(&engine, &dan, &with("1e-10"))));
    assert!(world.spent().delta <= Delta::rounded_up(5e-11).unwrap());
    world.audit(0);
}
