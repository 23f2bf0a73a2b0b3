//! `audit noise [--quick | --samples N]`, `audit compositions`: the statistical audit of released noise, and compositions for an outside accountant.
//!
//! `noise` draws at the gate and compares with the promised probabilities, number by number; lets the releases of neighbouring datasets
//! be told apart and compares with the declared loss; and plants mistakes, each of which must be seen. It ends with one line of
//! JSON; exit code 0 when every honest draw passed, every ε̂ was at most the declared ε and every mistake was seen.
//! `compositions` prints one line of JSON for each composition.

#![expect(clippy::print_stdout, reason = "a command line tool speaks on standard output")]

use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context as _, Result};
use glovebox_exactness::audit::compositions::grid;
use glovebox_exactness::audit::draws::{CASES, Case, Gate};
use glovebox_exactness::audit::fit::{self, Alarm, TESTS, fresh, judge};
use glovebox_exactness::audit::neighbours::{self, MISTAKE_RELEASES, Mistake, Neighbours, QUESTIONS};
use glovebox_exactness::audit::plants::PLANTS;
use serde_json::{Value, json};

/// Draws of each case in the long form.
const SAMPLES: u32 = 200_000;
/// Draws of each case in the short form.
const QUICK: u32 = 20_000;
/// Releases on each side of a pair of neighbours, for so many draws.
const DRAWS_PER_RELEASE: u32 = 50;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let samples = match words.as_slice() {
        ["compositions"] => return ended(compositions()),
        ["noise"] => Some(SAMPLES),
        ["noise", "--quick"] => Some(QUICK),
        ["noise", "--samples", samples] => samples.parse().ok().filter(|samples| *samples >= QUICK),
        _ => None,
    };
    match samples {
        Some(samples) => ended(noise(samples)),
        None => {
            println!("usage: audit noise [--quick | --samples N, at least {QUICK}]\n       audit compositions");
            ExitCode::from(2)
        }
    }
}

fn ended(done: Result<bool>) -> ExitCode {
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            println!("{}", json!({ "command": "audit", "pass": false, "error": format!("{error:#}") }));
            ExitCode::FAILURE
        }
    }
}

fn compositions() -> Result<bool> {
    for line in grid()? {
        println!("{line}");
    }
    Ok(true)
}

fn noise(samples: u32) -> Result<bool> {
    let started = Instant::now();
    let mut wrong = Vec::new();
    let tests = mass(samples, &mut wrong)?;
    let missed_draws = planted_draws(&mut wrong)?;
    let releases = (samples / DRAWS_PER_RELEASE) as usize;
    let told = told_apart(releases, &mut wrong)?;
    let missed_releases = planted_releases(&mut wrong)?;
    for line in &wrong {
        println!("WRONG {line}");
    }
    println!(
        "{}",
        json!({
            "command": "audit noise", "pass": wrong.is_empty(), "wrong": wrong, "cases": CASES.len(), "draws_per_case": samples,
            "tests": tests, "false_alarm_of_all_tests": tests as f64 * fit::FALSE_ALARM,
            "releases_per_side": releases, "neighbours": told,
            "false_alarm_of_all_neighbours": QUESTIONS.len() as f64 * neighbours::FALSE_ALARM,
            "planted": PLANTS.len() + MISTAKES.len(), "planted_seen": PLANTS.len() + MISTAKES.len() - missed_draws - missed_releases,
            "seconds": started.elapsed().as_secs(),
        })
    );
    Ok(wrong.is_empty())
}

fn told(alarms: &[Alarm]) -> String {
    alarms.iter().map(|alarm| format!("{}: {}", alarm.test, alarm.what)).collect::<Vec<_>>().join("; ")
}

