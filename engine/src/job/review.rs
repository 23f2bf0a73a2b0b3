//! The officer's page and verdicts: everything about a submitted job before it runs. Costs nothing and touches no row.

use std::collections::BTreeSet;
use std::sync::PoisonError;

use glovebox_ledger::{JobError, JobState as Stage, JobSummary, NewCancellation, NewVerdict, StoredJob};
use glovebox_policy::decide::Matter;
use glovebox_policy::{
    Caller, Decision, Digest, JobId, JobManifest, Permit, Reason, Refusal, Role, SignedContract, SignedVerdict,
    Subjects,
};
use glovebox_sandbox::{Module, WorkerConfig, Workers};

use crate::engine::{Engine, Shared, internal, now_unix_s, officer, sees_all};
use crate::freeze::not_frozen;
use crate::job::card::{JobCard, JobFacts, JobState, Review, instant};
use crate::job::page::{PageOf, Previous, page};
use crate::job::plan::{BoundJob, JobPlan, noise_of, window_of};
use crate::pipeline::signed_contract;

pub(super) const DAY_S: i64 = 86_400;

/// A stored job, fitted again to its dataset and contract.
pub(super) struct Opened {
    pub(super) stored: StoredJob,
    pub(super) text: String,
    pub(super) bound: BoundJob,
    pub(super) contract: SignedContract,
}

impl Opened {
    /// What a verdict must be about.
    pub(super) fn subjects(&self) -> Subjects {
        let summary = &self.stored.summary;
        Subjects { manifest: summary.manifest, module: summary.module, contract: self.contract.digest() }
    }
}

pub(crate) fn refused(error: JobError) -> Refusal {
    match error {
        JobError::Refused(refusal) => refusal,
        JobError::Ledger(error) => internal("jobs", &error),
    }
}

impl Shared {
    /// Opens a job that the caller may see; what is stored is parsed, checked and fitted anew.
    pub(super) fn open_job(&self, caller: &Caller, id: &JobId) -> Result<Opened, Refusal> {
        self.reopened(self.stored_job(caller, id)?)
    }

    /// A job that the caller may see, as it is stored.
    fn stored_job(&self, caller: &Caller, id: &JobId) -> Result<StoredJob, Refusal> {
        let stored = self.ledger.job(id).map_err(|error| internal("jobs", &error))?;
        let seen = stored.filter(|stored| sees_all(caller) || stored.summary.org == caller.org);
        seen.ok_or_else(|| Refusal::about(Reason::NotFound, id.as_str()))
    }

    fn reopened(&self, stored: StoredJob) -> Result<Opened, Refusal> {
        let text = String::from_utf8(stored.manifest.clone()).map_err(|_| Reason::JobManifestInvalid)?;
        let (bound, contract) = self.fitted(&text, &stored.module)?;
        Ok(Opened { stored, text, bound, contract })
    }

    /// Fits texts to the dataset and the contract that they name.
    pub(super) fn fitted(&self, text: &str, module: &[u8]) -> Result<(BoundJob, SignedContract), Refusal> {
        let named = glovebox_policy::JobManifest::parse(text)?;
        let dataset = self.catalog.get(&named.dataset);
        let dataset = dataset.ok_or_else(|| Refusal::about(Reason::TableUnknown, &named.dataset.to_string()))?;
        let unknown = || Refusal::about(Reason::ContractUnknown, named.contract.as_str());
        let contract = self.ledger.contract(&named.contract).map_err(|error| internal("contract", &error))?;
        let contract = signed_contract(self, &contract.ok_or_else(unknown)?)?;
        if contract.contract().dataset != named.dataset {
            return Err(unknown());
        }
        Ok((BoundJob { plan: JobPlan::new(text, module, dataset.manifest())?, dataset }, contract))
    }

