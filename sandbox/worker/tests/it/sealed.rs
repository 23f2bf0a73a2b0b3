//! The seal from inside: this test executable starts itself, seals itself and tries what must not work.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitStatus, Stdio, exit};
use std::time::Duration;

use glovebox_worker::seal;

/// Names the attempt that a child makes.
const ATTEMPT: &str = "GLOVEBOX_TEST_ATTEMPT";
/// Set when a child is to try without the seal.
const UNSEALED: &str = "GLOVEBOX_TEST_UNSEALED";
/// How a child ends whose attempt succeeded, or failed with an error.
const DONE: i32 = 40;
const FAILED: i32 = 41;
const SIGSYS: i32 = 31;

/// A name and what is tried, with a file that was open before; says whether it succeeded.
type Attempt = (&'static str, fn(&mut File) -> bool);

const FORBIDDEN: [Attempt; 17] = [
    ("open", |_| File::open("/etc/hostname").is_ok()),
    ("open a device", |_| File::open("/dev/null").is_ok()),
    ("create", |_| OpenOptions::new().append(true).create(true).open("/tmp/glovebox-sealed").is_ok()),
    ("remove", |_| std::fs::remove_file("/tmp/glovebox-sealed").is_ok()),
    ("look at a file", |_| std::fs::metadata("/").is_ok()),
    ("list", |_| std::fs::read_dir("/").is_ok()),
    ("read another descriptor", |file| file.read(&mut [0]).is_ok()),
    ("copy a descriptor", |file| file.try_clone().is_ok()),
    ("write an error text", |_| std::io::stderr().write_all(b"x").is_ok()),
    ("udp", |_| UdpSocket::bind("127.0.0.1:0").is_ok()),
    ("listen", |_| TcpListener::bind("127.0.0.1:0").is_ok()),
    ("connect", |_| TcpStream::connect("127.0.0.1:9").is_ok()),
    ("unix sockets", |_| UnixStream::pair().is_ok()),
    ("exec", |_| Command::new("/bin/true").spawn().is_ok()),
    ("thread", |_| std::thread::Builder::new().spawn(|| ()).is_ok()),
    ("signal", |_| rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::CONT).is_ok()),
    ("sleep", |_| {
        std::thread::sleep(Duration::from_nanos(1));
        true
    }),
];

const ALLOWED: [Attempt; 3] = [
    ("memory", |_| vec![1_u8; 64 << 20].iter().any(|&byte| byte == 1)),
    ("hash map", |_| HashMap::from([(1, 2)]).contains_key(&1)),
    ("write the output", |_| std::io::stdout().write_all(b"x").is_ok()),
];

/// Not a test of its own: what a child of the tests below does.
#[test]
fn attempt() {
    let Ok(name) = std::env::var(ATTEMPT) else { return };
    let mut file = File::open("/proc/self/exe").unwrap();
    let (_, attempt) = FORBIDDEN.into_iter().chain(ALLOWED).find(|(known, _)| *known == name).unwrap();
    if std::env::var(UNSEALED).is_err() {
        seal().unwrap();
    }
    exit(if attempt(&mut file) { DONE } else { FAILED });
}

fn child(name: &str, sealed: bool) -> ExitStatus {
    let mut command = Command::new(std::env::current_exe().unwrap());
    if !sealed {
        command.env(UNSEALED, "1");
    }
    command
        .args(["--exact", "sealed::attempt", "--test-threads=1", "--nocapture"])
        .env(ATTEMPT, name)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .unwrap()
}

#[test]
fn what_a_sealed_process_must_not_do_kills_it() {
    for (name, _) in FORBIDDEN {
        let status = child(name, true);
        assert_eq!((status.signal(), status.code()), (Some(SIGSYS), None), "{name}");
    }
}

#[test]
fn what_a_worker_needs_still_works() {
    for (name, _) in ALLOWED {
        assert_eq!(child(name, true).code(), Some(DONE), "{name}");
    }
}

/// The control of the test above: what kills there is not the attempt itself.
#[test]
fn without_the_seal_the_same_attempts_come_to_an_end() {
    for (name, _) in FORBIDDEN {
        let code = child(name, false).code();
        // Nobody listens at the port; a sandbox around the tests may take sockets away.
        let may_fail = ["connect", "udp", "listen"].contains(&name);
        assert!(code == Some(DONE) || may_fail && code == Some(FAILED), "{name} {code:?}");
    }
}
