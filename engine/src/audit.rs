//! What auditors read, and what a firm gets to prove its results by.
//!
//! A log entry tells who asked, what it cost and when; so the log is for officers and auditors. A firm gets the certificates
//! that were made out to its own contracts, each with a proof that its leaf is in the log. Of others such a proof tells how
//! long the log is and no more: entries carry a nonce, so the hashes beside a leaf cannot be guessed.

use glovebox_ledger::tlog::tile::Tile;
use glovebox_policy::dsse::Envelope;
use glovebox_policy::{Caller, ContractId, Digest, Purpose, Reason, Refusal};
use serde::Serialize;

use crate::engine::{Engine, internal, sees_all};
use crate::freeze::not_frozen;
use crate::pipeline::signed_contract;

/// Everything that proves one release, as files.
#[derive(Debug, Clone)]
pub struct ReleaseProof {
    /// The released bytes: noised, and what the certificate is about.
    pub result: Vec<u8>,
    /// The certificate: a DSSE envelope.
    pub certificate: Vec<u8>,
    /// The certificate's entry in the log.
    pub entry: Vec<u8>,
    /// The entry's proof of inclusion under a signed checkpoint.
    pub proof: String,
}

/// A range of the log.
#[derive(Debug, Clone, Serialize)]
pub struct LogPage {
    /// How many entries the log has.
    pub size: u64,
    /// The entries, in order.
    pub entries: Vec<serde_json::Value>,
}

/// A past decision with all that it takes to make it again.
#[derive(Debug, Clone, Serialize)]
pub struct DecisionCard {
    /// The number of the log's entry that rests on it.
    pub leaf: u64,
    /// When, in seconds since 1970.
    pub at_unix_s: i64,
    /// Its digest: the SHA-256 of `record`.
    pub decision: Digest,
    /// What it rested on, in JSON, byte for byte.
    pub record: String,
    /// The contract's signed envelope.
    pub contract: String,
    /// The officer's public key that the envelope is signed with, in hexadecimal.
    pub signer_key: String,
    /// The bureau's purposes, each with the broader one it belongs to.
    pub purposes: Vec<(Purpose, Option<Purpose>)>,
    /// Whether this service comes to the same decision now: by its policies, as of then.
    pub same: bool,
    /// Else why not.
    pub because: Option<String>,
}

/// The most entries of one [`LogPage`].
pub const LOG_PAGE_MAX: u32 = 1_000;

fn auditor(caller: &Caller) -> Result<(), Refusal> {
    if sees_all(caller) { Ok(()) } else { Err(Reason::RoleForbidden.into()) }
}

impl Engine {
    /// The decision that a log entry rests on, made again.
    ///
    /// # Errors
    /// [`Reason::RoleForbidden`]; [`Reason::NotFound`] if there is no such entry or no decision behind it.
    pub fn decision(&self, caller: &Caller, leaf: u64) -> Result<DecisionCard, Refusal> {
        auditor(caller)?;
        let shared = &self.shared;
        let failed = |error| internal("a decision", &error);
        let unseen = || Refusal::about(Reason::NotFound, &leaf.to_string());
        let stored = shared.ledger.decision_of(leaf).map_err(failed)?.ok_or_else(unseen)?;
        let contract = shared.ledger.contract(&stored.contract).map_err(failed)?.ok_or_else(unseen)?;
        let signed = signed_contract(shared, &contract)?;
        let envelope: Envelope = serde_json::from_slice(&contract.envelope).map_err(|_| Reason::SignatureInvalid)?;
        let key = envelope.signatures.iter().find_map(|by| shared.ledger.officer_key(&by.keyid).ok().flatten());
        let (_, key) = key.ok_or(Reason::SignatureInvalid)?;
        let replayed = shared.policies.replay(&stored.record, &signed, stored.at_unix_s);
        Ok(DecisionCard {
            leaf,
            at_unix_s: stored.at_unix_s,
            decision: stored.digest,
            record: String::from_utf8_lossy(&stored.record).into_owned(),
            contract: String::from_utf8_lossy(&contract.envelope).into_owned(),
            signer_key: key.iter().map(|byte| format!("{byte:02x}")).collect(),
            purposes: shared.config.purposes.iter().map(|of| (of.name.clone(), of.within.clone())).collect(),
            same: replayed.is_ok(),
            because: replayed.err().map(|refusal| refusal.english()),
        })
    }

