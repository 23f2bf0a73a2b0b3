//! Noise scales as exact numbers.

use std::fmt;

use dashu::integer::{IBig, UBig};
use dashu::rational::RBig;
use serde::{Deserialize, Serialize};

/// A noise scale `numerator / 2^denominator_log2` in integer steps: what the sampler uses, to the last bit.
///
/// For the discrete Gaussian it is the parameter σ, for the discrete Laplace the parameter b.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Parts", into = "Parts")]
pub struct Scale {
    numerator: u64,
    denominator_log2: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Parts {
    numerator: u64,
    denominator_log2: u32,
}

impl Scale {
    /// The finest grid: multiples of 2⁻⁶³.
    pub const MAX_DENOMINATOR_LOG2: u32 = 63;

    /// `numerator / 2^denominator_log2`; `None` when the denominator is finer than the finest grid.
    pub const fn new(numerator: u64, denominator_log2: u32) -> Option<Self> {
        if denominator_log2 <= Self::MAX_DENOMINATOR_LOG2 { Some(Self { numerator, denominator_log2 }) } else { None }
    }

    /// The upper part.
    pub const fn numerator(self) -> u64 {
        self.numerator
    }

    /// The base-2 logarithm of the lower part, 0 to 63.
    pub const fn denominator_log2(self) -> u32 {
        self.denominator_log2
    }

    /// For showing and for figures; the nearest floating-point number.
    pub fn to_f64(self) -> f64 {
        self.numerator as f64 / (1_u64 << self.denominator_log2) as f64
    }

    /// The scale to its last digit, in decimal: half of a half is a finite decimal, so nothing is rounded.
    pub fn to_decimal(self) -> String {
        let digits = self.denominator_log2 as usize;
        // n / 2^k = n·5^k / 10^k.
        let all = (UBig::from(self.numerator) * UBig::from(5_u8).pow(digits)).to_string();
        let all = format!("{all:0>width$}", width = digits + 1);
        let (whole, fraction) = all.split_at(all.len() - digits);
        let fraction = fraction.trim_end_matches('0');
        if fraction.is_empty() { whole.to_owned() } else { format!("{whole}.{fraction}") }
    }

    /// The scale as OpenDP takes it.
    pub(crate) fn exact(self) -> RBig {
        RBig::from_parts(IBig::from(self.numerator), UBig::ONE << self.denominator_log2 as usize)
    }
}

impl fmt::Display for Scale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.to_f64())
    }
}

impl TryFrom<Parts> for Scale {
    type Error = &'static str;

    fn try_from(parts: Parts) -> Result<Self, Self::Error> {
        Self::new(parts.numerator, parts.denominator_log2).ok_or("`denominator_log2` is above 63")
    }
}

impl From<Scale> for Parts {
    fn from(scale: Scale) -> Self {
        Self { numerator: scale.numerator, denominator_log2: scale.denominator_log2 }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_exact() {
        let cases = [
            (0, 0, "0"),
            (0, 63, "0"),
            (1, 1, "0.5"),
            (5, 2, "1.25"),
            (8, 3, "1"),
            (1, 10, "0.0009765625"),
            (u64::MAX, 0, "18446744073709551615"),
            (u64::MAX, 1, "9223372036854775807.5"),
            (1, 63, "0.000000000000000000108420217248550443400745280086994171142578125"),
        ];
        for (numerator, denominator_log2, text) in cases {
            let scale = Scale::new(numerator, denominator_log2).unwrap();
            assert_eq!(scale.to_decimal(), text);
            assert_eq!(text.parse::<f64>().unwrap(), scale.to_f64(), "{text}");
        }
    }
}
