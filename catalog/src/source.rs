//! Files that an officer brings: Parquet, and CSV in UTF-8, GB18030 or UTF-16, as a run of Arrow batches.
//!
//! Which format and encoding a file has is found from its bytes. No error quotes the file: a CSV without a heading line
//! would otherwise print its first row.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, StringBuilder};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::record_batch::RecordBatch;
use encoding_rs::{Decoder, DecoderResult, Encoding, GB18030, UTF_8, UTF_16BE, UTF_16LE};
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};

/// Rows per batch of a file.
const BATCH_ROWS: usize = 8192;

const BUFFER_BYTES: usize = 64 * 1024;

/// Why a file cannot be read at all. Quotes no content.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The operating system refused.
    #[error("the file cannot be read: {0}")]
    Io(#[source] io::Error),
    /// It begins like Parquet and is none, or uses what this build cannot read.
    #[error("the Parquet file is damaged, encrypted, or uses a compression other than snappy and zstd")]
    Parquet,
    /// It is text in no known encoding.
    #[error("the text is neither UTF-8 nor GB18030 (nor UTF-16 with a byte order mark); save it as CSV in UTF-8")]
    Encoding,
    /// The CSV cannot be split into fields.
    #[error("the CSV cannot be split into fields after data row {0}")]
    Csv(u64),
    /// It is footage and no table.
    #[error("the file is footage (Y4M); a manifest with kind = \"frames\" describes it, written by hand")]
    IsFootage,
    /// There is no heading line.
    #[error("the CSV is empty; its first line must name the columns")]
    NoHeader,
}

/// Some rows of a file.
pub(crate) struct SourceBatch {
    /// The rows. Those of [`SourceBatch::ragged`] are all NULL.
    pub(crate) rows: RecordBatch,
    /// Rows of the batch that have another number of fields than the heading line.
    pub(crate) ragged: Vec<usize>,
}

/// A file, opened: its headings, then its rows.
pub(crate) struct Source {
    pub(crate) schema: SchemaRef,
    /// What the file is, in words.
    pub(crate) format: &'static str,
    batches: Batches,
}

enum Batches {
    Parquet(ParquetRecordBatchReader),
    Csv(Box<CsvBatches>),
}

impl Source {
    /// Opens a file of any known format.
    pub(crate) fn open(path: &Path) -> Result<Self, SourceError> {
        let mut file = File::open(path).map_err(SourceError::Io)?;
        let mut magic = Vec::new();
        Read::by_ref(&mut file).take(4).read_to_end(&mut magic).map_err(SourceError::Io)?;
        if magic == b"YUV4" {
            return Err(SourceError::IsFootage);
        }
        if magic.starts_with(b"PAR1") || magic.starts_with(b"PARE") { Self::parquet(path) } else { Self::csv(path) }
    }

    fn parquet(path: &Path) -> Result<Self, SourceError> {
        let file = File::open(path).map_err(SourceError::Io)?;
        let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|_| SourceError::Parquet)?;
        let schema = Arc::clone(builder.schema());
        let reader = builder.with_batch_size(BATCH_ROWS).build().map_err(|_| SourceError::Parquet)?;
        Ok(Self { schema, format: "Parquet", batches: Batches::Parquet(reader) })
    }

    fn csv(path: &Path) -> Result<Self, SourceError> {
        let encoding = encoding_of(path)?;
        let delimiter = if path.extension().is_some_and(|ext| ext.eq_ignore_ascii_case("tsv")) { b'\t' } else { b',' };
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(delimiter)
            .flexible(true)
            .from_reader(DecodedFile::open(path, encoding)?);
        let header = reader.headers().map_err(|error| csv_error(error, 0))?;
        let fields: Vec<Field> = header
            .iter()
            .map(|heading| Field::new(heading.trim_start_matches('\u{feff}').trim(), DataType::Utf8, true))
            .collect();
        if fields.is_empty() {
            return Err(SourceError::NoHeader);
        }
        let schema = Arc::new(Schema::new(fields));
        let format = match encoding.name() {
            "UTF-8" => "CSV in UTF-8",
            "gb18030" => "CSV in GB18030",
            _ => "CSV in UTF-16",
        };
        let batches = CsvBatches { reader, schema: Arc::clone(&schema), row: 0 };
        Ok(Self { schema, format, batches: Batches::Csv(Box::new(batches)) })
    }

    /// The next rows, or `None` at the end.
    pub(crate) fn next_batch(&mut self) -> Result<Option<SourceBatch>, SourceError> {
        match &mut self.batches {
            Batches::Parquet(reader) => match reader.next() {
                Some(Ok(rows)) => Ok(Some(SourceBatch { rows, ragged: Vec::new() })),
                Some(Err(_)) => Err(SourceError::Parquet),
                None => Ok(None),
            },
            Batches::Csv(batches) => batches.next_batch(),
        }
    }
}

