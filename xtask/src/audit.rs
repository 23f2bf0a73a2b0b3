//! `cargo xtask audit`: is the noise of releases what was promised, and is the sum of losses never too small?

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use serde_json::json;

use crate::check::repository;
use crate::clients::pinned;
use crate::step::{cargo, pass_through};
use crate::workspace::Workspace;

/// The folder of the program, and of what it is compared with.
const FOLDER: &str = "exactness/src/bin/audit";

/// Draws at the gate, tells neighbours apart, plants mistakes. Returns whether nothing was wrong.
pub(crate) fn noise(options: &[&str]) -> Result<bool> {
    let root = repository()?;
    let Some(program) = build(&root)? else {
        println!("{}", json!({ "command": "audit noise", "pass": false }));
        return Ok(false);
    };
    // The program ends with the line of JSON itself.
    let mut command = Command::new(program);
    Ok(pass_through(command.current_dir(&root).arg("noise").args(options))?.problems.is_empty())
}

/// Lets Google's accountant compose what ours composes. Returns whether ours was never below it.
///
/// The accountant comes from PyPI; without it there is nothing to compare with, and the command fails and says so.
pub(crate) fn accountant() -> Result<bool> {
    let root = repository()?;
    let Some(program) = build(&root)? else {
        println!("{}", json!({ "command": "audit accountant", "pass": false }));
        return Ok(false);
    };
    let target = Workspace::load(&root)?.target_directory;
    let python = pinned(&root.join(FOLDER).join("requirements.txt"), &target.join("audit-venv"))
        .context("Google's accountant cannot be had")?;
    let grid = target.join("audit-compositions.jsonl");
    let out = File::create(&grid).context("cannot make the list of compositions")?;
    let made = Command::new(program).arg("compositions").stdout(out).status().context("cannot start the program")?;
    ensure!(made.success(), "the compositions cannot be planned");
    let lines = File::open(&grid).context("cannot read the list of compositions")?;
    let mut command = Command::new(python);
    command.arg("-u").arg(root.join(FOLDER).join("pld.py")).stdin(lines);
    // The script ends with the line of JSON itself.
    Ok(pass_through(command.env("PYTHONDONTWRITEBYTECODE", "1"))?.problems.is_empty())
}

/// The program, built as the tests are; nothing if it does not build.
fn build(root: &Path) -> Result<Option<PathBuf>> {
    let built = pass_through(cargo(root).args(["build", "--locked", "--workspace", "--bin", "audit"]))?;
    let program = Workspace::load(root)?.target_directory.join("debug").join("audit");
    Ok(built.problems.is_empty().then_some(program))
}
