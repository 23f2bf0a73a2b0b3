//! Mistakes, planted in the harness: what draws would look like if the product made them.
//!
//! A plan for too little noise is handed to the honest gate, or honest draws are spoilt as a careless sampler would spoil them. None of
//! this is in the product, which has no place where it could be.

use anyhow::{Context as _, Result};
use ring::rand::{SecureRandom as _, SystemRandom};

use crate::audit::draws::{Case, Gate};

/// A mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plant {
    /// Noise of half the scale.
    HalfScale,
    /// Noise for a bound that is one too small.
    OffByOne,
    /// Noise rounded to even numbers.
    RoundedToEven,
    /// Cell and noise are added in floating point, and the sum snaps to its grid.
    SumInFloat,
    /// The textbook's Laplace noise, from the logarithm of a floating-point number, rounded to a whole one.
    FloatNoise,
    /// A second release with the noise of the first.
    ReusedSeed,
    /// One draw for neighbouring cells.
    SharedDraw,
}

/// All mistakes, each with the case in which it is planted.
pub const PLANTS: &[(Plant, &str)] = &[
    (Plant::HalfScale, "laplace, a few steps"),
    (Plant::HalfScale, "gaussian, 10^11"),
    (Plant::OffByOne, "laplace, second of two families"),
    (Plant::OffByOne, "gaussian, second of two families"),
    (Plant::RoundedToEven, "laplace, 10^13"),
    (Plant::RoundedToEven, "gaussian, some hundreds"),
    (Plant::SumInFloat, "laplace, some hundreds"),
    (Plant::SumInFloat, "gaussian, 10^11"),
    (Plant::FloatNoise, "laplace, below one"),
    (Plant::ReusedSeed, "gaussian, one step"),
    (Plant::ReusedSeed, "laplace, 10^13"),
    (Plant::SharedDraw, "gaussian, some hundreds"),
];

/// A cell whose neighbours in floating point are four apart.
const FLOAT_CELL: f64 = (1_u64 << 54) as f64;

impl Plant {
    /// The name, for the reader.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::HalfScale => "half-scale",
            Self::OffByOne => "off-by-one",
            Self::RoundedToEven => "rounded-to-even",
            Self::SumInFloat => "sum-in-float",
            Self::FloatNoise => "float-noise",
            Self::ReusedSeed => "reused-seed",
            Self::SharedDraw => "shared-draw",
        }
    }

    /// Two releases of `cells` cells each, with this mistake made.
    ///
    /// # Errors
    /// A release that is refused.
    pub fn draw(self, gate: &Gate, case: &Case, cells: u32) -> Result<[Vec<i128>; 2]> {
        let honest = || gate.draw(case.plan(case.epsilon, case.bound(), cells)?);
        let twice = |draw: &dyn Fn() -> Result<Vec<i128>>| Ok([draw()?, draw()?]);
        match self {
            Self::HalfScale => twice(&|| gate.draw(case.plan(case.epsilon * 2.0, case.bound(), cells)?)),
            Self::OffByOne => twice(&|| gate.draw(case.plan(case.epsilon, case.bound() - 1, cells)?)),
            Self::RoundedToEven => twice(&|| Ok(honest()?.into_iter().map(|draw| draw / 2 * 2).collect())),
            Self::SumInFloat => twice(&|| {
                Ok(honest()?.into_iter().map(|draw| (FLOAT_CELL + draw as f64 - FLOAT_CELL) as i128).collect())
            }),
            Self::FloatNoise => {
                let scale = case.bounds.len() as f64 * case.bound() as f64 / case.epsilon;
                twice(&|| (0..cells).map(|_| float_laplace(scale)).collect())
            }
            Self::ReusedSeed => {
                let first = honest()?;
                Ok([first.clone(), first])
            }
            Self::SharedDraw => twice(&|| {
                let draws = honest()?;
                Ok(draws.chunks(2).flat_map(|pair| [pair.first().copied(); 2]).flatten().take(draws.len()).collect())
            }),
        }
    }
}

/// −b · sign(u) · ln(1 − 2|u|) for u from −½ to ½, rounded.
fn float_laplace(scale: f64) -> Result<i128> {
    let mut bytes = [0_u8; 8];
    SystemRandom::new().fill(&mut bytes).ok().context("no randomness")?;
    let u = (u64::from_le_bytes(bytes) >> 11) as f64 / (1_u64 << 53) as f64 - 0.5;
    Ok((-scale * u.signum() * (-2.0 * u.abs()).ln_1p()).round().clamp(-1e15, 1e15) as i128)
}
