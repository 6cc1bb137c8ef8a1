//! What a broker finds on its disk at start, and the small files it keeps there beside its
//! logs, in Kafka's formats.
//!
//! `partition.metadata` ties a folder to a topic id, so that a topic that was deleted and
//! created again does not inherit its predecessor's records. The checkpoints hold the high
//! watermarks, the recovery points and the log starts; they are written now and then, and may
//! be behind. Only a recovery point must never be ahead of what is durable, so one that goes
//! back with a cut is written at once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use topomotion_log::checkpoint::{
    self, CLEANED, LOG_STARTS, Offsets, RECOVERY_POINTS, REPLICATION_OFFSETS,
};
use topomotion_log::{Checkpointed, Log, LogConfig};
use topomotion_quorum::METADATA_TOPIC;
use topomotion_wire::{Defect, DiskOp, FileName, Files, Offset, TopicId, TopicPartition};

use crate::replica::Replica;

/// A log that survived, before anybody knows what it is for.
#[derive(Debug, Clone)]
pub(crate) struct Survivor {
    pub(crate) log: Log,
    pub(crate) owner: Owner,
    pub(crate) high_watermark: Offset,
    /// Its files, should it have to go.
    pub(crate) files: Vec<FileName>,
}

/// Whose log it is, as its folder says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Owner {
    /// Nobody's: it does not say.
    Nobody,
    /// It says something that nobody can read. That is no reason to throw records away.
    Unreadable,
    /// That of this topic.
    Topic(TopicId),
}

/// Every partition log in `files`.
pub(crate) fn recover(files: &Files) -> BTreeMap<TopicPartition, Survivor> {
    let watermarks = read_offsets(files, REPLICATION_OFFSETS);
    let recovery_points = read_offsets(files, RECOVERY_POINTS);
    let starts = read_offsets(files, LOG_STARTS);
    let cleaned = read_offsets(files, CLEANED);
    let folders: BTreeSet<TopicPartition> =
        files.keys().filter_map(|name| partition_of(name)).collect();
    let survivor = |id: TopicPartition| {
        let checkpointed = Checkpointed {
            recovery_point: recovery_points.get(&id).copied().unwrap_or_default(),
            start: starts.get(&id).copied().unwrap_or_default(),
            cleaned: cleaned.get(&id).copied().unwrap_or_default(),
        };
        let config = LogConfig::default();
        let mut log = Log::recover_from(id.clone(), config, files, checkpointed);
        if Defect::RecoverHole.is_sown() && log.end_offset() > log.start_offset() {
            log.truncate_to(Offset(log.end_offset().0 - 1));
        }
        let high_watermark = watermarks.get(&id).copied().unwrap_or(log.start_offset());
        let label = files.get(metadata_file(&id).as_str());
        let owner = label.map_or(Owner::Nobody, |bytes| {
            checkpoint::read_topic_id(bytes).map_or(Owner::Unreadable, Owner::Topic)
        });
        let is_its = |name: &&FileName| partition_of(name).as_ref() == Some(&id);
        let files = files.keys().filter(is_its).cloned().collect();
        (id.clone(), Survivor { log, owner, high_watermark, files })
    };
    folders.into_iter().map(survivor).collect()
}

/// Ties a partition's folder to its topic.
pub(crate) fn write_topic_id(partition: &TopicPartition, id: TopicId) -> DiskOp {
    let bytes = checkpoint::write_topic_id(id);
    DiskOp::Replace { file: metadata_file(partition).into(), bytes }
}

/// All high watermarks.
pub(crate) fn write_watermarks(replicas: &BTreeMap<TopicPartition, Replica>) -> DiskOp {
    let offsets = replicas.iter().map(|(id, it)| (id, it.high_watermark()));
    let bytes = checkpoint::write_offsets(offsets);
    DiskOp::Replace { file: REPLICATION_OFFSETS.into(), bytes }
}

/// All recovery points.
pub(crate) fn write_recovery_points(
    replicas: &BTreeMap<TopicPartition, Replica>,
) -> DiskOp {
    let offsets = replicas.iter().map(|(id, it)| (id, it.log().recovery_point()));
    let bytes = checkpoint::write_offsets(offsets);
    DiskOp::Replace { file: RECOVERY_POINTS.into(), bytes }
}

