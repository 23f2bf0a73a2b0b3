//! Manifests: what is read, and that every problem is reported with its path.

use glovebox_catalog::{Column, ColumnKind, KeyValue, Manifest};
use glovebox_policy::{ColumnName, DatasetName};

use crate::support::plain_visits;

const GOOD: &str = r#"
[dataset]
name = "medical.visits"
kind = "table"
title_en = "Visits"
title_zh = "就诊"
id_space = "person"
budget_domain = "resident"
unit = ["person"]
max_units = 1000
max_rows_per_unit = 3
source = "made up"
licence = "public domain"
classification = "test"
unique = [["person", "year"]]

[[columns]]
name = "person"
type = "int"
meaning_en = "person"
meaning_zh = "人"

[[columns]]
name = "year"
type = "int"
meaning_en = "year"
meaning_zh = "年"
keys = { values = [1, 2], basis = "protocol" }

[[columns]]
name = "cost"
header = "费用"
type = "float"
meaning_en = "cost"
meaning_zh = "费用"
bounds = { lower = 0, upper = 99.5, basis = "tariff" }
grid = 0.5
"#;

/// Replaces `from` by `to` in a good manifest and compares the problems, one a line.
fn check(from: &str, to: &str, expected: &str) {
    assert!(GOOD.contains(from), "`{from}` is not in the manifest");
    let found = match Manifest::parse(&GOOD.replacen(from, to, 1)) {
        Ok(_) => String::new(),
        Err(report) => report.problems.iter().map(|problem| format!("{problem}\n")).collect(),
    };
    assert_eq!(found.trim_end(), expected, "after `{from}` became `{to}`");
}

#[test]
fn problems_of_the_dataset_part() {
    check("max_units = 1000", "max_units = 1000", "");
    check("max_units = 1000", "", "dataset.max_units: is missing");
    check("max_units = 1000", "max_units = 0", "dataset.max_units: must be a whole number from 1 to 1000000000000");
    check("max_units = 1000", "max_units = 10.5", "dataset.max_units: must be a whole number from 1 to 1000000000000");
    check("max_rows_per_unit = 3", "", "dataset.max_rows_per_unit: is missing");
    check(
        "max_rows_per_unit = 3",
        "max_rows_per_unit = 1000001",
        "dataset.max_rows_per_unit: must be a whole number from 1 to 1000000",
    );
    check("title_zh = \"就诊\"", "title_zh = \" \"", "dataset.title_zh: is empty");
    check("title_zh = \"就诊\"", "title_zh = 5", "dataset.title_zh: must be text");
    check("licence", "license", "dataset.licence: is missing\ndataset.license: is not a known key");
    check(
        "name = \"medical.visits\"",
        "name = \"visits\"",
        &format!("dataset.name: {}", "visits".parse::<DatasetName>().unwrap_err()),
    );
    check(
        "kind = \"table\"",
        "kind = \"graph\"",
        "dataset.kind: must be `table`, `frames`, or `public` for a table that holds nothing about anybody",
    );
    check(
        "kind = \"table\"",
        "kind = \"frames\"",
        "dataset.id_space: is not a known key\ndataset.max_rows_per_unit: is not a known key\n\
         dataset.max_units: is not a known key\ndataset.unique: is not a known key\ndataset.unit: is not a known key\nfootage: is missing\n\
         columns: is not a known key",
    );
    check("[dataset]", "[other]", "dataset: is missing\nother: is not a known key");
}

#[test]
fn problems_of_units_and_uniqueness() {
    check("unit = [\"person\"]", "unit = []", "dataset.unit: must name at least one column");
    check(
        "unit = [\"person\"]",
        "unit = [\"persona\"]",
        "dataset.unit: names `persona`, which is not a declared column",
    );
    check("unit = [\"person\"]", "unit = [\"person\", \"person\"]", "dataset.unit: names `person` twice");
    check("unit = [\"person\"]", "unit = \"person\"", "dataset.unit: must be a list of texts");
    check(
        "unit = [\"person\"]",
        "unit = [\"cost\"]",
        "dataset.unit: names `cost`, a `float` column; a unit needs a type that compares exactly\n\
         columns.cost.bounds: cannot be declared on a unit column\n\
         columns.cost.grid: cannot be declared on a unit column",
    );
    check("unit = [\"person\"]", "unit = [\"year\"]", "columns.year.keys: cannot be declared on a unit column");
    check(
        "unique = [[\"person\", \"year\"]]",
        "unique = [[\"person\", \"month\"], []]",
        "dataset.unique[0]: names `month`, which is not a declared column\ndataset.unique[1]: is empty",
    );
    check(
        "unique = [[\"person\", \"year\"]]",
        "unique = [5]",
        "dataset.unique: must be a list of lists of column names",
    );
}

