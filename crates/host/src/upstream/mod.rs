//! Somebody else's cluster, seen from the way to it.
//!
//! For each of its brokers there is a listener here; whoever connects to it talks to that
//! broker, word for word, but for addresses: those that answers carry are ours
//! ([`rewrite`]). So no client walks past, and everything that is said is heard.
//!
//! ```text
//!   program ──► 127.0.0.1:a ──► broker 1
//!           └─► 127.0.0.1:b ──► broker 2   (opened when an answer first names it)
//! ```
//!
//! What is said among the brokers is not heard. A log-in passes as it is, and none of it is
//! told to the watcher. TLS cannot be listened to.

mod frame;
mod line;
mod proxy;
mod rewrite;

use std::cell::{Cell, RefCell};
use std::fmt;
use std::process::ExitStatus;
use std::rc::Rc;
use std::str::FromStr;

use tokio::task::LocalSet;

use crate::errand;
use crate::error::HostError;
use crate::signals::asked_to_stop;
use crate::watch::Watch;
use proxy::Proxy;
use rewrite::Address;

/// Where a cluster is to be found: one of its brokers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upstream {
    /// Name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
}

impl FromStr for Upstream {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Upstream, &'static str> {
        const FORM: &str = "one broker's HOST:PORT is meant, such as kafka.example:9092";
        let (host, port) = text.rsplit_once(':').ok_or(FORM)?;
        let bare = host.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
        let host = bare.unwrap_or(host).to_owned();
        match port.parse() {
            Ok(port @ 1..) if !host.is_empty() && !text.contains(',') => {
                Ok(Upstream { host, port })
            }
            _ => Err(FORM),
        }
    }
}

impl fmt::Display for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// Lets one program, and whatever it starts, talk to a cluster that is there already, and
/// listens. `port` is the first listener's, the others follow; 0: whichever are free.
///
/// The program finds the listeners as with [`serve_one`](crate::serve_one).
///
/// # Errors
/// When the cluster cannot be reached, or the program not be started.
pub fn listen_in(
    upstream: &Upstream,
    port: u16,
    watch: Box<dyn Watch>,
    command: &[String],
    say: impl Fn(&str) + 'static,
) -> Result<ExitStatus, HostError> {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().build().map_err(HostError::System)?;
    let tasks = LocalSet::new();
    let outcome = tasks.block_on(&runtime, async {
        let asked = asked_to_stop().map_err(HostError::System)?;
        let proxy = Rc::new(Proxy::new(port, watch, Box::new(say)));
        let address = Address { host: upstream.host.clone(), port: upstream.port };
        let bootstrap = proxy.find(address).await?;
        proxy.ready();
        let child = RefCell::new(errand::start(command, &bootstrap, None));
        let ended = Cell::new(None);
        errand::accompany(&child, asked, &ended).await;
        errand::outcome(ended.get(), child.into_inner())
    });
    drop(tasks);
    runtime.shutdown_background();
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upstream_is_a_host_and_a_port() {
        let parsed = |text: &str| text.parse().map(|it: Upstream| (it.host, it.port));
        assert_eq!(parsed("kafka.example:9092"), Ok(("kafka.example".into(), 9092)));
        assert_eq!(parsed("[::1]:9092"), Ok(("::1".into(), 9092)));
        for wrong in ["kafka", "kafka:", ":9092", "kafka:0", "a:1,b:2", "kafka:70000"] {
            assert!(parsed(wrong).is_err(), "{wrong}");
        }
    }
}
