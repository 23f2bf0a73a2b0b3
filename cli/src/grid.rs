//! Rows and columns as text: aligned with regard to wide characters, or comma-separated.

use glovebox_policy::text::shows_itself;
use serde_json::Value;
use unicode_width::UnicodeWidthStr as _;

/// One cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Cell {
    /// A missing value.
    Missing,
    /// A number, aligned to the right.
    Number(String),
    /// Text.
    Text(String),
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<u64> for Cell {
    fn from(number: u64) -> Self {
        Self::Number(number.to_string())
    }
}

impl From<f64> for Cell {
    fn from(number: f64) -> Self {
        Self::Number(short(number))
    }
}

impl<T: Into<Cell>> From<Option<T>> for Cell {
    fn from(value: Option<T>) -> Self {
        value.map_or_else(|| Self::Text("-".to_owned()), Into::into)
    }
}

/// A plain JSON value as it came, every digit of it.
impl From<&Value> for Cell {
    fn from(value: &Value) -> Self {
        match value {
            Value::Null => Self::Missing,
            Value::Number(number) => Self::Number(number.to_string()),
            Value::String(text) => Self::Text(text.clone()),
            other => Self::Text(other.to_string()),
        }
    }
}

impl Cell {
    /// What a reader sees. A character that moves the cursor, recolours the screen or reorders text is spelled out.
    fn shown(&self) -> String {
        match self {
            Self::Missing => "NULL".to_owned(),
            Self::Number(text) | Self::Text(text) => plain(text),
        }
    }

    /// RFC 4180. An empty text is quoted, so that it differs from a missing value.
    fn quoted(&self) -> String {
        match self {
            Self::Missing => String::new(),
            Self::Number(text) => text.clone(),
            Self::Text(text) if text.is_empty() || text.contains(['"', ',', '\n', '\r']) => {
                format!("\"{}\"", text.replace('"', "\"\""))
            }
            Self::Text(text) => text.clone(),
        }
    }
}

/// Text with every character spelled out that a terminal does not show as itself; other output formats have it as it is.
pub(crate) fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if shows_itself(c) { out.push(c) } else { out.extend(c.escape_default()) }
    }
    out
}

/// A number in at most six significant digits, for reading.
pub(crate) fn short(number: f64) -> String {
    if number == 0.0 || !number.is_finite() {
        return number.to_string();
    }
    let exponent = number.abs().log10().floor();
    if !(-4.0..9.0).contains(&exponent) {
        let text = format!("{number:.5e}");
        let (digits, power) = text.split_once('e').unwrap_or((&text, "0"));
        return format!("{}e{power}", without_zeros(digits));
    }
    let decimals = (5.0 - exponent).max(0.0);
    // The exponent is between -4 and 8, so there are at most 9 decimals.
    let decimals = (0..=9_u8).find(|n| f64::from(*n) >= decimals).unwrap_or(9);
    without_zeros(&format!("{number:.0$}", usize::from(decimals)))
}

fn without_zeros(digits: &str) -> String {
    if digits.contains('.') { digits.trim_end_matches('0').trim_end_matches('.') } else { digits }.to_owned()
}

/// Rows under headings.
#[derive(Debug, Default, Clone)]
pub(crate) struct Grid {
    head: Vec<String>,
    rows: Vec<Vec<Cell>>,
}

impl Grid {
    /// A grid without rows.
    pub(crate) fn new(head: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { head: head.into_iter().map(Into::into).collect(), rows: Vec::new() }
    }

    /// Names and values, without headings.
    pub(crate) fn of_facts(facts: &[(String, String)]) -> Self {
        let rows = facts.iter().map(|(name, value)| vec![name.as_str().into(), value.as_str().into()]);
        Self { head: Vec::new(), rows: rows.collect() }
    }

    /// Adds a row.
    pub(crate) fn row(mut self, cells: impl IntoIterator<Item = Cell>) -> Self {
        self.rows.push(cells.into_iter().collect());
        self
    }

    /// Adds rows.
    pub(crate) fn rows(mut self, rows: impl IntoIterator<Item = Vec<Cell>>) -> Self {
        self.rows.extend(rows);
        self
    }

