//! `cargo xtask guide`: does what the guides say, each in its order, against a served demo.
//!
//! The commands run in a temporary folder that looks like a checkout: all of the repository by links, the built programs
//! at `target/debug`, the demo's state at `glovebox-demo`. So what is run is what a reader pastes, character by character.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Map, Value, json};

use crate::check::repository;
use crate::clients::build;
use crate::demo::{Demo, wait};
use crate::guest::DISTURBING;
use crate::guest_toolchain::{Found, Toolchain, find};
use crate::guide_script::{GUIDES, Guide, Script, Way, different_blocks, script};

/// The exit status of a command line that is not understood.
const BAD_USAGE: u8 = 2;

/// The exit status that says that no module could be built, which is neither good nor bad.
const SKIPPED: u8 = 3;

/// How long all commands together may take.
const LIMIT: Duration = Duration::from_secs(1200);

/// Variables that a reader need not have: where cargo builds, and another server than the demo.
const OTHERS: [&str; 4] = ["CARGO_TARGET_DIR", "GLOVEBOX_URL", "GLOVEBOX_CA", "GLOVEBOX_TOKEN"];

/// What was measured, for the closing line.
#[derive(Debug, Default)]
struct Times(Map<String, Value>);

impl Times {
    fn note(&mut self, what: &str, since: Instant) {
        let spent_s = (since.elapsed().as_secs_f64() * 10.0).round() / 10.0;
        println!("== {what}: {spent_s:.1} s");
        self.0.insert(what.to_owned(), json!(spent_s));
    }
}

/// Compares the languages, builds the product unless a binary is given, serves a demo and runs every command.
///
/// # Errors
/// When the repository or a toolchain that is there cannot be used.
pub(crate) fn run(words: &[&str]) -> Result<ExitCode> {
    let binary = match words {
        [] => None,
        ["--binary", path] => Some(fs::canonicalize(path).with_context(|| format!("no `{path}`"))?),
        _ => {
            println!("`guide` takes --binary PATH, a built `glovebox` with `glovebox-worker` beside it");
            return Ok(ExitCode::from(BAD_USAGE));
        }
    };
    let root = repository()?;
    let texts = GUIDES.map(|guide| guide.map(|page| fs::read_to_string(root.join(page)).context(page)));
    let mut times = Times::default();
    let started = Instant::now();
    let toolchain = match find(&root, None)? {
        Found::Ready(toolchain) => toolchain,
        Found::Unavailable(why) => {
            println!("skipped: the guide was not run. {why}");
            println!("{}", json!({ "command": "guide", "pass": null, "skipped": why }));
            return Ok(ExitCode::from(SKIPPED));
        }
    };
    times.note("toolchain", started);
    let started = Instant::now();
    let binary = match binary {
        Some(binary) => binary,
        None => build(&root)?.join("debug/glovebox"),
    };
    times.note("build", started);
    let (mut blocks, mut commands, mut problems) = (0, 0, Vec::new());
    for (guide, text) in GUIDES.into_iter().zip(texts) {
        let [english, chinese] = text;
        let (english, chinese) = (english?, chinese?);
        let differences = different_blocks(guide, &english, &chinese);
        let done = if differences.is_empty() {
            in_folder(&root, &binary, guide, &english, &toolchain, &mut times)
        } else {
            Err(anyhow::anyhow!("{}", differences.join("\n")))
        };
        match done {
            Ok(script) => (blocks, commands) = (blocks + script.blocks, commands + script.product_commands),
            Err(error) => {
                println!("   error: {error:#}");
                problems.push(format!("{error:#}"));
            }
        }
    }
    let problem = (!problems.is_empty()).then(|| problems.join("\n"));
    let line = json!({
        "command": "guide", "pass": problem.is_none(), "problem": problem, "blocks": blocks,
        "product_commands": commands, "toolchain": toolchain.record.lines().next(), "seconds": times.0,
    });
    println!("{line}");
    Ok(if problem.is_none() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn in_folder(
    root: &Path,
    binary: &Path,
    guide: Guide,
    text: &str,
    toolchain: &Toolchain,
    times: &mut Times,
) -> Result<Script> {
    let work = std::env::temp_dir().join(format!("glovebox-guide-{}", std::process::id()));
    fs::create_dir_all(&work).context("cannot make a folder for the guide")?;
    let done = against_demo(root, &work, binary, (guide, text), toolchain, times);
    fs::remove_dir_all(&work).context("cannot take the guide's folder away")?;
    done
}

fn against_demo(
    root: &Path,
    work: &Path,
    binary: &Path,
    ([page, _], text): (Guide, &str),
    toolchain: &Toolchain,
    times: &mut Times,
) -> Result<Script> {
    let way = if toolchain.rustc.is_some() { Way::Debian } else { Way::Rustup };
    let progress = work.join("progress");
    let script = script(page, text, way, &progress.to_string_lossy())?;
    let checkout = checkout(root, work, binary)?;
    let started = Instant::now();
    let mut demo = Demo::start(&checkout, binary, &checkout.join("glovebox-demo"), &work.join("demo.log"))?;
    times.note(&format!("{page}: demo"), started);
    let started = Instant::now();
    let done = carry_out(&script, work, &checkout);
    times.note(&format!("{page}: commands"), started);
    if let Err(error) = done {
        let last = fs::read_to_string(&progress).unwrap_or_default().lines().last().unwrap_or("?").to_owned();
        println!("   the server's last lines:\n{}", demo.tail());
        return Err(error.context(format!("{page}:{last}")));
    }
    ensure!(demo.alive(), "the server ended before the guide did:\n{}", demo.tail());
    ensure!(demo.stop()?.is_some_and(|status| status.success()), "the server does not end well");
    Ok(script)
}

/// A folder that looks like a checkout in which the demo was built.
fn checkout(root: &Path, work: &Path, binary: &Path) -> Result<PathBuf> {
    let folder = work.join("glovebox");
    fs::create_dir_all(folder.join("target")).context("cannot make a checkout")?;
    for entry in fs::read_dir(root).context("cannot list the repository")? {
        let entry = entry?;
        let name = entry.file_name();
        if !["target", "glovebox-demo", ".git"].iter().any(|left_out| name == *left_out) {
            symlink(entry.path(), folder.join(&name)).context("cannot link to the repository")?;
        }
    }
    let programs = binary.parent().context("the binary lies in no folder")?;
    symlink(programs, folder.join("target/debug")).context("cannot link to the programs")?;
    Ok(folder)
}

fn carry_out(script: &Script, work: &Path, checkout: &Path) -> Result<()> {
    let path = work.join("guide.sh");
    fs::write(&path, &script.text).context("cannot write the script")?;
    let mut bash = Command::new("bash");
    bash.arg(&path).current_dir(checkout).stdin(Stdio::null());
    for name in DISTURBING.iter().chain(&OTHERS) {
        bash.env_remove(name);
    }
    let mut child = bash.spawn().context("cannot start bash")?;
    match wait(&mut child, LIMIT)? {
        Some(status) if status.success() => Ok(()),
        Some(status) => bail!("a command of this block failed; bash ended with {status}"),
        None => {
            child.kill().context("cannot end a script that hangs")?;
            child.wait().context("cannot await a script that was ended")?;
            bail!("the commands take longer than {} s", LIMIT.as_secs())
        }
    }
}
