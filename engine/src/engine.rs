//! The engine: state, opened under a lock, and who may do what with it.

use std::collections::HashMap;
use std::fs::{File, TryLockError};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use glovebox_catalog::{Catalog, Declaration, Manifest};
use glovebox_ledger::{ContractError, Ledger, LedgerError, Person, Seal};
use glovebox_policy::{Caller, DatasetName, JobId, PersonId, PolicySet, Public, Reason, Refusal, Role, SignedContract};
use glovebox_privacy::Table;
use tokio::sync::Semaphore;

use crate::application::grants_fit;
use crate::cards::{BudgetCard, ContractCard, DatasetCard, OfficerFault};
use crate::compute::Compute;
use crate::config::Config;
use crate::job::Runs;
use crate::job::card::JobFacts;
use crate::tick::Ticks;

const LEDGER_FILE: &str = "ledger.sqlite";
const CATALOG_DIR: &str = "catalog";
const LOCK_FILE: &str = "lock";

/// The state could not be made or opened; for the operator.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub struct EngineError {
    what: String,
    #[source]
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl EngineError {
    fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), source: None }
    }

    fn because(what: &str, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self { what: format!("{what}: {source}"), source: Some(Box::new(source)) }
    }
}

/// The one pipeline and everything it needs. Cheap to clone.
#[derive(Clone)]
pub struct Engine {
    pub(crate) shared: Arc<Shared>,
}

pub(crate) struct Shared {
    pub(crate) config: Config,
    pub(crate) ledger: Ledger,
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) policies: PolicySet,
    pub(crate) ticks: Ticks,
    pub(crate) running: Arc<Semaphore>,
    pub(crate) waiting: Arc<Semaphore>,
    pub(crate) compute: Compute,
    pub(crate) compiling: Arc<Semaphore>,
    pub(crate) runs: Arc<Runs>,
    /// What lists show of jobs.
    pub(crate) facts: Mutex<HashMap<JobId, JobFacts>>,
    /// Held for as long as the state is open; another process is turned away.
    _lock: File,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Engine(…)")
    }
}

/// Now, in seconds since 1970; the ledger takes care that it never goes back.
pub(crate) fn now_unix_s() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

/// An operator's failure: the detail goes to the operator's log, the asker is told `internal`.
pub(crate) fn internal(what: &'static str, error: &dyn std::fmt::Display) -> Refusal {
    crate::operator_log::note(what, error);
    Reason::Internal.into()
}

fn lock(dir: &Path) -> Result<File, EngineError> {
    let path = dir.join(LOCK_FILE);
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)
        .map_err(|error| EngineError::because("the lock of the state directory cannot be opened", error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(EngineError::new("another process uses this state directory")),
        Err(TryLockError::Error(error)) => Err(EngineError::because("the state directory cannot be locked", error)),
    }
}

impl Engine {
    /// Makes a state directory: ledger, budget domains, catalog, master key.
    ///
    /// # Errors
    /// If there is one already, or the disk refuses.
    pub fn init(config: &Config) -> Result<(), EngineError> {
        let dir = &config.state_dir;
        std::fs::create_dir_all(dir).map_err(|e| EngineError::because("the state directory cannot be made", e))?;
        let _lock = lock(dir)?;
        Catalog::create(&dir.join(CATALOG_DIR), &config.master_key_file)
            .map_err(|e| EngineError::because("the catalog cannot be made", e))?;
        // A key that is there already is of an interrupted `init`, or the operator's own choice.
        let (key, origin) = (&config.service_key_file, &config.log_origin);
        let seal = if key.exists() { Seal::load(key, origin) } else { Seal::generate(key, origin) };
        let seal = seal.map_err(|e| EngineError::because("the service key cannot be made", e))?;
        let ledger = Ledger::create(&dir.join(LEDGER_FILE), seal)
            .map_err(|e| EngineError::because("the ledger cannot be made", e))?;
        for domain in &config.budget_domains {
            let (cap, published) = domain.numbers().ok_or_else(|| EngineError::new("a budget domain has no cap"))?;
            ledger
                .create_domain(&domain.name, cap, published)
                .map_err(|e| EngineError::because("a budget domain cannot be made", e))?;
        }
        Ok(())
    }

