//! A worker that is none: it speaks the protocol and does in plain code what the guest `ECHO` does, and whatever a test
//! wants of a worker that breaks. It is this test's own executable, started through a script, because a worker gets no
//! environment and no arguments.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use glovebox_wire::frame_read::Column;
use glovebox_wire::results::begin_results;
use glovebox_wire::{Batch, Frame, Reply, SlotMut, Start, StartRefusal, read_message};

/// Rows with this key make the stand-in do what it was started for.
pub(crate) const TRIGGER: i64 = 4_242;

const MODE: &str = "GLOVEBOX_TEST_STAND_IN";
const DIRECTORY: &str = "GLOVEBOX_TEST_DIRECTORY";

/// Writes down what the worker was given, descriptor 3 being what was 1.
const LOOK: &str = "{ wc -c </proc/$$/environ; pwd; for fd in 2 0 3; do readlink /proc/$$/fd/$fd; done; } >$dir/given";

/// A script that starts a worker and writes down its process id.
pub(crate) struct Script {
    directory: tempfile::TempDir,
}

impl Script {
    /// A stand-in that behaves in this way.
    pub(crate) fn stand_in(mode: &str) -> Self {
        let test = std::env::current_exe().unwrap();
        // What the test harness prints must not get into the protocol, which goes to descriptor 3.
        let run = format!(
            "exec 3>&1 >/dev/null\n{LOOK}\n{MODE}={mode} {DIRECTORY}=$dir exec '{}' --exact stand_in::stand_in --nocapture",
            test.display()
        );
        Self::new(&run)
    }

    /// Another worker, as it is.
    pub(crate) fn around(worker: &Path) -> Self {
        Self::new(&format!("exec '{}'", worker.display()))
    }

    /// What a worker was given: bytes of environment, directory, and what its descriptors 2, 0 and 1 are.
    pub(crate) fn given(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("given")).unwrap()
    }

    fn new(run: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let dir = directory.path().display();
        let script = format!("#!/bin/sh\ndir='{dir}'\necho $$ >>\"$dir/pids\"\n{run}\n");
        let path = directory.path().join("worker");
        std::fs::write(&path, script).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        Self { directory }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.directory.path().join("worker")
    }

    /// Process ids of the workers that were started, oldest first.
    pub(crate) fn pids(&self) -> Vec<u32> {
        let text = std::fs::read_to_string(self.directory.path().join("pids")).unwrap_or_default();
        text.lines().map(|line| line.parse().unwrap()).collect()
    }

    /// The frames that a stand-in of the mode `record` was sent, in order.
    pub(crate) fn frames(&self) -> Vec<Vec<u8>> {
        let bytes = std::fs::read(self.directory.path().join("frames")).unwrap_or_default();
        let (mut frames, mut rest) = (Vec::new(), bytes.as_slice());
        while let Some((len, more)) = rest.split_first_chunk::<4>() {
            let (frame, more) = more.split_at(u32::from_le_bytes(*len) as usize);
            frames.push(frame.to_vec());
            rest = more;
        }
        frames
    }
}

/// Kills a process at once.
pub(crate) fn kill(pid: u32) {
    let status = Command::new("kill").args(["-9", &pid.to_string()]).status().unwrap();
    assert!(status.success());
}

/// The stand-in itself; as a test it does nothing.
#[test]
fn stand_in() {
    let Ok(mode) = std::env::var(MODE) else { return };
    let directory = PathBuf::from(std::env::var(DIRECTORY).unwrap());
    serve(&mode, &directory, &mut OpenOptions::new().write(true).open("/proc/self/fd/3").unwrap());
    std::process::exit(0);
}

fn serve(mode: &str, directory: &Path, answers: &mut File) {
    let (mut input, mut body, mut out) = (std::io::stdin().lock(), Vec::new(), Vec::new());
    assert!(read_message(&mut input, &mut body).unwrap());
    let call = Start::decode(&body).unwrap().call;
    let reply = match mode {
        "refuse" => Reply::Refused(StartRefusal::Compile),
        "die-at-start" => std::process::abort(),
        // Until its host ends it.
        "hang-at-start" => loop {
            std::thread::park();
        },
        _ => Reply::Ready,
    };
    reply.encode(&mut out).unwrap();
    answers.write_all(&out).unwrap();
    let mut record = OpenOptions::new().create(true).append(true).open(directory.join("frames")).unwrap();
    while read_message(&mut input, &mut body).unwrap() {
        let batch = Batch::decode(&body, &call).unwrap();
        let slots = begin_results(&mut out, call.slot(), batch.units()).unwrap();
        if mode == "slow" {
            std::thread::sleep(std::time::Duration::from_millis(3 * batch.units() as u64));
        }
        for (frame, bytes) in batch.frames().zip(slots.chunks_exact_mut(call.slot().bytes())) {
            if mode == "record" {
                record.write_all(&(frame.len() as u32).to_le_bytes()).unwrap();
                record.write_all(frame).unwrap();
            }
            let mut slot = SlotMut::new(call.slot(), bytes).unwrap();
            let rows = Frame::decode(frame).map(echo).unwrap();
            if rows.triggered {
                match mode {
                    "die" => std::process::abort(),
                    "exit" => std::process::exit(0),
                    "hang" => std::thread::sleep(std::time::Duration::from_secs(60)),
                    _ => {}
                }
            }
            slot.set_rows(rows.count, &rows.bytes);
            if rows.triggered && mode == "garbage" {
                slot.bytes_mut()[0] = 9;
            }
            if mode == "always-garbage" {
                slot.bytes_mut()[1] = 1;
            }
        }
        if mode == "endless" {
            out[..4].copy_from_slice(&u32::MAX.to_le_bytes());
        }
        answers.write_all(&out).unwrap();
    }
}

struct Rows {
    count: u32,
    bytes: Vec<u8>,
    triggered: bool,
}

/// What `ECHO` does.
fn echo(frame: Frame<'_>) -> Rows {
    let mut rows = Rows { count: frame.rows as u32, bytes: Vec::new(), triggered: false };
    let [Column::I64(keys), Column::F64(values)] = frame.columns.as_slice() else {
        return Rows { count: 0, ..rows };
    };
    for (key, value) in keys.iter().zip(values) {
        rows.triggered |= *key == Some(TRIGGER);
        rows.bytes.extend((key.unwrap_or_default() as u32).to_le_bytes());
        rows.bytes.extend([0; 4]);
        rows.bytes.extend(value.unwrap_or_default().to_le_bytes());
    }
    rows
}
