//! Arbitrary frames and calls.

use glovebox_wire::{Area, Bits, Call, FrameBuilder, FrameError};
use proptest::prelude::*;

/// A column as a test writes it.
#[derive(Clone, Debug)]
pub(crate) enum TestColumn {
    I64(Vec<Option<i64>>),
    F64(Vec<Option<f64>>),
    Bool(Vec<Option<bool>>),
    Text(Vec<Option<String>>),
    /// As many in every row.
    Bytes(usize, Vec<u8>),
}

/// A frame as a test writes it.
#[derive(Clone, Debug)]
pub(crate) struct TestFrame {
    pub(crate) rows: usize,
    pub(crate) columns: Vec<TestColumn>,
    pub(crate) params: Vec<u8>,
}

pub(crate) fn bitmap(bits: impl Iterator<Item = bool>, offset: usize) -> Vec<u8> {
    let mut bytes = vec![0_u8; offset / 8 + 1];
    for (at, bit) in bits.enumerate() {
        let at = at + offset;
        bytes.resize(bytes.len().max(at / 8 + 1), 0);
        bytes[at / 8] |= u8::from(bit) << (at % 8);
    }
    bytes
}

impl TestColumn {
    pub(crate) fn write(&self, to: &mut FrameBuilder<'_>, offset: usize) -> Result<(), FrameError> {
        fn valid<T>(values: &[Option<T>], offset: usize) -> Vec<u8> {
            bitmap(values.iter().map(Option::is_some), offset)
        }
        // Residue under a null: it must not cross.
        match self {
            Self::I64(values) => to.i64s(
                values.iter().map(|value| value.unwrap_or(0x5ec2e7)),
                Some(Bits { bytes: &valid(values, offset), offset }),
            ),
            Self::F64(values) => to.f64s(
                values.iter().map(|value| value.unwrap_or(1e300)),
                Some(Bits { bytes: &valid(values, offset), offset }),
            ),
            Self::Bool(values) => {
                let bits = bitmap(values.iter().map(|value| value.unwrap_or(true)), offset);
                to.bools(Bits { bytes: &bits, offset }, Some(Bits { bytes: &valid(values, offset), offset }))
            }
            Self::Text(values) => {
                let mut bytes = b"before".to_vec();
                let mut offsets = vec![6];
                for value in values {
                    bytes.extend_from_slice(value.as_deref().unwrap_or("residue").as_bytes());
                    offsets.push(i32::try_from(bytes.len()).unwrap());
                }
                bytes.extend_from_slice(b"after");
                to.texts(&offsets, &bytes, Some(Bits { bytes: &valid(values, offset), offset }))
            }
            Self::Bytes(width, values) => to.bytes(*width, values),
        }
    }
}

impl TestFrame {
    pub(crate) fn encode(&self, out: &mut Vec<u8>, offset: usize, cap: usize) -> Result<(), FrameError> {
        let mut frame = FrameBuilder::new(out, self.rows, self.columns.len(), cap)?;
        for column in &self.columns {
            column.write(&mut frame, offset)?;
        }
        frame.finish(&self.params)
    }
}

fn column(rows: usize) -> impl Strategy<Value = TestColumn> {
    use proptest::collection::vec;
    use proptest::option::weighted;
    prop_oneof![
        vec(weighted(0.8, any::<i64>()), rows).prop_map(TestColumn::I64),
        vec(weighted(0.8, any::<f64>()), rows).prop_map(TestColumn::F64),
        vec(weighted(0.8, any::<bool>()), rows).prop_map(TestColumn::Bool),
        vec(weighted(0.8, "\\PC{0,12}"), rows).prop_map(TestColumn::Text),
        (0_usize..9).prop_flat_map(move |width| {
            vec(any::<u8>(), width * rows).prop_map(move |values| TestColumn::Bytes(width, values))
        }),
    ]
}

pub(crate) fn frame() -> impl Strategy<Value = TestFrame> {
    (0_usize..40, 0_usize..6).prop_flat_map(|(rows, columns)| {
        (proptest::collection::vec(column(rows), columns), proptest::collection::vec(any::<u8>(), 0..50))
            .prop_map(move |(columns, params)| TestFrame { rows, columns, params })
    })
}

pub(crate) fn call() -> Call {
    Call {
        fuel: 200_000,
        max_rows: 3,
        values: 2,
        memory_bytes: 1 << 16,
        input: Area { at: 1024, cap: 4096 },
        output: Area { at: 8192, cap: 4096 },
        log: Some(Area { at: 16384, cap: 256 }),
        trace: false,
    }
}
