//! The gate: noise once, for a durable charge, committed before anybody holds the answer.
//!
//! INVARIANT (only door): this module is the only place that makes a [`Released`]; its fields are private, and it offers
//! no constructor, conversion or deserialiser.
//!
//! INVARIANT (order): compare, draw, take out the keys below their threshold, commit, hand out. A fault on the way leaves the charge charged and hands out nothing.

use std::fmt;
use std::pin::Pin;

use glovebox_ledger::{Charge, Ledger, LedgerError, Receipt, StoredRelease};
use glovebox_policy::{Cost, Digest, Permit, Public, Refusal};

use crate::cells::{BodyError, Exact, NoisyCells};
use crate::mechanism::MechanismError;

/// An answer that went through the gate, or something computed from such answers and public parameters alone.
///
/// It cannot be built by hand:
/// ```compile_fail,E0451
/// # fn forge(receipt: glovebox_ledger::Receipt) {
/// let forged = glovebox_privacy::Released { value: 41, receipt };
/// # }
/// ```
/// nor made from a value:
/// ```compile_fail,E0277
/// fn convert(value: u64) -> glovebox_privacy::Released<u64> { value.into() }
/// ```
/// nor written out or read in without somebody naming the value inside:
/// ```compile_fail,E0277
/// fn write<T: serde::Serialize>(_: T) {}
/// fn leak(released: glovebox_privacy::Released<u64>) { write(released) }
/// ```
/// ```compile_fail,E0277
/// fn read<T: serde::de::DeserializeOwned>() {}
/// fn forge() { read::<glovebox_privacy::Released<u64>>() }
/// ```
/// Nor does it open by itself:
/// ```compile_fail,E0614
/// fn open(released: glovebox_privacy::Released<u64>) -> u64 { *released }
/// ```
#[must_use = "a release that is dropped was paid for"]
pub struct Released<T> {
    value: T,
    receipt: Receipt,
}

/// What [`Released::then`] runs: post-processing that has to wait for something, without the right to capture.
pub type Step<T, P, U> = fn(T, Public<P>) -> Pin<Box<dyn Future<Output = Result<U, Refusal>> + Send>>;

impl<T> Released<T> {
    /// The answer.
    pub const fn get(&self) -> &T {
        &self.value
    }

    /// The ledger's receipt for it.
    pub const fn receipt(&self) -> &Receipt {
        &self.receipt
    }

    /// Post-processes the answer with a public parameter.
    ///
    /// # Privacy obligation
    /// Neighbouring relation and sensitivity are those of the release: what is computed from a release and public
    /// values alone costs nothing more (post-processing). `f` is a function pointer, so it cannot carry private data
    /// in a capture; that it reads none from a global is for its reviewer to see.
    ///
    /// ```compile_fail,E0308
    /// # use glovebox_policy::Public;
    /// fn smuggle(released: glovebox_privacy::Released<u64>, raw: u64) {
    ///     let sum = released.map(Public::from_request(1), |value, _| value + raw);
    /// }
    /// ```
    /// ```
    /// # use glovebox_policy::Public;
    /// fn scale(released: glovebox_privacy::Released<u64>) -> glovebox_privacy::Released<u64> {
    ///     released.map(Public::from_request(3), |value, by| value * by.get())
    /// }
    /// ```
    pub fn map<P, U>(self, with: Public<P>, f: fn(T, Public<P>) -> U) -> Released<U> {
        let Self { value, receipt } = self;
        Released { value: f(value, with), receipt }
    }

    /// As [`Released::map`], for post-processing that may refuse.
    ///
    /// # Errors
    /// What `f` returns. The release stays in the ledger.
    pub fn try_map<P, U>(
        self,
        with: Public<P>,
        f: fn(T, Public<P>) -> Result<U, Refusal>,
    ) -> Result<Released<U>, Refusal> {
        let Self { value, receipt } = self;
        Ok(Released { value: f(value, with)?, receipt })
    }

    /// As [`Released::try_map`], for post-processing that has to wait, as an outer query does.
    ///
    /// # Errors
    /// What `step` returns. The release stays in the ledger.
    pub async fn then<P, U>(self, with: Public<P>, step: Step<T, P, U>) -> Result<Released<U>, Refusal> {
        let Self { value, receipt } = self;
        Ok(Released { value: step(value, with).await?, receipt })
    }
}

impl<T> fmt::Debug for Released<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Released(…)")
    }
}

