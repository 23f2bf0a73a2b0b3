//! `attack-sql GLOVEBOX [PLANT]`: hostile statements at a bureau that this executable serves, and at its neighbour.
//!
//! Prints a table by class and what is wrong, and ends with one line of JSON. Exit code 0: nothing is wrong; 1: something is;
//! 2: bad usage.

#![expect(clippy::print_stdout, reason = "a command line tool speaks on standard output")]

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use glovebox_siege::Plant;
use glovebox_siege::report::{Report, attack, self_check};
use serde_json::json;

/// What is wrong is spelled out this often; the counts have all.
const SHOWN: usize = 40;
/// Letters of each.
const WIDTH: usize = 600;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let (binary, name) = match words.as_slice() {
        [binary] => (*binary, None),
        [binary, plant] if Plant::named(plant).is_some() => (*binary, Some(*plant)),
        _ => {
            let plants: Vec<&str> = Plant::ALL.iter().map(|(name, _)| *name).collect();
            println!("usage: attack-sql GLOVEBOX [{}]", plants.join("|"));
            return ExitCode::from(2);
        }
    };
    match run(Path::new(binary), name) {
        Ok(report) => {
            print(&report);
            println!("{}", report.json(name));
            if report.pass() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            let error = format!("{error:#}");
            println!("{}", json!({ "command": "attack sql", "plant": name, "pass": false, "error": error }));
            ExitCode::FAILURE
        }
    }
}

fn run(binary: &Path, plant: Option<&str>) -> Result<Report> {
    let binary = std::path::absolute(binary).context("where is the executable?")?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        if plant.is_none() {
            self_check(&binary).await?;
            println!("   self-check: each of {} planted holes is found", Plant::ALL.len());
        }
        attack(&binary, plant.and_then(Plant::named)).await
    })
}

fn print(report: &Report) {
    println!("   {:<56} {:>10} {:>6}", "class", "statements", "wrong");
    for (class, (count, bad)) in &report.classes {
        println!("   {class:<56} {count:>10} {bad:>6}");
    }
    println!("   {} answers with {} bytes searched for canaries", report.swept.answers, report.swept.bytes);
    for wrong in report.wrong.iter().take(SHOWN) {
        println!("   WRONG {}", wrong.chars().take(WIDTH).collect::<String>());
    }
    if report.wrong.len() > SHOWN {
        println!("   … and {} more", report.wrong.len() - SHOWN);
    }
}
