//! A ledger with one contract, and what it takes to bring cells to the gate.

use std::collections::BTreeSet;

use glovebox_ledger::{Admission, Charge, Collected, Ledger, Order, Person, Seal, StoredRelease};
use glovebox_policy::contract::{SignedContract, sign_contract};
use glovebox_policy::decide::Matter;
use glovebox_policy::dsse::key_id;
use glovebox_policy::{
    Caller, Cost, Delta, Digest, NanoEpsilon, Permit, PolicySet, Public, Purpose, Rho, Role, SnapshotId,
};
use glovebox_privacy::{Ask, Exact, Family, Geometry, NoisePlan, plan_noise};
use glovebox_vault::{Expose, Protected};
use ring::signature::{Ed25519KeyPair, KeyPair};

const TERMS: &str = r#"
id = "contract-1"
org = "firm"
dataset = "medical.visits"
budget_domain = "resident"
purposes = ["research", "teaching"]
starts = "2020-01-01T00:00:00Z"
ends = "2099-01-01T00:00:00Z"

[budget]
allotment_rho = 1000.0
per_day_rho = 1000.0

[per_query]
max_epsilon = 100.0
max_delta = 0.001
default_epsilon = 1.0
default_delta = 1e-9
max_groups_contributed = 100

[[grants]]
columns = ["visits"]
roles = ["aggregate"]
"#;

/// The seed of the key that signs certificates.
pub(crate) const SERVICE_SEED: [u8; 32] = [9; 32];

pub(crate) struct Bureau {
    pub(crate) ledger: Ledger,
    policies: PolicySet,
    contract: SignedContract,
    snapshot: SnapshotId,
    _folder: tempfile::TempDir,
}

impl Bureau {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let seal =
            Seal::new(Ed25519KeyPair::from_seed_unchecked(&SERVICE_SEED).unwrap(), "bureau.example/log").unwrap();
        let ledger = Ledger::create(&folder.path().join("ledger.sqlite"), seal).unwrap();
        for (person, org, role) in [("wang", "bureau", Role::Officer), ("ana", "firm", Role::Analyst)] {
            let person =
                Person { person: person.parse().unwrap(), org: org.parse().unwrap(), role, name: person.to_owned() };
            ledger.add_person(&person).unwrap();
        }
        let key = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
        let public_key: [u8; 32] = key.public_key().as_ref().try_into().unwrap();
        let envelope = serde_json::to_vec(&sign_contract(TERMS, &key).unwrap()).unwrap();
        let officer_of = |id: &str| (id == key_id(&public_key)).then(|| ("wang".parse().unwrap(), public_key));
        let contract = SignedContract::verify(&envelope, &officer_of).unwrap();
        ledger.add_officer_key(contract.signer(), public_key).unwrap();
        let domain = "resident".parse().unwrap();
        let cap = Cost { rho: Rho::rounded_down(2000.0).unwrap(), delta: Delta::ZERO };
        ledger.create_domain(&domain, cap, Delta::from_steps(1)).unwrap();
        let snapshot = SnapshotId::from_random([1; 16]);
        let dataset = "medical.visits".parse().unwrap();
        ledger.register_dataset(&dataset, &domain, &snapshot, Digest::of(b"manifest"), contract.signer()).unwrap();
        ledger.add_contract(&contract, now()).unwrap();
        let policies =
            PolicySet::load(["research", "teaching"].map(|name| (name.parse().unwrap(), None)).to_vec()).unwrap();
        Self { ledger, policies, contract, snapshot, _folder: folder }
    }

    pub(crate) fn permit(&self, request: Digest) -> Permit {
        self.permit_for(request, "research")
    }

    pub(crate) fn permit_for(&self, request: Digest, purpose: &str) -> Permit {
        let purpose: Purpose = purpose.parse().unwrap();
        let terms = self.contract.contract();
        let caller = Caller { person: "ana".parse().unwrap(), org: terms.org.clone(), role: Role::Analyst };
        self.policies
            .decide(&Matter {
                request,
                caller: &caller,
                purpose: Some(&purpose),
                contract: &self.contract,
                dataset: &terms.dataset,
                joined: &BTreeSet::new(),
                frozen: false,
                uses: &BTreeSet::new(),
                epsilon: NanoEpsilon::from_nano(1),
                delta: 0.0,
                max_groups: 1,
                approvals: 0,
                now_unix_s: now(),
            })
            .unwrap()
    }

    pub(crate) fn admit(&self, request: Digest, cost: Cost) -> Admission {
        let terms = self.contract.contract();
        let order = Order {
            request,
            contract: terms.id.clone(),
            contract_digest: self.contract.digest(),
            domain: terms.budget_domain.clone(),
            person: "ana".parse().unwrap(),
            cost,
            decision: self.permit(request).decision(),
            decision_record: self.permit(request).record().to_vec(),
            snapshot: self.snapshot.clone(),
            joined: None,
            job: None,
            subjects: Vec::new(),
            price: 7,
            approvals: Vec::new(),
            now_unix_s: now(),
        };
        self.ledger.charge(&order).unwrap()
    }

    pub(crate) fn charge(&self, request: Digest, cost: Cost) -> Charge {
        match self.admit(request, cost) {
            Admission::Charged(charge) => charge,
            other => panic!("not charged: {other:?}"),
        }
    }

    pub(crate) fn stored(&self, request: Digest, cost: Cost) -> StoredRelease {
        match self.admit(request, cost) {
            Admission::Stored(claim) => match self.ledger.collect(claim).unwrap() {
                Collected::Stored(stored) => stored,
                other => panic!("not there: {other:?}"),
            },
            other => panic!("not stored: {other:?}"),
        }
    }

    pub(crate) fn spent(&self) -> Cost {
        self.ledger.domain(&"resident".parse().unwrap()).unwrap().unwrap().spent
    }
}

pub(crate) fn now() -> i64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs().try_into().unwrap()
}

pub(crate) fn plan(epsilon: f64, delta: f64, bounds: &[u64], groups: u32) -> NoisePlan {
    let family = |linf: &u64| Family { label: Public::from_manifest(format!("sum of at most {linf}")), linf: *linf };
    let ask = Ask { epsilon: NanoEpsilon::from_epsilon(epsilon).unwrap(), delta, mechanism: None };
    let geometry = Geometry::GroupSelection { max_groups: 1 };
    plan_noise(bounds.iter().map(family).collect(), groups, geometry, ask).unwrap()
}

pub(crate) fn exact(cells: Vec<Vec<i128>>, plan: NoisePlan, request: Digest) -> Exact {
    Exact::new(Protected::seal(cells), plan, request).unwrap()
}
