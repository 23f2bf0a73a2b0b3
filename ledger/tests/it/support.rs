//! A ledger in a temporary folder with people, a domain, a dataset and contracts.

use std::path::PathBuf;

use chrono::DateTime;
use glovebox_ledger::{
    Admission, Charge, ChargeError, Collected, JobError, JobRun, Ledger, MANIFEST_SUBJECT, MODULE_SUBJECT,
    NewCancellation, NewJob, NewVerdict, Order, Person, Seal, StoredRelease, Subject,
};
use glovebox_policy::approval::sign_verdict;
use glovebox_policy::contract::sign_contract;
use glovebox_policy::{
    BudgetDomain, ContractId, Cost, DatasetName, Decision, Delta, Digest, NanoEpsilon, PersonId, Reason, Refusal, Rho,
    Role, SignedContract, SignedVerdict, SnapshotId, Subjects, Verdict,
};
use ring::signature::{Ed25519KeyPair, KeyPair as _};

/// Noon of 2033-05-18 UTC: later than any real clock that runs these tests, so the ledger's time is the test's.
pub(crate) const NOON: i64 = 2_000_030_400;
pub(crate) const DAY: i64 = 86_400;

pub(crate) struct Fixture {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) ledger: Ledger,
    pub(crate) key: Ed25519KeyPair,
}

pub(crate) fn id<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

pub(crate) fn cost(rho: u64, delta: u64) -> Cost {
    Cost { rho: Rho::from_steps(rho), delta: Delta::from_steps(delta) }
}

/// The seal of every ledger of these tests, the same each time that it is asked for.
pub(crate) fn seal() -> Seal {
    Seal::new(Ed25519KeyPair::from_seed_unchecked(&[9; 32]).unwrap(), "bureau.example/log").unwrap()
}

pub(crate) fn snapshot(n: u8) -> SnapshotId {
    SnapshotId::from_random([n; 16])
}

pub(crate) fn person(name: &str, role: Role) -> Person {
    let org = if role == Role::Analyst { "firm" } else { "bureau" };
    Person { person: id(name), org: id(org), role, name: format!("{name} 某") }
}

pub(crate) fn domain() -> BudgetDomain {
    id("resident")
}

