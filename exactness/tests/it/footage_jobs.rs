//! Jobs over footage that went through the catalog: what one appearance more or less moves, whatever the guest tries; and the
//! example job, whose exact cells are those of the native counter.

use std::time::Duration;

use glovebox_catalog::{Catalog, Manifest};
use glovebox_policy::JobManifest;
use glovebox_privacy::Geometry;
use glovebox_privacy::sensitivity::l1;
use glovebox_sandbox::{
    Bounding, DefaultRow, MapSpec, Module, SelectionKey, ValueSpec, WorkerConfig, Workers, map_units,
};
use glovebox_street::{Actor, Class, FRAMES_PER_SECOND, Scene, count, y4m};
use glovebox_vault::Expose as _;
use tempfile::TempDir;

use crate::data::{Cells, block};
use crate::jobs::WORKER;

const MANIFEST: &str = include_str!("../../../examples/street/street_scene.toml");
const JOB: &str = include_str!("../../../examples/jobs/street_crossings/job.toml");
const GUEST: &[u8] = include_bytes!("../../../examples/jobs/street_crossings/street_crossings.wasm");

const CHUNK_S: u32 = 10;
const FRAMES: u32 = CHUNK_S * FRAMES_PER_SECOND;

/// Adds up all of a chunk and makes of it: how many rows there are (none to one too many), under which key (one of four,
/// of which three are declared), and a number out of all bounds. So one pixel changes everything that a chunk emits.
const HOSTILE: &str = r#"(module
  (memory (export "memory") 12 12)
  (func (export "gbx_abi") (result i32) i32.const 1)
  (func (export "gbx_in") (result i32) i32.const 1024)
  (func (export "gbx_in_cap") (result i32) i32.const 740000)
  (func (export "gbx_out") (result i32) i32.const 750000)
  (func (export "gbx_out_cap") (result i32) i32.const 8192)
  (func (export "gbx_map") (param $len i32) (result i32)
    (local $at i32) (local $sum i64) (local $row i32) (local $out i32) (local $rows i32)
    (loop $next
      (local.set $sum (i64.mul (i64.const 0x9e3779b97f4a7c15)
        (i64.xor (local.get $sum) (i64.load offset=1024 (local.get $at)))))
      (local.set $at (i32.add (local.get $at) (i32.const 8)))
      (br_if $next (i32.lt_u (local.get $at) (local.get $len))))
    (local.set $rows (i32.wrap_i64 (i64.rem_u (i64.shr_u (local.get $sum) (i64.const 8)) (i64.const 5))))
    (loop $more
      (local.set $out (i32.add (i32.const 750000) (i32.mul (local.get $row) (i32.const 24))))
      (i32.store (local.get $out) (i32.and (i32.const 3)
        (i32.add (local.get $row) (i32.wrap_i64 (i64.shr_u (local.get $sum) (i64.const 60))))))
      (f64.store offset=8 (local.get $out) (f64.mul (f64.const 1e200) (f64.convert_i64_s (local.get $sum))))
      (f64.store offset=16 (local.get $out) (f64.const -1e300))
      (local.set $row (i32.add (local.get $row) (i32.const 1)))
      (br_if $more (i32.lt_u (local.get $row) (i32.const 4))))
    (local.get $rows)))"#;

/// The first value has a wide range; the second is always 1, so that its cells count the rows.
fn hostile_spec(bounding: Bounding) -> MapSpec {
    MapSpec {
        max_rows: 3,
        keys: 3,
        max_keys: 3,
        bounding,
        values: vec![ValueSpec { low: -5, high: 20, step: 1.0 }, ValueSpec { low: 1, high: 1, step: 1.0 }],
        count_units: false,
        default: DefaultRow { key: 1, values: vec![7, 1] },
        fuel: 100_000_000,
        params: Vec::new(),
    }
}

/// The sandbox's part of the example job.
fn example_spec(job: &JobManifest) -> MapSpec {
    let values = &job.output.values;
    MapSpec {
        max_rows: job.output.max_rows,
        keys: job.output.keys.len() as u32,
        max_keys: job.output.max_keys,
        bounding: Bounding::Rows,
        values: values.iter().map(|v| ValueSpec { low: v.low, high: v.high, step: v.step }).collect(),
        count_units: false,
        default: DefaultRow { key: job.output.default_key, values: job.output.default_values.clone() },
        fuel: job.fuel,
        params: Vec::new(),
    }
}

/// Scenes as datasets.
struct Bureau {
    dir: TempDir,
    catalog: Catalog,
    next: std::cell::Cell<u32>,
}

