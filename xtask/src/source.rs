//! The repository's own files, and which of their lines are tests.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

/// A text file of the repository.
#[derive(Debug)]
pub(crate) struct Source {
    /// Its path from the top of the repository, with `/` between the parts.
    pub path: String,
    /// All of it.
    pub text: String,
}

impl Source {
    /// Every text file that git tracks or would track.
    pub(crate) fn all(root: &Path) -> Result<Vec<Self>> {
        let out = Command::new("git")
            .current_dir(root)
            .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate"])
            .output()
            .context("cannot start git, which lists the files to check")?;
        ensure!(out.status.success(), "git ls-files failed: {}", String::from_utf8_lossy(&out.stderr).trim());
        let names = String::from_utf8(out.stdout).context("a file name is not UTF-8")?;
        let mut files = Vec::new();
        for name in names.split('\0').filter(|name| !name.is_empty()) {
            // A tracked file that was deleted, or a binary file: nothing to read.
            let Ok(bytes) = std::fs::read(root.join(name)) else {
                continue;
            };
            let Ok(text) = String::from_utf8(bytes) else { continue };
            files.push(Self { path: name.to_owned(), text });
        }
        files.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(files)
    }

    /// Whether it is Rust.
    pub(crate) fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    /// Whether it is a program that must not compile, kept as data for trybuild.
    pub(crate) fn is_forbidden_program(&self) -> bool {
        self.path.contains("/tests/fail/")
    }

    /// Whether the whole file is tests: a test folder, a file of unit tests, or the test crate.
    pub(crate) fn is_test(&self) -> bool {
        let stem = self.path.rsplit('/').next().unwrap_or_default().trim_end_matches(".rs");
        let folder = self.path.split('/').any(|part| part == "tests" || part == "benches");
        folder || stem == "tests" || stem.ends_with("_tests") || self.path.starts_with("exactness/")
    }

    /// The lines before the trailing `#[cfg(test)] mod … {`.
    pub(crate) fn body(&self) -> Vec<&str> {
        let lines: Vec<&str> = self.text.lines().collect();
        let cut = (0..lines.len()).find(|at| opens_unit_tests(lines.get(*at..).unwrap_or_default()));
        lines.into_iter().take(cut.unwrap_or(usize::MAX)).collect()
    }
}

/// Whether a unit-test module with its body starts here.
fn opens_unit_tests(lines: &[&str]) -> bool {
    let mut rest = lines.iter();
    if !rest.next().is_some_and(|line| line.starts_with("#[cfg(test)]") || line.starts_with("#[cfg(all(test")) {
        return false;
    }
    let module = rest.find(|line| !line.starts_with("#[") && !line.starts_with("//") && !line.starts_with(")]"));
    module.is_some_and(|line| line.starts_with("mod ") && line.ends_with('{'))
}

/// A function that stands in a file: its first line's number from 1, and how many lines it takes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Function {
    /// Where it starts.
    pub line: usize,
    /// From its signature to its closing brace.
    pub lines: usize,
}

/// The functions of rustfmt's output: each ends at the brace with its own indentation.
pub(crate) fn functions(body: &[&str]) -> Vec<Function> {
    let mut found = Vec::new();
    for (at, line) in body.iter().enumerate().filter(|(_, line)| is_signature(line.trim_start())) {
        let indent = line.len() - line.trim_start().len();
        let rest = body.get(at..).unwrap_or_default();
        let opens = rest.iter().position(|line| line.ends_with('{') || line.ends_with(';') || line.ends_with('}'));
        let Some(open) = opens.filter(|open| rest.get(*open).is_some_and(|line| line.ends_with('{'))) else {
            continue;
        };
        let end = format!("{:indent$}}}", "");
        if let Some(close) = rest.iter().skip(open).position(|line| **line == end) {
            found.push(Function { line: at + 1, lines: open + close + 1 });
        }
    }
    found
}

fn is_signature(line: &str) -> bool {
    let mut rest = line;
    if let Some(after) = rest.strip_prefix("pub(") {
        rest = after.split_once(") ").map_or("", |(_, after)| after);
    }
    for word in ["pub ", "default ", "const ", "async ", "unsafe ", "extern \"C\" "] {
        rest = rest.strip_prefix(word).unwrap_or(rest);
    }
    rest.starts_with("fn ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> Source {
        Source { path: path.to_owned(), text: text.to_owned() }
    }

    #[test]
    fn unit_tests_are_cut_off_and_a_module_file_is_not() {
        let with =
            file("a/src/b.rs", "//! B.\nfn f() {}\n#[cfg(test)]\n#[expect(x, reason = \"t\")]\nmod tests {\n}\n");
        assert_eq!(with.body().len(), 2);
        let named = file("a/src/b.rs", "//! B.\n#[cfg(test)]\nmod tests;\nfn f() {}\n");
        assert_eq!(named.body().len(), 4);
    }

    #[test]
    fn test_files_are_known_by_their_place_and_name() {
        for path in ["a/tests/it/main.rs", "a/src/b_tests.rs", "a/src/b/tests.rs", "exactness/src/lib.rs"] {
            assert!(file(path, "").is_test(), "{path}");
        }
        assert!(!file("a/src/attests.rs", "").is_test());
    }

    #[test]
    fn a_function_is_measured_from_signature_to_brace() {
        let text = "pub(crate) fn a(\n    b: u8,\n) -> u8 {\n    b\n}\nfn one() {}\ntrait T {\n    fn c();\n    async fn d() {\n    }\n}";
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(functions(&lines), [Function { line: 1, lines: 5 }, Function { line: 9, lines: 2 }]);
    }
}
