//! Parts and beginnings of dates, against a calendar of their own.

#![expect(clippy::unwrap_used, reason = "tests")]

use super::*;

fn day(year: i64, month: i64, day: i64) -> i64 {
    Date { year, month, day }.number()
}

#[test]
fn parts_of_known_days() {
    // A Sunday at the end of a year whose next one begins within its week.
    let at = day(2024, 12, 29);
    for (period, expected) in [
        (Year, 2024),
        (Quarter, 4),
        (Month, 12),
        (Week, 52),
        (Day, 29),
        (DayOfYear, 364),
        (DayOfWeek, 0),
        (IsoDayOfWeek, 7),
    ] {
        assert_eq!(period.part(at, 0), expected, "{period:?}");
    }
    assert_eq!(Week.part(day(2024, 12, 30), 0), 1);
    assert_eq!(Week.part(day(2021, 1, 3), 0), 53);
    assert_eq!(Week.part(day(2021, 1, 4), 0), 1);
    assert_eq!(IsoDayOfWeek.part(0, 0), 4);
    let clock = 23 * 3_600_000_000 + 59 * 60_000_000 + 58 * 1_000_000 + 999_999;
    assert_eq!([Hour, Minute, Second].map(|period| period.part(0, clock)), [23, 59, 58]);
}

#[test]
fn every_part_is_among_its_values_on_every_day() {
    let days = (-40_000..40_000).chain([i64::from(i32::MIN), i64::from(i32::MAX), i64::MAX / DAY_MICROS]);
    for at in days {
        for period in Period::ALL {
            for micros in [0, DAY_MICROS - 1] {
                let part = period.part(at, micros);
                assert!(period.values().is_none_or(|values| values.contains(&part)), "{period:?} of {at}: {part}");
            }
            let first = period.first_day(at);
            assert!(first <= at && at - first <= 366, "{period:?} of {at}");
            assert_eq!(period.first_day(first), first, "{period:?} of {at}");
        }
    }
}

#[test]
fn beginnings_of_known_instants() {
    let at = day(2024, 8, 15) * DAY_MICROS + 13 * 3_600_000_000 + 61_000_007;
    let texts = [Year, Quarter, Month, Week, Day, Hour, Minute, Second]
        .map(|period| instant_text(period.beginning(at).unwrap()));
    let expected = [
        "2024-01-01T00:00:00",
        "2024-07-01T00:00:00",
        "2024-08-01T00:00:00",
        "2024-08-12T00:00:00",
        "2024-08-15T00:00:00",
        "2024-08-15T13:00:00",
        "2024-08-15T13:01:00",
        "2024-08-15T13:01:01",
    ];
    assert_eq!(texts, expected);
    assert_eq!(instant_text(-1), "1969-12-31T23:59:59.999999");
    assert_eq!(day_text(0), "1970-01-01");
    // Where the beginning is before the first instant there is none.
    assert_eq!(Year.beginning(i64::MIN), None);
    assert_eq!(Second.beginning(i64::MIN), None);
    assert!(Year.beginning(i64::MAX).is_some());
}

#[test]
fn only_periods_that_are_known_and_fit_are_taken() {
    let of = |function: &str, name: &str, data_type: DataType| {
        let args = [Expr::Literal(ScalarValue::Utf8(Some(name.to_owned())), None), datafusion::logical_expr::col("x")];
        total(function, &args, &[DataType::Utf8, data_type]).map_err(|refusal| refusal.reason())
    };
    assert!(matches!(of("date_part", "Month", INSTANT), Ok(Some(_))));
    assert!(matches!(of("date_trunc", "hour", INSTANT), Ok(Some(_))));
    assert!(matches!(of("now", "month", INSTANT), Ok(None)));
    assert_eq!(of("date_part", "century", INSTANT), Err(Reason::FunctionRefused));
    assert_eq!(of("date_trunc", "dow", INSTANT), Err(Reason::FunctionRefused));
    assert_eq!(of("date_part", "hour", DataType::Date32), Err(Reason::TypeRefused));
    assert_eq!(of("date_part", "year", DataType::Utf8), Err(Reason::TypeRefused));
    assert_eq!(of("date_part", "year", DataType::Null), Err(Reason::TypeRefused));
}
