//! The state of producers along with its log: through appends, rolls, cuts and restarts.
//!
//! With each roll a snapshot is taken, in memory and on disk: a cut goes back to the newest
//! one that is left and folds the rest again. On disk a log without producers has none, as
//! there is nothing that a missing one could be mistaken for.

use std::collections::BTreeMap;

use bytes::Bytes;
use topomotion_wire::{Defect, DiskOp, FileName, Files, Offset};

use super::{AbortedTransaction, MarkerKind, ProducerStates, write_aborted};
use crate::Log;
use crate::header::BatchView;
use crate::segment::Segment;

/// The state of producers at a segment's base.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Kept {
    states: ProducerStates,
    /// Whether there is a file of it.
    is_written: bool,
}

/// Snapshots by offset.
pub(crate) type Snapshots = BTreeMap<Offset, Kept>;

impl Log {
    /// What is known of those who wrote it.
    pub fn producers(&self) -> &ProducerStates {
        &self.producers
    }

    /// Where a reader of committed records must stop at the latest (TXN-7), if not at the high
    /// watermark.
    pub fn first_unstable(&self, high_watermark: Offset) -> Option<Offset> {
        self.producers.first_unstable(high_watermark).map(|first| first.max(self.start))
    }

    /// The high watermark has come here: transactions whose markers lie below are over.
    pub fn forget_completed(&mut self, high_watermark: Offset) {
        self.producers.forget_completed(high_watermark);
    }

    /// Forgets producers that have long written nothing: see [`ProducerStates::expire`].
    pub fn expire_producers(&mut self, now_ms: i64, expiration_ms: i64) {
        self.producers.expire(now_ms, expiration_ms);
    }

    /// The aborted transactions that overlap `from..to` (TXN-8).
    pub fn aborted(&self, from: Offset, to: Offset) -> Vec<AbortedTransaction> {
        let at = self.segments.partition_point(|segment| segment.end() <= from);
        let mut found = Vec::new();
        for entry in self.segments[at..].iter().flat_map(Segment::aborted) {
            if entry.last >= from && entry.first < to {
                found.push(*entry);
            }
            if entry.last_stable >= to {
                break;
            }
        }
        if Defect::AbortedIndexGap.is_sown() {
            found.pop();
        }
        found
    }

