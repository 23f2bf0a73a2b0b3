//! The public files of `examples/data`: each fits its committed manifest, and what names a person is not kept.

use std::collections::{BTreeSet, HashSet};
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use arrow::array::AsArray;
use glovebox_catalog::{IngestReport, Ingested, Manifest, twin};
use glovebox_policy::Digest;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::support::{Place, stored};

/// What is in a public file. It is public, so that tests may state it.
struct Example {
    name: &'static str,
    rows: u64,
    units: u64,
    /// Columns with values beyond the declared bounds, which were fixed without a look at the values.
    clamped: &'static [&'static str],
}

const EXAMPLES: [Example; 5] = [
    Example { name: "rand_hie", rows: 20_190, units: 5_912, clamped: &[] },
    Example { name: "covid_testing", rows: 15_524, units: 12_344, clamped: &["age", "col_rec_tat", "rec_ver_tat"] },
    Example { name: "yrbss_students", rows: 13_583, units: 13_583, clamped: &[] },
    Example { name: "nyc_flights13", rows: 336_776, units: 6_555, clamped: &[] },
    Example { name: "nass_crash_occupants", rows: 26_217, units: 20_670, clamped: &["samp_weight"] },
];

fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/data")
}

fn manifest(name: &str) -> Manifest {
    let text = fs::read_to_string(data().join(format!("{name}.toml"))).unwrap();
    Manifest::parse(&text).unwrap_or_else(|report| panic!("{name}: {report}"))
}

fn file(name: &str) -> PathBuf {
    data().join(format!("{name}.parquet"))
}

fn ingest(place: &Place, name: &str) -> Ingested {
    place.catalog.add(&manifest(name), &file(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The columns of a report for which something was counted.
fn columns(report: &IngestReport, count: impl Fn(&glovebox_catalog::ingest::ColumnCounts) -> u64) -> Vec<&str> {
    report.columns.iter().filter(|column| count(column) > 0).map(|column| column.column.as_str()).collect()
}

#[test]
fn each_file_fits_its_manifest() {
    let place = Place::new();
    for Example { name, rows, units, clamped } in EXAMPLES {
        let Ingested { dataset, report } = ingest(&place, name);
        assert_eq!((report.rows_read, report.rows_stored, report.units), (rows, rows, units), "{name}");
        assert_eq!((report.rows_without_unit, report.rows_truncated, report.units_truncated), (0, 0, 0), "{name}");
        assert_eq!((report.fault_count(), report.ignored_columns.len()), (0, 0), "{name}");
        assert!(units <= dataset.manifest().max_units(), "{name}");
        assert_eq!(columns(&report, |column| column.outside_keys), [""; 0], "{name}");
        assert_eq!(columns(&report, |column| column.outside_bounds), clamped, "{name}");
    }
    assert_eq!(place.catalog.names().len(), EXAMPLES.len());
}

#[test]
fn each_file_is_the_one_that_its_notes_describe_and_none_is_left_out() {
    let mut manifests = BTreeSet::new();
    for entry in fs::read_dir(data()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|end| end == "toml") {
            manifests.insert(path.file_stem().unwrap().to_str().unwrap().to_owned());
        }
    }
    assert_eq!(manifests, EXAMPLES.iter().map(|example| example.name.to_owned()).collect());
    for Example { name, .. } in EXAMPLES {
        let notes = fs::read_to_string(data().join(format!("{name}.md"))).unwrap();
        let digest = Digest::of(&fs::read(file(name)).unwrap()).to_string();
        assert!(notes.contains(&digest), "{name}.md does not state sha256 {digest}");
    }
}

/// The names in the public file that are long enough not to turn up by chance.
fn names_of_persons() -> HashSet<Vec<u8>> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(file("covid_testing")).unwrap()).unwrap();
    let mut names = HashSet::new();
    for batch in reader.build().unwrap() {
        let batch = batch.unwrap();
        for column in ["fake_first_name", "fake_last_name"] {
            let cells = batch.column_by_name(column).unwrap().as_string::<i32>();
            names.extend(cells.iter().flatten().filter(|name| name.len() >= 6).map(|name| name.as_bytes().to_vec()));
        }
    }
    names
}

/// How many places of a file spell one of the names.
fn spelled(bytes: &[u8], names: &HashSet<Vec<u8>>) -> usize {
    let lengths: BTreeSet<usize> = names.iter().map(Vec::len).collect();
    lengths.into_iter().flat_map(|length| bytes.windows(length)).filter(|window| names.contains(*window)).count()
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

#[tokio::test]
async fn names_and_numbers_of_persons_are_left_out_at_ingest() {
    const IDENTIFIERS: [&str; 3] = ["person_id", "fake_first_name", "fake_last_name"];
    let names = names_of_persons();
    assert!(names.len() > 100, "{}", names.len());
    assert!(spelled(&fs::read(file("covid_testing")).unwrap(), &names) > 0, "the officer's file has them");

    let place = Place::new();
    let dataset = ingest(&place, "covid_testing").dataset;
    for path in files(&place.catalog_dir()) {
        assert_eq!(spelled(&fs::read(&path).unwrap(), &names), 0, "{}", path.display());
    }

    // Neither in the clear nor under the key: the stored rows and the twin have neither columns nor cells of them.
    let rows = stored(&dataset).await;
    assert_eq!(rows.num_rows(), 15_524);
    let synthetic = twin(dataset.manifest(), 1_000, 1).unwrap().into_inner();
    for batch in [rows, synthetic] {
        for column in IDENTIFIERS {
            assert!(dataset.manifest().column(column).unwrap().identifier);
            assert!(batch.column_by_name(column).is_none(), "{column}");
        }
        for text in batch.columns().iter().filter_map(|column| column.as_string_opt::<i32>()) {
            assert!(text.iter().flatten().all(|cell| !names.contains(cell.as_bytes())));
        }
    }
}
