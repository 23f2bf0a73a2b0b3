//! What the gate takes, what it refuses, and what it hands out.

use std::pin::Pin;

use glovebox_ledger::{Admission, certificate};
use glovebox_policy::{Cost, Digest, Public, Reason, Refusal, Rho};
use glovebox_privacy::{GateError, NoisyCells, Released, release, reopen};
use ring::signature::{Ed25519KeyPair, KeyPair as _};

use crate::support::{Bureau, SERVICE_SEED, exact, plan};

fn cells() -> Vec<Vec<i128>> {
    vec![vec![1_000_000; 40], vec![-7; 40]]
}

/// The released cells of one request on [`cells`].
fn released(bureau: &Bureau, name: &[u8]) -> Released<NoisyCells> {
    let request = Digest::of(name);
    let plan = plan(1.0, 1e-9, &[1, 1000], 40);
    let charge = bureau.charge(request, plan.cost());
    release(&bureau.ledger, bureau.permit(request), charge, exact(cells(), plan, request)).unwrap()
}

#[test]
fn a_release_is_noised_and_stored_and_says_how() {
    let bureau = Bureau::new();
    let plan = plan(1.0, 1e-9, &[1, 1000], 40);
    let answer = released(&bureau, b"request");
    let noisy = answer.get();
    assert_eq!((noisy.cost, noisy.groups, noisy.kind), (plan.cost(), 40, plan.kind()));
    for ((told, planned), (row, truth)) in
        noisy.families.iter().zip(plan.families()).zip(noisy.cells.iter().zip(cells()))
    {
        assert_eq!(
            (&told.label, told.scale, told.half_width_95),
            (planned.label.get(), planned.scale, planned.half_width_95)
        );
        let noise: Vec<i128> = row.iter().zip(&truth).map(|(a, b)| a - b).collect();
        assert!(noise.iter().any(|n| *n != 0), "some cell moved");
        let far = i128::from(planned.half_width_95) * 10;
        assert!(noise.iter().all(|n| n.abs() <= far), "no cell moved by 19 standard deviations");
    }
    assert_eq!(bureau.spent(), plan.cost());
    let stored = bureau.ledger.release_of(Digest::of(b"request")).unwrap().unwrap();
    assert_eq!(stored.receipt(), answer.receipt());
}

#[test]
fn the_same_cells_get_fresh_noise_and_a_stored_release_none() {
    let bureau = Bureau::new();
    let (first, second) = (released(&bureau, b"first"), released(&bureau, b"second"));
    assert_ne!(first.get().cells[0], second.get().cells[0]);
    assert_ne!(first.get().cells[1], second.get().cells[1]);
    let request = Digest::of(b"first");
    let spent = bureau.spent();
    for _ in 0..3 {
        let stored = bureau.stored(request, first.get().cost);
        let bytes = stored.body().to_vec();
        let again = reopen(bureau.permit(request), stored).unwrap();
        assert_eq!(again.get(), first.get());
        assert_eq!(again.receipt(), first.receipt());
        assert_eq!(Digest::of(&bytes), first.receipt().body_digest());
    }
    assert_eq!(bureau.spent(), spent, "reopening charges the domain nothing");
}

#[test]
fn the_certificate_says_how_the_answer_was_noised_and_verifies_without_a_ledger() {
    let bureau = Bureau::new();
    let answer = released(&bureau, b"request");
    let request = Digest::of(b"request");
    let stored = bureau.ledger.certificate(request, &"contract-1".parse().unwrap()).unwrap().unwrap();
    let body = bureau.ledger.release_of(request).unwrap().unwrap();
    let key = Ed25519KeyPair::from_seed_unchecked(&SERVICE_SEED).unwrap();
    let key = key.public_key().as_ref().try_into().unwrap();
    let verified = certificate::verify(&stored.envelope, &key, body.body()).unwrap();
    let said = verified.certificate();
    assert_eq!((said.request, said.result, said.cost), (request, answer.receipt().body_digest(), answer.get().cost));
    assert_eq!(said.claims["mechanism"], "discrete-gaussian");
    assert_eq!(said.claims["geometry"], serde_json::json!({"kind": "group-selection", "maxGroups": 1}));
    assert_eq!(said.claims["groups"], 40);
    let families = said.claims["families"].as_array().unwrap();
    assert_eq!(families.len(), 2);
    for (told, family) in families.iter().zip(&answer.get().families) {
        assert_eq!(told["label"], family.label.as_str());
        assert_eq!(told["scale"], family.scale.to_decimal());
        assert_eq!(told["halfWidth95"], family.half_width_95.to_string());
    }
    assert_eq!((&families[1]["linf"], &families[1]["sensitivity"]), (&"1000".into(), &"1000".into()));
}

