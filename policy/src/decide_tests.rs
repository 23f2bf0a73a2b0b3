//! What only the inside can show: planted policies, and what the digests cover.

#![expect(clippy::unwrap_used, reason = "tests")]

use ring::signature::{Ed25519KeyPair, KeyPair as _};

use super::*;
use crate::contract::sign_contract;

const CONTRACT: &str = r#"
id = "c1"
org = "acme"
dataset = "medical.rand_hie"
budget_domain = "residents"
purposes = ["research", "trials"]
starts = "2026-01-01T00:00:00Z"
ends = "2027-01-01T00:00:00Z"
budget = { allotment_rho = 0.5, per_day_rho = 0.05 }
per_query = { max_epsilon = 1, max_delta = 1e-6, default_epsilon = 0.5, default_delta = 0, max_groups_contributed = 4 }
grants = [{ columns = ["income"], roles = ["aggregate", "filter"] }]
"#;

fn name<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

fn purposes() -> Vec<(Purpose, Option<Purpose>)> {
    vec![(name("research"), None), (name("trials"), Some(name("research")))]
}

/// The built-in policies with one more text.
fn with(planted: &str) -> Result<PolicySet, PolicyError> {
    PolicySet::from_texts(SCHEMA, &[BASELINE, GRANTS, planted], purposes())
}

fn keep<T>(value: T) -> &'static T {
    Box::leak(Box::new(value))
}

/// The text as an officer signed it, with the signature checked.
fn signed(text: &str) -> &'static SignedContract {
    let key = Ed25519KeyPair::from_seed_unchecked(&[1; 32]).unwrap();
    let public_key: [u8; 32] = key.public_key().as_ref().try_into().unwrap();
    let envelope = serde_json::to_vec(&sign_contract(text, &key).unwrap()).unwrap();
    let officer_of = |id: &str| (id == crate::dsse::key_id(&public_key)).then(|| (name("li-lei"), public_key));
    keep(SignedContract::verify(&envelope, &officer_of).unwrap())
}

/// Asks a question that the built-in policies permit, after `spoil` changed it.
fn ask(set: &PolicySet, spoil: impl FnOnce(&mut Matter<'static>)) -> Result<Permit, Refusal> {
    let contract = signed(CONTRACT);
    let mut matter = Matter {
        request: Digest::of(b"request"),
        caller: keep(Caller { person: name("han"), org: name("acme"), role: Role::Analyst }),
        purpose: Some(keep(name("research"))),
        contract,
        dataset: &contract.contract().dataset,
        joined: keep(BTreeSet::new()),
        frozen: false,
        uses: uses(Some(RoleOfUse::Aggregate)),
        epsilon: NanoEpsilon::from_nano(500_000_000),
        delta: 1e-9,
        max_groups: 1,
        approvals: 0,
        now_unix_s: contract.contract().starts.timestamp(),
    };
    spoil(&mut matter);
    set.decide(&matter)
}

fn uses(role: Option<RoleOfUse>) -> &'static BTreeSet<ColumnUse> {
    keep(
        role.into_iter()
            .map(|role| ColumnUse { dataset: None, column: name("income"), role, identifier: false })
            .collect(),
    )
}

/// Cedar skips a `forbid` that fails to evaluate, and would allow. We refuse.
#[test]
fn an_erring_forbid_refuses() {
    for action in ["action == Action::\"ask\"", "action == Action::\"use.aggregate\""] {
        let plant =
            |sum: &str| with(&format!("@id(\"planted\") forbid (principal, {action}, resource) when {{ {sum} }};"));
        let harmless = plant("1 + 1 == 3").unwrap();
        assert!(ask(&harmless, |_| ()).is_ok(), "{action}");
        // Passes strict validation, and overflows when it is evaluated.
        let erring = plant("9223372036854775807 + 1 == 0").unwrap();
        assert_eq!(ask(&erring, |_| ()).unwrap_err().reason(), Reason::NotPermitted, "{action}");
    }
}

/// So does a `permit` that fails, although another one permits.
#[test]
fn an_erring_permit_refuses() {
    let erring = "@id(\"planted\") permit (principal, action, resource) when { 9223372036854775807 + 1 == 0 };";
    assert_eq!(ask(&with(erring).unwrap(), |_| ()).unwrap_err().reason(), Reason::NotPermitted);
}

