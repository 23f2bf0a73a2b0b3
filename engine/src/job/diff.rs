//! What differs between two versions of a job. Whoever writes both cannot make the comparison long.

use std::collections::BTreeMap;
use std::ops::Range;

use glovebox_sandbox::ModuleFacts;
use similar::{Algorithm, DiffTag, capture_diff_slices};

/// Up to how many lines on either side are matched with each other: matching takes up to the square of it.
pub(crate) const MATCHED: usize = 1_000;

/// What differs between two texts.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct TextDifference<'t> {
    /// Lines that went (`-`) and came (`+`), in order: the sign, the line's number in its text, the line.
    pub(crate) lines: Vec<(&'static str, usize, &'t str)>,
    /// Whether lines were not matched, for there are more than [`MATCHED`] from the first that differs to the last; all of
    /// them stand in `lines` then, first the old and then the new.
    pub(crate) whole: bool,
}

/// Compares two texts by lines.
pub(crate) fn manifest_difference<'t>(before: &'t str, now: &'t str) -> TextDifference<'t> {
    let (before, now): (Vec<_>, Vec<_>) = (before.split('\n').collect(), now.split('\n').collect());
    let (first, before, now) = without_common_ends(&before, &now);
    // Lines of one of the texts, numbered from 1.
    let signed = |sign, lines: &[&'t str], range: Range<usize>| {
        let here = lines.get(range.clone()).unwrap_or_default();
        here.iter().zip(first + range.start + 1..).map(|(line, number)| (sign, number, *line)).collect::<Vec<_>>()
    };
    if before.len().max(now.len()) > MATCHED && !before.is_empty() && !now.is_empty() {
        let (gone, came) = (signed("-", before, 0..before.len()), signed("+", now, 0..now.len()));
        return TextDifference { lines: [gone, came].concat(), whole: true };
    }
    let mut lines = Vec::new();
    for step in capture_diff_slices(Algorithm::Myers, before, now) {
        if step.tag() != DiffTag::Equal {
            lines.extend(signed("-", before, step.old_range()));
            lines.extend(signed("+", now, step.new_range()));
        }
    }
    TextDifference { lines, whole: false }
}

/// Two texts from the first line that differs to the last, and how many lines stand before them.
fn without_common_ends<'l, 't>(one: &'l [&'t str], other: &'l [&'t str]) -> (usize, &'l [&'t str], &'l [&'t str]) {
    let first = one.iter().zip(other).take_while(|(a, b)| a == b).count();
    let (one, other) = (one.get(first..).unwrap_or_default(), other.get(first..).unwrap_or_default());
    let same = one.iter().rev().zip(other.iter().rev()).take_while(|(a, b)| a == b).count();
    let end = |of: &[&str]| of.len() - same;
    (first, one.get(..end(one)).unwrap_or_default(), other.get(..end(other)).unwrap_or_default())
}

/// How many lines of a module's difference are shown; a rebuilt module differs nearly everywhere.
const SHOWN: usize = 40;

/// What differs between two modules.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ModuleDifference {
    /// Sections and function bodies that went (`-`), came (`+`) or changed (`~`), by their digests.
    pub(crate) parts: Vec<(&'static str, String)>,
    /// How many more there are.
    pub(crate) more: usize,
}

/// Compares two modules by the digests of their parts. Parts of one name are told apart by their order.
pub(crate) fn module_difference(before: &ModuleFacts, now: &ModuleFacts) -> ModuleDifference {
    let (before, now) = (index(before), index(now));
    let gone = before.keys().filter(|part| !now.contains_key(*part)).map(|part| ("-", part));
    let other = now.iter().filter_map(|(part, digest)| match before.get(part) {
        None => Some(("+", part)),
        Some(old) if old != digest => Some(("~", part)),
        Some(_) => None,
    });
    let named = |(sign, (name, nth)): (_, &(&str, usize))| match nth {
        1 => (sign, (*name).to_owned()),
        nth => (sign, format!("{name} #{nth}")),
    };
    let mut parts: Vec<_> = gone.chain(other).map(named).collect();
    let more = parts.len().saturating_sub(SHOWN);
    parts.truncate(SHOWN);
    ModuleDifference { parts, more }
}

fn index(facts: &ModuleFacts) -> BTreeMap<(&str, usize), [u8; 32]> {
    let mut seen = BTreeMap::new();
    let mut index = BTreeMap::new();
    for (name, digest) in &facts.sections {
        let nth: &mut usize = seen.entry(name.as_str()).or_default();
        *nth += 1;
        index.insert((name.as_str(), *nth), *digest);
    }
    index
}

#[cfg(test)]
#[expect(clippy::indexing_slicing, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn lines_that_went_and_came_are_told() {
        let of = |before, now| manifest_difference(before, now).lines;
        assert_eq!(of("a\nb\nc\n", "a\nB\nc\n"), [("-", 2, "b"), ("+", 2, "B")]);
        assert_eq!(of("a\n", "a\n"), []);
        assert_eq!(of("a\n", "a"), [("-", 2, "")], "the newline at the end");
        assert_eq!(of("a\r\n", "a\n"), [("-", 1, "a\r"), ("+", 1, "a")]);
    }

    /// Texts of short lines, none of which the other has: matching them would take minutes.
    #[test]
    fn long_texts_are_shown_whole_and_at_once() {
        let text = |word: &str| (0..65_536).map(|line| format!("{word}{}\n", line % 7)).collect::<String>();
        let (before, now) = (text("a"), text("b"));
        let began = std::time::Instant::now();
        let difference = manifest_difference(&before, &now);
        assert!(difference.whole && began.elapsed().as_secs() < 5);
        assert_eq!(difference.lines.len(), 2 * 65_536);
        assert_eq!((difference.lines[65_535].1, difference.lines[65_536].1), (65_536, 1));
        // Common ends are left out before lines are counted.
        let (longer, longest) = (before.clone() + "x\n" + &before, before.clone() + "y\n" + &before);
        let difference = manifest_difference(&longer, &longest);
        assert_eq!((difference.lines, difference.whole), (vec![("-", 65_537, "x"), ("+", 65_537, "y")], false));
    }

    #[test]
    fn parts_of_one_name_are_told_apart() {
        let facts = |sections: &[(&str, u8)]| ModuleFacts {
            bytes: 0,
            functions: 0,
            memory_bytes: 0,
            in_cap: 0,
            out_cap: 0,
            log_cap: None,
            exports: Vec::new(),
            schema: None,
            sections: sections.iter().map(|(name, digest)| ((*name).to_owned(), [*digest; 32])).collect(),
        };
        let (before, now) =
            (facts(&[("custom `x`", 1), ("custom `x`", 2)]), facts(&[("custom `x`", 3), ("custom `x`", 2)]));
        assert_eq!(module_difference(&before, &now).parts, [("~", "custom `x`".to_owned())]);
        assert_eq!(module_difference(&now, &facts(&[("custom `x`", 3)])).parts, [("-", "custom `x` #2".to_owned())]);
    }
}
