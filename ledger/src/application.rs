//! Applications for data: what a firm asked for, and what became of it.
//!
//! An application waits until a contract names it, an officer rejects it, or the firm withdraws it: one of these, once,
//! in the transaction of the act itself. The texts are kept here; the log holds their digests.

use glovebox_policy::application::{APPLICATION_MAX_BYTES, WHY_MAX_BYTES};
use glovebox_policy::{ApplicationId, Contract, ContractId, DatasetName, Digest, OrgId, PersonId, Reason, Refusal};
use rusqlite::{Connection, OptionalExtension as _};

use crate::account::require_person;
use crate::error::{JobError, LedgerError};
use crate::log::Entry;
use crate::store::Ledger;
use crate::{clock, domain, row};

/// How many applications of one organisation may wait at the same time: what officers have to read.
pub const WAITING_APPLICATIONS_MAX: u32 = 16;

/// How many applications one organisation may hand in within 24 hours, whatever becomes of them. The ledger keeps them for ever.
pub const DAILY_APPLICATIONS_MAX: u32 = 32;

const DAY_S: i64 = 86_400;

/// An application to write down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewApplication {
    /// Its name; new.
    pub application: ApplicationId,
    /// Who hands it in.
    pub person: PersonId,
    /// The dataset that it is about.
    pub dataset: DatasetName,
    /// The text, as it was written.
    pub text: String,
    /// The time, in seconds since 1970.
    pub now_unix_s: i64,
}

/// What became of an application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ApplicationEnd {
    /// A contract answers it.
    Granted(ContractId),
    /// An officer said no, and why.
    Rejected(String),
    /// The firm takes it back.
    Withdrawn,
}

impl ApplicationEnd {
    /// `granted`, `rejected` or `withdrawn`.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Granted(_) => "granted",
            Self::Rejected(_) => "rejected",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// The contract, the reason, or nothing.
    fn detail(&self) -> &str {
        match self {
            Self::Granted(contract) => contract.as_str(),
            Self::Rejected(why) => why,
            Self::Withdrawn => "",
        }
    }
}

/// An end as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEnd {
    /// Which.
    pub end: ApplicationEnd,
    /// Who brought it about: the officer, or somebody of the firm.
    pub person: PersonId,
    /// When, in seconds since 1970.
    pub at_unix_s: i64,
    /// The number of its entry in the log.
    pub leaf_index: u64,
}

/// An application as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredApplication {
    /// Its name.
    pub application: ApplicationId,
    /// Who handed it in.
    pub person: PersonId,
    /// For which organisation.
    pub org: OrgId,
    /// The dataset that it is about.
    pub dataset: DatasetName,
    /// The text, as it was handed in.
    pub text: String,
    /// When, in seconds since 1970.
    pub at_unix_s: i64,
    /// The number of its entry in the log.
    pub leaf_index: u64,
    /// What became of it; none while it waits.
    pub end: Option<StoredEnd>,
}

impl Ledger {
    /// Hands an application in.
    ///
    /// # Errors
    /// A refusal for the analyst: [`Reason::TableUnknown`]; [`Reason::ApplicationInvalid`] if the text is too long;
    /// [`Reason::ApplicationsWaiting`] if [`WAITING_APPLICATIONS_MAX`] of the organisation wait already;
    /// [`Reason::ApplicationsToday`] after [`DAILY_APPLICATIONS_MAX`] of them within 24 hours. Else if the name is taken or the
    /// store fails.
    pub fn apply(&self, new: &NewApplication) -> Result<(), JobError> {
        self.write(|tx| {
            let now = clock::advance(tx, new.now_unix_s)?;
            let org = require_person(tx, &new.person)?.org;
            let refused = |reason, about: &str| JobError::Refused(Refusal::about(reason, about));
            if domain::domain_of(tx, &new.dataset)?.is_none() {
                return Err(refused(Reason::TableUnknown, &new.dataset.to_string()));
            }
            if new.text.len() > APPLICATION_MAX_BYTES {
                return Err(refused(Reason::ApplicationInvalid, "longer than 16 KiB"));
            }
            if waiting(tx, &org)? >= WAITING_APPLICATIONS_MAX {
                return Err(refused(Reason::ApplicationsWaiting, org.as_str()));
            }
            if handed_in_since(tx, &org, now - DAY_S)? >= DAILY_APPLICATIONS_MAX {
                return Err(refused(Reason::ApplicationsToday, org.as_str()));
            }
            Ok(insert(tx, new, &org, now)?)
        })
    }

