//! What a disk shows the judge of logs: what an index says, which segments go, and what
//! compaction makes of one (S1 to S4).
//!
//! It is read from the files as they lie there, before and after an operation; of the log in
//! memory nothing is asked.

use std::sync::Arc;

use bytes::Bytes;
use topomotion_log::{Attributes, Batch, Batches, Marker, MarkerKind, MemoryDisk};
use topomotion_wire::DiskOp;

/// Something was done to a file of a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// On whose disk.
    pub process: Arc<str>,
    /// Of which partition.
    pub partition: Arc<str>,
    /// The first offset of the segment, as its files are named.
    pub segment: i64,
    /// What is seen.
    pub what: Filed,
}

/// What is seen of a segment's file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Filed {
    /// The offset index has new entries: these, after the one before them.
    Indexed {
        /// Offsets, each with a position in the segment's file.
        entries: Vec<(i64, u64)>,
        /// The batches from the first entry's position on: position, first and last offset.
        batches: Vec<(u64, i64, i64)>,
    },
    /// The time index has new entries: these, after the one before them.
    TimeIndexed {
        /// Timestamps in ms, each with an offset.
        entries: Vec<(i64, i64)>,
    },
    /// The segment is deleted.
    Gone {
        /// The offset behind its last batch; its own first one if it holds none.
        end: i64,
        /// The segments that are left.
        left: Vec<i64>,
    },
    /// The segment is written anew.
    Rewritten {
        /// What the wall clock of the host shows, in ms.
        wall_ms: i64,
        /// The first offset of the next segment.
        until: i64,
        /// The first offset of the segment that is appended to.
        active: i64,
        /// The whole log as it was.
        before: Vec<StoredBatch>,
        /// The segment as it is.
        after: Vec<StoredBatch>,
    },
}

/// A batch as it lies in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredBatch {
    /// First offset.
    pub base: i64,
    /// Last offset.
    pub last: i64,
    /// Which.
    pub batch: u32,
    /// Its producer's id, if that has one.
    pub producer: Option<i64>,
    /// What it is.
    pub kind: StoredKind,
    /// When what it keeps only for a while may go, in ms of the wall clock.
    pub horizon: Option<i64>,
    /// Its records, in the order in which they lie there.
    pub records: Vec<StoredRecord>,
}

/// What a batch in a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoredKind {
    /// Records.
    Plain,
    /// Records of a transaction.
    InTransaction,
    /// A marker that commits.
    Commit,
    /// A marker that aborts.
    Abort,
    /// Another control record, or a marker of which only the header is left.
    Control,
}

/// A record as it lies in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredRecord {
    /// Where.
    pub offset: i64,
    /// Digest of its key, if it has one.
    pub key: Option<u64>,
    /// Digest of its value; a tombstone has none.
    pub value: Option<u64>,
}

/// What was looked at before an operation, to be completed after it.
#[derive(Debug)]
pub(crate) struct Look {
    file: Arc<str>,
    partition: Arc<str>,
    segment: i64,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    /// So many bytes are appended to an offset index; all of it is new if nobody knows.
    Index(Option<usize>),
    /// The same of a time index.
    TimeIndex(Option<usize>),
    Gone(Filed),
    Rewritten(Vec<StoredBatch>),
}

const ENTRY_BYTES: usize = 8;
const TIME_ENTRY_BYTES: usize = 12;
/// Up to a batch's last offset.
const HEADER_BYTES: usize = 27;

/// Looks at what an operation is about to change, if the judge is to hear of it.
pub(crate) fn look(disk: &MemoryDisk, op: &DiskOp) -> Option<Look> {
    let (file, added) = match op {
        DiskOp::Append { file, bytes } if !bytes.is_empty() => (file, Some(bytes.len())),
        DiskOp::Replace { file, .. } | DiskOp::Truncate { file, .. } => (file, None),
        DiskOp::Delete { file } => (file, None),
        DiskOp::Append { .. } | DiskOp::Flush { .. } => return None,
    };
    let (path, ending) = file.rsplit_once('.')?;
    let is_deleted = matches!(op, DiskOp::Delete { .. });
    let is_replaced = matches!(op, DiskOp::Replace { .. });
    let fits = match ending {
        "index" | "timeindex" => !is_deleted,
        "log" => is_deleted || is_replaced,
        _ => false,
    };
    if !fits {
        return None;
    }
    let (partition, base) = path.rsplit_once('/')?;
    let segment = base.parse().ok()?;
    let kind = match ending {
        "index" => Kind::Index(added),
        "timeindex" => Kind::TimeIndex(added),
        _ if is_replaced => Kind::Rewritten(whole(disk, partition)),
        _ => {
            let stored = batches(&disk.content(file).unwrap_or_default(), 0);
            let end = stored.last().map_or(segment, |batch| batch.2 + 1);
            let left = segments(disk, partition).filter(|it| *it != segment).collect();
            Kind::Gone(Filed::Gone { end, left })
        }
    };
    Some(Look { file: file.clone(), partition: partition.into(), segment, kind })
}

