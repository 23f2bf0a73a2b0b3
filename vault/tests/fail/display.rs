//! A message cannot hold it.

use glovebox_vault::Protected;

fn message(sum: &Protected<i64>) -> String {
    format!("the sum is {sum}")
}

fn main() {}
