//! Ctrl-C and SIGTERM.

use anyhow::{Context, Result};

/// Waits for Ctrl-C or SIGTERM, which are heard from now on.
pub(super) fn told_to_end() -> Result<impl Future<Output = ()>> {
    #[cfg(unix)]
    let (mut term, mut interrupt) = {
        use tokio::signal::unix::{SignalKind, signal};
        let hear = |kind| signal(kind).context("cannot listen to signals");
        (hear(SignalKind::terminate())?, hear(SignalKind::interrupt())?)
    };
    Ok(async move {
        #[cfg(unix)]
        tokio::select! {
            _ = term.recv() => {}
            _ = interrupt.recv() => {}
        }
        #[cfg(not(unix))]
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    })
}