impl Look {
    /// What is seen now that it is done.
    pub(crate) fn done(
        self,
        disk: &MemoryDisk,
        process: &Arc<str>,
        wall_ms: i64,
    ) -> Stored {
        let Look { file, partition, segment, kind } = self;
        let content = || disk.content(&file).unwrap_or_default();
        let newest = |entry, added| newest(disk, &file, entry, added);
        let what = match kind {
            Kind::Gone(gone) => gone,
            Kind::TimeIndex(added) => {
                let new = newest(TIME_ENTRY_BYTES, added);
                let entry =
                    |bytes: &[u8]| (long(bytes), segment + i64::from(int(&bytes[8..])));
                let entries = new.chunks_exact(TIME_ENTRY_BYTES).map(entry).collect();
                Filed::TimeIndexed { entries }
            }
            Kind::Index(added) => {
                let new = newest(ENTRY_BYTES, added);
                let entry = |bytes: &[u8]| {
                    let position = u64::from(int(&bytes[4..]).cast_unsigned());
                    (segment + i64::from(int(bytes)), position)
                };
                let entries: Vec<(i64, u64)> =
                    new.chunks_exact(ENTRY_BYTES).map(entry).collect();
                let from = entries.first().map_or(0, |(_, position)| *position);
                let log = format!("{partition}/{segment:020}.log");
                let log = disk.content_from(&log, from).unwrap_or_default();
                let batches = batches(&log, from);
                Filed::Indexed { entries, batches }
            }
            Kind::Rewritten(before) => {
                let all: Vec<i64> = segments(disk, &partition).collect();
                let active = all.last().copied().unwrap_or(segment);
                let until = all.iter().find(|it| **it > segment).copied();
                let (until, after) = (until.unwrap_or(i64::MAX), stored(content()));
                Filed::Rewritten { wall_ms, until, active, before, after }
            }
        };
        Stored { process: process.clone(), partition, segment, what }
    }
}

/// The last bytes of an index: what was added, and the entry before.
fn newest(disk: &MemoryDisk, file: &str, entry: usize, added: Option<usize>) -> Bytes {
    let known = |added| disk.len_bytes(file).saturating_sub((added + entry) as u64);
    disk.content_from(file, added.map_or(0, known)).unwrap_or_default()
}

fn int(bytes: &[u8]) -> i32 {
    bytes.first_chunk().map_or(0, |it| i32::from_be_bytes(*it))
}

fn long(bytes: &[u8]) -> i64 {
    bytes.first_chunk().map_or(0, |it| i64::from_be_bytes(*it))
}

/// The batches of what a segment's file holds from a position on: position, first and last
/// offset.
fn batches(log: &Bytes, from: u64) -> Vec<(u64, i64, i64)> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(header) = log.get(at..).filter(|rest| rest.len() >= HEADER_BYTES) {
        let (base, last) = (long(header), i64::from(int(&header[23..])));
        found.push((from + at as u64, base, base.saturating_add(last)));
        let Ok(length) = usize::try_from(int(&header[8..])) else { break };
        at = at.saturating_add(12 + length);
    }
    found
}

/// The first offsets of a partition's segments.
fn segments<'a>(
    disk: &'a MemoryDisk,
    partition: &'a str,
) -> impl Iterator<Item = i64> + 'a {
    logs(disk, partition).into_iter().map(|(base, _)| base)
}

fn logs(disk: &MemoryDisk, partition: &str) -> Vec<(i64, Arc<str>)> {
    let folder = format!("{partition}/");
    let base = |name: &Arc<str>| {
        let base = name.strip_prefix(&*folder)?.strip_suffix(".log")?;
        Some((base.parse().ok()?, name.clone()))
    };
    disk.names_in(&folder).filter_map(base).collect()
}

fn whole(disk: &MemoryDisk, partition: &str) -> Vec<StoredBatch> {
    let files = logs(disk, partition).into_iter();
    files.flat_map(|(_, file)| stored(disk.content(&file).unwrap_or_default())).collect()
}

fn stored(content: Bytes) -> Vec<StoredBatch> {
    Batches::new(content).map_while(Result::ok).map(|batch| one(&batch)).collect()
}

