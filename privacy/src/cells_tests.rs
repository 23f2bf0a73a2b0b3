//! Tests of cells: shapes, bodies, extremes.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use glovebox_policy::{NanoEpsilon, Public};

use super::*;
use crate::key::KeyPart;
use crate::plan::{Ask, FoundKeys, plan_keys, plan_noise};
use crate::sensitivity::Family;

fn plan() -> NoisePlan {
    let family = |label: &str, linf| Family { label: Public::from_request(label.to_owned()), linf, total: None };
    let ask = Ask { epsilon: NanoEpsilon::from_epsilon(1.0).unwrap(), delta: 0.0, mechanism: None };
    plan_noise(vec![family("count", 1), family("sum", 250)], 3, Geometry::GroupSelection { max_groups: 1 }, ask)
        .unwrap()
}

fn exact(cells: Vec<Vec<i128>>) -> Result<Exact, ShapeError> {
    Exact::new(Protected::seal(cells), plan(), Digest::of(b"request"))
}

#[test]
fn only_cells_of_the_planned_shape_are_taken() {
    assert!(exact(vec![vec![0; 3], vec![0; 3]]).is_ok());
    for wrong in [vec![], vec![vec![0; 3]], vec![vec![0; 3]; 3], vec![vec![0; 3], vec![0; 2]], vec![vec![0; 4]; 2]] {
        assert_eq!(exact(wrong).unwrap_err().to_string(), "the cells are not 2 families of 3 groups");
    }
}

#[test]
fn debug_shows_no_cell() {
    let shown = format!("{:?}", exact(vec![vec![987_654_321; 3]; 2]).unwrap());
    assert!(shown.contains("Protected(…)") && !shown.contains("987654321"));
}

#[test]
fn a_body_comes_back_as_it_went_and_keeps_its_form() {
    let mut noisy = exact(vec![vec![0; 3]; 2]).unwrap().noised().unwrap();
    noisy.cells = vec![vec![i128::MAX, i128::MIN, -1], vec![0, 1, 2]];
    let body = noisy.to_body().unwrap();
    assert_eq!(NoisyCells::from_body(&body).unwrap(), noisy);
    assert_eq!(
        String::from_utf8(body).unwrap(),
        "{\"version\":1,\"release\":{\"kind\":\"laplace\",\"geometry\":{\"group_selection\":{\"max_groups\":1}},\
         \"groups\":3,\"cost\":{\"rho\":274877906944,\"delta\":0},\"families\":[\
         {\"label\":\"count\",\"linf\":1,\"scale\":{\"numerator\":2147483648,\"denominator_log2\":30},\"half_width_95\":6},\
         {\"label\":\"sum\",\"linf\":250,\"scale\":{\"numerator\":4194304000,\"denominator_log2\":23},\
         \"half_width_95\":1498}],\"cells\":[[\"170141183460469231731687303715884105727\",\
         \"-170141183460469231731687303715884105728\",\"-1\"],[\"0\",\"1\",\"2\"]]}}"
    );
}

#[test]
fn a_strange_body_is_not_read() {
    let noisy = exact(vec![vec![0; 3]; 2]).unwrap().noised().unwrap();
    let body = String::from_utf8(noisy.to_body().unwrap()).unwrap();
    let read = |text: String| NoisyCells::from_body(text.as_bytes());
    assert!(matches!(read(body.replace("\"version\":1", "\"version\":3")), Err(BodyError::Version(3))));
    assert!(matches!(read(body.replace("\"version\":1", "\"version\":2")), Err(BodyError::Shape)), "no keys");
    assert!(matches!(read(body.replace("\"groups\":3", "\"groups\":4")), Err(BodyError::Shape)));
    assert!(matches!(read(body.replace("\"groups\":3", "\"groups\":3,\"extra\":0")), Err(BodyError::Json(_))));
    assert!(matches!(
        read(body.replace("\"denominator_log2\":30", "\"denominator_log2\":64")),
        Err(BodyError::Json(_))
    ));
    assert!(matches!(read(String::new()), Err(BodyError::Json(_))));
}

/// A plan with keys: sums within 250, and units.
fn plan_found(most: u32) -> NoisePlan {
    let family = |label: &str, linf| Family { label: Public::from_request(label.to_owned()), linf, total: None };
    let ask = Ask { epsilon: NanoEpsilon::from_epsilon(1.0).unwrap(), delta: 1e-9, mechanism: None };
    let keys = FoundKeys { family: 1, most, columns: 2 };
    plan_keys(vec![family("sum", 250), family("units", 1)], keys, 2, ask).unwrap()
}

