//! A worker with a bug planted: one instance serves every unit.

use std::process::ExitCode;

use glovebox_evil::planted;

fn main() -> ExitCode {
    planted::run(planted::ReuseInstance::compile)
}
