//! The step `expose`: which files open protected data, compared with the list in ARCHITECTURE.md.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::Result;

use crate::architecture::block;
use crate::source::Source;
use crate::step::Report;

/// The methods of vault's `Expose`: called, or handed on by name.
const METHODS: &[&str] = &["expose", "expose_ref", "expose_mut", "seal"];

/// The three lawful sources of a `Public` value.
const CLAIMS: &[&str] = &["Public::from_request(", "Public::from_manifest(", "Public::from_release("];

/// Compares the files that call `Expose` with the block `expose-users`, and counts the claims that a value is public.
pub(crate) fn step(root: &Path) -> Result<Report> {
    let listed: BTreeSet<String> = block(root, "expose-users")?.into_keys().collect();
    let files = Source::all(root)?;
    let rust: Vec<&Source> = files.iter().filter(|file| file.is_rust()).collect();
    let mut report = Report::of(compare(&listed, &users(&rust)));
    // This crate holds the forbidden lines as text, to find them.
    for file in rust.iter().filter(|file| !file.is_forbidden_program() && !file.path.starts_with("xtask/")) {
        report.problems.extend(reexport(file));
    }
    report.notes.push(format!("{} files open protected data", listed.len()));
    report.notes.push(format!("places that claim a value is public: {}", claims(&rust)));
    Ok(report)
}

fn product<'a>(files: &'a [&'a Source]) -> impl Iterator<Item = &'a Source> {
    files.iter().copied().filter(|file| !file.is_test() && !file.path.starts_with("xtask/"))
}

/// The files outside tests that open or shut protected data. vault itself, where the methods live, is not a user.
fn users(files: &[&Source]) -> BTreeSet<String> {
    product(files)
        .filter(|file| !file.path.starts_with("vault/"))
        .filter(|file| file.body().iter().any(|line| opens(code(line))) && file.text.contains("Expose"))
        .map(|file| file.path.clone())
        .collect()
}

/// The line without its comment, as far as a line can tell.
fn code(line: &str) -> &str {
    line.split("//").next().unwrap_or_default()
}

fn opens(code: &str) -> bool {
    METHODS.iter().any(|method| {
        code.match_indices(method).any(|(at, _)| {
            let before = code.get(..at).and_then(|front| front.chars().next_back());
            let after = code.get(at + method.len()..).and_then(|back| back.chars().next());
            matches!(before, Some('.' | ':')) && !after.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | ':'))
        })
    })
}

fn compare(listed: &BTreeSet<String>, found: &BTreeSet<String>) -> Vec<String> {
    let new = found.difference(listed);
    let gone = listed.difference(found);
    new.map(|path| format!("{path} opens protected data and is not in the block expose-users of ARCHITECTURE.md"))
        .chain(gone.map(|path| format!("{path} is in the block expose-users and opens nothing; take it out")))
        .collect()
}

/// A public re-export would hand the trait to crates that do not depend on vault.
fn reexport(file: &Source) -> Option<String> {
    let hands_on = file.text.split("pub use ").skip(1).any(|rest| {
        let path = rest.split(';').next().unwrap_or_default();
        let words: Vec<&str> = path.split(|c: char| !c.is_alphanumeric() && c != '_' && c != '*').collect();
        let vault = words.contains(&"glovebox_vault");
        words.contains(&"Expose") || (vault && (words.contains(&"*") || !words.contains(&"Protected")))
    });
    let renamed = file.text.contains("pub extern crate glovebox_vault");
    (hands_on || renamed).then(|| format!("{}: hands vault's Expose to whoever imports it", file.path))
}

fn claims(files: &[&Source]) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for file in product(files) {
        let folder = file.path.split('/').next().unwrap_or_default();
        let here: usize =
            file.body().iter().map(|line| CLAIMS.iter().map(|c| code(line).matches(c).count()).sum::<usize>()).sum();
        if here > 0 {
            *counts.entry(folder).or_default() += here;
        }
    }
    let words: Vec<String> = counts.iter().map(|(folder, count)| format!("{folder} {count}")).collect();
    if words.is_empty() { "none".to_owned() } else { words.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> Source {
        Source { path: path.to_owned(), text: text.to_owned() }
    }

    #[test]
    fn a_caller_is_found_and_a_comment_or_namesake_is_not() {
        let yes = file("query/src/a.rs", "//! A.\nuse glovebox_vault::Expose;\nfn f() { p.expose_ref(); }\n");
        let comment = file("query/src/b.rs", "//! B.\nuse glovebox_vault::Expose;\n// p.expose()\n");
        let namesake = file("query/src/c.rs", "//! C.\nfn f() { key.unseal(x); fn seal() {} }\n");
        let by_name =
            file("query/src/e.rs", "//! E.\nuse glovebox_vault::Expose;\nfn f() { p.map(Protected::seal) }\n");
        let test = file("query/tests/it/d.rs", "//! D.\nuse glovebox_vault::Expose;\nfn f() { p.expose(); }\n");
        let found = users(&[&yes, &comment, &namesake, &by_name, &test]);
        assert_eq!(found.into_iter().collect::<Vec<_>>(), ["query/src/a.rs", "query/src/e.rs"]);
    }

    #[test]
    fn handing_the_trait_on_is_caught_and_the_type_is_not() {
        for bad in [
            "pub use glovebox_vault::Expose;",
            "pub use glovebox_vault::{\n    Expose as Open,\n    Protected,\n};",
            "pub use glovebox_vault::*;",
            "pub use glovebox_vault as v;",
        ] {
            assert!(reexport(&file("a/src/lib.rs", bad)).is_some(), "{bad}");
        }
        assert!(reexport(&file("a/src/lib.rs", "pub use glovebox_vault::Protected;")).is_none());
    }
}
