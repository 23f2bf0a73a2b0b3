//! Offline, for authors: what an officer would see of a job, and what its code does with synthetic rows.
//!
//! INVARIANT (twins only): the rows come from [`twin`](glovebox_catalog::twin()), which draws them from a manifest and a seed. So
//! everything may be told of them: exact cells, fuel, logs, traps.

use std::path::PathBuf;

use glovebox_catalog::{Manifest, UNIT_COLUMN, twin};
use glovebox_policy::text::spelled_out;
use glovebox_policy::{Reason, Refusal};
use glovebox_privacy::table::ColumnKind;
use glovebox_privacy::{Column, Scalar, Table};
use glovebox_sandbox::{ModuleFault, WorkerConfig, Workers, trace_units, try_compile};
use serde::Serialize;

use crate::config::{COMPILE_TIME, SandboxConfig};
use crate::job::footage::about_unit;
use crate::job::page::up;
use crate::job::plan::JobPlan;

/// A job that fits its dataset, as `job check` shows it.
#[derive(Debug, Clone, Serialize)]
pub struct JobReport {
    /// What is said of it, item by item.
    pub items: Vec<(String, String)>,
}

/// What one unit of synthetic rows came to.
#[derive(Debug, Clone, Serialize)]
pub struct UnitLog {
    /// Its number, from 0.
    pub unit: usize,
    /// Rows that the guest emitted; `None` when the unit counts as the default row.
    pub rows: Option<usize>,
    /// Why it counts as the default row.
    pub failure: String,
    /// Fuel burnt.
    pub fuel: u64,
    /// What the guest logged, line by line.
    pub log: String,
}

/// A local run.
#[derive(Debug)]
pub struct LocalRun {
    /// Exact sums over synthetic rows, for each key.
    pub table: Table,
    /// How many rows were made up: fewer than were asked for where the manifest leaves no room, whole chunks of footage.
    pub rows: usize,
    /// Whether the rows are frames and the units chunks of footage.
    pub of_footage: bool,
    /// The units, in order.
    pub units: Vec<UnitLog>,
    /// How many units counted as the default row.
    pub defaults: usize,
    /// The most fuel that a unit burnt.
    pub most_fuel: u64,
}

fn manifest_of(dataset: &str) -> Result<Manifest, Refusal> {
    Manifest::parse(dataset).map_err(|report| Refusal::about(Reason::ManifestInvalid, &report.to_string()))
}

/// Whether a job fits its dataset's manifest, whether its module compiles, and what an officer would see.
///
/// # Errors
/// What would be refused.
pub async fn check(job: &str, module: &[u8], dataset: &str, worker: Option<PathBuf>) -> Result<JobReport, Refusal> {
    let dataset = manifest_of(dataset)?;
    let plan = JobPlan::new(job, module, &dataset)?;
    try_compile(&plan.module, &workers(worker), COMPILE_TIME).await.map_err(|fault| match fault {
        ModuleFault::Worker => Refusal::from(Reason::Internal),
        fault => Refusal::about(Reason::ModuleInvalid, &fault.to_string()),
    })?;
    Ok(JobReport { items: report(&plan, &dataset) })
}

/// What the officer's page will say of the job, without what depends on the contract.
fn report(plan: &JobPlan, dataset: &Manifest) -> Vec<(String, String)> {
    let (facts, manifest, output) = (plan.module.facts(), &plan.manifest, &plan.manifest.output);
    let mut items = Vec::new();
    let mut say = |item: &str, value: String| items.push((item.to_owned(), spelled_out(&value)));
    say("job", format!("{} ({}) on {}", manifest.name, manifest.kind.as_str(), manifest.dataset));
    say("manifest sha256", manifest.digest().to_string());
    say("module sha256", manifest.module.to_string());
    say(
        "module",
        format!("{} bytes, {} functions, {} bytes of memory", facts.bytes, facts.functions, facts.memory_bytes),
    );
    say("imports", "none".to_owned());
    say("exports", facts.exports.join(", "));
    for name in &manifest.columns {
        if let Some(column) = dataset.column(name.as_str()) {
            say("column (wasmInput)", format!("{name}: {}, {}", column.kind, column.meaning_en));
        }
    }
    say("fuel for a unit", manifest.fuel.to_string());
    say("keys", output.keys.iter().map(|key| format!("{key:?}")).collect::<Vec<_>>().join(", "));
    say("basis", output.basis.clone());
    match dataset.footage() {
        Some(footage) => {
            about_unit(footage, output, plan.noise.kind()).into_iter().for_each(|(what, text)| say(what, text))
        }
        None => {
            say("a unit", format!("at most {} rows, counted under at most {} keys", output.max_rows, output.max_keys))
        }
    }
    let default_key = output.keys.get(output.default_key as usize).map_or("", String::as_str);
    say("default row", format!("key {default_key:?}"));
    for (family, index) in plan.noise.families().iter().zip(0..) {
        let label = family.label.get();
        let step = output.values.get(index).map_or(1.0, |value| value.step);
        if let Some(value) = output.values.get(index) {
            let default = output.default_values.get(index).copied().unwrap_or_default();
            let [low, high, default] = [value.low, value.high, default].map(|steps| steps as f64 * step);
            say(
                &format!("range of {label}"),
                format!("{low} … {high} in steps of {step}; {default} in the default row"),
            );
        }
        say(&format!("noise on {label}"), format!("±{} in 95 of 100 draws", up(family.half_width_95 as f64 * step)));
    }
    let cost = plan.noise.cost().rho.as_f64_up();
    say("cost", format!("rho {cost:.9} (epsilon {} at delta {:e})", manifest.epsilon.to_display(), manifest.delta));
    say("executions", format!("at most {}, each at this cost", manifest.executions));
    items
}

