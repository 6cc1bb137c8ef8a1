//! Kafka's small text files beside the logs.
//!
//! A checkpoint has a version (0), the number of its entries, and one entry a line. One that
//! is damaged counts as missing, as in Kafka: each of them only says how far something had
//! come, and can be found out again.
//!
//! | file | lies in | entry |
//! |---|---|---|
//! | `leader-epoch-checkpoint` | the partition's folder | `epoch start` |
//! | `replication-offset-checkpoint` | the data directory | `topic partition high-watermark` |
//! | `recovery-point-offset-checkpoint` | the data directory | `topic partition offset` |
//! | `log-start-offset-checkpoint` | the data directory | `topic partition offset` |
//! | `cleaner-offset-checkpoint` | the data directory | `topic partition offset` |
//! | `partition.metadata` | the partition's folder | `topic_id: id`, in Kafka's base64 |

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use bytes::Bytes;
use topomotion_wire::{LeaderEpoch, Offset, TopicId, TopicPartition};
use uuid::Uuid;

use crate::{EpochCache, EpochStart};

/// High watermarks.
pub const REPLICATION_OFFSETS: &str = "replication-offset-checkpoint";
/// Recovery points.
pub const RECOVERY_POINTS: &str = "recovery-point-offset-checkpoint";
/// Log starts, of those logs where no file is named after it.
pub const LOG_STARTS: &str = "log-start-offset-checkpoint";

/// Up to where logs have been compacted.
pub const CLEANED: &str = "cleaner-offset-checkpoint";

/// One offset per partition, as a checkpoint file holds them.
pub type Offsets = BTreeMap<TopicPartition, Offset>;

/// The epochs of a log as a file.
pub(crate) fn write_epochs(cache: &EpochCache) -> Bytes {
    let lines = cache.entries().iter().map(|it| format!("{} {}", it.epoch, it.start));
    write(lines)
}

/// The epochs in a file; `None` if it is damaged.
pub(crate) fn read_epochs(bytes: &[u8]) -> Option<Vec<EpochStart>> {
    let text = std::str::from_utf8(bytes).ok()?;
    let mut lines = text.lines();
    let (version, count) = (lines.next()?, lines.next()?);
    let entry = |line: &str| {
        let (epoch, start) = line.split_once(' ')?;
        let (epoch, start) = (epoch.parse().ok()?, start.parse().ok()?);
        Some(EpochStart { epoch: LeaderEpoch(epoch), start: Offset(start) })
    };
    let entries = lines.map(entry).collect::<Option<Vec<_>>>()?;
    let is_whole = version == "0" && count.parse() == Ok(entries.len());
    is_whole.then_some(entries)
}

/// Offsets as a file.
pub fn write_offsets<'a>(
    offsets: impl IntoIterator<Item = (&'a TopicPartition, Offset)>,
) -> Bytes {
    let line = |(id, offset): (&TopicPartition, Offset)| {
        format!("{} {} {offset}", id.topic, id.partition)
    };
    write(offsets.into_iter().map(line))
}

/// The offsets in a file; `None` if it is damaged.
pub fn read_offsets(bytes: &[u8]) -> Option<Offsets> {
    let text = std::str::from_utf8(bytes).ok()?;
    let mut lines = text.lines();
    let (version, count) = (lines.next()?, lines.next()?);
    let offsets = lines.map(read_offset).collect::<Option<Vec<_>>>()?;
    let whole = version == "0" && count.parse() == Ok(offsets.len());
    whole.then(|| offsets.into_iter().collect())
}

fn read_offset(line: &str) -> Option<(TopicPartition, Offset)> {
    let mut words = line.split_whitespace();
    let (topic, partition, offset) = (words.next()?, words.next()?, words.next()?);
    let id = TopicPartition::new(Arc::from(topic), partition.parse().ok()?);
    let offset: i64 = offset.parse().ok()?;
    (offset >= 0 && words.next().is_none()).then_some((id, Offset(offset)))
}

fn write(lines: impl Iterator<Item = String>) -> Bytes {
    let lines: Vec<String> = lines.collect();
    let mut text = format!("0\n{}\n", lines.len());
    for line in lines {
        writeln!(text, "{line}").expect("a String takes all text");
    }
    Bytes::from(text)
}

