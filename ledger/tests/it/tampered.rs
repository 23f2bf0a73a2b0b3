//! What offline verification finds: any changed byte, missing or foreign file, rewritten or shortened log.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use glovebox_ledger::tlog::checkpoint::Checkpoint;
use glovebox_ledger::tlog::export;
use glovebox_ledger::tlog::note::VerifierKey;
use glovebox_ledger::tlog::offline::{Fault, LogFault, verify_directory, verify_proof};
use glovebox_ledger::tlog::proof::Hash;
use glovebox_ledger::tlog::tile::{TileKind, encode_bundle};
use glovebox_ledger::tlog::tlog_proof::{TlogProof, TlogProofError};
use glovebox_policy::{Cost, Digest};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use ring::signature::Ed25519KeyPair;

use crate::published::{files, grown};
use crate::support::{Fixture, cost, order, seal};

/// The verifier key of every log of these tests.
fn key() -> &'static VerifierKey {
    static KEY: LazyLock<VerifierKey> = LazyLock::new(|| seal().verifier_key().clone());
    &KEY
}

/// A log's directory with one file changed, for as long as `check` looks at it.
fn with_change(dir: &Path, name: &str, bytes: &[u8], check: impl FnOnce(Result<Checkpoint, LogFault>)) {
    let path = dir.join(name);
    let before = fs::read(&path).unwrap();
    put(&path, bytes);
    check(verify_directory(dir, key(), None));
    put(&path, &before);
}

/// Overwrites a file in place: some file systems flush one that is cut off and written again, and that takes long.
fn put(path: &Path, bytes: &[u8]) {
    let mut file = fs::OpenOptions::new().write(true).open(path).unwrap();
    file.write_all(bytes).unwrap();
    file.set_len(bytes.len() as u64).unwrap();
}

fn exported(f: &Fixture) -> PathBuf {
    let dir = f.dir.path().join("export");
    f.ledger.export_log(&dir).unwrap();
    dir
}

#[test]
fn any_changed_byte_of_a_small_log_is_found() {
    let f = Fixture::with_contract(cost(10, 0));
    f.answer(&order("c1", 1, cost(4, 0)), b"answer");
    let dir = exported(&f);
    for (name, bytes) in files(&dir) {
        for at in 0..bytes.len() {
            for flip in [0x01, 0x20, 0x80] {
                let mut changed = bytes.clone();
                changed[at] ^= flip;
                with_change(&dir, &name, &changed, |found| {
                    let fault = found.expect_err(&format!("byte {at} of {name}, {flip:#x}"));
                    // A leaf and its hash accuse each other; every other fault lies in the file that is named.
                    assert!(fault.file == name || matches!(fault.what, Fault::Leaf { .. }), "{name}: {fault}");
                });
            }
        }
        for shorter in [0, 1, bytes.len() / 2, bytes.len() - 1] {
            with_change(&dir, &name, &bytes[..shorter], |found| assert!(found.is_err(), "{name} cut to {shorter}"));
        }
        let longer = [bytes.as_slice(), &bytes].concat();
        with_change(&dir, &name, &longer, |found| assert!(found.is_err(), "{name} twice"));
    }
    verify_directory(&dir, key(), None).unwrap();
}

#[test]
fn any_changed_byte_of_a_larger_log_is_found() {
    let out = tempfile::tempdir().unwrap();
    let dir = out.path().join("log");
    forged(&dir, 300, |_, _| {});
    let all = files(&dir);
    let strategy = (0..all.len(), any::<prop::sample::Index>(), 1..=255_u8);
    let config = Config { cases: 300, failure_persistence: None, ..Config::default() };
    TestRunner::new(config)
        .run(&strategy, |(file, at, flip)| {
            let (name, bytes) = &all[file];
            let mut changed = bytes.clone();
            changed[at.index(bytes.len())] ^= flip;
            with_change(&dir, name, &changed, |found| assert!(found.is_err(), "{name}"));
            Ok(())
        })
        .unwrap();
}

#[test]
fn missing_and_foreign_files_are_found() {
    let out = tempfile::tempdir().unwrap();
    let dir = out.path().join("log");
    forged(&dir, 258, |_, _| {});
    for (name, bytes) in files(&dir).into_iter().filter(|(name, _)| name != export::KEY_FILE) {
        fs::remove_file(dir.join(&name)).unwrap();
        let fault = verify_directory(&dir, key(), None).unwrap_err();
        assert!(fault.file == name && matches!(fault.what, Fault::Read(_)), "{fault}");
        fs::write(dir.join(&name), bytes).unwrap();
    }
    for name in
        ["more", "tile/0/001.p/1", "tile/0/002", "tile/1/000", "tile/2/000.p/1", "tile/entries/x", "checkpoint.old"]
    {
        fs::create_dir_all(dir.join(name).parent().unwrap()).unwrap();
        fs::write(dir.join(name), b"").unwrap();
        let fault = verify_directory(&dir, key(), None).unwrap_err();
        assert!(fault.file == name && matches!(fault.what, Fault::Unexpected), "{fault}");
        fs::remove_file(dir.join(name)).unwrap();
    }
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("checkpoint", dir.join("link")).unwrap();
        let fault = verify_directory(&dir, key(), None).unwrap_err();
        assert!(matches!(fault.what, Fault::Unexpected), "{fault}");
        fs::remove_file(dir.join("link")).unwrap();
    }
    let other = VerifierKey::new("bureau.example/other", *key().public_key()).unwrap();
    assert!(matches!(verify_directory(&dir, &other, None).unwrap_err().what, Fault::Checkpoint(_)));
    assert!(verify_directory(&dir.join("absent"), key(), None).is_err());
}

