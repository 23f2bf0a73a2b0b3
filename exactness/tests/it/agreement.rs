//! The ordered fold and the plan of plain nodes give the same cells, however the walk is cut up.

use proptest::prelude::*;

use crate::corpus::CORPUS;
use crate::data::{Place, Row, cut, fold, folded, hard_rows, plain, rows};

const BATCHES: [usize; 3] = [1, 7, 8192];

fn agree(rows: &[Row], cuts: &[(usize, usize)]) {
    let place = Place::new();
    let name = place.add_with_others(rows);
    for sql in CORPUS {
        let analysis = place.analyse(sql, &name);
        let first = folded(&analysis, sql, cut(1, 8192));
        for (partitions, batch_rows) in cuts {
            let how = cut(*partitions, *batch_rows);
            assert_eq!(fold(&analysis, how).unwrap(), first, "fold {how:?}: {sql}\n{rows:?}");
            assert_eq!(plain(&analysis, how).unwrap(), first, "plain nodes {how:?}: {sql}\n{rows:?}");
        }
    }
}

#[test]
fn on_hard_rows_for_every_batch_size() {
    let cuts: Vec<(usize, usize)> = (1..=3).zip(BATCHES).collect();
    agree(&hard_rows(), &cuts);
}

#[test]
fn on_no_rows_at_all() {
    agree(&[], &[(2, 8192)]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn on_generated_rows(rows in rows(8, 6), partitions in 1_usize..=3, batch in 0_usize..3) {
        agree(&rows, &[(partitions, BATCHES[batch])]);
    }
}

/// Partitions are runs of row groups, and a row group has 65,536 rows: only many rows are really cut up.
#[test]
fn on_many_rows_for_every_number_of_partitions() {
    let pattern = hard_rows();
    let rows: Vec<Row> = (0..150_000_i64)
        .map(|i| Row { person: i / 3, ..pattern[usize::try_from(i * 31 % 120).unwrap()].clone() })
        .collect();
    let place = Place::new();
    let name = place.add(&rows);
    let sql = "SELECT k, SUM(x), AVG(c), COUNT(DISTINCT person) FROM {t} WHERE big <> 5 OR flag GROUP BY k";
    let analysis = place.analyse(sql, &name);
    let first = folded(&analysis, sql, cut(1, 8192));
    assert!(first.iter().flatten().any(|cell| *cell != 0));
    for (partitions, batch_rows) in [(1, 1000), (2, 8192), (3, 8192), (3, 777), (9, 65_536)] {
        assert_eq!(fold(&analysis, cut(partitions, batch_rows)).unwrap(), first, "{partitions} {batch_rows}");
    }
    for partitions in 1..=3 {
        assert_eq!(plain(&analysis, cut(partitions, 8192)).unwrap(), first, "{partitions}");
    }
}

#[test]
fn one_key_gives_one_table_of_cells_and_another_key_may_give_another() {
    let place = Place::new();
    let rows: Vec<Row> = (0..90)
        .map(|i| Row { person: i / 3, k: Some(["a", "b", "c"][i as usize % 3].to_owned()), ..Row::default() })
        .collect();
    let name = place.add(&rows);
    let sql = "SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS (max_groups_contributed = 1) k, COUNT(*) FROM {t} GROUP BY k";
    let analysis = place.analyse(sql, &name);
    let cells = |key: [u8; 16]| {
        use glovebox_vault::Expose as _;
        let key = glovebox_query::SelectionKey::new(key);
        crate::data::block(analysis.exact_cells(&key, cut(2, 7))).unwrap().expose()
    };
    let first = cells([1; 16]);
    assert_eq!(first, cells([1; 16]));
    assert_eq!(first[0].iter().sum::<i128>(), 30, "each person is counted once");
    assert!((2..10).any(|k| cells([k; 16]) != first));
}
