//! How long a unit takes, and where: fresh instances per second in this process, and time per unit of fuel.
//!
//! `cargo run --release -p glovebox-worker --example measure`. Meant to be read next to each other
//! in one run, not to be compared between machines.

#![expect(clippy::print_stdout, reason = "an example that reports")]

use std::error::Error;
use std::hint::black_box;
use std::time::Instant;

use glovebox_wire::{Area, Call, FrameBuilder, SlotMut, Start};
use glovebox_worker::config::engine;
use glovebox_worker::{FreshInstances, Guest, Runner};

type Outcome<T> = Result<T, Box<dyn Error>>;

const ROUNDS: usize = 60;

/// Reads one integer of its frame, returns one row. 64 KiB, a table and a data segment, as a compiled guest has.
const ONE_ROW: &str = r#"(module
    (memory (export "memory") 1 1) (global (mut i32) (i32.const 4096))
    (table 2 2 funcref) (elem (i32.const 1) $map) (data (i32.const 32768) "a constant of the guest's")
    (func $map (export "gbx_map") (param i32) (result i32)
        (i32.store (i32.const 8192) (i32.const 0))
        (f64.store (i32.const 8200) (f64.convert_i64_s (i64.load (i32.add (i32.const 1024) (i32.load (i32.const 1068))))))
        (i32.const 1)))"#;

fn call(fuel: u64, memory_bytes: u32) -> Call {
    Call {
        fuel,
        max_rows: 1,
        values: 1,
        memory_bytes,
        input: Area { at: 1024, cap: 4096 },
        output: Area { at: 8192, cap: 4096 },
        log: None,
        trace: false,
    }
}

/// Nanoseconds of one turn of `work`: the least of many short rounds, so that neighbours on the machine count little.
fn time(turns: u32, mut work: impl FnMut() -> Outcome<()>) -> Outcome<f64> {
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        let start = Instant::now();
        for _ in 0..turns {
            work()?;
        }
        rounds.push(start.elapsed().as_secs_f64() * 1e9 / f64::from(turns));
    }
    Ok(rounds.into_iter().fold(f64::INFINITY, f64::min))
}

fn fresh_instances() -> Outcome<()> {
    let mut frame = Vec::new();
    let mut builder = FrameBuilder::new(&mut frame, 1, 1, 4096)?;
    builder.i64s([7].into_iter(), None)?;
    builder.finish(&[])?;
    for pages in [1, 2, 4, 16] {
        let text = ONE_ROW.replace("\"memory\") 1 1", &format!("\"memory\") {pages} {pages}"));
        let module = wat::parse_str(text)?;
        let start = Start { module: &module, call: call(200_000, pages << 16) };
        let guest = || Guest::compile(&engine().map_err(|_| "engine")?, &start).map_err(|_| "guest");
        let mut runner = FreshInstances::from(guest()?);
        let mut bytes = vec![0; start.call.slot().bytes()];
        let unit = time(1_000, || {
            let mut slot = SlotMut::new(start.call.slot(), &mut bytes).ok_or("slot")?;
            Ok(runner.run(&frame, &mut slot, None)?)
        })?;
        let guest = guest()?;
        let store = time(1_000, || {
            black_box(guest.store()?);
            Ok(())
        })?;
        let instance = time(1_000, || {
            let mut store = guest.store()?;
            black_box(guest.pre().instantiate(&mut store)?);
            Ok(())
        })?;
        let mut memory = vec![0_u8; pages as usize * 65536];
        let fill = time(1_000, || {
            black_box(&mut memory).fill(0);
            Ok(())
        })?;
        let mut kept = guest.store()?;
        let map = guest.pre().instantiate(&mut kept)?.get_typed_func::<i32, i32>(&mut kept, "gbx_map")?;
        let reused = time(1_000, || {
            kept.set_fuel(200_000)?;
            black_box(map.call(&mut kept, 64)?);
            Ok(())
        })?;
        println!(
            "{:>4} KiB: unit {unit:.0} ns = {:.0}/s; store alone {store:.0}, with instance {instance:.0}; \
             zeroing that memory {fill:.0}; call of a reused instance {reused:.0}",
            pages * 64,
            1e9 / unit
        );
    }
    Ok(())
}