/// The draws of every case; how many tests were made of them.
fn mass(samples: u32, wrong: &mut Vec<String>) -> Result<usize> {
    println!("{samples} draws of each of {} cases at the gate; tests: {}, fresh", CASES.len(), TESTS.join(", "));
    let gate = Gate::new()?;
    for case in CASES {
        let law = case.law()?;
        let draw = || gate.draw(case.plan(case.epsilon, case.bound(), samples / 2)?);
        let (mut draws, second) = (draw()?, draw()?);
        let mut alarms: Vec<Alarm> = fresh(&draws, &second, &law).into_iter().collect();
        draws.extend(second);
        alarms.extend(judge(&draws, &law));
        println!("   {} {}", if alarms.is_empty() { "ok" } else { "FAILED" }, case.name);
        if !alarms.is_empty() {
            wrong.push(format!("{}: {}", case.name, told(&alarms)));
        }
    }
    Ok(CASES.len() * (TESTS.len() + 1))
}

/// Draws with a mistake each; how many were not seen.
fn planted_draws(wrong: &mut Vec<String>) -> Result<usize> {
    println!("mistakes planted in draws, {QUICK} of each");
    let gate = Gate::new()?;
    let mut missed = 0;
    for (plant, name) in PLANTS {
        let case: &Case = CASES.iter().find(|case| case.name == *name).context("a case")?;
        let law = case.law()?;
        let [first, second] = plant.draw(&gate, case, QUICK)?;
        let mut alarms = judge(&first, &law);
        alarms.extend(fresh(&first, &second, &law));
        let by: Vec<&str> = alarms.iter().map(|alarm| alarm.test).collect();
        println!(
            "   {:<16} in {name}: {}",
            plant.as_str(),
            if by.is_empty() { "NOT SEEN".to_owned() } else { by.join(", ") }
        );
        if by.is_empty() {
            missed += 1;
            wrong.push(format!("the mistake {} was not seen in {name}", plant.as_str()));
        }
    }
    Ok(missed)
}

/// What neighbours' releases give away, question by question.
fn told_apart(releases: usize, wrong: &mut Vec<String>) -> Result<Vec<Value>> {
    println!(
        "{releases} releases of each of two neighbours; the bound is above the true ε once in {:.0} times",
        1.0 / neighbours::FALSE_ALARM
    );
    let neighbours = Neighbours::new()?;
    let mut lines = Vec::new();
    for question in QUESTIONS {
        let started = Instant::now();
        let measured = neighbours.measure(question, None, releases)?;
        let (lower, declared, estimate) = (measured.lower, measured.declared, measured.estimate);
        let (name, seconds) = (question.name, started.elapsed().as_secs());
        println!(
            "   {name:<34} δ {:<6} declared ε {declared:.3}, ε̂ at least {lower:.3}, estimate {estimate:.3}, {seconds} s",
            question.delta
        );
        if question.comes_near && releases >= MANY && estimate < declared * NEAR {
            wrong.push(format!("{name}: the tester estimates {estimate} of {declared}: it has lost its sight"));
        }
        if lower > declared {
            wrong.push(format!("{name}: ε̂ is at least {lower}, and {declared} was declared"));
        }
        lines.push(json!({ "question": name, "delta": question.delta, "declared": declared, "at_least": lower, "estimate": estimate, "tightness": lower / declared }));
    }
    Ok(lines)
}

/// With so many releases on each side the estimate of the worst case comes near what is declared.
const MANY: usize = 4_000;
/// How near.
const NEAR: f64 = 0.75;

const MISTAKES: [Mistake; 3] = [Mistake::HalfScale, Mistake::OffByOne, Mistake::ReusedSeed];

/// Releases with a mistake each; how many were not seen.
fn planted_releases(wrong: &mut Vec<String>) -> Result<usize> {
    println!("mistakes planted on the road to a release, {MISTAKE_RELEASES} of each neighbour");
    let neighbours = Neighbours::new()?;
    let mut missed = 0;
    for mistake in MISTAKES {
        let (measured, seen) = neighbours.look_for(mistake)?;
        let (lower, declared) = (measured.lower, measured.declared);
        println!(
            "   {mistake:?}: {} (declared ε {declared:.3}, ε̂ at least {lower:.3})",
            if seen { "seen" } else { "NOT SEEN" }
        );
        if !seen {
            missed += 1;
            wrong.push(format!("the mistake {mistake:?} was not seen in releases"));
        }
    }
    Ok(missed)
}
