//! Contracts: each bad field is named, privacy loss is granted rounded down, a signature is needed.

use glovebox_policy::contract::{CONTRACT_TYPE, MAX_DELTA, sign_contract};
use glovebox_policy::{Contract, Delta, Digest, Reason, Rho, SignedContract, dsse};

use crate::support::{CONTRACT, contract, contract_with, key, officer};

/// What the refusal of a changed contract quotes.
fn complaint(from: &str, to: &str) -> String {
    let refusal = Contract::parse(&contract_with(&[(from, to)])).unwrap_err();
    assert_eq!(refusal.reason(), Reason::ContractInvalid);
    refusal.quotation().unwrap().to_owned()
}

#[test]
fn the_terms_are_read() {
    let contract = contract();
    assert_eq!(contract.id.as_str(), "c1");
    assert_eq!(contract.dataset.to_string(), "medical.rand_hie");
    assert_eq!(contract.max_epsilon.nano(), 1_000_000_000);
    assert_eq!(contract.default_epsilon.nano(), 500_000_000);
    assert_eq!(contract.allotment.rho, Rho::from_steps(1 << 39));
    assert_eq!(contract.max_groups_contributed, 4);
    assert_eq!(contract.grants.len(), 2);
}

/// 0.05, 1e-6 and 1e-7 lie between two steps: the lower one is granted.
#[test]
fn loss_is_granted_rounded_down() {
    let contract = contract();
    assert_eq!(Some(contract.per_day.rho), Rho::rounded_down(0.05));
    assert_eq!(Some(contract.per_day.rho.plus(Rho::from_steps(1))), Rho::rounded_up(0.05));
    for (granted, written) in [(contract.allotment.delta, 1e-6), (contract.per_day.delta, 1e-7)] {
        assert_eq!(Some(granted), Delta::rounded_down(written));
        assert_eq!(Some(granted.plus(Delta::from_steps(1))), Delta::rounded_up(written));
    }
}

#[test]
fn delta_may_be_left_out_and_is_then_nothing() {
    let text = contract_with(&[("allotment_delta = 1e-6\n", ""), ("per_day_delta = 1e-7\n", "")]);
    let contract = Contract::parse(&text).unwrap();
    assert_eq!((contract.allotment.delta, contract.per_day.delta), (Delta::ZERO, Delta::ZERO));
}

#[test]
fn unknown_keys_are_refused_at_every_level() {
    for (from, to) in [
        ("id = \"c1\"", "id = \"c1\"\nunlimited = true"),
        ("[budget]", "[budget]\nunlimited = true"),
        ("[per_query]", "[per_query]\nunlimited = true"),
        ("[[grants]]", "[[grants]]\nunlimited = true"),
    ] {
        let complaint = complaint(from, to);
        assert!(complaint.contains("unknown field `unlimited`"), "{complaint}");
    }
    assert!(complaint("[budget]", "[extra]\n[budget]").contains("extra"));
}

#[test]
fn every_key_is_needed_once() {
    for key in [
        "id",
        "org",
        "dataset",
        "budget_domain",
        "purposes",
        "starts",
        "ends",
        "allotment_rho",
        "per_day_rho",
        "max_epsilon",
        "max_delta",
        "default_epsilon",
        "default_delta",
        "max_groups_contributed",
        "columns",
        "roles",
    ] {
        let line = CONTRACT.lines().find(|line| line.starts_with(&format!("{key} ="))).unwrap();
        let missing = complaint(&format!("{line}\n"), "");
        assert!(missing.contains(key), "{key} missing: {missing}");
        let twice = complaint(line, &format!("{line}\n{line}"));
        assert!(twice.contains(key), "{key} twice: {twice}");
    }
}

