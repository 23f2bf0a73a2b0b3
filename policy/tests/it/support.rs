//! A bureau in small: purposes, a contract, an officer's key, and golden files.

use std::path::Path;

use glovebox_policy::contract::sign_contract;
use glovebox_policy::{Contract, PersonId, PolicySet, Purpose, SignedContract};
use ring::signature::{Ed25519KeyPair, KeyPair as _};

/// The contract that the tests vary. Its columns: `income` in every role of use, `age` in aggregates alone, and
/// `person_id`, which the manifest calls an identifier and a careless officer granted all the same.
pub(crate) const CONTRACT: &str = r#"
id = "c1"
org = "acme"
dataset = "medical.rand_hie"
budget_domain = "residents"
purposes = ["research"]
starts = "2026-01-01T00:00:00Z"
ends = "2027-01-01T00:00:00Z"

[budget]
allotment_rho = 0.5
allotment_delta = 1e-6
per_day_rho = 0.05
per_day_delta = 1e-7

[per_query]
max_epsilon = 1.0
max_delta = 1e-6
default_epsilon = 0.5
default_delta = 1e-9
max_groups_contributed = 4

[[grants]]
columns = ["income", "person_id"]
roles = ["aggregate", "group", "filter", "join", "wasmInput"]

[[grants]]
columns = ["age"]
roles = ["aggregate"]
"#;

/// 2026-07-01T00:00:00Z, in the middle of the contract's term.
pub(crate) const MIDDLE: i64 = 1_782_864_000;

/// The contract with some of its text replaced.
pub(crate) fn contract_with(changes: &[(&str, &str)]) -> String {
    changes.iter().fold(CONTRACT.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "the contract holds `{from}`");
        text.replacen(from, to, 1)
    })
}

/// The contract, read.
pub(crate) fn contract() -> Contract {
    Contract::parse(CONTRACT).unwrap()
}

/// The text as an officer signed it, with the signature checked.
pub(crate) fn signed(text: &str) -> SignedContract {
    let envelope = serde_json::to_vec(&sign_contract(text, &key(1)).unwrap()).unwrap();
    SignedContract::verify(&envelope, &officer(1)).unwrap()
}

/// The purposes: `trials` belongs to `research`, `research` to `any`; `marketing` stands alone.
pub(crate) fn policies() -> PolicySet {
    let purpose = |text: &str| text.parse::<Purpose>().unwrap();
    PolicySet::load(vec![
        (purpose("any"), None),
        (purpose("research"), Some(purpose("any"))),
        (purpose("trials"), Some(purpose("research"))),
        (purpose("marketing"), None),
    ])
    .unwrap()
}

/// A key that the tests may know.
pub(crate) fn key(seed: u8) -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap()
}

/// The public half of [`key`].
pub(crate) fn public_key(seed: u8) -> [u8; 32] {
    key(seed).public_key().as_ref().try_into().unwrap()
}

/// A register of officers that knows one key, by its id.
pub(crate) fn officer(seed: u8) -> impl Fn(&str) -> Option<(PersonId, [u8; 32])> {
    let public = public_key(seed);
    move |keyid| (keyid == glovebox_policy::dsse::key_id(&public)).then(|| ("li-lei".parse().unwrap(), public))
}

/// Compares with a golden file. To change one on purpose, run the test with `BLESS=1` and read the difference.
pub(crate) fn golden(name: &str, actual: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it").join(name);
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, actual).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    for (line, (expected, actual)) in expected.lines().zip(actual.lines()).enumerate() {
        assert_eq!(expected, actual, "`{name}`, line {}", line + 1);
    }
    assert_eq!(expected, actual, "`{name}`");
}
