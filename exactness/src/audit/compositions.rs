//! Compositions of releases, as the product plans and adds them up, for an outside accountant to compose in its own way.
//!
//! Each release is one that [`plan_noise`] plans; what is added up are the costs that the ledger would add, and the ε that is shown
//! is [`epsilon_of`] the sum. Beside them stand the mechanisms that one person meets: scale and movement of each family, in each of
//! the groups that the person is in.

use anyhow::{Context as _, Result};
use glovebox_policy::{NanoEpsilon, Public, Rho};
use glovebox_privacy::accountant::epsilon_of;
use glovebox_privacy::{Ask, Family, Geometry, MechanismKind, NoisePlan, plan_noise};
use serde_json::{Value, json};

/// One kind of release, made so many times.
#[derive(Debug, Clone, Copy)]
struct Releases {
    times: u32,
    epsilon: f64,
    /// 0 asks for Laplace noise.
    delta: f64,
    families: u32,
    /// The bound of each family; of the second one 7 times as much, of the third 49 times.
    bound: u64,
    groups: u32,
}

const fn laplace(times: u32, epsilon: f64) -> Releases {
    Releases { times, epsilon, delta: 0.0, families: 1, bound: 10, groups: 1 }
}

const fn gaussian(times: u32, epsilon: f64) -> Releases {
    Releases { times, epsilon, delta: 1e-9, families: 1, bound: 10, groups: 1 }
}

impl Releases {
    const fn families(self, families: u32) -> Self {
        Self { families, ..self }
    }

    const fn groups(self, groups: u32) -> Self {
        Self { groups, ..self }
    }

    fn plan(&self) -> Result<NoisePlan> {
        let family = |n: u32| Family {
            label: Public::from_manifest(format!("sum number {n}")),
            linf: self.bound * 7_u64.pow(n),
            total: None,
        };
        let epsilon = NanoEpsilon::from_epsilon(self.epsilon).context("an epsilon")?;
        let ask = Ask { epsilon, delta: self.delta, mechanism: None };
        let geometry = Geometry::GroupSelection { max_groups: self.groups };
        Ok(plan_noise((0..self.families).map(family).collect(), 20, geometry, ask)?)
    }

    /// What a person meets. Moved in `groups` cells by the bound each: for Laplace noise as many mechanisms, for Gaussian noise one
    /// whose movement is the length of theirs.
    fn mechanisms(&self, plan: &NoisePlan) -> Vec<Value> {
        let mechanism = |(scale, linf): (f64, u64)| match plan.kind() {
            MechanismKind::Laplace => {
                json!({ "kind": "laplace", "scale": scale, "moved": linf, "times": self.times * self.groups })
            }
            MechanismKind::Gaussian => {
                let moved = linf as f64 * f64::from(self.groups).sqrt();
                json!({ "kind": "gaussian", "scale": scale, "moved": moved, "times": self.times })
            }
        };
        plan.families().iter().map(|family| mechanism((family.scale.to_f64(), family.linf))).collect()
    }
}

/// The line of one composition at a published δ.
fn line(name: &str, delta: f64, parts: &[Releases]) -> Result<Value> {
    let (mut steps, mut mechanisms) = (0_u64, Vec::new());
    for part in parts {
        let plan = part.plan()?;
        let cost = plan.cost().rho.steps().checked_mul(u64::from(part.times)).context("too much")?;
        steps = steps.checked_add(cost).context("too much")?;
        mechanisms.extend(part.mechanisms(&plan));
    }
    let ours = epsilon_of(Rho::from_steps(steps), delta);
    Ok(json!({ "name": name, "rule": "sum of rho", "delta": delta, "ours": ours, "mechanisms": mechanisms }))
}

/// The line of one request alone, with what it asks for.
fn one(name: &str, part: Releases) -> Result<Value> {
    let mechanisms = part.mechanisms(&part.plan()?);
    // Pure ε holds at every δ; a small one is needed to read it off a table of losses.
    let delta = if part.delta > 0.0 { part.delta } else { 1e-12 };
    Ok(json!({ "name": name, "rule": "asked for", "delta": delta, "ours": part.epsilon, "mechanisms": mechanisms }))
}

/// All compositions, each a JSON object.
///
/// # Errors
/// A release that is refused.
pub fn grid() -> Result<Vec<Value>> {
    let mut lines = Vec::new();
    for times in [1, 2, 5, 20, 100] {
        for epsilon in [0.1, 0.5, 1.0, 2.0] {
            for (name, part) in [("gaussian", gaussian(times, epsilon)), ("laplace", laplace(times, epsilon / 2.0))] {
                let epsilon = part.epsilon;
                lines.push(line(&format!("{times} × {name} ε {epsilon}"), 1e-9, &[part])?);
            }
        }
    }
    for (gaussians, laplaces) in [(1, 1), (1, 20), (5, 5), (20, 1), (20, 20)] {
        for epsilon in [0.1, 0.5] {
            for families in [1, 3] {
                for delta in [1e-6, 1e-12] {
                    let parts = [
                        gaussian(gaussians, epsilon).families(families),
                        laplace(laplaces, epsilon / 3.0).families(families),
                        gaussian(gaussians, epsilon * 3.0),
                    ];
                    let name =
                        format!("{gaussians} × gaussian, {laplaces} × laplace, ε {epsilon}, families {families}");
                    lines.push(line(&name, delta, &parts)?);
                }
            }
        }
    }
    for groups in [2, 5, 20] {
        for times in [1, 10] {
            for part in [gaussian(times, 1.0), laplace(times, 1.0)] {
                let part = part.groups(groups);
                let kind = if part.delta > 0.0 { "gaussian" } else { "laplace" };
                lines.push(line(&format!("{times} × {kind} in {groups} groups"), 1e-9, &[part])?);
            }
        }
    }
    // An analyst who goes from rough to fine, and a year of cheap questions with a dear one.
    for epsilon in [0.05, 0.2] {
        let finer: Vec<_> = (0..6).map(|n| gaussian(1, epsilon * f64::from(1_u32 << n))).collect();
        let finer_too: Vec<_> = (0..6).map(|n| laplace(1, epsilon * f64::from(1_u32 << n) / 4.0)).collect();
        lines.push(line(&format!("gaussian, doubled from ε {epsilon}"), 1e-9, &finer)?);
        lines.push(line(&format!("laplace, doubled from ε {}", epsilon / 4.0), 1e-9, &finer_too)?);
        let both: Vec<_> = finer.into_iter().chain(finer_too).collect();
        lines.push(line(&format!("both, doubled from ε {epsilon}"), 1e-9, &both)?);
        let year = [gaussian(250, epsilon / 10.0), laplace(100, epsilon / 10.0), gaussian(1, 2.0), laplace(1, 1.0)];
        lines.push(line(&format!("a year at ε {}", epsilon / 10.0), 1e-9, &year)?);
    }
    for epsilon in [0.1, 0.5, 1.0, 2.0, 4.0] {
        for (families, groups) in [(1, 1), (3, 1), (1, 5), (3, 5)] {
            for part in [gaussian(1, epsilon), laplace(1, epsilon)] {
                let part = part.families(families).groups(groups);
                let kind = if part.delta > 0.0 { "gaussian" } else { "laplace" };
                let name = format!("one {kind} request of ε {epsilon}, families {families}, groups {groups}");
                lines.push(one(&name, part)?);
            }
        }
    }
    Ok(lines)
}
