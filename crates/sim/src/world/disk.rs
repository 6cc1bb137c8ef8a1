//! A node's disk, in memory.
//!
//! It keeps what was written, flushed or not: a process that is killed loses nothing that
//! has reached the page cache.

use std::collections::BTreeMap;

use topomotion_wire::{Bytes, DiskOp, FileName, Files};

#[derive(Debug, Default)]
pub(super) struct Disk {
    files: BTreeMap<FileName, Vec<u8>>,
}

impl Disk {
    /// Applies one operation; a flush changes nothing here.
    pub fn apply(&mut self, op: DiskOp) {
        match op {
            DiskOp::Append { file, bytes } => {
                self.files.entry(file).or_default().extend_from_slice(&bytes);
            }
            DiskOp::Truncate { file, len } => {
                if let Some(content) = self.files.get_mut(&file) {
                    content.truncate(usize::try_from(len).unwrap_or(usize::MAX));
                }
            }
            DiskOp::Replace { file, bytes } => {
                self.files.insert(file, bytes.to_vec());
            }
            DiskOp::Delete { file } => {
                self.files.remove(&file);
            }
            DiskOp::Flush { .. } => {}
        }
    }

    /// Everything that is there.
    pub fn files(&self) -> Files {
        let copy = |(name, content): (&FileName, &Vec<u8>)| {
            (name.clone(), Bytes::copy_from_slice(content))
        };
        self.files.iter().map(copy).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_apply_in_order_and_a_missing_file_is_no_mistake() {
        let mut disk = Disk::default();
        let bytes = |text: &str| Bytes::copy_from_slice(text.as_bytes());
        disk.apply(DiskOp::Append { file: "a".into(), bytes: bytes("hello") });
        disk.apply(DiskOp::Append { file: "a".into(), bytes: bytes(" world") });
        disk.apply(DiskOp::Truncate { file: "a".into(), len: 7 });
        disk.apply(DiskOp::Truncate { file: "none".into(), len: 7 });
        disk.apply(DiskOp::Replace { file: "b".into(), bytes: bytes("x") });
        disk.apply(DiskOp::Delete { file: "b".into() });
        let files = disk.files();
        assert_eq!(files.len(), 1);
        assert_eq!(&files["a"][..], b"hello w");
    }
}
