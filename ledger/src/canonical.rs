//! The one form in which JSON is hashed and signed: keys sorted, no white space, and no number that a reader may round.
//!
//! Two programs that agree on the values then agree on the bytes. Whole numbers stay within ±(2⁵³ − 1), because many
//! readers keep numbers as floating point; larger numbers and fractions are written as decimal text.

use std::collections::BTreeMap;

use serde_json::Value;

/// The largest magnitude of a whole number that every JSON reader keeps (I-JSON, RFC 7493 §2.2).
const MAX_SAFE: u64 = (1 << 53) - 1;

/// A number that does not have one form for every reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a number is not whole or is beyond 2^53; write it as decimal text")]
pub(crate) struct NotCanonical;

/// The canonical bytes of a value.
pub(crate) fn bytes(value: &Value) -> Result<Vec<u8>, NotCanonical> {
    let mut out = String::new();
    write(value, &mut out)?;
    Ok(out.into_bytes())
}

/// Whether `text` is the canonical form of the value that it spells.
pub(crate) fn parse(text: &[u8]) -> Option<Value> {
    let value: Value = serde_json::from_slice(text).ok()?;
    (bytes(&value).as_deref() == Ok(text)).then_some(value)
}

fn write(value: &Value, out: &mut String) -> Result<(), NotCanonical> {
    match value {
        Value::Number(number) => {
            let magnitude = number.as_i64().map(i64::unsigned_abs).or_else(|| number.as_u64());
            if magnitude.is_none_or(|magnitude| magnitude > MAX_SAFE) {
                return Err(NotCanonical);
            }
            out.push_str(&number.to_string());
        }
        Value::Array(items) => {
            out.push('[');
            for (n, item) in items.iter().enumerate() {
                if n > 0 {
                    out.push(',');
                }
                write(item, out)?;
            }
            out.push(']');
        }
        // Sorted here, because another crate of the build may ask serde_json to keep the order of insertion.
        Value::Object(fields) => {
            out.push('{');
            for (n, (key, field)) in fields.iter().collect::<BTreeMap<_, _>>().into_iter().enumerate() {
                if n > 0 {
                    out.push(',');
                }
                out.push_str(&Value::from(key.as_str()).to_string());
                out.push(':');
                write(field, out)?;
            }
            out.push('}');
        }
        Value::Null | Value::Bool(_) | Value::String(_) => out.push_str(&value.to_string()),
    }
    Ok(())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn keys_are_sorted_at_every_depth_and_nothing_is_added() {
        let value = json!({"b": [1, {"z": null, "a": true}], "a": "é\"\n", "": -9_007_199_254_740_991_i64});
        let text = r#"{"":-9007199254740991,"a":"é\"\n","b":[1,{"a":true,"z":null}]}"#;
        assert_eq!(String::from_utf8(bytes(&value).unwrap()).unwrap(), text);
        assert_eq!(parse(text.as_bytes()), Some(value));
    }

    #[test]
    fn numbers_that_readers_round_are_refused() {
        for number in [json!(1.5), json!(1.0), json!(1_u64 << 53), json!(u64::MAX), json!(i64::MIN)] {
            assert_eq!(bytes(&json!([number])), Err(NotCanonical), "{number}");
        }
    }

    #[test]
    fn another_spelling_is_not_canonical() {
        for text in [r#"{"b":1,"a":1}"#, r#"{"a": 1}"#, r#"{"a":1,"a":1}"#, r#"["\u0061"]"#, "1e0", "[1]]", ""] {
            assert_eq!(parse(text.as_bytes()), None, "{text}");
        }
    }
}
