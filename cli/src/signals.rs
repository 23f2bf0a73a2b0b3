//! When the operator or the system asks the program to stop.

use tokio::signal::unix::{SignalKind, signal};

/// Ready at the first SIGINT or SIGTERM.
pub(crate) async fn stopped() {
    let Ok(mut term) = signal(SignalKind::terminate()) else {
        // Without handlers only the default action is left; Ctrl-C still works.
        let _ = tokio::signal::ctrl_c().await;
        return;
    };
    tokio::select! {
        _ = term.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}
