//! Results on their way to a file.
//!
//! A [`Draft`] is written beside its place under a name of its own and takes the place only
//! when it is whole. What goes wrong before leaves the place as it was and no trace of the
//! draft. What is no ordinary file (a pipe, a device) is written to as it is.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::failure::Failure;

/// A file in the making.
#[derive(Debug)]
pub struct Draft {
    place: PathBuf,
    /// Where it is written, unless it is written in place.
    beside: Option<PathBuf>,
    file: BufWriter<File>,
}

impl Draft {
    /// Begins the file that will stand at `place`.
    pub fn begin(place: &Path) -> Result<Draft, Failure> {
        Draft::open(place).map_err(|error| Failure::unwritable(place, &error))
    }

    fn open(place: &Path) -> io::Result<Draft> {
        let existing = match fs::metadata(place) {
            Ok(metadata) => Some(metadata),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        if let Some(metadata) = &existing {
            if metadata.is_dir() {
                return Err(io::ErrorKind::IsADirectory.into());
            }
            if metadata.permissions().readonly() {
                return Err(io::ErrorKind::PermissionDenied.into());
            }
            if !metadata.is_file() {
                let file = BufWriter::new(OpenOptions::new().write(true).open(place)?);
                return Ok(Draft { place: place.to_path_buf(), beside: None, file });
            }
        }
        // Through a symbolic link: the link stays, what it points to is replaced.
        let place =
            if existing.is_some() { place.canonicalize()? } else { place.to_path_buf() };
        let beside = name_beside(&place);
        let file = OpenOptions::new().write(true).create_new(true).open(&beside)?;
        let draft = Draft { place, beside: Some(beside), file: BufWriter::new(file) };
        if let Some(metadata) = existing {
            draft.file.get_ref().set_permissions(metadata.permissions())?;
        }
        Ok(draft)
    }

    /// Writes everything, so that nothing can fail but taking the place.
    pub fn fill(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let written = self.file.write_all(bytes).and_then(|()| self.settle());
        written.map_err(|error| Failure::unwritable(&self.place, &error))
    }

    /// Hands what is buffered to the disk.
    pub fn settle(&mut self) -> io::Result<()> {
        self.file.flush()?;
        if self.beside.is_some() { self.file.get_ref().sync_all() } else { Ok(()) }
    }

    /// Takes the place.
    pub fn commit(mut self) -> Result<(), Failure> {
        let renamed = self.settle().and_then(|()| match &self.beside {
            Some(beside) => fs::rename(beside, &self.place),
            None => Ok(()),
        });
        renamed.map_err(|error| Failure::unwritable(&self.place, &error))?;
        self.beside = None;
        Ok(())
    }

    /// Where it will stand.
    pub fn place(&self) -> &Path {
        &self.place
    }
}

impl Write for Draft {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if let Some(beside) = &self.beside {
            let _ = fs::remove_file(beside);
        }
    }
}

/// A name in the same folder, hence on the same disk, that no other run uses.
fn name_beside(place: &Path) -> PathBuf {
    let name = place.file_name().unwrap_or_default().to_string_lossy();
    // File systems take 255 bytes; a long name need not be whole to be recognised.
    let name: String = name.chars().take(40).collect();
    place.with_file_name(format!(".{name}.{}.tmp", std::process::id()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder of a test's own, gone with it.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Folder {
            let name = format!("topomotion-output-{name}-{}", std::process::id());
            let folder = std::env::temp_dir().join(name);
            let _ = fs::remove_dir_all(&folder);
            fs::create_dir_all(&folder).unwrap();
            Folder(folder)
        }

        fn names(&self) -> Vec<String> {
            let entries = fs::read_dir(&self.0).unwrap();
            entries.map(|one| one.unwrap().file_name().into_string().unwrap()).collect()
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn a_file_appears_whole_or_not_at_all() {
        let folder = Folder::new("whole");
        let place = folder.0.join("out.svg");
        let mut draft = Draft::begin(&place).unwrap();
        draft.fill(b"new").unwrap();
        assert!(!place.exists());
        draft.commit().unwrap();
        assert_eq!(fs::read(&place).unwrap(), b"new");
        assert_eq!(folder.names(), ["out.svg"]);
    }

    #[test]
    fn what_is_given_up_leaves_no_trace() {
        let folder = Folder::new("given-up");
        let place = folder.0.join("out.svg");
        fs::write(&place, "old").unwrap();
        let mut draft = Draft::begin(&place).unwrap();
        draft.fill(b"new").unwrap();
        drop(draft);
        assert_eq!(fs::read(&place).unwrap(), b"old");
        assert_eq!(folder.names(), ["out.svg"]);
    }

    #[test]
    fn folders_and_missing_folders_are_refused() {
        let folder = Folder::new("refused");
        assert!(Draft::begin(&folder.0).is_err());
        assert!(Draft::begin(&folder.0.join("no/such/out.svg")).is_err());
        assert!(folder.names().is_empty());
    }

    #[test]
    fn a_read_only_file_stays() {
        let folder = Folder::new("read-only");
        let place = folder.0.join("out.svg");
        fs::write(&place, "old").unwrap();
        let mut permissions = fs::metadata(&place).unwrap().permissions();
        permissions.set_readonly(true);
        fs::set_permissions(&place, permissions).unwrap();
        assert!(Draft::begin(&place).is_err());
    }

    #[test]
    #[cfg(unix)]
    fn a_link_stays_a_link() {
        let folder = Folder::new("link");
        let (real, link) = (folder.0.join("real.svg"), folder.0.join("link.svg"));
        fs::write(&real, "old").unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        let mut draft = Draft::begin(&link).unwrap();
        draft.fill(b"new").unwrap();
        draft.commit().unwrap();
        assert_eq!(fs::read(&real).unwrap(), b"new");
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_full_disk_is_told() {
        let mut draft = Draft::begin(Path::new("/dev/full")).unwrap();
        assert!(draft.fill(&[0; 100_000]).is_err());
    }
}
