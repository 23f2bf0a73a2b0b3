//! Proofs against another implementation (`ct-merkle`), and that a wrong one is refused.

use std::collections::BTreeMap;

use ct_merkle::mem_backed_tree::MemoryBackedTree;
use glovebox_ledger::tlog::proof::{
    EMPTY_ROOT, Hash, ProofError, consistency, inclusion, root, verify_consistency, verify_inclusion,
};
use proptest::prelude::*;
use sha2::{Digest as _, Sha256};

type Oracle = MemoryBackedTree<Sha256, Vec<u8>>;

fn sha256(parts: &[&[u8]]) -> Hash {
    parts.iter().fold(Sha256::new(), |hasher, part| hasher.chain_update(part)).finalize().into()
}

/// A source of nodes that computes each by the definition, and counts how often it is asked.
struct Source {
    leaves: Vec<Vec<u8>>,
    known: BTreeMap<(u8, u64), Hash>,
    reads: usize,
}

impl Source {
    fn new(size: u64) -> Self {
        let leaves = (0..size).map(|n| format!("leaf {n}").into_bytes()).collect();
        Self { leaves, known: BTreeMap::new(), reads: 0 }
    }

    fn node(&mut self, level: u8, place: u64) -> Hash {
        if let Some(known) = self.known.get(&(level, place)) {
            return *known;
        }
        let node = if level == 0 {
            sha256(&[&[0], &self.leaves[place as usize]])
        } else {
            let (left, right) = (self.node(level - 1, 2 * place), self.node(level - 1, 2 * place + 1));
            sha256(&[&[1], &left, &right])
        };
        self.known.insert((level, place), node);
        node
    }

    fn read(&mut self) -> impl FnMut(u8, u64) -> Result<Hash, std::convert::Infallible> {
        |level, place| {
            self.reads += 1;
            Ok(self.node(level, place))
        }
    }

    fn root(&mut self, size: u64) -> Hash {
        let Ok(root) = root(&mut self.read(), size);
        root
    }

    fn inclusion(&mut self, index: u64, size: u64) -> Vec<Hash> {
        let Ok(proof) = inclusion(&mut self.read(), index, size);
        proof
    }

    fn consistency(&mut self, old: u64, new: u64) -> Vec<Hash> {
        let Ok(proof) = consistency(&mut self.read(), old, new);
        proof
    }
}

/// The other implementation's tree at each size up to `size`.
fn oracles(source: &Source) -> Vec<Oracle> {
    let tree = |size| {
        let mut tree = Oracle::new();
        source.leaves[..size].iter().for_each(|leaf| tree.push(leaf.clone()));
        tree
    };
    (0..=source.leaves.len()).map(tree).collect()
}

#[test]
fn roots_and_inclusion_proofs_agree_with_ct_merkle() {
    let mut source = Source::new(130);
    assert_eq!(source.root(0), EMPTY_ROOT);
    for (size, oracle) in oracles(&source).iter().enumerate().skip(1) {
        let size = size as u64;
        let root = source.root(size);
        assert_eq!(oracle.root().as_bytes().as_slice(), root, "size {size}");
        for index in 0..size {
            let proof = source.inclusion(index, size);
            assert_eq!(proof.concat(), oracle.prove_inclusion(index as usize).as_bytes(), "{index} in {size}");
            verify_inclusion(source.node(0, index), index, size, &proof, root).unwrap();
        }
    }
}

#[test]
fn consistency_proofs_agree_with_ct_merkle() {
    let mut source = Source::new(130);
    for (new, oracle) in oracles(&source).iter().enumerate().skip(1) {
        for old in 1..=new {
            let proof = source.consistency(old as u64, new as u64);
            assert_eq!(proof.concat(), oracle.prove_consistency(new - old).as_bytes(), "{old} to {new}");
            let (old_root, new_root) = (source.root(old as u64), source.root(new as u64));
            verify_consistency(old as u64, old_root, new as u64, new_root, &proof).unwrap();
        }
    }
}

#[test]
fn larger_trees_agree_with_ct_merkle() {
    let mut source = Source::new(5000);
    for size in [255, 256, 257, 1000, 4095, 4096, 4097, 5000_u64] {
        let mut oracle = Oracle::new();
        source.leaves[..size as usize].iter().for_each(|leaf| oracle.push(leaf.clone()));
        assert_eq!(oracle.root().as_bytes().as_slice(), source.root(size));
        for place in (0..size).step_by(97).chain([size - 1]) {
            assert_eq!(source.inclusion(place, size).concat(), oracle.prove_inclusion(place as usize).as_bytes());
            let additions = (size - place).min(size - 1);
            let proof = source.consistency(size - additions, size);
            assert_eq!(proof.concat(), oracle.prove_consistency(additions as usize).as_bytes());
        }
    }
}

