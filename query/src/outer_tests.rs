//! The outer plan over made-up releases.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::fs;

use glovebox_catalog::{Catalog, Manifest};
use glovebox_policy::Cost;
use glovebox_privacy::cells::{ReleasedFamily, ReleasedKeys};
use glovebox_privacy::{Geometry, Key, KeyPart, MechanismKind, Scalar, Scale};

use super::*;
use crate::{guard, inner, lift, parse, plan};

const MANIFEST: &str = r#"
    [dataset]
    name = "t.visits"
    kind = "table"
    title_en = "Visits"
    title_zh = "就诊"
    id_space = "person"
    budget_domain = "resident"
    unit = ["person"]
    max_units = 1000
    max_rows_per_unit = 4
    source = "made up"
    licence = "public domain"
    classification = "test"
"#;

const COLUMNS: [(&str, &str, &str); 9] = [
    ("person", "int", ""),
    ("ward", "text", r#"keys = { values = ["east", "west"], basis = "rules" }"#),
    ("grade", "int", r#"keys = { values = [1, 2], basis = "rules" }"#),
    ("age", "int", r#"bounds = { lower = 0, upper = 100, basis = "law" }"#),
    ("day", "date", "days = { first = 2020-01-31, last = 2020-03-01, basis = \"period\" }"),
    ("at", "timestamp", "days = { first = 2020-01-31, last = 2020-02-01, basis = \"period\" }"),
    ("town", "text", r#"keys = { threshold = true, basis = "places" }"#),
    ("seen", "date", r#"keys = { threshold = true, basis = "days" }"#),
    ("cost", "float", "grid = 0.5\nbounds = { lower = 0, upper = 10, basis = \"tariff\" }"),
];

fn outer(sql: &str) -> Outer {
    let dir = tempfile::tempdir().unwrap();
    let catalog = Catalog::create(&dir.path().join("catalog"), &dir.path().join("key")).unwrap();
    let columns = COLUMNS.map(|(name, kind, rest)| {
        format!("[[columns]]\nname = \"{name}\"\ntype = \"{kind}\"\nmeaning_en = \"m\"\nmeaning_zh = \"义\"\n{rest}\n")
    });
    let file = dir.path().join("visits.csv");
    fs::write(
        &file,
        "person,ward,grade,age,cost,day,at,town,seen\n1,east,1,30,2.5,2020-02-02,2020-02-02T01:02:03,oslo,2020-02-02\n",
    )
    .unwrap();
    catalog.add(&Manifest::parse(&format!("{MANIFEST}{}", columns.concat())).unwrap(), &file).unwrap();
    let planned = plan::on_planning_stack(|| {
        let lifted = lift::lift(guard::tokens(sql)?, &[])?;
        let (plan, dataset) = plan::plan(parse::parse(lifted.tokens)?, &catalog)?;
        let analysed = inner::analyse(find_aggregate(&plan)?, &dataset, &lifted.bounds)?;
        Outer::new(plan, analysed)
    });
    planned.unwrap_or_else(|refusal| panic!("{sql}: {refusal}"))
}

/// Runs a statement over the release with these cells, `[family][group]`, families by label; every half-width is 2.
fn run(sql: &str, cells: &[&[i128]]) -> Vec<Vec<Scalar>> {
    run_found(sql, cells, None).unwrap()
}

/// As [`run`], over these keys where keys are found in rows.
fn run_found(sql: &str, cells: &[&[i128]], keys: Option<Vec<Key>>) -> Result<Vec<Vec<Scalar>>, Refusal> {
    let outer = outer(sql);
    let scale = Scale::new(1, 0).unwrap();
    let families = outer.inner().measures.iter().map(|measure| ReleasedFamily {
        label: measure.label.clone(),
        linf: 1,
        scale,
        half_width_95: 2,
    });
    let release = NoisyCells {
        kind: MechanismKind::Gaussian,
        geometry: Geometry::GroupSelection { max_groups: 1 },
        groups: keys.as_ref().map_or(outer.inner().groups(), |keys| keys.len() as u32),
        cost: Cost::ZERO,
        families: families.collect(),
        found: keys.map(|keys| ReleasedKeys { family: 0, tau: 1, keys }),
        cells: cells.iter().map(|row| row.to_vec()).collect(),
    };
    assert_eq!(release.families.len(), release.cells.len(), "{sql}");
    let columns = tables::columns_of(outer.schema()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let table = runtime.block_on(outer.run(release))?;
    assert_eq!(table.columns, columns, "{sql}");
    Ok(table.rows)
}

fn text(text: &str) -> Scalar {
    Scalar::Text(text.to_owned())
}

use Scalar::{Float, Int, Null};

#[test]
fn groups_carry_their_keys_and_the_last_one_none() {
    let sql = "SELECT ward, COUNT(*) FROM t.visits GROUP BY ward";
    let rows = run(sql, &[&[7, -3, 1]]);
    assert_eq!(rows, [[text("east"), Int(7)], [text("west"), Int(-3)], [Null, Int(1)]]);
    // Two keys, asked for in the other order and one of them twice: the groups run by grade, then ward.
    let sql = "SELECT ward, COUNT(*) AS n, grade, ward AS again FROM t.visits GROUP BY ward, grade, ward ORDER BY n";
    let rows = run(sql, &[&[0, 1, 2, 3, 4, 5, 6, 7, 8]]);
    let (east, west) = (|| text("east"), || text("west"));
    assert_eq!(rows[0], [east(), Int(0), Int(1), east()]);
    assert_eq!(rows[1], [west(), Int(1), Int(1), west()]);
    assert_eq!(rows[3], [east(), Int(3), Int(2), east()]);
    assert_eq!(rows[8], [Null, Int(8), Null, Null]);
}

#[test]
fn beginnings_are_dates_in_the_outer_plan_and_text_in_the_answer() {
    let sql = "SELECT DATE_TRUNC('month', day) AS m, COUNT(*) AS n FROM t.visits GROUP BY m ORDER BY m DESC";
    let rows = run(sql, &[&[1, 2, 3, 4]]);
    let months = ["2020-03-01", "2020-02-01", "2020-01-01"].map(text);
    assert_eq!(rows[0], [Null, Int(4)]);
    assert_eq!(rows[1..].iter().map(|row| row[0].clone()).collect::<Vec<_>>(), months);
    let sql = "SELECT EXTRACT(DAY FROM d) AS day FROM (SELECT day AS d, COUNT(*) AS n FROM t.visits GROUP BY day) AS s
        WHERE d >= '2020-02-28' AND n > 0 ORDER BY day";
    let cells: Vec<i128> = (0..32).collect();
    assert_eq!(run(sql, &[&cells]), [[Int(1)], [Int(28)], [Int(29)]]);
    let sql = "SELECT DATE_TRUNC('day', at) AS d, COUNT(*) AS n FROM t.visits GROUP BY d";
    let rows = run(sql, &[&[1, 2, 3]]);
    assert_eq!(rows, [[text("2020-01-31T00:00:00"), Int(1)], [text("2020-02-01T00:00:00"), Int(2)], [Null, Int(3)]]);
}

#[test]
fn steps_become_values_and_means_stay_within_their_bounds() {
    // Families by label: count(age), count(cost), sum(age), sum(age less 50), sum(cost), sum(cost less 10 steps).
    let sql = "SELECT SUM(age) AS a, AVG(age) AS b, SUM(cost) AS c, AVG(cost) AS d FROM t.visits";
    let rows = run(sql, &[&[4], &[10], &[90], &[-40], &[11], &[20]]);
    assert_eq!(rows, [[Int(90), Float(40.0), Float(5.5), Float(6.0)]]);
    // A noisy count below one divides by one; a mean beyond the bounds is their end.
    let rows = run("SELECT AVG(age) FROM t.visits", &[&[-5], &[90]]);
    assert_eq!(rows, [[Float(100.0)]]);
}

/// The values 40, 50, 60 and 90: about 50, less half of 50² for each square.
#[test]
fn variances_come_from_a_count_a_sum_and_squares() {
    let sql = "SELECT VAR_POP(age) AS p, VAR(age) AS s, STDDEV_POP(age) AS q, STDDEV_SAMP(age) AS t FROM t.visits";
    let rows = run(sql, &[&[4], &[1800 - 4 * 1250], &[40]]);
    let variance = 350.0 * (4.0 / 3.0);
    assert_eq!(rows, [[Float(350.0), Float(variance), Float(350_f64.sqrt()), Float(variance.sqrt())]]);
    // Steps of 0.5 between 0 and 10: values 2 and 4 are 4 and 8 steps, about 10.
    let rows = run("SELECT VAR_POP(cost) AS p, STDDEV(cost) AS t FROM t.visits", &[&[2], &[36 + 4 - 2 * 50], &[-8]]);
    assert_eq!(rows, [[Float(1.0), Float(2_f64.sqrt())]]);
}

#[test]
fn variances_are_defined_whatever_the_noise() {
    let sql = "SELECT VAR_POP(age) AS p, VAR(age) AS s, STDDEV_POP(age) AS q, STDDEV(age) AS t FROM t.visits";
    for few in [0, -3] {
        assert_eq!(run(sql, &[&[few], &[7], &[7]]), [[Null, Null, Null, Null]], "a count of {few}");
    }
    // One value: no spread in a population, and none of a sample.
    assert_eq!(run(sql, &[&[1], &[-1250], &[0]]), [[Float(0.0), Null, Float(0.0), Null]]);
    // Negative by noise, and more than bounds allow.
    assert_eq!(run(sql, &[&[2], &[-9000], &[0]]), [[Float(0.0), Float(0.0), Float(0.0), Float(0.0)]]);
    assert_eq!(run(sql, &[&[2], &[9000], &[0]]), [[Float(2500.0), Float(5000.0), Float(50.0), Float(5000_f64.sqrt())]]);
    let most = i128::MAX / 4;
    for (a, b) in [(most, -most), (-most, most), (most, most)] {
        assert_eq!(run(sql, &[&[2], &[a], &[b]]).len(), 1);
    }
}

#[test]
fn the_interval_of_a_variance_holds_it_and_narrows() {
    let sql = "SELECT dp_interval_low(VAR(age)) AS l, dp_interval_high(VAR(age)) AS h,
        dp_interval_low(STDDEV_POP(age)) AS m, dp_interval_high(STDDEV_POP(age)) AS i FROM t.visits";
    // Nobody can say how many there are: everything that bounds allow.
    assert_eq!(run(sql, &[&[3], &[0], &[0]]), [[Float(0.0), Float(5000.0), Float(0.0), Float(50.0)]]);
    let rows = run(sql, &[&[40_000], &[18_000_000 - 40_000 * 1250], &[400_000]]);
    let [Float(low), Float(high), Float(least), Float(most)] = rows[0][..] else {
        panic!("not a row of numbers: {rows:?}");
    };
    assert!(low < 350.0 && 350.0 < high && high - low < 0.5, "{low} {high}");
    assert!(least < 350_f64.sqrt() && 350_f64.sqrt() < most && most - least < 0.02, "{least} {most}");
}

#[test]
fn a_sum_has_the_type_that_the_query_gives_it() {
    let sql = "SELECT SUM(CAST(age AS DOUBLE)) AS s, SUM(CAST(age AS DOUBLE)) / 4 AS q FROM t.visits HAVING SUM(CAST(age AS DOUBLE)) > 1.5";
    // Ten, in steps of 2⁻¹³: a sum of floats has those of its bounds.
    assert_eq!(run(sql, &[&[10 << 13]]), [[Float(10.0), Float(2.5)]]);
    assert_eq!(run("SELECT SUM(age) / 4 AS q FROM t.visits", &[&[10]]), [[Int(2)]]);
    assert_eq!(
        run("SELECT CAST(COUNT(*) AS VARCHAR) AS t, CAST(COUNT(*) AS INT) AS i FROM t.visits", &[&[5]]),
        [[text("5"), Int(5)]]
    );
}

#[test]
fn intervals_are_the_half_width_to_either_side() {
    let sql = "SELECT COUNT(*), dp_interval_low(COUNT(*)) AS l, dp_interval_high(COUNT(*)) AS h,
        dp_interval_high(SUM(cost)) AS s FROM t.visits";
    assert_eq!(run(sql, &[&[10], &[10]]), [[Int(10), Int(8), Int(12), Float(6.0)]]);
    let sql = "SELECT ward FROM t.visits GROUP BY ward HAVING dp_interval_low(COUNT(*)) > 3";
    assert_eq!(run(sql, &[&[5, 6, 7]]), [[text("west")], [Null]]);
    let sql = "SELECT dp_interval_low(AVG(age)) AS l, dp_interval_high(AVG(age)) AS h FROM t.visits";
    // Where the count may be less than one, the interval is the whole range.
    assert_eq!(run(sql, &[&[2], &[0]]), [[Float(0.0), Float(100.0)]]);
    let rows = run(sql, &[&[1000], &[2000]]);
    let [Float(low), Float(high)] = rows[0][..] else {
        panic!("not a row of two numbers: {rows:?}");
    };
    assert!(low < 52.0 && 52.0 < high && high - low < 0.1, "{low} {high}");
}

#[test]
fn what_is_above_the_aggregate_is_ordinary_sql() {
    let sql = "SELECT w, n * 2 AS d FROM (SELECT ward AS w, COUNT(*) AS n FROM t.visits GROUP BY ward) AS s
        WHERE n > 2 ORDER BY d DESC LIMIT 1 OFFSET 1";
    assert_eq!(run(sql, &[&[3, 9, 5]]), [[Null, Int(10)]]);
    let sql = "SELECT COUNT(*) / 0 AS a, COUNT(*) % 0 AS b, ABS(COUNT(*)) AS c,
        CASE WHEN COUNT(*) < 0 THEN 'few' ELSE 'some' END AS d FROM t.visits";
    assert_eq!(run(sql, &[&[-3]]), [[Null, Null, Int(3), text("few")]]);
    let sql = "SELECT DISTINCT COUNT(*) > 2 AS many FROM t.visits GROUP BY ward ORDER BY many";
    assert_eq!(run(sql, &[&[3, 1, 5]]), [[Scalar::Bool(false)], [Scalar::Bool(true)]]);
}

#[test]
fn the_largest_numbers_do_not_fail() {
    let most = i128::MAX / 4;
    let sql = "SELECT COUNT(*), COUNT(*) + COUNT(*) AS t, SUM(cost), dp_interval_high(COUNT(*)) AS h FROM t.visits";
    let rows = run(sql, &[&[most], &[-most]]);
    assert_eq!(rows[0][..2], [Int(i64::MAX), Int(-2)]);
    assert_eq!(rows[0][3], Int(i64::MAX));
    let rows = run("SELECT AVG(age), dp_interval_low(AVG(age)) AS l FROM t.visits", &[&[most], &[-most]]);
    assert_eq!(rows.len(), 1);
}

/// Answers are made on threads with ordinary stacks.
#[test]
fn as_many_operators_as_the_guard_lets_through() {
    let terms = "+ 1".repeat(guard::SQL_MAX_OPERATORS - 3);
    assert_eq!(run(&format!("SELECT COUNT(*) {terms} AS n FROM t.visits"), &[&[0]]), [[Int(125)]]);
    let quotients = "/ 3".repeat(guard::SQL_MAX_OPERATORS - 3);
    assert_eq!(run(&format!("SELECT COUNT(*) {quotients} AS n FROM t.visits"), &[&[5]]), [[Int(0)]]);
    let nots = "NOT ".repeat(guard::SQL_MAX_OPERATORS - 6);
    let rows = run(&format!("SELECT {nots} (COUNT(*) > 3) AS b FROM t.visits"), &[&[9]]);
    assert_eq!(rows, [[Scalar::Bool(true)]]);
}

#[test]
fn keys_that_were_found_are_the_groups() {
    let sql = "SELECT seen, COUNT(DISTINCT person) AS n, ward, town, dp_interval_high(COUNT(DISTINCT person)) AS high
        FROM t.visits GROUP BY ward, seen, town HAVING COUNT(DISTINCT person) > 4 ORDER BY n DESC LIMIT 2";
    // By label: seen, town, ward.
    let key = |seen, town: &str, ward| vec![seen, KeyPart::Text(town.to_owned()), ward];
    let keys = vec![
        key(KeyPart::Null, "oslo", KeyPart::Null),
        key(KeyPart::Int(0), "bergen", KeyPart::Text("east".to_owned())),
        key(KeyPart::Int(i64::from(i32::MAX)), "", KeyPart::Text("west".to_owned())),
    ];
    let rows = run_found(sql, &[&[4, 5, 6]], Some(keys.clone())).unwrap();
    assert_eq!(rows[1], [text("1970-01-01"), Int(5), text("east"), text("bergen"), Int(7)]);
    assert_eq!(rows[0][1..], [Int(6), text("west"), text(""), Int(8)]);
    assert_eq!(rows.len(), 2);
    // Nothing appears: an answer without rows, of the same columns.
    assert_eq!(run_found(sql, &[&[]], Some(vec![])).unwrap(), Vec::<Vec<Scalar>>::new());
    // Releases of another form are none of this question.
    assert!(run_found(sql, &[&[1]], None).is_err());
    assert!(run_found(sql, &[&[1]], Some(vec![vec![KeyPart::Null]])).is_err());
    let listed = "SELECT ward, COUNT(*) FROM t.visits GROUP BY ward";
    assert!(run_found(listed, &[&[1, 2, 3]], Some(keys)).is_err());
}
