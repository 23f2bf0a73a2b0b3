//! Which groups of a unit are kept, where it has more than it may be kept in.
//!
//! # Privacy obligation
//! Neighbouring relation: one unit with all of its rows, added or removed. The rank of a group depends on the secret key, the unit and the
//! group alone, never on another unit, so that adding or removing one changes nothing of what is kept of the others. No bound
//! rests on ranks being hard to tell from chance (any function of unit and group alone would do); that no group is preferred does.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use glovebox_catalog::UNIT_BYTES;
use siphasher::sip::SipHasher24;

/// The secret key by which groups of a unit are chosen. Fresh per run, or given in tests.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct SelectionKey([u8; 16]);

impl SelectionKey {
    /// A key from 16 secret bytes.
    pub const fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    fn hashed(&self, bytes: &[u8]) -> u64 {
        SipHasher24::new_with_key(&self.0).hash(bytes)
    }
}

/// The next number of a SplitMix64 sequence.
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut x = *state;
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// So many groups are a set of bits, with one more for rows that are nowhere.
const FEW: u32 = 63;
/// Orders of few groups that are drawn beforehand.
const ORDERS: usize = 1024;
/// The bits of a rank among many that are the group itself, so that no two groups of a unit have one rank: `GROUPS_MAX` is 2¹⁶.
const GROUP_BITS: u64 = 0xffff;

/// The ranks of groups: the smallest of a unit's are kept.
#[derive(Clone)]
pub(crate) struct Ranks {
    key: SelectionKey,
    /// Where groups are few, random orders of 64 places. A unit's hash says which of them is the unit's, by which number its
    /// groups are mixed up before, and at which place the order begins: 2²² ways.
    orders: Option<Arc<[[u8; 64]]>>,
}

impl PartialEq for Ranks {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key && self.orders.is_some() == other.orders.is_some()
    }
}

impl Eq for Ranks {}

impl Hash for Ranks {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // Everything else is made of it.
        self.key.hash(state);
    }
}

impl Ranks {
    /// For so many groups.
    pub(crate) fn new(key: &SelectionKey, groups: u32) -> Self {
        let orders = (groups <= FEW).then(|| (0..ORDERS).map(|number| order(key, number)).collect());
        Self { key: key.clone(), orders }
    }

    /// The rank of a group of a unit.
    pub(crate) fn of(&self, unit: &[u8; UNIT_BYTES], group: u32) -> u64 {
        let hash = self.key.hashed(unit);
        match &self.orders {
            Some(orders) => {
                let own = Order::new(orders, hash);
                u64::from(own.place(group).wrapping_sub(own.turn) & 63)
            }
            None => among_many(hash, group),
        }
    }

    /// The rank of a key of a unit, where keys are found in rows, by the bytes of the key.
    pub(crate) fn of_key(&self, unit: &[u8; UNIT_BYTES], key: &[u8]) -> u64 {
        self.key.hashed(&[unit, key].concat())
    }
}

/// A random order of 64 places (Fisher and Yates).
fn order(key: &SelectionKey, number: usize) -> [u8; 64] {
    let mut state = key.hashed(&(number as u64).to_le_bytes());
    let mut places: [u8; 64] = std::array::from_fn(|place| place as u8);
    for left in (2..=places.len()).rev() {
        let other = (u128::from(next(&mut state)) * left as u128) >> 64;
        places.swap(left - 1, other as usize);
    }
    places
}

/// The order of one unit's groups, where they are few.
struct Order<'a> {
    places: Option<&'a [u8; 64]>,
    mixed: u32,
    turn: u32,
}

impl<'a> Order<'a> {
    #[inline]
    fn new(orders: &'a [[u8; 64]], hash: u64) -> Self {
        let bits = |from: u32| (hash >> from) as u32 & 63;
        Self { places: orders.get(hash as usize % ORDERS), mixed: bits(10), turn: bits(16) }
    }

    /// Where a group stands, below 64 and apart from all others, before the order is turned.
    #[inline]
    fn place(&self, group: u32) -> u32 {
        let place = self.places.and_then(|places| places.get(((group ^ self.mixed) & 63) as usize));
        u32::from(place.copied().unwrap_or(0))
    }
}

