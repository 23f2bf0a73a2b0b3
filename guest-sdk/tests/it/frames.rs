//! Frames: the layout byte by byte, views with NULLs, and bytes that are no frame.

use glovebox_guest_sdk::column::View as _;
use glovebox_guest_sdk::frame::frame_bytes;
use glovebox_guest_sdk::{Booleans, Floats, Frame, FrameFault, Integers, Sample, Texts};

fn mixed() -> Sample {
    Sample::new()
        .params(b"p=1")
        .integers(&[Some(i64::MIN), None, Some(7)])
        .floats(&[Some(0.5), Some(f64::NEG_INFINITY), None])
        .booleans(&[Some(true), Some(false), Some(true)])
        .texts(&[Some("京A"), None, Some("")])
}

#[test]
fn a_frame_is_laid_out_as_the_contract_says() {
    let words =
        |bytes: &[u8]| -> Vec<u32> { bytes.as_chunks().0.iter().map(|word| u32::from_le_bytes(*word)).collect() };
    let frame = Sample::new().params(b"hello").texts(&[Some("ab"), None]).to_frame();
    // Header: magic, rows, columns, parameters at 88 with 5 bytes.
    assert_eq!(words(&frame[..32]), [0x3158_4247, 2, 1, 88, 5, 0, 0, 0]);
    // Column: text, with NULLs; validity at 56, bytes at 64, offsets at 72 (three words), two bytes of text.
    assert_eq!(words(&frame[32..56]), [4, 1, 56, 64, 72, 2]);
    assert_eq!(frame[56..64], [0b01, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(&frame[64..72], b"ab\0\0\0\0\0\0");
    assert_eq!(words(&frame[72..84]), [0, 2, 2]);
}

#[test]
fn what_goes_in_comes_out() {
    let bytes = mixed().to_frame();
    let frame = Frame::parse(&bytes).unwrap();
    assert_eq!((frame.rows(), frame.columns(), frame.params()), (3, 4, b"p=1".as_slice()));
    let integers = Integers::of(&frame, 0).unwrap();
    assert_eq!(integers.iter().collect::<Vec<_>>(), [Some(i64::MIN), None, Some(7)]);
    assert_eq!((integers.get(2), integers.get(3)), (Some(7), None));
    let floats: Vec<_> = Floats::of(&frame, 1).unwrap().iter().collect();
    assert_eq!(floats, [Some(0.5), Some(f64::NEG_INFINITY), None]);
    let booleans: Vec<_> = Booleans::of(&frame, 2).unwrap().iter().collect();
    assert_eq!(booleans, [Some(true), Some(false), Some(true)]);
    let texts = Texts::of(&frame, 3).unwrap();
    assert_eq!(texts.iter().collect::<Vec<_>>(), [Some("京A"), None, Some("")]);
    assert_eq!(texts.get(3), None);
}

#[test]
fn nulls_beyond_the_first_byte_of_the_bitmap_are_found() {
    let rows: Vec<Option<i64>> = (0..70).map(|row| (row % 9 != 8).then_some(row)).collect();
    let bytes = Sample::new().integers(&rows).to_frame();
    let frame = Frame::parse(&bytes).unwrap();
    assert_eq!(Integers::of(&frame, 0).unwrap().iter().collect::<Vec<_>>(), rows);
}

#[test]
fn a_unit_may_have_no_rows() {
    let bytes = Sample::new().integers(&[]).texts(&[]).to_frame();
    let frame = Frame::parse(&bytes).unwrap();
    assert_eq!(frame.rows(), 0);
    assert_eq!(Integers::of(&frame, 0).unwrap().iter().count(), 0);
    assert_eq!(Texts::of(&frame, 1).unwrap().iter().count(), 0);
}

#[test]
fn the_bound_of_a_frame_holds_for_every_number_of_rows() {
    for rows in 0..200 {
        let numbers = vec![None::<i64>; rows];
        let words = vec![Some("abc"); rows];
        let frame = Sample::new().integers(&numbers).texts(&words).texts(&words).to_frame();
        assert!(frame.len() <= frame_bytes(3, rows, 6 * rows), "{rows} rows");
    }
}

#[test]
fn bytes_that_are_no_frame_are_told_apart() {
    let good = mixed().to_frame();
    assert_eq!(Frame::parse(&good[..31]).unwrap_err(), FrameFault::Header);
    assert_eq!(Frame::parse(b"").unwrap_err(), FrameFault::Header);
    let frame = Frame::parse(&good).unwrap();
    assert_eq!(Integers::of(&frame, 1).unwrap_err(), FrameFault::Type);
    assert_eq!(Integers::of(&frame, 4).unwrap_err(), FrameFault::Columns);
    let invalid = Sample::new().texts(&[Some("ab")]).to_frame();
    let invalid: Vec<u8> = invalid.iter().map(|byte| if *byte == b'a' { 0xff } else { *byte }).collect();
    assert_eq!(Texts::of(&Frame::parse(&invalid).unwrap(), 0).unwrap_err(), FrameFault::Buffer);
}

#[test]
fn no_word_of_header_or_table_can_make_a_view_panic() {
    let good = mixed().to_frame();
    for at in (0..32 + 4 * 24).step_by(4) {
        for word in [0, 1, 7, 1 << 20, 1 << 31, u32::MAX] {
            let mut bytes = good.clone();
            bytes[at..at + 4].copy_from_slice(&word.to_le_bytes());
            let Ok(frame) = Frame::parse(&bytes) else { continue };
            for column in 0..5 {
                let _ = Integers::of(&frame, column).map(|view| view.iter().count());
                let _ = Booleans::of(&frame, column).map(|view| view.iter().count());
                let _ = Texts::of(&frame, column).map(|view| view.iter().count());
            }
        }
    }
}