/// Why the gate stayed shut. For the operator; holds digests and prices, never a cell.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GateError {
    /// Permit, charge and cells are not all of one request.
    #[error("the `{part}` is for request `{found}`, not for `{expected}`")]
    RequestMismatch {
        /// Which part differs from the permit.
        part: &'static str,
        /// The permit's request.
        expected: Digest,
        /// The part's request.
        found: Digest,
    },
    /// The charge rests on another contract or decision than the permit.
    #[error("the permit has {what} `{permitted}`, and the charge `{charged}`")]
    PermitMismatch {
        /// What differs.
        what: &'static str,
        /// The permit's.
        permitted: String,
        /// The charge's.
        charged: String,
    },
    /// The charge is not what the planned noise costs.
    #[error("the noise costs `{planned:?}`, and `{charged:?}` was charged")]
    CostMismatch {
        /// The plan's cost, by OpenDP's maps.
        planned: Cost,
        /// The charge's cost.
        charged: Cost,
    },
    /// No noise could be drawn.
    #[error(transparent)]
    Mechanism(#[from] MechanismError),
    /// The noised cells could not be written or read.
    #[error(transparent)]
    Body(#[from] BodyError),
    /// The ledger did not commit.
    #[error("the release was not committed")]
    Ledger(#[from] LedgerError),
    /// A stored body is not the one on the receipt.
    #[error("the stored body of request `{request}` is not the one that was committed")]
    BodyDigest {
        /// The request.
        request: Digest,
    },
}

/// Draws the noise and commits the release.
///
/// Synchronous, and the measurement lives and dies inside (OpenDP's is neither `Send` nor meant to be kept); call it from
/// a blocking thread.
///
/// # Privacy obligation
/// Neighbouring relation: one unit added or removed. Sensitivity and loss: the plan's ([`crate::plan`]), priced again
/// here through OpenDP's maps and compared with what was durably charged. The permit, the charge and the cells are moved
/// in and gone afterwards, so one charge draws noise once; a failed commit drops the noised cells unseen, and a second
/// attempt under the same charge draws afresh, which is sound because nothing of the first left. Source: DESIGN, "the
/// life of a request"; sequential composition is the ledger's.
///
/// ```compile_fail,E0382
/// # use glovebox_privacy::{release, Exact};
/// # use glovebox_policy::Permit;
/// # use glovebox_ledger::{Charge, Ledger};
/// fn twice(ledger: &Ledger, permit: Permit, charges: [Charge; 2], cells: [Exact; 2]) {
///     let [first, second] = charges;
///     let [one, other] = cells;
///     let _ = release(ledger, permit, first, one);
///     let _ = release(ledger, permit, second, other);
/// }
/// ```
/// ```compile_fail,E0382
/// # use glovebox_privacy::{release, Exact};
/// # use glovebox_policy::Permit;
/// # use glovebox_ledger::{Charge, Ledger};
/// fn twice(ledger: &Ledger, permits: [Permit; 2], charge: Charge, cells: [Exact; 2]) {
///     let [first, second] = permits;
///     let [one, other] = cells;
///     let _ = release(ledger, first, charge, one);
///     let _ = release(ledger, second, charge, other);
/// }
/// ```
/// ```compile_fail,E0382
/// # use glovebox_privacy::{release, Exact};
/// # use glovebox_policy::Permit;
/// # use glovebox_ledger::{Charge, Ledger};
/// fn twice(ledger: &Ledger, permits: [Permit; 2], charges: [Charge; 2], exact: Exact) {
///     let [first, second] = permits;
///     let [one, other] = charges;
///     let _ = release(ledger, first, one, exact);
///     let _ = release(ledger, second, other, exact);
/// }
/// ```
///
/// # Errors
/// [`GateError`]; the charge stays charged and nothing is released.
pub fn release(
    ledger: &Ledger,
    permit: Permit,
    charge: Charge,
    exact: Exact,
) -> Result<Released<NoisyCells>, GateError> {
    let request = permit.request();
    same_request("charge", request, charge.request())?;
    same_request("cells", request, exact.request())?;
    same("contract", permit.contract(), charge.contract())?;
    same("decision", &permit.decision(), &charge.decision())?;
    let planned = exact.plan().price()?;
    if planned != charge.cost() || planned != exact.plan().cost() {
        return Err(GateError::CostMismatch { planned, charged: charge.cost() });
    }
    let (summary, claims) = (exact.plan().summary(), exact.plan().claims());
    let threshold = exact.plan().threshold().map(|threshold| (threshold.family, threshold.tau));
    let value = exact.noised()?;
    if value.reached() != threshold {
        return Err(BodyError::Shape.into());
    }
    let body = value.to_body()?;
    let receipt = ledger.commit_release(charge, &body, &summary, &claims)?;
    same_request("receipt", request, receipt.request())?;
    Ok(Released { value, receipt })
}

/// Hands out what was released before, to somebody who is permitted now. Draws nothing.
///
/// # Privacy obligation
/// The stored body went through [`release`] once and the ledger vouches for it; reading it again is post-processing. The
/// permit is today's decision on the same request.
///
/// # Errors
/// [`GateError`] when the permit is for another request, or the body is not what was committed.
pub fn reopen(permit: Permit, stored: StoredRelease) -> Result<Released<NoisyCells>, GateError> {
    let (body, receipt) = stored.into_parts();
    let request = permit.request();
    same_request("receipt", request, receipt.request())?;
    if Digest::of(&body) != receipt.body_digest() {
        return Err(GateError::BodyDigest { request });
    }
    Ok(Released { value: NoisyCells::from_body(&body)?, receipt })
}

fn same<T: PartialEq + fmt::Display>(what: &'static str, permitted: &T, charged: &T) -> Result<(), GateError> {
    if permitted == charged {
        Ok(())
    } else {
        Err(GateError::PermitMismatch { what, permitted: permitted.to_string(), charged: charged.to_string() })
    }
}

fn same_request(part: &'static str, expected: Digest, found: Digest) -> Result<(), GateError> {
    if expected == found { Ok(()) } else { Err(GateError::RequestMismatch { part, expected, found }) }
}
