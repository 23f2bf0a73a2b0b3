//! What a decision rested on, in bytes, and decisions made again from it.

use std::collections::BTreeSet;

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use super::{Caller, ColumnUse, Matter, PolicySet};
use crate::contract::SignedContract;
use crate::id::{DatasetName, Digest, OrgId, PersonId, Purpose, Role};
use crate::number::NanoEpsilon;
use crate::refusal::{Reason, Refusal};

/// A past decision, made again with the same outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replayed {
    /// Its digest.
    pub decision: Digest,
    /// Who asked.
    pub caller: Caller,
    /// What for.
    pub purpose: Purpose,
    /// Columns in roles of use, each permitted.
    pub uses: BTreeSet<ColumnUse>,
    /// Officers' approvals that stood.
    pub approvals: u32,
}

/// What a decision rested on, in one fixed order of fields.
#[derive(Serialize)]
pub(super) struct Record<'a> {
    pub(super) policies: Digest,
    pub(super) contract: Digest,
    pub(super) person: &'a PersonId,
    pub(super) org: &'a OrgId,
    pub(super) role: Role,
    pub(super) purpose: &'a Purpose,
    pub(super) request: Digest,
    pub(super) dataset: &'a DatasetName,
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub(super) joined: &'a BTreeSet<DatasetName>,
    pub(super) uses: &'a BTreeSet<ColumnUse>,
    pub(super) epsilon: NanoEpsilon,
    pub(super) delta: f64,
    /// The very number, for JSON is read to within some units in the last place only.
    pub(super) delta_bits: u64,
    pub(super) max_groups: u32,
    pub(super) approvals: u32,
}

/// [`Record`], read back.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReadRecord {
    policies: Digest,
    contract: Digest,
    person: PersonId,
    org: OrgId,
    role: Role,
    purpose: Purpose,
    request: Digest,
    dataset: DatasetName,
    #[serde(default)]
    joined: BTreeSet<DatasetName>,
    uses: BTreeSet<ColumnUse>,
    epsilon: NanoEpsilon,
    #[serde(rename = "delta")]
    _delta: IgnoredAny,
    delta_bits: u64,
    max_groups: u32,
    approvals: u32,
}

impl<'a> Record<'a> {
    pub(super) fn of(set: &PolicySet, matter: &Matter<'a>, purpose: &'a Purpose) -> Self {
        Self {
            policies: set.digest,
            contract: matter.contract.digest(),
            person: &matter.caller.person,
            org: &matter.caller.org,
            role: matter.caller.role,
            purpose,
            request: matter.request,
            dataset: matter.dataset,
            joined: matter.joined,
            uses: matter.uses,
            epsilon: matter.epsilon,
            delta: matter.delta,
            delta_bits: matter.delta.to_bits(),
            max_groups: matter.max_groups,
            approvals: matter.approvals,
        }
    }
}

impl PolicySet {
    /// Decides a past request anew, from what was written down of it: by these policies, the contract and the instant of
    /// the charge. That nothing was frozen then, and who the caller was, is the ledger's to say.
    ///
    /// # Errors
    /// [`Reason::ReplayImpossible`] if the record is not one of these policies and this contract, and the refusal that
    /// the request would get if it is one and is not permitted.
    pub fn replay(&self, record: &[u8], contract: &SignedContract, at_unix_s: i64) -> Result<Replayed, Refusal> {
        let impossible = |what| Refusal::about(Reason::ReplayImpossible, what);
        let said: ReadRecord = serde_json::from_slice(record).map_err(|_| impossible("the record cannot be read"))?;
        if said.policies != self.digest {
            return Err(impossible("the record is of another set of policies or purposes"));
        }
        if said.contract != contract.digest() {
            return Err(impossible("the record is of another contract"));
        }
        let caller = Caller { person: said.person, org: said.org, role: said.role };
        let permit = self.decide(&Matter {
            request: said.request,
            caller: &caller,
            purpose: Some(&said.purpose),
            contract,
            dataset: &said.dataset,
            joined: &said.joined,
            frozen: false,
            uses: &said.uses,
            epsilon: said.epsilon,
            delta: f64::from_bits(said.delta_bits),
            max_groups: said.max_groups,
            approvals: said.approvals,
            now_unix_s: at_unix_s,
        })?;
        if permit.record != record {
            return Err(impossible("the record is not what a decision writes"));
        }
        let (decision, purpose, uses, approvals) = (permit.decision, said.purpose, said.uses, said.approvals);
        Ok(Replayed { decision, caller, purpose, uses, approvals })
    }
}