/// Runs a job over synthetic rows of its dataset, with everything that production hides.
///
/// # Errors
/// What would be refused, or [`Reason::Internal`] when no worker can be started.
pub async fn run_local(
    job: &str,
    module: &[u8],
    dataset: &str,
    rows: usize,
    seed: u64,
    worker: Option<PathBuf>,
) -> Result<LocalRun, Refusal> {
    let dataset = manifest_of(dataset)?;
    let plan = JobPlan::new(job, module, &dataset)?;
    let synthetic =
        twin(&dataset, rows, seed).map_err(|error| Refusal::about(Reason::BadRequest, &error.to_string()))?;
    let batch = synthetic.into_inner();
    let schema = batch.schema();
    let names = plan.manifest.columns.iter().map(|name| name.as_str()).chain([UNIT_COLUMN]);
    let wanted: Vec<usize> = names.filter_map(|name| schema.index_of(name).ok()).collect();
    let batch = batch.project(&wanted).map_err(|_| Reason::Internal)?;
    let mut units = Vec::new();
    let mut on = |trace: glovebox_sandbox::UnitTrace| {
        units.push(UnitLog {
            unit: units.len(),
            rows: trace.emitted.as_ref().map(|rows| rows.keys.len()),
            failure: spelled_out(&trace.failure),
            fuel: trace.fuel_used,
            log: shown_log(&trace.log),
        });
    };
    let cells = trace_units(&batch, &plan.module, &plan.spec, &workers(worker), &mut on).await;
    let cells = cells.map_err(|fault| Refusal::about(Reason::ModuleInvalid, &fault.to_string()))?;
    Ok(LocalRun {
        table: exact_table(&plan, &cells),
        rows: batch.num_rows(),
        of_footage: dataset.footage().is_some(),
        defaults: units.iter().filter(|unit| unit.rows.is_none()).count(),
        most_fuel: units.iter().map(|unit| unit.fuel).max().unwrap_or(0),
        units,
    })
}

/// A log, line by line; tabs are wide, and all else is what a terminal shows.
fn shown_log(log: &[u8]) -> String {
    let log = String::from_utf8_lossy(log).replace('\t', "    ");
    log.lines().map(spelled_out).collect::<Vec<_>>().join("\n")
}

fn workers(executable: Option<PathBuf>) -> Workers {
    let sandbox = SandboxConfig { worker: executable, ..SandboxConfig::default() };
    let executable = sandbox.executable();
    Workers::new(WorkerConfig {
        executable,
        workers: 1,
        batch_units: 1,
        unit_time: sandbox.unit_time(glovebox_policy::job::MAX_FUEL),
    })
}

/// The exact sums of the synthetic rows.
fn exact_table(plan: &JobPlan, cells: &[Vec<i128>]) -> Table {
    let output = &plan.manifest.output;
    let names = output.values.iter().map(|value| value.name.to_string());
    let units = output.count_units.then(|| "units".to_owned());
    let key = Column { name: "key".to_owned(), kind: ColumnKind::Text };
    let columns = names.chain(units).map(|name| Column { name, kind: ColumnKind::Float });
    let row = |(key, label): (usize, &String)| {
        let numbers = cells.iter().enumerate().map(|(family, sums)| {
            let steps = sums.get(key).copied().unwrap_or_default();
            Scalar::Float(steps as f64 * output.values.get(family).map_or(1.0, |value| value.step))
        });
        [Scalar::Text(label.clone())].into_iter().chain(numbers).collect()
    };
    Table {
        columns: [key].into_iter().chain(columns).collect(),
        rows: output.keys.iter().enumerate().map(row).collect(),
    }
}
