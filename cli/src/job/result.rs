//! `job result`: the released table, and the files that prove it.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use glovebox_policy::{Digest, JobId};
use serde_json::Value;

use crate::cards::{Answer, Job};
use crate::failure::Failure;
use crate::output::{Page, View};
use crate::rest::Rest;
use crate::{private_file, sql};

/// What is fetched of a release, and the files that it goes into.
const PARTS: [(&str, &str); 4] = [
    ("result", "result.json"),
    ("certificate", "result.dsse.json"),
    ("entry", "result.entry.json"),
    ("proof", "result.tlog-proof"),
];

/// The service's verifier key, as this server tells it.
const KEY: &str = "log.vkey";

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
        let request = answer.release.as_ref().and_then(|release| release.request.parse::<Digest>().ok());
        let request = request.ok_or_else(|| anyhow!("the server's answer names no request"))?;
        let job: Job = rest.get(&format!("/jobs/{id}"))?.read()?;
        let files = write(rest, &request, &job.contract, dir)?;
        page = told(page, dir, view);
        if let Some(fields) = json.as_object_mut() {
            fields.insert("files".to_owned(), serde_json::json!(files));
        }
    }
    Ok(view.show(&page, &json.to_string())?)
}

/// All is fetched before the first file is made.
fn write(rest: &Rest, request: &Digest, contract: &str, dir: &Path) -> Result<Vec<PathBuf>, Failure> {
    let contract: glovebox_policy::ContractId = contract.parse().context("the server's answer names no contract")?;
    let part = |(part, name): (&str, &'static str)| {
        Ok((name, rest.get_bytes(&format!("/releases/{request}/{part}?contract={contract}"))?))
    };
    let mut files = PARTS.into_iter().map(part).collect::<Result<Vec<_>, Failure>>()?;
    files.push((KEY, rest.get_bytes("/log/key")?));
    std::fs::create_dir_all(dir).with_context(|| format!("`{}` cannot be made", dir.display()))?;
    let place = |(name, bytes): (&str, Vec<u8>)| {
        let path = dir.join(name);
        private_file::write_new_public(&path, &bytes)?;
        Ok(path)
    };
    files.into_iter().map(place).collect()
}

fn told(page: Page, dir: &Path, view: &View) -> Page {
    let (result, key) = (dir.join("result.json"), dir.join(KEY));
    page.remark(format!("{} {}", view.words("files     ", "文件      "), dir.display()))
        .remark(format!(
            "{}: glovebox verify {} --key {}",
            view.words("Next", "下一步"),
            result.display(),
            key.display()
        ))
        .remark(view.words(
            "The key came from the server itself; compare it with the one that the bureau published.",
            "该公钥来自服务器本身；请与数据局另行公布的公钥核对。",
        ))
}