/// The charge stays, nothing is released, and the request may be run again under the same charge.
fn stays_shut(bureau: &Bureau, request: Digest, cost: Cost) {
    assert_eq!(bureau.spent(), cost, "the charge stays charged");
    assert!(bureau.ledger.release_of(request).unwrap().is_none(), "nothing is released");
    assert!(matches!(bureau.admit(request, cost), Admission::Charged(charge) if charge.attempt() == 2));
}

#[test]
fn a_permit_for_another_request_opens_nothing() {
    let bureau = Bureau::new();
    let (request, other) = (Digest::of(b"request"), Digest::of(b"other"));
    let plan = plan(1.0, 0.0, &[1], 2);
    let cost = plan.cost();
    let charge = bureau.charge(request, cost);
    let shut = release(&bureau.ledger, bureau.permit(other), charge, exact(vec![vec![1; 2]], plan, request));
    assert!(matches!(shut, Err(GateError::RequestMismatch { part: "charge", .. })));
    stays_shut(&bureau, request, cost);
}

#[test]
fn a_charge_for_another_request_opens_nothing() {
    let bureau = Bureau::new();
    let (request, other) = (Digest::of(b"request"), Digest::of(b"other"));
    let plan = plan(1.0, 0.0, &[1], 2);
    let cost = plan.cost();
    let charge = bureau.charge(other, cost);
    let shut = release(&bureau.ledger, bureau.permit(request), charge, exact(vec![vec![1; 2]], plan, request));
    assert!(matches!(shut, Err(GateError::RequestMismatch { part: "charge", .. })));
    assert!(bureau.ledger.release_of(request).unwrap().is_none());
    stays_shut(&bureau, other, cost);
}

#[test]
fn cells_of_another_request_do_not_pass() {
    let bureau = Bureau::new();
    let (request, other) = (Digest::of(b"request"), Digest::of(b"other"));
    let plan = plan(1.0, 0.0, &[1], 2);
    let cost = plan.cost();
    let charge = bureau.charge(request, cost);
    let shut = release(&bureau.ledger, bureau.permit(request), charge, exact(vec![vec![1; 2]], plan, other));
    assert!(matches!(shut, Err(GateError::RequestMismatch { part: "cells", .. })));
    stays_shut(&bureau, request, cost);
}

#[test]
fn a_permit_of_another_decision_opens_nothing() {
    let bureau = Bureau::new();
    let request = Digest::of(b"request");
    let plan = plan(1.0, 0.0, &[1], 2);
    let cost = plan.cost();
    let charge = bureau.charge(request, cost);
    let permit = bureau.permit_for(request, "teaching");
    let shut = release(&bureau.ledger, permit, charge, exact(vec![vec![1; 2]], plan, request));
    assert!(matches!(shut, Err(GateError::PermitMismatch { what: "decision", .. })));
    stays_shut(&bureau, request, cost);
}

#[test]
fn a_charge_of_another_price_opens_nothing() {
    let plan = plan(1.0, 1e-9, &[1], 2);
    for off in [-1_i64, 1] {
        let bureau = Bureau::new();
        let request = Digest::of(b"request");
        let steps = plan.cost().rho.steps().checked_add_signed(off).unwrap();
        let cost = Cost { rho: Rho::from_steps(steps), ..plan.cost() };
        let charge = bureau.charge(request, cost);
        let cells = exact(vec![vec![1; 2]], plan.clone(), request);
        let shut = release(&bureau.ledger, bureau.permit(request), charge, cells);
        let Err(GateError::CostMismatch { planned, charged }) = shut else { panic!("{shut:?}") };
        assert_eq!((planned, charged), (plan.cost(), cost));
        stays_shut(&bureau, request, cost);
    }
}

