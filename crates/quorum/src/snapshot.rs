//! Snapshots of the metadata: everything that the log's first records add up to, in a file of
//! its own, so that the log may forget them (KIP-630).
//!
//! A snapshot is a run of batches like the log itself: a header with the voter set, the
//! owner's records, a footer. One without a footer was cut off while it was written, and
//! counts for nothing.

use std::fmt;

use bytes::{Bytes, BytesMut};
use topomotion_log::{BatchBuilder, Batches, RecordRef};
use topomotion_wire::{FileName, LeaderEpoch, Offset};

use crate::control::{self, ControlBatch};
use crate::voters::VoterSet;

const FOLDER: &str = "__cluster_metadata-0/";
const SUFFIX: &str = ".checkpoint";

/// Which snapshot: it stands for every record before `end`, the last of which was written in
/// `epoch`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SnapshotId {
    /// The first offset that it does not cover.
    pub end: Offset,
    /// The epoch of the last record that it covers.
    pub epoch: LeaderEpoch,
}

impl fmt::Display for SnapshotId {
    /// As in Kafka's file names.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:020}-{:010}", self.end.0, self.epoch.0)
    }
}

impl SnapshotId {
    pub(crate) fn file(self) -> FileName {
        FileName::from(format!("{FOLDER}{self}{SUFFIX}"))
    }

    pub(crate) fn of_file(name: &str) -> Option<SnapshotId> {
        let stem = name.strip_prefix(FOLDER)?.strip_suffix(SUFFIX)?;
        let (end, epoch) = stem.split_once('-')?;
        let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if (end.len(), epoch.len()) != (20, 10) || !all_digits(end) || !all_digits(epoch)
        {
            return None;
        }
        let (end, epoch) = (end.parse().ok()?, epoch.parse().ok()?);
        Some(SnapshotId { end: Offset(end), epoch: LeaderEpoch(epoch) })
    }
}

/// What a snapshot says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Contents {
    /// The voter set, where the log records one.
    pub(crate) voters: Option<VoterSet>,
    /// The owner's records.
    pub(crate) records: Vec<Bytes>,
}

impl Contents {
    /// The snapshot's bytes.
    pub(crate) fn encode(&self, epoch: LeaderEpoch, timestamp: i64) -> Bytes {
        let mut header = ControlBatch::new(timestamp).with_snapshot_header();
        if let Some(voters) = &self.voters {
            header = header.with_kraft_version().with_voters(voters);
        }
        let mut builders = vec![header.into_builder()];
        if !self.records.is_empty() {
            let mut builder = BatchBuilder::new();
            for value in &self.records {
                let value = Some(&value[..]);
                builder.push(&RecordRef { timestamp, value, ..RecordRef::default() });
            }
            builders.push(builder);
        }
        let footer = ControlBatch::new(timestamp).with_snapshot_footer();
        builders.push(footer.into_builder());
        let (mut bytes, mut base) = (BytesMut::new(), Offset(0));
        for builder in builders {
            let batch = builder.build().placed(base, epoch);
            base = batch.next_offset();
            bytes.extend_from_slice(batch.bytes());
        }
        bytes.freeze()
    }

    /// Reads a snapshot. `None` if it is damaged, or not whole.
    pub(crate) fn decode(bytes: &Bytes) -> Option<Contents> {
        let batches = Batches::new(bytes.clone()).collect::<Result<Vec<_>, _>>().ok()?;
        let (header, footer) = (batches.first()?, batches.last()?);
        if !control::is_snapshot_header(header) || !control::is_snapshot_footer(footer) {
            return None;
        }
        let voters = control::voters_in(header).pop().map(|(_, set)| set);
        let mut records = Vec::new();
        for batch in batches.iter().filter(|batch| !batch.is_control()) {
            for record in batch.records().ok()? {
                records.push(record.ok()?.value.unwrap_or_default());
            }
        }
        Some(Contents { voters, records })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use topomotion_wire::NodeId;

    fn sample() -> Contents {
        let voters = VoterSet::new([(NodeId(1), None), (NodeId(2), None)]);
        let records = vec![Bytes::from_static(b"a"), Bytes::from_static(b"b")];
        Contents { voters: Some(voters), records }
    }

    #[test]
    fn what_was_written_is_read() {
        let bytes = sample().encode(LeaderEpoch(3), 17);
        assert_eq!(Contents::decode(&bytes), Some(sample()));
        let empty = Contents { voters: None, records: Vec::new() };
        let bytes = empty.encode(LeaderEpoch(0), 0);
        assert_eq!(Contents::decode(&bytes), Some(empty));
    }

    #[test]
    fn a_snapshot_that_is_not_whole_counts_for_nothing() {
        let bytes = sample().encode(LeaderEpoch(3), 17);
        for len in 0..bytes.len() {
            assert_eq!(Contents::decode(&bytes.slice(..len)), None, "{len} bytes");
        }
    }

    #[test]
    fn the_file_says_which_snapshot_it_is() {
        let id = SnapshotId { end: Offset(42), epoch: LeaderEpoch(7) };
        let file = id.file();
        let name = "__cluster_metadata-0/00000000000000000042-0000000007.checkpoint";
        assert_eq!(&*file, name);
        assert_eq!(SnapshotId::of_file(&file), Some(id));
        for other in ["", "__cluster_metadata-0/1-2.checkpoint", "quorum-state"] {
            assert_eq!(SnapshotId::of_file(other), None);
        }
    }
}
