//! Messages: written and read back, caps first.

use glovebox_wire::message::MAX_MESSAGE_BYTES;
use glovebox_wire::results::{begin_results, encode_traced};
use glovebox_wire::{
    Area, Batch, BatchBuilder, Call, FrameError, Outcome, Reply, Results, Slot, SlotLayout, SlotMut, Start,
    StartRefusal, Trace, TracedResults, WireError, read_message,
};
use proptest::prelude::*;

use crate::support::call;

fn body(message: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    let mut from = message;
    assert!(read_message(&mut from, &mut body).unwrap());
    assert!(from.is_empty());
    body
}

#[test]
fn start_and_replies_come_back_as_they_went() {
    for (log, trace) in [(None, false), (Some(Area { at: 16384, cap: 8 }), true)] {
        let start = Start { module: b"\0asm", call: Call { log, trace, ..call() } };
        let mut message = Vec::new();
        start.encode(&mut message).unwrap();
        assert_eq!(Start::decode(&body(&message)).unwrap(), start);
    }
    let refusals = [StartRefusal::Compile, StartRefusal::Shape, StartRefusal::Instantiate];
    for reply in refusals.map(Reply::Refused).into_iter().chain([Reply::Ready]) {
        let mut message = Vec::new();
        reply.encode(&mut message).unwrap();
        assert_eq!(Reply::decode(&body(&message)).unwrap(), reply);
    }
}

#[test]
fn a_call_out_of_limits_is_neither_written_nor_read() {
    let good = call();
    good.check().unwrap();
    let area = |at, cap| Area { at, cap };
    let bad = [
        ("fuel", Call { fuel: 0, ..good }),
        ("fuel", Call { fuel: u64::MAX, ..good }),
        ("max_rows", Call { max_rows: 0, ..good }),
        ("max_rows", Call { max_rows: u32::MAX, ..good }),
        ("values", Call { values: u32::MAX, ..good }),
        ("max_rows", Call { max_rows: u32::MAX, values: u32::MAX, ..good }),
        ("memory_bytes", Call { memory_bytes: 0, ..good }),
        ("memory_bytes", Call { memory_bytes: 1 << 21, ..good }),
        ("memory_bytes", Call { memory_bytes: 65535, ..good }),
        ("input", Call { input: area(0, 4096), ..good }),
        ("input", Call { input: area(1028, 4096), ..good }),
        ("input", Call { input: area(1024, 63), ..good }),
        ("input", Call { input: area(u32::MAX - 7, u32::MAX), ..good }),
        ("output", Call { output: area(65528, 16), ..good }),
        ("output", Call { output: area(5112, 4096), ..good }),
        ("output", Call { output: area(8192, 71), ..good }),
        ("log", Call { log: Some(area(8192, 8)), ..good }),
        ("log", Call { log: Some(area(16384, 0)), ..good }),
    ];
    for (name, call) in bad {
        let is_named = |error: WireError| matches!(error, WireError::Field { field } if field == name);
        assert!(is_named(call.check().unwrap_err()), "{name} {call:?}");
        // A caller that forgot to check gets small batches, not a panic.
        assert!(call.batch_units() >= 1);
        assert!(is_named(Start { module: &[], call }.encode(&mut Vec::new()).unwrap_err()));
    }
    let module = vec![0; (1 << 20) + 1];
    let long = Start { module: &module, call: good }.encode(&mut Vec::new());
    assert!(matches!(long, Err(WireError::TooLong { .. })));
}

#[test]
fn a_batch_holds_what_was_pushed_and_forgets_what_failed() {
    let call = call();
    let mut batch = BatchBuilder::new(&call);
    for _ in 0..2 {
        batch.push(b"first").unwrap();
        assert_eq!(batch.push(&[7; 4097]), Err(FrameError::TooLarge { cap: 4096 }));
        let failed = batch.push_with(|out| {
            out.extend_from_slice(b"half a frame");
            Err(FrameError::Text)
        });
        assert_eq!(failed, Err(FrameError::Text));
        batch.push(&[]).unwrap();
        batch.push(&[9; 4096]).unwrap();
        let wanted = [&b"first"[..], &[], &[9; 4096]];
        assert!(batch.frames().eq(wanted));
        let message = batch.message().unwrap().to_vec();
        let body = body(&message);
        let read = Batch::decode(&body, &call).unwrap();
        assert_eq!(read.units(), 3);
        assert!(read.frames().eq(wanted));
        batch.clear();
        assert!(batch.is_empty());
    }
    while !batch.is_full() {
        batch.push(&[1; 4096]).unwrap();
    }
    assert_eq!(batch.units(), call.batch_units());
    assert_eq!(batch.push(&[]), Err(FrameError::BatchFull));
    assert!(batch.message().unwrap().len() <= MAX_MESSAGE_BYTES);
}

#[test]
fn the_largest_job_still_fits_a_batch_both_ways() {
    let call = Call {
        memory_bytes: 1 << 20,
        max_rows: 1 << 14,
        values: 1,
        input: Area { at: 8, cap: 1 << 18 },
        output: Area { at: 1 << 19, cap: 1 << 18 },
        log: Some(Area { at: 1 << 18 | 8, cap: (1 << 18) - 8 }),
        trace: true,
        ..call()
    };
    call.check().unwrap();
    let units = call.batch_units();
    assert!(units >= 32, "{units}");
    let slot = vec![0; call.slot().bytes()];
    let trace = Trace { fuel_used: 1, trap: "x".repeat(9000), log: vec![1; 1 << 18 >> 1] };
    encode_traced(&mut Vec::new(), &vec![(slot, trace); units]).unwrap();
    begin_results(&mut Vec::new(), call.slot(), units).unwrap();
}

