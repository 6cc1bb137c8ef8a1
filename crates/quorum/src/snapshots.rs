//! The snapshots that a member keeps: made by its owner, fetched from its leader, found on its
//! disk; and the log before them, which goes when it takes too much room.
//!
//! Whatever happens to the power, either the log or a whole snapshot holds every committed
//! record: a log is cut at its start only when the snapshot that ends there is on disk, and
//! the old file goes when the new one is on disk.

use std::collections::BTreeMap;

use topomotion_log::Log;
use topomotion_wire::{
    Bytes, Defect, DiskOp, FileName, Files, FlushToken, Instant, LeaderEpoch, Offset,
    Rule,
};

use crate::durable::Durable;
use crate::messages::metadata_partition;
use crate::quorum::log_config;
use crate::role::Role;
use crate::snapshot::{Contents, SnapshotId};
use crate::{Quorum, QuorumOutput};

/// A member's snapshots, oldest first.
#[derive(Debug, Clone, Default)]
pub(crate) struct Snapshots {
    kept: BTreeMap<SnapshotId, Bytes>,
    /// On its way to the disk; with what becomes of it then.
    writing: Option<(FlushToken, SnapshotId, Purpose)>,
    /// Log files that may go as soon as the flush of their successor is done.
    leaving: Vec<(FlushToken, FileName)>,
}

/// Why a snapshot is written.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Purpose {
    /// The owner made it: the log may then be cut.
    Made,
    /// The leader sent it: it then takes the place of the log.
    Fetched { bytes: Bytes, contents: Contents },
}

impl Snapshots {
    pub(crate) fn latest(&self) -> Option<SnapshotId> {
        self.kept.keys().next_back().copied()
    }

    pub(crate) fn get(&self, id: SnapshotId) -> Option<&Bytes> {
        self.kept.get(&id)
    }

    pub(crate) fn is_writing(&self) -> bool {
        self.writing.is_some()
    }

    fn ending_at(&self, end: Offset) -> Option<SnapshotId> {
        self.kept.keys().copied().find(|id| id.end == end)
    }
}

/// What a member finds on its disk.
pub(crate) struct Found {
    pub(crate) log: Log,
    pub(crate) snapshots: Snapshots,
    /// The latest snapshot's contents.
    pub(crate) contents: Option<Contents>,
    /// Files that are of no use any more.
    pub(crate) useless: Vec<FileName>,
}

/// Reads the log and the snapshots that survived. Two logs survive when the power failed
/// while one took the place of the other; the one that knows more is the true one.
pub(crate) fn recover(files: &Files) -> Found {
    let mut useless = Vec::new();
    let mut kept = BTreeMap::new();
    let mut contents = None;
    for (name, bytes) in files {
        let Some(id) = SnapshotId::of_file(name) else { continue };
        match Contents::decode(bytes) {
            Some(read) => {
                kept.insert(id, bytes.clone());
                contents = Some(read);
            }
            None => useless.push(name.clone()),
        }
    }
    let snapshots = Snapshots { kept, ..Snapshots::default() };
    let bases: Vec<(Offset, &FileName)> =
        files.keys().filter_map(|name| Some((base_of(name)?, name))).collect();
    let mut best: Option<(Log, FileName)> = None;
    for (base, name) in bases {
        let others = |other: &FileName| other == name || base_of(other).is_none();
        let own = files.iter().filter(|(other, _)| others(other));
        let own: Files = own.map(|(name, bytes)| (name.clone(), bytes.clone())).collect();
        let log = Log::recover(metadata_partition(), log_config(), &own);
        let is_rooted = base == Offset(0) || snapshots.ending_at(base).is_some();
        let reach = |log: &Log| (log.last_epoch(), log.end_offset());
        let is_better = best.as_ref().is_none_or(|(best, _)| reach(best) <= reach(&log));
        if is_rooted && is_better {
            useless.extend(best.replace((log, name.clone())).map(|(_, name)| name));
        } else {
            useless.push(name.clone());
        }
    }
    let log = best.map(|(log, _)| log);
    let log = log.unwrap_or_else(|| Log::new(metadata_partition(), log_config()));
    Found { log, snapshots, contents, useless }
}

