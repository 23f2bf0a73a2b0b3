//! Collecting an answer that somebody else ran: what a contract gets that paid and need not run the request itself.
//!
//! INVARIANT (own history): a claim leaves in the log what a run leaves. One entry when it is paid (`reuse` or `join`
//! beside `charge` or `resume`) and two when it is collected (`serve` and `certificate` beside `release` and
//! `certificate`). The holder collects at the instant at which its own run would have been written down, so neither how
//! far apart a firm's certificates are nor how long the log is before that instant and when the answer leaves tell whether
//! others had asked the same. Between those two a run is written down some time later than a claim, because its noise is
//! drawn first: what is left to see is in docs/privacy-promise.md.

use std::sync::Arc;

use glovebox_policy::Digest;
use rusqlite::Connection;

use crate::charge::{Live, Order};
use crate::error::LedgerError;
use crate::release::{self, Settled, StoredRelease};
use crate::store::Ledger;
use crate::{admit, clock, issue};

/// The right of a contract that paid to the answer of one request, which is there or on its way.
///
/// Exists only after the commit of its payment. Like a charge it cannot be made by hand:
/// ```compile_fail,E0451
/// fn forge(real: glovebox_ledger::Claim, order: glovebox_ledger::Order) -> glovebox_ledger::Claim {
///     glovebox_ledger::Claim { order: Box::new(order), ..real }
/// }
/// ```
/// nor copied:
/// ```compile_fail,E0599
/// fn copy(claim: &glovebox_ledger::Claim) -> glovebox_ledger::Claim {
///     claim.clone()
/// }
/// ```
/// nor used twice:
/// ```compile_fail,E0382
/// fn twice(ledger: &glovebox_ledger::Ledger, claim: glovebox_ledger::Claim) {
///     let _ = ledger.collect(claim);
///     let _ = ledger.collect(claim);
/// }
/// ```
#[derive(Debug)]
#[must_use = "a claim that is dropped stays paid; its contract has no certificate until it asks again"]
pub struct Claim {
    order: Box<Order>,
    live: Arc<Live>,
}

/// How far a claimed request is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Somebody in this process runs it.
    Running,
    /// Nobody runs it and it has no answer: ask for a charge again, at no further cost.
    CutOff,
    /// It is settled.
    Settled(Settled),
}

/// What comes of collecting.
#[derive(Debug)]
#[must_use]
pub enum Collected {
    /// The answer, with the contract's certificate made out.
    Stored(StoredRelease),
    /// There is none yet, or it was lost: the claim is handed back.
    NotYet(Claim, Progress),
}

impl Claim {
    pub(crate) fn new(order: &Order, live: &Arc<Live>) -> Self {
        Self { order: Box::new(order.clone()), live: Arc::clone(live) }
    }

    /// The request that is answered.
    pub fn request(&self) -> Digest {
        self.order.request
    }
}

impl Ledger {
    /// How far a claimed request is. Writes nothing.
    ///
    /// # Errors
    /// If the store fails.
    pub fn progress(&self, claim: &Claim) -> Result<Progress, LedgerError> {
        if let Some(settled) = self.settled(claim.request())? {
            return Ok(Progress::Settled(settled));
        }
        if claim.live.runs(claim.request()) {
            return Ok(Progress::Running);
        }
        // Whoever ran it may have settled it and gone between the two looks.
        Ok(self.settled(claim.request())?.map_or(Progress::CutOff, Progress::Settled))
    }

    /// Hands the answer of a paid request out, with the contract's certificate if it has none yet.
    ///
    /// # Errors
    /// [`LedgerError::Conflict`] if the claim is of another ledger; [`LedgerError::Corrupt`] if what is stored was
    /// changed; else if the store fails. The contract stays debited and may ask again.
    pub fn collect(&self, claim: Claim) -> Result<Collected, LedgerError> {
        if !Arc::ptr_eq(&claim.live, &self.live) {
            return Err(LedgerError::Conflict("the claim is of another ledger"));
        }
        match self.progress(&claim)? {
            Progress::Settled(Settled::Released) => {
                self.write(|tx| self.serve(tx, &claim.order)).map(Collected::Stored)
            }
            progress => Ok(Collected::NotYet(claim, progress)),
        }
    }

    fn serve(&self, tx: &Connection, order: &Order) -> Result<StoredRelease, LedgerError> {
        let stored = release::load(tx, &order.request)?
            .ok_or_else(|| LedgerError::Corrupt("a release is not there".to_owned()))?;
        if !issue::exists(tx, order)? {
            let body = stored.receipt().body_digest();
            admit::entry("serve", order, clock::by_system(tx)?).digest("body", &body).append(tx)?;
            issue::issue(tx, &self.seal, order, body)?;
        }
        Ok(stored)
    }
}
