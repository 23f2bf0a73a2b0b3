//! No way in by `*`, and so none by method lookup either.

use glovebox_vault::Protected;

fn open(sum: &Protected<i64>) -> i64 {
    **sum
}

fn length(rows: &Protected<Vec<i64>>) -> usize {
    rows.len()
}

fn main() {}
