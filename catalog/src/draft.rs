//! A first manifest for a new file: its columns and their types, and blanks for everything that only a person can say.
//!
//! The profile looks at headings and types. It never writes bounds, key lists or sizes, not even as a suggestion: taken
//! from the rows they would be an answer about the rows, given without noise. Every blank says what belongs there; read
//! by [`crate::Manifest::parse`] the draft is a list of what is left to do. For officers only.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::Path;

use arrow::array::AsArray;
use arrow::datatypes::DataType;

use crate::cells::{ValueClass, classify, parse_bool};
use crate::manifest::{ColumnKind, toml_text};
use crate::source::{Source, SourceError};

/// Why no draft can be made.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct DraftError(#[from] SourceError);

/// Texts that often mean NULL. Where a column is of one type but for these, the draft declares them.
const USUAL_MARKERS: [&str; 9] = ["NA", "N/A", "NULL", "null", "None", "-", "\\N", "缺失", "未知"];

/// Words in headings that point to direct identifiers.
const IDENTIFIER_WORDS: [&str; 20] = [
    "name",
    "surname",
    "firstname",
    "lastname",
    "fullname",
    "phone",
    "mobile",
    "telephone",
    "tel",
    "email",
    "mail",
    "ssn",
    "passport",
    "address",
    "addr",
    "idcard",
    "plate",
    "wechat",
    "qq",
    "iban",
];

/// Parts of Chinese headings that point to direct identifiers.
const IDENTIFIER_PARTS: [&str; 15] = [
    "姓名",
    "身份证",
    "证件号",
    "手机",
    "电话",
    "邮箱",
    "邮件",
    "地址",
    "住址",
    "护照",
    "车牌",
    "银行卡",
    "微信",
    "社保号",
    "医保号",
];

/// Parts of Chinese headings that point to the unit.
const UNIT_PARTS: [&str; 8] = ["编号", "病历号", "学号", "工号", "患者", "人员", "学生", "车辆"];

/// Profiles a Parquet or CSV file (UTF-8, GB18030, or UTF-16 with a byte order mark) into a manifest to edit.
///
/// # Errors
/// The file cannot be read, or is in no known format or encoding.
pub fn draft(path: &Path) -> Result<String, DraftError> {
    draft_called(path, path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default())
}

/// As [`draft`], of a file that lies under another name here than its owner calls it by.
///
/// # Errors
/// As [`draft`].
pub fn draft_called(path: &Path, name: &str) -> Result<String, DraftError> {
    let mut source = Source::open(path)?;
    let fields = source.schema.fields().clone();
    let mut guesses: Vec<Guess> = fields.iter().map(|field| Guess::new(field.data_type())).collect();
    // Only a CSV has to be read through: Parquet says its types in the footer.
    while guesses.iter().any(|guess| guess.sniff) {
        let Some(batch) = source.next_batch()? else { break };
        for (guess, array) in guesses.iter_mut().zip(batch.rows.columns()) {
            if guess.sniff && source.format.starts_with("CSV") {
                array.as_string::<i32>().iter().flatten().for_each(|text| guess.look(text.trim()));
            } else {
                guess.sniff = false;
            }
        }
    }
    let columns: Vec<(&str, Guess)> = fields.iter().map(|field| field.name().as_str()).zip(guesses).collect();
    Ok(write(name, source.format, &columns))
}

/// What a column may still be.
struct Guess {
    declared: Option<ColumnKind>,
    /// Whether the kind has to be found from the texts.
    sniff: bool,
    classes: BTreeSet<ValueClass>,
    /// A whole number with a leading zero is a code.
    codes: bool,
    /// Truth values that are words.
    words: bool,
    markers: BTreeSet<&'static str>,
}

