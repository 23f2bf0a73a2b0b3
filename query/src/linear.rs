//! The fold where no clamp can bind: what a unit adds to a group is the plain sum of its rows there.
//!
//! # Privacy obligation
//! Neighbouring relation: one unit with all of its rows, added or removed. Here, too, a unit moves at most `max_groups` cells of a
//! family, each by at most `linf`, for two reasons that do not depend on data. Which groups it is kept in is chosen when all of its
//! rows are there ([`Chooser`]), and a row of another group is added to a place that nobody reads. And a
//! unit has at most `max_rows` rows, which is counted here and fails closed, while what one row adds lies within
//! [`Measure::row_range`] by how it is computed; so the sum of a unit's rows in a group lies within the measure's clamp, for which
//! [`applies`] asks before this way is taken, from declared sizes alone. Clamping could change nothing.
//! A total is below 2⁶² times the units, in `i128`.

use std::ops::Range;

use arrow::array::BooleanArray;
use glovebox_catalog::UNIT_BYTES;
use glovebox_catalog::unit_runs::UnitRun;

use crate::choice::{Chooser, Ranks};
use crate::fold::Cells;
use crate::inner::Inner;
use crate::measure::{Counted, Measure};
use crate::rows::{Contribution, InnerFault, Rows, of_row};

/// Whether the question can be answered so: keys are listed, rows are those of the dataset, and no clamp can bind.
pub(crate) fn applies(inner: &Inner) -> bool {
    let free = inner.measures.iter().all(|measure| cannot_bind(measure, inner.scope.rows));
    free && inner.per_unit.is_none() && !inner.has_found_keys()
}

/// Whether the sum of at most `rows` rows is always within the measure's clamp.
fn cannot_bind(measure: &Measure, rows: u32) -> bool {
    let rows = if measure.counted == Counted::Units { 1 } else { i128::from(rows) };
    let (low, high) = measure.row_range();
    let (least, most) = (rows * i128::from(low.min(0)), rows * i128::from(high.max(0)));
    i128::from(measure.clamp.0) <= least && most <= i128::from(measure.clamp.1)
}

/// Totals, and the rows of the unit that goes on in the next batch.
pub(crate) struct LinearFold {
    max_rows: usize,
    units_only: Vec<bool>,
    chooser: Chooser,
    /// Whether each unit's groups must be looked at.
    chooses: bool,
    /// `[measure][group]`, with one more group for what is not kept: [`LinearFold::nowhere`].
    totals: Cells,
    /// What the rows of one batch add up to, like `totals`, and how many there are in each group.
    sums: Cells,
    counts: Vec<i64>,
    nowhere: u32,
    held: Held,
}

/// Rows of one unit, of which more may come.
#[derive(Default)]
struct Held {
    unit: [u8; UNIT_BYTES],
    groups: Vec<u32>,
    contributions: Vec<Vec<i64>>,
}

impl LinearFold {
    /// For the questions to which this [`applies`].
    pub(crate) fn new(inner: &Inner, max_groups: u32, ranks: Ranks) -> Self {
        let groups = inner.groups();
        // Where a unit is one row, its rows are its units.
        let many = inner.scope.rows > 1;
        let units_only: Vec<bool> = inner.measures.iter().map(|m| many && m.counted == Counted::Units).collect();
        Self {
            max_rows: inner.scope.rows as usize,
            chooser: Chooser::new(ranks, max_groups as usize, groups),
            // One row is in one group.
            chooses: units_only.contains(&true) || max_groups < groups.min(inner.scope.rows),
            held: Held { contributions: vec![Vec::new(); units_only.len()], ..Held::default() },
            totals: vec![vec![0; groups as usize + 1]; units_only.len()],
            sums: vec![vec![0; groups as usize + 1]; units_only.len()],
            counts: vec![0; groups as usize + 1],
            nowhere: groups,
            units_only,
        }
    }

