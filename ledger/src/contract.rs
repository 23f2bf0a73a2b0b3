//! Contracts: what each firm was promised, and what it was debited.
//!
//! Signing reserves: `spent + Σ unspent allotments of contracts not yet ended ≤ cap` holds in every state, so nobody
//! can starve the others, and a contract that is in force can always spend what it was promised, whatever others ask.
//! When a contract ends, what it did not touch is promised to nobody and can be promised anew.

use glovebox_policy::{
    BudgetDomain, Contract, ContractId, Cost, DatasetName, Digest, OrgId, Reason, Refusal, SignedContract,
};
use rusqlite::{Connection, OptionalExtension as _};

use crate::account::{find_officer_key, require_person};
use crate::error::{ContractError, LedgerError};
use crate::log::Entry;
use crate::store::Ledger;
use crate::{application, clock, domain, row};

/// A contract as it stands.
#[derive(Debug, Clone)]
pub struct StoredContract {
    /// The signed envelope, exactly as it was handed in.
    pub envelope: Vec<u8>,
    /// The terms, read from the envelope after checking its signature again.
    pub contract: Contract,
    /// What was debited over the whole term.
    pub debited: Cost,
    /// What was debited in the current UTC day.
    pub debited_today: Cost,
}

/// The terms that a charge is checked against.
pub(crate) struct Terms {
    pub(crate) digest: Digest,
    pub(crate) org: OrgId,
    pub(crate) dataset: DatasetName,
    pub(crate) domain: BudgetDomain,
    pub(crate) starts_at: i64,
    pub(crate) ends_at: i64,
    pub(crate) allotment: Cost,
    pub(crate) per_day: Cost,
    pub(crate) debited: Cost,
}

/// The terms of a contract.
pub(crate) fn terms(tx: &Connection, id: &ContractId) -> Result<Option<Terms>, LedgerError> {
    let found = tx
        .prepare_cached(
            "SELECT dataset, domain, starts_at, ends_at, allotment_rho, allotment_delta, per_day_rho, per_day_delta,
                    debited_rho, debited_delta, org, digest FROM contract WHERE contract = ?1",
        )?
        .query_row([id.as_str()], |row| {
            let names: (String, String, String, [u8; 32]) = (row.get(0)?, row.get(1)?, row.get(10)?, row.get(11)?);
            let times = (row.get(2)?, row.get(3)?);
            Ok((names, times, (row.get(4)?, row.get(5)?), (row.get(6)?, row.get(7)?), (row.get(8)?, row.get(9)?)))
        })
        .optional()?;
    found
        .map(|((dataset, domain, org, digest), (starts_at, ends_at), allotment, per_day, debited)| {
            Ok(Terms {
                digest: row::digest(digest),
                org: row::name(org)?,
                dataset: row::name(dataset)?,
                domain: row::name(domain)?,
                starts_at,
                ends_at,
                allotment: row::cost(allotment)?,
                per_day: row::cost(per_day)?,
                debited: row::cost(debited)?,
            })
        })
        .transpose()
}

