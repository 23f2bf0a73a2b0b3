//! What one unit contributes: its rows added up per key, clipped, and cut to its share of keys.
//!
//! # Privacy obligation
//! Neighbouring relation: one unit with all of its rows, added or removed. The contribution of a unit is a function of
//! what the guest emitted for that unit, the unit's id, the job and the secret [`SelectionKey`], and of nothing else:
//! a guest sees one unit, and no number below depends on another. Whatever a guest emits, the contribution has at
//! most `max_keys` keys (L0), and under each of them value `j` lies in `[low_j, high_j]`, so that its magnitude is at
//! most `C_j = max(|low_j|, |high_j|)`; the count adds 1 per kept key. The default row obeys the same bounds. Cells are sums of
//! contributions, so a neighbour moves them by at most Δ₁ = L0·‖C‖₁ and Δ₂ = √L0·‖C‖₂, where C has the count's 1 in it.
//!
//! Under [`Bounding::Rows`] a unit is a chunk of footage and the neighbouring relation another: an appearance added or removed
//! changes the frames of some chunks, and with them what those chunks' guests emit. Whatever a guest emits, its chunk
//! contributes exactly `max_rows` rows, each with a declared key and value `j` in `[low_j, high_j]`: those of a sound output in
//! their order, then the default row again and again; of an unsound one, default rows alone. The chunks being the same on both
//! sides, at most `max_rows` rows for each changed chunk are replaced and none is added or removed, and each moves at most two cells
//! of a family by at most max(high_j, 0) − min(low_j, 0). Source: Cangialosi et al., "Privid", NSDI 2022.
//!
//! Sums are exact and cannot overflow: a row's value saturates at 64 bits, a unit's sum of at most 2¹⁶ rows stays below
//! 2⁸⁰, and totals of at most 2⁶⁴ units of at most 2⁵³ stay below 2¹¹⁸, all in `i128`; so do those of 2⁴⁸ chunks with 2¹⁶ rows.
//! Source: bounded user contribution as in Wilson et al. 2020, "Differentially Private SQL with Bounded User
//! Contribution", with the selection of the query fold: SipHash-2-4 of (unit, key), smallest ranks kept.

use siphasher::sip::SipHasher24;

use crate::spec::{Bounding, MapSpec, ValueSpec};

/// Bytes of a unit's id.
pub const UNIT_BYTES: usize = 16;

/// A unit's id, as the catalog makes it. It chooses among the unit's keys and never reaches a guest.
pub type UnitId = [u8; UNIT_BYTES];

/// The secret key by which the keys of a unit are chosen. Fresh per run.
#[derive(Clone)]
pub struct SelectionKey([u8; 16]);

impl SelectionKey {
    /// A key from 16 secret bytes.
    pub const fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The rank of a key of a unit: the smallest ranks are kept.
    fn rank(&self, unit: &UnitId, key: u32) -> u64 {
        let mut text = [0_u8; UNIT_BYTES + 4];
        let (head, tail) = text.split_at_mut(UNIT_BYTES);
        head.copy_from_slice(unit);
        tail.copy_from_slice(&key.to_le_bytes());
        SipHasher24::new_with_key(&self.0).hash(&text)
    }
}

/// What a guest emitted for one unit, as it came: nothing is believed about it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Emitted {
    /// The key of each row.
    pub keys: Vec<u32>,
    /// The values of each row, one row after the other.
    pub values: Vec<f64>,
}

impl Emitted {
    /// What a guest may not emit, if it did: the whole unit is then the default row.
    pub(crate) fn fault(&self, spec: &MapSpec) -> Option<&'static str> {
        if self.keys.len() > spec.max_rows as usize || self.values.len() != self.keys.len() * spec.values.len() {
            Some("more rows than `max_rows`")
        } else if self.keys.iter().any(|key| *key >= spec.keys) {
            Some("a row has a key that is not declared")
        } else if self.values.iter().any(|value| !value.is_finite()) {
            Some("a row has a value that is not a finite number")
        } else {
            None
        }
    }
}

/// What one unit contributes: keys with their values in steps, in order of key.
///
/// `emitted` is `None` for a unit on which the guest failed; its default row is then what it contributes.
///
/// ```
/// use glovebox_sandbox::bound::{Emitted, SelectionKey, contribution};
/// use glovebox_sandbox::{Bounding, DefaultRow, MapSpec, ValueSpec};
///
/// let spec = MapSpec {
///     max_rows: 3,
///     keys: 2,
///     max_keys: 2,
///     bounding: Bounding::Unit,
///     values: vec![ValueSpec { low: 0, high: 10, step: 0.5 }],
///     count_units: false,
///     default: DefaultRow { key: 1, values: vec![0] },
///     fuel: 1_000,
///     params: Vec::new(),
/// };
/// let key = SelectionKey::new([7; 16]);
/// let rows = Emitted { keys: vec![0, 1, 0], values: vec![1.0, 99.0, 2.0] };
/// assert_eq!(contribution(&spec, &key, &[0; 16], Some(&rows)), [(0, vec![6]), (1, vec![10])]);
/// assert_eq!(contribution(&spec, &key, &[0; 16], None), [(1, vec![0])]);
/// ```
pub fn contribution(
    spec: &MapSpec,
    key: &SelectionKey,
    unit: &UnitId,
    emitted: Option<&Emitted>,
) -> Vec<(u32, Vec<i64>)> {
    let mut bounder = Bounder::new(spec, key);
    bounder.bound(unit, emitted);
    // Only the sum of a chunk's rows can be beyond 64 bits, and only for somebody who reads this: cells are exact.
    let steps = |value: i128| value.clamp(i64::MIN.into(), i64::MAX.into()) as i64;
    let mut kept: Vec<_> = bounder.kept().map(|(key, values)| (key, values.map(steps).collect())).collect();
    kept.sort_unstable();
    kept
}

