//! Between Rust values and what the store holds: every value read back is checked again.

use glovebox_policy::{Cost, Delta, Digest, Rho};

use crate::error::LedgerError;

/// A name as it was stored.
pub(crate) fn name<T: TryFrom<String>>(text: String) -> Result<T, LedgerError> {
    T::try_from(text.clone()).map_err(|_| LedgerError::Corrupt(format!("`{text}` is not a name of its kind")))
}

/// A digest as it was stored.
pub(crate) fn digest(bytes: [u8; 32]) -> Digest {
    Digest::from_bytes(bytes)
}

/// A cost as two columns; refuses what the store's signed integers cannot hold.
pub(crate) fn steps(cost: Cost) -> Result<(i64, i64), LedgerError> {
    Ok((signed(cost.rho.steps())?, signed(cost.delta.steps())?))
}

/// An unsigned number as a column.
pub(crate) fn signed(number: u64) -> Result<i64, LedgerError> {
    i64::try_from(number).map_err(|_| LedgerError::TooLarge("number"))
}

/// An unsigned number as it was stored.
pub(crate) fn unsigned(number: i64) -> Result<u64, LedgerError> {
    u64::try_from(number).map_err(|_| LedgerError::Corrupt(format!("`{number}` is negative")))
}

/// A cost as it was stored.
pub(crate) fn cost((rho, delta): (i64, i64)) -> Result<Cost, LedgerError> {
    Ok(Cost { rho: Rho::from_steps(unsigned(rho)?), delta: Delta::from_steps(unsigned(delta)?) })
}
