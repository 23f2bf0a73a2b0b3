//! From TOML text to a manifest, collecting every problem on the way.
//!
//! The walk is by hand: a derived deserialiser stops at the first error, and an officer wants them all. Each table is
//! read through a [`Walk`], which remembers the keys that were asked for, so that every other key is an error.

use glovebox_policy::{BudgetDomain, ColumnName, DatasetName, IdSpace};
use toml::{Table, Value};

use super::walk::{Problems, Walk, date, number};
use super::{
    Bounds, Column, ColumnKind, DatasetKind, Days, Footage, KeyValue, Keys, MAX_COLUMNS, MAX_KEYS, MAX_ROWS_PER_UNIT,
    MAX_UNITS, Manifest, ManifestReport, Problem, Thresholded, check, footage,
};

/// What `[dataset]` holds, each part present unless a problem was reported for it.
struct DatasetPart {
    name: Option<DatasetName>,
    kind: Option<DatasetKind>,
    title_en: Option<String>,
    title_zh: Option<String>,
    id_space: Option<IdSpace>,
    budget_domain: Option<BudgetDomain>,
    unit: Vec<ColumnName>,
    max_units: Option<u64>,
    max_rows_per_unit: Option<u32>,
    source: Option<String>,
    licence: Option<String>,
    classification: Option<String>,
    unique: Vec<Vec<ColumnName>>,
    null_markers: Vec<String>,
}

/// Reads and checks a whole manifest.
pub(super) fn manifest(text: &str) -> Result<Manifest, ManifestReport> {
    let table: Table = text.parse().map_err(|error: toml::de::Error| syntax(text, &error))?;
    let mut problems = Problems::default();
    let mut root = Walk::new(&table, "");
    let dataset = match root.required("dataset", &mut problems) {
        Some(Value::Table(table)) => Some(dataset(table, &mut problems)),
        Some(_) => {
            problems.add("dataset", "must be a table");
            None
        }
        None => None,
    };
    let frames = dataset.as_ref().is_some_and(|part| part.kind == Some(DatasetKind::Frames));
    let footage = if frames { footage::read(&mut root, &mut problems) } else { None };
    let columns = match &footage {
        Some(footage) => footage.columns(),
        None if frames => Vec::new(),
        None => listed_columns(&mut root, &mut problems),
    };
    root.finish(&mut problems);
    if let Some(part) = &dataset {
        check::units(&part.unit, &columns, &mut problems);
        check::unique(&part.unique, &columns, &mut problems);
    }
    check::columns(&columns, &mut problems);
    // A part that is absent has reported its problem, so an empty report means that everything is there.
    match dataset.and_then(|part| assemble(part, columns, footage)) {
        Some(manifest) if problems.0.is_empty() => Ok(manifest),
        _ => Err(ManifestReport { problems: problems.0 }),
    }
}

fn listed_columns(root: &mut Walk<'_>, problems: &mut Problems) -> Vec<Column> {
    match root.required("columns", problems) {
        Some(Value::Array(list)) => columns(list, problems),
        Some(_) => {
            problems.add("columns", "must be a list of tables, each written as [[columns]]");
            Vec::new()
        }
        None => Vec::new(),
    }
}

fn assemble(mut part: DatasetPart, columns: Vec<Column>, footage: Option<Footage>) -> Option<Manifest> {
    if let Some(footage) = &footage {
        part.max_units = Some(footage.chunks.into());
        part.max_rows_per_unit = Some(footage.frames_of_a_chunk());
    }
    Some(Manifest {
        name: part.name?,
        kind: part.kind?,
        title_en: part.title_en?,
        title_zh: part.title_zh?,
        id_space: part.id_space?,
        budget_domain: part.budget_domain?,
        unit: part.unit,
        max_units: part.max_units?,
        max_rows_per_unit: part.max_rows_per_unit?,
        source: part.source?,
        licence: part.licence?,
        classification: part.classification?,
        unique: part.unique,
        null_markers: part.null_markers,
        columns,
        footage,
    })
}

pub(super) fn syntax(text: &str, error: &toml::de::Error) -> ManifestReport {
    let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let problem = Problem { path: format!("line {line}"), message: format!("is not TOML: {}", error.message()) };
    ManifestReport { problems: vec![problem] }
}

