//! For each coinsurance rate of the RAND experiment: over how many years in a row did a person's medical spending rise?
//!
//! A person is in the study for up to five years. The answer is one row: the coinsurance rate as key, and the length of
//! the longest run of consecutive study years each of which cost more than the year before.

use glovebox_guest_sdk::{Emit, map_job};

map_job! {
    /// The years of one person.
    struct Person { year: i64, meddol: f64, coins: i64 }
    input { rows: 5, text_bytes: 0 }
    output { rows: 1, values: 1 }
    memory { heap_bytes: 1024, log }
    map: longest_rise;
}

/// The coinsurance rates in percent, in the order of `keys` in job.toml. The key after them is `unknown`.
const RATES: [i64; 5] = [0, 25, 50, 95, 100];

fn longest_rise(person: &Person<'_>, emit: &mut Emit<'_, 1>) {
    let mut spent = [None; 5];
    for (year, dollars) in person.year.iter().zip(person.meddol.iter()) {
        let place = year.and_then(|year| spent.get_mut(usize::try_from(year.checked_sub(1)?).ok()?));
        if let Some(place) = place {
            *place = dollars;
        }
    }
    let (mut run, mut longest) = (0_u8, 0_u8);
    for (before, after) in spent.iter().zip(spent.iter().skip(1)) {
        let rose = matches!((before, after), (Some(before), Some(after)) if after > before);
        run = if rose { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    let rate = person.coins.iter().flatten().next();
    let key = RATES.iter().position(|known| Some(*known) == rate).unwrap_or(RATES.len());
    emit.row(key as u32, [f64::from(longest)]);
}

#[cfg(test)]
mod tests {
    use glovebox_guest_sdk::Sample;

    use super::*;

    fn answer(years: &[(Option<i64>, Option<f64>, Option<i64>)]) -> (u32, f64) {
        let sample = Sample::new()
            .integers(&years.iter().map(|row| row.0).collect::<Vec<_>>())
            .floats(&years.iter().map(|row| row.1).collect::<Vec<_>>())
            .integers(&years.iter().map(|row| row.2).collect::<Vec<_>>());
        match Person::answer(&sample).expect("an answer").as_slice() {
            [(key, [years])] => (*key, *years),
            other => panic!("one row, not {other:?}"),
        }
    }

    fn year(year: i64, dollars: f64) -> (Option<i64>, Option<f64>, Option<i64>) {
        (Some(year), Some(dollars), Some(25))
    }

    #[test]
    fn the_longest_run_counts_not_the_number_of_rises() {
        let years = [year(1, 10.0), year(2, 20.0), year(3, 5.0), year(4, 6.0), year(5, 7.0)];
        assert_eq!(answer(&years), (1, 2.0));
    }

    #[test]
    fn years_may_come_in_any_order() {
        let years = [year(3, 30.0), year(1, 10.0), year(5, 50.0), year(2, 20.0), year(4, 40.0)];
        assert_eq!(answer(&years), (1, 4.0));
    }

    #[test]
    fn a_missing_year_a_missing_amount_and_an_equal_one_end_a_run() {
        assert_eq!(answer(&[year(1, 1.0), year(3, 3.0)]), (1, 0.0));
        assert_eq!(answer(&[year(1, 1.0), (Some(2), None, Some(25)), year(3, 3.0)]), (1, 0.0));
        assert_eq!(answer(&[year(1, 1.0), year(2, 1.0), year(3, 3.0)]), (1, 1.0));
    }

    #[test]
    fn one_year_never_rises_and_no_year_has_an_answer_too() {
        assert_eq!(answer(&[year(2, 9.0)]), (1, 0.0));
        assert_eq!(answer(&[]), (5, 0.0));
    }

    #[test]
    fn years_beyond_the_study_are_passed_over() {
        assert_eq!(answer(&[year(i64::MIN, 0.0), year(0, 1.0), year(1, 2.0), year(6, 3.0)]), (1, 0.0));
    }

    #[test]
    fn the_first_known_rate_is_the_key() {
        let row = |rate| (Some(1), Some(1.0), rate);
        assert_eq!(answer(&[row(None), row(Some(95))]).0, 3);
        assert_eq!(answer(&[row(None)]).0, 5);
        assert_eq!(answer(&[row(Some(33))]).0, 5);
    }
}
