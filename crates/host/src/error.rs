//! Why a cluster is not, or no longer, served.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use topomotion_log::DiskError;

use crate::tls::Tls;

/// Why a cluster is not, or no longer, served.
#[derive(Debug)]
pub enum HostError {
    /// A port that somebody else listens on, or that may not be listened on.
    Listen {
        /// Address and port.
        address: String,
        /// What the system says.
        error: io::Error,
    },
    /// The data directory belongs to another process.
    Locked(PathBuf),
    /// The data directory belongs to something else.
    Foreign {
        /// The file that says so.
        file: PathBuf,
        /// What it says, and what was expected.
        why: String,
    },
    /// The data directory was made for another number of brokers.
    Size {
        /// The directory.
        root: PathBuf,
        /// For how many.
        made: u16,
        /// How many were asked for.
        wanted: u16,
    },
    /// A place where no data directory can be.
    Place {
        /// Where.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// A file that cannot be read or written.
    File {
        /// Which.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// A broker's disk failed while it served.
    Disk {
        /// The broker's id.
        broker: i32,
        /// How.
        error: DiskError,
    },
    /// A node has stopped for good: going on would break a promise.
    Halted {
        /// The broker's id.
        broker: i32,
        /// Why.
        why: &'static str,
    },
    /// A cluster that is to be listened to cannot be reached.
    Upstream {
        /// Where it was looked for.
        address: String,
        /// What the system, or the cluster, says.
        error: io::Error,
    },
    /// A listener's certificate or key that is none.
    Tls {
        /// Where it is.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The system gives no threads, timers or signals.
    System(io::Error),
}

impl HostError {
    pub(crate) fn file(path: &Path, error: io::Error) -> HostError {
        HostError::File { path: path.to_owned(), error }
    }

    pub(crate) fn place(path: &Path, error: io::Error) -> HostError {
        HostError::Place { path: path.to_owned(), error }
    }

    /// What the user can do about it, where that is known.
    pub fn help(&self) -> Option<String> {
        if let HostError::Size { made, .. } = self {
            let other = "choose another directory with --data-dir";
            return Some(format!("give --brokers {made}, or {other}"));
        }
        self.fixed_help().map(ToOwned::to_owned)
    }

    fn fixed_help(&self) -> Option<&'static str> {
        match self {
            HostError::Listen { error, .. } => match error.kind() {
                io::ErrorKind::AddrInUse => {
                    Some("choose another port with --port, or end whoever listens there")
                }
                io::ErrorKind::PermissionDenied => {
                    Some("choose a port above 1023 with --port")
                }
                _ => None,
            },
            HostError::Locked(_) => {
                Some("end the other process, or choose another directory with --data-dir")
            }
            HostError::Foreign { .. } => Some("choose another directory with --data-dir"),
            HostError::Place { error, .. }
                if error.kind() == io::ErrorKind::StorageFull =>
            {
                Some("free some space, or choose another directory with --data-dir")
            }
            HostError::Place { .. } => {
                Some("choose a directory that may be written to with --data-dir")
            }
            HostError::Disk { error: DiskError::Full, .. } => {
                Some("free some space; what was acknowledged is kept")
            }
            HostError::Upstream { .. } => Some(
                "--upstream takes HOST:PORT of a broker's listener without TLS, as the program \
                 would be given it",
            ),
            HostError::Tls { .. } if !Tls::IS_THERE => {
                Some("cargo install --path crates/cli builds one that has")
            }
            HostError::Tls { .. } => {
                Some("a certificate and its private key are meant, both PEM")
            }
            HostError::Halted { why, .. } if why.contains("quorum-state") => Some(
                "put back a copy of that file: a node that does not know how it voted could \
                 vote twice",
            ),
            HostError::Size { .. }
            | HostError::File { .. }
            | HostError::Disk { .. }
            | HostError::Halted { .. }
            | HostError::System(_) => None,
        }
    }
}

impl fmt::Display for HostError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HostError::Listen { address, error } => match error.kind() {
                io::ErrorKind::AddrInUse => write!(f, "{address} is in use"),
                _ => write!(f, "cannot listen on {address}: {error}"),
            },
            HostError::Locked(path) => {
                write!(f, "another process serves the data directory {}", path.display())
            }
            HostError::Foreign { file, why } => write!(f, "{}: {why}", file.display()),
            HostError::Size { root, made, wanted } => {
                let plural = if *made == 1 { "broker" } else { "brokers" };
                let root = root.display();
                write!(f, "{root} was made for {made} {plural}, not for {wanted}")
            }
            HostError::Place { path, error } => match error.kind() {
                io::ErrorKind::AlreadyExists => {
                    write!(f, "{} is no directory", path.display())
                }
                _ => {
                    let path = path.display();
                    write!(f, "nothing can be written to {path}: {error}")
                }
            },
            HostError::File { path, error } => write!(f, "{}: {error}", path.display()),
            HostError::Disk { broker, error } => {
                write!(f, "broker {broker} stops: {error}")
            }
            HostError::Halted { broker, why } => {
                write!(f, "broker {broker} stops: {why}")
            }
            HostError::Upstream { address, error } => {
                write!(f, "no cluster at {address}: {error}")
            }
            HostError::Tls { path, why } => write!(f, "{}: {why}", path.display()),
            HostError::System(error) => write!(f, "{error}"),
        }
    }
}

impl std::error::Error for HostError {}
