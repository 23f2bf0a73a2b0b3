//! What the modules of these tests share.

use std::path::PathBuf;
use std::sync::LazyLock;

use glovebox_evil::attack::{self, Attack};
use glovebox_evil::suite::Suite;

/// The worker that ships, from the source that ships.
pub(crate) fn shipped() -> Suite {
    Suite::new(&PathBuf::from(env!("CARGO_BIN_EXE_worker-as-shipped")))
}

/// A runtime on which the host runs.
pub(crate) fn wait_for<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap().block_on(work)
}

/// Every attack, made once: it takes a while.
pub(crate) fn attacks() -> &'static [Attack] {
    static ATTACKS: LazyLock<Vec<Attack>> = LazyLock::new(|| attack::all().unwrap());
    &ATTACKS
}

/// The attack of this name.
pub(crate) fn named(name: &str) -> &'static Attack {
    attacks().iter().find(|attack| attack.name == name).unwrap()
}
