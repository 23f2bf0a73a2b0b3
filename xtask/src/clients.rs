//! `cargo xtask clients`: database clients that we did not write, against a served demo; what it released, verified by
//! an outside implementation of DSSE and by a verifier of logs that was written apart from the Rust code; and the notebooks of
//! `examples/notebooks`, run to their end.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Map, Value, json};

use crate::check::repository;
use crate::demo::{Demo, wait};
use crate::docs::READMES;
use crate::markdown::fences;
use crate::step::{cargo, pass_through};
use crate::workspace::Workspace;

/// The folder of the client programs.
pub(crate) const CLIENTS: &str = "xtask/clients";

/// The clients, each a Python program there.
const SCRIPTS: [&str; 3] = ["adbc_client.py", "pyarrow_client.py", "dsse_client.py"];

/// The notebooks, each a Python program that ends with 0 when its numbers are near the truth.
const NOTEBOOKS: [&str; 3] = ["medical.py", "education.py", "traffic.py"];

/// The folder of the notebooks.
const NOTEBOOKS_DIR: &str = "examples/notebooks";

/// How long one client may take.
const CLIENT_LIMIT: Duration = Duration::from_secs(600);

/// What happened, for the closing lines.
#[derive(Default)]
pub(crate) struct Tally {
    pub passed: u64,
    pub failed: u64,
    seconds: Map<String, Value>,
}

impl Tally {
    pub(crate) fn time(&mut self, what: &str, since: Instant) {
        let spent_s = (since.elapsed().as_secs_f64() * 10.0).round() / 10.0;
        println!("== {what}: {spent_s:.1} s");
        self.seconds.insert(what.to_owned(), json!(spent_s));
    }

    pub(crate) fn count(&mut self, what: &str, good: bool) {
        println!("   {} {what}", if good { "ok" } else { "FAILED" });
        if good { self.passed += 1 } else { self.failed += 1 }
    }

    /// Prints the closing lines, and tells whether all was good.
    pub(crate) fn close(self, command: &str) -> bool {
        let Self { passed, failed, seconds } = self;
        let pass = failed == 0 && passed > 0;
        println!("{command}: {passed} passed, {failed} failed");
        println!(
            "{}",
            json!({ "command": command, "pass": pass, "passed": passed, "failed": failed, "steps": seconds })
        );
        pass
    }
}

/// Builds the binary, brings the pinned clients, serves a demo, lets each client talk to it, and stops it.
///
/// Returns whether every check of every client passed.
pub(crate) fn run() -> Result<bool> {
    let root = repository()?;
    let work = std::env::temp_dir().join(format!("glovebox-clients-{}", std::process::id()));
    fs::create_dir_all(&work).context("cannot make a folder for the demo")?;
    let mut tally = Tally::default();
    let done = against_demo(&root, &work, &mut tally);
    fs::remove_dir_all(&work).context("cannot take the demo's folder away")?;
    if let Err(error) = done {
        tally.count(&format!("{error:#}"), false);
    }
    Ok(tally.close("clients"))
}

fn against_demo(root: &Path, work: &Path, tally: &mut Tally) -> Result<()> {
    let started = Instant::now();
    let target = build(root)?;
    tally.time("build", started);

    let started = Instant::now();
    let python = environment(root, &target)?;
    tally.time("environment", started);

    let started = Instant::now();
    let binary = target.join("debug").join(format!("glovebox{}", std::env::consts::EXE_SUFFIX));
    // The README's example reads demo.json where `cargo run -- demo` puts it.
    let mut demo = Demo::start(root, &binary, &work.join("glovebox-demo"), &work.join("demo.log"))?;
    tally.time("demo", started);

    for script in SCRIPTS {
        let started = Instant::now();
        let path = root.join(CLIENTS).join(script);
        let out = speak(&python, &path, Some(&demo.json), work, &[])?;
        absorb(tally, script, &out);
        tally.time(script, started);
    }
    for notebook in NOTEBOOKS {
        let started = Instant::now();
        let out = speak(&python, &root.join(NOTEBOOKS_DIR).join(notebook), Some(&demo.json), work, &[])?;
        tally.count(
            &format!("{NOTEBOOKS_DIR}/{notebook} runs to its end"),
            out.ended_well && !out.text.trim().is_empty(),
        );
        tally.time(notebook, started);
    }
    let started = Instant::now();
    let example = readme_example(root, work)?;
    let out = speak(&python, &example, None, work, &[])?;
    tally.count("the README's example prints a table", out.ended_well && !out.text.trim().is_empty());
    tally.time("readme", started);

    tally.count("the server is alive after all of this", demo.alive());
    if tally.failed > 0 {
        println!("   the server's last lines:\n{}", demo.tail());
    }
    let ended = demo.stop()?;
    tally.count("the server ends when asked", ended.is_some_and(|status| status.success()));
    Ok(())
}

