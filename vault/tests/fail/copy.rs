//! Even what holds plain numbers moves.

use glovebox_vault::Protected;

fn twice(sum: Protected<i64>) -> (Protected<i64>, Protected<i64>) {
    (sum, sum)
}

fn main() {}
