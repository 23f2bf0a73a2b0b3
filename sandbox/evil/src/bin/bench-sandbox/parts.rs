//! Where the time goes: the parts of a unit's way, each measured alone on one core.

use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use glovebox_sandbox::bound::{Emitted, contribution};
use glovebox_sandbox::{Module, SelectionKey};
use glovebox_wire::results::begin_results;
use glovebox_wire::{Results, SlotMut, Start, message_len};
use glovebox_worker::config::engine;
use glovebox_worker::{Guest, RunFault};
use serde_json::Value;

use crate::figures::{Figure, timed};
use crate::machine::on_one_core;
use crate::rows::{self, UNITS};
use crate::ways::{self, FUEL, MESSAGE_UNITS, Ways};

/// What was measured.
pub(crate) struct Parts {
    encode: Figure,
    pipe: Figure,
    instantiate: Figure,
    decode: Figure,
    idle_operator: Figure,
}

impl Parts {
    pub(crate) fn all(&self) -> Vec<(&'static str, &Figure)> {
        vec![
            ("part: rows to frames", &self.encode),
            ("part: frames to a worker that runs nothing, and back", &self.pipe),
            ("part: store and instance, made and dropped, 128 KiB", &self.instantiate),
            ("part: results decoded, bounded and added", &self.decode),
            ("operator with a worker that runs nothing, one core", &self.idle_operator),
        ]
    }

    pub(crate) fn json(&self) -> Vec<(String, Value)> {
        let names = ["part_encode", "part_pipe", "part_instantiate", "part_decode_bound", "operator_no_guest"];
        names.iter().zip(self.all()).map(|(name, (_, figure))| ((*name).to_owned(), figure.json())).collect()
    }

    /// The parts of a unit's time in the operator, in microseconds. The rest is what no part explains.
    pub(crate) fn shares(&self, ways: &Ways) -> Vec<(&'static str, f64)> {
        let [_, fresh, _] = &ways.fresh;
        let call = fresh.micros() - self.instantiate.micros();
        let mut shares = vec![
            ("rows to frames", self.encode.micros()),
            ("pipe, both ways, and the worker's reading of frames", self.pipe.micros()),
            ("store and instance, made and dropped", self.instantiate.micros()),
            ("frame into memory, exports, call, rows out", call),
            ("results decoded, bounded and added", self.decode.micros()),
        ];
        let explained: f64 = shares.iter().map(|(_, micros)| micros).sum();
        shares.push(("the rest: tasks, channels, start of the worker", ways.operator.micros() - explained));
        shares
    }
}

/// Measures all parts.
pub(crate) fn measure(folder: &Path) -> Result<Parts> {
    let idle = folder.join("worker-that-runs-nothing");
    on_one_core(|| {
        Ok(Parts {
            encode: encode()?,
            pipe: pipe(&idle)?,
            instantiate: instantiate()?,
            decode: decode()?,
            idle_operator: idle_operator(&idle)?,
        })
    })
}

fn encode() -> Result<Figure> {
    let (batches, call) = (rows::batches()?, ways::call(2));
    Figure::of(|| timed(|| ways::frames(&batches, &call).map(|frames| drop(std::hint::black_box(frames)))))
}

fn instantiate() -> Result<Figure> {
    let (call, module, engine) = (ways::call(2), ways::guest(2)?, engine().map_err(RunFault::from)?);
    let guest = Guest::compile(&engine, &Start { module: &module, call });
    let guest = guest.map_err(|refusal| anyhow::anyhow!("the bench's guest is refused: {refusal:?}"))?;
    Figure::of(|| {
        timed(|| {
            for _ in 0..UNITS {
                let mut store = guest.store().map_err(RunFault::from)?;
                std::hint::black_box(guest.pre().instantiate(&mut store).map_err(RunFault::from)?);
            }
            Ok(())
        })
    })
}

/// The results of one message, as a worker writes them, read as the host does.
fn decode() -> Result<Figure> {
    let (call, spec, key) = (ways::call(2), rows::job(FUEL), SelectionKey::new([3; 16]));
    let mut message = Vec::new();
    let room = begin_results(&mut message, call.slot(), MESSAGE_UNITS)?;
    for bytes in room.chunks_exact_mut(call.slot().bytes()) {
        let mut slot = SlotMut::new(call.slot(), bytes).context("a slot")?;
        let row = [[5, 0, 0, 0, 0, 0, 0, 0], 77_f64.to_le_bytes()].concat();
        slot.set_rows(1, &row);
    }
    let body = message.get(4..).context("a message")?;
    Figure::of(|| {
        let mut total = 0_i128;
        let spent = timed(|| {
            let mut emitted = Emitted::default();
            for message in 0..UNITS / MESSAGE_UNITS {
                for (unit, slot) in Results::decode(body, call.slot(), MESSAGE_UNITS)?.slots().enumerate() {
                    emitted.keys.clear();
                    emitted.values.clear();
                    for (key, values) in slot.rows() {
                        emitted.keys.push(key);
                        emitted.values.extend(values);
                    }
                    let id = ((message * MESSAGE_UNITS + unit) as u128).to_be_bytes();
                    let kept = contribution(&spec, &key, &id, Some(&emitted));
                    total += kept.iter().flat_map(|(_, values)| values).map(|value| i128::from(*value)).sum::<i128>();
                }
            }
            Ok(())
        })?;
        ensure!(total == 77 * (UNITS / MESSAGE_UNITS * MESSAGE_UNITS) as i128, "{total}");
        Ok(spent)
    })
}

fn idle_operator(idle: &Path) -> Result<Figure> {
    let (batches, module) = (rows::batches()?, Module::check(&ways::guest(2)?)?);
    Figure::of(|| Ok(ways::job(idle, &batches, &module, 1)?.0))
}

/// A worker process spoken to without the host's tasks.
struct Bare {
    child: Child,
    input: ChildStdin,
    output: ChildStdout,
    body: Vec<u8>,
}

impl Bare {
    fn start(executable: &Path, start: &Start<'_>) -> Result<Self> {
        let mut command = Command::new(executable);
        command.env_clear().stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().with_context(|| format!("cannot start `{}`", executable.display()))?;
        let input = child.stdin.take().context("a pipe")?;
        let output = child.stdout.take().context("a pipe")?;
        let mut bare = Self { child, input, output, body: Vec::new() };
        let mut message = Vec::new();
        start.encode(&mut message)?;
        bare.ask(&message)?;
        Ok(bare)
    }

    fn ask(&mut self, message: &[u8]) -> Result<()> {
        self.input.write_all(message)?;
        let mut prefix = [0; 4];
        self.output.read_exact(&mut prefix)?;
        self.body.resize(message_len(prefix)?, 0);
        Ok(self.output.read_exact(&mut self.body)?)
    }

    fn end(mut self) -> Result<()> {
        drop(self.input);
        self.child.wait()?;
        Ok(())
    }
}

fn pipe(idle: &Path) -> Result<Figure> {
    let (call, module) = (ways::call(2), ways::guest(2)?);
    let mut messages = ways::frames(&rows::batches()?, &call)?;
    let messages: Vec<Vec<u8>> =
        messages.iter_mut().map(|message| Ok(message.message()?.to_vec())).collect::<Result<_>>()?;
    let mut worker = Bare::start(idle, &Start { module: &module, call })?;
    let figure = Figure::of(|| timed(|| messages.iter().try_for_each(|message| worker.ask(message))));
    worker.end()?;
    figure
}
