//! The ledger's side of the published log: its signed head, tiles, bundles and proofs, each in one transaction that reads.
//!
//! All of it is a function of the entries up to the current head. Nothing here writes, and so a reader of the log leaves no
//! trace in it. What a proof or tile needs are complete nodes, which never change: two calls around an append fit together.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension as _};

use crate::error::LedgerError;
use crate::log::frontier;
use crate::row;
use crate::seal::Seal;
use crate::store::Ledger;
use crate::tlog::checkpoint::Checkpoint;
use crate::tlog::export::{self, ExportError};
use crate::tlog::note::VerifierKey;
use crate::tlog::proof::{self, Hash};
use crate::tlog::tile::{FULL_WIDTH, TILE_HEIGHT, Tile, TileKind, encode_bundle};
use crate::tlog::tlog_proof::TlogProof;

impl Ledger {
    /// What the log's checkpoints are verified with; its text form is for the public.
    pub fn verifier_key(&self) -> &VerifierKey {
        self.seal.verifier_key()
    }

    /// The signed checkpoint of the current head: a C2SP signed note.
    ///
    /// # Errors
    /// If the store fails.
    pub fn checkpoint(&self) -> Result<String, LedgerError> {
        self.read(|tx| signed_head(tx, &self.seal).map(|(note, _)| note))
    }

    /// The bytes of a tile of hashes: `width` hashes (1 to 256) of 32 bytes from number `index * 256` of tile level `level`
    /// on. `None` if the log does not have all of them.
    ///
    /// # Errors
    /// If the store fails or a node is missing.
    pub fn tile(&self, level: u8, index: u64, width: u16) -> Result<Option<Vec<u8>>, LedgerError> {
        Tile::hashes(level, index, width).map_or(Ok(None), |tile| self.tile_bytes(&tile))
    }

    /// The bytes of a bundle of entries: `width` entries (1 to 256) from number `index * 256` on, each behind its length in
    /// two bytes. `None` if the log does not have all of them.
    ///
    /// # Errors
    /// If the store fails or an entry is missing.
    pub fn entry_bundle(&self, index: u64, width: u16) -> Result<Option<Vec<u8>>, LedgerError> {
        Tile::entries(index, width).map_or(Ok(None), |tile| self.tile_bytes(&tile))
    }

    /// The bytes of a tile or bundle, named as its path names it ([`Tile::from_path`]). `None` if the log does not have all
    /// that it holds.
    ///
    /// # Errors
    /// If the store fails or a part is missing.
    pub fn tile_bytes(&self, tile: &Tile) -> Result<Option<Vec<u8>>, LedgerError> {
        self.read(|tx| {
            if !tile.is_within(frontier(tx)?.size()) {
                return Ok(None);
            }
            match tile.kind() {
                TileKind::Hashes { level } => hashes(tx, level, tile).map(|hashes| Some(hashes.concat())),
                TileKind::Entries => {
                    let read = "SELECT entry FROM log_entry WHERE seq >= ?1 AND seq < ?2 ORDER BY seq";
                    let entries: Vec<Vec<u8>> = range(tx, read, None, tile)?;
                    Ok(encode_bundle(entries))
                }
            }
        })
    }

    /// The detached proof that entry `leaf` is in the log under its current head, with the entry's bytes in it: the text of
    /// a `c2sp.org/tlog-proof@v1` file.
    ///
    /// # Errors
    /// [`LedgerError::Unknown`] if the log has no such entry; else if the store fails or a node is missing.
    pub fn log_proof(&self, leaf: u64) -> Result<String, LedgerError> {
        self.read(|tx| {
            let (checkpoint, head) = signed_head(tx, &self.seal)?;
            let unknown = || LedgerError::Unknown { kind: "log entry", name: leaf.to_string() };
            let seq = i64::try_from(leaf).map_err(|_| unknown())?;
            let entry: Option<Vec<u8>> = tx
                .prepare_cached("SELECT entry FROM log_entry WHERE seq = ?1")?
                .query_row([seq], |row| row.get(0))
                .optional()?;
            let entry = entry.ok_or_else(unknown)?;
            let hashes = proof::inclusion(&mut |level, place| node(tx, level, place), leaf, head.size)?;
            Ok(TlogProof { extra: Some(entry), index: leaf, hashes, checkpoint }.to_string())
        })
    }

