//! `attack-guests WORKER [NAME…]`: every hostile guest, or those named, against this worker executable, compared with
//! the record.
//!
//! With BLESS=1 and no name the record is written anew.
//! Prints each ending and how long it took, then what differs, and ends with one line of JSON. Exit code 0: nothing differs; 1: something does; 2: bad usage.

#![expect(clippy::print_stdout, reason = "a command line tool speaks on standard output")]

use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Result;
use glovebox_evil::record::Record;
use glovebox_evil::suite::Suite;
use glovebox_evil::{attack, record};
use serde_json::json;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let Some((worker, names)) = words.split_first() else {
        println!("usage: attack-guests WORKER [NAME…]");
        return ExitCode::from(2);
    };
    let worker = Path::new(worker);
    let name = worker.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let (pass, figures) = match run(worker, names) {
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
fn run(worker: &Path, names: &[String]) -> Result<(usize, Vec<String>, f64)> {
    let started = Instant::now();
    let wanted = |name: &String| names.is_empty() || names.contains(name);
    let attacks: Vec<_> = attack::all()?.into_iter().filter(|attack| wanted(&attack.name)).collect();
    let expected: Record = record::committed()?.into_iter().filter(|(name, _)| wanted(name)).collect();
    let (suite, mut found) = (Suite::new(worker), Record::new());
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    for attack in &attacks {
        let began = Instant::now();
        let line = runtime.block_on(record::observe(&suite, attack));
        println!("{:>6.2} s  {}: {line}", began.elapsed().as_secs_f64(), attack.name);
        found.insert(attack.name.clone(), line);
    }
    if std::env::var_os("BLESS").is_some() && names.is_empty() {
        record::bless(&found)?;
        return Ok((attacks.len(), Vec::new(), seconds(started)));
    }
    let differences = record::differences(&expected, &found);
    for difference in &differences {
        println!("{difference}");
    }
    let names = differences.iter().filter_map(|difference| difference.lines().next()).map(str::to_owned).collect();
    Ok((attacks.len(), names, seconds(started)))
}

fn seconds(since: Instant) -> f64 {
    (since.elapsed().as_secs_f64() * 10.0).round() / 10.0
}
