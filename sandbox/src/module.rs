//! What a module must be, checked from its bytes before anything compiles or runs.
//!
//! The check knows the ABI `gbx/1`: no imports, one fixed memory, exports from a closed list, and a layout that the host
//! reads from the code of constant functions, so that it never has to run a guest to learn where to write.

mod walk;

use std::sync::Arc;

use glovebox_wire::{Area, Call, abi};
use ring::digest;
use wasmparser::{ExternalKind, Validator, WasmFeatures};

use crate::ColumnType;
use walk::Walk;

/// Most functions of a module. Real guests have hundreds; each has a digest in [`ModuleFacts::sections`].
pub const MAX_FUNCTIONS: usize = 10_000;

/// Most custom sections of a module.
pub const MAX_CUSTOM_SECTIONS: usize = 64;

/// Most blocks, loops and conditions of a function inside each other. A `match` of n arms is n blocks deep.
pub const MAX_NESTING: usize = 1_000;

/// Most loops of a function inside each other. Compiling takes far more than twice as long for twice as many.
pub const MAX_NESTED_LOOPS: usize = 64;

/// Most characters of a name of the module that are repeated to people.
const MAX_NAME: usize = 100;

/// What the instructions of a module may use: what compilers emit for `wasm32-unknown-unknown`, and vectors.
/// Everything newer is off by not being named. Of reference types only the encodings remain, because `GC_TYPES` is off.
const FEATURES: WasmFeatures = WasmFeatures::FLOATS
    .union(WasmFeatures::MUTABLE_GLOBAL)
    .union(WasmFeatures::SATURATING_FLOAT_TO_INT)
    .union(WasmFeatures::SIGN_EXTENSION)
    .union(WasmFeatures::MULTI_VALUE)
    .union(WasmFeatures::BULK_MEMORY)
    .union(WasmFeatures::BULK_MEMORY_OPT)
    .union(WasmFeatures::REFERENCE_TYPES)
    .union(WasmFeatures::CALL_INDIRECT_OVERLONG)
    .union(WasmFeatures::SIMD);

/// Exports that are functions of one constant, which the host reads from the code.
const CONSTANTS: [&str; 7] =
    [abi::ABI_FN, abi::IN_FN, abi::IN_CAP_FN, abi::OUT_FN, abi::OUT_CAP_FN, abi::LOG_FN, abi::LOG_CAP_FN];

/// Why a module is refused. Computed from the module alone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ModuleFault {
    /// More than [`abi::MAX_MODULE_BYTES`].
    #[error("the module is larger than {} bytes", abi::MAX_MODULE_BYTES)]
    TooLarge,
    /// A component, not a core module.
    #[error("the file is a component, not a core module")]
    Component,
    /// Not WebAssembly, or of a proposal that is switched off.
    #[error("the module is not valid WebAssembly 1.0 with the permitted extensions, at byte {offset}: {message}")]
    Invalid {
        /// Where, in bytes from the beginning.
        offset: usize,
        /// The validator's words, which quote nothing but the module.
        message: String,
    },
    /// It imports something.
    #[error("the module imports `{0}`; imports are not permitted")]
    Import(String),
    /// It would run code on instantiation.
    #[error("the module has a start function")]
    Start,
    /// It declares exception tags.
    #[error("the module declares exception tags")]
    Tags,
    /// None, several, shared, 64-bit, growing or too large.
    #[error(
        "the module must define exactly one 32-bit memory, not shared, of fixed size (min = max), of 1 to {} pages",
        abi::MAX_PAGES
    )]
    Memory,
    /// Several, or too large, or growing, or not of functions.
    #[error(
        "the module may define one table of functions, of fixed size (min = max), of at most {} elements",
        abi::MAX_TABLE_ELEMENTS
    )]
    Table,
    /// More than [`MAX_FUNCTIONS`].
    #[error("the module has more than {MAX_FUNCTIONS} functions")]
    TooManyFunctions,
    /// More than [`MAX_CUSTOM_SECTIONS`].
    #[error("the module has more than {MAX_CUSTOM_SECTIONS} custom sections")]
    TooManySections,
    /// More than [`MAX_NESTING`] or [`MAX_NESTED_LOOPS`] in the function of this number.
    #[error("function {0} has more than {MAX_NESTING} blocks or {MAX_NESTED_LOOPS} loops inside each other")]
    TooDeep(usize),
    /// An export that the ABI does not know.
    #[error("the module exports `{0}`, which the ABI does not know")]
    UnknownExport(String),
    /// An export that the ABI asks for is missing.
    #[error("the module does not export `{0}`")]
    MissingExport(&'static str),
    /// An export has another kind or type than the ABI says.
    #[error("the export `{0}` is of the wrong kind or type")]
    ExportType(String),
    /// A function of the layout does more than return one constant.
    #[error("the function `{0}` must be nothing but `i32.const N`")]
    NotConstant(&'static str),
    /// Another version of the ABI.
    #[error("the module is of ABI `{0}`; this host speaks `{host}`", host = abi::ABI)]
    AbiVersion(i32),
    /// An area is misaligned, empty, too small, or outside the memory.
    #[error("the area `{0}` must begin at a multiple of 8 other than 0 and lie inside the memory; `gbx_in_cap` is at least {least}, `gbx_out_cap` 8", least = abi::MIN_IN_CAP)]
    Area(&'static str),
    /// Two areas meet.
    #[error("the areas `{0}` and `{1}` overlap")]
    Overlap(&'static str, &'static str),
    /// The section `gbx.schema` is not a list of `name:type`, or there are two.
    #[error(
        "the section `{}` must be one list of lines `name:type` with types i64, f64, bool, text",
        abi::SCHEMA_SECTION
    )]
    Schema,
    /// The worker refused to compile it, although it passed these checks.
    #[error("the module cannot be compiled")]
    Compile,
    /// The worker did not answer in time.
    #[error("the module takes too long to compile")]
    CompileTime,
    /// No worker could be started: the module may be sound.
    #[error("no worker could be started")]
    Worker,
}

