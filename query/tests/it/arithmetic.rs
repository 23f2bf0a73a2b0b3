//! Pins: what DataFusion 55 and Arrow 59 do on the edges, because the totality of accepted expressions rests on it.
//!
//! A failure here after an upgrade means that an operation may now fail on some row. Then rewrite it in `total`, as `/`
//! is, before the upgrade is taken.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Date32Array, Float64Array, Int64Array, RecordBatch, StringArray,
};
use arrow::array::{TimestampMicrosecondArray, new_null_array};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Int64Type, TimeUnit};
use datafusion::common::{DFSchema, ScalarValue};
use datafusion::execution::context::ExecutionProps;
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::{Expr, col, lit, try_cast};
use datafusion::physical_expr::create_physical_expr;

const INTS: [Option<i64>; 6] = [Some(i64::MIN), Some(i64::MAX), Some(-1), Some(0), Some(1), None];
const FLOATS: [Option<f64>; 6] =
    [Some(f64::NAN), Some(f64::INFINITY), Some(f64::NEG_INFINITY), Some(f64::MAX), Some(-0.0), None];

/// Every pair of hard values, in columns `a`, `b` (whole) and `x`, `y` (not).
fn batch() -> RecordBatch {
    let pairs = |n: usize| (0..n).flat_map(move |i| (0..n).map(move |j| (i, j)));
    let column = |values: Vec<Option<i64>>| Arc::new(Int64Array::from(values)) as ArrayRef;
    let floats = |values: Vec<Option<f64>>| Arc::new(Float64Array::from(values)) as ArrayRef;
    RecordBatch::try_from_iter_with_nullable([
        ("a", column(pairs(6).map(|(i, _)| INTS.get(i).copied().flatten()).collect()), true),
        ("b", column(pairs(6).map(|(_, j)| INTS.get(j).copied().flatten()).collect()), true),
        ("x", floats(pairs(6).map(|(i, _)| FLOATS.get(i).copied().flatten()).collect()), true),
        ("y", floats(pairs(6).map(|(_, j)| FLOATS.get(j).copied().flatten()).collect()), true),
    ])
    .unwrap()
}

fn evaluate(expr: &Expr) -> ArrayRef {
    let batch = batch();
    let schema = DFSchema::try_from(batch.schema().as_ref().clone()).unwrap();
    let physical =
        create_physical_expr(expr, &schema, &ExecutionProps::new(), &PhysicalPlanningContext::default()).unwrap();
    let value = physical.evaluate(&batch).unwrap_or_else(|error| panic!("{expr}: {error}"));
    value.into_array(batch.num_rows()).unwrap()
}

#[test]
fn whole_numbers_wrap_and_never_fail() {
    type Wrapping = fn(i64, i64) -> i64;
    let operations: [(Expr, Wrapping); 4] = [
        (col("a") + col("b"), i64::wrapping_add),
        (col("a") - col("b"), i64::wrapping_sub),
        (col("a") * col("b"), i64::wrapping_mul),
        (lit(0_i64) - col("a"), |a, _| a.wrapping_neg()),
    ];
    for (expr, wrapping) in operations {
        let found = evaluate(&expr);
        let found = found.as_primitive::<Int64Type>();
        for (row, (a, b)) in INTS.iter().flat_map(|a| INTS.iter().map(move |b| (a, b))).enumerate() {
            if let (Some(a), Some(b)) = (a, b) {
                assert!(found.is_valid(row), "{expr} on {a}, {b}");
                assert_eq!(found.value(row), wrapping(*a, *b), "{expr} on {a}, {b}");
            }
        }
    }
}