impl Fixture {
    /// People `ana` (analyst) and `olga` (officer with a key), domain `resident`, dataset `medical.visits`.
    pub(crate) fn new(cap: Cost) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let ledger = Ledger::create(&dir.path().join("ledger.sqlite"), seal()).unwrap();
        let key = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
        ledger.add_person(&person("ana", Role::Analyst)).unwrap();
        ledger.add_person(&person("olga", Role::Officer)).unwrap();
        ledger.add_officer_key(&id("olga"), key.public_key().as_ref().try_into().unwrap()).unwrap();
        ledger.create_domain(&domain(), cap, Delta::from_steps(1)).unwrap();
        let dataset: DatasetName = id("medical.visits");
        ledger.register_dataset(&dataset, &domain(), &snapshot(1), Digest::of(b"manifest"), &id("olga")).unwrap();
        Self { dir, ledger, key }
    }

    /// As `new`, with contract `c1` over the whole cap and no tighter day.
    pub(crate) fn with_contract(cap: Cost) -> Self {
        let fixture = Self::new(cap);
        fixture.add("c1", cap, cap).unwrap();
        fixture
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.dir.path().join("ledger.sqlite")
    }

    /// Drops the ledger as a crash would and opens it again.
    pub(crate) fn reopen(self) -> Self {
        let Self { dir, ledger, key } = self;
        drop(ledger);
        let ledger = Ledger::open(&dir.path().join("ledger.sqlite"), seal()).unwrap();
        Self { dir, ledger, key }
    }

    pub(crate) fn sign(&self, text: &str) -> SignedContract {
        let envelope = serde_json::to_vec(&sign_contract(text, &self.key).unwrap()).unwrap();
        SignedContract::verify(&envelope, &|key_id| self.ledger.officer_key(key_id).unwrap()).unwrap()
    }

    /// Signs and adds a contract for all of 2033 at [`NOON`].
    pub(crate) fn add(&self, name: &str, allotment: Cost, per_day: Cost) -> Result<(), Reason> {
        self.add_for(name, allotment, per_day, "2033-01-01T00:00:00Z", "2034-01-01T00:00:00Z", NOON)
    }

    pub(crate) fn add_for(
        &self,
        name: &str,
        allotment: Cost,
        per_day: Cost,
        starts: &str,
        ends: &str,
        now: i64,
    ) -> Result<(), Reason> {
        let signed = self.sign(&contract_text(name, "medical.visits", "resident", allotment, per_day, starts, ends));
        self.ledger.add_contract(&signed, now).map_err(|error| match error {
            glovebox_ledger::ContractError::Refused(refusal) => refusal.reason(),
            glovebox_ledger::ContractError::Ledger(error) => panic!("{error:?}"),
        })
    }

    pub(crate) fn spent(&self) -> Cost {
        self.ledger.domain(&domain()).unwrap().unwrap().spent
    }

    pub(crate) fn promised(&self) -> Cost {
        self.ledger.domain(&domain()).unwrap().unwrap().promised
    }

    pub(crate) fn debited(&self, contract: &str) -> Cost {
        self.ledger.contract(&id(contract)).unwrap().unwrap().debited
    }

    /// Charges an order, with the digest of its contract filled in.
    pub(crate) fn charge(&self, order: &Order) -> Result<Admission, ChargeError> {
        charge(&self.ledger, order)
    }

    /// Charges and expects to run.
    pub(crate) fn run(&self, order: &Order) -> Charge {
        charged(self.charge(order).unwrap())
    }

    /// Charges, expects a stored answer and collects it.
    pub(crate) fn served(&self, order: &Order) -> StoredRelease {
        collected(&self.ledger, self.charge(order).unwrap())
    }

    /// Charges and releases `body`.
    pub(crate) fn answer(&self, order: &Order, body: &[u8]) {
        let _ = self.ledger.commit_release(self.run(order), body, "test", &claims()).unwrap();
    }

    /// Charges and expects a refusal.
    pub(crate) fn refused(&self, order: &Order) -> Refusal {
        match self.charge(order) {
            Err(ChargeError::Refused(refusal)) => refusal,
            other => panic!("{other:?}"),
        }
    }

    /// `ana` hands a job in at [`NOON`], to be decided within a day.
    pub(crate) fn submit(&self, job: &str, contract: &str) {
        self.ledger.submit_job(&new_job(job, contract)).unwrap();
    }

    /// What `olga` signs about a job that was handed in by [`Fixture::submit`].
    pub(crate) fn verdict(
        &self,
        job: &str,
        decision: Decision,
        execute_by_unix_s: i64,
        max_executions: u32,
    ) -> Verdict {
        let summary = self.ledger.job(&id(job)).unwrap().unwrap().summary;
        let contract = terms_digest(&self.ledger, &summary.contract).unwrap();
        Verdict {
            decision,
            job: summary.job,
            subjects: Subjects { manifest: summary.manifest, module: summary.module, contract },
            approver: id("olga"),
            max_epsilon: NanoEpsilon::from_epsilon(1.0).unwrap(),
            max_executions,
            execute_by: DateTime::from_timestamp(execute_by_unix_s, 0).unwrap(),
            page: Digest::of(b"page"),
            previous_module: None,
            reason: (decision == Decision::Reject).then(|| "unclear".to_owned()),
            signed_at: DateTime::from_timestamp(NOON, 0).unwrap(),
        }
    }

    /// Signs a verdict with `olga`'s key.
    pub(crate) fn signed(&self, verdict: &Verdict) -> SignedVerdict {
        let envelope = serde_json::to_vec(&sign_verdict(verdict, &self.key).unwrap()).unwrap();
        SignedVerdict::verify(&envelope, &|key_id| self.ledger.officer_key(key_id).unwrap()).unwrap()
    }

    /// Hands a verdict in.
    pub(crate) fn decide(&self, verdict: &Verdict, now_unix_s: i64) -> Result<(), Reason> {
        reason(self.ledger.add_verdict(&NewVerdict { signed: &self.signed(verdict), now_unix_s }))
    }

    /// `olga` approves at [`NOON`].
    pub(crate) fn approve(&self, job: &str, execute_by_unix_s: i64, max_executions: u32) {
        self.decide(&self.verdict(job, Decision::Approve, execute_by_unix_s, max_executions), NOON).unwrap();
    }

    /// `ana` calls a job back at [`NOON`].
    pub(crate) fn cancel(&self, job: &str) {
        self.ledger.cancel_job(&NewCancellation { job: id(job), person: id("ana"), now_unix_s: NOON }).unwrap();
    }

    /// An order for a run of a job.
    pub(crate) fn job_order(&self, job: &str, request: u64, cost: Cost) -> Order {
        let summary = self.ledger.job(&id(job)).unwrap().unwrap().summary;
        Order {
            job: Some(JobRun { job: id(job) }),
            subjects: vec![
                Subject { name: MANIFEST_SUBJECT, digest: summary.manifest },
                Subject { name: MODULE_SUBJECT, digest: summary.module },
            ],
            approvals: summary.approvals(),
            ..order(summary.contract.as_str(), request, cost)
        }
    }

    /// The whole audit.
    pub(crate) fn audit(&self) {
        assert_eq!(self.ledger.verify_log().unwrap(), self.ledger.tree_head().unwrap());
        self.ledger.verify_books().unwrap();
    }
}

