//! The digest of a request: equal for spellings of one question, different for different questions.

use std::collections::BTreeMap;

use crate::support::{analyse_with, request};
use glovebox_privacy::Scalar;

/// Each row is one question in several spellings.
const SAME: &[&[&str]] = &[
    &[
        "SELECT COUNT(*) FROM t.visits",
        "select count(*) from T.Visits;",
        "SELECT COUNT(*) AS n FROM glovebox.t.visits AS v -- a comment",
        "SELECT COUNT(1) FROM (SELECT person, age FROM t.visits) AS s",
        "SELECT /* a comment */ COUNT(*) + 1 FROM t.visits LIMIT 1",
        "SELECT n FROM (SELECT COUNT(*) AS n FROM t.visits) AS s WHERE n > 5",
        "SELECT COUNT(*) FROM \"t\".\"visits\" ORDER BY 1",
        "EXPLAIN PRIVACY SELECT COUNT(*) FROM t.visits",
        "SELECT WITH DIFFERENTIAL_PRIVACY COUNT(*) FROM t.visits",
        "SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS (epsilon = 1, delta = 1e-9) COUNT(*) FROM t.visits",
        // Nobody can be in more groups than there are.
        "SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS (max_groups_contributed = 40) COUNT(*) FROM t.visits",
    ],
    &[
        "SELECT ward, SUM(age) FROM t.visits WHERE age > 3 AND smoker GROUP BY ward",
        "SELECT SUM(age), ward FROM t.visits WHERE smoker AND age > 3 GROUP BY 2",
        "SELECT w, SUM(a) FROM (SELECT ward AS w, age AS a FROM t.visits WHERE smoker) AS s WHERE a > 3 GROUP BY w",
        "SELECT w, SUM(a) FROM (SELECT ward AS w, age AS a, smoker AS s FROM t.visits WHERE age > 3) AS t WHERE s GROUP BY w",
        "SELECT ward, SUM(age) AS s FROM t.visits WHERE age > 3 AND smoker AND age > 3 GROUP BY ward, ward HAVING SUM(age) > 1",
        "SELECT DISTINCT ward AS w, SUM(v.age) FROM t.visits v WHERE v.age > 3 AND v.smoker GROUP BY w ORDER BY w DESC",
    ],
    &[
        "SELECT ward, grade, COUNT(*), AVG(cost) FROM t.visits GROUP BY ward, grade",
        "SELECT AVG(cost), COUNT(*), COUNT(cost), grade FROM t.visits GROUP BY grade, ward",
    ],
    &[
        "SELECT SUM(free, contribution_bounds_per_row => (0, 3)) FROM t.visits",
        "SELECT SUM(free, contribution_bounds_per_row => (-0.5, 3.25)) AS x FROM t.visits",
    ],
    &[
        "SELECT VAR_SAMP(age) FROM t.visits",
        "SELECT STDDEV_POP(age), VAR_POP(age) FROM t.visits",
        "SELECT AVG(age), STDDEV(age) FROM t.visits",
    ],
    &[
        "SELECT COUNT(*) FROM t.visits GROUP BY EXTRACT(MONTH FROM day)",
        "SELECT COUNT(*) FROM t.visits GROUP BY DATE_PART('month', day)",
        "SELECT m, COUNT(*) FROM (SELECT EXTRACT(MONTH FROM day) AS m FROM t.visits) AS s GROUP BY m",
    ],
    &[
        "SELECT SUM(age) FROM t.visits WHERE age BETWEEN 3 AND 5",
        "SELECT SUM(age) FROM t.visits WHERE age <= 5 AND age >= 3",
    ],
];