#[test]
fn each_bad_field_is_named() {
    let table: &[(&str, &str, &str)] = &[
        ("id = \"c1\"", "id = \"C1\"", "id"),
        ("id = \"c1\"", "id = \"c1/ask\"", "id"),
        ("org = \"acme\"", "org = \"\"", "org"),
        ("medical.rand_hie", "rand_hie", "dataset"),
        ("\"residents\"", "7", "budget_domain"),
        ("purposes = [\"research\"]", "purposes = []", "purposes"),
        ("purposes = [\"research\"]", "purposes = [\"Research\"]", "purposes"),
        ("purposes = [\"research\"]", "purposes = \"research\"", "purposes"),
        ("starts = \"2026-01-01T00:00:00Z\"", "starts = \"2026-01-01\"", "starts"),
        ("starts = \"2026-01-01T00:00:00Z\"", "starts = \"2026-02-30T00:00:00Z\"", "starts"),
        ("ends = \"2027-01-01T00:00:00Z\"", "ends = \"2027-01-01T00:00:00\"", "ends"),
        ("ends = \"2027-01-01T00:00:00Z\"", "ends = \"2026-01-01T00:00:00Z\"", "starts, ends"),
        ("ends = \"2027-01-01T00:00:00Z\"", "ends = \"2026-01-01T07:59:59+08:00\"", "starts, ends"),
        ("allotment_rho = 0.5", "allotment_rho = -0.5", "allotment_rho"),
        ("allotment_rho = 0.5", "allotment_rho = nan", "allotment_rho"),
        ("allotment_rho = 0.5", "allotment_rho = inf", "allotment_rho"),
        ("allotment_rho = 0.5", "allotment_rho = 1e300", "allotment_rho"),
        ("allotment_rho = 0.5", "allotment_rho = 1e-20", "allotment_rho"),
        ("allotment_rho = 0.5", "allotment_rho = \"0.5\"", "allotment_rho"),
        ("allotment_delta = 1e-6", "allotment_delta = -1e-6", "allotment_delta"),
        ("per_day_rho = 0.05", "per_day_rho = -0.0000001", "per_day_rho"),
        ("per_day_delta = 1e-7", "per_day_delta = nan", "per_day_delta"),
        ("per_day_rho = 0.05", "per_day_rho = 0.51", "per_day"),
        ("per_day_delta = 1e-7", "per_day_delta = 1e-5", "per_day"),
        ("max_epsilon = 1.0", "max_epsilon = 0.0", "max_epsilon"),
        ("max_epsilon = 1.0", "max_epsilon = 100.1", "max_epsilon"),
        ("max_epsilon = 1.0", "max_epsilon = nan", "max_epsilon"),
        ("max_delta = 1e-6", "max_delta = 0.0011", "max_delta"),
        ("max_delta = 1e-6", "max_delta = -1e-9", "max_delta"),
        ("max_delta = 1e-6", "max_delta = nan", "max_delta"),
        ("default_epsilon = 0.5", "default_epsilon = 1.000000001", "default_epsilon"),
        ("default_epsilon = 0.5", "default_epsilon = -1.0", "default_epsilon"),
        ("default_delta = 1e-9", "default_delta = 1e-5", "default_delta"),
        ("default_delta = 1e-9", "default_delta = nan", "default_delta"),
        ("max_groups_contributed = 4", "max_groups_contributed = 0", "max_groups_contributed"),
        ("max_groups_contributed = 4", "max_groups_contributed = 65537", "max_groups_contributed"),
        ("max_groups_contributed = 4", "max_groups_contributed = -1", "max_groups_contributed"),
        ("max_groups_contributed = 4", "max_groups_contributed = 4294967297", "max_groups_contributed"),
        ("max_groups_contributed = 4", "max_groups_contributed = 1.5", "max_groups_contributed"),
        ("columns = [\"age\"]", "columns = [\"*\"]", "columns"),
        ("roles = [\"aggregate\"]", "roles = [\"export\"]", "roles"),
        ("roles = [\"aggregate\"]", "roles = [\"Aggregate\"]", "roles"),
    ];
    for (from, to, field) in table {
        let complaint = complaint(from, to);
        assert!(complaint.contains(field), "`{to}` was refused with `{complaint}`");
    }
    let (head, _) = CONTRACT.split_once("[[grants]]").unwrap();
    let none = Contract::parse(&head.replace("[budget]", "grants = []\n[budget]")).unwrap_err();
    assert_eq!(none.quotation(), Some("grants"));
    assert_eq!(MAX_DELTA, 1e-3);
}

/// From the first instant on, and no more at the last; fractions of a second do not start a contract early.
#[test]
fn in_force_from_start_to_end() {
    let contract = contract();
    let (starts, ends) = (contract.starts.timestamp(), contract.ends.timestamp());
    assert!(contract.in_force(starts) && contract.in_force(ends - 1));
    for outside in [starts - 1, ends, 0, i64::MIN, i64::MAX] {
        assert!(!contract.in_force(outside), "{outside}");
    }
    let late = Contract::parse(&contract_with(&[("2026-01-01T00:00:00Z", "2026-01-01T08:00:00.9+08:00")])).unwrap();
    assert!(!late.in_force(starts) && late.in_force(starts + 1));
}

#[test]
fn a_signed_contract_keeps_the_very_bytes() {
    let envelope = serde_json::to_vec_pretty(&sign_contract(CONTRACT, &key(1)).unwrap()).unwrap();
    let signed = SignedContract::verify(&envelope, &officer(1)).unwrap();
    assert_eq!(signed.contract(), &contract());
    assert_eq!(signed.digest(), Digest::of(CONTRACT.as_bytes()));
    assert_eq!(signed.envelope(), envelope);
    assert_eq!(signed.signer().as_str(), "li-lei");
}

#[test]
fn a_contract_that_cannot_be_read_is_not_signed() {
    assert_eq!(sign_contract("id = 1", &key(1)).unwrap_err().reason(), Reason::ContractInvalid);
}

#[test]
fn a_contract_needs_the_signature_of_a_registered_officer() {
    let reason = |envelope: &dsse::Envelope| {
        SignedContract::verify(&serde_json::to_vec(envelope).unwrap(), &officer(1)).unwrap_err().reason()
    };
    assert_eq!(reason(&sign_contract(CONTRACT, &key(2)).unwrap()), Reason::SignatureInvalid);
    // An approval or a release certificate is not a contract, whoever signed it.
    assert_eq!(reason(&dsse::sign("application/json", CONTRACT.as_bytes(), &key(1))), Reason::SignatureInvalid);
    // Another contract's signature does not fit.
    let mut swapped = sign_contract(CONTRACT, &key(1)).unwrap();
    let richer = contract_with(&[("allotment_rho = 0.5", "allotment_rho = 5.0")]);
    swapped.payload = sign_contract(&richer, &key(2)).unwrap().payload;
    assert_eq!(reason(&swapped), Reason::SignatureInvalid);
    // A true signature does not make a bad text good.
    assert_eq!(reason(&dsse::sign(CONTRACT_TYPE, b"id = 1", &key(1))), Reason::ContractInvalid);
    assert_eq!(reason(&dsse::sign(CONTRACT_TYPE, &[0xff], &key(1))), Reason::ContractInvalid);
}