fn key(number: i64) -> Key {
    vec![KeyPart::Text(format!("k{number}")), KeyPart::Int(number)]
}

fn with_keys(plan: NoisePlan, keys: Vec<Key>, cells: Vec<Vec<i128>>) -> Result<Exact, ShapeError> {
    Exact::with_keys(Protected::seal(keys), Protected::seal(cells), plan, Digest::of(b"request"))
}

/// Keys far below their threshold, far above it, in another order than that of their values.
fn some_keys(tau: u64) -> (Vec<Key>, Vec<Vec<i128>>) {
    let keys: Vec<Key> = (0..500).rev().map(key).collect();
    let units = (0..500).map(|place| if place % 3 == 0 { 100 * i128::from(tau) } else { 1 });
    (keys, vec![units.clone().map(|units| units * 7000).collect(), units.collect()])
}

fn noised_keys() -> NoisyCells {
    let plan = plan_found(1000);
    let (keys, cells) = some_keys(plan.threshold().unwrap().tau);
    with_keys(plan, keys, cells).unwrap().noised().unwrap()
}

#[test]
fn only_keys_of_enough_units_appear_and_in_the_order_of_their_values() {
    let noisy = noised_keys();
    let found = noisy.found.as_ref().unwrap();
    // Of 167 keys of many units none is missing, of 333 of one unit none is there: either has less than one chance in a million.
    assert_eq!((noisy.groups, found.keys.len()), (167, 167));
    assert!(found.keys.is_sorted());
    let mut expected: Vec<Key> = (0..500).rev().step_by(3).map(key).collect();
    expected.sort();
    assert_eq!(found.keys, expected);
    assert!(noisy.cells.iter().all(|row| row.len() == 167));
    let tau = i128::from(found.tau);
    assert!(noisy.cells[1].iter().all(|units| (99 * tau..101 * tau).contains(units)), "cells stay with their keys");
    assert!(noisy.cells[0].iter().all(|sum| (690_000 * tau..710_000 * tau).contains(sum)));
}

/// The threshold is on the very counts that are released: of keys with exactly as many units as it takes, noise lets about
/// half appear, and none with less. A threshold on exact counts keeps all; one on another draw shows counts below it.
#[test]
fn the_threshold_is_on_the_noise_that_is_released() {
    let plan = plan_found(1000);
    let tau = i128::from(plan.threshold().unwrap().tau);
    let (keys, cells) = ((0..1000).map(key).collect(), vec![vec![0; 1000], vec![tau; 1000]]);
    let noisy = with_keys(plan, keys, cells).unwrap().noised().unwrap();
    // Half or a little more; 350 and 700 are beyond nine standard deviations.
    assert!((350..700).contains(&noisy.groups), "{}", noisy.groups);
    assert!(noisy.cells[1].iter().all(|units| *units >= tau));
}

/// The planted fault: a gate that keeps every key. Its body is not one that is read, and holds keys of one unit.
#[test]
fn a_gate_without_the_threshold_is_noticed() {
    let threshold = plan_found(1000).threshold().unwrap();
    let gate = |planted: Threshold| {
        let (mut keys, mut cells) = some_keys(threshold.tau);
        // As the cells stand once they are taken: in the order of keys.
        let mut order: Vec<usize> = (0..keys.len()).collect();
        order.sort_by_key(|place| keys[*place].clone());
        keys.sort();
        let units: Vec<i128> = order.iter().map(|place| cells[1][*place]).collect();
        let kept = kept(&units, planted);
        cells = vec![kept.iter().map(|place| units[*place]).collect(); 2];
        let keys: Vec<Key> = kept.iter().map(|place| keys[*place].clone()).collect();
        let found = ReleasedKeys { family: 1, tau: threshold.tau, keys };
        NoisyCells { groups: found.keys.len() as u32, found: Some(found), cells, ..noised_keys() }
    };
    assert_eq!(NoisyCells::from_body(&gate(threshold).to_body().unwrap()).unwrap().groups, 167);
    let planted = gate(Threshold { tau: 0, ..threshold });
    assert_eq!(planted.groups, 500, "the planted gate is not blind");
    assert!(matches!(planted.to_body(), Err(BodyError::Shape)), "it is not written down");
    let written = serde_json::to_vec(&BodyOut { version: FOUND_VERSION, release: &planted }).unwrap();
    assert!(matches!(NoisyCells::from_body(&written), Err(BodyError::Shape)), "nor read");
}

