//! The step `rules`: how our files are written.

use std::path::Path;

use anyhow::{Context as _, Result};

use crate::source::{Source, functions};
use crate::step::Report;
use crate::workspace::Workspace;

/// Lines of a file, tests left out, beyond which a reader is warned.
const FILE_WARN_LINES: usize = 400;

/// Lines of a file, tests left out, that none may exceed.
const FILE_MAX_LINES: usize = 600;

/// Lines of a function that none may exceed.
const FUNCTION_MAX_LINES: usize = 70;

/// Words that mark an open end. Written in halves, so that this file does not accuse itself.
const OPEN_ENDS: &[&str] = &[concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X")];

/// Beginnings of paths that exist on one machine only.
const MACHINE_PATHS: &[&str] = &[
    concat!("/ro", "ot/"),
    concat!("/ho", "me/"),
    concat!("/wo", "rk/"),
    concat!("/Us", "ers/"),
    concat!("../sh", "ared"),
];

/// Crates that state their lints themselves: an allocator for guests is beyond safe Rust.
const OWN_LINTS: &[&str] = &["glovebox-guest-sdk"];

/// Checks every text file that git tracks or would track.
pub(crate) fn step(root: &Path) -> Result<Report> {
    let files = Source::all(root)?;
    let mut report = Report::default();
    for file in &files {
        report.join(of_file(file));
    }
    report.problems.extend(lints(root)?);
    report.notes.push(format!("{} text files", files.len()));
    Ok(report)
}

fn of_file(file: &Source) -> Report {
    let mut report = Report::of(machine_paths(file));
    report.problems.extend(open_ends(file));
    if file.is_rust() && !file.is_forbidden_program() {
        report.problems.extend(opening(file));
        if !file.is_test() {
            report.join(sizes(file));
        }
    }
    report
}

fn opening(file: &Source) -> Option<String> {
    let first = file.text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    (!first.starts_with("//!")).then(|| format!("{}: does not open with `//!`: say what it is", file.path))
}

fn sizes(file: &Source) -> Report {
    let mut report = Report::default();
    let body = file.body();
    let size = body.len();
    if size > FILE_MAX_LINES {
        report.problems.push(format!("{}: {size} lines, more than {FILE_MAX_LINES}; split it", file.path));
    } else if size > FILE_WARN_LINES {
        report.warnings.push(format!("{}: {size} lines, more than {FILE_WARN_LINES}", file.path));
    }
    for function in functions(&body).iter().filter(|function| function.lines > FUNCTION_MAX_LINES) {
        let (line, lines) = (function.line, function.lines);
        report
            .problems
            .push(format!("{}:{line}: a function of {lines} lines, more than {FUNCTION_MAX_LINES}", file.path));
    }
    report
}

fn open_ends(file: &Source) -> Vec<String> {
    let numbered = |line: &str| line.split('#').skip(1).any(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    let lines = (1..).zip(file.text.lines());
    lines
        .filter(|(_, line)| OPEN_ENDS.iter().any(|word| has_word(line, word)) && !numbered(line))
        .map(|(number, _)| format!("{}:{number}: an open end without an issue number (#N)", file.path))
        .collect()
}

fn has_word(line: &str, word: &str) -> bool {
    let letter = |c: char| c.is_ascii_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        let before = line.get(..at).and_then(|front| front.chars().next_back());
        let after = line.get(at + word.len()..).and_then(|back| back.chars().next());
        !before.is_some_and(letter) && !after.is_some_and(letter)
    })
}

fn machine_paths(file: &Source) -> Vec<String> {
    let names_one = |line: &str| {
        MACHINE_PATHS.iter().any(|path| {
            // Inside a longer path or an address the same letters mean something else.
            line.match_indices(path).any(|(at, _)| {
                let before = line.get(..at).and_then(|front| front.chars().next_back());
                !before.is_some_and(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '}' | '>'))
            })
        })
    };
    let lines = (1..).zip(file.text.lines());
    lines
        .filter(|(_, line)| names_one(line))
        .map(|(number, _)| format!("{}:{number}: names a path of one machine", file.path))
        .collect()
}

