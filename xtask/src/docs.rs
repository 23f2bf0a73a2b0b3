//! The steps `docs` and `commands`: what the documents say is there.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result};

use crate::guide_script::{GUIDES, different_blocks};
use crate::markdown::{Fence, fences, headings, links, prose, spans};
use crate::source::Source;
use crate::step::{Report, cargo};

/// Both READMEs, the first one leading.
pub(crate) const READMES: [&str; 2] = ["README.md", "README.zh-CN.md"];

/// What `cargo xtask` can be asked, as a README may write it.
const XTASK_COMMANDS: &[&str] = &["attack", "bench", "browser", "check", "clients", "guests", "guide"];

/// The sections of a decision record, in their order.
const DECISION_SECTIONS: [&str; 3] = ["Context", "Decision", "Consequences"];

/// Endings of the files whose names in `code spans` must exist.
const NAMED_ENDINGS: [&str; 5] = [".rs", ".md", ".toml", ".py", ".parquet"];

/// Reads every Markdown file of the repository.
pub(crate) fn step(root: &Path) -> Result<Report> {
    let files = Source::all(root)?;
    let pages: Vec<&Source> = files.iter().filter(|file| file.path.ends_with(".md")).collect();
    let mut problems = Vec::new();
    for page in &pages {
        problems.extend(dead_links(root, page));
        problems.extend(dead_names(root, page));
    }
    problems.extend(decisions(&pages));
    let [english, chinese] = READMES.map(|name| pages.iter().find(|page| page.path == name));
    match (english, chinese) {
        (Some(english), Some(chinese)) => {
            problems.extend(same_shape(english, chinese));
            problems.extend([english, chinese].into_iter().filter_map(|page| unmeasured(page)));
            problems.extend(xtask_commands(english));
            problems.extend(python(english)?);
        }
        _ => problems.push(format!("{READMES:?} are not both there")),
    }
    for guide in GUIDES {
        match guide.map(|name| pages.iter().find(|page| page.path == name)) {
            [Some(english), Some(chinese)] => {
                problems.extend(same_shape(english, chinese));
                problems.extend(different_blocks(guide, &english.text, &chinese.text));
            }
            _ => problems.push(format!("{guide:?} are not both there")),
        }
    }
    Ok(Report { problems, notes: vec![format!("{} pages", pages.len())], ..Report::default() })
}

/// Asks the built binary for help on every `cargo run -- …` and `glovebox …` of the READMEs.
pub(crate) fn commands(root: &Path) -> Result<Report> {
    let text = std::fs::read_to_string(root.join(READMES[0])).context("cannot read README.md")?;
    let mut report = Report::default();
    for verbs in product_commands(&text) {
        let mut command = cargo(root);
        command.args(["run", "--locked", "--quiet", "--"]).args(&verbs).arg("--help");
        let status = command.stdout(Stdio::null()).status().context("cannot start cargo run")?;
        let line = format!("glovebox {}", verbs.join(" "));
        if status.success() {
            report.notes.push(line);
        } else {
            report.problems.push(format!("README.md names `{line}`, which the binary does not know"));
        }
    }
    Ok(report)
}

fn shell_lines(text: &str) -> Vec<String> {
    let shell = |fence: &Fence<'_>| matches!(fence.info, "sh" | "bash" | "shell" | "console");
    let blocks = fences(text).into_iter().filter(shell);
    let joined = blocks.map(|fence| fence.lines.join("\n").replace("\\\n", " "));
    joined.flat_map(|block| block.lines().map(|line| line.trim().to_owned()).collect::<Vec<_>>()).collect()
}

fn product_commands(text: &str) -> Vec<Vec<String>> {
    let verb = |word: &&str| word.chars().all(|c| c.is_ascii_lowercase() || c == '-') && !word.starts_with('-');
    let mut found: Vec<Vec<String>> = shell_lines(text)
        .iter()
        .filter_map(|line| line.strip_prefix("cargo run -- ").or_else(|| line.strip_prefix("glovebox ")))
        .map(|rest| rest.split_whitespace().take_while(verb).map(str::to_owned).collect())
        .collect();
    found.sort();
    found.dedup();
    found
}

fn xtask_commands(page: &Source) -> Vec<String> {
    let lines = shell_lines(&page.text);
    let asked = lines.iter().filter_map(|line| line.strip_prefix("cargo xtask "));
    let unknown = asked.filter(|rest| !XTASK_COMMANDS.contains(&rest.split_whitespace().next().unwrap_or_default()));
    unknown.map(|rest| format!("{}: there is no `cargo xtask {rest}`", page.path)).collect()
}

/// Python blocks are at least Python; `cargo xtask clients` runs them.
fn python(page: &Source) -> Result<Vec<String>> {
    let mut problems = Vec::new();
    for block in fences(&page.text).iter().filter(|fence| fence.info == "python") {
        let code = block.lines.join("\n");
        let out =
            Command::new("python3").args(["-c", "import sys; compile(sys.argv[1], 'README', 'exec')", &code]).output();
        let out = out.context("cannot start python3, which reads the examples of the README")?;
        if !out.status.success() {
            problems.push(format!("{}: a Python block does not parse", page.path));
        }
    }
    Ok(problems)
}

