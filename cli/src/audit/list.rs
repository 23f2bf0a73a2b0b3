//! `audit list`: entries of the log, filtered here.

use serde_json::Value;

use crate::args::AuditList;
use crate::cards::LogPage;
use crate::failure::Failure;
use crate::grid::{Cell, Grid};
use crate::output::{Lang, Page, View};
use crate::rest::Rest;

/// Entries that one call gives at most.
const CALL: u64 = 1_000;

/// What has a column of its own; the rest of an entry comes after them.
const COLUMNS: [&str; 5] = ["seq", "time", "kind", "person", "contract"];

/// What chains and blinds entries, and tells a reader nothing; JSON has it.
const MACHINERY: [&str; 3] = ["nonce", "prev", "v"];

/// Lists entries.
///
/// # Errors
/// What the server refuses, or if it cannot be asked.
pub(super) fn run(args: &AuditList, view: &View) -> Result<(), Failure> {
    let page = fetch(&Rest::to(&args.at)?, args)?;
    let rows = page.entries.len();
    let remark = match view.lang {
        Lang::En => format!("{rows} of the log's {} entries", page.size),
        Lang::Zh => format!("日志共 {} 条，列出 {rows} 条", page.size),
    };
    let json = serde_json::to_string(&page).map_err(anyhow::Error::from)?;
    Ok(view.show(&Page::of(grid(&page, view)).remark(remark), &json)?)
}

/// Reads on until there are as many entries as were asked for, or no more.
fn fetch(rest: &Rest, args: &AuditList) -> Result<LogPage, Failure> {
    let mut found = LogPage { size: 0, entries: Vec::new() };
    let mut start = args.start;
    let filtered = args.kind.is_some() || args.person.is_some() || args.contract.is_some();
    loop {
        let missing = args.count.saturating_sub(found.entries.len() as u64);
        let count = if filtered { CALL } else { missing.min(CALL) };
        if count == 0 || missing == 0 {
            return Ok(found);
        }
        let page: LogPage = rest.get(&format!("/log?start={start}&count={count}"))?.read()?;
        let read = page.entries.len() as u64;
        found.size = page.size;
        let wanted = page.entries.into_iter().filter(|entry| wanted(entry, args));
        found.entries.extend(wanted.take(usize::try_from(missing).unwrap_or(usize::MAX)));
        start = start.saturating_add(read);
        if read == 0 || start >= page.size {
            return Ok(found);
        }
    }
}

fn wanted(entry: &Value, args: &AuditList) -> bool {
    let is = |key: &str, wanted: Option<&str>| {
        wanted.is_none_or(|wanted| entry.get(key).and_then(Value::as_str) == Some(wanted))
    };
    is("kind", args.kind.as_deref())
        && is("person", args.person.as_ref().map(|person| person.as_str()))
        && is("contract", args.contract.as_ref().map(|contract| contract.as_str()))
}

fn grid(page: &LogPage, view: &View) -> Grid {
    let head = [
        view.words("entry", "条目"),
        view.words("time", "时间"),
        view.words("kind", "种类"),
        view.words("person", "人员"),
        view.words("contract", "合同"),
        view.words("says", "内容"),
    ];
    Grid::new(head).rows(page.entries.iter().map(|entry| {
        let text = |key: &str| entry.get(key).and_then(Value::as_str).map(str::to_owned);
        let time = entry.get("time").and_then(Value::as_i64).and_then(|at| chrono::DateTime::from_timestamp(at, 0));
        let time = time.map(|at| at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true));
        vec![
            entry.get("seq").map_or(Cell::Missing, Cell::from),
            time.into(),
            text("kind").into(),
            text("person").into(),
            text("contract").into(),
            rest_of(entry).into(),
        ]
    }))
}

/// The other fields as `name=value`.
fn rest_of(entry: &Value) -> String {
    let Some(fields) = entry.as_object() else { return entry.to_string() };
    let others =
        fields.iter().filter(|(key, _)| !COLUMNS.contains(&key.as_str()) && !MACHINERY.contains(&key.as_str()));
    let said = others.map(|(key, value)| match value {
        Value::String(text) => format!("{key}={text}"),
        other => format!("{key}={other}"),
    });
    said.collect::<Vec<_>>().join(" ")
}
