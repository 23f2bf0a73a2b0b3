//! The audit log, for officers and auditors.

use askama::Template;
use axum::Extension;
use axum::extract::State;
use glovebox_engine::LogPage;
use glovebox_policy::{Caller, Digest, Refusal};
use serde::Deserialize;
use serde_json::Value;

use super::format;
use super::frame::Frame;
use crate::blocking;
use crate::http::App;
use crate::http::read::{self, QueryOf};
use crate::limits::LOG_ENTRIES_SHOWN;
use crate::outbound::jobs::LogText;
use crate::reply::Reply;

/// The page.
#[derive(Template)]
#[template(path = "log.html")]
pub(crate) struct Log {
    frame: Frame,
    start: u64,
    page: LogPage,
    checkpoint: LogText,
    key: LogText,
}

/// One entry.
struct Entry {
    number: u64,
    kind: String,
    time: String,
    who: String,
    about: Vec<About>,
    whole: String,
}

/// One thing that an entry is about.
struct About {
    key: &'static str,
    value: String,
    is_digest: bool,
}

/// What an entry may be about, in the order of telling.
const ABOUT: [&str; 9] = ["application", "job", "decision", "contract", "dataset", "domain", "org", "role", "request"];

impl Log {
    /// Newest first.
    fn entries(&self) -> Vec<Entry> {
        let numbered = (self.start..).zip(&self.page.entries).map(|(number, entry)| read_entry(number, entry));
        let mut entries: Vec<_> = numbered.collect();
        entries.reverse();
        entries
    }

    fn older(&self) -> Option<u64> {
        (self.start > 0).then(|| self.start.saturating_sub(u64::from(LOG_ENTRIES_SHOWN)))
    }

    fn newer(&self) -> Option<u64> {
        let next = self.start.saturating_add(u64::from(LOG_ENTRIES_SHOWN));
        (next < self.page.size).then_some(next)
    }
}

fn read_entry(number: u64, entry: &Value) -> Entry {
    let text = |key: &str| entry.get(key).and_then(Value::as_str).map(str::to_owned);
    let about = |key: &'static str| {
        let value = text(key)?;
        let is_digest = value.parse::<Digest>().is_ok();
        // The digest of the policy's decision is for whoever replays it, who reads the whole entry.
        (key != "decision" || !is_digest).then_some(About { key, value, is_digest })
    };
    let whole = serde_json::to_string_pretty(entry).unwrap_or_default();
    Entry {
        number,
        kind: text("kind").unwrap_or_default(),
        time: entry.get("time").and_then(Value::as_i64).map(format::rfc3339).unwrap_or_default(),
        who: text("person").or_else(|| text("signer")).unwrap_or_default(),
        about: ABOUT.into_iter().filter_map(about).collect(),
        whole,
    }
}

/// Which part of the log.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PartQuery {
    start: Option<u64>,
    #[serde(rename = "lang")]
    _lang: Option<String>,
}

/// Makes the page.
pub(crate) async fn page(
    State(app): State<App>,
    Extension(frame): Extension<Frame>,
    Extension(caller): Extension<Caller>,
    query: QueryOf<PartQuery>,
) -> Reply {
    let made = make(app, frame.clone(), caller, query).await;
    frame.answer(made)
}

async fn make(app: App, frame: Frame, caller: Caller, query: QueryOf<PartQuery>) -> Result<Log, Refusal> {
    let start = read::query(query)?.start;
    blocking(move || {
        let engine = &app.engine;
        let start = match start {
            Some(start) => start,
            None => engine.log_page(&caller, 0, 0)?.size.saturating_sub(u64::from(LOG_ENTRIES_SHOWN)),
        };
        let page = engine.log_page(&caller, start, LOG_ENTRIES_SHOWN)?;
        let (checkpoint, key) = (LogText(engine.checkpoint(&caller)?), LogText(engine.verifier_key()));
        Ok(Log { frame, start, page, checkpoint, key })
    })
    .await
}