fn base_of(name: &str) -> Option<Offset> {
    let stem = name.strip_prefix("__cluster_metadata-0/")?.strip_suffix(".log")?;
    stem.parse().ok().map(Offset)
}

impl Quorum {
    /// Keeps `records` as what everything before `end` adds up to. Returns nothing, and does
    /// nothing, if that is not all committed yet, or not more than the latest snapshot, or if
    /// one is being written already.
    ///
    /// When log and snapshots have grown too large, the log then begins later.
    pub fn snapshot(
        &mut self,
        now: Instant,
        end: Offset,
        records: Vec<Bytes>,
    ) -> Option<SnapshotId> {
        let latest = self.snapshots.latest().map(|id| id.end).unwrap_or_default();
        let is_due = end > latest && end <= self.high_watermark();
        if self.halted.is_some() || !is_due || self.snapshots.writing.is_some() {
            return None;
        }
        let epoch = self.log.epochs().epoch_at(Offset(end.0 - 1))?;
        let id = SnapshotId { end, epoch };
        let voters = self.voters.recorded_before(end).cloned();
        let bytes = Contents { voters, records }.encode(epoch, now.as_millis() as i64);
        self.snapshots.kept.insert(id, bytes.clone());
        self.write_snapshot(id, bytes, Purpose::Made);
        Some(id)
    }

    /// The latest snapshot, with its owner's records.
    pub fn snapshot_records(&self) -> Option<(SnapshotId, Vec<Bytes>)> {
        let id = self.snapshots.latest()?;
        let contents = Contents::decode(self.snapshots.get(id)?)?;
        Some((id, contents.records))
    }

    /// Every snapshot that is kept, oldest first.
    pub fn snapshots(&self) -> impl Iterator<Item = SnapshotId> {
        self.snapshots.kept.keys().copied()
    }

    /// The latest snapshot, if there is one.
    pub fn latest_snapshot(&self) -> Option<SnapshotId> {
        self.snapshots.latest()
    }

    fn write_snapshot(&mut self, id: SnapshotId, bytes: Bytes, purpose: Purpose) {
        let file = id.file();
        let replace = DiskOp::Replace { file: file.clone(), bytes };
        self.outbox.push(QuorumOutput::Disk(replace));
        let token = self.outbox.flush(file);
        self.snapshots.writing = Some((token, id, purpose));
    }

    /// A whole snapshot has come from the leader. It takes the log's place when it is on disk.
    pub(crate) fn install(&mut self, id: SnapshotId, bytes: Bytes, contents: Contents) {
        let purpose = Purpose::Fetched { bytes: bytes.clone(), contents };
        self.write_snapshot(id, bytes, purpose);
    }

    /// A flush is done: goes on with what waited for it.
    pub(crate) fn snapshot_flushed(&mut self, now: Instant, token: FlushToken) {
        let ready = self.snapshots.leaving.extract_if(.., |(waits, _)| *waits == token);
        for (_, file) in ready.collect::<Vec<_>>() {
            self.outbox.push(QuorumOutput::Disk(DiskOp::Delete { file }));
        }
        let is_it = |writing: &mut (FlushToken, SnapshotId, Purpose)| writing.0 == token;
        match self.snapshots.writing.take_if(is_it) {
            None => {}
            Some((_, _, Purpose::Made)) => self.drop_oldest(),
            Some((_, id, Purpose::Fetched { bytes, contents })) => {
                self.take_place_of_log(now, id, bytes, contents);
            }
        }
    }

    fn take_place_of_log(
        &mut self,
        now: Instant,
        id: SnapshotId,
        bytes: Bytes,
        contents: Contents,
    ) {
        let is_follower = matches!(self.role, Role::Follower(_));
        if !is_follower || id.end <= self.high_watermark() {
            // A leader has everything committed: it never loads a snapshot (K8).
            let file = id.file();
            self.outbox.push(QuorumOutput::Disk(DiskOp::Delete { file }));
        } else {
            self.snapshots.kept.insert(id, bytes);
            self.begin_log_at(id);
            self.voters.restart(id.end, contents.voters);
            self.mark(Rule::Raft6);
            self.high_watermark = Some(id.end);
            self.outbox.push(QuorumOutput::SnapshotLoaded { snapshot: id });
        }
        if let Role::Follower(following) = &mut self.role {
            following.fetch.succeeded(now);
        }
    }

