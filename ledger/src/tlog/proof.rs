//! Inclusion and consistency proofs of an RFC 6962 tree: built over any source of nodes, verified purely.
//!
//! A proof for index `m` or size `m` in a tree of `n` leaves is at most 2·log2(n) hashes of 32 bytes and is built from as
//! many reads. Paths are as in RFC 6962 §2.1.1 and §2.1.2, verification as in RFC 9162 §2.1.3.2 and §2.1.4.2.

use crate::tree::node_hash;

/// A SHA-256 hash.
pub type Hash = [u8; 32];

/// The most hashes that a proof can have: two for each level of the largest tree.
pub const PROOF_MAX_HASHES: usize = 126;

/// The root of the tree without leaves: SHA-256 of nothing.
pub const EMPTY_ROOT: Hash = [
    0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27, 0xae, 0x41,
    0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
];

/// Why a proof was not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// The entry or the older tree is not within the tree.
    #[error("`{inner}` is not within a tree of `{size}` entries")]
    Range {
        /// The index or the older size.
        inner: u64,
        /// The size of the tree.
        size: u64,
    },
    /// The proof has too many or too few hashes for the place.
    #[error("the proof does not have the number of hashes that its place asks for")]
    Length,
    /// The hashes do not lead to the root.
    #[error("the proof does not lead to the root")]
    Root,
}

/// The hash over the leaves `low..high`, which must be the range of a node of some RFC 6962 tree.
fn range_hash<E>(nodes: &mut impl FnMut(u8, u64) -> Result<Hash, E>, low: u64, high: u64) -> Result<Hash, E> {
    let mut peaks = Vec::new();
    let mut at = low;
    while let Some(level) = (high - at).checked_ilog2() {
        let level = u8::try_from(level).unwrap_or(u8::MAX);
        peaks.push(nodes(level, at >> level)?);
        at += 1 << level;
    }
    Ok(peaks.into_iter().rev().reduce(|right, left| node_hash(&left, &right)).unwrap_or(EMPTY_ROOT))
}

/// The root of the tree of the first `size` leaves. `nodes(level, place)` gives the hash of the complete node over the
/// leaves `place * 2^level .. (place + 1) * 2^level`.
///
/// # Errors
/// What `nodes` answers.
pub fn root<E>(nodes: &mut impl FnMut(u8, u64) -> Result<Hash, E>, size: u64) -> Result<Hash, E> {
    range_hash(nodes, 0, size)
}

/// The largest power of two that is smaller than `length`, which is at least 2.
fn split(length: u64) -> u64 {
    1 << (length - 1).ilog2()
}

/// The proof that leaf `index` is in the tree of `size` leaves: RFC 6962's `PATH`, from the leaf's sibling upwards.
/// `index` must be below `size`; the proof of any other index is worth nothing.
///
/// # Errors
/// What `nodes` answers, as in [`root`].
pub fn inclusion<E>(nodes: &mut impl FnMut(u8, u64) -> Result<Hash, E>, index: u64, size: u64) -> Result<Vec<Hash>, E> {
    let (mut low, mut high) = (0, size);
    let mut from_root = Vec::new();
    while high - low > 1 {
        let middle = low + split(high - low);
        if index < middle {
            from_root.push(range_hash(nodes, middle, high)?);
            high = middle;
        } else {
            from_root.push(range_hash(nodes, low, middle)?);
            low = middle;
        }
    }
    from_root.reverse();
    Ok(from_root)
}

