//! The example job about flights, as it is committed, over rows made by hand.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, StringArray};
use glovebox_sandbox::bound::UnitId;
use glovebox_sandbox::{Bounding, DefaultRow, MapSpec, Module, ValueSpec};

use crate::support::{Cut, PLAIN, batch, cut, run_streams, streams, unit, worker, workers};

/// Day, departure as HHMM, minutes in the air, from where, to where; all in March.
type Flight = (i64, Option<i64>, Option<i64>, &'static str, &'static str);

/// As `job.toml` says: the airports EWR, JFK, LGA and `none`, and a number of flights from 0 to 10.
fn spec() -> MapSpec {
    MapSpec {
        max_rows: 1,
        keys: 4,
        max_keys: 1,
        bounding: Bounding::Unit,
        values: vec![ValueSpec { low: 0, high: 10, step: 1.0 }],
        count_units: true,
        default: DefaultRow { key: 3, values: vec![0] },
        fuel: 2_000_000,
        params: Vec::new(),
    }
}

fn committed() -> Module {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/jobs/flights_rotation/flights_rotation.wasm");
    Module::check(&std::fs::read(path).unwrap()).unwrap()
}

fn cells(aircraft: &[Vec<Flight>], shape: Cut) -> Vec<Vec<i128>> {
    let ids = |number: usize| unit(number as u64, &[]).id;
    let rows: Vec<(UnitId, Flight)> = aircraft
        .iter()
        .enumerate()
        .flat_map(|(number, flights)| flights.iter().map(move |of| (ids(number), *of)))
        .collect();
    let numbers = |of: fn(&Flight) -> Option<i64>| -> ArrayRef {
        Arc::new(rows.iter().map(|(_, flight)| of(flight)).collect::<Int64Array>())
    };
    let texts = |of: fn(&Flight) -> &'static str| -> ArrayRef {
        Arc::new(rows.iter().map(|(_, flight)| Some(of(flight))).collect::<StringArray>())
    };
    let columns = [
        ("month", numbers(|_| Some(3))),
        ("day", numbers(|of| Some(of.0))),
        ("dep_time", numbers(|of| of.1)),
        ("air_time", numbers(|of| of.2)),
        ("origin", texts(|of| of.3)),
        ("dest", texts(|of| of.4)),
    ];
    let units: Vec<UnitId> = rows.iter().map(|(unit, _)| *unit).collect();
    let items = cut(&batch(&columns, &units), &units, shape.batch_rows);
    run_streams(&committed(), &spec(), streams(vec![items]), &workers(worker(), shape)).unwrap()
}

#[test]
fn chains_of_flights_are_counted_in_the_sandbox() {
    let flight = |day, dep_time, origin, dest| (day, Some(dep_time), Some(60), origin, dest);
    let aircraft = [
        // Out and back three times from LaGuardia.
        vec![flight(1, 1430, "LGA", "DCA"), flight(1, 600, "LGA", "BOS"), flight(1, 1000, "LGA", "DCA")],
        // From Newark to LaGuardia and on from there; another day does not belong to it.
        vec![flight(1, 600, "EWR", "LGA"), flight(1, 700, "LGA", "ORD"), flight(2, 2000, "LGA", "ORD")],
        // The second departure is a minute too early to have been out and back.
        vec![flight(1, 600, "JFK", "BOS"), flight(1, 759, "JFK", "BOS")],
        // Cancelled, and of unknown length.
        vec![(1, None, None, "LGA", "DCA"), (1, Some(800), None, "LGA", "DCA")],
        // Numbers that no sane row holds.
        vec![(1, Some(i64::MAX), Some(i64::MIN), "JFK", "DCA")],
        // More flights than the range: 0000, 0100, … 1200, each long back before the next; 13 counted as 10.
        (0..13).map(|hour| (1, Some(hour * 100), Some(1), "EWR", "PHL")).collect(),
        // More rows than the guest has room for: the default row.
        (0..2_000).map(|row| (row % 28, Some(600), Some(1), "JFK", "PHL")).collect(),
    ];
    // EWR: 2 + 10. JFK: 1. LGA: 3. `none`: a cancelled day, an insane row and one too many, all 0.
    let expected = vec![vec![12, 1, 3, 0], vec![2, 1, 1, 3]];
    assert_eq!(cells(&aircraft, PLAIN), expected);
    assert_eq!(cells(&aircraft, Cut { streams: 1, batch_rows: 5, workers: 2, batch_units: 1 }), expected);
}
