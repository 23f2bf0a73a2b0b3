//! Parameters of a prepared statement: one row of plain values, checked before it is decoded.
//!
//! This is the only body of Arrow data that the server reads. A declared length in a compressed body is believed by the
//! decoder before it looks, so compressed bodies are refused in the message header; so are dictionaries, nested types
//! and anything but one row.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BooleanArray, Float32Array, Float64Array, Int8Array, Int16Array, Int32Array, Int64Array,
    LargeStringArray, RecordBatch, StringArray, UInt8Array, UInt16Array, UInt32Array, UInt64Array,
};
use arrow::datatypes::{DataType, Schema};
use arrow::ipc;
use arrow_flight::FlightData;
use arrow_flight::utils::flight_data_to_arrow_batch;
use futures::{Stream, StreamExt as _};
use glovebox_policy::{Reason, Refusal};
use glovebox_privacy::Scalar;
use tonic::Status;

use crate::limits::{BINDING_MESSAGES, FLIGHT_MESSAGE_BYTES, PARAMETERS};

fn bad(what: &str) -> Refusal {
    Refusal::about(Reason::BadRequest, what)
}

/// Reads a whole binding from the stream of one call.
///
/// # Errors
/// [`Reason::BadRequest`], saying which rule the binding breaks.
pub(crate) async fn read<S>(mut stream: S) -> Result<Vec<Scalar>, Refusal>
where
    S: Stream<Item = Result<FlightData, Status>> + Unpin,
{
    let mut messages = Vec::new();
    let mut bytes = 0;
    while let Some(message) = stream.next().await {
        let message = message.map_err(|status| crate::status::refusal_of(&status))?;
        if message.data_header.is_empty() && message.data_body.is_empty() {
            continue;
        }
        bytes += message.data_header.len() + message.data_body.len();
        if bytes > FLIGHT_MESSAGE_BYTES {
            return Err(bad("parameters are longer than 64 KiB"));
        }
        if messages.len() == BINDING_MESSAGES {
            return Err(bad("parameters must be one record batch"));
        }
        messages.push(message);
    }
    let [schema, batch] = messages.as_slice() else {
        return Err(bad("parameters must be one record batch"));
    };
    // Arrow's reader panics on some malformed messages, which its authors hold to be a bug without danger. Nothing is
    // shared with it, so a panic is one more way to say that the bytes are no Arrow.
    std::panic::catch_unwind(AssertUnwindSafe(|| decode(schema, batch))).unwrap_or_else(|_| Err(malformed()))
}

fn malformed() -> Refusal {
    bad("parameters are not Arrow IPC")
}

/// Decodes a schema message and one record batch message into the values of the only row.
fn decode(schema: &FlightData, batch: &FlightData) -> Result<Vec<Scalar>, Refusal> {
    let message = ipc::root_as_message(&schema.data_header).map_err(|_| malformed())?;
    let schema: Schema = message.header_as_schema().map(ipc::convert::fb_to_schema).ok_or_else(malformed)?;
    if schema.fields().len() > PARAMETERS {
        return Err(bad("more than 64 parameters"));
    }
    if let Some(field) = schema.fields().iter().find(|field| !is_plain(field.data_type())) {
        return Err(bad(&format!("a parameter is of type {}", field.data_type())));
    }
    let message = ipc::root_as_message(&batch.data_header).map_err(|_| malformed())?;
    let header = message.header_as_record_batch().ok_or_else(malformed)?;
    if header.compression().is_some() {
        return Err(bad("compressed parameters"));
    }
    let one_row = header.length() == 1 && header.nodes().is_some_and(|nodes| nodes.iter().all(|n| n.length() == 1));
    if !one_row {
        return Err(bad("parameters must be one row"));
    }
    let batch = flight_data_to_arrow_batch(batch, Arc::new(schema), &HashMap::new()).map_err(|_| malformed())?;
    values(&batch).ok_or_else(malformed)
}

fn is_plain(kind: &DataType) -> bool {
    kind.is_integer()
        || matches!(
            kind,
            DataType::Null
                | DataType::Boolean
                | DataType::Float32
                | DataType::Float64
                | DataType::Utf8
                | DataType::LargeUtf8
        )
}

fn values(batch: &RecordBatch) -> Option<Vec<Scalar>> {
    batch.columns().iter().map(value).collect()
}

fn value(array: &ArrayRef) -> Option<Scalar> {
    if array.len() != 1 {
        return None;
    }
    if array.is_null(0) || *array.data_type() == DataType::Null {
        return Some(Scalar::Null);
    }
    macro_rules! first {
        ($kind:ty) => {
            array.as_any().downcast_ref::<$kind>().map(|array| array.value(0))
        };
    }
    Some(match array.data_type() {
        DataType::Boolean => Scalar::Bool(first!(BooleanArray)?),
        DataType::Int8 => Scalar::Int(first!(Int8Array)?.into()),
        DataType::Int16 => Scalar::Int(first!(Int16Array)?.into()),
        DataType::Int32 => Scalar::Int(first!(Int32Array)?.into()),
        DataType::Int64 => Scalar::Int(first!(Int64Array)?),
        DataType::UInt8 => Scalar::Int(first!(UInt8Array)?.into()),
        DataType::UInt16 => Scalar::Int(first!(UInt16Array)?.into()),
        DataType::UInt32 => Scalar::Int(first!(UInt32Array)?.into()),
        DataType::UInt64 => Scalar::Int(first!(UInt64Array)?.try_into().ok()?),
        DataType::Float32 => Scalar::Float(first!(Float32Array)?.into()),
        DataType::Float64 => Scalar::Float(first!(Float64Array)?),
        DataType::Utf8 => Scalar::Text(first!(StringArray)?.to_owned()),
        DataType::LargeUtf8 => Scalar::Text(first!(LargeStringArray)?.to_owned()),
        _ => return None,
    })
}

#[cfg(test)]
#[path = "parameters_tests.rs"]
mod tests;
