//! What a broker finds on its disk at start, and the two small files it keeps there beside
//! its logs.
//!
//! `partition.metadata` ties a folder to a topic id, so that a topic that was deleted and
//! created again does not inherit its predecessor's records. `replication-offset-checkpoint`
//! holds the high watermarks; it is written now and then, and may be behind.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

use topomotion_log::{Log, LogConfig};
use topomotion_quorum::METADATA_TOPIC;
use topomotion_wire::{Bytes, DiskOp, FileName, Files, Offset, TopicId, TopicPartition};
use uuid::Uuid;

use crate::replica::Replica;

const CHECKPOINT: &str = "replication-offset-checkpoint";

/// A log that survived, before anybody knows what it is for.
#[derive(Debug)]
pub(crate) struct Survivor {
    pub(crate) log: Log,
    pub(crate) topic_id: Option<TopicId>,
    pub(crate) high_watermark: Offset,
    /// Its files, should it have to go.
    pub(crate) files: Vec<FileName>,
}

/// Every partition log in `files`.
pub(crate) fn recover(files: &Files) -> BTreeMap<TopicPartition, Survivor> {
    let watermarks = read_watermarks(files);
    let folders: BTreeSet<TopicPartition> =
        files.keys().filter_map(|name| partition_of(name)).collect();
    let survivor = |id: TopicPartition| {
        let log = Log::recover(id.clone(), LogConfig::default(), files);
        let high_watermark = watermarks.get(&id).copied().unwrap_or(log.start_offset());
        let topic_id = files.get(metadata_file(&id).as_str()).and_then(read_topic_id);
        let is_its = |name: &&FileName| partition_of(name).as_ref() == Some(&id);
        let files = files.keys().filter(is_its).cloned().collect();
        (id.clone(), Survivor { log, topic_id, high_watermark, files })
    };
    folders.into_iter().map(survivor).collect()
}

/// Ties a partition's folder to its topic.
pub(crate) fn write_topic_id(partition: &TopicPartition, id: TopicId) -> DiskOp {
    let text = format!("version: 0\ntopic_id: {}\n", id.0);
    DiskOp::Replace { file: metadata_file(partition).into(), bytes: Bytes::from(text) }
}

/// All high watermarks, in Kafka's checkpoint format: version, count, one line each.
pub(crate) fn write_watermarks(replicas: &BTreeMap<TopicPartition, Replica>) -> DiskOp {
    let mut text = format!("0\n{}\n", replicas.len());
    for (id, replica) in replicas {
        let line =
            writeln!(text, "{} {} {}", id.topic, id.partition, replica.high_watermark());
        line.expect("a string takes whatever is written to it");
    }
    DiskOp::Replace { file: CHECKPOINT.into(), bytes: Bytes::from(text) }
}

fn read_watermarks(files: &Files) -> BTreeMap<TopicPartition, Offset> {
    let text = files.get(CHECKPOINT).and_then(|bytes| std::str::from_utf8(bytes).ok());
    let line = |line: &str| {
        let mut words = line.split(' ');
        let (topic, partition, offset) = (words.next()?, words.next()?, words.next()?);
        let id = TopicPartition::new(Arc::from(topic), partition.parse().ok()?);
        Some((id, Offset(offset.parse().ok()?)))
    };
    text.into_iter().flat_map(|text| text.lines().skip(2)).filter_map(line).collect()
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

fn read_topic_id(bytes: &Bytes) -> Option<TopicId> {
    let text = std::str::from_utf8(bytes).ok()?;
    let id = text.lines().find_map(|line| line.strip_prefix("topic_id: "))?;
    Uuid::parse_str(id).ok().map(TopicId)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_says_which_topic_it_belongs_to() {
        let id = TopicPartition::new("a-b", 3);
        let topic_id = TopicId(Uuid::from_u128(77));
        let DiskOp::Replace { file, bytes } = write_topic_id(&id, topic_id) else {
            panic!("replaces")
        };
        let files = Files::from([
            (file, bytes),
            ("__cluster_metadata-0/00000000000000000000.log".into(), Bytes::new()),
            ("noise".into(), Bytes::from_static(b"\xff")),
            (CHECKPOINT.into(), Bytes::from_static(b"0\n1\na-b 3 0\nnonsense\n")),
        ]);
        let found = recover(&files);
        assert_eq!(found.keys().collect::<Vec<_>>(), [&id]);
        assert_eq!(found[&id].topic_id, Some(topic_id));
    }
}
