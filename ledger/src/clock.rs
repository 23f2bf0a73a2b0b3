//! The ledger's clock: `max(last seen, now)`.
//!
//! Days, expiry and contracts in force are judged by it, so that turning the system clock back frees no budget.

use std::time::{SystemTime, UNIX_EPOCH};

use rusqlite::Connection;

use crate::error::LedgerError;

const SECONDS_PER_DAY: i64 = 86_400;

/// The UTC day of an instant, counted from 1970.
pub(crate) fn day_of(unix_s: i64) -> i64 {
    unix_s.div_euclid(SECONDS_PER_DAY)
}

/// The ledger's time at `now`, which becomes the last seen if it is later. For decisions about budget.
pub(crate) fn advance(tx: &Connection, now_unix_s: i64) -> Result<i64, LedgerError> {
    let last_seen = last_seen(tx)?;
    if now_unix_s > last_seen {
        tx.prepare_cached("UPDATE clock SET last_seen = ?1 WHERE id = 1")?.execute([now_unix_s])?;
    }
    Ok(last_seen.max(now_unix_s))
}

/// The ledger's time at `now`, without moving the last seen. For what only reads.
pub(crate) fn at(tx: &Connection, now_unix_s: i64) -> Result<i64, LedgerError> {
    Ok(last_seen(tx)?.max(now_unix_s))
}

/// The ledger's time by the system clock. For what is called without an instant of its own.
pub(crate) fn by_system(tx: &Connection) -> Result<i64, LedgerError> {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    at(tx, i64::try_from(since_1970.as_secs()).unwrap_or(i64::MAX))
}

fn last_seen(tx: &Connection) -> Result<i64, LedgerError> {
    Ok(tx.prepare_cached("SELECT last_seen FROM clock WHERE id = 1")?.query_row([], |row| row.get(0))?)
}