    /// Opens a state directory for this process alone.
    ///
    /// # Errors
    /// If another process has it, a part is missing or damaged, or the master key is not the right one.
    pub fn open(config: &Config) -> Result<Self, EngineError> {
        let dir = &config.state_dir;
        let held = lock(dir)?;
        let catalog = Catalog::open(&dir.join(CATALOG_DIR), &config.master_key_file)
            .map_err(|e| EngineError::because("the catalog cannot be opened", e))?;
        let seal = Seal::load(&config.service_key_file, &config.log_origin)
            .map_err(|e| EngineError::because("the service key cannot be read", e))?;
        let ledger = Ledger::open(&dir.join(LEDGER_FILE), seal)
            .map_err(|e| EngineError::because("the ledger cannot be opened", e))?;
        let purposes = config.purposes.iter().map(|p| (p.name.clone(), p.within.clone())).collect();
        let policies =
            PolicySet::load(purposes).map_err(|e| EngineError::because("the policies cannot be loaded", e))?;
        let compute = Compute::start(config.limits.threads)
            .map_err(|e| EngineError::because("the compute threads cannot be started", e))?;
        Ok(Self {
            shared: Arc::new(Shared {
                ticks: Ticks::every(Duration::from_millis(config.release.tick_ms)),
                running: Arc::new(Semaphore::new(config.limits.running())),
                waiting: Arc::new(Semaphore::new(config.limits.running() + config.limits.waiting)),
                config: config.clone(),
                ledger,
                catalog: Arc::new(catalog),
                policies,
                compute,
                compiling: Arc::new(Semaphore::new(1)),
                runs: Arc::default(),
                facts: Mutex::default(),
                _lock: held,
            }),
        })
    }

    /// The datasets and public tables by name, from their manifests.
    pub fn datasets(&self) -> Vec<DatasetCard> {
        let catalog = &self.shared.catalog;
        let mut cards: Vec<DatasetCard> = catalog.datasets().iter().map(|it| DatasetCard::from(it.as_ref())).collect();
        cards.extend(catalog.public_tables().iter().map(|it| DatasetCard::from(it.as_ref())));
        cards.sort_by(|a, b| a.name.cmp(&b.name));
        cards
    }

    /// Synthetic rows of a dataset, from its manifest alone.
    ///
    /// # Errors
    /// [`Reason::TableUnknown`], or [`Reason::BadRequest`] for too many rows, or of a public table, which needs none.
    pub fn twin(&self, name: &DatasetName, rows: usize, seed: u64) -> Result<Public<Table>, Refusal> {
        if self.shared.catalog.public(name).is_some() {
            return Err(Refusal::about(Reason::BadRequest, "a public table has no synthetic twin"));
        }
        let dataset = self.shared.catalog.get(name).ok_or(Reason::TableUnknown)?;
        glovebox_query::twin_table(dataset.manifest(), rows, seed)
    }

    /// A manifest to edit, drafted from a file that its owner calls by a name, without the ending.
    ///
    /// # Errors
    /// For others than officers, and when the file cannot be read.
    pub fn draft_dataset(&self, caller: &Caller, file: &Path, name: &str) -> Result<String, OfficerFault> {
        officer(caller)?;
        glovebox_catalog::draft_called(file, name)
            .map_err(|error| OfficerFault::in_words(Reason::IngestRefused, &error))
    }

