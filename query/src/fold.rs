//! Rows to exact cells, in one ordered walk over units.
//!
//! # Privacy obligation
//! Neighbouring relation: one unit with all of its rows, added or removed. All rows of a unit lie side by side in one
//! stream (checked by `UnitRuns`, which fails closed), so `UnitFold` sees a unit whole. It adds the unit's rows up per
//! group, clamps each sum to the measure's range, keeps at most `max_groups` groups, and only then touches the totals.
//! Which groups are kept depends on the unit's own groups and a secret key alone, so removing another unit changes
//! nothing of this one. Hence a neighbour moves at most `max_groups` cells of a family, each by at most `linf`.
//! Sums are exact: a unit's sum stays below 2⁶² by public sizes, totals below 2¹⁰² in `i128`.

use std::sync::Arc;

use arrow::array::RecordBatch;
use datafusion::execution::TaskContext;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::prelude::{SessionConfig, SessionContext};
use futures::StreamExt as _;
use glovebox_catalog::{UNIT_BYTES, UNIT_COLUMN, UnitRuns};
use glovebox_policy::Digest;
use glovebox_privacy::{Exact, Geometry, Key, NoisePlan};
use glovebox_vault::{Expose as _, Protected};
use siphasher::sip::SipHasher24;

use crate::found::{Finder, FoundTotals, add_totals, sorted};
use crate::gather::Gather;
use crate::inner::Inner;
use crate::lookup::Joiner;
use crate::pairs::pairs;
use crate::rows::{InnerFault, RowReader, Rows, needed_columns};
use crate::unit_rows::UnitRows;

/// The secret key by which groups of a unit are chosen. Fresh per run, or given in tests.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct SelectionKey([u8; 16]);

impl SelectionKey {
    /// A key from 16 secret bytes.
    pub const fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The rank of a group of a unit: the smallest ranks are kept.
    pub(crate) fn rank(&self, unit: &[u8; UNIT_BYTES], group: u32) -> u64 {
        let mut text = [0_u8; UNIT_BYTES + 4];
        let (head, tail) = text.split_at_mut(UNIT_BYTES);
        head.copy_from_slice(unit);
        tail.copy_from_slice(&group.to_le_bytes());
        SipHasher24::new_with_key(&self.0).hash(&text)
    }

    /// The rank of a key of a unit, where keys are found in rows, by the bytes of the key.
    pub(crate) fn rank_of_key(&self, unit: &[u8; UNIT_BYTES], key: &[u8]) -> u64 {
        SipHasher24::new_with_key(&self.0).hash(&[unit, key].concat())
    }
}

/// How the walk is cut up. Results do not depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parallelism {
    /// Most partitions that are walked at the same time.
    pub partitions: usize,
    /// Rows per batch.
    pub batch_rows: usize,
}

impl Default for Parallelism {
    fn default() -> Self {
        Self { partitions: 2, batch_rows: 8_192 }
    }
}

/// Exact cells, `[measure][group]`.
pub(crate) type Cells = Vec<Vec<i128>>;

/// What was added up, and of which keys where they are found in rows: in the order of their values.
pub(crate) struct Totals {
    pub(crate) keys: Vec<Key>,
    pub(crate) cells: Cells,
}

impl Totals {
    /// Keys and cells, shut.
    pub(crate) fn parts(totals: Protected<Self>) -> Protected<(Vec<Key>, Cells)> {
        let Self { keys, cells } = totals.expose();
        Protected::seal((keys, cells))
    }

    /// The cells, shut.
    pub(crate) fn cells(totals: Protected<Self>) -> Protected<Cells> {
        Protected::seal(totals.expose().cells)
    }

    /// What goes to the gate.
    pub(crate) fn stamped(totals: Protected<Self>, plan: NoisePlan, request: Digest) -> Result<Exact, InnerFault> {
        let Self { keys, cells } = totals.expose();
        let cells = Protected::seal(cells);
        let exact = match plan.threshold() {
            None => Exact::new(cells, plan, request),
            Some(_) => Exact::with_keys(Protected::seal(keys), cells, plan, request),
        };
        exact.map_err(|_| InnerFault::at("shape"))
    }
}

