//! A worker for which every unit is the default: what is left of a job without its guests.

use std::process::ExitCode;

use glovebox_evil::planted;

fn main() -> ExitCode {
    planted::run(|_, _| Ok(planted::Nothing))
}
