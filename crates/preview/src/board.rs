//! What there is to see: the last good picture of each script, and its last mistake.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The state of every script; shared by whoever draws and whoever shows.
#[derive(Debug)]
pub struct Board {
    sheets: Mutex<Vec<Sheet>>,
    changed: Condvar,
}

/// One script's state.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sheet {
    pub name: String,
    /// Counts what was published, from 1.
    pub version: u64,
    /// The last good picture, as a bundle.
    pub picture: Option<Arc<str>>,
    /// Which version brought it.
    pub drawn: u64,
    /// What is wrong with the script as it is now.
    pub mistake: Option<Arc<str>>,
}

impl Board {
    /// Nothing has been drawn of these scripts yet.
    pub fn new(names: impl IntoIterator<Item = String>) -> Board {
        let sheets = names.into_iter().map(|name| Sheet { name, ..Sheet::default() });
        Board { sheets: Mutex::new(sheets.collect()), changed: Condvar::new() }
    }

    /// A script became a picture (a bundle), or did not and why. The picture before a mistake
    /// stays.
    pub fn publish(&self, script: usize, result: Result<String, String>) {
        let mut sheets = self.lock();
        let Some(sheet) = sheets.get_mut(script) else { return };
        sheet.version += 1;
        match result {
            Ok(picture) => {
                sheet.mistake = None;
                sheet.drawn = sheet.version;
                sheet.picture = Some(picture.into());
            }
            Err(mistake) => sheet.mistake = Some(mistake.into()),
        }
        drop(sheets);
        self.changed.notify_all();
    }

    pub(crate) fn names(&self) -> Vec<String> {
        self.lock().iter().map(|sheet| sheet.name.clone()).collect()
    }

    pub(crate) fn sheet(&self, script: usize) -> Option<Sheet> {
        self.lock().get(script).cloned()
    }

    /// Waits until there is something later than `version`, or for `patience`.
    pub(crate) fn later(
        &self,
        script: usize,
        version: u64,
        patience: Duration,
    ) -> Option<Sheet> {
        let is_old = |sheets: &mut Vec<Sheet>| {
            sheets.get(script).is_some_and(|sheet| sheet.version <= version)
        };
        let waited = self.changed.wait_timeout_while(self.lock(), patience, is_old);
        let (sheets, _) = waited.unwrap_or_else(PoisonError::into_inner);
        sheets.get(script).filter(|sheet| sheet.version > version).cloned()
    }

    /// Whoever panicked while holding it left it whole: each change is one assignment.
    fn lock(&self) -> MutexGuard<'_, Vec<Sheet>> {
        self.sheets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_good_picture_stays_while_there_is_a_mistake() {
        let board = Board::new(["a.ts".to_owned()]);
        board.publish(0, Ok("one".into()));
        board.publish(0, Err("a.ts:1:1: no".into()));
        let sheet = board.sheet(0).unwrap();
        assert_eq!(sheet.picture.as_deref(), Some("one"));
        assert_eq!(sheet.mistake.as_deref(), Some("a.ts:1:1: no"));
        board.publish(0, Ok("two".into()));
        let sheet = board.later(0, sheet.version, Duration::ZERO).unwrap();
        assert_eq!((sheet.mistake, sheet.drawn), (None, 3));
        assert!(board.later(0, 3, Duration::ZERO).is_none());
    }

    #[test]
    fn who_waits_is_woken() {
        let board = Arc::new(Board::new(["a.ts".to_owned()]));
        let other = Arc::clone(&board);
        let waits =
            std::thread::spawn(move || other.later(0, 0, Duration::from_secs(20)));
        board.publish(0, Ok("one".into()));
        assert!(waits.join().unwrap().is_some());
    }
}
