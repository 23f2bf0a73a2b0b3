//! Data that nobody may print.
//!
//! [`Protected`] wraps a value derived from private rows. It can be held, moved and dropped by anybody, and read by
//! nobody: its only door is the trait [`Expose`], and a crate can import that trait only if it depends on this crate.
//! `cargo xtask check` compares the crates that do with the list printed in `ARCHITECTURE.md`, and refuses a
//! re-export of the trait.
//!
//! This crate never logs, serialises, clones, compares or formats what it holds, and it depends on nothing.
//!
//! Read [`Protected`] first, then [`Expose`].

use std::fmt;

/// A value derived from private rows.
///
/// Missing on purpose, each with a program in `tests/fail` that must not compile: `Clone`, `Copy`, `Deref`, `Display`,
/// `PartialEq`, `Hash`, `Serialize`, `From`, and inherent getters. `Debug` prints a constant.
///
/// ```
/// use glovebox_vault::{Expose, Protected};
///
/// let sum = Protected::seal(41_u64);
/// assert_eq!(format!("{sum:?}"), "Protected(…)");
/// assert_eq!(sum.expose(), 41);
/// ```
#[must_use = "a protected value that is dropped was computed for nothing"]
pub struct Protected<T> {
    inner: T,
}

/// The only door of a [`Protected`] value.
///
/// A trait, not inherent methods: whoever holds a `Protected<T>` but does not depend on this crate cannot name the
/// trait and therefore cannot call it.
pub trait Expose {
    /// What is inside.
    type Inner;

    /// Shuts a value in.
    fn seal(inner: Self::Inner) -> Self;

    /// Takes the value out. Whoever calls this answers for where the value goes.
    fn expose(self) -> Self::Inner;

    /// Looks at the value where it is.
    fn expose_ref(&self) -> &Self::Inner;

    /// Works on the value where it is.
    fn expose_mut(&mut self) -> &mut Self::Inner;
}

impl<T> Expose for Protected<T> {
    type Inner = T;

    fn seal(inner: T) -> Self {
        Self { inner }
    }

    fn expose(self) -> T {
        self.inner
    }

    fn expose_ref(&self) -> &T {
        &self.inner
    }

    fn expose_mut(&mut self) -> &mut T {
        &mut self.inner
    }
}

impl<T> fmt::Debug for Protected<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Protected(…)")
    }
}
