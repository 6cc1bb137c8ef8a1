//! A disk that is copied at no cost, and what an observer reads on it.
//!
//! Every write is durable at once: when a flush ends is not explored. Logs are read here from
//! their bytes, by the format's own description, so that a judge of them needs nothing of the
//! engine's.

use std::collections::BTreeMap;
use std::rc::Rc;

use topomotion_wire::{Bytes, DiskOp, FileName, Files, FlushToken};

use crate::digest::Digest;

/// Bytes before a batch's records.
const HEADER: usize = 61;

/// One batch of a log, as it lies on a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// First offset.
    pub base: i64,
    /// The offset after the last.
    pub end: i64,
    /// Leader epoch, or quorum epoch.
    pub epoch: i32,
    /// The batch's checksum, which names it.
    pub batch: u32,
    /// Digest of everything but times, so that the same story told later reads the same.
    pub content: u64,
}

/// Files by name.
#[derive(Debug, Clone, Default)]
pub(crate) struct Disk {
    files: BTreeMap<FileName, Rc<Vec<u8>>>,
    /// What the logs hold, by directory.
    logs: BTreeMap<Rc<str>, Rc<Vec<Entry>>>,
    digest: u64,
    is_stale: bool,
}

impl Disk {
    /// Applies one operation. A flush is through at once.
    pub fn apply(&mut self, op: DiskOp) -> Option<FlushToken> {
        self.is_stale = true;
        match op {
            DiskOp::Append { file, bytes } => {
                Rc::make_mut(self.files.entry(file).or_default())
                    .extend_from_slice(&bytes);
            }
            DiskOp::Truncate { file, len } => {
                if let Some(content) = self.files.get_mut(&file) {
                    let len = usize::try_from(len).unwrap_or(usize::MAX);
                    Rc::make_mut(content).truncate(len);
                }
            }
            DiskOp::Replace { file, bytes } => {
                self.files.insert(file, Rc::new(bytes.to_vec()));
            }
            DiskOp::Delete { file } => _ = self.files.remove(&file),
            DiskOp::Flush { token, .. } => return Some(token),
        }
        None
    }

    /// Everything, as a process finds it that starts now.
    pub fn files(&self) -> Files {
        let copy = |(name, content): (&FileName, &Rc<Vec<u8>>)| {
            (name.clone(), Bytes::copy_from_slice(content))
        };
        self.files.iter().map(copy).collect()
    }

    /// Loses every file in a directory.
    pub fn lose(&mut self, directory: &str) {
        self.is_stale = true;
        self.files.retain(|name, _| parts(name).0 != directory);
    }

    /// The batches of the log in a directory.
    pub fn log(&self, directory: &str) -> &[Entry] {
        self.logs.get(directory).map_or(&[], |log| log.as_slice())
    }

    /// Digest of everything but times, once [`Disk::read_again`] has looked.
    pub fn digest(&self) -> u64 {
        self.digest
    }

    /// Reads what has changed since this was last called.
    pub fn read_again(&mut self) {
        if !std::mem::take(&mut self.is_stale) {
            return;
        }
        let mut logs: BTreeMap<Rc<str>, Vec<Entry>> = BTreeMap::new();
        let mut digest = Digest::default();
        for (name, content) in &self.files {
            let (directory, file) = parts(name);
            if file.ends_with(".log") {
                entries(content, logs.entry(directory.into()).or_default());
            } else if !file.ends_with("index") {
                // An index repeats what the log says.
                digest.bytes(name.as_bytes());
                digest.bytes(content);
            }
        }
        for (directory, log) in &logs {
            digest.bytes(directory.as_bytes());
            log.iter().for_each(|entry| digest.word(entry.content));
        }
        self.logs = logs.into_iter().map(|(name, log)| (name, Rc::new(log))).collect();
        self.digest = digest.value();
    }
}

fn parts(name: &str) -> (&str, &str) {
    name.rsplit_once('/').unwrap_or(("", name))
}

/// Reads whole batches until the bytes end or make no sense.
fn entries(mut rest: &[u8], into: &mut Vec<Entry>) {
    while let Some(batch) = whole_batch(rest) {
        into.push(entry(batch));
        rest = &rest[batch.len()..];
    }
}

fn whole_batch(bytes: &[u8]) -> Option<&[u8]> {
    let length = i32::from_be_bytes(field(bytes, 8)?);
    let end = usize::try_from(length).ok()?.checked_add(12)?;
    bytes.get(..end).filter(|batch| batch.len() >= HEADER)
}

fn entry(batch: &[u8]) -> Entry {
    let base = i64::from_be_bytes(field(batch, 0).unwrap_or_default());
    let last = i32::from_be_bytes(field(batch, 23).unwrap_or_default());
    Entry {
        base,
        end: base + i64::from(last) + 1,
        epoch: i32::from_be_bytes(field(batch, 12).unwrap_or_default()),
        batch: u32::from_be_bytes(field(batch, 17).unwrap_or_default()),
        content: timeless(batch),
    }
}

fn field<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at + N)?.try_into().ok()
}

/// Digest of a batch without its timestamps, nor the checksum that covers them.
fn timeless(batch: &[u8]) -> u64 {
    let mut digest = Digest::default();
    for part in [0..17, 21..27, 43..batch.len()] {
        digest.bytes(batch.get(part).unwrap_or_default());
    }
    digest.value()
}

/// Digest of the batches in `records`, without their times.
pub(crate) fn timeless_records(records: &[u8]) -> u64 {
    let (mut digest, mut rest) = (Digest::default(), records);
    while let Some(batch) = whole_batch(rest) {
        digest.word(timeless(batch));
        rest = &rest[batch.len()..];
    }
    digest.bytes(rest);
    digest.value()
}

#[cfg(test)]
mod tests {
    use super::*;
    use topomotion_log::{BatchBuilder, RecordRef};

    fn batch(timestamp: i64, value: &[u8]) -> Bytes {
        let mut builder = BatchBuilder::new();
        builder.push(&RecordRef {
            timestamp,
            value: Some(value),
            ..RecordRef::default()
        });
        builder.build().into_bytes()
    }

    fn disk_with(bytes: Bytes) -> Disk {
        let mut disk = Disk::default();
        let file = FileName::from("orders-0/00000000000000000000.log");
        disk.apply(DiskOp::Append { file, bytes });
        disk.read_again();
        disk
    }

    #[test]
    fn a_log_is_read_from_its_bytes() {
        let disk = disk_with(batch(7, b"a"));
        let [entry] = disk.log("orders-0") else { panic!("one batch") };
        assert_eq!((entry.base, entry.end), (0, 1));
        assert!(disk.log("orders-1").is_empty());
    }

    #[test]
    fn the_time_of_a_record_makes_no_difference_and_its_value_does() {
        let (early, late) = (disk_with(batch(7, b"a")), disk_with(batch(9, b"a")));
        assert_eq!(early.digest(), late.digest());
        assert_ne!(early.log("orders-0")[0].batch, late.log("orders-0")[0].batch);
        assert_ne!(early.digest(), disk_with(batch(7, b"b")).digest());
    }

    #[test]
    fn what_is_lost_is_lost_alone() {
        let mut disk = disk_with(batch(7, b"a"));
        let file = FileName::from("meta.properties");
        disk.apply(DiskOp::Replace { file, bytes: Bytes::from_static(b"x") });
        disk.lose("orders-0");
        disk.read_again();
        assert!(disk.log("orders-0").is_empty());
        assert_eq!(disk.files().len(), 1);
    }
}