#[test]
fn a_forbid_outweighs_every_grant() {
    let planted = "@id(\"planted\") forbid (principal == Person::\"han\", action, resource);";
    assert_eq!(ask(&with(planted).unwrap(), |_| ()).unwrap_err().reason(), Reason::NotPermitted);
}

/// The baseline does not lean on the grants: it holds although everything is permitted.
#[test]
fn no_grant_lifts_the_baseline() {
    let set = with("@id(\"planted\") permit (principal, action, resource);").unwrap();
    let refused = |spoil: fn(&mut Matter<'static>)| {
        let asked = ask(&set, |m| {
            m.uses = uses(Some(RoleOfUse::Group));
            spoil(m);
        });
        let whole = ask(&set, |m| {
            m.uses = uses(None);
            spoil(m);
        });
        (asked.is_err(), whole.is_err())
    };
    let caller = |org: &str, role| keep(Caller { person: name("han"), org: name(org), role });
    assert_eq!(refused(|_| ()), (false, false));
    assert_eq!(refused(|m| m.frozen = true), (true, true));
    assert_eq!(refused(|m| m.dataset = keep(name("medical.claims"))), (true, true));
    assert!(ask(&set, |m| m.caller = caller("globex", Role::Analyst)).is_err());
    assert!(ask(&set, |m| m.caller = caller("acme", Role::Officer)).is_err());
}

#[test]
fn policies_that_do_not_fit_the_schema_are_not_loaded() {
    for planted in [
        "forbid (principal, action, resource) when { principal.rank == \"x\" };",
        "forbid (principal, action, resource) when { resource.identifier };",
        "forbid (principal, action, resource) when { principal.role == 1 };",
        "forbid (principal, action, resource) when { context.channel == \"x\" };",
        "forbid (principal, action == Action::\"use.export\", resource);",
        "forbid (principal is Robot, action, resource);",
        "forbid (principal, action, resource",
    ] {
        assert!(with(&format!("@id(\"planted\") {planted}")).is_err(), "{planted}");
    }
    assert!(PolicySet::from_texts("entity Person;", &[BASELINE, GRANTS], purposes()).is_err());
    assert!(PolicySet::from_texts("entity", &[], purposes()).is_err());
}

/// A policy without a name could not be cited in a decision.
#[test]
fn every_policy_has_a_name_of_its_own() {
    assert!(with("forbid (principal, action, resource);").is_err());
    assert!(with("@id(\"baseline-in-force\") forbid (principal, action, resource);").is_err());
    assert!(with("@id(\"grant-ask\") forbid (principal, action, resource);").is_err());
}

/// Without its templates a set grants nothing.
#[test]
fn a_set_without_grants_refuses() {
    let bare = PolicySet::from_texts(SCHEMA, &[BASELINE], purposes()).unwrap();
    assert_eq!(ask(&bare, |_| ()).unwrap_err().reason(), Reason::Internal);
}

/// What no contract can lift is forbidden, what a contract gives is a template: nothing is permitted by itself.
#[test]
fn the_built_in_policies_forbid_and_their_templates_permit() {
    let set = PolicySet::load(purposes()).unwrap();
    assert!(set.policies.policies().all(|policy| policy.effect() == cedar_policy::Effect::Forbid));
    assert!(set.policies.templates().all(|template| template.effect() == cedar_policy::Effect::Permit));
    assert_eq!(set.policies.templates().count(), 1 + RoleOfUse::ALL.len());
}

#[test]
fn purposes_are_declared_once_and_belong_to_declared_ones_without_a_loop() {
    let load = |pairs: &[(&str, Option<&str>)]| {
        PolicySet::load(pairs.iter().map(|(purpose, broader)| (name(purpose), broader.map(name))).collect())
    };
    assert!(load(&[]).is_ok());
    assert!(load(&[("a", Some("b")), ("b", Some("c")), ("c", None)]).is_ok());
    for bad in [
        &[("a", None), ("a", None)][..],
        &[("a", Some("b"))],
        &[("a", Some("a"))],
        &[("a", Some("b")), ("b", Some("a"))],
        &[("x", Some("a")), ("a", Some("b")), ("b", Some("a"))],
    ] {
        assert!(load(bad).is_err(), "{bad:?}");
    }
}

