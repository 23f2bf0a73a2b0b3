//! A worker with a bug planted: rows count although their call failed.

use std::process::ExitCode;

use glovebox_evil::planted;

fn main() -> ExitCode {
    planted::run(planted::SkipDefault::compile)
}
