//! A node's disk on a real file system: one file for each file that the node names.
//!
//! An append is one `write`, so it is in the page cache when it returns, and survives the death
//! of the process. A replacement is written beside its place and renamed. A flush is
//! `fdatasync`, with the folder's if the file is new; it takes milliseconds, so it can be taken
//! away ([`FileDisk::take_flush`]) and made on another thread.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use topomotion_broker::Volume;
use topomotion_log::{Applied, Disk, DiskError, FlushId};
use topomotion_wire::{DiskOp, FileName, Files};

/// How many files are kept open. When there are more, all are let go, and those that are still
/// written to are opened again.
const OPEN_MAX: usize = 256;
/// What a replacement is called before it is renamed.
const BESIDE: &str = ".tmp";

/// What has to be made durable, by whoever has the time.
#[derive(Debug, Default)]
pub struct Flush {
    files: Vec<Arc<File>>,
    folders: BTreeSet<PathBuf>,
}

impl Flush {
    /// Waits until everything is on the platter.
    ///
    /// # Errors
    /// The system's.
    pub fn make(&self) -> io::Result<()> {
        self.files.iter().try_for_each(|file| file.sync_data())?;
        self.folders.iter().try_for_each(|folder| File::open(folder)?.sync_all())
    }
}

/// A data directory.
#[derive(Debug)]
pub struct FileDisk {
    root: PathBuf,
    open: BTreeMap<FileName, Arc<File>>,
    /// Files whose folder does not know them on the platter yet.
    fresh: BTreeSet<FileName>,
    /// Files written to since the last [`FileDisk::take_unflushed`].
    unflushed: BTreeSet<FileName>,
    flushes: BTreeMap<FlushId, Flush>,
    next_flush: u64,
    failed: Option<DiskError>,
}

impl FileDisk {
    /// A disk whose files are below `root`, which is made if it is not there.
    ///
    /// # Errors
    /// The system's.
    pub fn open(root: &Path) -> io::Result<FileDisk> {
        fs::create_dir_all(root)?;
        Ok(FileDisk {
            root: root.to_owned(),
            open: BTreeMap::new(),
            fresh: BTreeSet::new(),
            unflushed: BTreeSet::new(),
            flushes: BTreeMap::new(),
            next_flush: 0,
            failed: None,
        })
    }

    /// Every file below the root with its content; what was left of a replacement that did not
    /// come to its end is cleared away.
    ///
    /// # Errors
    /// The system's, with the path.
    pub fn read(&self) -> Result<Files, (PathBuf, io::Error)> {
        let mut files = Files::new();
        read_folder(&self.root, "", &mut files)?;
        Ok(files)
    }

    /// The file system that it is on, where the system tells.
    #[cfg(unix)]
    pub fn volume(&self) -> Option<Volume> {
        let told = rustix::fs::statvfs(&self.root).ok()?;
        let bytes = |blocks: u64| blocks.saturating_mul(told.f_frsize);
        Some(Volume { total: bytes(told.f_blocks), usable: bytes(told.f_bavail) })
    }

    /// The file system that it is on: this system is not asked.
    #[cfg(not(unix))]
    pub fn volume(&self) -> Option<Volume> {
        None
    }

    /// Takes a flush away, to be made elsewhere; [`Disk::complete`] then has nothing to do.
    pub fn take_flush(&mut self, flush: FlushId) -> Option<Flush> {
        self.flushes.remove(&flush)
    }

    /// Whether anything was written since [`FileDisk::take_unflushed`].
    pub fn is_flushed(&self) -> bool {
        self.unflushed.is_empty()
    }

    /// A flush of everything that was written since the last call.
    ///
    /// # Errors
    /// When a file cannot be opened.
    pub fn take_unflushed(&mut self) -> Result<Flush, DiskError> {
        let mut all = Flush::default();
        for name in std::mem::take(&mut self.unflushed) {
            if let Some(flush) = self.flush_of(&name)? {
                all.files.extend(flush.files);
                all.folders.extend(flush.folders);
            }
        }
        Ok(all)
    }

