//! Budget domains and the datasets that draw on them.

use glovebox_policy::{BudgetDomain, Cost, DatasetName, Delta, Digest, PersonId, SnapshotId};
use rusqlite::{Connection, OptionalExtension as _};

use crate::account::require_person;
use crate::error::LedgerError;
use crate::log::Entry;
use crate::store::Ledger;
use crate::{clock, contract, row};

/// The budget of everybody who may be in the datasets of one domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DomainBudget {
    /// The domain.
    pub domain: BudgetDomain,
    /// The most privacy loss that will ever be caused.
    pub cap: Cost,
    /// The privacy loss already charged.
    pub spent: Cost,
    /// What contracts in force, or yet to start, may still spend. `spent` and this never exceed `cap` together.
    pub promised: Cost,
    /// The δ at which ε is shown.
    pub published_delta: Delta,
}

/// A domain's running totals.
pub(crate) struct Totals {
    pub(crate) cap: Cost,
    pub(crate) spent: Cost,
    published_delta: Delta,
}

/// The totals of a domain.
pub(crate) fn totals(tx: &Connection, domain: &BudgetDomain) -> Result<Option<Totals>, LedgerError> {
    let found = tx
        .prepare_cached(
            "SELECT cap_rho, cap_delta, spent_rho, spent_delta, published_delta FROM domain WHERE domain = ?1",
        )?
        .query_row([domain.as_str()], |row| {
            Ok(((row.get(0)?, row.get(1)?), (row.get(2)?, row.get(3)?), row.get::<_, i64>(4)?))
        })
        .optional()?;
    found
        .map(|(cap, spent, published)| {
            let published_delta = Delta::from_steps(row::unsigned(published)?);
            Ok(Totals { cap: row::cost(cap)?, spent: row::cost(spent)?, published_delta })
        })
        .transpose()
}

/// Adds to what a domain has spent. The CHECK of the table holds the cap even if a caller forgot to.
pub(crate) fn spend(tx: &Connection, domain: &BudgetDomain, cost: Cost) -> Result<(), LedgerError> {
    let (rho, delta) = row::steps(cost)?;
    tx.prepare_cached(
        "UPDATE domain SET spent_rho = spent_rho + ?2, spent_delta = spent_delta + ?3 WHERE domain = ?1",
    )?
    .execute((domain.as_str(), rho, delta))?;
    Ok(())
}

/// The domain of a dataset.
pub(crate) fn domain_of(tx: &Connection, dataset: &DatasetName) -> Result<Option<BudgetDomain>, LedgerError> {
    let found: Option<String> = tx
        .prepare_cached("SELECT domain FROM dataset WHERE dataset = ?1")?
        .query_row([dataset.to_string()], |row| row.get(0))
        .optional()?;
    found.map(row::name).transpose()
}

/// The dataset that a snapshot is of.
pub(crate) fn dataset_of(tx: &Connection, snapshot: &SnapshotId) -> Result<Option<DatasetName>, LedgerError> {
    let found: Option<String> = tx
        .prepare_cached("SELECT dataset FROM snapshot WHERE snapshot = ?1")?
        .query_row([snapshot.as_str()], |row| row.get(0))
        .optional()?;
    found.map(row::name).transpose()
}

