//! The step `licences`: every dependency's licence expression holds under the list of deny.toml.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context as _, Result};

use crate::step::Report;
use crate::workspace::Workspace;

/// Compares every package from a registry with `[licenses]`.
pub(crate) fn step(root: &Path) -> Result<Report> {
    let text = std::fs::read_to_string(root.join("deny.toml")).context("cannot read deny.toml")?;
    let rules: toml::Table = text.parse().context("deny.toml is not TOML")?;
    let (allowed, clarified) = read(&rules);
    let workspace = Workspace::load(root)?;
    let mut problems = Vec::new();
    let outside: Vec<_> = workspace.packages.iter().filter(|package| package.source.is_some()).collect();
    for package in &outside {
        let expression = clarified.get(package.name.as_str()).copied().or(package.license.as_deref());
        match expression {
            Some(expression) if holds(expression, &allowed) => {}
            Some(expression) => problems.push(format!("`{}` has the licence `{expression}`", package.name)),
            None => problems.push(format!("`{}` names no licence; read it and clarify it in deny.toml", package.name)),
        }
    }
    let notes = vec![format!("{} packages, {} licences allowed", outside.len(), allowed.len())];
    Ok(Report { problems, notes, ..Report::default() })
}

fn read(rules: &toml::Table) -> (BTreeSet<&str>, BTreeMap<&str, &str>) {
    let licenses = rules.get("licenses");
    let list = |key| licenses.and_then(|table| table.get(key)).and_then(toml::Value::as_array);
    let allowed = list("allow").into_iter().flatten().filter_map(toml::Value::as_str).collect();
    let clarified = list("clarify")
        .into_iter()
        .flatten()
        .filter_map(|entry| Some((entry.get("crate")?.as_str()?, entry.get("expression")?.as_str()?)))
        .collect();
    (allowed, clarified)
}

/// Whether an SPDX expression can be met: one side of each OR, both sides of each AND. `/` is an old spelling of OR.
fn holds(expression: &str, allowed: &BTreeSet<&str>) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let mut words: Vec<&str> = spaced.split_whitespace().rev().collect();
    either(&mut words, allowed) && words.is_empty()
}

fn either(words: &mut Vec<&str>, allowed: &BTreeSet<&str>) -> bool {
    let mut met = both(words, allowed);
    while words.pop_if(|word| *word == "OR").is_some() {
        met |= both(words, allowed);
    }
    met
}

fn both(words: &mut Vec<&str>, allowed: &BTreeSet<&str>) -> bool {
    let mut met = one(words, allowed);
    while words.pop_if(|word| *word == "AND").is_some() {
        met &= one(words, allowed);
    }
    met
}

fn one(words: &mut Vec<&str>, allowed: &BTreeSet<&str>) -> bool {
    match words.pop() {
        Some("(") => {
            let met = either(words, allowed);
            words.pop_if(|word| *word == ")").is_some() && met
        }
        Some(licence) if words.pop_if(|word| *word == "WITH").is_some() => {
            let exception = words.pop().unwrap_or_default();
            allowed.contains(format!("{licence} WITH {exception}").as_str())
        }
        Some(licence) => allowed.contains(licence),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_are_weighed_with_their_brackets() {
        let allowed: BTreeSet<&str> = ["MIT", "ISC", "Apache-2.0 WITH LLVM-exception"].into_iter().collect();
        for good in
            ["MIT", "MIT/GPL-3.0", "GPL-3.0 OR MIT", "(MIT OR GPL-3.0) AND ISC", "Apache-2.0 WITH LLVM-exception"]
        {
            assert!(holds(good, &allowed), "{good}");
        }
        for bad in ["GPL-3.0", "MIT AND GPL-3.0", "(MIT OR ISC) AND GPL-3.0", "Apache-2.0", "(MIT", "MIT ISC", ""] {
            assert!(!holds(bad, &allowed), "{bad}");
        }
    }
}
