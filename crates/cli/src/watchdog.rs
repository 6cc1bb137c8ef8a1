//! The last resort against a script that hangs where nothing can interrupt it.
//!
//! The script engine stops a script that runs too long by itself, except inside a few of its
//! own built-in loops that never ask (sorting an array of four billion holes). Then nothing
//! on that thread will ever return; so another thread says what happened and ends the
//! process. Nothing has been written by then: output begins after compiling.

use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

/// How much later than the script engine's own limit we step in.
const GRACE: Duration = Duration::from_secs(2);

/// Watches until dropped.
#[derive(Debug)]
pub struct Watchdog {
    _alive: Option<Sender<()>>,
}

impl Watchdog {
    /// Ends the process with exit code 1, after `say`, unless dropped before `limit` and a
    /// little grace have passed.
    pub fn start(limit: Duration, say: impl FnOnce() + Send + 'static) -> Watchdog {
        let (alive, waiting) = channel::<()>();
        let watch = move || {
            let timeout = limit.saturating_add(GRACE);
            if waiting.recv_timeout(timeout) == Err(RecvTimeoutError::Timeout) {
                say();
                std::process::exit(1);
            }
        };
        // Without a thread to spare there is no watch, and all else still works.
        let started = thread::Builder::new().name("watchdog".into()).spawn(watch);
        Watchdog { _alive: started.ok().map(|_| alive) }
    }
}
