//! TLS client certificates: which certificate stands for which person.
//!
//! The ledger knows a certificate by the SHA-256 of its DER and nothing else of it. Whether its authority is trusted and
//! its time has not passed is for the server to see, which has the certificate in its hands.

use glovebox_policy::{Digest, PersonId};
use rusqlite::{Connection, OptionalExtension as _};

use crate::account::{Person, person, person_row, require_person};
use crate::error::LedgerError;
use crate::log::Entry;
use crate::store::Ledger;
use crate::{clock, row};

/// What is known of a client certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateCard {
    /// SHA-256 of the certificate's DER; names it.
    pub fingerprint: Digest,
    /// Whom it stands for.
    pub person: PersonId,
    /// The officer who registered it.
    pub officer: PersonId,
    /// When it was registered, in seconds since 1970.
    pub added_unix_s: i64,
    /// Whether it was revoked.
    pub revoked: bool,
}

type CardRow = ([u8; 32], String, String, i64, bool);

fn card((fingerprint, person, officer, added_unix_s, revoked): CardRow) -> Result<CertificateCard, LedgerError> {
    Ok(CertificateCard {
        fingerprint: row::digest(fingerprint),
        person: row::name(person)?,
        officer: row::name(officer)?,
        added_unix_s,
        revoked,
    })
}

fn owner(tx: &Connection, fingerprint: &Digest) -> Result<Option<String>, LedgerError> {
    Ok(tx
        .prepare_cached("SELECT person FROM client_certificate WHERE fingerprint = ?1")?
        .query_row([fingerprint.as_bytes()], |row| row.get(0))
        .optional()?)
}

impl Ledger {
    /// Lets a certificate stand for a person. A certificate stands for one person, once: after its revocation the person
    /// needs another certificate.
    ///
    /// # Errors
    /// [`LedgerError::Exists`] if it is or was registered, for whomever; [`LedgerError::Unknown`] if there is no such
    /// person or officer; else if the store fails.
    pub fn add_client_certificate(
        &self,
        person: &PersonId,
        fingerprint: &Digest,
        officer: &PersonId,
    ) -> Result<(), LedgerError> {
        self.write(|tx| {
            require_person(tx, person)?;
            require_person(tx, officer)?;
            if owner(tx, fingerprint)?.is_some() {
                return Err(LedgerError::Exists { kind: "client certificate", name: fingerprint.to_string() });
            }
            let now = clock::by_system(tx)?;
            let leaf = Entry::new("client-certificate", now)
                .text("person", person.as_str())
                .text("officer", officer.as_str())
                .digest("fingerprint", fingerprint)
                .append(tx)?;
            tx.prepare_cached(
                "INSERT INTO client_certificate (fingerprint, person, officer, added_at, leaf)
                 VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute((
                fingerprint.as_bytes(),
                person.as_str(),
                officer.as_str(),
                now,
                row::signed(leaf)?,
            ))?;
            Ok(())
        })
    }

    /// Revokes a certificate, at once and for good. Revoking it again changes nothing.
    ///
    /// # Errors
    /// [`LedgerError::Unknown`] if there is no such certificate; else if the store fails.
    pub fn revoke_client_certificate(&self, fingerprint: &Digest) -> Result<(), LedgerError> {
        self.write(|tx| {
            let person = owner(tx, fingerprint)?
                .ok_or_else(|| LedgerError::Unknown { kind: "client certificate", name: fingerprint.to_string() })?;
            let revoked = tx
                .prepare_cached("SELECT 1 FROM client_certificate_revocation WHERE fingerprint = ?1")?
                .exists([fingerprint.as_bytes()])?;
            if revoked {
                return Ok(());
            }
            let now = clock::by_system(tx)?;
            let leaf = Entry::new("client-certificate-revoked", now)
                .text("person", &person)
                .digest("fingerprint", fingerprint)
                .append(tx)?;
            tx.prepare_cached(
                "INSERT INTO client_certificate_revocation (fingerprint, revoked_at, leaf) VALUES (?1, ?2, ?3)",
            )?
            .execute((fingerprint.as_bytes(), now, row::signed(leaf)?))?;
            Ok(())
        })
    }

    /// The certificates that were registered, of one person or of everybody, newest first.
    ///
    /// # Errors
    /// If the store fails.
    pub fn client_certificates(&self, person: Option<&PersonId>) -> Result<Vec<CertificateCard>, LedgerError> {
        self.read(|tx| {
            let mut rows = tx.prepare_cached(
                "SELECT fingerprint, person, officer, added_at, EXISTS
                        (SELECT 1 FROM client_certificate_revocation r WHERE r.fingerprint = c.fingerprint)
                 FROM client_certificate c WHERE ?1 IS NULL OR person = ?1 ORDER BY leaf DESC",
            )?;
            rows.query_map([person.map(PersonId::as_str)], |found| {
                Ok((found.get(0)?, found.get(1)?, found.get(2)?, found.get(3)?, found.get(4)?))
            })?
            .map(|found| card(found?))
            .collect()
        })
    }

    /// For whom a certificate stands now. Nobody, where it is unknown or revoked.
    ///
    /// # Errors
    /// If the store fails.
    pub fn certificate_holder(&self, fingerprint: &Digest) -> Result<Option<Person>, LedgerError> {
        self.read(|tx| {
            tx.prepare_cached(
                "SELECT p.person, p.org, p.role, p.name FROM client_certificate c JOIN person p ON p.person = c.person
                 WHERE c.fingerprint = ?1 AND NOT EXISTS
                       (SELECT 1 FROM client_certificate_revocation r WHERE r.fingerprint = c.fingerprint)",
            )?
            .query_row([fingerprint.as_bytes()], person_row)
            .optional()?
            .map(person)
            .transpose()
        })
    }
}