/// A place that waits for a measured number.
fn unmeasured(page: &Source) -> Option<String> {
    let waits = page.text.contains("-->MINUTES<!--");
    waits.then(|| format!("{}: a place for measured minutes is not filled in", page.path))
}

/// Both languages have the same sections and, comments aside, the same code.
fn same_shape(one: &Source, other: &Source) -> Vec<String> {
    let levels = |page: &Source| headings(&page.text).iter().map(|(level, _)| *level).collect::<Vec<_>>();
    let mut problems = Vec::new();
    if levels(one) != levels(other) {
        problems.push(format!("{} and {} do not have the same sections", one.path, other.path));
    }
    if code(one) != code(other) {
        problems.push(format!("{} and {} do not have the same code blocks", one.path, other.path));
    }
    problems
}

fn code(page: &Source) -> Vec<String> {
    let blocks = fences(&page.text).into_iter().filter(|fence| matches!(fence.info, "sh" | "python" | "sql" | "json"));
    let lines = blocks.flat_map(|fence| fence.lines);
    lines.map(|line| line.split('#').next().unwrap_or_default().trim_end().to_owned()).collect()
}

fn decisions(pages: &[&Source]) -> Vec<String> {
    let mut problems = Vec::new();
    let mut numbers = Vec::new();
    for page in pages {
        let Some(name) = page.path.strip_prefix("docs/decisions/") else {
            continue;
        };
        let number = name.split('-').next().unwrap_or_default();
        if number.len() != 4 || !number.chars().all(|c| c.is_ascii_digit()) {
            problems.push(format!("{}: is not named NNNN-what.md", page.path));
        }
        if numbers.contains(&number) {
            problems.push(format!("{}: another decision has the number {number}", page.path));
        }
        numbers.push(number);
        let sections: Vec<&str> =
            headings(&page.text).iter().filter(|(level, _)| *level == 2).map(|(_, t)| *t).collect();
        let wanted = sections.iter().filter(|title| DECISION_SECTIONS.contains(title)).copied().collect::<Vec<_>>();
        if wanted != DECISION_SECTIONS {
            problems.push(format!("{}: needs the sections {DECISION_SECTIONS:?} in this order", page.path));
        }
    }
    problems
}

fn dead_links(root: &Path, page: &Source) -> Vec<String> {
    let folder = root.join(&page.path);
    let folder = folder.parent().unwrap_or(root);
    let mut problems = Vec::new();
    for (number, line) in prose(&page.text) {
        for target in links(line) {
            let path = target.split('#').next().unwrap_or_default();
            if path.is_empty() || target.contains("://") || target.starts_with("mailto:") {
                continue;
            }
            if !folder.join(path).exists() {
                problems.push(format!("{}:{number}: the link `{target}` leads nowhere", page.path));
            }
        }
    }
    problems
}

/// A path of the repository in a `code span` exists.
fn dead_names(root: &Path, page: &Source) -> Vec<String> {
    let mut problems = Vec::new();
    for (number, line) in prose(&page.text) {
        for name in spans(line) {
            let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '/' | '_' | '-' | '.'));
            let names_file = name.contains('/') && NAMED_ENDINGS.iter().any(|ending| name.ends_with(ending));
            // What an outside package or a state directory holds is not ours to have.
            let ours = name.split('/').next().is_some_and(|top| root.join(top).exists());
            if plain && names_file && ours && !root.join(name).exists() {
                problems.push(format!("{}:{number}: there is no `{name}`", page.path));
            }
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(path: &str, text: &str) -> Source {
        Source { path: path.to_owned(), text: text.to_owned() }
    }

    #[test]
    fn commands_are_cut_at_the_first_word_that_is_no_verb() {
        let text = "```sh\ncargo run -- demo --exit\nglovebox dataset add \\\n  a.toml\ncargo xtask check\n```\n";
        assert_eq!(product_commands(text), [vec!["dataset".to_owned(), "add".to_owned()], vec!["demo".to_owned()]]);
        assert!(xtask_commands(&page("README.md", text)).is_empty());
        assert_eq!(xtask_commands(&page("README.md", "```sh\ncargo xtask dance\n```\n")).len(), 1);
    }

    #[test]
    fn two_languages_share_sections_and_code_but_not_comments() {
        let one = page("README.md", "# A\n## B\n```sh\nls # list\n```\n");
        assert!(same_shape(&one, &page("zh", "# 甲\n## 乙\n```sh\nls # 列出\n```\n")).is_empty());
        assert_eq!(same_shape(&one, &page("zh", "# 甲\n```sh\nls -l\n```\n")).len(), 2);
    }

    #[test]
    fn a_decision_without_consequences_is_named() {
        let good = page("docs/decisions/0001-a.md", "# A\n## Context\n## Decision\n## Consequences\n");
        let bad = page("docs/decisions/0001-b.md", "# B\n## Context\n## Decision\n");
        assert!(decisions(&[&good]).is_empty());
        assert_eq!(decisions(&[&good, &bad]).len(), 2);
    }
}
