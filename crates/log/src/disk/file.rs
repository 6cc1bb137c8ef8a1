//! One file of a [`MemoryDisk`](super::MemoryDisk): what everybody sees, and what would be
//! left of it without power.

use bytes::{Bytes, BytesMut};
use topomotion_wire::Random;

/// How much of a lost tail may come back as garbage: the sectors that were on their way.
const TORN_BYTES: u64 = 4096;

/// What is on the platter, where that is not a prefix of what is seen.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Before {
    /// No such file.
    Absent,
    /// This.
    Content(Bytes),
}

/// A file's content, shared with whoever wrote it.
#[derive(Debug, Clone)]
pub(super) struct File {
    parts: Vec<Bytes>,
    len: u64,
    /// If the present version survives, at least so much of it does.
    floor: u64,
    /// What survives if the present version does not. `None`: it does.
    before: Option<Before>,
    /// The number of the operation in the disk's journal that made the difference.
    op: u64,
    /// The version: a new number with every replacement.
    pub(super) version: u64,
    /// The newest flush that is complete.
    pub(super) flushed: u64,
}

impl File {
    /// A file that nobody has flushed yet.
    pub(super) fn new(version: u64) -> File {
        File {
            parts: Vec::new(),
            len: 0,
            floor: 0,
            before: Some(Before::Absent),
            op: version,
            version,
            flushed: 0,
        }
    }

    /// A file as it lies on the platter.
    pub(super) fn durable(content: Bytes, version: u64) -> File {
        let len = content.len() as u64;
        let parts = vec![content];
        File { parts, len, floor: len, before: None, op: 0, version, flushed: 0 }
    }

    pub(super) fn len(&self) -> u64 {
        self.len
    }

    pub(super) fn content(&self) -> Bytes {
        self.prefix(self.len)
    }

    /// What comes from a position on, without a look at what is before it.
    pub(super) fn content_from(&self, from: u64) -> Bytes {
        let mut left = self.len.saturating_sub(from);
        let mut tail = Vec::new();
        for part in self.parts.iter().rev() {
            if left == 0 {
                break;
            }
            let taken = left.min(part.len() as u64);
            tail.push(part.slice(part.len() - taken as usize..));
            left -= taken;
        }
        if let [only] = &tail[..] {
            return only.clone();
        }
        let mut joined = BytesMut::new();
        tail.iter().rev().for_each(|part| joined.extend_from_slice(part));
        joined.freeze()
    }

    fn prefix(&self, len: u64) -> Bytes {
        if let [whole] = &self.parts[..] {
            return whole.slice(..len as usize);
        }
        let mut joined = BytesMut::with_capacity(len as usize);
        for part in &self.parts {
            let room = len as usize - joined.len();
            joined.extend_from_slice(&part[..part.len().min(room)]);
        }
        joined.freeze()
    }

    pub(super) fn append(&mut self, bytes: Bytes) {
        self.len += bytes.len() as u64;
        if !bytes.is_empty() {
            self.parts.push(bytes);
        }
    }

    pub(super) fn truncate(&mut self, len: u64, op: u64) {
        if len >= self.len {
            return;
        }
        if len < self.floor {
            self.remember(op);
            self.floor = len;
        }
        let mut left = self.len - len;
        while let Some(mut last) = self.parts.pop() {
            let keep = (last.len() as u64).saturating_sub(left);
            left -= last.len() as u64 - keep;
            if keep > 0 {
                last.truncate(keep as usize);
                self.parts.push(last);
            }
            if left == 0 {
                break;
            }
        }
        self.len = len;
    }

    pub(super) fn replace(&mut self, content: Bytes, version: u64) {
        self.remember(version);
        self.len = content.len() as u64;
        self.floor = self.len;
        self.parts = vec![content];
        self.version = version;
    }

    /// Keeps what is on the platter, before the present version departs from it.
    fn remember(&mut self, op: u64) {
        self.op = op;
        if self.before.is_none() {
            self.before = Some(Before::Content(self.prefix(self.floor)));
        }
    }

    /// Everything up to `covered` of the present version is on the platter.
    pub(super) fn settle(&mut self, covered: u64) {
        self.before = None;
        self.floor = self.floor.max(covered.min(self.len));
    }

    /// An older version is on the platter.
    pub(super) fn settle_older(&mut self, content: Bytes) {
        self.before = Some(Before::Content(content));
    }

    /// Whether anything of it would be lost without power.
    pub(super) fn is_dirty(&self) -> bool {
        self.before.is_some() || self.floor < self.len
    }

    /// What is left after the power was lost; `None` if not even the name is. The journal got
    /// as far as the operation `journaled`.
    pub(super) fn lose(&self, journaled: u64, random: &mut Random) -> Option<Bytes> {
        match &self.before {
            Some(Before::Absent) if self.op > journaled => return None,
            Some(Before::Content(old)) if self.op > journaled => {
                return Some(old.clone());
            }
            _ => {}
        }
        let kept = self.floor + random.below(self.len - self.floor + 1);
        Some(self.torn_at(kept, random))
    }

    /// The first `kept` bytes, and perhaps some more that were only allocated or only half
    /// written.
    fn torn_at(&self, kept: u64, random: &mut Random) -> Bytes {
        let lost = self.len - kept;
        let garbage = random.below(lost.min(TORN_BYTES) + 1) as usize;
        let mut torn = BytesMut::from(&self.prefix(kept)[..]);
        match random.below(3) {
            0 => {}
            1 => torn.resize(kept as usize + garbage, 0),
            _ => torn.extend((0..garbage).map(|_| random.below(256) as u8)),
        }
        torn.freeze()
    }
}
