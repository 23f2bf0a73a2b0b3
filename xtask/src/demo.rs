//! A served demo for the clients to talk to: started, awaited, stopped.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

/// How long a debug build may take to load its data, ask its question and write `demo.json`.
const READY_LIMIT: Duration = Duration::from_secs(300);

/// How long the server may take to end once it was asked to.
const STOP_LIMIT: Duration = Duration::from_secs(20);

/// How often to look again.
const POLL: Duration = Duration::from_millis(100);

/// Lines of the server's output that are shown when something went wrong.
const TAIL_LINES: usize = 40;

/// A running `glovebox demo`. Dropping it kills the process.
pub(crate) struct Demo {
    child: Child,
    log: PathBuf,
    /// Where the demo told outside clients how to reach it.
    pub json: PathBuf,
}

impl Demo {
    /// Starts the binary with its state in `dir`, and waits until `dir/demo.json` is there.
    pub(crate) fn start(root: &Path, binary: &Path, dir: &Path, log: &Path) -> Result<Self> {
        let out = File::create(log).context("cannot make a log file")?;
        let child = Command::new(binary)
            .current_dir(root)
            .arg("demo")
            .arg("--dir")
            .arg(dir)
            // A demo that cargo runs has cargo build the worker; ours has been built.
            .env_remove("CARGO_MANIFEST_DIR")
            .stdin(Stdio::null())
            .stdout(out.try_clone().context("cannot share the log file")?)
            .stderr(out)
            .spawn()
            .with_context(|| format!("cannot start {}", binary.display()))?;
        let mut demo = Self { child, log: log.to_path_buf(), json: dir.join("demo.json") };
        let started = Instant::now();
        while !demo.ready() {
            if let Some(status) = demo.child.try_wait().context("cannot ask after the demo")? {
                bail!("the demo ended with {status} before it served:\n{}", demo.tail());
            }
            if started.elapsed() > READY_LIMIT {
                bail!("the demo wrote no demo.json within {} s:\n{}", READY_LIMIT.as_secs(), demo.tail());
            }
            sleep(POLL);
        }
        Ok(demo)
    }

    /// Whether `demo.json` is whole.
    fn ready(&self) -> bool {
        let text = std::fs::read_to_string(&self.json).unwrap_or_default();
        serde_json::from_str::<serde_json::Value>(&text).is_ok_and(|demo| demo.get("flight_url").is_some())
    }

    /// Whether the server still runs.
    pub(crate) fn alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// The last lines that the server wrote.
    pub(crate) fn tail(&self) -> String {
        let text = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        let from = lines.len().saturating_sub(TAIL_LINES);
        lines.into_iter().skip(from).collect::<Vec<_>>().join("\n")
    }

    /// Asks the server to end, as Ctrl-C does, and tells how it ended; `None` when it did not and had to be killed.
    pub(crate) fn stop(mut self) -> Result<Option<ExitStatus>> {
        // The standard library can only kill; the shell's builtin can ask.
        let ask = format!("kill -INT {}", self.child.id());
        Command::new("sh").args(["-c", &ask]).status().context("cannot start sh")?;
        wait(&mut self.child, STOP_LIMIT)
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        // Already gone is what we want.
        self.child.kill().unwrap_or_default();
        self.child.wait().map(|_| ()).unwrap_or_default();
    }
}

/// Waits for a process to end by itself; `None` when it runs on after `limit`.
pub(crate) fn wait(child: &mut Child, limit: Duration) -> Result<Option<ExitStatus>> {
    let started = Instant::now();
    loop {
        if let Some(status) = child.try_wait().context("cannot ask after a process")? {
            return Ok(Some(status));
        }
        if started.elapsed() > limit {
            return Ok(None);
        }
        sleep(POLL);
    }
}
