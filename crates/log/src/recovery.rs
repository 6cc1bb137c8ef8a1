//! What a log does at start: it reads the files that survived (LOG-6).
//!
//! Batch headers are walked in every segment; checksums are computed from the segment on
//! that contains the recovery point, as what lies before is known to have been flushed. At
//! the first batch that is cut off, damaged or out of order the log ends, and so it does
//! before a segment that does not begin where the last one ended: beyond the recovery point
//! a sealed segment can lose its tail while a newer one survives, and a log has no holes (S5).
//!
//! Indexes are built anew on the way, and written where the file is missing or differs. The
//! epochs are the fold of the batches (R15); an epoch without records is forgotten, as in
//! Kafka. So is the state of producers, with what the snapshots at the segments' bases know of
//! those whose batches are gone.

use std::collections::VecDeque;
use std::ops::Bound;

use bytes::Bytes;
use topomotion_wire::{DiskOp, FileName, Files, LeaderEpoch, Offset, TopicPartition};

use crate::header::BatchView;
use crate::segment::{MAX_FILE_BYTES, Segment};
use crate::{EpochStart, Log, LogConfig, checkpoint};

/// What a node's checkpoints say of one log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Checkpointed {
    /// Everything before it had been flushed.
    pub recovery_point: Offset,
    /// Where the log starts, if not with its first segment.
    pub start: Offset,
    /// Everything before it had been compacted.
    pub cleaned: Offset,
}

impl Checkpointed {
    /// What the checkpoint files in `files` say of a partition.
    pub fn read(partition: &TopicPartition, files: &Files) -> Checkpointed {
        let offset = |file: &str| {
            let offsets = checkpoint::read_offsets(files.get(file)?)?;
            offsets.get(partition).copied()
        };
        Checkpointed {
            recovery_point: offset(checkpoint::RECOVERY_POINTS).unwrap_or_default(),
            start: offset(checkpoint::LOG_STARTS).unwrap_or_default(),
            cleaned: offset(checkpoint::CLEANED).unwrap_or_default(),
        }
    }
}

impl Log {
    /// The log that survived in `files`; empty if there is none. What does not fit is cut off
    /// on disk as well.
    pub fn recover(partition: TopicPartition, config: LogConfig, files: &Files) -> Log {
        let checkpointed = Checkpointed::read(&partition, files);
        Log::recover_from(partition, config, files, checkpointed)
    }

    /// As [`Log::recover`], for an owner that has read the checkpoints already.
    pub fn recover_from(
        partition: TopicPartition,
        config: LogConfig,
        files: &Files,
        checkpointed: Checkpointed,
    ) -> Log {
        let mut log = Log::new(partition, config);
        let found = Found::in_files(&log.partition, files);
        log.recover_segments(&found, checkpointed);
        log.cleaned = checkpointed.cleaned.min(log.end_offset());
        log.recover_indexes(files);
        log.recover_epochs(files);
        log.recover_producers(files);
        for file in found.strays(&log) {
            log.disk.push_back(DiskOp::Delete { file });
        }
        log
    }

    fn recover_segments(&mut self, found: &Found, checkpointed: Checkpointed) {
        let Checkpointed { recovery_point, start, .. } = checkpointed;
        let mut recovered: Vec<Segment> = Vec::new();
        for (at, (base, content)) in found.logs.iter().enumerate() {
            let follows = recovered.last().is_none_or(|before| {
                before.end() == *base || before.end() < *base && *base <= recovery_point
            });
            if !follows {
                break;
            }
            let next = found.logs.get(at + 1).map(|(base, _)| *base);
            // Of the active segment nothing is, as a cut may have moved the point back.
            let trusted = match next {
                Some(next) if next <= recovery_point => next,
                _ => *base,
            };
            let mut segment = Segment::new(&self.partition, *base);
            let good = good_len(*base, content, trusted);
            let interval = self.config.index_interval_bytes;
            let bytes = content.slice(..good);
            let first = BatchView::first_in(&bytes).map_or(*base, BatchView::base_offset);
            // Index files are compared when all is known.
            segment.push(first, bytes, interval, &mut VecDeque::new());
            recovered.push(segment);
            if good < content.len() {
                break;
            }
        }
        if recovered.last().map_or(Offset(0), Segment::end) < start {
            // What the log was to start with is gone; it starts again there, empty.
            let gone = found.names.iter().cloned();
            self.disk.extend(gone.map(|file| DiskOp::Delete { file }));
            self.restart_at(start);
        } else if let Some(first) = recovered.first() {
            self.start = first.base.max(start);
            self.segments = recovered;
        }
        let first = self.segments[0].base;
        self.recovery_point = recovery_point.min(self.end_offset()).max(first);
    }

