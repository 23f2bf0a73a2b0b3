//! `cargo xtask guests`: rebuilds every guest and compares it with what is committed; and the step `guests` of `check`, which
//! needs no compiler for WebAssembly.

use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Instant;

use anyhow::{Context as _, Result};
use serde_json::{Map, Value, json};

use crate::check::repository;
use crate::guest::{Guest, JOBS, TEMPLATE, copied_examples, examples, filled_template, sha256};
use crate::guest_toolchain::{Found, Toolchain, find};
use crate::step::{Report, cargo, pass_through};
use crate::workspace::Workspace;

/// What the committed modules were built with.
const RECORD: &str = "examples/jobs/toolchain.txt";

/// The exit status of a command line that is not understood.
const BAD_USAGE: u8 = 2;

/// The exit status that says that nothing could be compared, which is neither good nor bad.
const SKIPPED: u8 = 3;

/// What was asked for.
#[derive(Debug, Default)]
struct Options {
    write: bool,
    toolchain: Option<String>,
}

/// Rebuilds and compares, or with `--write` replaces what is committed.
pub(crate) fn run(words: &[&str]) -> Result<ExitCode> {
    let Some(options) = parse(words) else {
        println!("`guests` takes --write and --toolchain rustup|debian");
        return Ok(ExitCode::from(BAD_USAGE));
    };
    let root = repository()?;
    let started = Instant::now();
    let toolchain = match find(&root, options.toolchain.as_deref())? {
        Found::Ready(toolchain) => toolchain,
        Found::Unavailable(why) => {
            println!("skipped: no guest was rebuilt. {why}");
            println!("{}", json!({ "command": "guests", "pass": null, "skipped": why }));
            return Ok(ExitCode::from(SKIPPED));
        }
    };
    let toolchain_s = seconds(started);
    let mut tally = Tally { strict: options.write || is_recorded(&root, &toolchain), ..Tally::default() };
    tally.announce(&toolchain);
    rebuild(&root, &toolchain, options.write, &mut tally)?;
    if options.write && tally.failed.is_empty() {
        fs::write(root.join(RECORD), &toolchain.record).context("cannot write the record of the toolchain")?;
    }
    let pass = tally.failed.is_empty();
    let compared = if tally.strict { "bytes" } else { "structure" };
    let line = json!({
        "command": "guests", "pass": pass, "failed": tally.failed, "compared": compared, "wrote": options.write && pass,
        "toolchain": first_lines(&toolchain.record), "guests": tally.guests,
        "toolchain_s": toolchain_s, "seconds": seconds(started),
    });
    println!("{line}");
    Ok(if pass { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn parse(words: &[&str]) -> Option<Options> {
    match words {
        [] => Some(Options::default()),
        ["--write", rest @ ..] => Some(Options { write: true, ..parse(rest)? }),
        ["--toolchain", name @ ("rustup" | "debian"), rest @ ..] => {
            Some(Options { toolchain: Some((*name).to_owned()), ..parse(rest)? })
        }
        _ => None,
    }
}

/// What has been found so far.
#[derive(Debug, Default)]
struct Tally {
    /// Whether bytes are compared.
    strict: bool,
    failed: Vec<String>,
    guests: Map<String, Value>,
}

impl Tally {
    fn announce(&self, toolchain: &Toolchain) {
        println!("== toolchain: {}", first_lines(&toolchain.record));
        if !self.strict {
            println!("   it is not the one of {RECORD}, so bytes may differ: only the interface is compared");
        }
    }

    fn problem(&mut self, guest: &Guest, what: &str) {
        println!("   error: {}: {what}", guest.name);
        if !self.failed.contains(&guest.name) {
            self.failed.push(guest.name.clone());
        }
    }
}

/// Builds each guest at its place and once more in a copy elsewhere: both must give the same bytes.
fn rebuild(root: &Path, toolchain: &Toolchain, write: bool, tally: &mut Tally) -> Result<()> {
    let scratch = Workspace::load(root)?.target_directory.join("guests");
    let elsewhere = scratch.join("elsewhere");
    let mut here = examples(root)?;
    let mut there = copied_examples(root, &elsewhere)?;
    here.push(filled_template(root, &scratch.join("template"))?);
    there.push(filled_template(root, &elsewhere)?);
    for (guest, copy) in here.iter().zip(&there) {
        let source = if guest.committed { root } else { guest.folder.as_path() };
        let copied_source = if guest.committed { elsewhere.as_path() } else { copy.folder.as_path() };
        let built = guest
            .build(toolchain, source, &scratch.join("build"))
            .and_then(|module| Ok((module, copy.build(toolchain, copied_source, &scratch.join("build-elsewhere"))?)));
        match built {
            Ok((module, again)) => compare(guest, &module, &again, write, tally)?,
            Err(error) => tally.problem(guest, &format!("{error:#}")),
        }
    }
    Ok(())
}

fn compare(guest: &Guest, module: &[u8], again: &[u8], write: bool, tally: &mut Tally) -> Result<()> {
    let digest = sha256(module);
    println!("   {}: {} bytes, sha256 {digest}", guest.name, module.len());
    if module != again {
        tally.problem(guest, "the same sources in another folder give other bytes");
    }
    let facts = guest.judge(module)?;
    facts.problems.iter().for_each(|what| tally.problem(guest, what));
    let mut same = None;
    if guest.committed {
        if write {
            guest.replace(module)?;
        }
        same = Some(fs::read(guest.module()).is_ok_and(|committed| committed == module));
        if tally.strict && same != Some(true) {
            tally.problem(guest, "the committed module is not what its sources give; cargo xtask guests --write");
        }
    }
    let memory_bytes = facts.memory_bytes;
    let entry = json!({ "bytes": module.len(), "memory_bytes": memory_bytes, "same_bytes": same, "sha256": digest });
    tally.guests.insert(guest.name.clone(), entry);
    Ok(())
}

fn is_recorded(root: &Path, toolchain: &Toolchain) -> bool {
    fs::read_to_string(root.join(RECORD)).is_ok_and(|record| record == toolchain.record)
}

/// The first two lines of a record: where the toolchain is from, and the compiler's version.
fn first_lines(record: &str) -> String {
    let lines = record.lines().take(2).map(|line| line.strip_prefix("toolchain: ").unwrap_or(line));
    lines.collect::<Vec<_>>().join(", ")
}

fn seconds(since: Instant) -> f64 {
    (since.elapsed().as_secs_f64() * 10.0).round() / 10.0
}

/// The step `guests`: sources of guests are formatted, without lints, and tested on this machine; committed modules keep the
/// interface and are the ones that their manifests name.
pub(crate) fn step(root: &Path) -> Result<Report> {
    let scratch = Workspace::load(root)?.target_directory.join("guests");
    let mut report = Report::default();
    let mut guests = examples(root)?;
    for guest in &guests {
        report.join(pass_through(cargo(&guest.folder).args(["fmt", "--check"]))?);
        report.problems.extend(committed(guest)?);
    }
    let template = root.join(TEMPLATE).join("src/lib.rs");
    let mut rustfmt = Command::new("rustfmt");
    report.join(pass_through(rustfmt.current_dir(root).args(["--check", "--edition", "2024"]).arg(template))?);
    guests.push(filled_template(root, &scratch.join("template"))?);
    for guest in &guests {
        println!("   {}", guest.name);
        let lock = if guest.committed { &["--locked"][..] } else { &[] };
        for words in [&["clippy", "--quiet", "--all-targets"][..], &["test", "--quiet"][..]] {
            let mut command = cargo(&guest.folder);
            command.args(words).args(lock).env("CARGO_TARGET_DIR", scratch.join("native"));
            if words.contains(&"clippy") {
                command.args(["--", "-D", "warnings"]);
            }
            report.join(pass_through(&mut command)?);
        }
    }
    report.notes.push(format!("{} guests", guests.len()));
    Ok(report)
}

fn committed(guest: &Guest) -> Result<Vec<String>> {
    let place = format!("{JOBS}/{}", guest.name);
    let Ok(module) = fs::read(guest.module()) else {
        return Ok(vec![format!("{place}: no module is committed; cargo xtask guests --write")]);
    };
    let mut problems = guest.judge(&module)?.problems;
    if guest.named_sha256()? != sha256(&module) {
        problems.push("job.toml names another module.sha256 than the committed module has".to_owned());
    }
    Ok(problems.into_iter().map(|problem| format!("{place}: {problem}")).collect())
}
