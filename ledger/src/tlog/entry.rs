//! What every entry of a log of this program has, whoever holds its bytes: canonical form, number, nonce and chain.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::tree::{Frontier, Hash, leaf_hash};

/// How many hexadecimal digits a nonce or a root has.
const HASH_DIGITS: usize = 64;

/// JSON without white space. The map is sorted and flat, so this is the canonical form.
pub(crate) fn canonical(fields: &BTreeMap<impl serde::Serialize + Ord, Value>) -> Result<Vec<u8>, serde_json::Error> {
    serde_json::to_vec(fields)
}

/// Checks one entry against the tree of the entries before it and gives its leaf hash.
pub(crate) fn verify_entry(before: &Frontier, entry: &[u8]) -> Result<Hash, &'static str> {
    let fields: BTreeMap<String, Value> = serde_json::from_slice(entry).map_err(|_| "the entry is not JSON")?;
    if canonical(&fields).ok().as_deref() != Some(entry) {
        return Err("the entry is not in canonical form");
    }
    let text = |key| fields.get(key).and_then(Value::as_str);
    if fields.get("seq").and_then(Value::as_u64) != Some(before.size()) {
        return Err("the entry tells another number");
    }
    if text("prev") != Some(hex::encode(before.root()).as_str()) {
        return Err("the entry does not follow from the entries before it");
    }
    let digit = |byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    if !text("nonce").is_some_and(|nonce| nonce.len() == HASH_DIGITS && nonce.bytes().all(digit)) {
        return Err("the entry has no nonce");
    }
    Ok(leaf_hash(entry))
}
