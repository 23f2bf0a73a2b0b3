//! The demo's configuration, and the released table beside the truth.

use anyhow::Context as _;
use glovebox_engine::{Scalar, Table};
use glovebox_server::Fetched;

use crate::demo::truth::Truth;

/// The demo's configuration; any free port, so that demos do not meet.
pub(crate) const CONFIG_TEXT: &str = "\
# Made by `glovebox demo`.
state_dir = \"state\"
# Outside of the state directory: a copy of the state alone cannot be read.
master_key_file = \"master.key\"
http_listen = \"127.0.0.1:0\"
flight_listen = \"127.0.0.1:0\"

[[budget_domains]]
name = \"resident\"
cap_rho = 1.0
# For thresholds of keys that are found in rows.
cap_delta = 1e-8
published_delta = 1e-9
";

/// The lines of a preview.
pub(crate) fn preview(fetched: &Fetched) -> Vec<String> {
    fetched
        .rows
        .iter()
        .map(|row| match row.as_slice() {
            [Scalar::Text(item), Scalar::Text(value)] => format!("    {item:<40} {value}"),
            _ => String::new(),
        })
        .collect()
}

/// A released group beside the truth.
struct Line {
    coins: Option<i64>,
    n: i64,
    n_interval: (i64, i64),
    visits: f64,
    visits_interval: (f64, f64),
    true_n: u64,
    true_visits: Option<f64>,
}

/// The released table beside the truth.
pub(crate) struct Report {
    rows: Vec<Vec<Scalar>>,
    lines: Vec<Line>,
}

impl Report {
    /// Reads the answer of the demo's question.
    pub(crate) fn new(fetched: &Fetched, truth: &Truth) -> anyhow::Result<Self> {
        let lines = fetched.rows.iter().map(|row| line(row, truth).context("the answer has unexpected columns"));
        Ok(Self { rows: fetched.rows.clone(), lines: lines.collect::<Result<_, _>>()? })
    }

    /// Whether another answer holds the same numbers.
    pub(crate) fn same_as(&self, other: &Table) -> bool {
        self.rows == other.rows
    }

    /// The table for reading.
    pub(crate) fn lines(&self) -> Vec<String> {
        let mut out = vec![format!(
            "    {:>7} | {:>6} {:>15} {:>6} {:>7} | {:>6} {:>15} {:>6} {:>7}",
            "coins", "n", "95 % interval", "truth", "error", "visits", "95 % interval", "truth", "error"
        )];
        for line in &self.lines {
            let coins = line.coins.map_or("(other)".to_owned(), |coins| format!("{coins} %"));
            let (truth, error) = match line.true_visits {
                Some(truth) => (format!("{truth:.3}"), format!("{:+.1} %", (line.visits / truth - 1.0) * 100.0)),
                None => ("-".to_owned(), "-".to_owned()),
            };
            out.push(format!(
                "    {:>7} | {:>6} {:>15} {:>6} {:>7} | {:>6.3} {:>15} {:>6} {:>7}",
                coins,
                line.n,
                format!("{} … {}", line.n_interval.0, line.n_interval.1),
                line.true_n,
                if line.true_n == 0 { "-".to_owned() } else { format!("{:+.1} %", line.n_error() * 100.0) },
                line.visits,
                format!("{:.2} … {:.2}", line.visits_interval.0, line.visits_interval.1),
                truth,
                error,
            ));
        }
        out
    }

    /// The figures, as JSON.
    pub(crate) fn summary(&self, cost_rho: f64, remaining_rho: f64) -> serde_json::Value {
        let real: Vec<&Line> = self.lines.iter().filter(|line| line.true_n > 0).collect();
        let worst = |error: fn(&Line) -> f64| real.iter().map(|line| error(line).abs()).fold(0.0, f64::max);
        serde_json::json!({
            "command": "demo",
            "pass": true,
            "groups": self.lines.len(),
            "cost_rho": cost_rho,
            "remaining_rho": remaining_rho,
            "worst_relative_error_count": worst(Line::n_error),
            "worst_relative_error_mean": worst(Line::visits_error),
        })
    }
}

impl Line {
    fn n_error(&self) -> f64 {
        self.n as f64 / self.true_n as f64 - 1.0
    }

    fn visits_error(&self) -> f64 {
        self.true_visits.map_or(0.0, |truth| self.visits / truth - 1.0)
    }
}

fn line(row: &[Scalar], truth: &Truth) -> Option<Line> {
    let [coins, Scalar::Int(n), Scalar::Int(n_low), Scalar::Int(n_high), rest @ ..] = row else {
        return None;
    };
    let [Scalar::Float(visits), Scalar::Float(low), Scalar::Float(high)] = rest else {
        return None;
    };
    let coins = if let Scalar::Int(coins) = coins { Some(*coins) } else { None };
    let (true_n, true_visits) = truth.of(coins);
    Some(Line {
        coins,
        n: *n,
        n_interval: (*n_low, *n_high),
        visits: *visits,
        visits_interval: (*low, *high),
        true_n,
        true_visits,
    })
}
