//! Jobs over rows that went through the catalog: one unit more or less moves exact cells by no more than the job declares,
//! whatever the guest tries; and how the walk is cut up changes nothing.

use std::path::PathBuf;
use std::sync::LazyLock;
use std::time::Duration;

use glovebox_exactness::neighbour::{Violation, check};
use glovebox_policy::{NanoEpsilon, Public};
use glovebox_privacy::{Ask, Family, Geometry, plan_noise};
use glovebox_sandbox::{
    Bounding, DefaultRow, MapSpec, Module, SelectionKey, ValueSpec, WorkerConfig, Workers, map_units,
};
use glovebox_vault::Expose as _;

use crate::data::{Cells, MAX_ROWS, Place, Row, block, hard_rows, without};

/// Emits one row for each row that it sees: under a key that depends on the row, with the row's two numbers.
const EVERY_ROW: &str = r#"(module
  (memory (export "memory") 1 1)
  (func (export "gbx_abi") (result i32) i32.const 1)
  (func (export "gbx_in") (result i32) i32.const 1024)
  (func (export "gbx_in_cap") (result i32) i32.const 16384)
  (func (export "gbx_out") (result i32) i32.const 32768)
  (func (export "gbx_out_cap") (result i32) i32.const 8192)
  (func (export "gbx_map") (param i32) (result i32)
    (local $row i32) (local $rows i32) (local $x i64) (local $out i32)
    (local.set $rows (i32.load (i32.const 1028)))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $row) (local.get $rows)))
        (local.set $x (i64.load (i32.add (i32.const 1024)
          (i32.add (i32.load (i32.const 1068)) (i32.shl (local.get $row) (i32.const 3))))))
        (local.set $out (i32.add (i32.const 32768) (i32.mul (local.get $row) (i32.const 24))))
        (i32.store (local.get $out) KEY)
        (f64.store offset=8 (local.get $out) (f64.mul (f64.const SCALE) (f64.convert_i64_s (local.get $x))))
        (f64.store offset=16 (local.get $out) (f64.load (i32.add (i32.const 1024)
          (i32.add (i32.load (i32.const 1092)) (i32.shl (local.get $row) (i32.const 3))))))
        (local.set $row (i32.add (local.get $row) (i32.const 1)))
        (br $next)))
    (local.get $rows)))"#;

/// Keys that spread over all of them, by the row and by what is in it.
const SPREAD: &str =
    "(i32.and (i32.add (i32.mul (local.get $row) (i32.const 3)) (i32.wrap_i64 (local.get $x))) (i32.const 7))";

const KEYS: u32 = 8;
const MAX_KEYS: u32 = 2;

fn module(key: &str, scale: &str) -> Module {
    Module::check(&wat::parse_str(EVERY_ROW.replace("KEY", key).replace("SCALE", scale)).unwrap()).unwrap()
}

fn guests() -> Vec<Module> {
    // Honest; wants more than it may; and one whose keys are mostly not declared.
    vec![module(SPREAD, "1"), module(SPREAD, "1e12"), module("(i32.wrap_i64 (local.get $x))", "-1e300")]
}

fn spec(max_keys: u32) -> MapSpec {
    MapSpec {
        max_rows: MAX_ROWS as u32,
        keys: KEYS,
        max_keys,
        bounding: Bounding::Unit,
        values: vec![ValueSpec { low: -10, high: 50, step: 1.0 }, ValueSpec { low: -20, high: 80, step: 0.25 }],
        count_units: true,
        default: DefaultRow { key: 5, values: vec![50, -20] },
        fuel: 100_000,
        params: b"public".to_vec(),
    }
}

/// How far a unit may move a cell of each family.
const LINF: [u64; 3] = [50, 80, 1];

pub(crate) static WORKER: LazyLock<PathBuf> = LazyLock::new(|| {
    let own = std::env::current_exe().unwrap();
    let worker = own.ancestors().nth(2).unwrap().join("glovebox-worker");
    if !worker.exists() {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let built = std::process::Command::new(cargo).args(["build", "--package", "glovebox-worker"]).status().unwrap();
        assert!(built.success() && worker.exists(), "there is no worker at {}", worker.display());
    }
    worker
});

/// How a walk is cut up: partitions, rows of a batch, workers, units of a batch.
type Cut = (usize, usize, usize, usize);