/// What a loop's body does, and how often it is repeated in it.
const OPERATORS: [(&str, &str, usize); 37] = [
    ("i32.add", "(local.set $a (i32.rotl (i32.add (local.get $a) (i32.const 3)) (local.get $a)))", 64),
    ("i64.mul", "(local.set $b (i64.mul (local.get $b) (local.get $b)))", 64),
    ("i32.div_u", "(local.set $a (i32.div_u (i32.const -1) (i32.or (local.get $a) (i32.const 1))))", 16),
    ("i64.div_s", "(local.set $b (i64.div_s (i64.const -1) (i64.or (local.get $b) (i64.const 1))))", 16),
    ("i64.rem_u", "(local.set $b (i64.rem_u (i64.const -3) (i64.or (local.get $b) (i64.const 1))))", 16),
    ("f64.div", "(local.set $c (f64.div (f64.const 3) (local.get $c)))", 16),
    ("f64.sqrt", "(local.set $c (f64.sqrt (local.get $c)))", 16),
    ("f64.nearest", "(local.set $c (f64.nearest (local.get $c)))", 16),
    ("f64 denormal mul", "(local.set $c (f64.add (f64.const 4e-320) (f64.mul (f64.const 0.5) (local.get $c))))", 16),
    ("f64 denormal add", "(local.set $c (f64.add (local.get $c) (f64.const 4e-320)))", 16),
    ("i64.trunc_sat_f64_u", "(local.set $c (f64.convert_i64_u (i64.trunc_sat_f64_u (local.get $c))))", 16),
    ("i64.popcnt", "(local.set $b (i64.popcnt (local.get $b)))", 16),
    ("i8x16.mul-like", "(local.set $v (i64x2.mul (local.get $v) (local.get $v)))", 16),
    ("f64x2.div", "(local.set $v (f64x2.div (v128.const f64x2 3 3) (local.get $v)))", 16),
    ("i8x16.swizzle", "(local.set $v (i8x16.swizzle (local.get $v) (local.get $v)))", 16),
    ("i8x16.shl", "(local.set $v (i8x16.shl (local.get $v) (local.get $a)))", 16),
    ("i64x2.trunc", "(local.set $v (i32x4.trunc_sat_f64x2_u_zero (local.get $v)))", 16),
    ("load, dependent", "(local.set $a (i32.load (i32.and (local.get $a) (i32.const 0xffffc))))", 16),
    (
        "load, scattered over 1 MiB",
        "(local.set $a (i32.add (i32.mul (i32.load (i32.and (local.get $a) (i32.const 0xffffc))) (i32.const 1664525))
        (i32.add (i32.mul (local.get $a) (i32.const 22695477)) (i32.const 1013904223))))",
        16,
    ),
    ("call", "(call $f)", 16),
    ("call_indirect", "(call_indirect (type $t) (i32.const 0))", 16),
    (
        "br_table",
        "(block (block (block (br_table 0 1 2 (i32.and (i32.load (i32.and (local.tee $a (i32.add (i32.mul (local.get $a) (i32.const 1664525)) (i32.const 1013904223))) (i32.const 0xffffc))) (i32.const 1))))))",
        16,
    ),
    ("memory.size", "(drop (memory.size))", 16),
    ("memory.grow", "(drop (memory.grow (i32.const 1)))", 16),
    ("memory.fill of 0", "(memory.fill (i32.const 0) (i32.const 0) (i32.const 0))", 16),
    ("memory.fill of 1 MiB", "(memory.fill (i32.const 0) (i32.const 0) (i32.const 0x100000))", 1),
    ("memory.copy of 8", "(memory.copy (i32.const 64) (i32.const 0) (i32.const 8))", 16),
    ("memory.init of 1", "(memory.init $d (i32.const 64) (i32.const 0) (i32.const 1))", 16),
    ("table.get", "(drop (ref.is_null (table.get 0 (i32.const 1))))", 16),
    ("table.fill of 4096", "(table.fill 0 (i32.const 0) (ref.func $f) (i32.const 4096))", 1),
    ("table.copy of 0", "(table.copy (i32.const 0) (i32.const 0) (i32.const 0))", 16),
    ("table.init of 0", "(table.init $e (i32.const 0) (i32.const 0) (i32.const 0))", 16),
    ("table.grow", "(drop (table.grow 0 (ref.null func) (i32.const 1)))", 16),
    ("data.drop", "(data.drop $d)", 16),
    ("ref.func", "(drop (ref.is_null (ref.func $f)))", 16),
    ("empty loop", "", 1),
    ("deep recursion", "(drop (call $deep (i32.const 1500)))", 1),
];

