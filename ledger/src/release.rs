//! Releases: what left, stored with its proof of payment, and what was lost.

use std::sync::Arc;

use glovebox_policy::{Digest, PersonId};
use rusqlite::{Connection, OptionalExtension as _};
use serde_json::Value;

use crate::charge::{Charge, Live};
use crate::error::LedgerError;
use crate::log::Entry;
use crate::store::Ledger;
use crate::{canonical, clock, issue, row};

/// The largest stored release, in bytes.
pub const BODY_MAX_BYTES: usize = 256 * 1024 * 1024;

/// The longest summary of a release in the log, in bytes.
pub const SUMMARY_MAX_BYTES: usize = 4096;

/// The longest claims about the noise of a release, in bytes of canonical JSON.
pub const CLAIMS_MAX_BYTES: usize = 16 * 1024 * 1024;

/// Proof that a release is stored and paid for. Made only by the ledger, after the commit.
///
/// It cannot be made by hand:
/// ```compile_fail,E0451
/// fn forge(real: glovebox_ledger::Receipt) -> glovebox_ledger::Receipt {
///     glovebox_ledger::Receipt { leaf_index: 0, ..real }
/// }
/// ```
/// nor copied:
/// ```compile_fail,E0599
/// fn copy(receipt: &glovebox_ledger::Receipt) -> glovebox_ledger::Receipt {
///     receipt.clone()
/// }
/// ```
#[derive(Debug, PartialEq, Eq)]
pub struct Receipt {
    request: Digest,
    leaf_index: u64,
    body_digest: Digest,
    released_at: i64,
}

impl Receipt {
    /// The request that was answered.
    pub fn request(&self) -> Digest {
        self.request
    }

    /// The number of the release's entry in the log.
    pub fn leaf_index(&self) -> u64 {
        self.leaf_index
    }

    /// SHA-256 of the released bytes.
    pub fn body_digest(&self) -> Digest {
        self.body_digest
    }

    /// When the release was stored, in seconds since 1970.
    pub fn released_at(&self) -> i64 {
        self.released_at
    }
}

/// A release read back, whole. Bytes and receipt cannot be paired by hand:
/// ```compile_fail,E0451
/// fn swap(real: glovebox_ledger::StoredRelease, raw: Vec<u8>) -> glovebox_ledger::StoredRelease {
///     glovebox_ledger::StoredRelease { body: raw, ..real }
/// }
/// ```
#[derive(Debug, PartialEq, Eq)]
pub struct StoredRelease {
    body: Vec<u8>,
    receipt: Receipt,
}

impl StoredRelease {
    /// The released bytes.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// The proof of payment.
    pub fn receipt(&self) -> &Receipt {
        &self.receipt
    }

    /// Bytes and receipt, by move.
    pub fn into_parts(self) -> (Vec<u8>, Receipt) {
        (self.body, self.receipt)
    }
}

impl Ledger {
    /// Stores the one answer of a charged request, with its log entry and the certificate of the charge's contract.
    ///
    /// `body` is already noised and thereby public; `summary` is a short public text for the log (mechanism, scales);
    /// `claims` is what the plan says about the noise, public too, and goes into every certificate of the release.
    /// On any error nothing was released: throw `body` away, for the next attempt draws its own noise.
    ///
    /// # Errors
    /// [`LedgerError::Superseded`] if the charge is not the latest of its request or the request is settled;
    /// [`LedgerError::TooLarge`] if body, summary or claims are; [`LedgerError::Conflict`] if the charge is of another
    /// ledger or the claims hold a number that is not whole or beyond 2⁵³; else if the store fails.
    pub fn commit_release(
        &self,
        charge: Charge,
        body: &[u8],
        summary: &str,
        claims: &Value,
    ) -> Result<Receipt, LedgerError> {
        let claims = canonical::bytes(claims)
            .map_err(|_| LedgerError::Conflict("the claims hold a number that readers round"))?;
        let sizes = [
            ("release", body.len(), BODY_MAX_BYTES),
            ("summary", summary.len(), SUMMARY_MAX_BYTES),
            ("claims", claims.len(), CLAIMS_MAX_BYTES),
        ];
        if let Some((what, ..)) = sizes.into_iter().find(|(_, bytes, max)| bytes > max) {
            return Err(LedgerError::TooLarge(what));
        }
        let (body_digest, claims_digest) = (Digest::of(body), Digest::of(&claims));
        self.write(|tx| {
            check_latest(tx, &self.live, &charge)?;
            let released_at = clock::by_system(tx)?;
            let leaf_index = Entry::new("release", released_at)
                .digest("request", &charge.request())
                .digest("body", &body_digest)
                .digest("claims", &claims_digest)
                .text("contract", charge.contract().as_str())
                .text("domain", charge.domain().as_str())
                .text("person", charge.person().as_str())
                .text("snapshot", charge.snapshot().as_str())
                .digest("decision", &charge.decision())
                .cost("rho", "delta", charge.cost())
                .number("attempt", charge.attempt().into())
                .text("summary", summary)
                .append(tx)?;
            tx.prepare_cached(
                "INSERT INTO release (request, attempt, body, digest, claims, claims_digest, at, leaf)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )?
            .execute((
                charge.request().as_bytes(),
                charge.attempt(),
                body,
                body_digest.as_bytes(),
                &claims,
                claims_digest.as_bytes(),
                released_at,
                row::signed(leaf_index)?,
            ))?;
            issue::issue(tx, &self.seal, &charge.order, body_digest)?;
            Ok(Receipt { request: charge.request(), leaf_index, body_digest, released_at })
        })
    }

    /// The stored answer of a request, if it was released. Debits nobody: for those who may read every release.
    ///
    /// # Errors
    /// [`LedgerError::Corrupt`] if the stored bytes are not those that were released; else if the store fails.
    pub fn release_of(&self, request: Digest) -> Result<Option<StoredRelease>, LedgerError> {
        self.read(|tx| load(tx, &request))
    }

    /// Gives a charged request up for good: it stays charged and counts as an incident.
    ///
    /// # Errors
    /// As [`Ledger::commit_release`].
    pub fn mark_lost(&self, charge: Charge) -> Result<(), LedgerError> {
        self.write(|tx| {
            check_latest(tx, &self.live, &charge)?;
            insert_lost(tx, charge.request(), charge.attempt(), charge.person(), clock::by_system(tx)?)
        })
    }

    /// How many requests were lost.
    ///
    /// # Errors
    /// If the store fails.
    pub fn incidents(&self) -> Result<u64, LedgerError> {
        self.read(|tx| row::unsigned(tx.query_row("SELECT count(*) FROM lost", [], |row| row.get(0))?))
    }
}

/// What became of a charged request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// It was answered.
    Released,
    /// It was given up.
    Lost,
}

