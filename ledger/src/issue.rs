//! Making certificates out, in the transaction that gives a contract its answer, and reading them back.

use std::collections::BTreeSet;

use glovebox_policy::{ContractId, Digest};
use rusqlite::{Connection, OptionalExtension as _};

use crate::certificate::{Certificate, ENTRY_KIND, REQUEST_SUBJECT, RESULT_SUBJECT};
use crate::charge::Order;
use crate::error::LedgerError;
use crate::log::Entry;
use crate::seal::Seal;
use crate::store::Ledger;
use crate::{domain, release, row};

const NEIGHBOURING: &str = "one privacy unit, as the manifest of the dataset declares it, added or removed with all that is of it in the budget domain";
const ROLLBACK: &str = "undetected";
const ROLLBACK_REASON: &str =
    "no outside witness cosigns this log, so a service that is set back to an older state is not noticed";

/// A certificate read back, with its entry in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredCertificate {
    /// The signed envelope, byte for byte as it was made out.
    pub envelope: Vec<u8>,
    /// The number of its entry in the log, which a proof of inclusion is asked for by.
    pub leaf_index: u64,
    /// The entry, byte for byte as it was hashed.
    pub entry: Vec<u8>,
}

impl Ledger {
    /// The certificate of a request that was made out to a contract. Debits nobody.
    ///
    /// # Errors
    /// [`LedgerError::Corrupt`] if it is not the one that was made out; else if the store fails.
    pub fn certificate(
        &self,
        request: Digest,
        contract: &ContractId,
    ) -> Result<Option<StoredCertificate>, LedgerError> {
        type Found = (Vec<u8>, [u8; 32], i64, Vec<u8>);
        self.read(|tx| {
            let found: Option<Found> = tx
                .prepare_cached(
                    "SELECT envelope, digest, c.leaf, entry FROM certificate c JOIN log_entry l ON l.seq = c.leaf
                     WHERE request = ?1 AND contract = ?2",
                )?
                .query_row((request.as_bytes(), contract.as_str()), |row| row.try_into())
                .optional()?;
            let Some((envelope, digest, leaf, entry)) = found else {
                return Ok(None);
            };
            if Digest::of(&envelope) != row::digest(digest) {
                let what = format!("the certificate of request `{request}` for contract `{contract}` was changed");
                return Err(LedgerError::Corrupt(what));
            }
            Ok(Some(StoredCertificate { envelope, leaf_index: row::unsigned(leaf)?, entry }))
        })
    }
}

/// What only a faulty caller gets wrong about a certificate to be, found before anything is charged.
pub(crate) fn check_subjects(order: &Order) -> Result<(), LedgerError> {
    let mut names = BTreeSet::from([RESULT_SUBJECT, REQUEST_SUBJECT]);
    if !order.subjects.iter().all(|subject| names.insert(subject.name)) {
        return Err(LedgerError::Conflict("a subject's name is taken"));
    }
    if order.job.is_none() && !order.approvals.is_empty() {
        return Err(LedgerError::Conflict("there are approvals, but no job that they are of"));
    }
    Ok(())
}

/// Whether the asking contract has its certificate for the request.
pub(crate) fn exists(tx: &Connection, order: &Order) -> Result<bool, LedgerError> {
    Ok(tx
        .prepare_cached("SELECT 1 FROM certificate WHERE request = ?1 AND contract = ?2")?
        .exists((order.request.as_bytes(), order.contract.as_str()))?)
}

/// Makes the certificate of a released and debited request out to the asking contract, with its log entry.
///
/// INVARIANT (own history): time and decision are those of the contract's debit, in the entry too.
pub(crate) fn issue(tx: &Connection, seal: &Seal, order: &Order, body: Digest) -> Result<(), LedgerError> {
    let (decision, debited_at): ([u8; 32], i64) = tx
        .prepare_cached("SELECT decision, at FROM debit WHERE request = ?1 AND contract = ?2")?
        .query_row((order.request.as_bytes(), order.contract.as_str()), |row| row.try_into())?;
    let dataset = domain::dataset_of(tx, &order.snapshot)?
        .ok_or_else(|| LedgerError::Corrupt("a charged snapshot is not there".to_owned()))?;
    let certificate = Certificate {
        result: body,
        request: order.request,
        subjects: order.subjects.iter().map(|subject| (subject.name.to_owned(), subject.digest)).collect(),
        contract: order.contract.clone(),
        contract_digest: order.contract_digest,
        decision: row::digest(decision),
        approvals: order.approvals.clone(),
        domain: order.domain.clone(),
        dataset,
        snapshot: order.snapshot.clone(),
        cost: order.cost,
        debited_unix_s: debited_at,
        neighbouring: NEIGHBOURING.to_owned(),
        claims: release::claims(tx, &order.request)?,
        origin: seal.origin().to_owned(),
        rollback: ROLLBACK.to_owned(),
        rollback_reason: ROLLBACK_REASON.to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    // Contracts end within the calendar, and claims were canonical when they were stored.
    let envelope = certificate.sign(seal.key());
    let envelope = envelope.ok_or_else(|| LedgerError::Corrupt("a release cannot be certified".to_owned()))?;
    let digest = Digest::of(&envelope);
    let leaf = Entry::new(ENTRY_KIND, debited_at)
        .digest("request", &order.request)
        .text("contract", order.contract.as_str())
        .digest("body", &body)
        .digest("certificate", &digest)
        .append(tx)?;
    tx.prepare_cached(
        "INSERT INTO certificate (request, contract, envelope, digest, leaf) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute((
        order.request.as_bytes(),
        order.contract.as_str(),
        envelope,
        digest.as_bytes(),
        row::signed(leaf)?,
    ))?;
    Ok(())
}
