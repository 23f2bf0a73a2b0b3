//! Whoever cannot name the trait `Expose` cannot open it: there is no inherent getter and no public field.

use glovebox_vault::Protected;

fn take(sum: Protected<i64>) -> i64 {
    sum.expose()
}

fn look(sum: &Protected<i64>) -> i64 {
    *sum.expose_ref()
}

fn work(sum: &mut Protected<i64>) {
    *sum.expose_mut() += 1;
}

fn reach(sum: Protected<i64>) -> i64 {
    sum.inner
}

fn main() {}