#[test]
fn problems_of_columns() {
    check(
        "type = \"float\"",
        "type = \"real\"",
        "columns.cost.type: must be one of `int`, `float`, `text`, `bool`, `date`, `timestamp`",
    );
    check(
        "name = \"cost\"",
        "name = \"Cost\"",
        &format!("columns[2].name: {}", "Cost".parse::<ColumnName>().unwrap_err()),
    );
    check("name = \"cost\"", "name = \"year\"", "columns.year.name: is declared twice");
    check("header = \"费用\"", "header = \"year\"", "columns.cost.header: is the heading of another column too");
    check("header = \"费用\"", "identifier = 1", "columns.cost.identifier: must be true or false");
    check(
        "header = \"费用\"",
        "identifier = true",
        "columns.cost.bounds: cannot be declared on a direct identifier\n\
         columns.cost.grid: cannot be declared on a direct identifier",
    );
    check("grid = 0.5", "grid = 0", "columns.cost.grid: must be above 0");
    check("grid = 0.5", "grid = nan", "columns.cost.grid: must be a finite number, and a whole number at most 2^53");
    check(
        "grid = 0.5",
        "grid = 1e-15",
        "columns.cost.grid: is so fine that the bounds lie more than 2^53 steps from 0",
    );
    check("upper = 99.5", "upper = 0", "columns.cost.bounds: must have `lower` below `upper`");
    check("upper = 99.5, ", "", "columns.cost.bounds.upper: is missing");
    check(", basis = \"tariff\"", "", "columns.cost.bounds.basis: is missing");
    check(
        "upper = 99.5",
        "upper = inf",
        "columns.cost.bounds.upper: must be a finite number, and a whole number at most 2^53",
    );
    check("basis = \"tariff\"", "basis = \"tariff\", from = 1", "columns.cost.bounds.from: is not a known key");
    check(", basis = \"protocol\"", "", "columns.year.keys.basis: is missing");
    check("values = [1, 2]", "values = [1, 1]", "columns.year.keys.values[1]: is listed twice");
    check("values = [1, 2]", "values = [1, \"b\"]", "columns.year.keys.values[1]: is `text`, and the column is `int`");
    check(
        "values = [1, 2]",
        "values = [1.5]",
        "columns.year.keys.values[0]: must be a whole number, a text, or true or false",
    );
    check("values = [1, 2]", "values = []", "columns.year.keys.values: must hold 1 to 65536 values");
    check(
        "grid = 0.5",
        "keys = { values = [1], basis = \"b\" }",
        "columns.cost.keys: need an `int`, `text` or `bool` column, not `float`",
    );
    check(
        "keys = { values = [1, 2], basis = \"protocol\" }",
        "bounds = { lower = 0.5, upper = 2, basis = \"b\" }\ngrid = 0.25",
        "columns.year.bounds.lower: must be a whole number of at most 2^53 for an `int` column\n\
         columns.year.grid: must be a whole number for an `int` column",
    );
}

#[test]
fn all_problems_come_at_once() {
    let text = GOOD.replace("max_units = 1000", "max_unit = 1000").replace("grid = 0.5", "grid = -1");
    let report = Manifest::parse(&text).unwrap_err();
    let paths: Vec<&str> = report.problems.iter().map(|problem| problem.path.as_str()).collect();
    assert_eq!(paths, ["dataset.max_units", "dataset.max_unit", "columns.cost.grid"]);
}

#[test]
fn broken_toml_names_its_line() {
    let report = Manifest::parse("[dataset]\nname = \n").unwrap_err();
    assert_eq!(report.problems.len(), 1);
    assert_eq!(report.problems[0].path, "line 2");
}