#[test]
fn of_too_many_keys_those_with_most_units_are_kept() {
    let threshold = Threshold { most_shown: 2, ..plan_found(1000).threshold().unwrap() };
    let units: Vec<i128> = [50, 400, 100, 300, 200].map(|times| times * i128::from(threshold.tau)).to_vec();
    assert_eq!(kept(&units, threshold), BTreeSet::from([1, 3]));
    assert_eq!(kept(&units, Threshold { most_shown: 5, ..threshold }), BTreeSet::from([0, 1, 2, 3, 4]));
    assert_eq!(kept(&[5; 4], Threshold { tau: 5, ..threshold }), BTreeSet::from([0, 1]), "of equals the first keys");
}

#[test]
fn only_distinct_keys_of_the_planned_shape_are_taken() {
    let take =
        |keys: Vec<Key>, cells| with_keys(plan_found(3), keys, cells).map(drop).map_err(|error| error.to_string());
    assert_eq!(take(vec![key(1), key(2)], vec![vec![1, 2], vec![1, 1]]), Ok(()));
    assert_eq!(take(vec![], vec![vec![], vec![]]), Ok(()));
    let wrong = Err("the cells are not 2 families of 3 groups".to_owned());
    assert_eq!(take(vec![key(1), key(1)], vec![vec![1, 2], vec![1, 1]]), wrong, "one key twice");
    assert_eq!(take(vec![key(1)], vec![vec![1, 2], vec![1, 1]]), wrong);
    assert_eq!(take(vec![key(1)], vec![vec![1]]), wrong);
    assert_eq!(take((0..4).map(key).collect(), vec![vec![1; 4]; 2]), wrong, "more than there can be");
    assert!(with_keys(plan(), vec![], vec![vec![], vec![]]).is_err(), "a plan without a threshold");
    assert!(Exact::new(Protected::seal(vec![vec![0; 3]; 2]), plan_found(3), Digest::of(b"request")).is_err());
}

#[test]
fn no_keys_make_an_answer_without_groups() {
    let noisy = with_keys(plan_found(3), vec![], vec![vec![], vec![]]).unwrap().noised().unwrap();
    assert_eq!((noisy.groups, noisy.found.as_ref().unwrap().keys.len(), &noisy.cells), (0, 0, &vec![vec![], vec![]]));
    assert_eq!(NoisyCells::from_body(&noisy.to_body().unwrap()).unwrap(), noisy);
}

#[test]
fn debug_shows_no_key() {
    let exact = with_keys(plan_found(3), vec![key(424_242)], vec![vec![1], vec![1]]).unwrap();
    assert!(!format!("{exact:?}").contains("424242"));
}

#[test]
fn a_body_with_keys_comes_back_as_it_went_and_keeps_its_form() {
    let mut noisy = noised_keys();
    let keys = vec![
        vec![KeyPart::Null, KeyPart::Int(i64::MIN)],
        vec![KeyPart::Bool(true), KeyPart::Null],
        vec![KeyPart::Text("1".to_owned()), KeyPart::Text("null".to_owned())],
    ];
    noisy.groups = 3;
    noisy.cells = vec![vec![-1, 0, 1], vec![1000, 1001, 1002]];
    noisy.found = Some(ReleasedKeys { family: 1, tau: 1000, keys });
    let body = String::from_utf8(noisy.to_body().unwrap()).unwrap();
    assert!(body.starts_with("{\"version\":2,\"release\":{\"kind\":\"gaussian\""), "{body}");
    assert!(
        body.contains(
            "\"found\":{\"family\":1,\"tau\":1000,\"keys\":[[null,-9223372036854775808],[true,null],[\"1\",\"null\"]]}"
        ),
        "{body}"
    );
    let read = |text: String| NoisyCells::from_body(text.as_bytes());
    assert_eq!(read(body.clone()).unwrap(), noisy);
    for (from, to) in [
        ("\"version\":2", "\"version\":1"),
        ("\"tau\":1000", "\"tau\":1001"),
        ("\"family\":1,", "\"family\":2,"),
        ("[true,null]", "[null,-9223372036854775808]"),
        ("[true,null],", ""),
    ] {
        assert!(body.contains(from));
        assert!(matches!(read(body.replacen(from, to, 1)), Err(BodyError::Shape)), "{from}");
    }
}
