//! The page that an officer reads before signing: everything that a job wants, in text.
//!
//! INVARIANT (what you see is what you sign): the page is a pure function of the stored job, the manifest of its dataset,
//! its contract and the job approved before it; its digest is part of the signed verdict.
//!
//! INVARIANT (whose line it is): whatever the author wrote goes through the author's lines of [`Sheet`], names included:
//! `costs` is a good name for a value. The product's lines hold its own words, numbers, digests, and what the bureau named.

use glovebox_catalog::Manifest;
use glovebox_policy::{Contract, Digest};
use glovebox_sandbox::ModuleFacts;

use crate::config::Window;
use crate::job::diff::{MATCHED, manifest_difference, module_difference};
use crate::job::footage::{about_size, about_unit};
use crate::job::layout::{COLUMNS, Sheet};
use crate::job::plan::JobPlan;

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
    let mut sheet = Sheet::default();
    head(&mut sheet, of);
    sheet.section(1, "清单 Manifest");
    sheet.fact("sha256", &of.plan.manifest.digest().to_string());
    sheet.author(of.manifest_text);
    module(&mut sheet, of);
    uses(&mut sheet, of);
    release(&mut sheet, of);
    sheet.section(5, "与上次批准版本的差异 Difference from the version approved last");
    difference(&mut sheet, of);
    in_short(&mut sheet, of);
    sheet.into_text()
}

fn head(sheet: &mut Sheet, of: &PageOf<'_>) {
    sheet.title("作业请求 Job request");
    sheet.fact("how to read", &format!(
        "What the author wrote stands behind | and goes on behind >; every other line is the service's. \\u{{…}} is a \
         character that a screen would not show as itself, \\u{{20×5}} is five blanks. For screens of {COLUMNS} columns or more."
    ));
    sheet.fact(
        "阅读说明",
        &format!(
            "作者所写的内容都在 | 之后，续行在 > 之后；其余各行均出自本服务。\\u{{…}} 是屏幕无法如实显示的字符，\
         \\u{{20×5}} 是五个空格。请在 {COLUMNS} 列或更宽的屏幕上阅读。"
        ),
    );
    sheet.fact("job", of.job);
    sheet.fact("submitted by", of.submitted_by);
    sheet.fact("submitted", of.submitted);
    sheet.fact("review until", of.expires);
    sheet.fact(
        "decided by",
        match of.contract.risk_class.officers() {
            1 => "one officer",
            _ => "two officers, each without knowing what the other says; one no is a no",
        },
    );
    sheet.fact("kind", of.plan.manifest.kind.as_str());
    sheet.fact("name", "as the author calls it");
    sheet.quoted("", of.plan.manifest.name.as_str());
    sheet.fact("purpose", of.plan.manifest.purpose.as_str());
    sheet.fact("contract", of.contract.id.as_str());
    sheet.fact("its sha256", &of.contract_digest.to_string());
    let (title_en, title_zh) = (of.dataset.title_en(), of.dataset.title_zh());
    sheet.fact("dataset", &format!("{} {title_zh} {title_en}", of.dataset.name()));
    if let Some(footage) = of.dataset.footage() {
        sheet.fact("declared size", &about_size(footage));
        about_unit(footage, &of.plan.manifest.output, of.plan.noise.kind())
            .iter()
            .for_each(|(what, text)| sheet.fact(what, text));
        return;
    }
    let (units, rows) = (of.dataset.max_units(), of.dataset.max_rows_per_unit());
    sheet.fact("declared size", &format!("at most {units} units with {rows} rows each"));
}

fn module(sheet: &mut Sheet, of: &PageOf<'_>) {
    let facts = of.plan.module.facts();
    sheet.section(2, "模块 Module");
    sheet.fact("sha256", &of.plan.manifest.module.to_string());
    sheet.fact("size", &format!("{} bytes, {} functions", facts.bytes, facts.functions));
    sheet.fact("memory", &format!("{} bytes, fixed", facts.memory_bytes));
    sheet.fact("input, output", &format!("{} and {} bytes", facts.in_cap, facts.out_cap));
    sheet.fact("imports", "none (no clock, no randomness, no files, no network)");
    sheet.fact("exports", &format!("{}, in their order", facts.exports.len()));
    facts.exports.iter().for_each(|name| sheet.quoted("", name));
    let (each, unit) = if of.dataset.footage().is_some() { ("each chunk", "chunk") } else { ("each unit", "unit") };
    sheet.fact("fuel", &format!("{} for a {unit}", of.plan.manifest.fuel));
    sheet.fact(each, "runs alone in a fresh instance; what goes wrong counts as the default row");
}

fn uses(sheet: &mut Sheet, of: &PageOf<'_>) {
    let manifest = &of.plan.manifest;
    sheet.section(3, "列与用途 Columns and roles of use");
    for (number, name) in (1..).zip(&manifest.columns) {
        if let Some(column) = of.dataset.column(name.as_str()) {
            let text = format!("{name} as wasmInput: {}, {} {}", column.kind, column.meaning_zh, column.meaning_en);
            sheet.fact(&format!("input {number}/{}", manifest.columns.len()), &text);
        }
    }
    if !manifest.params.is_empty() {
        sheet.fact("parameters", "a text that the code gets with every unit");
        sheet.author(&manifest.params);
    }
}

