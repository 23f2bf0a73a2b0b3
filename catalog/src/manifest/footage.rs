//! What an officer declares about footage: its format, how it is cut into chunks, and its privacy unit.
//!
//! Nobody is known by name in footage, so no column names the unit. It is an [`Appearance`]: somebody in view for a limited
//! time, a limited number of times. All sizes here are public and exact: footage that has another number of frames is refused.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use glovebox_policy::ColumnName;
use serde::Serialize;

use super::read::section;
use super::walk::{Problems, Walk};
use super::{Column, ColumnKind, unit_field};

/// The most bytes of pixels in one chunk: with what else it needs, a guest sees a chunk in the 1 MiB of memory that it may have.
pub const MAX_CHUNK_BYTES: u64 = 15 << 16;

/// The most pixels of a row, and rows of a frame.
const MAX_SIDE: u64 = 4_096;
/// The most frames of a second.
const MAX_RATE: u64 = 120;
/// The longest chunk, and the longest segment of an appearance, in seconds.
const MAX_TIME_S: u64 = 86_400;
/// The most chunks.
const MAX_CHUNKS: u64 = 10_000_000;
/// The most segments of an appearance.
const MAX_SEGMENTS: u64 = 1_000_000;

/// The declared privacy unit of footage. Whoever is in view longer or more often is protected less, in proportion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Appearance {
    /// How long somebody is in view at a time, in seconds, at most (ρ). At least 1.
    pub longest_s: u32,
    /// How many times somebody is in view over the whole footage, at most (K). At least 1.
    pub segments: u32,
    /// Where both come from: the site, speeds, opening hours, earlier observation. Never this footage.
    pub basis: String,
}

/// The declared form of footage: one camera, gray, a fixed number of chunks of one length.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Footage {
    /// Which camera, in words.
    pub camera: String,
    /// Pixels of a row.
    pub width: u32,
    /// Rows of a frame.
    pub height: u32,
    /// Frames of a second, a whole number.
    pub frames_per_second: u32,
    /// How long a chunk is, in seconds (c). A guest sees one chunk.
    pub chunk_s: u32,
    /// How many chunks there are. With `chunk_s` this is the horizon to which the unit refers.
    pub chunks: u32,
    /// The privacy unit.
    pub appearance: Appearance,
}

impl Footage {
    /// Bytes of a frame: one of brightness for each pixel.
    pub const fn frame_bytes(&self) -> u32 {
        self.width * self.height
    }

    /// Frames of a chunk.
    pub const fn frames_of_a_chunk(&self) -> u32 {
        self.frames_per_second * self.chunk_s
    }

    /// Frames of the whole footage.
    pub fn frames(&self) -> u64 {
        u64::from(self.frames_of_a_chunk()) * u64::from(self.chunks)
    }

    /// The horizon, in seconds.
    pub fn horizon_s(&self) -> u64 {
        u64::from(self.chunk_s) * u64::from(self.chunks)
    }

    /// The schema of stored frames: number, pixels, and the chunk in [`crate::UNIT_COLUMN`]. Nothing is ever NULL.
    pub(super) fn arrow_schema(&self) -> SchemaRef {
        // At most MAX_CHUNK_BYTES, so it fits.
        let width = i32::try_from(self.frame_bytes()).unwrap_or(i32::MAX);
        let fields = [
            Field::new(FRAME, DataType::Int64, false),
            Field::new(PIXELS, DataType::FixedSizeBinary(width), false),
            unit_field(),
        ];
        Arc::new(Schema::new(fields.to_vec()))
    }

    /// The columns that every footage has.
    pub(super) fn columns(&self) -> Vec<Column> {
        let column = |name: &str, kind, meaning_en: &str, meaning_zh: &str| {
            let name: ColumnName = name.parse().ok()?;
            let (meaning_en, meaning_zh) = (meaning_en.to_owned(), meaning_zh.to_owned());
            Some(Column {
                name,
                header: None,
                kind,
                meaning_en,
                meaning_zh,
                identifier: false,
                bounds: None,
                grid: None,
                keys: None,
                thresholded: None,
                days: None,
            })
        };
        let all = [
            column(FRAME, ColumnKind::Int, "number of the frame, from 0", "帧号，从 0 起"),
            column(
                PIXELS,
                ColumnKind::Bytes,
                "brightness of each pixel, row by row from the top, one byte each",
                "各像素亮度，自上而下逐行，每像素一字节",
            ),
        ];
        all.into_iter().flatten().collect()
    }
}

/// The column with the number of a frame.
pub(crate) const FRAME: &str = "frame";
/// The column with the pixels of a frame.
pub(crate) const PIXELS: &str = "pixels";

/// Reads `[footage]`.
pub(super) fn read(root: &mut Walk<'_>, problems: &mut Problems) -> Option<Footage> {
    root.required("footage", problems)?;
    let mut walk = section(root, "footage", problems)?;
    let mut whole = |key, most| walk.whole(key, most, problems).and_then(|n| u32::try_from(n).ok());
    let (width, height) = (whole("width", MAX_SIDE), whole("height", MAX_SIDE));
    let (rate, chunk_s) = (whole("frames_per_second", MAX_RATE), whole("chunk_s", MAX_TIME_S));
    let chunks = whole("chunks", MAX_CHUNKS);
    let camera = walk.text("camera", problems);
    let appearance = if walk.required("appearance", problems).is_some() {
        section(&mut walk, "appearance", problems).and_then(|part| appearance(part, problems))
    } else {
        None
    };
    walk.finish(problems);
    let footage = Footage {
        camera: camera?,
        width: width?,
        height: height?,
        frames_per_second: rate?,
        chunk_s: chunk_s?,
        chunks: chunks?,
        appearance: appearance?,
    };
    let chunk_bytes = u64::from(footage.frame_bytes()) * u64::from(footage.frames_of_a_chunk());
    if chunk_bytes > MAX_CHUNK_BYTES {
        problems.add(
            "footage.chunk_s",
            format!(
                "makes chunks of {chunk_bytes} bytes, and a job sees at most {MAX_CHUNK_BYTES}; make chunks shorter, frames \
                 smaller or fewer in a second"
            ),
        );
    }
    Some(footage)
}

fn appearance(mut walk: Walk<'_>, problems: &mut Problems) -> Option<Appearance> {
    let mut whole = |key, most| walk.whole(key, most, problems).and_then(|n| u32::try_from(n).ok());
    let (longest_s, segments) = (whole("longest_s", MAX_TIME_S), whole("segments", MAX_SEGMENTS));
    let basis = walk.text("basis", problems);
    walk.finish(problems);
    Some(Appearance { longest_s: longest_s?, segments: segments?, basis: basis? })
}
