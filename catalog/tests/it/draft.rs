//! Drafts: encodings, types, likely identifiers, and nothing inferred that would say something about the rows.

use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{ArrayRef, Date32Array, Int32Array, StringArray};
use arrow::record_batch::RecordBatch;
use encoding_rs::GB18030;
use glovebox_catalog::{Manifest, draft};
use parquet::arrow::ArrowWriter;
use tempfile::TempDir;
use toml::{Table, Value};

const CHINESE: &str = "患者编号,姓名,年龄,入院日期,邮编,费用,吸烟,备注\n\
    1,张三,34,2021-03-04,010020,12.5,是,无异常\n\
    2,李四,NA,2021/3/5,200000,7,否,\"复查,两周\"\n";

fn file(bytes: &[u8]) -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("Ward Visits.csv");
    std::fs::write(&path, bytes).unwrap();
    (dir, path)
}

fn columns(text: &str) -> Vec<Table> {
    let table: Table = text.parse().unwrap_or_else(|error| panic!("{error}\n{text}"));
    table["columns"].as_array().unwrap().iter().map(|column| column.as_table().unwrap().clone()).collect()
}

fn all(text: &str, key: &str) -> Vec<String> {
    columns(text).iter().map(|c| c.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()).collect()
}

#[test]
fn csv_in_three_encodings_gives_the_same_columns() {
    let utf16: Vec<u8> = [0xff, 0xfe].into_iter().chain(CHINESE.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    let marked: Vec<u8> = [0xef, 0xbb, 0xbf].into_iter().chain(CHINESE.bytes()).collect();
    for bytes in [CHINESE.as_bytes(), &marked, &GB18030.encode(CHINESE).0, &utf16] {
        let (_dir, path) = file(bytes);
        let text = draft(&path).unwrap();
        assert_eq!(all(&text, "type"), ["int", "text", "int", "date", "text", "float", "bool", "text"], "{text}");
        assert_eq!(all(&text, "header")[..3], ["患者编号", "姓名", "年龄"]);
        assert_eq!(all(&text, "name")[2], "column_3");
        let identifiers: Vec<bool> = columns(&text).iter().map(|c| c.contains_key("identifier")).collect();
        assert_eq!(identifiers, [false, true, false, false, false, false, false, false]);
        assert!(text.contains("null_markers = [\"NA\"]"), "{text}");
        assert!(text.contains("name = \"schema.ward_visits\""), "{text}");
        assert!(text.contains("perhaps: [\"column_1\"]"), "{text}");
    }
}

#[test]
fn nothing_is_inferred_from_the_rows() {
    let (_dir, path) = file(CHINESE.as_bytes());
    let text = draft(&path).unwrap();
    for column in columns(&text) {
        for key in ["bounds", "keys", "grid"] {
            assert!(!column.contains_key(key), "{key} in {column}");
        }
    }
    let dataset = text.parse::<Table>().unwrap()["dataset"].as_table().unwrap().clone();
    assert!(!dataset.contains_key("max_units") && !dataset.contains_key("max_rows_per_unit"));
    for cell in ["张三", "34", "12.5", "010020"] {
        assert!(!text.contains(cell), "the cell `{cell}` is in the draft");
    }
    // What is left to do comes out as problems, and adding it makes a manifest.
    let report = Manifest::parse(&text).unwrap_err();
    assert!(report.problems.iter().any(|p| p.path == "dataset.max_units" && p.message == "is missing"));
    assert!(report.problems.iter().any(|p| p.path == "columns.column_3.meaning_zh" && p.message == "is empty"));
    assert!(report.problems.iter().all(|p| p.message != "is not a known key"), "{report}");
}

#[test]
fn parquet_gives_its_own_types() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t.parquet");
    let columns: [(&str, ArrayRef); 3] = [
        ("Person ID", Arc::new(Int32Array::from(vec![1, 2]))),
        ("email", Arc::new(StringArray::from(vec!["a@b", "1"]))),
        ("day", Arc::new(Date32Array::from(vec![1, 2]))),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut writer = ArrowWriter::try_new(File::create(&path).unwrap(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    let text = draft(&path).unwrap();
    assert_eq!(all(&text, "name"), ["person_id", "email", "day"]);
    assert_eq!(all(&text, "type"), ["int", "text", "date"]);
    assert!(text.contains("perhaps: [\"person_id\"]"), "{text}");
}

#[test]
fn what_is_no_table_is_refused_without_quoting_it() {
    let (_dir, path) = file(&[0xff, 0xff, b'c', b'a', b'n', b'a', b'r', b'y', 0xff]);
    let message = draft(&path).unwrap_err().to_string();
    assert!(message.contains("neither UTF-8 nor GB18030") && !message.contains("canary"), "{message}");
    let (_dir, path) = file(b"PAR1canary");
    let message = draft(&path).unwrap_err().to_string();
    assert!(message.contains("Parquet") && !message.contains("canary"), "{message}");
    let (_dir, path) = file(b"");
    assert!(draft(&path).unwrap_err().to_string().contains("empty"));
}
