//! Lines for the operator on standard error: what failed, never whose data, which SQL or which token.

use std::fmt::Display;
use std::io::Write as _;

/// Writes one line. `detail` must be an error of the operating system, of TLS or of the network, or text of our own;
/// nothing that a request carried and nothing that was read from data.
pub(crate) fn note(event: &'static str, detail: &dyn Display) {
    // Nobody is left to tell when standard error is closed.
    let _ = writeln!(std::io::stderr().lock(), "glovebox-server: {event}: {detail}");
}
