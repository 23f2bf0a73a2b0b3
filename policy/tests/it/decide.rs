//! Decisions beyond the matrix: the caps, the numbers that mean nothing, and what a refusal names.

use std::collections::BTreeSet;

use glovebox_policy::decide::Matter;
use glovebox_policy::{
    Caller, ColumnUse, DatasetName, Digest, NanoEpsilon, Permit, Reason, Refusal, Role, RoleOfUse, SignedContract,
};

use crate::support::{CONTRACT, MIDDLE, contract_with, policies, signed};

/// A question that is permitted, for the tests to spoil.
pub(crate) struct Question {
    pub(crate) caller: Caller,
    pub(crate) purpose: Option<&'static str>,
    pub(crate) contract: SignedContract,
    pub(crate) dataset: DatasetName,
    pub(crate) frozen: bool,
    pub(crate) uses: BTreeSet<ColumnUse>,
    pub(crate) epsilon: u64,
    pub(crate) delta: f64,
    pub(crate) max_groups: u32,
    pub(crate) approvals: u32,
    pub(crate) now: i64,
}

impl Question {
    pub(crate) fn new() -> Self {
        Self {
            caller: Caller { person: "han".parse().unwrap(), org: "acme".parse().unwrap(), role: Role::Analyst },
            purpose: Some("research"),
            contract: signed(CONTRACT),
            dataset: "medical.rand_hie".parse().unwrap(),
            frozen: false,
            uses: BTreeSet::new(),
            epsilon: 500_000_000,
            delta: 1e-9,
            max_groups: 1,
            approvals: 1,
            now: MIDDLE,
        }
    }

    pub(crate) fn using(mut self, column: &str, role: RoleOfUse, identifier: bool) -> Self {
        self.uses.insert(ColumnUse { column: column.parse().unwrap(), role, identifier });
        self
    }

    pub(crate) fn ask(&self) -> Result<Permit, Refusal> {
        let purpose = self.purpose.map(|purpose| purpose.parse().unwrap());
        policies().decide(&Matter {
            request: Digest::of(b"request"),
            caller: &self.caller,
            purpose: purpose.as_ref(),
            contract: &self.contract,
            dataset: &self.dataset,
            joined: &[],
            frozen: self.frozen,
            uses: &self.uses,
            epsilon: NanoEpsilon::from_nano(self.epsilon),
            delta: self.delta,
            max_groups: self.max_groups,
            approvals: self.approvals,
            now_unix_s: self.now,
        })
    }

    fn refused(&self) -> Refusal {
        self.ask().unwrap_err()
    }
}

#[test]
fn a_permit_is_for_one_request_under_one_contract() {
    let permit = Question::new().using("income", RoleOfUse::Aggregate, false).ask().unwrap();
    assert_eq!(permit.request(), Digest::of(b"request"));
    assert_eq!(permit.contract().as_str(), "c1");
}

#[test]
fn at_the_caps_and_just_above() {
    let at = Question { epsilon: 1_000_000_000, delta: 1e-6, max_groups: 4, ..Question::new() };
    assert!(at.ask().is_ok());
    let epsilon = Question { epsilon: 1_000_000_001, ..Question::new() };
    assert_eq!(epsilon.refused().reason(), Reason::EpsilonAboveCap);
    let delta = Question { delta: 1e-6_f64.next_up(), ..Question::new() };
    assert_eq!(delta.refused().reason(), Reason::EpsilonAboveCap);
    let groups = Question { max_groups: 5, ..Question::new() };
    assert_eq!(groups.refused().reason(), Reason::ContributionAboveCap);
    let pure = Question { delta: 0.0, ..Question::new() };
    assert!(pure.ask().is_ok());
}

/// A NaN is above no cap, and with no group at all a sensitivity would be nothing.
#[test]
fn numbers_that_mean_nothing_are_refused() {
    for delta in [f64::NAN, -f64::NAN, -1e-9, f64::NEG_INFINITY] {
        assert_eq!(Question { delta, ..Question::new() }.refused().reason(), Reason::OptionInvalid, "{delta}");
    }
    assert_eq!(Question { delta: f64::INFINITY, ..Question::new() }.refused().reason(), Reason::EpsilonAboveCap);
    assert_eq!(Question { epsilon: 0, ..Question::new() }.refused().reason(), Reason::OptionInvalid);
    assert_eq!(Question { max_groups: 0, ..Question::new() }.refused().reason(), Reason::OptionInvalid);
}

/// One column too many refuses the whole, and the first in order is named, whatever the order of the SQL.
#[test]
fn one_ungranted_column_refuses_the_request_and_is_named() {
    let question = Question::new()
        .using("income", RoleOfUse::Aggregate, false)
        .using("zip", RoleOfUse::Filter, false)
        .using("age", RoleOfUse::Group, false);
    let refusal = question.refused();
    assert_eq!((refusal.reason(), refusal.quotation()), (Reason::NotPermitted, Some("age (group)")));
}

#[test]
fn a_request_that_may_not_be_asked_at_all_names_dataset_and_purpose() {
    let refusal = Question { purpose: Some("marketing"), ..Question::new() }.refused();
    assert_eq!(refusal.quotation(), Some("medical.rand_hie for marketing"));
}

/// Several purposes and none named: nothing is guessed.
#[test]
fn a_purpose_is_guessed_only_where_there_is_one() {
    assert!(Question { purpose: None, ..Question::new() }.ask().is_ok());
    let two = signed(&contract_with(&[("[\"research\"]", "[\"research\", \"marketing\"]")]));
    let refusal = Question { purpose: None, contract: two, ..Question::new() }.refused();
    assert_eq!((refusal.reason(), refusal.quotation()), (Reason::NotPermitted, Some("the request names no purpose")));
}

/// One column cannot be an identifier and not be one: that is a fault of ours, and no permit.
#[test]
fn a_column_described_in_two_ways_is_refused() {
    let question =
        Question::new().using("income", RoleOfUse::Aggregate, false).using("income", RoleOfUse::Filter, true);
    assert_eq!(question.refused().reason(), Reason::Internal);
}
