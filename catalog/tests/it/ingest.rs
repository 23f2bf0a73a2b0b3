//! Ingest: complete reports, bounded and deterministic rows, and neighbours that differ in one unit alone.

use glovebox_catalog::ingest::{FaultKind, ValueClass};
use glovebox_catalog::{IngestError, IngestReport};

use crate::support::{Place, csv, lines, plain_visits, stored, visits};

fn told(report: &IngestReport) -> Vec<String> {
    report.faults.iter().map(ToString::to_string).collect()
}

#[test]
fn every_bad_cell_is_named_by_row_column_and_class_alone() {
    let place = Place::new();
    let report = place.refused(
        &plain_visits(),
        "person,phone,ward,cost\n1,5,east,10\nsecret,5,east,x\n3,5,east\n2021-01-02,5,north,1e3\n\
         99999999999999999999,5,west,true\n",
    );
    let mut faults = told(&report);
    faults.sort();
    assert_eq!(
        faults,
        [
            "row 2: column `cost`: the cell is text, not of the declared type",
            "row 2: column `person`: the cell is text, not of the declared type",
            "row 3: the row has another number of fields than the heading line",
            "row 4: column `person`: the cell is a date, not of the declared type",
            "row 5: column `cost`: the cell is a truth value, not of the declared type",
            "row 5: column `person`: the cell is a whole number beyond 64 bits, not of the declared type",
        ]
    );
    assert_eq!(report.rows_read, 5);
    let json = serde_json::to_string(&report).unwrap();
    assert!(!json.contains("secret") && !json.contains("2021"), "{json}");
    assert!(place.catalog.names().is_empty());
}

#[test]
fn totals_stay_complete_when_the_list_is_capped() {
    let place = Place::new();
    let rows: String =
        (0..3000).map(|row| format!("{row},5,east,{}\n", if row % 2 == 0 { "bad" } else { "?" })).collect();
    let report = place.refused(&plain_visits(), &format!("person,phone,ward,cost\n{rows}"));
    assert_eq!(report.faults.len(), 1000);
    assert_eq!(report.fault_count(), 3000);
    assert_eq!(report.totals.len(), 1);
    assert_eq!(report.totals[0].fault, FaultKind::Cell(ValueClass::Text));
}

#[test]
fn columns_that_are_missing_or_twice_there() {
    let place = Place::new();
    let report = place.refused(&plain_visits(), "person,phone,phone,cost,more\n1,2,2,4,5\n");
    assert_eq!(
        told(&report),
        ["column `phone`: the file has several columns of this heading", "column `ward`: the file has no such column"]
    );
    assert_eq!(report.ignored_columns, [5]);
}

#[tokio::test]
async fn what_is_left_out_is_counted_and_what_is_out_of_range_is_kept() {
    let place = Place::new();
    let text = "person,phone,ward,cost\n1,5,east,NaN\n,5,west,1\n2,5,north,1000\n2,5,,-0\n";
    let Ok(ingested) = place.add(&plain_visits(), text) else { panic!("refused") };
    let report = &ingested.report;
    assert_eq!((report.rows_read, report.rows_stored, report.rows_without_unit, report.units), (4, 3, 1, 2));
    let (ward, cost) = (&report.columns[2], &report.columns[3]);
    assert_eq!((ward.nulls, ward.outside_keys), (1, 1));
    assert_eq!((cost.nulls, cost.nan_as_null, cost.outside_bounds), (1, 1, 1));
    let mut rows = lines(&stored(&ingested.dataset).await);
    rows.iter_mut().for_each(|row| *row = row.rsplit_once(',').unwrap().0.to_owned());
    rows.sort();
    assert_eq!(rows, ["1,east,∅", "2,north,1000.0", "2,∅,0.0"]);
}

#[tokio::test]
async fn the_same_rows_in_another_order_are_stored_alike() {
    let place = Place::new();
    let rows: Vec<(i64, f64)> = (0..2000).map(|n| (n % 300, (n * 7 % 90) as f64)).collect();
    let mut shuffled = rows.clone();
    shuffled.reverse();
    shuffled.rotate_left(777);
    let first = place.add(&plain_visits(), &csv(rows)).unwrap();
    let again = place.sibling("other").add(&plain_visits(), &place.file("s.csv", csv(shuffled))).unwrap();
    assert_eq!(stored(&first.dataset).await, stored(&again.dataset).await);
    assert_ne!(first.dataset.snapshot(), again.dataset.snapshot(), "snapshot ids are random");
}

