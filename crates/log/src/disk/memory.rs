//! A disk in memory, that can do what disks do to one.
//!
//! - A killed process loses nothing: the page cache survives ([`Disk::files`]; X01).
//! - [`MemoryDisk::lose_power`]: of every file what was flushed survives, and any part of what
//!   came after, the last bytes of it perhaps torn: cut off, zeros, or garbage (X02). A file
//!   that was replaced or cut has its old or its new content, one that was created may be
//!   gone: as far as the journal got.
//! - [`MemoryDisk::corrupt`] flips bits (X05), [`MemoryDisk::wipe`] loses all (X03),
//!   [`MemoryDisk::fail`] refuses everything (X04), [`MemoryDisk::limit`] runs full (X23),
//!   [`MemoryDisk::slow_down`] makes flushes take longer.
//!
//! What concerns more than a file's end (creation, replacement, a cut below what was flushed)
//! goes through a journal, as in file systems: it survives in the order in which it was asked
//! for, and a flush of any file brings it up to date. So does a deletion, here, which is why
//! no deleted file comes back. Appends are kept as they came, without a copy.

use std::collections::BTreeMap;
use std::ops::Bound;

use bytes::BytesMut;
use topomotion_wire::{Bytes, DiskOp, Duration, FileName, Files, FlushToken, Random};

use super::file::File;
use super::{Applied, Disk, DiskError, FlushId};

/// A flush under way.
#[derive(Debug, Clone)]
struct Flushing {
    file: FileName,
    version: u64,
    /// How much of the version it covers.
    covered: u64,
    /// What it covers, if the file has been replaced meanwhile.
    older: Option<Bytes>,
}

/// Files in memory.
#[derive(Debug, Clone, Default)]
pub struct MemoryDisk {
    files: BTreeMap<FileName, File>,
    flushes: BTreeMap<FlushId, Flushing>,
    /// Operations so far.
    numbers: u64,
    /// The journal is on the platter up to this operation.
    journaled: u64,
    failing: Option<DiskError>,
    capacity: Option<u64>,
    delay: Duration,
}

/// How much of a file is written, and how much of that would survive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// Length in bytes.
    pub len: u64,
    /// Whether something of it would be lost without power.
    pub dirty: bool,
}

impl MemoryDisk {
    /// A disk that holds these files, all of them flushed.
    pub fn with_files(files: Files) -> MemoryDisk {
        let files = files.into_iter().map(|(name, it)| (name, File::durable(it, 0)));
        MemoryDisk { files: files.collect(), ..MemoryDisk::default() }
    }

    /// The power goes off and on again. What was being flushed is not known to be durable.
    pub fn lose_power(&mut self, random: &mut Random) {
        self.flushes.clear();
        let journaled = self.journaled + random.below(self.numbers - self.journaled + 1);
        let left = self.files.iter().filter_map(|(name, file)| {
            let content = match file.is_dirty() {
                true => file.lose(journaled, random)?,
                false => file.content(),
            };
            Some((name.clone(), File::durable(content, file.version)))
        });
        self.files = left.collect();
    }

    /// Everything is gone.
    pub fn wipe(&mut self) {
        self.flushes.clear();
        self.files.clear();
    }

    /// Flips the bits of `mask` in one byte of a file, on the platter too. Returns whether
    /// there was such a byte.
    pub fn corrupt(&mut self, file: &str, position: u64, mask: u8) -> bool {
        let Some(found) = self.files.get_mut(file) else { return false };
        let mut content = BytesMut::from(&found.content()[..]);
        let at = usize::try_from(position).unwrap_or(usize::MAX);
        let Some(byte) = content.get_mut(at) else { return false };
        *byte ^= mask;
        *found = File::durable(content.freeze(), found.version);
        true
    }

    /// From now on every operation fails.
    pub fn fail(&mut self) {
        self.failing = Some(DiskError::Io);
    }

    /// The disk works again, and is as large and as fast as it wants to be.
    pub fn repair(&mut self) {
        self.failing = None;
        self.capacity = None;
        self.delay = Duration::ZERO;
    }

    /// The disk holds no more than so many bytes.
    pub fn limit(&mut self, capacity: u64) {
        self.capacity = Some(capacity);
    }

    /// Every flush takes so much longer.
    pub fn slow_down(&mut self, delay: Duration) {
        self.delay = delay;
    }

    /// How much longer than usual a flush takes: for the world, which lets time pass.
    pub fn delay(&self) -> Duration {
        self.delay
    }

    /// Bytes in use.
    pub fn used(&self) -> u64 {
        self.files.values().map(File::len).sum()
    }

