//! Workers that end, hang or answer nonsense: what becomes of their units, and that the others do not notice.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::stream::{self, StreamExt as _};
use glovebox_sandbox::{
    MapSpec, ModuleFault, SandboxFault, SelectionKey, WorkerConfig, Workers, map_units, try_compile,
};
use glovebox_vault::{Expose as _, Protected};

use crate::operator::many;
use crate::stand_in::{Script, TRIGGER, kill};
use crate::support::{
    self, Cut, ECHO, PLAIN, Unit, block_on, expected, items, module, run, run_streams, streams, unit, worker, workers,
};

/// More than compiling takes on any machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Keys beyond that of the trigger, so that a unit with it is in order as far as the guest is concerned.
fn spec() -> MapSpec {
    support::spec(5_000, 2, 8, -5, 20)
}

fn with_triggers(places: &[usize]) -> Vec<Unit> {
    let mut units = many(40);
    for place in places {
        units[*place].rows = vec![(TRIGGER, 1.0)];
    }
    units
}

const CUTS: [Cut; 6] = [
    Cut { streams: 1, batch_rows: 1_000, workers: 1, batch_units: 1 },
    Cut { streams: 1, batch_rows: 5, workers: 1, batch_units: 7 },
    Cut { streams: 2, batch_rows: 16, workers: 1, batch_units: 256 },
    Cut { streams: 1, batch_rows: 16, workers: 2, batch_units: 1 },
    Cut { streams: 2, batch_rows: 5, workers: 2, batch_units: 7 },
    Cut { streams: 2, batch_rows: 1_000, workers: 2, batch_units: 256 },
];

#[test]
fn a_unit_that_kills_its_worker_is_the_default_row_and_the_others_are_what_they_were() {
    for places in [&[11][..], &[0], &[39], &[3, 4, 30]] {
        let units = with_triggers(places);
        let failed: Vec<_> = places.iter().map(|place| units[*place].id).collect();
        let with_defaults = expected(&spec(), &units, &failed);
        assert_ne!(with_defaults, expected(&spec(), &units, &[]));
        for mode in ["die", "exit", "garbage"] {
            for cut in CUTS {
                let script = Script::stand_in(mode);
                let cells = run(&script.path(), &module(ECHO), &spec(), &units, cut);
                assert_eq!(cells.as_ref(), Ok(&with_defaults), "{mode} {places:?} {cut:?}");
            }
        }
    }
}

/// Runs a job; its first stream kills the worker that was started last, before its middle batch comes.
fn killed_in_the_middle(script: &Arc<Script>, units: &[Unit], cut: Cut) -> Result<Vec<Vec<i128>>, SandboxFault> {
    let mut all = items(units, cut).into_iter();
    let first = all.next().unwrap();
    let middle = first.len() / 2;
    let killing = Arc::clone(script);
    let first = stream::iter(first).enumerate().map(move |(at, item)| {
        if at == middle {
            wait_for(|| killing.pids().len() >= cut.workers);
            kill(*killing.pids().last().unwrap());
        }
        Ok(item)
    });
    let mut input = vec![first.boxed()];
    input.extend(streams(all.collect()));
    run_streams(&module(ECHO), &spec(), input, &workers(&script.path(), cut))
}

