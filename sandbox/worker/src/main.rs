//! The worker's executable: seals itself, then serves one job on its standard input and output.
//!
//! It takes no argument, reads no environment and writes no text anywhere. Exit code 0: the host closed its end; 1: a
//! message or a run was bad; 2: it could not be sealed and has read nothing.

use std::io::{Read, Result, Write};
use std::process::ExitCode;

use glovebox_worker::config::engine;
use glovebox_worker::{FreshInstances, seal, serve};
use rustix::stdio::{stdin, stdout};

/// The pipes as they are: the standard library's handles would buffer by lines and copy everything once more.
struct Pipe;

impl Read for Pipe {
    fn read(&mut self, bytes: &mut [u8]) -> Result<usize> {
        Ok(rustix::io::read(stdin(), bytes)?)
    }
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        Ok(rustix::io::write(stdout(), bytes)?)
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}

fn main() -> ExitCode {
    // The engine and its pool first: they ask the system how many processors there are, which the seal forbids. Nothing
    // that came from outside has been read by then.
    let Ok(engine) = engine() else { return ExitCode::from(2) };
    if seal().is_err() {
        return ExitCode::from(2);
    }
    match serve(&mut Pipe, &mut Pipe, |start| FreshInstances::compile(&engine, start)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}
