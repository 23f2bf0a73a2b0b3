//! Keys that are found in rows: what may be grouped by, what it costs, what is told beforehand.

use glovebox_policy::Reason::{
    ClauseRefused, ColumnIsIdentifier, GroupKeyNotPublic, OptionInvalid, ThresholdNeedsDelta, TooManyKeys,
};
use glovebox_privacy::{MechanismKind, Scalar};

use crate::support::Expect::{About, No, Yes};
use crate::support::{accepted, check_all, preview, request};

#[test]
fn marked_columns_and_parts_of_their_dates_may_be_grouped_by() {
    check_all([
        ("SELECT town, COUNT(*) FROM t.visits GROUP BY town", Yes),
        ("SELECT COUNT(*) FROM t.visits GROUP BY code", Yes),
        ("SELECT town FROM t.visits GROUP BY town", Yes),
        ("SELECT town, ward, code, AVG(age) FROM t.visits GROUP BY ward, town, code", Yes),
        ("SELECT seen, COUNT(*) FROM t.visits GROUP BY seen", Yes),
        ("SELECT CAST(seen AS DATE) AS d, COUNT(*) FROM t.visits GROUP BY d", Yes),
        ("SELECT EXTRACT(YEAR FROM seen) AS y, COUNT(*) FROM t.visits GROUP BY y", Yes),
        ("SELECT DATE_TRUNC('month', seen) AS m, COUNT(*) FROM t.visits GROUP BY m", Yes),
        // A month has a list all the same.
        (
            "SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS (delta = 0) EXTRACT(MONTH FROM seen) AS m, COUNT(*) FROM t.visits GROUP BY m",
            Yes,
        ),
        ("SELECT town, COUNT(*) AS n FROM t.visits GROUP BY town HAVING COUNT(*) > 5 ORDER BY n DESC LIMIT 3", Yes),
        (
            "SELECT place, COUNT(*) FROM (SELECT town AS place, age FROM t.visits WHERE age > 3) AS s GROUP BY place",
            Yes,
        ),
        (
            "SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS (mechanism = 'laplace', delta = 1e-9) town, COUNT(*) FROM t.visits GROUP BY town",
            Yes,
        ),
        ("SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS (delta = 1e-3) town, COUNT(*) FROM t.visits GROUP BY town", Yes),
    ]);
}

#[test]
fn others_may_not() {
    let without = |options: &str| {
        format!("SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS ({options}) town, COUNT(*) FROM t.visits GROUP BY town")
    };
    check_all([
        (without("delta = 0"), About(ThresholdNeedsDelta, "delta")),
        (without("delta = 1e-18"), About(ThresholdNeedsDelta, "delta")),
        (without("delta = 0, mechanism = 'laplace'"), About(ThresholdNeedsDelta, "delta")),
        (without("delta = 0, mechanism = 'gaussian'"), About(OptionInvalid, "mechanism")),
        (without("delta = 0.01"), About(OptionInvalid, "delta")),
        ("SELECT COUNT(*) FROM t.visits GROUP BY phone".to_owned(), About(ColumnIsIdentifier, "phone")),
        ("SELECT COUNT(*) FROM t.visits GROUP BY town, phone".to_owned(), About(ColumnIsIdentifier, "phone")),
        ("SELECT COUNT(*) FROM t.visits GROUP BY person".to_owned(), About(GroupKeyNotPublic, "person")),
        ("SELECT COUNT(*) FROM t.visits GROUP BY note".to_owned(), About(GroupKeyNotPublic, "note")),
        ("SELECT COUNT(*) FROM t.visits GROUP BY town, note".to_owned(), About(GroupKeyNotPublic, "note")),
        ("SELECT COUNT(*) FROM t.visits GROUP BY loose".to_owned(), About(GroupKeyNotPublic, "loose")),
        ("SELECT COUNT(*) FROM t.visits GROUP BY at".to_owned(), About(GroupKeyNotPublic, "at")),
        ("SELECT COUNT(*) FROM t.visits GROUP BY code + 1".to_owned(), About(GroupKeyNotPublic, "code + 1")),
        (
            "SELECT COUNT(*) FROM t.visits GROUP BY CAST(code AS VARCHAR)".to_owned(),
            About(GroupKeyNotPublic, "CAST(code"),
        ),
        (
            "SELECT COUNT(*) FROM t.visits GROUP BY COALESCE(town, 'x')".to_owned(),
            About(GroupKeyNotPublic, "coalesce("),
        ),
        // Within a unit no key is found, and what is made there is not marked.
        (
            "SELECT AVG(n) FROM (SELECT person, town, COUNT(*) AS n FROM t.visits GROUP BY person, town) AS u"
                .to_owned(),
            About(ClauseRefused, "below another aggregate"),
        ),
        (
            "SELECT n, COUNT(*) FROM (SELECT person, COUNT(*) AS n FROM t.visits GROUP BY person) AS u GROUP BY n"
                .to_owned(),
            About(GroupKeyNotPublic, "per_unit_0"),
        ),
    ]);
    // Ten thousand million units in two keys each are more than one answer has noise for.
    check_all([
        ("SELECT town, COUNT(*) FROM t.crowd GROUP BY town", No(TooManyKeys)),
        ("SELECT COUNT(*) FROM t.crowd", Yes),
    ]);
}

