//! Placeholders hold values, never SQL.

use glovebox_policy::Reason;
use glovebox_privacy::Scalar;
use glovebox_query::guard::SQL_MAX_BYTES;
use glovebox_query::parameter_count;

use crate::support::{analyse_with, request};

fn reason(sql: &str, parameters: &[Scalar]) -> Reason {
    analyse_with(sql, parameters).unwrap_err().reason()
}

fn text(text: &str) -> Scalar {
    Scalar::Text(text.to_owned())
}

#[test]
fn values_are_literals_of_their_kind() {
    for (value, literal) in [
        (Scalar::Int(3), "age > 3"),
        (Scalar::Int(-3), "age > -3"),
        (Scalar::Int(i64::MAX), "age > 9223372036854775807"),
        (Scalar::Int(i64::MIN), "age > -9223372036854775808"),
        (Scalar::Float(0.5), "age > 0.5"),
        (Scalar::Float(-1e300), "age > -1e300"),
        (Scalar::Float(3.0), "age > 3.0"),
        (Scalar::Float(5e-324), "age > 5e-324"),
        (Scalar::Null, "age > NULL"),
    ] {
        let bound = analyse_with("SELECT COUNT(*) FROM t.visits WHERE age > $1", &[value]).unwrap();
        assert_eq!(bound.request(), request(&format!("SELECT COUNT(*) FROM t.visits WHERE {literal}")), "{literal}");
    }
    let bound = analyse_with("SELECT COUNT(*) FROM t.visits WHERE smoker = ?", &[Scalar::Bool(true)]).unwrap();
    assert_eq!(bound.request(), request("SELECT COUNT(*) FROM t.visits WHERE smoker = TRUE"));
}

#[test]
fn text_that_looks_like_sql_stays_text() {
    for hostile in
        ["' OR 1 = 1 --", "x'; DROP TABLE t.visits; --", "\") OR TRUE", "$1", "?", "__gb_unit", "\u{0}\u{202e}", "''"]
    {
        let bound = analyse_with("SELECT COUNT(*) FROM t.visits WHERE note = ?", &[text(hostile)]).unwrap();
        let quoted = hostile.replace('\'', "''");
        assert_eq!(
            bound.request(),
            request(&format!("SELECT COUNT(*) FROM t.visits WHERE note = '{quoted}'")),
            "{hostile}"
        );
    }
    // Text is no number, no name and no keyword.
    assert_eq!(reason("SELECT SUM(?) FROM t.visits", &[text("age")]), Reason::TypeRefused);
    assert_eq!(reason("SELECT COUNT(*) FROM t.visits LIMIT ?", &[text("1")]), Reason::TypeRefused);
    assert_eq!(reason("SELECT COUNT(*) FROM t.visits GROUP BY ?", &[text("ward")]), Reason::GroupKeyNotPublic);
    assert_eq!(reason("SELECT COUNT(*) FROM ?", &[text("t.nope")]), Reason::TableUnknown);
}

#[test]
fn places_are_by_order_or_by_number() {
    let one = |sql: &str, values: &[Scalar]| analyse_with(sql, values).unwrap().request();
    let expected = request("SELECT COUNT(*) FROM t.visits WHERE age > 1 AND grade < 2");
    let values = [Scalar::Int(1), Scalar::Int(2)];
    assert_eq!(one("SELECT COUNT(*) FROM t.visits WHERE age > ? AND grade < ?", &values), expected);
    assert_eq!(one("SELECT COUNT(*) FROM t.visits WHERE age > $1 AND grade < $2", &values), expected);
    let swapped = [Scalar::Int(2), Scalar::Int(1)];
    assert_eq!(one("SELECT COUNT(*) FROM t.visits WHERE age > $2 AND grade < $1", &swapped), expected);
    let options = "SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS (epsilon = ?) SUM(free, contribution_bounds_per_row => (?, ?)) FROM t.visits";
    assert_eq!(
        one(options, &[Scalar::Float(0.5), Scalar::Int(-1), Scalar::Float(7.5)]),
        request(
            "SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS (epsilon = 0.5)
                SUM(free, contribution_bounds_per_row => (-1, 7.5)) FROM t.visits"
        )
    );
}

#[test]
fn missing_and_unusable_values_are_refused() {
    let sql = "SELECT COUNT(*) FROM t.visits WHERE age > ? AND grade < ?";
    for values in [&[][..], &[Scalar::Int(1)]] {
        assert_eq!(reason(sql, values), Reason::ParameterMissing);
    }
    let one = [Scalar::Int(1)];
    for name in ["$0", "$2", "$x", "$99999999999999999999", "?1"] {
        let refusal = analyse_with(&format!("SELECT COUNT(*) FROM t.visits WHERE age > {name}"), &one).unwrap_err();
        assert_eq!(refusal.reason(), Reason::ParameterMissing, "{name}: {refusal}");
    }
    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let sql = "SELECT COUNT(*) FROM t.visits WHERE cost > ?";
        assert_eq!(reason(sql, &[Scalar::Float(value)]), Reason::ParameterMissing);
    }
    let long = "a".repeat(SQL_MAX_BYTES + 1);
    assert_eq!(reason("SELECT COUNT(*) FROM t.visits WHERE note = ?", &[text(&long)]), Reason::SqlTooLong);
    assert!(analyse_with("SELECT COUNT(*) FROM t.visits WHERE note = ?", &[text(&long[1..])]).is_ok());
}

#[test]
fn counting_agrees_with_binding() {
    for (sql, count) in [
        ("SELECT COUNT(*) FROM t.visits", 0),
        ("SELECT COUNT(*) FROM t.visits WHERE note = '?'", 0),
        ("SELECT COUNT(*) FROM t.visits WHERE age > ? AND age < ?", 2),
        ("SELECT COUNT(*) FROM t.visits WHERE age > $3 AND age < $1", 3),
    ] {
        assert_eq!(parameter_count(sql).unwrap(), count, "{sql}");
        assert!(analyse_with(sql, &vec![Scalar::Int(1); count]).is_ok(), "{sql}");
    }
    for sql in ["SELECT $0", "SELECT $x", "SELECT $1001", "SELECT ?7"] {
        assert_eq!(parameter_count(sql).unwrap_err().reason(), Reason::ParameterMissing, "{sql}");
    }
}