/// Walks the dataset once and adds up exact cells.
pub(crate) async fn fold(
    inner: &Arc<Inner>,
    geometry: Geometry,
    key: &SelectionKey,
    parallelism: Parallelism,
) -> Result<Protected<Totals>, InnerFault> {
    let (plan, context) = scan(inner, parallelism).await?;
    let joiner = Arc::new(Joiner::new(inner, plan.schema())?);
    let mut walks = tokio::task::JoinSet::new();
    for partition in 0..plan.properties().partitioning.partition_count() {
        let fold = UnitFold::new(inner, geometry, key.clone());
        let (inner, plan, context) = (Arc::clone(inner), Arc::clone(&plan), Arc::clone(&context));
        walks.spawn(walk(inner, (plan, Arc::clone(&joiner)), context, partition, fold));
    }
    let mut total = UnitFold::new(inner, geometry, key.clone()).totals;
    let mut found = FoundTotals::default();
    let mut spans = Vec::new();
    while let Some(done) = walks.join_next().await {
        let (totals, keys, span) = done.map_err(|_| InnerFault::at("a walk"))??;
        spans.extend(span);
        add_totals(&mut found, keys);
        for (sums, more) in total.iter_mut().zip(totals) {
            sums.iter_mut().zip(more).for_each(|(sum, more)| *sum += more);
        }
    }
    UnitRuns::check_disjoint(spans).map_err(|_| InnerFault::at("unit order"))?;
    let totals = if inner.has_found_keys() {
        let (keys, cells) = sorted(found, &inner.keys, inner.measures.len())?;
        Totals { keys, cells }
    } else {
        Totals { keys: Vec::new(), cells: total }
    };
    Ok(Protected::seal(totals))
}

/// A session that carries the capability for the datasets of the question and ends with the walk.
pub(crate) fn private_session(inner: &Inner, parallelism: Parallelism) -> SessionContext {
    let config = SessionConfig::new()
        .with_target_partitions(parallelism.partitions.max(1))
        .with_batch_size(parallelism.batch_rows.max(1));
    let config = inner.dataset.capability().expose().install(config);
    let partner = inner.partner.as_ref().map(|partner| partner.dataset.capability().expose());
    SessionContext::new_with_config(match partner {
        Some(partner) => partner.install(config),
        None => config,
    })
}

/// A scan of the columns that the question needs.
async fn scan(
    inner: &Inner,
    parallelism: Parallelism,
) -> Result<(Arc<dyn ExecutionPlan>, Arc<TaskContext>), InnerFault> {
    let session = private_session(inner, parallelism);
    if let Some(partner) = &inner.partner {
        return Ok((pairs(inner, partner, parallelism.batch_rows).await?, session.task_ctx()));
    }
    let columns = needed_columns(inner, &inner.dataset.arrow_schema())?;
    let state = session.state();
    let plan = inner.dataset.provider().scan(&state, Some(&columns), &[], None).await;
    Ok((plan.map_err(|_| InnerFault::at("scan"))?, session.task_ctx()))
}

type Walked = (Cells, FoundTotals, Option<glovebox_catalog::unit_runs::UnitSpan>);

async fn walk(
    inner: Arc<Inner>,
    (plan, joiner): (Arc<dyn ExecutionPlan>, Arc<Joiner>),
    context: Arc<TaskContext>,
    partition: usize,
    mut fold: UnitFold,
) -> Result<Walked, InnerFault> {
    let schema = Arc::clone(joiner.schema());
    let mut level = inner.per_unit.as_ref().map(|level| UnitRows::new(level, &inner, &schema)).transpose()?;
    let reader = match &level {
        None => Arc::new(RowReader::new(&inner, &schema)?),
        Some(level) => level.reader(),
    };
    let mut runs = UnitRuns::new(&schema).map_err(|_| InnerFault::at("unit order"))?;
    let mut stream = plan.execute(partition, context).map_err(|_| InnerFault::at("scan"))?;
    while let Some(batch) = stream.next().await {
        // Joined before anything is bounded: what a unit adds is clamped with what its rows have met.
        let batch = joiner.extend(batch.map_err(|_| InnerFault::at("scan"))?)?;
        let rows = reader.read(&batch)?;
        if let Some(level) = &mut level {
            for run in runs.runs(&batch).map_err(|_| InnerFault::at("unit order"))? {
                if !run.continues {
                    level.begin(unit_at(&batch, run.rows.start)?, &mut fold)?;
                }
                level.add(&rows, run.rows.clone())?;
            }
            tokio::task::yield_now().await;
            continue;
        }
        for run in runs.runs(&batch).map_err(|_| InnerFault::at("unit order"))? {
            if !run.continues {
                fold.begin(unit_at(&batch, run.rows.start)?);
            }
            fold.add(&rows, run.rows.clone())?;
        }
        // Others get their turn, and a walk whose time is over can be stopped here.
        tokio::task::yield_now().await;
    }
    if let Some(level) = &mut level {
        level.end(&mut fold)?;
    }
    fold.close();
    let found = fold.found.map(Finder::into_totals).unwrap_or_default();
    Ok((fold.totals, found, runs.span()))
}

