//! A job fitted to a dataset: bounds, noise, price and time, from public texts alone.

use std::collections::BTreeSet;
use std::sync::Arc;

use glovebox_catalog::{ColumnKind, Dataset, Manifest};
use glovebox_policy::job::{JobMechanism, JobValue};
use glovebox_policy::{ColumnUse, Digest, JobManifest, Public, Reason, Refusal, RoleOfUse, SnapshotId};
use glovebox_privacy::appearance::span;
use glovebox_privacy::{Ask, Family, Geometry, MechanismKind, NoisePlan, plan_noise};
use glovebox_sandbox::{ColumnType, DefaultRow, MapSpec, Module, ValueSpec};

use crate::config::{Config, Window};
use crate::job::footage::{bounding_of, geometry_of, more_cells, unit_size};

/// Everything that is known of a job without touching a row and without running its code.
#[derive(Debug)]
pub(crate) struct JobPlan {
    pub(crate) manifest: JobManifest,
    pub(crate) module: Module,
    pub(crate) spec: MapSpec,
    pub(crate) noise: NoisePlan,
    pub(crate) uses: BTreeSet<ColumnUse>,
    pub(crate) ask: Ask,
}

impl JobPlan {
    /// Reads manifest and module and fits them to what the dataset declares.
    ///
    /// # Errors
    /// Why they do not fit.
    ///
    /// # Privacy obligation
    /// Neighbouring relation: one unit added or removed. A unit contributes to at most `max_keys` keys, to each at most the
    /// larger of |low| and |high| steps of a value and one to the count of units; the sandbox enforces that
    /// (`glovebox_sandbox`), and the families here state it, so Δ₁ and Δ₂ are those of
    /// [`glovebox_privacy::sensitivity`] for this geometry. Every number comes from the job manifest. Of footage, `geometry_of`
    /// says what is otherwise: rows are replaced, each by at most the span of its range ([`span`]).
    pub(crate) fn new(manifest_text: &str, module: &[u8], dataset: &Manifest) -> Result<Self, Refusal> {
        let manifest = JobManifest::parse(manifest_text)?;
        if manifest.dataset != *dataset.name() {
            return Err(Refusal::about(Reason::TableUnknown, &manifest.dataset.to_string()));
        }
        if Digest::of(module) != manifest.module {
            return Err(Refusal::about(Reason::ModuleInvalid, "its SHA-256 is not module.sha256 of the manifest"));
        }
        let module = Module::check(module).map_err(|f| Refusal::about(Reason::ModuleInvalid, &f.to_string()))?;
        let (uses, columns) = columns_of(&manifest, dataset)?;
        let spec = spec_of(&manifest, dataset);
        let (noise, ask) = noise_of(&manifest, dataset)?;
        spec.check(module.facts(), &columns, unit_size(dataset))
            .map_err(|fault| Refusal::about(Reason::JobManifestInvalid, &fault.to_string()))?;
        schema_fits(&module, &manifest, &columns)?;
        Ok(Self { manifest, module, spec, noise, uses, ask })
    }

    /// Digest of the canonical request on a snapshot: equal only for the very same job on the very same rows.
    pub(crate) fn request(&self, dataset_manifest: Digest, snapshot: &SnapshotId) -> Digest {
        let canonical = serde_json::json!({
            "kind": "job-map/1",
            "job": self.manifest.digest(),
            "module": self.manifest.module,
            "dataset": self.manifest.dataset,
            "manifest": dataset_manifest,
            "snapshot": snapshot,
            "noise": self.noise,
        });
        Digest::of(canonical.to_string().as_bytes())
    }

    /// How long a run is given.
    ///
    /// # Errors
    /// [`Reason::JobTooExpensive`].
    pub(crate) fn window(&self, config: &Config, dataset: &Manifest) -> Result<Window, Refusal> {
        window_of(&self.manifest, &self.noise, config, dataset)
    }
}

/// The noise of a job, and the privacy that it asks for: functions of its manifest and the dataset's alone.
///
/// # Errors
/// As [`plan_noise`], or when the output is not one for footage.
pub(crate) fn noise_of(manifest: &JobManifest, dataset: &Manifest) -> Result<(NoisePlan, Ask), Refusal> {
    let ask = Ask {
        epsilon: manifest.epsilon,
        delta: manifest.delta,
        mechanism: manifest.mechanism.map(|mechanism| match mechanism {
            JobMechanism::Gaussian => MechanismKind::Gaussian,
            JobMechanism::Laplace => MechanismKind::Laplace,
        }),
    };
    let keys = u32::try_from(manifest.output.keys.len()).map_err(|_| Reason::TooManyGroups)?;
    let geometry = geometry_of(&manifest.output, dataset)?;
    Ok((plan_noise(families_of(manifest, geometry), keys, geometry, ask)?, ask))
}