    /// Folds batches that have just been appended to the active segment.
    pub(crate) fn fold_appended(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let view = BatchView::next_checked(bytes);
            if let Some(entry) = fold(&mut self.producers, view) {
                let segment = self.active_mut();
                segment.add_aborted(entry);
                let (file, bytes) =
                    (segment.names.txn_index.clone(), write_aborted(&[entry]));
                self.disk.push_back(DiskOp::Append { file, bytes });
            }
            bytes = &bytes[view.len()..];
        }
    }

    /// The active segment has been cut: drops the entries whose markers are gone.
    pub(crate) fn cut_aborted(&mut self) {
        let end = self.end_offset();
        let segment = self.active_mut();
        let (before, file) = (segment.aborted().len(), segment.names.txn_index.clone());
        let mut left = segment.aborted().to_vec();
        left.retain(|entry| entry.last < end);
        let len = write_aborted(&left).len() as u64;
        let is_cut = left.len() < before;
        segment.set_aborted(left);
        match len {
            _ if !is_cut => {}
            0 => self.disk.push_back(DiskOp::Delete { file }),
            len => self.disk.push_back(DiskOp::Truncate { file, len }),
        }
    }

    /// Keeps the state at the log end, where a segment begins.
    pub(crate) fn take_snapshot(&mut self, at: Offset) {
        let is_written = self.keep_snapshot(at);
        if is_written {
            let file = self.snapshot_file(at);
            let bytes = self.producers.to_snapshot();
            self.disk.push_back(DiskOp::Replace { file, bytes });
        }
    }

    fn keep_snapshot(&mut self, at: Offset) -> bool {
        let mut earlier = self.snapshots.values();
        let is_written =
            !self.producers.producers.is_empty() || earlier.any(|kept| kept.is_written);
        let states = self.producers.clone();
        self.snapshots.insert(at, Kept { states, is_written });
        is_written
    }

    /// The log has been cut: goes back to the newest snapshot and folds what follows it.
    pub(crate) fn reload_producers(&mut self) {
        let end = self.end_offset();
        self.drop_snapshots(|at| at > end);
        if Defect::StateNotTruncated.is_sown() {
            return;
        }
        let newest = self.snapshots.last_key_value();
        let (from, mut states) = match newest {
            Some((at, kept)) => (*at, kept.states.clone()),
            None => (self.segments[0].base, ProducerStates::new()),
        };
        for segment in self.segments.iter().filter(|segment| segment.end() > from) {
            for (_, view) in segment.walk_from(from.max(segment.base)) {
                fold(&mut states, view);
            }
        }
        self.producers = states;
    }

    /// Nothing is left of the log.
    pub(crate) fn clear_producers(&mut self) {
        self.drop_snapshots(|_| true);
        self.producers = ProducerStates::new();
    }

    /// Segments before `first` are gone, and their snapshots with them.
    pub(crate) fn drop_snapshots_before(&mut self, first: Offset) {
        self.drop_snapshots(|at| at < first);
    }

    /// The segments' contents have changed: their entries are found anew.
    pub(crate) fn refold_aborted(&mut self) {
        let first = self.segments[0].base;
        let kept = self.snapshots.range(..=first).next_back();
        let mut states = kept.map(|(_, kept)| kept.states.clone()).unwrap_or_default();
        for at in 0..self.segments.len() {
            let segment = &self.segments[at];
            let views = segment.walk_from(segment.base);
            let aborted: Vec<AbortedTransaction> =
                views.filter_map(|(_, view)| fold(&mut states, view)).collect();
            if aborted == segment.aborted() {
                continue;
            }
            let (file, bytes) =
                (segment.names.txn_index.clone(), write_aborted(&aborted));
            self.disk.push_back(match bytes.is_empty() {
                true => DiskOp::Delete { file },
                false => DiskOp::Replace { file, bytes },
            });
            self.segments[at].set_aborted(aborted);
        }
    }

    fn drop_snapshots(&mut self, goes: impl Fn(Offset) -> bool) {
        let going: Vec<Offset> =
            self.snapshots.keys().copied().filter(|at| goes(*at)).collect();
        for at in going {
            if self.snapshots.remove(&at).is_some_and(|kept| kept.is_written) {
                let file = self.snapshot_file(at);
                self.disk.push_back(DiskOp::Delete { file });
            }
        }
    }

    fn snapshot_file(&self, at: Offset) -> FileName {
        format!("{}/{:020}.snapshot", self.partition, at.0).into()
    }

    /// The snapshot file at an offset, if there is one.
    pub(crate) fn written_snapshot(&self, at: Offset) -> Option<FileName> {
        let kept = self.snapshots.get(&at)?;
        kept.is_written.then(|| self.snapshot_file(at))
    }

    /// Folds everything that was found on disk, with what the snapshots there know beyond it,
    /// and writes what is missing.
    pub(crate) fn recover_producers(&mut self, files: &Files) {
        self.snapshots.clear();
        self.producers = ProducerStates::new();
        for at in 0..self.segments.len() {
            let base = self.segments[at].base;
            let stored = files.get(&self.snapshot_file(base));
            let known = stored.and_then(|bytes| ProducerStates::of_snapshot(bytes));
            if let Some(known) = known {
                self.producers.adopt(&known);
            }
            if at > 0 || stored.is_some() {
                self.recover_snapshot(base, stored);
            }
            let segment = &mut self.segments[at];
            let mut aborted = Vec::new();
            for (_, view) in segment.walk_from(base) {
                aborted.extend(fold(&mut self.producers, view));
            }
            segment.set_aborted(aborted);
            self.recover_aborted(at, files);
        }
    }

    fn recover_snapshot(&mut self, base: Offset, stored: Option<&Bytes>) {
        let (is_written, file) = (self.keep_snapshot(base), self.snapshot_file(base));
        let bytes = self.producers.to_snapshot();
        if is_written && stored != Some(&bytes) {
            self.disk.push_back(DiskOp::Replace { file, bytes });
        }
    }

    fn recover_aborted(&mut self, at: usize, files: &Files) {
        let segment = &self.segments[at];
        let (file, bytes) =
            (segment.names.txn_index.clone(), write_aborted(segment.aborted()));
        if !bytes.is_empty() && files.get(&file) != Some(&bytes) {
            self.disk.push_back(DiskOp::Replace { file, bytes });
        }
    }
}

/// Folds one batch. Returns the entry for the transaction that it aborts.
fn fold(states: &mut ProducerStates, view: BatchView<'_>) -> Option<AbortedTransaction> {
    let completed = states.fold_view(view)?;
    let last_stable = states.stable_after(completed);
    let is_aborted = completed.kind == MarkerKind::Abort;
    is_aborted.then(|| AbortedTransaction::new(completed, last_stable))
}
