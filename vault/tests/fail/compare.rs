//! A comparison is a question that nobody charged for.

use glovebox_vault::Protected;

fn guess(sum: &Protected<i64>, guess: &Protected<i64>) -> bool {
    sum == guess
}

fn less(sum: Protected<i64>, than: Protected<i64>) -> bool {
    sum < than
}

fn main() {}
