//! Every function of ours on hard values of its types, and what the well-known cases give.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use arrow::array::{Array, StringArray};
use datafusion::common::DFSchema;
use datafusion::logical_expr::col;

use super::*;

const WHOLES: [Option<i64>; 9] =
    [None, Some(0), Some(1), Some(-1), Some(3), Some(-20), Some(400), Some(i64::MAX), Some(i64::MIN)];

const FLOATS: [Option<f64>; 12] = [
    None,
    Some(0.0),
    Some(-0.0),
    Some(0.5),
    Some(-2.5),
    Some(1e300),
    Some(5e-324),
    Some(f64::MAX),
    Some(f64::MIN),
    Some(f64::INFINITY),
    Some(f64::NEG_INFINITY),
    Some(f64::NAN),
];

fn texts() -> Vec<Option<String>> {
    let hard = ["", " ", "a", "aaa", "a-b--c", "汉字", "İŉﬀ", "\u{0}", "e\u{301}", "%_\\"];
    let mut all: Vec<Option<String>> = hard.iter().map(|text| Some((*text).to_owned())).collect();
    all.extend([
        None,
        Some("a".repeat(TEXT_MAX_BYTES)),
        Some("ŉ".repeat(TEXT_MAX_BYTES / 2)),
        Some("a".repeat(TEXT_MAX_BYTES + 1)),
    ]);
    all
}

/// One column for a class, of so many rows, each value with each of the other columns' by its step.
fn column(class: Class, place: usize, rows: usize) -> ArrayRef {
    let texts = texts();
    let at = |row: usize, of: usize| {
        let steps = [1, texts.len(), 3];
        row / steps[place] % of
    };
    match class {
        Class::Float => Arc::new((0..rows).map(|row| FLOATS[at(row, FLOATS.len())]).collect::<Float64Array>()),
        Class::Whole | Class::Number => {
            Arc::new((0..rows).map(|row| WHOLES[at(row, WHOLES.len())]).collect::<Int64Array>())
        }
        _ => Arc::new((0..rows).map(|row| texts[at(row, texts.len())].clone()).collect::<StringArray>()),
    }
}

#[test]
fn no_function_fails_on_any_value() {
    let pattern = Pattern::new("regexp_like", &[Some("(a|-)+$")]).unwrap();
    let rows = texts().len().pow(2);
    for form in numbers::FORMS.iter().chain(texts::FORMS) {
        let most = if form.more { 3 } else { form.params.len() };
        for count in form.needed..=most {
            let class = |place: usize| *form.params.get(place).or(form.params.last()).unwrap();
            let mut columns: Vec<Vec<ArrayRef>> =
                vec![(0..count).map(|place| column(class(place), place, rows)).collect()];
            if class(0) == Class::Number {
                let floats = column(Class::Float, 0, rows);
                columns.push(std::iter::once(floats).chain(columns[0].iter().skip(1).cloned()).collect());
            }
            for args in columns {
                let out = run(form, Some(&pattern), &args).unwrap_or_else(|| panic!("{}", form.name));
                let types: Vec<DataType> = args.iter().map(|array| array.data_type().clone()).collect();
                assert_eq!((out.len(), out.data_type()), (rows, &given(form.gives, &types)), "{}", form.name);
                if let Some(floats) = out.as_primitive_opt::<Float64Type>() {
                    assert!(floats.iter().flatten().all(f64::is_finite), "{}", form.name);
                }
                if let Some(texts) = out.as_string_opt::<i32>() {
                    assert!(texts.iter().flatten().all(|text| text.len() <= TEXT_MAX_BYTES), "{}", form.name);
                }
                // The same each time.
                assert_eq!(&run(form, Some(&pattern), &args).unwrap(), &out, "{}", form.name);
            }
        }
    }
}

/// What a call of literals gives, as text; `None` for NULL.
fn value(name: &str, args: &[Expr]) -> Option<String> {
    let schema = DFSchema::empty();
    let types: Vec<DataType> =
        args.iter().map(|arg| datafusion::logical_expr::ExprSchemable::get_type(arg, &schema).unwrap()).collect();
    let call = total(name, args.to_vec(), &types).unwrap().unwrap();
    let batch = arrow::array::RecordBatch::try_new_with_options(
        Arc::new(arrow::datatypes::Schema::empty()),
        Vec::new(),
        &arrow::array::RecordBatchOptions::new().with_row_count(Some(1)),
    );
    let physical = crate::rows::compiled(&call, &arrow::datatypes::Schema::empty()).unwrap();
    let out = crate::rows::evaluate(physical.as_ref(), &batch.unwrap()).unwrap();
    let shown = arrow::compute::cast(&out, &DataType::Utf8).unwrap();
    let shown = shown.as_string::<i32>();
    shown.is_valid(0).then(|| shown.value(0).to_owned())
}

