//! Values that carry nothing of any row.

use serde::Serialize;

use crate::text::shows_itself;

/// A value built only from the request's own text, from a manifest, or from earlier releases.
///
/// Post-processing of a release takes its parameters in this type, refusals quote in it, and the constructors name the
/// three lawful sources, so that a reviewer can list every place where the claim is made (`cargo xtask check` prints
/// the count).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct Public<T>(T);

impl<T> Public<T> {
    /// From text or parameters that the asker sent.
    pub const fn from_request(value: T) -> Self {
        Self(value)
    }

    /// From what an officer declared in a manifest or contract.
    pub const fn from_manifest(value: T) -> Self {
        Self(value)
    }

    /// From something that was already released.
    pub const fn from_release(value: T) -> Self {
        Self(value)
    }

    /// The value.
    pub const fn get(&self) -> &T {
        &self.0
    }

    /// The value, by move.
    pub fn into_inner(self) -> T {
        self.0
    }
}

/// How many characters of the asker's own text a refusal quotes.
pub const QUOTE_MAX_CHARS: usize = 80;

/// A short piece of the asker's own text, for a refusal: cut to [`QUOTE_MAX_CHARS`], characters that a terminal
/// does not show as themselves ([`shows_itself`]) replaced by a space.
///
/// ```
/// use glovebox_policy::public::quote;
///
/// assert_eq!(quote("SELECT\n1").get(), "SELECT 1");
/// ```
pub fn quote(text: &str) -> Public<String> {
    let mut out: String = text.chars().take(QUOTE_MAX_CHARS).map(|c| if shows_itself(c) { c } else { ' ' }).collect();
    if text.chars().nth(QUOTE_MAX_CHARS).is_some() {
        out.push('…');
    }
    Public::from_request(out)
}
