//! Applications for data (数据使用申请), from a firm's text to an officer's draft contract.

use std::sync::Arc;

use glovebox_catalog::{Dataset, Manifest};
use glovebox_ledger::{ApplicationEnd, NewApplication, StoredApplication, StoredEnd};
use glovebox_policy::application::{Application, Settled};
use glovebox_policy::contract::Grant;
use glovebox_policy::{ApplicationId, Caller, ContractId, DatasetName, OrgId, PersonId, Reason, Refusal, Role};
use serde::Serialize;

use crate::engine::{Engine, Shared, internal, now_unix_s, officer, sees_all};
use crate::job::card::instant;
use crate::job::ledger_refusal;

/// An application as it stands.
#[derive(Debug, Clone, Serialize)]
pub struct ApplicationCard {
    /// Its name.
    pub id: ApplicationId,
    /// The firm.
    pub org: OrgId,
    /// Who handed it in.
    pub person: PersonId,
    /// The dataset.
    pub dataset: DatasetName,
    /// `waiting`, `granted`, `rejected` or `withdrawn`.
    pub status: &'static str,
    /// When it was handed in, RFC 3339.
    pub at: String,
    /// Why the firm wants the data.
    pub why: String,
    /// The contract that answers it.
    pub contract: Option<ContractId>,
    /// Why it was rejected.
    pub reason: Option<String>,
    /// Who ended it.
    pub ended_by: Option<PersonId>,
    /// When, RFC 3339.
    pub ended_at: Option<String>,
    /// The text, as it was handed in; not in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

impl ApplicationCard {
    /// The card without its text.
    fn brief(stored: &StoredApplication) -> Result<Self, Refusal> {
        let end = stored.end.as_ref();
        let (contract, reason) = match end.map(|end| &end.end) {
            Some(ApplicationEnd::Granted(contract)) => (Some(contract.clone()), None),
            Some(ApplicationEnd::Rejected(why)) => (None, Some(why.clone())),
            Some(ApplicationEnd::Withdrawn) | None => (None, None),
        };
        Ok(Self {
            id: stored.application.clone(),
            org: stored.org.clone(),
            person: stored.person.clone(),
            dataset: stored.dataset.clone(),
            status: end.map_or("waiting", |end| end.end.as_str()),
            at: instant(stored.at_unix_s),
            why: Application::parse(&stored.text)?.why().to_owned(),
            contract,
            reason,
            ended_by: end.map(|end| end.person.clone()),
            ended_at: end.map(|end: &StoredEnd| instant(end.at_unix_s)),
            text: None,
        })
    }

    fn whole(stored: &StoredApplication) -> Result<Self, Refusal> {
        Ok(Self { text: Some(stored.text.clone()), ..Self::brief(stored)? })
    }
}

impl Engine {
    /// Hands in an application of the caller's firm.
    ///
    /// # Errors
    /// For others than analysts; [`Reason::ApplicationInvalid`], [`Reason::TableUnknown`], [`Reason::ColumnIsIdentifier`],
    /// [`Reason::ApplicationsWaiting`].
    pub fn apply(&self, caller: &Caller, text: &str) -> Result<ApplicationCard, Refusal> {
        if caller.role != Role::Analyst {
            return Err(Reason::RoleForbidden.into());
        }
        let asked = Application::parse(text)?;
        let unknown = || Refusal::about(Reason::TableUnknown, &asked.dataset().to_string());
        let dataset = self.shared.catalog.get(asked.dataset()).ok_or_else(unknown)?;
        grants_fit(&self.shared, dataset.manifest(), asked.grants(), Reason::ApplicationInvalid)?;
        let application = ApplicationId::random().map_err(|error| internal("application", &error))?;
        let new = NewApplication {
            application,
            person: caller.person.clone(),
            dataset: asked.dataset().clone(),
            text: text.to_owned(),
            now_unix_s: now_unix_s(),
        };
        self.shared.ledger.apply(&new).map_err(ledger_refusal)?;
        self.application(caller, &new.application)
    }

    /// The applications that a caller may see, oldest first: a firm its own, officers and auditors all.
    ///
    /// # Errors
    /// [`Reason::Internal`].
    pub fn applications(&self, caller: &Caller) -> Result<Vec<ApplicationCard>, Refusal> {
        let of = (!sees_all(caller)).then_some(&caller.org);
        let found = self.shared.ledger.applications(of).map_err(|error| internal("applications", &error))?;
        found.iter().map(ApplicationCard::brief).collect()
    }