    /// Closes the indexes of all but the active segment, and writes what is not on disk.
    fn recover_indexes(&mut self, files: &Files) {
        let active = self.segments.len() - 1;
        self.segments[..active].iter_mut().for_each(|segment| {
            segment.close();
        });
        for segment in &self.segments {
            let names = &segment.names;
            let Some(stored) = files.get(&names.log) else { continue };
            if segment.len_bytes() < stored.len() as u64 {
                let (file, len) = (names.log.clone(), segment.len_bytes());
                self.disk.push_back(DiskOp::Truncate { file, len });
            }
            let [index, time_index] = segment.index_files();
            for (file, bytes) in [(&names.index, index), (&names.time_index, time_index)]
            {
                if files.get(file) != Some(&bytes) {
                    self.disk.push_back(DiskOp::Replace { file: file.clone(), bytes });
                }
            }
        }
    }

    fn recover_epochs(&mut self, files: &Files) {
        self.epochs.clear();
        for segment in &self.segments {
            for (_, view) in segment.walk_from(segment.base) {
                if view.leader_epoch() >= LeaderEpoch(0) {
                    self.epochs.assign(view.leader_epoch(), view.base_offset());
                }
            }
        }
        if let Some(stored) = files.get(&self.checkpoint_file) {
            self.recover_compacted_epochs(stored);
        }
        self.epochs.truncate_start(self.start);
        self.epochs.truncate_end(self.end_offset());
        let bytes = checkpoint::write_epochs(&self.epochs);
        let stored = files.get(&self.checkpoint_file);
        let is_news = stored.map_or(!self.epochs.entries().is_empty(), |it| *it != bytes);
        if is_news {
            let file = self.checkpoint_file.clone();
            self.disk.push_back(DiskOp::Replace { file, bytes });
        }
    }
}

impl Log {
    /// Epochs whose first records, or all of them, were compacted: the file has them still. It
    /// is believed where no record speaks against it.
    fn recover_compacted_epochs(&mut self, stored: &[u8]) {
        let stored = checkpoint::read_epochs(stored).unwrap_or_default();
        let fits = |it: &EpochStart| {
            let before = self.epochs.epoch_at(Offset(it.start.0 - 1));
            let next = self.batches(it.start, self.end_offset()).next();
            before.is_none_or(|before| before < it.epoch)
                && next.is_some_and(|next| {
                    next.base_offset() > it.start && next.leader_epoch() >= it.epoch
                })
        };
        let mut all: Vec<EpochStart> = stored.into_iter().filter(fits).collect();
        if all.is_empty() {
            return;
        }
        all.extend(self.epochs.entries());
        all.sort_by_key(|it| (it.epoch, it.start));
        self.epochs.clear();
        for it in all {
            self.epochs.assign(it.epoch, it.start);
        }
    }
}

/// How many bytes of a segment's file are good batches, from its front. Checksums count from
/// the offset `trusted` on.
fn good_len(base: Offset, content: &Bytes, trusted: Offset) -> usize {
    let (mut good, mut end) = (0, base);
    while let Ok(view) = BatchView::first_in(&content[good..]) {
        let fits = view.base_offset() >= end
            && i32::try_from(view.last_offset().0 - base.0).is_ok()
            && good as u64 <= MAX_FILE_BYTES;
        if !fits || (view.next_offset() > trusted && view.verify().is_err()) {
            break;
        }
        end = view.next_offset();
        good += view.len();
    }
    good
}

/// The files of a partition's log as they were found.
struct Found {
    /// Segment files in the order of their base offsets.
    logs: Vec<(Offset, Bytes)>,
    /// Every segment file and index.
    names: Vec<FileName>,
}

impl Found {
    fn in_files(partition: &TopicPartition, files: &Files) -> Found {
        let folder = format!("{partition}/");
        let (mut logs, mut names) = (Vec::new(), Vec::new());
        let all =
            files.range::<str, _>((Bound::Included(folder.as_str()), Bound::Unbounded));
        for (name, bytes) in all.take_while(|(name, _)| name.starts_with(&folder)) {
            match segment_file(&name[folder.len()..]) {
                Some((base, "log")) => logs.push((base, bytes.clone())),
                Some((_, "index" | "timeindex" | "txnindex" | "snapshot")) => {}
                _ => continue,
            }
            names.push(name.clone());
        }
        Found { logs, names }
    }

    /// What is there and belongs to no segment any more.
    fn strays<'a>(&'a self, log: &'a Log) -> impl Iterator<Item = FileName> + use<> {
        let kept: Vec<FileName> =
            log.segments.iter().flat_map(|it| log.files_of(it)).collect();
        let names = self.names.clone();
        names.into_iter().filter(move |name| !kept.contains(name))
    }
}

/// The base offset and the ending of a segment's file.
fn segment_file(name: &str) -> Option<(Offset, &str)> {
    let (digits, ending) = name.split_once('.')?;
    let whole = digits.len() == 20 && digits.bytes().all(|byte| byte.is_ascii_digit());
    let base: i64 = whole.then(|| digits.parse().ok())??;
    Some((Offset(base), ending))
}