fn cells(place: &Place, name: &str, guest: &Module, spec: &MapSpec, (partitions, rows, workers, units): Cut) -> Cells {
    let dataset = place.catalog.get(&name.parse().unwrap()).unwrap();
    let columns = ["x", "c"].map(|name| name.parse().unwrap());
    let workers = Workers::new(WorkerConfig {
        executable: WORKER.clone(),
        workers,
        batch_units: units,
        unit_time: Duration::from_secs(20),
    });
    let key = SelectionKey::new(*b"a selection key!");
    block(async {
        let input = dataset.unit_partitions(&columns, partitions, rows).await.unwrap();
        map_units(input, guest, spec, &key, &workers).await.unwrap().expose()
    })
}

#[test]
fn no_unit_moves_cells_further_than_the_job_declares() {
    let rows = hard_rows();
    let place = Place::new();
    let all = place.add(&rows);
    let mut persons: Vec<i64> = rows.iter().map(|row| row.person).collect();
    persons.dedup();
    let spec = spec(MAX_KEYS);
    for guest in guests() {
        let before = cells(&place, &all, &guest, &spec, (2, 8_192, 1, 256));
        for person in persons.iter().copied().step_by(3) {
            let fewer = place.add(&without(&rows, person));
            let rest = cells(&place, &fewer, &guest, &spec, (1, 8_192, 1, 256));
            let moved = check(&before, &rest, &LINF, MAX_KEYS);
            assert!(moved.is_ok(), "{moved:?} without person {person}");
        }
    }
}

/// The plan prices what the bounds allow: Δ₂ = √L0·C for each family, rounded up by at most a billionth.
#[test]
fn the_noise_is_planned_for_that_movement() {
    let label = |name: &str| Public::from_request(name.to_owned());
    let families = LINF.iter().map(|linf| Family { label: label("a value"), linf: *linf, total: None }).collect();
    let ask = Ask { epsilon: NanoEpsilon::from_epsilon(1.0).unwrap(), delta: 1e-9, mechanism: None };
    let plan = plan_noise(families, KEYS, Geometry::GroupSelection { max_groups: MAX_KEYS }, ask).unwrap();
    for (family, linf) in plan.families().iter().zip(LINF) {
        let exact = f64::from(MAX_KEYS).sqrt() * linf as f64;
        assert!((exact..exact * (1.0 + 1e-9)).contains(&family.sensitivity), "{} for {exact}", family.sensitivity);
    }
}

/// A host that kept a key too many would be noticed.
#[test]
fn a_key_too_many_is_noticed() {
    let place = Place::new();
    let row = |person, x| Row { person, x: Some(x), c: Some(1.0), ..Row::default() };
    let rows = [row(1, 5), row(2, 7), row(2, 7), row(2, 7), row(2, 7)];
    let (all, fewer) = (place.add(&rows), place.add(&without(&rows, 2)));
    let guest = module(SPREAD, "1");
    let cut = (1, 8_192, 1, 256);
    let moved = |spec: &MapSpec| {
        let (with, rest) = (cells(&place, &all, &guest, spec, cut), cells(&place, &fewer, &guest, spec, cut));
        check(&with, &rest, &LINF, MAX_KEYS)
    };
    assert!(moved(&spec(MAX_KEYS)).is_ok());
    assert_eq!(moved(&spec(4)), Err(Violation::Groups { moved: 4, allowed: MAX_KEYS }));
    let mut wide = spec(MAX_KEYS);
    wide.values[0].high = 60;
    let greedy = module(SPREAD, "1e12");
    let (with, rest) = (cells(&place, &all, &greedy, &wide, cut), cells(&place, &fewer, &greedy, &wide, cut));
    assert!(matches!(check(&with, &rest, &LINF, MAX_KEYS), Err(Violation::Cell { family: 0, moved: 60, .. })));
}

#[test]
fn how_the_walk_is_cut_up_changes_nothing() {
    let place = Place::new();
    let all = place.add(&hard_rows());
    for guest in guests() {
        let once = cells(&place, &all, &guest, &spec(MAX_KEYS), (1, 8_192, 1, 256));
        for cut in [(1, 1, 1, 1), (2, 3, 2, 2), (3, 7, 1, 5), (2, 100, 2, 1_000)] {
            assert_eq!(cells(&place, &all, &guest, &spec(MAX_KEYS), cut), once, "{cut:?}");
        }
    }
}