    fn flush_of(&mut self, name: &FileName) -> Result<Option<Flush>, DiskError> {
        let path = self.path(name);
        if !self.open.contains_key(name) && !path.exists() {
            return Ok(None);
        }
        let files = vec![self.file(name)?];
        let mut folders = BTreeSet::new();
        if self.fresh.remove(name) {
            folders.extend(path.parent().map(Path::to_owned));
            folders.insert(self.root.clone());
        }
        Ok(Some(Flush { files, folders }))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// The file, opened for appending, made if it is not there.
    fn file(&mut self, name: &FileName) -> Result<Arc<File>, DiskError> {
        if let Some(file) = self.open.get(name) {
            return Ok(file.clone());
        }
        let path = self.path(name);
        let mut options = OpenOptions::new();
        options.append(true).create(true);
        let is_new = !path.exists();
        let opened = options.open(&path).or_else(|error| match error.kind() {
            io::ErrorKind::NotFound => {
                path.parent().map_or(Ok(()), fs::create_dir_all)?;
                options.open(&path)
            }
            _ => Err(error),
        });
        let file = Arc::new(opened.map_err(|error| reason(&error))?);
        if is_new {
            self.fresh.insert(name.clone());
        }
        if self.open.len() >= OPEN_MAX {
            self.open.clear();
        }
        self.open.insert(name.clone(), file.clone());
        Ok(file)
    }

    fn replace(&mut self, name: &FileName, bytes: &Bytes) -> io::Result<()> {
        self.open.remove(name);
        let path = self.path(name);
        let beside = self.path(&format!("{name}{BESIDE}"));
        fs::write(&beside, bytes).or_else(|error| match error.kind() {
            io::ErrorKind::NotFound => {
                path.parent().map_or(Ok(()), fs::create_dir_all)?;
                fs::write(&beside, bytes)
            }
            _ => Err(error),
        })?;
        self.fresh.insert(name.clone());
        fs::rename(&beside, &path)
    }

    fn delete(&mut self, name: &FileName) -> io::Result<()> {
        self.open.remove(name);
        self.fresh.remove(name);
        self.unflushed.remove(name);
        let path = self.path(name);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        // A partition's folder goes with its last file; until then this fails, as it should.
        if let Some(folder) = path.parent().filter(|folder| **folder != self.root) {
            let _ = fs::remove_dir(folder);
        }
        Ok(())
    }

    fn try_apply(&mut self, op: DiskOp) -> Result<Applied, DiskError> {
        match op {
            DiskOp::Append { file, bytes } => {
                let mut target: &File = &*self.file(&file)?;
                target.write_all(&bytes).map_err(|error| reason(&error))?;
                self.unflushed.insert(file);
            }
            DiskOp::Truncate { file, len } => {
                let target = self.file(&file)?;
                let shorten =
                    |is: u64| if is > len { target.set_len(len) } else { Ok(()) };
                let done = target.metadata().map(|it| it.len()).and_then(shorten);
                done.map_err(|error| reason(&error))?;
                self.unflushed.insert(file);
            }
            DiskOp::Replace { file, bytes } => {
                self.replace(&file, &bytes).map_err(|error| reason(&error))?;
            }
            DiskOp::Delete { file } => {
                self.delete(&file).map_err(|error| reason(&error))?;
            }
            DiskOp::Flush { file, token } => {
                self.next_flush += 1;
                let flush = FlushId(self.next_flush);
                if let Some(pending) = self.flush_of(&file)? {
                    self.flushes.insert(flush, pending);
                }
                return Ok(Applied::Flushing { flush, token });
            }
        }
        Ok(Applied::Done)
    }
}

impl Disk for FileDisk {
    fn apply(&mut self, op: DiskOp) -> Result<Applied, DiskError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let applied = self.try_apply(op);
        self.failed = applied.err();
        applied
    }

    /// Makes the flush, if nobody has taken it. Should it fail, everything after it does.
    fn complete(&mut self, flush: FlushId) {
        let made = self.flushes.remove(&flush).map_or(Ok(()), |flush| flush.make());
        if let Err(error) = made {
            self.failed = Some(reason(&error));
        }
    }

    /// What can be read; see [`FileDisk::read`] for what cannot.
    fn files(&self) -> Files {
        self.read().unwrap_or_default()
    }
}

/// The engine's name for what went wrong.
pub(crate) fn reason(error: &io::Error) -> DiskError {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => DiskError::Full,
        _ => DiskError::Io,
    }
}

