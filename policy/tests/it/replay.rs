//! Past decisions come out again from their records, and from nothing else.

use glovebox_policy::{Digest, PolicySet, Reason, RoleOfUse};
use proptest::prelude::*;

use crate::decide::Question;
use crate::support::{CONTRACT, MIDDLE, contract_with, policies, signed};

fn replay(record: &[u8], at: i64) -> Result<Digest, Reason> {
    policies().replay(record, &signed(CONTRACT), at).map(|replayed| replayed.decision).map_err(|r| r.reason())
}

#[test]
fn a_decision_comes_out_again() {
    let question =
        Question::new().using("income", RoleOfUse::WasmInput, false).using("age", RoleOfUse::Aggregate, false);
    let permit = question.ask().unwrap();
    assert_eq!(Digest::of(permit.record()), permit.decision());
    let replayed = policies().replay(permit.record(), &signed(CONTRACT), MIDDLE).unwrap();
    assert_eq!((replayed.decision, replayed.uses.len(), replayed.approvals), (permit.decision(), 2, 1));
    assert_eq!((replayed.caller, replayed.purpose.as_str()), (question.caller, "research"));
}

#[test]
fn what_was_not_permitted_does_not_come_out() {
    let permit = Question::new().using("income", RoleOfUse::Aggregate, false).ask().unwrap();
    let text = String::from_utf8(permit.record().to_vec()).unwrap();
    let changed = |from: &str, to: &str| {
        assert!(text.contains(from), "{from} in {text}");
        replay(text.replacen(from, to, 1).as_bytes(), MIDDLE)
    };
    assert_eq!(changed("\"income\"", "\"height\""), Err(Reason::NotPermitted));
    assert_eq!(changed("\"acme\"", "\"beta\""), Err(Reason::NotPermitted));
    assert_eq!(changed("\"analyst\"", "\"officer\""), Err(Reason::NotPermitted));
    assert_eq!(changed("\"identifier\":false", "\"identifier\":true"), Err(Reason::NotPermitted));
    assert_eq!(changed("\"research\"", "\"marketing\""), Err(Reason::NotPermitted));
    assert_eq!(changed("\"max_groups\":1", "\"max_groups\":9"), Err(Reason::ContributionAboveCap));
    assert_eq!(replay(permit.record(), MIDDLE + 400 * 86_400), Err(Reason::ContractInactive));
    // What is permitted too, but is not what was written down, has another digest.
    let other =
        policies().replay(text.replacen("\"han\"", "\"hua\"", 1).as_bytes(), &signed(CONTRACT), MIDDLE).unwrap();
    assert_ne!(other.decision, permit.decision());
}

#[test]
fn other_policies_contracts_and_texts_are_told_apart() {
    let permit = Question::new().ask().unwrap();
    let fewer = PolicySet::load(vec![("research".parse().unwrap(), None)]).unwrap();
    let refused = |result: Result<_, glovebox_policy::Refusal>| {
        result.map(|_: glovebox_policy::decide::Replayed| ()).unwrap_err()
    };
    let other = refused(fewer.replay(permit.record(), &signed(CONTRACT), MIDDLE));
    assert_eq!(other.reason(), Reason::ReplayImpossible);
    let wider = signed(&contract_with(&[("max_groups_contributed = 4", "max_groups_contributed = 5")]));
    assert_eq!(refused(policies().replay(permit.record(), &wider, MIDDLE)).reason(), Reason::ReplayImpossible);
    for record in [&b""[..], b"{}", b"[]", &[permit.record(), b" "].concat(), &permit.record()[1..]] {
        assert_eq!(replay(record, MIDDLE), Err(Reason::ReplayImpossible), "{}", String::from_utf8_lossy(record));
    }
}

proptest! {
    #[test]
    fn any_delta_comes_out_again(bits in 0.0..1e-6_f64) {
        let permit = Question { delta: bits, ..Question::new() }.ask().unwrap();
        prop_assert_eq!(replay(permit.record(), MIDDLE), Ok(permit.decision()));
    }
}
