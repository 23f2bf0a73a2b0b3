//! One unit, one store, one instance: nothing that a call does can be seen by the next.
//!
//! INVARIANT (fresh instance): every call runs in a store and an instance made for it and dropped after it. Memory,
//! globals, tables and dropped segments start as the module says; wasmtime resets the pool's slot, not this crate.

use glovebox_wire::{SlotMut, Start, StartRefusal, Trace};
use wasmtime::{Engine, Error, Extern, Store, Trap};

use crate::{Guest, RunFault, Runner};

/// Runs each unit in a fresh instance.
pub struct FreshInstances {
    guest: Guest,
}

/// How a call ended: the rows it says it wrote, or why the unit's outcome is the default.
type Ended = Result<u32, Cause>;

/// Why a unit's outcome is the default. Only a local run sees which.
enum Cause {
    Trap(Trap),
    Count(i32),
}

impl FreshInstances {
    /// Compiles the module of a start message.
    ///
    /// # Errors
    /// [`StartRefusal`].
    pub fn compile(engine: &Engine, start: &Start<'_>) -> Result<Self, StartRefusal> {
        Guest::compile(engine, start).map(Self::from)
    }

    fn call(&self, store: &mut Store<()>, frame: &[u8]) -> Result<(Ended, wasmtime::Memory), RunFault> {
        let guest = &self.guest;
        let call = guest.call();
        // An instance was made at start; that one cannot be made now is the machine's matter, not the unit's.
        let instance = guest.pre().instantiate(&mut *store)?;
        let Some(Extern::Memory(memory)) = instance.get_module_export(&mut *store, guest.memory()) else {
            return Err(RunFault::Instance);
        };
        let Some(Extern::Func(map)) = instance.get_module_export(&mut *store, guest.map()) else {
            return Err(RunFault::Instance);
        };
        let map = map.typed::<i32, i32>(&mut *store)?;
        memory.write(&mut *store, call.input.at as usize, frame).map_err(|_| RunFault::Instance)?;
        let frame_len = i32::try_from(frame.len()).map_err(|_| RunFault::Instance)?;
        store.set_fuel(call.fuel)?;
        let ended = match map.call(&mut *store, frame_len) {
            Ok(rows) => u32::try_from(rows).ok().filter(|rows| *rows <= call.max_rows).ok_or(Cause::Count(rows)),
            Err(error) => Err(Cause::Trap(trap(error)?)),
        };
        Ok((ended, memory))
    }
}

impl From<Guest> for FreshInstances {
    fn from(guest: Guest) -> Self {
        Self { guest }
    }
}

impl Runner for FreshInstances {
    fn run(&mut self, frame: &[u8], slot: &mut SlotMut<'_>, trace: Option<&mut Trace>) -> Result<(), RunFault> {
        let call = *self.guest.call();
        let mut store = self.guest.store()?;
        let (ended, memory) = self.call(&mut store, frame)?;
        let rows = ended.as_ref().copied().ok();
        // The areas were checked against the memory when the start message was read.
        let area = |at: u32, len: usize| memory.data(&store).get(at as usize..at as usize + len);
        match rows.and_then(|rows| Some((rows, area(call.output.at, rows as usize * call.slot().row_bytes())?))) {
            Some((rows, raw)) => slot.set_rows(rows, raw),
            None => slot.set_default(),
        }
        if let Some(trace) = trace {
            trace.fuel_used = call.fuel - store.get_fuel()?.min(call.fuel);
            trace.trap = ended.err().map(|cause| cause.text(call.max_rows)).unwrap_or_default();
            let log = call.log.and_then(|log| area(log.at, log.cap as usize)).unwrap_or_default();
            trace.log = log
                .iter()
                .rposition(|&byte| byte != 0)
                .map_or_else(Vec::new, |last| log.iter().take(last + 1).copied().collect());
        }
        Ok(())
    }
}

/// What ended the call, if it is the guest's own doing.
fn trap(error: Error) -> Result<Trap, RunFault> {
    match error.downcast_ref::<Trap>() {
        Some(trap) => Ok(*trap),
        None => Err(RunFault::Wasmtime(error)),
    }
}

impl Cause {
    fn text(&self, max_rows: u32) -> String {
        match self {
            Self::Trap(trap) => trap.to_string(),
            Self::Count(rows) if *rows < 0 => format!("gbx_map returned `{rows}`: the default row"),
            Self::Count(rows) => format!("gbx_map returned `{rows}` rows, over the declared `{max_rows}`"),
        }
    }
}
