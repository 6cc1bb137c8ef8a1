//! What stands in a partition's folder on a broker's disk, in words: what
//! `kafka-dump-log.sh` is for.

use topomotion_log::{Batch, Batches};
use topomotion_model::PartitionName;
use topomotion_wire::{Bytes, Files};

use crate::line::admin::Dump;

/// One text for all of it.
pub(super) fn text(files: &Files, partition: &PartitionName, dump: Dump) -> String {
    let found = match dump {
        Dump::Segments => of_each(files, partition, ".log", segment),
        Dump::Indexes => of_each(files, partition, ".index", index),
        Dump::Times => of_each(files, partition, ".timeindex", time_index),
        Dump::Records => records(files, partition),
        Dump::Batch => newest_batch(files, partition).into_iter().collect(),
        Dump::Epochs => epochs(files, partition),
    };
    if found.is_empty() { "nothing there".to_owned() } else { found.join(" · ") }
}

/// The files of this ending, in the order of their offsets, each in words.
fn of_each(
    files: &Files,
    partition: &PartitionName,
    ending: &str,
    words: impl Fn(i64, &Bytes) -> Option<String>,
) -> Vec<String> {
    let folder = format!("{partition}/");
    let found = files.iter().filter_map(|(name, bytes)| {
        let file = name.strip_prefix(&*folder)?;
        let base = file.strip_suffix(ending)?.parse().ok()?;
        Some(format!("{file}: {}", words(base, bytes)?))
    });
    found.collect()
}

fn segment(_: i64, bytes: &Bytes) -> Option<String> {
    let batches: Vec<Batch> = Batches::new(bytes.clone()).map_while(Result::ok).collect();
    let (Some(first), Some(last)) = (batches.first(), batches.last()) else {
        return Some("empty".to_owned());
    };
    let (from, to) = (first.base_offset(), last.last_offset());
    Some(format!("offsets {from} to {to}, {} bytes", bytes.len()))
}

fn index(base: i64, bytes: &Bytes) -> Option<String> {
    let (entries, _) = bytes.as_chunks::<8>();
    let entries = entries.iter().map(|entry| {
        let [a, b, c, d, e, f, g, h] = *entry;
        let offset = base + i64::from(i32::from_be_bytes([a, b, c, d]));
        format!("{offset} at byte {}", i32::from_be_bytes([e, f, g, h]))
    });
    listed(entries)
}

fn time_index(base: i64, bytes: &Bytes) -> Option<String> {
    let (entries, _) = bytes.as_chunks::<12>();
    let entries = entries.iter().map(|entry| {
        let [time @ .., a, b, c, d] = *entry;
        let offset = base + i64::from(i32::from_be_bytes([a, b, c, d]));
        format!("{} at offset {offset}", i64::from_be_bytes(time))
    });
    listed(entries)
}

/// Nothing is said of a file without entries.
fn listed(entries: impl Iterator<Item = String>) -> Option<String> {
    let entries: Vec<String> = entries.collect();
    if entries.is_empty() { None } else { Some(entries.join(", ")) }
}

/// All batches of a partition, in the order of their offsets.
fn batches(files: &Files, partition: &PartitionName) -> impl Iterator<Item = Batch> {
    let folder = format!("{partition}/");
    let logs = files.iter().filter(move |(name, _)| {
        name.strip_prefix(&*folder).is_some_and(|file| file.ends_with(".log"))
    });
    logs.flat_map(|(_, bytes)| Batches::new(bytes.clone())).map_while(Result::ok)
}

