//! `cargo xtask browser`: Debian's Chromium at the pages of a served demo, from signing in to a released result; the
//! pictures that it takes of every page are kept in cargo's target folder.

use std::fs;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context as _, Result};

use crate::check::repository;
use crate::clients::{CLIENTS, Tally, absorb, build, environment, speak};
use crate::demo::Demo;

/// The program that drives the browser.
const SCRIPT: &str = "browser_client.py";

/// The example that is submitted, read, approved and run.
const JOB: &str = "examples/jobs/rand_hie_rising";

/// The folder of the pictures, in cargo's target folder.
const PICTURES: &str = "browser";

/// Builds the binary, serves a demo, and lets the browser look at every page.
///
/// Returns whether every check passed.
pub(crate) fn run() -> Result<bool> {
    let root = repository()?;
    let work = std::env::temp_dir().join(format!("glovebox-browser-{}", std::process::id()));
    fs::create_dir_all(&work).context("cannot make a folder for the demo")?;
    let mut tally = Tally::default();
    let done = visit(&root, &work, &mut tally);
    fs::remove_dir_all(&work).context("cannot take the demo's folder away")?;
    if let Err(error) = done {
        tally.count(&format!("{error:#}"), false);
    }
    Ok(tally.close("browser"))
}

fn visit(root: &Path, work: &Path, tally: &mut Tally) -> Result<()> {
    let started = Instant::now();
    let target = build(root)?;
    tally.time("build", started);

    let started = Instant::now();
    let python = environment(root, &target)?;
    tally.time("environment", started);

    let started = Instant::now();
    let binary = target.join("debug").join(format!("glovebox{}", std::env::consts::EXE_SUFFIX));
    let mut demo = Demo::start(root, &binary, &work.join("glovebox-demo"), &work.join("demo.log"))?;
    tally.time("demo", started);

    let started = Instant::now();
    let (job, pictures) = (root.join(JOB), target.join(PICTURES));
    let variables = [
        ("GLOVEBOX_BINARY", binary.as_path()),
        ("GLOVEBOX_JOB", job.as_path()),
        ("GLOVEBOX_PICTURES", pictures.as_path()),
    ];
    let out = speak(&python, &root.join(CLIENTS).join(SCRIPT), Some(&demo.json), work, &variables)?;
    absorb(tally, SCRIPT, &out);
    tally.time("visit", started);
    println!("   pictures of every page: {}", pictures.display());

    tally.count("the server is alive after all of this", demo.alive());
    if tally.failed > 0 {
        println!("   the server's last lines:\n{}", demo.tail());
    }
    let ended = demo.stop()?;
    tally.count("the server ends when asked", ended.is_some_and(|status| status.success()));
    Ok(())
}