    /// Says no to an application.
    ///
    /// # Errors
    /// A refusal for the officer: [`Reason::NotFound`]; [`Reason::ApplicationClosed`]; [`Reason::OwnRequest`] if the officer is
    /// of the firm; [`Reason::ApplicationInvalid`] if the reason is empty or longer than [`WHY_MAX_BYTES`]. Else if the
    /// store fails.
    pub fn reject_application(
        &self,
        application: &ApplicationId,
        officer: &PersonId,
        why: &str,
        now_unix_s: i64,
    ) -> Result<(), JobError> {
        let refused = |reason| JobError::Refused(Refusal::about(reason, application.as_str()));
        self.write(|tx| {
            let now = clock::advance(tx, now_unix_s)?;
            let found = open(tx, application)?;
            if require_person(tx, officer)?.org == found.org {
                return Err(refused(Reason::OwnRequest));
            }
            if !(1..=WHY_MAX_BYTES).contains(&why.trim().len()) {
                return Err(JobError::Refused(Refusal::about(Reason::ApplicationInvalid, "reason")));
            }
            Ok(end(tx, application, &ApplicationEnd::Rejected(why.trim().to_owned()), officer, now)?)
        })
    }

    /// Takes an application back.
    ///
    /// # Errors
    /// A refusal for the analyst: [`Reason::NotFound`] if the person's organisation handed in no such application;
    /// [`Reason::ApplicationClosed`]. Else if the store fails.
    pub fn withdraw_application(
        &self,
        application: &ApplicationId,
        person: &PersonId,
        now_unix_s: i64,
    ) -> Result<(), JobError> {
        self.write(|tx| {
            let now = clock::advance(tx, now_unix_s)?;
            let org = require_person(tx, person)?.org;
            let found = stored(tx, application)?.filter(|found| found.org == org);
            if found.is_none() {
                return Err(JobError::Refused(Refusal::about(Reason::NotFound, application.as_str())));
            }
            open(tx, application)?;
            Ok(end(tx, application, &ApplicationEnd::Withdrawn, person, now)?)
        })
    }

    /// An application as it stands.
    ///
    /// # Errors
    /// [`LedgerError::Corrupt`] if its text is not the one that was handed in; else if the store fails.
    pub fn application(&self, application: &ApplicationId) -> Result<Option<StoredApplication>, LedgerError> {
        self.read(|tx| stored(tx, application))
    }

    /// Every application of an organisation, or of all; oldest first.
    ///
    /// # Errors
    /// As [`Ledger::application`].
    pub fn applications(&self, of: Option<&OrgId>) -> Result<Vec<StoredApplication>, LedgerError> {
        self.read(|tx| {
            let mut rows =
                tx.prepare_cached("SELECT application FROM application WHERE ?1 IS NULL OR org = ?1 ORDER BY leaf")?;
            let names: Vec<String> =
                rows.query_map([of.map(OrgId::as_str)], |row| row.get(0))?.collect::<Result<_, _>>()?;
            names.into_iter().filter_map(|id| row::name(id).and_then(|id| stored(tx, &id)).transpose()).collect()
        })
    }
}

/// Checks that a contract may answer the application that it names: one of the firm, about the dataset, that waits.
pub(crate) fn check_answer(tx: &Connection, terms: &Contract) -> Result<Option<Refusal>, LedgerError> {
    let Some(application) = &terms.application else {
        return Ok(None);
    };
    let found = stored(tx, application)?;
    let fits = found.is_some_and(|it| it.end.is_none() && it.org == terms.org && it.dataset == terms.dataset);
    Ok((!fits).then(|| Refusal::about(Reason::ApplicationClosed, application.as_str())))
}

/// Closes the application that a contract names, in the transaction that takes the contract.
pub(crate) fn answer(tx: &Connection, terms: &Contract, signer: &PersonId, now: i64) -> Result<(), LedgerError> {
    match &terms.application {
        Some(application) => end(tx, application, &ApplicationEnd::Granted(terms.id.clone()), signer, now),
        None => Ok(()),
    }
}

fn open(tx: &Connection, application: &ApplicationId) -> Result<StoredApplication, JobError> {
    let refused = |reason| JobError::Refused(Refusal::about(reason, application.as_str()));
    let found = stored(tx, application)?.ok_or_else(|| refused(Reason::NotFound))?;
    if found.end.is_some() { Err(refused(Reason::ApplicationClosed)) } else { Ok(found) }
}

