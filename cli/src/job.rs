//! `job`: write one, try it on synthetic rows, hand it in, run it, fetch its result.

mod card;
mod new;
mod offline;
mod result;
mod run;

pub(crate) use card::{card, listing};

use anyhow::Context as _;

use crate::args::Job as Action;
use crate::cards::Jobs;
use crate::failure::Failure;
use crate::output::{Page, View};
use crate::rest::Rest;

/// Carries out one action.
///
/// # Errors
/// What is refused, here or by the server, or if a file or the server cannot be had.
pub(crate) fn run(action: Action, view: &View) -> Result<(), Failure> {
    match action {
        Action::New { dir, name, dataset, contract, purpose } => {
            new::run(&dir, name, &new::Filling { dataset, contract, purpose }, view)
        }
        Action::Check(of) => offline::check(&of, view),
        Action::RunLocal { of, rows, seed, log } => offline::run_local(&of, rows, seed, log, view),
        Action::Submit { job, module, at } => {
            let manifest = std::fs::read_to_string(&job);
            let manifest = manifest.with_context(|| format!("`{}` cannot be read", job.display()))?;
            let reply = Rest::to(&at)?.submit("/jobs", &manifest, &module)?;
            Ok(view.show(&card(&reply.read()?, view), &reply.text)?)
        }
        Action::List { at } => {
            let reply = Rest::to(&at)?.get("/jobs")?;
            let list: Jobs = reply.read()?;
            Ok(view.show(&Page::of(listing(&list.jobs, view)), &reply.text)?)
        }
        Action::Status { id, at } => {
            let reply = Rest::to(&at)?.get(&format!("/jobs/{id}"))?;
            Ok(view.show(&card(&reply.read()?, view), &reply.text)?)
        }
        Action::Run { id, wait, at } => run::run(&Rest::to(&at)?, &id, wait, view),
        Action::Result { id, out, at } => result::run(&Rest::to(&at)?, &id, out.as_deref(), view),
        Action::Cancel { id, at } => {
            let reply = Rest::to(&at)?.delete(&format!("/jobs/{id}"))?;
            Ok(view.show(&card(&reply.read()?, view), &reply.text)?)
        }
    }
}