fn dataset(table: &Table, problems: &mut Problems) -> DatasetPart {
    let mut walk = Walk::new(table, "dataset");
    let (name, kind) = (walk.name("name", problems), kind(&mut walk, problems));
    if kind == Some(DatasetKind::Frames) {
        return frames(name, walk, problems);
    }
    let part = DatasetPart {
        name,
        kind,
        title_en: walk.text("title_en", problems),
        title_zh: walk.text("title_zh", problems),
        id_space: walk.name("id_space", problems),
        budget_domain: walk.name("budget_domain", problems),
        unit: match walk.required("unit", problems) {
            Some(value) => walk.names("unit", value, problems),
            None => Vec::new(),
        },
        max_units: walk.whole("max_units", MAX_UNITS, problems),
        max_rows_per_unit: walk
            .whole("max_rows_per_unit", MAX_ROWS_PER_UNIT.into(), problems)
            .and_then(|rows| u32::try_from(rows).ok()),
        source: walk.text("source", problems),
        licence: walk.text("licence", problems),
        classification: walk.text("classification", problems),
        unique: unique(&mut walk, problems),
        null_markers: match walk.optional("null_markers") {
            Some(value) => walk.texts("null_markers", value, problems),
            None => Vec::new(),
        },
    };
    if table.get("unit").and_then(Value::as_array).is_some_and(Vec::is_empty) {
        problems.add("dataset.unit", "must name at least one column");
    }
    walk.finish(problems);
    part
}

/// `[dataset]` of footage: no row of it names anybody, and its sizes are in `[footage]`.
fn frames(name: Option<DatasetName>, mut walk: Walk<'_>, problems: &mut Problems) -> DatasetPart {
    let part = DatasetPart {
        name,
        kind: Some(DatasetKind::Frames),
        title_en: walk.text("title_en", problems),
        title_zh: walk.text("title_zh", problems),
        // Nobody has an id in footage, so there is nothing that other ids could be equated with.
        id_space: "footage".parse().ok(),
        budget_domain: walk.name("budget_domain", problems),
        unit: Vec::new(),
        max_units: None,
        max_rows_per_unit: None,
        source: walk.text("source", problems),
        licence: walk.text("licence", problems),
        classification: walk.text("classification", problems),
        unique: Vec::new(),
        null_markers: Vec::new(),
    };
    walk.finish(problems);
    part
}

fn kind(walk: &mut Walk<'_>, problems: &mut Problems) -> Option<DatasetKind> {
    match walk.text("kind", problems)?.as_str() {
        "table" => Some(DatasetKind::Table),
        "frames" => Some(DatasetKind::Frames),
        _ => {
            problems.add(
                "dataset.kind",
                "must be `table`, `frames`, or `public` for a table that holds nothing about anybody",
            );
            None
        }
    }
}

pub(super) fn unique(walk: &mut Walk<'_>, problems: &mut Problems) -> Vec<Vec<ColumnName>> {
    let Some(value) = walk.optional("unique") else {
        return Vec::new();
    };
    let Some(sets) = value.as_array().filter(|sets| sets.iter().all(Value::is_array)) else {
        problems.add("dataset.unique", "must be a list of lists of column names");
        return Vec::new();
    };
    sets.iter().map(|set| walk.names("unique", set, problems)).collect()
}

pub(super) fn columns(list: &[Value], problems: &mut Problems) -> Vec<Column> {
    if list.is_empty() || list.len() > MAX_COLUMNS {
        problems.add("columns", format!("must declare 1 to {MAX_COLUMNS} columns"));
    }
    let mut out = Vec::new();
    for (index, value) in list.iter().enumerate() {
        match value {
            Value::Table(table) => out.extend(column(index, table, problems)),
            _ => problems.add(format!("columns[{index}]"), "must be a table"),
        }
    }
    out
}