pub(crate) fn contract_text(
    name: &str,
    dataset: &str,
    domain: &str,
    allotment: Cost,
    per_day: Cost,
    starts: &str,
    ends: &str,
) -> String {
    let rho = |steps: u64| steps as f64 / 2_f64.powi(40);
    let delta = |steps: u64| steps as f64 / 2_f64.powi(60);
    format!(
        r#"
id = "{name}"
org = "firm"
dataset = "{dataset}"
budget_domain = "{domain}"
purposes = ["research"]
starts = "{starts}"
ends = "{ends}"

[budget]
allotment_rho = {:?}
allotment_delta = {:?}
per_day_rho = {:?}
per_day_delta = {:?}

[per_query]
max_epsilon = 1.0
max_delta = 1e-6
default_epsilon = 0.5
default_delta = 1e-9
max_groups_contributed = 3

[[grants]]
columns = ["age"]
roles = ["aggregate"]
"#,
        rho(allotment.rho.steps()),
        delta(allotment.delta.steps()),
        rho(per_day.rho.steps()),
        delta(per_day.delta.steps()),
    )
}

/// An order of `ana` under a contract for the request named by a number.
pub(crate) fn order(contract: &str, request: u64, cost: Cost) -> Order {
    Order {
        request: Digest::of(&request.to_be_bytes()),
        contract: id::<ContractId>(contract),
        domain: domain(),
        person: id::<PersonId>("ana"),
        cost,
        contract_digest: Digest::of(b"filled in by `charge`"),
        decision: Digest::of(b"decision"),
        decision_record: b"decision".to_vec(),
        snapshot: snapshot(1),
        joined: None,
        job: None,
        subjects: Vec::new(),
        price: 7,
        approvals: Vec::new(),
        now_unix_s: NOON,
    }
}

/// A job as [`Fixture::submit`] hands it in: its bytes hold its name.
pub(crate) fn new_job(job: &str, contract: &str) -> NewJob {
    NewJob {
        job: id(job),
        person: id("ana"),
        contract: id(contract),
        manifest: format!("name = \"{job}\"").into_bytes(),
        module: format!("\0asm {job}").into_bytes(),
        expires_unix_s: NOON + DAY,
        now_unix_s: NOON,
    }
}

/// The reason of a refusal; a failure of the ledger fails the test.
pub(crate) fn reason(result: Result<(), JobError>) -> Result<(), Reason> {
    result.map_err(|error| match error {
        JobError::Refused(refusal) => refusal.reason(),
        JobError::Ledger(error) => panic!("{error:?}"),
    })
}

/// What a plan says about its noise.
pub(crate) fn claims() -> serde_json::Value {
    serde_json::json!({"mechanism": "gaussian", "groups": 3, "families": [{"label": "count(*)", "scale": "2.5"}]})
}

/// SHA-256 of the signed text of a contract, if there is one.
pub(crate) fn terms_digest(ledger: &Ledger, contract: &ContractId) -> Option<Digest> {
    let stored = ledger.contract(contract).unwrap()?;
    let signed = SignedContract::verify(&stored.envelope, &|key_id| ledger.officer_key(key_id).unwrap()).unwrap();
    Some(signed.digest())
}

/// Charges an order, with the digest of its contract filled in.
pub(crate) fn charge(ledger: &Ledger, order: &Order) -> Result<Admission, ChargeError> {
    let contract_digest = terms_digest(ledger, &order.contract).unwrap_or(order.contract_digest);
    ledger.charge(&Order { contract_digest, ..order.clone() })
}

pub(crate) fn at(order: Order, now_unix_s: i64) -> Order {
    Order { now_unix_s, ..order }
}

pub(crate) fn charged(admission: Admission) -> Charge {
    match admission {
        Admission::Charged(charge) => charge,
        other => panic!("{other:?}"),
    }
}

/// Collects what an admission promises.
pub(crate) fn collected(ledger: &Ledger, admission: Admission) -> StoredRelease {
    let claim = match admission {
        Admission::Stored(claim) => claim,
        other => panic!("{other:?}"),
    };
    match ledger.collect(claim).unwrap() {
        Collected::Stored(release) => release,
        other => panic!("{other:?}"),
    }
}
