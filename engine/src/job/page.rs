//! The page that an officer reads before signing: everything that a job wants, in text.
//!
//! INVARIANT (what you see is what you sign): the page is a pure function of the stored job, the manifest of its dataset,
//! its contract and the job approved before it; its digest is part of the signed verdict. Whatever the author wrote is
//! shown with control and invisible characters spelled out, so that it cannot hide or reorder the rest.

use std::fmt::Write as _;

use glovebox_catalog::Manifest;
use glovebox_policy::{Contract, Digest};
use glovebox_sandbox::ModuleFacts;

use crate::config::Window;
use crate::job::diff::{manifest_difference, module_difference};
use crate::job::plan::JobPlan;
use crate::job::table::columns;

/// What a page is written from.
pub(crate) struct PageOf<'a> {
    pub(crate) job: &'a str,
    pub(crate) submitted_by: &'a str,
    pub(crate) submitted: &'a str,
    pub(crate) expires: &'a str,
    pub(crate) manifest_text: &'a str,
    pub(crate) plan: &'a JobPlan,
    pub(crate) dataset: &'a Manifest,
    pub(crate) contract: &'a Contract,
    pub(crate) contract_digest: Digest,
    pub(crate) window: Window,
    pub(crate) tick_ms: u64,
    pub(crate) previous: Option<Previous<'a>>,
}

/// The job of the same name and firm that was approved last.
pub(crate) struct Previous<'a> {
    pub(crate) job: &'a str,
    pub(crate) manifest_text: &'a str,
    pub(crate) facts: &'a ModuleFacts,
    pub(crate) module: Digest,
}

/// Writes the page.
pub(crate) fn page(of: &PageOf<'_>) -> String {
    let mut out = String::new();
    head(&mut out, of);
    section(&mut out, "1", "清单 Manifest");
    line(&mut out, "sha256", &of.plan.manifest.digest().to_string());
    of.manifest_text.lines().for_each(|text| raw(&mut out, &format!("    | {}", visible(text))));
    module(&mut out, of);
    uses(&mut out, of);
    release(&mut out, of);
    section(&mut out, "5", "与上次批准版本的差异 Difference from the version approved last");
    difference(&mut out, of);
    out
}

fn raw(out: &mut String, text: &str) {
    let _ = writeln!(out, "{}", text.trim_end());
}

fn section(out: &mut String, number: &str, title: &str) {
    raw(out, &format!("\n[{number}] {title}"));
}

fn line(out: &mut String, what: &str, value: &str) {
    raw(out, &format!("    {what:<16} {}", visible(value)));
}

/// Whether a terminal shows nothing for a character, or lets it move or reorder others.
pub fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{180b}'..='\u{180e}')
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}')
        || matches!(c, '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

/// Text with every character spelled out that a terminal would not show as itself.
pub(crate) fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\t' => out.push_str("    "),
            _ if is_hidden(c) => {
                let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
            }
            _ => out.push(c),
        }
    }
    out
}

fn head(out: &mut String, of: &PageOf<'_>) {
    raw(out, &format!("作业请求 Job request {}", of.job));
    line(out, "submitted by", of.submitted_by);
    line(out, "submitted", of.submitted);
    line(out, "review until", of.expires);
    line(out, "name, kind", &format!("{}, {}", of.plan.manifest.name, of.plan.manifest.kind.as_str()));
    line(out, "purpose", of.plan.manifest.purpose.as_str());
    line(out, "contract", &format!("{} (sha256 {})", of.contract.id, of.contract_digest));
    let (title_en, title_zh) = (of.dataset.title_en(), of.dataset.title_zh());
    line(out, "dataset", &format!("{} {title_zh} {title_en}", of.dataset.name()));
    let (units, rows) = (of.dataset.max_units(), of.dataset.max_rows_per_unit());
    line(out, "declared size", &format!("at most {units} units with {rows} rows each"));
}