fn unit_at(batch: &RecordBatch, row: usize) -> Result<[u8; UNIT_BYTES], InnerFault> {
    use arrow::array::AsArray as _;
    let column = batch.column_by_name(UNIT_COLUMN).and_then(|column| column.as_fixed_size_binary_opt());
    column.and_then(|units| units.value(row).try_into().ok()).ok_or(InnerFault::at("unit order"))
}

/// The running state: totals, and the unit whose rows are being read.
pub(crate) struct UnitFold {
    key: SelectionKey,
    max_groups: usize,
    clamps: Vec<(i64, i64)>,
    totals: Cells,
    unit: [u8; UNIT_BYTES],
    gather: Gather,
    /// Where keys are found in rows: then a group is one of the current unit's keys, and `totals` stay empty.
    found: Option<Finder>,
}

impl UnitFold {
    fn new(inner: &Inner, geometry: Geometry, key: SelectionKey) -> Self {
        // A unit is kept in no group where groups are not what is selected: nothing is more than declared.
        let max_groups = geometry.max_groups().unwrap_or(0);
        // A unit has no more keys than rows.
        let groups = if inner.has_found_keys() { inner.scope.rows } else { inner.groups() };
        Self {
            key,
            max_groups: max_groups as usize,
            clamps: inner.measures.iter().map(|m| m.clamp).collect(),
            totals: vec![vec![0; inner.groups() as usize]; inner.measures.len()],
            unit: [0; UNIT_BYTES],
            gather: Gather::new(&inner.measures, groups, inner.scope.rows),
            found: inner.has_found_keys().then(Finder::default),
        }
    }

    /// Closes the unit before, and begins another one.
    pub(crate) fn begin(&mut self, unit: [u8; UNIT_BYTES]) {
        self.close();
        self.unit = unit;
    }

    /// Adds rows of the current unit.
    pub(crate) fn add(&mut self, rows: &Rows, range: std::ops::Range<usize>) -> Result<(), InnerFault> {
        match &mut self.found {
            None => self.gather.add(rows, range),
            Some(found) => self.gather.add_by(rows, range, |row| found.number(rows, row)),
        }
    }

    /// Bounds what the current unit contributes, and adds it to the totals.
    fn close(&mut self) {
        let groups = &self.gather.groups;
        let mut kept: Vec<(u64, u32, usize)> = Vec::new();
        for (place, group) in groups.iter().enumerate() {
            let rank = match &self.found {
                _ if groups.len() <= self.max_groups => 0,
                None => self.key.rank(&self.unit, *group),
                Some(found) => self.key.rank_of_key(&self.unit, found.key(*group)),
            };
            kept.push((rank, *group, place));
        }
        kept.sort_unstable();
        for (_, group, place) in kept.into_iter().take(self.max_groups) {
            let sums = self.gather.sums(place).iter().zip(&self.clamps);
            let clamped = sums.map(|(sum, (low, high))| i128::from((*sum).clamp(*low, *high)));
            if let Some(found) = &mut self.found {
                found.contribute(group, clamped);
                continue;
            }
            for (contribution, totals) in clamped.zip(&mut self.totals) {
                if let Some(total) = totals.get_mut(group as usize) {
                    *total += contribution;
                }
            }
        }
        self.gather.clear();
        if let Some(found) = &mut self.found {
            found.clear();
        }
    }
}
