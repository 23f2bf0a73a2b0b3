//! Modules that are large, or small and dear to compile: made here, because their text would be megabytes.
//!
//! All of them keep the contract otherwise, so that what stops them is a limit and not a slip of the author.

use glovebox_sandbox::{MAX_NESTED_LOOPS, MAX_NESTING};
use wasm_encoder::{
    BlockType, CodeSection, ConstExpr, CustomSection, DataSection, ExportKind, ExportSection, Function,
    FunctionSection, GlobalSection, GlobalType, InstructionSink, MemorySection, MemoryType, Module, TypeSection,
    ValType,
};

use crate::attack::Attack;

/// The most bytes that a module may have.
const MOST_BYTES: usize = 1 << 20;

/// The functions that the contract asks for, and the constants that they answer; then `gbx_map`, which answers 0 rows.
const CONSTANTS: [(&str, i32); 5] =
    [("gbx_abi", 1), ("gbx_in", 1024), ("gbx_in_cap", 4096), ("gbx_out", 8192), ("gbx_out_cap", 1024)];

/// Index of the type `() -> i32`.
const ANSWER: u32 = 0;

/// Index of the type `(i32) -> i32`.
const MAP: u32 = 1;

/// A module that keeps the contract, to which an attack adds.
struct Bomb {
    types: TypeSection,
    functions: FunctionSection,
    globals: GlobalSection,
    exports: ExportSection,
    code: CodeSection,
    data: DataSection,
    custom: Vec<u8>,
}

impl Bomb {
    fn new() -> Self {
        let mut bomb = Self {
            types: TypeSection::new(),
            functions: FunctionSection::new(),
            globals: GlobalSection::new(),
            exports: ExportSection::new(),
            code: CodeSection::new(),
            data: DataSection::new(),
            custom: Vec::new(),
        };
        bomb.types.ty().function([], [ValType::I32]);
        bomb.types.ty().function([ValType::I32], [ValType::I32]);
        bomb.exports.export("memory", ExportKind::Memory, 0);
        for (name, value) in CONSTANTS {
            let mut body = Function::new([]);
            body.instructions().i32_const(value).end();
            let index = bomb.add(ANSWER, &body);
            bomb.exports.export(name, ExportKind::Func, index);
        }
        bomb
    }

    /// Adds a function and says which index it has.
    fn add(&mut self, of_type: u32, body: &Function) -> u32 {
        self.functions.function(of_type);
        self.code.function(body);
        self.functions.len() - 1
    }

    /// Adds `gbx_map` with this body.
    fn map(&mut self, body: &Function) {
        let index = self.add(MAP, body);
        self.exports.export("gbx_map", ExportKind::Func, index);
    }

    /// Adds a `gbx_map` that answers 0 rows.
    fn plain_map(&mut self) {
        let mut body = Function::new([]);
        body.instructions().i32_const(0).end();
        self.map(&body);
    }

    fn finish(&self) -> Vec<u8> {
        let mut memory = MemorySection::new();
        memory.memory(MemoryType {
            minimum: 2,
            maximum: Some(2),
            memory64: false,
            shared: false,
            page_size_log2: None,
        });
        let mut module = Module::new();
        module.section(&self.types).section(&self.functions).section(&memory);
        if !self.globals.is_empty() {
            module.section(&self.globals);
        }
        module.section(&self.exports).section(&self.code);
        if !self.data.is_empty() {
            module.section(&self.data);
        }
        if !self.custom.is_empty() {
            module.section(&CustomSection { name: "padding".into(), data: self.custom.as_slice().into() });
        }
        module.finish()
    }
}

