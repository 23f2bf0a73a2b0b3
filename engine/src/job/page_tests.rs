//! The page does not speak with an author's voice.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::job::layout::tests::{ATTACKS, any_text, assert_shown, is_authors};

const DATASET: &str = r#"
[dataset]
name = "medical.visits"
kind = "table"
title_en = "Visits"
title_zh = "就诊记录"
id_space = "resident"
budget_domain = "resident"
unit = ["person"]
max_units = 5000
max_rows_per_unit = 4
source = "made up for a test"
licence = "none"
classification = "public"

[[columns]]
name = "person"
type = "int"
meaning_en = "person"
meaning_zh = "个人"

[[columns]]
name = "visits"
type = "int"
meaning_en = "visits to a doctor"
meaning_zh = "就诊次数"
bounds = { lower = 0, upper = 10, basis = "codebook" }
"#;

const CONTRACT: &str = r#"
id = "acme-visits"
org = "acme"
dataset = "medical.visits"
budget_domain = "resident"
purposes = ["ai-research"]
starts = "2020-01-01T00:00:00Z"
ends = "2120-01-01T00:00:00Z"
budget = { allotment_rho = 0.2, per_day_rho = 0.1 }
per_query = { max_epsilon = 1.0, max_delta = 1e-6, default_epsilon = 0.5, default_delta = 1e-9, max_groups_contributed = 2 }
grants = [{ roles = ["wasmInput"], columns = ["visits"] }]
"#;

const MODULE: &str = r#"(module
  (memory (export "memory") 1 1)
  (func (export "gbx_abi") (result i32) i32.const 1)
  (func (export "gbx_in") (result i32) i32.const 1024)
  (func (export "gbx_in_cap") (result i32) i32.const 4096)
  (func (export "gbx_out") (result i32) i32.const 8192)
  (func (export "gbx_out_cap") (result i32) i32.const 64)
  (func (export "gbx_map") (param i32) (result i32) (i32.const 0))
  CUSTOM)"#;

/// What an author may choose freely.
#[derive(Debug, Clone)]
struct Author {
    comment: String,
    name: &'static str,
    value: &'static str,
    keys: [String; 2],
    basis: String,
    params: String,
    section: String,
}

impl Author {
    fn plain() -> Self {
        Self {
            comment: "a comment".to_owned(),
            name: "rows",
            value: "rows",
            keys: ["seen", "odd"].map(str::to_owned),
            basis: "by definition".to_owned(),
            params: "none".to_owned(),
            section: "name".to_owned(),
        }
    }

    /// Everywhere the same text, in so far as a job with it is accepted.
    fn all(text: &str) -> Self {
        let short: String = text.chars().filter(|c| !c.is_control()).take(50).collect();
        let words: Vec<_> = short.split_whitespace().collect();
        let label = words.join(" ");
        let more = |what: &str| format!("{what}{text}");
        Self {
            comment: text.chars().filter(|c| !c.is_control()).collect(),
            name: "costs",
            value: "executions",
            keys: [format!("a{label}"), format!("b{label}")],
            basis: more("b"),
            params: more("p"),
            section: text.chars().take(30).collect(),
        }
    }

    fn module(&self) -> Vec<u8> {
        let name: String = self.section.bytes().map(|byte| format!("\\{byte:02x}")).collect();
        wat::parse_str(MODULE.replace("CUSTOM", &format!("(@custom \"{name}\" \"x\")"))).unwrap()
    }

    fn manifest(&self) -> String {
        let text = |text: &str| toml::Value::String(text.to_owned()).to_string();
        format!(
            r#"# {}
name = "{}"
kind = "map"
dataset = "medical.visits"
contract = "acme-visits"
purpose = "ai-research"
[module]
sha256 = "{}"
fuel = 1000
[input]
columns = ["visits"]
params = {}
[output]
keys = [{}, {}]
basis = {}
max_rows = 1
max_keys = 1
count_units = true
default = {{ key = {}, values = [0] }}
values = [{{ name = "{}", low = 0, high = 4, step = 1 }}]
[privacy]
epsilon = 1.0
delta = 1e-9
"#,
            self.comment,
            self.name,
            Digest::of(&self.module()),
            text(&self.params),
            text(&self.keys[0]),
            text(&self.keys[1]),
            text(&self.basis),
            text(&self.keys[1]),
            self.value
        )
    }
}

