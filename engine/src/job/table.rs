//! The table of a job's release: one row for each declared key.

use glovebox_policy::job::JobOutput;
use glovebox_policy::{JobManifest, Public};
use glovebox_privacy::table::ColumnKind;
use glovebox_privacy::{Column, NoisyCells, Released, Scalar, Table};

/// The columns of the result: the key, then each value and the number of units, each with the 95 % interval of its noise.
pub(crate) fn columns(output: &JobOutput) -> Vec<Column> {
    let column = |name: String, kind| Column { name, kind };
    let mut columns = vec![column("key".to_owned(), ColumnKind::Text)];
    let names = output.values.iter().map(|value| value.name.as_str()).chain(output.count_units.then_some("units"));
    for name in names {
        let kind = if name == "units" { ColumnKind::Int } else { ColumnKind::Float };
        let endings = ["", "_low", "_high"];
        columns.extend(endings.map(|ending| column(format!("{name}{ending}"), kind)));
    }
    columns
}

/// Writes the released cells as a table: post-processing with what the manifest says.
pub(crate) fn table(released: Released<NoisyCells>, manifest: &JobManifest) -> Released<Table> {
    released.map(Public::from_request(manifest.output.clone()), |cells, output| written(&cells, output.get()))
}

fn written(cells: &NoisyCells, output: &JobOutput) -> Table {
    let rows = output.keys.iter().enumerate().map(|(key, label)| {
        let mut row = vec![Scalar::Text(label.clone())];
        for (family, (noised, about)) in cells.cells.iter().zip(&cells.families).enumerate() {
            let steps = noised.get(key).copied().unwrap_or_default();
            let half = i128::from(about.half_width_95);
            let interval = [steps, steps.saturating_sub(half), steps.saturating_add(half)];
            match output.values.get(family) {
                Some(value) => row.extend(interval.map(|steps| Scalar::Float(steps as f64 * value.step))),
                None => row.extend(interval.map(|count| Scalar::Int(clamped(count)))),
            }
        }
        row
    });
    Table { columns: columns(output), rows: rows.collect() }
}

fn clamped(count: i128) -> i64 {
    i64::try_from(count).unwrap_or(if count < 0 { i64::MIN } else { i64::MAX })
}