impl Ledger {
    /// What became of a request; `None` while it runs, was cut off, or was never charged.
    ///
    /// # Errors
    /// If the store fails.
    pub fn settled(&self, request: Digest) -> Result<Option<Settled>, LedgerError> {
        self.read(|tx| {
            let (released, lost): (bool, bool) = tx
                .prepare_cached(
                    "SELECT EXISTS (SELECT 1 FROM release WHERE request = ?1),
                            EXISTS (SELECT 1 FROM lost WHERE request = ?1)",
                )?
                .query_row([request.as_bytes()], |row| row.try_into())?;
            let lost = lost.then_some(Settled::Lost);
            Ok(if released { Some(Settled::Released) } else { lost })
        })
    }
}

/// Checks that the charge is of this ledger, is the latest attempt, and that its request is not settled.
fn check_latest(tx: &Connection, live: &Arc<Live>, charge: &Charge) -> Result<(), LedgerError> {
    if !charge.running.is_of(live) {
        return Err(LedgerError::Conflict("the charge is of another ledger"));
    }
    let latest: bool = tx
        .prepare_cached(
            "SELECT (SELECT count(*) FROM attempt WHERE request = ?1) = ?2
                AND NOT EXISTS (SELECT 1 FROM release WHERE request = ?1)
                AND NOT EXISTS (SELECT 1 FROM lost WHERE request = ?1)",
        )?
        .query_row((charge.request().as_bytes(), charge.attempt()), |row| row.get(0))?;
    if latest { Ok(()) } else { Err(LedgerError::Superseded) }
}

/// Records that a request is lost.
pub(crate) fn insert_lost(
    tx: &Connection,
    request: Digest,
    attempt: u32,
    person: &PersonId,
    now: i64,
) -> Result<(), LedgerError> {
    let leaf = Entry::new("lost", now)
        .digest("request", &request)
        .text("person", person.as_str())
        .number("attempt", attempt.into())
        .append(tx)?;
    tx.prepare_cached("INSERT INTO lost (request, attempt, person, at, leaf) VALUES (?1, ?2, ?3, ?4, ?5)")?
        .execute((request.as_bytes(), attempt, person.as_str(), now, row::signed(leaf)?))?;
    Ok(())
}

/// What was claimed about the noise of a release, checked against its digest.
pub(crate) fn claims(tx: &Connection, request: &Digest) -> Result<Value, LedgerError> {
    let (claims, digest): (Vec<u8>, [u8; 32]) = tx
        .prepare_cached("SELECT claims, claims_digest FROM release WHERE request = ?1")?
        .query_row([request.as_bytes()], |row| row.try_into())?;
    let sound = Digest::of(&claims) == row::digest(digest);
    let value = sound.then(|| canonical::parse(&claims)).flatten();
    value.ok_or_else(|| LedgerError::Corrupt(format!("the claims of request `{request}` were changed")))
}

/// The stored release of a request, its bytes checked against their digest.
pub(crate) fn load(tx: &Connection, request: &Digest) -> Result<Option<StoredRelease>, LedgerError> {
    let found: Option<(Vec<u8>, [u8; 32], i64, i64)> = tx
        .prepare_cached("SELECT body, digest, at, leaf FROM release WHERE request = ?1")?
        .query_row([request.as_bytes()], |row| row.try_into())
        .optional()?;
    let Some((body, digest, released_at, leaf)) = found else {
        return Ok(None);
    };
    let body_digest = row::digest(digest);
    if Digest::of(&body) != body_digest {
        return Err(LedgerError::Corrupt(format!("the release of request `{request}` was changed")));
    }
    let receipt = Receipt { request: *request, leaf_index: row::unsigned(leaf)?, body_digest, released_at };
    Ok(Some(StoredRelease { body, receipt }))
}
