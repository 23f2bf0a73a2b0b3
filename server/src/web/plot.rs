//! The table of a job's release as figures with their intervals, and where these lie on one scale.

use glovebox_privacy::{Scalar, Table};

use super::format;

/// The width of a plot in its own units; the page stretches it.
const WIDTH: f64 = 1_000.0;

/// One figure for every key, with the interval of its noise.
pub(crate) struct Family {
    /// Its column.
    pub(crate) name: String,
    /// What stands left and right of the plots.
    pub(crate) ends: (String, String),
    /// Where zero lies.
    pub(crate) zero: String,
    /// A line for each key.
    pub(crate) lines: Vec<Line>,
}

/// One key's figure. The last three are places in the plot.
pub(crate) struct Line {
    pub(crate) key: String,
    pub(crate) value: String,
    pub(crate) low: String,
    pub(crate) high: String,
    pub(crate) at: String,
    pub(crate) from: String,
    pub(crate) long: String,
}

impl Family {
    /// The figures of a result. Their columns stand in threes behind the key: value, low end, high end.
    pub(crate) fn all(table: &Table) -> Vec<Self> {
        let triples = table.columns.len().saturating_sub(1) / 3;
        (0..triples).filter_map(|triple| Self::one(table, 1 + 3 * triple)).collect()
    }

    fn one(table: &Table, first: usize) -> Option<Self> {
        let name = table.columns.get(first)?.name.clone();
        let cells = |row: &[Scalar]| -> Option<[f64; 3]> {
            let figure = |at: usize| row.get(first + at).and_then(figure);
            Some([figure(0)?, figure(1)?, figure(2)?])
        };
        let figures: Vec<[f64; 3]> = table.rows.iter().filter_map(|row| cells(row)).collect();
        let least = figures.iter().map(|[_, low, _]| *low).fold(0.0_f64, f64::min);
        let most = figures.iter().map(|[_, _, high]| *high).fold(0.0_f64, f64::max);
        let scale = if most > least { WIDTH / (most - least) } else { 0.0 };
        let place = |value: f64| format!("{:.1}", (value - least) * scale);
        let lines = table.rows.iter().map(|row| {
            let text = |at: usize| row.get(at).map(shown).unwrap_or_default();
            let [value, low, high] = cells(row).unwrap_or_default();
            Line {
                key: text(0),
                value: text(first),
                low: text(first + 1),
                high: text(first + 2),
                at: place(value),
                from: place(low),
                long: format!("{:.1}", ((high - low) * scale).max(1.0)),
            }
        });
        let ends = (format::number(least), format::number(most));
        Some(Self { name, ends, zero: place(0.0), lines: lines.collect() })
    }
}

/// Counts are read like the other figures, with their thousands apart.
fn shown(value: &Scalar) -> String {
    match value {
        Scalar::Int(count) => format::grouped(&count.to_string()),
        other => format::scalar(other),
    }
}

fn figure(value: &Scalar) -> Option<f64> {
    match value {
        Scalar::Int(value) => Some(*value as f64),
        Scalar::Float(value) if value.is_finite() => Some(*value),
        _ => None,
    }
}

/// A part of a whole in the plot's units, from 0 to 1,000.
pub(crate) fn part(amount: f64, whole: f64) -> f64 {
    if whole > 0.0 && amount.is_finite() { (amount / whole).clamp(0.0, 1.0) * WIDTH } else { 0.0 }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use glovebox_privacy::Column;
    use glovebox_privacy::table::ColumnKind;

    #[test]
    fn figures_stand_on_one_scale_with_zero_on_it() {
        let names = ["key", "n", "n_low", "n_high"];
        let columns = names.map(|name| Column { name: name.to_owned(), kind: ColumnKind::Float }).to_vec();
        let row = |key: &str, figures: [f64; 3]| {
            [vec![Scalar::Text(key.to_owned())], figures.map(Scalar::Float).to_vec()].concat()
        };
        let table = Table { columns, rows: vec![row("a", [10.0, 5.0, 15.0]), row("b", [0.0, -5.0, 5.0])] };
        let families = Family::all(&table);
        let family = families.first().unwrap();
        assert_eq!((families.len(), family.name.as_str(), family.zero.as_str()), (1, "n", "250.0"));
        let first = family.lines.first().unwrap();
        assert_eq!((first.at.as_str(), first.from.as_str(), first.long.as_str()), ("750.0", "500.0", "500.0"));
        assert_eq!(family.ends, ("-5".to_owned(), "15".to_owned()));
        assert!(Family::all(&Table { columns: Vec::new(), rows: Vec::new() }).is_empty());
        assert_eq!((part(0.25, 1.0), part(1.0, 0.0), part(9.0, 1.0)), (250.0, 0.0, 1000.0));
    }
}
