//! What the modules of these tests share.

use std::path::PathBuf;

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

/// Every attack but those that are only dear to compile once the check has let them pass: with a compiler that is not
/// built for release they take minutes. `cargo xtask attack guests` has them all.
pub(crate) fn attacks() -> Vec<Attack> {
    attack::all().unwrap().into_iter().filter(|attack| !attack.slow).collect()
}

/// The attack of this name.
pub(crate) fn named(name: &str) -> Attack {
    attack::all().unwrap().into_iter().find(|attack| attack.name == name).unwrap()
}
