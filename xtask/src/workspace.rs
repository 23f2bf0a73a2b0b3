//! What `cargo metadata` says about the workspace and everything it depends on.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;

use crate::step::cargo;

/// The workspace, its members and all resolved packages.
#[derive(Debug, Deserialize)]
pub(crate) struct Workspace {
    /// Members and outside packages alike.
    pub packages: Vec<Package>,
    /// Which packages are members, by id.
    pub workspace_members: BTreeSet<String>,
    /// Where cargo puts what it builds.
    pub target_directory: PathBuf,
    /// Which package uses which.
    pub resolve: Resolve,
}

/// One package.
#[derive(Debug, Deserialize)]
pub(crate) struct Package {
    /// Cargo's name for this very version from this very source.
    pub id: String,
    /// The package's name.
    pub name: String,
    /// Where it came from; `None` for a path on this machine.
    pub source: Option<String>,
    /// Its licence as an SPDX expression.
    pub license: Option<String>,
    /// Its `Cargo.toml`.
    pub manifest_path: PathBuf,
    /// What its manifest asks for.
    pub dependencies: Vec<Dependency>,
    /// Its own features.
    pub features: BTreeMap<String, Vec<String>>,
    /// Registries it may be published to; an empty list forbids publishing.
    pub publish: Option<Vec<String>>,
}

/// A dependency as a manifest declares it.
#[derive(Debug, Deserialize)]
pub(crate) struct Dependency {
    /// The name of the package depended on.
    pub name: String,
    /// `dev`, `build`, or `None` for a normal dependency.
    pub kind: Option<String>,
}

/// The resolved graph.
#[derive(Debug, Deserialize)]
pub(crate) struct Resolve {
    /// One node a package.
    pub nodes: Vec<Node>,
}

/// A package in the resolved graph.
#[derive(Debug, Deserialize)]
pub(crate) struct Node {
    /// The package.
    pub id: String,
    /// What it uses.
    pub deps: Vec<Edge>,
    /// Its features that are switched on.
    pub features: Vec<String>,
}

/// One use of a package by another.
#[derive(Debug, Deserialize)]
pub(crate) struct Edge {
    /// The package used.
    pub pkg: String,
    /// In which ways it is used.
    pub dep_kinds: Vec<Kind>,
}

/// One way in which a package is used.
#[derive(Debug, Deserialize)]
pub(crate) struct Kind {
    /// `dev`, `build`, or `None` for a normal dependency.
    pub kind: Option<String>,
}

impl Workspace {
    /// Asks cargo. Fails when `Cargo.lock` does not fit the manifests.
    pub(crate) fn load(root: &Path) -> Result<Self> {
        let out = cargo(root)
            .args(["metadata", "--format-version", "1", "--locked"])
            .output()
            .context("cannot start cargo metadata")?;
        let words = String::from_utf8_lossy(&out.stderr);
        ensure!(out.status.success(), "cargo metadata --locked failed: {}", words.trim());
        serde_json::from_slice(&out.stdout).context("cargo metadata printed something unexpected")
    }

    /// The members, in the order of their names.
    pub(crate) fn members(&self) -> Vec<&Package> {
        let mut members: Vec<&Package> =
            self.packages.iter().filter(|package| self.workspace_members.contains(&package.id)).collect();
        members.sort_by(|one, other| one.name.cmp(&other.name));
        members
    }

    /// The packages of this name; several when several versions are in use.
    pub(crate) fn named(&self, name: &str) -> Vec<&Package> {
        self.packages.iter().filter(|package| package.name == name).collect()
    }

    /// The features of a package that are switched on.
    pub(crate) fn features_of(&self, package: &Package) -> &[String] {
        self.node(&package.id).map_or(&[], |node| &node.features)
    }

    /// The names of all packages that a built `name` contains or is built with: normal and build dependencies, not dev.
    pub(crate) fn built_into(&self, name: &str) -> BTreeSet<&str> {
        let mut waiting: Vec<&str> = self.named(name).iter().map(|package| package.id.as_str()).collect();
        let mut seen: BTreeSet<&str> = waiting.iter().copied().collect();
        while let Some(node) = waiting.pop().and_then(|id| self.node(id)) {
            for edge in &node.deps {
                let used = edge.dep_kinds.iter().any(|way| way.kind.as_deref() != Some("dev"));
                if used && seen.insert(&edge.pkg) {
                    waiting.push(&edge.pkg);
                }
            }
        }
        self.packages.iter().filter(|package| seen.contains(package.id.as_str())).map(|p| p.name.as_str()).collect()
    }

    fn node(&self, id: &str) -> Option<&Node> {
        self.resolve.nodes.iter().find(|node| node.id == id)
    }
}

impl Package {
    /// The folder of a member, which is its name without the common front: `glovebox-vault` is `vault`.
    pub(crate) fn short(&self) -> &str {
        self.name.strip_prefix("glovebox-").unwrap_or(&self.name)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn what_is_built_in_leaves_dev_dependencies_out() {
        let package = |name: &str| {
            format!(
                r#"{{"id":"{name}","name":"{name}","source":null,"license":null,"manifest_path":"{name}/Cargo.toml",
                    "dependencies":[],"features":{{}},"publish":[]}}"#
            )
        };
        let edge = |to: &str, kind: &str| format!(r#"{{"pkg":"{to}","dep_kinds":[{{"kind":{kind}}}]}}"#);
        let node =
            |id: &str, deps: &[String]| format!(r#"{{"id":"{id}","features":["x"],"deps":[{}]}}"#, deps.join(","));
        let packages = ["bin", "used", "built", "tested"].map(package).join(",");
        let uses = [edge("used", "null"), edge("built", "\"build\""), edge("tested", "\"dev\"")];
        let nodes = [node("bin", &uses), node("used", &[]), node("built", &[]), node("tested", &[])].join(",");
        let text = format!(
            r#"{{"packages":[{packages}],"workspace_members":["bin"],"target_directory":"t","resolve":{{"nodes":[{nodes}]}}}}"#
        );
        let workspace: Workspace = serde_json::from_str(&text).unwrap();
        assert_eq!(workspace.built_into("bin").into_iter().collect::<Vec<_>>(), ["bin", "built", "used"]);
        assert_eq!(workspace.members().len(), 1);
        assert!(workspace.packages.iter().all(|package| workspace.features_of(package) == ["x"]));
    }
}
