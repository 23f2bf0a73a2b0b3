//! `job check` and `job run-local`: what an officer would see, and what the code does with synthetic rows.

use std::future::Future;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use glovebox_engine::job::{JobReport, LocalRun, UnitLog, local};
use glovebox_engine::{Scalar, Table};
use glovebox_policy::Refusal;
use serde_json::{Value, json};

use crate::args::Offline;
use crate::failure::Failure;
use crate::grid::{Cell, Grid, plain};
use crate::output::{Lang, Page, View};
use crate::runtime;

/// Units that counted as the default row, listed for a reader; JSON has all.
const DEFAULTS_SHOWN: usize = 20;

/// The worker's executable, beside this one.
const WORKER: &str = "glovebox-worker";

/// Longest module that is read: one byte more than the sandbox takes, so that it says so itself.
const MODULE_BYTES: u64 = (1 << 20) + 1;

/// The files of a job.
struct Files {
    job: String,
    module: Vec<u8>,
    dataset: String,
    worker: PathBuf,
}

/// `job check`.
///
/// # Errors
/// What would be refused, or if a file cannot be read.
pub(super) fn check(of: &Offline, view: &View) -> Result<(), Failure> {
    let files = read(of)?;
    let report = wait(local::check(&files.job, &files.module, &files.dataset, Some(files.worker.clone())))?;
    let JobReport { items } = &report;
    let page = items.iter().fold(Page::default(), |page, (item, value)| page.fact(item, value));
    let page = page.remark(view.words(
        "It fits its dataset. What its contract grants is checked when it is submitted.",
        "作业与数据集相符；合同授权在提交时核对。",
    ));
    let items: Vec<Value> = items.iter().map(|(item, value)| json!({ "item": item, "value": value })).collect();
    Ok(view.show(&page, &json!({ "fits": true, "items": items }).to_string())?)
}

/// `job run-local`.
///
/// # Errors
/// What would be refused, or if a file cannot be read.
pub(super) fn run_local(of: &Offline, rows: u32, seed: u64, log: bool, view: &View) -> Result<(), Failure> {
    let files = read(of)?;
    let count = usize::try_from(rows).map_err(anyhow::Error::from)?;
    let worker = Some(files.worker.clone());
    let ran = wait(local::run_local(&files.job, &files.module, &files.dataset, count, seed, worker))?;
    let (rows_made, units, fuel) = match ran.of_footage {
        true => (("synthetic frames", "合成帧数"), ("chunks", "片段数"), ("most fuel of a chunk", "片段最多燃料")),
        false => (("synthetic rows", "合成行数"), ("units", "单位数"), ("most fuel of a unit", "单位最多燃料")),
    };
    let words = |(english, chinese): (&'static str, &'static str)| view.words(english, chinese);
    let mut page = Page::of(grid(&ran.table))
        .fact(words(rows_made), ran.rows)
        .fact(words(units), ran.units.len())
        .fact(view.words("counted as the default row", "按缺省行计"), ran.defaults)
        .fact(words(fuel), ran.most_fuel);
    let shown: Vec<&UnitLog> = ran.units.iter().filter(|unit| log || unit.rows.is_none()).collect();
    let limit = if log { usize::MAX } else { DEFAULTS_SHOWN };
    for unit in shown.iter().take(limit) {
        page = page.remark(told(unit, ran.of_footage, view));
        if log {
            page = unit.log.lines().fold(page, |page, line| page.remark(format!("    | {}", plain(line))));
        }
    }
    if shown.len() > limit {
        let more = shown.len() - limit;
        page = page.remark(match view.lang {
            Lang::En => format!("… and {more} more; --log or --format json lists them"),
            Lang::Zh => format!("……另有 {more} 个；--log 或 --format json 可全部列出"),
        });
    }
    let page = page.remark(view.words(
        "Exact sums over rows that were made up from the manifest: nothing of any person.",
        "以上为按清单生成的合成数据的精确合计，与任何个人无关。",
    ));
    Ok(view.show(&page, &json(&ran, log).to_string())?)
}

fn told(unit: &UnitLog, of_footage: bool, view: &View) -> String {
    let (number, fuel) = (unit.unit, unit.fuel);
    let what = if of_footage { view.words("chunk", "片段") } else { view.words("unit", "单位") };
    match (view.lang, unit.rows) {
        (Lang::En, Some(rows)) => format!("{what} {number}: {rows} rows, fuel {fuel}"),
        (Lang::En, None) => format!("{what} {number}: default row, fuel {fuel}: {}", plain(&unit.failure)),
        (Lang::Zh, Some(rows)) => format!("{what} {number}：{rows} 行，燃料 {fuel}"),
        (Lang::Zh, None) => format!("{what} {number}：缺省行，燃料 {fuel}：{}", plain(&unit.failure)),
    }
}

/// Everything; each unit only when logs were asked for.
fn json(ran: &LocalRun, log: bool) -> Value {
    let columns: Vec<Value> = ran.table.columns.iter().map(|column| json!({ "name": column.name })).collect();
    let rows: Vec<Vec<Value>> = ran.table.rows.iter().map(|row| row.iter().map(value).collect()).collect();
    let units: Vec<&UnitLog> = ran.units.iter().filter(|unit| log || unit.rows.is_none()).collect();
    json!({
        "columns": columns,
        "rows": rows,
        "synthetic_rows": ran.rows,
        "units": ran.units.len(),
        "defaults": ran.defaults,
        "most_fuel": ran.most_fuel,
        "listed_units": units,
    })
}

fn grid(table: &Table) -> Grid {
    let head = table.columns.iter().map(|column| column.name.as_str());
    Grid::new(head).rows(table.rows.iter().map(|row| row.iter().map(|cell| Cell::from(&value(cell))).collect()))
}

/// Whole numbers are written as such: sums of many steps are far from where floats grow coarse.
fn value(scalar: &Scalar) -> Value {
    match scalar {
        Scalar::Null => Value::Null,
        Scalar::Bool(value) => json!(value),
        Scalar::Int(value) => json!(value),
        Scalar::Float(value) if value.fract() == 0.0 && value.abs() < 9e15 => json!(*value as i64),
        Scalar::Float(value) => json!(value),
        Scalar::Text(value) => json!(value),
    }
}

fn read(of: &Offline) -> Result<Files, Failure> {
    let text =
        |path: &Path| std::fs::read_to_string(path).with_context(|| format!("`{}` cannot be read", path.display()));
    let worker = match &of.worker {
        // The worker is started in another folder.
        Some(path) => std::path::absolute(path).with_context(|| format!("`{}`", path.display()))?,
        None => std::env::current_exe().context("this program cannot find itself")?.with_file_name(WORKER),
    };
    let files = Files { job: text(&of.job)?, module: module(&of.module)?, dataset: text(&of.dataset)?, worker };
    if !files.worker.is_file() {
        return Err(
            anyhow!("`{}`, which runs modules, is not there; name it with --worker", files.worker.display()).into()
        );
    }
    Ok(files)
}

/// Reads a module, and no more of it than shows that it is too large.
fn module(path: &Path) -> anyhow::Result<Vec<u8>> {
    use std::io::Read as _;
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).with_context(|| format!("`{}` cannot be read", path.display()))?;
    let read = file.take(MODULE_BYTES).read_to_end(&mut bytes);
    read.with_context(|| format!("`{}` cannot be read", path.display()))?;
    Ok(bytes)
}

fn wait<T>(work: impl Future<Output = Result<T, Refusal>>) -> Result<T, Failure> {
    Ok(runtime()?.block_on(work)?)
}