/// Loops over one kind of operator until the fuel ends.
fn fuel_time() -> Outcome<()> {
    let fuel = 2_000_000;
    for (name, operator, repeat) in OPERATORS {
        let text = format!(
            r#"(module (memory (export "memory") 16 16) (type $t (func)) (table 4096 4096 funcref) (elem (i32.const 0) $f)
            (elem $e func $f) (data $d "x") (func $f)
            (func $deep (param i32) (result i32) (if (result i32) (local.get 0)
                (then (i32.add (call $deep (i32.sub (local.get 0) (i32.const 1))) (i32.const 1))) (else (i32.const 0))))
            (func (export "gbx_map") (param i32) (result i32) (local $a i32) (local $b i64) (local $c f64) (local $v v128)
                (local.set $c (f64.const 1.5)) (local.set $b (i64.const 3)) (local.set $v (v128.const f64x2 1.5 2.5))
                (loop $l {} (br $l)) (i32.add (i32.trunc_sat_f64_s (local.get $c)) (i32.add (local.get $a)
                    (i32.add (i32.wrap_i64 (local.get $b)) (i8x16.extract_lane_s 0 (local.get $v)))))))"#,
            operator.repeat(repeat)
        );
        let module = wat::parse_str(text)?;
        let start = Start { module: &module, call: call(fuel, 1 << 20) };
        let mut runner = FreshInstances::compile(&engine()?, &start).map_err(|_| name)?;
        let mut bytes = vec![0; start.call.slot().bytes()];
        let unit = time(1, || {
            let mut slot = SlotMut::new(start.call.slot(), &mut bytes).ok_or("slot")?;
            Ok(runner.run(&[], &mut slot, None)?)
        })?;
        println!("{:>8.3} ns per fuel  {name}", unit / 2e6);
    }
    Ok(())
}

/// Compiles a module of about 20 KiB of code.
fn compilation() -> Outcome<()> {
    let body = "(local.set 1 (i32.add (i32.mul (local.get 0) (i32.load (local.get 1))) (i32.const 12345)))
        (if (i32.lt_u (local.get 1) (i32.const 77)) (then (i32.store (local.get 0) (local.get 1))))"
        .repeat(5);
    let function = |i: u32| {
        format!("(func $f{i} (param i32) (result i32) (local i32) {body} (call $f{} (local.get 1)))", (i + 7) % 150)
    };
    let text = format!(
        r#"(module (memory (export "memory") 1 1) {} (export "gbx_map" (func $f0)))"#,
        (0..150).map(function).collect::<String>()
    );
    let module = wat::parse_str(text)?;
    let start = Start { module: &module, call: call(200_000, 1 << 16) };
    let engine = engine()?;
    let compile = time(1, || Guest::compile(&engine, &start).map(|_| ()).map_err(|_| "refused".into()))?;
    println!("compiling {} bytes: {:.1} ms", module.len(), compile / 1e6);
    Ok(())
}

fn main() -> Outcome<()> {
    compilation()?;
    fresh_instances()?;
    fuel_time()
}
