//! `job result`: the released table, and the files that prove it.

use std::path::Path;

use anyhow::Context as _;
use glovebox_policy::{ContractId, JobId};
use serde_json::Value;

use crate::cards::{Answer, Job};
use crate::failure::Failure;
use crate::output::View;
use crate::rest::Rest;
use crate::{release_files, sql};

/// Prints the table; with a folder, writes the files that `glovebox verify` takes.
///
/// # Errors
/// What the server refuses, or if a file is there already.
pub(crate) fn run(rest: &Rest, id: &JobId, out: Option<&Path>, view: &View) -> Result<(), Failure> {
    let reply = rest.get(&format!("/jobs/{id}/result"))?;
    let answer: Answer = reply.read()?;
    let mut page = sql::page(&answer, view);
    let mut json: Value = reply.read()?;
    if let Some(dir) = out {
        let job: Job = rest.get(&format!("/jobs/{id}"))?.read()?;
        let contract: ContractId = job.contract.parse().context("the server's answer names no contract")?;
        let files = release_files::write(rest, &answer, &contract, dir)?;
        page = release_files::told(page, dir, view);
        if let Some(fields) = json.as_object_mut() {
            fields.insert("files".to_owned(), serde_json::json!(files));
        }
    }
    Ok(view.show(&page, &json.to_string())?)
}
