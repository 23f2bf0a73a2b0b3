//! Could these draws be of that law? Each test is wrong about a right sampler at most once in 10⁹ times.

use crate::audit::binomial::{at_least, at_most};
use crate::audit::law::Law;

/// How often one test raises an alarm about draws that are of the law. The mass, residue, serial and freshness tests keep it exactly
/// (binomial tails and a union bound), Kolmogorov's by Massart's constant, which holds for every law and every number of draws; for
/// the chi-square test it is the bound for the limiting distribution.
pub const FALSE_ALARM: f64 = 1e-9;

/// The tests that [`judge`] makes of one series of draws.
pub const TESTS: [&str; 5] = ["mass", "chi-square", "kolmogorov", "residues", "serial"];

/// Remainders by these numbers are looked at: rounding, snapping and grids show there at any scale.
const MODULI: [u32; 7] = [2, 3, 4, 5, 8, 10, 16];

/// Bins share draws until they expect this many.
const EXPECTED_DRAWS: f64 = 20.0;

/// A test that raised an alarm, and about what.
#[derive(Debug, Clone, PartialEq)]
pub struct Alarm {
    /// One of [`TESTS`], or `fresh`.
    pub test: &'static str,
    /// What was seen and what was to be seen.
    pub what: String,
}

/// Whether `seen` of `n` is too few or too many for a probability, at a rate of false alarms of `alpha`.
fn surprising(n: u64, seen: u64, p: f64, alpha: f64) -> bool {
    at_least(n, seen, p) < alpha / 2.0 || at_most(n, seen, p) < alpha / 2.0
}

/// Exact binomial tests of every part, with the rate of false alarms shared out among them.
fn parts(test: &'static str, name: &str, counts: &[u64], mass: &[f64]) -> Option<Alarm> {
    let n = counts.iter().sum();
    let alpha = FALSE_ALARM / counts.len() as f64;
    let (place, (seen, p)) =
        counts.iter().zip(mass).enumerate().find(|(_, (seen, p))| surprising(n, **seen, **p, alpha))?;
    let expected = p * n as f64;
    Some(Alarm { test, what: format!("{name} {place} has {seen} of {n} draws, {expected:.1} were expected") })
}

/// Pearson's statistic over bins that are joined until they expect enough, against a bound on the tail of its distribution
/// (Laurent and Massart 2000, Lemma 1: P(χ²ₖ ≥ k + 2√(kt) + 2t) ≤ e⁻ᵗ).
fn chi_square(counts: &[u64], mass: &[f64]) -> Option<Alarm> {
    let n = counts.iter().sum::<u64>() as f64;
    let mut joined: Vec<(f64, f64)> = Vec::new();
    let (mut expected, mut seen) = (0.0, 0.0);
    for (count, p) in counts.iter().zip(mass) {
        expected += p * n;
        seen += *count as f64;
        if expected >= EXPECTED_DRAWS {
            joined.push((expected, seen));
            (expected, seen) = (0.0, 0.0);
        }
    }
    if let Some(last) = joined.last_mut() {
        *last = (last.0 + expected, last.1 + seen);
    }
    let statistic: f64 = joined.iter().map(|(expected, seen)| (seen - expected).powi(2) / expected).sum();
    let (freedom, t) = (joined.len().saturating_sub(1) as f64, (1.0 / FALSE_ALARM).ln());
    let bound = freedom + 2.0 * (freedom * t).sqrt() + 2.0 * t;
    (statistic >= bound).then(|| Alarm {
        test: "chi-square",
        what: format!("{statistic:.1} with {freedom} degrees of freedom; the bound is {bound:.1}"),
    })
}

/// The largest distance between the distribution functions, at the edges of bins (Massart 1990: P(D > d) ≤ 2e^(−2nd²)).
fn kolmogorov(counts: &[u64], mass: &[f64]) -> Option<Alarm> {
    let n = counts.iter().sum::<u64>() as f64;
    let (mut below, mut seen, mut largest) = (0.0, 0.0, 0.0_f64);
    for (count, p) in counts.iter().zip(mass) {
        below += p;
        seen += *count as f64;
        largest = largest.max((seen / n - below).abs());
    }
    let bound = ((2.0 / FALSE_ALARM).ln() / (2.0 * n)).sqrt();
    (largest > bound).then(|| Alarm {
        test: "kolmogorov",
        what: format!("distribution functions lie {largest:.5} apart; the bound is {bound:.5}"),
    })
}

fn residues(draws: &[i128], law: &Law) -> Option<Alarm> {
    MODULI.into_iter().find_map(|modulus| {
        let mut counts = vec![0_u64; modulus as usize];
        for draw in draws {
            let place = usize::try_from(draw.rem_euclid(i128::from(modulus))).unwrap_or(0);
            if let Some(count) = counts.get_mut(place) {
                *count += 1;
            }
        }
        parts("residues", &format!("modulo {modulus}, remainder"), &counts, &law.residues(modulus))
    })
}

/// Draws that follow one another, in pairs that share none: as often equal, and as often of one sign, as independent ones.
fn serial(draws: &[i128], law: &Law) -> Option<Alarm> {
    let positive = law.positive();
    let one_sign = positive * positive + (1.0 - positive).powi(2);
    let pairs = || draws.chunks_exact(2).filter_map(|pair| Some((*pair.first()?, *pair.last()?)));
    let n = pairs().count() as u64;
    let equal = pairs().filter(|(a, b)| a == b).count() as u64;
    let alike = pairs().filter(|(a, b)| (*a > 0) == (*b > 0)).count() as u64;
    [("equal", equal, law.collision()), ("of one sign", alike, one_sign)].into_iter().find_map(|(how, seen, p)| {
        let what = || format!("{seen} of {n} pairs are {how}, {:.1} were expected", p * n as f64);
        surprising(n, seen, p, FALSE_ALARM / 2.0).then(|| Alarm { test: "serial", what: what() })
    })
}

/// All alarms about one series of draws.
pub fn judge(draws: &[i128], law: &Law) -> Vec<Alarm> {
    let bins = law.bins();
    let counts = bins.count(draws);
    [
        parts("mass", "bin", &counts, bins.mass()),
        chi_square(&counts, bins.mass()),
        kolmogorov(&counts, bins.mass()),
        residues(draws, law),
        serial(draws, law),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Whether two releases drew afresh: as many cells have the same noise in both as independent draws would give.
pub fn fresh(first: &[i128], second: &[i128], law: &Law) -> Option<Alarm> {
    let n = first.len().min(second.len()) as u64;
    let same = first.iter().zip(second).filter(|(a, b)| a == b).count() as u64;
    let p = law.collision();
    let what = || format!("{same} of {n} cells have the same noise in two releases, {:.1} were expected", p * n as f64);
    surprising(n, same, p, FALSE_ALARM).then(|| Alarm { test: "fresh", what: what() })
}
