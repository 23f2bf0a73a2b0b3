//! One trial: a folder of copies with the change in it, the command, and what its answer is worth.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use super::artefact::{Command, Files};
use super::change::Trial;

/// The exit status of a check that failed.
const FAILED: i32 = 1;

/// How many trials go by between two signs of life.
const TOLD_EVERY: usize = 4_000;

/// What came of a trial.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The command ended with 1, and named check and file: the check.
    Found(String),
    /// The command ended with 0.
    Accepted,
    /// The command ended in another way, or did not say what it must: how.
    Unclear(String),
}

/// Fails unless every command accepts the untouched files, and says so.
pub(super) fn untouched_stands(binary: &Path, files: &Files, work: &Path) -> Result<()> {
    let copies = Copies::new(work.join("untouched"), files)?;
    for command in [Command::Full, Command::Bare, Command::Sql, Command::Log] {
        let out = copies.ask(binary, command)?;
        let said: Value = serde_json::from_slice(&out.stdout).unwrap_or_default();
        let stands = match command {
            Command::Log => said.get("root").is_some_and(Value::is_string),
            _ => said.get("verified") == Some(&Value::Bool(true)),
        };
        ensure!(
            out.status.success() && stands,
            "untouched files are not verified by `{}`, which ended with {}: {}",
            command.arguments().join(" "),
            out.status,
            String::from_utf8_lossy(&out.stderr).trim()
        );
    }
    Ok(())
}

/// Runs all trials on as many threads as there are cores, each with its own copies. The outcomes are in the trials' order.
pub(super) fn run_all(binary: &Path, files: &Files, trials: &[Trial], work: &Path) -> Result<Vec<Outcome>> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let next = AtomicUsize::new(0);
    let one = |core: usize| -> Result<Vec<(usize, Outcome)>> {
        let copies = Copies::new(work.join(format!("copies-{core}")), files)?;
        let mut done = Vec::new();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some(trial) = trials.get(number) else { return Ok(done) };
            if number > 0 && number.is_multiple_of(TOLD_EVERY) {
                println!("   {number} …");
            }
            copies.change(trial)?;
            let outcome = judge(trial, &copies.ask(binary, trial.command)?);
            copies.restore(trial)?;
            done.push((number, outcome));
        }
    };
    let mut outcomes = std::thread::scope(|scope| {
        let one = &one;
        let threads: Vec<_> = (0..cores).map(|core| scope.spawn(move || one(core))).collect();
        let joined = threads.into_iter().map(|thread| match thread.join() {
            Ok(done) => done,
            Err(_) => Err(anyhow::anyhow!("a thread of trials ended early")),
        });
        joined.collect::<Result<Vec<_>>>()
    })?
    .concat();
    outcomes.sort_by_key(|(number, _)| *number);
    ensure!(outcomes.len() == trials.len(), "not every trial was run");
    Ok(outcomes.into_iter().map(|(_, outcome)| outcome).collect())
}

/// What the command's answer is worth.
fn judge(trial: &Trial, out: &Output) -> Outcome {
    match out.status.code() {
        Some(0) => Outcome::Accepted,
        Some(FAILED) => {
            let said = String::from_utf8_lossy(&out.stderr);
            let shown = || said.trim().chars().take(300).collect::<String>();
            if String::from_utf8_lossy(&out.stdout).contains("\"verified\":true") {
                return Outcome::Unclear("it ended with 1 and yet said that all is verified".to_owned());
            }
            if !trial.blamed.iter().any(|file| is_named(file, trial.command, &said)) {
                return Outcome::Unclear(format!("none of the files {:?} is named: {}", trial.blamed, shown()));
            }
            match found_by(trial.command, &said) {
                Some(check) if trial.found_by.is_empty() || trial.found_by.contains(&check.as_str()) => {
                    Outcome::Found(check)
                }
                _ => Outcome::Unclear(format!("none of the checks {:?} is named: {}", trial.found_by, shown())),
            }
        }
        _ => Outcome::Unclear(format!("it ended with {}", out.status)),
    }
}

/// Whether the text names a file; `audit verify` names those of a log by their path within it.
fn is_named(file: &str, command: Command, said: &str) -> bool {
    let shown = match command {
        Command::Log => file.strip_prefix("log/").unwrap_or(file),
        _ => file,
    };
    said.contains(&format!("`{shown}`"))
}

