//! How many vehicles, cyclists and pedestrians cross a line of the street: one row of three counts for each chunk.
//!
//! A pixel on the line is usually the street. For each lane and pavement the code takes what each of its pixels on the line
//! mostly is in the chunk for the street, and counts how often most of them become something else.

use glovebox_guest_sdk::{Emit, map_job};

map_job! {
    /// Ten seconds of footage: 50 frames of 160×90 pixels.
    struct Chunk { pixels: bytes }
    input { rows: 50, text_bytes: 720_000 }
    output { rows: 1, values: 3 }
    memory { heap_bytes: 4096, log }
    map: crossings;
}

const WIDTH: usize = 160;
/// The column of the line.
const LINE: usize = 80;
/// How far a pixel is from what it mostly is when somebody is there.
const FAR: u8 = 24;
/// Lanes and pavements: whose they are (in the order of the values), top row, rows.
const BANDS: [(usize, usize, usize); 6] = [(0, 40, 9), (0, 54, 9), (1, 34, 5), (1, 65, 5), (2, 22, 7), (2, 76, 7)];

fn crossings(chunk: &Chunk<'_>, emit: &mut Emit<'_, 3>) {
    let mut counts = [0.0; 3];
    for (class, top, rows) in BANDS {
        if let Some(count) = counts.get_mut(class) {
            *count += f64::from(in_band(chunk, top, rows));
        }
    }
    emit.row(0, counts);
}

fn in_band(chunk: &Chunk<'_>, top: usize, rows: usize) -> u32 {
    let pixel = |frame: &[u8], row: usize| frame.get((top + row) * WIDTH + LINE).copied().unwrap_or_default();
    let mut usual = [0; 16];
    for (row, usual) in usual.iter_mut().enumerate().take(rows) {
        let mut seen: Vec<u8> = chunk.pixels.iter().map(|frame| pixel(frame, row)).collect();
        seen.sort_unstable();
        *usual = seen.get(seen.len() / 2).copied().unwrap_or_default();
    }
    // Whoever is on the line when the chunk begins was counted in the one before.
    let (mut count, mut before) = (0, true);
    for frame in chunk.pixels.iter() {
        let far = usual.iter().take(rows).enumerate().filter(|(row, usual)| pixel(frame, *row).abs_diff(**usual) > FAR);
        let now = far.count() * 2 > rows;
        count += u32::from(now && !before);
        before = now;
    }
    count
}

#[cfg(test)]
mod tests {
    use glovebox_guest_sdk::Sample;

    use super::*;

    /// A gray street with somebody on the upper vehicle lane at the line in these frames.
    fn counts(covered: &[usize]) -> [f64; 3] {
        let frames: Vec<Vec<u8>> = (0..50)
            .map(|frame| {
                let on = |at: usize| covered.contains(&frame) && at % WIDTH == LINE && (40..49).contains(&(at / WIDTH));
                (0..160 * 90).map(|at| if on(at) { 220 } else { 100 }).collect()
            })
            .collect();
        let frames: Vec<&[u8]> = frames.iter().map(Vec::as_slice).collect();
        match Chunk::answer(&Sample::new().bytes(&frames)).expect("an answer").as_slice() {
            [(0, counts)] => *counts,
            other => panic!("one row, not {other:?}"),
        }
    }

    #[test]
    fn who_comes_onto_the_line_is_counted_once() {
        assert_eq!(counts(&[]), [0.0; 3]);
        assert_eq!(counts(&[10, 11, 12, 30]), [2.0, 0.0, 0.0]);
    }

    #[test]
    fn who_is_there_at_the_beginning_was_counted_before() {
        assert_eq!(counts(&[0, 1, 2]), [0.0; 3]);
        assert_eq!(counts(&[0, 1, 5]), [1.0, 0.0, 0.0]);
    }
}
