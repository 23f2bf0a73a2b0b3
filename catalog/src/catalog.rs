//! The catalog: a folder of registered datasets under one master key.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use glovebox_policy::{DatasetName, SnapshotId};
use ring::hmac;
use serde::{Deserialize, Serialize};

use crate::dataset::Dataset;
use crate::ingest::{self, IngestError, IngestReport, Ingested};
use crate::keys::MasterKey;
use crate::manifest::{Declaration, Manifest, PublicManifest};
use crate::public_table::PublicTable;
use crate::store::{self, ContentMarks, StoreError, Stored, io_error};

const FORMAT: u32 = 1;
const CATALOG_FILE: &str = "catalog.json";
const KEY_CHECK: &[u8] = b"this is the master key of this catalog";

/// Why a catalog cannot be made or opened. For operators; quotes no row.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// A file or key cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is a catalog already.
    #[error("`{0}` holds a catalog already")]
    Exists(String),
    /// The master key would lie beside what it protects.
    #[error("the master key file `{0}` must lie outside of the catalog's folder")]
    KeyInside(String),
}

/// `catalog.json`: enough to tell a wrong master key from a right one before any dataset is there.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CatalogFile {
    format: u32,
    key_check: String,
}

/// All registered datasets. Cheap to share behind an `Arc`; every method blocks on the disk at most.
pub struct Catalog {
    dir: PathBuf,
    master: MasterKey,
    datasets: RwLock<BTreeMap<DatasetName, Arc<Dataset>>>,
    /// Public tables, in a list of their own: nothing that takes a dataset can be given one.
    public: RwLock<BTreeMap<DatasetName, Arc<PublicTable>>>,
    /// Held while a dataset is added: the checks for names and content must still hold when it appears.
    adding: Mutex<()>,
}

impl Catalog {
    /// Makes an empty catalog in `dir`, and the master key file if there is none yet.
    ///
    /// # Errors
    /// The folder holds a catalog, the key lies inside of it or is open to others, or the disk refuses.
    pub fn create(dir: &Path, master_key_file: &Path) -> Result<Self, CatalogError> {
        fs::create_dir_all(dir).map_err(io_error(dir))?;
        let marker = dir.join(CATALOG_FILE);
        if marker.exists() {
            return Err(CatalogError::Exists(dir.display().to_string()));
        }
        key_outside(dir, master_key_file)?;
        let master = MasterKey::load_or_create(master_key_file).map_err(StoreError::from)?;
        let file = CatalogFile { format: FORMAT, key_check: key_check(&master) };
        let json = serde_json::to_vec_pretty(&file).map_err(|_| StoreError::Write)?;
        store::write_file(&marker, &json)?;
        store::sync_dir(dir)?;
        Ok(Self {
            dir: dir.to_owned(),
            master,
            datasets: RwLock::default(),
            public: RwLock::default(),
            adding: Mutex::default(),
        })
    }

    /// Opens the catalog in `dir` and all of its datasets, and sweeps what an interrupted registration left.
    ///
    /// # Errors
    /// The key is not the one of this catalog, a dataset is damaged or altered, or the disk refuses.
    pub fn open(dir: &Path, master_key_file: &Path) -> Result<Self, CatalogError> {
        key_outside(dir, master_key_file)?;
        let master = MasterKey::load(master_key_file).map_err(StoreError::from)?;
        check_key(dir, &master)?;
        let (mut datasets, mut public) = (BTreeMap::new(), BTreeMap::new());
        for folder in store::folders(dir)? {
            let Stored { declared, opened } = store::open(&folder, &master)?;
            match declared {
                Declaration::Units(manifest) => {
                    datasets.insert(manifest.name().clone(), Arc::new(Dataset::new(manifest, opened)));
                }
                Declaration::Public(manifest) => {
                    public.insert(manifest.name().clone(), Arc::new(PublicTable::new(manifest, opened)));
                }
            }
        }
        Ok(Self {
            dir: dir.to_owned(),
            master,
            datasets: RwLock::new(datasets),
            public: RwLock::new(public),
            adding: Mutex::default(),
        })
    }

    /// Checks a file against its manifest and registers it. It blocks for as long as the file takes to read and write.
    ///
    /// # Errors
    /// The name is taken, the content is charged to another budget domain already, the file cannot be read or does not
    /// fit ([`IngestError::report`] tells everything that does not), or the disk refuses. Nothing is registered then.
    pub fn add(&self, manifest: &Manifest, file: &Path) -> Result<Ingested, IngestError> {
        let _adding = self.adding.lock().unwrap_or_else(PoisonError::into_inner);
        let name = manifest.name();
        if self.get(name).is_some() || self.public(name).is_some() {
            return Err(IngestError::Exists(name.clone()));
        }
        let mut prepared = ingest::prepare(&self.master, manifest, file)?;
        // Files without rows are all alike and hold nobody.
        if prepared.report().rows_read > 0 {
            self.check_domain(manifest, prepared.content())?;
        }
        let report = prepared.report().clone();
        let content = prepared.content().clone();
        let declared = Declaration::Units(manifest.clone());
        let stored = store::write(&self.dir, &self.master, &declared, content, prepared.as_mut(), &mut |_| Ok(()))?;
        let dataset = Arc::new(Dataset::new(manifest.clone(), stored.opened));
        let mut datasets = self.datasets.write().unwrap_or_else(PoisonError::into_inner);
        datasets.insert(name.clone(), Arc::clone(&dataset));
        Ok(Ingested { dataset, report })
    }

