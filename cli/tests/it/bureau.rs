//! A folder with a bureau in it, and the binary that works on it.

use std::ffi::OsStr;
use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;

/// How long a debug build may take to start or to stop.
const PATIENCE: Duration = Duration::from_secs(30);

/// A configuration whose ports are free ones and whose answers do not wait long.
pub(crate) const CONFIG: &str = "\
state_dir = \"state\"
master_key_file = \"master.key\"
http_listen = \"127.0.0.1:0\"
flight_listen = \"127.0.0.1:0\"

[release]
tick_ms = 10
floor_ms = 600
steps_per_second = 20000000
";

/// What a command did.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Done {
    fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        Self { code: output.status.code().unwrap_or(-1), out: text(&output.stdout), err: text(&output.stderr) }
    }

    /// Standard output, which must be of a command that did what was asked.
    pub(crate) fn well(self) -> String {
        assert_eq!(self.code, 0, "{self:?}");
        self.out
    }

    /// Standard output as JSON.
    pub(crate) fn json(self) -> Value {
        let text = self.well();
        serde_json::from_str(&text).unwrap_or_else(|_| panic!("not JSON: {text}"))
    }

    /// Standard error, which must be of a command that ended with this code and printed no result.
    pub(crate) fn ended(self, code: i32) -> String {
        assert_eq!((self.code, self.out.as_str()), (code, ""), "{self:?}");
        self.err
    }
}

/// A folder of its own; gone when dropped.
pub(crate) struct Bureau {
    dir: tempfile::TempDir,
}

impl Bureau {
    pub(crate) fn empty() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    /// With [`CONFIG`], a state, and the officer's token in `officer.token`.
    pub(crate) fn founded() -> Self {
        Self::founded_with(CONFIG)
    }

    /// As [`Bureau::founded`], with another configuration.
    pub(crate) fn founded_with(config: &str) -> Self {
        let bureau = Self::empty();
        bureau.write("glovebox.toml", config);
        bureau.run(["init", "--token-out", "officer.token"]).well();
        bureau
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// The binary in this folder, without anything of the caller's environment that it reads.
    pub(crate) fn command<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_glovebox"));
        command.args(arguments).current_dir(self.dir.path()).stdin(Stdio::null());
        for name in ["URL", "CA", "TOKEN", "PROFILE", "AS"] {
            command.env_remove(format!("GLOVEBOX_{name}"));
        }
        command.env("LC_ALL", "C");
        command
    }

    pub(crate) fn run<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Done {
        Done::of(&self.command(arguments).output().unwrap())
    }

    /// The binary as a client of the server that is running here.
    pub(crate) fn ask(&self, who: &str, arguments: &[&str]) -> Done {
        Done::of(&self.client(who, arguments).output().unwrap())
    }

    /// As [`Bureau::ask`], without waiting for the answer.
    pub(crate) fn send(&self, who: &str, arguments: &[&str]) -> Asking {
        let mut client = self.client(who, arguments);
        Asking(client.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
    }

    fn client(&self, who: &str, arguments: &[&str]) -> Command {
        let token = format!("{who}.token");
        let at = ["--profile", "state/addresses.json", "--token-file", &token];
        self.command(arguments.iter().copied().chain(at))
    }

    /// Starts `serve` and waits until it tells where it listens.
    pub(crate) fn serve(&self) -> Server {
        // A server that was killed leaves its addresses behind.
        let _ = fs::remove_file(self.path("state/addresses.json"));
        let child = self.command(["serve"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut server = Server { child: Some(child) };
        let started = Instant::now();
        while !self.path("state/addresses.json").exists() {
            if started.elapsed() > PATIENCE || server.child.as_mut().unwrap().try_wait().unwrap().is_some() {
                panic!("the server did not start: {:?}", server.kill());
            }
            sleep(Duration::from_millis(20));
        }
        server
    }
}

/// A client that waits for its answer.
pub(crate) struct Asking(Child);

impl Asking {
    /// Whether it has ended.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.0.try_wait().unwrap().is_some()
    }

    /// What came of it.
    pub(crate) fn done(self) -> Done {
        Done::of(&self.0.wait_with_output().unwrap())
    }
}

/// A running `serve`; killed when dropped.
pub(crate) struct Server {
    child: Option<Child>,
}

impl Server {
    /// Asks it to stop, as an init system does.
    pub(crate) fn stop(mut self) -> Done {
        let child = self.child.take().unwrap();
        let term = Command::new("sh").args(["-c", &format!("kill -TERM {}", child.id())]).status().unwrap();
        assert!(term.success());
        Done::of(&child.wait_with_output().unwrap())
    }

    /// Ends it at once, as `kill -9` does, and waits until it is gone.
    pub(crate) fn kill_9(mut self) {
        let done = self.kill().unwrap();
        assert_eq!(done.code, -1, "it had ended before: {done:?}");
    }

    fn kill(&mut self) -> Option<Done> {
        let mut child = self.child.take()?;
        let _ = child.kill();
        child.wait_with_output().ok().map(|output| Done::of(&output))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}
