//! `job new`: a project that tests and builds as it stands, with the SDK beside it, so that nothing comes from a network.

use std::path::Path;

use anyhow::{Context as _, anyhow};
use glovebox_policy::{ContractId, DatasetName, JobName, Purpose};
use serde_json::json;

use crate::failure::Failure;
use crate::output::{Page, View};
use crate::private_file;

/// Where the SDK lies in a project.
const SDK: &str = "glovebox-guest-sdk";

/// The template's files, in which placeholders are filled in.
const TEMPLATE: [(&str, &str); 4] = [
    ("Cargo.toml", include_str!("../../../guest-sdk/template/Cargo.toml")),
    ("job.toml", include_str!("../../../guest-sdk/template/job.toml")),
    ("src/lib.rs", include_str!("../../../guest-sdk/template/src/lib.rs")),
    (".cargo/config.toml", include_str!("../../../guest-sdk/template/.cargo/config.toml")),
];

/// The SDK's files, as they are.
const SDK_FILES: [(&str, &str); 9] = [
    ("Cargo.toml", include_str!("../../../guest-sdk/Cargo.toml")),
    ("src/column.rs", include_str!("../../../guest-sdk/src/column.rs")),
    ("src/emit.rs", include_str!("../../../guest-sdk/src/emit.rs")),
    ("src/frame.rs", include_str!("../../../guest-sdk/src/frame.rs")),
    ("src/lib.rs", include_str!("../../../guest-sdk/src/lib.rs")),
    ("src/log.rs", include_str!("../../../guest-sdk/src/log.rs")),
    ("src/macros.rs", include_str!("../../../guest-sdk/src/macros.rs")),
    ("src/memory.rs", include_str!("../../../guest-sdk/src/memory.rs")),
    ("src/sample.rs", include_str!("../../../guest-sdk/src/sample.rs")),
];

/// What the job's manifest is filled in with.
pub(super) struct Filling {
    pub(super) dataset: DatasetName,
    pub(super) contract: ContractId,
    pub(super) purpose: Purpose,
}

/// Writes the project.
///
/// # Errors
/// If the folder is not empty, or the disk refuses.
pub(super) fn run(dir: &Path, name: Option<JobName>, filling: &Filling, view: &View) -> Result<(), Failure> {
    let name = match name {
        Some(name) => name,
        None => named_after(dir)?,
    };
    check_empty(dir)?;
    let package = package(&name);
    for (file, text) in TEMPLATE {
        write(dir, file, &filled(text, &name, &package, filling))?;
    }
    for (file, text) in SDK_FILES {
        write(dir, &format!("{SDK}/{file}"), text)?;
    }
    let module = format!("target/wasm32-unknown-unknown/release/{package}.wasm");
    let next = [
        "cargo test".to_owned(),
        format!("cargo wasm && sha256sum {module}"),
        format!("glovebox job run-local job.toml {module} --dataset MANIFEST.toml"),
    ];
    let page = Page::default()
        .fact(view.words("project", "项目"), dir.display())
        .fact(view.words("job", "作业"), name.as_str())
        .fact(view.words("module", "模块"), &module)
        .remark(view.words("Next, in that folder:", "下一步，在该目录中："));
    let page = next.iter().fold(page, |page, command| page.remark(format!("  {command}")));
    let page = page.remark(view.words(
        "The second prints the digest that module.sha256 of job.toml must be.",
        "第二条命令打印的摘要须填入 job.toml 的 module.sha256。",
    ));
    let json = json!({ "dir": dir, "job": name, "module": module, "next": next });
    Ok(view.show(&page, &json.to_string())?)
}

/// The folder's own name, when it is one that a job can have.
fn named_after(dir: &Path) -> Result<JobName, Failure> {
    let name = std::path::absolute(dir).ok().and_then(|path| Some(path.file_name()?.to_str()?.parse().ok()));
    let usage = || Failure::Usage(format!("`{}` is no name of a job: give one with --name", dir.display()));
    name.flatten().ok_or_else(usage)
}

/// The crate's name. Cargo takes none that begins with a digit.
fn package(name: &JobName) -> String {
    let name = name.as_str().replace('-', "_");
    if name.starts_with(|first: char| first.is_ascii_digit()) { format!("job_{name}") } else { name }
}

fn filled(text: &str, name: &JobName, package: &str, filling: &Filling) -> String {
    text.replace("{{crate}}", package)
        .replace("{{sdk}}", SDK)
        .replace("{{name}}", name.as_str())
        .replace("{{dataset}}", &filling.dataset.to_string())
        .replace("{{contract}}", filling.contract.as_str())
        .replace("{{purpose}}", filling.purpose.as_str())
}

fn check_empty(dir: &Path) -> Result<(), Failure> {
    let empty = match std::fs::read_dir(dir) {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => true,
        Err(error) => return Err(anyhow!("`{}`: {error}", dir.display()).into()),
    };
    if empty { Ok(()) } else { Err(anyhow!("`{}` is not empty; it is left as it is", dir.display()).into()) }
}

fn write(dir: &Path, file: &str, text: &str) -> Result<(), Failure> {
    let path = dir.join(file);
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).with_context(|| format!("`{}` cannot be made", folder.display()))?;
    }
    private_file::write_new_public(&path, text)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    /// A file that the SDK gains must be in new projects too.
    #[test]
    fn all_of_the_sdk_is_embedded() {
        let sdk = Path::new(env!("CARGO_MANIFEST_DIR")).join("../guest-sdk/src");
        let there = std::fs::read_dir(sdk).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
        let mut there: Vec<_> = there.map(|file| format!("src/{file}")).collect();
        there.sort();
        let embedded: Vec<_> = SDK_FILES.iter().map(|(file, _)| *file).filter(|file| *file != "Cargo.toml").collect();
        assert_eq!(embedded, there);
    }

    #[test]
    fn a_job_may_begin_with_a_digit_and_a_crate_may_not() {
        assert_eq!(package(&"2026-visits".parse().unwrap()), "job_2026_visits");
        assert_eq!(package(&"longest-rise".parse().unwrap()), "longest_rise");
    }
}
