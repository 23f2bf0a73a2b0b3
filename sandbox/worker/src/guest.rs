//! A compiled module: what is done once per job.

use glovebox_wire::abi::{MAP_FN, MEMORY, PAGE_BYTES};
use glovebox_wire::{Call, Start, StartRefusal};
use wasmtime::{Engine, ExternType, FuncType, InstancePre, Linker, MemoryType, Module, ModuleExport, Store, ValType};

/// Fuel for making an instance: several times what filling the largest memory and table costs.
const INSTANCE_FUEL: u64 = 1 << 24;

/// A module that can be instantiated at once, any number of times.
pub struct Guest {
    engine: Engine,
    pre: InstancePre<()>,
    memory: ModuleExport,
    map: ModuleExport,
    call: Call,
}

impl Guest {
    /// Compiles the module with [`crate::config::engine`], compares its memory and `gbx_map` with what the call says,
    /// and makes one instance of it to see that it can be made. Runs none of its functions.
    ///
    /// # Errors
    /// [`StartRefusal`].
    pub fn compile(engine: &Engine, start: &Start<'_>) -> Result<Self, StartRefusal> {
        // From the binary form only: nothing is read as text, and nothing as an artefact that was compiled elsewhere.
        let module = Module::from_binary(engine, start.module).map_err(|_| StartRefusal::Compile)?;
        let (memory, map) = exports(&module, &start.call).ok_or(StartRefusal::Shape)?;
        let pre = Linker::new(engine).instantiate_pre(&module).map_err(|_| StartRefusal::Shape)?;
        let guest = Self { engine: engine.clone(), pre, memory, map, call: start.call };
        let mut store = guest.store().map_err(|_| StartRefusal::Instantiate)?;
        guest.pre.instantiate(&mut store).map_err(|_| StartRefusal::Instantiate)?;
        Ok(guest)
    }

    /// An empty store in which an instance can be made. Whoever calls the guest sets the fuel of the call afterwards: wasmtime
    /// charges an instance's data and elements, too, and what a module's size costs is not a unit's to pay. The host lets no
    /// module with a start function through; should one come here all the same, it ends soon.
    ///
    /// # Errors
    /// None in practice: fuel is always on.
    pub fn store(&self) -> wasmtime::Result<Store<()>> {
        let mut store = Store::new(&self.engine, ());
        store.set_fuel(INSTANCE_FUEL)?;
        Ok(store)
    }

    /// What instances are made from.
    #[must_use]
    pub const fn pre(&self) -> &InstancePre<()> {
        &self.pre
    }

    /// How a unit is run.
    #[must_use]
    pub const fn call(&self) -> &Call {
        &self.call
    }

    /// The export `memory`.
    #[must_use]
    pub const fn memory(&self) -> &ModuleExport {
        &self.memory
    }

    /// The export `gbx_map`.
    #[must_use]
    pub const fn map(&self) -> &ModuleExport {
        &self.map
    }
}

/// The two exports that a worker uses, if the module is of the shape that the host's check leaves: a second look, by
/// another program, at what fresh instances rest on.
fn exports(module: &Module, call: &Call) -> Option<(ModuleExport, ModuleExport)> {
    let pages = u64::from(call.memory_bytes / PAGE_BYTES);
    let fixed = |memory: &MemoryType| {
        memory.minimum() == pages && memory.maximum() == Some(pages) && !memory.is_64() && !memory.is_shared()
    };
    let is_map = |function: &FuncType| {
        function.params().map(|param| param.is_i32()).eq([true])
            && function.results().map(|r| ValType::is_i32(&r)).eq([true])
    };
    let shape = module.imports().len() == 0
        && matches!(module.get_export(MEMORY), Some(ExternType::Memory(memory)) if fixed(&memory))
        && matches!(module.get_export(MAP_FN), Some(ExternType::Func(function)) if is_map(&function));
    if !shape {
        return None;
    }
    module.get_export_index(MEMORY).zip(module.get_export_index(MAP_FN))
}