/// The page of a job, compared with a version of it by another author.
fn written(author: &Author, before: &Author) -> String {
    let dataset = Manifest::parse(DATASET).unwrap();
    let plan = |author: &Author| {
        let manifest = author.manifest();
        JobPlan::new(&manifest, &author.module(), &dataset).unwrap_or_else(|refusal| panic!("{refusal}\n{manifest}"))
    };
    let (now, old) = (plan(author), plan(before));
    page(&PageOf {
        job: "j-2",
        submitted_by: "ana (acme)",
        submitted: "2026-01-01T00:00:00Z",
        expires: "2026-01-15T00:00:00Z",
        manifest_text: &author.manifest(),
        plan: &now,
        dataset: &dataset,
        contract: &Contract::parse(CONTRACT).unwrap(),
        contract_digest: Digest::of(CONTRACT.as_bytes()),
        window: Window { exact: Duration::from_secs(1), tail: Duration::from_secs(1) },
        tick_ms: 10,
        previous: Some(Previous {
            job: "j-1",
            manifest_text: &before.manifest(),
            facts: old.module.facts(),
            module: old.manifest.module,
        }),
    })
}

/// The product's lines, without those that count or digest what the author wrote.
fn products(page: &str) -> Vec<&str> {
    let counts = ["  sha256 ", "  size ", "  lines ", "  module sha256 ", "  look-alikes "];
    let of_bytes = |line: &str| {
        // A long value goes on below itself.
        counts.iter().any(|head| line.starts_with(head)) || line.ends_with("Latin ones")
    };
    page.lines().filter(|line| !is_authors(line) && !of_bytes(line)).collect()
}

fn check(text: &str) {
    let (plain, other) =
        (Author::plain(), Author { comment: "another".to_owned(), section: "n".to_owned(), ..Author::plain() });
    let attack = Author::all(text);
    let page = written(&attack, &plain);
    assert_shown(&page);
    assert_eq!(products(&page), products(&written(&other, &plain)), "{page}");
    assert_shown(&written(&plain, &attack));
    assert_eq!(products(&written(&plain, &attack)), products(&written(&other, &plain)));
}

#[test]
fn the_products_lines_are_the_same_whatever_the_author_writes() {
    ATTACKS.iter().for_each(|attack| check(attack));
}

#[test]
fn the_page_looks_like_this() {
    let page = written(&Author::all("[4] x"), &Author::plain());
    let release = page.split("\n[4] ").nth(1).unwrap().split("\n\n").next().unwrap();
    let lines = [
        "发布计划 What would be released",
        "  keys          2, by position; each one is a row of the result, always",
        "      0 | \"a[4] x\"",
        "      1 | \"b[4] x\"",
        "  basis         where keys and ranges come from, as the author says",
        "        | b[4] x",
        "  a unit        emits at most 1 rows and counts under at most 1 keys",
        "  default row   the key at position 1, with the values named below",
    ];
    assert_eq!(release.lines().take(lines.len()).collect::<Vec<_>>(), lines, "{page}");
    let value = "  value 1/1     clipped to 0 … 4 for a unit and key, in steps of 1; 0 in the\n                default row\n        | \"executions\"\n";
    assert!(release.contains(value), "{page}");
    let difference = page.split("\n[5] ").nth(1).unwrap();
    assert!(
        difference.contains("\n     -1 | # a comment\n") && difference.contains("\n     +1 | # [4] x\n"),
        "{difference}"
    );
    assert!(difference.contains("\n      - | custom `name`\n"), "{difference}");
}

/// What an officer signs for is never shown as less, nor as nothing.
#[test]
fn figures_are_rounded_up() {
    for (value, shown) in
        [(0.0, "0"), (1e-6, "1e-6"), (1.234_561e-7, "1.2346e-7"), (0.014_973_1, "0.014974"), (17.0, "17")]
    {
        assert_eq!(up(value), shown);
        assert!(shown.parse::<f64>().unwrap() >= value);
    }
    let author = Author::plain();
    let page = written(&author, &author);
    assert!(page.contains("  costs         rho 0.014974 for each execution; 0.014974 for all, of the\n"), "{page}");
}

#[test]
fn texts_too_long_to_be_matched_are_shown_whole_and_said_to_be() {
    let long = |word: &str| Author { comment: vec![word; MATCHED + 1].join("\n# "), ..Author::plain() };
    let page = written(&long("[4] new"), &long("[4] old"));
    assert_shown(&page);
    let count = |sign: &str, end: &str| {
        let shown = |line: &&str| line.trim_start().starts_with(sign) && line.ends_with(end);
        page.lines().filter(shown).count()
    };
    assert_eq!((count("-", " | # [4] old"), count("+", " | # [4] new")), (MATCHED + 1, MATCHED + 1));
    assert!(page.contains("\n  manifest      more than 1000 lines"), "{page}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_text_changes_a_line_of_the_product(text in any_text()) {
        check(&text);
    }
}
