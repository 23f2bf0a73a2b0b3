//! A question, analysed: everything that can be known of it without touching a row.

use std::collections::BTreeSet;
use std::sync::Arc;

use glovebox_catalog::{Catalog, Dataset, PublicTable};
use glovebox_policy::{ColumnUse, Contract, Digest, JoinedTable, NanoEpsilon, Public, Reason, Refusal};
use glovebox_privacy::{Ask, Column, Exact, Geometry, MechanismKind, NoisePlan, NoisyCells, Released, Scalar, Table};
use glovebox_privacy::{FoundKeys, Key, plan_keys, plan_noise, table};
use glovebox_vault::Protected;

use crate::choice::SelectionKey;
use crate::fold::{Parallelism, Totals, fold};
use crate::inner::{Inner, analyse};
use crate::lift::{Options, lift};
use crate::outer::{Outer, find_aggregate};
use crate::rows::InnerFault;
use crate::work::{Work, work};
use crate::{canonical, guard, parse, plain, plan, tables};

/// What is understood when the query does not say: the contract's defaults and caps.
#[derive(Debug, Clone, Copy)]
pub struct Defaults {
    /// ε of a query that names none.
    pub epsilon: NanoEpsilon,
    /// δ of a query that names none.
    pub delta: f64,
    /// Most groups of a unit, when the query does not say.
    pub max_groups_contributed: u32,
}

impl From<&Contract> for Defaults {
    fn from(contract: &Contract) -> Self {
        Self {
            epsilon: contract.default_epsilon,
            delta: contract.default_delta,
            max_groups_contributed: contract.max_groups_contributed,
        }
    }
}

/// A parsed and planned query that still lacks the defaults of a contract.
#[derive(Debug, Clone)]
pub struct Draft {
    outer: Outer,
    options: Options,
    preview: bool,
}

/// A question with its price and its noise, ready to be decided on and to be run.
#[derive(Debug, Clone)]
pub struct Analysis {
    outer: Outer,
    ask: Ask,
    geometry: Geometry,
    noise: NoisePlan,
    preview: bool,
    request: Digest,
    columns: Vec<Column>,
    uses: BTreeSet<ColumnUse>,
}

impl Draft {
    /// Reads a statement: caps, syntax, plan, allow-lists. Touches no data.
    ///
    /// # Errors
    /// Why it is not accepted.
    pub fn read(catalog: &Catalog, sql: &str, parameters: &[Scalar]) -> Result<Self, Refusal> {
        let lifted = lift(guard::tokens(sql)?, parameters)?;
        plan::on_planning_stack(|| {
            let (plan, scanned) = plan::plan(parse::parse(lifted.tokens)?, catalog)?;
            let analysed = analyse(find_aggregate(&plan)?, &scanned, &lifted.bounds)?;
            Ok(Self { outer: Outer::new(plan, analysed)?, options: lifted.options, preview: lifted.preview })
        })
    }

    /// The dataset that is asked about.
    pub fn dataset(&self) -> &Arc<Dataset> {
        &self.outer.inner().dataset
    }

    /// The dataset that is joined to it.
    pub fn partner(&self) -> Option<&Arc<Dataset>> {
        self.outer.inner().partner.as_ref().map(|partner| &partner.dataset)
    }

    /// Completes the question with defaults, chooses the noise, and names the price.
    ///
    /// `overrides` stand in for options that the statement does not name.
    ///
    /// # Errors
    /// As [`plan_noise`] refuses.
    pub fn complete(self, defaults: Defaults, overrides: Options) -> Result<Analysis, Refusal> {
        let options = self.options;
        let inner = self.outer.inner();
        let groups = if inner.has_found_keys() { u32::MAX } else { inner.groups() };
        let rows = inner.scope.rows;
        // Nobody can be in more groups than there are, or than a unit has rows.
        let most = options.max_groups_contributed.or(overrides.max_groups_contributed);
        let max_groups = most.unwrap_or(defaults.max_groups_contributed).min(groups).min(rows).max(1);
        let ask = Ask {
            epsilon: options.epsilon.or(overrides.epsilon).unwrap_or(defaults.epsilon),
            delta: options.delta.or(overrides.delta).unwrap_or(defaults.delta),
            mechanism: options.mechanism.or(overrides.mechanism),
        };
        let geometry = Geometry::GroupSelection { max_groups };
        let families = inner.measures.iter().map(|measure| measure.family(rows)).collect();
        let noise = match found_keys(inner, max_groups)? {
            None => plan_noise(families, groups, geometry, ask)?,
            Some(keys) => plan_keys(families, keys, max_groups, ask)?,
        };
        let columns = tables::columns_of(self.outer.schema())?;
        let uses = inner.uses.clone();
        let request = digest(&self.outer, &ask, &noise);
        Ok(Analysis { outer: self.outer, ask, geometry, noise, preview: self.preview, request, columns, uses })
    }
}