#[test]
fn comparisons_and_floating_point_never_fail() {
    for (a, b) in [("a", "b"), ("x", "y")] {
        let (a, b) = (|| col(a), || col(b));
        for expr in [
            a().eq(b()),
            a().not_eq(b()),
            a().lt(b()),
            a().lt_eq(b()),
            a().gt(b()),
            a().gt_eq(b()),
            a().between(b(), a()),
            a().in_list(vec![b(), lit(ScalarValue::Null)], true),
            datafusion::functions::core::greatest().call(vec![a(), b()]),
            datafusion::functions::core::least().call(vec![a(), b()]),
            datafusion::functions::core::nullif().call(vec![a(), b()]),
        ] {
            evaluate(&expr);
        }
    }
    let math = [datafusion::functions::math::floor(), datafusion::functions::math::ceil()];
    for function in math {
        evaluate(&function.call(vec![col("x")]));
    }
    for expr in [col("x") + col("y"), col("x") - col("y"), col("x") * col("y")] {
        evaluate(&expr);
    }
    evaluate(&try_cast(col("x"), DataType::Int64));
}

/// The reason why `/`, `%`, ABS and CAST are rewritten: as they are, rows can make them fail.
#[test]
fn what_is_rewritten_would_fail() {
    let fails = |expr: Expr| {
        let batch = batch();
        let schema = DFSchema::try_from(batch.schema().as_ref().clone()).unwrap();
        let physical =
            create_physical_expr(&expr, &schema, &ExecutionProps::new(), &PhysicalPlanningContext::default()).unwrap();
        physical.evaluate(&batch).is_err()
    };
    assert!(fails(col("a") / col("b")));
    assert!(fails(col("a") % col("b")));
    assert!(fails(datafusion::functions::math::abs().call(vec![col("a")])));
    assert!(fails(datafusion::logical_expr::cast(col("x"), DataType::Int64)));
}

/// The casts that `total` lets through, each on the extremes of its type. The others are known to fail or are not needed.
#[test]
fn allowed_casts_never_fail() {
    let hard_texts = [
        "",
        " 7 ",
        "12",
        "junk",
        "NaN",
        "-inf",
        "1e400",
        "true",
        "t",
        "2020-01-01",
        "2020-13-45",
        "99999999-01-01",
        "+99999999-12-31",
        "9223372036854775808",
        "汉字",
        "\u{0}",
    ];
    let sources: [(ArrayRef, &[DataType]); 5] = [
        (Arc::new(Int64Array::from(INTS.to_vec())), &[DataType::Float64, DataType::Utf8, DataType::Boolean]),
        (Arc::new(Float64Array::from(FLOATS.to_vec())), &[DataType::Int64, DataType::Utf8, DataType::Boolean]),
        (
            Arc::new(BooleanArray::from(vec![Some(true), Some(false), None])),
            &[DataType::Int64, DataType::Float64, DataType::Utf8],
        ),
        (
            Arc::new(StringArray::from(hard_texts.to_vec())),
            &[DataType::Int64, DataType::Float64, DataType::Boolean, DataType::Date32],
        ),
        (
            new_null_array(&DataType::Null, 3),
            &[DataType::Int64, DataType::Float64, DataType::Utf8, DataType::Boolean, DataType::Date32],
        ),
    ];
    let options = CastOptions { safe: true, ..CastOptions::default() };
    for (source, targets) in sources {
        for target in targets {
            let out = cast_with_options(&source, target, &options);
            assert!(out.is_ok(), "{} to {target}: {out:?}", source.data_type());
        }
    }
}

/// Why the others are not let through: also a safe cast fails, once the calendar cannot name the year.
#[test]
fn refused_casts_do_fail() {
    let options = CastOptions { safe: true, ..CastOptions::default() };
    let day: ArrayRef = Arc::new(Date32Array::from(vec![i32::MAX]));
    let instant: ArrayRef = Arc::new(TimestampMicrosecondArray::from(vec![i64::MAX]));
    assert_eq!(*instant.data_type(), DataType::Timestamp(TimeUnit::Microsecond, None));
    assert!(cast_with_options(&day, &DataType::Utf8, &options).is_err());
    assert!(cast_with_options(&instant, &DataType::Utf8, &options).is_err());
    assert!(cast_with_options(&instant, &DataType::Date32, &options).is_err());
}
