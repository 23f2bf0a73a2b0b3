//! Synthetic footage: squares that cross a gray ground, from the declared format and a seed.

use std::sync::Arc;

use arrow::array::{ArrayRef, FixedSizeBinaryArray, Int64Array};
use arrow::buffer::Buffer;
use arrow::record_batch::RecordBatch;

use super::{SplitMix, TwinError};
use crate::UNIT_BYTES;
use crate::manifest::{Footage, Manifest};

/// The most bytes of pixels in one twin.
const MAX_BYTES: u64 = 64 << 20;

/// The brightness of the ground.
const GROUND: u8 = 96;

/// Something that goes along a row, in pixels and frames.
struct Square {
    top: u64,
    side: u64,
    /// Where its left side would be in the chunk's first frame; below 0 when it comes later.
    left: i64,
    speed: i64,
    tone: u8,
}

/// Whole chunks with about `rows` frames.
pub(super) fn frames(manifest: &Manifest, footage: &Footage, rows: usize, seed: u64) -> Result<RecordBatch, TwinError> {
    let each = u64::from(footage.frames_of_a_chunk());
    let chunk_bytes = each * u64::from(footage.frame_bytes());
    let most = (MAX_BYTES / chunk_bytes.max(1)).min(footage.chunks.into()).max(1);
    let chunks = (rows as u64 / each.max(1)).clamp(1, most);
    let mut random = SplitMix(seed);
    let (mut pixels, mut units) = (Vec::new(), Vec::new());
    for chunk in 0..chunks {
        let squares: Vec<Square> = (0..1 + random.below(4)).map(|_| square(footage, &mut random)).collect();
        for frame in 0..each {
            paint(footage, &squares, frame, &mut pixels);
            units.push(u128::from(chunk).to_be_bytes());
        }
    }
    let width = i32::try_from(footage.frame_bytes()).map_err(|_| TwinError::Shape)?;
    let numbers: Vec<i64> = (0..(chunks * each) as i64).collect();
    let pixels = FixedSizeBinaryArray::try_new(width, Buffer::from_vec(pixels), None).map_err(|_| TwinError::Shape)?;
    let units = units.into_iter().map(Some);
    let units =
        FixedSizeBinaryArray::try_from_sparse_iter_with_size(units, UNIT_BYTES as i32).map_err(|_| TwinError::Shape)?;
    let columns: Vec<ArrayRef> = vec![Arc::new(Int64Array::from(numbers)), Arc::new(pixels), Arc::new(units)];
    RecordBatch::try_new(manifest.arrow_schema(), columns).map_err(|_| TwinError::Shape)
}

fn square(footage: &Footage, random: &mut SplitMix) -> Square {
    let side = 2 + random.below(u64::from(footage.height / 8));
    let each = u64::from(footage.frames_of_a_chunk());
    // About half of the picture in a chunk, or all of it and more.
    let speed = 1 + random.below(2 * u64::from(footage.width) / each.max(1) + 1) as i64;
    Square {
        top: random.below(u64::from(footage.height).saturating_sub(side) + 1),
        side,
        left: -(random.below(u64::from(footage.width)) as i64),
        speed,
        tone: 190 + random.below(60) as u8,
    }
}

fn paint(footage: &Footage, squares: &[Square], frame: u64, pixels: &mut Vec<u8>) {
    for row in 0..u64::from(footage.height) {
        for column in 0..i64::from(footage.width) {
            let over = squares.iter().find(|square| {
                let left = square.left + square.speed * frame as i64;
                (square.top..square.top + square.side).contains(&row)
                    && (left..left + square.side as i64).contains(&column)
            });
            pixels.push(over.map_or(GROUND, |square| square.tone));
        }
    }
}