    /// What proves a release: to a firm if it was made out to a contract of its own, to officers and auditors any. The
    /// contract may be left out when there is one only.
    ///
    /// # Errors
    /// [`Reason::NotFound`], also while a job runs for the request.
    pub fn release_proof(
        &self,
        caller: &Caller,
        request: Digest,
        contract: Option<&ContractId>,
    ) -> Result<ReleaseProof, Refusal> {
        let unseen = || Refusal::about(Reason::NotFound, &request.to_string());
        // The ledger has the release of a run before the run's instant; this would be another way to it.
        if self.shared.runs.are_for(request) {
            return Err(unseen());
        }
        let failed = |error| internal("a certificate", &error);
        let ledger = &self.shared.ledger;
        let contracts = ledger.contracts().map_err(failed)?;
        let visible = contracts.iter().map(|stored| &stored.contract).filter(|terms| {
            (sees_all(caller) || terms.org == caller.org) && contract.is_none_or(|wanted| *wanted == terms.id)
        });
        for terms in visible {
            let Some(found) = ledger.certificate(request, &terms.id).map_err(failed)? else { continue };
            if !sees_all(caller) {
                // What was released of it may have been joined to any of these.
                let datasets = std::iter::once(&terms.dataset).chain(terms.joined());
                not_frozen(&self.shared, datasets, &terms.id, &caller.person)?;
            }
            let stored = ledger.release_of(request).map_err(failed)?.ok_or_else(unseen)?;
            return Ok(ReleaseProof {
                result: stored.into_parts().0,
                proof: ledger.log_proof(found.leaf_index).map_err(failed)?,
                certificate: found.envelope,
                entry: found.entry,
            });
        }
        Err(unseen())
    }

    /// The text of the key that verifies certificates and the log.
    pub fn verifier_key(&self) -> String {
        self.shared.ledger.verifier_key().to_string()
    }

    /// The log's signed checkpoint.
    ///
    /// # Errors
    /// For analysts.
    pub fn checkpoint(&self, caller: &Caller) -> Result<String, Refusal> {
        auditor(caller)?;
        self.shared.ledger.checkpoint().map_err(|error| internal("the log", &error))
    }

    /// Entries of the log from number `start` on, at most `count` of them.
    ///
    /// # Errors
    /// For analysts.
    pub fn log_page(&self, caller: &Caller, start: u64, count: u32) -> Result<LogPage, Refusal> {
        auditor(caller)?;
        let failed = |error| internal("the log", &error);
        let ledger = &self.shared.ledger;
        let size = ledger.tree_head().map_err(failed)?.size;
        let entries = ledger.entries(start, count.min(LOG_PAGE_MAX)).map_err(failed)?;
        let read = |entry: &Vec<u8>| serde_json::from_slice(entry).map_err(|error| internal("the log", &error));
        Ok(LogPage { size, entries: entries.iter().map(read).collect::<Result<_, _>>()? })
    }

    /// A file of the log as tlog-tiles lays it out, by its path: `checkpoint`, `tile/…`, `tile/entries/…`.
    ///
    /// # Errors
    /// For analysts; [`Reason::NotFound`] for a path that there is no file at.
    pub fn log_file(&self, caller: &Caller, path: &str) -> Result<Vec<u8>, Refusal> {
        auditor(caller)?;
        let ledger = &self.shared.ledger;
        if path == "checkpoint" {
            return Ok(self.checkpoint(caller)?.into_bytes());
        }
        let file = Tile::from_path(path).map_or(Ok(None), |tile| ledger.tile_bytes(&tile));
        let file = file.map_err(|error| internal("the log", &error))?;
        file.ok_or_else(|| Refusal::about(Reason::NotFound, path))
    }

    /// The proof of inclusion of an entry under the current checkpoint.
    ///
    /// # Errors
    /// For analysts; [`Reason::NotFound`].
    pub fn log_proof(&self, caller: &Caller, leaf: u64) -> Result<String, Refusal> {
        auditor(caller)?;
        let failed = |error| internal("the log", &error);
        if leaf >= self.shared.ledger.tree_head().map_err(failed)?.size {
            return Err(Refusal::about(Reason::NotFound, &leaf.to_string()));
        }
        self.shared.ledger.log_proof(leaf).map_err(failed)
    }

    /// The proof that the log of `old` entries is a beginning of that of `new`: hashes, hexadecimal.
    ///
    /// # Errors
    /// For analysts; [`Reason::BadRequest`] unless `old` ≤ `new` ≤ the size.
    pub fn log_consistency(&self, caller: &Caller, old: u64, new: u64) -> Result<Vec<String>, Refusal> {
        auditor(caller)?;
        let failed = |error| internal("the log", &error);
        if old > new || new > self.shared.ledger.tree_head().map_err(failed)?.size {
            return Err(Refusal::about(Reason::BadRequest, &format!("{old}, {new}")));
        }
        let hashes = self.shared.ledger.prove_consistency(old, new).map_err(failed)?;
        Ok(hashes.into_iter().map(|hash| Digest::from_bytes(hash).to_string()).collect())
    }
}
