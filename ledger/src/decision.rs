//! Policy decisions, kept so that an auditor can make them again.

use glovebox_policy::{ContractId, Digest};
use rusqlite::{Connection, OptionalExtension as _};

use crate::charge::Order;
use crate::error::LedgerError;
use crate::store::Ledger;

/// Longest record, in bytes.
pub const DECISION_MAX_BYTES: usize = 1024 * 1024;

/// A decision that an entry of the log names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredDecision {
    /// Its digest.
    pub digest: Digest,
    /// What it rested on.
    pub record: Vec<u8>,
    /// The contract of the entry.
    pub contract: ContractId,
    /// The time of the entry, in seconds since 1970.
    pub at_unix_s: i64,
}

impl Ledger {
    /// What the decision rested on by which a contract paid for a request; `None` if it did not pay.
    ///
    /// # Errors
    /// If the store fails.
    pub fn decision_record(&self, request: Digest, contract: &ContractId) -> Result<Option<Vec<u8>>, LedgerError> {
        self.read(|tx| {
            let sql = "SELECT record FROM decision WHERE digest = (SELECT decision FROM debit WHERE request = ?1 AND contract = ?2)";
            let found = tx.prepare_cached(sql)?.query_row((request.as_bytes(), contract.as_str()), |row| row.get(0));
            Ok(found.optional()?)
        })
    }

    /// The decision that an entry of the log rests on; `None` if there is no such entry, or it rests on none.
    ///
    /// # Errors
    /// [`LedgerError::Corrupt`] if the record is not the one that the entry names; else if the store fails.
    pub fn decision_of(&self, leaf: u64) -> Result<Option<StoredDecision>, LedgerError> {
        let Some(entry) = self.entries(leaf, 1)?.pop() else {
            return Ok(None);
        };
        let corrupt = |what: &str| LedgerError::Corrupt(format!("entry {leaf}: {what}"));
        let entry: serde_json::Value = serde_json::from_slice(&entry).map_err(|_| corrupt("it is not JSON"))?;
        let text = |name: &str| entry.get(name).and_then(serde_json::Value::as_str);
        let (Some(digest), Some(contract)) = (text("decision"), text("contract")) else {
            return Ok(None);
        };
        // Entries of a release tell the decision too, at a time at which nothing was decided.
        let charged = text("kind").is_some_and(|kind| ["charge", "reuse", "join", "resume"].contains(&kind));
        let Some(digest) = digest.parse::<Digest>().ok().filter(|_| charged) else {
            return Ok(None);
        };
        let contract = contract.parse().map_err(|_| corrupt("it names no contract"))?;
        let at_unix_s =
            entry.get("time").and_then(serde_json::Value::as_i64).ok_or_else(|| corrupt("it has no time"))?;
        let record: Option<Vec<u8>> = self.read(|tx| {
            Ok(tx
                .prepare_cached("SELECT record FROM decision WHERE digest = ?1")?
                .query_row([digest.as_bytes()], |row| row.get(0))
                .optional()?)
        })?;
        let record = record.ok_or_else(|| corrupt("its decision is not there"))?;
        if Digest::of(&record) != digest {
            return Err(corrupt("its decision was changed"));
        }
        Ok(Some(StoredDecision { digest, record, contract, at_unix_s }))
    }
}

/// Keeps what an order's decision rested on.
pub(crate) fn keep(tx: &Connection, order: &Order) -> Result<(), LedgerError> {
    if Digest::of(&order.decision_record) != order.decision {
        return Err(LedgerError::Conflict("the record of the decision is another decision's"));
    }
    if order.decision_record.len() > DECISION_MAX_BYTES {
        return Err(LedgerError::TooLarge("decision"));
    }
    let known = tx.prepare_cached("SELECT 1 FROM decision WHERE digest = ?1")?.exists([order.decision.as_bytes()])?;
    if !known {
        tx.prepare_cached("INSERT INTO decision (digest, record) VALUES (?1, ?2)")?
            .execute((order.decision.as_bytes(), &order.decision_record))?;
    }
    Ok(())
}