    /// Checks the file of a public table against its manifest and registers it. `announce` is told the state's id when
    /// everything is checked and written and nothing can be asked of it yet: what it refuses is not registered.
    ///
    /// # Privacy obligation
    /// Rows of a public table are shown to everybody. The same bytes, or the same rows in the same columns, that are registered
    /// in a budget domain are refused here, and those of a public table by [`Catalog::add`]. That no other form of private rows
    /// is declared public is the officer's word, which the log keeps.
    ///
    /// # Errors
    /// As [`Catalog::add`]; [`StoreError::Unannounced`] when `announce` says no.
    pub fn add_public(
        &self,
        manifest: &PublicManifest,
        file: &Path,
        mut announce: impl FnMut(&SnapshotId) -> bool,
    ) -> Result<(Arc<PublicTable>, IngestReport), IngestError> {
        let _adding = self.adding.lock().unwrap_or_else(PoisonError::into_inner);
        let name = manifest.name();
        if self.get(name).is_some() || self.public(name).is_some() {
            return Err(IngestError::Exists(name.clone()));
        }
        let mut prepared = ingest::prepare_public(&self.master, manifest, file)?;
        if prepared.report.rows_read > 0 {
            let known = self.datasets().into_iter().find(|dataset| prepared.content.is_of(dataset.content()));
            if let Some(dataset) = known {
                return Err(IngestError::ContentOtherwise(dataset.manifest().name().clone(), "a dataset with units"));
            }
        }
        let (report, content) = (prepared.report.clone(), prepared.content.clone());
        let declared = Declaration::Public(manifest.clone());
        let mut told = |id: &SnapshotId| if announce(id) { Ok(()) } else { Err(StoreError::Unannounced) };
        let stored = store::write(&self.dir, &self.master, &declared, content, &mut prepared, &mut told)?;
        let table = Arc::new(PublicTable::new(manifest.clone(), stored.opened));
        let mut public = self.public.write().unwrap_or_else(PoisonError::into_inner);
        public.insert(name.clone(), Arc::clone(&table));
        Ok((table, report))
    }

    /// The public table of this name.
    pub fn public(&self, name: &DatasetName) -> Option<Arc<PublicTable>> {
        self.public.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    /// All public tables, sorted by name.
    pub fn public_tables(&self) -> Vec<Arc<PublicTable>> {
        self.public.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// The names of all datasets, sorted.
    pub fn names(&self) -> Vec<DatasetName> {
        self.datasets.read().unwrap_or_else(PoisonError::into_inner).keys().cloned().collect()
    }

    /// All datasets, sorted by name.
    pub fn datasets(&self) -> Vec<Arc<Dataset>> {
        self.datasets.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// The dataset of this name.
    pub fn get(&self, name: &DatasetName) -> Option<Arc<Dataset>> {
        self.datasets.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    /// The same content under two budget domains would be charged to neither in full, and as a public table to none at all.
    fn check_domain(&self, manifest: &Manifest, content: &ContentMarks) -> Result<(), IngestError> {
        if let Some(table) = self.public_tables().into_iter().find(|table| content.is_of(table.content())) {
            return Err(IngestError::ContentOtherwise(table.manifest().name().clone(), "a public table"));
        }
        let known = self.datasets().into_iter().find(|dataset| {
            content.is_of(dataset.content()) && dataset.manifest().budget_domain() != manifest.budget_domain()
        });
        match known {
            Some(dataset) => Err(IngestError::ContentElsewhere(dataset.manifest().name().clone())),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Catalog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Catalog({})", self.dir.display())
    }
}

fn key_check(master: &MasterKey) -> String {
    hex::encode(hmac::sign(&master.hasher("key check", ""), KEY_CHECK))
}

fn check_key(dir: &Path, master: &MasterKey) -> Result<(), StoreError> {
    let path = dir.join(CATALOG_FILE);
    let damaged = || StoreError::Damaged(path.display().to_string());
    let bytes = fs::read(&path).map_err(io_error(&path))?;
    let file: CatalogFile = serde_json::from_slice(&bytes).map_err(|_| damaged())?;
    let tag = hex::decode(&file.key_check).map_err(|_| damaged())?;
    if file.format != FORMAT {
        return Err(damaged());
    }
    hmac::verify(&master.hasher("key check", ""), KEY_CHECK, &tag).map_err(|_| crate::keys::KeyError::Mismatch.into())
}

/// A key inside the folder would travel with every backup of it.
fn key_outside(dir: &Path, key: &Path) -> Result<(), CatalogError> {
    let dir = fs::canonicalize(dir).map_err(io_error(dir))?;
    let parent = key.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let parent = fs::canonicalize(parent).map_err(io_error(parent))?;
    if parent.starts_with(&dir) { Err(CatalogError::KeyInside(key.display().to_string())) } else { Ok(()) }
}
