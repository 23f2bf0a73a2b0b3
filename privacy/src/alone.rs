//! One call into OpenDP's rounded arithmetic at a time.
//!
//! OpenDP 0.16 silences the process's panic hook around that arithmetic and puts it back afterwards
//! (`traits/arithmetic`). Two threads at once can put the silent one back for good, and the operator would never hear of
//! a panic again. Sampling does not go through it and needs no turn.

use std::sync::{Mutex, MutexGuard, PoisonError};

static TURN: Mutex<()> = Mutex::new(());

/// Waits for a turn. Leaf functions only: whoever holds a turn must not ask for another.
pub(crate) fn alone() -> MutexGuard<'static, ()> {
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}