    /// Adds a batch with the runs that cover it; `unit_of` is the unit of a row.
    pub(crate) fn take(
        &mut self,
        mut rows: Rows,
        runs: &[UnitRun],
        unit_of: impl Fn(usize) -> [u8; UNIT_BYTES],
    ) -> Result<(), InnerFault> {
        self.check_groups(&mut rows)?;
        let mut runs = runs;
        if let Some((first, later)) = runs.split_first().filter(|(first, _)| first.continues) {
            self.hold(&rows, first.rows.clone())?;
            runs = later;
        }
        let Some((last, whole)) = runs.split_last() else {
            return Ok(());
        };
        self.settle_held();
        let mut complete = last.rows.start..last.rows.start;
        if let Some(first) = whole.first() {
            complete.start = first.rows.start;
        }
        for run in whole {
            if run.rows.len() > self.max_rows {
                return Err(InnerFault::at("unit size"));
            }
            if self.chooses
                && let Some(groups) = rows.groups.get_mut(run.rows.clone())
            {
                self.choose(groups, &unit_of(run.rows.start));
            }
        }
        self.add(&rows.groups, &rows.contributions, complete);
        self.held.unit = unit_of(last.rows.start);
        self.hold(&rows, last.rows.clone())
    }

    /// Adds a batch of which each row is a unit of its own, where every unit is kept in a group.
    ///
    /// # Privacy obligation
    /// That no unit has two rows is not looked at here: [`Dataset::is_in_order`](glovebox_catalog::Dataset::is_in_order)
    /// has to say so.
    pub(crate) fn take_units(&mut self, mut rows: Rows) -> Result<(), InnerFault> {
        if self.chooses {
            return Err(InnerFault::at("unit size"));
        }
        self.check_groups(&mut rows)?;
        self.add(&rows.groups, &rows.contributions, 0..rows.groups.len());
        Ok(())
    }

    /// The totals, after the last unit.
    pub(crate) fn finish(mut self) -> Cells {
        self.settle_held();
        self.totals.iter_mut().for_each(|totals| totals.truncate(self.nowhere as usize));
        self.totals
    }

    /// Sends rows that do not meet the condition nowhere.
    fn check_groups(&self, rows: &mut Rows) -> Result<(), InnerFault> {
        // Ingest enforces the declared lists; a number beyond them is not what the proofs are about.
        if rows.groups.iter().fold(0, |most, group| most.max(*group)) >= self.nowhere {
            return Err(InnerFault::at("group"));
        }
        if let Some(kept) = &rows.kept {
            send_nowhere(&mut rows.groups, kept, self.nowhere);
        }
        Ok(())
    }

    fn hold(&mut self, rows: &Rows, range: Range<usize>) -> Result<(), InnerFault> {
        self.held.groups.extend(rows.groups.get(range.clone()).unwrap_or_default());
        let held = self.held.contributions.iter_mut();
        for (place, held) in held.enumerate() {
            held.extend(range.clone().map(|row| of_row(&rows.contributions, place, row)));
        }
        // Ingest enforces the declared size; a file that breaks it is not what the proofs are about.
        if self.held.groups.len() > self.max_rows { Err(InnerFault::at("unit size")) } else { Ok(()) }
    }

    /// Adds the held unit, which is complete.
    fn settle_held(&mut self) {
        let mut held = std::mem::take(&mut self.held);
        if self.chooses {
            self.choose(&mut held.groups, &held.unit);
        }
        let contributions: Vec<_> = held.contributions.into_iter().map(Contribution::PerRow).collect();
        self.add(&held.groups, &contributions, 0..held.groups.len());
        self.held.contributions = vec![Vec::new(); self.units_only.len()];
    }

    /// Chooses the groups of one unit, and counts it in them.
    fn choose(&mut self, groups: &mut [u32], unit: &[u8; UNIT_BYTES]) {
        let Some(family) = self.units_only.iter().position(|units_only| *units_only) else {
            return self.chooser.choose(groups, unit, |_| {});
        };
        // There is no second family of units: it would have another clamp, which could bind.
        if let Some(totals) = self.totals.get_mut(family) {
            self.chooser.choose(groups, unit, |group| add_to(totals, group, 1));
        }
    }

    /// Adds fewer rows than there are groups, without looking at every group.
    fn add_row_by_row(&mut self, groups: &[u32], contributions: &[Contribution], first: usize) {
        for (row, group) in (first..).zip(groups) {
            let families = self.totals.iter_mut().enumerate().zip(&self.units_only);
            for ((measure, totals), _) in families.filter(|(_, units_only)| !**units_only) {
                add_to(totals, *group, of_row(contributions, measure, row));
            }
        }
    }

