//! Tests of keys as bytes.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::collections::BTreeSet;

use arrow::array::{BooleanArray, Int64Array, StringArray};
use datafusion::logical_expr::lit;

use super::*;

fn column(values: &[KeyValue], found: bool) -> KeyColumn {
    KeyColumn { label: "k".to_owned(), expr: lit(1), data_type: DataType::Utf8, values: values.to_vec(), found }
}

/// A group, and values of three keys that are found.
type KeyRow = (u32, Option<String>, Option<i64>, Option<bool>);

#[test]
fn keys_come_back_and_no_two_have_the_same_bytes() {
    let texts = ["", "a", "a\0", "\0a", "ab", "汉字"].map(|text| Some(text.to_owned()));
    let long = Some("x".repeat(KEY_TEXT_MAX_BYTES + 1));
    let longest = Some("é".repeat(KEY_TEXT_MAX_BYTES / 2));
    let texts: Vec<Option<String>> = texts.into_iter().chain([None, long, longest]).collect();
    let mut rows: Vec<KeyRow> = Vec::new();
    for (group, text) in texts.iter().enumerate() {
        for int in [None, Some(i64::MIN), Some(-1), Some(0), Some(i64::MAX)] {
            for flag in [None, Some(false), Some(true)] {
                rows.push((group as u32 % 3, text.clone(), int, flag));
            }
        }
    }
    let groups: Vec<u32> = rows.iter().map(|row| row.0).collect();
    let arrays: [ArrayRef; 3] = [
        Arc::new(rows.iter().map(|row| row.1.clone()).collect::<StringArray>()),
        Arc::new(rows.iter().map(|row| row.2).collect::<Int64Array>()),
        Arc::new(rows.iter().map(|row| row.3).collect::<BooleanArray>()),
    ];
    let keys = RowKeys::new(&groups, &arrays).unwrap();
    let list = [KeyValue::Int(7), KeyValue::Int(8)];
    let columns = [column(&list, false), column(&[], true), column(&[], true), column(&[], true)];
    let mut seen = BTreeSet::new();
    let mut distinct = BTreeSet::new();
    for (row, (group, text, int, flag)) in rows.into_iter().enumerate() {
        let text = text.filter(|text| text.len() <= KEY_TEXT_MAX_BYTES);
        let expected = vec![
            [KeyPart::Int(7), KeyPart::Int(8), KeyPart::Null][group as usize].clone(),
            text.map_or(KeyPart::Null, KeyPart::Text),
            int.map_or(KeyPart::Null, KeyPart::Int),
            flag.map_or(KeyPart::Null, KeyPart::Bool),
        ];
        let bytes = keys.of(row).unwrap();
        assert_eq!(key_of(bytes, &columns).unwrap(), expected);
        let mut written = group.to_be_bytes().to_vec();
        expected.iter().skip(1).for_each(|part| push_part(&mut written, part));
        assert_eq!(written, bytes, "both ways of writing agree");
        seen.insert(bytes.to_vec());
        distinct.insert(expected);
    }
    assert_eq!(seen.len(), distinct.len());
    assert!(keys.of(groups.len()).is_none());
}

#[test]
fn bytes_that_are_no_key_are_not_read() {
    let columns = [column(&[], true)];
    for bytes in [&[0, 0, 0][..], &[0; 4], &[0, 0, 0, 0, 9], &[0, 0, 0, 0, TEXT, 2, 65], &[0, 0, 0, 0, NULL, NULL]] {
        assert!(key_of(bytes, &columns).is_none(), "{bytes:?}");
    }
}

#[test]
fn totals_of_two_walks_add_up_key_by_key() {
    let key = |byte: u8| KeyBytes::from([0, 0, 0, 0, BOOL, byte]);
    let mut all = FoundTotals::from([(key(0), vec![1, 10])]);
    add_totals(&mut all, FoundTotals::from([(key(0), vec![2, 20]), (key(1), vec![3, 30])]));
    let (keys, cells) = sorted(all, &[column(&[], true)], 2).unwrap();
    assert_eq!(keys, [vec![KeyPart::Bool(false)], vec![KeyPart::Bool(true)]]);
    assert_eq!(cells, [vec![3, 3], vec![30, 30]]);
    assert_eq!(sorted(FoundTotals::default(), &[column(&[], true)], 2).unwrap(), (vec![], vec![vec![], vec![]]));
}
