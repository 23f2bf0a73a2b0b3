//! `cargo xtask attack tamper`: one byte of anything that proves a release or the log is changed, and the offline commands
//! must find it.
//!
//! It starts a demo, keeps what the demo leaves behind, and lets `glovebox verify` and `glovebox audit verify` read thousands
//! of changed copies. Each must end with 1 and name the check and the file. Read [`artefact`] (what is changed), [`change`]
//! (how), [`forged`] (changes of several files), [`trial`] (how one is judged).
//!
//! It can fail: before the first trial an untouched copy must verify, and a program that finds nothing, put in the
//! verifier's place, must be told apart from one that does.

mod artefact;
mod change;
mod forged;
mod prepare;
mod trial;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use crate::check::repository;
use change::{Depth, Trial};
use trial::{Outcome, run_all};

/// The exit status of a command line that is not understood.
const BAD_USAGE: u8 = 2;

/// Misses that are spelled out; the counts have all.
const SHOWN: usize = 40;

/// A program that ends well whatever it is given: the verifier that would be worth nothing.
const FINDS_NOTHING: &str = "true";

/// Trials that the self-check runs with it.
const SELF_CHECK_TRIALS: usize = 64;

/// What was asked for.
#[derive(Debug, Default)]
struct Options {
    /// The program under attack; without it, it is built.
    binary: Option<PathBuf>,
    /// A demo's folder; without it, a demo is started.
    dir: Option<PathBuf>,
    depth: Depth,
}

