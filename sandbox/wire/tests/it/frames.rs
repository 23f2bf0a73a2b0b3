//! Frames: canonical bytes, read back as written.

use glovebox_wire::frame_read::Column;
use glovebox_wire::{Bits, ColumnType, Frame, FrameBuilder, FrameError, fixed_frame_bytes};
use proptest::prelude::*;

use crate::support::{TestColumn, TestFrame, bitmap, frame};

fn same(read: &Column<'_>, written: &TestColumn) -> bool {
    match (read, written) {
        (Column::I64(read), TestColumn::I64(written)) => read == written,
        (Column::F64(read), TestColumn::F64(written)) => {
            read.iter().map(|value| value.map(f64::to_bits)).eq(written.iter().map(|value| value.map(f64::to_bits)))
        }
        (Column::Bool(read), TestColumn::Bool(written)) => read == written,
        (Column::Text(read), TestColumn::Text(written)) => {
            read.iter().copied().eq(written.iter().map(|text| text.as_deref()))
        }
        (Column::Bytes(read), TestColumn::Bytes(width, written)) => {
            read.concat() == *written && read.iter().all(|row| row.len() == *width)
        }
        _ => false,
    }
}

/// Writes what was read again.
fn again(frame: &Frame<'_>) -> Vec<u8> {
    let columns = frame.columns.iter().map(|column| match column {
        Column::I64(values) => TestColumn::I64(values.clone()),
        Column::F64(values) => TestColumn::F64(values.clone()),
        Column::Bool(values) => TestColumn::Bool(values.clone()),
        Column::Text(values) => TestColumn::Text(values.iter().map(|text| text.map(str::to_owned)).collect()),
        Column::Bytes(values) => TestColumn::Bytes(values.first().map_or(0, |row| row.len()), values.concat()),
    });
    let copy = TestFrame { rows: frame.rows, columns: columns.collect(), params: frame.params.to_vec() };
    let mut bytes = Vec::new();
    copy.encode(&mut bytes, 0, 1 << 20).unwrap();
    bytes
}

