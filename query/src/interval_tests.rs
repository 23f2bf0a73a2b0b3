//! Random expressions over rows within declared bounds: every value is in the interval, or NULL. Wrong rules are found.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::sync::{Arc, LazyLock};

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Date32Array, Float64Array, Int64Array, RecordBatch, StringArray,
};
use arrow::datatypes::{Float64Type, Int64Type};
use datafusion::logical_expr::{cast, col, lit};
use glovebox_catalog::Days;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::*;
use crate::rows::{compiled, evaluate};
use crate::scope::Known;
use crate::stubs::planned;
use crate::total::total;

const HUGE: f64 = 9_007_199_254_740_990.0;

/// A column: its name, whether its numbers are whole, and what they lie within.
type Declared = (&'static str, bool, Option<(f64, f64)>);

/// Whole columns `a b h z`, floats `p q r`, and `u` and `v` without bounds.
const NUMBERS: [Declared; 9] = [
    ("a", true, Some((-3.0, 7.0))),
    ("b", true, Some((1.0, 4.0))),
    ("h", true, Some((HUGE, HUGE + 6.0))),
    ("z", true, Some((0.0, 5.0))),
    ("p", false, Some((0.0, 1000.0))),
    ("q", false, Some((-0.3, 0.7))),
    ("r", false, Some((0.1, 0.2))),
    ("u", true, None),
    ("v", false, None),
];

static SCOPE: LazyLock<Scope> = LazyLock::new(|| {
    let known = |name: &str, data_type: DataType| Known {
        name: name.to_owned(),
        data_type,
        bounds: None,
        grid: None,
        keys: None,
        thresholded: false,
        days: None,
        identifier: false,
        stored: true,
        behind: Vec::new(),
    };
    let numbers = NUMBERS.iter().map(|(name, whole, bounds)| Known {
        bounds: bounds.and_then(|(lower, upper)| Interval::new(lower, upper)),
        ..known(name, if *whole { DataType::Int64 } else { DataType::Float64 })
    });
    let keys = ["ab", "汉字", "xyz"].map(|key| KeyValue::Text(key.to_owned())).to_vec();
    let mut columns: Vec<Known> = numbers.collect();
    columns.push(Known { keys: Some(keys), ..known("t", DataType::Utf8) });
    columns.push(known("n", DataType::Utf8));
    columns.push(known("f", DataType::Boolean));
    columns.push(Known {
        days: Some(Days { first: 18_000, last: 18_700, basis: "b".into() }),
        ..known("d", DataType::Date32)
    });
    Scope { columns, unit: Vec::new(), rows: 1, one_row_for: None }
});

/// Rows with every bound, what is next to it, what lies between, and NULL; combined anew by each column's own step.
static ROWS: LazyLock<RecordBatch> = LazyLock::new(|| {
    let rows = 0..600_usize;
    let pick = |step: usize, row: usize, of: usize| (row * step + row / of) % of;
    let floats = |low: f64, high: f64| {
        vec![
            Some(low),
            Some(high),
            Some(low.next_up()),
            Some(high.next_down()),
            Some(low.midpoint(high)),
            Some(high / 3.0 + low / 1.5),
            None,
        ]
    };
    let mut arrays: Vec<ArrayRef> = Vec::new();
    for (step, (_, whole, bounds)) in NUMBERS.iter().enumerate() {
        let step = 2 * step + 1;
        if *whole {
            let values: Vec<Option<i64>> = match bounds {
                Some((low, high)) => (*low as i64..=*high as i64).map(Some).chain([None]).collect(),
                None => vec![Some(i64::MIN), Some(i64::MAX), Some(0), Some(-1), Some(9), None],
            };
            arrays
                .push(Arc::new(rows.clone().map(|row| values[pick(step, row, values.len())]).collect::<Int64Array>()));
        } else {
            let values = match bounds {
                Some((low, high)) => floats(*low, *high),
                None => vec![
                    Some(f64::MAX),
                    Some(f64::MIN),
                    Some(f64::INFINITY),
                    Some(f64::NAN),
                    Some(-0.0),
                    Some(0.5),
                    None,
                ],
            };
            arrays.push(Arc::new(
                rows.clone().map(|row| values[pick(step, row, values.len())]).collect::<Float64Array>(),
            ));
        }
    }
    let texts = [Some("ab"), Some("汉字"), Some("xyz"), None];
    arrays.push(Arc::new(rows.clone().map(|row| texts[pick(3, row, 4)]).collect::<StringArray>()));
    let notes = ["".to_owned(), "  Ünï 汉 ".to_owned(), "x".repeat(20_000), "ŉ".repeat(5_000), "-12".to_owned()];
    arrays.push(Arc::new(rows.clone().map(|row| notes.get(pick(5, row, 6))).collect::<StringArray>()));
    let truths = [Some(true), Some(false), None];
    arrays.push(Arc::new(rows.clone().map(|row| truths[pick(2, row, 3)]).collect::<BooleanArray>()));
    let days = [Some(18_000), Some(18_700), Some(18_262), None];
    arrays.push(Arc::new(rows.map(|row| days[pick(1, row, 4)]).collect::<Date32Array>()));
    RecordBatch::try_new(SCOPE.arrow_schema(), arrays).unwrap()
});

fn call(name: &str, args: Vec<Expr>) -> Expr {
    planned(name).unwrap_or_else(|| panic!("{name}")).call(args)
}

type Exprs = BoxedStrategy<Expr>;

fn truth(depth: u32) -> Exprs {
    let compare = |of: fn(u32) -> Exprs| (of(depth), of(depth)).prop_map(|(a, b)| a.lt(b));
    prop_oneof![
        Just(col("f")),
        compare(whole),
        compare(float),
        text(0).prop_map(|t| call("contains", vec![t, lit("b")]))
    ]
    .boxed()
}

fn text(depth: u32) -> Exprs {
    let leaf = select(vec![col("t"), col("n"), lit("汉 x"), lit("")]).boxed();
    if depth == 0 {
        return leaf;
    }
    let t = || text(depth - 1);
    prop_oneof![
        leaf,
        (select(vec!["lower", "upper", "initcap", "reverse", "btrim"]), t()).prop_map(|(f, t)| call(f, vec![t])),
        (select(vec!["left", "right", "substr", "lpad"]), t(), whole(depth - 1))
            .prop_map(|(f, t, n)| call(f, vec![t, n])),
        (t(), whole(0), whole(0)).prop_map(|(t, a, n)| call("substr", vec![t, a, n])),
        (t(), whole(depth - 1)).prop_map(|(t, n)| call("concat", vec![t, n])),
        (t(), t(), t()).prop_map(|(a, b, c)| call("replace", vec![a, b, c])),
        float(0).prop_map(|x| cast(x, DataType::Utf8)),
    ]
    .boxed()
}

fn whole(depth: u32) -> Exprs {
    let literals = [-2_i64, 0, 1, 3, 10, (1 << 53) + 1, i64::MAX].map(lit);
    let leaf = select(["a", "b", "h", "z", "u"].map(col).into_iter().chain(literals).collect::<Vec<_>>()).boxed();
    if depth == 0 {
        return leaf;
    }
    let (x, d) = (|| whole(depth - 1), depth - 1);
    prop_oneof![
        3 => (x(), x(), 0..5_u8).prop_map(|(a, b, op)| match op {
            0 => a + b,
            1 => a - b,
            2 => a * b,
            3 => a / b,
            _ => a % b,
        }),
        1 => x().prop_map(|a| Expr::Negative(Box::new(a))),
        2 => (select(vec!["abs", "sign", "factorial"]), x()).prop_map(|(f, a)| call(f, vec![a])),
        2 => (select(vec!["greatest", "least", "coalesce", "nullif", "gcd", "lcm", "mod"]), x(), x())
            .prop_map(|(f, a, b)| call(f, vec![a, b])),
        1 => (select(vec!["round", "trunc"]), x(), -3..3_i64).prop_map(|(f, a, n)| call(f, vec![a, lit(n)])),
        1 => (x(), select(vec![0_i64, 9]), select(vec![4_i64, 100])).prop_map(|(a, low, high)| {
            call("least", vec![call("greatest", vec![a, lit(low)]), lit(high)])
        }),
        1 => (truth(d), x(), x()).prop_map(|(c, a, b)| datafusion::logical_expr::when(c, a).otherwise(b).unwrap()),
        1 => float(d).prop_map(|x| cast(x, DataType::Int64)),
        1 => truth(d).prop_map(|c| cast(c, DataType::Int64)),
        1 => (select(vec!["character_length", "octet_length", "bit_length", "ascii"]), text(d)).prop_map(|(f, t)| call(f, vec![t])),
        1 => text(d).prop_map(|t| call("strpos", vec![t, lit("x")])),
        1 => select(vec!["year", "month", "dow"]).prop_map(|part| call("date_part", vec![lit(part), col("d")])),
    ]
    .boxed()
}

fn float(depth: u32) -> Exprs {
    let literals = [-1.5_f64, 0.0, 0.1, 2.0, 1e300].map(lit);
    let leaf = select(["p", "q", "r", "v"].map(col).into_iter().chain(literals).collect::<Vec<_>>()).boxed();
    if depth == 0 {
        return leaf;
    }
    let (x, d) = (|| float(depth - 1), depth - 1);
    let of_one = vec![
        "abs", "sign", "sqrt", "cbrt", "exp", "ln", "log2", "log10", "sin", "cos", "tan", "cot", "asin", "acos",
        "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "degrees", "radians", "floor", "ceil", "round",
        "trunc",
    ];
    prop_oneof![
        3 => (x(), x(), 0..5_u8).prop_map(|(a, b, op)| match op {
            0 => a + b,
            1 => a - b,
            2 => a * b,
            3 => a / b,
            _ => a % b,
        }),
        4 => (select(of_one), x()).prop_map(|(f, a)| call(f, vec![a])),
        2 => (select(vec!["greatest", "least", "coalesce", "nullif", "power", "log", "atan2", "nanvl"]), x(), x())
            .prop_map(|(f, a, b)| call(f, vec![a, b])),
        1 => (x(), select(vec![0.0, 1.0, 2.0, 3.0, -1.0, 0.5])).prop_map(|(a, n)| call("power", vec![a, lit(n)])),
        1 => (select(vec!["round", "trunc"]), x(), -3..18_i64).prop_map(|(f, a, n)| call(f, vec![a, lit(n)])),
        1 => x().prop_map(|a| call("least", vec![call("greatest", vec![a, lit(-1.0)]), lit(1.5)])),
        1 => (truth(d), x(), x()).prop_map(|(c, a, b)| datafusion::logical_expr::when(c, a).otherwise(b).unwrap()),
        1 => whole(d).prop_map(|n| cast(n, DataType::Float64)),
    ]
    .boxed()
}

/// The total form of an expression; `None` when it is refused.
fn accepted(raw: &Expr) -> Option<Expr> {
    total(raw, &SCOPE.schema().unwrap()).ok()
}

/// A value of some row that is outside of an interval.
fn outside(expr: &Expr, interval: Interval) -> Option<String> {
    let physical = compiled(expr, &ROWS.schema()).unwrap_or_else(|fault| panic!("{expr}: {fault}"));
    let values = evaluate(physical.as_ref(), &ROWS).unwrap_or_else(|fault| panic!("{expr}: {fault}"));
    assert_eq!(values.len(), ROWS.num_rows());
    if let Some(wholes) = values.as_primitive_opt::<Int64Type>() {
        // Compared as whole numbers: a float may not hold them.
        let inside = |v: i128| {
            (interval.lower == f64::NEG_INFINITY || interval.lower.ceil() as i128 <= v)
                && (interval.upper == f64::INFINITY || v <= interval.upper.floor() as i128)
        };
        return wholes.iter().flatten().find(|v| !inside(i128::from(*v))).map(|v| v.to_string());
    }
    let floats = values.as_primitive::<Float64Type>();
    let bad = floats.iter().flatten().find(|v| !v.is_nan() && (*v < interval.lower || *v > interval.upper));
    bad.map(|v| format!("{v:e}"))
}

fn bounds_of(expr: &Expr) -> Interval {
    let schema = SCOPE.schema().unwrap();
    Bounds { scope: &SCOPE, schema: &schema }.of(expr)
}

fn samples(strategy: &Exprs, count: usize) -> Vec<Expr> {
    let mut config = Config::with_cases(1);
    config.failure_persistence = None;
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    (0..count).map(|_| strategy.new_tree(&mut runner).unwrap().current()).collect()
}

#[test]
fn values_of_rows_within_bounds_are_within_the_interval() {
    let (mut bounded, mut all) = (0, 0);
    for strategy in [whole(1), whole(2), whole(3), float(1), float(2), float(3)] {
        for raw in samples(&strategy, 1_500) {
            let Some(expr) = accepted(&raw) else {
                continue;
            };
            let interval = bounds_of(&expr);
            assert_eq!(outside(&expr, interval), None, "of {expr} within {interval:?}");
            all += 1;
            bounded += usize::from(interval.lower.is_finite() && interval.upper.is_finite());
        }
    }
    assert!(all > 6_000 && bounded > 2_500, "{bounded} of {all} are bounded");
}

/// Rules that are nearly right, each by its operation; the test above must find each of them wrong.
#[test]
fn planted_mistakes_are_found() {
    type Rule = fn(Interval, Interval) -> Interval;
    let two_corners: Rule = |a, b| {
        Interval::between((a.lower * b.lower).min(a.upper * b.upper), (a.lower * b.lower).max(a.upper * b.upper))
    };
    let inward: Rule = |a, b| Interval::between(a.lower + b.lower, a.upper + b.upper);
    let planted: [(&str, Operator, Rule, bool); 4] = [
        ("a product by two of its corners", Operator::Multiply, two_corners, true),
        ("a sum that is not rounded outward", Operator::Plus, inward, true),
        ("a product by four corners", Operator::Multiply, times, false),
        ("a sum that is rounded outward", Operator::Plus, plus, false),
    ];
    let strategy =
        (whole(0), whole(0), prop::bool::ANY).prop_map(|(a, b, product)| if product { a * b } else { a + b }).boxed();
    let mut found = [false; 4];
    for raw in samples(&strategy, 3_000) {
        let Some(expr) = accepted(&raw) else {
            continue;
        };
        let Expr::BinaryExpr(binary) = &expr else {
            continue;
        };
        for (place, (_, op, rule, _)) in planted.iter().enumerate() {
            if binary.op == *op {
                let interval = rule(bounds_of(&binary.left), bounds_of(&binary.right)).unwrapped();
                found[place] |= outside(&expr, interval).is_some();
            }
        }
    }
    for ((name, _, _, wrong), found) in planted.iter().zip(found) {
        assert_eq!(*wrong, found, "{name}");
    }
}

#[test]
fn intervals_are_as_narrow_as_they_look() {
    let of = |raw: Expr| {
        let found = bounds_of(&accepted(&raw).unwrap());
        (found.lower, found.upper)
    };
    let clamped = |x: Expr| call("least", vec![call("greatest", vec![x, lit(0_i64)]), lit(9_i64)]);
    assert_eq!(of(col("p") * (lit(1.0) - col("r"))), (0.0, 900.0000000000001));
    // What has no bounds has those that are put around it.
    assert_eq!(of(clamped(col("u"))), (0.0, 9.0));
    assert_eq!(of(clamped(col("a"))), (0.0, 7.0));
    assert_eq!(of(call("abs", vec![col("a")])), (0.0, 7.0));
    assert_eq!(of(col("a") / col("z")), (-3.0, 7.0));
    assert_eq!(of(col("u") % lit(7_i64)), (-6.0, 6.0));
    assert_eq!(of(call("sqrt", vec![col("p")])), (0.0, 1000_f64.sqrt()));
    assert_eq!(of(call("round", vec![col("q"), lit(1_i64)])).1, 0.7);
    assert_eq!(of(call("character_length", vec![col("t")])), (0.0, 3.0));
    assert_eq!(of(call("character_length", vec![col("n")])), (0.0, 1_024.0));
    assert_eq!(of(call("character_length", vec![call("left", vec![col("n"), lit(5_i64)])])), (0.0, 5.0));
    assert_eq!(of(call("date_part", vec![lit("month"), col("d")])), (1.0, 12.0));
    // Whole numbers that could wrap are not bounded.
    assert_eq!(of(col("h") * col("h")).1, f64::INFINITY);
    assert_eq!(of(col("u") + lit(1_i64)).0, f64::NEG_INFINITY);
}
