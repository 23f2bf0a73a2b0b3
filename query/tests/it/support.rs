//! One small dataset of every kind of column, and the helpers that read questions against it.

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use glovebox_catalog::{Catalog, Manifest};
use glovebox_policy::{Digest, NanoEpsilon, Reason, Refusal};
use glovebox_privacy::{Scalar, Table};
use glovebox_query::{Analysis, Defaults, Draft, Options};
use tempfile::TempDir;

/// Leave to group by a column without a list.
const MARKED: &str = r#"keys = { threshold = true, basis = "places, not persons" }"#;

/// A manifest of visits to a clinic, under a name.
pub(crate) fn manifest(name: &str) -> Manifest {
    let mut text = format!(
        r#"
        [dataset]
        name = "{name}"
        kind = "table"
        title_en = "Visits"
        title_zh = "就诊"
        id_space = "person"
        budget_domain = "resident"
        unit = ["person"]
        max_units = 1000
        max_rows_per_unit = 4
        source = "made up"
        licence = "public domain"
        classification = "test"
        "#
    );
    for (column, kind, rest) in [
        ("person", "int", ""),
        ("phone", "text", "identifier = true"),
        ("ward", "text", r#"keys = { values = ["east", "west", "o'hara"], basis = "rules" }"#),
        ("grade", "int", r#"keys = { values = [1, 2, 3], basis = "rules" }"#),
        ("smoker", "bool", r#"keys = { values = [false, true], basis = "rules" }"#),
        ("age", "int", r#"bounds = { lower = 0, upper = 120, basis = "law" }"#),
        ("cost", "float", "grid = 0.01\nbounds = { lower = 0, upper = 1000, basis = \"tariff\" }"),
        ("weight", "float", r#"bounds = { lower = -5, upper = 5, basis = "z-score" }"#),
        ("free", "int", ""),
        ("loose", "float", ""),
        ("note", "text", ""),
        ("day", "date", "days = { first = 2019-12-30, last = 2020-02-03, basis = \"period\" }"),
        ("at", "timestamp", ""),
        ("town", "text", MARKED),
        ("code", "int", MARKED),
        ("seen", "timestamp", MARKED),
    ] {
        text += &format!(
            "\n[[columns]]\nname = \"{column}\"\ntype = \"{kind}\"\nmeaning_en = \"m\"\nmeaning_zh = \"义\"\n{rest}\n"
        );
    }
    Manifest::parse(&text).unwrap_or_else(|report| panic!("{report}"))
}

const HEADER: &str = "person,phone,ward,grade,smoker,age,cost,weight,free,loose,note,day,at,town,code,seen\n";

/// Adds the dataset with rows for the persons given.
pub(crate) fn add(catalog: &Catalog, dir: &Path, name: &str, persons: impl IntoIterator<Item = i64>) {
    let rows = persons.into_iter().map(|person| {
        format!(
            "{person},555-{person},east,1,true,{},10.5,0.5,7,1.5,canary,2020-01-02,2020-01-02T03:04:05,oslo,7,2020-01-02T03:04:05\n",
            20 + person
        )
    });
    let file = dir.join(format!("{name}.csv"));
    fs::write(&file, format!("{HEADER}{}", rows.collect::<String>())).unwrap();
    catalog.add(&manifest(name), &file).unwrap();
}

/// Datasets of the same form that cannot be joined: of another id-space, of another domain, of large units, by another kind of unit.
fn add_elsewhere(catalog: &Catalog, dir: &Path) {
    let file = dir.join("elsewhere.csv");
    fs::write(&file, HEADER).unwrap();
    for (name, from, to) in [
        ("t.plates", "id_space = \"person\"", "id_space = \"plate\""),
        ("t.apart", "budget_domain = \"resident\"", "budget_domain = \"visitor\""),
        ("t.long", "max_rows_per_unit = 4", "max_rows_per_unit = 20000"),
        ("t.notes", "unit = [\"person\"]", "unit = [\"note\"]"),
    ] {
        let text = manifest(name).to_toml();
        let changed = text.replace(from, to);
        assert_ne!(text, changed, "{from}");
        catalog.add(&Manifest::parse(&changed).unwrap_or_else(|report| panic!("{report}")), &file).unwrap();
    }
}

/// `t.wide`: three columns with 250 public keys each, whose product is too large.
fn add_wide(catalog: &Catalog, dir: &Path) {
    let text = manifest("t.wide").to_toml();
    let (head, _) = text.split_once("[[columns]]").unwrap();
    let mut text =
        format!("{head}[[columns]]\nname = \"person\"\ntype = \"int\"\nmeaning_en = \"m\"\nmeaning_zh = \"义\"\n");
    let keys = (0..250).map(|key| key.to_string()).collect::<Vec<_>>().join(",");
    for column in ["a", "b", "c"] {
        text += &format!(
            "\n[[columns]]\nname = \"{column}\"\ntype = \"int\"\nmeaning_en = \"m\"\nmeaning_zh = \"义\"\n\
             keys = {{ values = [{keys}], basis = \"rules\" }}\n"
        );
    }
    let file = dir.join("wide.csv");
    fs::write(&file, "person,a,b,c\n1,2,3,4\n").unwrap();
    catalog.add(&Manifest::parse(&text).unwrap(), &file).unwrap();
}

/// `t.crowd`: the same form, declared for ten thousand million units.
fn add_crowd(catalog: &Catalog, dir: &Path) {
    let text = manifest("t.crowd").to_toml().replace("max_units = 1000", "max_units = 10000000000");
    let file = dir.join("crowd.csv");
    fs::write(&file, HEADER).unwrap();
    catalog.add(&Manifest::parse(&text).unwrap(), &file).unwrap();
}

/// A catalog that lives as long as the tests.
pub(crate) struct Place {
    _dir: TempDir,
    pub(crate) catalog: Catalog,
}

/// `t.visits`, its neighbour without the last person `t.fewer`, and another dataset of the same form, `t.other`.
pub(crate) static PLACE: LazyLock<Place> = LazyLock::new(|| {
    let dir = tempfile::tempdir().unwrap();
    let catalog = Catalog::create(&dir.path().join("catalog"), &dir.path().join("master.key")).unwrap();
    add(&catalog, dir.path(), "t.visits", 1..=5);
    add(&catalog, dir.path(), "t.fewer", 1..=4);
    add(&catalog, dir.path(), "t.other", 2..=3);
    add_elsewhere(&catalog, dir.path());
    add_wide(&catalog, dir.path());
    add_crowd(&catalog, dir.path());
    crate::joins::add_public(&catalog, dir.path(), "ref.wards", crate::joins::WARDS);
    crate::joins::add_public(&catalog, dir.path(), "ref.again", crate::joins::WARDS);
    Place { _dir: dir, catalog }
});

/// What an ordinary contract says.
pub(crate) fn defaults() -> Defaults {
    Defaults { epsilon: NanoEpsilon::from_epsilon(1.0).unwrap(), delta: 1e-9, max_groups_contributed: 2 }
}

/// The preview of an accepted question.
pub(crate) fn preview(sql: &str) -> Table {
    accepted(sql).preview()
}

pub(crate) fn analyse_with(sql: &str, parameters: &[Scalar]) -> Result<Analysis, Refusal> {
    Draft::read(&PLACE.catalog, sql, parameters)?.complete(defaults(), Options::default())
}

pub(crate) fn analyse(sql: &str) -> Result<Analysis, Refusal> {
    analyse_with(sql, &[])
}

pub(crate) fn accepted(sql: &str) -> Analysis {
    analyse(sql).unwrap_or_else(|refusal| panic!("{sql}\n{refusal}"))
}

pub(crate) fn request(sql: &str) -> Digest {
    accepted(sql).request()
}

/// What is expected of a statement.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Expect {
    /// It is accepted.
    Yes,
    /// It is refused for this reason, and quotes nothing.
    No(Reason),
    /// It is refused for this reason, and quotes text that begins so.
    About(Reason, &'static str),
}

/// Words of the inside that no refusal may hold.
const INSIDE: [&str; 9] =
    ["DataFusion", "datafusion", "arrow::", "Arrow", "src/", "panicked", "__gb_", "Int64(", "Utf8("];

/// Reads one statement and compares what becomes of it.
pub(crate) fn check(sql: &str, expect: Expect) {
    check_all([(sql, expect)]);
}

/// Reads statements and compares what becomes of each; tells everything that is otherwise than expected.
pub(crate) fn check_all<S: AsRef<str>>(cases: impl IntoIterator<Item = (S, Expect)>) {
    let wrong: Vec<String> = cases.into_iter().filter_map(|(sql, expect)| wrong(sql.as_ref(), expect)).collect();
    assert!(wrong.is_empty(), "{} otherwise than expected:\n{}", wrong.len(), wrong.join("\n"));
}

fn wrong(sql: &str, expect: Expect) -> Option<String> {
    let outcome = analyse(sql);
    let good = match (expect, &outcome) {
        (Expect::Yes, Ok(_)) => true,
        (Expect::No(reason), Err(refusal)) => refusal.reason() == reason && refusal.quotation().is_none(),
        (Expect::About(reason, text), Err(refusal)) => {
            refusal.reason() == reason && refusal.quotation().is_some_and(|quoted| quoted.starts_with(text))
        }
        _ => false,
    };
    let said = outcome.err().map(|refusal| format!("{refusal} {refusal:?} {}", refusal.chinese())).unwrap_or_default();
    let inside = INSIDE.into_iter().find(|word| said.contains(word) && !sql.contains(word));
    let shown: String = sql.chars().take(300).collect();
    match inside {
        Some(word) => Some(format!("{shown}\n    shows `{word}`: {said}")),
        None if good => None,
        None => Some(format!("{shown}\n    {expect:?} expected: {said}")),
    }
}