/// The keys of a question that are found in rows. Each unit is kept in `max_groups` of them, so there are no more than that for each
/// declared unit.
fn found_keys(inner: &Inner, max_groups: u32) -> Result<Option<FoundKeys>, Refusal> {
    if !inner.has_found_keys() {
        return Ok(None);
    }
    let most = inner.dataset.manifest().max_units().saturating_mul(u64::from(max_groups));
    let most = u32::try_from(most).map_err(|_| Reason::TooManyKeys)?;
    Ok(Some(FoundKeys { family: inner.units().ok_or(Reason::Internal)?, most, columns: inner.keys.len() as u32 }))
}

/// The canonical request: equal for questions whose release is the same, whatever is made of it afterwards.
fn digest(outer: &Outer, ask: &Ask, noise: &NoisePlan) -> Digest {
    let inner = outer.inner();
    let mut joins: Vec<_> = inner
        .lookups
        .iter()
        .map(|lookup| (&lookup.label, lookup.table.manifest_digest(), lookup.table.snapshot()))
        .collect();
    joins.sort_by_key(|(label, ..)| *label);
    let partner = inner.partner.as_ref().map(|partner| {
        let (dataset, kept) = (&partner.dataset, partner.keeps);
        (dataset.manifest().name(), dataset.manifest_digest(), dataset.snapshot(), kept)
    });
    let mut canonical = serde_json::json!({
        "kind": "dp-sql/1",
        "joins": joins,
        "dataset": inner.dataset.manifest().name(),
        "manifest": inner.dataset.manifest_digest(),
        "snapshot": inner.dataset.snapshot(),
        "per_unit": inner.per_unit.as_ref().map(|level| level.label()),
        "filter": inner.filter.as_ref().map(canonical::text),
        "keys": inner.keys.iter().map(|key| &key.label).collect::<Vec<_>>(),
        "measures": inner.measures.iter().map(|m| &m.label).collect::<Vec<_>>(),
        "epsilon_nano": ask.epsilon.nano(),
        "delta": format!("{:e}", ask.delta),
        "noise": noise,
    });
    // Not written where there is none: other requests are what they were before there were joins of datasets.
    if let (Some(partner), Some(canonical)) = (partner, canonical.as_object_mut()) {
        canonical.insert("partner".to_owned(), serde_json::json!(partner));
    }
    Digest::of(canonical.to_string().as_bytes())
}

impl Analysis {
    /// The dataset that is asked about.
    pub fn dataset(&self) -> &Arc<Dataset> {
        &self.outer.inner().dataset
    }

    /// The dataset that is joined to it, unit by unit; it may be the same.
    pub fn partner(&self) -> Option<&Arc<Dataset>> {
        self.outer.inner().partner.as_ref().map(|partner| &partner.dataset)
    }

    /// Digest of the canonical request on its snapshot.
    pub fn request(&self) -> Digest {
        self.request
    }

    /// The public tables that the dataset is joined with, in order and each once.
    pub fn tables(&self) -> Vec<JoinedTable> {
        let of = |table: &PublicTable| JoinedTable {
            name: table.manifest().name().clone(),
            manifest: table.manifest_digest(),
            snapshot: table.snapshot().clone(),
        };
        let tables: BTreeSet<_> = self.outer.inner().lookups.iter().map(|lookup| of(&lookup.table)).collect();
        tables.into_iter().collect()
    }

    /// Columns in roles of use.
    pub fn uses(&self) -> &BTreeSet<ColumnUse> {
        &self.uses
    }

    /// The privacy asked for.
    pub fn ask(&self) -> Ask {
        self.ask
    }

    /// Most groups that a unit is counted in.
    pub fn max_groups(&self) -> u32 {
        self.geometry.max_groups().unwrap_or(0)
    }

    /// The noise, and with it the price.
    pub fn noise(&self) -> &NoisePlan {
        &self.noise
    }

    /// How much work the question is at worst, from public sizes.
    pub fn work(&self) -> Work {
        let most_keys = self.noise.threshold().map_or(0, |_| self.noise.groups());
        work(self.outer.inner(), self.noise.cells(), most_keys.into())
    }