/// A module whose `gbx_map` is written by `body`, on top of `locals` locals of 32 bits.
fn one_function(locals: u32, body: impl FnOnce(&mut InstructionSink<'_>)) -> Vec<u8> {
    let mut bomb = Bomb::new();
    let mut function = Function::new([(locals, ValType::I32)]);
    body(&mut function.instructions());
    bomb.map(&function);
    bomb.finish()
}

/// A module with a custom section that brings it to exactly `bytes`.
fn padded(bytes: usize) -> Vec<u8> {
    let mut bomb = Bomb::new();
    bomb.plain_map();
    bomb.custom = vec![0; bytes / 2];
    // The length of the section takes as many bytes in both, for it is of the same order.
    let missing = bytes.saturating_sub(bomb.finish().len());
    bomb.custom.resize(bytes / 2 + missing, 0);
    bomb.finish()
}

fn functions(count: u32, body: impl Fn(u32) -> Function) -> Vec<u8> {
    let mut bomb = Bomb::new();
    for index in 0..count {
        bomb.add(ANSWER, &body(index));
    }
    bomb.plain_map();
    bomb.finish()
}

fn many_functions() -> Vec<u8> {
    functions(100_000, |index| {
        let mut body = Function::new([]);
        body.instructions().i32_const(i32::try_from(index % 64).unwrap_or(0)).end();
        body
    })
}

fn many_locals() -> Vec<u8> {
    functions(500, |_| {
        let mut body = Function::new([(49_999, ValType::I64)]);
        body.instructions().i32_const(0).end();
        body
    })
}

fn too_many_locals() -> Vec<u8> {
    one_function(u32::MAX, |code| {
        code.i32_const(0).end();
    })
}

fn live_locals() -> Vec<u8> {
    one_function(40_000, |code| {
        for local in 1..40_000 {
            code.local_get(local - 1).i32_const(3).i32_mul().local_set(local);
        }
        code.i32_const(0);
        for local in 1..40_000 {
            code.local_get(local).i32_add();
        }
        code.end();
    })
}

/// Blocks inside each other, so many times over.
fn deep_blocks(depth: usize, times: usize) -> Vec<u8> {
    one_function(0, |code| {
        for _ in 0..times {
            (0..depth).for_each(|_| _ = code.block(BlockType::Empty));
            (0..depth).for_each(|_| _ = code.end());
        }
        code.i32_const(0).end();
    })
}

/// Loops inside each other, so many times over; each may go round again.
fn deep_loops(depth: usize, times: usize) -> Vec<u8> {
    one_function(0, |code| {
        for _ in 0..times {
            (0..depth).for_each(|_| _ = code.loop_(BlockType::Empty));
            (0..depth).for_each(|_| _ = code.local_get(0).br_if(0).end());
        }
        code.i32_const(0).end();
    })
}

/// Conditions inside each other, so many times over.
fn deep_ifs(depth: usize, times: usize) -> Vec<u8> {
    one_function(1, |code| {
        for _ in 0..times {
            (0..depth).for_each(|_| _ = code.local_get(0).if_(BlockType::Empty).i32_const(1).local_set(1));
            (0..depth).for_each(|_| _ = code.else_().i32_const(2).local_set(1).end());
        }
        code.i32_const(0).end();
    })
}

fn deep_stack() -> Vec<u8> {
    one_function(0, |code| {
        for _ in 0..200_000 {
            code.local_get(0);
        }
        for _ in 0..199_999 {
            code.i32_add();
        }
        code.end();
    })
}

fn giant_table() -> Vec<u8> {
    one_function(0, |code| {
        code.block(BlockType::Empty).local_get(0).br_table(std::iter::repeat_n(0, 1_000_000), 0).end();
        code.i32_const(0).end();
    })
}

fn many_tables() -> Vec<u8> {
    // Every one of 150 jumps may go to every one of 150 places.
    one_function(0, |code| {
        for _ in 0..150 {
            code.block(BlockType::Empty);
        }
        for depth in (1..=150_u32).rev() {
            code.block(BlockType::Empty).local_get(0).br_table(0..depth, 0).end().end();
        }
        code.i32_const(0).end();
    })
}

fn phi_bomb() -> Vec<u8> {
    // 12,000 locals change in each of 64 nested loops, so that each loop's head has 12,000 parameters.
    const LOOPS: u32 = MAX_NESTED_LOOPS as u32;
    const LOCALS: u32 = 12_000;
    one_function(LOCALS, |code| {
        for round in 0..LOOPS {
            code.loop_(BlockType::Empty);
            for local in 0..LOCALS / 8 {
                code.local_get(1 + (local * 8 + round) % LOCALS).local_set(1 + (local * 8 + round + 3) % LOCALS);
            }
        }
        for _ in 0..LOOPS {
            code.local_get(1).br_if(0).end();
        }
        code.i32_const(0).end();
    })
}

fn giant_function() -> Vec<u8> {
    one_function(1, |code| {
        for _ in 0..110_000 {
            code.local_get(0).local_get(1).i32_xor().i32_clz().local_set(1);
        }
        code.local_get(1).end();
    })
}

fn many_calls() -> Vec<u8> {
    // One function that calls a constant function 300,000 times: bait for an inliner.
    one_function(0, |code| {
        for _ in 0..300_000 {
            code.call(0).drop();
        }
        code.i32_const(0).end();
    })
}

fn many_globals() -> Vec<u8> {
    let mut bomb = Bomb::new();
    let mutable = GlobalType { val_type: ValType::I64, mutable: true, shared: false };
    for _ in 0..150_000 {
        bomb.globals.global(mutable, &ConstExpr::i64_const(7));
    }
    bomb.plain_map();
    bomb.finish()
}

fn many_types() -> Vec<u8> {
    let mut bomb = Bomb::new();
    for length in 0..20_000_u32 {
        let params = (0..12).map(|bit| if length >> bit & 1 == 0 { ValType::I32 } else { ValType::F64 });
        bomb.types.ty().function(params, [ValType::I64]);
    }
    bomb.plain_map();
    bomb.finish()
}

fn many_segments() -> Vec<u8> {
    let mut bomb = Bomb::new();
    for _ in 0..90_000 {
        bomb.data.active(0, &ConstExpr::i32_const(40_000), [1_u8, 2]);
    }
    bomb.plain_map();
    bomb.finish()
}

fn many_exports() -> Vec<u8> {
    let mut bomb = Bomb::new();
    for index in 0..50_000 {
        bomb.exports.export(&format!("export{index}"), ExportKind::Func, 0);
    }
    bomb.plain_map();
    bomb.finish()
}

fn long_name() -> Vec<u8> {
    let mut bomb = Bomb::new();
    bomb.exports.export(&"x".repeat(90_000), ExportKind::Func, 0);
    bomb.plain_map();
    bomb.finish()
}

/// Those that pass the check and keep a compiler busy.
const SLOW: &[&str] = &[
    "bomb-blocks-permitted",
    "bomb-calls",
    "bomb-function",
    "bomb-ifs-permitted",
    "bomb-jump-tables",
    "bomb-live-locals",
    "bomb-locals",
    "bomb-loops-permitted",
    "bomb-phis",
    "bomb-segments",
    "bomb-stack",
    "bomb-types",
];

/// All of them.
pub(crate) fn all() -> Vec<Attack> {
    let made = [
        ("size-largest", "No attack: a module of exactly the most bytes.", padded(MOST_BYTES)),
        ("size-one-more", "One byte more than a module may have.", padded(MOST_BYTES + 1)),
        ("size-huge", "A module of 64 MiB.", padded(64 << 20)),
        ("bomb-functions", "100,000 functions.", many_functions()),
        ("bomb-locals", "500 functions with 49,999 locals each, in 5 kB.", many_locals()),
        ("bomb-locals-beyond", "2³² − 1 locals.", too_many_locals()),
        (
            "bomb-live-locals",
            "40,000 locals that are all alive at once: no processor has the registers.",
            live_locals(),
        ),
        ("bomb-blocks", "200,000 blocks inside each other.", deep_blocks(200_000, 1)),
        ("bomb-blocks-permitted", "1,000 blocks inside each other, 300 times.", deep_blocks(MAX_NESTING, 300)),
        ("bomb-loops", "20,000 loops inside each other, in 140 kB: hours of work.", deep_loops(20_000, 1)),
        ("bomb-loops-permitted", "64 loops inside each other, 2,000 times.", deep_loops(MAX_NESTED_LOOPS, 2_000)),
        ("bomb-ifs", "5,000 conditions inside each other.", deep_ifs(5_000, 1)),
        ("bomb-ifs-permitted", "1,000 conditions inside each other, 20 times.", deep_ifs(MAX_NESTING, 20)),
        ("bomb-stack", "An expression 200,000 values deep.", deep_stack()),
        ("bomb-jump-table", "A jump table of a million entries.", giant_table()),
        ("bomb-jump-tables", "150 jump tables into 150 blocks: 11,000 edges.", many_tables()),
        ("bomb-phis", "12,000 locals that change in 64 nested loops: 770,000 places where values meet.", phi_bomb()),
        ("bomb-function", "One function as large as a module may be.", giant_function()),
        ("bomb-calls", "A function that calls another 300,000 times.", many_calls()),
        ("bomb-globals", "150,000 mutable globals, which every instance would have to set.", many_globals()),
        ("bomb-types", "20,000 function types.", many_types()),
        (
            "bomb-segments",
            "90,000 data segments over each other, which every instance would have to write.",
            many_segments(),
        ),
        ("bomb-exports", "50,000 exports.", many_exports()),
        ("bomb-name", "An export whose name is 90,000 letters long: no error may carry it whole.", long_name()),
    ];
    let attack = |(name, about, bytes)| Attack { slow: SLOW.contains(&name), ..Attack::made(name, about, bytes) };
    made.into_iter().map(attack).collect()
}
