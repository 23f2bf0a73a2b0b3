//! The check of a job: each rule with a case that keeps it and one that breaks it.

use glovebox_sandbox::{ColumnType, DefaultRow, MapSpec, ModuleFacts, SpecFault, UnitSize, ValueSpec, column_type};

use crate::support::{self, text_type};

const COLUMNS: [ColumnType; 2] = [ColumnType::I64, ColumnType::F64];

fn facts() -> ModuleFacts {
    support::module(support::ECHO).facts().clone()
}

fn good() -> MapSpec {
    support::spec(10, 2, 8, -5, 20)
}

fn check(change: impl Fn(&mut MapSpec)) -> Result<(), SpecFault> {
    let mut spec = good();
    change(&mut spec);
    spec.check(&facts(), &COLUMNS, UnitSize::of_rows(4))
}

#[test]
fn each_rule_of_a_job_holds() {
    let value = |low, high, step| move |spec: &mut MapSpec| spec.values = vec![ValueSpec { low, high, step }];
    let wide = 1 << 53;
    assert_eq!(check(|_| {}), Ok(()));
    assert_eq!(check(|spec| spec.keys = 0), Err(SpecFault::Keys));
    assert_eq!(check(|spec| spec.keys = 65_536), Ok(()));
    assert_eq!(check(|spec| spec.keys = 65_537), Err(SpecFault::Keys));
    assert_eq!(check(|spec| spec.max_keys = 0), Err(SpecFault::MaxKeys));
    assert_eq!(check(|spec| spec.max_keys = 8), Ok(()));
    assert_eq!(check(|spec| spec.max_keys = 9), Err(SpecFault::MaxKeys), "more than rows");
    assert_eq!(check(|spec| (spec.keys, spec.max_keys) = (1, 2)), Err(SpecFault::MaxKeys), "more than keys");
    assert_eq!(check(|spec| spec.fuel = 0), Err(SpecFault::Fuel));
    assert_eq!(check(|spec| spec.fuel = 10_000_000_000), Ok(()));
    assert_eq!(check(|spec| spec.fuel = 10_000_000_001), Err(SpecFault::Fuel));
    assert_eq!(check(|spec| spec.params = vec![0; 16_385]), Err(SpecFault::Params));
    let out = |row_bytes| Err(SpecFault::Output { row_bytes, out_cap: 2_048 });
    assert_eq!(check(|spec| spec.max_rows = 0), out(16));
    assert_eq!(check(|spec| spec.max_rows = 128), Ok(()));
    assert_eq!(check(|spec| spec.max_rows = 129), out(16));
    assert_eq!(check(value(-wide, wide, 1.0)), Ok(()));
}

#[test]
fn ranges_steps_and_the_default_row_fit() {
    let ranged = |low, high, step, default| {
        check(|spec| {
            spec.values = vec![ValueSpec { low, high, step }];
            spec.default = DefaultRow { key: 0, values: vec![default] };
        })
    };
    let wide = 1 << 53;
    assert_eq!(ranged(-wide, wide, 1.0, wide), Ok(()));
    assert_eq!(ranged(-wide - 1, wide, 1.0, 0), Err(SpecFault::Range(0)));
    assert_eq!(ranged(0, wide + 1, 1.0, 0), Err(SpecFault::Range(0)));
    assert_eq!(ranged(i64::MIN, 0, 1.0, 0), Err(SpecFault::Range(0)));
    assert_eq!(ranged(3, 3, 1.0, 3), Ok(()));
    assert_eq!(ranged(4, 3, 1.0, 3), Err(SpecFault::Range(0)));
    assert_eq!(ranged(0, 0, 1.0, 0), Err(SpecFault::Range(0)));
    for step in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e-310] {
        assert_eq!(ranged(0, 1, step, 0), Err(SpecFault::Step(0)), "{step}");
    }
    assert_eq!(ranged(0, 1, f64::MIN_POSITIVE, 0), Ok(()));
    assert_eq!(ranged(0, 1, 1.0, 2), Err(SpecFault::Default));
    assert_eq!(check(|spec| spec.default.key = 10), Err(SpecFault::Default));
    assert_eq!(check(|spec| spec.default.values = vec![]), Err(SpecFault::Default));
}

