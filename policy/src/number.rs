//! Privacy loss in integers, rounded in a direction that the name says.
//!
//! Floating point enters and leaves through functions that round against the asker; inside, sums are exact.
//! There is no subtraction: what remains is asked of a cap ([`Rho::remaining_of`]), and no plain `+`: sums that would
//! overflow saturate at the largest value, which no cap admits.
//!
//! ```
//! use glovebox_policy::Rho;
//!
//! let (granted, spent) = (Rho::rounded_down(0.1).unwrap(), Rho::rounded_up(0.1).unwrap());
//! assert_eq!(spent.steps() - granted.steps(), 1);
//! assert_eq!(spent.remaining_of(granted), Rho::ZERO);
//! ```

use serde::{Deserialize, Serialize};

/// Zero-concentrated privacy loss ρ (Bun and Steinke 2016), in steps of 2⁻⁴⁰.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Rho(u64);

/// The failure probability δ of approximate zCDP, in steps of 2⁻⁶⁰.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Delta(u64);

macro_rules! loss {
    ($name:ident, $bits:literal, $symbol:literal) => {
        impl $name {
            #[doc = concat!("No ", $symbol, " at all.")]
            pub const ZERO: Self = Self(0);

            const STEPS: f64 = (1_u64 << $bits) as f64;

            /// From a count of steps.
            pub const fn from_steps(steps: u64) -> Self {
                Self(steps)
            }

            /// The count of steps.
            pub const fn steps(self) -> u64 {
                self.0
            }

            #[doc = concat!("The smallest ", $symbol, " that is at least `value`: for what is spent. `None` unless finite and not negative.")]
            pub fn rounded_up(value: f64) -> Option<Self> {
                let steps = (value * Self::STEPS).ceil();
                (value >= 0.0 && steps < u64::MAX as f64).then_some(Self(steps as u64))
            }

            #[doc = concat!("The largest ", $symbol, " that is at most `value`: for what is granted. `None` unless finite and not negative.")]
            pub fn rounded_down(value: f64) -> Option<Self> {
                let steps = (value * Self::STEPS).floor();
                (value >= 0.0 && steps < u64::MAX as f64).then_some(Self(steps as u64))
            }

            /// For showing and for formulas; exact below 2⁵³ steps, else the next value up.
            pub fn as_f64_up(self) -> f64 {
                let near = self.0 as f64;
                let up = if (near as u128) < u128::from(self.0) { near.next_up() } else { near };
                up / Self::STEPS
            }

            /// The sum, saturating.
            #[must_use]
            pub const fn plus(self, other: Self) -> Self {
                Self(self.0.saturating_add(other.0))
            }

            /// What of `cap` is left after `self`; zero if nothing.
            #[must_use]
            pub const fn remaining_of(self, cap: Self) -> Self {
                Self(cap.0.saturating_sub(self.0))
            }
        }
    };
}

loss!(Rho, 40, "ρ");
loss!(Delta, 60, "δ");

/// What one release costs, and what a cap allows: the two numbers that the ledger adds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cost {
    /// Zero-concentrated loss.
    pub rho: Rho,
    /// Failure probability.
    pub delta: Delta,
}

impl Cost {
    /// Nothing.
    pub const ZERO: Self = Self { rho: Rho::ZERO, delta: Delta::ZERO };

    /// Both sums, saturating.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self { rho: self.rho.plus(other.rho), delta: self.delta.plus(other.delta) }
    }

    /// What of `cap` is left after `self`.
    #[must_use]
    pub const fn remaining_of(self, cap: Self) -> Self {
        Self { rho: self.rho.remaining_of(cap.rho), delta: self.delta.remaining_of(cap.delta) }
    }

    /// Whether this fits under `cap` in both numbers.
    pub const fn fits(self, cap: Self) -> bool {
        self.rho.0 <= cap.rho.0 && self.delta.0 <= cap.delta.0
    }
}

/// ε in steps of 10⁻⁹: what contracts and Cedar speak. Never added up; the ledger adds ρ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NanoEpsilon(u64);

impl NanoEpsilon {
    /// The largest ε that anybody may write: beyond it the number means nothing.
    pub const MAX: Self = Self(100_000_000_000);

    /// From ε as written, rounded down. `None` unless 0 < ε ≤ 100.
    pub fn from_epsilon(epsilon: f64) -> Option<Self> {
        let nano = (epsilon * 1e9).floor();
        (nano >= 1.0 && nano <= Self::MAX.0 as f64).then_some(Self(nano as u64))
    }

    /// From steps of 10⁻⁹.
    pub const fn from_nano(nano: u64) -> Self {
        Self(nano)
    }

    /// Steps of 10⁻⁹.
    pub const fn nano(self) -> u64 {
        self.0
    }

    /// ε itself, rounded down by at most one unit in the last place.
    pub fn as_f64_down(self) -> f64 {
        (self.0 as f64 / 1e9).next_down().max(0.0)
    }

    /// ε for showing to a person.
    pub fn to_display(self) -> f64 {
        self.0 as f64 / 1e9
    }
}
