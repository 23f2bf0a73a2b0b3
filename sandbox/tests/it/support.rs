//! Units, streams of their rows, modules and workers for the tests.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use arrow::array::{ArrayRef, FixedSizeBinaryArray, Float64Array, Int64Array, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema};
use futures::stream::{self, BoxStream, StreamExt as _};
use glovebox_sandbox::bound::{Emitted, UnitId, contribution};
use glovebox_sandbox::{
    Bounding, DefaultRow, MapSpec, Module, SandboxFault, SelectionKey, UNIT_COLUMN, ValueSpec, WorkerConfig, Workers,
    map_units,
};
use glovebox_vault::{Expose as _, Protected};

/// A unit whose rows are what the guest `ECHO` emits: key and value.
#[derive(Debug, Clone)]
pub(crate) struct Unit {
    pub(crate) id: UnitId,
    pub(crate) rows: Vec<(i64, f64)>,
}

/// The unit of this number; ids rise with it.
pub(crate) fn unit(number: u64, rows: &[(i64, f64)]) -> Unit {
    let mut id = [0xAB; 16];
    id[..8].copy_from_slice(&number.to_be_bytes());
    Unit { id, rows: rows.to_vec() }
}

/// Layout of `ECHO`.
pub(crate) const ECHO_IN_CAP: usize = 2_048;

/// Emits each row of its unit as it is: the first column is the key, the second the value. So whatever a test puts into
/// rows, a guest emits. Declares 64 rows at most.
pub(crate) const ECHO: &str = r#"(module
  (memory (export "memory") 1 1)
  (func (export "gbx_abi") (result i32) i32.const 1)
  (func (export "gbx_in") (result i32) i32.const 1024)
  (func (export "gbx_in_cap") (result i32) i32.const 2048)
  (func (export "gbx_out") (result i32) i32.const 4096)
  (func (export "gbx_out_cap") (result i32) i32.const 2048)
  (func (export "gbx_map") (param i32) (result i32)
    (local $n i32) (local $i i32) (local $keys i32) (local $values i32)
    (local.set $n (i32.load (i32.const 1028)))
    (local.set $keys (i32.add (i32.const 1024) (i32.load (i32.const 1068))))
    (local.set $values (i32.add (i32.const 1024) (i32.load (i32.const 1092))))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $i) (local.get $n)))
        (br_if $done (i32.ge_u (local.get $i) (i32.const 64)))
        (i32.store (i32.add (i32.const 4096) (i32.shl (local.get $i) (i32.const 4)))
          (i32.wrap_i64 (i64.load (i32.add (local.get $keys) (i32.shl (local.get $i) (i32.const 3))))))
        (f64.store (i32.add (i32.const 4104) (i32.shl (local.get $i) (i32.const 4)))
          (f64.load (i32.add (local.get $values) (i32.shl (local.get $i) (i32.const 3)))))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br $next)))
    (local.get $n)))"#;

pub(crate) fn module(text: &str) -> Module {
    Module::check(&wat::parse_str(text).unwrap()).unwrap()
}

/// A job for `ECHO`: one value in `low..=high` by whole steps, and the count.
pub(crate) fn spec(keys: u32, max_keys: u32, max_rows: u32, low: i64, high: i64) -> MapSpec {
    MapSpec {
        max_rows,
        keys,
        max_keys,
        bounding: Bounding::Unit,
        values: vec![ValueSpec { low, high, step: 1.0 }],
        count_units: true,
        default: DefaultRow { key: keys - 1, values: vec![high] },
        fuel: 100_000,
        params: Vec::new(),
    }
}

/// How the rows are cut up, and who works.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cut {
    pub(crate) streams: usize,
    pub(crate) batch_rows: usize,
    pub(crate) workers: usize,
    pub(crate) batch_units: usize,
}

pub(crate) const PLAIN: Cut = Cut { streams: 1, batch_rows: 1_000, workers: 1, batch_units: 256 };

/// A batch, and its runs.
pub(crate) type Item = (RecordBatch, Vec<(Range<usize>, bool)>);

/// Input columns and the column of units.
pub(crate) fn batch(columns: &[(&str, ArrayRef)], ids: &[UnitId]) -> RecordBatch {
    let units = FixedSizeBinaryArray::try_from_iter(ids.iter()).unwrap();
    let mut columns: Vec<(&str, ArrayRef)> = columns.to_vec();
    columns.push((UNIT_COLUMN, Arc::new(units)));
    let fields = columns.iter().map(|(name, of)| Field::new(*name, of.data_type().clone(), true));
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    RecordBatch::try_new(schema, columns.into_iter().map(|(_, of)| of).collect()).unwrap()
}

