//! The audit of the books: every running total is recomputed from the facts beneath it, and the facts are compared with
//! what the log tells of them.

use rusqlite::Connection;

use crate::error::LedgerError;
use crate::store::Ledger;

/// Each finds rows that must not exist, and says what they would mean.
const FAULTS: [(&str, &str); 14] = [
    (
        "a domain's total is not the sum of its charges",
        "SELECT 1 FROM domain d WHERE (spent_rho, spent_delta) IS NOT
             (SELECT coalesce(sum(rho), 0), coalesce(sum(delta), 0) FROM charge c WHERE c.domain = d.domain)",
    ),
    (
        "a contract's total is not the sum of its debits",
        "SELECT 1 FROM contract k WHERE (debited_rho, debited_delta) IS NOT
             (SELECT coalesce(sum(rho), 0), coalesce(sum(delta), 0) FROM debit d WHERE d.contract = k.contract)",
    ),
    (
        "a day's total is not the sum of its debits",
        "SELECT 1 FROM contract_day t WHERE (debited_rho, debited_delta) IS NOT
             (SELECT coalesce(sum(rho), 0), coalesce(sum(delta), 0) FROM debit d
              WHERE d.contract = t.contract AND d.day = t.day)",
    ),
    (
        "a debit belongs to no counted day",
        "SELECT 1 FROM debit d WHERE NOT EXISTS
             (SELECT 1 FROM contract_day t WHERE t.contract = d.contract AND t.day = d.day)",
    ),
    (
        "a debit is not of its request's cost",
        "SELECT 1 FROM debit d JOIN charge c ON c.request = d.request WHERE (d.rho, d.delta) IS NOT (c.rho, c.delta)",
    ),
    (
        "a charge was not debited to the contract that asked first",
        "SELECT 1 FROM charge c WHERE NOT EXISTS
             (SELECT 1 FROM debit d WHERE d.request = c.request AND d.contract = c.contract)",
    ),
    (
        "the attempts of a request are not numbered 1, 2, …",
        "SELECT 1 FROM charge c WHERE (SELECT count(*) FROM attempt a WHERE a.request = c.request) IS NOT
             (SELECT max(number) FROM attempt a WHERE a.request = c.request)",
    ),
    ("a request is both released and lost", "SELECT 1 FROM release r JOIN lost l ON l.request = r.request"),
    (
        "a domain is not what its log entry says",
        "SELECT 1 FROM domain f JOIN told t ON t.seq = f.leaf WHERE
             (t.kind, t.domain, t.cap_rho, t.cap_delta) IS NOT ('domain', f.domain, f.cap_rho, f.cap_delta)",
    ),
    (
        "a contract is not what its log entry says",
        "SELECT 1 FROM contract f JOIN told t ON t.seq = f.leaf WHERE
             (t.kind, t.contract, t.domain, t.terms, t.allotment_rho, t.allotment_delta)
             IS NOT ('contract', f.contract, f.domain, lower(hex(f.digest)), f.allotment_rho, f.allotment_delta)",
    ),
    (
        "a charge is not what its log entry says",
        "SELECT 1 FROM charge f JOIN told t ON t.seq = f.leaf WHERE
             (t.kind, t.request, t.domain, t.rho, t.delta)
             IS NOT ('charge', lower(hex(f.request)), f.domain, f.rho, f.delta)",
    ),
    (
        "a debit is not what its log entry says",
        "SELECT 1 FROM debit f JOIN told t ON t.seq = f.leaf WHERE
             (t.request, t.contract, t.rho, t.delta)
             IS NOT (lower(hex(f.request)), f.contract, f.rho, f.delta)",
    ),
    (
        "a release is not what its log entry says",
        "SELECT 1 FROM release f JOIN told t ON t.seq = f.leaf WHERE
             (t.kind, t.request, t.body) IS NOT ('release', lower(hex(f.request)), lower(hex(f.digest)))",
    ),
    (
        "the log tells of a fact that is not there",
        "SELECT 1 FROM told WHERE
             (kind = 'domain' AND seq NOT IN (SELECT leaf FROM domain))
             OR (kind = 'contract' AND seq NOT IN (SELECT leaf FROM contract))
             OR (kind = 'charge' AND seq NOT IN (SELECT leaf FROM charge))
             OR (kind = 'release' AND seq NOT IN (SELECT leaf FROM release))
             OR (kind = 'lost' AND seq NOT IN (SELECT leaf FROM lost))",
    ),
];

/// The log's entries as columns, in front of every query that compares facts with them.
const TOLD: &str = "WITH parsed AS (SELECT seq, CAST(entry AS TEXT) AS e FROM log_entry),
    told AS (SELECT seq, e ->> 'kind' AS kind, e ->> 'domain' AS domain, e ->> 'contract' AS contract,
        e ->> 'request' AS request, e ->> 'terms' AS terms, e ->> 'body' AS body,
        CAST(e ->> 'rho' AS INTEGER) AS rho, CAST(e ->> 'delta' AS INTEGER) AS delta,
        CAST(e ->> 'cap_rho' AS INTEGER) AS cap_rho, CAST(e ->> 'cap_delta' AS INTEGER) AS cap_delta,
        CAST(e ->> 'allotment_rho' AS INTEGER) AS allotment_rho,
        CAST(e ->> 'allotment_delta' AS INTEGER) AS allotment_delta
        FROM parsed) ";

/// A contract's promise, as the invariant of the module `contract` has it, at the last seen instant.
const OVER_PROMISED: &str = "SELECT 1 FROM domain d WHERE
    spent_rho + (SELECT coalesce(sum(allotment_rho - debited_rho), 0) FROM contract k
                 WHERE k.domain = d.domain AND k.ends_at > (SELECT last_seen FROM clock)) > cap_rho
    OR spent_delta + (SELECT coalesce(sum(allotment_delta - debited_delta), 0) FROM contract k
                 WHERE k.domain = d.domain AND k.ends_at > (SELECT last_seen FROM clock)) > cap_delta";

impl Ledger {
    /// Recomputes every total from the charges and debits beneath it, compares the facts with the log, and asks the
    /// store to check itself. Together with [`Ledger::verify_log`] this is the whole audit of a ledger.
    ///
    /// Takes time in proportion to the ledger and holds up the service meanwhile.
    ///
    /// # Errors
    /// [`LedgerError::Corrupt`] with the first fault; else if the store fails.
    pub fn verify_books(&self) -> Result<(), LedgerError> {
        self.read(|tx| {
            for (what, sql) in FAULTS {
                none(tx, what, sql)?;
            }
            none(tx, "a domain has promised more than it has", OVER_PROMISED)?;
            none(tx, "a row refers to nothing", "SELECT 1 FROM pragma_foreign_key_check")?;
            none(tx, "the file is damaged", "SELECT 1 FROM pragma_quick_check WHERE quick_check <> 'ok'")
        })
    }
}

fn none(tx: &Connection, what: &str, sql: &str) -> Result<(), LedgerError> {
    if tx.prepare(&format!("{TOLD}{sql}"))?.exists([])? { Err(LedgerError::Corrupt(what.to_owned())) } else { Ok(()) }
}