#[tokio::test]
async fn a_unit_keeps_exactly_the_declared_rows_and_neighbours_keep_all_else() {
    let place = Place::new();
    // Person 0 has 40 rows, person 1 exactly 3, the others 1 to 6.
    let mut rows: Vec<(i64, f64)> = (0..40).map(|n| (0, f64::from(n))).collect();
    rows.extend((0..3).map(|n| (1, f64::from(n))));
    rows.extend((2..200).flat_map(|p| (0..=p % 6).map(move |n| (p, n as f64))));
    let whole = place.add(&plain_visits(), &csv(rows.clone())).unwrap();
    let report = &whole.report;
    assert_eq!(report.rows_stored, 200 * 3 - 198_i64.div_euclid(6) as u64 * 3);
    assert_eq!(report.rows_read - report.rows_stored, report.rows_truncated);
    let whole = lines(&stored(&whole.dataset).await);
    let of = |person: i64| move |line: &&String| line.starts_with(&format!("{person},"));
    assert_eq!(whole.iter().filter(of(0)).count(), 3);
    assert_eq!(whole.iter().filter(of(1)).count(), 3);

    for removed in [0, 1, 77] {
        let neighbour = rows.iter().copied().filter(|(person, _)| *person != removed);
        let catalog = place.sibling(&format!("without-{removed}"));
        let smaller = catalog.add(&plain_visits(), &place.file("n.csv", csv(neighbour))).unwrap();
        let expected: Vec<&String> = whole.iter().filter(|line| !of(removed)(line)).collect();
        assert_eq!(lines(&stored(&smaller.dataset).await).iter().collect::<Vec<_>>(), expected);
    }
}

#[test]
fn more_units_than_declared_are_refused_and_not_truncated() {
    let place = Place::new();
    let manifest = visits(|text| text.replace("max_units = 100000", "max_units = 10"));
    assert!(place.add(&manifest, &csv((0..11).map(|person| (person, 1.0)))).is_err());
    let report = place.refused(&manifest, &csv((0..11).map(|person| (person, 1.0))));
    assert_eq!(told(&report), ["column `person`: the file has more units than `max_units` declares"]);
    assert_eq!(report.units, 11);
    place.add(&manifest, &csv((0..10).map(|person| (person, 1.0)))).unwrap();
}

#[test]
fn declared_uniqueness_is_verified() {
    let place = Place::new();
    let manifest = visits(|text| text.replace("classification", "unique = [[\"person\", \"cost\"]]\nclassification"));
    let report = place.refused(&manifest, &csv([(1, 1.0), (2, 1.0), (1, 2.0), (1, 1.0), (2, 1.0)]));
    let repeated = "column `person+cost`: the row repeats another in columns that are declared unique";
    assert_eq!(told(&report), [format!("row 4: {repeated}"), format!("row 5: {repeated}")]);
    place.add(&manifest, &csv([(1, 1.0), (2, 1.0), (1, 2.0)])).unwrap();
}

#[test]
fn spaces_around_an_id_do_not_make_another_person() {
    let place = Place::new();
    let manifest = visits(|text| text.replacen("type = \"int\"", "type = \"text\"", 1));
    let text = "person,phone,ward,cost\nA1,5,east,1\n A1,5,east,2\nA1 ,5,west,3\na1,5,west,4\n  ,5,west,5\n";
    let report = place.add(&manifest, text).unwrap().report;
    assert_eq!((report.units, report.rows_without_unit), (2, 1), "spaces alone are nobody");
}

#[test]
fn the_same_content_has_one_budget_domain() {
    let place = Place::new();
    let text = csv([(1, 1.0), (2, 2.0)]);
    let first = place.add(&plain_visits(), &text).unwrap();
    assert!(matches!(place.add(&plain_visits(), &text), Err(IngestError::Exists(_))));

    let renamed = visits(|text| text.replace("medical.visits", "medical.again"));
    place.add(&renamed, &text).unwrap();

    let elsewhere = visits(|text| text.replace("medical.visits", "medical.else").replace("resident", "tourist"));
    let refused = place.add(&elsewhere, &text).unwrap_err();
    assert!(
        matches!(&refused, IngestError::ContentElsewhere(name) if place.catalog.names().contains(name)),
        "{refused}"
    );
    // The same rows in another order are the same content; the same bytes are, whatever is declared about them.
    assert!(place.add(&elsewhere, &csv([(2, 2.0), (1, 1.0)])).is_err());
    let fewer = visits(|t| {
        t.replace("medical.visits", "medical.else")
            .replace("resident", "tourist")
            .replace("float", "text")
            .replace("bounds", "#")
    });
    assert!(place.add(&fewer, &text).is_err());
    place.add(&elsewhere, &csv([(2, 2.0), (1, 1.5)])).unwrap();
    assert_eq!(first.dataset.manifest().budget_domain().as_str(), "resident");
}

#[test]
fn csv_in_gb18030_with_chinese_headings_is_read() {
    let place = Place::new();
    let manifest = visits(|text| {
        text.replace("name = \"ward\"", "name = \"ward\"\nheader = \"科室\"")
            .replace("\"east\", \"west\"", "\"内科\", \"外科\"")
    });
    let text = "person,phone,科室,cost\n1,5,内科,1\n2,5,外科,2\n";
    let file = place.file("gb.csv", encoding_rs::GB18030.encode(text).0);
    let report = place.catalog.add(&manifest, &file).unwrap().report;
    assert_eq!((report.rows_stored, report.columns[2].outside_keys), (2, 0));
}
