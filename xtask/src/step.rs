//! A step: a name, a function, a report; and the runner that times a list of them.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context as _, Result};
use serde_json::json;

/// What a step found.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Report {
    /// What must be put right; empty means that the step passed.
    pub problems: Vec<String>,
    /// What should be put right.
    pub warnings: Vec<String>,
    /// What a reader may want to know: counts, or why the step was skipped.
    pub notes: Vec<String>,
}

impl Report {
    /// A report of problems only.
    pub(crate) fn of(problems: Vec<String>) -> Self {
        Self { problems, ..Self::default() }
    }

    /// A report that says only why nothing was checked.
    pub(crate) fn skipped(why: &str) -> Self {
        Self { notes: vec![format!("skipped: {why}")], ..Self::default() }
    }

    /// Joins what another part of the same step found.
    pub(crate) fn join(&mut self, other: Self) {
        self.problems.extend(other.problems);
        self.warnings.extend(other.warnings);
        self.notes.extend(other.notes);
    }
}

/// One named check.
pub(crate) struct Step {
    /// The name that `--only` and the closing line use.
    pub name: &'static str,
    /// What it checks, in a few words.
    pub about: &'static str,
    /// Does the work on the repository at this path.
    pub run: fn(&Path) -> Result<Report>,
}

/// Runs the steps in order, every one even when an earlier one failed, and prints the closing line of JSON.
///
/// Returns whether all of them passed.
pub(crate) fn run_all(command: &str, root: &Path, steps: &[&Step]) -> Result<bool> {
    let mut seconds = serde_json::Map::new();
    let mut failed = Vec::new();
    for step in steps {
        println!("== {}: {}", step.name, step.about);
        let started = Instant::now();
        let report = (step.run)(root).unwrap_or_else(|error| Report::of(vec![format!("{error:#}")]));
        let spent_s = (started.elapsed().as_secs_f64() * 10.0).round() / 10.0;
        print_report(&report);
        let verdict = if report.problems.is_empty() { "passed" } else { "FAILED" };
        println!("== {}: {verdict} in {spent_s:.1} s\n", step.name);
        if !report.problems.is_empty() {
            failed.push(step.name);
        }
        seconds.insert(step.name.to_owned(), json!(spent_s));
    }
    let pass = failed.is_empty();
    println!("{}", json!({ "command": command, "pass": pass, "failed": failed, "steps": seconds }));
    Ok(pass)
}

fn print_report(report: &Report) {
    for note in &report.notes {
        println!("   {note}");
    }
    for warning in &report.warnings {
        println!("   warning: {warning}");
    }
    for problem in &report.problems {
        println!("   error: {problem}");
    }
}

/// The cargo that runs us.
pub(crate) fn cargo(root: &Path) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root);
    command
}

/// Runs a command whose output goes straight to the reader; a problem if it fails.
pub(crate) fn pass_through(command: &mut Command) -> Result<Report> {
    let line = written(command);
    println!("   $ {line}");
    let status = command.status().with_context(|| format!("cannot start `{line}`"))?;
    Ok(Report::of(if status.success() { Vec::new() } else { vec![format!("`{line}` ended with {status}")] }))
}

/// The command as one would type it.
fn written(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let name = program.file_name().unwrap_or(program.as_os_str()).to_string_lossy().into_owned();
    let words = command.get_args().map(|word| word.to_string_lossy().into_owned());
    std::iter::once(name).chain(words).collect::<Vec<_>>().join(" ")
}