    /// Adds rows whose groups are chosen.
    fn add(&mut self, groups: &[u32], contributions: &[Contribution], rows: Range<usize>) {
        let groups = groups.get(rows.clone()).unwrap_or_default();
        if groups.len() < self.counts.len() {
            return self.add_row_by_row(groups, contributions, rows.start);
        }
        self.counts.fill(0);
        for group in groups {
            if let Some(count) = self.counts.get_mut(*group as usize) {
                *count += 1;
            }
        }
        for (place, contribution) in contributions.iter().enumerate() {
            if self.units_only.get(place) != Some(&false) {
                continue;
            }
            let (before, rest) = self.sums.split_at_mut(place);
            let Some(sums) = rest.first_mut() else {
                continue;
            };
            let counts = self.counts.iter().map(|count| i128::from(*count));
            match contribution {
                Contribution::Constant(each) => {
                    sums.iter_mut().zip(counts).for_each(|(sum, count)| *sum = count * i128::from(*each));
                }
                Contribution::PerRow(values) => {
                    sums.fill(0);
                    let values = values.get(rows.clone()).unwrap_or_default();
                    groups.iter().zip(values).for_each(|(group, value)| add_to(sums, *group, *value));
                }
                Contribution::Shifted { of, by } => {
                    let others = before.get(*of).map(Vec::as_slice).unwrap_or_default();
                    let shifted = others.iter().zip(counts).map(|(other, count)| other + count * i128::from(*by));
                    sums.iter_mut().zip(shifted).for_each(|(sum, shifted)| *sum = shifted);
                }
            }
            if let Some(totals) = self.totals.get_mut(place) {
                totals.iter_mut().zip(sums).for_each(|(total, sum)| *total += *sum);
            }
        }
    }
}

fn add_to(totals: &mut [i128], group: u32, value: i64) {
    if let Some(total) = totals.get_mut(group as usize) {
        *total += i128::from(value);
    }
}

fn send_nowhere(groups: &mut [u32], kept: &BooleanArray, nowhere: u32) {
    for (group, kept) in groups.iter_mut().zip(kept) {
        if kept != Some(true) {
            *group = nowhere;
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use datafusion::logical_expr::col;

    use super::*;
    use crate::interval::Interval;
    use crate::measure::FixedPoint;

    fn scale(lower: f64, upper: f64) -> FixedPoint {
        FixedPoint::new(Interval::new(lower, upper).unwrap(), Some(0.5), false).unwrap()
    }

    fn sum(centre: i64, clamp: Option<(i64, i64)>) -> Measure {
        Measure::sum(col("x"), scale(-3.0, 8.0), centre, clamp, 4).unwrap()
    }

    fn rows(clamp: Option<(f64, f64)>) -> Measure {
        let clamp = clamp.map(|(lower, upper)| Interval::new(lower, upper).unwrap());
        Measure::count(Counted::Rows, "rows", clamp, 4).unwrap()
    }

    #[test]
    fn what_rows_reach_by_themselves_needs_no_clamp() {
        let units = Measure::count(Counted::Units, "units", None, 1).unwrap();
        let squares = Measure::squares(col("x"), scale(-3.0, 8.0), 5, 4).unwrap();
        for measure in [sum(0, None), sum(5, None), sum(0, Some((-24, 64))), rows(None), units, squares] {
            assert!(cannot_bind(&measure, 4), "{}", measure.label);
            assert!(cannot_bind(&measure, 1), "{}", measure.label);
            let more = cannot_bind(&measure, 5);
            assert_eq!(more, measure.counted == Counted::Units, "{}: made for four rows", measure.label);
        }
    }

    #[test]
    fn a_clamp_that_is_narrower_by_one_is_seen() {
        for measure in
            [sum(0, Some((-23, 64))), sum(0, Some((-24, 63))), rows(Some((0.0, 3.0))), rows(Some((1.0, 4.0)))]
        {
            assert!(!cannot_bind(&measure, 4), "{}", measure.label);
        }
    }
}
