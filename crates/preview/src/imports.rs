//! Which folders a script may import from, by a look at its text.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// No more files are looked through than this: imports in circles end, and so do long chains.
const FILES_MAX: usize = 100;

/// The script's own folder and those of the files that it imports, and they in turn.
pub(crate) fn folders(script: &Path) -> BTreeSet<PathBuf> {
    let mut folders = BTreeSet::from([folder_of(script)]);
    let (mut seen, mut left) = (BTreeSet::new(), vec![script.to_path_buf()]);
    while let Some(file) = left.pop() {
        if seen.len() >= FILES_MAX || !seen.insert(file.clone()) {
            continue;
        }
        let Ok(bytes) = std::fs::read(&file) else { continue };
        for relative in relatives(&String::from_utf8_lossy(&bytes)) {
            let path = folder_of(&file).join(relative);
            let folder = folder_of(&path);
            if folder.is_dir() {
                folders.insert(folder);
                left.push(path);
            }
        }
    }
    folders
}

/// `.` for a bare name.
pub(crate) fn folder_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() => PathBuf::from("."),
        Some(parent) => parent.to_path_buf(),
        None => PathBuf::from("."),
    }
}

/// Everything in quotes that begins with `./` or `../`.
fn relatives(text: &str) -> impl Iterator<Item = &str> {
    text.split_inclusive(['\'', '"', '`']).filter_map(|piece| {
        let inner = piece.strip_suffix(['\'', '"', '`'])?;
        (inner.starts_with("./") || inner.starts_with("../")).then_some(inner)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_script_imports_is_seen_in_its_text() {
        let text =
            "import { a } from './lib/a.ts';\nimport \"../b.ts\"; const c = 'd./e';";
        assert_eq!(relatives(text).collect::<Vec<_>>(), ["./lib/a.ts", "../b.ts"]);
    }

    #[test]
    fn a_bare_name_stands_in_the_current_folder() {
        assert_eq!(folder_of(Path::new("a.ts")), PathBuf::from("."));
        assert_eq!(folder_of(Path::new("x/a.ts")), PathBuf::from("x"));
    }
}
