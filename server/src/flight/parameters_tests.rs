//! Bindings that are read, and bindings that are refused unread.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use arrow::datatypes::Field;
use arrow::ipc::CompressionType;
use arrow::ipc::writer::IpcWriteOptions;
use arrow_flight::utils::batches_to_flight_data;

use super::*;

fn batch(columns: Vec<ArrayRef>) -> RecordBatch {
    let fields: Vec<_> =
        columns.iter().enumerate().map(|(i, c)| Field::new(format!("{i}"), c.data_type().clone(), true)).collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap()
}

fn read_now(messages: Vec<FlightData>) -> Result<Vec<Scalar>, Refusal> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(read(futures::stream::iter(messages.into_iter().map(Ok))))
}

fn bind(batches: Vec<RecordBatch>) -> Result<Vec<Scalar>, Refusal> {
    let schema = batches[0].schema();
    read_now(batches_to_flight_data(&schema, batches).unwrap())
}

#[test]
fn one_plain_row_is_read() {
    let row = batch(vec![
        Arc::new(Int32Array::from(vec![-7])),
        Arc::new(UInt64Array::from(vec![7])),
        Arc::new(Float32Array::from(vec![0.5])),
        Arc::new(StringArray::from(vec!["济南"])),
        Arc::new(BooleanArray::from(vec![None])),
        Arc::new(arrow::array::NullArray::new(1)),
    ]);
    let expected = [
        Scalar::Int(-7),
        Scalar::Int(7),
        Scalar::Float(0.5),
        Scalar::Text("济南".to_owned()),
        Scalar::Null,
        Scalar::Null,
    ];
    assert_eq!(bind(vec![row]).unwrap(), expected);
}

#[test]
fn other_shapes_are_refused() {
    let one: ArrayRef = Arc::new(Int64Array::from(vec![1]));
    let two: ArrayRef = Arc::new(Int64Array::from(vec![1, 2]));
    let bytes: ArrayRef = Arc::new(arrow::array::BinaryArray::from(vec![&b"x"[..]]));
    let large: ArrayRef = Arc::new(StringArray::from(vec!["x".repeat(FLIGHT_MESSAGE_BYTES)]));
    let too_much: ArrayRef = Arc::new(UInt64Array::from(vec![u64::MAX]));
    assert!(bind(vec![batch(vec![two])]).is_err());
    assert!(bind(vec![batch(vec![one.clone()]), batch(vec![one.clone()])]).is_err());
    assert!(bind(vec![batch(vec![bytes])]).is_err());
    assert!(bind(vec![batch(vec![large])]).is_err());
    assert!(bind(vec![batch(vec![too_much])]).is_err());
    assert!(bind(vec![batch(vec![one; PARAMETERS + 1])]).is_err());
    assert!(read_now(vec![]).is_err());
}

#[test]
fn a_compressed_body_is_refused_by_its_header() {
    let row = batch(vec![Arc::new(StringArray::from(vec!["x".repeat(4096)]))]);
    let mut messages = batches_to_flight_data(&row.schema(), vec![row.clone()]).unwrap();
    let options = IpcWriteOptions::default().try_with_compression(Some(CompressionType::ZSTD)).unwrap();
    let generator = ipc::writer::IpcDataGenerator::default();
    let mut tracker = ipc::writer::DictionaryTracker::new(false);
    let mut context = ipc::writer::IpcWriteContext::default();
    // The query engine's build brings the compression library along: this decoder would decompress.
    let (_, encoded) = generator.encode(&row, &mut tracker, &options, &mut context).unwrap();
    messages[1] = encoded.into();
    let refusal = read_now(messages).unwrap_err();
    assert!(refusal.english().contains("compressed"), "{refusal}");
}

#[test]
fn bytes_that_are_no_arrow_are_refused() {
    for length in [1, 7, 8, 64, 1000] {
        let noise: Vec<u8> = (0..length).map(|i: usize| (i * 37 % 251) as u8).collect();
        let message = FlightData::new().with_data_header(noise.clone()).with_data_body(noise);
        assert!(read_now(vec![message.clone(), message]).is_err());
    }
}

#[test]
fn a_changed_byte_of_a_header_is_an_answer_or_a_refusal_and_never_a_panic() {
    let row = batch(vec![Arc::new(StringArray::from(vec!["abc"])), Arc::new(Int64Array::from(vec![1]))]);
    let messages = batches_to_flight_data(&row.schema(), vec![row]).unwrap();
    for message in 0..messages.len() {
        for at in 0..messages[message].data_header.len() {
            for flip in [0x01, 0x80, 0xff] {
                let mut changed = messages.clone();
                let mut header = changed[message].data_header.to_vec();
                header[at] ^= flip;
                changed[message].data_header = header.into();
                if let Err(refusal) = read_now(changed) {
                    assert_eq!(refusal.reason(), Reason::BadRequest, "byte {at} of message {message}");
                }
            }
        }
    }
}