fn module(out: &mut String, of: &PageOf<'_>) {
    let facts = of.plan.module.facts();
    section(out, "2", "模块 Module");
    line(out, "sha256", &of.plan.manifest.module.to_string());
    line(out, "size", &format!("{} bytes, {} functions", facts.bytes, facts.functions));
    line(out, "memory", &format!("{} bytes, fixed", facts.memory_bytes));
    line(out, "input, output", &format!("{} and {} bytes", facts.in_cap, facts.out_cap));
    line(out, "imports", "none (no clock, no randomness, no files, no network)");
    line(out, "exports", &facts.exports.join(", "));
    line(out, "fuel for a unit", &of.plan.manifest.fuel.to_string());
    line(out, "each unit", "runs alone in a fresh instance; what goes wrong counts as the default row");
}

fn uses(out: &mut String, of: &PageOf<'_>) {
    section(out, "3", "列与用途 Columns and roles of use");
    for name in &of.plan.manifest.columns {
        if let Some(column) = of.dataset.column(name.as_str()) {
            let text = format!("wasmInput  {}  {}  {}", column.kind, column.meaning_zh, column.meaning_en);
            line(out, name.as_str(), &text);
        }
    }
    if !of.plan.manifest.params.is_empty() {
        line(out, "parameters", &of.plan.manifest.params);
    }
}

fn release(out: &mut String, of: &PageOf<'_>) {
    let (manifest, noise) = (&of.plan.manifest, &of.plan.noise);
    let output = &manifest.output;
    section(out, "4", "发布计划 What would be released");
    line(out, "keys", &format!("{}: {}", output.keys.len(), output.keys.join(", ")));
    line(out, "basis", &output.basis);
    let columns: Vec<_> = columns(output).into_iter().map(|column| column.name).collect();
    line(out, "columns", &columns.join(", "));
    line(out, "rows", "one for each key, always");
    line(
        out,
        "a unit",
        &format!("emits at most {} rows and counts under at most {} keys", output.max_rows, output.max_keys),
    );
    let default = output.keys.get(output.default_key as usize).map_or("", String::as_str);
    let steps: Vec<_> = output.default_values.iter().zip(&output.values).map(|(n, v)| fmt(*n, v.step)).collect();
    line(out, "default row", &format!("{default}: [{}]", steps.join(", ")));
    for value in &output.values {
        let (low, high) = (fmt(value.low, value.step), fmt(value.high, value.step));
        line(
            out,
            value.name.as_str(),
            &format!("clipped to {low} … {high} for a unit and key, in steps of {}", value.step),
        );
    }
    line(out, "noise", noise.kind().as_str());
    for (index, family) in noise.families().iter().enumerate() {
        let step = output.values.get(index).map_or(1.0, |value| value.step);
        let (moves, half) = (family.sensitivity * step, family.half_width_95 as f64 * step);
        let text = format!("one unit moves it by at most {moves:.4}; noise within ±{half:.4} in 95 of 100 draws");
        line(out, family.label.get(), &text);
    }
    line(out, "asks for", &format!("epsilon {} at delta {:e}", manifest.epsilon.to_display(), manifest.delta));
    let (rho, granted) = (noise.cost().rho.as_f64_up(), of.contract.allotment.rho.as_f64_up());
    line(out, "costs", &format!("rho {rho:.9} of the contract's {granted:.9}"));
    line(out, "executions", &format!("at most {}, each on another snapshot", manifest.executions));
    let leaves = of.window.leaves().as_millis();
    line(out, "result", &format!("leaves at a tick of {} ms, {leaves} ms or more after the start", of.tick_ms));
}

fn fmt(steps: i64, step: f64) -> String {
    format!("{}", steps as f64 * step)
}

fn difference(out: &mut String, of: &PageOf<'_>) {
    let Some(previous) = &of.previous else {
        line(out, "none", "no job of this name was approved before for this firm");
        return;
    };
    line(out, "compared with", previous.job);
    let texts = manifest_difference(previous.manifest_text, of.manifest_text);
    if texts.is_empty() {
        line(out, "manifest", "the same text");
    }
    texts.iter().for_each(|text| raw(out, &format!("    {}", visible(text))));
    if previous.module == of.plan.manifest.module {
        line(out, "module", "the same bytes");
        return;
    }
    line(out, "module", "other bytes; nobody has reviewed the machine code that differs");
    module_difference(previous.facts, of.plan.module.facts()).iter().for_each(|text| line(out, "", text));
}
