//! Batches with some of their records.
//!
//! Nothing is decoded that need not be: what stays of a record are its own bytes, but for
//! the time, which is counted from the batch's first one, or from the horizon that has taken
//! its place.

use bytes::{Bytes, BytesMut};
use topomotion_wire::Offset;

use crate::batch::{Attributes, HEADER_BYTES, PREFIX_BYTES, stamp};
use crate::{Batch, Compression, Malformed, varint};

/// A record as it lies in its batch.
#[derive(Debug, Clone, Copy)]
pub(super) struct RawRecord<'a> {
    attributes: u8,
    timestamp_delta: i64,
    offset_delta: i64,
    pub(super) key: Option<&'a [u8]>,
    /// Whether it is no tombstone.
    pub(super) has_value: bool,
    /// From the key's length on.
    rest: &'a [u8],
}

impl RawRecord<'_> {
    pub(super) fn offset(&self, batch: &Batch) -> Offset {
        batch.base_offset().plus(self.offset_delta)
    }

    fn put(&self, body: &mut BytesMut, timestamp_delta: i64) {
        let length = 1
            + varint::len(timestamp_delta)
            + varint::len(self.offset_delta)
            + self.rest.len();
        varint::put(body, length as i64);
        body.extend_from_slice(&[self.attributes]);
        varint::put(body, timestamp_delta);
        varint::put(body, self.offset_delta);
        body.extend_from_slice(self.rest);
    }
}

/// The records of a batch whose uncompressed ones are `body`.
pub(super) fn raw_records<'a>(
    batch: &Batch,
    body: &'a Bytes,
) -> impl Iterator<Item = Result<RawRecord<'a>, Malformed>> + use<'a> {
    let (mut rest, mut left) = (&body[..], batch.count());
    std::iter::from_fn(move || {
        left = left.checked_sub(1).filter(|left| *left >= 0)?;
        let record = take(&mut rest).ok_or(Malformed::Record);
        if record.is_err() {
            left = 0;
        }
        Some(record)
    })
}

fn take<'a>(body: &mut &'a [u8]) -> Option<RawRecord<'a>> {
    let length = usize::try_from(varint::take(body)?).ok()?;
    let (mut record, behind) = body.split_at_checked(length)?;
    *body = behind;
    let (&attributes, fields) = record.split_first()?;
    record = fields;
    let (timestamp_delta, offset_delta) =
        (varint::take(&mut record)?, varint::take(&mut record)?);
    let rest = record;
    let key = match varint::take(&mut record)? {
        -1 => None,
        length => {
            let length = usize::try_from(length).ok()?;
            let (key, behind) = record.split_at_checked(length)?;
            record = behind;
            Some(key)
        }
    };
    let has_value = varint::take(&mut record)? >= 0;
    Some(RawRecord { attributes, timestamp_delta, offset_delta, key, has_value, rest })
}

/// The batch with these of its records, at their offsets, and with this horizon if it gets
/// one. Without records it is a header.
pub(super) fn rewritten(
    batch: &Batch,
    kept: &[RawRecord<'_>],
    horizon: Option<i64>,
) -> Batch {
    let before = batch.base_timestamp();
    let base = horizon.unwrap_or(before);
    let mut body = BytesMut::new();
    let mut newest = None;
    for record in kept {
        let timestamp = before.wrapping_add(record.timestamp_delta);
        newest = newest.max(Some(timestamp));
        record.put(&mut body, timestamp.wrapping_sub(base));
    }
    let is_stamped = batch.attributes().contains(Attributes::LOG_APPEND_TIME);
    let newest = newest.filter(|_| !is_stamped).unwrap_or(batch.max_timestamp());
    let mut attributes = batch.attributes();
    if horizon.is_some() {
        attributes = attributes.union(Attributes::DELETE_HORIZON);
    }
    let codec = attributes.compression().unwrap_or(Compression::None);
    let mut bytes = BytesMut::from(&batch.bytes()[..HEADER_BYTES]);
    if !body.is_empty() {
        bytes.extend_from_slice(&codec.compress(&body));
    }
    let length = i32::try_from(bytes.len() - PREFIX_BYTES).unwrap_or(i32::MAX);
    let count = i32::try_from(kept.len()).unwrap_or(i32::MAX);
    bytes[8..12].copy_from_slice(&length.to_be_bytes());
    bytes[27..35].copy_from_slice(&base.to_be_bytes());
    bytes[57..61].copy_from_slice(&count.to_be_bytes());
    stamp(&mut bytes, attributes, newest);
    Batch::of_checked(bytes.freeze())
}
