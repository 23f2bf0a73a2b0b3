//! The ways of doing the same: through the whole operator, in this process, with one instance, and without a guest.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use arrow::array::{AsArray as _, FixedSizeBinaryArray};
use arrow::datatypes::Int64Type;
use futures::stream;
use glovebox_evil::planted::ReuseInstance;
use glovebox_sandbox::{Module, SelectionKey, WorkerConfig, Workers, map_units};
use glovebox_vault::{Expose as _, Protected};
use glovebox_wire::{Area, BatchBuilder, Call, FrameBuilder, FrameError, SlotMut, Start};
use glovebox_worker::config::engine;
use glovebox_worker::{FreshInstances, RunFault, Runner};
use serde_json::Value;
use wasmtime::Engine;

use crate::figures::{Figure, timed};
use crate::machine::on_one_core;
use crate::rows::{self, Batch, HIGH, KEYS, UNITS};

/// Fuel of a unit.
pub(crate) const FUEL: u64 = 100_000;

/// Units that go to a worker in one message.
pub(crate) const MESSAGE_UNITS: usize = 256;

/// Exact cells, `[family][key]`.
type Cells = Vec<Vec<i128>>;

/// What was measured.
pub(crate) struct Ways {
    /// Everything, host and worker on one core.
    pub(crate) operator: Figure,
    /// Everything, one worker, on all cores.
    spread: Figure,
    /// Everything, two workers, on all cores.
    two: Figure,
    /// Fresh instances in this process, memories of 1, 2 and 16 pages.
    pub(crate) fresh: [Figure; 3],
    /// One instance for all units, in this process.
    pub(crate) reused: Figure,
    /// A closure over the columns.
    pub(crate) native: Figure,
}

impl Ways {
    pub(crate) fn all(&self) -> Vec<(&'static str, &Figure)> {
        let [one, two, sixteen] = &self.fresh;
        vec![
            ("operator, fresh instances, 1 worker, one core", &self.operator),
            ("operator, fresh instances, 1 worker, all cores", &self.spread),
            ("operator, fresh instances, 2 workers, all cores", &self.two),
            ("in-process, fresh instances, 64 KiB", one),
            ("in-process, fresh instances, 128 KiB (as the operator)", two),
            ("in-process, fresh instances, 1 MiB", sixteen),
            ("in-process, reused instance", &self.reused),
            ("native closure over the columns", &self.native),
        ]
    }

    pub(crate) fn json(&self) -> Vec<(String, Value)> {
        let names = [
            "operator_one_core",
            "operator_1_worker",
            "operator_2_workers",
            "fresh_64k",
            "fresh_128k",
            "fresh_1m",
            "reused",
            "native",
        ];
        names.iter().zip(self.all()).map(|(name, (_, figure))| ((*name).to_owned(), figure.json())).collect()
    }
}

/// Measures all ways.
pub(crate) fn measure(folder: &Path) -> Result<Ways> {
    let batches = rows::batches()?;
    let worker = folder.join("glovebox-worker");
    ensure!(worker.is_file(), "`{}` is not built", worker.display());
    let expected = native(&batches)?;
    let frames = frames(&batches, &call(2))?;
    let fresh = |pages| in_process(&frames, &call(pages), &guest(pages)?, FreshInstances::compile);
    Ok(Ways {
        operator: on_one_core(|| operator(&worker, &batches, 1, &expected))?,
        spread: operator(&worker, &batches, 1, &expected)?,
        two: operator(&worker, &batches, 2, &expected)?,
        fresh: [on_one_core(|| fresh(1))?, on_one_core(|| fresh(2))?, on_one_core(|| fresh(16))?],
        reused: on_one_core(|| in_process(&frames, &call(2), &guest(2)?, ReuseInstance::compile))?,
        native: on_one_core(|| {
            Figure::of(|| timed(|| native(&batches).map(|cells| drop(std::hint::black_box(cells)))))
        })?,
    })
}

/// The bench's guest, with a memory of so many pages.
pub(crate) fn guest(pages: u32) -> Result<Vec<u8>> {
    let text = include_str!("guest.wat").replace("PAGES", &pages.to_string());
    wat::parse_str(text).context("the bench's guest")
}

/// How the bench's guest is called.
pub(crate) fn call(pages: u32) -> Call {
    Call {
        fuel: FUEL,
        max_rows: 1,
        values: 1,
        memory_bytes: pages << 16,
        input: Area { at: 1024, cap: 4096 },
        output: Area { at: 8192, cap: 1024 },
        log: None,
        trace: false,
    }
}

