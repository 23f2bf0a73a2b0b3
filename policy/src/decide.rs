//! Cedar: one decision per column, role of use and purpose; the only maker of [`Permit`].
//!
//! INVARIANT (signed terms): the terms and their digest are read from one [`SignedContract`], so that a permit rests on
//! a contract whose signature was checked, and its decision digest names that very text.
//!
//! INVARIANT (error is no): Cedar ignores a policy that fails to evaluate, a `forbid` too. So any error in the
//! diagnostics refuses, the policies are validated strictly against the schema when they are loaded, and every
//! request is validated against it when it is made.

mod case;
mod record;

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::{PolicyId, PolicySet as CedarSet, Schema, Template, ValidationMode, Validator};
use serde::{Deserialize, Serialize};

use self::case::Case;
use self::record::Record;
pub use self::record::Replayed;

use crate::contract::{Contract, SignedContract};
use crate::id::{ColumnName, ContractId, DatasetName, Digest, OrgId, PersonId, Purpose, Role};
use crate::number::NanoEpsilon;
use crate::refusal::{Reason, Refusal};

const SCHEMA: &str = include_str!("../policies/schema.cedarschema");
const BASELINE: &str = include_str!("../policies/baseline.cedar");
const GRANTS: &str = include_str!("../policies/grants.cedar");

/// What a column is used for. Finer than "visible": a column may be summable but not groupable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum RoleOfUse {
    /// Inside an aggregate.
    Aggregate,
    /// As a group key.
    Group,
    /// In a condition on rows.
    Filter,
    /// To join on.
    Join,
    /// As input of a WASM job.
    WasmInput,
}

impl RoleOfUse {
    /// Every role of use.
    pub const ALL: [Self; 5] = [Self::Aggregate, Self::Group, Self::Filter, Self::Join, Self::WasmInput];

    /// The role's name, as contracts write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Aggregate => "aggregate",
            Self::Group => "group",
            Self::Filter => "filter",
            Self::Join => "join",
            Self::WasmInput => "wasmInput",
        }
    }
}

/// One column in one role of use.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ColumnUse {
    /// The dataset of the column, where it is joined; `None` is the one that is asked about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dataset: Option<DatasetName>,
    /// The column.
    pub column: ColumnName,
    /// What for.
    pub role: RoleOfUse,
    /// Whether the manifest calls it a direct identifier.
    pub identifier: bool,
}

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The person.
    pub person: PersonId,
    /// Whom the person works for.
    pub org: OrgId,
    /// The person's role.
    pub role: Role,
}

/// Everything a decision rests on; all of it public.
#[derive(Debug, Clone)]
pub struct Matter<'a> {
    /// Digest of the canonical request on its snapshot.
    pub request: Digest,
    /// Who asks.
    pub caller: &'a Caller,
    /// What for; `None` is the contract's only purpose, and refused if it has several.
    pub purpose: Option<&'a Purpose>,
    /// Under which contract. The terms alone do not do: anybody can write wider ones.
    pub contract: &'a SignedContract,
    /// On which dataset.
    pub dataset: &'a DatasetName,
    /// Which other datasets are joined to it, person by person.
    pub joined: &'a BTreeSet<DatasetName>,
    /// Whether an officer froze one of the datasets.
    pub frozen: bool,
    /// Columns in roles of use.
    pub uses: &'a BTreeSet<ColumnUse>,
    /// ε asked for.
    pub epsilon: NanoEpsilon,
    /// δ asked for.
    pub delta: f64,
    /// Groups per unit asked for.
    pub max_groups: u32,
    /// How many officers' approvals of this very request stand; 0 for SQL, which needs none.
    pub approvals: u32,
    /// Now, in seconds since 1970.
    pub now_unix_s: i64,
}

impl<'a> Matter<'a> {
    /// The terms that were signed.
    fn terms(&self) -> &'a Contract {
        self.contract.contract()
    }
}