    /// Throws the log away: `id` says all that it would have to.
    pub(crate) fn begin_log_at(&mut self, id: SnapshotId) {
        self.log.restart_at(id.end);
        self.drain_log();
        let token = self.outbox.flush(self.log.active_file());
        self.log_flushes.clear();
        self.log_flushes.push((token, id.end));
        self.flushed_end = id.end;
    }

    /// Drops the oldest snapshot, and the log before the next one, while both take too much
    /// room. One snapshot always stays.
    fn drop_oldest(&mut self) {
        loop {
            let mut ids = self.snapshots.kept.keys().copied();
            let (Some(oldest), Some(next)) = (ids.next(), ids.next()) else { return };
            if self.size_bytes() <= self.config.max_retention_bytes {
                return;
            }
            self.snapshots.kept.remove(&oldest);
            if Defect::TrimWithoutSnapshot.is_sown() {
                self.snapshots.kept.remove(&next);
            }
            self.outbox.push(QuorumOutput::Disk(DiskOp::Delete { file: oldest.file() }));
            if next.end > self.log.start_offset() {
                self.cut_start(next.end);
            }
        }
    }

    fn size_bytes(&self) -> u64 {
        let batches = self.log.batches(self.log.start_offset(), self.log.end_offset());
        let log: usize = batches.map(|batch| batch.len_bytes()).sum();
        let snapshots: usize = self.snapshots.kept.values().map(Bytes::len).sum();
        (log + snapshots) as u64
    }

    /// The log begins at `start` from now on: a file of its own for the rest of it, and the
    /// old one goes when that is on disk.
    fn cut_start(&mut self, start: Offset) {
        let end = self.log.end_offset();
        let mut rest = bytes::BytesMut::new();
        for batch in self.log.batches(start, end) {
            rest.extend_from_slice(batch.bytes());
        }
        self.log.restart_at(start);
        let kept = self.log.append_as_follower(rest.freeze());
        kept.expect("these batches were in the log before");
        let mut leaving = Vec::new();
        while let Some(op) = self.log.poll_disk() {
            match op {
                DiskOp::Delete { file } => leaving.push(file),
                op => self.outbox.push(QuorumOutput::Disk(op)),
            }
        }
        let token = self.outbox.flush(self.log.active_file());
        self.log_flushes.push((token, end));
        self.snapshots.leaving.extend(leaving.into_iter().map(|file| (token, file)));
    }

    /// What is known at the start from the snapshots on disk.
    pub(crate) fn load_found(&mut self, found_contents: Option<Contents>) {
        let (Some(id), Some(contents)) = (self.snapshots.latest(), found_contents) else {
            return;
        };
        // The same record at the same place means the same history before it.
        let agrees = self.log.end_offset() >= id.end && {
            let last = self.log.epochs().epoch_at(Offset(id.end.0 - 1));
            self.log.start_offset() == id.end || last == Some(id.epoch)
        };
        if agrees {
            self.voters.restart(id.end, contents.voters);
        } else {
            self.begin_log_at(id);
            self.voters.restart(id.end, contents.voters);
        }
        self.high_watermark = Some(id.end);
        self.outbox.push(QuorumOutput::SnapshotLoaded { snapshot: id });
    }

    /// The epoch of the last record, 0 while there is none.
    pub(crate) fn last_epoch(&self) -> LeaderEpoch {
        let before_log = || {
            let id = self.snapshots.ending_at(self.log.start_offset())?;
            Some(id.epoch)
        };
        self.log.last_epoch().or_else(before_log).unwrap_or_default()
    }

    /// The snapshot that ends where the log begins, if the log does not begin at 0.
    pub(crate) fn snapshot_at_log_start(&self) -> Option<SnapshotId> {
        self.snapshots.ending_at(self.log.start_offset())
    }

    /// The state that a disk without a state file implies.
    pub(crate) fn epoch_floor(&self, durable: Durable) -> Durable {
        let last = topomotion_wire::QuorumEpoch(self.last_epoch().0);
        if last > durable.epoch {
            Durable { epoch: last, voted: None, leader: None }
        } else {
            durable
        }
    }
}
