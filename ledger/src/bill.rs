//! Bills: what a contract was debited, with the price of each request.
//!
//! A price is worked out from public sizes when a request is charged, and is a fact of the debit: changing the list of
//! prices changes no number of a bill. The currency is not: a bureau does not change it. What is lost stays billed, as it stays charged: whether a run fails may depend on rows.

use glovebox_policy::{ContractId, Cost, Digest, PersonId};

use crate::error::LedgerError;
use crate::row;
use crate::store::Ledger;

/// One request on a bill.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BillLine {
    /// The request.
    pub request: Digest,
    /// Who asked.
    pub person: PersonId,
    /// When the contract was debited, in seconds since 1970.
    pub at_unix_s: i64,
    /// Privacy loss.
    pub cost: Cost,
    /// In the smallest unit of the bureau's currency.
    pub price: u64,
    /// The number of the debit's entry in the log.
    pub leaf_index: u64,
}

impl Ledger {
    /// What a contract was debited on the UTC days `from..to`, counted since 1970, oldest first.
    ///
    /// # Errors
    /// If the store fails.
    pub fn bill(&self, contract: &ContractId, from: i64, to: i64) -> Result<Vec<BillLine>, LedgerError> {
        type Found = ([u8; 32], String, i64, i64, i64, i64, i64);
        self.read(|tx| {
            let mut rows = tx.prepare_cached(
                "SELECT request, person, at, rho, delta, price, leaf FROM debit
                 WHERE contract = ?1 AND day >= ?2 AND day < ?3 ORDER BY leaf",
            )?;
            let found =
                rows.query_map((contract.as_str(), from, to), |row| -> rusqlite::Result<Found> { row.try_into() })?;
            found
                .map(|found| {
                    let (request, person, at_unix_s, rho, delta, price, leaf) = found?;
                    Ok(BillLine {
                        request: row::digest(request),
                        person: row::name(person)?,
                        at_unix_s,
                        cost: row::cost((rho, delta))?,
                        price: row::unsigned(price)?,
                        leaf_index: row::unsigned(leaf)?,
                    })
                })
                .collect()
        })
    }
}
