//! What the ledger publishes: checkpoints, tiles, bundles, proofs and the exported directory, over a growing log.

use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use glovebox_ledger::LedgerError;
use glovebox_ledger::tlog::checkpoint::Checkpoint;
use glovebox_ledger::tlog::export::{self, ExportError};
use glovebox_ledger::tlog::offline::{verify_directory, verify_growth, verify_proof};
use glovebox_ledger::tlog::proof::{Hash, verify_consistency};
use glovebox_ledger::tlog::tile::{Tile, TileKind, decode_bundle, decode_hashes};
use glovebox_policy::{Cost, Role};

use crate::support::{Fixture, cost, order, person, seal};

/// Every file below `dir` with its bytes, by path.
pub(crate) fn files(dir: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(dir).unwrap().to_str().unwrap().to_owned();
                found.push((name, fs::read(&path).unwrap()));
            }
        }
    }
    found.sort();
    found
}

/// A ledger with `size` log entries.
pub(crate) fn grown(size: u64) -> Fixture {
    let f = Fixture::new(Cost::ZERO);
    for n in f.ledger.tree_head().unwrap().size..size {
        f.ledger.add_person(&person(&format!("p{n}"), Role::Analyst)).unwrap();
    }
    assert_eq!(f.ledger.tree_head().unwrap().size, size);
    f
}

#[test]
fn a_checkpoint_is_signed_and_tells_the_head() {
    let f = grown(9);
    let note = f.ledger.checkpoint().unwrap();
    let head = f.ledger.tree_head().unwrap();
    let read = Checkpoint::verify(note.as_bytes(), f.ledger.verifier_key()).unwrap();
    assert_eq!((read.origin.as_str(), read.size, read.root), ("bureau.example/log", head.size, head.root));
    assert_eq!(note.lines().collect::<Vec<_>>()[..4], ["bureau.example/log", "9", &STANDARD.encode(head.root), ""]);
    assert!(note.lines().nth(4).unwrap().starts_with("— bureau.example/log ") && note.lines().count() == 5);
    assert_eq!(f.ledger.checkpoint().unwrap(), note, "one head, one checkpoint");
    assert_eq!(f.ledger.verifier_key(), seal().verifier_key());
}

#[test]
fn every_entry_of_every_size_is_proven_and_every_growth() {
    let f = Fixture::new(Cost::ZERO);
    let mut heads = Vec::new();
    for n in 0..40 {
        let (head, note) = (f.ledger.tree_head().unwrap(), f.ledger.checkpoint().unwrap());
        for (index, entry) in f.ledger.entries(0, 1000).unwrap().into_iter().enumerate() {
            let proof = f.ledger.log_proof(index as u64).unwrap();
            let proven = verify_proof(proof.as_bytes(), Some(&entry), f.ledger.verifier_key()).unwrap();
            assert_eq!((proven.index, proven.checkpoint.size), (index as u64, head.size));
            assert_eq!(verify_proof(proof.as_bytes(), None, f.ledger.verifier_key()).unwrap().entry, entry);
        }
        let beyond = f.ledger.log_proof(head.size);
        assert!(matches!(beyond, Err(LedgerError::Unknown { kind: "log entry", .. })), "{beyond:?}");
        heads.push((head, note));
        for (old, old_note) in &heads {
            let proof = f.ledger.prove_consistency(old.size, head.size).unwrap();
            verify_consistency(old.size, old.root, head.size, head.root, &proof).unwrap();
            let new_note = &heads.last().unwrap().1;
            let key = f.ledger.verifier_key();
            verify_growth(old_note.as_bytes(), new_note.as_bytes(), &proof, key).unwrap();
        }
        f.ledger.add_person(&person(&format!("p{n}"), Role::Analyst)).unwrap();
    }
    assert!(f.ledger.log_proof(u64::MAX).is_err());
    for (old, new) in [(2, 1), (0, 1000), (u64::MAX, u64::MAX)] {
        assert!(matches!(f.ledger.prove_consistency(old, new), Err(LedgerError::Conflict(_))), "{old} {new}");
    }
}