fn waiting(tx: &Connection, org: &OrgId) -> Result<u32, LedgerError> {
    Ok(tx
        .prepare_cached(
            "SELECT count(*) FROM application a WHERE a.org = ?1
                 AND NOT EXISTS (SELECT 1 FROM application_end e WHERE e.application = a.application)",
        )?
        .query_row([org.as_str()], |row| row.get(0))?)
}

/// How many applications an organisation has handed in after an instant.
fn handed_in_since(tx: &Connection, org: &OrgId, instant: i64) -> Result<u32, LedgerError> {
    Ok(tx
        .prepare_cached("SELECT count(*) FROM application WHERE org = ?1 AND at > ?2")?
        .query_row((org.as_str(), instant), |row| row.get(0))?)
}

fn insert(tx: &Connection, new: &NewApplication, org: &OrgId, now: i64) -> Result<(), LedgerError> {
    let digest = Digest::of(new.text.as_bytes());
    let dataset = new.dataset.to_string();
    let leaf = Entry::new("application", now)
        .text("application", new.application.as_str())
        .text("person", new.person.as_str())
        .text("org", org.as_str())
        .text("dataset", &dataset)
        .digest("text", &digest)
        .append(tx)?;
    tx.prepare_cached(
        "INSERT INTO application (application, person, org, dataset, text, digest, at, leaf)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?
    .execute((
        new.application.as_str(),
        new.person.as_str(),
        org.as_str(),
        &dataset,
        &new.text,
        digest.as_bytes(),
        now,
        row::signed(leaf)?,
    ))?;
    Ok(())
}

fn end(
    tx: &Connection,
    application: &ApplicationId,
    end: &ApplicationEnd,
    person: &PersonId,
    now: i64,
) -> Result<(), LedgerError> {
    let digest = Digest::of(end.detail().as_bytes());
    let leaf = Entry::new("application-end", now)
        .text("application", application.as_str())
        .text("decision", end.as_str())
        .text("person", person.as_str())
        .digest("detail", &digest)
        .append(tx)?;
    tx.prepare_cached(
        "INSERT INTO application_end (application, decision, person, detail, digest, at, leaf)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute((
        application.as_str(),
        end.as_str(),
        person.as_str(),
        end.detail(),
        digest.as_bytes(),
        now,
        row::signed(leaf)?,
    ))?;
    Ok(())
}

fn stored(tx: &Connection, id: &ApplicationId) -> Result<Option<StoredApplication>, LedgerError> {
    type Found = (String, String, String, String, [u8; 32], i64, i64);
    let found: Option<Found> = tx
        .prepare_cached("SELECT person, org, dataset, text, digest, at, leaf FROM application WHERE application = ?1")?
        .query_row([id.as_str()], |row| row.try_into())
        .optional()?;
    let Some((person, org, dataset, text, digest, at_unix_s, leaf)) = found else {
        return Ok(None);
    };
    if Digest::of(text.as_bytes()) != row::digest(digest) {
        return Err(LedgerError::Corrupt(format!("application `{id}` was changed")));
    }
    Ok(Some(StoredApplication {
        application: id.clone(),
        person: row::name(person)?,
        org: row::name(org)?,
        dataset: row::name(dataset)?,
        text,
        at_unix_s,
        leaf_index: row::unsigned(leaf)?,
        end: stored_end(tx, id)?,
    }))
}

fn stored_end(tx: &Connection, id: &ApplicationId) -> Result<Option<StoredEnd>, LedgerError> {
    type Found = (String, String, String, i64, i64);
    let found: Option<Found> = tx
        .prepare_cached("SELECT decision, person, detail, at, leaf FROM application_end WHERE application = ?1")?
        .query_row([id.as_str()], |row| row.try_into())
        .optional()?;
    found
        .map(|(decision, person, detail, at_unix_s, leaf)| {
            let end = match decision.as_str() {
                "granted" => ApplicationEnd::Granted(row::name(detail)?),
                "rejected" => ApplicationEnd::Rejected(detail),
                _ => ApplicationEnd::Withdrawn,
            };
            Ok(StoredEnd { end, person: row::name(person)?, at_unix_s, leaf_index: row::unsigned(leaf)? })
        })
        .transpose()
}