/// The check, from `error: CHECK: …` of `verify`; of `audit verify` the reason, without what is quoted in it.
fn found_by(command: Command, said: &str) -> Option<String> {
    let line = said.lines().find_map(|line| line.strip_prefix("error: "))?;
    let (before, after) = line.split_once('`')?;
    let (file, reason) = after.split_once('`')?;
    if file.is_empty() {
        return None;
    }
    let check = match command {
        Command::Log => unquoted(reason.trim_start_matches(": ")),
        _ => before.strip_suffix(": ")?.to_owned(),
    };
    (!check.is_empty()).then_some(check)
}

/// A text with what is between backticks left out, so that like reasons are one.
fn unquoted(text: &str) -> String {
    text.split('`').enumerate().map(|(place, part)| if place % 2 == 0 { part } else { "…" }).collect()
}

/// A folder with a copy of every file.
struct Copies<'a> {
    dir: PathBuf,
    files: &'a Files,
}

impl<'a> Copies<'a> {
    fn new(dir: PathBuf, files: &'a Files) -> Result<Self> {
        let copies = Self { dir, files };
        for (file, bytes) in &files.0 {
            copies.write(file, bytes)?;
        }
        Ok(copies)
    }

    fn write(&self, file: &str, bytes: &[u8]) -> Result<()> {
        let path = self.dir.join(file);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).context("cannot make a folder of copies")?;
        }
        fs::write(&path, bytes).context("cannot write a copy")
    }

    fn change(&self, trial: &Trial) -> Result<()> {
        for (file, bytes) in trial.files.iter().zip(trial.changed(self.files)?) {
            match bytes {
                Some(bytes) => self.write(file, &bytes)?,
                None => fs::remove_file(self.dir.join(file)).context("cannot take a copy away")?,
            }
        }
        Ok(())
    }

    fn restore(&self, trial: &Trial) -> Result<()> {
        trial.files.iter().try_for_each(|file| self.write(file, self.files.bytes(file)?))
    }

    fn ask(&self, binary: &Path, command: Command) -> Result<Output> {
        let mut asked = std::process::Command::new(binary);
        asked.args(command.arguments()).current_dir(&self.dir).stdin(std::process::Stdio::null());
        asked.output().with_context(|| format!("cannot start {}", binary.display()))
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt as _;
    use std::process::ExitStatus;

    use super::super::change::Change;
    use super::*;

    fn judged(command: Command, file: &str, code: i32, stdout: &str, stderr: &str) -> Outcome {
        let trial = Trial {
            artefact: "module".to_owned(),
            command,
            files: vec![file.to_owned()],
            blamed: vec![file.to_owned()],
            change: Change::Missing,
            found_by: if command == Command::Log { &[] } else { &["module"] },
            same_meaning: false,
        };
        let status = ExitStatus::from_raw(code << 8);
        judge(&trial, &Output { status, stdout: stdout.into(), stderr: stderr.into() })
    }

    #[test]
    fn only_a_failure_that_names_check_and_file_is_one() {
        let said = "error: module: `release/job.wasm`: the bytes are others\n";
        let full = |code, stdout, stderr| judged(Command::Full, "release/job.wasm", code, stdout, stderr);
        assert_eq!(full(1, "", said), Outcome::Found("module".to_owned()));
        assert_eq!(full(0, "", ""), Outcome::Accepted);
        let unclear = [
            full(101, "", said),
            full(2, "", said),
            full(1, "{\"verified\":true}", said),
            full(1, "", "error: manifest: `release/job.wasm`: the bytes are others\n"),
            full(1, "", "error: module: `release/job.toml`: the bytes are others\n"),
            full(1, "", "error: `release/job.wasm` is no module\n"),
            full(1, "", ""),
        ];
        assert!(unclear.iter().all(|outcome| matches!(outcome, Outcome::Unclear(_))), "{unclear:?}");
    }

    #[test]
    fn a_log_is_named_by_its_file_and_a_reason() {
        let said = "error: log: `tile/entries/000.p/2`: entry `1` is not the one whose hash `tile/0/000.p/2` holds\n";
        let found = judged(Command::Log, "log/tile/0/000.p/2", 1, "", said);
        assert_eq!(found, Outcome::Found("entry … is not the one whose hash … holds".to_owned()));
        assert!(matches!(judged(Command::Log, "log/checkpoint", 1, "", said), Outcome::Unclear(_)));
    }
}
