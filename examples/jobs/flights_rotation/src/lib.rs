//! From which New York airport does an aircraft fly its longest chain of flights within one day, and how long is it?
//!
//! The rows are one aircraft's departures from New York. Two of them follow each other in a chain when the aircraft can
//! have stood where the second one starts: either the first one flew there, or both start at the same airport and the time
//! between them is enough to fly out and back. The answer is one row: the airport where the longest chain begins as key,
//! and the number of departures in it.

use glovebox_guest_sdk::{Emit, map_job};

map_job! {
    /// The departures of one aircraft.
    struct Aircraft { month: i64, day: i64, dep_time: i64, air_time: i64, origin: text, dest: text }
    input { rows: 600, text_bytes: 4800 }
    output { rows: 1, values: 1 }
    memory { heap_bytes: 32768, log }
    map: longest_chain;
}

/// The airports in the order of `keys` in job.toml. The key after them is `none`.
const AIRPORTS: [&str; 3] = ["EWR", "JFK", "LGA"];

/// One departure that took place.
struct Flight<'a> {
    /// Month and day.
    date: (i64, i64),
    /// Minutes since midnight, local time.
    departs: i64,
    /// Minutes in the air.
    airborne: i64,
    origin: &'a str,
    dest: &'a str,
}

impl Flight<'_> {
    fn leads_to(&self, next: &Self) -> bool {
        let there_and_back = 2 * self.airborne;
        let arrived = self.dest == next.origin && next.departs >= self.departs + self.airborne;
        let returned = self.origin == next.origin && next.departs >= self.departs + there_and_back;
        self.date == next.date && (arrived || returned)
    }
}

/// The departure in this row; `None` for one that did not take place or of which something is not known.
fn flight<'a>(aircraft: &Aircraft<'a>, row: usize) -> Option<Flight<'a>> {
    // Times are written as HHMM. Whatever they hold, the sums above cannot overflow.
    let hhmm = aircraft.dep_time.get(row).filter(|hhmm| (0..=2400).contains(hhmm))?;
    let airborne = aircraft.air_time.get(row).filter(|minutes| (0..=1440).contains(minutes))?;
    Some(Flight {
        date: (aircraft.month.get(row)?, aircraft.day.get(row)?),
        departs: hhmm / 100 * 60 + hhmm % 100,
        airborne,
        origin: aircraft.origin.get(row)?,
        dest: aircraft.dest.get(row)?,
    })
}

fn longest_chain(aircraft: &Aircraft<'_>, emit: &mut Emit<'_, 1>) {
    let mut flights: Vec<Flight<'_>> = Vec::with_capacity(aircraft.rows());
    flights.extend((0..aircraft.rows()).filter_map(|row| flight(aircraft, row)));
    flights.sort_unstable_by_key(|flight| (flight.date, flight.departs));
    let (mut longest, mut start) = (0, "");
    for chain in flights.chunk_by(Flight::leads_to) {
        if let Some(first) = chain.first().filter(|_| chain.len() > longest) {
            (longest, start) = (chain.len(), first.origin);
        }
    }
    let key = AIRPORTS.iter().position(|airport| *airport == start).unwrap_or(AIRPORTS.len());
    emit.row(key as u32, [longest as f64]);
}

#[cfg(test)]
mod tests {
    use glovebox_guest_sdk::Sample;

    use super::*;

    type Row = (i64, Option<i64>, Option<i64>, &'static str, &'static str);

    /// Rows are day, dep_time, air_time, origin, dest.
    fn answer(rows: &[Row]) -> (u32, f64) {
        let sample = Sample::new()
            .integers(&rows.iter().map(|_| Some(1)).collect::<Vec<_>>())
            .integers(&rows.iter().map(|row| Some(row.0)).collect::<Vec<_>>())
            .integers(&rows.iter().map(|row| row.1).collect::<Vec<_>>())
            .integers(&rows.iter().map(|row| row.2).collect::<Vec<_>>())
            .texts(&rows.iter().map(|row| Some(row.3)).collect::<Vec<_>>())
            .texts(&rows.iter().map(|row| Some(row.4)).collect::<Vec<_>>());
        match Aircraft::answer(&sample).expect("an answer").as_slice() {
            [(key, [flights])] => (*key, *flights),
            other => panic!("one row, not {other:?}"),
        }
    }

    fn row(day: i64, dep_time: i64, origin: &'static str, dest: &'static str) -> Row {
        (day, Some(dep_time), Some(60), origin, dest)
    }

    #[test]
    fn out_and_back_three_times_is_a_chain_of_three_in_any_order_of_rows() {
        let rows = [row(1, 1000, "LGA", "DCA"), row(1, 600, "LGA", "BOS"), row(1, 1430, "LGA", "DCA")];
        assert_eq!(answer(&rows), (2, 3.0));
    }

    #[test]
    fn an_arrival_where_the_next_flight_starts_is_a_chain_too() {
        assert_eq!(answer(&[row(1, 600, "EWR", "LGA"), row(1, 700, "LGA", "ORD")]), (0, 2.0));
    }

    #[test]
    fn too_little_time_another_airport_and_another_day_end_a_chain() {
        assert_eq!(answer(&[row(1, 600, "JFK", "BOS"), row(1, 759, "JFK", "BOS")]), (1, 1.0));
        assert_eq!(answer(&[row(1, 600, "JFK", "BOS"), row(1, 1200, "LGA", "BOS")]), (1, 1.0));
        assert_eq!(answer(&[row(1, 600, "JFK", "BOS"), row(2, 1200, "JFK", "BOS")]), (1, 1.0));
    }

    #[test]
    fn cancelled_flights_and_unknown_times_are_passed_over() {
        let rows = [
            (1, None, None, "LGA", "DCA"),
            row(1, 600, "LGA", "BOS"),
            (1, Some(800), None, "LGA", "DCA"),
            row(1, 900, "LGA", "BOS"),
        ];
        assert_eq!(answer(&rows), (2, 2.0));
        assert_eq!(answer(&[(1, Some(i64::MAX), Some(i64::MIN), "LGA", "DCA")]), (3, 0.0));
    }

    #[test]
    fn one_row_is_a_chain_of_one_and_no_row_has_an_answer_too() {
        assert_eq!(answer(&[row(1, 600, "EWR", "BOS")]), (0, 1.0));
        assert_eq!(answer(&[row(1, 600, "SWF", "BOS")]), (3, 1.0));
        assert_eq!(answer(&[]), (3, 0.0));
    }

    #[test]
    fn the_first_of_two_equally_long_chains_counts() {
        assert_eq!(answer(&[row(2, 600, "JFK", "BOS"), row(1, 600, "EWR", "BOS")]), (0, 1.0));
    }
}
