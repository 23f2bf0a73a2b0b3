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
    memory { heap_bytes: 8192, log }
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

    /// Date, time and row in one number that sorts by them in this order.
    fn place(&self, row: usize) -> u64 {
        let (month, day) = self.date;
        // Every part fits its digits: months and days were checked, and no time of day is 10,000 minutes.
        let when = (month * 100 + day) * 10_000 + self.departs;
        ((when as u64) << 32) | row as u64
    }
}

/// The departure in this row; `None` for one that did not take place or of which something is not known.
fn flight<'a>(aircraft: &Aircraft<'a>, row: usize) -> Option<Flight<'a>> {
    // Times are written as HHMM. Whatever columns hold, the sums above cannot overflow.
    let hhmm = aircraft.dep_time.get(row).filter(|hhmm| (0..=2400).contains(hhmm))?;
    let airborne = aircraft.air_time.get(row).filter(|minutes| (0..=1440).contains(minutes))?;
    let month = aircraft.month.get(row).filter(|month| (1..=12).contains(month))?;
    let day = aircraft.day.get(row).filter(|day| (1..=31).contains(day))?;
    Some(Flight {
        date: (month, day),
        departs: hhmm / 100 * 60 + hhmm % 100,
        airborne,
        origin: aircraft.origin.get(row)?,
        dest: aircraft.dest.get(row)?,
    })
}

fn longest_chain(aircraft: &Aircraft<'_>, emit: &mut Emit<'_, 1>) {
    let mut order: Vec<u64> = Vec::with_capacity(aircraft.rows());
    order.extend((0..aircraft.rows()).filter_map(|row| Some(flight(aircraft, row)?.place(row))));
    // Numbers are sorted, not flights: a sort keeps dozens of elements on the stack at every level of its recursion, and a
    // job's stack is small. Rows come in any order, so that all levels are needed for some aircraft.
    order.sort_unstable();
    let (mut longest, mut start) = (0, "");
    let (mut length, mut begins, mut before) = (0, "", None::<Flight<'_>>);
    for row in order.iter().map(|place| (place & u64::from(u32::MAX)) as usize) {
        let Some(here) = flight(aircraft, row) else { continue };
        if !before.is_some_and(|before| before.leads_to(&here)) {
            (length, begins) = (0, here.origin);
        }
        length += 1;
        if length > longest {
            (longest, start) = (length, begins);
        }
        before = Some(here);
    }
    let key = AIRPORTS.iter().position(|airport| *airport == start).unwrap_or(AIRPORTS.len());
    emit.row(key as u32, [f64::from(longest)]);
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

    /// As many rows as a unit may have, in an order that makes a sort work.
    #[test]
    fn the_largest_aircraft_has_an_answer_whatever_the_order_of_its_rows() {
        let rows: Vec<Row> = (0..600_i64)
            .map(|n| {
                let n = n * 7919 % 600;
                let (day, turn) = (n / 30 + 1, n % 30);
                row(day, turn / 2 * 100 + turn % 2 * 30, ["EWR", "JFK", "LGA"][n as usize % 3], "BOS")
            })
            .collect();
        // Out and back takes two hours: of the departures every half hour none leads to the next.
        assert_eq!(answer(&rows), (0, 1.0));
    }

    #[test]
    fn the_first_of_two_equally_long_chains_counts() {
        assert_eq!(answer(&[row(2, 600, "JFK", "BOS"), row(1, 600, "EWR", "BOS")]), (0, 1.0));
    }
}
