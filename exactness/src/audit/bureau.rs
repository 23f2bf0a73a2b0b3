//! A ledger with one dataset and one contract that grants all of it, and what it takes to bring cells through the gate.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, anyhow, bail};
use glovebox_ledger::{Admission, Ledger, Order, Person, Seal};
use glovebox_policy::contract::{SignedContract, sign_contract};
use glovebox_policy::decide::Matter;
use glovebox_policy::dsse::key_id;
use glovebox_policy::{
    Caller, ColumnUse, Cost, Delta, Digest, NanoEpsilon, Permit, PolicySet, Purpose, Rho, Role, SnapshotId,
};
use glovebox_privacy::{Exact, NoisyCells, Released, release};
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use tempfile::TempDir;

/// What the contract grants: everything that a question of the audit uses, and more budget than it can spend.
const TERMS: &str = r#"
id = "audit"
org = "firm"
budget_domain = "resident"
purposes = ["research"]
starts = "2020-01-01T00:00:00Z"
ends = "2099-01-01T00:00:00Z"

[budget]
allotment_rho = 4000000.0
per_day_rho = 4000000.0
allotment_delta = 0.9
per_day_delta = 0.9

[per_query]
max_epsilon = 100.0
max_delta = 0.001
default_epsilon = 1.0
default_delta = 1e-9
max_groups_contributed = 100

[[grants]]
columns = ["person", "x", "k", "note"]
roles = ["aggregate", "group", "filter"]
"#;

/// A bureau that releases what is brought to it.
pub struct Bureau {
    ledger: Ledger,
    policies: PolicySet,
    contract: SignedContract,
    snapshot: SnapshotId,
    _folder: TempDir,
}

impl Bureau {
    /// A new ledger in a temporary folder, for one dataset in this snapshot.
    ///
    /// # Errors
    /// What of setting it up failed.
    pub fn new(dataset: &str, snapshot: &SnapshotId, manifest: Digest) -> Result<Self> {
        // In memory where that can be had: thousands of charges need not reach a disk.
        let memory = Path::new("/dev/shm");
        let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
        let folder = folder.context("cannot make a folder for a ledger")?;
        let key = |seed: u8| Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).map_err(|_| anyhow!("no key"));
        let ledger = Ledger::create(&folder.path().join("ledger.sqlite"), Seal::new(key(9)?, "audit.example/log")?)?;
        for (person, org, role) in [("wang", "bureau", Role::Officer), ("ana", "firm", Role::Analyst)] {
            ledger.add_person(&Person { person: person.parse()?, org: org.parse()?, role, name: person.to_owned() })?;
        }
        let key = key(7)?;
        let public_key: [u8; 32] = key.public_key().as_ref().try_into()?;
        let envelope = serde_json::to_vec(&sign_contract(&format!("dataset = \"{dataset}\"\n{TERMS}"), &key)?)?;
        let wang: glovebox_policy::PersonId = "wang".parse()?;
        let contract =
            SignedContract::verify(&envelope, &|id| (id == key_id(&public_key)).then(|| (wang.clone(), public_key)))?;
        ledger.add_officer_key(contract.signer(), public_key)?;
        let terms = contract.contract();
        let rho = Rho::rounded_down(8_000_000.0).context("a cap")?;
        let delta = Delta::rounded_down(0.95).context("a cap")?;
        ledger.create_domain(&terms.budget_domain, Cost { rho, delta }, Delta::from_steps(1))?;
        ledger.register_dataset(&terms.dataset, &terms.budget_domain, snapshot, manifest, contract.signer())?;
        ledger.add_contract(&contract, now_unix_s()?)?;
        let policies = PolicySet::load(vec![("research".parse()?, None)])?;
        Ok(Self { ledger, policies, contract, snapshot: snapshot.clone(), _folder: folder })
    }

    /// Decides, charges and releases: the product's way from exact cells to noised ones.
    ///
    /// # Errors
    /// What the policies, the ledger or the gate refused; cells whose request was charged before.
    pub fn release(&self, exact: Exact, uses: &BTreeSet<ColumnUse>) -> Result<Released<NoisyCells>> {
        let (request, cost) = (exact.request(), exact.plan().cost());
        let permit = self.permit(request, uses)?;
        let terms = self.contract.contract();
        let order = Order {
            request,
            contract: terms.id.clone(),
            contract_digest: self.contract.digest(),
            domain: terms.budget_domain.clone(),
            person: "ana".parse()?,
            cost,
            decision: permit.decision(),
            decision_record: permit.record().to_vec(),
            snapshot: self.snapshot.clone(),
            joined: None,
            tables: Vec::new(),
            job: None,
            subjects: Vec::new(),
            price: 0,
            approvals: Vec::new(),
            now_unix_s: now_unix_s()?,
        };
        match self.ledger.charge(&order)? {
            Admission::Charged(charge) => Ok(release(&self.ledger, permit, charge, exact)?),
            Admission::Stored(_) | Admission::Running(_) => bail!("this request was charged before"),
        }
    }

    fn permit(&self, request: Digest, uses: &BTreeSet<ColumnUse>) -> Result<Permit> {
        let purpose: Purpose = "research".parse()?;
        let terms = self.contract.contract();
        let caller = Caller { person: "ana".parse()?, org: terms.org.clone(), role: Role::Analyst };
        Ok(self.policies.decide(&Matter {
            request,
            caller: &caller,
            purpose: Some(&purpose),
            contract: &self.contract,
            dataset: &terms.dataset,
            joined: &BTreeSet::new(),
            tables: &[],
            frozen: false,
            uses,
            epsilon: NanoEpsilon::from_nano(1),
            delta: 0.0,
            max_groups: 1,
            approvals: 0,
            now_unix_s: now_unix_s()?,
        })?)
    }
}

fn now_unix_s() -> Result<i64> {
    Ok(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs().try_into()?)
}