fn release(sheet: &mut Sheet, of: &PageOf<'_>) {
    let (manifest, noise) = (&of.plan.manifest, &of.plan.noise);
    let output = &manifest.output;
    sheet.section(4, "发布计划 What would be released");
    sheet.fact("keys", &format!("{}, by position; each one is a row of the result, always", output.keys.len()));
    output.keys.iter().enumerate().for_each(|(position, key)| sheet.quoted(&position.to_string(), key));
    sheet.fact("basis", "where keys and ranges come from, as the author says");
    sheet.author(&output.basis);
    if of.dataset.footage().is_none() {
        let most = format!("emits at most {} rows and counts under at most {} keys", output.max_rows, output.max_keys);
        sheet.fact("a unit", &most);
    }
    let (of_what, who) = match of.dataset.footage() {
        Some(_) => ("each row of a chunk", "one appearance"),
        None => ("a unit and key", "one unit"),
    };
    sheet.fact("default row", &format!("the key at position {}, with the values named below", output.default_key));
    sheet.fact("columns", "the key, then each number below, with the ends of its noise as …_low and …_high");
    for (index, family) in noise.families().iter().enumerate() {
        let value = output.values.get(index);
        let step = value.map_or(1.0, |value| value.step);
        match value {
            Some(value) => {
                let (low, high) = (fmt(value.low, step), fmt(value.high, step));
                let default = fmt(output.default_values.get(index).copied().unwrap_or_default(), step);
                let text = format!(
                    "clipped to {low} … {high} for {of_what}, in steps of {step}; {default} in the default row"
                );
                sheet.fact(&format!("value {}/{}", index + 1, output.values.len()), &text);
                sheet.quoted("", value.name.as_str());
            }
            None => sheet.fact("units", "the number of units under each key, as the column `units`"),
        }
        let (moves, half) = (family.sensitivity * step, family.half_width_95 as f64 * step);
        let text = format!(
            "{who} moves all its cells together by at most {}; noise of a cell within ±{} in 95 of 100 draws",
            up(moves),
            up(half)
        );
        sheet.fact("its noise", &text);
    }
    sheet.fact("noise", noise.kind().as_str());
    sheet.fact("asks for", &format!("epsilon {} at delta {:e}", manifest.epsilon.to_display(), manifest.delta));
    let (rho, granted) = (noise.cost().rho.as_f64_up(), of.contract.allotment.rho.as_f64_up());
    let executions = manifest.executions;
    let total = rho * f64::from(executions);
    sheet.fact("executions", &format!("at most {executions}, each on another snapshot"));
    sheet.fact(
        "costs",
        &format!("rho {} for each execution; {} for all, of the contract's {granted:.9}", up(rho), up(total)),
    );
    let leaves = of.window.leaves().as_millis();
    sheet.fact("result", &format!("leaves at a tick of {} ms, {leaves} ms or more after the start", of.tick_ms));
}

/// A figure of five digits, not below the true one.
pub(crate) fn up(value: f64) -> String {
    if !(value.is_finite() && value > 0.0) {
        return value.to_string();
    }
    let digits = 10_f64.powf(4.0 - value.log10().floor());
    let rounded = (value * digits).ceil() / digits;
    if rounded >= 1e-4 { rounded.to_string() } else { format!("{rounded:e}") }
}

fn fmt(steps: i64, step: f64) -> String {
    format!("{}", steps as f64 * step)
}

/// What matters most once more: a long manifest must not push it off a screen.
fn in_short(sheet: &mut Sheet, of: &PageOf<'_>) {
    let (manifest, output) = (&of.plan.manifest, &of.plan.manifest.output);
    sheet.section(6, "摘要 In short");
    sheet.fact("lines", &format!("the manifest above has {}", of.manifest_text.lines().count()));
    sheet.fact("columns", &manifest.columns.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(", "));
    sheet.fact("releases", &format!("{} keys with {} numbers each", output.keys.len(), of.plan.noise.families().len()));
    let foreign = output.keys.iter().filter(|key| key.chars().any(is_look_alike)).count();
    if foreign > 0 {
        sheet.fact(
            "look-alikes",
            &format!("{foreign} keys have Greek or Cyrillic letters, many of which look like Latin ones"),
        );
    }
    let rho = of.plan.noise.cost().rho.as_f64_up();
    sheet.fact("costs", &format!("rho {} in all", up(rho * f64::from(manifest.executions))));
    sheet.fact("module sha256", &manifest.module.to_string());
}

fn is_look_alike(c: char) -> bool {
    matches!(c, '\u{370}'..='\u{52f}')
}

fn difference(sheet: &mut Sheet, of: &PageOf<'_>) {
    let Some(previous) = &of.previous else {
        sheet.fact("none", "no job of this name was approved before for this firm");
        return;
    };
    sheet.fact("compared with", previous.job);
    let texts = manifest_difference(previous.manifest_text, of.manifest_text);
    match (texts.lines.is_empty(), texts.whole) {
        (true, _) => sheet.fact("manifest", "the same text"),
        (false, false) => sheet.fact("manifest", "lines that went (-) and came (+), with their numbers in the old and the new text"),
        (false, true) => sheet.fact("manifest", &format!(
            "more than {MATCHED} lines from the first that differs to the last: they are not matched with each other; all \
             the old ones (-) stand before all the new ones (+)"
        )),
    }
    texts.lines.iter().for_each(|(sign, number, line)| sheet.marked(&format!("{sign}{number}"), line));
    if previous.module == of.plan.manifest.module {
        sheet.fact("module", "the same bytes");
        return;
    }
    sheet.fact(
        "module",
        "other bytes; nobody has reviewed the machine code that differs. Parts that went (-), came (+) or changed (~):",
    );
    let parts = module_difference(previous.facts, of.plan.module.facts());
    parts.parts.iter().for_each(|(sign, part)| sheet.marked(sign, part));
    if parts.more > 0 {
        sheet.fact("parts", &format!("and {} more that are not shown", parts.more));
    }
}

#[cfg(test)]
#[path = "page_tests.rs"]
mod tests;