struct CsvBatches {
    reader: csv::Reader<DecodedFile>,
    schema: SchemaRef,
    row: u64,
}

impl CsvBatches {
    fn next_batch(&mut self) -> Result<Option<SourceBatch>, SourceError> {
        let width = self.schema.fields().len();
        let mut builders: Vec<StringBuilder> = (0..width).map(|_| StringBuilder::new()).collect();
        let (mut record, mut rows, mut ragged) = (csv::StringRecord::new(), 0, Vec::new());
        while rows < BATCH_ROWS {
            if !self.reader.read_record(&mut record).map_err(|error| csv_error(error, self.row))? {
                break;
            }
            let whole = record.len() == width;
            if !whole {
                ragged.push(rows);
            }
            for (index, builder) in builders.iter_mut().enumerate() {
                builder.append_option(record.get(index).filter(|field| whole && !field.is_empty()));
            }
            rows += 1;
            self.row += 1;
        }
        if rows == 0 {
            return Ok(None);
        }
        let columns: Vec<ArrayRef> =
            builders.iter_mut().map(|builder| Arc::new(builder.finish()) as ArrayRef).collect();
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), columns).map_err(|_| SourceError::Csv(self.row))?;
        Ok(Some(SourceBatch { rows: batch, ragged }))
    }
}

fn csv_error(error: csv::Error, row: u64) -> SourceError {
    match error.into_kind() {
        csv::ErrorKind::Io(error) if error.kind() == io::ErrorKind::InvalidData => SourceError::Encoding,
        csv::ErrorKind::Io(error) => SourceError::Io(error),
        _ => SourceError::Csv(row),
    }
}

/// The encoding, from a byte order mark or else from what all bytes of the file are valid in.
fn encoding_of(path: &Path) -> Result<&'static Encoding, SourceError> {
    let mut mark = Vec::new();
    File::open(path).and_then(|file| file.take(4).read_to_end(&mut mark)).map_err(SourceError::Io)?;
    if let Some((encoding, _)) = Encoding::for_bom(&mark) {
        return Ok(encoding);
    }
    for encoding in [UTF_8, GB18030] {
        match io::copy(&mut DecodedFile::open(path, encoding)?, &mut io::sink()) {
            Ok(_) => return Ok(encoding),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {}
            Err(error) => return Err(SourceError::Io(error)),
        }
    }
    Err(SourceError::Encoding)
}

/// A text file as UTF-8. Bytes that are not valid in the encoding are an error, never replaced.
struct DecodedFile {
    file: File,
    decoder: Decoder,
    raw: Vec<u8>,
    raw_used: usize,
    text: Vec<u8>,
    text_used: usize,
    ended: bool,
}

impl DecodedFile {
    fn open(path: &Path, encoding: &'static Encoding) -> Result<Self, SourceError> {
        debug_assert!([UTF_8, GB18030, UTF_16LE, UTF_16BE].contains(&encoding), "only these are detected");
        let file = File::open(path).map_err(SourceError::Io)?;
        let decoder = encoding.new_decoder_with_bom_removal();
        Ok(Self { file, decoder, raw: Vec::new(), raw_used: 0, text: Vec::new(), text_used: 0, ended: false })
    }

    /// Decodes some more into `text`. Nothing more comes when that stays empty.
    fn refill(&mut self) -> io::Result<()> {
        (self.text_used, self.raw_used) = (0, self.raw_used.min(self.raw.len()));
        self.text.clear();
        while self.text.is_empty() && !self.ended {
            if self.raw_used == self.raw.len() {
                self.raw.clear();
                self.raw_used = 0;
                Read::by_ref(&mut self.file).take(BUFFER_BYTES as u64).read_to_end(&mut self.raw)?;
            }
            let last = self.raw.is_empty();
            let mut out = vec![0; BUFFER_BYTES];
            let input = self.raw.get(self.raw_used..).unwrap_or_default();
            let (result, read, written) = self.decoder.decode_to_utf8_without_replacement(input, &mut out, last);
            if let DecoderResult::Malformed(..) = result {
                return Err(io::Error::from(io::ErrorKind::InvalidData));
            }
            self.raw_used += read;
            out.truncate(written);
            self.text = out;
            self.ended = last && result == DecoderResult::InputEmpty;
        }
        Ok(())
    }
}

impl Read for DecodedFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.text_used == self.text.len() {
            self.refill()?;
        }
        let ready = self.text.get(self.text_used..).unwrap_or_default();
        let count = ready.len().min(buffer.len());
        buffer.iter_mut().zip(ready).for_each(|(to, from)| *to = *from);
        self.text_used += count;
        Ok(count)
    }
}