    /// How many rows there are.
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Aligned for reading.
    pub(crate) fn text(&self) -> String {
        let columns = self.rows.iter().map(Vec::len).chain([self.head.len()]).max().unwrap_or(0);
        let head: Vec<String> = self.head.iter().map(|text| plain(text)).collect();
        let shown: Vec<Vec<String>> = self.rows.iter().map(|row| row.iter().map(Cell::shown).collect()).collect();
        let width = |column: usize| {
            let cells = shown.iter().chain([&head]).filter_map(|row| row.get(column));
            cells.map(|text| text.width()).max().unwrap_or(0)
        };
        let layout: Vec<(usize, bool)> = (0..columns).map(|column| (width(column), self.is_number(column))).collect();
        let mut out = String::new();
        if !head.is_empty() {
            out.push_str(&line(&head, &layout));
            let rules: Vec<String> = layout.iter().map(|(width, _)| "-".repeat(*width)).collect();
            out.push_str(&line(&rules, &layout));
        }
        for row in &shown {
            out.push_str(&line(row, &layout));
        }
        out
    }

    /// Comma-separated, with a head line.
    pub(crate) fn csv(&self) -> String {
        let head = self.head.iter().map(|text| Cell::Text(text.clone()).quoted()).collect::<Vec<_>>().join(",");
        let rows = self.rows.iter().map(|row| row.iter().map(Cell::quoted).collect::<Vec<_>>().join(","));
        [head].into_iter().chain(rows).map(|line| line + "\n").collect()
    }

    fn is_number(&self, column: usize) -> bool {
        let mut cells = self.rows.iter().filter_map(|row| row.get(column)).filter(|cell| **cell != Cell::Missing);
        let first = cells.next().is_some_and(|cell| matches!(cell, Cell::Number(_)));
        first && cells.all(|cell| matches!(cell, Cell::Number(_)) || *cell == Cell::Text("-".to_owned()))
    }
}

fn line(cells: &[String], layout: &[(usize, bool)]) -> String {
    let mut out = String::new();
    for (at, (cell, (width, right))) in cells.iter().zip(layout).enumerate() {
        let gap = " ".repeat(width.saturating_sub(cell.width()));
        if at > 0 {
            out.push_str("  ");
        }
        if *right { out.extend([gap.as_str(), cell]) } else { out.extend([cell, gap.as_str()]) }
    }
    out.truncate(out.trim_end().len());
    out.push('\n');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_characters_take_two_places() {
        let grid = Grid::new(["名称", "n"]).row(["医疗".into(), 7_u64.into()]).row(["ab".into(), 1200_u64.into()]);
        assert_eq!(grid.text(), "名称     n\n----  ----\n医疗     7\nab    1200\n");
    }

    #[test]
    fn control_characters_are_spelled_out() {
        let grid = Grid::new(["x"]).row(["\u{1b}[31mred\nx".into()]);
        assert_eq!(grid.text(), "x\n---------------\n\\u{1b}[31mred\\nx\n".replace("---------------", &"-".repeat(16)));
    }

    /// The columns of a grid, and the lines of the officer's page, are counted on this.
    #[test]
    fn every_character_that_is_shown_takes_one_or_two_columns() {
        use unicode_width::UnicodeWidthChar as _;

        for c in ('\0'..=char::MAX).filter(|c| shows_itself(*c)) {
            let (narrow, wide) = (c.width().unwrap_or(0), c.width_cjk().unwrap_or(0));
            assert!(narrow >= 1 && wide <= if c.is_ascii() { 1 } else { 2 }, "{c:?}: {narrow}, {wide}");
        }
    }

    #[test]
    fn comma_separated_text_is_quoted_where_it_must_be() {
        let cells = vec![Cell::Missing, "".into(), "a,\"b\"".into(), Cell::Number("1.5".to_owned())];
        assert_eq!(Grid::new(["a", "b", "c", "d"]).row(cells).csv(), "a,b,c,d\n,\"\",\"a,\"\"b\"\"\",1.5\n");
    }

    #[test]
    fn numbers_are_short() {
        for (number, text) in [
            (0.0, "0"),
            (1.0, "1"),
            (0.05, "0.05"),
            (0.012_345_678, "0.0123457"),
            (123_456.78, "123457"),
            (1e-9, "1e-9"),
            (1.234_567_8e-12, "1.23457e-12"),
            (-2.5, "-2.5"),
            (1e12, "1e12"),
        ] {
            assert_eq!(short(number), text);
        }
    }
}
