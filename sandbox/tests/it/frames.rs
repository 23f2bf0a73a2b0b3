//! What crosses to a worker: the bytes that a recording stand-in was sent, read again.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Float64Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use arrow::buffer::{NullBuffer, OffsetBuffer, ScalarBuffer};
use glovebox_sandbox::bound::UnitId;
use glovebox_wire::Frame;
use glovebox_wire::frame_read::Column;

use crate::stand_in::Script;
use crate::support::{self, Cut, ECHO, PLAIN, batch, block_on, cut, streams, unit, workers};
use glovebox_sandbox::{MapSpec, SandboxFault, SelectionKey, map_units};
use glovebox_vault::{Expose as _, Protected};

/// Frames in order, and the cells.
type Recorded = (Vec<Vec<u8>>, Vec<Vec<i128>>);

fn record(whole: &RecordBatch, ids: &[UnitId], spec: &MapSpec, batch_rows: usize) -> Result<Recorded, SandboxFault> {
    let script = Script::stand_in("record");
    let input = Protected::seal(streams(vec![cut(whole, ids, batch_rows)]));
    let (module, key) = (support::module(ECHO), SelectionKey::new(support::KEY));
    let one_by_one = Cut { batch_units: 1, ..PLAIN };
    let cells = block_on(map_units(input, &module, spec, &key, &workers(&script.path(), one_by_one)))?;
    Ok((script.frames(), cells.expose()))
}

fn ids(numbers: &[u64]) -> Vec<UnitId> {
    numbers.iter().map(|number| unit(*number, &[]).id).collect()
}

fn columns() -> Vec<(&'static str, ArrayRef)> {
    let text = StringArray::from(vec![Some("a"), None, Some(""), Some("年月"), Some("e"), Some("f")]);
    vec![
        ("i", Arc::new(Int64Array::from(vec![Some(1), Some(-2), None, Some(i64::MAX), Some(5), Some(6)])) as ArrayRef),
        ("f", Arc::new(Float64Array::from(vec![Some(0.5), None, Some(-0.0), Some(f64::INFINITY), Some(5.5), None]))),
        ("b", Arc::new(BooleanArray::from(vec![Some(true), Some(false), None, Some(true), Some(true), Some(false)]))),
        ("t", Arc::new(text)),
        ("d", Arc::new(Date32Array::from(vec![Some(19_000), None, Some(-1), Some(0), Some(4), Some(5)]))),
        ("m", Arc::new(TimestampMicrosecondArray::from(vec![Some(7), Some(-7), None, Some(0), Some(4), Some(5)]))),
    ]
}

#[test]
fn every_type_arrives_whatever_the_cut() {
    let ids = ids(&[1, 1, 1, 2, 2, 3]);
    let whole = batch(&columns(), &ids);
    let mut spec = support::spec(10, 2, 8, 0, 5);
    spec.params = b"params".to_vec();
    let (frames, _) = record(&whole, &ids, &spec, 100).unwrap();
    assert_eq!(frames.len(), 3);
    let first = Frame::decode(&frames[0]).unwrap();
    assert_eq!((first.rows, first.params), (3, b"params".as_slice()));
    let expected = [
        Column::I64(vec![Some(1), Some(-2), None]),
        Column::F64(vec![Some(0.5), None, Some(-0.0)]),
        Column::Bool(vec![Some(true), Some(false), None]),
        Column::Text(vec![Some("a"), None, Some("")]),
        Column::I64(vec![Some(19_000), None, Some(-1)]),
        Column::I64(vec![Some(7), Some(-7), None]),
    ];
    assert_eq!(first.columns, expected);
    let second = Frame::decode(&frames[1]).unwrap();
    assert_eq!(second.columns[0], Column::I64(vec![Some(i64::MAX), Some(5)]));
    assert_eq!(second.columns[3], Column::Text(vec![Some("年月"), Some("e")]));
    // How rows were cut into batches is not in the bytes.
    for batch_rows in 1..6 {
        assert_eq!(record(&whole, &ids, &spec, batch_rows).unwrap().0, frames, "{batch_rows}");
    }
}

