//! Where a Rust compiler for wasm32-unknown-unknown comes from: rustup's target, else Debian packages.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};

/// The target of a guest.
pub(crate) const TARGET: &str = "wasm32-unknown-unknown";

/// The script that makes a toolchain from Debian packages.
const SCRIPT: &str = "guest-sdk/toolchain.sh";

/// What the script exits with when a toolchain cannot be had.
const UNAVAILABLE: i32 = 3;

/// A compiler for guests.
#[derive(Debug)]
pub(crate) struct Toolchain {
    /// The compiler; `None` for the one that cargo takes by itself.
    pub rustc: Option<PathBuf>,
    /// What makes the bytes of a guest what they are: kept beside committed guests, and compared.
    pub record: String,
}

/// What the search for a toolchain found.
#[derive(Debug)]
pub(crate) enum Found {
    /// One to build with.
    Ready(Toolchain),
    /// None, and why.
    Unavailable(String),
}

/// Finds the toolchain called `wanted`, or rustup's when its target is installed, else Debian's.
pub(crate) fn find(root: &Path, wanted: Option<&str>) -> Result<Found> {
    match wanted {
        Some("debian") => debian(root),
        Some("rustup") => match rustup(root)? {
            Some(toolchain) => Ok(Found::Ready(toolchain)),
            None => Ok(Found::Unavailable(format!("rustup has no {TARGET} here: rustup target add {TARGET}"))),
        },
        Some(other) => bail!("there is no toolchain `{other}`; there are rustup and debian"),
        None => match rustup(root)? {
            Some(toolchain) => Ok(Found::Ready(toolchain)),
            None => debian(root),
        },
    }
}

fn rustup(root: &Path) -> Result<Option<Toolchain>> {
    let library =
        output(Command::new("rustc").current_dir(root).args(["--print", "target-libdir", "--target", TARGET]));
    let has_core = |folder: &Path| {
        let files = std::fs::read_dir(folder).into_iter().flatten().flatten();
        files.map(|file| file.file_name()).any(|name| name.to_string_lossy().starts_with("libcore-"))
    };
    if !library.is_ok_and(|path| has_core(Path::new(path.trim()))) {
        return Ok(None);
    }
    let version = output(Command::new("rustc").current_dir(root).arg("-vV"))?;
    Ok(Some(Toolchain { rustc: None, record: format!("toolchain: rustup\n{version}") }))
}

fn debian(root: &Path) -> Result<Found> {
    let Some(folder) = cache() else {
        return Ok(Found::Unavailable("neither XDG_CACHE_HOME nor HOME says where to keep it".to_owned()));
    };
    println!("   $ {SCRIPT} {}", folder.display());
    let out =
        Command::new(root.join(SCRIPT)).arg(&folder).output().with_context(|| format!("cannot start {SCRIPT}"))?;
    let said = String::from_utf8_lossy(&out.stderr);
    match out.status.code() {
        Some(0) => {
            let path = folder.join("toolchain.txt");
            let record = std::fs::read_to_string(&path).with_context(|| format!("no {}", path.display()))?;
            Ok(Found::Ready(Toolchain { rustc: Some(folder.join("bin/rustc")), record }))
        }
        Some(UNAVAILABLE) => Ok(Found::Unavailable(said.trim().to_owned())),
        _ => bail!("{SCRIPT} ended with {}:\n{}", out.status, said.trim()),
    }
}

/// Outside the repository, so that another clone or the next run of CI finds it again.
fn cache() -> Option<PathBuf> {
    let given = std::env::var_os("XDG_CACHE_HOME").filter(|path| !path.is_empty()).map(PathBuf::from);
    let base = given.or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache")))?;
    Some(base.join("glovebox/guest-toolchain"))
}

fn output(command: &mut Command) -> Result<String> {
    let out = command.output().context("cannot start rustc")?;
    ensure!(out.status.success(), "rustc failed: {}", String::from_utf8_lossy(&out.stderr).trim());
    String::from_utf8(out.stdout).context("rustc printed something that is not UTF-8")
}
