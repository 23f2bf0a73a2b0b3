//! The little of Markdown that the checks read: headings, fenced blocks, links, `code spans`.

/// A fenced block.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Fence<'a> {
    /// What stands after the opening fence: the language, or the name of a block that is read by machine.
    pub info: &'a str,
    /// The number of the line of the opening fence, from 1.
    pub line: usize,
    /// The lines between the fences.
    pub lines: Vec<&'a str>,
}

/// Every fenced block, in order.
pub(crate) fn fences(text: &str) -> Vec<Fence<'_>> {
    let mut found: Vec<Fence<'_>> = Vec::new();
    let mut open = false;
    for (number, line) in (1..).zip(text.lines()) {
        match line.trim_start().strip_prefix("```") {
            Some(_) if open => open = false,
            Some(info) => {
                open = true;
                found.push(Fence { info: info.trim(), line: number, lines: Vec::new() });
            }
            None if open => {
                if let Some(fence) = found.last_mut() {
                    fence.lines.push(line);
                }
            }
            None => {}
        }
    }
    found
}

/// The lines outside fenced blocks, each with its number from 1.
pub(crate) fn prose(text: &str) -> Vec<(usize, &str)> {
    let mut fenced = false;
    let mut found = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            found.push((number, line));
        }
    }
    found
}

/// The headings outside fenced blocks: level and title.
pub(crate) fn headings(text: &str) -> Vec<(usize, &str)> {
    let hashes = |line: &str| line.chars().take_while(|c| *c == '#').count();
    prose(text)
        .into_iter()
        .map(|(_, line)| (hashes(line), line.trim_start_matches('#').trim()))
        .filter(|(level, title)| *level > 0 && !title.is_empty())
        .collect()
}

/// The targets of `[text](target)` in a line.
pub(crate) fn links(line: &str) -> Vec<&str> {
    line.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(target, _)| target).collect()
}

/// The `code spans` of a line.
pub(crate) fn spans(line: &str) -> Vec<&str> {
    line.split('`').skip(1).step_by(2).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# One\nsee `a/b.rs` and [c](d.md)\n```sh\n# not a heading\nls\n```\n## Two\n";

    #[test]
    fn blocks_and_headings_are_told_apart() {
        assert_eq!(fences(TEXT), [Fence { info: "sh", line: 3, lines: vec!["# not a heading", "ls"] }]);
        assert_eq!(headings(TEXT), [(1, "One"), (2, "Two")]);
    }

    #[test]
    fn links_and_spans_of_a_line() {
        assert_eq!(links("see [c](d.md) and [e](f/g.md#h)"), ["d.md", "f/g.md#h"]);
        assert_eq!(spans("see `a/b.rs` and `x`"), ["a/b.rs", "x"]);
    }
}
