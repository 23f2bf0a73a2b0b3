//! Freezing: what officers stop at once, whatever was granted or approved before.
//!
//! A dataset, a contract or a person is frozen until an officer says otherwise. Every change is a fact of its own with
//! an entry in the log; where a subject stands is what its last fact says. Asked inside the transaction of every charge.

use glovebox_policy::{ContractId, DatasetName, Digest, PersonId, Reason, Refusal, Role};
use rusqlite::{Connection, OptionalExtension as _};

use crate::account::require_person;
use crate::error::{JobError, LedgerError};
use crate::log::Entry;
use crate::store::Ledger;
use crate::{clock, contract, row};

/// Longest reason, in bytes.
pub const FREEZE_REASON_MAX_BYTES: usize = 1_000;

/// What can be frozen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Freezable {
    /// Nothing is charged for any answer from the dataset.
    Dataset(DatasetName),
    /// Nothing is charged for any answer in which the public table is joined. It is known to the catalog and not to the ledger,
    /// which has no charge on it, so that whoever freezes it has seen that it is there. Kept as a dataset's: a name is one
    /// or the other.
    PublicTable(DatasetName),
    /// Nothing is charged under the contract.
    Contract(ContractId),
    /// Nothing is charged at the person's request.
    Person(PersonId),
}

impl Freezable {
    /// `dataset`, `contract` or `person`.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Dataset(_) | Self::PublicTable(_) => "dataset",
            Self::Contract(_) => "contract",
            Self::Person(_) => "person",
        }
    }

    /// Its name.
    pub fn name(&self) -> String {
        match self {
            Self::Dataset(name) | Self::PublicTable(name) => name.to_string(),
            Self::Contract(name) => name.to_string(),
            Self::Person(name) => name.to_string(),
        }
    }

    /// What somebody who meets it is told.
    const fn reason(&self) -> Reason {
        match self {
            Self::Dataset(_) | Self::PublicTable(_) => Reason::DatasetFrozen,
            Self::Contract(_) => Reason::ContractFrozen,
            Self::Person(_) => Reason::Frozen,
        }
    }
}

/// A change to write down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewFreeze {
    /// Of what.
    pub subject: Freezable,
    /// `true` freezes, `false` lets it go again.
    pub frozen: bool,
    /// The officer.
    pub officer: PersonId,
    /// Why; at most [`FREEZE_REASON_MAX_BYTES`]. The log holds its digest.
    pub why: String,
    /// The time, in seconds since 1970.
    pub now_unix_s: i64,
}

/// A change that was written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FreezeFact {
    /// `dataset`, `contract` or `person`.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Whether it froze or let go.
    pub frozen: bool,
    /// The officer.
    pub officer: PersonId,
    /// Why.
    pub why: String,
    /// When, in seconds since 1970.
    pub at_unix_s: i64,
    /// The number of its entry in the log.
    pub leaf_index: u64,
}

impl Ledger {
    /// Freezes something, or lets it go.
    ///
    /// Letting a person go also forgives the requests that were lost for the person until then: they stay charged and
    /// counted, but freeze nobody any more.
    ///
    /// # Errors
    /// A refusal: [`Reason::NotFound`] if there is no such thing, [`Reason::OwnRequest`] if the subject is of the officer's
    /// own organisation, [`Reason::FreezeInvalid`] if it stands so already, if the reason is empty or too long, or if the
    /// person is no analyst: what others do is not stopped by this. Else if the store fails.
    pub fn freeze(&self, new: &NewFreeze) -> Result<(), JobError> {
        let refused = |reason| JobError::Refused(Refusal::about(reason, &new.subject.name()));
        let told = (1..=FREEZE_REASON_MAX_BYTES).contains(&new.why.trim().len());
        if !told {
            return Err(refused(Reason::FreezeInvalid));
        }
        self.write(|tx| {
            let now = clock::advance(tx, new.now_unix_s)?;
            let officer = require_person(tx, &new.officer)?;
            if !is_known(tx, &new.subject)? {
                return Err(refused(Reason::NotFound));
            }
            let (org, freezable) = match &new.subject {
                Freezable::Dataset(_) | Freezable::PublicTable(_) => (None, true),
                Freezable::Contract(id) => (contract::terms(tx, id)?.map(|terms| terms.org), true),
                Freezable::Person(person) => {
                    let person = require_person(tx, person)?;
                    (Some(person.org), person.role == Role::Analyst)
                }
            };
            // Nobody lets the own firm go, nor forgives its lost requests.
            if org == Some(officer.org) {
                return Err(refused(Reason::OwnRequest));
            }
            if !freezable {
                return Err(refused(Reason::FreezeInvalid));
            }
            let incidents = match &new.subject {
                Freezable::Person(person) => incidents_since_release(tx, person)?,
                _ => 0,
            };
            // Who is frozen by lost requests alone can be let go too.
            if is_frozen(tx, &new.subject)? == new.frozen && (new.frozen || incidents == 0) {
                return Err(refused(Reason::FreezeInvalid));
            }
            Ok(insert(tx, new, now)?)
        })
    }