/// Attacks, prints the table and the closing line. Exits with 1 on any miss.
pub(crate) fn run(words: &[&str]) -> Result<ExitCode> {
    let Some(options) = parse(words) else {
        println!("`attack tamper` takes --binary FILE, --dir DEMO_DIR and --quick");
        return Ok(ExitCode::from(BAD_USAGE));
    };
    let work = std::env::temp_dir().join(format!("glovebox-tamper-{}", std::process::id()));
    fs::create_dir_all(&work).context("cannot make a folder for the copies")?;
    let done = attack(&options, &work);
    fs::remove_dir_all(&work).context("cannot take the folder of the copies away")?;
    let summary = done.unwrap_or_else(|error| {
        println!("   FAILED {error:#}");
        json!({ "command": "attack tamper", "pass": false, "error": format!("{error:#}") })
    });
    println!("{summary}");
    Ok(if summary.get("pass") == Some(&Value::Bool(true)) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn parse(words: &[&str]) -> Option<Options> {
    match words {
        [] => Some(Options::default()),
        ["--quick", rest @ ..] => Some(Options { depth: Depth::Spread, ..parse(rest)? }),
        ["--binary", file, rest @ ..] => Some(Options { binary: Some(file.into()), ..parse(rest)? }),
        ["--dir", dir, rest @ ..] => Some(Options { dir: Some(dir.into()), ..parse(rest)? }),
        _ => None,
    }
}

fn attack(options: &Options, work: &Path) -> Result<Value> {
    let root = repository()?;
    let binary = prepare::binary(&root, options.binary.as_deref())?;
    let files = prepare::files(&root, &binary, options.dir.as_deref(), work)?;

    println!("== self-check: untouched copies verify, and a verifier that finds nothing is told apart");
    trial::untouched_stands(&binary, &files, work)?;
    let trials = change::all(&files, options.depth)?;
    let sample: Vec<Trial> = spread(&trials, SELF_CHECK_TRIALS).cloned().collect();
    let blind = run_all(Path::new(FINDS_NOTHING), &files, &sample, work)?;
    let seen = blind.iter().filter(|outcome| matches!(outcome, Outcome::Accepted)).count();
    anyhow::ensure!(
        seen == sample.len(),
        "`{FINDS_NOTHING}` in the verifier's place passed for one that finds changes"
    );

    println!("== {} trials", trials.len());
    let started = Instant::now();
    let outcomes = run_all(&binary, &files, &trials, work)?;
    let seconds = (started.elapsed().as_secs_f64() * 10.0).round() / 10.0;
    let tally = Tally::of(&trials, &outcomes);
    tally.print();
    Ok(tally.summary(seconds))
}

/// About `count` of the trials, from the first to the last.
fn spread(trials: &[Trial], count: usize) -> impl Iterator<Item = &Trial> {
    trials.iter().step_by((trials.len() / count).max(1))
}

/// What came of the trials on one artefact with one command.
#[derive(Default)]
struct Row {
    trials: usize,
    found: usize,
    same: usize,
    by: BTreeSet<String>,
}

/// What came of all of them.
#[derive(Default)]
struct Tally {
    /// By artefact and command.
    rows: BTreeMap<(String, &'static str), Row>,
    /// Their keys, in the order of the trials.
    order: Vec<(String, &'static str)>,
    missed: Vec<String>,
}

impl Tally {
    fn of(trials: &[Trial], outcomes: &[Outcome]) -> Self {
        let mut tally = Self::default();
        for (trial, outcome) in trials.iter().zip(outcomes) {
            let key = (trial.artefact.clone(), trial.command.name());
            if !tally.rows.contains_key(&key) {
                tally.order.push(key.clone());
            }
            let row = tally.rows.entry(key).or_default();
            row.trials += 1;
            match outcome {
                Outcome::Found(by) => {
                    row.found += 1;
                    row.by.insert(by.clone());
                }
                Outcome::Accepted if trial.same_meaning => row.same += 1,
                Outcome::Accepted => tally.missed.push(format!("{trial}: it was accepted")),
                Outcome::Unclear(how) => tally.missed.push(format!("{trial}: {how}")),
            }
        }
        tally
    }

    fn print(&self) {
        println!("   {:<44} {:<14} {:>6} {:>6}  found by", "changed", "command", "trials", "found");
        for key in &self.order {
            let (Some(row), (artefact, command)) = (self.rows.get(key), key) else { continue };
            let by = row.by.iter().map(String::as_str).collect::<Vec<_>>().join("; ");
            println!("   {artefact:<44} {command:<14} {:>6} {:>6}  {by}", row.trials, row.found);
            if row.same > 0 {
                println!("   {:<44} {} accepted, since nothing that is read differs", "", row.same);
            }
        }
        for miss in self.missed.iter().take(SHOWN) {
            println!("   MISSED {miss}");
        }
        if self.missed.len() > SHOWN {
            println!("   … and {} more", self.missed.len() - SHOWN);
        }
    }

    fn summary(&self, seconds: f64) -> Value {
        let sum = |of: fn(&Row) -> usize| self.rows.values().map(of).sum::<usize>();
        let (trials, found, same) = (sum(|row| row.trials), sum(|row| row.found), sum(|row| row.same));
        let pass = self.missed.is_empty() && trials > 0 && found + same == trials;
        json!({
            "command": "attack tamper", "pass": pass, "trials": trials, "found": found, "same_meaning": same,
            "missed": self.missed.len(), "artefacts": self.rows.len(), "seconds": seconds,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::artefact::Command;
    use super::change::Change;
    use super::*;

    fn trial(same_meaning: bool) -> Trial {
        Trial {
            artefact: "result".to_owned(),
            command: Command::Bare,
            files: vec!["release/result.json".to_owned()],
            blamed: Vec::new(),
            change: Change::Missing,
            found_by: &[],
            same_meaning,
        }
    }

    #[test]
    fn one_accepted_change_makes_all_of_it_red() {
        let found = Outcome::Found("result digest".to_owned());
        let good = Tally::of(&[trial(false), trial(true)], &[found, Outcome::Accepted]);
        assert_eq!(good.summary(0.0).get("pass"), Some(&json!(true)));
        for bad in [Outcome::Accepted, Outcome::Unclear("ended with 101".to_owned())] {
            assert_eq!(Tally::of(&[trial(false)], &[bad]).summary(0.0).get("pass"), Some(&json!(false)));
        }
        assert_eq!(Tally::default().summary(0.0).get("pass"), Some(&json!(false)));
    }

    #[test]
    fn options_are_read() {
        let read = parse(&["--quick", "--dir", "d", "--binary", "b"]).map(|o| (o.depth, o.dir, o.binary));
        assert_eq!(read, Some((Depth::Spread, Some("d".into()), Some("b".into()))));
        assert!(parse(&["--binary"]).is_none());
        assert!(parse(&["dance"]).is_none());
    }
}