    /// Whether this only asks for the preview.
    pub fn is_preview(&self) -> bool {
        self.preview
    }

    /// The columns of the answer, or of the preview.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// Adds up the exact cells of the question, by the ordered fold. The only place that reads rows.
    ///
    /// # Errors
    /// [`InnerFault`]: never because of what a row holds, only because storage or the machine failed.
    pub async fn exact(&self, key: SelectionKey, parallelism: Parallelism) -> Result<Exact, InnerFault> {
        let totals = fold(self.outer.inner(), self.geometry, &key, parallelism).await?;
        Totals::stamped(totals, self.noise.clone(), self.request)
    }

    /// The same cells by a plan of DataFusion's own nodes: slower, the form that a cluster runs, and the oracle that
    /// [`Analysis::exact`] is compared with.
    ///
    /// # Errors
    /// As [`Analysis::exact`].
    pub async fn exact_by_plain_nodes(&self, key: SelectionKey, parallelism: Parallelism) -> Result<Exact, InnerFault> {
        let totals = plain::plain(self.outer.inner(), self.geometry, &key, parallelism).await?;
        Totals::stamped(totals, self.noise.clone(), self.request)
    }

    /// The keys and cells of [`Analysis::exact`] themselves, shut. There are keys where they are found in rows.
    ///
    /// # Errors
    /// As [`Analysis::exact`].
    pub async fn exact_totals(
        &self,
        key: &SelectionKey,
        parallelism: Parallelism,
    ) -> Result<Protected<(Vec<Key>, Vec<Vec<i128>>)>, InnerFault> {
        fold(self.outer.inner(), self.geometry, key, parallelism).await.map(Totals::parts)
    }

    /// The keys and cells of [`Analysis::exact_by_plain_nodes`] themselves, shut.
    ///
    /// # Errors
    /// As [`Analysis::exact`].
    pub async fn exact_totals_by_plain_nodes(
        &self,
        key: &SelectionKey,
        parallelism: Parallelism,
    ) -> Result<Protected<(Vec<Key>, Vec<Vec<i128>>)>, InnerFault> {
        plain::plain(self.outer.inner(), self.geometry, key, parallelism).await.map(Totals::parts)
    }

    /// The cells of [`Analysis::exact`] themselves, `[family][group]`, shut: only a crate that depends on vault can look at
    /// them, as the proofs of exactness do.
    ///
    /// # Errors
    /// As [`Analysis::exact`].
    pub async fn exact_cells(
        &self,
        key: &SelectionKey,
        parallelism: Parallelism,
    ) -> Result<Protected<Vec<Vec<i128>>>, InnerFault> {
        fold(self.outer.inner(), self.geometry, key, parallelism).await.map(Totals::cells)
    }

    /// The cells of [`Analysis::exact_by_plain_nodes`] themselves, shut.
    ///
    /// # Errors
    /// As [`Analysis::exact`].
    pub async fn exact_cells_by_plain_nodes(
        &self,
        key: &SelectionKey,
        parallelism: Parallelism,
    ) -> Result<Protected<Vec<Vec<i128>>>, InnerFault> {
        plain::plain(self.outer.inner(), self.geometry, key, parallelism).await.map(Totals::cells)
    }

    /// Runs what is above the aggregate over a release of this request.
    ///
    /// # Errors
    /// [`Reason::Internal`] when the release is another request's.
    pub async fn answer(&self, released: Released<NoisyCells>) -> Result<Released<Table>, Refusal> {
        if released.receipt().request() != self.request {
            return Err(Reason::Internal.into());
        }
        let outer = Public::from_request(self.outer.clone());
        released.then(outer, |cells, outer| Box::pin(async move { outer.into_inner().run(cells).await })).await
    }

    /// What `EXPLAIN PRIVACY` says of the question itself; the engine adds budget and instant.
    pub fn preview(&self) -> Table {
        crate::preview::preview(self.outer.inner(), &self.ask, &self.noise)
    }
}

/// How a mechanism is called in previews.
pub(crate) fn mechanism_name(kind: MechanismKind) -> &'static str {
    match kind {
        MechanismKind::Gaussian => "discrete Gaussian",
        MechanismKind::Laplace => "discrete Laplace",
    }
}

/// The columns of a preview.
pub fn preview_columns() -> Vec<Column> {
    ["item", "value"].map(|name| Column { name: name.to_owned(), kind: table::ColumnKind::Text }).to_vec()
}