#[test]
fn tiles_and_bundles_hold_the_entries_and_their_nodes() {
    let f = grown(530);
    let (leaves, entries) = (f.ledger.leaf_hashes(0, 1000).unwrap(), f.ledger.entries(0, 1000).unwrap());
    let node = |level: u32, place: usize| -> Hash {
        let width = 1 << level;
        let mut below: Vec<Hash> = leaves[place * width..(place + 1) * width].to_vec();
        while below.len() > 1 {
            let parent = |pair: &[Hash]| glovebox_policy::Digest::of(&[&[1], pair.concat().as_slice()].concat());
            below = below.chunks(2).map(|pair| *parent(pair).as_bytes()).collect();
        }
        below[0]
    };
    for tile in Tile::all_of(530) {
        let bytes = f.ledger.tile_bytes(&tile).unwrap().unwrap();
        let start = tile.index() as usize * 256;
        match tile.kind() {
            TileKind::Entries => {
                assert_eq!(decode_bundle(&bytes).unwrap(), entries[start..start + tile.width() as usize]);
                assert_eq!(f.ledger.entry_bundle(tile.index(), tile.width()).unwrap(), Some(bytes));
            }
            TileKind::Hashes { level } => {
                let hashes: Vec<Hash> =
                    (0..tile.width() as usize).map(|i| node(8 * u32::from(level), start + i)).collect();
                assert_eq!(decode_hashes(&bytes).unwrap(), hashes, "{tile}");
                assert_eq!(f.ledger.tile(level, tile.index(), tile.width()).unwrap(), Some(bytes));
            }
        }
    }
    // An earlier checkpoint's partial tile stays to be had; what is not there yet is not.
    assert_eq!(f.ledger.tile(0, 0, 3).unwrap(), Some(leaves[..3].concat()));
    for (level, index, width) in
        [(0, 2, 19), (1, 0, 3), (2, 0, 1), (7, 0, 1), (63, 0, 1), (64, 0, 1), (0, 0, 257), (0, 0, 0)]
    {
        assert_eq!(f.ledger.tile(level, index, width).unwrap(), None, "{level} {index} {width}");
    }
    assert_eq!((f.ledger.entry_bundle(2, 19).unwrap(), f.ledger.entry_bundle(u64::MAX, 1).unwrap()), (None, None));
    export_verifies(&f);
}

/// Exports the log, checks the directory, and that a second export is the same.
fn export_verifies(f: &Fixture) {
    let out = tempfile::tempdir().unwrap();
    let (first, second) = (out.path().join("a/log"), out.path().join("b"));
    let head = f.ledger.export_log(&first).unwrap();
    assert_eq!(verify_directory(&first, f.ledger.verifier_key(), None).unwrap(), head);
    f.ledger.export_log(&second).unwrap();
    assert_eq!(files(&first), files(&second));
    assert!(matches!(f.ledger.export_log(&second), Err(ExportError::NotEmpty(_))));
    let names: Vec<String> = files(&first).into_iter().map(|(name, _)| name).collect();
    let mut expected: Vec<String> = Tile::all_of(head.size).map(|tile| tile.to_string()).collect();
    expected.extend([export::CHECKPOINT_FILE.to_owned(), export::KEY_FILE.to_owned()]);
    expected.sort();
    assert_eq!(names, expected);
    // The verifier key is for convenience and may be left out.
    fs::remove_file(first.join(export::KEY_FILE)).unwrap();
    verify_directory(&first, f.ledger.verifier_key(), None).unwrap();
}

#[test]
fn exports_of_small_logs_verify() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = glovebox_ledger::Ledger::create(&dir.path().join("l"), seal()).unwrap();
    let head = ledger.export_log(&dir.path().join("empty")).unwrap();
    assert_eq!(head.size, 0);
    verify_directory(&dir.path().join("empty"), ledger.verifier_key(), None).unwrap();
    let f = Fixture::with_contract(cost(10, 0));
    export_verifies(&f);
    f.answer(&order("c1", 1, cost(4, 0)), b"answer");
    export_verifies(&f);
}

#[test]
fn a_missing_node_is_found_and_no_proof_made_up() {
    let f = grown(12);
    let conn = rusqlite::Connection::open(f.path()).unwrap();
    conn.execute_batch("DROP TRIGGER log_node_no_delete; DELETE FROM log_node WHERE level = 2 AND place = 1").unwrap();
    assert!(matches!(f.ledger.log_proof(0), Err(LedgerError::Corrupt(_))));
    assert!(matches!(f.ledger.prove_consistency(4, 12), Err(LedgerError::Corrupt(_))));
    assert!(f.ledger.log_proof(8).is_ok(), "needs the nodes over 8..12 and 0..8 only");
}
