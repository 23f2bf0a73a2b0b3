//! `EXPLAIN PRIVACY`: cost and expected error, from public numbers alone.

use glovebox_privacy::accountant::epsilon_of;
use glovebox_privacy::{Ask, MechanismKind, NoisePlan, Scalar, Table, Threshold};

use crate::analysis::{mechanism_name, preview_columns};
use crate::canonical::text;
use crate::inner::Inner;
use crate::measure::{Counted, Measure};

/// The preview of a question: items and values, in reading order.
pub(crate) fn preview(inner: &Inner, ask: &Ask, noise: &NoisePlan) -> Table {
    let mut rows: Vec<(String, String)> = Vec::new();
    let mut say = |item: &str, value: String| rows.push((item.to_owned(), value));
    let cost = noise.cost();
    for (name, text) in inner.per_unit.iter().flat_map(|level| level.definitions()) {
        say(&name, text);
    }
    say("dataset", inner.dataset.manifest().name().to_string());
    if let Some(partner) = &inner.partner {
        say("joined", partner.told(inner.table.rows));
    }
    for lookup in &inner.lookups {
        say("joined", lookup.told(inner.table.rows));
    }
    say("privacy unit", inner.dataset.manifest().unit().iter().map(ToString::to_string).collect::<Vec<_>>().join(", "));
    say("epsilon", ask.epsilon.to_display().to_string());
    say("delta", format!("{:e}", ask.delta));
    say("mechanism", mechanism_name(noise.kind()).to_owned());
    match noise.threshold() {
        None => say("groups", noise.groups().to_string()),
        Some(Threshold { tau, delta, most_shown, .. }) => {
            let names: Vec<&str> = inner.keys.iter().filter(|key| key.found).map(|key| key.label.as_str()).collect();
            say("keys found in rows", names.join(", "));
            say("threshold of units", format!("a key appears when its noised count of units is {tau} or more"));
            say("threshold delta", format!("{:e}", delta.as_f64_up()));
            say("groups", format!("those that appear, {most_shown} at most"));
        }
    }
    if let Some(max_groups) = noise.geometry().max_groups() {
        say("max_groups_contributed", max_groups.to_string());
    }
    say("cost rho", format!("{:.9}", cost.rho.as_f64_up()));
    if ask.delta > 0.0 {
        // What the threshold takes of δ is not there for the noise.
        let delta = (ask.delta - cost.delta.as_f64_up()).next_down().max(0.0);
        let delta = if noise.threshold().is_some() { delta } else { ask.delta };
        // With Laplace noise it takes all: the noise is of pure ε.
        if noise.threshold().is_none() || noise.kind() == MechanismKind::Gaussian {
            say("cost epsilon at delta", format!("{:.6}", epsilon_of(cost.rho, delta)));
        }
    }
    for (measure, family) in inner.measures.iter().zip(noise.families()) {
        let unit = unit_of(measure);
        let name = match inner.measures.iter().filter(|other| short(other) == short(measure)).count() {
            1 => short(measure),
            // Told apart by what one unit adds at most.
            _ => format!("{} within {}..{}", short(measure), measure.clamp.0, measure.clamp.1),
        };
        say(&format!("{name}: noise scale"), format!("{:.6}", family.scale.to_f64() * unit));
        say(&format!("{name}: 95 % half-width"), format!("{:.6}", family.half_width_95 as f64 * unit));
    }
    let rows = rows.into_iter().map(|(item, value)| vec![Scalar::Text(item), Scalar::Text(value)]).collect();
    Table { columns: preview_columns(), rows }
}

/// What one step is worth.
fn unit_of(measure: &Measure) -> f64 {
    match &measure.counted {
        Counted::Steps { scale, .. } => scale.grid,
        Counted::Squares { scale, .. } => scale.grid * scale.grid,
        Counted::Rows | Counted::Present(_) | Counted::Units => 1.0,
    }
}

fn short(measure: &Measure) -> String {
    match &measure.counted {
        Counted::Rows => "count(*)".to_owned(),
        Counted::Units => "count(distinct unit)".to_owned(),
        Counted::Present(expr) => format!("count({})", text(expr)),
        Counted::Steps { expr, scale, centre: 0 } => {
            format!("sum({} in {}..{})", text(expr), bound(scale, scale.lower), bound(scale, scale.upper))
        }
        Counted::Steps { expr, scale, centre } => {
            format!("sum({} - {})", text(expr), bound(scale, *centre))
        }
        Counted::Squares { expr, scale, centre, middle } => {
            let middle = *middle as f64 * scale.grid * scale.grid;
            format!("sum(({} - {})² - {middle})", text(expr), bound(scale, *centre))
        }
    }
}

fn bound(scale: &crate::measure::FixedPoint, steps: i64) -> f64 {
    scale.value(steps as f64)
}