/// Where things are in the guest's memory, as its constant functions say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Layout {
    input: Area,
    output: Area,
    log: Option<Area>,
}

/// A module that passed the check.
#[derive(Debug, Clone)]
pub struct Module {
    bytes: Arc<[u8]>,
    facts: ModuleFacts,
    layout: Layout,
}

/// What a module is, for a check of the job and for reviewers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModuleFacts {
    /// Size of the file.
    pub bytes: u64,
    /// Size of the memory, in bytes.
    pub memory_bytes: u64,
    /// Most bytes of a unit's frame.
    pub in_cap: u32,
    /// Most bytes of a unit's output rows.
    pub out_cap: u32,
    /// Most bytes of a unit's log, where the module has one; read by local runs only.
    pub log_cap: Option<u32>,
    /// How many functions it defines.
    pub functions: u32,
    /// Names of its exports, in order.
    pub exports: Vec<String>,
    /// The input columns that it declares, in order, if it does.
    pub schema: Option<Vec<(String, ColumnType)>>,
    /// SHA-256 of each section and, as `code[i]`, of each function's body, in order: what a diff compares.
    pub sections: Vec<(String, [u8; 32])>,
}

impl Module {
    /// Checks a module against the ABI.
    ///
    /// # Errors
    /// The first rule that it breaks.
    pub fn check(bytes: &[u8]) -> Result<Self, ModuleFault> {
        if bytes.len() > abi::MAX_MODULE_BYTES {
            return Err(ModuleFault::TooLarge);
        }
        // The walk names the rule that is broken; the validator then makes sure that the walk read a valid module.
        let walk = Walk::over(bytes)?;
        Validator::new_with_features(FEATURES).validate_all(bytes).map_err(ModuleFault::invalid)?;
        walk.check_nesting()?;
        let layout = layout(&walk)?;
        let facts = ModuleFacts {
            bytes: bytes.len() as u64,
            memory_bytes: walk.memory_bytes()?,
            in_cap: layout.input.cap,
            out_cap: layout.output.cap,
            log_cap: layout.log.map(|log| log.cap),
            functions: walk.bodies.len() as u32,
            exports: walk.exports.iter().map(|export| export.name.to_owned()).collect(),
            schema: walk.schema.as_deref().map(schema).transpose()?,
            sections: walk.sections,
        };
        Ok(Self { bytes: bytes.into(), facts, layout })
    }

