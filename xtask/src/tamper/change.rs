//! How a file is changed: every byte in three ways, cut, grown, taken away.

use std::fmt;

use anyhow::Result;

use super::artefact::{Artefact, Command, Files};
use super::forged;

/// Files up to this size have every byte changed, larger ones [`SPREAD`] of theirs.
const EVERY_BYTE_UP_TO: usize = 3 * 1024;

/// Positions in a larger file, and in every file when it has to be quick.
const SPREAD: usize = 64;

/// What is appended to a file.
const APPENDED: [u8; 4] = *b"\n \0A";

/// How many positions are tried.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Depth {
    /// Every byte of small files.
    #[default]
    EveryByte,
    /// Some of every file.
    Spread,
}

/// One changed copy, and what must come of it.
#[derive(Debug, Clone)]
pub(super) struct Trial {
    /// What is changed, for the table.
    pub artefact: String,
    /// The command that must find it.
    pub command: Command,
    /// The files that differ.
    pub files: Vec<String>,
    /// The files one of which must be named: those that differ, and where files no longer fit each other, those that they
    /// no longer fit.
    pub blamed: Vec<String>,
    /// How they differ.
    pub change: Change,
    /// The checks one of which must be named; any when there are none.
    pub found_by: &'static [&'static str],
    /// Whether the command reads the same from the changed file, so that it may accept it.
    pub same_meaning: bool,
}

/// How the files of a trial differ from the untouched ones.
#[derive(Debug, Clone)]
pub(super) enum Change {
    /// The byte at this place is another.
    Byte {
        /// The place.
        at: usize,
        /// What it is now.
        to: u8,
    },
    /// Only so many bytes are left.
    Cut(usize),
    /// There is one byte more at the end.
    Grown(u8),
    /// It is not there.
    Missing,
    /// The files, in their order, hold other bytes.
    Replaced(Vec<Vec<u8>>),
}

impl Trial {
    /// What the files hold now, in their order; `None` for a file that is not there.
    pub(super) fn changed(&self, files: &Files) -> Result<Vec<Option<Vec<u8>>>> {
        if let Change::Replaced(all) = &self.change {
            return Ok(all.iter().cloned().map(Some).collect());
        }
        let one = |file: &String| {
            let mut bytes = files.bytes(file)?.to_vec();
            match &self.change {
                Change::Byte { at, to } => bytes.iter_mut().skip(*at).take(1).for_each(|byte| *byte = *to),
                Change::Cut(left) => bytes.truncate(*left),
                Change::Grown(byte) => bytes.push(*byte),
                Change::Missing | Change::Replaced(_) => return Ok(None),
            }
            Ok(Some(bytes))
        };
        self.files.iter().map(one).collect()
    }
}

impl fmt::Display for Trial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} [{}] {}: ", self.artefact, self.command.name(), self.files.join(", "))?;
        match &self.change {
            Change::Byte { at, to } => write!(f, "byte {at} is now {to:#04x}"),
            Change::Cut(left) => write!(f, "cut to {left} bytes"),
            Change::Grown(byte) => write!(f, "{byte:#04x} appended"),
            Change::Missing => f.write_str("missing"),
            Change::Replaced(_) => f.write_str("replaced"),
        }
    }
}

/// Every trial.
pub(super) fn all(files: &Files, depth: Depth) -> Result<Vec<Trial>> {
    let mut trials = Vec::new();
    for artefact in files.artefacts()? {
        of_one_file(&artefact, files.bytes(&artefact.file)?, depth, &mut trials);
    }
    trials.extend(forged::all(files, SPREAD)?);
    Ok(trials)
}

fn of_one_file(artefact: &Artefact, bytes: &[u8], depth: Depth, into: &mut Vec<Trial>) {
    let mut add = |how: &str, change: Change, same_meaning: bool| {
        into.push(Trial {
            artefact: format!("{}{how}", artefact.name),
            command: artefact.command,
            files: vec![artefact.file.clone()],
            blamed: vec![artefact.file.clone()],
            change,
            found_by: artefact.found_by,
            same_meaning,
        });
    };
    for at in positions(bytes.len(), depth) {
        for to in bytes.get(at).copied().map(others).into_iter().flatten() {
            add("", Change::Byte { at, to }, false);
        }
    }
    let whole = bytes.len();
    for left in [0, whole / 2, whole.saturating_sub(1)] {
        let newline_only = bytes.get(left..) == Some(b"\n".as_slice());
        add(", cut", Change::Cut(left), artefact.is_key && newline_only);
    }
    for byte in APPENDED {
        add(", grown", Change::Grown(byte), false);
    }
    // A log is whole without the copy of its key: a reader has the key from elsewhere.
    add(", missing", Change::Missing, artefact.file == "log/log.vkey");
}

/// Where bytes are changed.
fn positions(len: usize, depth: Depth) -> Vec<usize> {
    if depth == Depth::EveryByte && len <= EVERY_BYTE_UP_TO {
        return (0..len).collect();
    }
    let mut spread: Vec<usize> = (0..SPREAD).map(|step| step * len.saturating_sub(1) / (SPREAD - 1)).collect();
    spread.dedup();
    spread
}

/// Three other bytes for one: the lowest bit, the bit of the letter's case, and for white space another white space, else the
/// highest bit.
fn others(byte: u8) -> [u8; 3] {
    let third = match byte {
        b'\n' | b'\t' | b'\r' => b' ',
        b' ' => b'\t',
        _ => byte ^ 0x80,
    };
    [byte ^ 0x01, byte ^ 0x20, third]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_reach_from_the_first_byte_to_the_last() {
        assert_eq!(positions(3, Depth::EveryByte), [0, 1, 2]);
        assert_eq!(positions(3, Depth::Spread), [0, 1, 2]);
        assert_eq!(positions(0, Depth::Spread), [0]);
        let far = positions(100_000, Depth::EveryByte);
        assert_eq!((far.len(), far.first(), far.last()), (SPREAD, Some(&0), Some(&99_999)));
    }

    #[test]
    fn every_other_byte_is_another() {
        for byte in 0..=u8::MAX {
            let [one, two, three] = others(byte);
            assert!(one != byte && two != byte && three != byte, "{byte}");
        }
    }
}
