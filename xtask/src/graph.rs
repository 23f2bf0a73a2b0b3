//! The step `graph`: the arrows between our crates and the owners of outside crates are those that ARCHITECTURE.md prints.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::Result;

use crate::architecture::{Table, block};
use crate::step::Report;
use crate::workspace::{Package, Workspace};

/// The crate whose tests may open protected data; nobody may depend on it.
const TEST_CRATE: &str = "exactness";

/// Compares the workspace with the blocks `crate-graph` and `owners`.
pub(crate) fn step(root: &Path) -> Result<Report> {
    let workspace = Workspace::load(root)?;
    let members = workspace.members();
    let graph = block(root, "crate-graph")?;
    let mut problems = compare(&graph, &arrows(&members));
    problems.extend(cycles(&graph));
    problems.extend(owners(&block(root, "owners")?, &members));
    problems.extend(test_only(&graph, &members));
    let count: usize = graph.values().map(BTreeSet::len).sum();
    let notes = vec![format!("{} crates, {count} arrows", graph.len())];
    Ok(Report { problems, notes, ..Report::default() })
}

/// What each member really depends on, among the members; dev-dependencies left out.
fn arrows(members: &[&Package]) -> Table {
    members.iter().map(|member| (member.short().to_owned(), inner(member, |kind| kind != Some("dev")))).collect()
}

fn inner(member: &Package, wanted: impl Fn(Option<&str>) -> bool) -> BTreeSet<String> {
    let ours = member.dependencies.iter().filter(|dependency| wanted(dependency.kind.as_deref()));
    ours.filter_map(|dependency| dependency.name.strip_prefix("glovebox-")).map(str::to_owned).collect()
}

/// Every difference between what is printed and what is.
fn compare(printed: &Table, real: &Table) -> Vec<String> {
    let empty = BTreeSet::new();
    let mut problems = Vec::new();
    for name in printed.keys().chain(real.keys()).collect::<BTreeSet<_>>() {
        match (printed.get(name), real.get(name)) {
            (None, _) => problems.push(format!("crate `{name}` is not in the block crate-graph of ARCHITECTURE.md")),
            (_, None) => problems.push(format!("crate `{name}` is in the block crate-graph and not in the workspace")),
            (said, has) => {
                let (said, has) = (said.unwrap_or(&empty), has.unwrap_or(&empty));
                for extra in has.difference(said) {
                    problems.push(format!("`{name}` depends on `{extra}`, which the block crate-graph does not allow"));
                }
                for missing in said.difference(has) {
                    problems
                        .push(format!("`{name}` does not depend on `{missing}`; take it out of the block crate-graph"));
                }
            }
        }
    }
    problems
}

/// Crates are printed leaves first, so a cycle is any set of crates that cannot be taken away leaf by leaf.
fn cycles(graph: &Table) -> Vec<String> {
    let mut left: BTreeSet<&String> = graph.keys().collect();
    loop {
        let leaves: Vec<&String> = left
            .iter()
            .copied()
            .filter(|name| graph.get(*name).is_none_or(|deps| deps.iter().all(|dep| !left.contains(dep))))
            .collect();
        if leaves.is_empty() {
            break;
        }
        left.retain(|name| !leaves.contains(name));
    }
    if left.is_empty() { Vec::new() } else { vec![format!("the block crate-graph holds a cycle among {left:?}")] }
}

/// An outside crate with owners is a normal dependency of those members only.
fn owners(owners: &Table, members: &[&Package]) -> Vec<String> {
    let mut problems = Vec::new();
    for (outside, allowed) in owners {
        let users = members.iter().filter(|member| {
            member.dependencies.iter().any(|dep| dep.name == *outside && dep.kind.as_deref() != Some("dev"))
        });
        let users: BTreeSet<String> = users.map(|member| member.short().to_owned()).collect();
        for user in users.difference(allowed) {
            problems.push(format!("`{user}` depends on `{outside}`, which belongs to {allowed:?}"));
        }
        for idle in allowed.difference(&users) {
            problems.push(format!("`{idle}` does not use `{outside}`; take it out of the block owners"));
        }
    }
    problems
}

/// The test crate is nobody's dependency and never published; and tests may not open what their crate cannot.
fn test_only(graph: &Table, members: &[&Package]) -> Vec<String> {
    let mut problems = Vec::new();
    for member in members {
        let all = inner(member, |_| true);
        if all.contains(TEST_CRATE) {
            problems.push(format!("`{}` depends on the test crate `{TEST_CRATE}`", member.short()));
        }
        let listed = graph.get(member.short()).is_some_and(|deps| deps.contains("vault"));
        if all.contains("vault") && !listed {
            problems.push(format!(
                "`{}` has vault among its dev-dependencies and may not open protected data",
                member.short()
            ));
        }
        if member.short() == TEST_CRATE && member.publish.as_ref().is_none_or(|to| !to.is_empty()) {
            problems.push(format!("`{TEST_CRATE}` could be published; set publish = false"));
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::architecture::parse;

    fn table(lines: &str) -> Table {
        parse(&format!("```t\n{lines}\n```"), "t").unwrap()
    }

    #[test]
    fn an_arrow_too_many_and_one_too_few_are_both_named() {
        let printed = table("vault : –\nquery : vault policy\npolicy : –");
        let real = table("vault : –\nquery : vault ledger\npolicy : –");
        let found = compare(&printed, &real);
        assert_eq!(found.len(), 2);
        assert!(found.iter().any(|line| line.contains("`ledger`, which")));
        assert!(found.iter().any(|line| line.contains("does not depend on `policy`")));
    }

    #[test]
    fn a_crate_on_one_side_only_is_named() {
        assert_eq!(compare(&table("a : –"), &table("b : –")).len(), 2);
    }

    #[test]
    fn a_cycle_is_found() {
        assert!(cycles(&table("a : b\nb : –")).is_empty());
        assert_eq!(cycles(&table("a : b\nb : a\nc : –")).len(), 1);
    }
}
