//! Workers with a bug planted, and one that runs nothing.
//!
//! They speak the protocol of the worker that ships, through the loop of its own library and under its own seal; only
//! what happens to a unit is wrong. The product has no switch for any of this.

use std::io::{Read, Write};
use std::process::ExitCode;

use glovebox_wire::{SlotMut, Start, StartRefusal, Trace};
use glovebox_worker::config::engine;
use glovebox_worker::{Guest, RunFault, Runner, seal, serve};
use rustix::stdio::{stdin, stdout};
use wasmtime::{Engine, Instance, Memory, Store, TypedFunc};

/// The pipes as they are, as the worker that ships uses them.
struct Pipe;

impl Read for Pipe {
    fn read(&mut self, bytes: &mut [u8]) -> std::io::Result<usize> {
        Ok(rustix::io::read(stdin(), bytes)?)
    }
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        Ok(rustix::io::write(stdout(), bytes)?)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// What `main` of a planted worker does, and the one that ships, too: engine, seal, then serve, with another runner.
pub fn run<M: Runner>(compile: impl FnOnce(&Engine, &Start<'_>) -> Result<M, StartRefusal>) -> ExitCode {
    let Ok(engine) = engine() else { return ExitCode::from(2) };
    if seal().is_err() {
        return ExitCode::from(2);
    }
    match serve(&mut Pipe, &mut Pipe, |start| compile(&engine, start)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// The parts of an instance that a call needs.
struct Parts {
    memory: Memory,
    map: TypedFunc<i32, i32>,
}

fn parts(guest: &Guest, store: &mut Store<()>) -> Result<Parts, RunFault> {
    let instance: Instance = guest.pre().instantiate(&mut *store)?;
    let memory = instance.get_module_export(&mut *store, guest.memory()).and_then(wasmtime::Extern::into_memory);
    let map = instance.get_module_export(&mut *store, guest.map()).and_then(wasmtime::Extern::into_func);
    let (memory, map) = memory.zip(map).ok_or(RunFault::Instance)?;
    Ok(Parts { memory, map: map.typed::<i32, i32>(&*store)? })
}

/// Calls the guest on a frame. Gives the number of rows, or `None` where the outcome is the default.
fn call(guest: &Guest, store: &mut Store<()>, parts: &Parts, frame: &[u8]) -> Result<Option<u32>, RunFault> {
    let frame_len = i32::try_from(frame.len()).map_err(|_| RunFault::Instance)?;
    let at = guest.call().input.at as usize;
    parts.memory.write(&mut *store, at, frame).map_err(|_| RunFault::Instance)?;
    store.set_fuel(guest.call().fuel)?;
    let rows = parts.map.call(&mut *store, frame_len).ok().and_then(|rows| u32::try_from(rows).ok());
    Ok(rows.filter(|rows| *rows <= guest.call().max_rows))
}

/// Fills a slot with rows of the output area.
fn fill(guest: &Guest, store: &Store<()>, parts: &Parts, rows: u32, slot: &mut SlotMut<'_>) {
    let from = guest.call().output.at as usize;
    let to = from + rows as usize * guest.call().slot().row_bytes();
    if let Some(raw) = parts.memory.data(store).get(from..to) {
        slot.set_rows(rows, raw);
    }
}

/// BUG, planted: one instance serves every unit, so that units see what others left.
pub struct ReuseInstance {
    guest: Guest,
    store: Store<()>,
    parts: Parts,
}

impl ReuseInstance {
    /// Compiles the module and makes the one instance.
    ///
    /// # Errors
    /// As the worker that ships.
    pub fn compile(engine: &Engine, start: &Start<'_>) -> Result<Self, StartRefusal> {
        let guest = Guest::compile(engine, start)?;
        let mut store = guest.store().map_err(|_| StartRefusal::Instantiate)?;
        let parts = parts(&guest, &mut store).map_err(|_| StartRefusal::Instantiate)?;
        Ok(Self { guest, store, parts })
    }
}

impl Runner for ReuseInstance {
    fn run(&mut self, frame: &[u8], slot: &mut SlotMut<'_>, _trace: Option<&mut Trace>) -> Result<(), RunFault> {
        if let Some(rows) = call(&self.guest, &mut self.store, &self.parts, frame)? {
            fill(&self.guest, &self.store, &self.parts, rows, slot);
        }
        Ok(())
    }
}

/// BUG, planted: where a call fails, whatever rows lie in the output area count, and not the default row.
pub struct SkipDefault {
    guest: Guest,
}

impl SkipDefault {
    /// Compiles the module.
    ///
    /// # Errors
    /// As the worker that ships.
    pub fn compile(engine: &Engine, start: &Start<'_>) -> Result<Self, StartRefusal> {
        Guest::compile(engine, start).map(|guest| Self { guest })
    }
}

impl Runner for SkipDefault {
    fn run(&mut self, frame: &[u8], slot: &mut SlotMut<'_>, _trace: Option<&mut Trace>) -> Result<(), RunFault> {
        let mut store = self.guest.store()?;
        let parts = parts(&self.guest, &mut store)?;
        let rows = call(&self.guest, &mut store, &parts, frame)?.unwrap_or(self.guest.call().max_rows);
        fill(&self.guest, &store, &parts, rows, slot);
        Ok(())
    }
}

/// Runs nothing: every unit is the default. The bench measures pipes and host with it.
pub struct Nothing;

impl Runner for Nothing {
    fn run(&mut self, _frame: &[u8], slot: &mut SlotMut<'_>, _trace: Option<&mut Trace>) -> Result<(), RunFault> {
        slot.set_default();
        Ok(())
    }
}