const NO_PLACE: u32 = u32::MAX;

/// Bounds one unit after the other, with buffers that are used again.
pub(crate) struct Bounder<'s> {
    spec: &'s MapSpec,
    selection: &'s SelectionKey,
    /// Keys of the unit in order of appearance, and the place of each declared key among them.
    keys: Vec<u32>,
    place: Vec<u32>,
    /// Sums of the unit, `[place][value]` flattened.
    sums: Vec<i128>,
    /// Rank, key and place of the keys that are kept.
    kept: Vec<(u64, u32, usize)>,
}

impl<'s> Bounder<'s> {
    pub(crate) fn new(spec: &'s MapSpec, selection: &'s SelectionKey) -> Self {
        let place = vec![NO_PLACE; spec.keys as usize];
        Self { spec, selection, keys: Vec::new(), place, sums: Vec::new(), kept: Vec::new() }
    }

    /// Bounds what one unit contributes; [`Bounder::kept`] and [`Bounder::add_to`] read it until the next call.
    pub(crate) fn bound(&mut self, unit: &UnitId, emitted: Option<&Emitted>) {
        for key in self.keys.drain(..) {
            if let Some(place) = self.place.get_mut(key as usize) {
                *place = NO_PLACE;
            }
        }
        self.sums.clear();
        let rows = emitted.filter(|rows| rows.fault(self.spec).is_none());
        if let Some(rows) = rows {
            self.add_rows(rows);
        }
        let emitted = rows.map(|rows| rows.keys.len() as u32);
        let defaults = match self.spec.bounding {
            Bounding::Unit => u32::from(emitted.is_none()),
            // INVARIANT (full chunks): emitted rows and default rows are `max_rows` together, always.
            Bounding::Rows => self.spec.max_rows.saturating_sub(emitted.unwrap_or(0)),
        };
        for _ in 0..defaults {
            let default = &self.spec.default;
            self.add_row(default.key, default.values.iter().copied());
        }
        self.select(unit);
    }

    fn add_rows(&mut self, rows: &Emitted) {
        let (spec, width) = (self.spec, self.spec.values.len());
        for (row, key) in rows.keys.iter().enumerate() {
            let values = rows.values.iter().skip(row * width).zip(&spec.values);
            match spec.bounding {
                Bounding::Unit => self.add_row(*key, values.map(|(value, of)| steps(*value, of.step))),
                // INVARIANT (each row): what is added of a row lies in the declared range, whatever the other rows are.
                Bounding::Rows => {
                    self.add_row(*key, values.map(|(value, of)| steps(*value, of.step).clamp(of.low, of.high)));
                }
            }
        }
    }

    fn add_row(&mut self, key: u32, values: impl Iterator<Item = i64>) {
        let width = self.spec.values.len();
        let Some(place) = self.place.get_mut(key as usize) else { return };
        if *place == NO_PLACE {
            *place = self.keys.len() as u32;
            self.keys.push(key);
            self.sums.resize(self.keys.len() * width, 0);
        }
        let sums = self.sums.iter_mut().skip(*place as usize * width).take(width);
        sums.zip(values).for_each(|(sum, value)| *sum += i128::from(value));
    }

    // INVARIANT (L0): no more than `max_keys` keys of a unit are kept, by a rule that looks at no other unit. All rows of a chunk
    // are, because dropping one would not be replacing it.
    fn select(&mut self, unit: &UnitId) {
        let most = match self.spec.bounding {
            Bounding::Unit => self.spec.max_keys as usize,
            Bounding::Rows => self.keys.len(),
        };
        let choose = self.keys.len() > most;
        self.kept.clear();
        for (place, key) in self.keys.iter().enumerate() {
            let rank = if choose { self.selection.rank(unit, *key) } else { 0 };
            self.kept.push((rank, *key, place));
        }
        if choose {
            self.kept.sort_unstable();
            self.kept.truncate(most);
        }
    }

    // INVARIANT (L∞): what leaves here of a unit lies in the declared range. Rows of a chunk were clipped one by one.
    fn kept(&self) -> impl Iterator<Item = (u32, impl Iterator<Item = i128>)> {
        let width = self.spec.values.len();
        self.kept.iter().map(move |(_, key, place)| {
            let sums = self.sums.iter().skip(place * width).zip(&self.spec.values);
            let bounded = |(sum, of): (&i128, &ValueSpec)| match self.spec.bounding {
                Bounding::Unit => (*sum).clamp(of.low.into(), of.high.into()),
                Bounding::Rows => *sum,
            };
            (*key, sums.map(bounded))
        })
    }

    /// Adds the contribution to cells `[family][key]`.
    pub(crate) fn add_to(&self, cells: &mut [Vec<i128>]) {
        for (key, values) in self.kept() {
            let count = self.spec.count_units.then_some(1);
            for (value, family) in values.chain(count).zip(cells.iter_mut()) {
                if let Some(cell) = family.get_mut(key as usize) {
                    *cell += value;
                }
            }
        }
    }
}

/// A number of the guest in steps: rounded half away from zero, and saturating.
fn steps(value: f64, step: f64) -> i64 {
    (value / step).round() as i64
}
