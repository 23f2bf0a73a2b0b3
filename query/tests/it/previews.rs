//! `EXPLAIN PRIVACY` is a function of text and manifest: the same before and after, and on a neighbour.

use glovebox_privacy::Scalar;

use crate::support::{accepted, preview};

const QUESTIONS: &[&str] = &[
    "SELECT COUNT(*) FROM t.visits",
    "SELECT COUNT(DISTINCT person) FROM t.visits WHERE age > 24",
    "SELECT ward, grade, COUNT(*), SUM(age), AVG(cost) FROM t.visits GROUP BY ward, grade HAVING COUNT(*) > 3",
    "SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS (epsilon = 0.1, delta = 0, max_groups_contributed = 1)
        smoker, SUM(free, contribution_bounds_per_row => (0, 9)) FROM t.visits GROUP BY smoker",
    "SELECT AVG(CASE WHEN note = 'canary' THEN loose / weight END, contribution_bounds_per_row => (-1, 1)) FROM t.visits",
    "SELECT town, code, COUNT(*) FROM t.visits GROUP BY town, code",
    "SELECT COUNT(*, contribution_bounds_per_group => (0, 1)), COUNT(note) FROM t.visits",
];

#[test]
fn a_preview_is_the_same_twice_as_a_question_and_on_a_neighbour() {
    for sql in QUESTIONS {
        let explained = format!("EXPLAIN PRIVACY {sql}");
        assert!(accepted(&explained).is_preview());
        assert!(!accepted(sql).is_preview());
        let table = preview(&explained);
        assert!(table.is_well_formed());
        assert_eq!(table, preview(&format!("explain privacy {sql}")), "{sql}");
        assert_eq!(table, preview(sql), "{sql}");
        // The dataset without one person: all but its name.
        let mut neighbour = preview(&sql.replace("t.visits", "t.fewer"));
        for value in neighbour.rows.iter_mut().flatten() {
            if let Scalar::Text(text) = value {
                *text = text.replace("t.fewer", "t.visits");
            }
        }
        assert_eq!(table, neighbour, "{sql}");
    }
}

#[test]
fn a_preview_names_price_and_error_of_every_family() {
    let sql = "EXPLAIN PRIVACY SELECT ward, COUNT(*), AVG(cost) FROM t.visits GROUP BY ward";
    let table = preview(sql);
    let items: Vec<&str> = table
        .rows
        .iter()
        .filter_map(|row| if let Some(Scalar::Text(item)) = row.first() { Some(item.as_str()) } else { None })
        .collect();
    for item in [
        "dataset",
        "privacy unit",
        "epsilon",
        "delta",
        "mechanism",
        "groups",
        "max_groups_contributed",
        "cost rho",
        "cost epsilon at delta",
        "count(*): noise scale",
        "count(*): 95 % half-width",
        "count(cost): noise scale",
        "sum(cost - 500): 95 % half-width",
    ] {
        assert!(items.contains(&item), "{item} in {items:?}");
    }
    assert_eq!(accepted(sql).noise().families().len(), 3);
}

/// Count, mean and spread of one column are made of the same cells, and each is paid for once.
#[test]
fn a_spread_shows_its_cells_and_shares_them() {
    let sql = "EXPLAIN PRIVACY SELECT COUNT(age), AVG(age), VAR(age), STDDEV_POP(age) FROM t.visits";
    assert_eq!(accepted(sql).noise().families().len(), 3);
    let shown = format!("{:?}", preview(sql).rows);
    for item in ["count(age): noise scale", "sum(age - 60): noise scale", "sum((age - 60)² - 1800): 95 % half-width"] {
        assert!(shown.contains(item), "{item} in {shown}");
    }
    // 4 rows, each 60² less its half: what the noise has to hide.
    let linf: Vec<u64> = accepted(sql).noise().families().iter().map(|family| family.linf).collect();
    assert_eq!(linf, [4, 7200, 240]);
}

/// The value of an item of a preview.
fn item(sql: &str, name: &str) -> String {
    let table = preview(sql);
    let name = Scalar::Text(name.to_owned());
    let found = table.rows.iter().find(|row| row.first() == Some(&name));
    format!("{:?}", found.and_then(|row| row.get(1)).unwrap_or_else(|| panic!("{name:?}: {:?}", table.rows)))
}

/// A condition changes what counts, not how finely values are rounded: the declared grid holds.
#[test]
fn a_filter_keeps_the_steps_of_its_column() {
    let plain = item("SELECT SUM(cost) FROM t.visits WHERE smoker", "sum(cost in 0..1000): noise scale");
    let name = "sum(CASE WHEN smoker THEN cost END in 0..1000): noise scale";
    assert_eq!(item("SELECT SUM(cost) FILTER (WHERE smoker) FROM t.visits", name), plain);
}

#[test]
fn families_of_one_name_are_told_apart() {
    let sql = "SELECT COUNT(*) FILTER (WHERE smoker), COUNT(DISTINCT person) FILTER (WHERE smoker) FROM t.visits";
    let table = preview(sql);
    let names: Vec<_> = table.rows.iter().map(|row| format!("{:?}", row.first())).collect();
    let mut once = names.clone();
    once.sort();
    once.dedup();
    assert_eq!(once.len(), names.len(), "{names:?}");
}
