//! What the fuzz targets do with their bytes: one function each, which must never panic.

#[allow(dead_code, reason = "the broker's own test uses the rest")]
#[path = "../../crates/broker/tests/noise/mod.rs"]
mod noise;

use topomotion_broker::metadata::MetadataRecord;
use topomotion_log::{Batches, Log, LogConfig};
use topomotion_sim::{Operation, RunFile, Strike};
use topomotion_wire::{Bytes, DiskOp, Files, LeaderEpoch, Offset, TopicPartition};

/// Frames on four connections of a node: each piece is a byte that says which connection and
/// how long, and then the piece.
pub fn node(data: &[u8]) {
    noise::feed(data);
}

/// Record batches, into a log and out of it: as they are, and with the checksum that they
/// ought to have.
pub fn batches(data: &[u8]) {
    through_a_log(Bytes::copy_from_slice(data));
    if let Some(behind) = data.get(CHECKED_FROM..) {
        let mut mended = data.to_vec();
        mended[CHECKSUM..CHECKED_FROM]
            .copy_from_slice(&crc32c::crc32c(behind).to_be_bytes());
        through_a_log(mended.into());
    }
}

/// Where a batch's checksum lies, and what it covers.
const CHECKSUM: usize = 17;
const CHECKED_FROM: usize = 21;

fn through_a_log(bytes: Bytes) {
    let length = bytes.len();
    for batch in Batches::new(bytes.clone()).flatten() {
        if let Ok(records) = batch.records() {
            records.for_each(drop);
        }
        let _ = (batch.id(), batch.producer());
    }
    let small =
        LogConfig { segment_bytes: 200, index_interval_bytes: 1, ..LogConfig::default() };
    for append in [
        |log: &mut Log, bytes| log.append_as_leader(bytes, LeaderEpoch(1)).is_ok(),
        |log: &mut Log, bytes| log.append_stamped(bytes, LeaderEpoch(1), 7).is_ok(),
        |log: &mut Log, bytes| log.append_as_follower(bytes).is_ok(),
    ] {
        let partition = TopicPartition::new("orders", 0);
        let mut log = Log::new(partition.clone(), small);
        let _ = (append(&mut log, bytes.clone()), append(&mut log, bytes.clone()));
        let _ = (log.offset_at_time(0), log.at_max_timestamp());
        let (start, end) = (log.start_offset(), log.end_offset());
        assert!(start <= end);
        let files = written(&mut log);
        let again = Log::recover(partition, small, &files);
        assert_eq!(again.end_offset(), end, "what is in a log is in its files");
        let _ = log.read(Offset(0), end, length);
    }
}

/// The files that a log has written so far.
fn written(log: &mut Log) -> Files {
    let mut files = Files::new();
    while let Some(op) = log.poll_disk() {
        match op {
            DiskOp::Append { file, bytes } => {
                let old = files.remove(&file).unwrap_or_default();
                files.insert(file, Bytes::from([&old[..], &bytes[..]].concat()));
            }
            DiskOp::Replace { file, bytes } => _ = files.insert(file, bytes),
            DiskOp::Truncate { file, len } => {
                let keep = usize::try_from(len).expect("files here are small");
                files.entry(file).and_modify(|bytes| bytes.truncate(keep));
            }
            DiskOp::Delete { file } => _ = files.remove(&file),
            DiskOp::Flush { .. } => {}
        }
    }
    files
}

/// Records of the metadata log.
pub fn metadata(data: &[u8]) {
    if let Ok(record) = MetadataRecord::decode(Bytes::copy_from_slice(data))
        && !matches!(record, MetadataRecord::Unknown { .. })
    {
        assert_eq!(MetadataRecord::decode(record.encode()), Ok(record));
    }
}

/// Run files, and the lines of their nemesis and operations.
pub fn run_file(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(file) = RunFile::from_json(text) {
        let written = file.to_json();
        let again = RunFile::from_json(&written).map(|file| file.to_json());
        assert_eq!(again, Ok(written));
    }
    for line in text.lines() {
        if let Ok(strike) = line.parse::<Strike>() {
            let written = strike.to_string();
            let again = written.parse::<Strike>().map(|it| it.to_string());
            assert!(again.is_ok_and(|it| it == written), "{line}");
        }
        if let Ok(operation) = line.parse::<Operation>() {
            let written = operation.to_string();
            let again = written.parse::<Operation>().map(|it| it.to_string());
            assert!(again.is_ok_and(|it| it == written), "{line}");
        }
    }
}
