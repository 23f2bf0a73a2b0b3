//! The loop with a planted runner: every path of the messages, without wasmtime.

use glovebox_wire::{Reply, SlotMut, Start, StartRefusal, Trace, WireError};
use glovebox_worker::{RunFault, Runner, ServeError, serve};
use proptest::prelude::*;

use crate::support::{Unit, batch_message, bodies, call, echo, one_row, serve_bytes, start_message, units};

/// Returns its frame's first byte as key; fails on a frame of one `!`.
struct Planted;

impl Runner for Planted {
    fn run(&mut self, frame: &[u8], slot: &mut SlotMut<'_>, _: Option<&mut Trace>) -> Result<(), RunFault> {
        match frame {
            [] => {}
            [b'!'] => return Err(RunFault::Instance),
            [first, ..] => slot.set_rows(1, &[*first, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
        }
        Ok(())
    }
}

fn planted(input: &[u8]) -> (Vec<Vec<u8>>, Result<(), ServeError>) {
    let (mut from, mut to) = (input, Vec::new());
    let ended = serve(&mut from, &mut to, |start: &Start<'_>| match start.module {
        b"no" => Err(StartRefusal::Compile),
        _ => Ok(Planted),
    });
    (bodies(&to), ended)
}

#[test]
fn the_end_of_input_between_messages_is_a_good_end() {
    let start = start_message(b"m", call());
    let batch = batch_message(&call(), &[b"a", b"", b"b"]);
    assert_eq!(planted(&[]).0.len(), 0);
    planted(&[]).1.unwrap();
    let (bodies, ended) = planted(&start);
    ended.unwrap();
    assert_eq!(bodies.iter().map(|body| Reply::decode(body).unwrap()).collect::<Vec<_>>(), [Reply::Ready]);
    let (bodies, ended) = planted(&[&start[..], &batch, &batch_message(&call(), &[]), &batch].concat());
    ended.unwrap();
    let wanted = [one_row(97, 0.0), Unit::Default, one_row(98, 0.0)];
    assert_eq!(units(&bodies[1], &call(), 3), wanted);
    assert_eq!(units(&bodies[2], &call(), 0), []);
    assert_eq!(units(&bodies[3], &call(), 3), wanted);
}

#[test]
fn after_a_refusal_nothing_is_read() {
    let (bodies, ended) = planted(&[start_message(b"no", call()), vec![0xff; 100]].concat());
    ended.unwrap();
    assert_eq!(Reply::decode(&bodies[0]).unwrap(), Reply::Refused(StartRefusal::Compile));
    assert_eq!(bodies.len(), 1);
}

#[test]
fn a_fault_of_the_machine_ends_the_worker_without_results() {
    let start = start_message(b"m", call());
    let (bodies, ended) = planted(&[&start[..], &batch_message(&call(), &[b"a", b"!"])].concat());
    assert!(matches!(ended, Err(ServeError::Run(RunFault::Instance))));
    assert_eq!(bodies.len(), 1);
}

#[test]
fn a_message_that_is_not_due_ends_the_worker() {
    let (start, batch) = (start_message(b"m", call()), batch_message(&call(), &[b"a"]));
    let wire = |input: &[u8]| match planted(input).1 {
        Err(ServeError::Wire(error)) => error,
        other => panic!("{other:?}"),
    };
    assert!(matches!(wire(&batch), WireError::Kind { found: 4 }));
    assert!(matches!(wire(&[&start[..], &start].concat()), WireError::Kind { found: 1 }));
    assert!(matches!(wire(&start[..start.len() - 1]), WireError::Truncated));
    assert!(matches!(wire(&[&start[..], &batch[..7]].concat()), WireError::Truncated));
    assert!(matches!(wire(&[&start[..], &[0xff; 4]].concat()), WireError::TooLong { .. }));
    assert!(matches!(wire(&[&start[..], &[0; 4]].concat()), WireError::Truncated));
}

proptest! {
    #[test]
    fn no_input_brings_the_loop_to_a_panic(at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<prop::sample::Index>()) {
        let mut input = [start_message(&echo(), call()), batch_message(&call(), &[b"a", b"bb"])].concat();
        let at = at.index(input.len());
        input[at] = byte;
        input.truncate(cut.index(input.len() * 2).max(1));
        let _ = serve_bytes(&input);
    }
}