fn read_folder(
    folder: &Path,
    prefix: &str,
    files: &mut Files,
) -> Result<(), (PathBuf, io::Error)> {
    let at = |error| (folder.to_owned(), error);
    for entry in fs::read_dir(folder).map_err(at)? {
        let entry = entry.map_err(at)?;
        let path = entry.path();
        // No file of ours has a name that is no text.
        let Ok(own) = entry.file_name().into_string() else { continue };
        let name = format!("{prefix}{own}");
        let of_path = |error| (path.clone(), error);
        if entry.file_type().map_err(of_path)?.is_dir() {
            read_folder(&path, &format!("{name}/"), files)?;
        } else if name.ends_with(BESIDE) {
            fs::remove_file(&path).map_err(of_path)?;
        } else {
            let content = fs::read(&path).map_err(of_path)?;
            files.insert(name.into(), Bytes::from(content));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use topomotion_wire::FlushToken;

    use super::*;

    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Folder {
            let own = format!("topomotion-disk-{name}-{}", std::process::id());
            let path = std::env::temp_dir().join(own);
            let _ = fs::remove_dir_all(&path);
            Folder(path)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn append(file: &str, bytes: &'static [u8]) -> DiskOp {
        DiskOp::Append { file: file.into(), bytes: Bytes::from_static(bytes) }
    }

    #[test]
    fn what_one_process_wrote_the_next_one_reads() {
        let folder = Folder::new("next");
        let mut disk = FileDisk::open(&folder.0).unwrap();
        disk.apply(append("orders-0/0.log", b"abc")).unwrap();
        disk.apply(append("orders-0/0.log", b"def")).unwrap();
        disk.apply(DiskOp::Truncate { file: "orders-0/0.log".into(), len: 4 }).unwrap();
        disk.apply(append("orders-0/0.log", b"x")).unwrap();
        let whole = |bytes| DiskOp::Replace { file: "quorum-state".into(), bytes };
        disk.apply(whole(Bytes::from_static(b"long before"))).unwrap();
        disk.apply(whole(Bytes::from_static(b"now"))).unwrap();
        drop(disk);
        let files = FileDisk::open(&folder.0).unwrap().files();
        assert_eq!(files.len(), 2);
        assert_eq!(files["orders-0/0.log"], &b"abcdx"[..]);
        assert_eq!(files["quorum-state"], &b"now"[..]);
    }

    #[test]
    fn a_folder_goes_with_its_last_file() {
        let folder = Folder::new("last");
        let mut disk = FileDisk::open(&folder.0).unwrap();
        disk.apply(append("orders-0/0.log", b"abc")).unwrap();
        disk.apply(append("orders-0/0.index", b"i")).unwrap();
        disk.apply(DiskOp::Delete { file: "orders-0/0.log".into() }).unwrap();
        assert!(folder.0.join("orders-0").is_dir());
        disk.apply(DiskOp::Delete { file: "orders-0/0.index".into() }).unwrap();
        assert!(!folder.0.join("orders-0").exists());
        disk.apply(DiskOp::Delete { file: "orders-0/0.index".into() }).unwrap();
    }

    #[test]
    fn half_a_replacement_is_cleared_away() {
        let folder = Folder::new("half");
        let disk = FileDisk::open(&folder.0).unwrap();
        fs::write(folder.0.join("checkpoint.tmp"), b"hal").unwrap();
        assert!(disk.files().is_empty());
        assert!(!folder.0.join("checkpoint.tmp").exists());
    }

    #[test]
    fn a_flush_can_be_taken_away_or_made_here() {
        let folder = Folder::new("flush");
        let mut disk = FileDisk::open(&folder.0).unwrap();
        disk.apply(append("orders-0/0.log", b"abc")).unwrap();
        assert!(!disk.is_flushed());
        disk.take_unflushed().unwrap().make().unwrap();
        assert!(disk.is_flushed());
        let flush = DiskOp::Flush { file: "orders-0/0.log".into(), token: FlushToken(7) };
        let Ok(Applied::Flushing { flush, token }) = disk.apply(flush) else {
            panic!("a flush is under way")
        };
        assert_eq!(token, FlushToken(7));
        disk.take_flush(flush).unwrap().make().unwrap();
        disk.complete(flush);
        assert!(disk.apply(append("orders-0/0.log", b"abc")).is_ok());
    }

    #[test]
    fn a_disk_that_failed_refuses_everything() {
        let folder = Folder::new("failed");
        let mut disk = FileDisk::open(&folder.0).unwrap();
        fs::write(folder.0.join("orders-0"), b"a file where a folder should be").unwrap();
        let refused = disk.apply(append("orders-0/0.log", b"abc"));
        assert_eq!(refused, Err(DiskError::Io));
        assert_eq!(disk.apply(append("other", b"abc")), Err(DiskError::Io));
    }
}
