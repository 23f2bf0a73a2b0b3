//! Public tables: what a manifest may say of them, what a file may hold, and what they are kept apart from.

use arrow::array::AsArray as _;
use glovebox_catalog::ingest::FaultKind;
use glovebox_catalog::{Catalog, Declaration, IngestError, PublicManifest};

use crate::support::{Place, plain_visits};

const GOOD: &str = r#"
[dataset]
name = "ref.wards"
kind = "public"
title_en = "Wards"
title_zh = "科室"
max_rows = 3
source = "made up"
licence = "public domain"
classification = "open"
unique = [["ward"]]
null_markers = ["-"]

[[columns]]
name = "ward"
type = "text"
meaning_en = "ward"
meaning_zh = "科室"

[[columns]]
name = "beds"
type = "int"
meaning_en = "beds"
meaning_zh = "床位"
bounds = { lower = 0, upper = 100, basis = "rules" }
"#;

const WARDS: &str = "ward,beds\neast,10\nwest,-\n";

fn manifest() -> PublicManifest {
    PublicManifest::parse(GOOD).unwrap_or_else(|report| panic!("{report}"))
}

fn problems(from: &str, to: &str) -> String {
    assert!(GOOD.contains(from), "{from}");
    match Declaration::parse(&GOOD.replacen(from, to, 1)) {
        Ok(_) => String::new(),
        Err(report) => report.problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"),
    }
}

#[test]
fn a_manifest_has_no_unit_and_no_identifier() {
    assert!(matches!(Declaration::parse(GOOD), Ok(Declaration::Public(found)) if found == manifest()));
    assert_eq!(PublicManifest::parse(&manifest().to_toml()).unwrap(), manifest());
    let unit = problems("max_rows = 3", "max_rows = 3\nunit = [\"ward\"]\nbudget_domain = \"resident\"");
    assert!(unit.contains("dataset.budget_domain: cannot be declared of a public table"), "{unit}");
    assert!(unit.contains("dataset.unit: cannot be declared of a public table"), "{unit}");
    let identifier = problems("type = \"text\"", "type = \"text\"\nidentifier = true");
    assert!(identifier.contains("columns.ward.identifier: cannot be declared in a public table"), "{identifier}");
    let most = "dataset.max_rows: must be a whole number from 1 to 1000000";
    assert_eq!(problems("max_rows = 3", "max_rows = 1000001"), most);
    assert_eq!(
        problems("max_rows = 3", "max_row = 3"),
        "dataset.max_rows: is missing\ndataset.max_row: is not a known key"
    );
    assert_eq!(
        problems("[[\"ward\"]]", "[[\"bed\"]]"),
        "dataset.unique[0]: names `bed`, which is not a declared column"
    );
    // What has units is not read as a public table, nor the other way round.
    assert!(PublicManifest::parse(&plain_visits().to_toml()).is_err());
    assert!(glovebox_catalog::Manifest::parse(GOOD).is_err());
}

#[test]
fn rows_are_kept_as_they_are_and_found_again() {
    let place = Place::new();
    let mut told = None;
    let (table, report) = place
        .catalog
        .add_public(&manifest(), &place.file("wards.csv", WARDS), |snapshot| {
            // Nothing can be asked of it before it is told of.
            assert!(!place.catalog_dir().join("ref.wards").exists());
            told = Some(snapshot.clone());
            true
        })
        .unwrap();
    assert_eq!((report.rows_read, report.rows_stored, told.as_ref()), (2, 2, Some(table.snapshot())));
    let again = Catalog::open(&place.catalog_dir(), &place.key()).unwrap();
    for catalog in [&place.catalog, &again] {
        let table = catalog.public(manifest().name()).unwrap();
        let rows = table.rows().unwrap();
        let wards: Vec<_> = rows.column(0).as_string::<i32>().iter().flatten().collect();
        assert_eq!(wards, ["east", "west"]);
        assert!(rows.column(1).is_null(1));
        // It is no dataset: what takes one does not find it.
        assert!(catalog.get(manifest().name()).is_none() && catalog.datasets().is_empty());
    }
    assert!(!crate::support::found_in(&place.catalog_dir(), "east"), "rows are encrypted at rest");
    let twice = place.catalog.add_public(&manifest(), &place.file("more.csv", "ward,beds\nx,1\n"), |_| true);
    assert!(matches!(twice, Err(IngestError::Exists(_))));
}