    /// Decides on a job with so many approvals.
    pub(super) fn decide_job(
        &self,
        caller: &Caller,
        bound: &BoundJob,
        contract: &SignedContract,
        approvals: u32,
    ) -> Result<Permit, Refusal> {
        let (plan, dataset) = (&bound.plan, bound.dataset.manifest().name());
        not_frozen(self, [dataset], &contract.contract().id, &caller.person)?;
        self.policies.decide(&Matter {
            request: bound.request(),
            caller,
            purpose: Some(&plan.manifest.purpose),
            contract,
            dataset,
            joined: &BTreeSet::new(),
            frozen: false,
            uses: &plan.uses,
            epsilon: plan.ask.epsilon,
            delta: plan.ask.delta,
            max_groups: plan.manifest.output.max_keys,
            approvals,
            now_unix_s: now_unix_s(),
        })
    }

    /// How many stored approvals stand: each is verified again, against the very bytes that are stored now. None does until
    /// all officers have decided, so that nothing that is refused meanwhile tells what the first of them said.
    pub(super) fn approvals(&self, opened: &Opened) -> Result<u32, Refusal> {
        let summary = &opened.stored.summary;
        if !summary.is_decided() {
            return Ok(0);
        }
        let officer_of = |keyid: &str| self.ledger.officer_key(keyid).ok().flatten();
        let mut standing = 0;
        for verdict in &summary.verdicts {
            let signed = SignedVerdict::verify(&verdict.envelope, &officer_of)?;
            signed.is_about(&summary.job, &opened.subjects())?;
            standing += u32::from(signed.verdict().decision == Decision::Approve);
        }
        Ok(standing)
    }

    /// Where a job stands, and until when it runs.
    pub(super) fn job_state(&self, summary: &JobSummary) -> Result<(JobState, Option<i64>), Refusal> {
        if let Some(until) = self.runs.until(&summary.job) {
            return Ok((JobState::Running, Some(until)));
        }
        let ran = match summary.runs.last() {
            None => None,
            Some(run) => {
                let settled = self.ledger.settled(run.request).map_err(|error| internal("jobs", &error))?;
                Some(match settled {
                    Some(glovebox_ledger::Settled::Released) => JobState::Released,
                    Some(glovebox_ledger::Settled::Lost) => JobState::Lost,
                    None => JobState::Interrupted,
                })
            }
        };
        let before = match summary.state {
            Stage::Waiting => JobState::Submitted,
            Stage::Approved => JobState::Approved,
            Stage::Rejected => JobState::Rejected,
            Stage::Cancelled => JobState::Cancelled,
            Stage::Expired => JobState::Expired,
        };
        Ok((ran.unwrap_or(before), None))
    }

    pub(super) fn card(&self, summary: &JobSummary) -> Result<JobCard, Refusal> {
        let (state, until) = self.job_state(summary)?;
        let mut card = JobCard::new(summary, state, &self.facts(&summary.job)?);
        card.result_at = until.map(instant);
        Ok(card)
    }

    /// What is shown of a job's manifest; worked out once, without its module, so that a list costs little.
    fn facts(&self, id: &JobId) -> Result<JobFacts, Refusal> {
        let known = || self.facts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(facts) = known().get(id) {
            return Ok(facts.clone());
        }
        let text = self.ledger.job_manifest(id).map_err(|error| internal("jobs", &error))?;
        let manifest = JobManifest::parse(&String::from_utf8_lossy(&text.unwrap_or_default()))?;
        let dataset = self.catalog.get(&manifest.dataset);
        let dataset = dataset.ok_or_else(|| Refusal::about(Reason::TableUnknown, &manifest.dataset.to_string()))?;
        let (noise, _) = noise_of(&manifest, dataset.manifest())?;
        let window = window_of(&manifest, &noise, &self.config, dataset.manifest()).ok();
        let takes_ms = window.map_or(0, |window| u64::try_from(window.leaves().as_millis()).unwrap_or(u64::MAX));
        let facts = JobFacts { name: manifest.name.to_string(), cost: noise.cost(), takes_ms };
        known().insert(id.clone(), facts.clone());
        Ok(facts)
    }