#[test]
fn a_charge_of_another_ledger_opens_nothing() {
    let (bureau, elsewhere) = (Bureau::new(), Bureau::new());
    let request = Digest::of(b"request");
    let plan = plan(1.0, 0.0, &[1], 2);
    let cost = plan.cost();
    let charge = bureau.charge(request, cost);
    let cells = exact(vec![vec![1; 2]], plan, request);
    let shut = release(&elsewhere.ledger, bureau.permit(request), charge, cells);
    assert!(matches!(shut, Err(GateError::Ledger(_))));
    assert!(elsewhere.ledger.release_of(request).unwrap().is_none());
    stays_shut(&bureau, request, cost);
}

#[test]
fn a_stored_release_opens_for_its_own_request_only() {
    let bureau = Bureau::new();
    let cost = released(&bureau, b"request").get().cost;
    let stored = bureau.stored(Digest::of(b"request"), cost);
    let shut = reopen(bureau.permit(Digest::of(b"other")), stored);
    assert!(matches!(shut, Err(GateError::RequestMismatch { part: "receipt", .. })));
}

#[test]
fn a_stored_body_that_is_not_cells_is_not_handed_out() {
    let bureau = Bureau::new();
    let request = Digest::of(b"request");
    let cost = plan(1.0, 0.0, &[1], 2).cost();
    let charge = bureau.charge(request, cost);
    let _receipt = bureau.ledger.commit_release(charge, b"{\"version\":9}", "", &serde_json::Value::Null).unwrap();
    let shut = reopen(bureau.permit(request), bureau.stored(request, cost));
    assert!(matches!(shut, Err(GateError::Body(_))));
}

#[test]
fn what_the_operator_reads_holds_no_cell() {
    let bureau = Bureau::new();
    let request = Digest::of(b"request");
    let plan = plan(1.0, 0.0, &[1], 2);
    let charge = bureau.charge(request, plan.cost());
    let cells = exact(vec![vec![424_242; 2]], plan, Digest::of(b"other"));
    let error = release(&bureau.ledger, bureau.permit(request), charge, cells).unwrap_err();
    assert!(error.to_string().starts_with("the `cells` is for request `"), "{error}");
    assert!(!format!("{error:?} {error}").contains("424242"));
    assert_eq!(format!("{:?}", released(&bureau, b"another")), "Released(…)");
}

fn total(cells: NoisyCells, times: Public<i128>) -> i128 {
    cells.cells.iter().flatten().sum::<i128>() * times.get()
}

#[test]
fn post_processing_keeps_the_receipt() {
    let bureau = Bureau::new();
    let answer = released(&bureau, b"request");
    let sum: i128 = answer.get().cells.iter().flatten().sum();
    let leaf = answer.receipt().leaf_index();
    let doubled = answer.map(Public::from_request(2), total);
    assert_eq!((*doubled.get(), doubled.receipt().leaf_index()), (2 * sum, leaf));
    let text = doubled.try_map(Public::from_request(()), |value, _| Ok(value.to_string())).unwrap();
    assert_eq!(text.get(), &(2 * sum).to_string());
    let refused = text.try_map(Public::from_request(()), |_, _| Err::<(), _>(Refusal::new(Reason::Internal)));
    assert_eq!(refused.unwrap_err().reason(), Reason::Internal);
}

fn length(text: i128, base: Public<usize>) -> Pin<Box<dyn Future<Output = Result<usize, Refusal>> + Send>> {
    Box::pin(async move { Ok(text.to_string().len() + base.get()) })
}

#[test]
fn post_processing_may_wait() {
    let bureau = Bureau::new();
    let sum = released(&bureau, b"request").map(Public::from_request(1), total);
    let expected = sum.get().to_string().len() + 10;
    let mut waiting = Box::pin(sum.then(Public::from_request(10), length));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let std::task::Poll::Ready(done) = waiting.as_mut().poll(&mut context) else { panic!("nothing to wait for") };
    assert_eq!(*done.unwrap().get(), expected);
}