/// `partition.metadata`: which topic a folder belongs to.
pub fn write_topic_id(id: TopicId) -> Bytes {
    Bytes::from(format!("version: 0\ntopic_id: {}\n", to_base64(id.0.into_bytes())))
}

/// The topic that a `partition.metadata` names; `None` if it is damaged.
pub fn read_topic_id(bytes: &[u8]) -> Option<TopicId> {
    let text = std::str::from_utf8(bytes).ok()?;
    let mut lines = text.lines();
    let version = lines.next()?.strip_prefix("version: ")?;
    let id = lines.next()?.strip_prefix("topic_id: ")?;
    (version == "0").then(|| from_base64(id).map(|id| TopicId(Uuid::from_bytes(id))))?
}

const DIGITS: &[u8; 64] =
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// How many base64 digits 16 bytes have, without padding.
const ID_DIGITS: usize = 22;

/// Kafka's way of writing ids: URL-safe base64 without padding.
fn to_base64(id: [u8; 16]) -> String {
    // Four bits more than there are, so that the last digit is whole.
    let number = u128::from_be_bytes(id);
    let digit = |at: usize| {
        let six =
            if at == ID_DIGITS - 1 { number << 4 } else { number >> (122 - 6 * at) };
        char::from(DIGITS[(six & 63) as usize])
    };
    (0..ID_DIGITS).map(digit).collect()
}

fn from_base64(text: &str) -> Option<[u8; 16]> {
    let value = |digit: u8| DIGITS.iter().position(|it| *it == digit);
    let digits = text.bytes().map(value).collect::<Option<Vec<usize>>>()?;
    let (last, rest) = digits.split_last()?;
    if digits.len() != ID_DIGITS || last & 15 != 0 {
        return None;
    }
    let number = rest.iter().fold(0_u128, |sum, digit| sum << 6 | *digit as u128);
    Some((number << 2 | *last as u128 >> 4).to_be_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_are_kafkas_own() {
        let mut cache = EpochCache::new();
        cache.assign(LeaderEpoch(0), Offset(0));
        cache.assign(LeaderEpoch(5), Offset(12));
        assert_eq!(&write_epochs(&cache)[..], b"0\n2\n0 0\n5 12\n");
        let offsets = Offsets::from([
            (TopicPartition::new("a-b", 3), Offset(17)),
            (TopicPartition::new("orders", 0), Offset(0)),
        ]);
        let file = write_offsets(offsets.iter().map(|(id, offset)| (id, *offset)));
        assert_eq!(&file[..], b"0\n2\na-b 3 17\norders 0 0\n");
        assert_eq!(read_offsets(&file), Some(offsets));
        assert_eq!(read_offsets(b"0\n0\n"), Some(Offsets::new()));
    }

    #[test]
    fn a_damaged_checkpoint_is_no_checkpoint() {
        let bad: [&[u8]; 8] = [
            b"",
            b"0\n",
            b"1\n0\n",
            b"0\n2\na 0 1\n",
            b"0\n1\na 0\n",
            b"0\n1\na 0 -5\n",
            b"0\n1\na 0 1 1\n",
            b"\xff\n0\n",
        ];
        for bytes in bad {
            assert_eq!(read_offsets(bytes), None, "{bytes:?}");
        }
    }

    #[test]
    fn a_topic_id_is_written_as_kafka_writes_it() {
        let id = TopicId(Uuid::from_u128(0x0011_2233_4455_6677_8899_aabb_ccdd_eeff));
        let file = write_topic_id(id);
        assert_eq!(&file[..], b"version: 0\ntopic_id: ABEiM0RVZneImaq7zN3u_w\n");
        assert_eq!(read_topic_id(&file), Some(id));
        for id in [0, 1, u128::MAX, 1 << 127, 0xfb_f0] {
            let id = TopicId(Uuid::from_u128(id));
            assert_eq!(read_topic_id(&write_topic_id(id)), Some(id));
        }
        let bad: [&[u8]; 5] = [
            b"",
            b"version: 1\ntopic_id: ABEiM0RVZneImaq7zN3u_w",
            b"version: 0\ntopic_id: ABEiM0RVZneImaq7zN3u_",
            b"version: 0\ntopic_id: ABEiM0RVZneImaq7zN3u_x",
            b"version: 0\ntopic_id: ABEiM0RVZneImaq7zN3u=w",
        ];
        for bytes in bad {
            assert_eq!(read_topic_id(bytes), None, "{bytes:?}");
        }
    }
}