impl Guess {
    fn new(file_type: &DataType) -> Self {
        use DataType as T;
        let plain = match file_type {
            T::Dictionary(_, values) => values,
            other => other,
        };
        let declared = match plain {
            T::Boolean => Some(ColumnKind::Bool),
            T::Date32 | T::Date64 => Some(ColumnKind::Date),
            T::Timestamp(..) => Some(ColumnKind::Timestamp),
            T::Utf8 | T::LargeUtf8 | T::Utf8View => Some(ColumnKind::Text),
            other if other.is_integer() => Some(ColumnKind::Int),
            other if other.is_floating() || other.is_decimal() => Some(ColumnKind::Float),
            _ => None,
        };
        let sniff = *file_type == T::Utf8;
        Self { declared, sniff, classes: BTreeSet::new(), codes: false, words: true, markers: BTreeSet::new() }
    }

    fn look(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        if let Some(marker) = USUAL_MARKERS.iter().find(|marker| **marker == text) {
            self.markers.insert(marker);
            return;
        }
        let class = classify(text);
        self.codes |= class == ValueClass::Integer && text.len() > 1 && text.starts_with('0');
        self.words &= parse_bool(text).is_some();
        self.classes.insert(class);
    }

    fn kind(&self) -> Option<ColumnKind> {
        if !self.sniff {
            return self.declared;
        }
        let only = |allowed: &[ValueClass]| {
            !self.classes.is_empty() && !self.codes && self.classes.iter().all(|class| allowed.contains(class))
        };
        Some(if only(&[ValueClass::Boolean]) && self.words {
            ColumnKind::Bool
        } else if only(&[ValueClass::Integer]) {
            ColumnKind::Int
        } else if only(&[ValueClass::Integer, ValueClass::WideInteger, ValueClass::Number]) {
            ColumnKind::Float
        } else if only(&[ValueClass::Date]) {
            ColumnKind::Date
        } else if only(&[ValueClass::Date, ValueClass::Timestamp]) {
            ColumnKind::Timestamp
        } else {
            ColumnKind::Text
        })
    }
}

fn write(name: &str, format: &str, columns: &[(&str, Guess)]) -> String {
    let table = slug(name).unwrap_or_else(|| "dataset".to_owned());
    let names = names(columns.iter().map(|(heading, _)| *heading));
    let units: Vec<String> = names
        .iter()
        .zip(columns)
        .filter(|(_, (heading, _))| looks_like_unit(heading) && !looks_like_identifier(heading))
        .map(|(name, _)| toml_text(name.as_str()))
        .collect();
    let markers: BTreeSet<&str> = columns
        .iter()
        .filter(|(_, guess)| guess.kind() != Some(ColumnKind::Text))
        .flat_map(|(_, guess)| guess.markers.iter().copied())
        .collect();
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = writeln!(
        out,
        "# A draft made from the headings and types of a file ({format}). Edit it, then register the file."
    );
    let _ = writeln!(out, "# 由文件的列名与类型生成的清单草稿（{format}）。请编辑后再登记。");
    out.push_str(HEAD);
    let _ = writeln!(
        out,
        "\n[dataset]\nname = {}  # <schema>.<table>; replace `schema`",
        toml_text(format!("schema.{table}"))
    );
    out.push_str(DATASET);
    let _ = writeln!(out, "unit = []  # 隐私单位的列; by their names perhaps: [{}]", units.join(", "));
    out.push_str(SIZES);
    if !markers.is_empty() {
        let list: Vec<String> = markers.iter().map(|marker| toml_text(*marker)).collect();
        let _ = writeln!(out, "null_markers = [{}]  # texts that seem to mean NULL; check them", list.join(", "));
    }
    for (name, (heading, guess)) in names.iter().zip(columns) {
        write_column(&mut out, name, heading, guess);
    }
    out
}

const HEAD: &str = "#
# Left blank on purpose: sizes, bounds and key lists. They are public, and taken from the rows they would reveal the
# rows. Take them from a codebook, a law or general knowledge, and say in `basis` from where.
# 规模、上下界与键表特意留空：它们是公开信息，若取自数据本身就会泄露数据。请依据编码手册、法规或常识填写，并在 basis 中注明出处。
";

const DATASET: &str = "kind = \"table\"
title_en = \"\"
title_zh = \"\"
id_space = \"\"  # datasets whose unit ids mean the same persons share one id-space
budget_domain = \"resident\"  # who shares one privacy budget; another one needs signed evidence
";