proptest! {
    #[test]
    fn what_is_written_is_read_and_its_bytes_do_not_depend_on_where_it_lay(written in frame(), offset in 0_usize..20) {
        let (mut bytes, mut moved) = (Vec::new(), b"what was in the buffer before".to_vec());
        let before = moved.len();
        written.encode(&mut bytes, 0, 1 << 20).unwrap();
        written.encode(&mut moved, offset, 1 << 20).unwrap();
        prop_assert_eq!(&bytes, &moved[before..]);
        prop_assert_eq!(bytes.len() % 8, 0);
        let read = Frame::decode(&bytes).unwrap();
        prop_assert_eq!(read.rows, written.rows);
        prop_assert_eq!(read.params, &written.params[..]);
        prop_assert_eq!(read.columns.len(), written.columns.len());
        prop_assert!(read.columns.iter().zip(&written.columns).all(|(read, written)| same(read, written)));
        // Rows that no column holds take no bytes, and are refused beyond the cap all the same.
        prop_assume!(!written.columns.is_empty() || written.rows < bytes.len());
        // Exactly the cap fits, one byte less does not.
        prop_assert!(written.encode(&mut Vec::new(), offset, bytes.len()).is_ok());
        let too_large = written.encode(&mut Vec::new(), offset, bytes.len() - 1);
        prop_assert_eq!(too_large, Err(FrameError::TooLarge { cap: bytes.len() - 1 }));
    }

    #[test]
    fn whatever_is_read_is_what_the_builder_writes(written in frame(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = Vec::new();
        written.encode(&mut bytes, 0, 1 << 20).unwrap();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(read) = Frame::decode(&bytes) {
            prop_assert_eq!(again(&read), bytes);
        }
    }

    #[test]
    fn a_cut_frame_is_refused(written in frame(), at in any::<prop::sample::Index>()) {
        let mut bytes = Vec::new();
        written.encode(&mut bytes, 0, 1 << 20).unwrap();
        prop_assert!(Frame::decode(&bytes[..at.index(bytes.len())]).is_err());
        bytes.extend_from_slice(&[0; 8]);
        prop_assert!(Frame::decode(&bytes).is_err());
    }
}

#[test]
fn the_layout_is_the_one_that_guests_are_compiled_against() {
    let mut bytes = Vec::new();
    let mut frame = FrameBuilder::new(&mut bytes, 2, 2, 1 << 16).unwrap();
    frame.i64s([7, -1].into_iter(), Some(Bits { bytes: &[0b01], offset: 0 })).unwrap();
    frame.texts(&[0, 1, 3], b"abc", None).unwrap();
    frame.finish(b"p").unwrap();
    let words = |words: &[u32]| words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<u8>>();
    let expected = [
        words(&[u32::from_le_bytes(*b"GBX1"), 2, 2, 128, 1, 0, 0, 0]),
        words(&[1, 1, 80, 88, 0, 16]),
        words(&[4, 0, 0, 104, 112, 3]),
        vec![0b01, 0, 0, 0, 0, 0, 0, 0],
        7_i64.to_le_bytes().to_vec(),
        vec![0; 8],
        b"abc\0\0\0\0\0".to_vec(),
        words(&[0, 1, 3, 0]),
        b"p\0\0\0\0\0\0\0".to_vec(),
    ];
    assert_eq!(bytes, expected.concat());
}

#[test]
fn nulls_of_other_units_in_the_batch_leave_no_trace() {
    let write = |validity| {
        let mut bytes = Vec::new();
        let mut frame = FrameBuilder::new(&mut bytes, 2, 1, 1 << 16).unwrap();
        frame.i64s([1, 2].into_iter(), validity).unwrap();
        frame.finish(&[]).unwrap();
        bytes
    };
    // The bitmap has clear bits, all of them outside this unit's rows.
    let bits = bitmap([false, false, false, true, true, false].into_iter(), 0);
    assert_eq!(write(None), write(Some(Bits { bytes: &bits, offset: 3 })));
}

#[test]
fn the_room_for_fixed_width_columns_is_what_a_frame_with_nulls_takes() {
    let columns = [ColumnType::I64, ColumnType::F64, ColumnType::Bool];
    for rows in 1..40_usize {
        let mut bytes = Vec::new();
        let written = TestFrame {
            rows,
            columns: vec![
                TestColumn::I64(vec![None; rows]),
                TestColumn::F64(vec![None; rows]),
                TestColumn::Bool(vec![None; rows]),
            ],
            params: vec![1; 13],
        };
        written.encode(&mut bytes, 0, 1 << 20).unwrap();
        assert_eq!(bytes.len() as u64, fixed_frame_bytes(&columns, u32::try_from(rows).unwrap(), 0, 13));
    }
}

#[test]
fn the_room_for_pixels_is_what_they_take_and_each_row_has_as_many() {
    for (rows, width) in [(1, 1), (3, 5), (7, 16), (50, 14_400)] {
        let pixels: Vec<u8> = (0..rows * width).map(|at| at as u8).collect();
        let mut bytes = Vec::new();
        let mut frame = FrameBuilder::new(&mut bytes, rows, 2, 1 << 20).unwrap();
        frame.i64s(vec![1; rows].into_iter(), Some(Bits { bytes: &[0; 7], offset: 0 })).unwrap();
        frame.bytes(width, &pixels).unwrap();
        frame.finish(b"p").unwrap();
        let columns = [ColumnType::I64, ColumnType::Bytes];
        assert_eq!(bytes.len() as u64, fixed_frame_bytes(&columns, rows as u32, width as u32, 1));
        let read = Frame::decode(&bytes).unwrap();
        assert_eq!(read.columns[1], Column::Bytes(pixels.chunks(width).collect()));
    }
    let mut bytes = Vec::new();
    let mut frame = FrameBuilder::new(&mut bytes, 2, 1, 1 << 16).unwrap();
    assert_eq!(frame.bytes(3, &[0; 5]), Err(FrameError::Count { what: "values" }));
    assert_eq!(frame.bytes(usize::MAX, &[0; 5]), Err(FrameError::Count { what: "values" }));
    let mut frame = FrameBuilder::new(&mut bytes, 2, 1, 64).unwrap();
    assert_eq!(frame.bytes(8, &[0; 16]), Err(FrameError::TooLarge { cap: 64 }));
}

#[test]
fn wrong_columns_are_refused() {
    let mut bytes = Vec::new();
    let mut frame = FrameBuilder::new(&mut bytes, 2, 1, 1 << 16).unwrap();
    let count = |what| Err(FrameError::Count { what });
    assert_eq!(frame.i64s([1].into_iter(), None), count("values"));
    assert_eq!(frame.i64s([1, 2].into_iter(), Some(Bits { bytes: &[], offset: 0 })), count("validity bits"));
    assert_eq!(frame.bools(Bits { bytes: &[1], offset: 7 }, None), count("values"));
    assert_eq!(frame.texts(&[0, 1], b"a", None), count("values"));
    assert_eq!(frame.texts(&[0, 2, 1], b"abc", None), Err(FrameError::Text));
    assert_eq!(frame.texts(&[0, -1, 1], b"abc", None), Err(FrameError::Text));
    assert_eq!(frame.texts(&[0, 1, 4], b"abc", None), Err(FrameError::Text));
    assert_eq!(frame.finish(&[]), count("columns"));
    let mut frame = FrameBuilder::new(&mut bytes, 0, 1, 1 << 16).unwrap();
    frame.i64s([].into_iter(), None).unwrap();
    assert_eq!(frame.i64s([].into_iter(), None), count("columns"));
    let mut bytes = Vec::new();
    let frame = FrameBuilder::new(&mut bytes, 0, 0, 1 << 16).unwrap();
    assert_eq!(frame.finish(&[0; (16 << 10) + 1]), count("parameter bytes"));
    assert!(FrameBuilder::new(&mut bytes, 0, 257, 1 << 16).is_err());
    assert!(FrameBuilder::new(&mut bytes, usize::MAX, 1, usize::MAX).is_err());
}
