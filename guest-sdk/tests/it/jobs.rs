//! What `map_job!` makes of a function: typed columns, answers, defaults.

use glovebox_guest_sdk::{Emit, Sample, log, map_job};

map_job! {
    /// A unit with a column of each type.
    struct Unit { whole: i64, real: f64, flag: bool, kind: text = "type" }
    input { rows: 4, text_bytes: 64 }
    output { rows: 3, values: 2 }
    memory { heap_bytes: 1024 }
    map: describe;
}

/// Answers a row for each row of the unit, with the row's length of text as key.
fn describe(unit: &Unit<'_>, emit: &mut Emit<'_, 2>) {
    if unit.params() == b"log" {
        log!("{} rows", unit.rows());
    }
    for row in 0..unit.rows() {
        let key = unit.kind.get(row).map_or(99, str::len);
        let sign = if unit.flag.get(row) == Some(true) { -1.0 } else { 1.0 };
        let whole = unit.whole.get(row).unwrap_or(0) as f64;
        emit.row(key as u32, [sign * whole, unit.real.get(row).unwrap_or(f64::NAN)]);
    }
}

fn sample(rows: usize) -> Sample {
    Sample::new()
        .integers(&[Some(1), None, Some(3), Some(4)][..rows])
        .floats(&[Some(0.5), Some(1.5), Some(2.5), Some(3.5)][..rows])
        .booleans(&[Some(true), None, Some(false), None][..rows])
        .texts(&[Some("a"), None, Some("ccc"), None][..rows])
}

#[test]
fn rows_come_back_in_the_order_in_which_they_were_emitted() {
    let answer = Unit::answer(&sample(3)).unwrap();
    assert_eq!(answer, [(1, [-1.0, 0.5]), (99, [0.0, 1.5]), (3, [3.0, 2.5])]);
    assert_eq!(Unit::answer(&sample(0)).unwrap(), []);
}

#[test]
fn too_many_rows_are_the_default_answer() {
    assert_eq!(Unit::answer(&sample(4)), None);
}

#[test]
fn columns_too_few_too_many_or_of_another_type_are_the_default_answer() {
    assert_eq!(Unit::answer(&Sample::new().integers(&[Some(1)])), None);
    assert_eq!(Unit::answer(&sample(1).integers(&[Some(1)])), None);
    let swapped = Sample::new().floats(&[None]).integers(&[None]).booleans(&[None]).texts(&[None]);
    assert_eq!(Unit::answer(&swapped), None);
}

#[test]
fn what_is_not_finite_is_left_for_the_host_to_judge() {
    let unit = Sample::new().integers(&[None]).floats(&[None]).booleans(&[None]).texts(&[None]);
    let [(99, [zero, nan])] = Unit::answer(&unit).unwrap()[..] else { panic!("one row under key 99") };
    assert!(zero == 0.0 && nan.is_nan());
}

#[test]
fn the_log_holds_a_line_and_cuts_off_what_does_not_fit() {
    Unit::answer(&sample(2).params(b"log")).unwrap();
    assert_eq!(log::text().unwrap(), "2 rows\n");
    log!("{}", "x".repeat(2 * log::BYTES));
    log!("beyond");
    let text = log::text().unwrap();
    assert_eq!(text.len(), log::BYTES);
    assert!(text.ends_with('x'));
}