const SIZES: &str =
    "# max_units = 10000  # a round number that is surely not exceeded; a file with more units is refused
# max_rows_per_unit = 10  # further rows of a unit are dropped
source = \"\"
licence = \"\"
classification = \"\"
# unique = [[\"person_id\", \"year\"]]  # columns that never repeat together; verified when the file is registered
";

fn write_column(out: &mut String, name: &str, heading: &str, guess: &Guess) {
    let _ = writeln!(out, "\n[[columns]]\nname = {}", toml_text(name));
    if heading != name {
        let _ = writeln!(out, "header = {}", toml_text(heading));
    }
    match guess.kind() {
        Some(kind) => {
            let _ = writeln!(out, "type = {}", toml_text(kind.as_str()));
        }
        None => out
            .push_str("# The file's type has no counterpart here; leave the column out by deleting it.\ntype = \"\"\n"),
    }
    out.push_str("meaning_en = \"\"\nmeaning_zh = \"\"\n");
    if looks_like_identifier(heading) {
        out.push_str(
            "# By its name it may identify persons; then it is never stored. Delete this line if it does not.\n\
             # 疑似直接标识符，不入库；若不是，请删除此行。\n\
             identifier = true\n",
        );
        return;
    }
    if looks_like_unit(heading) {
        out.push_str("# Perhaps a unit column: those take no bounds and no keys.\n");
    }
    match guess.kind() {
        Some(kind) if kind.is_number() => {
            out.push_str("# bounds = { lower = 0, upper = 100, basis = \"…\" }  # needed for sums and averages\n");
            if kind == ColumnKind::Float {
                out.push_str("# grid = 0.01  # the precision that matters\n");
            } else {
                out.push_str("# keys = { values = [1, 2, 3], basis = \"…\" }  # needed to group by it\n");
            }
        }
        Some(kind) if kind.is_dated() => {
            out.push_str("# days = { first = 2013-01-01, last = 2013-12-31, basis = \"…\" }  # needed to group by years or days\n");
        }
        Some(ColumnKind::Text) => {
            out.push_str("# keys = { values = [\"a\", \"b\"], basis = \"…\" }  # needed to group by it\n");
        }
        Some(ColumnKind::Bool) => {
            out.push_str("# keys = { values = [false, true], basis = \"…\" }  # needed to group by it\n");
        }
        _ => {}
    }
}

/// Column names for headings: each once, each of the form that SQL wants.
fn names<'a>(headings: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut used: BTreeMap<String, usize> = BTreeMap::new();
    let mut out = Vec::new();
    for (index, heading) in headings.enumerate() {
        let base = slug(heading).unwrap_or_else(|| format!("column_{}", index + 1));
        let times = used.entry(base.clone()).or_default();
        *times += 1;
        out.push(if *times == 1 { base } else { format!("{base}_{index}") });
    }
    out
}

/// The ASCII letters and digits of a text as a name, or `None` if that would leave out letters of another script.
fn slug(text: &str) -> Option<String> {
    if text.chars().any(|c| c.is_alphanumeric() && !c.is_ascii()) {
        return None;
    }
    let parts = text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|part| !part.is_empty());
    let joined = parts.collect::<Vec<_>>().join("_").to_ascii_lowercase();
    let short: String = joined.chars().take(48).collect();
    Some(short).filter(|short| !short.is_empty())
}

fn words(heading: &str) -> Vec<String> {
    heading.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_lowercase).collect()
}

fn looks_like_identifier(heading: &str) -> bool {
    let words = words(heading);
    words.iter().any(|word| IDENTIFIER_WORDS.contains(&word.as_str()))
        || words.array_windows().any(|[left, right]| left == "id" && (right == "card" || right == "number"))
        || IDENTIFIER_PARTS.iter().any(|part| heading.contains(part))
}

fn looks_like_unit(heading: &str) -> bool {
    let words = words(heading);
    words.last().is_some_and(|word| word == "id") || UNIT_PARTS.iter().any(|part| heading.contains(part))
}
