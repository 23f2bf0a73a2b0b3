//! No conversion in either direction.

use glovebox_vault::Protected;

fn seal(sum: i64) -> Protected<i64> {
    sum.into()
}

fn open(sum: Protected<i64>) -> i64 {
    sum.into()
}

fn main() {}