/// Leave to release the answer to one request, once: it moves into the gate.
///
/// ```compile_fail,E0451
/// use glovebox_policy::{ContractId, Digest, Permit};
/// fn forge(request: Digest, contract: ContractId, decision: Digest, record: Vec<u8>) -> Permit {
///     Permit { request, contract, decision, record }
/// }
/// ```
/// ```compile_fail,E0599
/// fn twice(permit: glovebox_policy::Permit) { let second = permit.clone(); }
/// ```
#[derive(Debug)]
#[must_use = "a permit that is dropped permits nothing"]
pub struct Permit {
    request: Digest,
    contract: ContractId,
    decision: Digest,
    record: Vec<u8>,
}

impl Permit {
    /// The request it permits.
    pub fn request(&self) -> Digest {
        self.request
    }

    /// The contract it was given under.
    pub fn contract(&self) -> &ContractId {
        &self.contract
    }

    /// Digest of policies, schema, contract, caller, purpose, request, column uses and what was asked for: what a
    /// replay must reproduce. Freeze and time are not in it: a permit says that both were good.
    pub fn decision(&self) -> Digest {
        self.decision
    }

    /// What the decision rested on, in JSON; its SHA-256 is [`Permit::decision`]. [`PolicySet::replay`] takes it.
    pub fn record(&self) -> &[u8] {
        &self.record
    }
}

/// The policies could not be loaded; an operator's matter.
#[derive(Debug, thiserror::Error)]
#[error("the policy set is not valid: {0}")]
pub struct PolicyError(String);

/// Each purpose with the broader one it belongs to.
type Purposes = BTreeMap<Purpose, Option<Purpose>>;

/// The schema, the baseline and the grant templates, validated.
#[derive(Debug)]
pub struct PolicySet {
    schema: Schema,
    policies: CedarSet,
    purposes: Purposes,
    digest: Digest,
}

impl PolicySet {
    /// Loads the built-in policies with the bureau's purposes, each with the broader purpose it belongs to.
    ///
    /// # Errors
    /// [`PolicyError`] when policies and schema do not fit each other, or a purpose is declared twice, belongs to one
    /// that is not declared, or to itself on some way.
    pub fn load(purposes: Vec<(Purpose, Option<Purpose>)>) -> Result<Self, PolicyError> {
        Self::from_texts(SCHEMA, &[BASELINE, GRANTS], purposes)
    }

    fn from_texts(
        schema_text: &str,
        texts: &[&str],
        purposes: Vec<(Purpose, Option<Purpose>)>,
    ) -> Result<Self, PolicyError> {
        let fail = |error: &dyn std::fmt::Display| PolicyError(error.to_string());
        let name = |id: Option<&str>| id.map(PolicyId::new).ok_or_else(|| fail(&"a policy has no `@id`"));
        let (schema, _) = Schema::from_cedarschema_str(schema_text).map_err(|e| fail(&e))?;
        let mut policies = CedarSet::new();
        for text in texts {
            let parsed: CedarSet = text.parse().map_err(|e| fail(&e))?;
            for policy in parsed.policies() {
                let id = name(policy.annotation("id"))?;
                policies.add(policy.new_id(id)).map_err(|e| fail(&e))?;
            }
            for template in parsed.templates() {
                let id = name(template.annotation("id"))?;
                policies.add_template(Template::new_id(template, id)).map_err(|e| fail(&e))?;
            }
        }
        let outcome = Validator::new(schema.clone()).validate(&policies, ValidationMode::Strict);
        if !outcome.validation_passed() {
            return Err(fail(&outcome));
        }
        let purposes = purpose_tree(purposes)?;
        let digest = digest_of(&(schema_text, texts, &purposes)).map_err(|e| fail(&e))?;
        Ok(Self { schema, policies, purposes, digest })
    }

