//! What a log does at start: it reads the files that survived (LOG-6).
//!
//! Batches are read until the first one that is cut off, damaged or out of order; there the
//! log ends. The epoch cache is the fold of the batches (R15); an epoch without records is
//! forgotten, as in Kafka.

use bytes::Bytes;
use topomotion_wire::{DiskOp, Files, Offset, TopicPartition};

use crate::segment::Segment;
use crate::{Batch, Log, LogConfig, checkpoint};

impl Log {
    /// The log that survived in `files`; empty if there is none. What does not fit is cut off
    /// on disk as well.
    pub fn recover(partition: TopicPartition, config: LogConfig, files: &Files) -> Log {
        let mut log = Log::new(partition, config);
        let found = segment_files(&log.partition, files);
        if let Some((base, _)) = found.first() {
            log.start = *base;
            log.segments.clear();
        }
        let mut intact = true;
        for (base, content) in found {
            let mut segment = Segment::new(&log.partition, base);
            let fits = log.segments.last().is_none_or(|before| before.end() <= base);
            if !(intact && fits) {
                log.disk.push_back(DiskOp::Delete { file: segment.file });
                continue;
            }
            intact = fill(&mut segment, content);
            if !intact {
                let (file, len) = (segment.file.clone(), segment.len_bytes());
                log.disk.push_back(DiskOp::Truncate { file, len });
            }
            log.segments.push(segment);
        }
        log.recover_epochs(files);
        log
    }

    /// The batches carry their epochs, so the checkpoint is only rewritten where it differs.
    fn recover_epochs(&mut self, files: &Files) {
        for segment in &self.segments {
            for batch in segment.batches() {
                self.epochs.assign(batch.leader_epoch(), batch.base_offset());
            }
        }
        let stored = files.get(&self.checkpoint_file);
        let bytes = checkpoint::write(&self.epochs);
        if stored.is_some_and(|stored| *stored != bytes) {
            let file = self.checkpoint_file.clone();
            self.disk.push_back(DiskOp::Replace { file, bytes });
        }
    }
}

/// The segment files of a partition in the order of their base offsets.
fn segment_files(partition: &TopicPartition, files: &Files) -> Vec<(Offset, Bytes)> {
    let folder = format!("{partition}/");
    let base = |name: &str| -> Option<Offset> {
        let stem = name.strip_prefix(folder.as_str())?.strip_suffix(".log")?;
        let digits = stem.len() == 20 && stem.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| stem.parse().ok().map(Offset))?
    };
    files.iter().filter_map(|(name, bytes)| Some((base(name)?, bytes.clone()))).collect()
}

/// Reads batches until the first bad one. Returns whether all of `content` was good.
fn fill(segment: &mut Segment, mut content: Bytes) -> bool {
    while !content.is_empty() {
        let good = Batch::split_from(&mut content).ok().filter(|batch| {
            batch.verify().is_ok() && batch.base_offset() >= segment.end()
        });
        match good {
            Some(batch) => segment.push(batch),
            None => return false,
        }
    }
    true
}
