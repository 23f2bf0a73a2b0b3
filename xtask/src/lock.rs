//! The step `lock`: what may not be built in, and where randomness comes from.

use std::path::Path;

use anyhow::Result;

use crate::step::Report;
use crate::workspace::Workspace;

/// Crates that may not be in `Cargo.lock` at all, and why.
const BANNED: &[(&str, &str)] = &[
    ("aws-lc-rs", "ring is the one cryptographic library"),
    ("aws-lc-sys", "ring is the one cryptographic library"),
    ("openssl-sys", "no C OpenSSL is linked"),
    ("rsa", "RUSTSEC-2023-0071, a timing channel without a fix"),
];

/// Crates that the product may not contain: they let a test reach into a release, or make faults on purpose.
const HOOKS: &[&str] = &[
    "fail",
    "fail-parallel",
    "failpoints",
    "tikv-fail",
    "fault-injection",
    "mockall",
    "proptest",
    "quickcheck",
    "trybuild",
    "turmoil",
    "madsim",
    "loom",
    "glovebox-exactness",
    "glovebox-xtask",
];

/// Features of outside crates that must be on, and why.
const WANTED: &[(&str, &str, &str)] = &[
    ("opendp", "use-openssl", "OpenDP draws from `openssl`, which is our shim over the operating system"),
    ("datafusion", "recursive_protection", "without it a deep expression overflows the stack and aborts the process"),
];

/// Features of outside crates that must be off, and why.
const UNWANTED: &[(&str, &str, &str)] = &[
    ("opendp", "honest-but-curious", "it admits mechanisms whose guarantee needs a trusted analyst"),
    ("opendp", "idealized-numerics", "it admits mechanisms that ignore floating point"),
    ("opendp", "floating-point", "it admits mechanisms that ignore floating point"),
    ("opendp", "untrusted", "it admits all of the above"),
    ("datafusion", "parquet", "a session could read files; the catalog has its own encrypted Parquet reader"),
    ("datafusion", "compression", "a session could read files"),
];

/// The package name of the product's binary.
const PRODUCT: &str = "glovebox-cli";

/// The folder that must stand in for the package `openssl`.
const SHIM: &str = "privacy/os-random";

/// Looks at every resolved package.
pub(crate) fn step(root: &Path) -> Result<Report> {
    let workspace = Workspace::load(root)?;
    let mut problems = Vec::new();
    for (name, why) in BANNED {
        if !workspace.named(name).is_empty() {
            problems.push(format!("`{name}` is in Cargo.lock: {why}"));
        }
    }
    problems.extend(randomness(root, &workspace));
    problems.extend(features(&workspace));
    let built = workspace.built_into(PRODUCT);
    for hook in HOOKS.iter().filter(|hook| built.contains(*hook)) {
        problems.push(format!("the product contains `{hook}`, which is for tests"));
    }
    // The shim names a feature because OpenDP asks for it; it changes nothing there.
    let shim = root.join(SHIM).join("Cargo.toml");
    let features = workspace.members().into_iter().filter(|member| !member.features.is_empty());
    for member in features.filter(|member| member.manifest_path != shim) {
        problems.push(format!("`{}` declares features; the product has one build", member.name));
    }
    let notes = vec![format!("{} packages in all, {} in the product", workspace.packages.len(), built.len())];
    Ok(Report { problems, notes, ..Report::default() })
}

fn randomness(root: &Path, workspace: &Workspace) -> Vec<String> {
    let shims = workspace.named("openssl");
    let manifest = root.join(SHIM).join("Cargo.toml");
    match shims.as_slice() {
        [one] if one.source.is_none() && one.manifest_path == manifest => Vec::new(),
        [] => vec![format!("the package `openssl` is not in use; OpenDP must draw through {SHIM}")],
        _ => vec![format!("the package `openssl` is not our shim {SHIM}")],
    }
}

fn features(workspace: &Workspace) -> Vec<String> {
    let on = |name: &str, feature: &str| {
        workspace.named(name).iter().any(|package| workspace.features_of(package).iter().any(|has| has == feature))
    };
    let missing = WANTED.iter().filter(|(name, feature, _)| !on(name, feature));
    let present = UNWANTED.iter().filter(|(name, feature, _)| on(name, feature));
    missing
        .map(|(name, feature, why)| format!("`{name}` is built without `{feature}`: {why}"))
        .chain(present.map(|(name, feature, why)| format!("`{name}` is built with `{feature}`: {why}")))
        .collect()
}
