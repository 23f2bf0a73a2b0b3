//! The guests of the repository: where each is, how it is built, and what its manifest says about its module.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use ring::digest;

use crate::guest_module::{self, Facts};
use crate::guest_toolchain::{TARGET, Toolchain};
use crate::step::{cargo, pass_through};

/// The folder of the example jobs, each a crate of its own.
pub(crate) const JOBS: &str = "examples/jobs";

/// The crate that guests are written with.
const SDK: &str = "guest-sdk";

/// The project that `glovebox job new` copies.
pub(crate) const TEMPLATE: &str = "guest-sdk/template";

/// The name of the project that the template is filled in as.
const FILLED: &str = "filled_template";

/// Environment variables that would change what cargo builds.
pub(crate) const DISTURBING: [&str; 8] = [
    "RUSTFLAGS",
    "CARGO_ENCODED_RUSTFLAGS",
    "CARGO_BUILD_RUSTFLAGS",
    "CARGO_BUILD_TARGET",
    "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS",
    "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER",
    "RUSTC_WRAPPER",
    "RUSTC_WORKSPACE_WRAPPER",
];

/// One guest.
#[derive(Debug, Clone)]
pub(crate) struct Guest {
    /// The name of its crate and of its module's file.
    pub name: String,
    /// The folder of its `Cargo.toml`.
    pub folder: PathBuf,
    /// Whether its module is committed beside it.
    pub committed: bool,
}

/// The example jobs under this folder, in the order of their names.
pub(crate) fn examples(root: &Path) -> Result<Vec<Guest>> {
    let folder = root.join(JOBS);
    let mut guests = Vec::new();
    for entry in fs::read_dir(&folder).with_context(|| format!("no folder {JOBS}"))? {
        let folder = entry?.path();
        if folder.join("Cargo.toml").is_file() {
            let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
            guests.push(Guest { name, folder, committed: true });
        }
    }
    guests.sort_by(|one, other| one.name.cmp(&other.name));
    ensure!(!guests.is_empty(), "no guest under {JOBS}");
    Ok(guests)
}

/// Fills the template in, as `glovebox job new` does, in a new folder under `into`.
pub(crate) fn filled_template(root: &Path, into: &Path) -> Result<Guest> {
    let folder = into.join(FILLED);
    empty(&folder)?;
    copy(&root.join(TEMPLATE), &folder)?;
    copy(&root.join(SDK).join("src"), &folder.join("glovebox-guest-sdk/src"))?;
    fs::copy(root.join(SDK).join("Cargo.toml"), folder.join("glovebox-guest-sdk/Cargo.toml"))?;
    let words = [
        ("{{crate}}", FILLED),
        ("{{sdk}}", "glovebox-guest-sdk"),
        ("{{name}}", "filled-template"),
        ("{{dataset}}", "medical.rand_hie"),
        ("{{contract}}", "rand-2026"),
        ("{{purpose}}", "model-evaluation"),
    ];
    for file in ["Cargo.toml", "job.toml", "src/lib.rs"] {
        let path = folder.join(file);
        let text = fs::read_to_string(&path).with_context(|| format!("the template has no {file}"))?;
        let text = words.iter().fold(text, |text, (word, value)| text.replace(word, value));
        ensure!(!text.contains("{{") || file.ends_with(".rs"), "{TEMPLATE}/{file} has a placeholder that nobody knows");
        fs::write(&path, text)?;
    }
    Ok(Guest { name: FILLED.to_owned(), folder, committed: false })
}

/// A copy of the SDK and of all example jobs under `into`, at the same places as in the repository.
pub(crate) fn copied_examples(root: &Path, into: &Path) -> Result<Vec<Guest>> {
    empty(into)?;
    copy(&root.join(SDK).join("src"), &into.join(SDK).join("src"))?;
    fs::copy(root.join(SDK).join("Cargo.toml"), into.join(SDK).join("Cargo.toml"))?;
    for guest in examples(root)? {
        copy(&guest.folder, &into.join(JOBS).join(&guest.name))?;
    }
    examples(into)
}

impl Guest {
    /// Where its module is committed.
    pub(crate) fn module(&self) -> PathBuf {
        self.folder.join(format!("{}.wasm", self.name))
    }