/// The workspace's lints that a crate's own lints leave out or set otherwise; `unsafe_code` may be denied, not forbidden.
fn weaker(wanted: &toml::Value, own: &toml::Value) -> Vec<String> {
    let mut found = Vec::new();
    for (tool, lints) in wanted.as_table().into_iter().flatten() {
        for (lint, level) in lints.as_table().into_iter().flatten() {
            let has = own.get(tool).and_then(|lints| lints.get(lint));
            let denied = lint == "unsafe_code" && has.and_then(toml::Value::as_str) == Some("deny");
            if has != Some(level) && !denied {
                found.push(format!("{tool}.{lint}"));
            }
        }
    }
    found
}

/// Every member takes the workspace's lints, or states them itself where it must have `unsafe`, and says in its manifest what it is.
fn lints(root: &Path) -> Result<Vec<String>> {
    let text = std::fs::read_to_string(root.join("Cargo.toml")).context("cannot read Cargo.toml")?;
    let workspace: toml::Table = text.parse().context("Cargo.toml is not TOML")?;
    let wanted = workspace.get("workspace").and_then(|workspace| workspace.get("lints"));
    let wanted = wanted.cloned().context("Cargo.toml has no [workspace.lints]")?;
    let mut problems = Vec::new();
    for member in Workspace::load(root)?.members() {
        let text = std::fs::read_to_string(&member.manifest_path)
            .with_context(|| format!("cannot read the manifest of `{}`", member.name))?;
        let manifest: toml::Table = text.parse().with_context(|| format!("manifest of `{}`", member.name))?;
        let own = manifest.get("lints").cloned().unwrap_or(toml::Value::Boolean(false));
        if OWN_LINTS.contains(&member.name.as_str()) {
            problems.extend(weaker(&wanted, &own).into_iter().map(|lint| format!("`{}` weakens {lint}", member.name)));
        } else if own.get("workspace").and_then(toml::Value::as_bool) != Some(true) {
            problems
                .push(format!("`{}` does not take the workspace's lints: add [lints] workspace = true", member.name));
        }
        let about = manifest.get("package").and_then(|package| package.get("description"));
        if about.and_then(toml::Value::as_str).is_none_or(str::is_empty) {
            problems.push(format!("`{}` has no description in its manifest", member.name));
        }
    }
    Ok(problems)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn problems(path: &str, text: &str) -> Vec<String> {
        of_file(&Source { path: path.to_owned(), text: text.to_owned() }).problems
    }

    #[test]
    fn a_file_in_order_passes() {
        let open = concat!("//! Fine.\n// TO", "DO(#7): later.\n");
        assert!(problems("a/src/b.rs", open).is_empty());
    }

    #[test]
    fn each_rule_catches_its_planted_fault() {
        assert_eq!(problems("a/src/b.rs", "fn f() {}\n").len(), 1);
        assert_eq!(problems("a/src/b.rs", concat!("//! B.\n// TO", "DO: later.\n")).len(), 1);
        assert_eq!(problems("a/b.toml", concat!("x = \"/ho", "me/me/data\"\n")).len(), 1);
        assert_eq!(problems("a/src/b.rs", &format!("//! B.\n{}", "// x\n".repeat(600))).len(), 1);
        let long = format!("//! B.\nfn f() {{\n{}}}\n", "    x();\n".repeat(69));
        assert_eq!(problems("a/src/b.rs", &long).len(), 1);
    }

    #[test]
    fn lints_of_its_own_may_deny_unsafe_code_and_weaken_nothing() {
        let lints = |text: &str| toml::Value::Table(text.parse().unwrap());
        let wanted = lints("rust.unsafe_code = 'forbid'\nrust.missing_docs = 'deny'");
        assert!(weaker(&wanted, &lints("rust.unsafe_code = 'deny'\nrust.missing_docs = 'deny'")).is_empty());
        assert_eq!(weaker(&wanted, &lints("rust.unsafe_code = 'warn'")), ["rust.missing_docs", "rust.unsafe_code"]);
    }

    #[test]
    fn an_address_is_no_path_of_a_machine() {
        assert!(problems("a/b.md", concat!("https://example.org/wo", "rk/x\n")).is_empty());
    }
}