/// What a contract was debited on a day.
pub(crate) fn debited_on(tx: &Connection, id: &ContractId, day: i64) -> Result<Cost, LedgerError> {
    let found = tx
        .prepare_cached("SELECT debited_rho, debited_delta FROM contract_day WHERE contract = ?1 AND day = ?2")?
        .query_row((id.as_str(), day), |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    found.map_or(Ok(Cost::ZERO), row::cost)
}

/// Adds to what a contract was debited, in total and on a day. The CHECKs of both tables hold the caps again.
pub(crate) fn debit(tx: &Connection, id: &ContractId, terms: &Terms, day: i64, cost: Cost) -> Result<(), LedgerError> {
    let (rho, delta) = row::steps(cost)?;
    let (day_rho, day_delta) = row::steps(terms.per_day)?;
    tx.prepare_cached(
        "UPDATE contract SET debited_rho = debited_rho + ?2, debited_delta = debited_delta + ?3 WHERE contract = ?1",
    )?
    .execute((id.as_str(), rho, delta))?;
    let counted = tx
        .prepare_cached(
            "UPDATE contract_day SET debited_rho = debited_rho + ?3, debited_delta = debited_delta + ?4
             WHERE contract = ?1 AND day = ?2",
        )?
        .execute((id.as_str(), day, rho, delta))?;
    if counted == 0 {
        tx.prepare_cached(
            "INSERT INTO contract_day (contract, day, per_day_rho, per_day_delta, debited_rho, debited_delta)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute((id.as_str(), day, day_rho, day_delta, rho, delta))?;
    }
    Ok(())
}

/// Σ unspent allotments of a domain's contracts that have not ended at `now`, in force or yet to start.
pub(crate) fn promised(tx: &Connection, domain: &BudgetDomain, now: i64) -> Result<Cost, LedgerError> {
    let mut rows = tx.prepare_cached(
        "SELECT allotment_rho - debited_rho, allotment_delta - debited_delta
         FROM contract WHERE domain = ?1 AND ends_at > ?2",
    )?;
    let unspent = rows.query_map((domain.as_str(), now), |row| Ok((row.get(0)?, row.get(1)?)))?;
    unspent.into_iter().try_fold(Cost::ZERO, |sum, unspent| Ok(sum.plus(row::cost(unspent?)?)))
}

impl Ledger {
    /// Takes a signed contract and reserves its allotment, both for good.
    ///
    /// # Errors
    /// A refusal for the officer: [`Reason::ContractExists`]; [`Reason::SignatureInvalid`] if the signer has no key
    /// here; [`Reason::ContractInvalid`] if the dataset is not registered in the named domain, the term is over, or
    /// fewer officers would decide than under another contract; [`Reason::OwnRequest`] if the signer is of the firm;
    /// [`Reason::ApplicationClosed`] if it names an application that it does not answer;
    /// [`Reason::OfficersMissing`] if its jobs could never be decided; [`Reason::AllotmentAboveDomain`]. Else a failure of the store.
    pub fn add_contract(&self, c: &SignedContract, now_unix_s: i64) -> Result<(), ContractError> {
        self.write(|tx| {
            let now = clock::advance(tx, now_unix_s)?;
            check_contract(tx, c, now)?;
            insert_contract(tx, c, now)?;
            application::answer(tx, c.contract(), c.signer(), now)?;
            Ok(())
        })
    }

    /// A contract as it stands now.
    ///
    /// # Errors
    /// [`LedgerError::Corrupt`] if its stored envelope no longer verifies; else if the store fails.
    pub fn contract(&self, id: &ContractId) -> Result<Option<StoredContract>, LedgerError> {
        self.read(|tx| stored_contract(tx, id))
    }

    /// Every contract as it stands now, oldest first.
    ///
    /// # Errors
    /// As [`Ledger::contract`].
    pub fn contracts(&self) -> Result<Vec<StoredContract>, LedgerError> {
        self.read(|tx| {
            let mut rows = tx.prepare_cached("SELECT contract FROM contract ORDER BY leaf")?;
            let names: Vec<String> = rows.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
            names
                .into_iter()
                .filter_map(|id| row::name(id).and_then(|id| stored_contract(tx, &id)).transpose())
                .collect()
        })
    }
}

fn check_contract(tx: &Connection, signed: &SignedContract, now: i64) -> Result<(), ContractError> {
    let terms = signed.contract();
    if self::terms(tx, &terms.id)?.is_some() {
        return Err(Refusal::about(Reason::ContractExists, terms.id.as_str()).into());
    }
    let verified = verify(tx, signed.envelope()).is_ok_and(|again| again.signer() == signed.signer());
    if !verified {
        return Err(Refusal::new(Reason::SignatureInvalid).into());
    }
    if domain::domain_of(tx, &terms.dataset)?.as_ref() != Some(&terms.budget_domain) {
        return Err(Refusal::about(Reason::ContractInvalid, "dataset, budget_domain").into());
    }
    if terms.ends.timestamp() <= now {
        return Err(Refusal::about(Reason::ContractInvalid, "ends").into());
    }
    // One officer must not make a firm's jobs cheaper to approve than other contracts on the same data say.
    let most = most_officers(tx, &terms.org, &terms.dataset, now)?;
    if terms.risk_class.officers() < most {
        return Err(Refusal::about(Reason::ContractInvalid, "risk_class: below that of a contract in force").into());
    }
    if require_person(tx, signed.signer())?.org == terms.org {
        return Err(Refusal::about(Reason::OwnRequest, terms.id.as_str()).into());
    }
    if let Some(refusal) = application::check_answer(tx, terms)? {
        return Err(refusal.into());
    }
    if officers_outside(tx, &terms.org)? < terms.risk_class.officers() {
        return Err(Refusal::about(Reason::OfficersMissing, terms.risk_class.as_str()).into());
    }
    let totals = domain::totals(tx, &terms.budget_domain)?
        .ok_or_else(|| LedgerError::Unknown { kind: "budget domain", name: terms.budget_domain.to_string() })?;
    let promised = promised(tx, &terms.budget_domain, now)?;
    if !totals.spent.plus(promised).plus(terms.allotment).fits(totals.cap) {
        return Err(Refusal::about(Reason::AllotmentAboveDomain, terms.id.as_str()).into());
    }
    Ok(())
}

/// The most officers that a contract of the organisation on the dataset asks that has not ended.
fn most_officers(tx: &Connection, org: &OrgId, dataset: &DatasetName, now: i64) -> Result<u32, LedgerError> {
    Ok(tx
        .prepare_cached(
            "SELECT coalesce(max(officers), 0) FROM contract WHERE org = ?1 AND dataset = ?2 AND ends_at > ?3",
        )?
        .query_row((org.as_str(), dataset.to_string(), now), |row| row.get(0))?)
}

/// How many officers have a key here and are of another organisation.
fn officers_outside(tx: &Connection, org: &OrgId) -> Result<u32, LedgerError> {
    Ok(tx
        .prepare_cached(
            "SELECT count(DISTINCT p.person) FROM person p JOIN officer_key k ON k.person = p.person WHERE p.org <> ?1",
        )?
        .query_row([org.as_str()], |row| row.get(0))?)
}

fn insert_contract(tx: &Connection, signed: &SignedContract, now: i64) -> Result<(), LedgerError> {
    let terms = signed.contract();
    let (allotment_rho, allotment_delta) = row::steps(terms.allotment)?;
    let (per_day_rho, per_day_delta) = row::steps(terms.per_day)?;
    let leaf = Entry::new("contract", now)
        .text("contract", terms.id.as_str())
        .text("org", terms.org.as_str())
        .text("dataset", &terms.dataset.to_string())
        .text("domain", terms.budget_domain.as_str())
        .digest("terms", &signed.digest())
        .text("signer", signed.signer().as_str())
        .cost("allotment_rho", "allotment_delta", terms.allotment)
        .cost("per_day_rho", "per_day_delta", terms.per_day)
        .number("starts", terms.starts.timestamp())
        .number("ends", terms.ends.timestamp())
        .number("officers", terms.risk_class.officers().into())
        .append(tx)?;
    tx.prepare_cached(
        "INSERT INTO contract (contract, org, dataset, domain, digest, envelope, signer, starts_at, ends_at,
             allotment_rho, allotment_delta, per_day_rho, per_day_delta, leaf, officers)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
    )?
    .execute((
        terms.id.as_str(),
        terms.org.as_str(),
        terms.dataset.to_string(),
        terms.budget_domain.as_str(),
        signed.digest().as_bytes(),
        signed.envelope(),
        signed.signer().as_str(),
        terms.starts.timestamp(),
        terms.ends.timestamp(),
        allotment_rho,
        allotment_delta,
        per_day_rho,
        per_day_delta,
        row::signed(leaf)?,
        terms.risk_class.officers(),
    ))?;
    Ok(())
}

fn stored_contract(tx: &Connection, id: &ContractId) -> Result<Option<StoredContract>, LedgerError> {
    let found: Option<(Vec<u8>, [u8; 32])> = tx
        .prepare_cached("SELECT envelope, digest FROM contract WHERE contract = ?1")?
        .query_row([id.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((envelope, digest)) = found else {
        return Ok(None);
    };
    let corrupt = || LedgerError::Corrupt(format!("the envelope of contract `{id}` does not verify"));
    let signed = verify(tx, &envelope).map_err(|_| corrupt())?;
    let terms = terms(tx, id)?.ok_or_else(corrupt)?;
    if signed.digest() != row::digest(digest) || &signed.contract().id != id {
        return Err(corrupt());
    }
    let today = clock::day_of(clock::by_system(tx)?);
    let debited_today = debited_on(tx, id, today)?;
    Ok(Some(StoredContract { envelope, contract: signed.contract().clone(), debited: terms.debited, debited_today }))
}

/// Checks an envelope against the officers' keys of this ledger.
fn verify(tx: &Connection, envelope: &[u8]) -> Result<SignedContract, Refusal> {
    SignedContract::verify(envelope, &|key_id| find_officer_key(tx, key_id).ok().flatten())
}
