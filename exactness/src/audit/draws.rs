//! Noise as the product draws it: cells of known values go through the gate, and come back.

use std::cell::Cell;
use std::collections::BTreeSet;

use anyhow::{Context as _, Result, ensure};
use glovebox_policy::{Digest, NanoEpsilon, Public, SnapshotId};
use glovebox_privacy::{Ask, Exact, Family, Geometry, MechanismKind, NoisePlan, plan_noise};
use glovebox_vault::{Expose as _, Protected};

use crate::audit::bureau::Bureau;
use crate::audit::law::Law;

/// The exact value of every cell: large and without a common factor with any modulus, so that noise that is added in floating point, or a
/// sum that is rounded, does not come out as it should.
const CELL: i128 = 12_345_678_901_234_567_890_123;

/// What a release is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Case {
    /// What people call it.
    pub name: &'static str,
    /// ε of the release.
    pub epsilon: f64,
    /// δ of the release; 0 asks for Laplace noise.
    pub delta: f64,
    /// The bounds of its families; the noise of the last is looked at.
    pub bounds: &'static [u64],
}

const fn case(name: &'static str, epsilon: f64, delta: f64, bounds: &'static [u64]) -> Case {
    Case { name, epsilon, delta, bounds }
}

/// Scales from an eighth of a step to 10¹³, hardly any of them whole, of both kinds.
pub const CASES: &[Case] = &[
    case("laplace, an eighth", 8.0, 0.0, &[1]),
    case("laplace, below one", 1.7, 0.0, &[1]),
    case("laplace, a few steps", 0.3, 0.0, &[1]),
    case("laplace, second of two families", 1.0, 0.0, &[1000, 3]),
    case("laplace, some hundreds", 0.9, 0.0, &[370]),
    case("laplace, 10^13", 0.1, 0.0, &[1_000_000_000_000]),
    case("gaussian, below one", 60.0, 1e-3, &[1]),
    case("gaussian, one step", 8.0, 1e-6, &[1]),
    case("gaussian, a few steps", 2.0, 1e-6, &[1]),
    case("gaussian, second of two families", 2.0, 1e-6, &[1000, 3]),
    case("gaussian, some hundreds", 1.0, 1e-9, &[70]),
    case("gaussian, 10^11", 0.5, 1e-9, &[7_000_000_000]),
];

impl Case {
    /// The plan for `cells` cells in each family; each unit is in one of them. With `epsilon` and bounds in place of the case's own, the plan
    /// is one that a mistake would make.
    ///
    /// # Errors
    /// A plan that is refused.
    pub fn plan(&self, epsilon: f64, last_bound: u64, cells: u32) -> Result<NoisePlan> {
        let (_, others) = self.bounds.split_last().context("no family")?;
        let family = |linf: &u64| Family {
            label: Public::from_manifest(format!("sum of at most {linf}")),
            linf: *linf,
            total: None,
        };
        let families = others.iter().chain([&last_bound]).map(family).collect();
        let epsilon = NanoEpsilon::from_epsilon(epsilon).context("an epsilon")?;
        let ask = Ask { epsilon, delta: self.delta, mechanism: None };
        Ok(plan_noise(families, cells, Geometry::GroupSelection { max_groups: 1 }, ask)?)
    }

    /// The bound of the family that is looked at.
    pub fn bound(&self) -> u64 {
        self.bounds.last().copied().unwrap_or(1)
    }

    /// The noise that is promised: which, and of what scale, computed from what is asked for and not from the plan. Laplace: b = families · bound / ε.
    /// Gaussian: the plan's σ, which must cost what was granted, ρ = families · bound² / 2σ².
    ///
    /// # Errors
    /// A plan that is refused or is not as wide as it must be.
    pub fn law(&self) -> Result<Law> {
        let plan = self.plan(self.epsilon, self.bound(), 1)?;
        let scale = plan.families().last().context("no family")?.scale.to_f64();
        let (families, bound) = (self.bounds.len() as f64, self.bound() as f64);
        let wanted = match plan.kind() {
            MechanismKind::Laplace => families * bound / self.epsilon,
            MechanismKind::Gaussian => {
                let epsilon = NanoEpsilon::from_epsilon(self.epsilon).context("an epsilon")?;
                let granted = glovebox_privacy::accountant::rho_for(epsilon, self.delta).as_f64_up();
                bound * (families / (2.0 * granted)).sqrt()
            }
        };
        ensure!(scale >= wanted * (1.0 - 1e-6), "{}: a scale of {scale}, and {wanted} is needed", self.name);
        Ok(Law::new(plan.kind(), wanted))
    }
}

/// A gate to draw at.
pub struct Gate {
    bureau: Bureau,
    request: Cell<u64>,
}

impl Gate {
    /// A gate of its own.
    ///
    /// # Errors
    /// A ledger that cannot be made.
    pub fn new() -> Result<Self> {
        let snapshot = SnapshotId::from_random([1; 16]);
        let bureau = Bureau::new("audit.cells", &snapshot, Digest::of(b"made up"))?;
        Ok(Self { bureau, request: Cell::new(0) })
    }

    /// Releases cells of one known value under a plan, and gives what was added to the last family.
    ///
    /// # Errors
    /// A release that is refused.
    pub fn draw(&self, plan: NoisePlan) -> Result<Vec<i128>> {
        self.request.set(self.request.get() + 1);
        let request = Digest::of(&self.request.get().to_be_bytes());
        let cells = vec![vec![CELL; plan.groups() as usize]; plan.families().len()];
        let exact = Exact::new(Protected::seal(cells), plan, request)?;
        let released = self.bureau.release(exact, &BTreeSet::new())?;
        let noised = released.get().cells.last().context("no family")?;
        Ok(noised.iter().map(|cell| cell - CELL).collect())
    }
}
