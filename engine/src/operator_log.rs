//! What only the operator reads: failures, without statements, tokens or rows.

use std::io::Write as _;

/// Notes a failure on standard error. A log that cannot be written must not stop a request.
pub(crate) fn note(what: &str, detail: &dyn std::fmt::Display) {
    let _ = writeln!(std::io::stderr().lock(), "glovebox: {what} failed: {detail}");
}
