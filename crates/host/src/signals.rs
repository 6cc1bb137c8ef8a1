//! How the system asks a process to stop.

use std::future::Future;
use std::io;

/// Is through when the process is asked to stop: by Ctrl-C (SIGINT) or by SIGTERM. From then
/// on, a second one ends it at once.
///
/// # Errors
/// When the system does not let us listen for them.
#[cfg(unix)]
pub fn asked_to_stop() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut next = async move || {
        std::future::poll_fn(|context| {
            let interrupted = interrupt.poll_recv(context).is_ready();
            if interrupted || terminate.poll_recv(context).is_ready() {
                std::task::Poll::Ready(())
            } else {
                std::task::Poll::Pending
            }
        })
        .await;
    };
    Ok(async move {
        next().await;
        tokio::task::spawn_local(async move {
            next().await;
            std::process::exit(130);
        });
    })
}

/// Is through when the process is asked to stop, by Ctrl-C.
///
/// # Errors
/// Never.
#[cfg(not(unix))]
pub fn asked_to_stop() -> io::Result<impl Future<Output = ()>> {
    Ok(async {
        // Where nobody can ask, nobody does.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    })
}
