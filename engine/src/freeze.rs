//! Freezing by officers, and by requests that were lost.

use glovebox_ledger::{Freezable, FreezeFact, NewFreeze};
use glovebox_policy::{Caller, ContractId, DatasetName, PersonId, Reason, Refusal};
use serde::Serialize;

use crate::engine::{Engine, Shared, internal, now_unix_s, officer, sees_all};
use crate::job::card::instant;
use crate::job::ledger_refusal;

/// A freeze, or the end of one.
#[derive(Debug, Clone, Serialize)]
pub struct FreezeCard {
    /// `dataset`, `contract` or `person`.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Whether it was frozen or let go.
    pub frozen: bool,
    /// The officer.
    pub officer: PersonId,
    /// Why.
    pub reason: String,
    /// When, RFC 3339.
    pub at: String,
    /// The number of its entry in the log.
    pub leaf: u64,
}

impl From<FreezeFact> for FreezeCard {
    fn from(fact: FreezeFact) -> Self {
        let FreezeFact { kind, name, frozen, officer, why, at_unix_s, leaf_index } = fact;
        Self { kind, name, frozen, officer, reason: why, at: instant(at_unix_s), leaf: leaf_index }
    }
}

impl Engine {
    /// Freezes a dataset, a contract or a person, or lets it go. From then on nothing is charged for it; what is under way
    /// is finished, and results that were released before are not shown.
    ///
    /// # Errors
    /// For others than officers; [`Reason::NotFound`], [`Reason::FreezeInvalid`].
    pub fn freeze(&self, caller: &Caller, subject: Freezable, frozen: bool, why: &str) -> Result<FreezeCard, Refusal> {
        officer(caller)?;
        let (officer, why) = (caller.person.clone(), why.trim().to_owned());
        let new = NewFreeze { subject, frozen, officer, why, now_unix_s: now_unix_s() };
        let shared = &self.shared;
        shared.ledger.freeze(&new).map_err(ledger_refusal)?;
        let all = shared.ledger.freezes().map_err(|error| internal("freezes", &error))?;
        let made = all.into_iter().find(|fact| fact.kind == new.subject.kind() && fact.name == new.subject.name());
        made.map(FreezeCard::from).ok_or_else(|| Reason::Internal.into())
    }

    /// Every freeze and every end of one, newest first.
    ///
    /// # Errors
    /// For others than officers and auditors.
    pub fn freezes(&self, caller: &Caller) -> Result<Vec<FreezeCard>, Refusal> {
        if !sees_all(caller) {
            return Err(Reason::RoleForbidden.into());
        }
        let all = self.shared.ledger.freezes().map_err(|error| internal("freezes", &error))?;
        Ok(all.into_iter().map(FreezeCard::from).collect())
    }
}

/// Refuses what is frozen, before anything is decided: the charge's transaction asks again.
pub(crate) fn not_frozen<'a>(
    shared: &Shared,
    datasets: impl IntoIterator<Item = &'a DatasetName>,
    contract: &ContractId,
    person: &PersonId,
) -> Result<(), Refusal> {
    let failed = |error| internal("freezes", &error);
    let datasets = datasets.into_iter().map(|dataset| (Freezable::Dataset(dataset.clone()), Reason::DatasetFrozen));
    let others = [
        (Freezable::Contract(contract.clone()), Reason::ContractFrozen),
        (Freezable::Person(person.clone()), Reason::Frozen),
    ];
    for (subject, reason) in datasets.chain(others) {
        if shared.ledger.is_frozen(&subject).map_err(failed)? {
            return Err(Refusal::about(reason, &subject.name()));
        }
    }
    Ok(())
}

/// Refuses a person with too many losses.
pub(crate) fn few_losses(shared: &Shared, person: &PersonId) -> Result<(), Refusal> {
    let incidents = shared.ledger.incidents_of(person).map_err(|error| internal("incidents", &error))?;
    if incidents < shared.config.limits.incidents {
        Ok(())
    } else {
        Err(Refusal::about(Reason::Frozen, person.as_str()))
    }
}
