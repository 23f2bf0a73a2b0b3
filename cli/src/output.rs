//! The one place that writes to standard output and standard error.

use std::io::{self, IsTerminal as _, Write as _};

use anyhow::Context as _;
use clap::ValueEnum;

use crate::grid::Grid;

/// How results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Aligned, for reading.
    Table,
    /// JSON, for programs.
    Json,
    /// Comma-separated rows, for spreadsheets.
    Csv,
}

/// The language of headings and refusals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Lang {
    /// English.
    En,
    /// 中文。
    Zh,
}

impl Lang {
    /// The language of the environment; English unless it says Chinese.
    fn of_environment(value: impl Fn(&str) -> Option<String>) -> Self {
        let set = ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().filter_map(value).find(|text| !text.is_empty());
        if set.is_some_and(|text| text.starts_with("zh")) { Self::Zh } else { Self::En }
    }
}

/// How the one who asked wants to read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct View {
    /// How results are printed.
    pub(crate) format: Format,
    /// In which language.
    pub(crate) lang: Lang,
}

impl View {
    /// What the arguments and the environment say.
    pub(crate) fn new(format: Format, lang: Option<Lang>) -> Self {
        let lang = lang.unwrap_or_else(|| Lang::of_environment(|name| std::env::var(name).ok()));
        Self { format, lang }
    }

    /// The words in the reader's language.
    pub(crate) fn words<'a>(&self, english: &'a str, chinese: &'a str) -> &'a str {
        match self.lang {
            Lang::En => english,
            Lang::Zh => chinese,
        }
    }

    /// Whether results are printed as JSON.
    pub(crate) fn is_json(&self) -> bool {
        self.format == Format::Json
    }

    /// Prints a result: the page for readers, its grid for spreadsheets, the JSON for programs.
    pub(crate) fn show(&self, page: &Page, json: &str) -> anyhow::Result<()> {
        match (self.format, &page.grid) {
            (Format::Json, _) => say(json),
            (Format::Csv, Some(grid)) => print(&grid.csv()),
            _ => print(&page.text()),
        }
    }
}

/// A result for reading: facts, then a grid, then remarks; any of them may be absent.
#[derive(Debug, Default)]
pub(crate) struct Page {
    facts: Vec<(String, String)>,
    grid: Option<Grid>,
    remarks: Vec<String>,
}

impl Page {
    /// A page that is a grid.
    pub(crate) fn of(grid: Grid) -> Self {
        Self { grid: Some(grid), ..Self::default() }
    }

    /// Adds a fact.
    pub(crate) fn fact(mut self, name: &str, value: impl ToString) -> Self {
        self.facts.push((name.to_owned(), value.to_string()));
        self
    }

    /// Adds a remark.
    pub(crate) fn remark(mut self, text: impl Into<String>) -> Self {
        self.remarks.push(text.into());
        self
    }

    fn text(&self) -> String {
        let mut parts = Vec::new();
        if !self.facts.is_empty() {
            parts.push(Grid::of_facts(&self.facts).text());
        }
        parts.extend(self.grid.as_ref().map(Grid::text));
        if !self.remarks.is_empty() {
            parts.push(self.remarks.iter().map(|line| format!("{line}\n")).collect());
        }
        parts.join("\n")
    }
}

/// Prints a line.
pub(crate) fn say(line: &str) -> anyhow::Result<()> {
    print(&format!("{line}\n"))
}

/// Prints text as it is. Whoever closes the pipe has read enough; a full disk is a failure.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error).context("the result cannot be printed"),
        _ => Ok(()),
    }
}

/// Says what went wrong, on standard error. Where that cannot be written to, nobody is there to be told.
pub(crate) fn complain(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Says what takes long, on standard error, if somebody watches.
pub(crate) fn progress(text: &str) {
    if io::stderr().is_terminal() {
        complain(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_variable_that_is_set_gives_the_language() {
        let lang = |set: &[(&str, &str)]| {
            let find = |name: &str| set.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
            Lang::of_environment(find)
        };
        assert_eq!(lang(&[]), Lang::En);
        assert_eq!(lang(&[("LANG", "zh_CN.UTF-8")]), Lang::Zh);
        assert_eq!(lang(&[("LC_ALL", ""), ("LANG", "zh_CN.UTF-8")]), Lang::Zh);
        assert_eq!(lang(&[("LC_ALL", "C"), ("LANG", "zh_CN.UTF-8")]), Lang::En);
    }

    #[test]
    fn a_page_puts_empty_lines_between_its_parts() {
        let grid = Grid::new(["a"]).row(["1".into()]);
        let page = Page::of(grid).fact("name", "x").remark("done");
        assert_eq!(page.text(), "name  x\n\na\n-\n1\n\ndone\n");
    }
}
