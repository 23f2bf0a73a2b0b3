//! The two distributions of noise, computed from their definitions and nothing else: not from OpenDP, not from the plan's figures.
//!
//! Discrete Laplace of parameter b: P(k) ∝ e^(−|k|/b). Discrete Gaussian of parameter σ: P(k) ∝ e^(−k²/2σ²). Up to a scale of
//! [`TABLE_SCALE`] every number is its own bin; beyond it bins are a 32nd of a scale wide. Laplace masses are closed forms at
//! every scale. Gaussian masses of wide bins are integrals over the density (Simpson), which differ from the sums by less than
//! z²/24σ² relatively, under 10⁻⁵ where there is mass to speak of.

use glovebox_privacy::MechanismKind;

/// Up to this scale numbers are looked at one by one.
pub const TABLE_SCALE: f64 = 256.0;

/// Wide bins per scale.
const BINS_PER_SCALE: f64 = 32.0;

/// A distribution of noise.
#[derive(Debug, Clone, Copy)]
pub struct Law {
    kind: MechanismKind,
    scale: f64,
    /// The sum of all weights; for the Gaussian only.
    total: f64,
}

/// A partition of the whole numbers with the mass of each part.
#[derive(Debug, Clone)]
pub struct Bins {
    /// Where the second bin and all that follow begin, growing.
    edges: Vec<i128>,
    /// One more than edges: the first bin is everything below them.
    mass: Vec<f64>,
}

impl Bins {
    /// The mass of each bin.
    pub fn mass(&self) -> &[f64] {
        &self.mass
    }

    /// How many draws fall into each bin.
    pub fn count(&self, draws: &[i128]) -> Vec<u64> {
        let mut counts = vec![0; self.mass.len()];
        for draw in draws {
            let bin = self.edges.partition_point(|edge| edge <= draw);
            if let Some(count) = counts.get_mut(bin) {
                *count += 1;
            }
        }
        counts
    }
}

impl Law {
    /// The distribution of a kind and a scale, in steps.
    pub fn new(kind: MechanismKind, scale: f64) -> Self {
        let weights = |reach: i64| (1..=reach).map(|k| (-((k * k) as f64) / (2.0 * scale * scale)).exp()).sum::<f64>();
        let total = match kind {
            MechanismKind::Gaussian if scale <= TABLE_SCALE => 1.0 + 2.0 * weights((scale * 40.0) as i64 + 2),
            // Poisson summation: the rest is below e^(−2π²σ²).
            MechanismKind::Gaussian | MechanismKind::Laplace => std::f64::consts::TAU.sqrt() * scale,
        };
        Self { kind, scale, total }
    }

    /// P(X ≥ m) of the Laplace law, for m from 1.
    fn laplace_tail(&self, m: i128) -> f64 {
        (-(m as f64) / self.scale).exp() / (1.0 + (-1.0 / self.scale).exp())
    }

    /// P(from ≤ X < to).
    pub fn mass(&self, from: i128, to: i128) -> f64 {
        if to <= 0 {
            return self.mass(1 - to, 1 - from);
        }
        match self.kind {
            MechanismKind::Laplace if from >= 1 => self.laplace_tail(from) - self.laplace_tail(to),
            MechanismKind::Laplace => 1.0 - self.laplace_tail(to) - self.laplace_tail(1 - from),
            MechanismKind::Gaussian if self.scale <= TABLE_SCALE => {
                (from..to).map(|k| (-(k as f64).powi(2) / (2.0 * self.scale * self.scale)).exp()).sum::<f64>()
                    / self.total
            }
            MechanismKind::Gaussian => {
                let density = |z: f64| (-z * z / 2.0).exp() / std::f64::consts::TAU.sqrt();
                let (a, b) = ((from as f64 - 0.5) / self.scale, (to as f64 - 0.5) / self.scale);
                let quarter = (b - a) / 4.0;
                let inner = 4.0 * density(a + quarter) + 2.0 * density(a + 2.0 * quarter) + 4.0 * density(b - quarter);
                quarter / 3.0 * (density(a) + inner + density(b))
            }
        }
    }

    /// How many scales away there is still mass worth a bin.
    const fn reach(&self) -> f64 {
        match self.kind {
            MechanismKind::Laplace => 40.0,
            MechanismKind::Gaussian => 9.0,
        }
    }

    /// The partition that draws are compared by.
    pub fn bins(&self) -> Bins {
        let edges: Vec<i128> = if self.scale <= TABLE_SCALE {
            let reach = (self.scale * self.reach()) as i128 + 2;
            (-reach..=reach + 1).collect()
        } else {
            let reach = (self.reach() * BINS_PER_SCALE) as i64;
            (-reach..=reach).map(|step| (step as f64 / BINS_PER_SCALE * self.scale).round() as i128).collect()
        };
        let inside = edges.windows(2).map(|pair| match pair {
            [from, to] => self.mass(*from, *to),
            _ => 0.0,
        });
        let mut mass: Vec<f64> = std::iter::once(0.0).chain(inside).chain([0.0]).collect();
        // What is far outside shares what is left, if rounding leaves any.
        let outside = ((1.0 - mass.iter().sum::<f64>()) / 2.0).max(0.0);
        for end in [0, mass.len() - 1] {
            if let Some(mass) = mass.get_mut(end) {
                *mass = outside;
            }
        }
        Bins { edges, mass }
    }

