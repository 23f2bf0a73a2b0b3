//! One worker process: started with nothing but two pipes, spoken to in bytes, and killed when it is dropped.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use glovebox_wire::message::{PREFIX_BYTES, message_len};
use glovebox_wire::{Reply, StartRefusal};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

/// How long a worker may take to compile a module and get ready. Public work: no row has been sent yet.
pub(crate) const READY_TIME: Duration = Duration::from_secs(60);

/// How long a worker whose input has ended may take to end before it is killed.
const END_TIME: Duration = Duration::from_millis(500);

/// Why a worker could not be made ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StartFault {
    /// The executable cannot be started.
    Spawn,
    /// It ended, or said what it may not say.
    Ended,
    /// It did not answer in time.
    Late,
    /// It does not take the module.
    Refused(StartRefusal),
}

/// Why a worker is of no more use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Broken {
    /// It ended, or said what it may not say.
    Ended,
    /// It did not answer in time.
    Late,
}

/// A worker that has compiled its module.
pub(crate) struct Process {
    child: Child,
    input: ChildStdin,
    output: ChildStdout,
}

impl Process {
    /// Starts a worker and sends it the start message, which it has so long to answer.
    pub(crate) async fn start(executable: &Path, start: &[u8], within: Duration) -> Result<Self, StartFault> {
        // INVARIANT (sealed): no environment, no directory, no error stream; the pipes are all that it is given.
        let mut child = Command::new(executable)
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(|_| StartFault::Spawn)?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(StartFault::Spawn);
        };
        let mut process = Self { child, input, output };
        let answer = process.ask(start, within).await.map_err(|broken| match broken {
            Broken::Ended => StartFault::Ended,
            Broken::Late => StartFault::Late,
        })?;
        match Reply::decode(&answer).map_err(|_| StartFault::Ended)? {
            Reply::Ready => Ok(process),
            Reply::Refused(refusal) => Err(StartFault::Refused(refusal)),
        }
    }

    /// Sends a message and reads the body of the answer. After an error the worker is of no more use.
    pub(crate) async fn ask(&mut self, message: &[u8], within: Duration) -> Result<Vec<u8>, Broken> {
        timeout(within, self.exchange(message)).await.map_err(|_| Broken::Late)?.map_err(|_| Broken::Ended)
    }

    async fn exchange(&mut self, message: &[u8]) -> std::io::Result<Vec<u8>> {
        self.input.write_all(message).await?;
        self.input.flush().await?;
        let mut prefix = [0; PREFIX_BYTES];
        self.output.read_exact(&mut prefix).await?;
        // The length is compared with its cap before anything is allocated.
        let bytes = message_len(prefix).map_err(std::io::Error::other)?;
        let mut body = vec![0; bytes];
        self.output.read_exact(&mut body).await?;
        Ok(body)
    }

    /// Closes the worker's input, upon which it ends by itself, or is killed.
    pub(crate) async fn end(mut self) {
        drop(self.input);
        if timeout(END_TIME, self.child.wait()).await.is_err() {
            // It is gone or it will be: nothing depends on it any more.
            let _ = self.child.kill().await;
        }
    }

    /// Kills the worker and waits until it is gone.
    pub(crate) async fn kill(mut self) {
        let _ = self.child.kill().await;
    }
}