/// The proof that the tree of `old` leaves is the beginning of the tree of `new` leaves: RFC 6962's `PROOF`. Empty if the
/// older tree is empty or the sizes are equal. `old` must not be above `new`.
///
/// # Errors
/// What `nodes` answers, as in [`root`].
pub fn consistency<E>(nodes: &mut impl FnMut(u8, u64) -> Result<Hash, E>, old: u64, new: u64) -> Result<Vec<Hash>, E> {
    let mut from_root = Vec::new();
    if old == 0 || old >= new {
        return Ok(from_root);
    }
    let (mut low, mut high, mut on_left_edge) = (0, new, true);
    while old != high {
        let middle = low + split(high - low);
        if old <= middle {
            from_root.push(range_hash(nodes, middle, high)?);
            high = middle;
        } else {
            from_root.push(range_hash(nodes, low, middle)?);
            low = middle;
            on_left_edge = false;
        }
    }
    // The verifier knows the root of the older tree, and so this node if it is that root.
    if !on_left_edge {
        from_root.push(range_hash(nodes, low, high)?);
    }
    from_root.reverse();
    Ok(from_root)
}

/// A walk from a node on the way to the root: its place on its level, and the place of the level's last node.
struct Walk {
    place: u64,
    last: u64,
}

impl Walk {
    /// Steps up to the parent and tells whether the sibling was on the left.
    fn step(&mut self) -> Result<bool, ProofError> {
        if self.last == 0 {
            return Err(ProofError::Length);
        }
        let is_right = self.place & 1 == 1;
        let sibling_on_left = is_right || self.place == self.last;
        // The last node of a level, where it is a left one, has no sibling and rises until it is a right one.
        let rise = if sibling_on_left && !is_right { self.place.trailing_zeros() } else { 0 };
        self.place = self.place >> rise >> 1;
        self.last = self.last >> rise >> 1;
        Ok(sibling_on_left)
    }

    fn end(&self, leads_to_root: bool) -> Result<(), ProofError> {
        match (self.last == 0, leads_to_root) {
            (false, _) => Err(ProofError::Length),
            (true, false) => Err(ProofError::Root),
            (true, true) => Ok(()),
        }
    }
}

/// Checks that the leaf with hash `leaf` is number `index` of the tree of `size` leaves with root `root`.
///
/// # Errors
/// [`ProofError`].
pub fn verify_inclusion(leaf: Hash, index: u64, size: u64, proof: &[Hash], root: Hash) -> Result<(), ProofError> {
    if index >= size {
        return Err(ProofError::Range { inner: index, size });
    }
    let mut walk = Walk { place: index, last: size - 1 };
    let mut hash = leaf;
    for sibling in proof {
        hash = if walk.step()? { node_hash(sibling, &hash) } else { node_hash(&hash, sibling) };
    }
    walk.end(hash == root)
}

/// Checks that the tree of `old` leaves with root `old_root` is the beginning of that of `new` leaves with `new_root`.
///
/// # Errors
/// [`ProofError`].
pub fn verify_consistency(
    old: u64,
    old_root: Hash,
    new: u64,
    new_root: Hash,
    proof: &[Hash],
) -> Result<(), ProofError> {
    if old > new {
        return Err(ProofError::Range { inner: old, size: new });
    }
    if old == 0 || old == new {
        let empty_stands = old > 0 || old_root == EMPTY_ROOT;
        let same_stands = old < new || old_root == new_root;
        let end = Walk { place: 0, last: u64::from(!proof.is_empty()) };
        return end.end(empty_stands && same_stands);
    }
    // A complete older tree is itself the node that the walk starts from, and the proof leaves it out.
    let (first, rest) = if old.is_power_of_two() {
        (old_root, proof)
    } else {
        let (first, rest) = proof.split_first().ok_or(ProofError::Length)?;
        (*first, rest)
    };
    let rise = (old - 1).trailing_ones();
    let mut walk = Walk { place: (old - 1) >> rise, last: (new - 1) >> rise };
    let (mut old_hash, mut new_hash) = (first, first);
    for sibling in rest {
        if walk.step()? {
            old_hash = node_hash(sibling, &old_hash);
            new_hash = node_hash(sibling, &new_hash);
        } else {
            new_hash = node_hash(&new_hash, sibling);
        }
    }
    walk.end(old_hash == old_root && new_hash == new_root)
}
