//! The audit log: canonical JSON entries, hash-chained, the leaves of an RFC 6962 tree.
//!
//! An entry is appended only inside the transaction that makes the change it tells of. It holds account names, digests
//! and numbers; never the text of a query or a value of a row. Privacy loss is written in steps, as decimal text,
//! because JSON readers lose the last digits of large numbers.
//!
//! INVARIANT (a hash tells nothing): every entry carries 32 fresh random bytes. An inclusion proof shows hashes of
//! neighbouring entries to whoever holds it; without the nonce he could hash his guesses of what others did (few names,
//! few prices, known times) until one fits.

use std::collections::BTreeMap;

use glovebox_policy::{Cost, Digest};
use ring::rand::{SecureRandom as _, SystemRandom};
use rusqlite::{Connection, OpenFlags, OptionalExtension as _};
use serde_json::Value;

use crate::error::LedgerError;
use crate::row;
use crate::store::Ledger;
use crate::tlog::entry::{canonical, verify_entry};
use crate::tree::{Frontier, Hash, leaf_hash};

/// The largest entry, in bytes, so that tiles can carry it behind a 16-bit length.
pub const ENTRY_MAX_BYTES: usize = 65_535;

/// The version of the entries' form.
const ENTRY_VERSION: u64 = 1;

/// The size of the log and the root of its tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TreeHead {
    /// How many entries there are.
    pub size: u64,
    /// The RFC 6962 root over all of them.
    pub root: [u8; 32],
}

/// An entry being written. The keys are sorted by construction.
pub(crate) struct Entry {
    fields: BTreeMap<&'static str, Value>,
}

impl Entry {
    /// An entry that tells of a change of the named kind at the ledger's time `time` (seconds since 1970).
    pub(crate) fn new(kind: &'static str, time: i64) -> Self {
        Self { fields: BTreeMap::from([("kind", kind.into()), ("time", time.into()), ("v", ENTRY_VERSION.into())]) }
    }

    /// Adds a name or a short public text.
    pub(crate) fn text(mut self, key: &'static str, value: &str) -> Self {
        self.fields.insert(key, value.into());
        self
    }

    /// Adds a digest in hexadecimal.
    pub(crate) fn digest(self, key: &'static str, value: &Digest) -> Self {
        self.text(key, &value.to_string())
    }

    /// Adds a small number.
    pub(crate) fn number(mut self, key: &'static str, value: i64) -> Self {
        self.fields.insert(key, value.into());
        self
    }

    /// Adds a privacy loss in steps, under two keys.
    pub(crate) fn cost(self, rho_key: &'static str, delta_key: &'static str, value: Cost) -> Self {
        self.text(rho_key, &value.rho.steps().to_string()).text(delta_key, &value.delta.steps().to_string())
    }

    /// Appends the entry as the next leaf and gives its number.
    pub(crate) fn append(mut self, tx: &Connection) -> Result<u64, LedgerError> {
        let mut frontier = frontier(tx)?;
        let seq = frontier.size();
        let mut nonce = [0; 32];
        SystemRandom::new().fill(&mut nonce).map_err(|_| LedgerError::Randomness)?;
        self.fields.insert("nonce", hex::encode(nonce).into());
        self.fields.insert("prev", hex::encode(frontier.root()).into());
        self.fields.insert("seq", seq.into());
        let entry = canonical(&self.fields).map_err(|error| LedgerError::Store(Box::new(error)))?;
        if entry.len() > ENTRY_MAX_BYTES {
            return Err(LedgerError::TooLarge("log entry"));
        }
        let leaf = leaf_hash(&entry);
        tx.prepare_cached("INSERT INTO log_entry (seq, entry, leaf) VALUES (?1, ?2, ?3)")?.execute((
            row::signed(seq)?,
            entry,
            leaf,
        ))?;
        for (level, hash) in (1_u8..).zip(frontier.push(leaf)) {
            tx.prepare_cached("INSERT INTO log_node (level, place, hash) VALUES (?1, ?2, ?3)")?.execute((
                level,
                row::signed(seq >> level)?,
                hash,
            ))?;
        }
        tx.prepare_cached("UPDATE log_head SET size = ?1, frontier = ?2 WHERE id = 1")?
            .execute((row::signed(frontier.size())?, frontier.to_stored()))?;
        Ok(seq)
    }
}

/// The stored frontier.
pub(crate) fn frontier(tx: &Connection) -> Result<Frontier, LedgerError> {
    let (size, bytes): (i64, Vec<u8>) = tx
        .prepare_cached("SELECT size, frontier FROM log_head WHERE id = 1")?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Frontier::from_stored(row::unsigned(size)?, &bytes)
        .ok_or_else(|| LedgerError::Corrupt("the log's frontier does not fit its size".to_owned()))
}

