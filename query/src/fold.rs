//! Rows to exact cells, in one ordered walk over units.
//!
//! # Privacy obligation
//! Neighbouring relation: one unit with all of its rows, added or removed. All rows of a unit lie side by side in one
//! stream (checked by `UnitRuns`, which fails closed), so `UnitFold` sees a unit whole. It adds the unit's rows up per
//! group, clamps each sum to the measure's range, keeps at most `max_groups` groups, and only then touches the totals.
//! Which groups are kept depends on the unit's own groups and a secret key alone, so removing another unit changes
//! nothing of this one. (Where no clamp can bind, `linear` does the same in fewer steps, and says why.) Hence a neighbour moves at most `max_groups` cells of a family, each by at most `linf`.
//! Sums are exact: a unit's sum stays below 2⁶² by public sizes, totals below 2¹⁰² in `i128`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arrow::array::{AsArray as _, RecordBatch};
use datafusion::execution::TaskContext;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::prelude::{SessionConfig, SessionContext};
use futures::StreamExt as _;
use glovebox_catalog::provider::UnitScanExec;
use glovebox_catalog::unit_runs::UnitRun;
use glovebox_catalog::{UNIT_BYTES, UNIT_COLUMN, UnitRuns};
use glovebox_policy::Digest;
use glovebox_privacy::{Exact, Geometry, Key, NoisePlan};
use glovebox_vault::{Expose as _, Protected};

use crate::choice::{Ranks, SelectionKey};
use crate::found::{Finder, FoundTotals, add_totals, sorted};
use crate::gather::Gather;
use crate::inner::Inner;
use crate::linear::{self, LinearFold};
use crate::lookup::Joiner;
use crate::pairs::pairs;
use crate::rows::{InnerFault, RowReader, Rows, needed_columns};
use crate::unit_rows::UnitRows;

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
    let scan = Arc::new(Scan::new(inner, geometry, parallelism).await?);
    let stop = Stop::default();
    let bounds = Bounds { geometry, ranks: Ranks::new(key, inner.groups()) };
    let mut walks = tokio::task::JoinSet::new();
    for partition in 0..scan.plan.properties().partitioning.partition_count() {
        let bounding = Bounding::new(inner, &scan, &bounds)?;
        let (scan, stopped) = (Arc::clone(&scan), Arc::clone(&stop.0));
        // Decryption, decoding and what comes after block, so they run in the blocking pool, on one thread for each partition.
        walks.spawn_blocking(move || walk(&scan, partition, bounding, &stopped));
    }
    let mut total = no_cells(inner);
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
    if !scan.of_units && inner.partner.is_none() {
        // All rows were read to their end, and no unit was in two places.
        inner.dataset.note_in_order();
    }
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

/// A scan of the columns that the question needs, with what its rows meet.
struct Scan {
    plan: Arc<dyn ExecutionPlan>,
    context: Arc<TaskContext>,
    joiner: Joiner,
    /// Whether each row is a unit of its own, which is known and need not be read.
    of_units: bool,
}

impl Scan {
    async fn new(inner: &Inner, geometry: Geometry, parallelism: Parallelism) -> Result<Self, InnerFault> {
        let session = private_session(inner, parallelism);
        if let Some(partner) = &inner.partner {
            let plan = pairs(inner, partner, parallelism.batch_rows).await?;
            let joiner = Joiner::new(inner, plan.schema())?;
            return Ok(Self { plan, context: session.task_ctx(), joiner, of_units: false });
        }
        let stored = inner.dataset.arrow_schema();
        let mut columns = needed_columns(inner, &stored)?;
        let one_row = inner.dataset.manifest().max_rows_per_unit() == 1 && inner.lookups.is_empty();
        let is_kept = linear::applies(inner) && geometry.max_groups().is_some_and(|max| max > 0);
        let of_units = one_row && is_kept && inner.dataset.is_in_order();
        columns.retain(|column| !of_units || stored.fields().get(*column).is_none_or(|f| f.name() != UNIT_COLUMN));
        let plan = inner.dataset.provider().scan(&session.state(), Some(&columns), &[], None).await;
        let plan = plan.map_err(|_| InnerFault::at("scan"))?;
        Ok(Self { joiner: Joiner::new(inner, plan.schema())?, plan, context: session.task_ctx(), of_units })
    }

    /// Reads a partition, batch by batch.
    fn read(
        &self,
        partition: usize,
        mut each: impl FnMut(RecordBatch) -> Result<(), InnerFault>,
    ) -> Result<(), InnerFault> {
        let Some(scan) = self.plan.downcast_ref::<UnitScanExec>() else {
            return self.read_pairs(partition, each);
        };
        let mut done = Ok(());
        let read = scan.read(partition, &self.context, |batch| {
            // Joined before anything is bounded: what a unit adds is clamped with what its rows have met.
            done = self.joiner.extend(batch).and_then(&mut each);
            done.is_ok()
        });
        read.map_err(|_| InnerFault::at("scan"))?;
        done
    }

    /// The same for what is not read by itself: the pairs of two datasets.
    fn read_pairs(
        &self,
        partition: usize,
        mut each: impl FnMut(RecordBatch) -> Result<(), InnerFault>,
    ) -> Result<(), InnerFault> {
        let stream = self.plan.execute(partition, Arc::clone(&self.context));
        let mut stream = stream.map_err(|_| InnerFault::at("scan"))?;
        let runtime = tokio::runtime::Handle::current();
        while let Some(batch) = runtime.block_on(stream.next()) {
            each(self.joiner.extend(batch.map_err(|_| InnerFault::at("scan"))?)?)?;
        }
        Ok(())
    }
}