    /// The proof that the log of `old` entries is the beginning of the log of `new` entries: hashes of 32 bytes as
    /// [`proof::verify_consistency`] takes them.
    ///
    /// # Errors
    /// [`LedgerError::Conflict`] unless `old <= new <=` the current size; else if the store fails or a node is missing.
    pub fn prove_consistency(&self, old: u64, new: u64) -> Result<Vec<Hash>, LedgerError> {
        self.read(|tx| {
            if old > new || new > frontier(tx)?.size() {
                return Err(LedgerError::Conflict("the log has not had these sizes one after the other"));
            }
            proof::consistency(&mut |level, place| node(tx, level, place), old, new)
        })
    }

    /// Writes the whole log into the directory `dir`, which must be empty or absent: see [`export`]. Reads tile by tile and
    /// so does not hold up the service.
    ///
    /// # Errors
    /// [`ExportError`].
    pub fn export_log(&self, dir: &Path) -> Result<Checkpoint, ExportError> {
        let checkpoint = self.checkpoint().map_err(|error| ExportError::Source(Box::new(error)))?;
        export::write(dir, &checkpoint, self.verifier_key(), &mut |tile| {
            self.tile_bytes(tile)?.ok_or_else(|| LedgerError::Corrupt("the log has become shorter".to_owned()))
        })
    }
}

/// The head, signed and as it is.
fn signed_head(tx: &Connection, seal: &Seal) -> Result<(String, Checkpoint), LedgerError> {
    let frontier = frontier(tx)?;
    let head = Checkpoint { origin: seal.origin().to_owned(), size: frontier.size(), root: frontier.root() };
    let note = seal.sign_note(&head.text()).map_err(|error| LedgerError::Store(Box::new(error)))?;
    Ok((note, head))
}

/// The complete node `place` of tree level `level`.
fn node(tx: &Connection, level: u8, place: u64) -> Result<Hash, LedgerError> {
    let place = row::signed(place)?;
    let found: Option<Hash> = if level == 0 {
        let mut leaf = tx.prepare_cached("SELECT leaf FROM log_entry WHERE seq = ?1")?;
        leaf.query_row([place], |row| row.get(0)).optional()?
    } else {
        let mut node = tx.prepare_cached("SELECT hash FROM log_node WHERE level = ?1 AND place = ?2")?;
        node.query_row((level, place), |row| row.get(0)).optional()?
    };
    found.ok_or_else(|| LedgerError::Corrupt(format!("the log's node `{level}/{place}` is missing")))
}

/// The hashes of a tile of tile level `level`.
fn hashes(tx: &Connection, level: u8, tile: &Tile) -> Result<Vec<Hash>, LedgerError> {
    if level == 0 {
        range(tx, "SELECT leaf FROM log_entry WHERE seq >= ?1 AND seq < ?2 ORDER BY seq", None, tile)
    } else {
        let read = "SELECT hash FROM log_node WHERE place >= ?1 AND place < ?2 AND level = ?3 ORDER BY place";
        range(tx, read, Some(level * TILE_HEIGHT), tile)
    }
}

/// The rows of a tile, all of them.
fn range<T: rusqlite::types::FromSql>(
    tx: &Connection,
    read: &str,
    level: Option<u8>,
    tile: &Tile,
) -> Result<Vec<T>, LedgerError> {
    let start = row::signed(tile.index() * u64::from(FULL_WIDTH))?;
    let end = start + i64::from(tile.width());
    let mut rows = tx.prepare_cached(read)?;
    let rows: Vec<T> = match level {
        Some(level) => rows.query_map((start, end, level), |row| row.get(0))?.collect::<Result<_, _>>()?,
        None => rows.query_map((start, end), |row| row.get(0))?.collect::<Result<_, _>>()?,
    };
    if rows.len() == usize::from(tile.width()) {
        Ok(rows)
    } else {
        Err(LedgerError::Corrupt(format!("the log lacks a part of `{tile}`")))
    }
}
