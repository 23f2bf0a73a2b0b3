//! A small module with its job, and the worker that runs it.

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use crate::bureau::Bureau;

/// For each unit one row: key 0, and its number of rows. A unit whose first `visits` is 3 traps; each logs a line.
const GUEST: &str = r#"(module
  (memory (export "memory") 1 1)
  (data (i32.const 4096) "seen\1b[31m\nagain")
  (func (export "gbx_abi") (result i32) i32.const 1)
  (func (export "gbx_in") (result i32) i32.const 1024)
  (func (export "gbx_in_cap") (result i32) i32.const 1024)
  (func (export "gbx_out") (result i32) i32.const 2048)
  (func (export "gbx_out_cap") (result i32) i32.const 64)
  (func (export "gbx_log") (result i32) i32.const 4096)
  (func (export "gbx_log_cap") (result i32) i32.const 64)
  (func (export "gbx_map") (param i32) (result i32)
    (if (i64.eq (i64.load (i32.add (i32.const 1024) (i32.load (i32.const 1068)))) (i64.const 3))
      (then unreachable))
    (i32.store (i32.const 2048) (i32.const 0))
    (f64.store (i32.const 2056) (f64.convert_i32_u (i32.load (i32.const 1028))))
    i32.const 1))"#;

/// The job of [`GUEST`], with a place for the module's digest.
const JOB: &str = r#"name = "rows"
kind = "map"
dataset = "medical.visits"
contract = "acme-visits"
purpose = "ai-research"

[module]
sha256 = "MODULE"
fuel = 1_000

[input]
columns = ["visits"]

[output]
keys = ["seen", "never"]
basis = "by definition"
max_rows = 1
max_keys = 1
count_units = true
default = { key = "never", values = [0] }

[[output.values]]
name = "rows"
low = 0
high = 2
step = 1

[privacy]
epsilon = 1.0
delta = 1e-9
"#;

/// Writes `guest.wasm` and `job.toml`, and gives the module's digest.
pub(crate) fn write(bureau: &Bureau) -> String {
    std::fs::write(bureau.path("guest.wasm"), wat::parse_str(GUEST).unwrap()).unwrap();
    let digest = sha256(&bureau.path("guest.wasm"));
    bureau.write("job.toml", &JOB.replace("MODULE", &digest));
    digest
}

/// SHA-256 of a file, by a program that is not ours.
pub(crate) fn sha256(path: &std::path::Path) -> String {
    let said = Command::new("sha256sum").arg(path).output().unwrap();
    String::from_utf8(said.stdout).unwrap().split_whitespace().next().unwrap().to_owned()
}

/// The worker of this workspace, beside the binary under test; built when it is missing.
pub(crate) fn worker() -> &'static PathBuf {
    static WORKER: OnceLock<PathBuf> = OnceLock::new();
    WORKER.get_or_init(|| {
        let path = PathBuf::from(env!("CARGO_BIN_EXE_glovebox")).with_file_name("glovebox-worker");
        if !path.exists() {
            let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
            let built = Command::new(cargo).args(["build", "--quiet", "-p", "glovebox-worker"]).status().unwrap();
            assert!(built.success() && path.exists(), "glovebox-worker cannot be built");
        }
        path
    })
}