impl Bureau {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let catalog = Catalog::create(&dir.path().join("catalog"), &dir.path().join("master.key")).unwrap();
        Self { dir, catalog, next: std::cell::Cell::new(0) }
    }

    /// Exact cells of a job over a scene.
    fn cells(&self, scene: &Scene, guest: &Module, spec: &MapSpec, partitions: usize, batch_rows: usize) -> Cells {
        let name = format!("t.street{}", self.next.replace(self.next.get() + 1));
        let text = MANIFEST.replace("traffic.street_scene", &name);
        let text = text.replace("chunks = 60", &format!("chunks = {}", scene.frames() / FRAMES));
        let file = self.dir.path().join("footage.y4m");
        y4m::write(scene, &mut std::io::BufWriter::new(std::fs::File::create(&file).unwrap())).unwrap();
        let dataset = self.catalog.add(&Manifest::parse(&text).unwrap(), &file).unwrap().dataset;
        let workers = Workers::new(WorkerConfig {
            executable: WORKER.clone(),
            workers: 2,
            batch_units: 256,
            unit_time: Duration::from_secs(60),
        });
        let columns = ["pixels".parse().unwrap()];
        block(async {
            let input = dataset.unit_partitions(&columns, partitions, batch_rows).await.unwrap();
            map_units(input, guest, spec, &SelectionKey::new([9; 16]), &workers).await.unwrap().expose()
        })
    }
}

/// How many chunks somebody is in view in.
fn chunks_met(actor: &Actor) -> u32 {
    let chunks = actor.segments.iter().flat_map(|segment| segment.first / FRAMES..=segment.last / FRAMES);
    chunks.collect::<std::collections::BTreeSet<_>>().len() as u32
}

fn moved(before: &Cells, after: &Cells, family: usize) -> u128 {
    before[family].iter().zip(&after[family]).map(|(a, b)| a.abs_diff(*b)).sum()
}

fn some(scene: &Scene) -> Vec<&Actor> {
    let of = |class| scene.truth().actors.iter().filter(move |actor| actor.class == class).nth(1);
    let back = scene.truth().actors.iter().find(|actor| actor.segments.len() > 1);
    Class::ALL.into_iter().filter_map(of).chain(back).collect()
}

#[test]
fn one_appearance_moves_cells_by_no_more_than_its_chunks_allow() {
    let (bureau, scene) = (Bureau::new(), Scene::new(5, 60));
    let hostile = Module::check(&wat::parse_str(HOSTILE).unwrap()).unwrap();
    let (guest, job) = (Module::check(GUEST).unwrap(), JobManifest::parse(JOB).unwrap());
    for (module, spec) in [(&hostile, hostile_spec(Bounding::Rows)), (&guest, example_spec(&job))] {
        let before = bureau.cells(&scene, module, &spec, 2, 7);
        let mut noticed = 0;
        for actor in some(&scene) {
            let after = bureau.cells(&scene.without(actor.id), module, &spec, 1, 50);
            let geometry = Geometry::Replacement { rows: chunks_met(actor) * spec.max_rows };
            for (family, linf) in spec.linf().into_iter().enumerate() {
                let sum = moved(&before, &after, family);
                assert!(sum <= l1(linf, geometry, spec.keys), "{family}: {sum} without {actor:?}");
                noticed += u32::from(sum > 0);
            }
        }
        assert!(noticed >= 2, "cells that nobody moves show nothing");
    }
}

/// Every chunk counts as `max_rows` rows, whatever its guest does; a host that took chunks for persons would be noticed.
#[test]
fn the_number_of_rows_is_public() {
    let (bureau, scene) = (Bureau::new(), Scene::new(5, 60));
    let hostile = Module::check(&wat::parse_str(HOSTILE).unwrap()).unwrap();
    let rows = |bounding| {
        // The value that is always 1: the guest says −1e300.
        let cells = bureau.cells(&scene, &hostile, &hostile_spec(bounding), 1, 50);
        cells[1].iter().sum::<i128>()
    };
    assert_eq!(rows(Bounding::Rows), 3 * 6);
    assert!(rows(Bounding::Unit) < 3 * 6);
}

#[test]
fn the_example_job_counts_what_the_native_counter_counts() {
    let (bureau, scene) = (Bureau::new(), Scene::new(1, 120));
    let job = JobManifest::parse(JOB).unwrap();
    let spec = example_spec(&job);
    let cells = bureau.cells(&scene, &Module::check(GUEST).unwrap(), &spec, 2, 8_192);
    let frames: Vec<Vec<u8>> = (0..scene.frames()).map(|number| scene.frame(number)).collect();
    for ((class, value), cells) in Class::ALL.into_iter().zip(&spec.values).zip(&cells) {
        let counted = frames.chunks(FRAMES as usize).map(|chunk| count::crossings(chunk, class) as i64);
        let counted: i64 = counted.map(|count| count.clamp(value.low, value.high)).sum();
        assert!(counted > 0, "{class:?}");
        assert_eq!(*cells, [i128::from(counted)], "{class:?}");
    }
}