#[test]
fn nothing_of_a_buffer_but_the_units_own_values_crosses() {
    let secret = i64::from_le_bytes(*b"!SECRET!");
    let ids = ids(&[1, 1, 2]);
    let nulls = || Some(NullBuffer::from(vec![true, false, true]));
    let hidden = Int64Array::new(ScalarBuffer::from(vec![1, secret, 3]), nulls());
    // The text under the NULL is there, too, and other texts stand before and after.
    let text = StringArray::new(
        OffsetBuffer::new(vec![8, 10, 18, 20].into()),
        b"!SECRET!ab!SECRET!cd!SECRET!".as_slice().into(),
        nulls(),
    );
    let whole = batch(&[("i", Arc::new(hidden)), ("t", Arc::new(text))], &ids);
    let spec = support::spec(10, 2, 8, 0, 5);
    for batch_rows in [1, 2, 3] {
        let (frames, _) = record(&whole, &ids, &spec, batch_rows).unwrap();
        let first = Frame::decode(&frames[0]).unwrap();
        assert_eq!(first.columns, [Column::I64(vec![Some(1), None]), Column::Text(vec![Some("ab"), None])]);
        let second = Frame::decode(&frames[1]).unwrap();
        assert_eq!(second.columns, [Column::I64(vec![Some(3)]), Column::Text(vec![Some("cd")])]);
        for (frame, id) in frames.iter().zip([ids[0], ids[2]]) {
            assert!(!frame.windows(8).any(|bytes| bytes == b"!SECRET!"));
            assert!(!frame.windows(16).any(|bytes| bytes == id), "the unit's id");
            assert!(!frame.windows(4).any(|bytes| bytes == [0xAB; 4]), "a part of the unit's id");
        }
        // The second unit has no NULL, so nothing of it says that another one has: no flag and no bitmap.
        let alone = batch(
            &[("i", Arc::new(Int64Array::from(vec![3])) as ArrayRef), ("t", Arc::new(StringArray::from(vec!["cd"])))],
            &ids[2..],
        );
        assert_eq!(record(&alone, &ids[2..], &spec, 9).unwrap().0[0], frames[1]);
    }
}

#[test]
fn a_unit_that_does_not_fit_is_the_default_row_and_is_not_sent() {
    let long = "x".repeat(support::ECHO_IN_CAP);
    let texts = StringArray::from(vec!["a", long.as_str(), "b", "c", "d"]);
    let ids = ids(&[1, 2, 2, 3, 4]);
    let whole = batch(&[("t", Arc::new(texts))], &ids);
    let spec = support::spec(10, 2, 8, 0, 5);
    for batch_rows in [1, 2, 3, 9] {
        let (frames, cells) = record(&whole, &ids, &spec, batch_rows).unwrap();
        assert_eq!(frames.len(), 3, "{batch_rows}");
        // The stand-in emits nothing for a text column, so what is in the cells is the default row, once.
        assert_eq!((cells[0][9], cells[1][9]), (5, 1), "{batch_rows}");
        assert_eq!(cells[1].iter().sum::<i128>(), 1);
    }
    // Text under a NULL is not the unit's size.
    let nulls = Some(NullBuffer::from(vec![true, false, true]));
    let hidden = StringArray::new(
        OffsetBuffer::new(vec![0, 1, 4_001, 4_002].into()),
        [b"a".as_slice(), &[b'x'; 4_000], b"b"].concat().into(),
        nulls,
    );
    let ids = support::unit(1, &[]).id;
    let whole = batch(&[("t", Arc::new(hidden))], &[ids; 3]);
    for batch_rows in [1, 2, 3] {
        let (frames, _) = record(&whole, &[ids; 3], &spec, batch_rows).unwrap();
        assert_eq!(Frame::decode(&frames[0]).unwrap().columns, [Column::Text(vec![Some("a"), None, Some("b")])]);
    }
}

#[test]
fn columns_that_no_guest_can_see_are_refused() {
    use arrow::array::Int32Array;
    let ids = ids(&[1]);
    let spec = support::spec(10, 2, 8, 0, 5);
    let narrow = batch(&[("i", Arc::new(Int32Array::from(vec![1])))], &ids);
    assert_eq!(record(&narrow, &ids, &spec, 9).err(), Some(SandboxFault::Columns));
    assert_eq!(record(&batch(&[], &ids), &ids, &spec, 9).err(), Some(SandboxFault::Columns));
    // The column of units is the last, and the only one of its name.
    let whole = batch(&[("i", Arc::new(Int64Array::from(vec![1])))], &ids);
    let swapped = whole.project(&[1, 0]).unwrap();
    assert_eq!(record(&swapped, &ids, &spec, 9).err(), Some(SandboxFault::Columns));
    let twice = whole.project(&[1, 0, 1]).unwrap();
    assert_eq!(record(&twice, &ids, &spec, 9).err(), Some(SandboxFault::Columns));
    let without = whole.project(&[0]).unwrap();
    assert_eq!(record(&without, &ids, &spec, 9).err(), Some(SandboxFault::Columns));
}
