//! Whatever the guest is, one unit more or less moves the cells by no more than the job declares.

use std::path::Path;

use glovebox_evil::input::UNITS;
use glovebox_evil::suite::{Cells, PLAIN, Suite, job};

use crate::support::{attacks, named, shipped, wait_for};

/// Attacks of the record that run at all.
fn running() -> Vec<String> {
    let record = glovebox_evil::record::committed().unwrap();
    let slow = |name: &str| attacks().iter().any(|attack| attack.slow && attack.name == name);
    record.into_iter().filter(|(name, line)| line.starts_with("run: ") && !slow(name)).map(|(name, _)| name).collect()
}

/// What is wrong with a difference of cells, by the figures of the job: L0, L∞ of each family, Δ₁ and Δ₂.
fn beyond(all: &Cells, without: &Cells) -> Option<String> {
    let spec = job();
    let moved: Vec<Vec<i128>> =
        all.iter().zip(without).map(|(a, b)| a.iter().zip(b).map(|(a, b)| (a - b).abs()).collect()).collect();
    let keys = (0..spec.keys as usize).filter(|key| moved.iter().any(|family| family[*key] > 0)).count();
    let linf: Vec<i128> = spec.linf().into_iter().map(i128::from).collect();
    let within = moved.iter().zip(&linf).all(|(family, linf)| family.iter().all(|by| by <= linf));
    let (most, sum) =
        (i128::from(spec.max_keys), |of: &dyn Fn(i128) -> i128| moved.iter().flatten().map(|by| of(*by)).sum::<i128>());
    let (delta_1, delta_2) = (sum(&|by| by), sum(&|by| by * by));
    let declared = (most * linf.iter().sum::<i128>(), most * linf.iter().map(|linf| linf * linf).sum::<i128>());
    let holds = keys <= spec.max_keys as usize && within && delta_1 <= declared.0 && delta_2 <= declared.1;
    (!holds).then(|| format!("{keys} keys, {moved:?}"))
}

async fn violations(suite: &Suite, name: &str) -> Vec<String> {
    let attack = named(name);
    let all = suite.cells(attack, PLAIN).await.unwrap();
    let mut found = Vec::new();
    // Both kinds of unit, with others before and behind them.
    for place in [0, 1, UNITS - 2] {
        let without = suite.cells_without(attack, place).await.unwrap();
        found.extend(beyond(&all, &without).map(|what| format!("`{name}` without unit {place}: {what}")));
    }
    found
}

#[test]
fn no_guest_makes_one_unit_count_for_more_than_declared() {
    let names = running();
    assert!(names.len() > 50, "{names:?}");
    wait_for(async {
        for name in names {
            assert_eq!(violations(&shipped(), &name).await, [""; 0]);
        }
    });
}

/// With an instance that lives on, what one unit leaves behind is answered under the next one's name.
#[test]
fn a_worker_that_reuses_its_instance_breaks_the_bound() {
    let planted = Suite::new(Path::new(env!("CARGO_BIN_EXE_planted-reuse-instance")));
    wait_for(async {
        let mut caught = Vec::new();
        for name in running().into_iter().filter(|name| name.starts_with("canary-") || name.starts_with("residue-")) {
            caught.extend(violations(&planted, &name).await);
        }
        assert!(!caught.is_empty());
    });
}
