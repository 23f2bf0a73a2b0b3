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
    pub(crate) joined: BTreeSet<DatasetName>,
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
            joined: BTreeSet::new(),
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
        self.uses.insert(ColumnUse { dataset: None, column: column.parse().unwrap(), role, identifier });
        self
    }

    /// With another dataset joined, and a column of it used so.
    fn joining(mut self, dataset: &str, column: &str, role: RoleOfUse) -> Self {
        let dataset: DatasetName = dataset.parse().unwrap();
        self.joined.insert(dataset.clone());
        let column = column.parse().unwrap();
        self.uses.insert(ColumnUse { dataset: Some(dataset), column, role, identifier: false });
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
            joined: &self.joined,
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

/// `CONTRACT` with columns of a second dataset: `income` may be added up there, and `age` may be grouped by.
fn joining_contract() -> SignedContract {
    let more = "[[grants]]\ndataset = \"medical.labs\"\nroles = [\"aggregate\", \"wasmInput\"]\ncolumns = [\"income\", \"level\"]\n\
                [[grants]]\ndataset = \"medical.labs\"\nroles = [\"join\"]\ncolumns = [\"person\"]\n";
    signed(&format!("{CONTRACT}\n{more}"))
}

#[test]
fn a_dataset_is_joined_only_where_the_contract_grants_columns_of_it() {
    let with = |dataset: &str, column: &str, role| {
        Question { contract: joining_contract(), ..Question::new() }.joining(dataset, column, role)
    };
    assert!(with("medical.labs", "level", RoleOfUse::Aggregate).ask().is_ok());
    assert!(with("medical.labs", "person", RoleOfUse::Join).ask().is_ok());
    let about = |question: Question| question.refused().quotation().unwrap_or_default().to_owned();
    // What is granted of one dataset is not granted of the other.
    let own = Question { contract: joining_contract(), ..Question::new() };
    assert_eq!(about(own.using("level", RoleOfUse::Aggregate, false)), "level (aggregate)");
    assert_eq!(about(with("medical.labs", "level", RoleOfUse::Group)), "medical.labs.level (group)");
    assert_eq!(about(with("medical.labs", "level", RoleOfUse::Filter)), "medical.labs.level (filter)");
    // Code reads the contract's own dataset, whatever the text grants.
    assert_eq!(about(with("medical.labs", "level", RoleOfUse::WasmInput)), "medical.labs.level (wasmInput)");
    // A dataset that the contract does not name.
    assert_eq!(
        about(with("medical.other", "level", RoleOfUse::Aggregate)),
        "medical.rand_hie joined with medical.other"
    );
    let unknown = Question::new().joining("medical.labs", "level", RoleOfUse::Aggregate);
    assert_eq!(about(unknown), "medical.rand_hie joined with medical.labs");
    // A column of another dataset without saying that it is joined.
    let mut silent = with("medical.labs", "level", RoleOfUse::Aggregate);
    silent.joined.clear();
    assert_eq!(silent.refused().reason(), Reason::Internal);
    // It is joined, and never asked about by itself.
    let alone = Question { dataset: "medical.labs".parse().unwrap(), contract: joining_contract(), ..Question::new() };
    assert_eq!(about(alone), "medical.labs for research");
    // Frozen stops the join as well.
    let frozen = Question { frozen: true, ..with("medical.labs", "level", RoleOfUse::Aggregate) };
    assert_eq!(frozen.refused().reason(), Reason::NotPermitted);
}

/// A contract that lists its own dataset among the others would have two ways to say one thing.
#[test]
fn the_own_dataset_is_not_joined_to_itself_in_a_contract() {
    let more = "[[grants]]\ndataset = \"medical.rand_hie\"\nroles = [\"aggregate\"]\ncolumns = [\"income\"]\n";
    let refusal = glovebox_policy::Contract::parse(&format!("{CONTRACT}\n{more}")).unwrap_err();
    assert_eq!(refusal.reason(), Reason::ContractInvalid);
    assert_eq!(refusal.quotation(), Some("grants: leave out the contract's own dataset"));
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