/// Ends the walks when nobody waits for them any more.
#[derive(Default)]
struct Stop(Arc<AtomicBool>);

impl Drop for Stop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

type Walked = (Cells, FoundTotals, Option<glovebox_catalog::unit_runs::UnitSpan>);

fn walk(scan: &Scan, partition: usize, mut bounding: Bounding, stopped: &AtomicBool) -> Result<Walked, InnerFault> {
    let disorder = |_| InnerFault::at("unit order");
    let runs = (!scan.of_units).then(|| UnitRuns::new(scan.joiner.schema()));
    let mut runs = runs.transpose().map_err(disorder)?;
    scan.read(partition, |batch| {
        if stopped.load(Ordering::Relaxed) {
            return Err(InnerFault::at("time"));
        }
        match &mut runs {
            None => bounding.take_units(&batch),
            Some(runs) => bounding.take(&batch, runs.runs(&batch).map_err(disorder)?),
        }
    })?;
    let (cells, found) = bounding.finish()?;
    Ok((cells, found, runs.and_then(|runs| runs.span())))
}

/// What bounds a unit, in every walk.
struct Bounds {
    geometry: Geometry,
    ranks: Ranks,
}

/// Cells to which nothing was added.
fn no_cells(inner: &Inner) -> Cells {
    vec![vec![0; inner.groups() as usize]; inner.measures.len()]
}

/// How what a unit adds is bounded: chosen by the question alone.
struct Bounding {
    reader: Arc<RowReader>,
    way: Way,
}

enum Way {
    /// No clamp can bind.
    Linear(LinearFold),
    /// Unit by unit.
    Units(UnitFold),
    /// Unit by unit, over what is added up per unit first.
    Level(Box<(UnitRows, UnitFold)>),
}

impl Bounding {
    fn new(inner: &Inner, scan: &Scan, bounds: &Bounds) -> Result<Self, InnerFault> {
        let schema = scan.joiner.schema();
        let fold = || UnitFold::new(inner, bounds);
        if let Some(level) = &inner.per_unit {
            let level = UnitRows::new(level, inner, schema)?;
            return Ok(Self { reader: level.reader(), way: Way::Level(Box::new((level, fold()))) });
        }
        let way = if linear::applies(inner) {
            Way::Linear(LinearFold::new(inner, bounds.geometry.max_groups().unwrap_or(0), bounds.ranks.clone()))
        } else {
            Way::Units(fold())
        };
        Ok(Self { reader: Arc::new(RowReader::new(inner, schema)?), way })
    }

    /// Adds a batch of which each row is a unit.
    fn take_units(&mut self, batch: &RecordBatch) -> Result<(), InnerFault> {
        match &mut self.way {
            Way::Linear(fold) => fold.take_units(self.reader.read(batch)?),
            Way::Units(_) | Way::Level(_) => Err(InnerFault::at("unit size")),
        }
    }

    /// Adds a batch with the runs of units that cover it.
    fn take(&mut self, batch: &RecordBatch, runs: &[UnitRun]) -> Result<(), InnerFault> {
        let rows = self.reader.read(batch)?;
        let units = batch.column_by_name(UNIT_COLUMN).and_then(|column| column.as_fixed_size_binary_opt());
        let units = units.ok_or(InnerFault::at("unit order"))?;
        // The unit column holds nothing shorter: `UnitRuns` has looked.
        let unit_of = |row: usize| units.value(row).try_into().unwrap_or([0; UNIT_BYTES]);
        match &mut self.way {
            Way::Linear(fold) => return fold.take(rows, runs, unit_of),
            Way::Units(fold) => {
                for run in runs {
                    if !run.continues {
                        fold.begin(unit_of(run.rows.start));
                    }
                    fold.add(&rows, run.rows.clone())?;
                }
            }
            Way::Level(both) => {
                let (level, fold) = both.as_mut();
                for run in runs {
                    if !run.continues {
                        level.begin(unit_of(run.rows.start), fold)?;
                    }
                    level.add(&rows, run.rows.clone())?;
                }
            }
        }
        Ok(())
    }

    fn finish(self) -> Result<(Cells, FoundTotals), InnerFault> {
        let mut fold = match self.way {
            Way::Linear(fold) => return Ok((fold.finish(), FoundTotals::default())),
            Way::Units(fold) => fold,
            Way::Level(both) => {
                let (mut level, mut fold) = *both;
                level.end(&mut fold)?;
                fold
            }
        };
        fold.close();
        Ok((fold.totals, fold.found.map(Finder::into_totals).unwrap_or_default()))
    }
}

/// The running state: totals, and the unit whose rows are being read.
pub(crate) struct UnitFold {
    ranks: Ranks,
    max_groups: usize,
    clamps: Vec<(i64, i64)>,
    totals: Cells,
    unit: [u8; UNIT_BYTES],
    gather: Gather,
    /// Where keys are found in rows: then a group is one of the current unit's keys, and `totals` stay empty.
    found: Option<Finder>,
}

impl UnitFold {
    fn new(inner: &Inner, bounds: &Bounds) -> Self {
        // A unit is kept in no group where groups are not what is selected: nothing is more than declared.
        let max_groups = bounds.geometry.max_groups().unwrap_or(0);
        // A unit has no more keys than rows.
        let groups = if inner.has_found_keys() { inner.scope.rows } else { inner.groups() };
        Self {
            ranks: bounds.ranks.clone(),
            max_groups: max_groups as usize,
            clamps: inner.measures.iter().map(|m| m.clamp).collect(),
            totals: no_cells(inner),
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
                None => self.ranks.of(&self.unit, *group),
                Some(found) => self.ranks.of_key(&self.unit, found.key(*group)),
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
