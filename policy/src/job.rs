//! What a job wants to do with a dataset, in TOML, as its author submits it and an officer reads it.
//!
//! A manifest is public to those who review it and holds every number that the release rests on: nothing is taken from
//! the module. Its digest is that of the very text, so that one changed byte is another job.

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::contract::unreadable;
use crate::id::{ColumnName, ContractId, DatasetName, Digest, JobName, Purpose};
use crate::number::NanoEpsilon;
use crate::refusal::{Reason, Refusal};

/// The longest manifest, in bytes.
pub const MANIFEST_MAX_BYTES: usize = 64 * 1024;
/// The most fuel that one unit may burn.
pub const MAX_FUEL: u64 = 1_000_000_000;
/// The most input columns.
pub const MAX_INPUT_COLUMNS: usize = 256;
/// The longest parameter text, in bytes.
pub const MAX_PARAMS_BYTES: usize = 16 * 1024;
/// The most declared keys.
pub const MAX_KEYS: usize = 65_536;
/// The longest label of a key, in bytes.
pub const MAX_LABEL_BYTES: usize = 256;
/// The most values beside a key.
pub const MAX_VALUES: usize = 64;
/// The most rows that one unit may emit.
pub const MAX_ROWS: u32 = 1_024;
/// The most executions that one approval may allow.
pub const MAX_EXECUTIONS: u32 = 1_000;
/// The largest bound of a value, in steps: whole numbers up to here are exact in the guest's floats.
pub const MAX_STEPS: i64 = 1 << 53;

/// What a job is. `map`: every unit's rows in a fresh instance of their own (DESIGN §6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum JobKind {
    /// One unit at a time.
    Map,
}

impl JobKind {
    /// The kind as a manifest spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Map => "map",
        }
    }
}

/// Which noise a job asks for, when it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum JobMechanism {
    /// Discrete Gaussian.
    Gaussian,
    /// Discrete Laplace.
    Laplace,
}

/// One number that a unit contributes beside a key.
#[derive(Debug, Clone, PartialEq)]
pub struct JobValue {
    /// Its name, and the column of the result.
    pub name: ColumnName,
    /// The smallest sum of one unit under one key, in steps.
    pub low: i64,
    /// The largest sum of one unit under one key, in steps.
    pub high: i64,
    /// How large a step is; what the guest says is rounded to it.
    pub step: f64,
}

/// What a unit may emit.
#[derive(Debug, Clone, PartialEq)]
pub struct JobOutput {
    /// The declared keys; the guest names them by position.
    pub keys: Vec<String>,
    /// Where keys and ranges come from. Never the rows.
    pub basis: String,
    /// The most rows that one unit may emit.
    pub max_rows: u32,
    /// The most keys that one unit is counted under.
    pub max_keys: u32,
    /// Whether the number of units under each key is released too.
    pub count_units: bool,
    /// The position of the key of the default row: what a unit contributes whose run went wrong in any way.
    pub default_key: u32,
    /// The values of the default row, in steps.
    pub default_values: Vec<i64>,
    /// The values beside a key.
    pub values: Vec<JobValue>,
}

