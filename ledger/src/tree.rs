//! The RFC 6962 Merkle tree over the log's entries, kept as a frontier.
//!
//! A leaf is `SHA-256(0x00 || entry)`, an inner node `SHA-256(0x01 || left || right)`, the root of nothing
//! `SHA-256("")`. Appending needs only the frontier: the roots of the maximal complete subtrees, largest first, one for
//! each set bit of the size. Every inner node is complete from the append of its last leaf on and never changes again;
//! [`Frontier::push`] hands them out, so that they can be stored and proofs and tiles read a few of them only.

use ring::digest::{Context, SHA256};

/// A SHA-256 hash.
pub(crate) type Hash = [u8; 32];

fn sha256(parts: &[&[u8]]) -> Hash {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(part);
    }
    let mut out = [0; 32];
    out.copy_from_slice(context.finish().as_ref());
    out
}

/// The hash of one entry.
pub(crate) fn leaf_hash(entry: &[u8]) -> Hash {
    sha256(&[&[0], entry])
}

/// The hash of an inner node over its two children.
pub(crate) fn node_hash(left: &Hash, right: &Hash) -> Hash {
    sha256(&[&[1], left, right])
}

/// A tree of which only the right edge is kept.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Frontier {
    size: u64,
    peaks: Vec<Hash>,
}

impl Frontier {
    /// A frontier as it was stored; `None` if the bytes do not fit the size.
    pub(crate) fn from_stored(size: u64, bytes: &[u8]) -> Option<Self> {
        let (peaks, rest) = bytes.as_chunks::<32>();
        let whole = rest.is_empty() && u32::try_from(peaks.len()).ok() == Some(size.count_ones());
        whole.then(|| Self { size, peaks: peaks.to_vec() })
    }

    /// The peaks, largest first, 32 bytes each.
    pub(crate) fn to_stored(&self) -> Vec<u8> {
        self.peaks.concat()
    }

    /// How many leaves there are.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// Appends a leaf: merges as many peaks as the size has trailing ones. Gives the inner nodes that are complete now,
    /// from level 1 upwards; on level `l` the node's place is the leaf's number shifted right by `l`.
    pub(crate) fn push(&mut self, leaf: Hash) -> Vec<Hash> {
        let mut node = leaf;
        let mut completed = Vec::new();
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.peaks.pop() {
                node = node_hash(&left, &node);
                completed.push(node);
            }
        }
        self.peaks.push(node);
        self.size += 1;
        completed
    }

    /// The root of the whole tree.
    pub(crate) fn root(&self) -> Hash {
        let mut smallest_first = self.peaks.iter().rev();
        match smallest_first.next() {
            Some(smallest) => smallest_first.fold(*smallest, |right, left| node_hash(left, &right)),
            None => sha256(&[]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The recursive definition of RFC 6962 §2.1, word for word.
    fn naive_root(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => sha256(&[]),
            [one] => *one,
            many => {
                let (left, right) = many.split_at(many.len().next_power_of_two() / 2);
                node_hash(&naive_root(left), &naive_root(right))
            }
        }
    }

    #[test]
    fn frontier_equals_the_recursive_definition() {
        let mut frontier = Frontier::default();
        let mut leaves = Vec::new();
        for n in 0..300_u32 {
            assert_eq!(frontier.root(), naive_root(&leaves), "size {n}");
            let stored = Frontier::from_stored(frontier.size(), &frontier.to_stored());
            assert_eq!(stored.as_ref(), Some(&frontier));
            let leaf = leaf_hash(&n.to_be_bytes());
            leaves.push(leaf);
            for (level, node) in (1..).zip(frontier.push(leaf)) {
                let last = leaves.len();
                assert_eq!(Some(node), leaves.get(last - (1 << level)..).map(naive_root), "level {level} at {last}");
            }
        }
    }

    #[test]
    fn roots_of_the_certificate_transparency_test_vectors() {
        let inputs: [&[u8]; 4] = [b"", b"\x00", b"\x10", b"\x20\x21"];
        let roots = [
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
            "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ];
        let mut frontier = Frontier::default();
        for (n, root) in roots.iter().enumerate() {
            assert_eq!(hex::encode(frontier.root()), *root);
            if let Some(input) = inputs.get(n) {
                frontier.push(leaf_hash(input));
            }
        }
    }

    #[test]
    fn a_frontier_that_does_not_fit_its_size_is_refused() {
        assert_eq!(Frontier::from_stored(3, &[0; 32]), None);
        assert_eq!(Frontier::from_stored(1, &[0; 33]), None);
        assert!(Frontier::from_stored(4, &[0; 32]).is_some());
    }
}
