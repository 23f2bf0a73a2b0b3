//! How wasmtime is set: fixed, the same for every job, and chosen so that a unit's outcome is a function of its bytes.

use std::num::NonZeroUsize;

use glovebox_wire::abi::{MAX_MEMORY_BYTES, MAX_TABLE_ELEMENTS};
use wasmtime::{
    Config, Enabled, Engine, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig, Result, Strategy,
    WasmFeatures,
};

use crate::fuel::operator_cost;

/// Stack of a guest in bytes. Where it ends depends on compiled frames alone, so that the same artefact always ends
/// alike.
pub const GUEST_STACK_BYTES: usize = 128 << 10;

const PAGE: usize = 4096;
/// A table's elements are pointers.
const TABLE_BYTES: usize = MAX_TABLE_ELEMENTS as usize * size_of::<usize>();
/// Bytes of an instance's own record: globals, function references, bounds. Far more than a module of 1 MiB can ask for
/// would be no limit; more than this is refused when the module is compiled.
const MAX_INSTANCE_BYTES: usize = 1 << 20;

/// The engine of `gbx/1`.
///
/// # Errors
/// When wasmtime does not take the configuration or the system not the reservation of address space.
pub fn engine() -> Result<Engine> {
    Engine::new(&config())
}

fn config() -> Config {
    let mut config = Config::new();
    config
        .strategy(Strategy::Cranelift)
        .cranelift_opt_level(OptLevel::Speed)
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool()))
        // Data segments are copied at instantiation. Copy-on-write images would need memfd_create and mappings of a
        // file under the seal, and would cost a page fault where the copy costs nothing that can be measured.
        .memory_init_cow(false)
        .max_wasm_stack(GUEST_STACK_BYTES);
    // Fuel alone ends a call: no epoch, so that no clock decides a result.
    config.consume_fuel(true).operator_cost(operator_cost()).epoch_interruption(false);
    // What the host's check of modules refuses is off here, too. NaN bits are not made canonical: they are the same for
    // the same artefact on the same machine, no unit can pass them to another, and the host replaces what is not
    // finite.
    config
        .wasm_features(refused_features(), false)
        .wasm_simd(true)
        .wasm_bulk_memory(true)
        .wasm_multi_value(true)
        .wasm_relaxed_simd(false)
        .cranelift_nan_canonicalization(false)
        .gc_support(false)
        .shared_memory(false)
        .concurrency_support(false);
    // No text about a guest leaves but a trap's name in a local run: nothing to collect on the way.
    config.wasm_backtrace_max_frames(None::<NonZeroUsize>).generate_address_map(false).native_unwind_info(false);
    config
}

const fn refused_features() -> WasmFeatures {
    WasmFeatures::MEMORY64
        .union(WasmFeatures::MULTI_MEMORY)
        .union(WasmFeatures::THREADS)
        .union(WasmFeatures::SHARED_EVERYTHING_THREADS)
        .union(WasmFeatures::TAIL_CALL)
        .union(WasmFeatures::EXCEPTIONS)
        .union(WasmFeatures::LEGACY_EXCEPTIONS)
        .union(WasmFeatures::GC)
        .union(WasmFeatures::FUNCTION_REFERENCES)
        .union(WasmFeatures::CUSTOM_PAGE_SIZES)
        .union(WasmFeatures::STACK_SWITCHING)
        .union(WasmFeatures::WIDE_ARITHMETIC)
}

/// One slot that every unit's instance takes in turn. INVARIANT (fresh memory): all of a memory and of a table is kept
/// resident and set to zero by wasmtime between two instances, so that no reset depends on what the kernel does with
/// pages (`pagemap_scan` stays off: a swapped-out dirty page would not be reset).
fn pool() -> PoolingAllocationConfig {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_core_instances(1)
        .total_memories(1)
        .total_tables(1)
        .max_memories_per_module(1)
        .max_tables_per_module(1)
        .max_memory_size(MAX_MEMORY_BYTES as usize)
        .table_elements(MAX_TABLE_ELEMENTS as usize)
        .max_core_instance_size(MAX_INSTANCE_BYTES)
        .max_unused_warm_slots(1)
        .decommit_batch_size(1)
        .linear_memory_keep_resident(MAX_MEMORY_BYTES as usize)
        .table_keep_resident(TABLE_BYTES.next_multiple_of(PAGE))
        .pagemap_scan(Enabled::No);
    pool
}