    /// Every file, without its content.
    pub fn written(&self) -> impl Iterator<Item = (&FileName, Written)> {
        let written = |file: &File| Written { len: file.len(), dirty: file.is_dirty() };
        self.files.iter().map(move |(name, file)| (name, written(file)))
    }

    /// A file's content, as everybody sees it.
    pub fn content(&self, file: &str) -> Option<Bytes> {
        self.files.get(file).map(File::content)
    }

    /// How long a file is; 0 if there is none.
    pub fn len_bytes(&self, file: &str) -> u64 {
        self.files.get(file).map_or(0, File::len)
    }

    /// A file's content from a position on; empty if it ends before.
    pub fn content_from(&self, file: &str, from: u64) -> Option<Bytes> {
        self.files.get(file).map(|file| file.content_from(from))
    }

    /// The files of a folder, whose name ends with a slash.
    pub fn names_in<'a>(
        &'a self,
        folder: &'a str,
    ) -> impl Iterator<Item = &'a FileName> + use<'a> {
        let behind = (Bound::Included(folder), Bound::Unbounded);
        let names = self.files.range::<str, _>(behind).map(|(name, _)| name);
        names.take_while(move |name| name.starts_with(folder))
    }

    /// How many of `wanted` bytes there is room for, beside what is there.
    fn room_for(&self, wanted: u64) -> u64 {
        match self.capacity {
            None => wanted,
            Some(capacity) => wanted.min(capacity.saturating_sub(self.used())),
        }
    }

    fn number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    fn append(&mut self, file: FileName, mut bytes: Bytes) -> Result<(), DiskError> {
        let room = self.room_for(bytes.len() as u64) as usize;
        let fits = room >= bytes.len();
        bytes.truncate(room);
        match self.files.get_mut(&file) {
            Some(found) => found.append(bytes),
            None => {
                let mut new = File::new(self.number());
                new.append(bytes);
                self.files.insert(file, new);
            }
        }
        if fits { Ok(()) } else { Err(DiskError::Full) }
    }

    fn truncate(&mut self, file: &FileName, len: u64) {
        let op = self.number();
        if let Some(found) = self.files.get_mut(file) {
            found.truncate(len, op);
            let flushes = self.flushes.values_mut();
            let of_file =
                flushes.filter(|it| it.file == *file && it.version == found.version);
            of_file.for_each(|flush| flush.covered = flush.covered.min(len));
        }
    }

    fn replace(&mut self, file: FileName, bytes: Bytes) -> Result<(), DiskError> {
        let wanted = bytes.len() as u64;
        if self.room_for(wanted) < wanted {
            return Err(DiskError::Full);
        }
        let version = self.number();
        let found = self.files.entry(file.clone()).or_insert_with(|| File::new(version));
        for flush in self.flushes.values_mut() {
            if flush.file == file && flush.version == found.version {
                let content = found.content();
                flush.older = Some(content.slice(..flush.covered as usize));
            }
        }
        found.replace(bytes, version);
        Ok(())
    }

    fn flush(&mut self, file: FileName, token: FlushToken) -> Applied {
        let flush = FlushId(self.number());
        if let Some(found) = self.files.get(&file) {
            let (version, covered) = (found.version, found.len());
            let flushing = Flushing { file, version, covered, older: None };
            self.flushes.insert(flush, flushing);
        }
        Applied::Flushing { flush, token }
    }
}

impl Disk for MemoryDisk {
    fn apply(&mut self, op: DiskOp) -> Result<Applied, DiskError> {
        if let Some(error) = self.failing {
            return Err(error);
        }
        match op {
            DiskOp::Append { file, bytes } => self.append(file, bytes)?,
            DiskOp::Truncate { file, len } => self.truncate(&file, len),
            DiskOp::Replace { file, bytes } => self.replace(file, bytes)?,
            DiskOp::Delete { file } => {
                self.journaled = self.number();
                self.files.remove(&file);
                self.flushes.retain(|_, flush| flush.file != file);
            }
            DiskOp::Flush { file, token } => return Ok(self.flush(file, token)),
        }
        Ok(Applied::Done)
    }

    fn complete(&mut self, flush: FlushId) {
        // One of a file that is gone, or from before a power loss, adds nothing.
        let Some(done) = self.flushes.remove(&flush) else { return };
        self.journaled = self.journaled.max(flush.0);
        let Some(file) = self.files.get_mut(&done.file) else { return };
        if file.flushed > flush.0 {
            return;
        }
        file.flushed = flush.0;
        match done.older {
            None => file.settle(done.covered),
            Some(content) => file.settle_older(content),
        }
    }

    fn files(&self) -> Files {
        let content = |(name, file): (&FileName, &File)| (name.clone(), file.content());
        self.files.iter().map(content).collect()
    }
}

#[cfg(test)]
mod tests;