/// Checks that the log's size is the number of its entries: cheap enough for every start.
pub(crate) fn check_size(tx: &Connection) -> Result<(), LedgerError> {
    let next: i64 = tx.query_row("SELECT coalesce(max(seq) + 1, 0) FROM log_entry", [], |row| row.get(0))?;
    if row::unsigned(next)? == frontier(tx)?.size() {
        Ok(())
    } else {
        Err(LedgerError::Corrupt("the log's size is not the number of its entries".to_owned()))
    }
}

impl Ledger {
    /// The size of the log and the root of its tree.
    ///
    /// # Errors
    /// If the store fails.
    pub fn tree_head(&self) -> Result<TreeHead, LedgerError> {
        self.read(|tx| {
            let frontier = frontier(tx)?;
            Ok(TreeHead { size: frontier.size(), root: frontier.root() })
        })
    }

    /// At most `limit` entries from number `from` on, in order, exactly as they were hashed.
    ///
    /// # Errors
    /// If the store fails.
    pub fn entries(&self, from: u64, limit: u32) -> Result<Vec<Vec<u8>>, LedgerError> {
        let from = i64::try_from(from).unwrap_or(i64::MAX);
        self.read(|tx| {
            let mut rows = tx.prepare_cached("SELECT entry FROM log_entry WHERE seq >= ?1 ORDER BY seq LIMIT ?2")?;
            let entries = rows.query_map((from, limit), |row| row.get(0))?.collect::<Result<_, _>>()?;
            Ok(entries)
        })
    }

    /// The leaf hashes of at most `limit` entries from number `from` on: what tiles and proofs are made of.
    ///
    /// # Errors
    /// If the store fails.
    pub fn leaf_hashes(&self, from: u64, limit: u32) -> Result<Vec<[u8; 32]>, LedgerError> {
        let from = i64::try_from(from).unwrap_or(i64::MAX);
        self.read(|tx| {
            let mut rows = tx.prepare_cached("SELECT leaf FROM log_entry WHERE seq >= ?1 ORDER BY seq LIMIT ?2")?;
            let leaves = rows.query_map((from, limit), |row| row.get(0))?.collect::<Result<_, _>>()?;
            Ok(leaves)
        })
    }

    /// Recomputes the whole log from its entries and compares it with the stored hashes, nodes, chain, frontier and size.
    ///
    /// Reads through a connection of its own and so does not hold up the service. Takes time in proportion to the log.
    ///
    /// # Errors
    /// [`LedgerError::Log`] with the first entry that is wrong; [`LedgerError::Corrupt`] if all entries are sound but
    /// the stored head is not theirs.
    pub fn verify_log(&self) -> Result<TreeHead, LedgerError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut reader = Connection::open_with_flags(self.path(), flags)?;
        let tx = reader.transaction()?;
        let mut computed = Frontier::default();
        {
            let mut rows = tx.prepare("SELECT seq, entry, leaf FROM log_entry ORDER BY seq")?;
            let mut rows = rows.query([])?;
            while let Some(row) = rows.next()? {
                let wrong = |seq, what| Err(LedgerError::Log { seq, what });
                let (seq, stored): (i64, Hash) = (row.get(0)?, row.get(2)?);
                let next = computed.size();
                if u64::try_from(seq) != Ok(next) {
                    return wrong(next, "the entry is missing");
                }
                let entry = row.get_ref(1)?.as_blob().unwrap_or_default();
                if leaf_hash(entry) != stored {
                    return wrong(next, "the entry is not the one that was hashed");
                }
                match verify_entry(&computed, entry) {
                    Err(what) => return wrong(next, what),
                    Ok(leaf) => verify_nodes(&tx, next, &computed.push(leaf))?,
                }
            }
        }
        let nodes: i64 = tx.query_row("SELECT count(*) FROM log_node", [], |row| row.get(0))?;
        if row::unsigned(nodes)? != computed.size() - u64::from(computed.size().count_ones()) {
            return Err(LedgerError::Corrupt("the log has more nodes than its entries make".to_owned()));
        }
        if computed == frontier(&tx)? {
            Ok(TreeHead { size: computed.size(), root: computed.root() })
        } else {
            Err(LedgerError::Corrupt("the stored head of the log is not that of its entries".to_owned()))
        }
    }
}

/// Checks the stored inner nodes whose last leaf is entry `seq`.
fn verify_nodes(tx: &Connection, seq: u64, computed: &[Hash]) -> Result<(), LedgerError> {
    for (level, hash) in (1_u8..).zip(computed) {
        let stored: Option<Hash> = tx
            .prepare_cached("SELECT hash FROM log_node WHERE level = ?1 AND place = ?2")?
            .query_row((level, row::signed(seq >> level)?), |row| row.get(0))
            .optional()?;
        if stored.as_ref() != Some(hash) {
            return Err(LedgerError::Log { seq, what: "a stored node over the entry is not that of its entries" });
        }
    }
    Ok(())
}
