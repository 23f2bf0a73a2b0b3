//! `bench-sandbox FOLDER`: what a fresh instance per unit costs, beside a reused one and native code, in one run.
//!
//! FOLDER holds the executables of the worker and of the worker that runs nothing, built for release. Nothing but
//! made-up rows is measured. The last line is JSON; the bar of 150,000 units a second and core is reported, not enforced.
//!
//! Read [`ways`] (what is measured), [`parts`] (where the time goes), [`rows`] (the made-up rows), [`machine`] (cores and
//! memory), [`figures`] (rounds, medians).

#![expect(clippy::print_stdout, reason = "a command line tool speaks on standard output")]

mod figures;
mod machine;
mod parts;
mod rows;
mod ways;

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use figures::{Figure, ROUNDS};
use serde_json::{Value, json};

/// Units a second and core that a job of one row in and out per unit should reach.
const BAR: f64 = 150_000.0;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [folder] = words.as_slice() else {
        println!("usage: bench-sandbox FOLDER");
        return ExitCode::from(2);
    };
    match run(Path::new(folder)) {
        Ok(line) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            println!("{}", json!({ "command": "bench sandbox", "pass": false, "error": format!("{error:#}") }));
            ExitCode::FAILURE
        }
    }
}

fn run(folder: &Path) -> Result<Value> {
    println!(
        "{} units of one row, one row out; fuel {} a unit; {ROUNDS} rounds; worker and host pinned to one core unless said",
        rows::UNITS,
        ways::FUEL
    );
    let memory = machine::watch_children();
    let ways = ways::measure(folder)?;
    let parts = parts::measure(folder)?;
    let peaks = memory.stop();
    println!("\n{:<58} {:>10} {:>10} {:>10}   µs/unit", "units/s", "min", "median", "max");
    for (name, figure) in ways.all().into_iter().chain(parts.all()) {
        println!("{name:<58} {}", figure.line());
    }
    let fresh = ways.operator.median();
    println!("\nwhere a unit's {:.2} µs in the operator on one core go:", 1e6 / fresh);
    for (name, micros) in parts.shares(&ways) {
        println!("  {name:<56} {micros:>6.2} µs {:>5.1} %", micros * fresh / 1e4);
    }
    let ratio = |figure: &Figure| (figure.median() / fresh * 100.0).round() / 100.0;
    println!("\nreused in-process {}x, native {}x of the operator's rate", ratio(&ways.reused), ratio(&ways.native));
    println!("peak memory: host {} MiB, worker {} MiB", peaks.host_mib, peaks.worker_mib);
    let reached = fresh >= BAR;
    println!("bar of {BAR} units/s per core: {}", if reached { "reached" } else { "not reached" });
    let [_, _, largest] = &ways.fresh;
    let also =
        if largest.median() >= BAR { "reaches it, too" } else { "does not reach it: every unit zeroes the memory" };
    println!("a guest with the largest memory, 1 MiB, {also} ({:.0} units/s in-process)", largest.median());
    let figures: serde_json::Map<String, Value> = ways.json().into_iter().chain(parts.json()).collect();
    Ok(json!({
        "command": "bench sandbox", "pass": true, "units": rows::UNITS, "rounds": ROUNDS, "fuel": ways::FUEL,
        "units_per_s": figures, "bar_units_per_s": BAR, "reached": reached,
        "reused_to_operator": ratio(&ways.reused), "native_to_operator": ratio(&ways.native),
        "peak_mib": { "host": peaks.host_mib, "worker": peaks.worker_mib },
    }))
}
