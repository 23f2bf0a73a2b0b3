//! The rows of one unit, added up per group: whole numbers, before anything is clamped.

use std::ops::Range;

use arrow::array::Array as _;

use crate::measure::{Counted, Measure};
use crate::rows::{InnerFault, Rows, of_row};

/// What the rows of the current unit add up to.
pub(crate) struct Gather {
    max_rows: u32,
    units_only: Vec<bool>,
    rows: u32,
    /// Groups of the current unit in order of appearance, and the place of each group among them.
    pub(crate) groups: Vec<u32>,
    place: Vec<u32>,
    /// Sums of the current unit, `[place][measure]` flattened.
    sums: Vec<i64>,
}

const NO_PLACE: u32 = u32::MAX;

impl Gather {
    /// For units of at most `max_rows` rows, in so many groups.
    pub(crate) fn new(measures: &[Measure], groups: u32, max_rows: u32) -> Self {
        Self {
            max_rows,
            units_only: measures.iter().map(|measure| measure.counted == Counted::Units).collect(),
            rows: 0,
            groups: Vec::new(),
            place: vec![NO_PLACE; groups as usize],
            sums: Vec::new(),
        }
    }

    /// Adds rows of the current unit.
    pub(crate) fn add(&mut self, rows: &Rows, range: Range<usize>) -> Result<(), InnerFault> {
        self.add_by(rows, range, |row| rows.groups.get(row).copied())
    }

    /// Adds rows of the current unit, each to the group that `group_of` gives it. Of rows that do not meet the condition it is not asked.
    pub(crate) fn add_by(
        &mut self,
        rows: &Rows,
        range: Range<usize>,
        mut group_of: impl FnMut(usize) -> Option<u32>,
    ) -> Result<(), InnerFault> {
        self.rows = self.rows.saturating_add(range.len() as u32);
        if self.rows > self.max_rows {
            // Ingest enforces the declared size; a file that breaks it is not what the proofs are about.
            return Err(InnerFault::at("unit size"));
        }
        for row in range {
            let kept = rows.kept.as_ref().is_none_or(|kept| kept.is_valid(row) && kept.value(row));
            if !kept {
                continue;
            }
            let group = group_of(row).ok_or(InnerFault::at("group"))?;
            let place = self.place_of(group)?;
            let sums = self.sums.iter_mut().skip(place * self.units_only.len());
            for ((sum, measure), units_only) in sums.zip(0..).zip(&self.units_only) {
                *sum = if *units_only { 1 } else { *sum + of_row(&rows.contributions, measure, row) };
            }
        }
        Ok(())
    }

    fn place_of(&mut self, group: u32) -> Result<usize, InnerFault> {
        let place = self.place.get_mut(group as usize).ok_or(InnerFault::at("group"))?;
        if *place == NO_PLACE {
            *place = self.groups.len() as u32;
            self.groups.push(group);
            self.sums.resize(self.groups.len() * self.units_only.len(), 0);
        }
        Ok(*place as usize)
    }

    /// The sums at the place of a group, one for each measure.
    pub(crate) fn sums(&self, place: usize) -> &[i64] {
        let width = self.units_only.len();
        self.sums.get(place * width..(place + 1) * width).unwrap_or_default()
    }

    /// Gets ready for the next unit.
    pub(crate) fn clear(&mut self) {
        for group in self.groups.drain(..) {
            if let Some(place) = self.place.get_mut(group as usize) {
                *place = NO_PLACE;
            }
        }
        self.sums.clear();
        self.rows = 0;
    }
}