    /// Brings a dataset or a public table in.
    ///
    /// # Errors
    /// For others than officers, and with the whole report when manifest or file do not fit.
    pub fn add_dataset(&self, caller: &Caller, manifest: &str, file: &Path) -> Result<DatasetCard, OfficerFault> {
        officer(caller)?;
        let manifest = match Declaration::parse(manifest)? {
            Declaration::Units(manifest) => manifest,
            Declaration::Public(manifest) => return self.add_public_table(caller, &manifest, file),
        };
        let shared = &self.shared;
        let domain = shared.ledger.domain(manifest.budget_domain()).map_err(|e| internal("budget domain", &e))?;
        if domain.is_none() {
            let words = format!("there is no budget domain `{}`", manifest.budget_domain());
            return Err(OfficerFault::in_words(Reason::ManifestInvalid, &words));
        }
        let dataset = match shared.catalog.add(&manifest, file) {
            Ok(ingested) => ingested.dataset,
            Err(error) => self.interrupted(&manifest).ok_or(error)?,
        };
        let registered = shared.ledger.register_dataset(
            manifest.name(),
            manifest.budget_domain(),
            dataset.snapshot(),
            dataset.manifest_digest(),
            &caller.person,
        );
        match registered {
            Ok(()) => Ok(DatasetCard::from(dataset.as_ref())),
            Err(LedgerError::Exists { .. }) => {
                Err(Refusal::about(Reason::DatasetExists, &manifest.name().to_string()).into())
            }
            Err(error) => Err(internal("dataset registration", &error).into()),
        }
    }

    /// A dataset that is stored under this very manifest: adding it again completes a registration that was cut off
    /// between catalog and ledger. Until then nothing can be charged to it, so nothing can be asked.
    fn interrupted(&self, manifest: &Manifest) -> Option<Arc<glovebox_catalog::Dataset>> {
        let stored = self.shared.catalog.get(manifest.name())?;
        (stored.manifest_digest() == manifest.digest()).then_some(stored)
    }

    /// Takes a contract that an officer signed.
    ///
    /// # Errors
    /// When it is not signed by a registered officer, does not fit the catalog, or promises more than there is.
    pub fn add_contract(&self, caller: &Caller, envelope: &[u8]) -> Result<ContractCard, Refusal> {
        officer(caller)?;
        let shared = &self.shared;
        let officer_of = |keyid: &str| shared.ledger.officer_key(keyid).ok().flatten();
        let signed = SignedContract::verify(envelope, &officer_of)?;
        let contract = signed.contract();
        let dataset = shared
            .catalog
            .get(&contract.dataset)
            .ok_or_else(|| Refusal::about(Reason::TableUnknown, &contract.dataset.to_string()))?;
        if *dataset.manifest().budget_domain() != contract.budget_domain {
            let named = format!("budget_domain {}", contract.budget_domain);
            return Err(Refusal::about(Reason::ContractInvalid, &named));
        }
        grants_fit(shared, dataset.manifest(), &contract.grants, Reason::ContractInvalid)?;
        match shared.ledger.add_contract(&signed, now_unix_s()) {
            Ok(()) => {}
            Err(ContractError::Refused(refusal)) => return Err(refusal),
            Err(ContractError::Ledger(error)) => return Err(internal("contract", &error)),
        }
        let stored = shared.ledger.contract(&contract.id).map_err(|e| internal("contract", &e))?;
        stored.as_ref().map(ContractCard::from).ok_or_else(|| Reason::Internal.into())
    }

    /// The contracts that a caller may see: a firm its own, officers and auditors all.
    ///
    /// # Errors
    /// [`Reason::Internal`].
    pub fn contracts(&self, caller: &Caller) -> Result<Vec<ContractCard>, Refusal> {
        let all = self.shared.ledger.contracts().map_err(|e| internal("contracts", &e))?;
        let visible = all.iter().filter(|stored| sees_all(caller) || stored.contract.org == caller.org);
        Ok(visible.map(ContractCard::from).collect())
    }

    /// Budgets: a firm its contracts', officers and auditors the domains' too. A domain's total would tell a firm what
    /// others asked.
    ///
    /// # Errors
    /// [`Reason::Internal`].
    pub fn budget(&self, caller: &Caller) -> Result<Vec<BudgetCard>, Refusal> {
        let all = self.shared.ledger.contracts().map_err(|e| internal("contracts", &e))?;
        let visible = all.iter().filter(|stored| sees_all(caller) || stored.contract.org == caller.org);
        let mut cards: Vec<BudgetCard> = visible.map(BudgetCard::from).collect();
        if sees_all(caller) {
            let domains = self.shared.ledger.domains().map_err(|e| internal("domains", &e))?;
            cards.extend(domains.iter().map(BudgetCard::from));
        }
        Ok(cards)
    }

