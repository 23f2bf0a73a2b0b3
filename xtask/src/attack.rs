//! `cargo xtask attack`: hostile suites against what we ship, or against a copy with a bug planted.

use std::path::Path;

use anyhow::{Result, bail};
use serde_json::json;

use crate::check::repository;
use crate::step::{cargo, pass_through};
use crate::workspace::Workspace;

/// The workers with a bug planted. Each is a program of the crate `sandbox/evil`; none is in the product.
const PLANTS: &[&str] = &["reuse-instance", "skip-default"];

/// Runs every hostile guest through the sandbox and compares with the record. Returns whether nothing differed.
///
/// With a planted bug the suite must fail, so that the command returns `false` where the bug was caught; a test of the
/// suite asserts that each of them is.
pub(crate) fn guests(plant: Option<&str>) -> Result<bool> {
    if let Some(name) = plant.filter(|name| !PLANTS.contains(name)) {
        bail!("no bug `{name}` can be planted; there are {}", PLANTS.join(" and "));
    }
    let root = repository()?;
    if !build(&root)? {
        println!("{}", json!({ "command": "attack guests", "plant": plant, "pass": false }));
        return Ok(false);
    }
    // The suite ends with the line of JSON itself.
    run(&root, plant)
}

/// The suite takes its worker as an executable, so the worker that ships is built beside it. For release: some attacks
/// keep the compiler busy for minutes otherwise.
fn build(root: &Path) -> Result<bool> {
    let mut command = cargo(root);
    command.args(["build", "--locked", "--release", "-p", "glovebox-worker", "-p", "glovebox-evil"]);
    Ok(pass_through(&mut command)?.problems.is_empty())
}

fn run(root: &Path, plant: Option<&str>) -> Result<bool> {
    let folder = Workspace::load(root)?.target_directory.join("release");
    let worker = plant.map_or_else(|| "glovebox-worker".to_owned(), |name| format!("planted-{name}"));
    let mut command = std::process::Command::new(folder.join("attack-guests"));
    command.current_dir(root).arg(folder.join(worker));
    Ok(pass_through(&mut command)?.problems.is_empty())
}

/// What can be planted in a bureau under attack: what an officer could declare wrongly, and faults of a server. The suite knows
/// them, too.
const SQL_PLANTS: &[&str] = &["identifier-undeclared", "keys-from-rows", "end-server", "canary"];

/// Lets the suite of hostile SQL attack `glovebox serve`. Returns whether nothing was wrong.
///
/// With a planted mistake the suite must say so, and the command returns `false` where it did. Without one, each of them is
/// planted before the attack, so that a suite that finds nothing never passes.
pub(crate) fn sql(plant: Option<&str>) -> Result<bool> {
    if let Some(name) = plant.filter(|name| !SQL_PLANTS.contains(name)) {
        bail!("no mistake `{name}` can be planted; there are {}", SQL_PLANTS.join(", "));
    }
    let root = repository()?;
    let packages = ["-p", "glovebox-cli", "-p", "glovebox-worker", "-p", "glovebox-siege"];
    if !pass_through(cargo(&root).args(["build", "--locked"]).args(packages))?.problems.is_empty() {
        println!("{}", json!({ "command": "attack sql", "plant": plant, "pass": false }));
        return Ok(false);
    }
    // The suite ends with the line of JSON itself.
    let folder = Workspace::load(&root)?.target_directory.join("debug");
    let mut command = std::process::Command::new(folder.join("attack-sql"));
    command.current_dir(&root).arg(folder.join("glovebox")).args(plant);
    Ok(pass_through(&mut command)?.problems.is_empty())
}
