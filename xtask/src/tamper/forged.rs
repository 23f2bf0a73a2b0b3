//! Changes of several files that fit each other better: releases mixed, files exchanged, a leaf rewritten with its hash.

use anyhow::{Context as _, Result, ensure};
use ring::digest::{Context as Hasher, SHA256};

use super::artefact::{Command, Files, KEY, PARTS};
use super::change::{Change, Trial};

/// What a leaf's hash begins with (RFC 6962).
const LEAF_PREFIX: [u8; 1] = [0];

/// Bytes of a hash.
const HASH_BYTES: usize = 32;

/// Bytes of an entry's length in a bundle.
const LENGTH_BYTES: usize = 2;

/// All of them; of each bundle about `spread` rewritten leaves.
pub(super) fn all(files: &Files, spread: usize) -> Result<Vec<Trial>> {
    let mut trials = mixed_releases(files)?;
    trials.push(foreign_job(files)?);
    trials.extend(exchanged(files)?);
    trials.extend(rewritten_leaves(files, spread)?);
    trials.extend(exchanged_leaves(files)?);
    Ok(trials)
}

/// A trial of several files; beside them, `blamed` may be named.
fn replaced(artefact: &str, command: Command, changes: Vec<(String, Vec<u8>)>, blamed: &[String]) -> Trial {
    let (files, bytes): (Vec<String>, _) = changes.into_iter().unzip();
    Trial {
        artefact: artefact.to_owned(),
        command,
        blamed: files.iter().chain(blamed).cloned().collect(),
        files,
        change: Change::Replaced(bytes),
        found_by: &[],
        same_meaning: false,
    }
}

/// The job's release with some of its four parts taken from the SQL release, and the other way round. Each part is one that
/// the service made.
fn mixed_releases(files: &Files) -> Result<Vec<Trial>> {
    let mut trials = Vec::new();
    for (own, other, command) in [("release", "sql", Command::Bare), ("sql", "release", Command::Sql)] {
        for choice in 1..(1_usize << PARTS.len()) - 1 {
            let taken = PARTS.iter().enumerate().filter(|(place, _)| choice >> place & 1 == 1);
            let change = |(_, part): (usize, &&str)| {
                Ok((format!("{own}/{part}"), files.bytes(&format!("{other}/{part}"))?.to_vec()))
            };
            let changes = taken.map(change).collect::<Result<Vec<_>>>()?;
            // Four parts of two releases: which two are the wrong ones, nobody can tell.
            let all = PARTS.map(|part| format!("{own}/{part}"));
            trials.push(replaced("parts of another release", command, changes, &all));
        }
    }
    Ok(trials)
}

/// The SQL release, said to be of the job's manifest, module and approval.
fn foreign_job(files: &Files) -> Result<Trial> {
    let manifest = "release/job.toml";
    let same = vec![(manifest.to_owned(), files.bytes(manifest)?.to_vec())];
    Ok(replaced("SQL release with a job's manifest", Command::SqlWithJob, same, &[]))
}

/// Every two files of the release, and every two of the log, in each other's place.
fn exchanged(files: &Files) -> Result<Vec<Trial>> {
    let mut trials = Vec::new();
    for (folder, command) in [("release/", Command::Full), ("log/", Command::Log)] {
        let all: Vec<&str> =
            files.0.keys().map(String::as_str).filter(|file| file.starts_with(folder) || *file == KEY).collect();
        for (place, one) in all.iter().enumerate() {
            for other in all.iter().skip(place + 1) {
                let (first, second) = (files.bytes(one)?.to_vec(), files.bytes(other)?.to_vec());
                if first != second {
                    let changes = vec![((*one).to_owned(), second), ((*other).to_owned(), first)];
                    trials.push(replaced("two files exchanged", command, changes, &[]));
                }
            }
        }
    }
    Ok(trials)
}

