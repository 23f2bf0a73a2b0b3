//! The files that prove a release, as `glovebox verify` takes them.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use glovebox_policy::{ContractId, Digest};

use crate::cards::Answer;
use crate::failure::Failure;
use crate::output::{Page, View};
use crate::private_file;
use crate::rest::Rest;

/// What is fetched of a release, and the files that it goes into.
const PARTS: [(&str, &str); 4] = [
    ("result", "result.json"),
    ("certificate", "result.dsse.json"),
    ("entry", "result.entry.json"),
    ("proof", "result.tlog-proof"),
];

/// The service's verifier key, as this server tells it.
const KEY: &str = "log.vkey";

/// Fetches the files of an answer that a contract paid for, and writes them into a folder.
///
/// # Errors
/// What the server refuses, or if a file is there already.
pub(crate) fn write(rest: &Rest, answer: &Answer, contract: &ContractId, dir: &Path) -> Result<Vec<PathBuf>, Failure> {
    let request = answer.release.as_ref().and_then(|release| release.request.parse::<Digest>().ok());
    let request =
        request.ok_or_else(|| anyhow!("the server's answer names no request: a preview has no certificate"))?;
    let part = |(part, name): (&str, &'static str)| {
        Ok((name, rest.get_bytes(&format!("/releases/{request}/{part}?contract={contract}"))?))
    };
    // All is fetched before the first file is made.
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

/// Tells what to do with the files.
pub(crate) fn told(page: Page, dir: &Path, view: &View) -> Page {
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
