//! What is expected of every attack: the file `expected.snap`, one line each.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context as _, Result};

use crate::attack::{Attack, folder};
use crate::suite::{Cells, Suite};

/// What the file begins with.
const HEAD: &str = "\
# What becomes of each hostile guest: its name, the stage that ends it (check, spec, compile, run), and the words; for
# those that run, whose rows counted (R) and who is the default (D), unit by unit, and the exact cells by key.
# Made by the tests of sandbox/evil with BLESS=1.
";

/// What became of each attack, by name.
pub type Record = BTreeMap<String, String>;

/// Where the record lies.
pub fn path() -> PathBuf {
    folder().join("expected.snap")
}

/// The record as it is committed.
///
/// # Errors
/// When it cannot be read.
pub fn committed() -> Result<Record> {
    let text = std::fs::read_to_string(path()).context("cannot read expected.snap")?;
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    Ok(lines.filter_map(|line| line.split_once(": ")).map(|(name, ending)| (name.into(), ending.into())).collect())
}

/// Writes the record anew.
///
/// # Errors
/// When the file cannot be written.
pub fn bless(record: &Record) -> Result<()> {
    let lines: String = record.iter().map(|(name, ending)| format!("{name}: {ending}\n")).collect();
    std::fs::write(path(), format!("{HEAD}{lines}")).context("cannot write expected.snap")
}

/// Hands in an attack and gives its line. A sandbox that hangs or contradicts itself has a line, too.
pub async fn observe(suite: &Suite, attack: &Attack) -> String {
    let ending = suite.ending(attack).await;
    ending.map_or_else(|error| format!("BROKEN: {error:#}"), |ending| ending.to_string())
}

/// Every attack whose ending is not the expected one, in words. Empty when nothing differs.
pub fn differences(expected: &Record, found: &Record) -> Vec<String> {
    let names: std::collections::BTreeSet<&String> = expected.keys().chain(found.keys()).collect();
    let none = "nothing".to_owned();
    let of = |record: &Record, name: &String| record.get(name).unwrap_or(&none).clone();
    let pairs = names.into_iter().map(|name| (name, of(expected, name), of(found, name)));
    let differing = pairs.filter(|(_, expected, found)| expected != found);
    differing.map(|(name, expected, found)| format!("{name}\n    expected {expected}\n    found    {found}")).collect()
}

/// Exact cells as a line of the record has them.
pub fn cells(cells: &Cells) -> String {
    let family = |family: &Vec<i128>| family.iter().map(i128::to_string).collect::<Vec<_>>().join(" ");
    let named = ["values", "units"].iter().zip(cells);
    named.map(|(name, cells)| format!(" | {name} {}", family(cells))).collect()
}
