//! `attack-guests WORKER`: every hostile guest against this worker executable, compared with the record.
//!
//! Prints what differs and ends with one line of JSON. Exit code 0: nothing differs; 1: something does; 2: bad usage.

#![expect(clippy::print_stdout, reason = "a command line tool speaks on standard output")]

use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Result;
use glovebox_evil::suite::Suite;
use glovebox_evil::{attack, record};
use serde_json::json;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [worker] = words.as_slice() else {
        println!("usage: attack-guests WORKER");
        return ExitCode::from(2);
    };
    let worker = Path::new(worker);
    let name = worker.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let (pass, figures) = match run(worker) {
        Ok((attacks, different, seconds)) => {
            let pass = different.is_empty();
            println!("{attacks} attacks in {seconds:.1} s, {} not as expected", different.len());
            (pass, json!({ "attacks": attacks, "different": different, "seconds": seconds }))
        }
        Err(error) => (false, json!({ "error": format!("{error:#}") })),
    };
    println!("{}", json!({ "command": "attack guests", "worker": name, "pass": pass, "figures": figures }));
    if pass { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// How many attacks there were, the names of those that ended otherwise than expected, and how long it took.
fn run(worker: &Path) -> Result<(usize, Vec<String>, f64)> {
    let started = Instant::now();
    let attacks = attack::all()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let found = runtime.block_on(record::observe(&Suite::new(worker), &attacks));
    let expected = record::committed()?;
    let differences = record::differences(&expected, &found);
    for difference in &differences {
        println!("{difference}");
    }
    let names = differences.iter().filter_map(|difference| difference.lines().next()).map(str::to_owned).collect();
    let seconds = (started.elapsed().as_secs_f64() * 10.0).round() / 10.0;
    Ok((attacks.len(), names, seconds))
}
