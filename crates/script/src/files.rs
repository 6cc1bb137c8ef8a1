//! How a script reaches its sibling files: through the caller, by relative path.
//!
//! The compiler opens no file itself. It refuses paths that leave the script's folder before
//! it asks, so an implementation need only join the path to that folder.

use std::collections::BTreeMap;

/// Reads files that stand beside the script.
pub trait Files {
    /// The bytes of the file at `path`, which is relative to the script's folder, uses `/`,
    /// and never contains `..`.
    fn read(&self, path: &str) -> Result<Vec<u8>, FileError>;
}

/// Why a file could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileError {
    /// There is no such file.
    NotFound,
    /// There is one, but: the reason in plain words.
    Unreadable(String),
}

/// No files at all: for scripts from standard input.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoFiles;

impl Files for NoFiles {
    fn read(&self, _path: &str) -> Result<Vec<u8>, FileError> {
        Err(FileError::NotFound)
    }
}

/// Files held in memory, by relative path: for tests and for the browser.
#[derive(Debug, Clone, Default)]
pub struct MemoryFiles(pub BTreeMap<String, Vec<u8>>);

impl Files for MemoryFiles {
    fn read(&self, path: &str) -> Result<Vec<u8>, FileError> {
        self.0.get(path).cloned().ok_or(FileError::NotFound)
    }
}