#[test]
fn functions_give_what_sql_says() {
    let (t, n, x) = (|text: &str| lit(text), |n: i64| lit(n), |x: f64| lit(x));
    let cases: &[(&str, Vec<Expr>, Option<&str>)] = &[
        ("left", vec![t("汉字x"), n(2)], Some("汉字")),
        ("left", vec![t("abc"), n(-1)], Some("ab")),
        ("right", vec![t("abc"), n(2)], Some("bc")),
        ("right", vec![t("abc"), n(-1)], Some("bc")),
        ("right", vec![t("abc"), n(9)], Some("abc")),
        ("substr", vec![t("abcde"), n(2), n(3)], Some("bcd")),
        ("substr", vec![t("abcde"), n(-1), n(3)], Some("a")),
        ("substr", vec![t("abcde"), n(4)], Some("de")),
        ("substr", vec![t("abcde"), n(2), n(-1)], None),
        ("split_part", vec![t("a-b-c"), t("-"), n(2)], Some("b")),
        ("split_part", vec![t("a-b-c"), t("-"), n(-1)], Some("c")),
        ("split_part", vec![t("a-b-c"), t("-"), n(9)], Some("")),
        ("split_part", vec![t("a-b-c"), t("-"), n(0)], None),
        ("replace", vec![t("aXbX"), t("X"), t("--")], Some("a--b--")),
        ("translate", vec![t("abcd"), t("bd"), t("x")], Some("axc")),
        ("btrim", vec![t("  a ")], Some("a")),
        ("ltrim", vec![t("xxaxx"), t("x")], Some("axx")),
        ("lpad", vec![t("7"), n(3), t("0")], Some("007")),
        ("lpad", vec![t("12345"), n(3), t("0")], Some("123")),
        ("rpad", vec![t("a"), n(3)], Some("a  ")),
        ("initcap", vec![t("hELLO w-x")], Some("Hello W-X")),
        ("concat", vec![t("a"), lit(ScalarValue::Utf8(None)), n(1), x(0.5)], Some("a10.5")),
        ("concat_ws", vec![t("-"), t("a"), lit(ScalarValue::Utf8(None)), t("b")], Some("a-b")),
        ("||", vec![t("a"), lit(ScalarValue::Utf8(None))], None),
        ("strpos", vec![t("汉字"), t("字")], Some("2")),
        ("strpos", vec![t("a"), t("b")], Some("0")),
        ("character_length", vec![t("汉字")], Some("2")),
        ("octet_length", vec![t("汉字")], Some("6")),
        ("ascii", vec![t("a")], Some("97")),
        ("like", vec![t("abc"), t("a_c")], Some("true")),
        ("ilike", vec![t("ABC"), t("a%")], Some("true")),
        ("regexp_like", vec![t("xab"), t("A"), t("i")], Some("true")),
        ("round", vec![x(2.5)], Some("3.0")),
        ("round", vec![x(-2.5)], Some("-3.0")),
        ("round", vec![x(2.345), n(2)], Some("2.35")),
        ("round", vec![n(1250), n(-2)], Some("1300")),
        ("round", vec![n(i64::MAX), n(-1)], None),
        ("trunc", vec![x(-2.789), n(1)], Some("-2.7")),
        ("abs", vec![n(i64::MIN)], None),
        ("signum", vec![n(-9)], Some("-1")),
        ("sqrt", vec![x(-1.0)], None),
        ("ln", vec![n(0)], None),
        ("exp", vec![n(1000)], None),
        ("log", vec![n(2), n(8)], Some("3.0")),
        ("log", vec![n(100)], Some("2.0")),
        ("power", vec![n(2), n(10)], Some("1024.0")),
        ("power", vec![x(-1.0), x(0.5)], None),
        ("gcd", vec![n(12), n(18)], Some("6")),
        ("lcm", vec![n(4), n(6)], Some("12")),
        ("factorial", vec![n(20)], Some("2432902008176640000")),
        ("factorial", vec![n(21)], None),
    ];
    for (name, args, expected) in cases {
        assert_eq!(value(name, args).as_deref(), *expected, "{name}({args:?})");
    }
}

#[test]
fn arguments_are_held_to_their_types() {
    let refused = |name: &str, types: &[DataType]| {
        let args = (0..types.len()).map(|i| col(format!("c{i}"))).collect();
        total(name, args, types).is_err()
    };
    assert!(refused("sqrt", &[DataType::Utf8]) && refused("sqrt", &[DataType::Boolean]) && refused("sqrt", &[]));
    assert!(refused("gcd", &[DataType::Int64, DataType::Float64]));
    assert!(refused("lower", &[DataType::Date32]) && refused("concat", &[DataType::Date32]));
    assert!(refused("like", &[DataType::Utf8, DataType::Utf8]), "a pattern in a column");
    assert!(total("nosuch", Vec::new(), &[]).unwrap().is_none());
}
