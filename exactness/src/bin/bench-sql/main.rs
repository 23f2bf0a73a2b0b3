//! `bench-sql [--rows N] [--python FILE]`: DP SQL beside the same question without privacy, in one run.
//!
//! Ours is the product's way: an encrypted catalog, the analysis, the fold over unit runs, exact cells; without noise and ledger,
//! which the size of the table does not change. The others are DataFusion and DuckDB as they come from PyPI, on plain Parquet with
//! the same rows; without a Python that has them, what they would say is left out with the reason. Every side runs in a
//! process of its own, so that its peak of memory is its own, and answers once before the rounds that count.
//!
//! Ends with one line of JSON; exit code 0 when every bar is reached, 1 when one is not or could not be measured, 2 on bad usage.
//! The bars are for code with optimisation.
//!
//! Read [`data`] (the rows), then this.

#![expect(clippy::print_stdout, reason = "a command line tool speaks on standard output")]

mod data;

use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Instant;

use anyhow::{Context as _, Result, anyhow, ensure};
use glovebox_catalog::Catalog;
use glovebox_policy::NanoEpsilon;
use glovebox_query::{Analysis, Defaults, Draft, Options, Parallelism, SelectionKey};
use glovebox_vault::Expose as _;
use serde_json::{Value, json};

use data::Shape;

/// Rounds that count.
const ROUNDS: usize = 5;
/// Rows unless it is said otherwise.
const ROWS: i64 = 10_000_000;
/// Fewest rows with which the figures say anything.
const LEAST: i64 = 1_000;
/// Groups that a person is counted in.
const MAX_GROUPS: u32 = 5;
/// With bounds per person, against the same question without privacy in DataFusion.
const BAR_PERSONS: f64 = 2.0;
/// Where each row is a unit.
const BAR_UNIQUE: f64 = 1.3;
/// Peak memory of the question with bounds per person.
const BAR_MIB: u64 = 512;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let (rows, python) = match words.as_slice() {
        ["--prepare", dir, rows] => return said(prepare(Path::new(dir), rows)),
        ["--ours", dir, shape] => return said(ours(Path::new(dir), shape)),
        [] => (Some(ROWS), None),
        ["--rows", rows] => (rows.parse().ok(), None),
        ["--python", file] => (Some(ROWS), Some(*file)),
        ["--rows", rows, "--python", file] => (rows.parse().ok(), Some(*file)),
        _ => (None, None),
    };
    let Some(rows) = rows.filter(|rows| *rows >= LEAST) else {
        println!("usage: bench-sql [--rows N, at least {LEAST}] [--python FILE]");
        return ExitCode::from(2);
    };
    match run(rows, python) {
        Ok(line) => {
            println!("{line}");
            if line.get("pass") == Some(&Value::Bool(true)) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => said(Err(error)),
    }
}

/// Prints a child's line, or the line of a failure.
fn said(done: Result<Value>) -> ExitCode {
    match done {
        Ok(line) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            println!("{}", json!({ "command": "bench sql", "pass": false, "error": format!("{error:#}") }));
            ExitCode::FAILURE
        }
    }
}

fn prepare(dir: &Path, rows: &str) -> Result<Value> {
    let started = Instant::now();
    data::prepare(dir, rows.parse()?)?;
    Ok(json!({ "seconds": started.elapsed().as_secs_f64() }))
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// The question in plain SQL over a table.
fn question(table: &str) -> String {
    format!("SELECT g, COUNT(*), SUM(v), AVG(v) FROM {table} GROUP BY g")
}

fn analysis(catalog: &Catalog, shape: Shape) -> Result<Analysis> {
    let epsilon = NanoEpsilon::from_epsilon(1.0).context("an epsilon")?;
    let defaults = Defaults { epsilon, delta: 1e-9, max_groups_contributed: MAX_GROUPS };
    let draft = Draft::read(catalog, &question(&shape.dataset()), &[])?;
    Ok(draft.complete(defaults, Options::default())?)
}

/// Our side, in a process of its own.
fn ours(dir: &Path, shape: &str) -> Result<Value> {
    let shape = [Shape::Persons, Shape::Unique].into_iter().find(|known| known.name() == shape).context("a shape")?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(cores()).build()?;
    let parallelism = Parallelism { partitions: cores(), ..Parallelism::default() };
    let key = SelectionKey::new(*b"a selection key!");
    let (mut seconds, mut most) = (Vec::new(), 0);
    // Opened once, as a server has it, and as the others register their file once.
    let catalog = Catalog::open(&dir.join("catalog"), &dir.join("master.key"))?;
    for round in 0..=ROUNDS {
        let started = Instant::now();
        let analysis = analysis(&catalog, shape)?;
        let cells = runtime.block_on(analysis.exact_cells(&key, parallelism));
        let cells = cells.map_err(|fault| anyhow!("{fault}"))?.expose();
        if round > 0 {
            seconds.push(started.elapsed().as_secs_f64());
        }
        // One of the families counts rows; the others are sums of steps, of either sign.
        let counts = cells.iter().filter(|family| family.iter().all(|cell| *cell >= 0));
        most = counts.map(|family| family.iter().sum::<i128>()).min().unwrap_or(0);
    }
    Ok(json!({ "seconds": seconds, "peak_mib": peak_mib(), "rows": i64::try_from(most)? }))
}

fn peak_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) >> 10
}