    /// Everybody with an account.
    ///
    /// # Errors
    /// For analysts.
    pub fn people(&self, caller: &Caller) -> Result<Vec<Person>, Refusal> {
        if !sees_all(caller) {
            return Err(Reason::RoleForbidden.into());
        }
        self.shared.ledger.people().map_err(|e| internal("people", &e))
    }

    /// A new account.
    ///
    /// # Errors
    /// For others than officers; [`Reason::BadRequest`] when the name is taken.
    pub fn add_person(&self, caller: &Caller, person: &Person) -> Result<(), Refusal> {
        officer(caller)?;
        self.shared.ledger.add_person(person).map_err(|e| taken_or_internal(e, person.person.as_str()))
    }

    /// A new token for somebody, good for so many days. Officers give to anybody; others to themselves.
    ///
    /// # Errors
    /// [`Reason::RoleForbidden`], [`Reason::NotFound`].
    pub fn issue_token(&self, caller: &Caller, person: &PersonId, days: u32) -> Result<String, Refusal> {
        if caller.role != Role::Officer && caller.person != *person {
            return Err(Reason::RoleForbidden.into());
        }
        let now = now_unix_s();
        let expires = now.saturating_add(i64::from(days).saturating_mul(86_400));
        self.shared.ledger.issue_token(person, expires, now).map_err(|e| taken_or_internal(e, person.as_str()))
    }

    /// Ends a token at once.
    ///
    /// # Errors
    /// [`Reason::NotFound`] when there is no such token.
    pub fn revoke_token(&self, caller: &Caller, token: &str) -> Result<(), Refusal> {
        let owner = self.authenticate(token).map_err(|_| Refusal::from(Reason::NotFound))?;
        if caller.role != Role::Officer && caller.person != owner.person {
            return Err(Reason::NotFound.into());
        }
        let digest = glovebox_policy::Digest::of(token.as_bytes());
        self.shared.ledger.revoke_token(&digest).map_err(|e| taken_or_internal(e, "token"))
    }

    /// Registers an officer's public key. Local only: whoever holds the state directory founds the trust in it.
    ///
    /// # Errors
    /// If the person is no officer, or the key is registered already.
    pub fn add_officer_key(&self, person: &PersonId, public_key: [u8; 32]) -> Result<String, EngineError> {
        let added = self.shared.ledger.add_officer_key(person, public_key);
        added.map_err(|e| EngineError::because("the key cannot be registered", e))
    }

    /// The first officer of a new service. Local only, and only while there is nobody.
    ///
    /// # Errors
    /// If there is somebody already.
    pub fn found(&self, officer: &Person, days: u32) -> Result<String, EngineError> {
        let ledger = &self.shared.ledger;
        let fail = |e: LedgerError| EngineError::because("the first officer cannot be made", e);
        if officer.role != Role::Officer {
            return Err(EngineError::new("the first person must be an officer"));
        }
        if !ledger.people().map_err(fail)?.is_empty() {
            return Err(EngineError::new("there is somebody already"));
        }
        ledger.add_person(officer).map_err(fail)?;
        let now = now_unix_s();
        ledger.issue_token(&officer.person, now + i64::from(days) * 86_400, now).map_err(fail)
    }
}

pub(crate) fn officer(caller: &Caller) -> Result<(), Refusal> {
    if caller.role == Role::Officer { Ok(()) } else { Err(Reason::RoleForbidden.into()) }
}

pub(crate) fn sees_all(caller: &Caller) -> bool {
    matches!(caller.role, Role::Officer | Role::Auditor)
}

pub(crate) fn taken_or_internal(error: LedgerError, name: &str) -> Refusal {
    match error {
        LedgerError::Exists { .. } => Refusal::about(Reason::BadRequest, &format!("{name} is taken")),
        LedgerError::Unknown { .. } => Refusal::about(Reason::NotFound, name),
        other => internal("accounts", &other),
    }
}
