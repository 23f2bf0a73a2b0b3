//! Names and limits of `gbx/1`: a core WebAssembly module without imports and with one memory that cannot grow.
//!
//! A guest exports its memory, a few functions whose bodies are one constant (the host reads them from the code and
//! never runs them), and `gbx_map`. A call: the host writes a unit's frame at `gbx_in` and calls `gbx_map(frame_len)`,
//! which writes rows at `gbx_out` and returns how many. Anything else that happens is the unit's declared default.

/// The constant that `gbx_abi` returns.
pub const ABI: i32 = 1;

/// Export: the one memory.
pub const MEMORY: &str = "memory";
/// Export `() -> i32`, constant: the ABI version.
pub const ABI_FN: &str = "gbx_abi";
/// Export `() -> i32`, constant: address of the input area.
pub const IN_FN: &str = "gbx_in";
/// Export `() -> i32`, constant: bytes of the input area.
pub const IN_CAP_FN: &str = "gbx_in_cap";
/// Export `() -> i32`, constant: address of the output area.
pub const OUT_FN: &str = "gbx_out";
/// Export `() -> i32`, constant: bytes of the output area.
pub const OUT_CAP_FN: &str = "gbx_out_cap";
/// Export `(i32) -> i32`: one unit in, the number of rows written out.
pub const MAP_FN: &str = "gbx_map";
/// Optional export `() -> i32`, constant: address of the log area, which only a local run on synthetic rows reads.
pub const LOG_FN: &str = "gbx_log";
/// Optional export `() -> i32`, constant: bytes of the log area.
pub const LOG_CAP_FN: &str = "gbx_log_cap";
/// Globals that the Rust toolchain exports by itself: tolerated and ignored.
pub const TOLERATED_GLOBALS: [&str; 2] = ["__data_end", "__heap_base"];
/// Optional custom section: the input columns, one line `name:type` each.
pub const SCHEMA_SECTION: &str = "gbx.schema";

/// Most bytes of a module.
pub const MAX_MODULE_BYTES: usize = 1 << 20;
/// Bytes of a WebAssembly page.
pub const PAGE_BYTES: u32 = 1 << 16;
/// Most pages of a guest's memory.
pub const MAX_PAGES: u32 = 16;
/// Most bytes of a guest's memory.
pub const MAX_MEMORY_BYTES: u32 = MAX_PAGES * PAGE_BYTES;
/// Most elements of a guest's one table.
pub const MAX_TABLE_ELEMENTS: u32 = 4096;
/// Alignment of the input, output and log areas and of every buffer in a frame, in bytes.
pub const ALIGN: u32 = 8;
/// Least bytes of an input area.
pub const MIN_IN_CAP: u32 = 64;
/// Most fuel of one call.
pub const MAX_FUEL: u64 = 10_000_000_000;
/// Most rows that one call may return.
pub const MAX_ROWS: u32 = 1 << 16;
/// Most values in an output row.
pub const MAX_VALUES: u32 = 1024;
/// Most input columns.
pub const MAX_COLUMNS: u32 = 256;
/// Most bytes of parameters in a frame.
pub const MAX_PARAMS_BYTES: usize = 16 << 10;

/// Bytes of an output row: a `u32` key, four ignored bytes, and `values` × `f64`, little-endian.
#[must_use]
pub const fn row_bytes(values: u32) -> u64 {
    8 + 8 * values as u64
}
