//! A disk with a page cache: what was not flushed is lost with the power.

use std::collections::BTreeMap;

use topomotion_wire::{Bytes, DiskOp, FileName, Files, FlushToken};

/// What a flush will have made durable: all that the file went through up to then.
#[derive(Debug)]
struct Flush {
    file: FileName,
    content: Option<Bytes>,
    order: u64,
}

#[derive(Debug, Default)]
pub struct Disk {
    cache: Files,
    durable: Files,
    flushes: BTreeMap<FlushToken, Flush>,
    /// The newest completed flush of each file. A slower, older one adds nothing to it.
    completed: BTreeMap<FileName, u64>,
    orders: u64,
}

impl Disk {
    pub fn files(&self) -> &Files {
        &self.cache
    }

    pub fn durable(&self) -> &Files {
        &self.durable
    }

    /// Does what is asked; a flush is completed later.
    pub fn apply(&mut self, op: DiskOp) -> Option<FlushToken> {
        match op {
            DiskOp::Append { file, bytes } => {
                let old = self.cache.remove(&file).unwrap_or_default();
                self.cache.insert(file, [&old[..], &bytes[..]].concat().into());
            }
            DiskOp::Truncate { file, len } => {
                if let Some(content) = self.cache.get_mut(&file) {
                    content.truncate(len as usize);
                }
            }
            DiskOp::Replace { file, bytes } => drop(self.cache.insert(file, bytes)),
            DiskOp::Delete { file } => drop(self.cache.remove(&file)),
            DiskOp::Flush { file, token } => {
                self.orders += 1;
                let content = self.cache.get(&file).cloned();
                self.flushes.insert(token, Flush { file, content, order: self.orders });
                return Some(token);
            }
        }
        None
    }

    pub fn complete(&mut self, token: FlushToken) {
        let flush = self.flushes.remove(&token).expect("under way");
        let newest = self.completed.entry(flush.file.clone()).or_default();
        if *newest > flush.order {
            return;
        }
        *newest = flush.order;
        match flush.content {
            Some(content) => drop(self.durable.insert(flush.file, content)),
            None => drop(self.durable.remove(&flush.file)),
        }
    }

    pub fn lose_power(&mut self) {
        self.flushes.clear();
        self.cache = self.durable.clone();
    }
}