    /// P(X ≡ r modulo `m`), for r from 0 to m − 1. For Gaussian noise beyond [`TABLE_SCALE`] all are alike: with m up to 16 they
    /// differ by less than e^(−2π²·256²/16²).
    pub fn residues(&self, m: u32) -> Vec<f64> {
        let modulus = f64::from(m);
        (0..m)
            .map(|r| match self.kind {
                MechanismKind::Laplace => {
                    let one_minus = |k: f64| -(-k / self.scale).exp_m1();
                    let q = |k: f64| (-k / self.scale).exp();
                    let half = q(f64::from(r)) + q(modulus - f64::from(r));
                    one_minus(1.0) / (1.0 + q(1.0)) * half / one_minus(modulus)
                }
                MechanismKind::Gaussian if self.scale <= TABLE_SCALE => {
                    let reach = i128::from(m) * ((self.scale * 12.0 / modulus) as i128 + 2);
                    let numbers = (i128::from(r) - reach..reach).step_by(m as usize);
                    numbers.map(|k| self.mass(k, k + 1)).sum()
                }
                MechanismKind::Gaussian => 1.0 / modulus,
            })
            .collect()
    }

    /// The probability that two independent draws are the same number.
    pub fn collision(&self) -> f64 {
        match self.kind {
            MechanismKind::Laplace => {
                let (q, one_minus_q) = ((-1.0 / self.scale).exp(), -(-1.0 / self.scale).exp_m1());
                // ((1−q)/(1+q))² · (1+q²)/(1−q²)
                one_minus_q * (1.0 + q * q) / (1.0 + q).powi(3)
            }
            MechanismKind::Gaussian if self.scale <= TABLE_SCALE => {
                let reach = (self.scale * 12.0) as i128 + 2;
                (-reach..=reach).map(|k| self.mass(k, k + 1).powi(2)).sum()
            }
            MechanismKind::Gaussian => 1.0 / (2.0 * std::f64::consts::PI.sqrt() * self.scale),
        }
    }

    /// P(X > 0).
    pub fn positive(&self) -> f64 {
        (1.0 - self.mass(0, 1)) / 2.0
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::indexing_slicing, reason = "tests")]
    use super::*;

    const KINDS: [MechanismKind; 2] = [MechanismKind::Gaussian, MechanismKind::Laplace];

    #[test]
    fn masses_add_up_to_one_at_every_scale() {
        for kind in KINDS {
            for scale in [0.05, 0.3, 1.0, 3.7, 255.0, 256.5, 1e4, 1e13] {
                let law = Law::new(kind, scale);
                let sum: f64 = law.bins().mass().iter().sum();
                assert!((sum - 1.0).abs() < 1e-9, "{kind:?} {scale}: {sum}");
                for m in [2, 3, 16] {
                    let sum: f64 = law.residues(m).iter().sum();
                    assert!((sum - 1.0).abs() < 1e-9, "{kind:?} {scale} modulo {m}: {sum}");
                }
            }
        }
    }

    /// The two roads to a Gaussian mass, tables and integrals, meet where both are open; and so do ratios of single masses.
    #[test]
    fn tables_and_integrals_agree() {
        let (table, integral) =
            (Law::new(MechanismKind::Gaussian, 256.0), Law::new(MechanismKind::Gaussian, 256.000_001));
        for from in [-900, -100, 0, 50, 700] {
            let (a, b) = (table.mass(from, from + 8), integral.mass(from, from + 8));
            assert!((a / b - 1.0).abs() < 1e-5, "{from}: {a} {b}");
        }
        for (kind, ratio) in KINDS.into_iter().zip([(-9.0_f64 / 8.0).exp(), (-1.5_f64).exp()]) {
            let law = Law::new(kind, 2.0);
            assert!((law.mass(3, 4) / law.mass(0, 1) - ratio).abs() < 1e-12, "{kind:?}");
            assert!((law.mass(-3, -2) - law.mass(3, 4)).abs() < 1e-15);
        }
    }

    #[test]
    fn residues_and_collisions_are_those_of_the_masses() {
        for kind in KINDS {
            let law = Law::new(kind, 1.3);
            let odd: f64 = (-101..=101).step_by(2).map(|k| law.mass(k, k + 1)).sum();
            assert!((law.residues(2)[1] - odd).abs() < 1e-12);
            let same: f64 = (-100..=100).map(|k| law.mass(k, k + 1).powi(2)).sum();
            assert!((law.collision() - same).abs() < 1e-12, "{kind:?}");
        }
    }
}
