//! Footage into chunks: a Y4M file that is exactly what its manifest declares.
//!
//! Y4M is the plain container for raw video that ffmpeg reads and writes
//! (`ffmpeg -i IN -vf scale=160:90 -r 5 -frames:v 3000 -pix_fmt gray -f yuv4mpegpipe -strict -1 OUT.y4m`): a line of text with
//! the format, then for each frame a line `FRAME` and its bytes.
//!
//! # Privacy obligation
//! Neighbouring footage is the same footage with one appearance added or removed: the same number of frames, of which those in
//! which that appearance is in view have other pixels. Frame i goes to chunk ⌊i/n⌋, n being the declared frames of a chunk, by
//! its number alone; every declared chunk is stored with exactly n frames, whatever is in them, and no frame is dropped, cut
//! or moved. So stored footage of neighbours differs in the pixels of the chunks that the appearance meets and in nothing else.
//! How many frames there are depends on the camera's clock and on nobody in view: it is declared, and footage with another
//! number is refused. Source: Cangialosi et al., "Privid", NSDI 2022, §5.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, FixedSizeBinaryArray, Int64Array};
use arrow::buffer::Buffer;
use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use ring::hmac;

use super::{IngestError, IngestReport, SourceError};
use crate::keys::MasterKey;
use crate::manifest::{Footage, Manifest};
use crate::store::{ContentMarks, RowGroups, StoreError};

/// About how many bytes of pixels are decrypted at a time.
const GROUP_BYTES: u64 = 8 << 20;

/// The longest line of text in the file.
const MAX_LINE_BYTES: u64 = 1024;

/// How a frame begins.
const FRAME: &[u8] = b"FRAME\n";

/// How footage is not what its manifest declares. For the officer who brings it; says nothing of pixels.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FootageFault {
    /// Another format.
    #[error(
        "the file is not Y4M footage: its first line is no format; write it with ffmpeg and \
         `-pix_fmt gray -f yuv4mpegpipe -strict -1`"
    )]
    NotY4m,
    /// Frames of another size.
    #[error("the frames have {found} pixels and the manifest declares {declared}; scale them or correct the manifest")]
    Size {
        /// In the file.
        found: String,
        /// In the manifest.
        declared: String,
    },
    /// Another number of frames in a second.
    #[error(
        "the footage has {found} frames in a second and the manifest declares {declared}; ffmpeg's `-r` changes it"
    )]
    Rate {
        /// In the file, as a fraction.
        found: String,
        /// In the manifest.
        declared: u32,
    },
    /// Colour, or more than a byte for a pixel.
    #[error("the pixels are `{0}` and must be `mono`, one byte of brightness each: ffmpeg's `-pix_fmt gray`")]
    Colour(String),
    /// Half frames.
    #[error("the footage is interlaced; make whole frames of it first (ffmpeg's `-vf yadif`)")]
    Interlaced,
    /// A frame that does not begin with the bare line `FRAME`.
    #[error("frame {0}, counted from 1, does not begin with the line `FRAME` without parameters, or is cut off")]
    Frame(u64),
    /// Fewer frames than declared.
    #[error(
        "the footage has {found} frames and the manifest declares {declared} (chunks × chunk_s × frames_per_second)"
    )]
    TooShort {
        /// In the file.
        found: u64,
        /// In the manifest.
        declared: u64,
    },
    /// More bytes than the declared frames.
    #[error(
        "the footage goes on after the {0} declared frames; cut it (ffmpeg's `-frames:v {0}`) or declare more chunks"
    )]
    TooLong(u64),
}

/// A Y4M file while it is read.
struct Y4m {
    file: BufReader<File>,
    frame_bytes: usize,
}

impl Y4m {
    /// Opens a file and compares its format with the declared one.
    fn open(path: &Path, declared: &Footage) -> Result<Self, IngestError> {
        let mut file = BufReader::new(File::open(path).map_err(SourceError::Io)?);
        let mut line = Vec::new();
        Read::by_ref(&mut file).take(MAX_LINE_BYTES).read_until(b'\n', &mut line).map_err(SourceError::Io)?;
        let line = String::from_utf8(line).map_err(|_| FootageFault::NotY4m)?;
        let mut words = line.strip_suffix('\n').ok_or(FootageFault::NotY4m)?.split(' ');
        if words.next() != Some("YUV4MPEG2") {
            return Err(FootageFault::NotY4m.into());
        }
        format_fits(words, declared)?;
        Ok(Self { file, frame_bytes: declared.frame_bytes() as usize })
    }

    /// Appends the pixels of the next frame, which is number `number` from 1; `false` at a clean end.
    fn frame(&mut self, number: u64, pixels: &mut Vec<u8>) -> Result<bool, IngestError> {
        let mut line = Vec::new();
        let mut read = |most: usize, to: &mut Vec<u8>| {
            Read::by_ref(&mut self.file).take(most as u64).read_to_end(to).map_err(SourceError::Io)
        };
        read(FRAME.len(), &mut line)?;
        if line.is_empty() {
            return Ok(false);
        }
        if line != FRAME || read(self.frame_bytes, pixels)? != self.frame_bytes {
            return Err(FootageFault::Frame(number).into());
        }
        Ok(true)
    }
}