/// A job, checked for form. Whether it fits a dataset and a contract is for the engine to see.
#[derive(Debug, Clone, PartialEq)]
pub struct JobManifest {
    /// The job's name: versions of one job share it.
    pub name: JobName,
    /// What it is.
    pub kind: JobKind,
    /// Whose rows it reads.
    pub dataset: DatasetName,
    /// The contract that pays.
    pub contract: ContractId,
    /// What for.
    pub purpose: Purpose,
    /// SHA-256 of the module.
    pub module: Digest,
    /// Fuel for one unit; what is left does not matter, what is missing makes the default row.
    pub fuel: u64,
    /// The input columns, in the order in which the guest sees them.
    pub columns: Vec<ColumnName>,
    /// A public text that every call sees.
    pub params: String,
    /// What a unit may emit.
    pub output: JobOutput,
    /// ε of the release.
    pub epsilon: NanoEpsilon,
    /// δ of the release.
    pub delta: f64,
    /// Which noise, when the job says.
    pub mechanism: Option<JobMechanism>,
    /// On how many snapshots it may be run.
    pub executions: u32,
    digest: Digest,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    name: JobName,
    kind: JobKind,
    dataset: DatasetName,
    contract: ContractId,
    purpose: Purpose,
    module: ModuleText,
    input: InputText,
    output: OutputText,
    privacy: PrivacyText,
    #[serde(default)]
    review: ReviewText,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ModuleText {
    sha256: Digest,
    fuel: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct InputText {
    columns: Vec<ColumnName>,
    #[serde(default)]
    params: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OutputText {
    keys: Vec<String>,
    basis: String,
    max_rows: u32,
    max_keys: u32,
    #[serde(default)]
    count_units: bool,
    default: DefaultText,
    #[serde(default)]
    values: Vec<ValueText>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DefaultText {
    key: String,
    #[serde(default)]
    values: Vec<f64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ValueText {
    name: ColumnName,
    low: f64,
    high: f64,
    step: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PrivacyText {
    epsilon: f64,
    delta: f64,
    mechanism: Option<JobMechanism>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReviewText {
    executions: u32,
}

impl Default for ReviewText {
    fn default() -> Self {
        Self { executions: 1 }
    }
}

/// A refusal that quotes the key that is wrong.
fn bad(what: &str) -> Refusal {
    Refusal::about(Reason::JobManifestInvalid, what)
}

impl JobManifest {
    /// Reads a manifest.
    ///
    /// # Errors
    /// [`Reason::JobManifestInvalid`], quoting the key.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        if text.len() > MANIFEST_MAX_BYTES {
            return Err(bad("the manifest is longer than 64 KiB"));
        }
        let digest = Digest::of(text.as_bytes());
        let text: Text = toml::from_str(text).map_err(|error| bad(&unreadable(text, &error)))?;
        let manifest = Self {
            output: output(text.output)?,
            name: text.name,
            kind: text.kind,
            dataset: text.dataset,
            contract: text.contract,
            purpose: text.purpose,
            module: text.module.sha256,
            fuel: text.module.fuel,
            columns: text.input.columns,
            params: text.input.params,
            epsilon: NanoEpsilon::from_epsilon(text.privacy.epsilon).ok_or_else(|| bad("privacy.epsilon"))?,
            delta: text.privacy.delta,
            mechanism: text.privacy.mechanism,
            executions: text.review.executions,
            digest,
        };
        let columns: BTreeSet<_> = manifest.columns.iter().collect();
        let checks = [
            ((1..=MAX_FUEL).contains(&manifest.fuel), "module.fuel: 1 to 1000000000"),
            ((1..=MAX_INPUT_COLUMNS).contains(&manifest.columns.len()), "input.columns: 1 to 256 columns"),
            (columns.len() == manifest.columns.len(), "input.columns: a column comes twice"),
            (manifest.params.len() <= MAX_PARAMS_BYTES, "input.params: at most 16 KiB"),
            ((0.0..=crate::contract::MAX_DELTA).contains(&manifest.delta), "privacy.delta: 0 to 0.001"),
            ((1..=MAX_EXECUTIONS).contains(&manifest.executions), "review.executions: 1 to 1000"),
        ];
        match checks.into_iter().find(|(holds, _)| !holds) {
            Some((_, what)) => Err(bad(what)),
            None => Ok(manifest),
        }
    }

    /// SHA-256 of the text.
    pub const fn digest(&self) -> Digest {
        self.digest
    }

    /// How many cells the release has: for each key one for each value, and one for the units when they are counted.
    pub fn families(&self) -> usize {
        self.output.values.len() + usize::from(self.output.count_units)
    }
}

fn output(text: OutputText) -> Result<JobOutput, Refusal> {
    let labels: BTreeSet<_> = text.keys.iter().collect();
    let label = |key: &String| (1..=MAX_LABEL_BYTES).contains(&key.len()) && !key.chars().any(char::is_control);
    let names: BTreeSet<_> = text.values.iter().map(|value| value.name.as_str()).collect();
    let reserved = |name: &str| name == "key" || name == "units" || name.ends_with("_low") || name.ends_with("_high");
    let checks = [
        ((1..=MAX_KEYS).contains(&text.keys.len()), "output.keys: 1 to 65536 keys"),
        (labels.len() == text.keys.len(), "output.keys: a key comes twice"),
        (text.keys.iter().all(label), "output.keys: a key has 1 to 256 bytes and no control characters"),
        (!text.basis.trim().is_empty(), "output.basis: say where keys and ranges come from"),
        (text.values.len() <= MAX_VALUES, "output.values: at most 64"),
        (names.len() == text.values.len(), "output.values: a name comes twice"),
        (!names.iter().any(|name| reserved(name)), "output.values: `key`, `units`, `…_low` and `…_high` are taken"),
        (text.count_units || !text.values.is_empty(), "output: nothing is released; add values or count_units = true"),
        ((1..=MAX_ROWS).contains(&text.max_rows), "output.max_rows: 1 to 1024"),
        (
            (1..=text.max_rows).contains(&text.max_keys) && text.max_keys as usize <= text.keys.len(),
            "output.max_keys: at least 1, at most max_rows and the number of keys",
        ),
        (text.default.values.len() == text.values.len(), "output.default.values: one for each of output.values"),
    ];
    if let Some((_, what)) = checks.into_iter().find(|(holds, _)| !holds) {
        return Err(bad(what));
    }
    if let Some(position) = text.keys.iter().position(|key| has_stray_blank(key)) {
        return Err(bad(&format!("output.keys[{position}]: no blank at an end, no two in a row, and none but U+0020")));
    }
    let default_key = text.keys.iter().position(|key| *key == text.default.key);
    let default_key = default_key.ok_or_else(|| bad("output.default.key: not one of output.keys"))?;
    let values = text.values.into_iter().map(value).collect::<Result<Vec<_>, _>>()?;
    let default_values = values.iter().zip(&text.default.values).map(|(value, number)| {
        let steps = steps(*number, value.step).filter(|steps| (value.low..=value.high).contains(steps));
        steps.ok_or_else(|| bad("output.default.values: not a whole number of steps within low and high"))
    });
    Ok(JobOutput {
        default_values: default_values.collect::<Result<_, _>>()?,
        keys: text.keys,
        basis: text.basis,
        max_rows: text.max_rows,
        max_keys: text.max_keys,
        count_units: text.count_units,
        default_key: u32::try_from(default_key).map_err(|_| bad("output.keys"))?,
        values,
    })
}

/// Whether a label's blanks could not be told from others by eye: at an end, two in a row, or of an uncommon kind.
fn has_stray_blank(label: &str) -> bool {
    let uncommon = |c: char| c.is_whitespace() && c != ' ';
    label.trim() != label || label.contains("  ") || label.contains(uncommon)
}

fn value(text: ValueText) -> Result<JobValue, Refusal> {
    let bad = |what: &str| bad(&format!("output.values.{}: {what}", text.name));
    if !(text.step.is_finite() && text.step > 0.0) {
        return Err(bad("step: a number above 0"));
    }
    let whole = "low and high: whole numbers of steps, at most 2^53 of them";
    let low = steps(text.low, text.step).ok_or_else(|| bad(whole))?;
    let high = steps(text.high, text.step).ok_or_else(|| bad(whole))?;
    if low > high || (low == 0 && high == 0) {
        return Err(bad("low is at most high, and one of them is not 0"));
    }
    Ok(JobValue { name: text.name, low, high, step: text.step })
}

/// How many steps a number is; `None` when it is not a whole number of them, or too large.
fn steps(number: f64, step: f64) -> Option<i64> {
    let steps = number / step;
    let whole = steps.round();
    let near = (steps - whole).abs() <= 1e-6 * whole.abs().max(1.0);
    (near && whole.abs() <= MAX_STEPS as f64).then_some(whole as i64)
}

#[cfg(test)]
#[path = "job_tests.rs"]
mod tests;