/// Questions that must not be taken for each other.
const DIFFERENT: &[&str] = &[
    "SELECT COUNT(*) FROM t.visits",
    "SELECT COUNT(*) FROM t.other",
    "SELECT COUNT(*) FROM t.fewer",
    "SELECT COUNT(age) FROM t.visits",
    "SELECT COUNT(DISTINCT person) FROM t.visits",
    "SELECT COUNT(*, contribution_bounds_per_group => (0, 1)) FROM t.visits",
    "SELECT COUNT(*, contribution_bounds_per_group => (0, 2)) FROM t.visits",
    "SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS (epsilon = 2) COUNT(*) FROM t.visits",
    "SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS (delta = 1e-8) COUNT(*) FROM t.visits",
    "SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS (mechanism = 'laplace') COUNT(*) FROM t.visits",
    "SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS (max_groups_contributed = 1) COUNT(*) FROM t.visits GROUP BY ward",
    "SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS (max_groups_contributed = 3) COUNT(*) FROM t.visits GROUP BY ward",
    "SELECT COUNT(*) FILTER (WHERE smoker) FROM t.visits",
    "SELECT COUNT(DISTINCT person) FILTER (WHERE smoker) FROM t.visits",
    "SELECT AVG(age) FROM t.visits",
    "SELECT VAR_SAMP(age) FROM t.visits",
    "SELECT COUNT(*) FROM t.visits GROUP BY EXTRACT(MONTH FROM day)",
    "SELECT COUNT(*) FROM t.visits GROUP BY EXTRACT(DOW FROM day)",
    "SELECT COUNT(*) FROM t.visits GROUP BY EXTRACT(DOY FROM day)",
    "SELECT COUNT(*) FROM t.visits GROUP BY EXTRACT(ISODOW FROM day)",
    "SELECT COUNT(*) FROM t.visits GROUP BY EXTRACT(QUARTER FROM day)",
    "SELECT COUNT(*) FROM t.visits GROUP BY EXTRACT(YEAR FROM day)",
    "SELECT COUNT(*) FROM t.visits GROUP BY DATE_TRUNC('month', day)",
    "SELECT COUNT(*) FROM t.visits WHERE EXTRACT(MONTH FROM day) = 1",
    "SELECT COUNT(*) FROM t.visits WHERE EXTRACT(DOW FROM day) = 1",
    "SELECT COUNT(*) FROM t.visits GROUP BY ward",
    "SELECT COUNT(*) FROM t.visits GROUP BY grade",
    "SELECT COUNT(*) FROM t.visits GROUP BY ward, grade",
    "SELECT COUNT(*) FROM t.visits WHERE age = 1",
    "SELECT COUNT(*) FROM t.visits WHERE free = 1",
    "SELECT COUNT(*) FROM t.visits WHERE cost = 1",
    "SELECT COUNT(*) FROM t.visits WHERE note = '1'",
    "SELECT COUNT(*) FROM t.visits WHERE age = 1 OR smoker",
    "SELECT COUNT(*) FROM t.visits WHERE age = 1 AND smoker",
    "SELECT COUNT(*) FROM t.visits WHERE NOT (age = 1 AND smoker)",
    "SELECT COUNT(*) FROM t.visits WHERE (NOT age = 1) AND smoker",
    // Parentheses matter.
    "SELECT SUM(age - (age - grade)) FROM t.visits",
    "SELECT SUM(age - age - grade) FROM t.visits",
    "SELECT COUNT(age / (grade / 2)) FROM t.visits",
    "SELECT COUNT(age / grade / 2) FROM t.visits",
    "SELECT COUNT(*) FROM t.visits WHERE age > 3 AND (smoker OR grade = 1)",
    "SELECT COUNT(*) FROM t.visits WHERE (age > 3 AND smoker) OR grade = 1",
    // A text that looks like more of the condition is a text.
    "SELECT COUNT(*) FROM t.visits WHERE note = 'a' OR ward = 'b'",
    "SELECT COUNT(*) FROM t.visits WHERE note = 'a\") OR ward = Utf8(\"b'",
    "SELECT COUNT(*) FROM t.visits WHERE note = 'a'' OR ward = ''b'",
    "SELECT COUNT(*) FROM t.visits WHERE note = 'a' OR (ward = 'b') IS NULL",
    // One spelling, two types.
    "SELECT COUNT(*) FROM t.visits WHERE loose + 1 > 0",
    "SELECT COUNT(*) FROM t.visits WHERE free + 1 > 0",
    "SELECT COUNT(*) FROM t.visits WHERE free / 2 = 1",
    "SELECT COUNT(*) FROM t.visits WHERE free / 2.0 = 1",
    "SELECT SUM(loose, contribution_bounds_per_row => (0, 1)) FROM t.visits",
    "SELECT SUM(loose, contribution_bounds_per_row => (0, 2)) FROM t.visits",
    "SELECT AVG(loose, contribution_bounds_per_row => (0, 1)) FROM t.visits",
    "SELECT SUM(age, contribution_bounds_per_group => (0, 1)) FROM t.visits",
    "SELECT SUM(age, contribution_bounds_per_row => (0, 1)) FROM t.visits",
];

/// The first spelling of each question with every other one.
fn spellings() -> impl Iterator<Item = (&'static str, &'static str)> {
    SAME.iter().flat_map(|group| {
        let first = group.first().copied().unwrap_or_default();
        group.iter().skip(1).map(move |other| (first, *other))
    })
}

#[test]
fn spellings_of_one_question_have_one_digest() {
    for (first, other) in spellings() {
        assert_eq!(request(first), request(other), "{first}\n{other}");
    }
}

#[test]
fn different_questions_have_different_digests() {
    let mut seen = BTreeMap::new();
    for sql in DIFFERENT.iter().chain(SAME.iter().filter_map(|group| group.first())) {
        if let Some(other) = seen.insert(request(sql).to_string(), *sql) {
            assert_eq!(other, *sql, "one digest for two questions");
        }
    }
}

#[test]
fn a_bound_parameter_is_the_literal_it_holds() {
    let bound = |value| analyse_with("SELECT COUNT(*) FROM t.visits WHERE age > ?", &[value]).unwrap().request();
    assert_eq!(bound(Scalar::Int(3)), request("SELECT COUNT(*) FROM t.visits WHERE age > 3"));
    assert_ne!(bound(Scalar::Int(3)), bound(Scalar::Int(4)));
}

/// Columns in roles do not depend on spelling, and columns that are carried along and not used are in none.
#[test]
fn uses_are_those_of_the_question() {
    let uses = |sql: &str| format!("{:?}", crate::support::accepted(sql).uses());
    for (first, other) in spellings() {
        assert_eq!(uses(first), uses(other), "{first}\n{other}");
    }
    let all =
        uses("SELECT ward, SUM(age) FROM (SELECT ward, age, note, free FROM t.visits WHERE smoker) AS s GROUP BY ward");
    for (column, there) in [("ward", true), ("age", true), ("smoker", true), ("note", false), ("free", false)] {
        assert_eq!(all.contains(&format!("\"{column}\"")), there, "{column} in {all}");
    }
}
