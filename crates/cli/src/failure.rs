//! Why a command did not do what it was asked to.

use std::io;
use std::path::Path;

use topomotion_studio::Unknown;

/// Why there is no result; decides the exit code.
#[derive(Debug)]
pub enum Failure {
    /// Diagnostics have said it already.
    Told,
    /// Something outside failed: a file, a folder, the disk.
    Message {
        /// What is wrong.
        text: String,
        /// What to do.
        help: Option<String>,
    },
    /// The arguments do not fit together.
    Usage {
        /// What does not fit.
        text: String,
        /// What to write instead.
        help: Option<String>,
    },
    /// The reader of standard output closed it.
    Unread,
}

impl Failure {
    /// Something outside failed.
    pub fn message(text: impl Into<String>) -> Failure {
        Failure::Message { text: text.into(), help: None }
    }

    /// The arguments do not fit together.
    pub fn usage(text: impl Into<String>) -> Failure {
        Failure::Usage { text: text.into(), help: None }
    }

    /// Adds what to do.
    pub fn help(self, words: impl Into<String>) -> Failure {
        let help = Some(words.into());
        match self {
            Failure::Message { text, .. } => Failure::Message { text, help },
            Failure::Usage { text, .. } => Failure::Usage { text, help },
            other @ (Failure::Told | Failure::Unread) => other,
        }
    }

    /// `path` could not be read.
    pub fn unreadable(path: &str, error: &io::Error) -> Failure {
        let failure = Failure::message(format!("cannot read {path}: {}", reason(error)));
        match error.kind() {
            io::ErrorKind::NotFound => {
                failure.help("check the path; `-` reads standard input")
            }
            _ => failure,
        }
    }

    /// `path` could not be written.
    pub fn unwritable(path: &Path, error: &io::Error) -> Failure {
        let path = path.display();
        let failure = Failure::message(format!("cannot write {path}: {}", reason(error)));
        match error.kind() {
            io::ErrorKind::NotFound => failure.help("make the folder first: `mkdir -p`"),
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                failure.help("choose a place that you may write to")
            }
            io::ErrorKind::StorageFull => {
                failure.help("free some space, or choose another disk")
            }
            _ => failure,
        }
    }
}

impl From<Unknown> for Failure {
    fn from(Unknown { text, help }: Unknown) -> Failure {
        Failure::Message { text, help }
    }
}

/// The system's words, without its number.
fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "no such file or folder".into(),
        io::ErrorKind::PermissionDenied => "permission denied".into(),
        io::ErrorKind::ReadOnlyFilesystem => "the file system is read-only".into(),
        io::ErrorKind::StorageFull => "no space left on the disk".into(),
        io::ErrorKind::IsADirectory => "it is a folder".into(),
        _ => error.to_string(),
    }
}