/// Runs a child, and reads its line.
fn child(command: &mut Command) -> Result<Value> {
    let out = command.output().context("cannot start a side")?;
    let text = String::from_utf8_lossy(&out.stdout);
    let complaint = String::from_utf8_lossy(&out.stderr);
    ensure!(out.status.success(), "{} {}", text.trim(), complaint.lines().last().unwrap_or_default());
    serde_json::from_str(text.lines().last().unwrap_or_default()).context("a side that says no JSON")
}

fn ourselves() -> Result<Command> {
    Ok(Command::new(std::env::current_exe().context("where is this program?")?))
}

fn plain(python: Option<&str>, engine: &str, file: &Path) -> Result<Value> {
    let python = python.context("there is no Python with it")?;
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/src/bin/bench-sql/plain.py");
    let mut command = Command::new(python);
    command.arg(script).arg(engine).arg(file).arg(question("t")).arg(ROUNDS.to_string()).arg(cores().to_string());
    child(&mut command)
}

fn median(side: &Value) -> Option<f64> {
    let mut seconds: Vec<f64> = side.get("seconds")?.as_array()?.iter().filter_map(Value::as_f64).collect();
    seconds.sort_by(f64::total_cmp);
    seconds.get(seconds.len() / 2).copied()
}

fn run(rows: i64, python: Option<&str>) -> Result<Value> {
    let folder = tempfile::tempdir().context("cannot make a folder")?;
    let dir = folder.path();
    println!("{rows} rows sorted by unit, {} groups, {} cores, {ROUNDS} rounds", data::GROUPS, cores());
    let prepared = child(ourselves()?.arg("--prepare").arg(dir).arg(rows.to_string()))?;
    println!("made and ingested twice in {:.1} s", prepared.get("seconds").and_then(Value::as_f64).unwrap_or(f64::NAN));
    if cfg!(debug_assertions) {
        println!("this program is built without optimisation: the bars are not for it");
    }
    let mut figures = serde_json::Map::new();
    let mut missed = Vec::new();
    println!("{:<44} {:>9} {:>9} {:>12}", "side", "median s", "peak MiB", "rows counted");
    for (shape, bar) in [(Shape::Persons, BAR_PERSONS), (Shape::Unique, BAR_UNIQUE)] {
        let own = child(ourselves()?.arg("--ours").arg(dir).arg(shape.name()))?;
        show(&format!("{}: ours", shape.name()), &own);
        let mut sides = serde_json::Map::from_iter([("ours".to_owned(), own.clone())]);
        for engine in ["datafusion", "duckdb"] {
            match plain(python, engine, &shape.parquet(dir)) {
                Ok(side) => {
                    ensure!(side.get("rows") == Some(&json!(rows)), "{engine} counts other rows: {side}");
                    show(&format!("{}: {engine} without privacy", shape.name()), &side);
                    sides.insert(engine.to_owned(), side);
                }
                Err(error) => println!("{:<44} left out: {error:#}", format!("{}: {engine}", shape.name())),
            }
        }
        let ratio = |engine: &str| Some(median(&own)? / sides.get(engine).and_then(median)?);
        let (datafusion, duckdb) = (ratio("datafusion"), ratio("duckdb"));
        match datafusion {
            Some(ratio) if ratio <= bar => {}
            Some(ratio) => missed.push(format!("{}: {ratio:.2}x of DataFusion, the bar is {bar}x", shape.name())),
            None => missed.push(format!("{}: DataFusion was not measured", shape.name())),
        }
        ensure!(shape == Shape::Persons || own.get("rows") == Some(&json!(rows)), "not every unit is counted: {own}");
        if shape == Shape::Persons && own.get("peak_mib").and_then(Value::as_u64).is_none_or(|mib| mib > BAR_MIB) {
            missed.push(format!("{}: more than {BAR_MIB} MiB", shape.name()));
        }
        let rounded = |ratio: Option<f64>| ratio.map(|ratio| (ratio * 100.0).round() / 100.0);
        sides.insert("ratio_datafusion".to_owned(), json!(rounded(datafusion)));
        sides.insert("ratio_duckdb".to_owned(), json!(rounded(duckdb)));
        let times =
            |ratio: Option<f64>| ratio.map_or_else(|| "not measured against".to_owned(), |x| format!("{x:.2}x of"));
        println!("{}: {} DataFusion, {} DuckDB", shape.name(), times(datafusion), times(duckdb));
        figures.insert(shape.name().to_owned(), Value::Object(sides));
    }
    for miss in &missed {
        println!("MISSED {miss}");
    }
    Ok(json!({
        "command": "bench sql", "pass": missed.is_empty(), "optimised": !cfg!(debug_assertions), "rows": rows,
        "cores": cores(), "rounds": ROUNDS, "figures": figures, "missed": missed,
    }))
}

fn show(name: &str, side: &Value) {
    let whole = |key: &str| side.get(key).and_then(Value::as_u64).unwrap_or_default();
    println!("{name:<44} {:>9.3} {:>9} {:>12}", median(side).unwrap_or(f64::NAN), whole("peak_mib"), whole("rows"));
}
