//! What differs between two versions of a job.

use std::collections::BTreeMap;

use glovebox_sandbox::ModuleFacts;
use similar::{ChangeTag, TextDiff};

/// Lines that went (`-`) and came (`+`).
pub(crate) fn manifest_difference(before: &str, now: &str) -> Vec<String> {
    let diff = TextDiff::from_lines(before, now);
    let changed = diff.iter_all_changes().filter_map(|change| {
        let sign = match change.tag() {
            ChangeTag::Delete => '-',
            ChangeTag::Insert => '+',
            ChangeTag::Equal => return None,
        };
        Some(format!("{sign} {}", change.value().trim_end_matches(['\r', '\n'])))
    });
    changed.collect()
}

/// How many lines of a module's difference are shown; a rebuilt module differs nearly everywhere.
const SHOWN: usize = 40;

/// Sections and function bodies that went, came or changed, by their digests.
pub(crate) fn module_difference(before: &ModuleFacts, now: &ModuleFacts) -> Vec<String> {
    let index = |facts: &ModuleFacts| facts.sections.iter().cloned().collect::<BTreeMap<String, [u8; 32]>>();
    let (before, now) = (index(before), index(now));
    let gone = before.keys().filter(|name| !now.contains_key(*name)).map(|name| format!("{name}: gone"));
    let other = now.iter().filter_map(|(name, digest)| match before.get(name) {
        None => Some(format!("{name}: new")),
        Some(old) if old != digest => Some(format!("{name}: changed")),
        Some(_) => None,
    });
    let mut lines: Vec<String> = gone.chain(other).collect();
    if lines.len() > SHOWN {
        let more = lines.len() - SHOWN;
        lines.truncate(SHOWN);
        lines.push(format!("and {more} more"));
    }
    lines
}