/// Compares the words of the first line with the declared format. Words about aspect and comments do not matter.
fn format_fits<'a>(words: impl Iterator<Item = &'a str>, declared: &Footage) -> Result<(), FootageFault> {
    let (mut width, mut height, mut rate, mut colour) = ("?", "?", "?", "420");
    for word in words {
        let mut rest = word.chars();
        match rest.next() {
            Some('W') => width = rest.as_str(),
            Some('H') => height = rest.as_str(),
            Some('F') => rate = rest.as_str(),
            Some('C') => colour = rest.as_str(),
            Some('I') if !matches!(rest.as_str(), "p" | "?") => return Err(FootageFault::Interlaced),
            _ => {}
        }
    }
    if (width.parse(), height.parse()) != (Ok(declared.width), Ok(declared.height)) {
        let (found, declared) = (format!("{width}×{height}"), format!("{}×{}", declared.width, declared.height));
        return Err(FootageFault::Size { found, declared });
    }
    let fraction = rate.split_once(':').and_then(|(n, d)| Some((n.parse::<u64>().ok()?, d.parse::<u64>().ok()?)));
    let whole = fraction.is_some_and(|(n, d)| d > 0 && Some(n) == d.checked_mul(declared.frames_per_second.into()));
    if !whole {
        return Err(FootageFault::Rate { found: rate.to_owned(), declared: declared.frames_per_second });
    }
    if colour != "mono" {
        return Err(FootageFault::Colour(colour.to_owned()));
    }
    Ok(())
}

/// Checks that a file is what its manifest declares, from its first byte to its last.
pub(super) fn prepare(
    master: &MasterKey,
    manifest: &Manifest,
    declared: &Footage,
    path: &Path,
) -> Result<Prepared, IngestError> {
    let file_mark = super::file_mark(master, path)?;
    let mut y4m = Y4m::open(path, declared)?;
    let mut content = hmac::Context::with_key(&master.hasher("footage", ""));
    let mut pixels = Vec::new();
    for number in 0..declared.frames() {
        pixels.clear();
        if !y4m.frame(number + 1, &mut pixels)? {
            return Err(FootageFault::TooShort { found: number, declared: declared.frames() }.into());
        }
        content.update(&pixels);
    }
    if !y4m.file.fill_buf().map_err(SourceError::Io)?.is_empty() {
        return Err(FootageFault::TooLong(declared.frames()).into());
    }
    let mut report = IngestReport::new(manifest.name().clone());
    (report.rows_read, report.rows_stored, report.units) =
        (declared.frames(), declared.frames(), declared.chunks.into());
    Ok(Prepared {
        schema: manifest.arrow_schema(),
        footage: declared.clone(),
        // Read anew from its beginning: long footage is never in memory as a whole.
        y4m: Y4m::open(path, declared)?,
        next_chunk: 0,
        content: ContentMarks { file: file_mark, rows: hex::encode(content.sign()) },
        report,
    })
}

/// Footage that is ready to be stored.
pub(super) struct Prepared {
    schema: SchemaRef,
    footage: Footage,
    y4m: Y4m,
    next_chunk: u64,
    content: ContentMarks,
    report: IngestReport,
}

impl Prepared {
    /// The next chunks as one batch: whole ones, in their order.
    fn group(&mut self, chunks: u64) -> Result<RecordBatch, StoreError> {
        let each = u64::from(self.footage.frames_of_a_chunk());
        let first = self.next_chunk * each;
        let frames = first..first + chunks * each;
        let mut pixels = Vec::new();
        for number in frames.clone() {
            // The file was read to its end before: another outcome now means that it changed meanwhile.
            let whole = self.y4m.frame(number + 1, &mut pixels);
            if !whole.map_err(|_| StoreError::Write)? {
                return Err(StoreError::Write);
            }
        }
        self.next_chunk += chunks;
        let numbers: Int64Array = frames.clone().map(|number| i64::try_from(number).unwrap_or(i64::MAX)).collect();
        let width = i32::try_from(self.footage.frame_bytes()).map_err(|_| StoreError::Write)?;
        let pixels =
            FixedSizeBinaryArray::try_new(width, Buffer::from_vec(pixels), None).map_err(|_| StoreError::Write)?;
        let units = frames.map(|number| u128::from(number / each.max(1)).to_be_bytes());
        let units = FixedSizeBinaryArray::try_from_iter(units).map_err(|_| StoreError::Write)?;
        let columns: Vec<ArrayRef> = vec![Arc::new(numbers), Arc::new(pixels), Arc::new(units)];
        RecordBatch::try_new(Arc::clone(&self.schema), columns).map_err(|_| StoreError::Write)
    }
}

impl super::Prepared for Prepared {
    fn report(&self) -> &IngestReport {
        &self.report
    }

    fn content(&self) -> &ContentMarks {
        &self.content
    }
}

impl RowGroups for Prepared {
    fn next_group(&mut self) -> Option<Result<RecordBatch, StoreError>> {
        let left = u64::from(self.footage.chunks).saturating_sub(self.next_chunk);
        let chunk_bytes = u64::from(self.footage.frame_bytes()) * u64::from(self.footage.frames_of_a_chunk());
        let chunks = (GROUP_BYTES / chunk_bytes.max(1)).clamp(1, left.max(1));
        (left > 0).then(|| self.group(chunks))
    }
}

impl From<io::Error> for IngestError {
    fn from(error: io::Error) -> Self {
        Self::Source(SourceError::Io(error))
    }
}
