//! The catalogue: what manifests declare, and synthetic rows made from them.

use askama::Template;
use axum::Extension;
use axum::extract::State;
use glovebox_engine::{CardKey, ColumnCard, DatasetCard};
use glovebox_policy::{DatasetName, Public, Reason, Refusal};
use glovebox_privacy::Table;

use super::format;
use super::frame::Frame;
use crate::blocking;
use crate::http::App;
use crate::http::read::{self, PathText};
use crate::limits::{SAMPLE_ROWS, SHOWN_KEYS};
use crate::reply::Reply;

/// All datasets.
#[derive(Template)]
#[template(path = "datasets.html")]
pub(crate) struct Datasets {
    frame: Frame,
    cards: Vec<DatasetCard>,
}

/// One dataset.
#[derive(Template)]
#[template(path = "dataset.html")]
pub(crate) struct Dataset {
    frame: Frame,
    card: DatasetCard,
    /// Synthetic rows; none of footage or of a public table.
    sample: Option<Public<Table>>,
}

/// A public key list, the first values apart from the rest.
struct Keys {
    count: usize,
    first: String,
    rest: String,
}

impl Dataset {
    fn keys(column: &ColumnCard) -> Option<Keys> {
        let values = column.keys.as_ref()?;
        let text = |value: &CardKey| match value {
            CardKey::Int(value) => value.to_string(),
            CardKey::Text(value) => value.clone(),
            CardKey::Bool(value) => value.to_string(),
        };
        let joined = |values: &[CardKey]| values.iter().map(text).collect::<Vec<_>>().join(", ");
        let (first, rest) = values.split_at(values.len().min(SHOWN_KEYS));
        Some(Keys { count: values.len(), first: joined(first), rest: joined(rest) })
    }

    /// Codes and years are bounds too, so nothing is put between their digits.
    fn bounds(column: &ColumnCard) -> Option<(String, &str)> {
        let bounds = column.bounds.as_ref()?;
        let end = |value: f64| {
            let whole = value.fract() == 0.0 && value.abs() < 1e15;
            if whole { format!("{value:.0}") } else { format::number(value) }
        };
        Some((format!("{} … {}", end(bounds.lower), end(bounds.upper)), bounds.basis.as_str()))
    }

    fn uses(&self, column: &ColumnCard) -> Vec<&'static str> {
        let t = self.frame.t;
        if column.identifier {
            return vec![t.usable_identifier];
        }
        let all = [
            (self.card.unit.contains(&column.name), t.usable_unit),
            (column.keys.is_some(), t.usable_group),
            (column.thresholded.is_some(), t.usable_threshold),
            (column.bounds.is_some(), t.usable_sum),
        ];
        all.into_iter().filter_map(|(holds, text)| holds.then_some(text)).collect()
    }
}

/// Makes the page of all datasets.
pub(crate) async fn list(State(app): State<App>, Extension(frame): Extension<Frame>) -> Reply {
    let page = Datasets { frame: frame.clone(), cards: app.engine.datasets() };
    frame.answer(Ok(page))
}

/// Makes the page of one.
pub(crate) async fn show(State(app): State<App>, Extension(frame): Extension<Frame>, name: PathText) -> Reply {
    let made = make(app, frame.clone(), name).await;
    frame.answer(made)
}

async fn make(app: App, frame: Frame, name: PathText) -> Result<Dataset, Refusal> {
    let name: DatasetName = read::path(name)?;
    let card = app.engine.datasets().into_iter().find(|card| card.name == name);
    let card = card.ok_or_else(|| Refusal::about(Reason::NotFound, &name.to_string()))?;
    let sample = match (card.kind, &card.footage) {
        ("public", _) | (_, Some(_)) => None,
        _ => Some(blocking(move || app.engine.twin(&name, SAMPLE_ROWS, 0)).await?),
    };
    Ok(Dataset { frame, card, sample })
}
