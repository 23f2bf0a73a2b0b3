//! Public tables: who calls a table public is in the log before it can be joined.

use std::path::Path;

use glovebox_catalog::PublicManifest;
use glovebox_ledger::LedgerError;
use glovebox_policy::{Caller, Reason, Refusal};

use crate::cards::{DatasetCard, OfficerFault};
use crate::engine::{Engine, internal};

impl Engine {
    /// Brings a public table in. The log tells who called it public before anybody can join it.
    ///
    /// # Errors
    /// As [`Engine::add_dataset`], which has seen that the caller is an officer.
    pub(crate) fn add_public_table(
        &self,
        caller: &Caller,
        manifest: &PublicManifest,
        file: &Path,
    ) -> Result<DatasetCard, OfficerFault> {
        let ledger = &self.shared.ledger;
        let mut refused = None;
        let added = self.shared.catalog.add_public(manifest, file, |snapshot| {
            let told = ledger.announce_public_table(manifest.name(), snapshot, manifest.digest(), &caller.person);
            refused = told.err();
            refused.is_none()
        });
        match (added, refused) {
            (Ok((table, _)), _) => Ok(DatasetCard::from(table.as_ref())),
            (Err(_), Some(LedgerError::Exists { .. })) => {
                Err(Refusal::about(Reason::DatasetExists, &manifest.name().to_string()).into())
            }
            (Err(_), Some(error)) => Err(internal("public table", &error).into()),
            (Err(error), None) => Err(error.into()),
        }
    }
}
