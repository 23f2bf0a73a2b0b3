//! Rounds of a measurement: rates, their smallest, middle and largest.

use std::time::{Duration, Instant};

use anyhow::Result;
use serde_json::{Value, json};

use crate::rows::UNITS;

/// Rounds of every measurement.
pub(crate) const ROUNDS: usize = 5;

/// Rates in units a second, sorted.
pub(crate) struct Figure(Vec<f64>);

impl Figure {
    /// Measures `round` several times, after one time that does not count.
    pub(crate) fn of(mut round: impl FnMut() -> Result<Duration>) -> Result<Self> {
        round()?;
        let mut rates = Vec::with_capacity(ROUNDS);
        for _ in 0..ROUNDS {
            rates.push(UNITS as f64 / round()?.as_secs_f64());
        }
        rates.sort_by(f64::total_cmp);
        Ok(Self(rates))
    }

    /// The middle one.
    pub(crate) fn median(&self) -> f64 {
        self.at(self.0.len() / 2)
    }

    /// Microseconds per unit, at the median.
    pub(crate) fn micros(&self) -> f64 {
        1e6 / self.median()
    }

    fn at(&self, place: usize) -> f64 {
        self.0.get(place).copied().unwrap_or(f64::NAN)
    }

    fn last(&self) -> f64 {
        self.at(self.0.len().saturating_sub(1))
    }

    /// For a table.
    pub(crate) fn line(&self) -> String {
        format!("{:>10.0} {:>10.0} {:>10.0}   {:>7.3}", self.at(0), self.median(), self.last(), self.micros())
    }

    /// For a machine.
    pub(crate) fn json(&self) -> Value {
        let whole = |rate: f64| rate.round();
        json!({ "min": whole(self.at(0)), "median": whole(self.median()), "max": whole(self.last()) })
    }
}

/// How long something takes.
pub(crate) fn timed(work: impl FnOnce() -> Result<()>) -> Result<Duration> {
    let started = Instant::now();
    work()?;
    Ok(started.elapsed())
}
