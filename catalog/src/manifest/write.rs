//! A manifest back to TOML, in one canonical and readable form.

use std::fmt::Display;

use toml::Value;

use super::{Appearance, Bounds, Column, Days, Footage, KeyValue, Keys, Manifest, Thresholded};
use crate::civil::Date;

/// The canonical text.
pub(super) fn manifest(manifest: &Manifest) -> String {
    let mut out = String::from("[dataset]\n");
    if let Some(footage) = &manifest.footage {
        return frames(out, manifest, footage);
    }
    let mut put = |key: &str, value: String| line(&mut out, key, &value);
    put("name", text(manifest.name.to_string()));
    put("kind", text(manifest.kind.as_str()));
    put("title_en", text(&manifest.title_en));
    put("title_zh", text(&manifest.title_zh));
    put("id_space", text(manifest.id_space.as_str()));
    put("budget_domain", text(manifest.budget_domain.as_str()));
    put("unit", list(manifest.unit.iter().map(text_of)));
    put("max_units", manifest.max_units.to_string());
    put("max_rows_per_unit", manifest.max_rows_per_unit.to_string());
    put("source", text(&manifest.source));
    put("licence", text(&manifest.licence));
    put("classification", text(&manifest.classification));
    if !manifest.unique.is_empty() {
        put("unique", list(manifest.unique.iter().map(|set| list(set.iter().map(text_of)))));
    }
    if !manifest.null_markers.is_empty() {
        put("null_markers", list(manifest.null_markers.iter().map(text_of)));
    }
    for column in &manifest.columns {
        write_column(&mut out, column);
    }
    out
}

/// The canonical text of footage.
fn frames(mut out: String, manifest: &Manifest, footage: &Footage) -> String {
    let mut put = |key: &str, value: String| line(&mut out, key, &value);
    put("name", text(manifest.name.to_string()));
    put("kind", text(manifest.kind.as_str()));
    put("title_en", text(&manifest.title_en));
    put("title_zh", text(&manifest.title_zh));
    put("budget_domain", text(manifest.budget_domain.as_str()));
    put("source", text(&manifest.source));
    put("licence", text(&manifest.licence));
    put("classification", text(&manifest.classification));
    out.push_str("\n[footage]\n");
    let mut put = |key: &str, value: String| line(&mut out, key, &value);
    put("camera", text(&footage.camera));
    put("width", footage.width.to_string());
    put("height", footage.height.to_string());
    put("frames_per_second", footage.frames_per_second.to_string());
    put("chunk_s", footage.chunk_s.to_string());
    put("chunks", footage.chunks.to_string());
    let Appearance { longest_s, segments, basis } = &footage.appearance;
    let unit = format!("{{ longest_s = {longest_s}, segments = {segments}, basis = {} }}", text(basis));
    put("appearance", unit);
    out
}

pub(super) fn write_column(out: &mut String, column: &Column) {
    out.push_str("\n[[columns]]\n");
    line(out, "name", &text(column.name.as_str()));
    if let Some(header) = &column.header {
        line(out, "header", &text(header));
    }
    line(out, "type", &text(column.kind.as_str()));
    line(out, "meaning_en", &text(&column.meaning_en));
    line(out, "meaning_zh", &text(&column.meaning_zh));
    if column.identifier {
        line(out, "identifier", "true");
    }
    if let Some(Bounds { lower, upper, basis }) = &column.bounds {
        let value = format!("{{ lower = {}, upper = {}, basis = {} }}", number(*lower), number(*upper), text(basis));
        line(out, "bounds", &value);
    }
    if let Some(grid) = column.grid {
        line(out, "grid", &number(grid));
    }
    if let Some(Keys { values, basis }) = &column.keys {
        let values = list(values.iter().map(|value| match value {
            KeyValue::Int(n) => n.to_string(),
            KeyValue::Text(words) => text(words),
            KeyValue::Bool(flag) => flag.to_string(),
        }));
        line(out, "keys", &format!("{{ values = {values}, basis = {} }}", text(basis)));
    }
    if let Some(Thresholded { basis }) = &column.thresholded {
        line(out, "keys", &format!("{{ threshold = true, basis = {} }}", text(basis)));
    }
    if let Some(Days { first, last, basis }) = &column.days {
        let [first, last] = [first, last].map(|day| Date::of(i64::from(*day)));
        line(out, "days", &format!("{{ first = {first}, last = {last}, basis = {} }}", text(basis)));
    }
}

pub(super) fn line(out: &mut String, key: &str, value: &str) {
    out.push_str(key);
    out.push_str(" = ");
    out.push_str(value);
    out.push('\n');
}

/// A text as TOML writes it, on one line.
pub(crate) fn text(words: impl Into<String>) -> String {
    // The multi-line form that the library chooses for texts with line breaks is not allowed in every place, so
    // the few characters that a basic string must escape are escaped here.
    let words = words.into();
    if words.chars().any(char::is_control) {
        let mut out = String::from("\"");
        for c in words.chars() {
            match c {
                '"' | '\\' => out.extend(['\\', c]),
                c if c.is_control() => out.push_str(&format!("\\u{:04X}", u32::from(c))),
                c => out.push(c),
            }
        }
        out.push('"');
        return out;
    }
    Value::String(words).to_string()
}

pub(super) fn text_of(words: &impl Display) -> String {
    text(words.to_string())
}

fn number(x: f64) -> String {
    Value::Float(x).to_string()
}

pub(super) fn list(items: impl Iterator<Item = String>) -> String {
    format!("[{}]", items.collect::<Vec<_>>().join(", "))
}
