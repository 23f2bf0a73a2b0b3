//! Whatever bytes come, every decoder ends with a value or an error, and a value means the encoder's bytes.

use glovebox_wire::{Batch, BatchBuilder, Call, Frame, Reply, Results, Start, TracedResults};
use proptest::prelude::*;

use crate::support::call;

/// Gives `bytes` to every decoder, under every kind of message.
fn decode_all(bytes: &[u8]) {
    let call = Call { trace: true, ..call() };
    let mut bytes = bytes.to_vec();
    for kind in 0..8 {
        if let Some(first) = bytes.first_mut() {
            *first = kind;
        }
        if let Ok(start) = Start::decode(&bytes) {
            let mut again = Vec::new();
            start.encode(&mut again).unwrap();
            assert_eq!(&again[4..], bytes);
        }
        if let Ok(reply) = Reply::decode(&bytes) {
            let mut again = Vec::new();
            reply.encode(&mut again).unwrap();
            assert_eq!(&again[4..], bytes);
        }
        if let Ok(batch) = Batch::decode(&bytes, &call) {
            let mut again = BatchBuilder::new(&call);
            batch.frames().for_each(|frame| again.push(frame).unwrap());
            assert_eq!(&again.message().unwrap()[4..], bytes);
        }
        for units in 0..3 {
            let _ = Results::decode(&bytes, call.slot(), units);
            let _ = TracedResults::decode(&bytes, &call, units);
        }
    }
    let _ = Frame::decode(&bytes);
}

/// Bytes that are mostly small numbers, so that counts and lengths are now and then right.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![6 => Just(0_u8), 3 => 0_u8..5, 1 => any::<u8>()];
    prop::collection::vec(byte, 0..300)
}

fn start() -> Vec<u8> {
    let mut message = Vec::new();
    Start { module: b"\0asm\x01\0\0\0", call: call() }.encode(&mut message).unwrap();
    message.split_off(4)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]
    #[test]
    fn no_decoder_panics_on_any_bytes(bytes in bytes()) {
        decode_all(&bytes);
        decode_all(&[&[4, 0, 0, 0, 2, 0, 0, 0][..], &bytes].concat());
        decode_all(&[&[5, 0, 0, 0, 1, 0, 0, 0][..], &bytes].concat());
        decode_all(&[&[0x47, 0x42, 0x58, 0x31, 2, 0, 0, 0, 1, 0, 0, 0][..], &bytes].concat());
    }

    #[test]
    fn no_decoder_panics_on_a_damaged_start(at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in 0_usize..100) {
        let mut bytes = start();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        bytes.truncate(bytes.len() - cut.min(bytes.len()) / 2);
        decode_all(&bytes);
    }
}