    /// Decides on a request as a whole, and then on every column use of it.
    ///
    /// # Errors
    /// A refusal that names what was not permitted: the contract's term, its caps, the dataset for the purpose, or the
    /// first column in order.
    pub fn decide(&self, matter: &Matter<'_>) -> Result<Permit, Refusal> {
        let purpose = self.purpose_of(matter)?;
        within_terms(matter)?;
        // A column of another dataset that nobody says is joined is a fault of ours.
        if matter.uses.iter().filter_map(|used| used.dataset.as_ref()).any(|dataset| !matter.joined.contains(dataset)) {
            return Err(Reason::Internal.into());
        }
        let case = Case::new(self, matter, purpose).map_err(|_| Reason::Internal)?;
        // A request may use no column at all (`COUNT(*)`), so the baseline must be asked about the request itself.
        if !case.permits_asking() {
            let about = format!("{} for {purpose}", matter.dataset);
            return Err(Refusal::about(Reason::NotPermitted, &about));
        }
        if let Some(dataset) = matter.joined.iter().find(|dataset| !case.permits_joining(dataset)) {
            return Err(Refusal::about(Reason::NotPermitted, &format!("{} joined with {dataset}", matter.dataset)));
        }
        for column_use in matter.uses {
            if !case.permits(column_use) {
                let of = column_use.dataset.as_ref().map_or_else(String::new, |dataset| format!("{dataset}."));
                let about = format!("{of}{} ({})", column_use.column, column_use.role.as_str());
                return Err(Refusal::about(Reason::NotPermitted, &about));
            }
        }
        let record = serde_json::to_vec(&Record::of(self, matter, purpose)).map_err(|_| Reason::Internal)?;
        let decision = Digest::of(&record);
        Ok(Permit { request: matter.request, contract: matter.terms().id.clone(), decision, record })
    }

    fn purpose_of<'a>(&self, matter: &'a Matter<'_>) -> Result<&'a Purpose, Refusal> {
        let purpose = match (matter.purpose, matter.terms().purposes.as_slice()) {
            (Some(purpose), _) => purpose,
            (None, [only]) => only,
            (None, _) => return Err(Refusal::about(Reason::NotPermitted, "the request names no purpose")),
        };
        if self.purposes.contains_key(purpose) {
            Ok(purpose)
        } else {
            Err(Refusal::about(Reason::NotPermitted, &format!("purpose {purpose}")))
        }
    }
}

/// The contract's term and numbers, which Cedar does not know.
fn within_terms(matter: &Matter<'_>) -> Result<(), Refusal> {
    let contract = matter.terms();
    if !contract.in_force(matter.now_unix_s) {
        return Err(Reason::ContractInactive.into());
    }
    // Said in the positive, because a NaN is above no cap.
    let meaningful = matter.delta >= 0.0 && matter.epsilon.nano() > 0 && matter.max_groups > 0;
    if !meaningful {
        return Err(Reason::OptionInvalid.into());
    }
    if matter.epsilon > contract.max_epsilon || matter.delta > contract.max_delta {
        return Err(Reason::EpsilonAboveCap.into());
    }
    if matter.max_groups > contract.max_groups_contributed {
        return Err(Reason::ContributionAboveCap.into());
    }
    Ok(())
}

/// Checks that every purpose is declared once, and that each way to broader purposes ends.
fn purpose_tree(declared: Vec<(Purpose, Option<Purpose>)>) -> Result<Purposes, PolicyError> {
    let count = declared.len();
    let tree: Purposes = declared.into_iter().collect();
    if tree.len() != count {
        return Err(PolicyError("a purpose is declared twice".to_owned()));
    }
    for purpose in tree.keys() {
        let mut at = purpose;
        // A way without a loop has fewer steps than there are purposes.
        for step in 0.. {
            match tree.get(at) {
                None => return Err(PolicyError(format!("purpose `{at}` is not declared"))),
                Some(None) => break,
                Some(Some(_)) if step >= count => {
                    return Err(PolicyError(format!("purpose `{purpose}` belongs to itself")));
                }
                Some(Some(broader)) => at = broader,
            }
        }
    }
    Ok(tree)
}

fn digest_of(value: &impl Serialize) -> Result<Digest, serde_json::Error> {
    serde_json::to_vec(value).map(|bytes| Digest::of(&bytes))
}

#[cfg(test)]
#[path = "decide_tests.rs"]
mod tests;