    /// The summary of a job that the caller may see.
    pub(super) fn seen(&self, caller: &Caller, id: &JobId) -> Result<JobSummary, Refusal> {
        let found = self.ledger.job_summary(id).map_err(|error| internal("jobs", &error))?;
        let seen = found.filter(|job| sees_all(caller) || job.org == caller.org);
        seen.ok_or_else(|| Refusal::about(Reason::NotFound, id.as_str()))
    }

    /// The page, with the module that it compares with.
    fn page(&self, opened: &Opened) -> Result<(String, Option<Digest>), Refusal> {
        let summary = &opened.stored.summary;
        let dataset = opened.bound.dataset.manifest();
        let previous = self.previous(opened)?;
        let facts = match &previous {
            Some(before) => {
                Some(Module::check(&before.module).map_err(|error| internal("an approved module", &error))?)
            }
            None => None,
        };
        let texts = previous.as_ref().map(|before| String::from_utf8_lossy(&before.manifest).into_owned());
        let compared = match (&previous, &facts, &texts) {
            (Some(before), Some(module), Some(text)) => Some(Previous {
                job: before.summary.job.as_str(),
                manifest_text: text,
                facts: module.facts(),
                module: before.summary.module,
            }),
            _ => None,
        };
        let written = page(&PageOf {
            job: summary.job.as_str(),
            submitted_by: &format!("{} ({})", summary.person, summary.org),
            submitted: &instant(summary.submitted_unix_s),
            expires: &instant(summary.expires_unix_s),
            manifest_text: &opened.text,
            plan: &opened.bound.plan,
            dataset,
            contract: opened.contract.contract(),
            contract_digest: opened.contract.digest(),
            window: opened.bound.plan.window(&self.config, dataset)?,
            tick_ms: self.config.release.tick_ms,
            previous: compared,
        });
        Ok((written, previous.map(|before| before.summary.module)))
    }

    /// The job of the same name and firm that was approved last before this one was submitted.
    fn previous(&self, opened: &Opened) -> Result<Option<StoredJob>, Refusal> {
        let failed = |error| internal("jobs", &error);
        let (own, name) = (&opened.stored.summary, &opened.bound.plan.manifest.name);
        let mut earlier = self.ledger.jobs().map_err(failed)?;
        earlier.retain(|job| job.is_approved() && job.org == own.org && job.leaf_index < own.leaf_index);
        let last = |job: &JobSummary| job.verdicts.iter().map(|verdict| verdict.leaf_index).max();
        earlier.sort_by_key(|job| std::cmp::Reverse(last(job)));
        for job in earlier {
            if self.facts(&job.job).is_ok_and(|facts| facts.name == name.as_str()) {
                return self.ledger.job(&job.job).map_err(failed);
            }
        }
        Ok(None)
    }
}

impl Engine {
    /// The jobs that a caller may see, newest first: a firm its own, officers and auditors all.
    ///
    /// # Errors
    /// [`Reason::Internal`].
    pub fn jobs(&self, caller: &Caller) -> Result<Vec<JobCard>, Refusal> {
        let shared = &self.shared;
        let mut all = shared.ledger.jobs().map_err(|error| internal("jobs", &error))?;
        all.retain(|job| sees_all(caller) || job.org == caller.org);
        all.sort_by_key(|job| std::cmp::Reverse(job.leaf_index));
        all.iter().map(|job| shared.card(job)).collect()
    }

    /// One job.
    ///
    /// # Errors
    /// [`Reason::NotFound`] when there is none that the caller may see.
    pub fn job(&self, caller: &Caller, id: &JobId) -> Result<JobCard, Refusal> {
        self.shared.card(&self.shared.seen(caller, id)?)
    }