    /// Builds its module. `source` is the top of the sources, which must not show in the module; what cargo makes goes
    /// under `target`.
    pub(crate) fn build(&self, toolchain: &Toolchain, source: &Path, target: &Path) -> Result<Vec<u8>> {
        let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
        let home = home.or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cargo")));
        let mut flags = vec![format!("--remap-path-prefix={}=/glovebox", source.display())];
        flags.extend(home.map(|home| format!("--remap-path-prefix={}=/cargo", home.display())));
        // Arrays of `--config` are added to those of the guest's own .cargo/config.toml.
        let flags = format!("target.{TARGET}.rustflags={}", toml::Value::from(flags));
        let mut command = cargo(&self.folder);
        command.args(["build", "--quiet", "--release", "--target", TARGET, "--config", &flags]);
        command.env("CARGO_TARGET_DIR", target);
        for name in DISTURBING {
            command.env_remove(name);
        }
        if self.committed {
            command.arg("--locked");
        }
        if let Some(rustc) = &toolchain.rustc {
            command.env("RUSTC", rustc);
        }
        let report = pass_through(&mut command)?;
        ensure!(report.problems.is_empty(), "`{}` does not build", self.name);
        let path = target.join(TARGET).join("release").join(format!("{}.wasm", self.name));
        fs::read(&path).with_context(|| format!("cargo built no {}", path.display()))
    }

    /// Reads a module of this guest and compares it with the manifest.
    pub(crate) fn judge(&self, module: &[u8]) -> Result<Facts> {
        let mut facts = guest_module::read(module)?;
        let manifest = self.manifest()?;
        let strings = |value: Option<&toml::Value>| -> Vec<String> {
            let list = value.and_then(toml::Value::as_array).into_iter().flatten();
            list.filter_map(|item| item.as_str().map(str::to_owned)).collect()
        };
        let columns = strings(manifest.get("input").and_then(|input| input.get("columns")));
        if facts.columns != columns {
            facts.problems.push(format!("it reads {:?}, and job.toml lists {columns:?}", facts.columns));
        }
        let output = manifest.get("output");
        let rows = output.and_then(|output| output.get("max_rows")).and_then(toml::Value::as_integer).unwrap_or(0);
        let values = output.and_then(|output| output.get("values")).and_then(toml::Value::as_array).map_or(0, Vec::len);
        let needed = rows * (8 + 8 * i64::try_from(values)?);
        if facts.constants.get("gbx_out_cap").is_none_or(|cap| i64::from(*cap) < needed) {
            facts.problems.push(format!("its output area holds less than the {needed} bytes of job.toml's max_rows"));
        }
        Ok(facts)
    }

    /// The digest of the module as the manifest names it.
    pub(crate) fn named_sha256(&self) -> Result<String> {
        let manifest = self.manifest()?;
        let named = manifest.get("module").and_then(|module| module.get("sha256")).and_then(toml::Value::as_str);
        named.map(str::to_owned).with_context(|| format!("job.toml of `{}` has no module.sha256", self.name))
    }

    /// Puts a module in the place of the committed one, and its digest into the manifest.
    pub(crate) fn replace(&self, module: &[u8]) -> Result<()> {
        let path = self.folder.join("job.toml");
        let text = fs::read_to_string(&path)?;
        let old = format!("sha256 = \"{}\"", self.named_sha256()?);
        ensure!(text.matches(&old).count() == 1, "{} does not have one line `{old}`", path.display());
        fs::write(&path, text.replace(&old, &format!("sha256 = \"{}\"", sha256(module))))?;
        fs::write(self.module(), module).context("cannot write the module")
    }

    fn manifest(&self) -> Result<toml::Table> {
        let path = self.folder.join("job.toml");
        let text = fs::read_to_string(&path).with_context(|| format!("`{}` has no job.toml", self.name))?;
        text.parse().with_context(|| format!("job.toml of `{}` is not TOML", self.name))
    }
}

/// The SHA-256 of these bytes in hexadecimal.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    let digest = digest::digest(&digest::SHA256, bytes);
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn empty(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("cannot clear {}", folder.display()))?;
    }
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))
}

/// Copies a folder with all that is in it, but for what cargo has built there.
fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from).with_context(|| format!("no folder {}", from.display()))? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            if entry.file_name() != "target" {
                copy(&entry.path(), &target)?;
            }
        } else {
            fs::copy(entry.path(), &target)?;
        }
    }
    Ok(())
}
