//! Days and the calendar: the proleptic Gregorian one, for every day that 64 bits can count, without an error.
//!
//! A calendar library names years within some hundred thousand; columns may hold days far beyond, and an expression over
//! them must have a value, or NULL, on every one of them.

use std::fmt;

/// Days beyond this, either way, are taken to be this one: some 3 billion years, far beyond what columns hold.
const FARTHEST: i64 = 1 << 40;

/// A date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date {
    /// The year; 0 is the year before 1.
    pub year: i64,
    /// The month, 1 to 12.
    pub month: i64,
    /// The day of the month, 1 to 31.
    pub day: i64,
}

impl Date {
    /// The date of a day, counted from 1970-01-01.
    ///
    /// ```
    /// use glovebox_catalog::civil::Date;
    /// assert_eq!(Date::of(0).to_string(), "1970-01-01");
    /// assert_eq!(Date::of(19_782), Date { year: 2024, month: 2, day: 29 });
    /// assert_eq!(Date { year: 2024, month: 2, day: 29 }.number(), 19_782);
    /// ```
    pub fn of(day: i64) -> Self {
        // Years begin in March here, so that the leap day comes last; an era is the 400 years after which all repeats.
        let day = day.clamp(-FARTHEST, FARTHEST) + 719_468;
        let (era, of_era) = (day.div_euclid(146_097), day.rem_euclid(146_097));
        let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let march_month = (5 * of_year + 2) / 153;
        let day = of_year - (153 * march_month + 2) / 5 + 1;
        let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
        Self { year: era * 400 + year_of_era + i64::from(month <= 2), month, day }
    }

    /// The day of this date, counted from 1970-01-01. A month or day that does not exist is counted on from the one before.
    pub fn number(self) -> i64 {
        let year = self.year.clamp(-FARTHEST, FARTHEST) - i64::from(self.month <= 2);
        let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
        let march_month = if self.month > 2 { self.month - 3 } else { self.month + 9 };
        let of_year = (153 * march_month + 2) / 5 + self.day - 1;
        era * 146_097 + 365 * year_of_era + year_of_era / 4 - year_of_era / 100 + of_year - 719_468
    }

    /// The number of this day within its year, from 1.
    pub fn of_year(self) -> i64 {
        self.number() - Self { month: 1, day: 1, ..self }.number() + 1
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { year, month, day } = self;
        // ISO 8601 wants a sign on years of more than four digits, and on those before 0.
        match year {
            0..=9_999 => write!(f, "{year:04}-{month:02}-{day:02}"),
            _ => write!(f, "{year:+05}-{month:02}-{day:02}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_dates_agree_both_ways_over_an_era() {
        let mut expected = Date { year: 1600, month: 1, day: 1 };
        for day in expected.number()..=expected.number() + 146_097 {
            assert_eq!(Date::of(day), expected);
            assert_eq!(expected.number(), day);
            let leap = expected.year % 4 == 0 && (expected.year % 100 != 0 || expected.year % 400 == 0);
            let last = match expected.month {
                2 if leap => 29,
                2 => 28,
                4 | 6 | 9 | 11 => 30,
                _ => 31,
            };
            expected = match (expected.month, expected.day) {
                (12, 31) => Date { year: expected.year + 1, month: 1, day: 1 },
                (month, day) if day == last => Date { month: month + 1, day: 1, ..expected },
                (_, day) => Date { day: day + 1, ..expected },
            };
        }
    }

    #[test]
    fn every_day_has_a_date() {
        for day in [i64::MIN, i64::from(i32::MIN), -1, 0, 1, i64::from(i32::MAX), i64::MAX] {
            let date = Date::of(day);
            assert!((1..=12).contains(&date.month) && (1..=31).contains(&date.day), "{day}");
            assert_eq!(date.number(), day.clamp(-FARTHEST, FARTHEST));
            assert!((1..=366).contains(&date.of_year()));
        }
        assert_eq!(Date::of(i64::from(i32::MAX)).to_string(), "+5881580-07-11");
        assert_eq!(Date::of(-719_529).to_string(), "-0001-12-31");
    }
}
