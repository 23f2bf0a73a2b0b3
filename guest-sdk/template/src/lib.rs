//! {{name}}: in how many years did a person's medical spending exceed a thousand dollars?
//!
//! A beginning: jobs are for questions that look at all rows of a person at once, which SQL cannot ask. The host calls
//! the function once for each person, in a fresh instance of the module, and clips what it returns to the range that
//! job.toml declares. `cargo test` runs the tests below; `cargo wasm` builds the module.

use glovebox_guest_sdk::{Emit, map_job};

map_job! {
    /// The rows of one person: the columns of job.toml, in the same order.
    struct Person { year: i64, meddol: f64 }
    input { rows: 5, text_bytes: 0 }
    output { rows: 1, values: 1 }
    memory { heap_bytes: 4096, log }
    map: costly_years;
}

/// Positions in `keys` of job.toml.
const NEVER: u32 = 0;
const SOMETIMES: u32 = 1;

fn costly_years(person: &Person<'_>, emit: &mut Emit<'_, 1>) {
    let costly = |dollars: &f64| *dollars > 1000.0;
    let years = person.meddol.iter().flatten().filter(costly).count();
    emit.row(if years == 0 { NEVER } else { SOMETIMES }, [years as f64]);
}

#[cfg(test)]
mod tests {
    use glovebox_guest_sdk::Sample;

    use super::*;

    #[test]
    fn years_without_an_amount_do_not_count() {
        let years = Sample::new().integers(&[Some(1), Some(2), Some(3)]);
        let person = years.floats(&[Some(1000.5), None, Some(20.0)]);
        assert_eq!(Person::answer(&person), Some(vec![(SOMETIMES, [1.0])]));
    }
}