#[test]
fn a_log_continues_its_earlier_checkpoints_and_no_other() {
    let f = Fixture::new(Cost::ZERO);
    let mut notes = vec![f.ledger.checkpoint().unwrap()];
    for n in 0..6 {
        f.ledger.add_person(&crate::support::person(&format!("p{n}"), glovebox_policy::Role::Analyst)).unwrap();
        notes.push(f.ledger.checkpoint().unwrap());
    }
    let dir = exported(&f);
    let file = f.dir.path().join("earlier");
    let verify = |note: &str| {
        fs::write(&file, note).unwrap();
        verify_directory(&dir, key(), Some(&file))
    };
    for note in &notes {
        verify(note).unwrap();
    }
    // Another history under the same key: what a restored or forked ledger would sign.
    let other = grown(6);
    let fault = verify(&other.ledger.checkpoint().unwrap()).unwrap_err();
    assert!(matches!(fault.what, Fault::Rewritten) && fault.file == file.display().to_string(), "{fault}");
    let longer = grown(30);
    let fault = verify(&longer.ledger.checkpoint().unwrap()).unwrap_err();
    assert!(matches!(fault.what, Fault::Shrunk { earlier: 30, now: 11 }), "{fault}");
    assert!(matches!(verify("no note").unwrap_err().what, Fault::Checkpoint(_)));
}

/// A log made in memory, apart from the product's code, with `size` entries that `change` may alter.
fn forged(dir: &Path, size: u64, change: impl Fn(u64, &mut BTreeMap<&'static str, serde_json::Value>)) {
    let sha256 = |parts: &[&[u8]]| *Digest::of(&parts.concat()).as_bytes();
    let mut levels: Vec<Vec<Hash>> = vec![Vec::new()];
    let mut entries = Vec::new();
    let root = |levels: &[Vec<Hash>]| {
        let lone = levels.iter().filter(|level| level.len() % 2 == 1).map(|level| *level.last().unwrap());
        lone.reduce(|right, left| sha256(&[&[1], &left, &right])).unwrap_or_else(|| sha256(&[]))
    };
    for seq in 0..size {
        let mut fields = BTreeMap::from([
            ("kind", "person".into()),
            ("nonce", hex::encode(sha256(&[&seq.to_be_bytes()])).into()),
            ("prev", hex::encode(root(&levels)).into()),
            ("seq", seq.into()),
        ]);
        change(seq, &mut fields);
        let entry = serde_json::to_vec(&fields).unwrap();
        levels[0].push(sha256(&[&[0], &entry]));
        entries.push(entry);
        for level in 0.. {
            if levels[level].len() % 2 == 1 {
                break;
            }
            let pair = levels[level][levels[level].len() - 2..].concat();
            if levels.len() == level + 1 {
                levels.push(Vec::new());
            }
            levels[level + 1].push(sha256(&[&[1], &pair]));
        }
    }
    let head = Checkpoint { origin: "bureau.example/log".to_owned(), size, root: root(&levels) };
    let pair = Ed25519KeyPair::from_seed_unchecked(&[9; 32]).unwrap();
    let signature = [&key().id(), pair.sign(head.text().as_bytes()).as_ref()].concat();
    let signature = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, signature);
    let note = format!("{}\n— bureau.example/log {signature}\n", head.text());
    export::write(dir, &note, key(), &mut |tile| {
        let from = tile.index() as usize * 256;
        let range = from..from + usize::from(tile.width());
        Ok::<_, std::io::Error>(match tile.kind() {
            TileKind::Entries => encode_bundle(&entries[range]).unwrap(),
            TileKind::Hashes { level } => levels[8 * usize::from(level)][range].concat(),
        })
    })
    .unwrap();
}

#[test]
fn a_log_with_three_levels_of_tiles_verifies() {
    let out = tempfile::tempdir().unwrap();
    let dir = out.path().join("log");
    forged(&dir, 65_793, |_, _| {});
    assert_eq!(verify_directory(&dir, key(), None).unwrap().size, 65_793);
    assert_eq!(fs::read(dir.join("tile/2/000.p/1")).unwrap().len(), 32);
    for name in ["tile/1/000", "tile/2/000.p/1"] {
        let mut changed = fs::read(dir.join(name)).unwrap();
        changed[31] ^= 1;
        with_change(&dir, name, &changed, |found| {
            let fault = found.unwrap_err();
            assert!(fault.file == name && matches!(fault.what, Fault::Hashes), "{fault}");
        });
    }
}