/// Each record; one without a value is a tombstone, and a control record a marker.
fn records(files: &Files, partition: &PartitionName) -> Vec<String> {
    let words = |bytes: Option<&Bytes>| match bytes {
        Some(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        None => "null".to_owned(),
    };
    let mut found = Vec::new();
    for batch in batches(files, partition) {
        for record in batch.records().into_iter().flatten().map_while(Result::ok) {
            let offset = record.offset.0;
            found.push(match batch.is_control() {
                true => format!("{offset} marker"),
                false => {
                    let (key, value) = (record.key.as_ref(), record.value.as_ref());
                    format!("{offset} {}={}", words(key), words(value))
                }
            });
        }
    }
    found
}

/// The fields of the newest batch, under their names.
fn newest_batch(files: &Files, partition: &PartitionName) -> Option<String> {
    let batch = batches(files, partition).last()?;
    let producer = batch.producer().map_or(-1, |stamp| stamp.id);
    Some(format!(
        "baseOffset={}, partitionLeaderEpoch={}, crc={:08x}, attributes={}, \
         lastOffsetDelta={}, baseTimestamp={}, producerId={producer}, {} records in {} bytes",
        batch.base_offset(),
        batch.leader_epoch(),
        batch.crc(),
        batch.attributes().0,
        batch.last_offset_delta(),
        batch.base_timestamp(),
        batch.count(),
        batch.len_bytes(),
    ))
}

fn epochs(files: &Files, partition: &PartitionName) -> Vec<String> {
    let file = format!("{partition}/leader-epoch-checkpoint");
    let Some(bytes) = files.get(&*file) else { return Vec::new() };
    let text = String::from_utf8_lossy(bytes);
    // Version and count stand before the entries.
    let entries = text.lines().skip(2).filter_map(|line| line.split_once(' '));
    entries.map(|(epoch, start)| format!("epoch {epoch} from offset {start}")).collect()
}

#[cfg(test)]
mod tests {
    use topomotion_log::{Disk, Log, LogConfig, MemoryDisk, RecordRef, encode_batch};
    use topomotion_wire::{LeaderEpoch, TopicPartition};

    use super::*;

    /// Two segments of two batches each, the second of another epoch.
    fn files() -> Files {
        let config = LogConfig {
            segment_bytes: 150,
            index_interval_bytes: 0,
            ..LogConfig::default()
        };
        let mut log = Log::new(TopicPartition::new("orders", 0), config);
        let mut disk = MemoryDisk::default();
        for at in 0..4 {
            let (value, timestamp) = (Some(&b"four"[..]), 1_000 + i64::from(at));
            let record = RecordRef { value, timestamp, ..RecordRef::default() };
            log.append_as_leader(encode_batch([record]), LeaderEpoch(at / 2))
                .expect("a good batch");
            while let Some(op) = log.poll_disk() {
                disk.apply(op).expect("the disk works");
            }
        }
        disk.files()
    }

    #[test]
    fn a_folder_is_told_file_by_file() {
        let partition = PartitionName::parse("orders-0").expect("a partition");
        let told = |dump| text(&files(), &partition, dump);
        assert_eq!(
            told(Dump::Segments),
            "00000000000000000000.log: offsets 0 to 1, 144 bytes · \
             00000000000000000002.log: offsets 2 to 3, 144 bytes"
        );
        assert_eq!(
            told(Dump::Indexes),
            "00000000000000000000.index: 1 at byte 72 · \
             00000000000000000002.index: 3 at byte 72"
        );
        assert_eq!(
            told(Dump::Times),
            "00000000000000000000.timeindex: 1001 at offset 1 · \
             00000000000000000002.timeindex: 1003 at offset 3"
        );
        assert_eq!(told(Dump::Epochs), "epoch 0 from offset 0 · epoch 1 from offset 2");
        assert_eq!(
            told(Dump::Records),
            "0 null=four · 1 null=four · 2 null=four · 3 null=four"
        );
        let batch = told(Dump::Batch);
        assert!(
            batch.starts_with("baseOffset=3, partitionLeaderEpoch=1, crc="),
            "{batch}"
        );
    }

    #[test]
    fn a_folder_without_a_log_holds_nothing() {
        let partition = PartitionName::parse("orders-1").expect("a partition");
        assert_eq!(text(&files(), &partition, Dump::Segments), "nothing there");
    }
}
