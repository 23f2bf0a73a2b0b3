//! A plain counter of crossings that sees one chunk of frames and nothing else, as a job over footage would.
//!
//! For each lane it looks at the pixels of the lane on the counting line, takes what each of them mostly is in the chunk for
//! the street itself, and counts how often the line becomes covered. It knows where lanes are, and nothing of the truth.

use crate::{Class, LINE, WIDTH};

/// How far a pixel is from what it mostly is when somebody is there.
const FAR: u8 = 24;

/// The middle row of each lane and pavement, and who uses it.
const BANDS: [(Class, i32); 6] = [
    (Class::Vehicle, 44),
    (Class::Vehicle, 58),
    (Class::Cyclist, 36),
    (Class::Cyclist, 67),
    (Class::Pedestrian, 25),
    (Class::Pedestrian, 79),
];

/// How many of a class are seen to cross in a chunk of frames.
pub fn crossings(frames: &[Vec<u8>], class: Class) -> usize {
    BANDS.iter().filter(|(of, _)| *of == class).map(|(_, row)| in_band(frames, class, *row)).sum()
}

fn in_band(frames: &[Vec<u8>], class: Class, row: i32) -> usize {
    let height = class.size().1;
    let top = row - height / 2;
    let places: Vec<usize> = (top..top + height).map(|row| row as usize * WIDTH + LINE as usize).collect();
    let pixel = |frame: &[u8], place: usize| frame.get(place).copied().unwrap_or_default();
    let usual: Vec<u8> = places.iter().map(|place| middle(frames.iter().map(|frame| pixel(frame, *place)))).collect();
    let covered = frames.iter().map(|frame| {
        let far =
            places.iter().zip(&usual).filter(|(place, usual)| pixel(frame, **place).abs_diff(**usual) > FAR).count();
        far * 2 > places.len()
    });
    // Whoever is on the line when the chunk begins was counted in the one before.
    let mut before = true;
    covered.filter(|now| !std::mem::replace(&mut before, *now) && *now).count()
}

/// The value in the middle; 0 of nothing.
fn middle(values: impl Iterator<Item = u8>) -> u8 {
    let mut values: Vec<u8> = values.collect();
    values.sort_unstable();
    values.get(values.len() / 2).copied().unwrap_or_default()
}
