//! People, their access tokens and the officers' public keys.

use glovebox_policy::{Digest, OrgId, PersonId, Role};
use rusqlite::{Connection, OptionalExtension as _, Row};

use crate::error::LedgerError;
use crate::log::Entry;
use crate::store::Ledger;
use crate::{clock, row, token};

/// A natural person with an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The account's name; appears in the log.
    pub person: PersonId,
    /// The person's organisation.
    pub org: OrgId,
    /// What the person may do.
    pub role: Role,
    /// The person's name for showing; stays out of the log.
    pub name: String,
}

/// What is known of a token; the token itself is not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenCard {
    /// SHA-256 of the token; names it.
    pub digest: Digest,
    /// When it was issued, in seconds since 1970.
    pub issued_unix_s: i64,
    /// First instant at which it no longer holds, in seconds since 1970.
    pub expires_unix_s: i64,
    /// Whether it was revoked.
    pub revoked: bool,
}

type PersonRow = (String, String, String, String);

pub(crate) fn person_row(row: &Row<'_>) -> rusqlite::Result<PersonRow> {
    Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
}

pub(crate) fn person((person, org, role, name): PersonRow) -> Result<Person, LedgerError> {
    let role = role.parse().map_err(|_| LedgerError::Corrupt(format!("`{role}` is not a role")))?;
    Ok(Person { person: row::name(person)?, org: row::name(org)?, role, name })
}

/// The person of this name, who must be there.
pub(crate) fn require_person(tx: &Connection, id: &PersonId) -> Result<Person, LedgerError> {
    tx.prepare_cached("SELECT person, org, role, name FROM person WHERE person = ?1")?
        .query_row([id.as_str()], person_row)
        .optional()?
        .map(person)
        .ok_or_else(|| LedgerError::Unknown { kind: "person", name: id.to_string() })?
}

