//! `cargo xtask bench`: speed beside a floor that is measured in the same run.

use anyhow::Result;
use serde_json::json;

use crate::check::repository;
use crate::clients::pinned;
use crate::step::{cargo, pass_through};
use crate::workspace::Workspace;

/// Measures the sandbox, built for release. Returns whether the measurement ran to its end.
///
/// The figures are printed and judged by the program itself: a slow machine is no failure, so the bar is reported.
pub(crate) fn sandbox() -> Result<bool> {
    let root = repository()?;
    let mut build = cargo(&root);
    build.args(["build", "--locked", "--release", "-p", "glovebox-worker", "-p", "glovebox-evil"]);
    if !pass_through(&mut build)?.problems.is_empty() {
        println!("{}", json!({ "command": "bench sandbox", "pass": false }));
        return Ok(false);
    }
    // The program ends with the line of JSON itself.
    let folder = Workspace::load(&root)?.target_directory.join("release");
    let mut command = std::process::Command::new(folder.join("bench-sandbox"));
    Ok(pass_through(command.current_dir(&root).arg(&folder))?.problems.is_empty())
}

/// Measures DP SQL beside DataFusion and DuckDB without privacy, built for release. Returns whether every bar was reached.
///
/// The engines come from PyPI; where they cannot be had, the program says so, and what is measured against them is missed.
pub(crate) fn sql(options: &[&str]) -> Result<bool> {
    let root = repository()?;
    let mut build = cargo(&root);
    build.args(["build", "--locked", "--release", "-p", "glovebox-exactness"]);
    if !pass_through(&mut build)?.problems.is_empty() {
        println!("{}", json!({ "command": "bench sql", "pass": false }));
        return Ok(false);
    }
    let target = Workspace::load(&root)?.target_directory;
    let python = pinned(&root.join("exactness/src/bin/bench-sql/requirements.txt"), &target.join("bench-venv"));
    // The program ends with the line of JSON itself.
    let mut command = std::process::Command::new(target.join("release").join("bench-sql"));
    command.current_dir(&root).args(options);
    match python {
        Ok(python) => {
            command.arg("--python").arg(python);
        }
        Err(error) => println!("   the engines to compare with cannot be had: {error:#}"),
    }
    Ok(pass_through(&mut command)?.problems.is_empty())
}