    /// Every change, newest first.
    ///
    /// # Errors
    /// If the store fails.
    pub fn freezes(&self) -> Result<Vec<FreezeFact>, LedgerError> {
        self.read(|tx| {
            let mut rows =
                tx.prepare_cached("SELECT kind, name, frozen, officer, why, at, leaf FROM freeze ORDER BY leaf DESC")?;
            let found = rows
                .query_map([], |row| -> rusqlite::Result<(String, String, bool, String, String, i64, i64)> {
                    row.try_into()
                })?;
            found
                .map(|found| {
                    let (kind, name, frozen, officer, why, at_unix_s, leaf) = found?;
                    let (officer, leaf_index) = (row::name(officer)?, row::unsigned(leaf)?);
                    Ok(FreezeFact { kind, name, frozen, officer, why, at_unix_s, leaf_index })
                })
                .collect()
        })
    }

    /// Whether something is frozen.
    ///
    /// # Errors
    /// If the store fails.
    pub fn is_frozen(&self, subject: &Freezable) -> Result<bool, LedgerError> {
        self.read(|tx| is_frozen(tx, subject))
    }

    /// How many requests of a person were lost since an officer last let the person go: after a few, the person is frozen.
    ///
    /// # Errors
    /// If the store fails.
    pub fn incidents_of(&self, person: &PersonId) -> Result<u64, LedgerError> {
        self.read(|tx| incidents_since_release(tx, person))
    }
}

/// Refuses if any of these is frozen, in their order.
pub(crate) fn check(
    tx: &Connection,
    subjects: impl Iterator<Item = Freezable>,
) -> Result<Option<Refusal>, LedgerError> {
    for subject in subjects {
        if is_frozen(tx, &subject)? {
            return Ok(Some(Refusal::about(subject.reason(), &subject.name())));
        }
    }
    Ok(None)
}

fn is_frozen(tx: &Connection, subject: &Freezable) -> Result<bool, LedgerError> {
    let last = tx
        .prepare_cached("SELECT frozen FROM freeze WHERE kind = ?1 AND name = ?2 ORDER BY leaf DESC LIMIT 1")?
        .query_row((subject.kind(), subject.name()), |row| row.get(0))
        .optional()?;
    Ok(last.unwrap_or(false))
}

fn incidents_since_release(tx: &Connection, person: &PersonId) -> Result<u64, LedgerError> {
    let count = tx
        .prepare_cached(
            "SELECT count(*) FROM lost WHERE person = ?1 AND leaf > coalesce(
                 (SELECT max(leaf) FROM freeze WHERE kind = 'person' AND name = ?1 AND NOT frozen), -1)",
        )?
        .query_row([person.as_str()], |row| row.get(0))?;
    row::unsigned(count)
}

fn is_known(tx: &Connection, subject: &Freezable) -> Result<bool, LedgerError> {
    let sql = match subject {
        Freezable::PublicTable(_) => return Ok(true),
        Freezable::Dataset(_) => "SELECT 1 FROM dataset WHERE dataset = ?1",
        Freezable::Contract(_) => "SELECT 1 FROM contract WHERE contract = ?1",
        Freezable::Person(_) => "SELECT 1 FROM person WHERE person = ?1",
    };
    Ok(tx.prepare_cached(sql)?.exists([subject.name()])?)
}

fn insert(tx: &Connection, new: &NewFreeze, now: i64) -> Result<(), LedgerError> {
    let (kind, name) = (new.subject.kind(), new.subject.name());
    let leaf = Entry::new("freeze", now)
        .text("subject", kind)
        .text("name", &name)
        .number("frozen", new.frozen.into())
        .text("person", new.officer.as_str())
        .digest("why", &Digest::of(new.why.as_bytes()))
        .append(tx)?;
    tx.prepare_cached(
        "INSERT INTO freeze (leaf, kind, name, frozen, officer, why, why_digest, at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?
    .execute((
        row::signed(leaf)?,
        kind,
        name,
        new.frozen,
        new.officer.as_str(),
        &new.why,
        Digest::of(new.why.as_bytes()).as_bytes(),
        now,
    ))?;
    Ok(())
}
