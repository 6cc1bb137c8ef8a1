//! When a script was saved, however its editor saves.
//!
//! Folders are watched, not files: an editor that writes beside and renames leaves a watch of the
//! file itself dead. Events come in swarms, so a change is told when they have been quiet for a
//! moment, or at the latest after a few of those. Where the system tells nothing (network
//! folders, some containers), a look every two seconds does.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant, SystemTime};

use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};

use crate::imports;

/// So long without events, and a save is over.
const QUIET: Duration = Duration::from_millis(15);

/// A swarm that does not end is told after so long.
const LONGEST: Duration = Duration::from_millis(250);

/// How often to look where no events come.
const LOOK: Duration = Duration::from_secs(2);

/// What scripts are made of; other files may change without a word.
const ENDINGS: &[&str] =
    &["ts", "mts", "js", "mjs", "yaml", "yml", "json", "mmd", "mermaid", "proto"];

/// Watches one script and what it may import.
#[derive(Debug)]
pub struct Watch {
    script: PathBuf,
    events: Receiver<()>,
    watcher: Option<RecommendedWatcher>,
    watched: BTreeSet<PathBuf>,
    known: Prints,
}

/// When each file was last written, and how large it was.
type Prints = BTreeMap<PathBuf, (Option<SystemTime>, u64)>;

impl Watch {
    /// Watches from now on. Where the system has no watches to give, it looks by itself.
    pub fn new(script: &Path) -> Watch {
        let (tell, events) = channel();
        let told = move |event: notify::Result<notify::Event>| {
            let matters = event.map_or(true, |event| {
                !event.kind.is_access() && event.paths.iter().any(|path| is_ours(path))
            });
            if matters {
                // Nobody listens any more: then nothing is to be told.
                let _ = tell.send(());
            }
        };
        let watcher = notify::recommended_watcher(told).ok();
        let script = script.to_path_buf();
        let watched = BTreeSet::new();
        let mut watch = Watch { script, events, watcher, watched, known: Prints::new() };
        watch.renew();
        watch
    }

    /// Waits for the next change.
    pub fn wait(&mut self) {
        while !self.wait_for(LOOK) {}
    }

    /// Waits for a change, but no longer than `patience`; whether there was one.
    pub fn wait_for(&mut self, patience: Duration) -> bool {
        match self.events.recv_timeout(patience) {
            Ok(()) => self.settle(),
            // Without a watcher there is no sender: only the clock tells.
            Err(RecvTimeoutError::Disconnected) => std::thread::sleep(patience),
            Err(RecvTimeoutError::Timeout) => {}
        }
        let before = std::mem::take(&mut self.known);
        self.renew();
        self.known != before
    }

    /// Waits until a swarm of events is over.
    fn settle(&self) {
        let start = Instant::now();
        while start.elapsed() < LONGEST && self.events.recv_timeout(QUIET).is_ok() {}
    }

    /// Watches the folders that matter now, and notes how their files are.
    fn renew(&mut self) {
        let folders = imports::folders(&self.script);
        self.known = prints(&folders);
        let Some(watcher) = &mut self.watcher else { return };
        for gone in self.watched.difference(&folders) {
            // It may be gone already.
            let _ = watcher.unwatch(gone);
        }
        // A folder that cannot be watched is looked at.
        let mut watched = BTreeSet::new();
        for folder in folders {
            let is_known = self.watched.contains(&folder) && folder.is_dir();
            if is_known || watcher.watch(&folder, RecursiveMode::NonRecursive).is_ok() {
                watched.insert(folder);
            }
        }
        self.watched = watched;
    }
}

fn is_ours(path: &Path) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str());
    let is_hidden = path
        .file_name()
        .and_then(|name| name.to_str())
        .is_some_and(|name| name.starts_with('.'));
    !is_hidden && ending.is_some_and(|ending| ENDINGS.contains(&ending))
}

fn prints(folders: &BTreeSet<PathBuf>) -> Prints {
    let mut all = Prints::new();
    for folder in folders {
        let Ok(entries) = std::fs::read_dir(folder) else { continue };
        for path in entries.flatten().map(|entry| entry.path()) {
            if is_ours(&path)
                && let Ok(file) = std::fs::metadata(&path)
            {
                all.insert(path, (file.modified().ok(), file.len()));
            }
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Folder {
            let name = format!("topomotion-preview-{name}-{}", std::process::id());
            let folder = std::env::temp_dir().join(name);
            let _ = fs::remove_dir_all(&folder);
            fs::create_dir_all(folder.join("lib")).unwrap();
            Folder(folder)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    const PATIENCE: Duration = Duration::from_secs(10);

    #[test]
    fn every_save_is_seen_however_it_is_done() {
        let folder = Folder::new("saves");
        let script = folder.0.join("a.ts");
        fs::write(&script, "one").unwrap();
        let mut watch = Watch::new(&script);
        fs::write(&script, "second").unwrap();
        assert!(watch.wait_for(PATIENCE), "written in place");
        for turn in 0..3 {
            let beside = folder.0.join("a.ts~");
            fs::write(&beside, format!("longer {turn} {}", "x".repeat(turn))).unwrap();
            fs::rename(&beside, &script).unwrap();
            assert!(watch.wait_for(PATIENCE), "renamed into place, time {turn}");
        }
        fs::remove_file(&script).unwrap();
        assert!(watch.wait_for(PATIENCE), "deleted");
        fs::write(&script, "back again").unwrap();
        assert!(watch.wait_for(PATIENCE), "and back");
    }

    #[test]
    fn imports_are_watched_where_they_stand() {
        let folder = Folder::new("imports");
        let script = folder.0.join("a.ts");
        let import = folder.0.join("lib/b.ts");
        fs::write(&import, "one").unwrap();
        fs::write(&script, "import './lib/b.ts';").unwrap();
        let mut watch = Watch::new(&script);
        fs::write(&import, "second").unwrap();
        assert!(watch.wait_for(PATIENCE));
        fs::write(folder.0.join("notes.txt"), "nothing of ours").unwrap();
        assert!(!watch.wait_for(Duration::from_millis(100)));
    }
}