    /// One application that the caller may see.
    ///
    /// # Errors
    /// [`Reason::NotFound`].
    pub fn application(&self, caller: &Caller, id: &ApplicationId) -> Result<ApplicationCard, Refusal> {
        ApplicationCard::whole(&self.visible(caller, id)?)
    }

    /// The text of a contract that would grant a waiting application, under a name: for an officer to edit and sign.
    ///
    /// # Errors
    /// For others than officers; [`Reason::NotFound`], [`Reason::ApplicationClosed`].
    pub fn draft_contract(&self, caller: &Caller, id: &ApplicationId, as_id: &ContractId) -> Result<String, Refusal> {
        officer(caller)?;
        let stored = self.visible(caller, id)?;
        if stored.end.is_some() {
            return Err(Refusal::about(Reason::ApplicationClosed, id.as_str()));
        }
        let asked = Application::parse(&stored.text)?;
        let unknown = || Refusal::about(Reason::TableUnknown, &stored.dataset.to_string());
        let dataset = self.shared.catalog.get(&stored.dataset).ok_or_else(unknown)?;
        let budget_domain = dataset.manifest().budget_domain();
        asked.draft(Settled { id: as_id, org: &stored.org, application: id, budget_domain })
    }

    /// Says no to a waiting application.
    ///
    /// # Errors
    /// For others than officers; [`Reason::NotFound`], [`Reason::ApplicationClosed`], [`Reason::OwnRequest`].
    pub fn reject_application(
        &self,
        caller: &Caller,
        id: &ApplicationId,
        why: &str,
    ) -> Result<ApplicationCard, Refusal> {
        officer(caller)?;
        let ledger = &self.shared.ledger;
        ledger.reject_application(id, &caller.person, why, now_unix_s()).map_err(ledger_refusal)?;
        self.application(caller, id)
    }

    /// Takes a waiting application of the own firm back.
    ///
    /// # Errors
    /// For others than analysts; [`Reason::NotFound`], [`Reason::ApplicationClosed`].
    pub fn withdraw_application(&self, caller: &Caller, id: &ApplicationId) -> Result<ApplicationCard, Refusal> {
        if caller.role != Role::Analyst {
            return Err(Reason::RoleForbidden.into());
        }
        let ledger = &self.shared.ledger;
        ledger.withdraw_application(id, &caller.person, now_unix_s()).map_err(ledger_refusal)?;
        self.application(caller, id)
    }

    fn visible(&self, caller: &Caller, id: &ApplicationId) -> Result<StoredApplication, Refusal> {
        let found = self.shared.ledger.application(id).map_err(|error| internal("application", &error))?;
        let visible = found.filter(|it| sees_all(caller) || it.org == caller.org);
        visible.ok_or_else(|| Refusal::about(Reason::NotFound, id.as_str()))
    }
}

/// Whether columns that are asked for or granted are there, none of them identifies anybody, and datasets that would be joined
/// can be.
pub(crate) fn grants_fit(shared: &Shared, own: &Manifest, grants: &[Grant], reason: Reason) -> Result<(), Refusal> {
    for grant in grants {
        let joined = grant.dataset.as_ref().map(|name| joinable(shared, own, name, reason)).transpose()?;
        let manifest = joined.as_ref().map_or(own, |dataset| dataset.manifest());
        for column in &grant.columns {
            match manifest.column(column.as_str()) {
                None => return Err(Refusal::about(reason, &format!("column {column}"))),
                Some(found) if found.identifier => {
                    return Err(Refusal::about(Reason::ColumnIsIdentifier, column.as_str()));
                }
                Some(_) => {}
            }
        }
    }
    Ok(())
}

/// Another dataset, whose rows can meet those of a contract's own.
fn joinable(shared: &Shared, own: &Manifest, name: &DatasetName, reason: Reason) -> Result<Arc<Dataset>, Refusal> {
    let dataset = shared.catalog.get(name).ok_or_else(|| Refusal::about(Reason::TableUnknown, &name.to_string()))?;
    let other = dataset.manifest();
    if own.footage().is_some() || other.footage().is_some() {
        return Err(Refusal::about(Reason::FootageRefused, &name.to_string()));
    }
    let same = own.id_space() == other.id_space() && own.budget_domain() == other.budget_domain();
    if same { Ok(dataset) } else { Err(Refusal::about(reason, &format!("{name}: another id_space or budget_domain"))) }
}
