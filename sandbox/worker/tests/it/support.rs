//! Guests in text form, and two ways to run them.

use std::io::Write;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};

use glovebox_wire::{
    Area, BatchBuilder, Call, Outcome, Reply, Results, Start, Trace, TracedResults, WireError, read_message,
};
use glovebox_worker::config::engine;
use glovebox_worker::{FreshInstances, ServeError, serve};

/// A unit's result, owned.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Unit {
    Rows(Vec<(u32, Vec<f64>)>),
    Default,
}

/// How the guests of these tests are called: one page, two rows of one value.
pub(crate) fn call() -> Call {
    Call {
        fuel: 1_000_000,
        max_rows: 2,
        values: 1,
        memory_bytes: 1 << 16,
        input: Area { at: 1024, cap: 4096 },
        output: Area { at: 8192, cap: 4096 },
        log: None,
        trace: false,
    }
}

pub(crate) fn traced() -> Call {
    Call { trace: true, log: Some(Area { at: 16384, cap: 256 }), ..call() }
}

/// A module around the body of `gbx_map`, with a helper that writes row `i` (`key`, `value`).
pub(crate) fn guest(fields: &str, body: &str) -> Vec<u8> {
    wat::parse_str(format!(
        r#"(module
            (memory (export "memory") 1 1)
            (func $row (param $i i32) (param $key i32) (param $value f64)
                (i32.store (i32.add (i32.const 8192) (i32.shl (local.get $i) (i32.const 4))) (local.get $key))
                (f64.store (i32.add (i32.const 8200) (i32.shl (local.get $i) (i32.const 4))) (local.get $value)))
            {fields}
            (func $map (export "gbx_map") (param $len i32) (result i32) {body}))"#
    ))
    .unwrap()
}

/// A guest that returns one row: its frame's length and the frame's first byte.
pub(crate) fn echo() -> Vec<u8> {
    guest(
        "",
        "(call $row (i32.const 0) (local.get $len) (f64.convert_i32_u (i32.load8_u (i32.const 1024)))) (i32.const 1)",
    )
}

pub(crate) fn one_row(key: u32, value: f64) -> Unit {
    Unit::Rows(vec![(key, vec![value])])
}

pub(crate) fn start_message(module: &[u8], call: Call) -> Vec<u8> {
    let mut message = Vec::new();
    Start { module, call }.encode(&mut message).unwrap();
    message
}

pub(crate) fn batch_message(call: &Call, frames: &[&[u8]]) -> Vec<u8> {
    let mut batch = BatchBuilder::new(call);
    frames.iter().for_each(|frame| batch.push(frame).unwrap());
    batch.message().unwrap().to_vec()
}

/// Cuts what a worker wrote into bodies.
pub(crate) fn bodies(mut output: &[u8]) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    let mut body = Vec::new();
    while read_message(&mut output, &mut body).unwrap() {
        all.push(body.clone());
    }
    all
}

/// Serves `input` in this process; what was written, and how it ended.
pub(crate) fn serve_bytes(input: &[u8]) -> (Vec<Vec<u8>>, Result<(), ServeError>) {
    let engine = engine().unwrap();
    let (mut from, mut to) = (input, Vec::new());
    let ended = serve(&mut from, &mut to, |start| FreshInstances::compile(&engine, start));
    (bodies(&to), ended)
}

/// Runs the frames in one batch in this process.
pub(crate) fn run(module: &[u8], call: Call, frames: &[&[u8]]) -> Vec<Unit> {
    let (bodies, ended) = serve_bytes(&[start_message(module, call), batch_message(&call, frames)].concat());
    ended.unwrap();
    assert_eq!(Reply::decode(&bodies[0]).unwrap(), Reply::Ready);
    units(&bodies[1], &call, frames.len())
}

/// Runs the frames in one batch in this process, with traces.
pub(crate) fn run_traced(module: &[u8], call: Call, frames: &[&[u8]]) -> Vec<(Unit, Trace)> {
    let (bodies, ended) = serve_bytes(&[start_message(module, call), batch_message(&call, frames)].concat());
    ended.unwrap();
    let read = TracedResults::decode(&bodies[1], &call, frames.len()).unwrap();
    read.units().iter().map(|(slot, trace)| (unit(slot), trace.clone())).collect()
}

pub(crate) fn units(body: &[u8], call: &Call, units: usize) -> Vec<Unit> {
    Results::decode(body, call.slot(), units).unwrap().slots().map(|slot| unit(&slot)).collect()
}

fn unit(slot: &glovebox_wire::Slot<'_>) -> Unit {
    match slot.outcome() {
        Outcome::Rows => Unit::Rows(slot.rows().map(|(key, values)| (key, values.collect())).collect()),
        Outcome::Default => Unit::Default,
    }
}

/// The executable, started as the host starts it, but with a stderr that the test can read.
pub(crate) struct Process {
    pub(crate) child: Child,
    from: ChildStdout,
}

impl Process {
    pub(crate) fn start() -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_glovebox-worker"))
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let from = child.stdout.take().unwrap();
        Self { child, from }
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) {
        self.child.stdin.as_mut().unwrap().write_all(bytes).unwrap();
    }

    /// The next message's body, or nothing when the worker has closed its end.
    pub(crate) fn receive(&mut self) -> Result<Option<Vec<u8>>, WireError> {
        let mut body = Vec::new();
        Ok(read_message(&mut self.from, &mut body)?.then_some(body))
    }

    /// Starts `module` and waits for the answer.
    pub(crate) fn ready(module: &[u8], call: Call) -> Self {
        let mut process = Self::start();
        process.send(&start_message(module, call));
        assert_eq!(Reply::decode(&process.receive().unwrap().unwrap()).unwrap(), Reply::Ready);
        process
    }

    pub(crate) fn run(&mut self, call: &Call, frames: &[&[u8]]) -> Vec<Unit> {
        self.send(&batch_message(call, frames));
        units(&self.receive().unwrap().unwrap(), call, frames.len())
    }

    /// Closes the worker's input; how it ended and what it wrote as text.
    pub(crate) fn end(mut self) -> (ExitStatus, String) {
        drop(self.child.stdin.take());
        let output = self.child.wait_with_output().unwrap();
        (output.status, String::from_utf8(output.stderr).unwrap())
    }
}
