//! `cargo xtask check`: the list of steps, cheap ones first.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use crate::step::{Report, Step, cargo, pass_through, run_all};
use crate::{docs, expose, graph, guests, licences, lock, rules};

/// Every step of `check`, in the order in which they run.
const STEPS: &[Step] = &[
    Step { name: "fmt", about: "rustfmt would change nothing", run: fmt },
    Step { name: "graph", about: "the crate graph is the one that ARCHITECTURE.md prints", run: graph::step },
    Step { name: "lock", about: "no banned crate, and randomness from the operating system", run: lock::step },
    Step { name: "rules", about: "sizes, module docs, lints, open ends, paths of a machine", run: rules::step },
    Step {
        name: "expose",
        about: "protected data opens only in the files that ARCHITECTURE.md lists",
        run: expose::step,
    },
    Step { name: "licences", about: "every dependency's licence is on the list of deny.toml", run: licences::step },
    Step { name: "deny", about: "cargo-deny, where it is installed", run: deny },
    Step { name: "docs", about: "READMEs, decisions, links and named paths are in order", run: docs::step },
    Step {
        name: "guests",
        about: "guests are in order and their modules are those of their manifests",
        run: guests::step,
    },
    Step { name: "clippy", about: "no lint, in any target", run: clippy },
    Step { name: "test", about: "unit, integration and must-not-compile tests", run: test },
    Step { name: "doctest", about: "the examples in the documentation", run: doctest },
    Step { name: "doc", about: "the documentation builds without a warning", run: doc },
    Step { name: "commands", about: "every command that a README names exists", run: docs::commands },
];

/// Prints the names of the steps.
pub(crate) fn list() -> Result<bool> {
    for step in STEPS {
        println!("{:<10} {}", step.name, step.about);
    }
    Ok(true)
}

/// Runs all steps, or those named (with commas between them). Returns whether all passed.
pub(crate) fn run(only: Option<&str>) -> Result<bool> {
    let steps: Vec<&Step> = match only {
        None => STEPS.iter().collect(),
        Some(names) => names.split(',').map(find).collect::<Result<_>>()?,
    };
    run_all("check", &repository()?, &steps)
}

fn find(name: &str) -> Result<&'static Step> {
    match STEPS.iter().find(|step| step.name == name) {
        Some(step) => Ok(step),
        None => bail!("there is no step `{name}`; `cargo xtask check --list` names them"),
    }
}

/// The top of the repository: the nearest folder upwards that holds `Cargo.lock`.
pub(crate) fn repository() -> Result<PathBuf> {
    let here = std::env::current_dir().context("cannot read the current folder")?;
    let top = here.ancestors().find(|folder| folder.join("Cargo.lock").is_file());
    top.map(Path::to_path_buf).context("run this inside the repository: no Cargo.lock here or above")
}

fn fmt(root: &Path) -> Result<Report> {
    pass_through(cargo(root).args(["fmt", "--all", "--check"]))
}

fn clippy(root: &Path) -> Result<Report> {
    pass_through(cargo(root).args(["clippy", "--locked", "--workspace", "--all-targets", "--", "-D", "warnings"]))
}

fn test(root: &Path) -> Result<Report> {
    pass_through(cargo(root).args(["test", "--locked", "--workspace", "--all-targets", "--no-fail-fast"]))
}

fn doctest(root: &Path) -> Result<Report> {
    pass_through(cargo(root).args(["test", "--locked", "--workspace", "--doc", "--no-fail-fast"]))
}

fn doc(root: &Path) -> Result<Report> {
    let mut command = cargo(root);
    pass_through(command.args(["doc", "--locked", "--workspace", "--no-deps"]).env("RUSTDOCFLAGS", "-D warnings"))
}

fn deny(root: &Path) -> Result<Report> {
    let quietly = |words: &[&str]| cargo(root).args(words).output().is_ok_and(|out| out.status.success());
    if !quietly(&["deny", "--version"]) {
        return Ok(Report::skipped("cargo-deny is not installed, so advisories were not looked up"));
    }
    let mut report =
        pass_through(cargo(root).args(["deny", "--all-features", "check", "bans", "licenses", "sources"]))?;
    if quietly(&["deny", "fetch", "db"]) {
        report.join(pass_through(cargo(root).args(["deny", "--all-features", "check", "advisories"]))?);
    } else {
        report.warnings.push("the advisory database cannot be fetched here; advisories were not looked up".to_owned());
    }
    Ok(report)
}
