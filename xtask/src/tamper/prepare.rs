//! What the attack needs first: the program and what a demo leaves behind.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use super::artefact::{Files, PARTS, SQL};
use crate::clients::build;
use crate::demo::Demo;
use crate::step::pass_through;

/// Fetches what proves the SQL question's release; the demo keeps files of its job only.
const FETCH: &str = "xtask/clients/releases.py";

/// The program that was named, or else the one that is built now, with the worker that it starts.
pub(super) fn binary(root: &Path, named: Option<&Path>) -> Result<PathBuf> {
    if let Some(named) = named {
        // A name without a folder is looked up by the operating system, as `true` is.
        let in_a_folder = named.parent().is_some_and(|folder| folder != Path::new(""));
        return if in_a_folder { named.canonicalize().context("there is no such program") } else { Ok(named.into()) };
    }
    let target = build(root)?;
    Ok(target.join("debug").join(format!("glovebox{}", std::env::consts::EXE_SUFFIX)))
}

/// The untouched files, of the demo in `dir` or of one that is started and stopped here.
pub(super) fn files(root: &Path, binary: &Path, dir: Option<&Path>, work: &Path) -> Result<Files> {
    let Some(dir) = dir else {
        println!("== demo: a release of a job, one of a SQL question, and the log");
        let dir = work.join("demo");
        let demo = Demo::start(root, binary, &dir, &work.join("demo.log"))?;
        let fetched = with_sql(root, &dir, work);
        let ended = demo.stop()?;
        ensure!(ended.is_some_and(|status| status.success()), "the demo did not end when asked");
        return fetched;
    };
    with_sql(root, dir, work)
}

/// The demo's files, and beside them the SQL release: from the folder `sql` of the demo, or else from its server.
fn with_sql(root: &Path, dir: &Path, work: &Path) -> Result<Files> {
    let kept = dir.join(SQL);
    if PARTS.iter().all(|part| kept.join(part).is_file()) {
        return Files::read(dir, &kept);
    }
    let fetched = work.join(SQL);
    let mut fetch = Command::new("python3");
    fetch.arg(root.join(FETCH)).arg(dir.join("demo.json")).arg(&fetched).env("PYTHONDONTWRITEBYTECODE", "1");
    let done = pass_through(&mut fetch).context("python3 fetches the SQL release")?;
    ensure!(done.problems.is_empty(), "the demo's server does not give the SQL release; does it still serve?");
    Files::read(dir, &fetched)
}
