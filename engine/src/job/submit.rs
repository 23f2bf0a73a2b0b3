//! Submission: everything about a job that can be checked without a row and without an officer.

use std::sync::Arc;

use glovebox_ledger::{NewJob, WAITING_JOBS_MAX};
use glovebox_policy::{Caller, JobId, Reason, Refusal, Role};
use glovebox_sandbox::try_compile;

use crate::config::COMPILE_TIME;
use crate::engine::{Engine, Shared, internal, now_unix_s};
use crate::job::card::JobCard;
use crate::job::plan::BoundJob;
use crate::job::review::{DAY_S, refused};

impl Engine {
    /// Takes a job for review: everything is checked that can be checked without a row, the module compiles in a sealed
    /// worker, and the policy would permit the job if it were approved.
    ///
    /// # Errors
    /// Why the job could not be run as it is.
    pub async fn submit_job(&self, caller: &Caller, manifest: String, module: Vec<u8>) -> Result<JobCard, Refusal> {
        if caller.role != Role::Analyst {
            return Err(Reason::RoleForbidden.into());
        }
        let (shared, who) = (Arc::clone(&self.shared), caller.clone());
        let work = tokio::task::spawn_blocking(move || submittable(&shared, &who, manifest, module)).await;
        let (bound, manifest, module) = work.map_err(|error| internal("a submission", &error))??;
        // One at a time: compiling is the only work that a submission makes.
        let turn = Arc::clone(&self.shared.compiling).acquire_owned().await.map_err(|_| Reason::Busy)?;
        // Half of what a run reserves; a module that needs longer might be charged and lost.
        let workers = self.shared.workers(1, bound.plan.manifest.fuel);
        let compiled = try_compile(&bound.plan.module, &workers, COMPILE_TIME).await;
        drop(turn);
        compiled.map_err(|fault| match fault {
            glovebox_sandbox::ModuleFault::Worker => internal("a worker", &fault),
            fault => Refusal::about(Reason::ModuleInvalid, &fault.to_string()),
        })?;
        let (shared, caller) = (Arc::clone(&self.shared), caller.clone());
        let stored = tokio::task::spawn_blocking(move || {
            let job = JobId::random().map_err(|error| internal("randomness", &error))?;
            let now_unix_s = now_unix_s();
            let new = NewJob {
                job: job.clone(),
                person: caller.person.clone(),
                contract: bound.plan.manifest.contract.clone(),
                manifest: manifest.into_bytes(),
                module,
                expires_unix_s: now_unix_s + i64::from(shared.config.sandbox.review_days) * DAY_S,
                now_unix_s,
            };
            shared.ledger.submit_job(&new).map_err(refused)?;
            shared.card(&shared.seen(&caller, &job)?)
        });
        stored.await.map_err(|error| internal("a submission", &error))?
    }
}

/// Checks a submission. The policy is asked as if one officer had approved.
fn submittable(
    shared: &Shared,
    caller: &Caller,
    manifest: String,
    module: Vec<u8>,
) -> Result<(BoundJob, String, Vec<u8>), Refusal> {
    let (bound, contract) = shared.fitted(&manifest, &module)?;
    if contract.contract().org != caller.org {
        return Err(Refusal::about(Reason::ContractUnknown, bound.plan.manifest.contract.as_str()));
    }
    // Asked before the module is compiled, and again when the job is written down.
    if shared.ledger.waiting_jobs(&caller.org).map_err(|error| internal("jobs", &error))? >= WAITING_JOBS_MAX {
        return Err(Refusal::about(Reason::JobsWaiting, caller.org.as_str()));
    }
    bound.plan.window(&shared.config, bound.dataset.manifest())?;
    let _permit = shared.decide_job(caller, &bound, &contract, 1)?;
    Ok((bound, manifest, module))
}
