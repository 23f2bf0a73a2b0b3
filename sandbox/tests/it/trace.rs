//! Local runs on synthetic rows: everything about each unit is told, and the cells are those of the operator.

use glovebox_sandbox::bound::Emitted;
use glovebox_sandbox::{MapSpec, SandboxFault, UnitTrace, trace_units};

use crate::operator::many;
use crate::stand_in::Script;
use crate::support::{self, ECHO, PLAIN, Unit, block_on, items, module, unit, worker, workers};

/// Writes a line into its log before it emits what `ECHO` emits.
fn logging() -> String {
    let log = r#"(func (export "gbx_log") (result i32) i32.const 8192)
      (func (export "gbx_log_cap") (result i32) i32.const 64)
      (data (i32.const 8192) "rows: ")"#;
    let line = "(i32.store8 (i32.const 8198) (i32.add (i32.const 48) (i32.load (i32.const 1028))))";
    ECHO.replacen("(func (export \"gbx_abi\")", &format!("{log} (func (export \"gbx_abi\")"), 1).replacen(
        "(local.set $n",
        &format!("{line} (local.set $n"),
        1,
    )
}

fn spec() -> MapSpec {
    support::spec(10, 2, 8, -5, 20)
}

fn trace(units: &[Unit], text: &str, spec: &MapSpec) -> (Vec<UnitTrace>, Vec<Vec<i128>>) {
    let batch = items(units, PLAIN).remove(0).remove(0).0;
    let mut traces = Vec::new();
    let workers = workers(worker(), PLAIN);
    let cells = block_on(trace_units(&batch, &module(text), spec, &workers, &mut |trace| traces.push(trace))).unwrap();
    (traces, cells)
}

#[test]
fn a_local_run_tells_all_about_each_unit() {
    let units = [
        unit(1, &[(0, 3.0), (0, 4.0)]),
        unit(2, &[(1, f64::NAN)]),
        unit(3, &[(10, 1.0)]),
        unit(4, &[(0, 1.0); 9]),
        unit(5, &[(0, 1.0); 200]),
    ];
    let (traces, cells) = trace(&units, &logging(), &spec());
    assert_eq!(traces.len(), 5);
    assert!(traces.iter().zip(&units).all(|(trace, unit)| trace.unit == unit.id));
    let good = &traces[0];
    assert_eq!(good.emitted, Some(Emitted { keys: vec![0, 0], values: vec![3.0, 4.0] }));
    assert_eq!((good.failure.as_str(), good.log.as_slice()), ("", b"rows: 2".as_slice()));
    assert_eq!(good.contribution, [(0, vec![7])]);
    assert!(good.fuel_used > 0 && good.fuel_used < 1_000, "{}", good.fuel_used);
    for (trace, failure) in traces[1..3].iter().zip(["not a finite number", "not declared"]) {
        assert!(trace.failure.contains(failure), "{}", trace.failure);
        assert_eq!(trace.log.len(), 7);
    }
    assert!(traces[1..].iter().all(|trace| trace.emitted.is_none() && !trace.failure.is_empty()));
    assert!(traces[1..].iter().all(|trace| trace.contribution == [(9, vec![20])]));
    assert!(traces[4].failure.contains("gbx_in_cap"));
    assert_eq!((cells[0][0], cells[1][0], cells[0][9], cells[1][9]), (7, 1, 80, 4));
}

#[test]
fn a_trap_is_told() {
    let text = ECHO.replacen("(local.set $n", "(if (i32.load (i32.const 1028)) (then unreachable)) (local.set $n", 1);
    let (traces, _) = trace(&[unit(1, &[(0, 3.0)])], &text, &spec());
    assert!(traces[0].failure.contains("unreachable"), "{}", traces[0].failure);
    let mut short = spec();
    short.fuel = 20;
    let (traces, _) = trace(&[unit(1, &[(0, 3.0)])], ECHO, &short);
    assert!(traces[0].failure.contains("fuel"), "{}", traces[0].failure);
}

#[test]
fn the_cells_of_a_local_run_are_those_of_the_operator() {
    let units = many(30);
    let (_, cells) = trace(&units, ECHO, &spec());
    // The operator with the fixed key of local runs.
    use glovebox_sandbox::{SelectionKey, map_units};
    use glovebox_vault::{Expose as _, Protected};
    let input = Protected::seal(support::streams(items(&units, PLAIN)));
    let key = SelectionKey::new([0; 16]);
    let mapped = block_on(map_units(input, &module(ECHO), &spec(), &key, &workers(worker(), PLAIN))).unwrap();
    assert_eq!(mapped.expose(), cells);
}

#[test]
fn a_worker_that_breaks_in_a_local_run_is_told() {
    let script = Script::stand_in("plain");
    let batch = items(&[unit(1, &[(0, 1.0)])], PLAIN).remove(0).remove(0).0;
    let mut failures = Vec::new();
    // The stand-in knows no traces, so its answer is none.
    let on = &mut |trace: UnitTrace| failures.push(trace.failure);
    let cells = block_on(trace_units(&batch, &module(ECHO), &spec(), &workers(&script.path(), PLAIN), on)).unwrap();
    assert_eq!(failures, ["the worker gave an answer that is none"]);
    assert_eq!(cells[1][9], 1);
    let turned = arrow::compute::concat_batches(
        batch.schema_ref(),
        &[items(&[unit(2, &[(0, 1.0)])], PLAIN).remove(0).remove(0).0, batch.clone()],
    );
    let fault =
        block_on(trace_units(&turned.unwrap(), &module(ECHO), &spec(), &workers(&script.path(), PLAIN), &mut |_| {}));
    assert_eq!(fault, Err(SandboxFault::Units));
}