    /// What an officer reads and signs; auditors and the firm itself may read it too.
    ///
    /// # Errors
    /// [`Reason::NotFound`].
    pub fn review(&self, caller: &Caller, id: &JobId) -> Result<Review, Refusal> {
        let shared = &self.shared;
        let opened = shared.open_job(caller, id)?;
        let (page, previous_module) = shared.page(&opened)?;
        let manifest = &opened.bound.plan.manifest;
        let contract = opened.contract.contract();
        let latest = now_unix_s() + i64::from(shared.config.sandbox.review_days) * DAY_S;
        Ok(Review {
            job: id.clone(),
            page,
            epsilon_nano: manifest.epsilon.nano(),
            executions: manifest.executions,
            execute_by_unix_s: latest.min(contract.ends.timestamp()),
            manifest: opened.text,
            module: opened.stored.module,
            contract: String::from_utf8_lossy(opened.contract.envelope()).into_owned(),
            contract_digest: opened.contract.digest(),
            previous_module,
        })
    }

    /// The code of a job that the caller may review: its very bytes. Nothing else is read or worked out for it.
    ///
    /// # Errors
    /// [`Reason::NotFound`].
    pub fn job_module(&self, caller: &Caller, id: &JobId) -> Result<Vec<u8>, Refusal> {
        Ok(self.shared.stored_job(caller, id)?.module)
    }

    /// Takes an officer's verdict, signed where the officer's key is.
    ///
    /// # Errors
    /// [`Reason::OwnRequest`], [`Reason::JobClosed`], [`Reason::SignatureInvalid`], or [`Reason::ApprovalInvalid`] naming
    /// what of the statement is not about this job, its page and its limits.
    pub fn decide_job(&self, caller: &Caller, id: &JobId, envelope: &[u8]) -> Result<JobCard, Refusal> {
        officer(caller)?;
        let shared = &self.shared;
        let opened = shared.open_job(caller, id)?;
        if opened.stored.summary.org == caller.org {
            return Err(Refusal::about(Reason::OwnRequest, id.as_str()));
        }
        let signed = SignedVerdict::verify(envelope, &|keyid| shared.ledger.officer_key(keyid).ok().flatten())?;
        signed.is_about(id, &opened.subjects())?;
        let verdict = signed.verdict();
        let (page, previous) = shared.page(&opened)?;
        let manifest = &opened.bound.plan.manifest;
        let latest = now_unix_s() + i64::from(shared.config.sandbox.review_days) * DAY_S;
        let checks = [
            (verdict.approver == caller.person, "approver"),
            (verdict.page == Digest::of(page.as_bytes()), "statementSeen"),
            (verdict.previous_module == previous, "codeDiffFrom"),
            (verdict.max_epsilon >= manifest.epsilon, "maxEpsNano"),
            (verdict.max_executions <= manifest.executions, "maxExecutions"),
            (verdict.execute_by.timestamp() <= latest, "executeBy"),
        ];
        if let Some((_, what)) = checks.into_iter().find(|(holds, _)| !holds) {
            return Err(Refusal::about(Reason::ApprovalInvalid, what));
        }
        shared.ledger.add_verdict(&NewVerdict { signed: &signed, now_unix_s: now_unix_s() }).map_err(refused)?;
        self.job(caller, id)
    }

    /// Calls a job back that was not decided on yet.
    ///
    /// # Errors
    /// [`Reason::NotFound`], [`Reason::JobClosed`].
    pub fn cancel_job(&self, caller: &Caller, id: &JobId) -> Result<JobCard, Refusal> {
        if caller.role != Role::Analyst {
            return Err(Reason::RoleForbidden.into());
        }
        let new = NewCancellation { job: id.clone(), person: caller.person.clone(), now_unix_s: now_unix_s() };
        self.shared.ledger.cancel_job(&new).map_err(refused)?;
        self.job(caller, id)
    }
}

impl Shared {
    /// Workers for one job.
    pub(super) fn workers(&self, workers: usize, fuel: u64) -> Workers {
        Workers::new(WorkerConfig {
            executable: self.config.sandbox.executable(),
            workers,
            batch_units: self.config.sandbox.batch_units,
            unit_time: self.config.sandbox.unit_time(fuel),
        })
    }
}