proptest! {
    #[test]
    fn results_come_back_as_they_went(units in prop::collection::vec(prop::option::of(prop::collection::vec(any::<(u32, f64, f64)>(), 0..4)), 0..20)) {
        let layout = call().slot();
        let mut message = b"residue of the batch before".to_vec();
        let room = begin_results(&mut message, layout, units.len()).unwrap();
        for (unit, bytes) in units.iter().zip(room.chunks_exact_mut(layout.bytes())) {
            bytes.fill(0xaa);
            let mut slot = SlotMut::new(layout, bytes).unwrap();
            if let Some(rows) = unit {
                let raw: Vec<u8> = rows
                    .iter()
                    .flat_map(|(key, a, b)| {
                        [&key.to_le_bytes()[..], &[9; 4], &a.to_le_bytes(), &b.to_le_bytes()].concat()
                    })
                    .collect();
                slot.set_rows(u32::try_from(rows.len()).unwrap(), &raw);
            }
        }
        let body = body(&message);
        let read = Results::decode(&body, layout, units.len()).unwrap();
        let read: Vec<Slot<'_>> = read.slots().collect();
        prop_assert_eq!(read.len(), units.len());
        for (slot, unit) in read.iter().zip(&units) {
            prop_assert_eq!(slot.outcome(), if unit.is_some() { Outcome::Rows } else { Outcome::Default });
            let rows = slot.rows().map(|(key, values)| (key, values.map(f64::to_bits).collect::<Vec<_>>()));
            let wanted = unit.iter().flatten().map(|(key, a, b)| (*key, vec![a.to_bits(), b.to_bits()]));
            prop_assert!(rows.eq(wanted));
        }
        prop_assert!(Results::decode(&body, layout, units.len() + 1).is_err());
        let other = SlotLayout { max_rows: 4, values: 2 };
        prop_assert!(units.is_empty() || Results::decode(&body, other, units.len()).is_err());
    }
}

#[test]
fn a_slot_takes_no_more_than_it_has_room_for() {
    let layout = SlotLayout { max_rows: 2, values: 0 };
    let mut bytes = [0xff; 24];
    assert!(SlotMut::new(layout, &mut bytes[..23]).is_none());
    let mut slot = SlotMut::new(layout, &mut bytes).unwrap();
    for (rows, raw) in [(3, 24), (1, 16), (1, 7), (u32::MAX, 8)] {
        slot.set_rows(rows, &[1; 24][..raw]);
        assert_eq!(slot.bytes_mut()[0], 1);
        assert_eq!(slot.bytes_mut()[1..], [0; 23]);
    }
    slot.set_rows(2, &[1; 16]);
    slot.set_rows(1, &[2; 8]);
    assert_eq!(bytes[..16], [0, 0, 0, 0, 1, 0, 0, 0, 2, 2, 2, 2, 2, 2, 2, 2]);
    assert_eq!(bytes[16..], [0; 8]);
    let decode = |at: usize, byte: u8| {
        let mut bytes = bytes;
        bytes[at] = byte;
        Slot::decode(layout, &bytes).is_ok()
    };
    assert!(decode(0, 0) && decode(4, 1) && decode(4, 2));
    // An unknown outcome, rows under the default, set zero bytes, too many rows, bytes beyond the rows.
    assert!(!decode(0, 2) && !decode(0, 1) && !decode(1, 1) && !decode(4, 3) && !decode(7, 1) && !decode(16, 1));
}

#[test]
fn traces_come_back_cut_to_their_caps() {
    let call = Call { trace: true, ..call() };
    let mut slot = vec![0; call.slot().bytes()];
    SlotMut::new(call.slot(), &mut slot).unwrap();
    let trace = Trace { fuel_used: 42, trap: "é".repeat(3000), log: b"log".to_vec() };
    let mut message = Vec::new();
    encode_traced(&mut message, &[(slot.clone(), trace), (slot, Trace::default())]).unwrap();
    let body = body(&message);
    let read = TracedResults::decode(&body, &call, 2).unwrap();
    let [(_, first), (_, second)] = read.units() else { panic!("two units") };
    assert_eq!((first.fuel_used, first.trap.len(), &first.log[..]), (42, 4096, &b"log"[..]));
    assert_eq!(second, &Trace::default());
    assert!(TracedResults::decode(&body, &call, 1).is_err());
    assert!(TracedResults::decode(&body, &Call { log: None, ..call }, 2).is_err());
}

#[test]
fn messages_are_cut_by_their_prefix() {
    let mut body = b"old".to_vec();
    let mut read = |mut bytes: &[u8]| read_message(&mut bytes, &mut body);
    assert!(!read(&[]).unwrap());
    assert!(read(&[0, 0, 0, 0]).unwrap());
    assert!(matches!(read(&[1, 0]), Err(WireError::Truncated)));
    assert!(matches!(read(&[2, 0, 0, 0, 9]), Err(WireError::Truncated)));
    assert!(matches!(read(&[0, 0, 0, 0x80]), Err(WireError::TooLong { .. })));
    assert!(body.capacity() < 1024, "allocated before the length was checked");
}
