//! How the officer's page is laid out, so that nothing an author writes can pass for a line that the product wrote.
//!
//! INVARIANT (whose line it is): a line's beginning says who wrote it. The product's lines begin with a character in the
//! first column (titles), after two blanks (facts), or after [`VALUE`] blanks (their continuations). An author's text
//! begins in column [`GUTTER`] + 2, behind `| `, or behind `> ` where a long line goes on. No line is longer than [`COLUMNS`],
//! with every character beyond ASCII counted as two columns, as the widest terminals show it: so a terminal of that width
//! never wraps a line by itself, and no author's character gets into a column before that.
//!
//! INVARIANT (exact): an author's text can be read back from its lines. What a terminal does not show as itself is `\u{…}`;
//! a blank at an end of a text or of a line is `\u{20}`; n blanks in a row are `\u{20×n}`; a backslash that would begin such
//! a thing is `\u{5c}`. The one newline that ends a text is not shown.

use std::fmt::Write as _;

use glovebox_policy::text::{shows_itself, spelled_out};

/// The width of the page.
pub(crate) const COLUMNS: usize = 80;
/// The column in which the value of a fact begins: a digest just fits behind it.
const VALUE: usize = 16;
/// The width of what the product says of a line of an author's text: a sign, or its number.
const GUTTER: usize = 8;
/// Columns that an author's text has on a line.
const TEXT: usize = COLUMNS - GUTTER - 2;

/// A page while it is written.
#[derive(Debug, Default)]
pub(crate) struct Sheet {
    out: String,
}

impl Sheet {
    /// The page's text.
    pub(crate) fn into_text(self) -> String {
        self.out
    }

    fn line(&mut self, text: &str) {
        self.out.push_str(text);
        self.out.push('\n');
    }

    /// The page's title: the product's words alone.
    pub(crate) fn title(&mut self, title: &str) {
        self.line(title);
    }

    /// The head of a section: the product's words alone.
    pub(crate) fn section(&mut self, number: u8, title: &str) {
        self.line(&format!("\n[{number}] {title}"));
    }

    /// A fact: a word of the product, and a value that no author wrote. A long value goes on below itself.
    pub(crate) fn fact(&mut self, what: &str, value: &str) {
        let mut head = format!("  {what}{}", " ".repeat(VALUE.saturating_sub(2 + width(what))));
        for row in rows(words(value), COLUMNS - VALUE) {
            self.line(format!("{head}{row}").trim_end());
            head = " ".repeat(VALUE);
        }
    }

    /// Text of an author, line by line.
    pub(crate) fn author(&mut self, text: &str) {
        let text = text.strip_suffix('\n').unwrap_or(text);
        text.split('\n').for_each(|line| self.marked("", line));
    }

    /// One line of an author's text, with a short sign of the product's before it.
    pub(crate) fn marked(&mut self, sign: &str, line: &str) {
        self.authored(sign, pieces(line, false));
    }

    /// A name that an author chose, between quotation marks, with a short sign of the product's before it.
    pub(crate) fn quoted(&mut self, sign: &str, name: &str) {
        let inner = pieces(name, true);
        let mark = || "\"".to_owned();
        self.authored(sign, [mark()].into_iter().chain(inner).chain([mark()]).collect());
    }

    fn authored(&mut self, sign: &str, pieces: Vec<String>) {
        let mut head = format!("{sign:>width$} | ", width = GUTTER - 1);
        for row in rows(pieces, TEXT) {
            self.line(format!("{head}{row}").trim_end());
            head = format!("{:GUTTER$}> ", "");
        }
    }
}

/// How many columns a text takes at most.
fn width(text: &str) -> usize {
    text.chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum()
}

/// The product's own text in pieces: words with the blank behind them, and single characters of words that are Chinese or
/// would not fit on a line.
fn words(text: &str) -> Vec<String> {
    let mut pieces: Vec<String> = Vec::new();
    for word in spelled_out(text).split_inclusive(' ') {
        if word.is_ascii() && width(word.trim_end()) <= COLUMNS - VALUE {
            pieces.push(word.to_owned());
            continue;
        }
        for c in word.chars() {
            match pieces.last_mut() {
                Some(last) if c == ' ' => last.push(c),
                _ => pieces.push(c.to_string()),
            }
        }
    }
    pieces
}

/// An author's line in pieces that stay whole: characters as they are, or spelled out.
fn pieces(line: &str, within_quotes: bool) -> Vec<String> {
    let mut out = Vec::with_capacity(line.len());
    let mut rest = line;
    while let Some(c) = rest.chars().next() {
        let after = rest.trim_start_matches(' ');
        let blanks = rest.len() - after.len();
        let at_an_end = out.is_empty() || after.is_empty();
        rest = if blanks > 0 { after } else { rest.get(c.len_utf8()..).unwrap_or_default() };
        out.push(match c {
            ' ' if blanks > 1 => format!("\\u{{20×{blanks}}}"),
            ' ' if at_an_end => BLANK.to_owned(),
            '\\' if rest.starts_with("u{") => c.escape_unicode().to_string(),
            '"' if within_quotes => c.escape_unicode().to_string(),
            _ if shows_itself(c) => c.to_string(),
            _ => c.escape_unicode().to_string(),
        });
    }
    out
}

/// A blank that would not be seen.
const BLANK: &str = "\\u{20}";

/// Pieces on lines of at most so many columns.
fn rows(pieces: Vec<String>, columns: usize) -> Vec<String> {
    let (mut rows, mut row, mut used) = (Vec::new(), String::new(), 0);
    let mut pieces = pieces.into_iter().peekable();
    while let Some(piece) = pieces.next() {
        let next = pieces.peek().map_or(0, |piece| width(piece));
        let piece = if piece == " " && (used == 0 || used + 1 + next > columns) { BLANK } else { &piece };
        if used + width(piece.trim_end()) > columns {
            rows.push(std::mem::take(&mut row));
            used = 0;
        }
        let _ = write!(row, "{piece}");
        used += width(piece);
    }
    rows.push(row);
    rows
}

#[cfg(test)]
#[path = "layout_tests.rs"]
pub(super) mod tests;
