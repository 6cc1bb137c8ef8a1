//! Markers: the control records that end a transaction in a partition (TXN-6).
//!
//! ```text
//! key    version i16 = 0 | type i16: 0 abort, 1 commit
//! value  version i16 = 0 | coordinator epoch i32
//! ```

use topomotion_wire::{ProducerEpoch, ProducerId};

use crate::batch::HEADER_BYTES;
use crate::header::BatchView;
use crate::{Attributes, Batch, BatchBuilder, ProducerStamp, RecordRef, varint};

/// How a transaction ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MarkerKind {
    /// Its records do not count.
    Abort,
    /// They do.
    Commit,
}

/// The end of a transaction in a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Marker {
    /// Whose transaction.
    pub producer: ProducerId,
    /// In which epoch.
    pub epoch: ProducerEpoch,
    /// Leader epoch of the coordinator's partition: an older coordinator is refused.
    pub coordinator_epoch: i32,
    /// How it ends.
    pub kind: MarkerKind,
}

impl Marker {
    /// The control batch, as a leader appends it.
    ///
    /// `timestamp` is the wall clock, in milliseconds.
    pub fn to_batch(self, timestamp: i64) -> Batch {
        let kind: i16 = match self.kind {
            MarkerKind::Abort => 0,
            MarkerKind::Commit => 1,
        };
        let (mut key, mut value) = ([0; 4], [0; 6]);
        key[2..].copy_from_slice(&kind.to_be_bytes());
        value[2..].copy_from_slice(&self.coordinator_epoch.to_be_bytes());
        let (key, value) = (Some(&key[..]), Some(&value[..]));
        let stamp =
            ProducerStamp { id: self.producer.0, epoch: self.epoch.0, base_sequence: -1 };
        let mut builder = BatchBuilder::new()
            .with_attributes(Attributes::TRANSACTIONAL.union(Attributes::CONTROL))
            .with_producer(stamp);
        builder.push(&RecordRef { timestamp, key, value, headers: &[] });
        builder.build()
    }

    /// The marker that a batch holds, if it is a control batch with one.
    pub fn of_batch(batch: &Batch) -> Option<Marker> {
        Marker::of_view(BatchView::of_checked(batch.bytes()))
    }

    pub(crate) fn of_view(view: BatchView<'_>) -> Option<Marker> {
        let is_one = view.attributes().contains(Attributes::CONTROL) && view.count() > 0;
        let (producer, epoch) = (view.producer_id(), view.producer_epoch());
        if !is_one || producer.0 < 0 {
            return None;
        }
        let mut rest = view.bytes().get(HEADER_BYTES..)?;
        let _length = varint::take(&mut rest)?;
        rest = rest.get(1..)?;
        let (_time, _offset) = (varint::take(&mut rest)?, varint::take(&mut rest)?);
        let (key, value) = (field(&mut rest)?, field(&mut rest)?);
        let kind = match i16::from_be_bytes(key.get(2..4)?.try_into().ok()?) {
            0 => MarkerKind::Abort,
            1 => MarkerKind::Commit,
            _ => return None,
        };
        let coordinator_epoch = i32::from_be_bytes(value.get(2..6)?.try_into().ok()?);
        Some(Marker { producer, epoch, coordinator_epoch, kind })
    }
}

/// Bytes behind their length.
fn field<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = usize::try_from(varint::take(rest)?).ok()?;
    let (taken, behind) = rest.split_at_checked(length)?;
    *rest = behind;
    Some(taken)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marker(kind: MarkerKind) -> Marker {
        Marker {
            producer: ProducerId(0x0102_0304),
            epoch: ProducerEpoch(5),
            coordinator_epoch: 9,
            kind,
        }
    }

    #[test]
    fn a_marker_is_written_as_kafka_writes_it() {
        let batch = marker(MarkerKind::Commit).to_batch(1_000);
        let bytes = batch.bytes();
        assert_eq!(bytes[21..23], [0, 0x30], "transactional and control");
        assert_eq!(bytes[43..57], [0, 0, 0, 0, 1, 2, 3, 4, 0, 5, 0xff, 0xff, 0xff, 0xff]);
        // Length, attributes, time and offset; key; value; no headers.
        let record = [32, 0, 0, 0, 8, 0, 0, 0, 1, 12, 0, 0, 0, 0, 0, 9, 0];
        assert_eq!(bytes[61..], record);
        let batch = marker(MarkerKind::Abort).to_batch(1_000);
        assert_eq!(batch.bytes()[66..70], [0, 0, 0, 0]);
    }

    #[test]
    fn a_marker_is_read_as_it_was_written() {
        for kind in [MarkerKind::Abort, MarkerKind::Commit] {
            let batch = marker(kind).to_batch(7);
            assert_eq!(Marker::of_batch(&batch), Some(marker(kind)));
        }
        let mut builder = BatchBuilder::new();
        builder.push(&RecordRef { key: Some(&[0, 0, 0, 1]), ..RecordRef::default() });
        assert_eq!(Marker::of_batch(&builder.build()), None, "no control batch");
    }
}