#[test]
fn a_signed_log_of_unsound_entries_is_refused() {
    // The key's holder signs anything: the entries themselves must still follow from each other.
    type Change = fn(u64, &mut BTreeMap<&'static str, serde_json::Value>);
    let changes: [(&str, Change); 6] = [
        ("another number", |seq, fields| drop((seq == 3).then(|| fields.insert("seq", 4.into())))),
        ("no number", |seq, fields| drop((seq == 3).then(|| fields.remove("seq")))),
        ("another predecessor", |seq, fields| drop((seq == 3).then(|| fields.insert("prev", "00".repeat(32).into())))),
        ("no nonce", |seq, fields| drop((seq == 3).then(|| fields.remove("nonce")))),
        ("a short nonce", |seq, fields| drop((seq == 3).then(|| fields.insert("nonce", "00".into())))),
        ("a nonce in capitals", |seq, fields| drop((seq == 3).then(|| fields.insert("nonce", "AA".repeat(32).into())))),
    ];
    let out = tempfile::tempdir().unwrap();
    for (name, change) in changes {
        let dir = out.path().join(name);
        forged(&dir, 5, change);
        let fault = verify_directory(&dir, key(), None).unwrap_err();
        assert!(matches!(fault.what, Fault::Entry { seq: 3, .. }), "{name}: {fault}");
    }
}

#[test]
fn any_changed_byte_of_a_proof_is_found() {
    let f = grown(11);
    let entries = f.ledger.entries(0, 100).unwrap();
    for (index, entry) in entries.iter().enumerate() {
        let proof = f.ledger.log_proof(index as u64).unwrap();
        assert_eq!(TlogProof::parse(proof.as_bytes()).unwrap().to_string(), proof);
        for at in 0..proof.len() {
            for flip in [0x01, 0x20, 0x80] {
                let mut changed = proof.clone().into_bytes();
                changed[at] ^= flip;
                for given in [None, Some(entry.as_slice())] {
                    assert!(verify_proof(&changed, given, key()).is_err(), "byte {at} of {index}");
                }
            }
        }
        let other = verify_proof(proof.as_bytes(), Some(&entries[(index + 1) % 11]), key());
        assert_eq!(other, Err(TlogProofError::OtherEntry));
        let mut bare = TlogProof::parse(proof.as_bytes()).unwrap();
        bare.extra = None;
        assert_eq!(bare.verify(None, key()), Err(TlogProofError::NoEntry));
        bare.verify(Some(entry), key()).unwrap();
        let other = bare.verify(Some(&entries[(index + 1) % 11]), key());
        assert!(matches!(other, Err(TlogProofError::Proof(_))), "{other:?}");
    }
}

#[test]
fn a_proof_has_the_form_of_the_specification() {
    let f = grown(5);
    let proof = f.ledger.log_proof(4).unwrap();
    let lines: Vec<&str> = proof.lines().collect();
    assert_eq!(
        (lines[0], lines[2], lines[4], lines[5]),
        ("c2sp.org/tlog-proof@v1", "index 4", "", "bureau.example/log")
    );
    assert!(lines[1].starts_with("extra ") && lines[3].len() == 44);
    assert!(proof.ends_with(&format!("\n\n{}", f.ledger.checkpoint().unwrap())));
    for bad in [
        proof.replace("proof@v1", "proof@v2"),
        proof.replace("index 4", "index 04"),
        proof.replace("index 4", "index +4"),
        proof.replace("index 4\n", ""),
        proof.replace("index 4\n", "index 4\nindex 4\n"),
        proof.replace("\n", "\r\n"),
        format!("{}\n{proof}", lines[0]),
        proof.replacen("\n\n", "\n", 1),
        proof.replacen(lines[3], &format!("{}\n", lines[3]).repeat(200), 1),
    ] {
        assert!(TlogProof::parse(bad.as_bytes()).and_then(|bad| bad.verify(None, key())).is_err(), "{bad}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_no_proof_and_no_panic(bytes: Vec<u8>, text in "(extra [A-Za-z0-9+/=]{0,8}\n)?(index [0-9]{0,20}\n)?[A-Za-z0-9+/=\n]{0,200}") {
        prop_assert!(verify_proof(&bytes, None, key()).is_err());
        let text = format!("c2sp.org/tlog-proof@v1\n{text}");
        prop_assert!(verify_proof(text.as_bytes(), Some(&bytes), key()).is_err());
        let _ = Checkpoint::verify(&bytes, key());
        let _ = Checkpoint::from_text(&text);
    }
}
