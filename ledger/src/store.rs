//! The file behind the ledger: how it is made, opened, checked, and how a transaction runs.
//!
//! SQLite with write-ahead log and `synchronous=FULL`: a commit that returns is on disk. One connection writes, behind
//! a lock; every transaction takes the write lock at its start. No SQL type appears in the crate's public face.

use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use crate::charge::Live;
use crate::error::LedgerError;
use crate::log;
use crate::seal::Seal;

const SCHEMA: &str = include_str!("schema.sql");

/// The version of `schema.sql`. A change of any statement there is a new version.
pub const SCHEMA_VERSION: i64 = 4;

/// Marks the file as a Glovebox ledger in SQLite's own header ("GBX1").
const APPLICATION_ID: i64 = 0x4742_5831;

/// How long a transaction waits for another process, for instance a backup.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// The durable state. Cheap to share behind an `Arc`; every method is one transaction.
pub struct Ledger {
    writer: Mutex<Connection>,
    path: PathBuf,
    pub(crate) seal: Seal,
    pub(crate) live: Arc<Live>,
}

impl std::fmt::Debug for Ledger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ledger").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Ledger {
    /// Makes a new, empty ledger at `path` (`ledger.sqlite` by custom), readable by the owner only. `seal` signs its
    /// log from now on.
    ///
    /// # Errors
    /// [`LedgerError::Exists`] if there is a ledger or another database at `path`; else if the store fails.
    pub fn create(path: &Path, seal: Seal) -> Result<Self, LedgerError> {
        let mut options = OpenOptions::new();
        options.create(true).truncate(false).write(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(path).map_err(|error| LedgerError::Store(Box::new(error)))?;
        let mut conn = connect(path)?;
        let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        // An empty database is what a crash in the middle of this function leaves behind: carry on from there.
        let tables: i64 = tx.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
        if tables != 0 {
            return Err(LedgerError::Exists { kind: "ledger", name: path.display().to_string() });
        }
        tx.execute_batch(SCHEMA)?;
        tx.execute("INSERT INTO log_key (id, verifier) VALUES (1, ?1)", [seal.verifier_key().to_string()])?;
        tx.pragma_update(None, "application_id", APPLICATION_ID)?;
        tx.pragma_update(None, "user_version", SCHEMA_VERSION)?;
        tx.commit()?;
        Self::checked(conn, path, seal)
    }

    /// Opens the ledger at `path`, whose log `seal` signs.
    ///
    /// # Errors
    /// [`LedgerError::Schema`] if the file is no ledger, is of another version, or if a table, check or trigger of it
    /// differs from what this program made; [`LedgerError::Corrupt`] if the log's size is wrong;
    /// [`LedgerError::Seal`] if the log is of another key or origin; else if the store fails.
    pub fn open(path: &Path, seal: Seal) -> Result<Self, LedgerError> {
        Self::checked(connect(path)?, path, seal)
    }

    fn checked(conn: Connection, path: &Path, seal: Seal) -> Result<Self, LedgerError> {
        check_schema(&conn)?;
        log::check_size(&conn)?;
        check_seal(&conn, &seal)?;
        Ok(Self { writer: Mutex::new(conn), path: path.to_owned(), seal, live: Arc::default() })
    }

    /// Where the ledger is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Runs one transaction that writes: all of `work`, durably, or nothing.
    pub(crate) fn write<T, E: From<LedgerError>>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut conn = self.lock();
        let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate).map_err(LedgerError::from)?;
        let done = work(&tx)?;
        tx.commit().map_err(LedgerError::from)?;
        Ok(done)
    }

    /// Runs one transaction that only reads.
    pub(crate) fn read<T>(&self, work: impl FnOnce(&Connection) -> Result<T, LedgerError>) -> Result<T, LedgerError> {
        let mut conn = self.lock();
        let tx = conn.transaction()?;
        work(&tx)
    }

    /// A panic elsewhere rolled its transaction back, so a poisoned lock guards a sound connection.
    fn lock(&self) -> MutexGuard<'_, Connection> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn connect(path: &Path) -> Result<Connection, LedgerError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags)?;
    conn.busy_timeout(BUSY_TIMEOUT)?;
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    let mode: String = conn.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
    if mode != "wal" {
        return Err(LedgerError::Conflict("the file system cannot hold a write-ahead log"));
    }
    conn.pragma_update(None, "synchronous", "FULL")?;
    conn.pragma_update(None, "foreign_keys", true)?;
    conn.pragma_update(None, "trusted_schema", false)?;
    conn.pragma_update(None, "recursive_triggers", true)?;
    conn.pragma_update(None, "cell_size_check", true)?;
    conn.set_prepared_statement_cache_capacity(128);
    Ok(conn)
}

fn check_schema(conn: &Connection) -> Result<(), LedgerError> {
    let differs = |what: &str| LedgerError::Schema { expected: SCHEMA_VERSION, what: what.to_owned() };
    let application: i64 = conn.pragma_query_value(None, "application_id", |row| row.get(0))?;
    if application != APPLICATION_ID {
        return Err(differs("the file is not a Glovebox ledger"));
    }
    let version: i64 = conn.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if version != SCHEMA_VERSION {
        return Err(differs(&format!("the file is of version `{version}`; open it with the program that made it")));
    }
    let fresh = Connection::open_in_memory()?;
    fresh.execute_batch(SCHEMA)?;
    let (found, expected) = (objects(conn)?, objects(&fresh)?);
    match expected.iter().find(|object| !found.contains(object)).or(found.iter().find(|o| !expected.contains(o))) {
        Some((name, _)) => Err(differs(&format!("`{name}` differs"))),
        None => Ok(()),
    }
}

/// INVARIANT (one log, one key): checkpoints of one log are signed by one key under one origin, or its readers would take
/// the log for two.
fn check_seal(conn: &Connection, seal: &Seal) -> Result<(), LedgerError> {
    let stored: String = conn.query_row("SELECT verifier FROM log_key WHERE id = 1", [], |row| row.get(0))?;
    let given = seal.verifier_key().to_string();
    if stored == given { Ok(()) } else { Err(LedgerError::Seal { stored, given }) }
}

/// Every table, index and trigger with the statement that made it.
fn objects(conn: &Connection) -> Result<Vec<(String, String)>, LedgerError> {
    let mut rows = conn.prepare("SELECT name, coalesce(sql, '') FROM sqlite_schema ORDER BY name")?;
    let objects = rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
    Ok(objects)
}