/// Builds the program and the worker beside it, and gives cargo's target folder.
pub(crate) fn build(root: &Path) -> Result<PathBuf> {
    let packages = ["--package", "glovebox-cli", "--package", "glovebox-worker"];
    let built = pass_through(cargo(root).args(["build", "--locked"]).args(packages))?;
    ensure!(built.problems.is_empty(), "the program or its worker does not build");
    Ok(Workspace::load(root)?.target_directory)
}

/// A virtual environment with the pinned clients; made anew when the pins change.
pub(crate) fn environment(root: &Path, target: &Path) -> Result<PathBuf> {
    pinned(&root.join(CLIENTS).join("requirements.txt"), &target.join("clients-venv"))
}

/// A virtual environment with what a file of requirements pins; made anew when the pins change.
pub(crate) fn pinned(pins: &Path, folder: &Path) -> Result<PathBuf> {
    let wanted = fs::read_to_string(pins).with_context(|| format!("cannot read {}", pins.display()))?;
    let (stamp, python) = (folder.join("installed.txt"), folder.join("bin/python"));
    if fs::read_to_string(&stamp).is_ok_and(|has| has == wanted) {
        return Ok(python);
    }
    let made = pass_through(Command::new("python3").args(["-m", "venv", "--clear"]).arg(folder))?;
    ensure!(made.problems.is_empty(), "python3 cannot make a virtual environment; Debian's package is python3-venv");
    let mut pip = Command::new(&python);
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary", ":all:", "-r"])
        .arg(pins);
    ensure!(pass_through(&mut pip)?.problems.is_empty(), "pip cannot install what {} pins", pins.display());
    fs::write(&stamp, wanted).context("cannot note what was installed")?;
    Ok(python)
}

/// What a client printed, and whether it ended with 0 in time.
pub(crate) struct Spoken {
    text: String,
    ended_well: bool,
}

/// Lets one client program speak, with these variables beside our own.
pub(crate) fn speak(
    python: &Path,
    script: &Path,
    demo: Option<&Path>,
    work: &Path,
    variables: &[(&str, &Path)],
) -> Result<Spoken> {
    let log = work.join("client.log");
    let out = fs::File::create(&log).context("cannot make a log file")?;
    let mut command = Command::new(python);
    command.arg("-u").arg(script).args(demo).current_dir(work).stdin(Stdio::null());
    command.stdout(out.try_clone().context("cannot share the log file")?).stderr(out);
    command.env("PYTHONDONTWRITEBYTECODE", "1").envs(variables.iter().copied());
    let mut child = command.spawn().context("cannot start Python")?;
    let ended = wait(&mut child, CLIENT_LIMIT)?;
    if ended.is_none() {
        child.kill().context("cannot end a client that hangs")?;
        child.wait().context("cannot await a client that was ended")?;
    }
    let text = fs::read_to_string(&log).context("cannot read what the client printed")?;
    for line in text.lines() {
        println!("   {line}");
    }
    Ok(Spoken { text, ended_well: ended.is_some_and(|status| status.success()) })
}

/// Takes over the counts of a client's closing line; a client without one has failed as a whole.
pub(crate) fn absorb(tally: &mut Tally, script: &str, out: &Spoken) {
    let last = out.text.lines().last().unwrap_or_default();
    let closing: Value = serde_json::from_str(last).unwrap_or_default();
    let count = |key: &str| closing.get(key).and_then(Value::as_u64);
    match (count("passed"), count("failed")) {
        (Some(passed), Some(failed)) if out.ended_well == (failed == 0) => {
            tally.passed += passed;
            tally.failed += failed;
        }
        _ => tally.count(&format!("{script} came to its end"), false),
    }
}

fn readme_example(root: &Path, work: &Path) -> Result<PathBuf> {
    let text = fs::read_to_string(root.join(READMES[0])).context("cannot read README.md")?;
    let blocks = fences(&text);
    let block = blocks.iter().find(|fence| fence.info == "python").context("README.md has no Python block")?;
    let path = work.join("readme_example.py");
    fs::write(&path, block.lines.join("\n")).context("cannot write the README's example")?;
    Ok(path)
}
