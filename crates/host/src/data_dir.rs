//! A data directory: who may use it, whose it is, and one folder for each broker.
//!
//! ```text
//!   DIR/.lock               held by the process that serves it
//!   DIR/broker-1/           a Kafka log directory: meta.properties, __cluster_metadata-0/,
//!   DIR/broker-2/           one folder a partition, and the checkpoints
//! ```

use std::fs::{self, File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

use topomotion_broker::CLUSTER_ID;

use crate::disk::FileDisk;
use crate::error::HostError;

const LOCK: &str = ".lock";
const META: &str = "meta.properties";
/// What it is called while it is written.
const META_FRESH: &str = "meta.properties.tmp";
const FOLDER: &str = "broker-";

/// A data directory that is ours as long as this lives.
#[derive(Debug)]
pub(crate) struct DataDir {
    root: PathBuf,
    /// Let go by the system when the process ends, however it ends.
    _lock: File,
}

impl DataDir {
    /// Takes possession of `root`, formatting it for so many brokers if it is new.
    pub(crate) fn open(root: &Path, brokers: u16) -> Result<DataDir, HostError> {
        fs::create_dir_all(root).map_err(|error| HostError::place(root, error))?;
        let lock = lock(root)?;
        let dir = DataDir { root: root.to_owned(), _lock: lock };
        dir.refuse_a_real_one()?;
        let formatted = dir.formatted()?;
        if formatted != 0 && formatted != brokers {
            let (root, made) = (root.to_owned(), formatted);
            return Err(HostError::Size { root, made, wanted: brokers });
        }
        // The first one last: what was begun and not ended counts as new.
        for broker in (1..=brokers).rev() {
            dir.format(broker)?;
        }
        Ok(dir)
    }

    /// Where one broker's files are, as its clients are told.
    pub(crate) fn path(&self, broker: u16) -> String {
        let folder = self.folder(broker);
        let absolute = std::path::absolute(&folder).unwrap_or(folder);
        absolute.to_string_lossy().into_owned()
    }

    /// The disk of one broker.
    pub(crate) fn disk(&self, broker: u16) -> Result<FileDisk, HostError> {
        let folder = self.folder(broker);
        FileDisk::open(&folder).map_err(|error| HostError::file(&folder, error))
    }

    fn folder(&self, broker: u16) -> PathBuf {
        self.root.join(format!("{FOLDER}{broker}"))
    }

    /// A real broker's directory has its files at the top.
    fn refuse_a_real_one(&self) -> Result<(), HostError> {
        let file = self.root.join(META);
        if !file.exists() {
            return Ok(());
        }
        let text = read(&file)?;
        let id = property(&text, "cluster.id").unwrap_or("another cluster");
        let why = format!("this is the log directory of a broker of cluster `{id}`");
        Err(HostError::Foreign { file, why })
    }

    /// For how many brokers the directory was formatted; 0 if it is new.
    fn formatted(&self) -> Result<u16, HostError> {
        let mut count = 0;
        while self.folder(count + 1).join(META).exists() {
            count += 1;
        }
        Ok(count)
    }

    /// Writes who a folder belongs to, or reads whether it belongs to us.
    fn format(&self, broker: u16) -> Result<(), HostError> {
        let folder = self.folder(broker);
        let file = folder.join(META);
        if !file.exists() {
            fs::create_dir_all(&folder)
                .map_err(|error| HostError::place(&folder, error))?;
            let text =
                format!("#\nversion=1\ncluster.id={CLUSTER_ID}\nnode.id={broker}\n");
            let fresh = folder.join(META_FRESH);
            return fs::write(&fresh, text)
                .and_then(|()| fs::rename(&fresh, &file))
                .map_err(|error| HostError::place(&file, error));
        }
        let text = read(&file)?;
        let expected = [
            ("version", "1"),
            ("cluster.id", CLUSTER_ID),
            ("node.id", &broker.to_string()),
        ];
        for (name, wanted) in expected {
            let found = property(&text, name);
            if found != Some(wanted) {
                let found = found.map_or("nothing".to_owned(), |it| format!("`{it}`"));
                let why = format!("{name} is {found}, not `{wanted}`");
                return Err(HostError::Foreign { file, why });
            }
        }
        Ok(())
    }
}

fn lock(root: &Path) -> Result<File, HostError> {
    let path = root.join(LOCK);
    let mut options = OpenOptions::new();
    let file = options.create(true).truncate(false).write(true).open(&path);
    let file = file.map_err(|error| HostError::place(root, error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(HostError::Locked(root.to_owned())),
        Err(TryLockError::Error(error)) => Err(HostError::file(&path, error)),
    }
}

fn read(file: &Path) -> Result<String, HostError> {
    fs::read_to_string(file).map_err(|error| HostError::file(file, error))
}

fn property<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let mut pairs = lines.filter_map(|line| line.split_once('='));
    pairs.find(|(key, _)| key.trim() == name).map(|(_, value)| value.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Folder {
            let own = format!("topomotion-data-{name}-{}", std::process::id());
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

    fn refused(root: &Path, brokers: u16) -> String {
        DataDir::open(root, brokers).expect_err("refused").to_string()
    }

    #[test]
    fn a_directory_serves_one_process_at_a_time() {
        let folder = Folder::new("lock");
        let first = DataDir::open(&folder.0, 1).unwrap();
        assert!(refused(&folder.0, 1).starts_with("another process serves"));
        drop(first);
        assert!(DataDir::open(&folder.0, 1).is_ok());
    }

    #[test]
    fn a_directory_keeps_its_number_of_brokers() {
        let folder = Folder::new("brokers");
        drop(DataDir::open(&folder.0, 3).unwrap());
        assert!(refused(&folder.0, 1).ends_with("was made for 3 brokers, not for 1"));
        assert!(DataDir::open(&folder.0, 3).is_ok());
        // Only one of them was made when the power went.
        for broker in [1, 2] {
            fs::remove_file(folder.0.join(format!("broker-{broker}/{META}"))).unwrap();
        }
        assert!(DataDir::open(&folder.0, 3).is_ok());
        let one = Folder::new("broker");
        drop(DataDir::open(&one.0, 1).unwrap());
        let error = DataDir::open(&one.0, 3).expect_err("refused");
        assert!(error.to_string().ends_with("was made for 1 broker, not for 3"));
        let help = error.help().unwrap();
        assert_eq!(help, "give --brokers 1, or choose another directory with --data-dir");
    }

    #[test]
    fn what_can_be_no_directory_is_told_as_such() {
        let folder = Folder::new("place");
        fs::create_dir_all(&folder.0).unwrap();
        let file = folder.0.join("file");
        fs::write(&file, "").unwrap();
        let error = DataDir::open(&file, 1).expect_err("refused");
        assert!(error.to_string().ends_with("file is no directory"), "{error}");
        let help = error.help().unwrap();
        assert_eq!(help, "choose a directory that may be written to with --data-dir");
        let below = refused(&file.join("below"), 1);
        assert!(below.contains("nothing can be written to"), "{below}");
    }

    #[test]
    fn a_directory_of_another_cluster_is_left_alone() {
        let folder = Folder::new("foreign");
        drop(DataDir::open(&folder.0, 1).unwrap());
        let meta = folder.0.join("broker-1/meta.properties");
        fs::write(&meta, "version=1\ncluster.id=MkU3OEVBNTcwNTJENDM2Qk\nnode.id=1\n")
            .unwrap();
        let told = refused(&folder.0, 1);
        assert!(told.contains("cluster.id is `MkU3OEVBNTcwNTJENDM2Qk`"), "{told}");
        let real = Folder::new("real");
        fs::create_dir_all(&real.0).unwrap();
        fs::write(real.0.join("meta.properties"), "cluster.id=abc\n").unwrap();
        assert!(refused(&real.0, 1).contains("of a broker of cluster `abc`"));
    }
}
