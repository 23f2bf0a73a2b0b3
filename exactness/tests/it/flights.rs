//! The committed job `examples/jobs/flights_rotation` over the real flights, against the same figures in plain Rust.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::Duration;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::Int32Type;
use glovebox_catalog::Manifest;
use glovebox_policy::{Digest, JobManifest};
use glovebox_sandbox::{
    Bounding, DefaultRow, MapSpec, Module, SelectionKey, ValueSpec, WorkerConfig, Workers, map_units,
};
use glovebox_vault::Expose as _;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::data::{Cells, Place, block};
use crate::jobs::WORKER;

const DATASET: &str = "traffic.nyc_flights13";
const AIRPORTS: [&str; 3] = ["EWR", "JFK", "LGA"];
/// The place of the key `none`.
const NONE: usize = 3;

fn examples(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples").join(path)
}

/// A departure that took place: minutes since midnight, minutes in the air, from where and where to.
type Departure = (i32, i32, String, String);
/// The departures of one aircraft by month and day.
type Days = BTreeMap<(i32, i32), Vec<Departure>>;

/// The departures of every aircraft in the public file, read without the catalog.
fn departures() -> BTreeMap<String, Days> {
    let file = File::open(examples("data/nyc_flights13.parquet")).unwrap();
    let mut out: BTreeMap<String, Days> = BTreeMap::new();
    for batch in ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap() {
        let batch = batch.unwrap();
        for row in 0..batch.num_rows() {
            let days = out.entry(text(&batch, "vehicle_id", row)).or_default();
            let (Some(hhmm), Some(airborne)) = (int(&batch, "dep_time", row), int(&batch, "air_time", row)) else {
                continue;
            };
            let date = (int(&batch, "month", row).unwrap(), int(&batch, "day", row).unwrap());
            let minutes = hhmm / 100 * 60 + hhmm % 100;
            let departure = (minutes, airborne, text(&batch, "origin", row), text(&batch, "dest", row));
            days.entry(date).or_default().push(departure);
        }
    }
    out
}

fn int(batch: &RecordBatch, column: &str, row: usize) -> Option<i32> {
    let cells = batch.column_by_name(column).unwrap().as_primitive::<Int32Type>();
    cells.is_valid(row).then(|| cells.value(row))
}

fn text(batch: &RecordBatch, column: &str, row: usize) -> String {
    batch.column_by_name(column).unwrap().as_string::<i32>().value(row).to_owned()
}

/// Where the longest chain of one aircraft begins and how long it is; the earliest of several.
fn longest_chain(days: &Days) -> (usize, i128) {
    let mut best = (NONE, 0);
    for departures in days.values() {
        let mut day = departures.clone();
        day.sort();
        let mut start = 0;
        for here in 0..day.len() {
            if here > 0 {
                let ((left, airborne, from, to), (leaves, _, origin, _)) = (&day[here - 1], &day[here]);
                let waits = leaves - left;
                let there = to == origin && waits >= *airborne;
                let back = from == origin && waits >= 2 * airborne;
                if !there && !back {
                    start = here;
                }
            }
            let length = (here - start + 1) as i128;
            if length > best.1 {
                let airport = AIRPORTS.iter().position(|airport| *airport == day[start].2);
                best = (airport.unwrap_or(NONE), length);
            }
        }
    }
    best
}

/// What the job must add up: the lengths, each at most 10, and the aircraft, by airport.
fn expected(departures: &BTreeMap<String, Days>) -> Cells {
    let mut cells = vec![vec![0; AIRPORTS.len() + 1]; 2];
    for days in departures.values() {
        let (key, length) = longest_chain(days);
        cells[0][key] += length.min(10);
        cells[1][key] += 1;
    }
    cells
}

fn spec(job: &JobManifest) -> MapSpec {
    let output = &job.output;
    let values = output.values.iter().map(|v| ValueSpec { low: v.low, high: v.high, step: v.step });
    MapSpec {
        max_rows: output.max_rows,
        keys: output.keys.len() as u32,
        max_keys: output.max_keys,
        bounding: Bounding::Unit,
        values: values.collect(),
        count_units: output.count_units,
        default: DefaultRow { key: output.default_key, values: output.default_values.clone() },
        fuel: job.fuel,
        params: job.params.clone().into_bytes(),
    }
}

#[test]
fn the_flights_job_adds_up_what_plain_rust_adds_up() {
    let job = fs::read_to_string(examples("jobs/flights_rotation/job.toml")).unwrap();
    let job = JobManifest::parse(&job).unwrap();
    let module = fs::read(examples("jobs/flights_rotation/flights_rotation.wasm")).unwrap();
    assert_eq!((job.module, job.dataset.to_string().as_str()), (Digest::of(&module), DATASET));
    assert_eq!(job.output.keys, ["EWR", "JFK", "LGA", "none"]);
    let module = Module::check(&module).unwrap();

    let place = Place::new();
    let manifest = Manifest::parse(&fs::read_to_string(examples("data/nyc_flights13.toml")).unwrap()).unwrap();
    let dataset = place.catalog.add(&manifest, &examples("data/nyc_flights13.parquet")).unwrap().dataset;
    let workers = Workers::new(WorkerConfig {
        executable: WORKER.clone(),
        workers: 2,
        batch_units: 256,
        unit_time: Duration::from_secs(20),
    });
    let cells = block(async {
        let input = dataset.unit_partitions(&job.columns, 2, 8_192).await.unwrap();
        map_units(input, &module, &spec(&job), &SelectionKey::new([7; 16]), &workers).await.unwrap().expose()
    });

    let departures = departures();
    assert_eq!(departures.len(), 6_555);
    let expected = expected(&departures);
    assert_eq!(cells, expected);
    // Every aircraft has one answer, and hardly any chain is as long as the declared bound.
    assert_eq!(expected[1].iter().sum::<i128>(), 6_555);
    assert!(expected[0].iter().sum::<i128>() > 6_555, "{expected:?}");
}