/// Up to where logs have been compacted, of those that have been.
pub(crate) fn write_cleaned(replicas: &BTreeMap<TopicPartition, Replica>) -> DiskOp {
    let cleaned = |(id, it): (_, &Replica)| {
        let cleaned = it.log().cleaned_up_to();
        (cleaned > it.log().start_offset()).then_some((id, cleaned))
    };
    let bytes = checkpoint::write_offsets(replicas.iter().filter_map(cleaned));
    DiskOp::Replace { file: CLEANED.into(), bytes }
}

/// The starts of the logs whose files do not say it.
pub(crate) fn write_starts(replicas: &BTreeMap<TopicPartition, Replica>) -> DiskOp {
    let start = |(id, it): (_, &Replica)| Some((id, it.log().start_to_checkpoint()?));
    let bytes = checkpoint::write_offsets(replicas.iter().filter_map(start));
    DiskOp::Replace { file: LOG_STARTS.into(), bytes }
}

/// A damaged checkpoint counts as none.
fn read_offsets(files: &Files, name: &str) -> Offsets {
    let bytes = files.get(name);
    bytes.and_then(|bytes| checkpoint::read_offsets(bytes)).unwrap_or_default()
}

/// The partition in whose folder a file lies.
fn partition_of(name: &str) -> Option<TopicPartition> {
    let (folder, _) = name.split_once('/')?;
    let (topic, partition) = folder.rsplit_once('-')?;
    let partition: i32 = partition.parse().ok()?;
    (topic != METADATA_TOPIC && partition >= 0)
        .then(|| TopicPartition::new(Arc::from(topic), partition))
}

fn metadata_file(partition: &TopicPartition) -> String {
    format!("{partition}/partition.metadata")
}

#[cfg(test)]
mod tests {
    use topomotion_wire::Bytes;
    use uuid::Uuid;

    use super::*;

    fn found(checkpoint: &'static [u8]) -> (TopicPartition, TopicId, Survivor) {
        let id = TopicPartition::new("a-b", 3);
        let topic_id = TopicId(Uuid::from_u128(77));
        let DiskOp::Replace { file, bytes } = write_topic_id(&id, topic_id) else {
            panic!("replaces")
        };
        let files = Files::from([
            (file, bytes),
            ("__cluster_metadata-0/00000000000000000000.log".into(), Bytes::new()),
            ("noise".into(), Bytes::from_static(b"\xff")),
            (LOG_STARTS.into(), Bytes::from_static(checkpoint)),
        ]);
        let mut found = recover(&files);
        assert_eq!(found.keys().collect::<Vec<_>>(), [&id]);
        let survivor = found.remove(&id).expect("just seen");
        (id, topic_id, survivor)
    }

    #[test]
    fn a_folder_says_which_topic_it_belongs_to() {
        let (_, topic_id, survivor) = found(b"0\n1\na-b 3 0\nnonsense\n");
        assert_eq!(survivor.owner, Owner::Topic(topic_id));
        assert_eq!(
            survivor.log.start_offset(),
            Offset(0),
            "a damaged checkpoint is none"
        );
    }

    #[test]
    fn a_label_that_nobody_can_read_is_another_thing_than_none() {
        let id = TopicPartition::new("a", 0);
        let log = ("a-0/00000000000000000000.log".into(), Bytes::new());
        let mut files = Files::from([log]);
        assert_eq!(recover(&files)[&id].owner, Owner::Nobody);
        files.insert(metadata_file(&id).into(), Bytes::from_static(b"\xff\xfe"));
        assert_eq!(recover(&files)[&id].owner, Owner::Unreadable);
    }

    #[test]
    fn a_log_starts_where_the_checkpoint_says() {
        let (id, topic_id, survivor) = found(b"0\n1\na-b 3 40\n");
        assert_eq!(survivor.log.start_offset(), Offset(40));
        let (log, watermark) = (survivor.log, survivor.high_watermark);
        let replica = Replica::new(id.clone(), topic_id, log, watermark);
        assert_eq!(replica.high_watermark(), Offset(40));
        let replicas = BTreeMap::from([(id, replica)]);
        let text = |op| match op {
            DiskOp::Replace { bytes, .. } => bytes,
            other => panic!("{other:?}"),
        };
        assert_eq!(&text(write_watermarks(&replicas))[..], b"0\n1\na-b 3 40\n");
        assert_eq!(&text(write_recovery_points(&replicas))[..], b"0\n1\na-b 3 40\n");
        assert_eq!(&text(write_starts(&replicas))[..], b"0\n0\n", "the file is named so");
    }
}