/// The proofs of the reference tree of RFC 6962 §2.1.3 (seven leaves), by the names of its nodes.
#[test]
fn the_examples_of_rfc_6962_have_these_nodes() {
    let mut source = Source::new(7);
    let (b, c, d) = (source.node(0, 1), source.node(0, 2), source.node(0, 3));
    let (f, g, h) = (source.node(1, 0), source.node(0, 4), source.node(1, 1));
    let (i, j, k) = (source.node(1, 2), source.node(0, 6), source.node(2, 0));
    let e5 = source.node(0, 5);
    let l = sha256(&[&[1], &i, &j]);
    assert_eq!(source.inclusion(0, 7), [b, h, l]);
    assert_eq!(source.inclusion(3, 7), [c, f, l]);
    assert_eq!(source.inclusion(4, 7), [e5, j, k]);
    assert_eq!(source.inclusion(6, 7), [i, k]);
    assert_eq!(source.consistency(3, 7), [c, d, f, l]);
    assert_eq!(source.consistency(4, 7), [l]);
    assert_eq!(source.consistency(6, 7), [i, j, k]);
    assert_ne!(g, e5);
}

#[test]
fn a_proof_holds_for_its_place_and_hashes_only() {
    let mut source = Source::new(20);
    for size in 1..=20 {
        let root = source.root(size);
        for index in 0..size {
            let proof = source.inclusion(index, size);
            let leaf = source.node(0, index);
            let refused = |leaf, index, size, proof: &[Hash], root| {
                assert!(verify_inclusion(leaf, index, size, proof, root).is_err(), "{index} in {size}");
            };
            refused([0; 32], index, size, &proof, root);
            refused(leaf, index, size, &proof, [0; 32]);
            refused(leaf, size, size, &proof, root);
            for other in (0..size).filter(|other| *other != index) {
                refused(leaf, other, size, &proof, root);
            }
            for at in 0..proof.len() {
                let mut changed = proof.clone();
                changed[at][at] ^= 1;
                refused(leaf, index, size, &changed, root);
                let mut shorter = proof.clone();
                shorter.remove(at);
                refused(leaf, index, size, &shorter, root);
            }
            refused(leaf, index, size, &[proof.as_slice(), &[root]].concat(), root);
        }
        for old in 0..=size {
            let (old_root, proof) = (source.root(old), source.consistency(old, size));
            let refused = |old, old_root, new_root, proof: &[Hash]| {
                assert!(verify_consistency(old, old_root, size, new_root, proof).is_err(), "{old} to {size}");
            };
            verify_consistency(old, old_root, size, root, &proof).unwrap();
            refused(old, [0; 32], root, &proof);
            if old > 0 {
                refused(old, old_root, [0; 32], &proof);
            }
            refused(size + 1, old_root, root, &proof);
            for at in 0..proof.len() {
                let mut changed = proof.clone();
                changed[at][at] ^= 1;
                refused(old, old_root, root, &changed);
                let mut shorter = proof.clone();
                shorter.remove(at);
                refused(old, old_root, root, &shorter);
            }
            refused(old, old_root, root, &[proof.as_slice(), &[root]].concat());
        }
    }
}

proptest! {
    #[test]
    fn proofs_of_any_size_are_short_and_verify(size in 1_u64..1 << 62, place in any::<u64>()) {
        // Every node of a level has the same hash here, so that trees of any size can be asked about.
        let mut level_hashes = vec![[7; 32]];
        for level in 0..62 {
            let below: Hash = level_hashes[level];
            level_hashes.push(sha256(&[&[1], &below, &below]));
        }
        let mut reads = 0;
        let mut node = |level: u8, _: u64| {
            reads += 1;
            Ok::<_, ()>(level_hashes[usize::from(level)])
        };
        let index = place % size;
        let head = root(&mut node, size).unwrap();
        let older = root(&mut node, index).unwrap();
        let included = inclusion(&mut node, index, size).unwrap();
        let grown = consistency(&mut node, index, size).unwrap();
        verify_inclusion([7; 32], index, size, &included, head).unwrap();
        verify_consistency(index, older, size, head, &grown).unwrap();
        prop_assert!(reads <= 6 * 62, "{reads} reads");
        prop_assert!(included.len() <= 62 && grown.len() <= 63);
    }

    #[test]
    fn any_numbers_are_refused_without_a_panic(
        (inner, size) in any::<(u64, u64)>(),
        proof in proptest::collection::vec(any::<Hash>(), 0..130),
        (leaf, root) in any::<(Hash, Hash)>(),
    ) {
        prop_assert!(verify_inclusion(leaf, inner, size, &proof, root).is_err());
        prop_assert!(verify_consistency(inner, leaf, size, root, &proof).is_err() || (inner == size && leaf == root));
        let beyond = verify_inclusion(leaf, u64::MAX, u64::MAX, &proof, root);
        prop_assert_eq!(beyond, Err(ProofError::Range { inner: u64::MAX, size: u64::MAX }));
        let _ = verify_inclusion(leaf, u64::MAX - 1, u64::MAX, &proof, root);
        let _ = verify_consistency(u64::MAX - 1, leaf, u64::MAX, root, &proof);
    }
}