/// The whole operator.
fn operator(worker: &Path, batches: &[Batch], workers: usize, expected: &Cells) -> Result<Figure> {
    let module = Module::check(&guest(2)?)?;
    Figure::of(|| {
        let (spent, cells) = job(worker, batches, &module, workers)?;
        ensure!(cells == *expected, "the operator has other cells than native code: {cells:?}, {expected:?}");
        Ok(spent)
    })
}

/// One job, the start of its workers left in: how long it took, and its cells.
pub(crate) fn job(worker: &Path, batches: &[Batch], module: &Module, workers: usize) -> Result<(Duration, Cells)> {
    let pool = Workers::new(WorkerConfig {
        executable: worker.to_owned(),
        workers,
        batch_units: MESSAGE_UNITS,
        unit_time: Duration::from_secs(5),
    });
    // As many streams as workers, each of whole batches, in order.
    let each = batches.len().div_ceil(workers);
    let streams = batches.chunks(each).map(|part| {
        let part: Vec<Result<Batch, std::convert::Infallible>> = part.iter().cloned().map(Ok).collect();
        stream::iter(part)
    });
    let input = Protected::seal(streams.collect::<Vec<_>>());
    let runtime = if workers == 1 {
        tokio::runtime::Builder::new_current_thread().enable_all().build()?
    } else {
        tokio::runtime::Builder::new_multi_thread().worker_threads(workers).enable_all().build()?
    };
    let (spec, key) = (rows::job(FUEL), SelectionKey::new([3; 16]));
    let mut cells = Cells::new();
    let spent = timed(|| {
        cells = runtime.block_on(map_units(input, module, &spec, &key, &pool))?.expose();
        Ok(())
    })?;
    Ok((spent, cells))
}

/// All frames, in messages as the host builds them.
pub(crate) fn frames(batches: &[Batch], call: &Call) -> Result<Vec<BatchBuilder>> {
    let mut messages = vec![BatchBuilder::new(call)];
    for (batch, _) in batches {
        let values = batch.column(0).as_primitive::<Int64Type>().values();
        for row in 0..values.len() {
            if messages.last().is_none_or(|message| message.units() >= MESSAGE_UNITS) {
                messages.push(BatchBuilder::new(call));
            }
            let value = values.get(row..=row).context("a row")?;
            let message = messages.last_mut().context("a message")?;
            message
                .push_with(|out| {
                    let mut frame = FrameBuilder::new(out, 1, 1, call.input.cap as usize)?;
                    frame.i64s(value.iter().copied(), None)?;
                    frame.finish(&[])
                })
                .map_err(|fault: FrameError| fault)?;
        }
    }
    Ok(messages)
}

/// Guests in this process, one after the other: no pipe, no other process.
fn in_process<M: Runner>(
    messages: &[BatchBuilder],
    call: &Call,
    module: &[u8],
    compile: impl FnOnce(&Engine, &Start<'_>) -> Result<M, glovebox_wire::StartRefusal>,
) -> Result<Figure> {
    let engine = engine().map_err(RunFault::from)?;
    let runner = compile(&engine, &Start { module, call: *call });
    let mut runner = runner.map_err(|refusal| anyhow::anyhow!("the bench's guest is refused: {refusal:?}"))?;
    let layout = call.slot();
    let mut bytes = vec![0; layout.bytes()];
    Figure::of(|| {
        let mut ran = 0;
        let spent = timed(|| {
            for frame in messages.iter().flat_map(BatchBuilder::frames) {
                let mut slot = SlotMut::new(layout, &mut bytes).context("a slot")?;
                runner.run(frame, &mut slot, None)?;
                ran += usize::from(bytes.first() == Some(&0));
            }
            Ok(())
        })?;
        ensure!(ran == UNITS, "{ran} units ran");
        Ok(spent)
    })
}

/// The same without a sandbox: what a trusted loop over the columns does, units recognised by their ids.
fn native(batches: &[Batch]) -> Result<Cells> {
    let mut cells = vec![vec![0_i128; KEYS as usize]; 2];
    let closure = std::hint::black_box(|value: i64| (value & 7, value as f64));
    let mut last: Option<&[u8]> = None;
    for (batch, _) in batches {
        let values = batch.column(0).as_primitive::<Int64Type>();
        let units: &FixedSizeBinaryArray = batch.column(1).as_fixed_size_binary();
        for row in 0..values.len() {
            let unit = units.value(row);
            ensure!(last.is_none_or(|last| last < unit), "units do not rise");
            last = Some(unit);
            let (key, value) = closure(values.value(row));
            let step = (value.round() as i64).clamp(0, HIGH);
            for (family, add) in cells.iter_mut().zip([step, 1]) {
                if let Some(cell) = family.get_mut(usize::try_from(key)?) {
                    *cell += i128::from(add);
                }
            }
        }
    }
    Ok(cells)
}
