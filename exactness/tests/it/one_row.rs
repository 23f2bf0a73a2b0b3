//! Where a person has one row, units are read once to see that it is so, and then no more: the cells are the same, and move no further.

use glovebox_exactness::neighbour::check;

use crate::corpus::CORPUS;
use crate::data::{Place, Row, cut, folded, hard_rows, linf, plain, without};

/// The questions about one dataset: where two are joined, units are always read.
fn questions() -> impl Iterator<Item = &'static str> {
    CORPUS.iter().copied().filter(|sql| !sql.contains("{o}") && sql.matches("{t}").count() == 1)
}

#[test]
fn units_that_are_not_read_again_make_no_difference() {
    let place = Place::new();
    let rows = hard_rows();
    for sql in questions() {
        // Of a state of its own, so that the first answer is the first look at it.
        let name = place.add_bounded(&rows, 1);
        let dataset = place.catalog.get(&name.parse().unwrap()).unwrap();
        let analysis = place.analyse(sql, &name);
        assert!(!dataset.is_in_order());
        let first = folded(&analysis, sql, cut(2, 7));
        assert!(dataset.is_in_order(), "{sql}");
        assert_eq!(folded(&analysis, sql, cut(2, 7)), first, "again: {sql}");
        assert_eq!(folded(&analysis, sql, cut(1, 8192)), first, "again, cut otherwise: {sql}");
        assert_eq!(plain(&analysis, cut(1, 8192)).unwrap(), first, "plain nodes: {sql}");
    }
}

#[test]
fn no_unit_moves_cells_further_than_declared_whether_units_are_read_or_not() {
    let place = Place::new();
    let rows = hard_rows();
    let all = place.add_bounded(&rows, 1);
    let persons: Vec<i64> = rows.iter().map(|row: &Row| row.person).step_by(60).collect();
    for person in persons {
        let fewer = place.add_bounded(&without(&rows, person), 1);
        for sql in questions() {
            let (a, b) = (place.analyse(sql, &all), place.analyse(sql, &fewer));
            for _ in 0..2 {
                let (with, rest) = (folded(&a, sql, cut(2, 8192)), folded(&b, sql, cut(2, 8192)));
                let moved = check(&with, &rest, &linf(&a), a.max_groups());
                assert!(moved.is_ok(), "{moved:?} without person {person}: {sql}");
            }
        }
    }
}
