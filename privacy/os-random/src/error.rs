//! The one error, under the name that OpenDP expects.

/// The operating system gave no randomness.
#[derive(Debug, Clone)]
pub struct ErrorStack {
    source: getrandom::Error,
}

impl ErrorStack {
    pub(crate) fn new(source: getrandom::Error) -> Self {
        Self { source }
    }
}

impl std::fmt::Display for ErrorStack {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the operating system gave no randomness: {}", self.source)
    }
}

impl std::error::Error for ErrorStack {}
