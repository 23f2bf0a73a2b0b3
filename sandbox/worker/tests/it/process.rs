//! The executable: how it serves, how it ends, and what it looks like from outside.

use std::fs::read_to_string;
use std::os::unix::process::ExitStatusExt;

use glovebox_wire::{Reply, StartRefusal};

use crate::support::{Process, Unit, batch_message, call, echo, guest, one_row, start_message};

#[test]
fn it_serves_until_its_input_ends() {
    let mut process = Process::ready(&echo(), call());
    for _ in 0..3 {
        assert_eq!(process.run(&call(), &[b"A", b""]), [one_row(1, 65.0), one_row(0, 0.0)]);
    }
    let (status, text) = process.end();
    assert_eq!((status.code(), &text[..]), (Some(0), ""));
    let (status, text) = Process::start().end();
    assert_eq!((status.code(), &text[..]), (Some(0), ""));
}

#[test]
fn guests_that_trap_do_not_break_the_seal() {
    let module = guest(
        "",
        "(if (i32.eq (local.get $len) (i32.const 1)) (then unreachable))
         (if (i32.eq (local.get $len) (i32.const 2)) (then (drop (i32.load (i32.const -1)))))
         (if (i32.eq (local.get $len) (i32.const 3)) (then (drop (call $map (local.get $len)))))
         (if (i32.eq (local.get $len) (i32.const 4)) (then (loop $l (br $l))))
         (if (i32.eq (local.get $len) (i32.const 5)) (then (drop (i32.div_s (i32.const 1) (i32.const 0)))))
         (i32.const 0)",
    );
    let mut process = Process::ready(&module, call());
    for _ in 0..20 {
        let units = process.run(&call(), &[b"", b"1", b"22", b"333", b"4444", b"55555", b""]);
        assert_eq!(units[1..6], vec![Unit::Default; 5]);
        assert_eq!((&units[0], &units[6]), (&Unit::Rows(vec![]), &Unit::Rows(vec![])));
    }
    assert_eq!(process.end().0.code(), Some(0));
}

#[test]
fn a_refusal_is_told_and_ends_it() {
    let mut process = Process::start();
    process.send(&start_message(b"not a module", call()));
    let reply = Reply::decode(&process.receive().unwrap().unwrap()).unwrap();
    assert_eq!(reply, Reply::Refused(StartRefusal::Compile));
    assert!(process.receive().unwrap().is_none());
    assert_eq!(process.end().0.code(), Some(0));
}

#[test]
fn malformed_messages_end_it_without_a_word() {
    let start = start_message(&echo(), call());
    let inputs = [
        vec![1],
        vec![0; 4],
        vec![0xff; 64],
        batch_message(&call(), &[b"a"]),
        start[..start.len() - 1].to_vec(),
        [&start[..], &start].concat(),
        [&start[..], b"\x01\0\0\0\x04"].concat(),
        [&start[..], &batch_message(&call(), &[b"a"])[..9]].concat(),
    ];
    for input in inputs {
        let mut process = Process::start();
        process.send(&input);
        drop(process.child.stdin.take());
        while let Ok(Some(body)) = process.receive() {
            assert_eq!(Reply::decode(&body).unwrap(), Reply::Ready);
        }
        let (status, text) = process.end();
        assert_eq!((status.code(), status.signal(), &text[..]), (Some(1), None, ""), "{input:?}");
    }
}

#[test]
fn from_outside_it_is_sealed() {
    let process = Process::ready(&echo(), call());
    let pid = process.child.id();
    let status = read_to_string(format!("/proc/{pid}/status")).unwrap();
    let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).unwrap().trim().to_owned();
    assert_eq!(field("Seccomp:"), "2");
    assert_eq!(field("NoNewPrivs:"), "1");
    assert_eq!(field("Threads:"), "1");
    let limits = read_to_string(format!("/proc/{pid}/limits")).unwrap();
    let limit = |name: &str| {
        let line = limits.lines().find(|line| line.starts_with(name)).unwrap();
        line[name.len()..].split_whitespace().take(2).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(limit("Max core file size"), "0 0");
    assert_eq!(limit("Max file size"), "0 0");
    assert_eq!(limit("Max open files"), "3 3");
    assert_eq!(limit("Max data size"), format!("{0} {0}", 1_u64 << 30));
}