/// The rank of a group where groups are many: the hash of the unit leads to a sequence, the group to a place in it.
fn among_many(hash: u64, group: u32) -> u64 {
    let mut state = hash.wrapping_add(u64::from(group).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    (next(&mut state) & !GROUP_BITS) | u64::from(group)
}

/// The groups of one unit at a time, and those that are kept.
pub(crate) struct Chooser {
    ranks: Ranks,
    max_groups: usize,
    /// The group of rows that are not kept.
    nowhere: u32,
    /// Where groups are many, for each the number of the last unit that was there and is kept there.
    last: Vec<u64>,
    /// The number of the current unit, from 1.
    unit: u64,
    own: Vec<u64>,
}

impl Chooser {
    /// For units that are kept in at most `max_groups` of so many groups.
    pub(crate) fn new(ranks: Ranks, max_groups: usize, groups: u32) -> Self {
        Self { ranks, max_groups, nowhere: groups, last: vec![0; groups as usize], unit: 0, own: Vec::new() }
    }

    /// Sends a unit's rows of the groups in which it is not kept nowhere, where some may be before, too. `kept` is told each
    /// group in which it is kept, once.
    pub(crate) fn choose(&mut self, rows: &mut [u32], unit: &[u8; UNIT_BYTES], kept: impl FnMut(u32)) {
        if let Some(orders) = &self.ranks.orders {
            return self.among_few(orders, rows, unit, kept);
        }
        self.among_many(rows, unit, kept);
    }

    /// No group is looked at by itself: all groups of a unit are bits of one number, at their places in its order.
    fn among_few(&self, orders: &[[u8; 64]], rows: &mut [u32], unit: &[u8; UNIT_BYTES], mut kept: impl FnMut(u32)) {
        let own = Order::new(orders, self.ranks.key.hashed(unit));
        let bit = |group: u32| u64::from(group != self.nowhere).wrapping_shl(own.place(group));
        let present = rows.iter().fold(0, |set, group| set | bit(*group)).rotate_right(own.turn);
        let mut rest = present;
        for _ in 0..self.max_groups.min(64) {
            // Takes the lowest away.
            rest &= rest.wrapping_sub(1);
        }
        let stay = (present & !rest).rotate_left(own.turn);
        let mut untold = stay;
        for group in rows {
            if untold & bit(*group) != 0 {
                untold &= !bit(*group);
                kept(*group);
            }
            *group = if stay & bit(*group) != 0 { *group } else { self.nowhere };
        }
    }

    fn among_many(&mut self, rows: &mut [u32], unit: &[u8; UNIT_BYTES], mut kept: impl FnMut(u32)) {
        self.unit += 1;
        self.own.clear();
        for group in rows.iter() {
            if let Some(last) = self.last.get_mut(*group as usize).filter(|last| **last != self.unit) {
                *last = self.unit;
                self.own.push(u64::from(*group));
            }
        }
        if self.own.len() <= self.max_groups {
            return self.own.iter().for_each(|group| kept(*group as u32));
        }
        let hash = self.ranks.key.hashed(unit);
        self.own.iter_mut().for_each(|group| *group = among_many(hash, *group as u32));
        self.own.select_nth_unstable(self.max_groups);
        let group_of = |rank: u64| (rank & GROUP_BITS) as u32;
        let (stay, go) = self.own.split_at(self.max_groups);
        stay.iter().for_each(|rank| kept(group_of(*rank)));
        for rank in go {
            if let Some(last) = self.last.get_mut(group_of(*rank) as usize) {
                *last = 0;
            }
        }
        for group in rows {
            if self.last.get(*group as usize).is_none_or(|last| *last != self.unit) {
                *group = self.nowhere;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::indexing_slicing, reason = "tests")]

    use super::*;

    /// Few groups and many groups take two ways, on the same first six.
    const SIZES: [u32; 4] = [6, FEW, FEW + 1, 5_000];

    fn chooser_of(key: &SelectionKey, max: usize, groups: u32) -> Chooser {
        Chooser::new(Ranks::new(key, groups), max, groups)
    }

    fn chosen(chooser: &mut Chooser, unit: u8, mut rows: Vec<u32>) -> (Vec<u32>, Vec<u32>) {
        let mut kept = Vec::new();
        chooser.choose(&mut rows, &[unit; UNIT_BYTES], |group| kept.push(group));
        kept.sort_unstable();
        (rows, kept)
    }

    #[test]
    fn no_more_groups_are_kept_than_may_be_and_all_rows_of_these() {
        for (groups, max) in SIZES.iter().flat_map(|groups| (0..=6).map(|max| (*groups, max))) {
            let mut chooser = chooser_of(&SelectionKey::new([7; 16]), max, groups);
            for unit in 0..50 {
                let rows = vec![5, 0, 0, groups, 3, 5, groups - 1, 1];
                let (targets, kept) = chosen(&mut chooser, unit, rows.clone());
                assert_eq!(kept.len(), max.min(if groups == 6 { 4 } else { 5 }));
                let expected = rows.iter().map(|group| if kept.contains(group) { *group } else { groups });
                assert_eq!(targets, expected.collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn the_smallest_ranks_are_kept_whoever_came_before() {
        let key = SelectionKey::new([9; 16]);
        for groups in SIZES {
            let mut chooser = chooser_of(&key, 2, groups);
            let ranks = Ranks::new(&key, groups);
            for unit in 0..50 {
                let mut expected = vec![0, 2, 3, 4, 5];
                expected.sort_by_key(|group| ranks.of(&[unit; UNIT_BYTES], *group));
                expected.truncate(2);
                expected.sort_unstable();
                let (_, kept) = chosen(&mut chooser, unit, vec![4, 2, 3, 0, 5, 4]);
                assert_eq!(kept, expected);
                let (_, alone) = chosen(&mut chooser_of(&key, 2, groups), unit, vec![4, 2, 3, 0, 5, 4]);
                assert_eq!(kept, alone);
            }
        }
    }

    #[test]
    fn no_group_and_no_pair_of_groups_is_preferred() {
        for groups in SIZES {
            let mut chooser = chooser_of(&SelectionKey::new([1; 16]), 2, groups);
            let mut often = [[0_u32; 6]; 6];
            for unit in 0..30_000_u64 {
                let mut name = [0; UNIT_BYTES];
                name[..8].copy_from_slice(&unit.to_le_bytes());
                let mut kept = Vec::new();
                chooser.choose(&mut [0, 1, 2, 3, 4, 5], &name, |group| kept.push(group as usize));
                kept.sort_unstable();
                often[kept[0]][kept[1]] += 1;
            }
            let pairs = (0..6).flat_map(|a| (a + 1..6).map(move |b| (a, b)));
            // 2,000 of each of the 15 pairs are expected, with a standard deviation of 43.
            for (a, b) in pairs {
                assert!(often[a][b].abs_diff(2_000) < 215, "{groups}, {a} {b}: {often:?}");
            }
        }
    }
}