/// The officer and public key of a key id.
pub(crate) fn find_officer_key(tx: &Connection, key_id: &str) -> Result<Option<(PersonId, [u8; 32])>, LedgerError> {
    let found: Option<(String, [u8; 32])> = tx
        .prepare_cached("SELECT person, public_key FROM officer_key WHERE key_id = ?1")?
        .query_row([key_id], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    found.map(|(person, key)| Ok((row::name(person)?, key))).transpose()
}

impl Ledger {
    /// Registers a person. An account never changes organisation or role: a new role is a new account.
    ///
    /// # Errors
    /// [`LedgerError::Exists`] if the account's name is taken; else if the store fails.
    pub fn add_person(&self, p: &Person) -> Result<(), LedgerError> {
        self.write(|tx| {
            match require_person(tx, &p.person) {
                Err(LedgerError::Unknown { .. }) => {}
                Err(other) => return Err(other),
                Ok(_) => {
                    return Err(LedgerError::Exists { kind: "person", name: p.person.to_string() });
                }
            }
            let leaf = Entry::new("person", clock::by_system(tx)?)
                .text("person", p.person.as_str())
                .text("org", p.org.as_str())
                .text("role", p.role.as_str())
                .append(tx)?;
            tx.prepare_cached("INSERT INTO person (person, org, role, name, leaf) VALUES (?1, ?2, ?3, ?4, ?5)")?
                .execute((p.person.as_str(), p.org.as_str(), p.role.as_str(), &p.name, row::signed(leaf)?))?;
            Ok(())
        })
    }

    /// Everybody with an account, by account name.
    ///
    /// # Errors
    /// If the store fails.
    pub fn people(&self) -> Result<Vec<Person>, LedgerError> {
        self.read(|tx| {
            let mut rows = tx.prepare_cached("SELECT person, org, role, name FROM person ORDER BY person")?;
            rows.query_map([], person_row)?.map(|found| person(found?)).collect()
        })
    }

    /// Issues a token. It is returned once; the ledger keeps its SHA-256 only.
    ///
    /// # Errors
    /// [`LedgerError::Unknown`] if there is no such person; else if the store or the randomness fails.
    pub fn issue_token(&self, person: &PersonId, expires_unix_s: i64, now_unix_s: i64) -> Result<String, LedgerError> {
        let token = token::mint()?;
        let digest = Digest::of(token.as_bytes());
        self.write(|tx| {
            let now = clock::at(tx, now_unix_s)?;
            require_person(tx, person)?;
            let leaf = Entry::new("token", now)
                .text("person", person.as_str())
                .digest("token", &digest)
                .number("expires", expires_unix_s)
                .append(tx)?;
            tx.prepare_cached(
                "INSERT INTO token (digest, person, issued_at, expires_at, leaf) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute((digest.as_bytes(), person.as_str(), now, expires_unix_s, row::signed(leaf)?))?;
            Ok(())
        })
        .map(|()| token)
    }

    /// The tokens of a person, newest first.
    ///
    /// # Errors
    /// If the store fails.
    pub fn tokens(&self, person: &PersonId) -> Result<Vec<TokenCard>, LedgerError> {
        self.read(|tx| {
            let mut rows = tx.prepare_cached(
                "SELECT digest, issued_at, expires_at,
                        EXISTS (SELECT 1 FROM token_revocation r WHERE r.digest = t.digest)
                 FROM token t WHERE person = ?1 ORDER BY leaf DESC",
            )?;
            let cards = rows.query_map([person.as_str()], |found| {
                Ok(TokenCard {
                    digest: row::digest(found.get(0)?),
                    issued_unix_s: found.get(1)?,
                    expires_unix_s: found.get(2)?,
                    revoked: found.get(3)?,
                })
            })?;
            Ok(cards.collect::<Result<_, _>>()?)
        })
    }

    /// Revokes a token by its digest, at once and for good. Revoking it again changes nothing.
    ///
    /// # Errors
    /// [`LedgerError::Unknown`] if there is no such token; else if the store fails.
    pub fn revoke_token(&self, token_digest: &Digest) -> Result<(), LedgerError> {
        self.write(|tx| {
            let person: Option<String> = tx
                .prepare_cached("SELECT person FROM token WHERE digest = ?1")?
                .query_row([token_digest.as_bytes()], |row| row.get(0))
                .optional()?;
            let person =
                person.ok_or_else(|| LedgerError::Unknown { kind: "token", name: token_digest.to_string() })?;
            let revoked = tx
                .prepare_cached("SELECT 1 FROM token_revocation WHERE digest = ?1")?
                .exists([token_digest.as_bytes()])?;
            if revoked {
                return Ok(());
            }
            let now = clock::by_system(tx)?;
            let leaf =
                Entry::new("token-revoked", now).text("person", &person).digest("token", token_digest).append(tx)?;
            tx.prepare_cached("INSERT INTO token_revocation (digest, revoked_at, leaf) VALUES (?1, ?2, ?3)")?
                .execute((token_digest.as_bytes(), now, row::signed(leaf)?))?;
            Ok(())
        })
    }

    /// Whose token this is, if it holds now.
    ///
    /// The token is looked up by its SHA-256, so the time taken tells nothing of how near a guess was.
    ///
    /// # Errors
    /// If the store fails. A token that is unknown, malformed, expired or revoked is `None`.
    pub fn authenticate(&self, token: &str, now_unix_s: i64) -> Result<Option<Person>, LedgerError> {
        match token::digest_of(token) {
            Some(digest) => self.token_holder(&digest, now_unix_s),
            None => Ok(None),
        }
    }

    /// As [`Ledger::authenticate`], for who keeps the SHA-256 of a token in the token's place.
    ///
    /// # Errors
    /// If the store fails.
    pub fn token_holder(&self, digest: &Digest, now_unix_s: i64) -> Result<Option<Person>, LedgerError> {
        self.read(|tx| {
            let now = clock::at(tx, now_unix_s)?;
            tx.prepare_cached(
                "SELECT p.person, p.org, p.role, p.name FROM token t JOIN person p ON p.person = t.person
                 WHERE t.digest = ?1 AND t.expires_at > ?2
                   AND NOT EXISTS (SELECT 1 FROM token_revocation r WHERE r.digest = t.digest)",
            )?
            .query_row((digest.as_bytes(), now), person_row)
            .optional()?
            .map(person)
            .transpose()
        })
    }

    /// Registers an officer's Ed25519 public key and gives its key id: hexadecimal SHA-256 of the key.
    ///
    /// # Errors
    /// [`LedgerError::Exists`] if the key is registered; [`LedgerError::Conflict`] if the person is no officer.
    pub fn add_officer_key(&self, person: &PersonId, public_key: [u8; 32]) -> Result<String, LedgerError> {
        let key_id = Digest::of(&public_key).to_string();
        self.write(|tx| {
            if require_person(tx, person)?.role != Role::Officer {
                return Err(LedgerError::Conflict("only an officer has a signing key"));
            }
            if find_officer_key(tx, &key_id)?.is_some() {
                return Err(LedgerError::Exists { kind: "officer key", name: key_id.clone() });
            }
            let leaf = Entry::new("officer-key", clock::by_system(tx)?)
                .text("person", person.as_str())
                .text("key", &hex::encode(public_key))
                .append(tx)?;
            tx.prepare_cached("INSERT INTO officer_key (key_id, person, public_key, leaf) VALUES (?1, ?2, ?3, ?4)")?
                .execute((&key_id, person.as_str(), public_key, row::signed(leaf)?))?;
            Ok(())
        })?;
        Ok(key_id)
    }

    /// The officer and public key of a key id.
    ///
    /// # Errors
    /// If the store fails.
    pub fn officer_key(&self, key_id: &str) -> Result<Option<(PersonId, [u8; 32])>, LedgerError> {
        self.read(|tx| find_officer_key(tx, key_id))
    }
}