/// How long a run is given, from declared sizes and declared fuel.
///
/// # Errors
/// [`Reason::JobTooExpensive`].
pub(crate) fn window_of(
    manifest: &JobManifest,
    noise: &NoisePlan,
    config: &Config,
    dataset: &Manifest,
) -> Result<Window, Refusal> {
    let cells = u64::from(noise.groups()) * noise.families().len() as u64;
    let rows = u128::from(dataset.max_units()) * u128::from(dataset.max_rows_per_unit());
    let columns = manifest.columns.len() as u64 + more_cells(dataset);
    let need = config.job_ms(dataset.max_units(), manifest.fuel, rows, columns);
    config.release.window_for(need, cells, config.sandbox.longest_ms).ok_or_else(|| Reason::JobTooExpensive.into())
}

/// A plan with the state of the dataset that it will read.
#[derive(Debug)]
pub(crate) struct BoundJob {
    pub(crate) plan: JobPlan,
    pub(crate) dataset: Arc<Dataset>,
}

impl BoundJob {
    pub(crate) fn request(&self) -> Digest {
        self.plan.request(self.dataset.manifest_digest(), self.dataset.snapshot())
    }
}

fn columns_of(manifest: &JobManifest, dataset: &Manifest) -> Result<(BTreeSet<ColumnUse>, Vec<ColumnType>), Refusal> {
    let mut uses = BTreeSet::new();
    let mut types = Vec::new();
    for name in &manifest.columns {
        let column = dataset.column(name.as_str());
        let column = column.ok_or_else(|| Refusal::about(Reason::ColumnUnknown, name.as_str()))?;
        if column.identifier {
            return Err(Refusal::about(Reason::ColumnIsIdentifier, name.as_str()));
        }
        uses.insert(ColumnUse { dataset: None, column: name.clone(), role: RoleOfUse::WasmInput, identifier: false });
        types.push(type_of(column.kind));
    }
    Ok((uses, types))
}

/// How the guest sees a column: days and microseconds since 1970 are whole numbers.
pub(crate) fn type_of(kind: ColumnKind) -> ColumnType {
    match kind {
        ColumnKind::Int | ColumnKind::Date | ColumnKind::Timestamp => ColumnType::I64,
        ColumnKind::Float => ColumnType::F64,
        ColumnKind::Bool => ColumnType::Bool,
        ColumnKind::Text => ColumnType::Text,
        ColumnKind::Bytes => ColumnType::Bytes,
    }
}

/// A module that says which columns it was written for must be given these.
fn schema_fits(module: &Module, manifest: &JobManifest, columns: &[ColumnType]) -> Result<(), Refusal> {
    let Some(schema) = &module.facts().schema else { return Ok(()) };
    let names = manifest.columns.iter().map(|name| name.as_str());
    let same = schema.len() == columns.len()
        && schema.iter().zip(names.zip(columns)).all(|((name, kind), given)| (name.as_str(), kind) == given);
    if same {
        return Ok(());
    }
    let wanted: Vec<_> = schema.iter().map(|(name, kind)| format!("{name}:{}", kind.name())).collect();
    let words = format!("input.columns: the module was written for {}", wanted.join(", "));
    Err(Refusal::about(Reason::JobManifestInvalid, &words))
}

fn spec_of(manifest: &JobManifest, dataset: &Manifest) -> MapSpec {
    let output = &manifest.output;
    let value = |value: &JobValue| ValueSpec { low: value.low, high: value.high, step: value.step };
    MapSpec {
        max_rows: output.max_rows,
        keys: output.keys.len() as u32,
        max_keys: output.max_keys,
        bounding: bounding_of(dataset),
        values: output.values.iter().map(value).collect(),
        count_units: output.count_units,
        default: DefaultRow { key: output.default_key, values: output.default_values.clone() },
        fuel: manifest.fuel,
        params: manifest.params.clone().into_bytes(),
    }
}

/// One family for each value, then that of the units, in the order of the sandbox's cells.
fn families_of(manifest: &JobManifest, geometry: Geometry) -> Vec<Family> {
    let output = &manifest.output;
    let label = |name: &str| Public::from_request(name.to_owned());
    let value = |value: &JobValue| Family {
        label: label(value.name.as_str()),
        linf: match geometry {
            Geometry::GroupSelection { .. } => value.low.unsigned_abs().max(value.high.unsigned_abs()),
            Geometry::Replacement { .. } => span(value.low, value.high),
        },
    };
    let units = output.count_units.then(|| Family { label: label("units"), linf: 1 });
    output.values.iter().map(value).chain(units).collect()
}