/// Cuts a batch of whole units into batches of at most so many rows, with their runs.
pub(crate) fn cut(whole: &RecordBatch, ids: &[UnitId], batch_rows: usize) -> Vec<Item> {
    let mut items = Vec::new();
    for start in (0..ids.len()).step_by(batch_rows) {
        let here = &ids[start..ids.len().min(start + batch_rows)];
        let mut runs: Vec<(Range<usize>, bool)> = Vec::new();
        for (row, id) in here.iter().enumerate() {
            match runs.last_mut() {
                Some((rows, _)) if here[rows.start] == *id => rows.end = row + 1,
                _ => runs.push((row..row + 1, row == 0 && start > 0 && ids[start - 1] == *id)),
            }
        }
        items.push((whole.slice(start, here.len()), runs));
    }
    items
}

/// The streams of some units, with the columns `key` and `value`.
pub(crate) fn items(units: &[Unit], cut_up: Cut) -> Vec<Vec<Item>> {
    let per_stream = units.len().div_ceil(cut_up.streams).max(1);
    let of = |units: &[Unit]| {
        let rows = || units.iter().flat_map(|unit| unit.rows.iter());
        let ids: Vec<UnitId> = units.iter().flat_map(|unit| unit.rows.iter().map(|_| unit.id)).collect();
        let keys: ArrayRef = Arc::new(rows().map(|(key, _)| Some(*key)).collect::<Int64Array>());
        let values: ArrayRef = Arc::new(rows().map(|(_, value)| Some(*value)).collect::<Float64Array>());
        cut(&batch(&[("key", keys), ("value", values)], &ids), &ids, cut_up.batch_rows)
    };
    units.chunks(per_stream).map(of).collect()
}

pub(crate) type Streams = Vec<BoxStream<'static, Result<Item, String>>>;

pub(crate) fn streams(items: Vec<Vec<Item>>) -> Streams {
    items.into_iter().map(|items| stream::iter(items.into_iter().map(Ok)).boxed()).collect()
}

pub(crate) const KEY: [u8; 16] = *b"a selection key.";

pub(crate) fn workers(executable: &Path, cut: Cut) -> Workers {
    Workers::new(WorkerConfig {
        executable: executable.to_owned(),
        workers: cut.workers,
        batch_units: cut.batch_units,
        unit_time: Duration::from_secs(20),
    })
}

/// Runs a job over units.
pub(crate) fn run(
    executable: &Path,
    module: &Module,
    spec: &MapSpec,
    units: &[Unit],
    cut: Cut,
) -> Result<Vec<Vec<i128>>, SandboxFault> {
    run_streams(module, spec, streams(items(units, cut)), &workers(executable, cut))
}

pub(crate) fn run_streams(
    module: &Module,
    spec: &MapSpec,
    streams: Streams,
    workers: &Workers,
) -> Result<Vec<Vec<i128>>, SandboxFault> {
    let input = Protected::seal(streams);
    let key = SelectionKey::new(KEY);
    block_on(map_units(input, module, spec, &key, workers)).map(|cells| cells.expose())
}

pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap().block_on(future)
}

/// What the cells of `ECHO` must be, unit by unit; units in `failed` are the default row.
pub(crate) fn expected(spec: &MapSpec, units: &[Unit], failed: &[UnitId]) -> Vec<Vec<i128>> {
    let mut cells = vec![vec![0; spec.keys as usize]; spec.families()];
    for unit in units {
        // Keys reach the guest as 64 bits and leave it as 32.
        let keys = unit.rows.iter().map(|(key, _)| *key as u32).collect();
        let emitted = Emitted { keys, values: unit.rows.iter().map(|(_, value)| *value).collect() };
        let emitted = (!failed.contains(&unit.id)).then_some(&emitted);
        for (key, values) in contribution(spec, &SelectionKey::new(KEY), &unit.id, emitted) {
            let count = if spec.count_units { vec![1] } else { vec![] };
            for (family, value) in cells.iter_mut().zip(values.into_iter().chain(count)) {
                family[key as usize] += i128::from(value);
            }
        }
    }
    cells
}

/// The cells that differ, per family: key to difference.
pub(crate) fn differences(left: &[Vec<i128>], right: &[Vec<i128>]) -> Vec<BTreeMap<usize, i128>> {
    let of = |(left, right): (&Vec<i128>, &Vec<i128>)| {
        let pairs = left.iter().zip(right).enumerate();
        pairs.filter(|(_, (a, b))| a != b).map(|(key, (a, b))| (key, a - b)).collect()
    };
    left.iter().zip(right).map(of).collect()
}

/// The worker of this workspace, beside the directory of this test's executable; built when it is missing.
pub(crate) fn worker() -> &'static Path {
    static WORKER: OnceLock<PathBuf> = OnceLock::new();
    WORKER.get_or_init(|| {
        let here = std::env::current_exe().unwrap();
        let path = here.parent().unwrap().parent().unwrap().join("glovebox-worker");
        if !path.exists() {
            let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
            let built = Command::new(cargo).args(["build", "--quiet", "-p", "glovebox-worker"]).status().unwrap();
            assert!(built.success() && path.exists(), "glovebox-worker cannot be built");
        }
        path
    })
}

/// A Utf8 schema type, for tables of types.
pub(crate) fn text_type() -> DataType {
    DataType::Utf8
}
