//! Exact binomial tails and the confidence bounds that follow from them.

/// ln P(X = k) for X of `n` trials with probability `p` inside (0, 1).
fn ln_mass(n: u64, k: u64, p: f64) -> f64 {
    let ln_factorial = |m: u64| libm::lgamma(m as f64 + 1.0);
    ln_factorial(n) - ln_factorial(k) - ln_factorial(n - k) + k as f64 * p.ln() + (n - k) as f64 * (-p).ln_1p()
}

/// Adds up masses from `k` on away from the mean, until they no longer count.
fn sum_from(n: u64, k: u64, p: f64, upwards: bool) -> f64 {
    let odds = p / (1.0 - p);
    let mut term = ln_mass(n, k, p).exp();
    let (mut sum, mut at) = (term, k);
    loop {
        term *= if upwards { (n - at) as f64 / (at + 1) as f64 * odds } else { at as f64 / (n - at + 1) as f64 / odds };
        at = if upwards { at + 1 } else { at.saturating_sub(1) };
        if term <= sum * 1e-17 {
            return sum.min(1.0);
        }
        sum += term;
    }
}

/// P(X ≥ k) for X of `n` trials with probability `p`.
pub fn at_least(n: u64, k: u64, p: f64) -> f64 {
    match k {
        0 => 1.0,
        k if k > n || p <= 0.0 => 0.0,
        _ if p >= 1.0 => 1.0,
        k if k as f64 > n as f64 * p => sum_from(n, k, p, true),
        k => (1.0 - sum_from(n, k - 1, p, false)).max(0.0),
    }
}

/// P(X ≤ k) for X of `n` trials with probability `p`.
pub fn at_most(n: u64, k: u64, p: f64) -> f64 {
    if k >= n { 1.0 } else { at_least(n, n - k, 1.0 - p) }
}

/// The smallest probability under which `k` or more of `n` is not rarer than `alpha` (Clopper and Pearson 1934, one side).
pub fn lower_bound(n: u64, k: u64, alpha: f64) -> f64 {
    if k == 0 {
        return 0.0;
    }
    let (mut below, mut above) = (0.0, k as f64 / n as f64);
    for _ in 0..60 {
        let middle = f64::midpoint(below, above);
        if at_least(n, k, middle) < alpha { below = middle } else { above = middle }
    }
    below
}

/// The largest probability under which `k` or fewer of `n` is not rarer than `alpha` (Clopper and Pearson 1934, one side).
pub fn upper_bound(n: u64, k: u64, alpha: f64) -> f64 {
    1.0 - lower_bound(n, n - k.min(n), alpha)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(a: f64, b: f64) {
        assert!((a - b).abs() <= 1e-10 * b.abs().max(1e-3), "{a} is not {b}");
    }

    #[test]
    fn tails_are_those_of_small_tables() {
        near(at_least(2, 1, 0.5), 0.75);
        near(at_least(10, 10, 0.5), 1.0 / 1024.0);
        near(at_most(10, 0, 0.1), 0.9_f64.powi(10));
        near(at_least(3, 2, 0.25), 3.0 * 0.0625 * 0.75 + 0.015_625);
        near(at_least(1_000_000, 500_000, 0.5) + at_most(1_000_000, 499_999, 0.5), 1.0);
        assert_eq!((at_least(5, 0, 0.0), at_least(5, 1, 0.0), at_least(5, 5, 1.0)), (1.0, 0.0, 1.0));
    }

    #[test]
    fn bounds_are_those_of_clopper_and_pearson() {
        // No success in n: the upper bound is 1 − α^(1/n), in closed form.
        near(upper_bound(100, 0, 0.025), 1.0 - 0.025_f64.powf(0.01));
        near(lower_bound(100, 100, 0.025), 0.025_f64.powf(0.01));
        // From printed tables: 5 of 10 at 95 %, two-sided.
        assert!((lower_bound(10, 5, 0.025) - 0.187_086).abs() < 1e-6);
        assert!((upper_bound(10, 5, 0.025) - 0.812_914).abs() < 1e-6);
        assert_eq!((lower_bound(10, 0, 0.025), upper_bound(10, 10, 0.025)), (0.0, 1.0));
    }
}