impl Ledger {
    /// Opens a budget domain with a lifetime cap.
    ///
    /// # Errors
    /// [`LedgerError::Exists`] if the domain is there; [`LedgerError::TooLarge`] if the cap is not below 2⁶³ steps;
    /// else if the store fails.
    pub fn create_domain(&self, d: &BudgetDomain, cap: Cost, published_delta: Delta) -> Result<(), LedgerError> {
        let (cap_rho, cap_delta) = row::steps(cap)?;
        let published = row::signed(published_delta.steps())?;
        self.write(|tx| {
            if totals(tx, d)?.is_some() {
                return Err(LedgerError::Exists { kind: "budget domain", name: d.to_string() });
            }
            let leaf = Entry::new("domain", clock::by_system(tx)?)
                .text("domain", d.as_str())
                .cost("cap_rho", "cap_delta", cap)
                .text("published_delta", &published.to_string())
                .append(tx)?;
            tx.prepare_cached(
                "INSERT INTO domain (domain, cap_rho, cap_delta, published_delta, leaf) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute((d.as_str(), cap_rho, cap_delta, published, row::signed(leaf)?))?;
            Ok(())
        })
    }

    /// A domain's budget now.
    ///
    /// # Errors
    /// If the store fails.
    pub fn domain(&self, d: &BudgetDomain) -> Result<Option<DomainBudget>, LedgerError> {
        self.read(|tx| {
            let Some(Totals { cap, spent, published_delta }) = totals(tx, d)? else {
                return Ok(None);
            };
            let promised = contract::promised(tx, d, clock::by_system(tx)?)?;
            Ok(Some(DomainBudget { domain: d.clone(), cap, spent, promised, published_delta }))
        })
    }

    /// Every domain's budget now, by name.
    ///
    /// # Errors
    /// If the store fails.
    pub fn domains(&self) -> Result<Vec<DomainBudget>, LedgerError> {
        let names: Vec<String> = self.read(|tx| {
            let mut rows = tx.prepare_cached("SELECT domain FROM domain ORDER BY domain")?;
            let names = rows.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
            Ok(names)
        })?;
        names.into_iter().filter_map(|name| row::name(name).and_then(|name| self.domain(&name)).transpose()).collect()
    }

    /// Writes down that a person calls a table public, before the catalog has it. Nothing is charged to a public table, so the
    /// log entry is all there is.
    ///
    /// # Errors
    /// [`LedgerError::Unknown`] if the person is not registered; [`LedgerError::Exists`] if a dataset has the name.
    pub fn announce_public_table(
        &self,
        name: &DatasetName,
        snapshot: &SnapshotId,
        manifest: Digest,
        by: &PersonId,
    ) -> Result<(), LedgerError> {
        self.write(|tx| {
            require_person(tx, by)?;
            if domain_of(tx, name)?.is_some() {
                return Err(LedgerError::Exists { kind: "dataset", name: name.to_string() });
            }
            Entry::new("public-table", clock::by_system(tx)?)
                .text("dataset", &name.to_string())
                .text("snapshot", snapshot.as_str())
                .digest("manifest", &manifest)
                .text("person", by.as_str())
                .append(tx)?;
            Ok(())
        })
    }

    /// Registers a snapshot of a dataset. The first one ties the dataset to its budget domain for good; later ones must
    /// name the same domain, so that no new snapshot resets a budget.
    ///
    /// # Errors
    /// [`LedgerError::Unknown`] if domain or person is not registered; [`LedgerError::Exists`] if the snapshot is;
    /// [`LedgerError::Conflict`] if the dataset belongs to another domain.
    pub fn register_dataset(
        &self,
        name: &DatasetName,
        domain: &BudgetDomain,
        snapshot: &SnapshotId,
        manifest: Digest,
        by: &PersonId,
    ) -> Result<(), LedgerError> {
        self.write(|tx| {
            require_person(tx, by)?;
            if totals(tx, domain)?.is_none() {
                return Err(LedgerError::Unknown { kind: "budget domain", name: domain.to_string() });
            }
            if dataset_of(tx, snapshot)?.is_some() {
                return Err(LedgerError::Exists { kind: "snapshot", name: snapshot.to_string() });
            }
            let before = domain_of(tx, name)?;
            if before.as_ref().is_some_and(|before| before != domain) {
                return Err(LedgerError::Conflict("the dataset belongs to another budget domain"));
            }
            let leaf = Entry::new("dataset", clock::by_system(tx)?)
                .text("dataset", &name.to_string())
                .text("domain", domain.as_str())
                .text("snapshot", snapshot.as_str())
                .digest("manifest", &manifest)
                .text("person", by.as_str())
                .append(tx)?;
            let leaf = row::signed(leaf)?;
            if before.is_none() {
                tx.prepare_cached("INSERT INTO dataset (dataset, domain, leaf) VALUES (?1, ?2, ?3)")?.execute((
                    name.to_string(),
                    domain.as_str(),
                    leaf,
                ))?;
            }
            tx.prepare_cached(
                "INSERT INTO snapshot (snapshot, dataset, manifest, person, leaf) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute((snapshot.as_str(), name.to_string(), manifest.as_bytes(), by.as_str(), leaf))?;
            Ok(())
        })
    }
}