#[test]
fn the_count_of_units_is_a_family_of_its_own_and_never_twice() {
    let families = |sql: &str| accepted(sql).noise().families().len();
    assert_eq!(families("SELECT town, SUM(age) FROM t.visits GROUP BY town"), 2);
    assert_eq!(families("SELECT town, COUNT(DISTINCT person) FROM t.visits GROUP BY town"), 1);
    assert_eq!(families("SELECT town FROM t.visits GROUP BY town"), 1);
    assert_eq!(families("SELECT town, COUNT(DISTINCT person) FILTER (WHERE age > 3) FROM t.visits GROUP BY town"), 2);
    for sql in
        ["SELECT town, SUM(age), AVG(cost) FROM t.visits GROUP BY town", "SELECT town FROM t.visits GROUP BY town"]
    {
        let analysis = accepted(sql);
        let threshold = analysis.noise().threshold().unwrap();
        let units = analysis.noise().families().get(threshold.family).unwrap();
        assert_eq!(units.linf, 1);
        assert!(units.label.get().starts_with("count(distinct unit)"));
        assert_eq!(analysis.noise().cost().delta, threshold.delta);
        // A thousand declared units in two groups each.
        assert_eq!((analysis.noise().groups(), analysis.max_groups()), (2000, 2));
        assert_eq!(analysis.work().cells, analysis.noise().cells());
    }
}

#[test]
fn more_groups_of_a_unit_take_a_higher_threshold() {
    let tau = |groups: u32| {
        let sql = format!(
            "SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS (max_groups_contributed = {groups}) town FROM t.visits GROUP BY town"
        );
        accepted(&sql).noise().threshold().unwrap().tau
    };
    assert!(tau(1) < tau(2) && tau(2) < tau(4));
    assert_eq!(tau(4), tau(400), "nobody has more groups than rows");
}

#[test]
fn finding_keys_is_more_work_than_looking_them_up() {
    let steps = |key: &str| accepted(&format!("SELECT {key}, COUNT(*) FROM t.visits GROUP BY {key}")).work().steps;
    assert!(steps("town") > steps("ward"));
    assert!(steps("code") > steps("grade"));
}

#[test]
fn the_request_is_another_one_with_another_delta() {
    let sql = |delta: &str| {
        format!("SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS (delta = {delta}) town, COUNT(*) FROM t.visits GROUP BY town")
    };
    assert_ne!(request(&sql("1e-9")), request(&sql("1e-8")));
    assert_eq!(request(&sql("1e-9")), request(&format!("{} HAVING COUNT(*) > 4", sql("1e-9"))));
}

#[test]
fn a_preview_tells_the_threshold_and_what_it_takes_of_delta() {
    let said = |sql: &str| {
        let rows = preview(sql).rows.into_iter().map(|row| match row.as_slice() {
            [Scalar::Text(item), Scalar::Text(value)] => (item.clone(), value.clone()),
            other => panic!("{other:?}"),
        });
        rows.collect::<std::collections::BTreeMap<_, _>>()
    };
    let sql = "EXPLAIN PRIVACY SELECT town, ward, COUNT(*) FROM t.visits GROUP BY town, ward";
    let analysis = accepted(sql);
    let threshold = analysis.noise().threshold().unwrap();
    let items = said(sql);
    assert_eq!(items["keys found in rows"], "town");
    assert_eq!(
        items["threshold of units"],
        format!("a key appears when its noised count of units is {} or more", threshold.tau)
    );
    let delta: f64 = items["threshold delta"].parse().unwrap();
    assert!(delta > 4e-10 && delta <= 5e-10, "half of 1e-9: {delta}");
    assert_eq!(items["groups"], "those that appear, 2000 at most");
    let epsilon: f64 = items["cost epsilon at delta"].parse().unwrap();
    assert!((0.99..=1.0).contains(&epsilon), "{epsilon}");
    assert!(items.contains_key("count(distinct unit): noise scale"));
    let laplace =
        "SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS (mechanism = 'laplace') town, COUNT(*) FROM t.visits GROUP BY town";
    assert_eq!(accepted(laplace).noise().kind(), MechanismKind::Laplace);
    let items = said(laplace);
    let delta: f64 = items["threshold delta"].parse().unwrap();
    assert!(delta > 5e-10 && delta <= 1e-9, "all of 1e-9: {delta}");
    assert!(!items.contains_key("cost epsilon at delta"));
}