#[test]
fn a_job_has_values_or_a_count_and_not_too_many_cells() {
    let nothing = |spec: &mut MapSpec| {
        spec.values.clear();
        spec.default.values.clear();
    };
    assert_eq!(check(nothing), Ok(()));
    assert_eq!(
        check(|spec| {
            nothing(spec);
            spec.count_units = false;
        }),
        Err(SpecFault::Values)
    );
    let many = |values: usize, keys| {
        check(|spec| {
            spec.values = vec![ValueSpec { low: 0, high: 1, step: 1.0 }; values];
            spec.default.values = vec![0; values];
            (spec.keys, spec.max_keys, spec.max_rows) = (keys, 1, 1);
        })
    };
    assert_eq!(many(15, 65_536), Ok(()));
    assert_eq!(many(16, 65_536), Err(SpecFault::Cells));
    assert_eq!(many(1_025, 1), Err(SpecFault::Values));
}

#[test]
fn the_largest_unit_of_fixed_columns_fits_the_input_area() {
    let check = |columns: &[ColumnType], rows| good().check(&facts(), columns, UnitSize::of_rows(rows));
    // 32 + 2 × 24 bytes, and for n rows of two columns 2 × (8n + n/8 in whole words): 120 rows take 2,032 of 2,048.
    assert_eq!(check(&COLUMNS, 120), Ok(()));
    assert_eq!(check(&COLUMNS, 121), Ok(()));
    assert_eq!(check(&COLUMNS, 122), Err(SpecFault::Input { frame: 2_064, in_cap: 2_048 }));
    assert!(check(&COLUMNS, u32::MAX).is_err());
    // Of text the offsets count, the bytes do not: a unit with long texts is the default row.
    assert_eq!(check(&[ColumnType::Text], 400), Ok(()));
    assert!(check(&[ColumnType::Text], 600).is_err());
    assert_eq!(check(&[], 1), Err(SpecFault::Columns));
    assert_eq!(check(&[ColumnType::Bool; 257], 1), Err(SpecFault::Columns));
}

#[test]
fn a_module_that_declares_its_columns_is_given_those() {
    let mut facts = facts();
    facts.schema = Some(vec![("year".to_owned(), ColumnType::I64), ("meddol".to_owned(), ColumnType::F64)]);
    assert_eq!(good().check(&facts, &COLUMNS, UnitSize::of_rows(4)), Ok(()));
    assert_eq!(good().check(&facts, &COLUMNS[..1], UnitSize::of_rows(4)), Err(SpecFault::Schema));
    assert_eq!(good().check(&facts, &[ColumnType::F64, ColumnType::I64], UnitSize::of_rows(4)), Err(SpecFault::Schema));
}

#[test]
fn bounds_are_magnitudes_and_the_count_moves_by_one() {
    assert_eq!(support::spec(2, 1, 1, -5, 3).linf(), [5, 1]);
    assert_eq!(support::spec(2, 1, 1, 2, 3).linf(), [3, 1]);
}

#[test]
fn arrow_types_that_a_guest_can_see() {
    use arrow::datatypes::{DataType, TimeUnit};
    let micros = DataType::Timestamp(TimeUnit::Microsecond, None);
    for of in [DataType::Int64, DataType::Date32, micros] {
        assert_eq!(column_type(&of), Some(ColumnType::I64));
    }
    assert_eq!(column_type(&DataType::Float64), Some(ColumnType::F64));
    assert_eq!(column_type(&DataType::Boolean), Some(ColumnType::Bool));
    assert_eq!(column_type(&text_type()), Some(ColumnType::Text));
    for of in [DataType::Int32, DataType::Float32, DataType::LargeUtf8, DataType::Timestamp(TimeUnit::Second, None)] {
        assert_eq!(column_type(&of), None);
    }
}