fn column(index: usize, table: &Table, problems: &mut Problems) -> Option<Column> {
    // Problems are easier to find by name; a column without a good one is counted from 0, as TOML tools do.
    let spoken = table.get("name").and_then(Value::as_str).filter(|name| name.parse::<ColumnName>().is_ok());
    let path = spoken.map_or_else(|| format!("columns[{index}]"), |name| format!("columns.{name}"));
    let mut walk = Walk::new(table, path);
    let name = walk.name("name", problems);
    let header = walk.optional("header").and_then(|value| walk.as_text("header", value, problems));
    let kind = column_kind(&mut walk, problems);
    let meaning_en = walk.text("meaning_en", problems);
    let meaning_zh = walk.text("meaning_zh", problems);
    let identifier = match walk.optional("identifier") {
        None => Some(false),
        Some(Value::Boolean(flag)) => Some(*flag),
        Some(_) => {
            problems.add(walk.at("identifier"), "must be true or false");
            None
        }
    };
    let bounds = section(&mut walk, "bounds", problems).and_then(|part| bounds(part, problems));
    let grid = walk.optional("grid").and_then(|value| number(value, &walk.at("grid"), problems));
    let (keys, thresholded) = match section(&mut walk, "keys", problems) {
        Some(part) if part.has("threshold") => (None, thresholded(part, problems)),
        part => (part.and_then(|part| keys(part, problems)), None),
    };
    let days = section(&mut walk, "days", problems).and_then(|part| days(part, problems));
    walk.finish(problems);
    Some(Column {
        name: name?,
        header,
        kind: kind?,
        meaning_en: meaning_en.unwrap_or_default(),
        meaning_zh: meaning_zh.unwrap_or_default(),
        identifier: identifier?,
        bounds,
        grid,
        keys,
        thresholded,
        days,
    })
}

fn column_kind(walk: &mut Walk<'_>, problems: &mut Problems) -> Option<ColumnKind> {
    let text = walk.text("type", problems)?;
    let found = ColumnKind::ALL.into_iter().find(|kind| kind.as_str() == text);
    if found.is_none() {
        let known = ColumnKind::ALL.map(|kind| format!("`{kind}`")).join(", ");
        problems.add(walk.at("type"), format!("must be one of {known}"));
    }
    found
}

pub(super) fn section<'a>(walk: &mut Walk<'a>, key: &'static str, problems: &mut Problems) -> Option<Walk<'a>> {
    match walk.optional(key)? {
        Value::Table(table) => Some(Walk::new(table, walk.at(key))),
        _ => {
            problems.add(walk.at(key), "must be a table");
            None
        }
    }
}

fn bounds(mut walk: Walk<'_>, problems: &mut Problems) -> Option<Bounds> {
    let mut side = |key| walk.required(key, problems).and_then(|value| number(value, &walk.at(key), problems));
    let (lower, upper) = (side("lower"), side("upper"));
    let basis = walk.text("basis", problems);
    walk.finish(problems);
    Some(Bounds { lower: lower?, upper: upper?, basis: basis? })
}

fn days(mut walk: Walk<'_>, problems: &mut Problems) -> Option<Days> {
    let mut side = |key| walk.required(key, problems).and_then(|value| date(value, &walk.at(key), problems));
    let (first, last) = (side("first"), side("last"));
    let basis = walk.text("basis", problems);
    walk.finish(problems);
    Some(Days { first: first?, last: last?, basis: basis? })
}

fn thresholded(mut walk: Walk<'_>, problems: &mut Problems) -> Option<Thresholded> {
    if walk.optional("threshold") != Some(&Value::Boolean(true)) {
        problems.add(walk.at("threshold"), "must be true; leave `keys` out where the column may not be grouped by");
    }
    let basis = walk.text("basis", problems);
    walk.finish(problems);
    Some(Thresholded { basis: basis? })
}

fn keys(mut walk: Walk<'_>, problems: &mut Problems) -> Option<Keys> {
    let path = walk.at("values");
    let list = walk.required("values", problems);
    let basis = walk.text("basis", problems);
    walk.finish(problems);
    let Some(list) = list?.as_array() else {
        problems.add(path, "must be a list");
        return None;
    };
    if list.is_empty() || list.len() > MAX_KEYS {
        problems.add(&path, format!("must hold 1 to {MAX_KEYS} values"));
    }
    let mut values = Vec::with_capacity(list.len());
    for (index, value) in list.iter().enumerate() {
        match value {
            Value::Integer(n) => values.push(KeyValue::Int(*n)),
            Value::String(text) => values.push(KeyValue::Text(text.clone())),
            Value::Boolean(flag) => values.push(KeyValue::Bool(*flag)),
            _ => problems.add(format!("{path}[{index}]"), "must be a whole number, a text, or true or false"),
        }
    }
    Some(Keys { values, basis: basis? })
}