fn wait_for(what: impl Fn() -> bool) {
    let begun = Instant::now();
    while !what() {
        assert!(begun.elapsed() < Duration::from_secs(30), "waited too long");
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn a_worker_killed_in_the_middle_changes_no_cell() {
    let units = many(60);
    let expected = expected(&spec(), &units, &[]);
    for cut in CUTS.map(|cut| Cut { batch_rows: 8, ..cut }) {
        for script in [Script::around(worker()), Script::stand_in("plain"), Script::stand_in("slow")] {
            let script = Arc::new(script);
            assert_eq!(killed_in_the_middle(&script, &units, cut).as_ref(), Ok(&expected), "{cut:?}");
        }
    }
}

#[test]
fn a_worker_killed_at_work_is_replaced() {
    // The batch takes 900 ms, so the kill meets it on its way.
    let units = many(300);
    let cut = Cut { batch_units: 300, batch_rows: 10_000, ..PLAIN };
    let script = Arc::new(Script::stand_in("slow"));
    let killing = Arc::clone(&script);
    let killer = std::thread::spawn(move || {
        wait_for(|| !killing.pids().is_empty());
        std::thread::sleep(Duration::from_millis(300));
        kill(killing.pids()[0]);
    });
    let cells = run(&script.path(), &module(ECHO), &spec(), &units, cut);
    killer.join().unwrap();
    assert_eq!(cells, Ok(expected(&spec(), &units, &[])));
    assert_eq!(script.pids().len(), 2, "it was not idle when it was killed");
}

#[test]
fn a_unit_that_hangs_alone_ends_the_job() {
    let units = [unit(1, &[(0, 1.0)]), unit(2, &[(TRIGGER, 1.0)]), unit(3, &[(0, 1.0)])];
    for batch_units in [1, 256] {
        let script = Script::stand_in("hang");
        let config =
            WorkerConfig { executable: script.path(), workers: 1, batch_units, unit_time: Duration::from_millis(800) };
        let fault = run_streams(&module(ECHO), &spec(), streams(items(&units, PLAIN)), &Workers::new(config));
        assert_eq!(fault, Err(SandboxFault::Watchdog));
    }
}

#[test]
fn too_many_crashes_end_the_job() {
    let script = Script::stand_in("die");
    let one_by_one = Cut { batch_units: 1, ..PLAIN };
    // A unit that kills its worker takes two of them when it comes alone: once in its batch, once more to be sure.
    let eight: Vec<_> = (0..8).collect();
    let units = with_triggers(&eight);
    let failed: Vec<_> = units[..8].iter().map(|unit| unit.id).collect();
    let cells = run(&script.path(), &module(ECHO), &spec(), &units, one_by_one);
    assert_eq!(cells, Ok(expected(&spec(), &units, &failed)));
    let nine: Vec<_> = (0..9).collect();
    for cut in CUTS {
        let cut = if cut.batch_units > 1 { Cut { batch_units: 2, ..cut } } else { cut };
        let places: Vec<_> = if cut.batch_units > 1 { (0..40).collect() } else { nine.clone() };
        let units = with_triggers(&places);
        assert_eq!(run(&script.path(), &module(ECHO), &spec(), &units, cut), Err(SandboxFault::Crashes), "{cut:?}");
    }
    for mode in ["always-garbage", "endless", "die-at-start"] {
        let script = Script::stand_in(mode);
        assert_eq!(run(&script.path(), &module(ECHO), &spec(), &many(40), PLAIN), Err(SandboxFault::Crashes), "{mode}");
        assert!(script.pids().len() <= 18);
    }
}

#[test]
fn a_worker_that_does_not_start_is_a_fault_with_and_without_rows() {
    let refusing = Script::stand_in("refuse");
    let missing = refusing.path().with_file_name("no-worker");
    for units in [many(3), Vec::new()] {
        let fault = |path: &std::path::Path| run(path, &module(ECHO), &spec(), &units, PLAIN).err();
        assert_eq!(fault(&refusing.path()), Some(SandboxFault::Refused));
        assert_eq!(fault(&missing), Some(SandboxFault::Spawn));
        assert_eq!(fault(std::path::Path::new("/bin/true")), Some(SandboxFault::Crashes));
    }
}

#[test]
fn compiling_is_tried_before_a_module_is_taken() {
    let compile = |path: &std::path::Path| block_on(try_compile(&module(ECHO), &workers(path, PLAIN), PATIENCE));
    assert_eq!(compile(worker()), Ok(()));
    assert_eq!(compile(&Script::stand_in("plain").path()), Ok(()));
    assert_eq!(compile(&Script::stand_in("refuse").path()), Err(ModuleFault::Compile));
    assert_eq!(compile(&Script::stand_in("die-at-start").path()), Err(ModuleFault::Compile));
    assert_eq!(compile(std::path::Path::new("/no/worker")), Err(ModuleFault::Worker));
    // It passes every check, and yet no instance of it can be made.
    let data = r#"(data (i32.const 65535) "two")"#;
    let unfit = module(&ECHO.replacen("(module", &format!("(module {data}"), 1));
    assert_eq!(block_on(try_compile(&unfit, &workers(worker(), PLAIN), PATIENCE)), Err(ModuleFault::Compile));
    // What is in a memory from the beginning costs no fuel.
    let text = "x".repeat(40_000);
    let filled = module(&ECHO.replacen("(module", &format!(r#"(module (data (i32.const 20000) "{text}")"#), 1));
    assert_eq!(block_on(try_compile(&filled, &workers(worker(), PLAIN), PATIENCE)), Ok(()));
    // A stand-in that never answers is not waited for.
    let hanging = Script::stand_in("hang-at-start");
    let late = block_on(try_compile(&module(ECHO), &workers(&hanging.path(), PLAIN), Duration::from_millis(300)));
    assert_eq!(late, Err(ModuleFault::CompileTime));
}

#[test]
fn workers_end_with_their_job() {
    let script = Script::around(worker());
    let cut = Cut { workers: 2, ..PLAIN };
    run(&script.path(), &module(ECHO), &spec(), &many(20), cut).unwrap();
    assert_eq!(script.pids().len(), 2);
    assert!(script.pids().iter().all(|pid| gone(*pid)));
}

#[test]
fn workers_end_with_a_job_that_nobody_waits_for() {
    let script = Script::stand_in("hang");
    let cut = Cut { workers: 2, batch_units: 1, ..PLAIN };
    let units = [unit(1, &[(TRIGGER, 1.0)]), unit(2, &[(TRIGGER, 1.0)])];
    block_on(async {
        let input = Protected::seal(streams(items(&units, cut)));
        let (module, spec, key, workers) =
            (module(ECHO), spec(), SelectionKey::new([0; 16]), workers(&script.path(), cut));
        let job = map_units(input, &module, &spec, &key, &workers);
        assert!(tokio::time::timeout(Duration::from_secs(1), job).await.is_err());
        assert_eq!(script.pids().len(), 2);
        wait_for(|| script.pids().iter().all(|pid| gone(*pid)));
    });
}

/// Whether a process has ended, perhaps without having been waited for.
fn gone(pid: u32) -> bool {
    let state = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    state.is_empty() || state.contains(") Z ")
}

#[test]
fn a_worker_is_given_two_pipes_and_nothing_else() {
    let script = Script::stand_in("plain");
    run(&script.path(), &module(ECHO), &spec(), &many(2), PLAIN).unwrap();
    let found = script.given();
    let lines: Vec<_> = found.lines().collect();
    let [environment, directory, error, input, output] = lines.as_slice() else { panic!("{found}") };
    assert_eq!((*environment, *directory, *error), ("0", "/", "/dev/null"));
    assert!(input.starts_with("pipe:") || input.starts_with("socket:"), "{input}");
    assert!(output.starts_with("pipe:") || output.starts_with("socket:"), "{output}");
}
