//! How far a long film is: one line that a terminal overwrites, nothing elsewhere.

use std::io::{self, Write};
use std::time::{Duration, Instant};

use crate::terminal::Terminal;

/// Between two updates.
const PERIOD: Duration = Duration::from_millis(100);

/// A line of progress.
#[derive(Debug)]
pub struct Progress {
    what: String,
    next: Option<Instant>,
    is_shown: bool,
}

impl Progress {
    /// Of `what`, such as a file name. Nothing appears before a moment has passed.
    pub fn new(terminal: &Terminal, what: &str) -> Progress {
        let next = terminal.is_watched.then(|| Instant::now() + 3 * PERIOD);
        Progress { what: what.to_owned(), next, is_shown: false }
    }

    /// `done` of `all` frames are drawn.
    pub fn at(&mut self, done: usize, all: usize) {
        let now = Instant::now();
        if self.next.is_none_or(|next| now < next) {
            return;
        }
        self.next = Some(now + PERIOD);
        self.is_shown = true;
        let percent = done * 100 / all.max(1);
        let _ = write!(
            io::stderr(),
            "\r{}: {percent} % ({done}/{all} frames)\x1b[K",
            self.what
        );
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.is_shown {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}
