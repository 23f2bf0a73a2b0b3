//! What is attacked: the files of a release and of an exported log, and the offline commands that read them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};

/// The demo's verifier key, which the commands are given.
pub(super) const KEY: &str = "log.vkey";

/// Where the demo's job release, the SQL release and the exported log lie.
pub(super) const RELEASE: &str = "release";
pub(super) const SQL: &str = "sql";
pub(super) const LOG: &str = "log";

/// The parts of any release, by their file's name.
pub(super) const PARTS: [&str; 4] = ["result.json", "result.dsse.json", "result.entry.json", "result.tlog-proof"];

/// An offline command with all that it is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Command {
    /// `verify` on the job's release with every file.
    Full,
    /// `verify` on the job's release with its four parts alone.
    Bare,
    /// `verify` on the SQL release.
    Sql,
    /// `verify` on the SQL release with the job's manifest, module and approval.
    SqlWithJob,
    /// `audit verify` on the exported log.
    Log,
}

impl Command {
    /// The command's own name.
    pub(super) const fn name(self) -> &'static str {
        if matches!(self, Self::Log) { "audit verify" } else { "verify" }
    }

    /// The arguments, with paths as they are in a folder of copies.
    pub(super) fn arguments(self) -> Vec<&'static str> {
        const JOB: [&str; 8] = [
            "--manifest",
            "release/job.toml",
            "--module",
            "release/job.wasm",
            "--approval",
            "release/approval.dsse.json",
            "--officer-key",
            "release/officer.pub",
        ];
        let verify = |result, more: &[&'static str]| [&["verify", result, "--key", KEY], more].concat();
        let words = match self {
            Self::Full => verify("release/result.json", &JOB),
            Self::Bare => verify("release/result.json", &[]),
            Self::Sql => verify("sql/result.json", &[]),
            Self::SqlWithJob => verify("sql/result.json", &JOB),
            Self::Log => vec!["audit", "verify", LOG, "--key", KEY],
        };
        [&["--lang", "en", "--format", "json"], words.as_slice()].concat()
    }
}

/// One file that is changed by itself.
pub(super) struct Artefact {
    /// What it is.
    pub name: String,
    /// What must find the change.
    pub command: Command,
    /// The file.
    pub file: String,
    /// The checks of `verify` one of which must be named; for `audit verify`, which names a file and a reason, nothing.
    pub found_by: &'static [&'static str],
    /// Whether it is a key, which the reader has from elsewhere and types or pastes: its last newline may be missing.
    pub is_key: bool,
}

/// The untouched files, by their path in a folder of copies.
pub(super) struct Files(pub(super) BTreeMap<String, Vec<u8>>);

impl Files {
    /// Reads the release of the job, that of the SQL question, the log and the key.
    pub(super) fn read(demo: &Path, sql: &Path) -> Result<Self> {
        let mut files = BTreeMap::new();
        take(demo, KEY, &mut files)?;
        for name in PARTS {
            take(demo, &format!("{RELEASE}/{name}"), &mut files)?;
            let bytes = fs::read(sql.join(name)).with_context(|| format!("cannot read the SQL release's {name}"))?;
            files.insert(format!("{SQL}/{name}"), bytes);
        }
        for name in ["job.toml", "job.wasm", "approval.dsse.json", "officer.pub"] {
            take(demo, &format!("{RELEASE}/{name}"), &mut files)?;
        }
        take_all(demo, LOG, &mut files)?;
        Ok(Self(files))
    }

    /// The bytes of a file.
    pub(super) fn bytes(&self, file: &str) -> Result<&[u8]> {
        self.0.get(file).map(Vec::as_slice).with_context(|| format!("there is no `{file}`"))
    }

    /// The log's entry bundles or hash tiles.
    pub(super) fn tiles(&self, entries: bool) -> impl Iterator<Item = &str> {
        let in_log = self.0.keys().filter_map(|file| file.strip_prefix("log/tile/").map(|tile| (file, tile)));
        in_log.filter(move |(_, tile)| tile.starts_with("entries/") == entries).map(|(file, _)| file.as_str())
    }

    /// Every file that is changed by itself.
    pub(super) fn artefacts(&self) -> Result<Vec<Artefact>> {
        let of = |name: &str, command, file: &str, found_by| Artefact {
            name: name.to_owned(),
            command,
            file: file.to_owned(),
            found_by,
            is_key: false,
        };
        let key = |artefact| Artefact { is_key: true, ..artefact };
        let mut all = vec![
            of("result", Command::Full, "release/result.json", &["result digest"]),
            of("certificate", Command::Full, "release/result.dsse.json", &["certificate signature"]),
            of("certificate's entry", Command::Full, "release/result.entry.json", &["log entry", "inclusion proof"]),
            of("inclusion proof and its checkpoint", Command::Full, "release/result.tlog-proof", &["inclusion proof"]),
            of("job manifest", Command::Full, "release/job.toml", &["manifest"]),
            of("module", Command::Full, "release/job.wasm", &["module"]),
            of("approval", Command::Full, "release/approval.dsse.json", &["approval"]),
            key(of("officer's public key", Command::Full, "release/officer.pub", &["officer's signature"])),
            key(of("verifier key", Command::Full, KEY, &["key"])),
            key(of("verifier key", Command::Log, KEY, &[])),
            of("verifier key's copy in the log", Command::Log, "log/log.vkey", &[]),
            of("checkpoint", Command::Log, "log/checkpoint", &[]),
        ];
        all.extend(self.tiles(true).map(|file| of("leaf (entry bundle)", Command::Log, file, &[])));
        all.extend(self.tiles(false).map(|file| of("hash tile", Command::Log, file, &[])));
        for name in ["leaf (entry bundle)", "hash tile"] {
            ensure!(all.iter().any(|artefact| artefact.name == name), "the log has no {name}");
        }
        Ok(all)
    }
}

fn take(demo: &Path, file: &str, into: &mut BTreeMap<String, Vec<u8>>) -> Result<()> {
    let bytes = fs::read(demo.join(file)).with_context(|| format!("the demo left no `{file}`"))?;
    ensure!(!bytes.is_empty(), "the demo's `{file}` is empty");
    into.insert(file.to_owned(), bytes);
    Ok(())
}

fn take_all(demo: &Path, folder: &str, into: &mut BTreeMap<String, Vec<u8>>) -> Result<()> {
    let found = fs::read_dir(demo.join(folder)).with_context(|| format!("the demo left no folder `{folder}`"))?;
    for found in found {
        let found = found.context("cannot list the log")?;
        let path = format!("{folder}/{}", found.file_name().to_string_lossy());
        if found.file_type().context("cannot list the log")?.is_dir() {
            take_all(demo, &path, into)?;
        } else {
            take(demo, &path, into)?;
        }
    }
    Ok(())
}
