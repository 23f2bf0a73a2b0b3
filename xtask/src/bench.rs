//! `cargo xtask bench`: speed beside a floor that is measured in the same run.

use anyhow::Result;
use serde_json::json;

use crate::check::repository;
use crate::step::{cargo, pass_through};
use crate::workspace::Workspace;

/// Measures the sandbox, built for release. Returns whether the measurement ran to its end.
///
/// The figures are printed and judged by the program itself: a slow machine is no failure, so the bar is reported.
pub(crate) fn sandbox() -> Result<bool> {
    let root = repository()?;
    let mut build = cargo(&root);
    build.args(["build", "--locked", "--release", "-p", "glovebox-worker", "-p", "glovebox-evil"]);
    let mut pass = pass_through(&mut build)?.problems.is_empty();
    if pass {
        let folder = Workspace::load(&root)?.target_directory.join("release");
        let mut command = std::process::Command::new(folder.join("bench-sandbox"));
        pass = pass_through(command.current_dir(&root).arg(&folder))?.problems.is_empty();
    }
    if !pass {
        println!("{}", json!({ "command": "bench sandbox", "pass": false }));
    }
    Ok(pass)
}