#[test]
fn what_is_not_announced_does_not_appear() {
    let place = Place::new();
    let refused = place.catalog.add_public(&manifest(), &place.file("wards.csv", WARDS), |_| false);
    assert!(matches!(refused, Err(IngestError::Store(_))));
    assert!(place.catalog.public_tables().is_empty());
    assert!(Catalog::open(&place.catalog_dir(), &place.key()).unwrap().public_tables().is_empty());
}

#[test]
fn declared_keys_sizes_and_texts_are_held() {
    let place = Place::new();
    let faults = |csv: &str| {
        let refused = place.catalog.add_public(&manifest(), &place.file("wards.csv", csv), |_| panic!("announced"));
        refused.unwrap_err().report().unwrap().totals.iter().map(|total| total.fault).collect::<Vec<_>>()
    };
    assert_eq!(faults("ward,beds\neast,1\neast,2\n"), [FaultKind::Repeated]);
    // NULL counts as a value.
    assert_eq!(faults("ward,beds\n-,1\n-,2\n"), [FaultKind::Repeated]);
    assert_eq!(faults("ward,beds\na,1\nb,1\nc,1\nd,1\n"), [FaultKind::TooManyRows]);
    assert_eq!(faults(&format!("ward,beds\n{},1\n", "a".repeat(1025))), [FaultKind::TextTooLong]);
    assert_eq!(faults("ward,bed\neast,1\n"), [FaultKind::ColumnMissing]);
    assert!(matches!(faults("ward,beds\neast,x\n")[..], [FaultKind::Cell(_)]));
}

/// The same content is either about somebody or about nobody.
#[test]
fn content_does_not_change_sides() {
    let place = Place::new();
    let visits = plain_visits();
    let csv = crate::support::csv([(1, 2.0), (2, 3.0)]);
    let public = r#"
        [dataset]
        name = "ref.visits"
        kind = "public"
        title_en = "Visits"
        title_zh = "就诊"
        max_rows = 10
        source = "made up"
        licence = "public domain"
        classification = "open"
        [[columns]]
        name = "person"
        type = "int"
        meaning_en = "m"
        meaning_zh = "义"
        [[columns]]
        name = "phone"
        type = "text"
        meaning_en = "m"
        meaning_zh = "义"
        [[columns]]
        name = "ward"
        type = "text"
        meaning_en = "m"
        meaning_zh = "义"
        [[columns]]
        name = "cost"
        type = "float"
        meaning_en = "m"
        meaning_zh = "义"
    "#;
    let public = PublicManifest::parse(public).unwrap_or_else(|report| panic!("{report}"));
    let add = |catalog: &Catalog, csv: &str| catalog.add_public(&public, &place.file("public.csv", csv), |_| true);
    place.add(&visits, &csv).unwrap();
    // The bytes, and the rows in another order.
    let mut lines: Vec<&str> = csv.lines().collect();
    lines[1..].reverse();
    for text in [csv.clone(), format!("{}\n", lines.join("\n"))] {
        assert!(matches!(add(&place.catalog, &text), Err(IngestError::ContentOtherwise(..))));
    }
    let other = place.sibling("other");
    add(&other, &csv).unwrap();
    let refused = other.add(&visits, &place.file("visits.csv", &csv)).unwrap_err();
    assert!(matches!(refused, IngestError::ContentOtherwise(..)));
    assert!(refused.to_string().contains("ref.visits"), "{refused}");
}