#[test]
fn the_canonical_form_reads_back() {
    let tricky = GOOD
        .replace("\"made up\"", r#""it's \"made\" up\nin C:\\temp\t—""#)
        .replace("[1, 2]", "[-9223372036854775808, 2]")
        .replace("classification", "null_markers = [\"NA\", \"'\"]\nclassification");
    let manifest = Manifest::parse(&tricky).unwrap();
    let again =
        Manifest::parse(&manifest.to_toml()).unwrap_or_else(|report| panic!("{report}\n{}", manifest.to_toml()));
    assert_eq!(again, manifest);
    assert_eq!(again.digest(), manifest.digest());
}

#[test]
fn what_queries_need_is_there() {
    let manifest = Manifest::parse(GOOD).unwrap();
    let Column { kind, bounds, grid, .. } = manifest.column("cost").unwrap();
    let bounds = bounds.as_ref().unwrap();
    assert_eq!((*kind, bounds.lower, bounds.upper, *grid), (ColumnKind::Float, 0.0, 99.5, Some(0.5)));
    let keys = manifest.column("year").unwrap().keys.as_ref().unwrap();
    assert_eq!(keys.values, [KeyValue::Int(1), KeyValue::Int(2)]);
    assert!(manifest.is_unit(&"person".parse().unwrap()));
}

#[test]
fn identifiers_have_no_place_in_the_schema() {
    let schema = plain_visits().arrow_schema();
    let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    assert_eq!(names, ["person", "ward", "cost", "__gb_unit"]);
}

#[test]
fn days_are_dates_of_dated_columns() {
    let with = |kind: &str, days: &str| {
        let column = "\n[[columns]]\nname = \"seen\"\nmeaning_en = \"m\"\nmeaning_zh = \"义\"\n";
        Manifest::parse(&format!("{GOOD}{column}type = \"{kind}\"\ndays = {{ {days}, basis = \"period\" }}\n"))
    };
    let manifest = with("timestamp", "first = 1969-12-31, last = 2024-02-29").unwrap();
    let days = manifest.column("seen").unwrap().days.as_ref().unwrap();
    assert_eq!((days.first, days.last), (-1, 19_782));
    assert_eq!(Manifest::parse(&manifest.to_toml()).unwrap(), manifest);
    for (kind, days, problem) in [
        ("int", "first = 2020-01-01, last = 2020-01-01", "need a `date` or `timestamp` column, not `int`"),
        ("date", "first = 2020-01-02, last = 2020-01-01", "must not have `first` after `last`"),
        ("date", "first = 2020-01-02", "columns.seen.days.last: is missing"),
        ("date", "first = \"2020-01-02\", last = 2020-01-03", "columns.seen.days.first: must be a date"),
        ("date", "first = 2020-01-02T00:00:00, last = 2020-01-03", "columns.seen.days.first: must be a date"),
    ] {
        let report = with(kind, days).unwrap_err().to_string();
        assert!(report.contains(problem), "{report}");
    }
}

#[test]
fn a_column_may_be_marked_for_keys_without_a_list() {
    let marked = GOOD.replace("values = [1, 2]", "threshold = true");
    let manifest = Manifest::parse(&marked).unwrap();
    let column = manifest.column("year").unwrap();
    assert_eq!((column.thresholded.as_ref().unwrap().basis.as_str(), &column.keys), ("protocol", &None));
    assert!(Manifest::parse(GOOD).unwrap().columns().iter().all(|column| column.thresholded.is_none()));
    assert_eq!(Manifest::parse(&manifest.to_toml()).unwrap(), manifest);
    assert_ne!(manifest.digest(), Manifest::parse(GOOD).unwrap().digest());

    check(
        "values = [1, 2]",
        "threshold = false",
        "columns.year.keys.threshold: must be true; leave `keys` out where the column may not be grouped by",
    );
    check("values = [1, 2]", "threshold = true, values = [1]", "columns.year.keys.values: is not a known key");
    check("values = [1, 2], basis = \"protocol\"", "threshold = true", "columns.year.keys.basis: is missing");
    let mark = "keys = { threshold = true, basis = \"b\" }";
    check(
        "grid = 0.5",
        mark,
        "columns.cost.keys: cannot be found in a `float` column; group by a type that compares exactly",
    );
    let person = "meaning_zh = \"人\"";
    check(person, &format!("{person}\n{mark}"), "columns.person.keys: cannot be declared on a unit column");
    let identifier = "header = \"费用\"\nidentifier = true";
    let report =
        Manifest::parse(&GOOD.replace("header = \"费用\"", identifier).replace("grid = 0.5", mark)).unwrap_err();
    assert!(report.to_string().contains("columns.cost.keys: cannot be declared on a direct identifier"), "{report}");
}