/// A byte of an entry is another, and the hash in the tile above is that of the changed entry: bundle and tile agree.
fn rewritten_leaves(files: &Files, spread: usize) -> Result<Vec<Trial>> {
    let mut trials = Vec::new();
    for bundle in files.tiles(true) {
        let (tile, bytes) = (tile_above(bundle), files.bytes(bundle)?);
        let entries = entries(bytes)?;
        let wanted = spread.div_ceil(entries.len().max(1));
        for (number, entry) in entries.iter().enumerate() {
            for step in 0..wanted {
                let mut changed = entries.clone();
                let at = step * entry.len().saturating_sub(1) / wanted.saturating_sub(1).max(1);
                let slot = changed.get_mut(number).context("an entry has a place")?;
                slot.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 0x01);
                trials.push(both(files, "leaf with its hash", bundle, &tile, &changed)?);
            }
        }
    }
    Ok(trials)
}

/// Two neighbouring entries of a bundle are exchanged, with their hashes; and the last entry is the one before it again.
fn exchanged_leaves(files: &Files) -> Result<Vec<Trial>> {
    let mut trials = Vec::new();
    for bundle in files.tiles(true) {
        let (tile, entries) = (tile_above(bundle), entries(files.bytes(bundle)?)?);
        ensure!(entries.len() > 1, "the log is too short to exchange two entries");
        for place in 1..entries.len() {
            let mut changed = entries.clone();
            changed.swap(place - 1, place);
            trials.push(both(files, "two leaves exchanged, with their hashes", bundle, &tile, &changed)?);
        }
        let mut repeated = entries.clone();
        repeated.truncate(entries.len() - 1);
        repeated.extend(repeated.last().cloned());
        trials.push(both(files, "last leaf replaced, with its hash", bundle, &tile, &repeated)?);
    }
    Ok(trials)
}

fn both(files: &Files, artefact: &str, bundle: &str, tile: &str, entries: &[Vec<u8>]) -> Result<Trial> {
    let hashes = entries.iter().flat_map(|entry| leaf_hash(entry)).collect::<Vec<u8>>();
    ensure!(hashes.len() == files.bytes(tile)?.len(), "`{tile}` is not the tile over `{bundle}`");
    let changes = vec![(bundle.to_owned(), encoded(entries)?), (tile.to_owned(), hashes)];
    // What is wrong with a last entry that fits its hash, only the signed root tells.
    Ok(replaced(artefact, Command::Log, changes, &["log/checkpoint".to_owned()]))
}

fn tile_above(bundle: &str) -> String {
    bundle.replacen("tile/entries/", "tile/0/", 1)
}

fn leaf_hash(entry: &[u8]) -> [u8; HASH_BYTES] {
    let mut hasher = Hasher::new(&SHA256);
    hasher.update(&LEAF_PREFIX);
    hasher.update(entry);
    hasher.finish().as_ref().first_chunk().copied().unwrap_or_default()
}

/// The entries of a bundle: each behind its length in two bytes, big-endian.
fn entries(mut bundle: &[u8]) -> Result<Vec<Vec<u8>>> {
    let mut entries = Vec::new();
    while !bundle.is_empty() {
        let (length, rest) = bundle.split_first_chunk::<LENGTH_BYTES>().context("a bundle ends within a length")?;
        let length = usize::from(u16::from_be_bytes(*length));
        let (entry, rest) = rest.split_at_checked(length).context("a bundle ends within an entry")?;
        entries.push(entry.to_vec());
        bundle = rest;
    }
    Ok(entries)
}

fn encoded(entries: &[Vec<u8>]) -> Result<Vec<u8>> {
    let mut bundle = Vec::new();
    for entry in entries {
        let length = u16::try_from(entry.len()).context("an entry is too long for its length")?;
        bundle.extend_from_slice(&length.to_be_bytes());
        bundle.extend_from_slice(entry);
    }
    Ok(bundle)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn bundles_are_read_and_written_alike() {
        let bundle = b"\x00\x03abc\x00\x00\x00\x01d";
        let read = entries(bundle).unwrap();
        assert_eq!(read, [b"abc".to_vec(), Vec::new(), b"d".to_vec()]);
        assert_eq!(encoded(&read).unwrap(), bundle);
        assert!(entries(b"\x00\x03ab").is_err());
        assert!(entries(b"\x00").is_err());
    }

    #[test]
    fn a_leaf_is_hashed_as_rfc_6962_says() {
        // The hash of the empty leaf, from the RFC's reference tests.
        let hex: String = leaf_hash(b"").iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
    }
}