    /// What the module is.
    pub fn facts(&self) -> &ModuleFacts {
        &self.facts
    }

    /// The file.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// How a worker calls the module.
    pub(crate) fn call(&self, max_rows: u32, values: u32, fuel: u64, trace: bool) -> Call {
        let Layout { input, output, log } = self.layout;
        // The check keeps the memory within 1 MiB.
        let memory_bytes = self.facts.memory_bytes as u32;
        Call { fuel, max_rows, values, memory_bytes, input, output, log, trace }
    }
}

impl ModuleFault {
    fn invalid(error: wasmparser::BinaryReaderError) -> Self {
        Self::Invalid { offset: error.offset(), message: error.message().to_owned() }
    }
}

/// Checks the exports and reads the layout from them.
fn layout(walk: &Walk<'_>) -> Result<Layout, ModuleFault> {
    for export in &walk.exports {
        let known = match export.name {
            abi::MEMORY => export.kind == ExternalKind::Memory,
            abi::MAP_FN => walk.has_type(export, walk::Shape::Map),
            name if CONSTANTS.contains(&name) => walk.has_type(export, walk::Shape::Constant),
            name if abi::TOLERATED_GLOBALS.contains(&name) => export.kind == ExternalKind::Global,
            name => return Err(ModuleFault::UnknownExport(printable(name))),
        };
        if !known {
            return Err(ModuleFault::ExportType(export.name.to_owned()));
        }
    }
    for name in [abi::MEMORY, abi::MAP_FN] {
        walk.export(name).ok_or(ModuleFault::MissingExport(name))?;
    }
    let version = walk.constant(abi::ABI_FN)?;
    if version != abi::ABI {
        return Err(ModuleFault::AbiVersion(version));
    }
    let memory = walk.memory_bytes()?;
    let input = area(walk, memory, abi::IN_FN, abi::IN_CAP_FN)?;
    let output = area(walk, memory, abi::OUT_FN, abi::OUT_CAP_FN)?;
    if input.cap < abi::MIN_IN_CAP {
        return Err(ModuleFault::Area(abi::IN_FN));
    }
    if u64::from(output.cap) < abi::row_bytes(0) {
        return Err(ModuleFault::Area(abi::OUT_FN));
    }
    let has_log = walk.export(abi::LOG_FN).is_some() || walk.export(abi::LOG_CAP_FN).is_some();
    let log = if has_log { Some(area(walk, memory, abi::LOG_FN, abi::LOG_CAP_FN)?) } else { None };
    let mut areas = vec![(abi::IN_FN, input), (abi::OUT_FN, output)];
    areas.extend(log.map(|log| (abi::LOG_FN, log)));
    areas.sort_by_key(|(_, area)| area.at);
    for [(left, low), (right, high)] in areas.array_windows() {
        if low.end() > u64::from(high.at) {
            return Err(ModuleFault::Overlap(left, right));
        }
    }
    Ok(Layout { input, output, log })
}

fn area(walk: &Walk<'_>, memory: u64, address: &'static str, cap: &'static str) -> Result<Area, ModuleFault> {
    let area = Area { at: walk.constant(address)?.cast_unsigned(), cap: walk.constant(cap)?.cast_unsigned() };
    let placed = area.at != 0 && area.at.is_multiple_of(abi::ALIGN) && area.cap != 0 && area.end() <= memory;
    if placed { Ok(area) } else { Err(ModuleFault::Area(address)) }
}

/// Reads the lines of the section `gbx.schema`.
fn schema(bytes: &[u8]) -> Result<Vec<(String, ColumnType)>, ModuleFault> {
    let text = std::str::from_utf8(bytes).map_err(|_| ModuleFault::Schema)?;
    let column = |line: &str| {
        let (name, of) = line.rsplit_once(':')?;
        Some((name.to_owned(), ColumnType::from_name(of)?)).filter(|(name, _)| !name.is_empty())
    };
    text.lines().map(|line| column(line).ok_or(ModuleFault::Schema)).collect()
}

/// A name of the module as it may be shown on a terminal: without control characters, and not endless.
fn printable(name: &str) -> String {
    name.escape_debug().take(MAX_NAME).collect()
}

/// SHA-256.
fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
    out
}
