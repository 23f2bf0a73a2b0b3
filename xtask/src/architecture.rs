//! The blocks of `ARCHITECTURE.md` that are read by machine.
//!
//! Each is a fenced block named after the opening fence. A line is `name : word word …`, then, after two spaces or more,
//! words for people. `–` stands for an empty list.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context as _, Result, bail};

use crate::markdown::fences;

/// Which names go with which: a crate and its dependencies, an outside crate and its owners.
pub(crate) type Table = BTreeMap<String, BTreeSet<String>>;

/// Reads the block `name` of the `ARCHITECTURE.md` under `root`.
pub(crate) fn block(root: &Path, name: &str) -> Result<Table> {
    let path = root.join("ARCHITECTURE.md");
    let text = std::fs::read_to_string(&path).context("cannot read ARCHITECTURE.md")?;
    parse(&text, name)
}

/// Reads the block `name` of a text.
pub(crate) fn parse(text: &str, name: &str) -> Result<Table> {
    let fence = fences(text).into_iter().find(|fence| fence.info == name);
    let fence = fence.with_context(|| format!("ARCHITECTURE.md has no block `{name}`"))?;
    let mut table = Table::new();
    for line in fence.lines.iter().filter(|line| !line.trim().is_empty()) {
        let (key, rest) = line.split_once(':').with_context(|| format!("block `{name}`: no colon in `{line}`"))?;
        let words = rest.trim().split("  ").next().unwrap_or_default();
        let words = words.split_whitespace().filter(|word| *word != "–").map(str::to_owned).collect();
        if table.insert(key.trim().to_owned(), words).is_some() {
            bail!("block `{name}` names `{}` twice", key.trim());
        }
    }
    Ok(table)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn a_block_is_read_with_its_empty_lists() {
        let text = "```crate-graph\nvault : –    data\nquery : vault policy   DP SQL: analyse\n```\n";
        let table = parse(text, "crate-graph").unwrap();
        let names: Vec<_> = table.iter().map(|(key, words)| (key.as_str(), words.len())).collect();
        assert_eq!(names, [("query", 2), ("vault", 0)]);
    }

    #[test]
    fn a_missing_block_and_a_repeated_line_are_errors() {
        assert!(parse("```text\n```", "owners").is_err());
        assert!(parse("```owners\na : b\na : c\n```", "owners").is_err());
    }
}