/// The contract's term is checked before Cedar is asked, for the better refusal; Cedar checks it all the same.
#[test]
fn cedar_knows_the_contracts_term_too() {
    let set = PolicySet::load(purposes()).unwrap();
    let asked_at = |now: fn(&Contract) -> i64| {
        let mut allowed = None;
        let _ = ask(&set, |m| {
            m.now_unix_s = now(m.terms());
            let case = Case::new(&set, m, &name("research")).ok().unwrap();
            allowed = Some((case.permits_asking(), m.uses.iter().all(|used| case.permits(used))));
        });
        allowed.unwrap()
    };
    assert_eq!(asked_at(|contract| contract.starts.timestamp()), (true, true));
    assert_eq!(asked_at(|contract| contract.starts.timestamp() - 1), (false, false));
    assert_eq!(asked_at(|contract| contract.ends.timestamp()), (false, false));
}

/// The digest is what an auditor's replay must reproduce: it covers all that the decision rested on.
#[test]
fn the_decision_digest_changes_with_each_input() {
    let set = PolicySet::load(purposes()).unwrap();
    let plain = ask(&set, |_| ()).unwrap();
    assert_eq!(plain.decision(), ask(&set, |_| ()).unwrap().decision(), "the same question has the same digest");
    let another = Caller { person: name("mei"), org: name("acme"), role: Role::Analyst };
    let planted = with("@id(\"planted\") forbid (principal == Person::\"eve\", action, resource);").unwrap();
    let narrower = PolicySet::load(vec![(name("research"), None), (name("trials"), None)]).unwrap();
    let permits = [
        plain,
        ask(&set, |m| m.request = Digest::of(b"another")).unwrap(),
        // The same terms in another text: it is the text that was signed.
        ask(&set, |m| m.contract = signed(&format!("{CONTRACT}# amended\n"))).unwrap(),
        ask(&set, |m| m.caller = keep(another)).unwrap(),
        ask(&set, |m| m.purpose = Some(keep(name("trials")))).unwrap(),
        ask(&set, |m| m.uses = uses(None)).unwrap(),
        ask(&set, |m| m.uses = uses(Some(RoleOfUse::Filter))).unwrap(),
        ask(&set, |m| m.epsilon = NanoEpsilon::from_nano(500_000_001)).unwrap(),
        ask(&set, |m| m.delta = m.delta.next_up()).unwrap(),
        ask(&set, |m| m.max_groups = 2).unwrap(),
        ask(&planted, |_| ()).unwrap(),
        ask(&narrower, |_| ()).unwrap(),
    ];
    let digests: BTreeSet<_> = permits.iter().map(Permit::decision).collect();
    assert_eq!(digests.len(), permits.len());
}

/// Kept as text: another order of fields would make every recorded decision look forged.
#[test]
fn the_decision_record_is_stable() {
    let zero = Digest::from_bytes([0; 32]);
    let record = serde_json::to_string(&Record {
        policies: zero,
        contract: zero,
        person: &name("han"),
        org: &name("acme"),
        role: Role::Analyst,
        purpose: &name("research"),
        request: zero,
        dataset: &name("medical.rand_hie"),
        joined: &BTreeSet::new(),
        uses: uses(Some(RoleOfUse::WasmInput)),
        epsilon: NanoEpsilon::from_nano(1),
        delta: 1e-9,
        delta_bits: 1e-9_f64.to_bits(),
        max_groups: 1,
        approvals: 0,
    });
    let expected = r#"{"policies":"0","contract":"0","person":"han","org":"acme","role":"analyst","purpose":"research","request":"0","dataset":"medical.rand_hie","uses":[{"column":"income","role":"wasmInput","identifier":false}],"epsilon":1,"delta":1e-9,"delta_bits":4472406533629990549,"max_groups":1,"approvals":0}"#;
    assert_eq!(record.unwrap(), expected.replace("\"0\"", &format!("\"{zero}\"")));
}
