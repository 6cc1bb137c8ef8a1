//! Scripts, and the files that stand beside them.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use topomotion_script::{FileError, Files, LARGEST_SOURCE, NoFiles, Source};

use crate::failure::Failure;

/// What messages call standard input.
pub const STDIN: &str = "<stdin>";

/// No more than this is read of anything, so that an endless device ends.
const BYTES_MAX: u64 = 8 * LARGEST_SOURCE as u64;

/// No more than this is read of a font.
const FONT_MAX: u64 = 256 << 20;

/// A script and what it may import.
pub struct Script {
    /// Its name and its bytes.
    pub source: Source,
    /// What stands beside it.
    pub files: Box<dyn Files>,
    /// Where it is, unless it came through standard input.
    pub path: Option<PathBuf>,
}

impl Script {
    /// Reads the script at `path`, or standard input for `-`.
    pub fn read(path: &str) -> Result<Script, Failure> {
        let bytes = read(path)?;
        if path == "-" {
            let source = Source::new(STDIN, bytes);
            return Ok(Script { source, files: Box::new(NoFiles), path: None });
        }
        let own = PathBuf::from(path);
        let folder = own.parent().map(Path::to_path_buf).unwrap_or_default();
        Ok(Script {
            source: Source::new(path, bytes),
            files: Box::new(Folder(folder)),
            path: Some(own),
        })
    }

    /// A title for a picture whose script gives none: the file's name, without its ending.
    pub fn stem(&self) -> String {
        let stem = self.path.as_deref().and_then(Path::file_stem);
        stem.map_or_else(|| "topology".into(), |stem| stem.to_string_lossy().into_owned())
    }
}

/// The bytes of a file, or of standard input for `-`.
pub fn read(path: &str) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let result = if path == "-" {
        io::stdin().lock().take(BYTES_MAX).read_to_end(&mut bytes)
    } else {
        open(Path::new(path))
            .and_then(|file| file.take(BYTES_MAX).read_to_end(&mut bytes))
    };
    let name = if path == "-" { STDIN } else { path };
    result.map(|_| bytes).map_err(|error| Failure::unreadable(name, &error))
}

/// A font file; those of East Asian scripts are large.
pub fn read_font(path: &str) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let file = open(Path::new(path));
    let result = file.and_then(|file| file.take(FONT_MAX).read_to_end(&mut bytes));
    result.map(|_| bytes).map_err(|error| Failure::unreadable(path, &error))
}

/// A text file of our own kind, such as a graph or a run file.
pub fn read_text(path: &str) -> Result<String, Failure> {
    let not_text = |_| Failure::message(format!("{path} is not text: it is not UTF-8"));
    String::from_utf8(read(path)?).map_err(not_text)
}

fn open(path: &Path) -> io::Result<File> {
    let file = File::open(path)?;
    if file.metadata()?.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    Ok(file)
}

/// The folder that a script stands in.
struct Folder(PathBuf);

impl Files for Folder {
    fn read(&self, path: &str) -> Result<Vec<u8>, FileError> {
        let mut bytes = Vec::new();
        let read = open(&self.0.join(path));
        match read.and_then(|file| file.take(BYTES_MAX).read_to_end(&mut bytes)) {
            Ok(_) => Ok(bytes),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(FileError::NotFound)
            }
            Err(error) => Err(FileError::Unreadable(error.to_string())),
        }
    }
}