fn one(batch: &Batch) -> StoredBatch {
    let attributes = batch.attributes();
    let in_transaction = attributes.contains(Attributes::TRANSACTIONAL);
    let kind = match Marker::of_batch(batch).map(|marker| marker.kind) {
        Some(MarkerKind::Commit) => StoredKind::Commit,
        Some(MarkerKind::Abort) => StoredKind::Abort,
        None if batch.is_control() => StoredKind::Control,
        None if in_transaction => StoredKind::InTransaction,
        None => StoredKind::Plain,
    };
    let records = batch.records().into_iter().flatten().map_while(Result::ok);
    let records = records.map(|record| StoredRecord {
        offset: record.offset.0,
        key: record.key.as_deref().map(digest),
        value: record.value.as_deref().map(digest),
    });
    StoredBatch {
        base: batch.base_offset().0,
        last: batch.last_offset().0,
        batch: batch.id().0,
        producer: batch.producer().map(|stamp| stamp.id),
        kind,
        horizon: batch.delete_horizon(),
        records: records.collect(),
    }
}

/// FNV-1a.
fn digest(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use topomotion_log::{Disk, Log, LogConfig, RecordRef, encode_batch};
    use topomotion_wire::{LeaderEpoch, Offset, TopicPartition};

    use super::*;

    /// Does what a log wants done on a disk, and tells what is seen of it.
    fn settle(log: &mut Log, disk: &mut MemoryDisk) -> Vec<Filed> {
        let mut seen = Vec::new();
        while let Some(op) = log.poll_disk() {
            let look = look(disk, &op);
            disk.apply(op).expect("the disk works");
            let done = look.map(|look| look.done(disk, &"broker-1".into(), 7));
            seen.extend(done.map(|stored| stored.what));
        }
        seen
    }

    fn append(log: &mut Log, key: &[u8], value: Option<&[u8]>) {
        let record = RecordRef { key: Some(key), value, ..RecordRef::default() };
        log.append_as_leader(encode_batch([record]), LeaderEpoch(0)).expect("good");
    }

    fn log(config: LogConfig) -> Log {
        Log::new(TopicPartition::new("orders", 0), config)
    }

    #[test]
    fn an_entry_of_an_index_is_seen_with_the_batch_that_it_names() {
        let config = LogConfig { index_interval_bytes: 1, ..LogConfig::default() };
        let (mut log, mut disk) = (log(config), MemoryDisk::default());
        (0..3).for_each(|_| append(&mut log, b"k", Some(b"v")));
        let seen = settle(&mut log, &mut disk);
        let Some(Filed::Indexed { entries, batches }) = seen.last() else {
            panic!("{seen:?}");
        };
        let [(1, first), (2, second)] = entries[..] else { panic!("{entries:?}") };
        assert_eq!(*batches, [(first, 1, 1), (second, 2, 2)]);
    }

    #[test]
    fn a_segment_that_retention_deletes_is_seen_with_its_end_and_the_others() {
        let config = LogConfig {
            segment_bytes: 1,
            retention_bytes: Some(0),
            ..LogConfig::default()
        };
        let (mut log, mut disk) = (log(config), MemoryDisk::default());
        (0..3).for_each(|_| append(&mut log, b"k", Some(b"v")));
        settle(&mut log, &mut disk);
        log.delete_old_segments(0, Offset(2));
        let gone = |end, left: &[i64]| Filed::Gone { end, left: left.to_vec() };
        let seen = settle(&mut log, &mut disk);
        assert_eq!(seen, [gone(1, &[1, 2]), gone(2, &[2])]);
    }

    #[test]
    fn a_segment_that_is_compacted_is_seen_as_it_was_and_as_it_is() {
        let config = LogConfig {
            segment_bytes: 160,
            compaction: Some(topomotion_log::Compaction::default()),
            ..LogConfig::default()
        };
        let (mut log, mut disk) = (log(config), MemoryDisk::default());
        (0..5).for_each(|_| append(&mut log, b"k", Some(b"v")));
        settle(&mut log, &mut disk);
        log.compact(0, log.end_offset()).expect("can be read").expect("dirty");
        let seen = settle(&mut log, &mut disk);
        let kept = |batches: &[StoredBatch]| -> Vec<i64> {
            batches.iter().flat_map(|it| &it.records).map(|it| it.offset).collect()
        };
        let rounds: Vec<(Vec<i64>, Vec<i64>)> = seen
            .iter()
            .filter_map(|filed| match filed {
                Filed::Rewritten { before, after, wall_ms: 7, active: 4, .. } => {
                    Some((kept(before), kept(after)))
                }
                _ => None,
            })
            .collect();
        let [(first, nothing), (second, last)] = &rounds[..] else { panic!("{seen:?}") };
        assert_eq!((&first[..], &nothing[..]), (&[0, 1, 2, 3, 4][..], &[][..]));
        assert_eq!((&second[..], &last[..]), (&[2, 3, 4][..], &[3][..]));
    }
}
